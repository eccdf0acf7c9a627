"""Errors against costs: rows of the paper with what MNGNAS changes, and architectures of our own with their fronts."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from mngnas_lib.paper.pareto import pareto_front
from mngnas_lib.plots.paper_frames import checked, look_of, points_of
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import BLACK, DARK_GREY, GREY, axes_of

#: Costs of the paper's tables and their axes
COST_LABELS = {"madds": "FLOPs (10⁶ multiply-accumulates)", "params": "parameters (10⁶)", "search cost": "GPU days"}
#: More points than this are drawn as their density
_MOST_POINTS = 1000


def plot_trade_offs(rows: pd.DataFrame, ax: Axes | None = None, *, cost: str = "madds") -> Axes:
    """Rows of a table of the paper: an arrow leads from each strategy to MNGNAS with this strategy.

    An arrow that points down and to the left is better in both. Other methods are grey; a line joins the front, the
    rows that no other one beats in both.

    Args:
        rows: as :func:`mngnas_lib.paper.pareto.trade_offs` gives them, all the paper's.
        cost: ``madds``, ``params`` or ``search cost``.
    """
    ax = axes_of(ax)
    rows = rows[rows[[cost, "error"]].notna().all(axis=1)].reset_index(drop=True)
    front = rows[pareto_front(rows[[cost, "error"]].to_numpy())].sort_values(cost)
    ax.plot(front[cost], front["error"], color=BLACK, linewidth=1.0, linestyle=":", zorder=1, label="front")
    others = rows[rows["strategy"] == ""]
    if len(others):
        hollow = {"facecolors": "white", "edgecolors": GREY, "marker": "o", "s": 36}
        ax.scatter(others[cost], others["error"], label="other methods (paper)", **hollow)
    named = set()
    for (_, strategy), pair in rows[rows["strategy"] != ""].groupby(["search_space", "strategy"], sort=False):
        base, ours = pair[pair["algorithm"] != "MNGNAS"], pair[pair["algorithm"] == "MNGNAS"]
        for start in base.itertuples():
            for end in ours.itertuples():
                ends = {"xytext": (getattr(start, cost), start.error), "xy": (getattr(end, cost), end.error)}
                arrow = {"arrowstyle": "-|>", "color": DARK_GREY, "shrinkA": 4, "shrinkB": 4, "linewidth": 1.2}
                ax.annotate("", arrowprops=arrow, zorder=2, **ends)
        for method, part in ((strategy, base), (f"MNGNAS ({strategy[0]})", ours)):
            if len(part):
                label = None if method in named else f"{method} (paper)"
                named.add(method)
                points = points_of(method, "paper") | {"linestyle": "none", "label": label, "zorder": 3}
                ax.plot(part[cost], part["error"], **points)
    ax.set_xlabel(COST_LABELS[cost])
    ax.set_ylabel("error (%)")
    ax.legend(fontsize=9)
    return ax


def plot_fronts(data: pd.DataFrame, ax: Axes | None = None, *, error_label: str = "test error (%)") -> Axes:
    """All architectures as faint points and, by method, the steps of those that no other one of the method beats.

    Of a method with more than a thousand architectures the points are counted in grey cells, on a logarithmic scale.

    Args:
        data: one row an architecture: ``method`` (see :mod:`mngnas_lib.plots.paper_frames`), ``macs`` (a count) and
            ``error`` (a fraction).

    Raises:
        ConfigError: a column is missing, or a method has no look.
    """
    ax = axes_of(ax)
    for method, rows in checked(data, "method", "macs", "error").groupby("method", sort=False):
        color, marker = look_of(method)
        if len(rows) > _MOST_POINTS:
            looks = {"gridsize": 30, "bins": "log", "cmap": "Greys", "mincnt": 1, "linewidths": 0.2, "vmin": 0.3}
            ax.hexbin(rows["macs"] / 1e6, rows["error"], zorder=0, **looks)
        else:
            ax.scatter(rows["macs"] / 1e6, rows["error"], s=14, marker=marker, color=color, alpha=0.3, linewidths=0)
        front = rows[pareto_front(rows[["macs", "error"]].to_numpy())]
        front = front.drop_duplicates(["macs", "error"]).sort_values("macs")
        label = f"{method_of(method)}: front, {len(front)} of {len(rows):,}"
        ax.plot(front["macs"] / 1e6, front["error"], drawstyle="steps-post", label=label, **points_of(method))
    ax.set_xlabel(COST_LABELS["madds"])
    ax.set_ylabel(error_label)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    ax.legend()
    return ax


def plot_boxes_by_epoch(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Errors of what searches retrained, one box a search epoch and algorithm: how a search narrows its own sample.

    Args:
        data: one row an architecture: ``method``, ``search_epoch`` and ``error`` (a fraction of the validation images).

    Raises:
        ConfigError: a column is missing, or a method has no look.
    """
    ax = axes_of(ax)
    data = checked(data, "method", "search_epoch", "error")
    methods, epochs = list(dict.fromkeys(data["method"])), sorted(data["search_epoch"].unique())
    width = 0.7 / len(methods)
    for index, method in enumerate(methods):
        color = look_of(method).color
        rows = data[data["method"] == method]
        samples = [rows.loc[rows["search_epoch"] == epoch, "error"].to_numpy() for epoch in epochs]
        parts = ax.boxplot(
            samples,
            positions=np.array(epochs) + (index - (len(methods) - 1) / 2) * width,
            widths=0.85 * width,
            patch_artist=True,
            manage_ticks=False,
            medianprops={"color": BLACK, "linewidth": 2},
            flierprops={"marker": ".", "markeredgecolor": color},
            boxprops={"facecolor": color, "edgecolor": color, "alpha": 0.35},
        )
        for line in (*parts["whiskers"], *parts["caps"]):
            line.set_color(color)
        parts["boxes"][0].set_label(f"{method_of(method)}, {len(samples[0])} architectures an epoch")
    ax.set_xticks(epochs)
    ax.set_xlabel("search epoch (the first draws at random)")
    ax.set_ylabel("validation error (%)")
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    ax.grid(False, axis="x")
    ax.legend()
    return ax


def plot_sweep(errors: pd.DataFrame, dataset: str, ax: Axes | None = None, *, chosen: int, noise: float = 0.0) -> Axes:
    """An ablation of the paper: errors minus that of the chosen setting, one line a SuperNet training.

    Args:
        errors: percent, as :func:`mngnas_lib.paper.ablation.sweep` gives them.
        chosen: the setting that the paper recommends.
        noise: half the height of a band around zero, in points; 0: none.
    """
    ax = axes_of(ax)
    changes = errors[dataset] - errors[dataset].loc[chosen]
    if noise:
        ax.axhspan(-noise, noise, color=GREY, alpha=0.25, linewidth=0, label=f"± {noise:.2f} points")
    ax.axhline(0, color=BLACK, linewidth=0.9)
    for strategy in changes.columns:
        points = points_of(strategy, "paper") | {"linestyle": "--", "linewidth": 1.3}
        ax.plot(changes.index, changes[strategy], label=f"{strategy} (paper)", **points)
    ax.axvline(chosen, color=GREY, linewidth=1.0, linestyle=":")
    ax.set_xticks(list(changes.index))
    ax.set_xlabel(f"number of {'teachers' if changes.index.name == 'teachers' else 'perturbed architectures'}")
    ax.set_ylabel(f"error minus that at {chosen} (points)")
    ax.set_title(dataset)
    ax.legend(fontsize=9)
    return ax
