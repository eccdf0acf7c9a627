"""Do the paper's tables agree with each other, and is every number possible where it stands?

Each function looks for one kind of disagreement and returns a table of what it finds. A find is no verdict on its
cause: two runs of the same setting, rounding, and a slip in typesetting look alike here.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from mngnas_lib.paper.compare import LOWER_IS_BETTER, ROMAN, claim_cells, half_unit

#: Settings that the paper chose (Section V): numbers of teachers and of perturbed architectures.
TEACHERS, PERTURBED = "10", "4"
#: By how many standard deviations the largest of four runs lies above their mean: at least 1/2 (deviation with n - 1 in
#: its denominator, three runs equal below one), at most the root of 3 (n in its denominator, three equal below one).
LEAST_ABOVE, MOST_ABOVE = 0.5, math.sqrt(3)

_ACCURACIES = {"error", "top-1"}


def repeated_settings(cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """Settings that several tables print: the same space, SuperNet training, method and data set.

    ``method`` is ``MNGNAS`` with the settings that the paper chose, or ``baseline``: the one-shot method, in Tables
    VIII to X algorithm A, which is this method with retraining by labels. Errors are turned into accuracies.

    Returns:
        One row a setting: ``search_space``, ``strategy``, ``method``, ``dataset``, ``split``; ``tables``, what each
        prints, as an accuracy in percent, and its deviation; ``lowest``, ``highest``, ``spread`` (points), and
        ``agree``: whether rounding alone can explain the spread.
    """
    cells = _accuracies(claim_cells() if cells is None else cells)
    chosen = cells["teachers"].isin(["", TEACHERS]) & cells["perturbed"].isin(["", PERTURBED])
    ours = (cells["algorithm"] == "MNGNAS") & chosen & cells["letter"].isin(["", "E"])
    theirs = (cells["algorithm"] == cells["strategy"]) & cells["letter"].isin(["", "A"])
    cells = cells[(cells["strategy"] != "") & (cells["quantity"] == "value") & (ours | theirs)]
    cells = cells.assign(method=np.where(cells["algorithm"] == "MNGNAS", "MNGNAS", "baseline"))
    keys = ["search_space", "strategy", "method", "dataset", "split"]
    # Table I says test in its caption, and the others say nothing
    cells["split"] = cells["split"].where(cells["search_space"] == "NAS-Bench-201", "")
    rows = []
    for key, group in cells.groupby(keys, sort=False):
        if group["table"].nunique() < 2:
            continue
        low, high = group.loc[group["accuracy"].idxmin()], group.loc[group["accuracy"].idxmax()]
        spread = high["accuracy"] - low["accuracy"]
        agree = spread <= half_unit(low["shown"]) + half_unit(high["shown"]) + 1e-9 and _one_deviation(group)
        printed = "; ".join(
            f"{ROMAN[int(row.table)]} {_with_deviation(row)}{' †' if '†' in row.row else ''}"
            for row in group.itertuples()
        )
        rows.append([*key, printed, low["accuracy"], high["accuracy"], spread, agree])
    return pd.DataFrame(rows, columns=[*keys, "tables", "lowest", "highest", "spread", "agree"])


def repeated_results(cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """The same mean and deviation, to the last digit, for different methods on the same data.

    Returns:
        One row a result: ``dataset``, ``split``, ``result``, ``rows`` (which print it), ``methods`` (how many).
    """
    cells = claim_cells() if cells is None else cells
    # a deviation of zero says that there was one run, or one result
    cells = cells[(cells["std"] != "") & (cells["quantity"] == "value")]
    cells = cells[cells["std"].map(float, na_action="ignore") > 0]
    results: dict[tuple[str, ...], list[str]] = {}
    for row in cells.itertuples():
        result = (row.dataset, row.split, f"{row.shown}±{float(row.std):.2f}")
        results.setdefault(result, []).append(f"{ROMAN[int(row.table)]} {_method(row)}")
    rows = []
    for result, printed in results.items():
        methods = {text.partition(" ")[2] for text in printed}
        if len(methods) > 1:
            rows.append([*result, ", ".join(printed), len(methods)])
    return pd.DataFrame(rows, columns=["dataset", "split", "result", "rows", "methods"])


def above_optimum(cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """Accuracies above those of the benchmark's best architecture, which Table V prints as ``Optimal``.

    Returns:
        ``table``, ``label``, ``dataset``, ``split``, ``quantity``, ``value``, ``optimum`` (percent).
    """
    cells = claim_cells() if cells is None else cells
    optimum = cells[cells["algorithm"] == "Optimal"].set_index(["dataset", "split"])["value"].rename("optimum")
    joined = cells[cells["search_space"] == "NAS-Bench-201"].join(optimum, on=["dataset", "split"])
    columns = ["table", "label", "dataset", "split", "quantity", "value", "optimum"]
    return joined[joined["value"] > joined["optimum"] + 1e-9][columns].reset_index(drop=True)


def bests(cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """Every best of Tables V and X beside the mean and deviation of the four runs, and whether it can be theirs.

    Whatever the four results, the largest lies 0.5 to 1.73 standard deviations above their mean. The lower bound is
    used for validation accuracies alone, since a printed test accuracy may be that of the run which validates best.
    That run may even lie below the mean; such a test accuracy is listed all the same, since it is no largest of the
    four. Rounding of all three numbers is allowed for.

    Returns:
        ``table``, ``label``, ``dataset``, ``split``, ``mean``, ``std``, ``best``, ``deviations`` (of the best above the
        mean), ``problem``: ``below the mean``, ``too near``, ``too far``, or empty.
    """
    cells = claim_cells() if cells is None else cells
    keys = ["table", "algorithm", "strategy", "letter", "dataset", "split"]
    means = cells[(cells["quantity"] == "value") & (cells["std"] != "")]
    highest = cells[cells["quantity"] == "best"][[*keys, "value", "shown"]]
    rows = []
    for row in means.merge(highest, on=keys, suffixes=("", "_best")).itertuples():
        gain, std = row.value_best - row.value, float(row.std)
        # both numbers of the gain, and the deviation, are rounded to two decimals
        slack = half_unit(row.shown) + half_unit(row.shown_best) + 1e-9
        problem = ""
        if gain < -slack:
            problem = "below the mean"
        elif gain - slack > MOST_ABOVE * (std + 0.005):
            problem = "too far"
        elif row.split == "valid" and gain + slack < LEAST_ABOVE * (std - 0.005):
            problem = "too near"
        numbers = [row.value, std, row.value_best, gain / std, problem]
        rows.append([row.table, row.label, row.dataset, row.split, *numbers])
    columns = ["table", "label", "dataset", "split", "mean", "std", "best", "deviations", "problem"]
    return pd.DataFrame(rows, columns=columns)


def bold_not_best(cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """Bold numbers that another number of the same column beats.

    Columns are looked at within one search space, and in Tables IX to XI within one SuperNet training.

    Returns:
        ``table``, ``column``, ``bold`` (label of the bold number), ``better`` (label of the best), ``group``.
    """
    cells = claim_cells() if cells is None else cells
    # Table V's Optimal is no method
    groups: dict[tuple[str, ...], list] = {}
    for cell in cells[cells["algorithm"] != "Optimal"].itertuples():
        group = cell.strategy if cell.table in ("9", "10", "11") else cell.search_space
        groups.setdefault((cell.table, cell.column, cell.metric, cell.quantity, group), []).append(cell)
    rows = []
    for (table, column, metric, _, group), alike in groups.items():
        sign = -1 if metric in LOWER_IS_BETTER else 1
        best = alike[int(np.argmax([sign * cell.value for cell in alike]))]
        beaten = [cell for cell in alike if cell.bold == "true" and sign * (best.value - cell.value) > 1e-9]
        rows += [[int(table), column, cell.label, best.label, group] for cell in beaten]
    return pd.DataFrame(rows, columns=["table", "column", "bold", "better", "group"])


def copied_columns(cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rows of Tables VIII and IX that print the same size, MAdds *and* accuracy for two data sets.

    Returns:
        ``table``, ``row``, ``first``, ``second`` (data sets), ``printed``.
    """
    cells = claim_cells() if cells is None else cells
    rows = []
    for (table, row), group in cells[cells["table"].isin(["8", "9"])].groupby(["table", "row"], sort=False):
        # an error of one data set is not an accuracy of another
        printed = {name: tuple(zip(c["metric"], c["shown"], strict=True)) for name, c in group.groupby("dataset")}
        names = list(printed)
        rows += [
            [int(table), row, a, b, " | ".join(text for _, text in printed[a])]
            for i, a in enumerate(names)
            for b in names[i + 1 :]
            if printed[a] == printed[b]
        ]
    return pd.DataFrame(rows, columns=["table", "row", "first", "second", "printed"])


