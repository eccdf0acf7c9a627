"""Rank statistics against scipy, by-hand cases, invariants, simulation, and the tables of two benchmarks."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab import bootstrap, stats
from mngnas_lib.lab.stats import (
    best_rank_at_k,
    compare_taus,
    kendall_tau,
    noise_ceiling,
    precision_at_k,
    ranking_report,
    spearman,
    tau_in_top,
)


def correlated(n: int, seed: int = 0, rho: float = 0.7, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(seed).multivariate_normal([0, 0], [[1, rho], [rho, 1]], size=n).T
    return (np.round(x, 1), np.round(2 * y)) if ties else (x, y)


def explicit_resamples(n: int, resamples: int, seed: int) -> list[np.ndarray]:
    counts = bootstrap.resample_counts(n, resamples, seed).astype(int)
    assert (counts.sum(axis=1) == n).all()
    return [np.repeat(np.arange(n), row) for row in counts]


# small numbers, so that ties are frequent
tied_pairs = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=25)


# --- Kendall's tau and its interval


def test_tau_by_hand():
    # of the 6 pairs, 5 agree and 1 does not
    tau = kendall_tau([1, 2, 3, 4], [10, 20, 40, 30])
    assert tau.value == pytest.approx(4 / 6)
    assert tau.n == 4


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [12, 90])
def test_interval_is_that_of_scipy_on_explicit_resamples(n, ties):
    x, y = correlated(n, ties=ties)
    tau = kendall_tau(x, y, resamples=200, seed=3, confidence=0.9)
    draws = [scipy_stats.kendalltau(x[rows], y[rows])[0] for rows in explicit_resamples(n, 200, 3)]
    assert tau.value == pytest.approx(scipy_stats.kendalltau(x, y)[0], abs=1e-12)
    assert (tau.low, tau.high) == pytest.approx(tuple(np.nanquantile(draws, [0.05, 0.95])), abs=1e-9)


@given(tied_pairs, st.integers(0, 5))
@settings(max_examples=25, deadline=None)
def test_each_draw_equals_scipy(pairs, seed):
    x, y = (np.unique(values, return_inverse=True)[1] for values in np.array(pairs).T)
    draws = bootstrap.tau_draws(x, y, bootstrap.resample_counts(len(x), 5, seed))
    for draw, rows in zip(draws, explicit_resamples(len(x), 5, seed), strict=True):
        constant = len(set(x[rows])) == 1 or len(set(y[rows])) == 1
        expected = np.nan if constant else scipy_stats.kendalltau(x[rows], y[rows])[0]
        assert draw == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_draws_do_not_depend_on_the_size_of_blocks(monkeypatch):
    x, y = correlated(60, ties=True)
    whole = kendall_tau(x, y), spearman(x, y), noise_ceiling(np.stack([x, y, x + y], axis=1))
    monkeypatch.setattr(bootstrap, "_BLOCK_CELLS", 700)
    blocks = kendall_tau(x, y), spearman(x, y), noise_ceiling(np.stack([x, y, x + y], axis=1))
    for one, other in zip(whole, blocks, strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high), abs=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_expansion_for_many_architectures_is_close_to_the_exact_draws(monkeypatch, ties):
    x, y = correlated(900, ties=ties)
    exact = kendall_tau(x, y)
    monkeypatch.setattr(bootstrap, "EXACT_LIMIT", 100)
    expanded = kendall_tau(x, y)
    assert expanded.value == exact.value
    width = exact.high - exact.low
    assert expanded.low == pytest.approx(exact.low, abs=0.03 * width)
    assert expanded.high == pytest.approx(exact.high, abs=0.03 * width)


@given(tied_pairs)
@settings(max_examples=25, deadline=None)
def test_contributions_are_the_derivative_of_tau(pairs):
    x, y = (np.unique(values, return_inverse=True)[1] for values in np.array(pairs).T)
    if bootstrap.is_constant(x) or bootstrap.is_constant(y):
        return
    n, step = len(x), 1e-5

    def tau(weights):
        products = np.outer(weights, weights)
        order = np.sign(x[:, None] - x) * np.sign(y[:, None] - y)
        untied = [(products * (r[:, None] != r)).sum() for r in (x, y)]
        return (products * order).sum() / np.sqrt(untied[0] * untied[1])

    contributions = bootstrap.contributions(x, y)
    assert contributions.sum() == pytest.approx(0, abs=1e-9)
    for index in range(n):
        nudge = step * (np.arange(n) == index)
        numeric = (tau(1 + nudge) - tau(1 - nudge)) / (2 * step)
        assert contributions[index] == pytest.approx(numeric, abs=1e-6)


@given(tied_pairs)
@settings(max_examples=25, deadline=None)
def test_only_the_order_counts_and_a_reversal_flips_the_sign(pairs):
    x, y = np.array(pairs, dtype=float).T
    for measure in (kendall_tau, spearman):
        tau = measure(x, y, resamples=50)
        same = measure(np.exp(x), y**3 - 5, resamples=50)
        swapped = measure(y, x, resamples=50)
        flipped = measure(-x, y, resamples=50)
        numbers = [tau.value, tau.low, tau.high]
        assert [same.value, same.low, same.high] == pytest.approx(numbers, nan_ok=True, abs=1e-12)
        assert [swapped.value, swapped.low, swapped.high] == pytest.approx(numbers, nan_ok=True, abs=1e-12)
        assert [-flipped.value, -flipped.high, -flipped.low] == pytest.approx(numbers, nan_ok=True, abs=1e-9)


def test_perfect_and_reversed_rankings():
    x = np.arange(30)
    assert kendall_tau(x, x) == stats.Tau(1.0, 1.0, 1.0, 30)
    assert kendall_tau(-x, x) == stats.Tau(-1.0, -1.0, -1.0, 30)


def test_seed_fixes_the_interval_and_changes_it():
    x, y = correlated(50)
    assert kendall_tau(x, y, seed=1) == kendall_tau(x, y, seed=1)
    assert kendall_tau(x, y, seed=1).low != kendall_tau(x, y, seed=2).low
    assert kendall_tau(x, y, seed=1).value == kendall_tau(x, y, seed=2).value


def test_higher_confidence_is_wider():
    x, y = correlated(50)
    narrow, wide = kendall_tau(x, y, confidence=0.5), kendall_tau(x, y, confidence=0.99)
    assert wide.low < narrow.low < narrow.value < narrow.high < wide.high


@pytest.mark.parametrize("limit", [3000, 10])
def test_interval_covers_the_true_tau_about_as_often_as_it_says(monkeypatch, limit):
    monkeypatch.setattr(bootstrap, "EXACT_LIMIT", limit)
    rho = 0.7
    truth = 2 / np.pi * np.arcsin(rho)  # of a bivariate normal distribution
    taus = [kendall_tau(*correlated(80, seed, rho), resamples=200, seed=seed) for seed in range(100)]
    covered = np.mean([tau.low <= truth <= tau.high for tau in taus])
    # 0.95 less what the percentile bootstrap loses at n = 80, give or take three standard errors
    assert 0.87 <= covered <= 0.999


@pytest.mark.parametrize("measure", [kendall_tau, spearman])
@pytest.mark.parametrize(("x", "y"), [([], []), ([1.0], [2.0]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [4, 4, 4])])
def test_no_tau_of_a_constant_or_of_one_architecture(measure, x, y):
    tau = measure(x, y)
    assert np.isnan([tau.value, tau.low, tau.high]).all()
    assert tau.n == len(x)


def test_infinite_values_rank_last_and_first():
    assert kendall_tau([-np.inf, 1, 2, np.inf], [1, 2, 3, 4]).value == 1
    assert spearman([-np.inf, 1, 2, np.inf], [1, 2, 3, 4]).value == pytest.approx(1)


def test_two_architectures_have_a_tau():
    assert kendall_tau([1, 2], [1, 2]).value == 1
    assert kendall_tau([1, 2], [2, 1]).value == -1


# --- users' mistakes


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kendall_tau([1, 2], [1, 2, 3]), "predicted: 2, true: 3"),
        (lambda: kendall_tau([1, np.nan, 3], [1, 2, 3]), "predicted is NaN for 1 of 3"),
        (lambda: kendall_tau([1, 2, 3], [np.nan, np.nan, 3]), "true is NaN for 2 of 3"),
        (lambda: kendall_tau([[1, 2]], [[1, 2]]), r"shape \(1, 2\)"),
        (lambda: kendall_tau(["a", "b"], [1, 2]), "predicted is not an array of numbers"),
        (lambda: kendall_tau([1, 2], [1, 2], confidence=95), "confidence is 95"),
        (lambda: kendall_tau([1, 2], [1, 2], resamples=0), "resamples is 0"),
        (lambda: compare_taus([1, 2], [1, 2, 3], [1, 2]), "predicted_b: 3"),
        (lambda: spearman([1, 2], [1, np.nan]), "true is NaN"),
        (lambda: tau_in_top([1, 2], [1, 2], 0), "fraction is 0"),
        (lambda: tau_in_top([1, 2], [1, 2], 50), "fraction is 50"),
        (lambda: precision_at_k([1, 2], [1, 2], 3), "k is 3"),
        (lambda: best_rank_at_k([1, 2], [1, 2], 0), "k is 0"),
        (lambda: best_rank_at_k([1, 2], [1, 2], 1.5), "k is 1.5"),
        (lambda: noise_ceiling([1, 2, 3]), r"shape \(3,\)"),
        (lambda: noise_ceiling([[1], [2]]), "r > 1"),
        (lambda: noise_ceiling([[1, 2], [2, np.nan]]), "run 1 is NaN"),
    ],
)
def test_mistakes_get_a_clear_message(call, message):
    with pytest.raises(ConfigError, match=message):
        call()


# --- paired comparison


def test_a_ranking_does_not_differ_from_itself():
    x, y = correlated(70)
    assert compare_taus(x, x, y) == stats.Difference(0.0, 0.0, 0.0, 1.0, 70)
    # nor from another scale of it
    assert compare_taus(x, 3 * x + 1, y).high == 0.0


def test_comparison_is_that_of_scipy_on_the_same_resamples():
    a, y = correlated(60, ties=True)
    b = y + np.random.default_rng(9).normal(size=60)
    difference = compare_taus(a, b, y, resamples=200, seed=5)
    draws = np.array(
        [
            scipy_stats.kendalltau(a[rows], y[rows])[0] - scipy_stats.kendalltau(b[rows], y[rows])[0]
            for rows in explicit_resamples(60, 200, 5)
        ]
    )
    assert difference.value == pytest.approx(kendall_tau(a, y).value - kendall_tau(b, y).value)
    assert (difference.low, difference.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=1e-9)
    assert difference.p == pytest.approx(min(1, 2 * (min((draws <= 0).sum(), (draws >= 0).sum()) + 1) / 201))


def test_comparison_is_antisymmetric():
    a, y = correlated(60)
    b = np.random.default_rng(1).normal(size=60)
    one, other = compare_taus(a, b, y), compare_taus(b, a, y)
    assert (one.value, one.low, one.high) == pytest.approx((-other.value, -other.high, -other.low))
    assert one.p == other.p


def test_pairing_narrows_the_difference_of_similar_rankings():
    a, y = correlated(200)
    b = a + 0.05 * np.random.default_rng(2).normal(size=200)
    difference, single = compare_taus(a, b, y), kendall_tau(a, y)
    assert difference.high - difference.low < 0.5 * (single.high - single.low)


def test_comparison_finds_a_clear_winner_and_none_between_equals():
    a, y = correlated(200, rho=0.9)
    assert compare_taus(a, np.random.default_rng(3).normal(size=200), y).p == pytest.approx(2 / 1001)
    ps = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        truth = rng.normal(size=80)
        equal = [truth + rng.normal(size=80) for _ in range(2)]
        ps.append(compare_taus(*equal, truth, resamples=200).p)
    assert np.mean(np.array(ps) < 0.05) < 0.15
    assert np.median(ps) > 0.25


def test_no_comparison_with_a_constant():
    difference = compare_taus([1, 1, 1], [1, 2, 3], [1, 2, 3])
    assert np.isnan([difference.value, difference.low, difference.high, difference.p]).all()


# --- the top


def test_tau_in_top_is_tau_of_the_best_alone():
    x, y = correlated(100)
    best = np.argsort(y)[-10:]
    # 0.07 * 100 is 7.000000000000001 in binary
    assert tau_in_top(x, y, 0.1).n == 10
    assert tau_in_top(x, y, 0.1).value == pytest.approx(scipy_stats.kendalltau(x[best], y[best])[0])
    assert tau_in_top(x, y, 0.07).n == 7
    assert tau_in_top(x, y, 1) == kendall_tau(x, y)


def test_tau_in_top_keeps_all_that_tie_at_the_border():
    y = [1, 2, 3, 3, 3, 4]
    assert tau_in_top([6, 5, 1, 2, 3, 4], y, 2 / 6).n == 4


def test_top_k_by_hand():
    true = [0.1, 0.9, 0.5, 0.7, 0.3]  # ranks 5, 1, 3, 2, 4
    predicted = [5, 1, 4, 3, 2]
    assert [precision_at_k(predicted, true, k) for k in (1, 2, 3, 5)] == pytest.approx([0, 0, 2 / 3, 1])
    assert [best_rank_at_k(predicted, true, k) for k in (1, 2, 3, 4, 5)] == [5, 3, 2, 2, 1]


@given(st.integers(1, 30), st.data())
@settings(max_examples=25, deadline=None)
def test_a_constant_prediction_is_as_good_as_chance(n, data):
    k = data.draw(st.integers(1, n))
    true = np.random.default_rng(n).permutation(n)
    assert precision_at_k(np.ones(n), true, k) == pytest.approx(k / n)
    assert best_rank_at_k(np.ones(n), true, k) == pytest.approx((n + 1) / (k + 1))


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3)), min_size=1, max_size=6), st.data())
@settings(max_examples=25, deadline=None)
def test_top_k_is_the_mean_over_all_ways_to_break_ties(pairs, data):
    x, y = np.array(pairs).T
    n = len(x)
    k = data.draw(st.integers(1, n))
    rank = scipy_stats.rankdata(-y, method="min")
    # every order of the items breaks ties once; the two rankings break theirs independently
    tops_x, tops_y = (
        [set(sorted(order, key=lambda i: -values[i])[:k]) for order in itertools.permutations(range(n))]
        for values in (x, y)
    )
    chance = [np.mean([[i in top for i in range(n)] for top in tops], axis=0) for tops in (tops_x, tops_y)]
    assert precision_at_k(x, y, k) == pytest.approx(chance[0] @ chance[1] / k)
    assert best_rank_at_k(x, y, k) == pytest.approx(np.mean([min(rank[list(top)]) for top in tops_x]))


@given(tied_pairs)
@settings(max_examples=25, deadline=None)
def test_best_rank_never_worsens_with_k(pairs):
    x, y = np.array(pairs).T
    ranks = [best_rank_at_k(x, y, k) for k in range(1, len(x) + 1)]
    assert (np.diff(ranks) <= 1e-9).all()
    assert ranks[-1] == pytest.approx(1)
    assert precision_at_k(x, y, len(x)) == pytest.approx(1)


# --- Spearman and the noise ceiling


@pytest.mark.parametrize("ties", [False, True])
def test_spearman_is_that_of_scipy_on_explicit_resamples(ties):
    x, y = correlated(50, ties=ties)
    rho = spearman(x, y, resamples=100, seed=2)
    draws = [scipy_stats.spearmanr(x[rows], y[rows])[0] for rows in explicit_resamples(50, 100, 2)]
    assert rho.value == pytest.approx(scipy_stats.spearmanr(x, y)[0])
    assert (rho.low, rho.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=1e-9)


def test_noise_ceiling_is_the_mean_over_pairs_of_runs():
    runs = np.random.default_rng(0).normal(size=(80, 1)) + 0.3 * np.random.default_rng(1).normal(size=(80, 4))
    ceiling = noise_ceiling(runs)
    taus = [kendall_tau(a, b).value for a, b in itertools.combinations(runs.T, 2)]
    assert len(taus) == 6
    assert ceiling.value == pytest.approx(np.mean(taus))
    assert ceiling.low < ceiling.value < ceiling.high
    assert noise_ceiling(runs[:, :2]) == kendall_tau(runs[:, 0], runs[:, 1])


# --- the report


def test_report_has_a_row_a_ranking_with_the_single_measures():
    x, y = correlated(60)
    noise = np.random.default_rng(4).normal(size=60)
    report = ranking_report({"SPOS": x, "FLOPs": noise}, y, ks=(5, 20))
    assert list(report.index) == ["SPOS", "FLOPs"]
    row, tau, top = report.loc["SPOS"], kendall_tau(x, y), tau_in_top(x, y, 0.5)
    assert (row["tau"], row["tau_low"], row["tau_high"], row["n"]) == (tau.value, tau.low, tau.high, 60)
    assert (row["tau_top50"], row["tau_top50_low"], row["tau_top50_high"]) == (top.value, top.low, top.high)
    assert row["tau_top10"] == tau_in_top(x, y, 0.1).value
    assert row["spearman"] == spearman(x, y).value
    assert row["precision@5"] == precision_at_k(x, y, 5)
    assert row["best_rank@20"] == best_rank_at_k(x, y, 20)
    assert report["n"].dtype.kind == "i"
    assert len(report.columns) == 4 * 3 + 2 * 2 + 1


# --- real tables


@pytest.fixture(scope="module")
def macro(shared_data: Path) -> pd.DataFrame:
    table = json.loads((shared_data / "nas-bench-macro_cifar10.json").read_text())
    return pd.DataFrame.from_dict(table, orient="index")


@pytest.fixture(scope="module")
def nasbench201(shared_data: Path) -> pd.DataFrame:
    table = pd.read_csv(shared_data / "nasbench201.csv.gz")
    convolutions = [table["arch"].str.count(f"nor_conv_{size}") for size in ("3x3", "1x1")]
    # millions of multiply-accumulates of each kind of edge, in all cells together
    table["flops"] = 35.38944 * convolutions[0] + 3.93216 * convolutions[1]
    return table


def test_nasbench_macro(macro):
    """Keys that mean one network share its three runs: 3,969 networks behind 6,561 keys."""
    distinct = macro[~macro["test_acc"].map(tuple).duplicated()]
    for table, size, flops, params, ceiling in (
        (macro, 6561, 0.5560, 0.2176, 0.8813),
        (distinct, 3969, 0.5461, 0.2155, 0.8793),
    ):
        accuracy = table["mean_acc"]
        by_flops = kendall_tau(table["flops"], accuracy)
        assert by_flops.n == size
        assert by_flops.value == pytest.approx(flops, abs=1e-4)
        assert 0.01 < by_flops.high - by_flops.low < 0.04
        assert kendall_tau(table["params"], accuracy, resamples=20).value == pytest.approx(params, abs=1e-4)
        runs = np.array(table["test_acc"].tolist())
        assert noise_ceiling(runs, resamples=20).value == pytest.approx(ceiling, abs=1e-4)


def test_nasbench201(nasbench201):
    true = nasbench201["cifar10_test"]
    for column, expected in (("flops", 0.5774), ("cifar10_valid_12ep", 0.5944), ("cifar10_test_12ep", 0.6999)):
        tau = kendall_tau(nasbench201[column], true, resamples=100)
        assert tau.n == 15625
        assert tau.value == pytest.approx(expected, abs=1e-4)
        assert tau.low < tau.value < tau.high


def test_interval_over_a_sample_covers_the_tau_of_the_whole_table(nasbench201):
    whole = 0.5774
    covered = 0
    for seed in range(50):
        sample = nasbench201.sample(150, random_state=seed)
        tau = kendall_tau(sample["flops"], sample["cifar10_test"], resamples=200, seed=seed)
        covered += tau.low <= whole <= tau.high
    assert covered >= 42  # of 50; 47.5 on average at 95 %
