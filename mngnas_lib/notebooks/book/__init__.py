"""All notebooks as an HTML book, with the paper's figures and tables as its index: ``make book``."""

from mngnas_lib.notebooks.book.build import build_book, gather
from mngnas_lib.notebooks.book.links import Links
from mngnas_lib.notebooks.book.loads import loads_of_page, outside_loads

__all__ = ["Links", "build_book", "gather", "loads_of_page", "outside_loads"]
