"""How far two rankings of architectures agree: Kendall's tau-b and its kin, each with its interval.

Every function takes one number an architecture, the higher the better: what the search saw (``predicted``) and what
the benchmark says (``true``). Only their order counts, so accuracies may be fractions or percent, and a cost such as
FLOPs or parameters may stand in for a prediction. Infinite values rank first or last; NaN is an error.

Intervals are percentile intervals of a bootstrap over architectures: they say how much the number would change with
another draw of architectures, not with another training of the SuperNet. They are too short where there are few
architectures (below about 20), and have no width where the ranking is perfect, since then it is so in each resample.
Resamples in which one ranking is constant have no tau and are left out.

Tau follows scipy. In a resample that holds architecture i ``w_i`` times it is a ratio of sums over pairs::

    sum w_i w_j s_ij / sqrt(sum w_i w_j [x_i != x_j] * sum w_i w_j [y_i != y_j])

with ``s_ij`` = 1, 0, -1 for pairs in the same order, tied, and in opposite order. All resamples are one matrix product
with ``s``. Beyond :data:`EXACT_LIMIT` architectures ``s`` would not fit well in memory, and the ratio is replaced by
its first-order expansion in ``w`` (each architecture's own contribution to tau), whose error falls as 1 / n.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from mngnas_lib.errors import ConfigError

#: Up to this many architectures resamples are evaluated exactly; beyond, by the first-order expansion.
EXACT_LIMIT = 3000

_BLOCK_CELLS = 2**22  # cells of a temporary matrix, so that a step takes some ten MiB

Floats = NDArray[np.float64]
Counts = NDArray[np.float32]
Ranks = NDArray[np.int64]


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
    value = _tau_b(a, y) - _tau_b(b, y)
    if np.isnan(value):
        return Difference(np.nan, np.nan, np.nan, np.nan, len(y))
    counts = _resample_counts(len(y), resamples, seed)
    draws = _tau_draws(a, y, counts) - _tau_draws(b, y, counts)
    draws = draws[np.isfinite(draws)]
    rarer = min((draws <= 0).sum(), (draws >= 0).sum())
    p = min(1.0, 2 * (float(rarer) + 1) / (len(draws) + 1))
    return Difference(value, *_interval(draws, confidence), p, len(y))


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
    if _is_constant(x) or _is_constant(y):
        return Tau(np.nan, np.nan, np.nan, len(y))
    value = float(stats.spearmanr(x, y)[0])
    draws = _spearman_draws(x, y, _resample_counts(len(y), resamples, seed))
    return Tau(value, *_interval(draws, confidence), len(y))


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


def _is_constant(ranks: Ranks) -> bool:
    return len(ranks) < 2 or ranks.max() == 0


def _tau_b(x: Ranks, y: Ranks) -> float:
    if _is_constant(x) or _is_constant(y):
        return np.nan
    return float(stats.kendalltau(x, y)[0])


def _mean_tau(pairs: Sequence[tuple[Ranks, Ranks]], confidence: float, resamples: int, seed: int) -> Tau:
    n = len(pairs[0][0])
    value = float(np.mean([_tau_b(x, y) for x, y in pairs]))
    if np.isnan(value):
        return Tau(np.nan, np.nan, np.nan, n)
    counts = _resample_counts(n, resamples, seed)
    draws = sum(_tau_draws(x, y, counts) for x, y in pairs) / len(pairs)
    return Tau(value, *_interval(draws, confidence), n)


def _interval(draws: Floats, confidence: float) -> tuple[float, float]:
    draws = draws[np.isfinite(draws)]
    if not len(draws):
        return np.nan, np.nan
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _blocks(rows: int, columns: int) -> list[slice]:
    """Row slices of a (rows, columns) matrix that is too large to be made at once."""
    step = max(1, _BLOCK_CELLS // max(columns, 1))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def _resample_counts(n: int, resamples: int, seed: int) -> Counts:
    """(resamples, n) how often each architecture is in each resample; single precision, for the products."""
    rng = np.random.default_rng(seed)
    counts = np.empty((resamples, n), dtype=np.float32)
    for rows in _blocks(resamples, n):
        block = counts[rows]
        drawn = rng.integers(n, size=block.shape) + n * np.arange(len(block))[:, None]
        block[:] = np.bincount(drawn.ravel(), minlength=block.size).reshape(block.shape)
    return counts


def _tau_draws(x: Ranks, y: Ranks, counts: Counts) -> Floats:
    """(resamples,) tau-b of each resample; NaN where one ranking is constant in it."""
    n = len(x)
    if n > EXACT_LIMIT:
        # sum over architectures of (count - 1) * contribution, where contributions add up to zero
        return _tau_b(x, y) + (counts @ _contributions(x, y).astype(np.float32)).astype(np.float64)
    order = _pair_order(x, y, slice(0, n)).astype(np.float32)
    agreement = np.empty(len(counts))
    for rows in _blocks(len(counts), n):
        # exact: whole numbers, and small enough for single precision until the last sum
        agreement[rows] = ((counts[rows] @ order) * counts[rows]).sum(axis=1, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return agreement / np.sqrt(_untied(x, counts) * _untied(y, counts))


def _pair_order(x: Ranks, y: Ranks, rows: slice) -> NDArray[np.signedinteger]:
    """(rows, n) for each pair 1, 0, -1: in the same order in both rankings, tied in one, in opposite order."""
    # the smallest integers that hold differences of ranks are the fastest
    x, y = (ranks.astype(np.min_scalar_type(-len(ranks))) for ranks in (x, y))
    return np.sign(x[rows, None] - x) * np.sign(y[rows, None] - y)


def _untied(ranks: Ranks, counts: Counts) -> Floats:
    """(resamples,) ordered pairs of draws that differ in rank: all pairs less the squares of the groups' sizes."""
    untied = np.empty(len(counts))
    for rows in _blocks(len(counts), len(ranks)):
        groups = _group_sizes(ranks, counts[rows])
        untied[rows] = float(len(ranks)) ** 2 - np.einsum("rg,rg->r", groups, groups)
    return untied


