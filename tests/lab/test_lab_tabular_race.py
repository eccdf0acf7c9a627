"""Searches on one table beside what random search does on average."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mngnas_lib.benchmarks import Benchmark
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab import tabular_race
from mngnas_lib.lab.tabular_race import race
from mngnas_lib.search.tabular import SEARCHERS
from mngnas_lib.spaces import get_space


@pytest.fixture
def benchmark():
    """Sixty cells; validation accuracies are noisy test accuracies."""
    rng = np.random.default_rng(5)
    space = get_space("nasbench201")
    archs = space.sample_distinct(60, rng, canonical=False)
    test = rng.uniform(0.2, 0.9, 60)
    table = pd.DataFrame({"arch": [space.to_string(arch) for arch in archs], "test": test, "params": 1, "macs": 1})
    table["valid"] = test + rng.normal(0, 0.02, 60)
    return Benchmark("made-up", "none", space, np.array(archs), table, None, Path("made-up.csv"), "")


def test_all_searches_run_and_random_search_is_as_computed(benchmark):
    result = race(benchmark, seeds=200)
    assert result.archs == 60 and set(result.curves) == set(SEARCHERS)
    assert list(result.computed["query"]) == list(range(1, 31))  # half of the table
    test, valid = benchmark.table["test"], benchmark.table["valid"]
    assert result.computed["regret"][0] == pytest.approx(test.max() - test.mean())
    assert result.seen_all == pytest.approx(test.max() - test[valid.idxmax()])
    curve = result.curves["random search"]
    line = result.computed.set_index("query")["regret"].loc[curve["query"]]
    # far more seeds than needed: the run is close to what was computed
    np.testing.assert_allclose(curve["mean"], line, atol=0.06)
    assert result.share_inside() == np.mean((curve["low"] <= line.to_numpy()) & (line.to_numpy() <= curve["high"]))


def test_large_tables_are_sampled_and_queries_bounded(benchmark, monkeypatch):
    monkeypatch.setattr(tabular_race, "MOST_ARCHS", 20)
    monkeypatch.setattr(tabular_race, "MOST_QUERIES", 7)
    result = race(benchmark, seeds=2)
    assert result.archs == 20 and result.computed["query"].max() == 7


def test_no_search(benchmark):
    with pytest.raises(ConfigError, match="at least one search of each method, not 0"):
        race(benchmark, seeds=0)
