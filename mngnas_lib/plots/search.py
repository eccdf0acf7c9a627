"""Figures about a search: what it saw, how its teacher groups filled, how fast it found what it found.

A *history* is a table with one row per architecture, in the order in which they were proposed, with ``search_epoch``,
``macs``, ``accuracy`` (after retraining, a fraction), ``group`` (``small`` or ``large``) and ``entered`` (whether it
came into its teacher group).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mngnas_lib.distill.algorithms import LABELS
from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import BLACK, DARK_GREY, GREY, GROUPS, YELLOW, axes_of, point_style

_GROUP_LABELS = {"small": "small teachers, $T_s$", "large": "large teachers, $T_l$"}


def plot_accuracy_cloud(
    history: pd.DataFrame, ax: Axes | None = None, *, size: int | None = None, threshold: float | None = None
) -> Axes:
    """FLOPs against accuracy of every architecture of a search, coloured by search epoch.

    Args:
        history: see above.
        size: n_TS; marks the teachers at the end of the search. Without it, teachers are not marked.
        threshold: ``flops_thre`` in multiply-accumulates, drawn as a line.

    Raises:
        ConfigError: a column is missing, or the history is empty.
    """
    ax = axes_of(ax)
    history = _checked(history, "search_epoch", "macs", "accuracy", *(["group", "entered"] if size else []))
    first, last = int(history["search_epoch"].min()), int(history["search_epoch"].max())
    cloud = ax.scatter(
        history["macs"] / 1e6,
        history["accuracy"],
        c=history["search_epoch"],
        cmap="viridis_r",
        norm=BoundaryNorm(np.arange(first, last + 2) - 0.5, 256),
        s=34,
        edgecolors=DARK_GREY,
        linewidths=0.4,
    )
    ticks = MaxNLocator(integer=True, nbins=8).tick_values(first, last) if last > first else [first]
    bar = ax.figure.colorbar(cloud, ax=ax, label="search epoch")
    bar.set_ticks([tick for tick in ticks if first <= tick <= last])
    bar.minorticks_off()
    teachers = _teachers(history, size, last) if size else None
    for group, (color, marker) in GROUPS.items() if size else ():
        members = teachers[teachers["group"] == group]
        ax.scatter(
            members["macs"] / 1e6,
            members["accuracy"],
            s=120,
            marker=marker,
            facecolors="none",
            edgecolors=color,
            linewidths=1.6,
            label=_GROUP_LABELS[group],
        )
    if threshold is not None:
        ax.axvline(threshold / 1e6, color=GREY, linestyle="--", linewidth=1.3, label="threshold", zorder=0)
    best = _ranked(history).iloc[0]
    ax.plot(
        best["macs"] / 1e6,
        best["accuracy"],
        "*",
        color=YELLOW,
        markersize=15,
        markeredgecolor=BLACK,
        linestyle="none",
        label="best found",
    )
    ax.set_xlabel("FLOPs (10⁶ multiply-accumulates)")
    _accuracy_axis(ax)
    # anywhere inside it would hide architectures
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=4, columnspacing=1.2, handletextpad=0.4)
    return ax


def plot_groups(history: pd.DataFrame, ax: Axes | None = None, *, size: int) -> Axes:
    """Accuracy of the teachers after each search epoch: mean, and band from the worst to the best of each group.

    While a group has fewer than ``size`` members (n_TS), their number is written beside it.

    Raises:
        ConfigError: a column is missing, or the history is empty.
    """
    ax = axes_of(ax)
    history = _checked(history, "search_epoch", "macs", "accuracy", "group", "entered")
    epochs = range(int(history["search_epoch"].min()), int(history["search_epoch"].max()) + 1)
    after = pd.concat({epoch: _teachers(history, size, epoch) for epoch in epochs}, names=["after"])
    for group, (color, marker) in GROUPS.items():
        over_epochs = after[after["group"] == group].groupby("after")["accuracy"]
        summary = over_epochs.agg(["min", "mean", "max", "size"])
        if summary.empty:
            continue
        ax.fill_between(summary.index, summary["min"], summary["max"], color=color, alpha=0.15, linewidth=0)
        for edge in ("min", "max"):
            ax.plot(summary.index, summary[edge], color=color, linewidth=0.9)
        ax.plot(summary.index, summary["mean"], color=color, marker=marker, label=_GROUP_LABELS[group], zorder=3)
        for epoch, row in summary[summary["size"] < size].iterrows():
            ax.annotate(
                f"{row['size']:.0f} of {size}",
                (epoch, row["mean"]),
                xytext=(6, -11),
                textcoords="offset points",
                color=color,
                fontsize=9,
            )
    ax.set_xlim(epochs[0] - 0.3, epochs[-1] + 0.5)  # also wide enough for one search epoch alone
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.margins(y=0.08)
    ax.set_xlabel("search epoch")
    _accuracy_axis(ax, "accuracy of the teachers (%)")
    ax.legend(
        title="mean, worst to best", alignment="left", loc="best", frameon=True, framealpha=0.85, edgecolor="none"
    )
    return ax


def plot_search_progress(
    histories: Mapping[str, pd.DataFrame | Sequence[pd.DataFrame]],
    ax: Axes | None = None,
    *,
    quantity: str = "accuracy",
    quantity_label: str = "best accuracy so far (%)",
) -> Axes:
    """The best that searches have seen, against the number of architectures they have seen.

    Args:
        histories: by the name of the algorithm (``none``, ..., ``mngnas``), one search or several with different
            seeds: then their mean, and the band from the lowest to the highest. A search that ended before the others
            keeps its best.
        quantity: the column that is maximised, a fraction.

    Raises:
        ConfigError: a column is missing, or a history is empty.
    """
    ax = axes_of(ax)
    for name, searches in histories.items():
        searches = [searches] if isinstance(searches, pd.DataFrame) else list(searches)
        curves = [_checked(search, quantity)[quantity].cummax().reset_index(drop=True) for search in searches]
        seeds = pd.concat(curves, axis=1).ffill()
        seen = seeds.index + 1
        points = point_style(method_of(name))
        label = LABELS.get(name, name) + (f" ({len(curves)} seeds)" if len(curves) > 1 else "")
        ax.plot(
            seen, seeds.mean(axis=1), drawstyle="steps-post", markevery=max(1, len(seen) // 10), label=label, **points
        )
        if len(curves) > 1:
            band = {"color": points["color"], "alpha": 0.15, "linewidth": 0, "step": "post"}
            ax.fill_between(seen, seeds.min(axis=1), seeds.max(axis=1), **band)
    ax.set_xlim(left=0)
    ax.set_xlabel("architectures retrained")
    _accuracy_axis(ax, quantity_label)
    ax.legend(loc="best", frameon=True, framealpha=0.85, edgecolor="none")
    return ax


def _teachers(history: pd.DataFrame, size: int, search_epoch: int) -> pd.DataFrame:
    """Members of both groups after a search epoch: the best of those that ever entered (Eq. 24)."""
    entered = history[history["entered"].astype(bool) & (history["search_epoch"] <= search_epoch)]
    return _ranked(entered).groupby("group").head(size)


def _ranked(history: pd.DataFrame) -> pd.DataFrame:
    return history.sort_values(["accuracy", "macs"], ascending=[False, True], kind="stable")


def _checked(history: pd.DataFrame, *columns: str) -> pd.DataFrame:
    missing = set(columns) - set(history.columns)
    if missing:
        raise ConfigError(f"this history has no {', '.join(sorted(missing))}: give the table of a search")
    if history.empty:
        raise ConfigError("this history is empty: give that of a search which retrained something")
    return history


def _accuracy_axis(ax: Axes, text: str = "accuracy after retraining (%)") -> None:
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    ax.set_ylabel(text)
