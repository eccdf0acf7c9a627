"""Error against FLOPs of the architectures found (Fig. 3, 4, 5 and 7)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from mngnas_lib.plots.paper_frames import checked, draw_not_measured, errors_of, points_of
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import Source, axes_of, label


def plot_error_flops(
    data: pd.DataFrame, ax: Axes | None = None, *, source: Source = "measured", dataset: str = ""
) -> Axes:
    """One marker an architecture, one line a method, from few FLOPs to many.

    Args:
        data: one row an architecture: ``method`` (see :mod:`mngnas_lib.plots.paper_frames`), ``macs``
            (multiply-accumulates, a count), ``error`` (a fraction), and ``low`` and ``high``, the ends of the error's
            interval, where they are known. Without rows the axes say that nothing was measured.
        source: ``paper`` makes hollow markers and a dashed line.
        dataset: what the errors are of, for the axis.

    Raises:
        ConfigError: a column is missing, or a method has no look.
    """
    ax = axes_of(ax)
    data = checked(data, "method", "macs", "error")
    if data.empty:
        return draw_not_measured(ax)
    for method, rows in data.groupby("method", sort=False):
        rows = rows.sort_values("macs")
        ax.errorbar(
            rows["macs"] / 1e6,
            rows["error"],
            yerr=errors_of(rows, "error"),
            linestyle="--" if source == "paper" else "-",
            linewidth=1.3,
            label=label(method_of(method), source),
            **points_of(method, source),
        )
    ax.set_xlabel("FLOPs (10⁶ multiply-accumulates)")
    ax.set_ylabel(f"test error{f' on {dataset}' if dataset else ''} (%)")
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    ax.legend()
    return ax
