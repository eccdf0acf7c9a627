"""What a search on a table sees (one reward an architecture), where it can go from there, what it is judged by.

An architecture is looked up as the benchmark itself does it: a table that holds one notation for all that compute the
same function finds the others too. Where a table lacks architectures, a search knows those only that it has:

* a wish for one that it lacks is answered by the nearest, by the number of slots that differ;
* a *neighbour* of an architecture is what a change of one slot makes of it. A change that leads to nothing in the
  table, or back to the same row, is drawn anew, a few times; after that any of the K nearest rows is drawn, where K is
  how many changes there are. So a search gets on even where the table has not one neighbour.

Of equally near ones one is drawn at random. What is changed is the notation that the table has. NAS-Bench-101's leaves
unused nodes without edges, so that one change can take a node from a cell, but not add one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mngnas_lib.benchmarks import Benchmark, Scores
from mngnas_lib.errors import ArchError, BenchmarkError, ConfigError

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

#: So many changes of one slot are drawn before one of the nearest rows is. Many more would shut a search up in a corner
#: of a table with few neighbours; fewer would make it leap more often in a table of all cells of NAS-Bench-101.
TRIES = 4


@dataclass(frozen=True, eq=False)
class Landscape:
    """A table as a search sees it.

    Attributes:
        choices: the architectures, shape (n, slots).
        sizes: number of choices of each slot.
        reward: what the search is told of an architecture, shape (n,), a fraction.
        truth: by data set, validation and test accuracy after the full training, shapes (n,): for the report at the
            end, never for the search. The first data set is the one that was searched on.
        about: which number the reward is.
        look_up: row of an architecture, shape (slots,), in whatever notation, -1 for what the table lacks; None: only
            the rows of ``choices`` as they stand are found.
    """

    choices: Rows
    sizes: tuple[int, ...]
    reward: Floats
    truth: Mapping[str, Scores]
    about: str = ""
    look_up: Callable[[Rows], int] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        n = len(self.choices)
        if n < 2:
            raise ConfigError(f"a search needs a table of at least two architectures, this one has {n}")
        if self.reward.shape != (n,) or not np.isfinite(self.reward).all():
            raise ConfigError(f"a search needs one finite reward for each of the {n} architectures")

    @classmethod
    def of(cls, reward: Benchmark, truths: Sequence[Benchmark] = ()) -> Landscape:
        """The architectures that all the given tables hold.

        Args:
            reward: its validation accuracies are the reward. Where it has none (NAS-Bench-Macro), the test accuracy of
                the first training run is, and what was found is looked up as the mean of the other runs, so that no
                number is both searched with and reported.
            truths: tables for the report, the searched data set first, each data set once; by default ``reward``.

        Raises:
            BenchmarkError: the table has neither validation accuracies nor two runs; or the tables have different
                search spaces, the same data set twice, or no two architectures in common.
        """
        truths = list(truths) or [reward]
        if any(truth.space != reward.space for truth in truths):
            raise BenchmarkError("the tables of one search are of different search spaces: give tables of one space")
        if len({truth.dataset for truth in truths}) < len(truths):
            raise BenchmarkError("two of the tables of one search are of the same data set: give each data set once")
        known = [set(truth.archs) for truth in truths]
        archs = [arch for arch in reward.archs if all(arch in table for table in known)]
        if not archs:
            raise BenchmarkError("the tables of one search have no architecture in common: they do not belong together")
        valid = reward.scores(archs).valid
        found = {truth.dataset: truth.scores(archs) for truth in truths}
        about = f"validation accuracy of {reward.name} on {reward.dataset}"
        if valid is None:
            valid, found[reward.dataset] = _one_run_against_the_others(reward, archs)
            about = (
                f"test accuracy of one training run of {reward.name} on {reward.dataset}, which has no validation "
                "accuracies; what is found is looked up as the mean of its other runs"
            )
        kept = np.isfinite(valid)
        choices = np.array(archs, dtype=np.int64)[kept]
        truth = {
            name: Scores(scores.test[kept], None if scores.valid is None else scores.valid[kept])
            for name, scores in found.items()
        }
        sizes = tuple(len(slot.choices) for slot in reward.space.slots)
        return cls(choices, sizes, valid[kept], truth, about, _look_up(reward, reward.rows(archs)[kept]))

    def __len__(self) -> int:
        return len(self.choices)

    @property
    def dataset(self) -> str:
        """The data set that is searched on."""
        return next(iter(self.truth))

    # ------------------------------------------------------------------ moves; ``luck`` is uniform in [0, 1)

    def anywhere(self, luck: Floats) -> Rows:
        """Rows drawn uniformly; ``luck`` and the result have one shape."""
        return pick(luck, len(self))

    def find(self, archs: Rows) -> Rows:
        """The row of each architecture, shape (s, slots), or -1 where the table lacks it or the space does."""
        look_up = self.look_up or (lambda arch: self._row_of.get(tuple(arch.tolist()), -1))
        return np.fromiter(map(look_up, archs), dtype=np.int64, count=len(archs))

    def nearest(self, wanted: Rows, luck: Floats) -> Rows:
        """The row of each wanted architecture (s, slots), or of the nearest that the table has; ``luck``: (s,)."""
        rows = self.find(wanted)
        for place in np.flatnonzero(rows < 0):
            rows[place] = self._near(wanted[place], 0, luck[place])
        return rows

    def neighbours(self, rows: Rows, luck: Floats) -> Rows:
        """One neighbour of each row, shape (s,); ``luck``: (s, 2)."""
        ends = np.cumsum([size - 1 for size in self.sizes])
        found, left = np.full(len(rows), -1), luck[:, 0]
        for _ in range(TRIES):
            (missing,) = np.nonzero(found < 0)
            nth = pick(left[missing], ends[-1])
            slots = np.searchsorted(ends, nth, side="right")
            children = self.choices[rows[missing]]
            place = np.arange(len(missing)), slots
            children[place] = (children[place] + nth - ends[slots]) % np.array(self.sizes)[slots]
            reached = self.find(children)
            found[missing] = np.where(reached == rows[missing], -1, reached)
            left = left * ends[-1] % 1  # what is left of a uniform number is uniform again
        for place in np.flatnonzero(found < 0):
            row, nth = rows[place], pick(left[place], min(ends[-1], len(self) - 1))
            found[place] = self._near(self.choices[row], nth, luck[place, 1], row)
        return found

    def _near(self, arch: Rows, nth: int, luck: float, left_out: int | None = None) -> int:
        """The n-th nearest row, counted from 0; of those at the same distance one at random."""
        by_slot = self._by_slot
        distance = (by_slot != arch.astype(by_slot.dtype)[:, None]).sum(axis=0, dtype=np.uint8)
        if left_out is not None:
            distance[left_out] = len(self.sizes) + 1
        within = np.cumsum(np.bincount(distance))  # how many rows are at most so far
        tied = np.flatnonzero(distance == np.searchsorted(within, nth, side="right"))
        return int(tied[pick(luck, len(tied))])

    @cached_property
    def _by_slot(self) -> NDArray[np.unsignedinteger]:
        """``choices`` in little memory, shape (slots, n): each step in an incomplete table looks at all of it."""
        return np.ascontiguousarray(self.choices.T.astype(np.min_scalar_type(max(self.sizes))))

    @cached_property
    def _row_of(self) -> dict[tuple[int, ...], int]:
        """Row of each architecture as ``choices`` writes it."""
        return {tuple(arch): row for row, arch in enumerate(self.choices.tolist())}


def pick(luck: Floats | float, count: int | Rows) -> Rows:
    """Uniform numbers from [0, 1) as uniform whole numbers from 0 to ``count`` - 1."""
    # a number just below 1 may be rounded up by the product
    return np.minimum((luck * np.asarray(count)).astype(np.int64), np.asarray(count) - 1)


def _one_run_against_the_others(table: Benchmark, archs: Sequence[tuple[int, ...]]) -> tuple[Floats, Scores]:
    """The first run's test accuracies, and the mean of the others as what is looked up at the end."""
    if table.runs is None or table.runs.shape[1] < 2:
        raise BenchmarkError(
            f"{table.path} has neither validation accuracies nor two training runs an architecture: a search has "
            "nothing to go by that is not reported as well. Use a table that has them"
        )
    runs = table.runs[table.rows(archs)]
    there = np.isfinite(runs[:, 0]) & np.isfinite(runs[:, 1:]).any(axis=1)
    others = np.nanmean(np.where(there[:, None], runs[:, 1:], 0.0), axis=1)
    return np.where(there, runs[:, 0], np.nan), Scores(others, None)


def _look_up(table: Benchmark, kept: Rows) -> Callable[[Rows], int]:
    """Finds an architecture's place among the ``kept`` rows of a table; -1: it has none."""
    places = np.full(len(table), -1)
    places[kept] = np.arange(len(kept))

    def look_up(arch: Rows) -> int:
        try:
            return int(places[table.rows([arch])[0]])
        except (ArchError, BenchmarkError):
            return -1

    return look_up
