"""Ablations without deviations: the printed numbers, scipy's test, and the bound on noise where it is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mngnas_lib.errors import PaperDataError
from mngnas_lib.paper.ablation import noise_bound, spread, steps, sweep, trend


def columns(errors, settings):
    names = pd.MultiIndex.from_product([["CIFAR10"], [f"run {i}" for i in range(np.shape(errors)[1])]])
    return pd.DataFrame(errors, index=settings, columns=names)


@pytest.mark.parametrize(
    ("number", "shape", "place", "value"),
    [
        (12, (6, 12), (4, "ImageNet16-120", "FairNAS"), 60.73),
        (14, (6, 12), (14, "ImageNet", "MixPath"), 27.42),
        (16, (4, 9), (0, "CIFAR100", "MixPath"), 16.74),
    ],
)
def test_errors_as_printed(number, shape, place, value):
    errors = sweep(number)
    setting, *column = place
    assert errors.shape == shape
    assert errors.loc[setting, tuple(column)] == value
    assert list(errors.columns[:3]) == [("CIFAR10", name) for name in ("SPOS", "FairNAS", "MixPath")]


def test_other_tables_are_no_ablations_without_deviations():
    with pytest.raises(PaperDataError, match=r"choose one of \[12, 13, 14, 16\]"):
        sweep(15)


def test_steps_by_hand():
    rows = steps(columns([[2.41, 2.0], [2.37, 2.0], [2.4, 1.9]], [4, 6, 8]))
    assert rows["direction"].tolist() == ["down", "up", "same", "down"]
    assert rows["change"].tolist() == [-0.04, 0.03, 0.0, -0.1]
    assert rows["images"].tolist() == [-4, 3, 0, -10]  # of CIFAR-10's 10,000
    assert rows["after"].tolist() == [6, 8, 6, 8]


def test_trend_of_columns_that_all_fall_is_the_exact_tail():
    """Three settings, all of ten columns in one of six orders: its chance is far below what scipy calls significant."""
    falling = columns(np.array([[3.0], [2.0], [1.0]]) + np.arange(10), [4, 6, 8])
    assert trend(falling, [4, 6, 8]) < 1e-4
    assert trend(falling[::-1], [8, 6, 4]) > 0.99


def test_spread():
    assert spread(columns([[1.0, 5.0], [1.5, 4.8], [9.0, 9.0]], [4, 6, 8]), [4, 6]).tolist() == [0.5, 0.2]


def test_bound_is_above_the_true_noise_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    sigma, offsets = 0.3, np.arange(12)
    bounds = [noise_bound(columns(rng.normal(offsets, sigma, (3, 12)), [10, 12, 14]), [10, 12, 14]) for _ in range(400)]
    assert np.mean(np.array(bounds) > sigma) == pytest.approx(0.95, abs=0.035)


def test_bound_of_one_column_by_hand():
    """Two numbers 1 apart: squares 1/2, one degree of freedom."""
    errors = columns([[0.0], [1.0]], [10, 12])
    assert noise_bound(errors, [10, 12]) == pytest.approx(np.sqrt(0.5 / stats.chi2.ppf(0.05, 1)))
