"""Baselines that need only a table: what many searches find, in the form of Table V, and their regret over queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.bootstrap import resample_counts
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.run import execute
from mngnas_lib.lab.store import Result
from mngnas_lib.search.tabular import SEARCHERS, TabularConfig, best_so_far, queries_in, regrets, search_table
from mngnas_lib.search.tabular_landscape import Floats, Landscape, Rows

#: About as many queries as NAS-Bench-201's and NATS-Bench's simulated time pays for on CIFAR-10.
BUDGETS = (queries_in(12_000), queries_in(20_000))
#: At most so many points of a curve are kept.
POINTS = 40
#: The data sets of NAS-Bench-201, in the order of Table V
DATASETS = ("cifar10", "cifar100", "imagenet16-120")


@dataclass(frozen=True)
class TabularRun(RunConfig):
    """Searches on a table, each method once for each seed from 0.

    Metrics: ``truth`` and ``reward`` (which numbers those are), ``archs`` in the table. Table ``found``: see
    :func:`found_table`. Curves, one a method: see :func:`regret_curve`. The benchmark's own rows are not stored.

    Attributes:
        dataset: what is searched on. lookups: data sets on which what was found is looked up besides.
        reward_epochs: epochs of training after which a search sees validation accuracies; None: those of the report.
        queries: of each search. budgets: numbers of queries after which what was found is reported.
        seeds: how many searches.
    """

    kind: ClassVar[str] = "tabular"

    benchmark: str
    dataset: str = "cifar10"
    lookups: tuple[str, ...] = ()
    reward_epochs: int | None = None
    methods: tuple[str, ...] = tuple(SEARCHERS)
    queries: int = 500
    budgets: tuple[int, ...] = BUDGETS
    seeds: int = 100
    search: TabularConfig = field(default_factory=TabularConfig)


def table_v_runs(*, seeds: int = 100) -> tuple[TabularRun, ...]:
    """Searches on each of NAS-Bench-201's data sets, as NATS-Bench's code does it; what is found on CIFAR-10 is looked
    up on the two others as well, as the NAS-Bench-201 paper does it. The reward is the validation accuracy after 12
    epochs."""
    lookups = {"cifar10": DATASETS[1:]}
    return tuple(TabularRun("nasbench201", name, lookups.get(name, ()), 12, seeds=seeds) for name in DATASETS)


@execute.register
def _(config: TabularRun) -> Result:
    truths = [get_benchmark(config.benchmark, dataset=name) for name in (config.dataset, *config.lookups)]
    reward = truths[0]
    if config.reward_epochs is not None:
        reward = get_benchmark(config.benchmark, dataset=config.dataset, epochs=config.reward_epochs)
    landscape = Landscape.of(reward, truths)
    found = run_searches(landscape, config.methods, config.queries, range(config.seeds), config.search)
    metrics = {
        "truth": "\n".join(truth.describe() for truth in truths),
        "reward": landscape.about,
        "archs": len(landscape),
    }
    curves = {name: regret_curve(landscape, rows) for name, rows in found.items()}
    return Result(metrics, {"found": found_table(landscape, found, config.budgets)}, curves)


def run_searches(
    landscape: Landscape,
    methods: Sequence[str],
    queries: int,
    seeds: Sequence[int],
    config: TabularConfig | None = None,
) -> dict[str, Rows]:
    """By method, the best row of the table after each query, shape (seeds, queries). Errors: ``search_table``."""
    return {name: best_so_far(landscape, search_table(name, landscape, queries, seeds, config)) for name in methods}


def found_table(landscape: Landscape, found: Mapping[str, Rows], budgets: Sequence[int]) -> pd.DataFrame:
    """What the searches found: one row a method, budget, data set and split.

    Columns ``method``, ``queries``, ``dataset``, ``split`` (``valid``, ``test``), and over seeds ``mean``, ``std``
    (sample standard deviation; NaN for one seed), ``best``, ``seeds``. Accuracies after full training, fractions.

    Raises:
        ConfigError: a budget is larger than the number of queries, or below one.
    """
    rows = []
    for name, best in found.items():
        for budget in budgets:
            if not 1 <= budget <= best.shape[1]:
                raise ConfigError(f"a budget of {budget} queries cannot be reported of searches of {best.shape[1]}")
            for dataset, scores in landscape.truth.items():
                for split, values in (("valid", scores.valid), ("test", scores.test)):
                    if values is None:
                        continue
                    reached = values[best[:, budget - 1]]
                    place = {"method": name, "queries": budget, "dataset": dataset, "split": split}
                    std = reached.std(ddof=1) if len(reached) > 1 else np.nan
                    rows.append(
                        place | {"mean": reached.mean(), "std": std, "best": reached.max(), "seeds": len(reached)}
                    )
    return pd.DataFrame(rows)


def regret_curve(landscape: Landscape, found: Rows, *, confidence: float = 0.95, resamples: int = 1000) -> pd.DataFrame:
    """Regret over queries: the table's best test accuracy minus that of the best by reward so far, a fraction.

    Columns ``query`` (at most :data:`POINTS` of them, evenly spaced in the logarithm), ``mean`` over seeds with ``low``
    and ``high`` (percentile bootstrap over seeds; NaN for one seed), and the seeds' quantiles ``q10``, ``q50`` and
    ``q90``.
    """
    queries = found.shape[1]
    at = np.unique(np.geomspace(1, queries, POINTS).round().astype(int))
    values = regrets(landscape, found[:, at - 1])
    low, high = _interval_of_mean(values, confidence, resamples)
    columns = {"query": at, "mean": values.mean(axis=0), "low": low, "high": high}
    for quantile in (10, 50, 90):
        columns[f"q{quantile}"] = np.quantile(values, quantile / 100, axis=0)
    return pd.DataFrame(columns).round(6)  # more digits would only make the stored results longer


def _interval_of_mean(values: Floats, confidence: float, resamples: int) -> tuple[Floats, Floats]:
    """Percentile bootstrap of the mean over the first dimension; NaN where that has one entry, which tells nothing."""
    if len(values) == 1:
        return np.full_like(values[0], np.nan), np.full_like(values[0], np.nan)
    means = resample_counts(len(values), resamples, 0).astype(np.float64) @ values / len(values)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
    return low, high


def table_v(found: pd.DataFrame, queries: int) -> pd.DataFrame:
    """``found`` in the form of Table V: a row a method, a column a data set and split, ``mean±std (best)`` in percent.

    Where there is one seed, its accuracy alone.

    Raises:
        ConfigError: nothing was reported after so many queries.
    """
    rows = found[found["queries"] == queries]
    if rows.empty:
        known = ", ".join(map(str, found["queries"].unique()))
        raise ConfigError(f"nothing was reported after {queries} queries: choose one of {known}")
    cells: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows.itertuples():
        spread = f"±{100 * row.std:.2f} ({100 * row.best:.2f})" if row.seeds > 1 else ""
        cells.setdefault((row.dataset, row.split), {})[row.method] = f"{100 * row.mean:.2f}{spread}"
    return pd.DataFrame(cells)
