"""Figures about benchmarks themselves: their images and strata, how accuracies are spread, what can be known of them.

A *tau* is anything with ``.value``, ``.low``, ``.high`` and ``.n``; wherever one is drawn, its interval is drawn too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, PercentFormatter
from numpy.typing import ArrayLike

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.rankings import Interval, describe
from mngnas_lib.plots.style import BLACK, BLUE, DARK_GREY, LIGHT_GREY, VERMILLION, axes_of, point_style
from mngnas_lib.plots.tabular import plot_regret


def plot_versions(plain: ArrayLike, versions: ArrayLike, ax: Axes | None = None) -> Axes:
    """Images, each beside the versions that were made of it.

    Args:
        plain: (n, height, width), dark to light in [0, 1]; one a row.
        versions: (n, k, height, width), likewise.

    Raises:
        ConfigError: the shapes do not belong together.
    """
    ax = axes_of(ax)
    plain, versions = np.asarray(plain, dtype=float), np.asarray(versions, dtype=float)
    if plain.ndim != 3 or versions.ndim != 4 or versions.shape[:1] + versions.shape[2:] != plain.shape:
        raise ConfigError(
            f"images of shape {plain.shape} and versions of shape {versions.shape} do not belong together: give "
            "(n, height, width) and (n, k, height, width)"
        )
    count, number, height, width = versions.shape
    # one pixel of white around each image, and a column of its own for the plain ones
    columns = np.ones((count * (height + 1), (number + 1) * (width + 1) + width // 2))
    for row in range(count):
        top = row * (height + 1)
        columns[top : top + height, :width] = plain[row]
        for place in range(number):
            left = (place + 1) * (width + 1) + width // 2
            columns[top : top + height, left : left + width] = versions[row, place]
    ax.imshow(columns, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    ax.set_axis_off()
    middle = (width + 1) * (1 + number / 2) + width // 2
    for place, text in ((width / 2, "plain"), (middle, f"the {number} harder versions of each")):
        ax.text(place, -2, text, ha="center", va="bottom", fontsize=10)
    return ax


def plot_strata(space: ArrayLike, sample: ArrayLike, ax: Axes | None = None, *, strata: int = 20) -> Axes:
    """Shares of a space's and of a sample's architectures by multiply-accumulates, in strata of equal width.

    Args:
        space, sample: (n,) multiply-accumulates of each architecture.
    """
    ax = axes_of(ax)
    edges = np.linspace(np.min(space), np.max(space), strata + 1) / 1e6
    looks = (("the space", space, DARK_GREY, "stepfilled", 0.35), ("the sample", sample, BLUE, "step", 1.0))
    for name, macs, color, kind, alpha in looks:
        macs = np.asarray(macs, dtype=float) / 1e6
        weights = np.full(len(macs), 1 / len(macs))
        text = f"{name}: {len(macs):,} architectures"
        ax.hist(macs, edges, weights=weights, histtype=kind, color=color, alpha=alpha, linewidth=1.8, label=text)
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=None))
    ax.set_xlabel("million multiply-accumulates for one image")
    ax.set_ylabel("share of the architectures (%)")
    ax.legend()
    return ax


def plot_accuracy_histogram(
    histogram: pd.DataFrame, ax: Axes | None = None, *, median: float | None = None, best: float | None = None
) -> Axes:
    """How a benchmark's accuracies are spread; the upper half of the architectures is marked.

    Args:
        histogram: columns ``left``, ``right``, ``share``, all fractions, as
            :func:`mngnas_lib.lab.benchmark_facts.histogram` makes it.
        median, best: accuracies, fractions; where both are given, what lies between them is shaded.

    Raises:
        ConfigError: a column is missing, or there is no bin.
    """
    missing = {"left", "right", "share"} - set(histogram.columns)
    if missing or histogram.empty:
        raise ConfigError(f"the histogram is empty or lacks {', '.join(sorted(missing)) or 'rows'}")
    ax = axes_of(ax)
    widths = histogram["right"] - histogram["left"]
    ax.bar(histogram["left"], histogram["share"], widths, align="edge", color=BLUE, linewidth=0)
    if median is not None and best is not None:
        ax.axvspan(median, best, color=VERMILLION, alpha=0.12, linewidth=0, zorder=0)
        ax.text(
            0.03,
            0.95,
            f"upper half:\n{100 * median:.1f} to {100 * best:.1f} %",
            transform=ax.transAxes,
            va="top",
            fontsize=9.5,
            color=VERMILLION,
        )
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda fraction, _: f"{100 * fraction:g}"))
    ax.grid(False, axis="x")
    ax.set_xlabel("test accuracy (%)")
    ax.set_ylabel(f"share of the architectures (%),\nbins of {100 * widths.iloc[0]:g} points")
    return ax


def plot_benchmark_taus(
    taus: Mapping[str, Mapping[str, Interval]], ax: Axes | None = None, *, values: bool = False
) -> Axes:
    """Kendall's tau of several rankings with each benchmark's accuracies, one group of marks a benchmark.

    Args:
        taus: by benchmark, then by the ranking's name: ``noise ceiling``, ``FLOPs``, ``params``, or a method.
        values: write each tau with its interval at the right.
    """
    ax = axes_of(ax)
    names = list(dict.fromkeys(name for entry in taus.values() for name in entry))
    step = 0.62 / max(len(names), 1)
    for place, entry in enumerate(taus.values()):
        for index, name in enumerate(names):
            if name not in entry:
                continue
            tau, position = entry[name], place + (index - (len(names) - 1) / 2) * step
            errors = np.clip([[tau.value - tau.low], [tau.high - tau.value]], 0, None)
            look = point_style(name)
            if name == "noise ceiling":  # a thin line would be lost between the caps
                look |= {"markersize": 12, "markeredgewidth": 2.5}
            ax.errorbar(tau.value, position, xerr=errors, linestyle="none", **look)
            if values:
                place_of = ax.get_yaxis_transform()
                ax.text(1.02, position, describe(tau), transform=place_of, va="center", fontsize=8.5)
    ax.set_yticks(range(len(taus)), list(taus))
    ax.set_ylim(len(taus) - 0.5, -0.5)
    for border in range(1, len(taus)):
        ax.axhline(border - 0.5, color=LIGHT_GREY, linewidth=0.8)
    ax.grid(False, axis="y")
    ax.axvline(0, color=BLACK, linewidth=0.8)
    ax.set_xlabel("Kendall's τ (95 % interval)")
    marks = [Line2D([], [], linestyle="none", label=name, **point_style(name)) for name in names]
    ax.legend(handles=marks, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=len(marks), columnspacing=1.2)
    return ax


def plot_regret_panels(
    curves: Mapping[str, Mapping[str, pd.DataFrame]],
    fig: Figure,
    *,
    band: str = "mean",
    expected: Mapping[str, pd.DataFrame] | None = None,
) -> Sequence[Axes]:
    """Regret over queries, one panel a benchmark and one legend for all; returns the panels.

    Args:
        curves: by benchmark, then by method, as :func:`mngnas_lib.lab.tabular_runs.regret_curve` makes them.
        band: as for :func:`mngnas_lib.plots.plot_regret`.
        expected: by benchmark, what random search does on average: columns ``query`` and ``regret``, a fraction.

    Raises:
        ConfigError: as :func:`mngnas_lib.plots.plot_regret`, and for no benchmark.
    """
    if not curves:
        raise ConfigError("there is no benchmark to draw: give the regret curves of at least one")
    panels = fig.subplots(1, len(curves), squeeze=False)[0]
    for panel, (name, methods) in zip(panels, curves.items(), strict=True):
        plot_regret(methods, panel, band=band)
        if expected and name in expected:
            line = expected[name]
            label = "random search, computed"
            panel.plot(line["query"], line["regret"], color=BLACK, linestyle=":", linewidth=1.4, label=label)
        panel.set_title(name, fontsize=11)
        panel.get_legend().remove()
        if panel is not panels[0]:
            panel.set_ylabel("")
    handles, labels = panels[0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return list(panels)
