"""What a table says about itself: against scipy, against the tables' published numbers, and by hand."""

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from mngnas_lib.benchmarks import Benchmark, get_benchmark
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab import run, stored
from mngnas_lib.lab.benchmark_facts import (
    BIN,
    FactsRun,
    facts,
    histogram,
    random_search_expectation,
    sampled,
    seed_noise,
    tau_table,
    taus_of,
)
from mngnas_lib.spaces import get_space


@pytest.fixture
def benchmark():
    """Forty cells with made-up accuracies of three trainings, the third of half of the cells only."""
    rng = np.random.default_rng(0)
    space = get_space("nasbench201")
    archs = space.sample_distinct(40, rng, canonical=False)
    quality = rng.uniform(0.5, 0.9, 40)
    runs = quality[:, None] + rng.normal(0, 0.03, (40, 3))
    runs[::2, 2] = np.nan
    table = pd.DataFrame(
        {
            "arch": [space.to_string(arch) for arch in archs],
            "valid": np.nan,
            "test": runs[:, :2].mean(axis=1),
            "params": rng.integers(1000, 2000, 40),
            "macs": rng.integers(10, 20, 40),
        }
    )
    return Benchmark("made-up", "none", space, np.array(archs), table, runs, Path("made-up.csv"), "")


def test_taus_are_scipys(benchmark):
    taus, table, runs = taus_of(facts(benchmark)), benchmark.table, benchmark.runs
    assert set(taus) == {"noise ceiling", "FLOPs", "params"}
    assert taus["noise ceiling"].value == pytest.approx(kendalltau(runs[:, 0], runs[:, 1])[0])
    for measure, column in (("FLOPs", "macs"), ("params", "params")):
        assert taus[measure].value == pytest.approx(kendalltau(table[column], table["test"])[0])
        assert taus[measure].low < taus[measure].value < taus[measure].high and taus[measure].n == 40
    best = table["test"] >= table["test"].median()
    top = taus_of(facts(benchmark), "top half")
    assert top["FLOPs"].n == 20
    assert top["FLOPs"].value == pytest.approx(kendalltau(table["macs"][best], table["test"][best])[0])


def test_a_third_training_is_held_against_the_mean_of_the_others(benchmark):
    rows = facts(benchmark).table("taus")
    ceilings = rows[(rows["measure"] == "noise ceiling") & (rows["part"] == "all")]
    assert list(ceilings["what"]) == ["one training and another", "mean of 2 and one more"]
    again = ~np.isnan(benchmark.runs[:, 2])
    expected = kendalltau(benchmark.runs[again, :2].mean(axis=1), benchmark.runs[again, 2])[0]
    assert ceilings["tau"].iloc[1] == pytest.approx(expected) and ceilings["n"].iloc[1] == 20


def test_validation_accuracies_count_where_there_are_any(benchmark):
    table = benchmark.table.assign(valid=benchmark.table["test"] ** 2)  # the same order
    assert taus_of(facts(replace(benchmark, table=table, runs=None)))["valid"].value == 1
    assert "noise ceiling" not in taus_of(facts(replace(benchmark, runs=None)))


def test_quartiles_and_histogram(benchmark):
    result, test = facts(benchmark), benchmark.table["test"]
    assert [result.metrics[name] for name in ("lowest", "median", "best")] == [test.min(), test.median(), test.max()]
    bins = result.table("histogram")
    np.testing.assert_allclose(bins["right"] - bins["left"], 0.02)  # there are few
    for row in bins.itertuples():
        inside = (test >= row.left) & (test < row.right)
        assert row.share == pytest.approx(inside.mean())
    assert bins["share"].sum() == pytest.approx(1)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 200), min_size=1, max_size=30))
def test_a_value_on_a_border_belongs_to_the_bin_above(numbers):
    bins = histogram(np.array(numbers) * BIN)
    lefts = np.minimum(numbers, 199) * BIN
    assert bins["share"].sum() == pytest.approx(1, abs=1e-5)
    for row in bins.itertuples():
        assert row.share == pytest.approx(np.isclose(lefts, row.left).mean(), abs=1e-5)


def test_large_tables_are_sampled(benchmark):
    part = sampled(benchmark, 12)
    assert len(part) == 12 and part.runs.shape == (12, 3)
    whole = dict(zip(benchmark.archs, benchmark.table["test"], strict=True))
    assert [whole[arch] for arch in part.archs] == list(part.table["test"])
    assert sampled(benchmark, 40) is benchmark
    assert sampled(benchmark, 12).archs == part.archs


def test_random_search_by_hand():
    # best of two draws among 60, 70, 80, 90: 16 pairs, of which 1, 3, 5 and 7 have that maximum
    values = [0.9, 0.6, 0.8, 0.7]
    found = random_search_expectation(values, values, [1, 2])
    np.testing.assert_allclose(found, [0.75, (60 + 3 * 70 + 5 * 80 + 7 * 90) / 1600])


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=4),
    st.integers(1, 4),
)
def test_random_search_is_the_mean_over_all_draws(architectures, queries):
    rewards, values = zip(*architectures, strict=True)
    # the first of equal rewards is kept, as a search does
    outcomes = [
        values[max(draw, key=lambda place: rewards[place])]
        for draw in itertools.product(range(len(values)), repeat=queries)
    ]
    found = random_search_expectation(rewards, values, [queries])
    np.testing.assert_allclose(found, [np.mean(outcomes)], atol=1e-9)


def test_taus_in_words(benchmark):
    table = tau_table({"a\nname": facts(benchmark), "without": facts(replace(benchmark, runs=None))}, "noise ceiling")
    assert list(table.index) == [("a name", "one training and another"), ("a name", "mean of 2 and one more")]
    tau = taus_of(facts(benchmark), "top half")["noise ceiling"]
    expected = f"{tau.value:.3f} [{tau.low:.3f}, {tau.high:.3f}], n = 20"
    assert table.loc[("a name", "one training and another"), "top half"] == expected
    assert tau_table({"without": facts(benchmark)}, "valid").empty


def test_noise_of_seeds_by_hand(benchmark):
    runs = np.array([[0.5, 0.5], [0.7, 0.9]] * 20)
    noise = seed_noise(replace(benchmark, runs=runs, table=benchmark.table.assign(test=runs.mean(axis=1))))
    # variances of two numbers are half of their squared distance; pooled is their mean
    assert noise.seeds == pytest.approx(((0 + 0.2**2 / 2) / 2) ** 0.5)
    assert noise.archs == pytest.approx(np.std([0.5, 0.8] * 20, ddof=1))
    assert 0 < noise.reliability < 1
    assert seed_noise(replace(benchmark, runs=runs[:, :1])) is None
    assert seed_noise(replace(benchmark, runs=None)) is None


def test_unknown_part(benchmark):
    with pytest.raises(ConfigError, match="choose one of all, top half"):
        taus_of(facts(benchmark), "bottom")


def test_the_real_table_of_nasbench_macro(shared_data, tmp_path, monkeypatch):
    (file,) = list(shared_data.rglob("nas-bench-macro_cifar10.json"))[:1]
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(file.parent))
    config = FactsRun("nasbench-macro")
    result = run(config, profile="laptop", root=tmp_path)
    assert stored(config, profile="laptop", root=tmp_path).metrics == result.metrics
    table, taus = get_benchmark("nasbench-macro"), taus_of(result)
    assert result.metrics["archs"] == len(table) == 6561
    pairs = [kendalltau(table.runs[:, a], table.runs[:, b])[0] for a, b in ((0, 1), (0, 2), (1, 2))]
    assert taus["noise ceiling"].value == pytest.approx(np.mean(pairs))
