"""Are the differences of Tables V and X larger than their noise? Welch's t-test from printed means and deviations.

The paper repeats each search of NAS-Bench-201 with four seeds and prints ``mean ± std``. That is all that Welch's test
needs, as long as the runs of two methods are independent of each other. If they shared seeds, a paired test could find
smaller differences, but the printed numbers do not allow one.

A standard deviation may have been divided by n - 1 (the estimate that the test wants) or by n (NumPy's default). The
paper does not say which. The functions take ``ddof``: 1 is the first and favours the differences, 0 the second.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, stats

from mngnas_lib.errors import ConfigError
from mngnas_lib.paper.tables import paper_table

#: Runs behind each mean of Tables V and X (Section IV-F: "four times", four seeds).
SEEDS = 4


@dataclass(frozen=True)
class Sample:
    """What a table prints of n runs: their mean and standard deviation, in points of accuracy."""

    mean: float
    std: float
    n: int = SEEDS


@dataclass(frozen=True)
class Welch:
    """Ours minus theirs: the difference, its confidence interval, and Welch's test that it is zero (two-sided)."""

    value: float
    low: float
    high: float
    t: float
    df: float
    p: float


def welch(ours: Sample, theirs: Sample, *, ddof: int = 1, confidence: float = 0.95) -> Welch:
    """Welch's t-test of the difference of two means, with unequal variances.

    Args:
        ddof: how the standard deviations were computed, 1 for n - 1 and 0 for n in the denominator.

    Raises:
        ConfigError: fewer than two runs, a negative deviation, no deviation at all, or settings out of range.
    """
    if ddof not in (0, 1) or not 0 < confidence < 1:
        raise ConfigError(f"ddof={ddof}, confidence={confidence}: ddof is 0 or 1, confidence between 0 and 1")
    for sample in (ours, theirs):
        if sample.n < 2 or not sample.std >= 0:
            raise ConfigError(f"{sample}: a test needs two runs or more, and a standard deviation of zero or more")
    stds = [sample.std * math.sqrt(sample.n / (sample.n - 1)) if ddof == 0 else sample.std for sample in (ours, theirs)]
    variances = [std**2 / sample.n for std, sample in zip(stds, (ours, theirs), strict=True)]
    if sum(variances) == 0:
        raise ConfigError("both standard deviations are zero: there is no noise to compare the difference with")
    t, p = stats.ttest_ind_from_stats(ours.mean, stds[0], ours.n, theirs.mean, stds[1], theirs.n, equal_var=False)
    df = sum(variances) ** 2 / sum(v**2 / (s.n - 1) for v, s in zip(variances, (ours, theirs), strict=True))
    margin = stats.t.ppf((1 + confidence) / 2, df) * math.sqrt(sum(variances))
    value = ours.mean - theirs.mean
    return Welch(value, value - margin, value + margin, float(t), float(df), float(p))


def holm(p_values: Sequence[float]) -> np.ndarray:
    """(n,) p-values adjusted by Holm's step-down procedure, in the order given.

    The smallest is multiplied by n, the next by n - 1, and so on; none may fall below one before it, or exceed 1. What
    is then at most 0.05 is significant, with at most 5 % chance of a single false one among all n.

    Raises:
        ConfigError: a number outside [0, 1], NaN included.
    """
    p = np.asarray(p_values, dtype=float)
    if p.ndim != 1 or not ((p >= 0) & (p <= 1)).all():
        raise ConfigError("p-values lie between 0 and 1: give a list of such numbers")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


