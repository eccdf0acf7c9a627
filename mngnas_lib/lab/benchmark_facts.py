"""What a benchmark can tell at all: its noise ceiling, what counting reaches, how its accuracies are spread.

Every number here is of the table alone; no network is trained. :class:`FactsRun` stores the facts of an official table,
so that readers who do not have it see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from mngnas_lib.benchmarks import Benchmark, get_benchmark
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.run import execute
from mngnas_lib.lab.stats import Tau, kendall_tau, tau_in_top
from mngnas_lib.lab.store import Result
from mngnas_lib.truth import noise_report, reliability, variance_between_seeds

#: Of a table with more rows so many are drawn: all pairs of NAS-Bench-101's 423,624 would take hours
MOST = 20_000
#: Width of a histogram's bins, a fraction; and of those of tables with fewer than :data:`FEW` architectures
BIN, WIDE_BIN = 0.005, 0.02
FEW = 1000
PARTS = ("all", "top half")


@dataclass(frozen=True)
class FactsRun(RunConfig):
    """The facts of one benchmark, see :func:`facts`. None takes the benchmark's first data set."""

    kind: ClassVar[str] = "facts"

    benchmark: str
    dataset: str | None = None


@execute.register
def _(config: FactsRun) -> Result:
    named = {} if config.dataset is None else {"dataset": config.dataset}
    return facts(get_benchmark(config.benchmark, **named))


def facts(benchmark: Benchmark) -> Result:
    """What a table says about itself.

    Metrics: ``name``, ``dataset``, ``about`` (its description), ``archs``, and the test accuracies' ``lowest``,
    ``q25``, ``median``, ``q75`` and ``best``, fractions.

    Table ``taus``: Kendall's tau with the mean test accuracy, columns ``measure``, ``what``, ``part`` (``all`` or ``top
    half``), ``tau``, ``low``, ``high``, ``n``. The measures are ``noise ceiling`` (only where single trainings are
    known, see :func:`mngnas_lib.truth.noise_report`), ``FLOPs``, ``params`` and, where there are any, ``valid``.

    Table ``histogram``: ``left``, ``right`` and ``share`` of the architectures, in bins of half a percentage point; of
    two points where there are few.
    """
    test = benchmark.table["test"].to_numpy()
    names = ("lowest", "q25", "median", "q75", "best")
    metrics = {"name": benchmark.name, "dataset": benchmark.dataset, "about": benchmark.describe()}
    metrics |= {"archs": len(benchmark)} | dict(zip(names, np.quantile(test, [0, 0.25, 0.5, 0.75, 1]), strict=True))
    rows = _ceilings(sampled(benchmark)) + _baselines(sampled(benchmark))
    return Result(
        metrics, {"taus": pd.DataFrame(rows), "histogram": histogram(test, BIN if len(test) >= FEW else WIDE_BIN)}
    )


def taus_of(result: Result, part: str = "all") -> dict[str, Tau]:
    """By measure, the taus of :func:`facts` over one part of the architectures; of several ceilings the first, which is
    that of one training and another.

    Raises:
        ConfigError: there is no such part.
    """
    if part not in PARTS:
        raise ConfigError(f"no part of a benchmark is called {part!r}: choose one of {', '.join(PARTS)}")
    rows = result.table("taus")
    rows = rows[rows["part"] == part].drop_duplicates("measure")
    return {row.measure: Tau(row.tau, row.low, row.high, row.n) for row in rows.itertuples()}


def tau_table(results: Mapping[str, Result], measure: str) -> pd.DataFrame:
    """One measure's taus in words, such as ``0.881 [0.878, 0.885], n = 6,561``.

    Args:
        results: by benchmark, what :func:`facts` gives.

    Returns:
        One row a benchmark and comparison, columns ``all`` and ``top half``. Benchmarks that lack it are left out.
    """
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for name, result in results.items():
        rows = result.table("taus")
        for row in rows[rows["measure"] == measure].itertuples():
            text = f"{row.tau:.3f} [{row.low:.3f}, {row.high:.3f}], n = {row.n:,}"
            cells.setdefault((" ".join(name.split()), row.what), {})[row.part] = text
    index = pd.MultiIndex.from_frame(pd.DataFrame(list(cells), columns=["benchmark", "what"]))
    return pd.DataFrame(list(cells.values()), index=index, columns=list(PARTS))


