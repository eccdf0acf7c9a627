"""The noise of Kendall's tau, against scipy's null distribution, the published value, and bootstraps of the kit."""

import math

import numpy as np
import pytest
from scipy import stats

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.stats import compare_taus
from mngnas_lib.paper.tau_noise import (
    architectures_needed,
    correlation_of_tau,
    difference_error,
    paired_error,
    simulated_taus,
    tau_error,
)


def test_without_correlation_it_is_the_well_known_null_error():
    for n in (2, 10, 1000):
        assert tau_error(0.0, n) == pytest.approx(math.sqrt(2 * (2 * n + 5) / (9 * n * (n - 1))))


def test_a_perfect_ranking_has_no_noise():
    assert tau_error(1.0, 50) == pytest.approx(0, abs=1e-8) and tau_error(-1.0, 50) == pytest.approx(0, abs=1e-8)


def test_two_architectures_by_hand():
    """One pair is in order with probability (1 + tau) / 2, so tau is a coin with values 1 and -1."""
    assert tau_error(0.6, 2) == pytest.approx(math.sqrt(1 - 0.6**2))


@pytest.mark.parametrize("agreement", [0.65, 0.95])
def test_the_simulation_has_the_tau_the_agreement_and_the_error_that_it_should(agreement):
    taus = simulated_taus(0.57, agreement, 300, draws=200, seed=1)
    error = tau_error(0.57, 300)
    # four standard errors of a mean and of a deviation of 200 draws
    np.testing.assert_allclose(taus.mean(0), 0.57, atol=4 * error / math.sqrt(200))
    np.testing.assert_allclose(taus.std(0, ddof=1), error, rtol=4 / math.sqrt(2 * 200))


def test_the_agreement_is_the_correlation_of_the_predictions():
    """At agreement 1 both predictions are one; the less they agree, the more their taus differ."""
    same = simulated_taus(0.5, 1.0, 60, draws=20)
    np.testing.assert_array_equal(same[:, 0], same[:, 1])
    rho = correlation_of_tau(0.5)
    errors = [paired_error(0.5, agreement, 200, draws=100) for agreement in (2 * rho**2 - 1, 0.9, 0.99)]
    assert errors == sorted(errors, reverse=True)
    assert errors[1] < difference_error(0.5, 200)


def test_the_paired_error_is_that_of_a_paired_bootstrap():
    rng, rho, agreement, n = np.random.default_rng(3), correlation_of_tau(0.57), 0.9, 1000
    covariance = [[1, rho, rho], [rho, 1, agreement], [rho, agreement, 1]]
    true, first, second = rng.multivariate_normal(np.zeros(3), covariance, size=n).T
    interval = compare_taus(first, second, true, resamples=300)
    error = paired_error(0.57, agreement, n, draws=200)
    assert (interval.high - interval.low) / (2 * stats.norm.ppf(0.975)) == pytest.approx(error, rel=0.25)


def test_architectures_needed_by_hand():
    # an error of 0.02 at n = 1000 is 0.01 at 4000, and 1.96 of that are 0.0196
    assert architectures_needed(0.0196, 0.02, 1000) == pytest.approx(4000, abs=2)
    assert architectures_needed(-0.0196, 0.02, 1000) == architectures_needed(0.0196, 0.02, 1000)


def test_settings_out_of_range_are_named():
    with pytest.raises(ConfigError, match="tau x 100"):
        tau_error(57.0, 1000)
    with pytest.raises(ConfigError, match="two architectures"):
        tau_error(0.5, 1)
    with pytest.raises(ConfigError, match=r"0\.218 to 1"):
        simulated_taus(0.57, 0.1, 100)
    with pytest.raises(ConfigError, match="wants a difference"):
        architectures_needed(0.0, 0.02, 1000)