def runs_needed(difference: float, std: float, *, power: float = 0.8, level: float = 0.05, most: int = 10**9) -> int:
    """Runs of each method with which a true difference is found with probability ``power``, at one test's ``level``.

    Both methods are taken to have the standard deviation ``std`` (n - 1) and normally distributed results.

    Raises:
        ConfigError: no difference, no deviation, or settings out of range.
    """
    if difference == 0 or std <= 0 or not 0 < power < 1 or not 0 < level < 1:
        raise ConfigError("runs_needed wants a difference, a positive std, and power and level between 0 and 1")
    effect = abs(difference) / std

    def misses(n: float) -> float:
        df, shift = 2 * n - 2, effect * math.sqrt(n / 2)
        bound = stats.t.ppf(1 - level / 2, df)
        return float(stats.nct.sf(bound, df, shift) + stats.nct.cdf(-bound, df, shift)) - power

    # by the normal distribution, which is right for many runs and too few for few
    guess = 2 * ((stats.norm.ppf(1 - level / 2) + stats.norm.ppf(power)) / effect) ** 2
    if guess > 1000:
        return min(most, math.ceil(guess))
    if misses(2) >= 0:
        return 2
    return math.ceil(optimize.brentq(misses, 2, guess + 10) - 1e-9)


def printed_pairs(number: int) -> pd.DataFrame:
    """MNGNAS and what it is compared with under the same SuperNet training, as Table V or X prints them.

    Args:
        number: 5, against the one-shot method alone, or 10, against the algorithms A to D.

    Returns:
        One row a pair: ``table``, ``strategy``, ``dataset``, ``split``, ``baseline``; ``ours``, ``ours_std``,
        ``theirs``, ``theirs_std`` (percent, points), and ``n`` runs each.

    Raises:
        ConfigError: the table is another.
    """
    if number not in (5, 10):
        raise ConfigError(f"table {number}: only Tables 5 and 10 print means and deviations of baselines and MNGNAS")
    cells = paper_table(number)
    cells = cells[cells["std"].notna() & (cells["strategy"] != "")]
    is_ours = cells["algorithm"] == "MNGNAS"
    theirs = cells[~is_ours].assign(baseline=cells["letter"].where(cells["letter"] != "", cells["algorithm"]))
    keys = ["table", "strategy", "dataset", "split"]
    renamed = [
        side.rename(columns={"value": name, "std": f"{name}_std"})
        for side, name in ((theirs, "theirs"), (cells[is_ours], "ours"))
    ]
    pairs = renamed[0].merge(renamed[1][[*keys, "ours", "ours_std"]], on=keys, validate="many_to_one")
    return pairs[[*keys, "baseline", "ours", "ours_std", "theirs", "theirs_std"]].assign(n=SEEDS)


def welch_pairs(pairs: pd.DataFrame, *, ddof: int = 1, level: float = 0.05) -> pd.DataFrame:
    """Welch's test of each pair, and Holm's correction over all of them.

    Args:
        pairs: one row a pair with ``ours``, ``ours_std``, ``theirs``, ``theirs_std`` (points), and ``n`` runs each.
        level: what an adjusted p-value may be at most to be called significant.

    Returns:
        The same rows with ``difference``, ``low``, ``high`` (95 %), ``t``, ``df``, ``p``, ``p_holm``, ``significant``
        (after correction), and ``needed``: the runs of each method that it would take to find a true difference of this
        size in four of five attempts, without correction.
    """
    rows = []
    for row in pairs.itertuples():
        test = welch(Sample(row.ours, row.ours_std, row.n), Sample(row.theirs, row.theirs_std, row.n), ddof=ddof)
        std = math.hypot(row.ours_std, row.theirs_std) / math.sqrt(2) * (math.sqrt(row.n / (row.n - 1)) ** (1 - ddof))
        # printed means have two decimals: less than that is no difference
        needed = runs_needed(test.value, std) if abs(test.value) > 1e-9 else math.inf
        rows.append([test.value, test.low, test.high, test.t, test.df, test.p, needed])
    columns = ["difference", "low", "high", "t", "df", "p", "needed"]
    tested = pairs.join(pd.DataFrame(rows, index=pairs.index, columns=columns))
    tested["p_holm"] = holm(tested["p"])
    tested["significant"] = tested["p_holm"] <= level
    return tested
