"""How much Kendall's tau of Table XI would change with another draw of 1,000 architectures.

The paper prints one tau a method, without an interval. How far sampling alone moves a tau is known for pairs of normal
variables, and by simulation for the difference of two taus over the same architectures. Both leave out all other noise:
another training of the SuperNet, another search. Taus are fractions here; the paper prints tau x 100.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from mngnas_lib.errors import ConfigError


def correlation_of_tau(tau: float) -> float:
    """The correlation of two normal variables with this Kendall's tau: sin(pi tau / 2)."""
    if not -1 <= tau <= 1:
        raise ConfigError(f"tau is {tau}: give a fraction between -1 and 1 (the paper prints tau x 100)")
    return math.sin(math.pi * tau / 2)


def tau_error(tau: float, n: int) -> float:
    """Standard error of Kendall's tau over n draws of two normal variables whose true tau is given (Esscher 1924).

    Raises:
        ConfigError: tau out of range, or fewer than two architectures.
    """
    _check(n)
    rho = correlation_of_tau(tau)
    single = 1 / 9 - (2 / math.pi * math.asin(rho / 2)) ** 2
    variance = 2 / (n * (n - 1)) * (1 - tau**2 + 2 * (n - 2) * single)
    # tau = 1 leaves zero, or a little less by rounding
    return math.sqrt(max(variance, 0.0))


def difference_error(tau: float, n: int) -> float:
    """Standard error of the difference of two taus over *different* draws of n architectures each."""
    return math.sqrt(2) * tau_error(tau, n)


def simulated_taus(tau: float, agreement: float, n: int, *, draws: int = 400, seed: int = 0) -> np.ndarray:
    """Taus of two predictions with the truth, over the same n architectures, drawn anew ``draws`` times.

    Truth and both predictions are normal; each prediction has the true ``tau`` with the truth.

    Args:
        agreement: correlation of the two predictions with each other.

    Returns:
        (draws, 2).

    Raises:
        ConfigError: settings out of range, or two predictions that cannot agree so little and both be this good.
    """
    _check(n)
    rho = correlation_of_tau(tau)
    if not 2 * rho**2 - 1 - 1e-12 <= agreement <= 1:
        raise ConfigError(
            f"agreement={agreement}: two predictions with a correlation of {rho:.3f} to the truth have one of "
            f"{2 * rho**2 - 1:.3f} to 1 with each other"
        )
    # what the truth leaves of each prediction, in a part that both share and a part of their own
    rest = 1 - rho**2
    shared = (agreement - rho**2) / rest if rest > 0 else 1.0
    rng = np.random.default_rng(seed)
    taus = np.empty((draws, 2))
    for draw in range(draws):
        true, first, second = rng.standard_normal((3, n))
        second = shared * first + math.sqrt(max(0.0, 1 - shared**2)) * second
        for column, noise in enumerate((first, second)):
            taus[draw, column] = stats.kendalltau(rho * true + math.sqrt(rest) * noise, true)[0]
    return taus


def paired_error(tau: float, agreement: float, n: int, *, draws: int = 400, seed: int = 0) -> float:
    """Standard error of the difference of two taus over the *same* n architectures; arguments as above."""
    first, second = simulated_taus(tau, agreement, n, draws=draws, seed=seed).T
    return float(np.std(first - second, ddof=1))


def architectures_needed(difference: float, error: float, n: int, *, confidence: float = 0.95) -> int:
    """With how many architectures the interval of a difference would just exclude zero, if n give it ``error``.

    Raises:
        ConfigError: no difference, or numbers out of range.
    """
    _check(n)
    if difference == 0 or error < 0 or not 0 < confidence < 1:
        raise ConfigError(
            "architectures_needed wants a difference, an error of zero or more, and a confidence in (0, 1)"
        )
    return math.ceil(n * (stats.norm.ppf((1 + confidence) / 2) * error / difference) ** 2)


def _check(n: int) -> None:
    if n < 2:
        raise ConfigError(f"n is {n}: a ranking needs two architectures or more")
