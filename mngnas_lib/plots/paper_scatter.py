"""Accuracies seen in the search against true ones, two methods in one plot (Fig. 10)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from mngnas_lib.lab.stats import kendall_tau
from mngnas_lib.plots.paper_frames import checked, draw_not_measured, look_of
from mngnas_lib.plots.rankings import Interval, describe
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import DARK_GREY, Source, axes_of, label


def plot_accuracy_pairs(
    data: pd.DataFrame,
    ax: Axes | None = None,
    *,
    taus: Mapping[str, Interval] | None = None,
    source: Source = "measured",
) -> Axes:
    """One point an architecture and method; each method's tau with its interval above the plot.

    The dashed line is where the search sees the true accuracy; only order counts for tau, so that a cloud beside the
    line may rank well.

    Args:
        data: one row an architecture and method: ``method`` (see :mod:`mngnas_lib.plots.paper_frames`), ``true``
            (accuracy in the benchmark) and ``predicted`` (accuracy in the search), fractions. Without rows the axes
            say that nothing was measured.
        taus: by method, with intervals; by default :func:`mngnas_lib.lab.stats.kendall_tau` of each method's rows.
        source: ``paper`` makes hollow markers.

    Raises:
        ConfigError: a column is missing, a method has no look, or an accuracy is NaN.
    """
    ax = axes_of(ax)
    data = checked(data, "method", "true", "predicted")
    if data.empty:
        return draw_not_measured(ax)
    lines = []
    for method, rows in data.groupby("method", sort=False):
        color, marker = look_of(method)
        name = label(method_of(method), source)
        ax.scatter(
            rows["true"],
            rows["predicted"],
            s=30 if len(rows) <= 150 else 13,
            alpha=0.8 if len(rows) <= 150 else 0.45,
            marker=marker,
            facecolors="none" if source == "paper" else color,
            edgecolors=color,
            linewidths=1.0 if source == "paper" else 0.0,
            label=name,
        )
        tau = (taus or {}).get(method) or kendall_tau(rows["predicted"].to_numpy(), rows["true"].to_numpy())
        lines.append(f"{name}: τ = {describe(tau)}, n = {tau.n:,}")
    _draw_diagonal(ax)
    ax.set_title("\n".join(lines), fontsize=10.5, weight="normal")
    ax.set_xlabel("true accuracy, after full training (%)")
    ax.set_ylabel("accuracy seen in the search (%)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    ax.legend()
    return ax


def _draw_diagonal(ax: Axes) -> None:
    """The line of equal accuracies, as far as it passes through what is shown already."""
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    ends = np.array([max(left, bottom), min(right, top)])
    if ends[0] < ends[1]:
        ax.plot(ends, ends, color=DARK_GREY, linestyle="--", linewidth=1.1, zorder=0, label="equal")
        ax.set(xlim=(left, right), ylim=(bottom, top))
