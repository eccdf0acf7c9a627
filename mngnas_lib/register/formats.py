"""Tables as CSV, Markdown and LaTeX."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from mngnas_lib.register.measured import Measured
from mngnas_lib.register.tables import NOT_MEASURED, SideBySide


class Word(NamedTuple):
    """What one place of a table shows."""

    text: str
    bold: bool = False


def to_csv(table: SideBySide) -> str:
    """Tidy: one line a cell."""
    return table.tidy.to_csv(index=False, lineterminator="\n", float_format="%.6g")


def to_markdown(table: SideBySide) -> str:
    """A heading, the table, and notes."""
    head, *body = grid(table)
    lines = [f"**{table.item.title}** (Section {table.item.section}) · {table.item.caption}", ""]
    lines += [_markdown_row(head), "| " + " | ".join("---" for _ in head) + " |"]
    lines += [_markdown_row(row) for row in body]
    return "\n".join([*lines, "", *(f"{note}  " for note in notes(table))]).rstrip() + "\n"


def to_latex(table: SideBySide) -> str:
    """A ``table`` with a ``tabular`` in it, for the package booktabs."""
    head, *body = grid(table)
    rows = [" & ".join(_latex_word(word) for word in row) + r" \\" for row in (head, *body)]
    lines = [
        "% needs the packages booktabs and graphicx",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_latex(f'{table.item.title} of the paper: {table.item.caption}')}}}",
        r"\resizebox{\textwidth}{!}{%",
        rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
        r"\toprule",
        rows[0],
        r"\midrule",
        *rows[1:],
        r"\bottomrule",
        r"\end{tabular}}",
        r"\par\footnotesize",
        *(f"{_latex(note)}\n" for note in notes(table)),
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


FORMATS: dict[str, Callable[[SideBySide], str]] = {"csv": to_csv, "md": to_markdown, "tex": to_latex}


def grid(table: SideBySide) -> list[list[Word]]:
    """The headings and the rows, each a label, and by column of the paper its number and, where anything of the column
    is measured, ours. If nothing of the table is, a last column says so."""
    paper, marks = table.paper, _marks(table)
    columns = list(dict.fromkeys(paper["column"]))
    with_ours = {paper["column"][index] for index, cell in enumerate(table.ours) if cell is not None}
    head = [Word(table.stub)]
    for column in columns:
        head += [Word(f"{column}, paper")] + ([Word(f"{column}, ours")] if column in with_ours else [])
    rows = [head if with_ours else [*head, Word("ours")]]
    for _, cells in paper.groupby("line", sort=False):
        row = [Word(cells["row"].iloc[0])]
        places = dict(zip(cells["column"], cells.index, strict=True))
        for column in columns:
            index = places.get(column)
            text = "" if index is None else " ".join(paper["printed"][index].split())
            row.append(Word(text, index is not None and table.paper_bold[index]))
            if column in with_ours:
                cell = None if index is None else table.ours[index]
                text = NOT_MEASURED if cell is None else f"{_ours(cell)} [{marks[cell.n, cell.seeds, cell.data]}]"
                row.append(Word(text, cell is not None and table.ours_bold[index]))
        rows.append(row if with_ours else [*row, Word(NOT_MEASURED)])
    return rows


def notes(table: SideBySide) -> list[str]:
    """What the numbers are: the paper's, and ours with n, seeds, profile and data."""
    lines = ['"paper": the number as the paper prints it.']
    marks = _marks(table)
    if not marks:
        lines.append(f"Ours: {NOT_MEASURED} under the profile {table.profile.name}.")
    else:
        lines.append('"ours": mean, in brackets its 95 % interval, and n, the number of seeds.')
        lines += [
            f"[{mark}] measured: profile {table.profile.name}, n = {n}, seeds {seeds}, data: {data}."
            for (n, seeds, data), mark in marks.items()
        ]
    lines.append(
        "Bold: best of the numbers with a deviation in its column, among rows of the same space and SuperNet, and "
        "different from each of them at p < 0.05 (Welch's t-test; the paper's n is 4). Others are not compared."
    )
    if table.item.missing:
        lines.append(f"The kit lacks for the rest: {', '.join(table.item.missing)}.")
    return lines


def _marks(table: SideBySide) -> dict[tuple[int, str, str], str]:
    """A letter for each combination of n, seeds and data."""
    kinds = dict.fromkeys((cell.n, cell.seeds, cell.data) for cell in table.ours if cell is not None)
    return {kind: chr(ord("a") + index) for index, kind in enumerate(kinds)}


def _ours(cell: Measured) -> str:
    interval = "" if math.isnan(cell.low) else f" [{cell.low:.2f}, {cell.high:.2f}]"
    return f"{cell.mean:.2f}{interval}, n = {cell.n}"


def _markdown_row(words: Sequence[Word]) -> str:
    cells = (word.text.replace("|", r"\|").replace("<", "&lt;") for word in words)
    marked = (f"**{cell}**" if word.bold and cell else cell for cell, word in zip(cells, words, strict=True))
    return "| " + " | ".join(marked) + " |"


_ESCAPES = {
    "\\": r"\textbackslash{}",
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"$<$",
    ">": r"$>$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "†": r"\dag{}",
    "τ": r"$\tau$",
}


def _latex(text: str) -> str:
    return "".join(_ESCAPES.get(sign, sign) for sign in text)


def _latex_word(word: Word) -> str:
    return rf"\textbf{{{_latex(word.text)}}}" if word.bold and word.text else _latex(word.text)
