"""What a benchmark is: for each architecture of a search space, the accuracies that others measured by training it.

Accuracies are fractions everywhere in the kit, although the files hold percent. The paper ranks a SuperNet's
predictions against such tables in Section IV-F.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mngnas_lib.errors import BenchmarkError
from mngnas_lib.spaces import Arch, InputShape, SearchSpace


@dataclass(frozen=True)
class Record:
    """What the benchmark knows of one architecture.

    Attributes:
        valid: mean validation accuracy, as a fraction; None where the benchmark has none.
        test: mean test accuracy, as a fraction.
        params: learnable numbers of the network.
        macs: multiply-accumulates for one image, what the benchmarks call FLOPs.
        test_runs: test accuracy of each training run, where the file has them.
    """

    arch: Arch
    valid: float | None
    test: float
    params: int
    macs: int
    test_runs: tuple[float, ...] = ()


class Scores(NamedTuple):
    """Accuracies of a list of architectures, shape (n,), as fractions; ``valid`` is None where there are none."""

    test: np.ndarray
    valid: np.ndarray | None


@dataclass(frozen=True, eq=False)
class Benchmark:
    """A table of trained architectures. Made by :func:`mngnas_lib.benchmarks.get_benchmark`.

    Attributes:
        name: what :func:`mngnas_lib.benchmarks.get_benchmark` calls it: the search space's name, with ``kit-`` before
            it for the kit's own truth.
        dataset: the images that the accuracies are about.
        space: the search space, in the sizes that were trained.
        choices: the architectures in the table's order, shape (n, slots).
        table: one row an architecture: ``arch`` (the benchmark's notation), ``valid``, ``test``, ``params``, ``macs``,
            and what else the file has. Without validation accuracies, ``valid`` is NaN.
        runs: test accuracies of single training runs, shape (n, r), row by row as in ``table``; NaN where an
            architecture was trained fewer than r times. None where the file has means only.
        path: the file that was read.
        about: see :meth:`describe`.
    """

    name: str
    dataset: str
    space: SearchSpace
    choices: np.ndarray = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    runs: np.ndarray | None = field(repr=False)
    path: Path
    about: str = field(repr=False)

    def __len__(self) -> int:
        return len(self.table)

    def describe(self) -> str:
        """For each number of the table: which split, how many epochs, how many runs averaged."""
        size = self.space.size
        rows = f"{len(self)} architectures" if len(self) == size else f"{len(self)} of {size} architectures"
        return f"{self.name} on {self.dataset}: {rows}, from {self.path.name}.\n{self.about}"

    @cached_property
    def archs(self) -> list[Arch]:
        """The architectures, in the table's order."""
        return list(map(tuple, self.choices.tolist()))

    def query(self, arch: Sequence[int] | str) -> Record:
        """What is known of ``arch``, given as choices or in the benchmark's own notation.

        Raises:
            ArchError: ``arch`` does not belong to the search space.
            BenchmarkError: it does, but this table lacks it.
        """
        row = int(self.rows([arch])[0])
        values = self.table.iloc[row]
        runs = () if self.runs is None else tuple(float(run) for run in self.runs[row] if not np.isnan(run))
        return Record(
            arch=tuple(self.choices[row].tolist()),
            valid=None if np.isnan(values["valid"]) else float(values["valid"]),
            test=float(values["test"]),
            params=int(values["params"]),
            macs=int(values["macs"]),
            test_runs=runs,
        )

    def scores(self, archs: Sequence[Sequence[int] | str]) -> Scores:
        """Accuracies of many architectures, in the given order.

        Raises:
            ArchError: one of them does not belong to the search space.
            BenchmarkError: one of them is not in this table.
        """
        rows = self.rows(archs)
        valid = self._valid[rows] if self._valid is not None else None
        return Scores(self._test[rows], valid)

    def rows(self, archs: Sequence[Sequence[int] | str]) -> np.ndarray:
        """Row numbers of many architectures in ``table`` and ``runs``, shape (n,). Errors as in :meth:`scores`."""
        found = np.fromiter((self._row_of.get(_key(arch), -1) for arch in archs), dtype=np.int64, count=len(archs))
        unknown = np.flatnonzero(found < 0)
        for position in unknown:  # not the plain notation, or an error
            found[position] = self._look_closer(archs[position])
        return found

    def _look_closer(self, arch: Sequence[int] | str) -> int:
        choices = self.space.from_string(arch) if isinstance(arch, str) else self.space.check(arch)
        text = self.space.to_string(choices)
        if text not in self._row_of:
            raise BenchmarkError(
                f"{self.path} has no row for {text}: it holds {len(self)} of the {self.space.size} architectures of "
                f"{self.name}. Use a complete table, or choose among those in its column 'arch'"
            )
        return self._row_of[text]

    @cached_property
    def _row_of(self) -> dict[str | Arch, int]:
        """Row of each architecture, by its notation and by its choices."""
        by_text = {text: row for row, text in enumerate(self.table["arch"])}
        return by_text | {arch: row for row, arch in enumerate(self.archs)}

    @cached_property
    def _test(self) -> np.ndarray:
        return self.table["test"].to_numpy()

    @cached_property
    def _valid(self) -> np.ndarray | None:
        valid = self.table["valid"].to_numpy()
        return None if np.isnan(valid).all() else valid


def _key(arch: object) -> object:
    """``arch`` as a dictionary key, or None where it cannot be one."""
    if isinstance(arch, str):
        return arch
    try:
        key = tuple(arch)  # type: ignore[arg-type]
        hash(key)
    except TypeError:
        return None
    return key


def costs(space: SearchSpace, archs: np.ndarray, input_shape: InputShape, num_classes: int) -> tuple[np.ndarray, ...]:
    """Parameters and multiply-accumulates, each of shape (n,), of architectures of shape (n, slots)."""
    table = space.cost_table(input_shape, num_classes)
    params = np.full(len(archs), table.base.params, dtype=np.int64)
    macs = np.full(len(archs), table.base.macs, dtype=np.int64)
    for slot, choices in enumerate(table.choices):
        params += np.array([cost.params for cost in choices], dtype=np.int64)[archs[:, slot]]
        macs += np.array([cost.macs for cost in choices], dtype=np.int64)[archs[:, slot]]
    return params, macs


def parse_archs(space: SearchSpace, known: Mapping[str, Arch], texts: Sequence[object], path: Path) -> np.ndarray:
    """The architectures of a file's rows, shape (n, slots).

    Args:
        known: every architecture by its notation; much faster than reading one notation after the other.

    Raises:
        BenchmarkError: a row's architecture is not of ``space``, or there twice.
    """
    archs = [known.get(text) for text in texts]
    if not archs:
        raise BenchmarkError(f"{path} has no rows: get the file again")
    if None in archs:
        row = archs.index(None)
        raise BenchmarkError(
            f"{path}, row {row + 1}: {texts[row]!r} is not the notation of an architecture of {space.name}, as for "
            f"example {next(iter(known))} is. Get the file again"
        )
    counts = Counter(texts)
    if len(counts) < len(texts):
        repeated = counts.most_common(1)[0][0]
        raise BenchmarkError(f"{path} has {repeated} more than once: remove the repeated rows, or get the file again")
    return np.array(archs, dtype=np.int64)


def as_counts(values: pd.Series, what: str, path: Path) -> pd.Series:
    """How many runs a mean averages; NaN, where there is no mean, stays NaN.

    Raises:
        BenchmarkError: a value is no whole number from 1.
    """
    counts = pd.to_numeric(values, errors="coerce")
    wrong = values.notna() & ~((counts >= 1) & (counts % 1 == 0))
    if wrong.any():
        raise BenchmarkError(
            f"{path}: {what} is to count training runs, but holds {values[wrong].iloc[0]!r}. Get the file again"
        )
    return counts


def as_fractions(percent: np.ndarray, what: str, path: Path, *, check_scale: bool = True) -> np.ndarray:
    """Accuracies in percent as fractions; NaN, for a value that is not there, stays NaN.

    Args:
        what: name of the values in an error's message.
        check_scale: refuse values that are all below 1, which seem to be fractions already.

    Raises:
        BenchmarkError: a value is no number between 0 and 100, or all are below 1.
    """
    values = pd.to_numeric(pd.Series(np.asarray(percent).ravel()), errors="coerce").to_numpy(dtype=np.float64)
    present = ~pd.isna(np.asarray(percent).ravel())
    wrong = present & ~((values >= 0) & (values <= 100))
    if wrong.any():
        raise BenchmarkError(
            f"{path}: {what} is to be an accuracy in percent, but {np.asarray(percent).ravel()[wrong][0]!r} is not "
            "between 0 and 100. Get the file again"
        )
    if check_scale and present.any() and values[present].max() <= 1:
        raise BenchmarkError(f"{path}: {what} holds fractions, percent are needed: multiply the accuracies by 100")
    return (values / 100).reshape(np.shape(percent))
