"""Runs of the search: what is stored of them, and their scores against a benchmark."""

import itertools
from dataclasses import astuple, replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from mngnas_lib.benchmarks import Benchmark
from mngnas_lib.distill.algorithms import ALGORITHMS
from mngnas_lib.lab import (
    PROFILES,
    DataSpec,
    SearchRun,
    SearchScoreRun,
    SpaceSpec,
    SupernetRun,
    finished_search,
    get_profile,
    run,
    search_folder,
    search_runs,
    search_scores,
    search_settings,
    stored,
)
from mngnas_lib.search import Constraint, RetrainConfig, Retraining, SearchConfig, search
from mngnas_lib.search.history import COLUMNS
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, rank, train_supernet

SUPERNET = SupernetRun(
    SpaceSpec("nasbench-macro", (("channels", 4), ("head_channels", 8))),
    DataSpec("digits", size=8, count=300, test_count=10, valid_fraction=0.2),
    TrainConfig(epochs=1, batch_size=120),
)
SEARCH = SearchConfig(
    search_epochs=2,
    candidates=3,
    group_size=1,
    removed=1,
    perturbed=1,
    bn="batch",
    retrain=RetrainConfig(epochs=1, batch_size=120),
)
RUN = SearchRun(SUPERNET, SEARCH)


# ---------------------------------------------------------------------- a search


def test_what_is_stored_is_what_the_library_finds(results):
    result = run(RUN)
    data = SUPERNET.data.load()
    supernet = train_supernet(SUPERNET.space.build(), data, SUPERNET.train, progress=False).network
    found = search(supernet, data, SEARCH, progress=False)
    for name in ("archs", "coefficients"):
        pd.testing.assert_frame_equal(result.table(name), found.table(name), check_exact=True)
    pd.testing.assert_frame_equal(result.curve("losses"), found.table("curves"), check_exact=True)
    pd.testing.assert_frame_equal(result.curve("perturbation"), found.table("perturbation"), check_exact=True)
    assert tuple(result.table("seconds").columns) == COLUMNS["seconds"]
    space = supernet.space
    cost = space.cost(found.best.arch, input_shape=(1, 8, 8))
    expected = {
        "arch": space.to_string(found.best.arch),
        "accuracy": found.best.accuracy,
        "params": cost.params,
        "macs": cost.macs,
        "archs": 6,
        "search_epochs": 2,
        "threshold": found.threshold,
        "gap": found.certificate[0],
        "kkt": found.certificate[1],
        "seconds": pytest.approx(result.table("seconds")["seconds"].sum()),
        "input_shape": [1, 8, 8],
        "num_classes": 10,
        "data": data.fingerprint,
    }
    assert result.metrics == expected
    assert stored(RUN) is not None and list(search_folder(RUN).glob("step-*.pt"))
    assert search_folder(RUN).parent == results.parent / "cache" / "searches"


def test_the_network_is_read_from_the_checkpoint(results, monkeypatch):
    first = finished_search(RUN)
    monkeypatch.setattr(Retraining, "train_step", None)
    again = finished_search(RUN)
    assert again.best == first.best
    row = next(r for r in again.history.archs if r["arch"] == again.network.space.to_string(again.best.arch))
    measured = rank(again.network, [again.best.arch], SUPERNET.data.load(), bn="batch", progress=False).accuracy[0]
    assert measured == (row["accuracy_perturbed"] if row["perturbed"] else row["accuracy"])


def test_settings_decide_the_run_and_memory_does_not():
    assert SearchRun.from_dict(RUN.as_dict()) == RUN
    changes = [
        replace(RUN, search=replace(SEARCH, algorithm=ALGORITHMS["none"])),
        replace(RUN, search=replace(SEARCH, seed=1)),
        replace(RUN, search=replace(SEARCH, max_macs=10**9)),
        replace(RUN, search=replace(SEARCH, retrain=replace(SEARCH.retrain, scale=2.0))),
        replace(RUN, supernet=replace(SUPERNET, train=replace(SUPERNET.train, seed=1))),
    ]
    assert len({change.digest for change in [RUN, *changes]}) == len(changes) + 1
    recompute = replace(RUN, search=replace(SEARCH, retrain=replace(SEARCH.retrain, memory="recompute")))
    assert recompute.digest == RUN.digest


# ---------------------------------------------------------------------- scores


@pytest.fixture
def benchmark(tmp_path) -> Benchmark:
    """All architectures of the space, with random accuracies."""
    space = get_space("nasbench-macro")
    archs = list(space.all_archs())
    test = 0.5 + 0.4 * np.random.default_rng(0).uniform(size=len(archs))
    columns = {"arch": [space.to_string(arch) for arch in archs], "valid": np.nan, "test": test}
    frame = pd.DataFrame(columns | {"params": 1, "macs": 1})
    return Benchmark("nasbench-macro", "cifar10", space, np.array(archs), frame, None, tmp_path / "x.json", "made up")


def table(benchmark: Benchmark) -> pd.DataFrame:
    """A search of 20 architectures, 8 of them in the first search epoch."""
    rng = np.random.default_rng(1)
    rows = rng.choice(len(benchmark), size=20, replace=False)
    return pd.DataFrame(
        {
            "search_epoch": np.repeat([1, 2], [8, 12]),
            "arch": benchmark.table["arch"].to_numpy()[rows],
            "accuracy": (benchmark.table["test"].to_numpy()[rows] + rng.normal(0, 0.1, 20)).round(1).clip(0, 1),
            "accuracy_before": rng.uniform(size=20),
            "macs": rng.integers(1, 9, 20),
            "params": rng.integers(1, 9, 20),
        }
    )


