"""Figures about rankings: predicted against true accuracies, Kendall's tau with its interval, the best k.

A *tau* is anything with ``.value``, ``.low``, ``.high`` and ``.n``, such as what
:func:`mngnas_lib.lab.stats.kendall_tau` returns. Wherever one is drawn, its interval is drawn too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator, PercentFormatter, StrMethodFormatter

from mngnas_lib.plots.style import (
    BASELINES,
    BN_LABELS,
    BN_MODES,
    DARK_GREY,
    GREY,
    Source,
    axes_of,
    bar_style,
    label,
    look,
    point_style,
)


class Interval(Protocol):
    """An estimate, the ends of its confidence interval, and the number of architectures that it rests on."""

    value: float
    low: float
    high: float
    n: int


def plot_ranking(
    predicted: Sequence[float],
    true: Sequence[float],
    tau: Interval | None = None,
    ax: Axes | None = None,
    *,
    method: str = "SPOS",
    source: Source = "measured",
    predicted_label: str = "accuracy with the SuperNet's weights",
    true_label: str = "accuracy after full training",
    margins: bool = True,
) -> Axes:
    """One point per architecture, predicted against true accuracy, with both distributions at the margins.

    Args:
        predicted, true: (n,) accuracies as fractions.
        tau: of the two, with its interval; written into the figure.
        margins: draw the two histograms.
    """
    ax = axes_of(ax)
    predicted, true = np.asarray(predicted, dtype=float), np.asarray(true, dtype=float)
    color, marker = look(method)
    # many points hide each other unless they are small and transparent
    size, alpha = (36, 0.8) if len(true) <= 150 else (14, 0.45) if len(true) <= 2000 else (5, 0.2)
    face = color if source == "measured" else "none"
    ax.scatter(
        predicted,
        true,
        s=size,
        alpha=alpha,
        marker=marker,
        facecolors=face,
        edgecolors=color,
        linewidths=0.0 if source == "measured" else 1.2,
        label=label(method, source),
    )
    ax.set_xlabel(f"{predicted_label} (%)")
    ax.set_ylabel(f"{true_label} (%)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    if margins:
        for values, bounds, orientation in (
            (predicted, [0, 1.02, 1, 0.13], "vertical"),
            (true, [1.02, 0, 0.13, 1], "horizontal"),
        ):
            side = ax.inset_axes(bounds, **{"sharex" if orientation == "vertical" else "sharey": ax})
            side.hist(values, bins=30, orientation=orientation, color=color, alpha=0.5)
            side.set_axis_off()
    if tau is not None:
        x, y = _emptiest_corner(ax, predicted, true)
        ax.text(
            0.97 if x else 0.03,
            0.97 if y else 0.03,
            f"τ = {describe(tau)}\nn = {tau.n:,}",
            transform=ax.transAxes,
            ha="right" if x else "left",
            va="top" if y else "bottom",
            fontsize=11,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 2},
        )
    return ax


def plot_taus(
    taus: Mapping[str, Interval],
    ax: Axes | None = None,
    *,
    ceiling: Interval | float | None = None,
    methods: Mapping[str, str] | None = None,
    sources: Mapping[str, Source] | None = None,
) -> Axes:
    """One horizontal bar per ranking, with its interval, beside baselines and the benchmark's noise ceiling.

    Args:
        taus: by the bar's name, from top to bottom. Rankings by FLOPs or parameters belong among them.
        ceiling: tau of the benchmark's own runs with each other, which no prediction is expected to pass.
        methods: the method of a bar whose name is not one, for its colour and marker.
        sources: where a bar's number comes from, if from the paper.
    """
    ax = axes_of(ax)
    methods, sources = methods or {}, sources or {}
    names = list(taus)
    for position, name in enumerate(names):
        tau, source = taus[name], sources.get(name, "measured")
        method = methods.get(name, name)
        ax.barh(
            position, tau.value, height=0.62, alpha=0.22 if source == "measured" else 0.6, **bar_style(method, source)
        )
        _error_bar(ax, tau, position, point_style(method, source), horizontal=True)
        # numbers form a column beside the axes, where no bar and no ceiling can cross them
        ax.text(1.02, position, describe(tau), transform=ax.get_yaxis_transform(), va="center", fontsize=10)
    ax.set_yticks(range(len(names)), [label(name, sources.get(name, "measured")) for name in names])
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.axvline(0, color="black", linewidth=0.8)
    if ceiling is not None:
        _draw_ceiling(ax, ceiling)
    edges = [0.0, *(tau.low for tau in taus.values()), *(tau.high for tau in taus.values())]
    if ceiling is not None:
        edges.append(getattr(ceiling, "high", ceiling))
    # a tau of the paper has no interval
    low, high = np.nanmin(edges), np.nanmax([*edges, *(tau.value for tau in taus.values())])
    ax.set_xlim(low - 0.03 * (low < 0), high + 0.06)
    ax.set_xlabel("Kendall's τ with the true ranking (95 % interval)")
    return ax


def plot_bn_modes(
    taus: Mapping[str, Mapping[str, Interval]] | Mapping[str, Interval],
    ax: Axes | None = None,
    *,
    baselines: Mapping[str, Mapping[str, Interval]] | Mapping[str, Interval] | None = None,
) -> Axes:
    """Tau under each kind of batch-norm statistics, for one or several groups of architectures.

    Args:
        taus: by mode (``batch``, ``reestimate``, ``inherited``) and then by group ("all", "top 10 %"); the groups may
            be left out.
        baselines: the same for rankings by ``FLOPs`` or ``params``.
    """
    ax = axes_of(ax)
    series = {mode: taus[mode] for mode in BN_MODES if mode in taus} | {
        name: (baselines or {})[name] for name in BASELINES if name in (baselines or {})
    }
    unknown = (set(taus) | set(baselines or {})) - set(series)
    for name in unknown:
        look(name)  # raises for a name that has no look
    grouped = {name: entry if isinstance(entry, Mapping) else {"": entry} for name, entry in series.items()}
    groups = list(dict.fromkeys(group for entry in grouped.values() for group in entry))
    step = 0.7 / max(len(grouped), 1)
    for index, (name, entry) in enumerate(grouped.items()):
        points = point_style(name) | {"label": BN_LABELS.get(name, name)}
        for group, tau in entry.items():
            position = groups.index(group) + (index - (len(grouped) - 1) / 2) * step
            _error_bar(ax, tau, position, points)
            points.pop("label", None)
    names = []
    for group in groups:
        sizes = sorted({entry[group].n for entry in grouped.values() if group in entry})
        names.append(f"{group}\nn = {', '.join(f'{size:,}' for size in sizes)}".strip())
    ax.set_xticks(range(len(groups)), names)
    ax.set_xlim(-0.5, len(groups) - 0.5)
    ax.grid(False, axis="x")
    ax.axhline(0, color="black", linewidth=0.8)
    ax.set_ylabel("Kendall's τ (95 % interval)")
    _legend_beside(ax)
    return ax


def plot_interval_width(
    taus: Mapping[str, Sequence[Interval]], ax: Axes | None = None, *, methods: Mapping[str, str] | None = None
) -> Axes:
    """How wide the interval of tau is, against the number of architectures that it rests on.

    Args:
        taus: for each ranking, its taus over subsets of different size. Several of one size give a mean and its range.
        methods: the method of a ranking whose name is not one.
    """
    ax = axes_of(ax)
    anchors = []
    for name, estimates in taus.items():
        sizes = sorted({tau.n for tau in estimates})
        widths = [[tau.high - tau.low for tau in estimates if tau.n == size] for size in sizes]
        means = np.array([np.mean(width) for width in widths])
        ranges = np.array([[mean - min(width), max(width) - mean] for mean, width in zip(means, widths, strict=True)])
        points = point_style((methods or {}).get(name, name))
        ax.errorbar(sizes, means, yerr=np.clip(ranges.T, 0, None), linewidth=1.6, label=name, **points)
        anchors += [width * np.sqrt(size) for size, width in zip(sizes, means, strict=True)]
    ax.set_xscale("log")
    ax.set_yscale("log")
    sizes = np.array(sorted({tau.n for estimates in taus.values() for tau in estimates}))
    if len(sizes):
        expected = np.median(anchors) / np.sqrt(sizes)
        ax.plot(sizes, expected, color=GREY, linestyle="--", linewidth=1.3, label="∝ 1/√n", zorder=1)
    _ticks_at(ax, sizes)
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_xlabel("architectures n")
    ax.set_ylabel("width of the 95 % interval of τ")
    ax.legend()
    return ax


def plot_top_k(
    curves: Mapping[str, Mapping[int, float | Interval]],
    ax: Axes | None = None,
    *,
    quantity: str = "precision at k",
    total: int | None = None,
    methods: Mapping[str, str] | None = None,
) -> Axes:
    """What the first k of a ranking are worth, against k; with a band where values have intervals.

    Args:
        curves: for each ranking, by k: a fraction in [0, 1], or an estimate with its interval.
        quantity: name of the vertical axis. "best rank at k" gets a logarithmic axis that points down.
        total: number of ranked architectures, for the line of a random ranking.
        methods: the method of a ranking whose name is not one.
    """
    ax = axes_of(ax)
    ranks = "rank" in quantity
    for name, curve in curves.items():
        ks = sorted(curve)
        values = np.array([getattr(curve[k], "value", curve[k]) for k in ks], dtype=float)
        points = point_style((methods or {}).get(name, name))
        ax.plot(ks, values, label=name, **points)
        if all(hasattr(curve[k], "low") for k in ks):
            lows, highs = ([getattr(curve[k], end) for k in ks] for end in ("low", "high"))
            ax.fill_between(ks, lows, highs, color=points["color"], alpha=0.15, linewidth=0)
    ks = sorted({k for curve in curves.values() for k in curve})
    if total is not None and ks:
        grid = np.geomspace(ks[0], ks[-1], 50)
        # of n, the best of k random ones has rank (n + 1) / (k + 1) on average; k / n of them are among the best k
        chance = (total + 1) / (grid + 1) if ranks else grid / total
        ax.plot(grid, chance, color=DARK_GREY, linestyle=":", label="random")
    ax.set_xscale("log")
    _ticks_at(ax, ks)
    ax.set_xlabel("k architectures ranked first")
    if ranks:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        ax.invert_yaxis()
        ax.set_ylabel(f"{quantity} (1 is best)")
    else:
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
        ax.set_ylim(bottom=0)
        ax.set_ylabel(f"{quantity} (%)")
    _legend_beside(ax)
    return ax


def describe(tau: Interval) -> str:
    """For example ``0.546 [0.521, 0.570]``; without the interval where it is not a number, as for the paper's taus."""
    text = f"{tau.value:.3f}"
    if np.isfinite(tau.low) and np.isfinite(tau.high):
        text += f" [{tau.low:.3f}, {tau.high:.3f}]"
    return text.replace("-", "−")


