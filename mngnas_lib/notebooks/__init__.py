"""Notebooks: built from their text form, executed, cleaned and checked.

``python -m mngnas_lib.notebooks build|execute|check|book|address`` is how this is used; ``CONTRIBUTING.md`` says when.
"""

from mngnas_lib.notebooks.check import check_notebook, check_project
from mngnas_lib.notebooks.clean import clean
from mngnas_lib.notebooks.execute import Outcome, execute
from mngnas_lib.notebooks.source import PROFILES, NotebookError, read_source, sources

__all__ = [
    "PROFILES",
    "NotebookError",
    "Outcome",
    "check_notebook",
    "check_project",
    "clean",
    "execute",
    "read_source",
    "sources",
]
