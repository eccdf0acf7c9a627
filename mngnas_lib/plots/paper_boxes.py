"""Errors of all architectures that a search found, as box plots (Fig. 6)."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from mngnas_lib.plots.paper_frames import checked, draw_not_measured, look_of
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import BLACK, Source, axes_of, label

#: More points than this hide the box below them
_MOST_POINTS = 200
#: matplotlib before 3.10 says it in another way, which later ones warn of
_HORIZONTAL = {"orientation": "horizontal"} if "orientation" in signature(Axes.boxplot).parameters else {"vert": False}


def plot_error_boxes(
    data: pd.DataFrame, ax: Axes | None = None, *, source: Source = "measured", dataset: str = ""
) -> Axes:
    """One box a method, from top to bottom, with its median and mean; each architecture is a point if there are few.

    A box goes from quartile to quartile; its whiskers reach the last error within one and a half box lengths.

    Args:
        data: one row an architecture: ``method`` (see :mod:`mngnas_lib.plots.paper_frames`), ``error`` (a fraction).
            Without rows the axes say that nothing was measured.
        source: ``paper`` leaves boxes and markers hollow.
        dataset: what the errors are of, for the axis.

    Raises:
        ConfigError: a column is missing, or a method has no look.
    """
    ax = axes_of(ax)
    data = checked(data, "method", "error")
    if data.empty:
        return draw_not_measured(ax)
    names = []
    for position, (method, rows) in enumerate(data.groupby("method", sort=False)):
        errors = rows["error"].to_numpy(dtype=float)
        color, marker = look_of(method)
        face = "white" if source == "paper" else color
        if len(errors) <= _MOST_POINTS:
            # spread evenly over the box's height, in the order of the table
            heights = position + 0.22 * np.sin(2.4 * np.arange(len(errors)))
            ax.scatter(
                errors, heights, s=14, marker=marker, facecolors=face, edgecolors=color, linewidths=0.8, zorder=3
            )
        _draw_box(ax, errors, position, color, filled=source == "measured")
        names.append(f"{label(method_of(method), source)}\nn = {len(errors):,}")
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.xaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    ax.set_xlabel(f"test error{f' on {dataset}' if dataset else ''} (%); line: median, diamond: mean")
    return ax


def _draw_box(ax: Axes, errors: np.ndarray, position: int, color: str, *, filled: bool) -> None:
    parts = ax.boxplot(
        errors,
        positions=[position],
        **_HORIZONTAL,
        widths=0.62,
        showmeans=True,
        showfliers=len(errors) > _MOST_POINTS,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": color if filled else "none", "edgecolor": color, "linewidth": 1.5},
        medianprops={"color": BLACK, "linewidth": 2},
        meanprops={"marker": "D", "markerfacecolor": "white", "markeredgecolor": BLACK, "markersize": 6},
        whiskerprops={"color": color, "linewidth": 1.5},
        capprops={"color": color, "linewidth": 1.5},
        flierprops={"marker": ".", "markeredgecolor": color, "alpha": 0.5},
    )
    if filled:
        for box in parts["boxes"]:
            box.set_alpha(0.3)
    for artist in (*parts["means"], *parts["medians"]):
        artist.set_zorder(4)