def _error_bar(
    ax: Axes, tau: Interval, position: float, points: dict[str, object], *, horizontal: bool = False
) -> None:
    # NaN where the interval is not known: matplotlib then draws the point alone
    errors = np.clip([[tau.value - tau.low], [tau.high - tau.value]], 0.0, None)
    if horizontal:
        ax.errorbar(tau.value, position, xerr=errors, linestyle="none", **points)
    else:
        ax.errorbar(position, tau.value, yerr=errors, linestyle="none", **points)


def _draw_ceiling(ax: Axes, ceiling: Interval | float) -> None:
    value = getattr(ceiling, "value", ceiling)
    color = look("noise ceiling").color
    ax.axvline(value, color=color, linestyle="--", linewidth=1.4, label="noise ceiling")
    if hasattr(ceiling, "low"):
        ax.axvspan(ceiling.low, ceiling.high, color=color, alpha=0.1, linewidth=0)
    # above the axes, where no bar can cross it
    ax.annotate(
        f"noise ceiling {value:.3f}",
        (value, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=9.5,
    )


def _emptiest_corner(ax: Axes, x: np.ndarray, y: np.ndarray) -> tuple[int, int]:
    """The corner (0 left, 1 right; 0 bottom, 1 top) in which fewest points lie; top left if several have none."""
    inside = ax.transAxes.inverted().transform(ax.transData.transform(np.column_stack([x, y])))
    corners = [(0, 1), (1, 0), (0, 0), (1, 1)]
    # room for two short lines of text
    return min(corners, key=lambda corner: (np.abs(inside - corner) < (0.5, 0.2)).all(axis=1).sum())


def _legend_beside(ax: Axes) -> None:
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)


def _ticks_at(ax: Axes, positions: Sequence[int]) -> None:
    """Ticks of a logarithmic axis at the sizes that were measured, and nowhere else."""
    ax.set_xticks(positions, [f"{position:,}" for position in positions])
    ax.xaxis.set_minor_locator(NullLocator())
