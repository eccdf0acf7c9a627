"""Regret of searches on a table, over the number of queries."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, StrMethodFormatter

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.style import DARK_GREY, axes_of, point_style

#: Middle and ends of a band, and what it is called
BANDS = {
    "mean": (("mean", "low", "high"), "mean over seeds,\n95 % bootstrap interval"),
    "seeds": (("q50", "q10", "q90"), "median seed,\n10 % to 90 % of the seeds"),
}


def plot_regret(
    curves: Mapping[str, pd.DataFrame],
    ax: Axes | None = None,
    *,
    band: str = "mean",
    budgets: Mapping[str, int] | None = None,
) -> Axes:
    """Regret in test accuracy of the best found so far (by what the search saw), both axes logarithmic.

    Args:
        curves: by method, as :func:`mngnas_lib.lab.tabular_runs.regret_curve` makes them.
        band: ``mean``: the mean over seeds with its 95 % bootstrap interval; ``seeds``: the median seed, and the band
            that holds eight of ten.
        budgets: numbers of queries to mark with a line, by what to write there.

    Raises:
        ConfigError: a column is missing, a curve is empty, or there is no such band.
    """
    if band not in BANDS:
        raise ConfigError(f"there is no band {band!r}: choose one of {', '.join(BANDS)}")
    ax = axes_of(ax)
    (middle, low, high), title = BANDS[band]
    for name, curve in curves.items():
        missing = {"query", middle, low, high} - set(curve.columns)
        if missing or curve.empty:
            raise ConfigError(f"the regret curve of {name} is empty or lacks {', '.join(sorted(missing)) or 'rows'}")
        look = point_style(name)
        ax.fill_between(curve["query"], curve[low], curve[high], color=look["color"], alpha=0.18, linewidth=0)
        ax.plot(curve["query"], curve[middle], label=name, markevery=5, **look)
    ax.set_xscale("log")
    ax.set_yscale("log")
    for text, queries in (budgets or {}).items():
        ax.axvline(queries, color=DARK_GREY, linewidth=1, linestyle=":", zorder=0)
        ax.annotate(
            text,
            (queries, 1),
            xycoords=("data", "axes fraction"),
            xytext=(-3, -2),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="top",
            fontsize=9,
            color=DARK_GREY,
        )
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda fraction, _: f"{100 * fraction:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("architectures queried")
    ax.set_ylabel("regret in test accuracy (percentage points)")
    ax.legend(title=title, alignment="left", loc="lower left")
    return ax
