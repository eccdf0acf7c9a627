"""What an ablation without standard deviations can show: Tables XII, XIII, XIV and XVI (Sections V-C and V-D).

Each prints one error for each setting (number of teachers or of perturbed architectures), set of images and SuperNet
training. Nothing says how far two runs of one setting lie apart. Left are the *directions* of many independent columns,
and how near to each other the numbers of different settings are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import pandas as pd
from scipy import stats

from mngnas_lib.errors import PaperDataError
from mngnas_lib.paper.tables import paper_table

#: Tables that vary one setting and print no deviations, and the column that holds it
SWEPT = {12: "teachers", 13: "teachers", 14: "teachers", 16: "perturbed"}
#: Images that an error is counted on: the official test or validation sets. (Of ImageNet16-120 the validation images of
#: 120 classes, 50 each; NAS-Bench-201 splits them into two halves.)
TEST_IMAGES = {"CIFAR10": 10_000, "CIFAR100": 10_000, "ImageNet16-120": 6_000, "ImageNet": 50_000}


def sweep(number: int) -> pd.DataFrame:
    """An ablation's errors in percent: one row a setting, one column a (dataset, strategy).

    Raises:
        PaperDataError: this table varies no setting, or prints deviations.
    """
    if number not in SWEPT:
        raise PaperDataError(f"Table {number} is no ablation without deviations: choose one of {list(SWEPT)}")
    table = paper_table(number)
    wide = table.pivot(index=SWEPT[number], columns=["dataset", "strategy"], values="value")
    wide.index = wide.index.astype(int)
    return wide[list(dict.fromkeys(zip(table["dataset"], table["strategy"], strict=True)))]


def steps(errors: pd.DataFrame) -> pd.DataFrame:
    """What each column does from one setting to the next.

    Args:
        errors: as :func:`sweep` gives them.

    Returns:
        One row a column and step: ``dataset``, ``strategy``, ``before`` and ``after`` (settings), ``change`` (points;
        negative: the error falls), ``images`` (the change as a number of test images), and ``direction``: ``down``,
        ``same`` (the same printed number) or ``up``.
    """
    settings = list(errors.index)
    rows = []
    for dataset, strategy in errors.columns:
        column = errors[dataset, strategy]
        for before, after in pairwise(settings):
            # both are printed with two decimals
            change = round(float(column[after] - column[before]), 2)
            direction = "same" if change == 0 else "down" if change < 0 else "up"
            images = round(change / 100 * TEST_IMAGES[dataset])
            rows.append([dataset, strategy, before, after, change, images, direction])
    names = ["dataset", "strategy", "before", "after", "change", "images", "direction"]
    return pd.DataFrame(rows, columns=names)


def trend(errors: pd.DataFrame, settings: Sequence[int]) -> float:
    """p of Page's trend test: do the columns fall from the first of these settings to the last?

    Each column only ranks its own errors, so that no deviations are needed. Columns are taken to be independent; errors
    of one search that is evaluated on several sets of images would not be.
    """
    ranks = list(range(len(settings), 0, -1))
    return float(stats.page_trend_test(errors.loc[list(settings)].to_numpy().T, predicted_ranks=ranks).pvalue)


def spread(errors: pd.DataFrame, settings: Sequence[int]) -> pd.Series:
    """Largest minus smallest error among these settings, of each column, in points."""
    chosen = errors.loc[list(settings)]
    return (chosen.max() - chosen.min()).round(2)


def noise_bound(errors: pd.DataFrame, settings: Sequence[int], *, level: float = 0.95) -> float:
    """The largest standard deviation of a single run, in points, that errors so near to each other leave room for.

    If these settings differed in nothing but chance, each column would hold independent draws from a normal
    distribution with a mean of its own; all columns share the deviation. True differences between the settings only add
    to what is seen, so the bound holds with them as well. Rounding is not allowed for.

    Returns:
        The upper end of the one-sided ``level`` confidence interval.
    """
    chosen = errors.loc[list(settings)]
    squares = float(((chosen - chosen.mean()) ** 2).to_numpy().sum())
    freedom = chosen.shape[1] * (len(chosen) - 1)
    return math.sqrt(squares / stats.chi2.ppf(1 - level, freedom))