def _group_sizes(ranks: Ranks, counts: Counts) -> Floats:
    """(resamples, groups) draws of each rank, from the lowest to the highest."""
    order = np.argsort(ranks, kind="stable")
    starts = np.searchsorted(ranks[order], np.arange(ranks.max() + 1))
    return np.add.reduceat(counts[:, order], starts, axis=1).astype(np.float64)


def _contributions(x: Ranks, y: Ranks) -> Floats:
    """(n,) derivative of tau-b by the weight of each architecture, at weights one; their sum is zero."""
    n = len(x)
    agreement = np.empty(n)
    for rows in _blocks(n, n):
        agreement[rows] = _pair_order(x, y, rows).sum(axis=1, dtype=np.int64)
    x_untied, y_untied = (n - np.bincount(ranks)[ranks] for ranks in (x, y))
    x_total, y_total = float(x_untied.sum()), float(y_untied.sum())
    scale = np.sqrt(x_total * y_total)
    return 2 * agreement / scale - agreement.sum() / scale * (x_untied / x_total + y_untied / y_total)


def _spearman_draws(x: Ranks, y: Ranks, counts: Counts) -> Floats:
    """(resamples,) Spearman's correlation of each resample; NaN where one ranking is constant in it."""
    draws = np.empty(len(counts))
    for rows in _blocks(len(counts), len(x)):
        block = counts[rows].astype(np.float64)
        centred = []
        for ranks in (x, y):
            groups = _group_sizes(ranks, counts[rows])
            # mean rank of a group: those below, and half of its own; less the mean of all ranks
            centred.append((np.cumsum(groups, axis=1) - groups / 2 - len(x) / 2)[:, ranks])
        (a, b), weighted = centred, [block * part for part in centred]
        products = [np.einsum("rn,rn->r", *pair) for pair in ((weighted[0], b), (weighted[0], a), (weighted[1], b))]
        with np.errstate(invalid="ignore"):
            draws[rows] = products[0] / np.sqrt(products[1] * products[2])
    return draws


def _chance_in_top(ranks: Ranks, k: int) -> Floats:
    """(n,) probability of being among the k highest when ties are broken at random."""
    last = np.partition(ranks, len(ranks) - k)[len(ranks) - k]
    above, tied = ranks > last, ranks == last
    return above + tied * ((k - above.sum()) / tied.sum())
