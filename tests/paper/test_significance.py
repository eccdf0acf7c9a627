"""Welch's test and Holm's correction, against scipy on data, and cases worked out by hand."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mngnas_lib.errors import ConfigError
from mngnas_lib.paper import significance
from mngnas_lib.paper.significance import SEEDS, Sample, holm, printed_pairs, runs_needed, welch


@pytest.mark.parametrize("ddof", [0, 1])
def test_welch_is_that_of_the_runs_themselves(ddof):
    """From means and deviations of two sets of runs the same comes out as from the runs."""
    rng = np.random.default_rng(0)
    for n_a, n_b in ((4, 4), (4, 7), (2, 3)):
        a, b = rng.normal(91.3, 0.2, n_a), rng.normal(91.2, 0.5, n_b)
        test = welch(Sample(a.mean(), a.std(ddof=ddof), n_a), Sample(b.mean(), b.std(ddof=ddof), n_b), ddof=ddof)
        expected = stats.ttest_ind(a, b, equal_var=False)
        low, high = expected.confidence_interval(0.95)
        np.testing.assert_allclose(
            [test.value, test.low, test.high, test.t, test.df, test.p],
            [a.mean() - b.mean(), low, high, expected.statistic, expected.df, expected.pvalue],
        )


def test_welch_by_hand():
    """Equal deviations of 1, four runs each: variance of the difference 1/2, six degrees of freedom."""
    test = welch(Sample(2.0, 1.0), Sample(0.0, 1.0))
    assert SEEDS == 4
    assert (test.t, test.df) == (pytest.approx(2 * math.sqrt(2)), pytest.approx(6))
    assert test.p == pytest.approx(0.0300, abs=1e-4)  # two-sided, t = 2.828 with 6 degrees of freedom
    assert test.high - test.value == pytest.approx(2.4469 / math.sqrt(2), abs=1e-4)


def test_deviations_divided_by_n_leave_more_noise():
    smaller, larger = (welch(Sample(91.4, 0.2), Sample(91.2, 0.1), ddof=ddof) for ddof in (1, 0))
    assert (larger.high - larger.low) / (smaller.high - smaller.low) == pytest.approx(math.sqrt(4 / 3))
    assert larger.p > smaller.p


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.04, and none below one before it
    np.testing.assert_allclose(holm([0.04, 0.01, 0.03, 0.02]), [0.06, 0.04, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1.0, 1.0])
    assert holm([0.03]).tolist() == [0.03] and holm([]).tolist() == []


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_its_definition_rejects(p_values):
    """Holm: go up the sorted list and stop at the first p above level / (tests left)."""
    level = 0.05
    rejected, order = set(), np.argsort(p_values, kind="stable")
    for rank, index in enumerate(order):
        if p_values[index] * (len(p_values) - rank) > level:
            break
        rejected.add(int(index))
    assert set(np.flatnonzero(holm(p_values) <= level)) == rejected


@pytest.mark.parametrize(("effect", "runs"), [(0.5, 64), (0.8, 26), (1.0, 17), (0.2, 394)])
def test_runs_needed_are_those_of_the_textbooks(effect, runs):
    """Cohen's table: 80 % power at 5 %, two-sided, two equal groups."""
    assert runs_needed(effect, 1.0) == runs
    assert runs_needed(-3 * effect, 3.0) == runs


def test_runs_needed_where_two_suffice_and_where_very_many_do_not():
    assert runs_needed(100.0, 1.0) == 2
    assert runs_needed(0.01, 1.0) == pytest.approx(2 * (1.95996 + 0.84162) ** 2 * 1e4, rel=1e-4)


def test_pairs_of_table_v():
    pairs = printed_pairs(5)
    assert len(pairs) == 18 and (pairs["n"] == 4).all()
    row = pairs[(pairs.strategy == "SPOS") & (pairs.dataset == "CIFAR10") & (pairs.split == "valid")].iloc[0]
    assert (row.ours, row.ours_std, row.theirs, row.theirs_std) == (91.27, 0.12, 91.23, 0.16)
    assert set(pairs["baseline"]) == {"SPOS", "FairNAS", "MixPath"}


def test_pairs_of_table_x():
    pairs = printed_pairs(10)
    assert len(pairs) == 72 and sorted(set(pairs["baseline"])) == ["A", "B", "C", "D"]
    row = pairs[(pairs.strategy == "MixPath") & (pairs.dataset == "ImageNet16-120") & (pairs.baseline == "C")].iloc[1]
    assert (row.split, row.ours, row.ours_std, row.theirs, row.theirs_std) == ("test", 45.29, 1.92, 45.22, 1.82)


def test_tests_of_many_pairs_are_corrected_together():
    pairs = pd.DataFrame(
        {"ours": [2.0, 0.0, 5.0], "theirs": [0.0, 0.0, 0.0], "ours_std": 1.0, "theirs_std": 1.0, "n": 4},
        index=[7, 8, 9],
    )
    tested = significance.welch_pairs(pairs)
    np.testing.assert_allclose(tested["p_holm"], [2 * tested["p"][7], 1.0, 3 * tested["p"][9]])
    assert tested["significant"].tolist() == [False, False, True]
    assert tested["needed"].tolist() == [6, math.inf, 3]  # effects of 2 and 5 deviations, by the noncentral t
    assert tested["p"][7] < 0.05  # alone it would have passed


def test_settings_that_make_no_test_are_named():
    with pytest.raises(ConfigError, match="both standard deviations are zero"):
        welch(Sample(1.0, 0.0), Sample(2.0, 0.0))
    with pytest.raises(ConfigError, match="two runs or more"):
        welch(Sample(1.0, 0.1, n=1), Sample(2.0, 0.1))
    with pytest.raises(ConfigError, match="ddof is 0 or 1"):
        welch(Sample(1.0, 0.1), Sample(2.0, 0.1), ddof=2)
    with pytest.raises(ConfigError, match="between 0 and 1"):
        holm([0.1, math.nan])
    with pytest.raises(ConfigError, match="wants a difference"):
        runs_needed(0.0, 1.0)
    with pytest.raises(ConfigError, match="print means and deviations of baselines"):
        printed_pairs(1)
