"""The comparison of the retraining algorithms: what is equal between them, and the statistics that are made of it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from mngnas_lib.benchmarks import Benchmark
from mngnas_lib.distill import ALGORITHMS
from mngnas_lib.lab import PROFILES, Result, comparison, get_profile
from mngnas_lib.lab.comparison import FIVE
from mngnas_lib.lab.run import execute
from mngnas_lib.lab.stats import compare_taus
from mngnas_lib.spaces import get_space

SPACE = get_space("nasbench201")
ARCHS = SPACE.sample_distinct(24, np.random.default_rng(0))
TRUE = np.random.default_rng(1).uniform(0.5, 0.9, len(ARCHS))


def table(noise: float) -> pd.DataFrame:
    """24 architectures in three search epochs; the accuracies are the true ones with noise."""
    return pd.DataFrame(
        {
            "arch": [SPACE.to_string(arch) for arch in ARCHS],
            "search_epoch": np.repeat([1, 2, 3], 8),
            "accuracy": np.clip(TRUE + noise * np.random.default_rng(2).normal(size=len(ARCHS)), 0, 1),
            "accuracy_before": np.random.default_rng(3).uniform(size=len(ARCHS)),
            "macs": np.arange(len(ARCHS)),
        }
    )


@pytest.fixture
def benchmark(monkeypatch) -> Benchmark:
    rows = pd.DataFrame({"arch": [SPACE.to_string(arch) for arch in ARCHS], "test": TRUE, "valid": np.nan})
    found = Benchmark("nasbench201", "cifar10", SPACE, np.array(ARCHS), rows, None, "table.csv", "made up")
    monkeypatch.setattr(comparison, "get_benchmark", lambda name, dataset: found)
    monkeypatch.setattr(Benchmark, "describe", lambda self: self.about)
    return found


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_algorithms_differ_in_the_algorithm_alone(profile):
    runs = [comparison.compared_search(profile, name) for name in FIVE]
    assert [run.search.algorithm for run in runs] == [ALGORITHMS[name] for name in FIVE]
    assert len({replace(run, search=replace(run.search, algorithm=ALGORITHMS["none"])).digest for run in runs}) == 1
    assert {run.search.proposals for run in runs} == {"random"} and {run.search.removed for run in runs} == {0}
    searches = comparison.regrets(profile).searches
    assert {run.supernet.digest for run in (*runs, *searches)} == {runs[0].supernet.digest}
    assert {run.search.proposals for run in searches} == {"evolution"}
    assert len({run.digest for run in searches}) == 2 * profile.comparison.seeds


def test_taus_are_of_the_architectures_after_the_first_search_epoch(benchmark, monkeypatch):
    tables = dict(zip(FIVE, map(table, (0.2, 0.1, 0.05, 0.02, 0.0)), strict=True))
    config = comparison.comparison(get_profile("quick"))
    by_run = {search.digest: tables[name] for name, search in zip(config.names, config.searches, strict=True)}
    monkeypatch.setattr(comparison, "run", lambda c: Result(tables={"archs": by_run[c.digest].to_dict("list")}))
    result = execute(config)
    taus = pd.DataFrame(result.tables["taus"]).set_index("name")
    later = slice(8, None)
    for name in FIVE:
        accuracy = tables[name]["accuracy"].to_numpy()
        assert taus.tau[name] == pytest.approx(kendalltau(accuracy[later], TRUE[later]).statistic)
        halves = [kendalltau(accuracy[s], TRUE[s]).statistic for s in (slice(8, 16), slice(16, 24))]
        assert taus.within[name] == pytest.approx(np.mean(halves))
        assert taus.accuracy[name] == pytest.approx(accuracy[later].mean())
    assert taus.tau["mngnas"] == 1.0 and result.metrics["n"] == 16
    first = table(0.2)
    assert result.metrics["macs"] == pytest.approx(kendalltau(first["macs"][later], TRUE[later]).statistic)
    assert result.metrics["before"] == pytest.approx(kendalltau(first["accuracy_before"][later], TRUE[later]).statistic)
    differences = pd.DataFrame(result.tables["differences"]).set_index("name")
    assert list(differences.index) == list(FIVE[1:])
    expected = compare_taus(tables["mngnas"]["accuracy"][later], tables["none"]["accuracy"][later], TRUE[later])
    assert differences.loc["mngnas"].tolist() == [expected.value, expected.low, expected.high, expected.p]


def test_the_benchmarks_accuracies_are_not_stored(benchmark, monkeypatch):
    config = comparison.comparison(get_profile("quick"))
    monkeypatch.setattr(comparison, "run", lambda c: Result(tables={"archs": table(0.1).to_dict("list")}))
    assert not {f"{value:.6f}" for value in TRUE} & set(str(execute(config)).replace(",", " ").split())


def test_equal_time_gives_no_algorithm_fewer_epochs_than_equal_steps():
    profile = get_profile("laptop")
    epochs = comparison.equal_time(profile)
    assert set(epochs) == set(FIVE) and epochs["mngnas"] == profile.comparison.fixed.epochs
    assert min(epochs.values()) == epochs["mngnas"]
    searches = comparison.comparison(profile, epochs).searches
    assert [run.search.retrain.epochs for run in searches] == [epochs[name] for name in FIVE]
    assert comparison.equal_time(get_profile("quick")) == {}
