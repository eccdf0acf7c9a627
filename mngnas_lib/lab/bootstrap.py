"""Resampled rank correlations, all resamples at once.

Tau follows scipy. In a resample that holds architecture i ``w_i`` times it is a ratio of sums over pairs::

    sum w_i w_j s_ij / sqrt(sum w_i w_j [x_i != x_j] * sum w_i w_j [y_i != y_j])

with ``s_ij`` = 1, 0, -1 for pairs in the same order, tied, and in opposite order. All resamples are one matrix product
with ``s``. Beyond :data:`EXACT_LIMIT` architectures ``s`` would not fit well in memory, and the ratio is replaced by
its first-order expansion in ``w`` (each architecture's own contribution to tau), whose error falls as 1 / n.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: Up to this many architectures resamples are evaluated exactly; beyond, by the first-order expansion.
EXACT_LIMIT = 3000

_BLOCK_CELLS = 2**22  # cells of a temporary matrix, so that a step takes some ten MiB

Floats = NDArray[np.float64]
Counts = NDArray[np.float32]
Ranks = NDArray[np.int64]


def is_constant(ranks: Ranks) -> bool:
    """Whether all architectures are tied, so that no correlation is defined. ``ranks``: (n,) dense ranks."""
    return len(ranks) < 2 or ranks.max() == 0


def tau_b(x: Ranks, y: Ranks) -> float:
    """Kendall's tau-b of two rankings (n,); NaN where one is constant."""
    if is_constant(x) or is_constant(y):
        return np.nan
    return float(stats.kendalltau(x, y)[0])


def interval(draws: Floats, confidence: float) -> tuple[float, float]:
    """Percentile interval of the draws that are defined; NaN where none is."""
    draws = draws[np.isfinite(draws)]
    if not len(draws):
        return np.nan, np.nan
    low, high = np.quantile(draws, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def _blocks(rows: int, columns: int) -> list[slice]:
    """Row slices of a (rows, columns) matrix that is too large to be made at once."""
    step = max(1, _BLOCK_CELLS // max(columns, 1))
    return [slice(start, min(start + step, rows)) for start in range(0, rows, step)]


def resample_counts(n: int, resamples: int, seed: int) -> Counts:
    """(resamples, n) how often each architecture is in each resample; single precision, for the products."""
    rng = np.random.default_rng(seed)
    counts = np.empty((resamples, n), dtype=np.float32)
    for rows in _blocks(resamples, n):
        block = counts[rows]
        drawn = rng.integers(n, size=block.shape) + n * np.arange(len(block))[:, None]
        block[:] = np.bincount(drawn.ravel(), minlength=block.size).reshape(block.shape)
    return counts


def tau_draws(x: Ranks, y: Ranks, counts: Counts) -> Floats:
    """(resamples,) tau-b of each resample; NaN where one ranking is constant in it."""
    n = len(x)
    if n > EXACT_LIMIT:
        # sum over architectures of (count - 1) * contribution, where contributions add up to zero
        return tau_b(x, y) + (counts @ contributions(x, y).astype(np.float32)).astype(np.float64)
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


def contributions(x: Ranks, y: Ranks) -> Floats:
    """(n,) derivative of tau-b by the weight of each architecture, at weights one; their sum is zero."""
    n = len(x)
    agreement = np.empty(n)
    for rows in _blocks(n, n):
        agreement[rows] = _pair_order(x, y, rows).sum(axis=1, dtype=np.int64)
    x_untied, y_untied = (n - np.bincount(ranks)[ranks] for ranks in (x, y))
    x_total, y_total = float(x_untied.sum()), float(y_untied.sum())
    scale = np.sqrt(x_total * y_total)
    return 2 * agreement / scale - agreement.sum() / scale * (x_untied / x_total + y_untied / y_total)


def spearman_draws(x: Ranks, y: Ranks, counts: Counts) -> Floats:
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