def error_or_accuracy(cells: pd.DataFrame | None = None) -> pd.DataFrame:
    """What the unnamed numbers of Tables XII to XVI are: errors or accuracies, by the tables that name theirs.

    Returns:
        One row a table and data set: ``lowest`` and ``highest`` printed, ``elsewhere`` (median accuracy that Tables I,
        II, V and VIII to X print in the same space, or in any if they have none), and ``nearest``: ``error`` if 100
        minus the number is nearer to it.
    """
    cells = claim_cells() if cells is None else cells
    cells = cells[cells["quantity"] == "value"]
    named = _accuracies(cells[cells["table"].isin(["1", "2", "5", "8", "9", "10"])])
    rows = []
    unnamed = cells[cells["table"].isin(["12", "13", "14", "15", "16"])]
    for (table, dataset, space), group in unnamed.groupby(["table", "dataset", "search_space"], sort=False):
        there = named[(named["dataset"] == dataset) & (named["strategy"] != "")]
        same = there[there["search_space"] == space]
        elsewhere = float((same if len(same) else there)["accuracy"].median())
        middle = group["value"].median()
        nearest = "error" if abs(100 - middle - elsewhere) < abs(middle - elsewhere) else "accuracy"
        rows.append([int(table), dataset, group["value"].min(), group["value"].max(), elsewhere, nearest])
    return pd.DataFrame(rows, columns=["table", "dataset", "lowest", "highest", "elsewhere", "nearest"])


def _accuracies(cells: pd.DataFrame) -> pd.DataFrame:
    cells = cells[cells["metric"].isin(_ACCURACIES)]
    return cells.assign(accuracy=np.where(cells["metric"] == "error", 100 - cells["value"], cells["value"]))


def _method(row: object) -> str:
    """Who is behind a row: ``MNGNAS (S)``, ``SPOS B``, ``DARTS-``, ``10 teachers``."""
    if row.teachers:
        return f"{row.teachers} teachers"
    if row.algorithm == "MNGNAS":
        return f"MNGNAS ({row.strategy[0]})" if row.strategy != "MixPath" else "MNGNAS (M)"
    return f"{row.algorithm} {row.letter}".strip()


def _one_deviation(group: pd.DataFrame) -> bool:
    return group["std"].nunique() == 1


def _with_deviation(row: object) -> str:
    decimals = len(row.shown.partition(".")[2])
    return f"{row.accuracy:.{decimals}f}" + (f"±{float(row.std):.2f}" if row.std else "")
