"""What a search on a table sees (one reward an architecture), where it can go from there, what it is judged by.

A table may hold all architectures of its space, or some. A search then knows those only:

* a *neighbour* of an architecture is one of its K nearest in the table, by the number of slots that differ, where K is
  how many architectures of the whole space differ from it in one slot. In a complete table these are just the
  architectures that differ in one slot;
* a wish for an architecture that the table lacks is answered by the nearest one that it has.

Of equally near ones one is drawn at random.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mngnas_lib.benchmarks import Benchmark, Scores
from mngnas_lib.errors import BenchmarkError, ConfigError

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


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
    """

    choices: Rows
    sizes: tuple[int, ...]
    reward: Floats
    truth: Mapping[str, Scores]
    about: str = ""

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
        return cls(choices, tuple(len(slot.choices) for slot in reward.space.slots), valid[kept], truth, about)

    def __len__(self) -> int:
        return len(self.choices)

    @property
    def dataset(self) -> str:
        """The data set that is searched on."""
        return next(iter(self.truth))

    @property
    def is_complete(self) -> bool:
        """Whether every architecture of the space is in the table."""
        return len(self) == math.prod(self.sizes)

    @property
    def degree(self) -> int:
        """How many neighbours an architecture has."""
        return min(sum(size - 1 for size in self.sizes), len(self) - 1)

    # ------------------------------------------------------------------ moves; ``luck`` is uniform in [0, 1)

    def anywhere(self, luck: Floats) -> Rows:
        """Rows drawn uniformly; ``luck`` and the result have one shape."""
        return pick(luck, len(self))

    def neighbours(self, rows: Rows, luck: Floats) -> Rows:
        """One neighbour of each row, shape (s,), drawn uniformly; ``luck``: (s, 2)."""
        nth = pick(luck[:, 0], self.degree)
        if not self.is_complete:
            moves = zip(rows, nth, luck[:, 1], strict=True)
            return np.array([self._near(self.choices[row], n, tie, row) for row, n, tie in moves])
        ends = np.cumsum([size - 1 for size in self.sizes])
        slots = np.searchsorted(ends, nth, side="right")
        step = nth - np.concatenate([[0], ends])[slots] + 1
        children = self.choices[rows].copy()
        every = np.arange(len(rows))
        children[every, slots] = (children[every, slots] + step) % np.array(self.sizes)[slots]
        return self._row_of[self._codes(children)]

    def nearest(self, wanted: Rows, luck: Floats) -> Rows:
        """The row of each wanted architecture (s, slots), or of the nearest that the table has; ``luck``: (s,)."""
        if self.is_complete:
            return self._row_of[self._codes(wanted)]
        return np.array([self._near(arch, 0, u) for arch, u in zip(wanted, luck, strict=True)])

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

    def _codes(self, choices: Rows) -> Rows:
        """Numbers of architectures in a complete table."""
        return np.ravel_multi_index(tuple(choices.T), self.sizes)

    @cached_property
    def _row_of(self) -> Rows:
        """Row of each architecture of a complete table, by its number."""
        rows = np.empty(len(self), dtype=np.int64)
        rows[self._codes(self.choices)] = np.arange(len(self))
        return rows


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
