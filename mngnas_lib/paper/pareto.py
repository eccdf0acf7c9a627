"""Trade-offs in the paper's tables: which rows no other row beats in everything, and what MNGNAS changes.

All numbers are the paper's. Less is better in all of them, accuracies are turned into errors before.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mngnas_lib.errors import PaperDataError
from mngnas_lib.paper.tables import paper_table

#: Metrics that are sizes or costs, in the order in which tables print them
COSTS = ("params", "madds", "search cost")


def pareto_front(points: np.ndarray) -> np.ndarray:
    """Which points are dominated by no other one: none is at most as large everywhere and smaller somewhere.

    Args:
        points: (n, d), less is better in each of the d columns. Equal points do not dominate each other. A point with a
            NaN is not compared: it is not in the front and dominates nothing.

    Returns:
        (n,) booleans.
    """
    points = np.asarray(points, dtype=float)
    known = ~np.isnan(points).any(axis=1)
    first, second = points[:, None, :], points[None, :, :]
    # [i, j]: j dominates i; comparisons with NaN are false
    dominated = (second <= first).all(axis=2) & (second < first).any(axis=2)
    return known & ~dominated.any(axis=1)


def trade_offs(number: int, dataset: str) -> pd.DataFrame:
    """The rows of a table that print an error, or an accuracy, on a set of images.

    Returns:
        One row a printed line: ``row`` (the label), ``search_space``, ``strategy``, ``algorithm``, ``params`` (M),
        ``madds`` (M), ``search cost`` (GPU days) and ``error`` (%): 100 minus the accuracy where the
        table prints that. What is not printed is NaN.

    Raises:
        PaperDataError: the paper has no such table, or the table no error or accuracy on these images.
    """
    table = paper_table(number)
    table = table[table["dataset"].isin([dataset, ""])]
    wide = table.pivot_table(index="line", columns="metric", values="value", aggfunc="first")
    if not {"error", "top-1"} & set(wide.columns):
        raise PaperDataError(f"Table {number} has no errors on {dataset!r}: choose one of its data sets")
    labels = table.groupby("line")[["row", "search_space", "strategy", "algorithm"]].first()
    error = wide["error"] if "error" in wide else 100 - wide["top-1"]
    costs = pd.DataFrame({name: wide.get(name, np.nan) for name in COSTS}, index=wide.index)
    rows = labels.join(costs).assign(error=error.round(2))
    return rows[rows["error"].notna()].reset_index(drop=True)


def against_baselines(number: int, dataset: str) -> pd.DataFrame:
    """Each MNGNAS row of a table beside the row of the strategy that it is combined with, in the same search space.

    Returns:
        One row a pair: ``search_space``, ``strategy``, MNGNAS minus its strategy in ``params``, ``madds``,
        ``search cost`` and ``error``, and ``better_in_all``: whether it is no worse in size, MAdds and error, and
        better in one of them. The search cost, which no row of MNGNAS lowers, is left out of this.
    """
    rows = trade_offs(number, dataset)
    ours = rows[rows["algorithm"] == "MNGNAS"].drop_duplicates(["search_space", "strategy"])
    theirs = rows[(rows["algorithm"] == rows["strategy"]) & (rows["strategy"] != "")]
    pairs = ours.merge(theirs, on=["search_space", "strategy"], suffixes=("", "_base"))
    result = pairs[["search_space", "strategy"]].copy()
    for name in (*COSTS, "error"):
        result[name] = (pairs[name] - pairs[f"{name}_base"]).round(4)
    changes = result[["params", "madds", "error"]].dropna(axis=1, how="all")
    result["better_in_all"] = (changes <= 0).all(axis=1) & (changes < 0).any(axis=1)
    return result
