"""The printed layout of the paper's tables, from their cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from mngnas_lib.paper.tables import TABLES, paper_table

#: Between the labels of a group and of its members
SEPARATOR = " / "


class Cell(NamedTuple):
    """What one place of a printed table holds."""

    text: str
    bold: bool = False


def layout(number: int) -> list[list[Cell]]:
    """A table of the paper as it is printed: lines of equally many cells, the headers first.

    A label that holds for several cells or lines stands in the first of them, the others are empty.

    Raises:
        PaperDataError: the paper has no such table, or its file is missing or damaged.
    """
    table, stub = paper_table(number), TABLES[number].stub
    headers = _once([tuple(label.split(SEPARATOR)) for label in dict.fromkeys(table["column"])])
    lines = [
        [Cell(text) for text in (*(stub if level == 0 else [""] * len(stub)), *labels)]
        for level, labels in enumerate(zip(*headers, strict=True))
    ]
    rows = [rows for _, rows in table.groupby("line", sort=False)]
    labels = _once([tuple(row["row"].iloc[0].split(SEPARATOR)) for row in rows])
    for row, label in zip(rows, labels, strict=True):
        bold = bool(row["row_bold"].iloc[0])
        heads = [Cell(text, bold and text != "" and place == len(stub) - 1) for place, text in enumerate(label)]
        cells = [
            [Cell(part, mark) for part in text.splitlines()]
            for text, mark in zip(row["printed"], row["bold"], strict=True)
        ]
        for part in zip_longest(*cells, fillvalue=Cell("")):
            lines.append([*heads, *part])
            heads = [Cell("")] * len(stub)
    return lines


def render(number: int) -> str:
    """A table of the paper in its printed layout, as Markdown; what is bold there is bold here.

    Raises:
        PaperDataError: the paper has no such table, or its file is missing or damaged.
    """
    lines = [[f"**{cell.text}**" if cell.bold else cell.text for cell in line] for line in layout(number)]
    widths = [max(3, *(len(line[place]) for line in lines)) for place in range(len(lines[0]))]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    text.insert(1, "| " + " | ".join("-" * width for width in widths) + " |")
    return "\n".join(text)


def _once(paths: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Each level of each path, empty where the path before is the same up to this level."""
    shown, before = [], ()
    for path in paths:
        shown.append(tuple("" if before[: level + 1] == path[: level + 1] else text for level, text in enumerate(path)))
        before = path
    return shown
