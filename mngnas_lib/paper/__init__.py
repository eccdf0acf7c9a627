"""The paper's own numbers: Tables I-XVI as data, and their printed layout."""

from mngnas_lib.paper.render import Cell, layout, render
from mngnas_lib.paper.tables import COLUMNS, TABLES, TableInfo, paper_folder, paper_table, paper_tables

__all__ = ["COLUMNS", "TABLES", "Cell", "TableInfo", "layout", "paper_folder", "paper_table", "paper_tables", "render"]
