"""How far two rankings of architectures agree: Kendall's tau-b and its kin, each with its interval.

Every function takes one number an architecture, the higher the better: what the search saw (``predicted``) and what
the benchmark says (``true``). Only their order counts, so accuracies may be fractions or percent, and a cost such as
FLOPs or parameters may stand in for a prediction. Infinite values rank first or last; NaN is an error.

Intervals are percentile intervals of a bootstrap over architectures: they say how much the number would change with
another draw of architectures, not with another training of the SuperNet. They are too short where there are few
architectures (below about 20), and have no width where the ranking is perfect, since then it is so in each resample.
Resamples in which one ranking is constant have no tau and are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import stats

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.bootstrap import (
    Floats,
    Ranks,
    interval,
    is_constant,
    resample_counts,
    spearman_draws,
    tau_b,
    tau_draws,
)


@dataclass(frozen=True)
class Tau:
    """A rank correlation in [-1, 1], the ends of its confidence interval, and the number of architectures.

    ``value`` is NaN for fewer than two architectures and where one ranking is constant; so are ``low`` and ``high``.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Difference:
    """One tau minus another over the same architectures, with its confidence interval and two-sided p-value."""

    value: float
    low: float
    high: float
    p: float
    n: int


def kendall_tau(
    predicted: ArrayLike, true: ArrayLike, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Tau:
    """Kendall's tau-b between two rankings, with a bootstrap interval over architectures.

    Args:
        predicted, true: (n,) one number an architecture, the higher the better, in any unit.
        confidence: share of resamples inside the interval.
        resamples: how many times n architectures are drawn with replacement.
        seed: of these draws; equal seeds and n give equal draws.

    Raises:
        ConfigError: for other shapes, different lengths, NaN, or settings out of range.
    """
    _check_settings(confidence, resamples)
    x, y = _rankings(predicted=predicted, true=true)
    return _mean_tau([(x, y)], confidence, resamples, seed)


def compare_taus(
    predicted_a: ArrayLike,
    predicted_b: ArrayLike,
    true: ArrayLike,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Difference:
    """tau-b(a, true) - tau-b(b, true), by a paired bootstrap: both taus see the same resamples.

    The p-value is twice the share of resamples in which the difference is zero or has the rarer sign, counting the
    data as one resample more. Hence it is never below 2 / (resamples + 1), and 1 for a ranking against itself.
    Arguments and errors as in :func:`kendall_tau`.
    """
    _check_settings(confidence, resamples)
    a, b, y = _rankings(predicted_a=predicted_a, predicted_b=predicted_b, true=true)
    value = tau_b(a, y) - tau_b(b, y)
    if np.isnan(value):
        return Difference(np.nan, np.nan, np.nan, np.nan, len(y))
    counts = resample_counts(len(y), resamples, seed)
    draws = tau_draws(a, y, counts) - tau_draws(b, y, counts)
    draws = draws[np.isfinite(draws)]
    rarer = min((draws <= 0).sum(), (draws >= 0).sum())
    p = min(1.0, 2 * (float(rarer) + 1) / (len(draws) + 1))
    return Difference(value, *interval(draws, confidence), p, len(y))


def tau_in_top(
    predicted: ArrayLike,
    true: ArrayLike,
    fraction: float,
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Tau:
    """tau-b among the truly best architectures, where a search has to choose.

    The best ``ceil(fraction * n)`` by ``true`` are kept, and with them all that tie with the last of these, so that
    the choice does not depend on the order of the arrays. Resamples are drawn among those kept; ``n`` counts them.
    ``fraction`` is in (0, 1]: 0.5 for the better half, 0.1 for the best tenth; a ConfigError otherwise. The other
    arguments and errors are those of :func:`kendall_tau`.
    """
    _check_settings(confidence, resamples)
    if not 0 < fraction <= 1:
        raise ConfigError(f"fraction is {fraction}; give a number above 0 and up to 1, such as 0.5 for the top half")
    x, y = _rankings(predicted=predicted, true=true)
    if len(y):
        # 0.07 * 100 is a little above 7 in binary, and must still count as 7
        keep = max(1, int(np.ceil(fraction * len(y) - 1e-9)))
        best = y >= np.partition(y, len(y) - keep)[len(y) - keep]
        x, y = (np.unique(ranks[best], return_inverse=True)[1] for ranks in (x, y))
    return _mean_tau([(x, y)], confidence, resamples, seed)


def spearman(
    predicted: ArrayLike, true: ArrayLike, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0
) -> Tau:
    """Spearman's rank correlation, with a bootstrap interval; arguments and errors as in :func:`kendall_tau`.

    Ties take the mean of their ranks, within each resample anew.
    """
    _check_settings(confidence, resamples)
    x, y = _rankings(predicted=predicted, true=true)
    if is_constant(x) or is_constant(y):
        return Tau(np.nan, np.nan, np.nan, len(y))
    value = float(stats.spearmanr(x, y)[0])
    draws = spearman_draws(x, y, resample_counts(len(y), resamples, seed))
    return Tau(value, *interval(draws, confidence), len(y))


def noise_ceiling(runs: ArrayLike, *, confidence: float = 0.95, resamples: int = 1000, seed: int = 0) -> Tau:
    """tau-b of a benchmark's training runs with each other: what even a second full training would reach.

    Averaged over all r (r - 1) / 2 pairs of runs; the resamples of architectures are the same for all pairs. The mean
    over runs is less noisy than one run, so that a prediction's tau with the mean may pass this by a little.

    Args:
        runs: (n, r) accuracies in any unit, one column a run (training seed), r at least 2.
        confidence, resamples, seed: as in :func:`kendall_tau`.

    Raises:
        ConfigError: as :func:`kendall_tau`; leave out architectures that lack a run (NaN).
    """
    _check_settings(confidence, resamples)
    runs = _numbers("runs", runs)
    if runs.ndim != 2 or runs.shape[1] < 2:
        raise ConfigError(
            f"runs has shape {runs.shape}; give (n, r): one row an architecture, one column each run, r > 1"
        )
    columns = _rankings(**{f"run {index}": column for index, column in enumerate(runs.T)})
    return _mean_tau(list(itertools.combinations(columns, 2)), confidence, resamples, seed)


def precision_at_k(predicted: ArrayLike, true: ArrayLike, k: int) -> float:
    """Share of the predicted top k that is among the true top k, in [0, 1].

    Where ties leave open who is among the first k, the value is the mean over all ways of breaking them. A constant
    prediction therefore gets k / n, as a random ranking does on average.

    Raises:
        ConfigError: as :func:`kendall_tau`, and for k that is not a whole number from 1 to n.
    """
    x, y = _rankings(predicted=predicted, true=true)
    _check_k(k, len(y))
    return float(_chance_in_top(x, k) @ _chance_in_top(y, k) / k)


def best_rank_at_k(predicted: ArrayLike, true: ArrayLike, k: int) -> float:
    """True rank of the truly best architecture among the predicted top k; 1 is the best of all n.

    The true rank is 1 + the number of architectures that are truly better, so that equals share a rank. Where ties of
    the prediction leave open who is among its first k, the value is the mean over all ways of breaking them: a
    constant prediction gets (n + 1) / (k + 1) if ``true`` has no ties, as a random ranking does on average.

    Raises:
        ConfigError: as :func:`precision_at_k`.
    """
    x, y = _rankings(predicted=predicted, true=true)
    _check_k(k, len(y))
    rank = stats.rankdata(-y, method="min")
    chance = _chance_in_top(x, k)
    certain, tied = rank[chance == 1], np.sort(rank[(chance > 0) & (chance < 1)])
    best = certain.min() if len(certain) else np.inf
    if not len(tied):
        return float(best)
    # k - len(certain) places are left for the tied; the probability that none of the j + 1 best of them gets one
    missed = np.cumprod(np.clip(1 - (k - len(certain)) / np.arange(len(tied), 0, -1), 0, None))
    is_first = np.append(1.0, missed[:-1]) - missed
    return float(is_first @ np.minimum(tied, best))


def ranking_report(
    scores: Mapping[str, ArrayLike],
    true: ArrayLike,
    *,
    ks: Sequence[int] = (10,),
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """All measures of several rankings against one truth, one row a ranking.

    Columns: ``tau``, ``tau_low``, ``tau_high``; the same three for ``tau_top50`` and ``tau_top10`` (among the truly
    best 50 % and 10 %) and ``spearman``; ``precision@k`` (in [0, 1]) and ``best_rank@k`` (1 is best) for each k; ``n``
    architectures.

    Args:
        scores: by the ranking's name ("SPOS", "FLOPs", "params"), (n,) as ``predicted`` in :func:`kendall_tau`.
        true: (n,).
        ks: each from 1 to n.
        confidence, resamples, seed: as in :func:`kendall_tau`.

    Raises:
        ConfigError: as :func:`kendall_tau` and :func:`precision_at_k`.
    """
    settings = {"confidence": confidence, "resamples": resamples, "seed": seed}
    rows = {}
    for name, predicted in scores.items():
        estimates = {
            "tau": kendall_tau(predicted, true, **settings),
            "tau_top50": tau_in_top(predicted, true, 0.5, **settings),
            "tau_top10": tau_in_top(predicted, true, 0.1, **settings),
            "spearman": spearman(predicted, true, **settings),
        }
        row: dict[str, float] = {}
        for column, estimate in estimates.items():
            row |= {column: estimate.value, f"{column}_low": estimate.low, f"{column}_high": estimate.high}
        for k in ks:
            row[f"precision@{k}"] = precision_at_k(predicted, true, k)
            row[f"best_rank@{k}"] = best_rank_at_k(predicted, true, k)
        rows[name] = row | {"n": estimates["tau"].n}
    return pd.DataFrame(list(rows.values()), index=pd.Index(list(rows), name="ranking"))


def _check_settings(confidence: float, resamples: int) -> None:
    if not 0 < confidence < 1:
        raise ConfigError(f"confidence is {confidence}; give a number between 0 and 1, such as 0.95")
    if resamples < 1:
        raise ConfigError(f"resamples is {resamples}; give at least 1, better 1000")


def _check_k(k: int, n: int) -> None:
    if not isinstance(k, (int, np.integer)) or not 1 <= k <= n:
        raise ConfigError(f"k is {k}; give a whole number from 1 to the number of architectures, {n}")


def _numbers(name: str, values: ArrayLike) -> Floats:
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{name} is not an array of numbers ({error}); give one number an architecture") from error


def _rankings(**scores: ArrayLike) -> list[Ranks]:
    """Each checked and replaced by its dense ranks 0, 1, ..., which is all that counts here. Higher is better."""
    arrays = {name: _numbers(name, values) for name, values in scores.items()}
    for name, array in arrays.items():
        if array.ndim != 1:
            raise ConfigError(f"{name} has shape {array.shape}; give one number an architecture, shape (n,)")
        missing = int(np.isnan(array).sum())
        if missing:
            raise ConfigError(f"{name} is NaN for {missing} of {len(array)} architectures; leave these out everywhere")
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name}: {len(array)}" for name, array in arrays.items())
        raise ConfigError(f"the rankings differ in length ({lengths}); give the same architectures in the same order")
    return [np.unique(array, return_inverse=True)[1].astype(np.int64) for array in arrays.values()]


def _mean_tau(pairs: Sequence[tuple[Ranks, Ranks]], confidence: float, resamples: int, seed: int) -> Tau:
    n = len(pairs[0][0])
    value = float(np.mean([tau_b(x, y) for x, y in pairs]))
    if np.isnan(value):
        return Tau(np.nan, np.nan, np.nan, n)
    counts = resample_counts(n, resamples, seed)
    draws = sum(tau_draws(x, y, counts) for x, y in pairs) / len(pairs)
    return Tau(value, *interval(draws, confidence), n)


def _chance_in_top(ranks: Ranks, k: int) -> Floats:
    """(n,) probability of being among the k highest when ties are broken at random."""
    last = np.partition(ranks, len(ranks) - k)[len(ranks) - k]
    above, tied = ranks > last, ranks == last
    return above + tied * ((k - above.sum()) / tied.sum())
