"""What stored results say, in the units of the paper's tables."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch
from typing import NamedTuple

import numpy as np
from scipy import stats

from mngnas_lib.lab.comparison import FIVE, ComparisonRun
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import Profile
from mngnas_lib.lab.register_runs import FoundRun
from mngnas_lib.lab.run import stored
from mngnas_lib.lab.store import Result
from mngnas_lib.lab.supernet_runs import DataSpec
from mngnas_lib.lab.tabular_runs import BUDGETS, TabularRun
from mngnas_lib.paper import paper_table
from mngnas_lib.register.item import Item
from mngnas_lib.register.needs import DATASETS, NEEDS

CONFIDENCE = 0.95

#: Columns of the paper's table and their values, which name cells
About = frozenset[tuple[str, str | int]]


@dataclass(frozen=True)
class Measured:
    """Our numbers for a cell, in its unit.

    Attributes:
        mean, std, best: over seeds; the sample standard deviation is NaN for a single one.
        low, high: 95 % interval of the mean; NaN where there is none.
        n: number of seeds. seeds: which ones, in words.
        data: what they were measured on.
    """

    mean: float
    std: float
    best: float
    low: float
    high: float
    n: int
    seeds: str
    data: str


class Value(NamedTuple):
    """Of one search."""

    value: float
    seed: int
    data: str


def measured(item: Item, profile: Profile) -> dict[About, Measured]:
    """What is stored for a table under a profile, by the cells that it fills."""
    single: dict[About, list[Value]] = {}
    cells: dict[About, Measured] = {}
    for need in NEEDS[item.needs](profile) if item.needs else []:
        result = stored(need.config, profile=profile.name)
        if result is None:
            continue
        for about, value in _values(need.config, result):
            place = frozenset((dict(need.about) | dict(about)).items())
            if isinstance(value, Measured):
                cells[place] = value
            else:
                single.setdefault(place, []).append(value)
    return cells | {place: summary(values) for place, values in single.items()}


def summary(values: Sequence[Value]) -> Measured:
    """Of one search a seed: mean, with Student's interval, deviation and best."""
    numbers = np.array([value.value for value in values])
    seeds = ", ".join(str(value.seed) for value in sorted(values, key=lambda value: value.seed))
    data = "; ".join(dict.fromkeys(value.data for value in values))
    std = float(numbers.std(ddof=1)) if len(numbers) > 1 else math.nan
    return _of_seeds(float(numbers.mean()), std, float(numbers.max()), len(numbers), seeds, data)


def _of_seeds(mean: float, std: float, best: float, n: int, seeds: str, data: str) -> Measured:
    margin = float(stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * std / math.sqrt(n)) if n > 1 else math.nan
    return Measured(mean, std, best, mean - margin, mean + margin, n, seeds, data)


@singledispatch
def _values(config: RunConfig, result: Result) -> Iterator[tuple[Mapping[str, str], Value | Measured]]:
    """Columns of the paper's table and their values, beyond those that the need names; and what is to stand there."""
    raise TypeError(f"no table is filled by a run of type {type(config).__name__}")


@_values.register
def _(config: FoundRun, result: Result) -> Iterator[tuple[Mapping[str, str], Value | Measured]]:
    seed, images = config.search.search.seed, _images(config.search.supernet.data)
    data = f"{images}; looked up in {config.benchmark} as its best (Optimal in Table V) less the regret"
    for split in ("valid", "test"):
        best = _optimum(DATASETS[config.dataset], split)
        yield {"split": split}, Value(best - 100 * result.metrics[f"{split}_regret"], seed, data)


@_values.register
def _(config: TabularRun, result: Result) -> Iterator[tuple[Mapping[str, str], Value | Measured]]:
    rows = result.table("found")
    rows = rows[(rows["queries"] == BUDGETS[0]) & (rows["dataset"] == config.dataset)]
    # what is looked up on other images than those searched on is another protocol; random search has no row
    for row in rows[rows["method"].isin(["REA", "REINFORCE"])].itertuples():
        place = {"algorithm": row.method, "dataset": DATASETS[row.dataset], "split": row.split}
        about = f"the benchmark's table alone, {row.queries} queries"
        percent = (100 * row.mean, 100 * row.std, 100 * row.best)
        yield place, _of_seeds(*percent, row.seeds, f"0 to {row.seeds - 1}", about)


@_values.register
def _(config: ComparisonRun, result: Result) -> Iterator[tuple[Mapping[str, str], Value | Measured]]:
    first = config.searches[0]
    data = f"{result.metrics['n']} architectures, the interval over them; {_images(first.supernet.data)}"
    for row in result.table("taus").itertuples():
        tau, low, high = (100 * value for value in (row.tau, row.low, row.high))
        letter = "ABCDE"[FIVE.index(row.name)]
        yield {"letter": letter}, Measured(tau, math.nan, tau, low, high, 1, str(first.search.seed), data)


def _images(data: DataSpec) -> str:
    """Which images a search saw."""
    name = data.source.partition(":")[2] or data.source
    size = "" if data.size is None else f" at {data.size}×{data.size} pixels"
    return f"{name}{size}, {data.count or 'all'} images for training and validation"


def _optimum(dataset: str, split: str) -> float:
    """NAS-Bench-201's highest accuracy (%), which Table V prints as ``Optimal``."""
    table = paper_table(5)
    row = table[(table["algorithm"] == "Optimal") & (table["dataset"] == dataset) & (table["split"] == split)]
    return float(row["value"].item())
