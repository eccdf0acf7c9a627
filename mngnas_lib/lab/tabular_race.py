"""All searches on one table, whatever its size, beside what random search does on average."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks import Benchmark
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.benchmark_facts import random_search_expectation, sampled
from mngnas_lib.lab.tabular_runs import regret_curve, run_searches
from mngnas_lib.search.tabular import SEARCHERS
from mngnas_lib.search.tabular_landscape import Landscape

#: Of a larger table so many rows are searched: in an incomplete one, a step to what it lacks looks at all of them
MOST_ARCHS = 5_000
#: So many queries at most, and never more than half of the table
MOST_QUERIES = 300


@dataclass(frozen=True)
class Race:
    """Regret (a fraction of test accuracy) of several searches on one table.

    Attributes:
        archs: how many were searched.
        curves: by method, see :func:`mngnas_lib.lab.tabular_runs.regret_curve`.
        computed: columns ``query`` and ``regret``, what random search has on average.
        seen_all: regret of the best by the reward in the whole table, which no search on it can help.
    """

    archs: int
    curves: dict[str, pd.DataFrame]
    computed: pd.DataFrame
    seen_all: float

    def share_inside(self) -> float:
        """At which share of its points the interval of random search, as run, holds the computed mean."""
        curve = self.curves["random search"]
        line = self.computed.set_index("query")["regret"].loc[curve["query"]].to_numpy()
        return float(np.mean((curve["low"] <= line) & (line <= curve["high"])))


def race(benchmark: Benchmark, seeds: int = 100) -> Race:
    """Run every search of Table V's kind on a table, once for each of so many seeds.

    Raises:
        ConfigError: no seed.
        BenchmarkError: the table has nothing to search by, see :meth:`Landscape.of`.
    """
    if seeds < 1:
        raise ConfigError(f"a race needs at least one search of each method, not {seeds}")
    landscape = Landscape.of(sampled(benchmark, MOST_ARCHS))
    queries = max(1, min(MOST_QUERIES, len(landscape) // 2))
    found = run_searches(landscape, tuple(SEARCHERS), queries, range(seeds))
    test = landscape.truth[landscape.dataset].test
    at = np.arange(1, queries + 1)
    regret = random_search_expectation(landscape.reward, test.max() - test, at)
    return Race(
        archs=len(landscape),
        curves={name: regret_curve(landscape, rows) for name, rows in found.items()},
        computed=pd.DataFrame({"query": at, "regret": regret}),
        seen_all=float(test.max() - test[landscape.reward.argmax()]),
    )
