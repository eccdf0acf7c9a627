"""Choosing cells of the paper's tables, and setting those of two sides against each other."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from mngnas_lib.errors import ConfigError
from mngnas_lib.paper.tables import paper_tables

#: All other metrics are better when higher.
LOWER_IS_BETTER = frozenset({"error", "params", "madds", "search cost"})

#: Numbers of the tables as printed, by number; the first entry is none
ROMAN = ("", *["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"])

_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)")
_BEST = re.compile(r"\(([\d.]+)\)")


def claim_cells(tables: pd.DataFrame | None = None) -> pd.DataFrame:
    """The cells of :func:`mngnas_lib.paper.paper_tables`, one row a number.

    All columns but ``value`` are texts, empty where there is nothing; ``row_bold`` and ``bold`` say ``true`` or
    ``false``. The best of several runs has a row of its own: ``quantity`` is ``value`` or ``best``, and ``shown`` the
    number as printed, without deviation and brackets. ``label`` names the cell: ``MNGNAS (S) 2.38``.
    """
    tables = paper_tables() if tables is None else tables
    cells = pd.concat([tables, tables.assign(value=tables["best"])], ignore_index=True)
    cells["quantity"] = ["value"] * len(tables) + ["best"] * len(tables)
    cells = cells[cells["value"].notna()].reset_index(drop=True)
    numbers = cells.pop("value").astype(float)
    cells = cells.map(as_text)
    patterns = {"value": _NUMBER, "best": _BEST}
    cells["shown"] = [patterns[q].search(text)[1] for q, text in zip(cells["quantity"], cells["printed"], strict=True)]
    cells["label"] = [_label(cell) for cell in cells.itertuples()]
    return cells.assign(value=numbers)


def select(cells: pd.DataFrame, where: str) -> pd.DataFrame:
    """The cells that satisfy all conditions of ``column=value|value; column!=value``.

    Raises:
        ConfigError: a condition that is none, or a column that there is not.
    """
    for condition in filter(None, (part.strip() for part in where.split(";"))):
        match = re.fullmatch(r"(\w+)\s*(!?=)\s*(.*)", condition)
        if match is None or match[1] not in cells.columns:
            raise ConfigError(f"{condition!r}: write column=value|value or column!=value, with a column of the tables")
        hit = cells[match[1]].isin([value.strip() for value in match[3].split("|")])
        cells = cells[hit if match[2] == "=" else ~hit]
    return cells


def groups_of(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str]) -> list[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Both sides by what they are alike in, with a name for it; groups in which one side prints nothing drop out.

    Raises:
        ConfigError: no group is left.
    """
    if not per:
        groups = [("", ours, theirs)]
    else:
        others = dict(list(theirs.groupby(per, sort=False)))
        groups = [
            (" ".join(_group_name(*pair) for pair in zip(per, key, strict=True) if pair[1]), mine, others[key])
            for key, mine in ours.groupby(per, sort=False)
            if key in others
        ]
    groups = [group for group in groups if len(group[1]) and len(group[2])]
    if not groups:
        raise ConfigError(f"nothing to compare: {len(ours)} cells of ours, {len(theirs)} of theirs, alike in {per}")
    return groups


def pairs_of(ours: pd.DataFrame, theirs: pd.DataFrame, per: list[str]) -> pd.DataFrame:
    """Every cell of ours with every cell of theirs that is alike in ``per``.

    Returns:
        One row a pair: ``ours``, ``theirs``; ``gain``, by how much ours is better; ``slack``, by how much rounding can
        change the gain; ``text``, the two cells in words; ``decimals``, the most printed.
    """
    rows = []
    for name, mine, others in groups_of(ours, theirs, per):
        sign = direction(pd.concat([mine, others]))
        for a in mine.itertuples():
            for b in others.itertuples():
                slack = half_unit(a.shown) + half_unit(b.shown)
                decimals = max(len(cell.shown.partition(".")[2]) for cell in (a, b))
                text = (f"{name}: " if name else "") + f"{a.label} against {b.label}"
                rows.append([a.value, b.value, sign * (a.value - b.value), slack, text, decimals])
    return pd.DataFrame(rows, columns=["ours", "theirs", "gain", "slack", "text", "decimals"])


def direction(cells: pd.DataFrame) -> int:
    """1 where higher is better, -1 where lower is.

    Raises:
        ConfigError: the cells are of both kinds.
    """
    kinds = {metric in LOWER_IS_BETTER for metric in cells["metric"]}
    if len(kinds) != 1:
        raise ConfigError(f"{sorted(set(cells['metric']))}: one is better high and one low, so these do not compare")
    return -1 if kinds.pop() else 1


def half_unit(printed: str) -> float:
    """Half a unit of the last printed digit: 0.005 for 2.38."""
    return 0.5 * 10.0 ** -len(printed.partition(".")[2])


def as_text(value: object) -> str:
    """An entry as conditions name it: ``""`` for a missing one, ``true``, ``false``, whole numbers without a point."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ""
    return str(bool(value)).lower() if isinstance(value, (bool, np.bool_)) else str(value)


def _group_name(column: str, value: str) -> str:
    return f"Table {ROMAN[int(value)]}" if column == "table" else value


def _label(cell: object) -> str:
    row = re.sub(r" \[\d+\]", "", cell.row).removeprefix("- / ").removeprefix(f"{cell.search_space} / ")
    if row.isdigit():
        row += " teachers" if cell.teachers else " perturbed"
    elif row.startswith("MNGNAS (") and cell.letter not in ("", "E"):
        row = f"{cell.strategy} {cell.letter}"  # Table X prints D's best beside the label of the next row
    elif cell.letter and "(" not in row and cell.strategy not in row:
        row = f"{cell.strategy} / {row}"
    return f"{row} {cell.shown}"
