"""The paper's tables with ours beside them.

**Bold** says "best", as in the paper, but only where the difference is significant: a mean is bold if it is the best of
its group, the rows of one column with the same search space and SuperNet training, and if Welch's t-test tells it from
*every* other mean of the group at p < 0.05. (All tests have to succeed, so their number needs no correction.) Numbers
that are printed without a deviation cannot be tested and are never bold. The paper's means are of 4 seeds; ours say of
how many. Searches with one seed share their SuperNet only, and go their own ways from the second search epoch on, so
the test does not pair them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from mngnas_lib.lab.profiles import Profile
from mngnas_lib.paper import TABLES, paper_table
from mngnas_lib.paper.significance import SEEDS, Sample, welch
from mngnas_lib.register.item import Item
from mngnas_lib.register.measured import Measured, measured

NOT_MEASURED = "not measured yet"
SIGNIFICANCE = 0.05
#: Metrics of which less is better
_LOWER = {"error"}
_GROUP = ["column", "search_space", "strategy"]
#: Columns of the paper's tables that the tidy form keeps
_KEPT = ["row", "column", "dataset", "split", "metric", "unit", "value", "std", "best", "printed"]


@dataclass(frozen=True, eq=False, repr=False)
class SideBySide:
    """One table of the paper, each cell with ours beside it.

    Attributes:
        paper: as :func:`mngnas_lib.paper.paper_table` gives it.
        ours: for each row of ``paper`` what we measured, or None.
        paper_bold, ours_bold: for each row, whether the number is the best of its group, and significantly so.
    """

    item: Item
    profile: Profile
    paper: pd.DataFrame
    ours: tuple[Measured | None, ...]
    paper_bold: tuple[bool, ...]
    ours_bold: tuple[bool, ...]

    @cached_property
    def tidy(self) -> pd.DataFrame:
        """One row a cell: the paper's number (``paper_...``), and ours with what it is of (``ours_...``)."""
        table = self.paper[_KEPT].rename(columns={n: f"paper_{n}" for n in ("value", "std", "best", "printed")})
        table = table.assign(paper_bold=list(self.paper_bold))
        for name in ("mean", "low", "high", "std", "best", "n", "seeds", "data"):
            table[f"ours_{name}"] = [None if cell is None else getattr(cell, name) for cell in self.ours]
        table["ours_bold"] = list(self.ours_bold)
        return table.assign(profile=["" if cell is None else self.profile.name for cell in self.ours])

    @property
    def stub(self) -> str:
        """The heading of the rows."""
        return " / ".join(word for word in TABLES[self.item.number].stub if word)

    def __repr__(self) -> str:
        known = sum(cell is not None for cell in self.ours)
        return f"{self.item.title}: {known} of {len(self.ours)} cells measured under the profile {self.profile.name}"

    def _repr_markdown_(self) -> str:
        from mngnas_lib.register.formats import to_markdown

        return to_markdown(self)


def side_by_side(item: Item, profile: Profile) -> SideBySide:
    """A table of the paper with what is stored under a profile beside it."""
    paper = paper_table(item.number)
    return beside(item, profile, paper, place(paper, measured(item, profile)))


def beside(item: Item, profile: Profile, paper: pd.DataFrame, ours: Sequence[Measured | None]) -> SideBySide:
    """The same, of given numbers."""
    theirs = [Sample(row.value, row.std, SEEDS) for row in paper.itertuples()]
    mine = [None if cell is None else Sample(cell.mean, cell.std, cell.n) for cell in ours]
    return SideBySide(item, profile, paper, tuple(ours), _bold(paper, theirs), _bold(paper, mine))


def place(paper: pd.DataFrame, cells: dict[frozenset, Measured]) -> list[Measured | None]:
    """For each row of ``paper``, what was measured of it.

    Raises:
        LookupError: something was measured that is not in the table, or twice for one cell.
    """
    placed: list[Measured | None] = [None] * len(paper)
    for about, cell in cells.items():
        # Table X prints the best of algorithm D on a line of its own; ours belong beside the mean
        fits = paper["value"].notna() | paper["best"].isna()
        for column, value in about:
            fits &= (paper[column] == value).fillna(False).astype(bool)
        rows = paper.index[fits]
        if len(rows) != 1 or placed[rows[0]] is not None:
            raise LookupError(f"{dict(about)} names {len(rows)} cells of the paper's table, or one that is taken")
        placed[rows[0]] = cell
    return placed


def _bold(paper: pd.DataFrame, samples: Sequence[Sample | None]) -> tuple[bool, ...]:
    bold = [False] * len(paper)
    for _, rows in paper.groupby(_GROUP, sort=False):
        known = [row for row in rows.index if samples[row] is not None and not math.isnan(samples[row].std)]
        lower = rows["metric"].iloc[0] in _LOWER
        best = clearly_best([samples[row] for row in known], lower=lower)
        if best is not None:
            bold[known[best]] = True
    return tuple(bold)


def clearly_best(samples: Sequence[Sample], *, lower: bool = False) -> int | None:
    """The index of the best mean, if Welch's t-test tells it from every other one; else None.

    Args:
        lower: whether less is better.
    """
    if len(samples) < 2:
        return None
    best = (min if lower else max)(range(len(samples)), key=lambda index: samples[index].mean)
    others = [sample for index, sample in enumerate(samples) if index != best]
    # two deviations of zero say nothing about noise
    clear = all(other.std + samples[best].std > 0 and welch(samples[best], other).p < SIGNIFICANCE for other in others)
    return best if clear else None
