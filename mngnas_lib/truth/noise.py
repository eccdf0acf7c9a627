"""How well a table tells architectures apart: Kendall's tau of its trainings with each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from mngnas_lib.lab.stats import Tau, kendall_tau, noise_ceiling


@dataclass(frozen=True)
class NoiseReport:
    """One comparison of trainings: over all its architectures, and over the half of them with the best means."""

    what: str
    archs: int
    overall: Tau
    top_half: Tau


def noise_report(trainings: pd.DataFrame, *, seed: int = 0) -> list[NoiseReport]:
    """Noise ceilings of a table of trainings.

    The first is of one training against another, averaged over all pairs of seeds that every architecture has. The
    second, where some architectures were trained once more, is of the mean of the common trainings against that one:
    closer to what a perfect prediction would reach that is held against the table's means.

    The top half is chosen by the mean over the common trainings. A choice by one of the trainings that are compared
    would be biased; by their mean it is so too, but less.

    Args:
        trainings: columns ``arch``, ``seed``, ``test``, one row a training. Where no seed is common to all
            architectures, there is nothing to report.
    """
    wide = trainings.pivot(index="arch", columns="seed", values="test")
    whole = wide.columns[wide.notna().all()]
    if whole.empty:
        return []
    common, means = wide[whole], wide[whole].mean(axis=1)
    top = means >= means.median()
    reports = []
    if len(whole) > 1 and top.sum() > 2:
        taus = (noise_ceiling(rows.to_numpy(), seed=seed) for rows in (common, common[top]))
        reports.append(NoiseReport("one training and another", len(wide), *taus))
    for extra in wide.columns.difference(whole):
        again = wide[extra].notna()
        if again.sum() < 6:
            continue
        half = again & (means >= means[again].median())
        taus = (kendall_tau(means[rows], wide.loc[rows, extra], seed=seed) for rows in (again, half))
        what = f"mean of {len(whole)} and one more" if len(whole) > 1 else "one training and one more"
        reports.append(NoiseReport(what, int(again.sum()), *taus))
    return reports


def variance_between_seeds(trainings: pd.DataFrame) -> float:
    """Variance of an architecture's test accuracies from seed to seed, pooled over architectures.

    NaN where no architecture was trained twice. Columns of ``trainings`` as for :func:`noise_report`.
    """
    groups = trainings.groupby("arch")["test"]
    degrees = groups.count() - 1
    return float((groups.var(ddof=1) * degrees).sum() / degrees.sum()) if degrees.any() else float(np.nan)


def reliability(trainings: pd.DataFrame) -> float:
    """Share of the variance of single test accuracies that is between architectures and not between seeds (ICC).

    From a one-way analysis of variance; unlike tau it weighs differences by their size. NaN where no architecture was
    trained twice.
    """
    groups = trainings.groupby("arch")["test"]
    counts = groups.count()
    within = variance_between_seeds(trainings)
    if np.isnan(within):
        return within
    # the usual n0 for groups of unequal size
    size = float((counts.sum() - (counts**2).sum() / counts.sum()) / (len(counts) - 1))
    grand = trainings["test"].mean()
    between = float((counts * (groups.mean() - grand) ** 2).sum() / (len(counts) - 1))
    signal = max(0.0, (between - within) / size)
    return signal / (signal + within) if signal + within > 0 else float(np.nan)