class SeedNoise(NamedTuple):
    """What seeds change and what architectures change, both in test accuracy.

    Attributes:
        seeds: standard deviation from seed to seed, pooled over architectures, a fraction.
        archs: standard deviation of the architectures' means, a fraction.
        reliability: see :func:`mngnas_lib.truth.reliability`.
    """

    seeds: float
    archs: float
    reliability: float


def seed_noise(benchmark: Benchmark) -> SeedNoise | None:
    """The noise of a table's single trainings; None where no architecture was trained twice."""
    if benchmark.runs is None or (~np.isnan(benchmark.runs)).sum(axis=1).max() < 2:
        return None
    trainings = _trainings(benchmark)
    return SeedNoise(
        variance_between_seeds(trainings) ** 0.5, float(benchmark.table["test"].std()), reliability(trainings)
    )


def sampled(benchmark: Benchmark, most: int = MOST, seed: int = 0) -> Benchmark:
    """``benchmark``, or one of ``most`` of its rows, drawn at random, if it has more."""
    if len(benchmark) <= most:
        return benchmark
    rows = np.sort(np.random.default_rng(seed).choice(len(benchmark), most, replace=False))
    return replace(
        benchmark,
        choices=benchmark.choices[rows],
        table=benchmark.table.iloc[rows].reset_index(drop=True),
        runs=None if benchmark.runs is None else benchmark.runs[rows],
    )


def histogram(values: ArrayLike, width: float = BIN) -> pd.DataFrame:
    """Shares of ``values`` (n,), fractions, in bins of equal width from 0: columns ``left``, ``right``, ``share``.

    Only bins from the first to the last that hold any; the last is closed on both sides.
    """
    values = np.asarray(values, dtype=float)
    places = np.minimum((values / width + 1e-9).astype(int), round(1 / width) - 1)
    counts = np.bincount(places)
    lefts = np.arange(places.min(), places.max() + 1)
    return pd.DataFrame(
        {"left": lefts * width, "right": (lefts + 1) * width, "share": counts[lefts] / len(values)}
    ).round(6)


def random_search_expectation(reward: ArrayLike, value: ArrayLike, queries: ArrayLike) -> NDArray[np.float64]:
    """What random search finds on average, without a single search.

    The best of q draws with repetition has the i-th smallest of N rewards with probability (i/N)^q - ((i-1)/N)^q; of
    equal rewards each architecture is as likely as the others.

    Args:
        reward: (n,) what the search sees. value: (n,) what is reported of the architecture found.
        queries: numbers of draws, each at least one.

    Returns:
        Means of ``value``, in the shape of ``queries``.
    """
    reward, value = (np.asarray(numbers, dtype=float) for numbers in (reward, value))
    _, group, counts = np.unique(reward, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=value) / counts
    queries = np.asarray(queries)
    below = (np.append(0, np.cumsum(counts)) / len(reward)) ** queries[..., None]
    return np.diff(below) @ means


def _ceilings(benchmark: Benchmark) -> list[dict[str, object]]:
    if benchmark.runs is None:
        return []
    rows = []
    for report in noise_report(_trainings(benchmark)):
        for part, tau in zip(PARTS, (report.overall, report.top_half), strict=True):
            rows.append(_row("noise ceiling", report.what, part, tau))
    return rows


def _trainings(benchmark: Benchmark) -> pd.DataFrame:
    """One row a training: ``arch``, ``seed`` (a column of ``runs``), ``test``."""
    there = ~np.isnan(benchmark.runs)
    row, seed = np.nonzero(there)
    archs = benchmark.table["arch"].to_numpy()[row]
    return pd.DataFrame({"arch": archs, "seed": seed, "test": benchmark.runs[there]})


def _baselines(benchmark: Benchmark) -> list[dict[str, object]]:
    table = benchmark.table
    estimates = {
        "FLOPs": ("macs", "multiply-accumulates for one image"),
        "params": ("params", "learnable numbers"),
        "valid": ("valid", "the table's own validation accuracy"),
    }
    rows = []
    for measure, (column, what) in estimates.items():
        known = table[table[column].notna()]
        if len(known) < 2:
            continue
        guess, test = known[column].to_numpy(dtype=float), known["test"].to_numpy()
        rows.append(_row(measure, what, "all", kendall_tau(guess, test)))
        rows.append(_row(measure, what, "top half", tau_in_top(guess, test, 0.5)))
    return rows


def _row(measure: str, what: str, part: str, tau: Tau) -> dict[str, object]:
    return {"measure": measure, "what": what, "part": part} | {
        "tau": tau.value,
        "low": tau.low,
        "high": tau.high,
        "n": tau.n,
    }