@pytest.mark.parametrize("max_macs", [None, 4_000_000])
def test_scores_are_those_of_scipy_and_of_brute_force(benchmark, max_macs):
    archs, space = table(benchmark), benchmark.space
    allowed = Constraint.of(space, max_macs, input_shape=(3, 8, 8), num_classes=10)
    scores = search_scores(archs, benchmark, allowed)
    truth = dict(zip(benchmark.table["arch"], benchmark.table["test"], strict=True))
    true = archs["arch"].map(truth)
    later = archs["search_epoch"] > 1
    for name, column, rows in (
        ("tau", "accuracy", slice(None)),
        ("tau_later", "accuracy", later),
        ("tau_before", "accuracy_before", slice(None)),
        ("tau_macs", "macs", slice(None)),
        ("tau_params", "params", slice(None)),
    ):
        assert scores[name] == pytest.approx(kendalltau(archs[column][rows], true[rows]).statistic)
        assert scores[f"{name}_low"] <= scores[name] <= scores[f"{name}_high"]
    assert scores["tau_minus_before"] == pytest.approx(scores["tau"] - scores["tau_before"])
    assert scores["tau_minus_macs"] == pytest.approx(scores["tau"] - scores["tau_macs"])
    assert 0 < scores["tau_minus_before_p"] <= 1 and (scores["n"], scores["n_later"]) == (20, 12)
    reachable = [
        accuracy
        for text, accuracy in truth.items()
        if max_macs is None or space.cost(space.from_string(text), input_shape=(3, 8, 8)).macs <= max_macs
    ]
    assert reachable and (len(reachable) < len(truth)) is (max_macs is not None)
    tied = archs[archs["accuracy"] == archs["accuracy"].max()]
    found = tied.loc[tied["macs"].idxmin(), "arch"]
    assert len(tied) > 1, "a tie is wanted here"
    assert scores["regret"] == pytest.approx(max(reachable) - truth[found])
    assert scores["regret_seen"] == pytest.approx(max(reachable) - true.max())


def test_a_single_search_epoch_has_no_later_tau(benchmark):
    archs = table(benchmark).assign(search_epoch=1)
    allowed = Constraint.of(benchmark.space, input_shape=(3, 8, 8), num_classes=10)
    scores = search_scores(archs, benchmark, allowed)
    assert scores["n_later"] == 0 and np.isnan(scores["tau_later"]) and np.isfinite(scores["tau"])


def test_a_score_holds_nothing_of_the_benchmark_but_statistics(results, benchmark, monkeypatch):
    asked = []

    def get_benchmark(name, dataset):
        asked.append((name, dataset))
        return benchmark

    monkeypatch.setattr(search_runs, "get_benchmark", get_benchmark)
    score = run(SearchScoreRun(RUN, "nasbench-macro"))
    allowed = Constraint.of(SUPERNET.space.build(), input_shape=(1, 8, 8), num_classes=10)
    expected = search_scores(run(RUN).table("archs"), benchmark, allowed)
    assert asked == [("nasbench-macro", "cifar10")]
    assert score.metrics == pytest.approx(expected | {"truth": benchmark.describe()}, nan_ok=True)
    assert not score.tables and not score.curves
    text = score.path.read_text() + run(RUN).path.read_text()
    assert not any(repr(value) in text for value in benchmark.table["test"].tolist())
    assert all(isinstance(value, int | float) for name, value in score.metrics.items() if name != "truth")


# ---------------------------------------------------------------------- sizes


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_sizes_of_a_profile_make_a_search(profile):
    sizes = profile.search
    config = search_settings(sizes, algorithm=ALGORITHMS["none"], max_macs=10**9)
    assert (config.search_epochs, config.candidates, config.group_size) == astuple(sizes)[:3]
    assert (config.removed, config.perturbed, config.perturb_epochs) == astuple(sizes)[3:6]
    assert (config.retrain.epochs, config.retrain.batch_size) == (sizes.epochs, sizes.batch_size)
    assert (config.algorithm, config.max_macs) == (ALGORITHMS["none"], 10**9)
    assert sizes.batch_size <= profile.supernet.count * (1 - profile.supernet.valid_fraction)
    # something is left to cross and mutate
    assert sizes.removed < sizes.candidates - 1


def test_what_is_given_goes_before_the_sizes():
    retrain = RetrainConfig(epochs=0.5, batch_size=7)
    config = search_settings(get_profile("quick").search, retrain=retrain, candidates=2, seed=3)
    assert (config.retrain, config.candidates, config.seed) == (retrain, 2, 3)


def test_a_larger_profile_searches_no_less():
    for small, large in itertools.pairwise(PROFILES.values()):
        assert all(a <= b for a, b in zip(astuple(small.search), astuple(large.search), strict=True))


def test_the_paper_s_sizes_are_the_paper_s():
    sizes = get_profile("paper").search
    assert (sizes.candidates, sizes.group_size, sizes.removed, sizes.perturbed) == (30, 5, 10, 4)
    assert (sizes.epochs, sizes.batch_size) == (40, 96)
