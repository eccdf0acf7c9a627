"""Figures about the paper's own numbers: verdicts on its claims, forest plots, noise of tau, tables against tables.

Every number drawn here is the paper's or follows from the paper's; none was measured by this kit. Markers are therefore
hollow, as everywhere for ``source="paper"``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mngnas_lib.paper.compare import ROMAN
from mngnas_lib.plots.style import (
    BLACK,
    BLUE,
    DARK_GREY,
    GREEN,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    axes_of,
    look,
    point_style,
)

#: Colour and hatching of a verdict, from good to bad; what cannot be checked is neither
VERDICT_LOOKS = {
    "holds": (GREEN, ""),
    "holds within rounding": (SKY, "//"),
    "depends on the reading": (ORANGE, "\\\\"),
    "does not hold": (VERMILLION, "xx"),
    "cannot be checked": (LIGHT_GREY, ".."),
}
_TABLE_MARKERS = "osD^vP*X<>"
_TABLE_COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, DARK_GREY, BLACK)


def plot_verdicts(statements: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """How many statements of each section hold: one bar a section, one part a verdict.

    Args:
        statements: ``section`` and ``verdict``, one row a statement, as :func:`mngnas_lib.paper.claims.by_statement`
            returns them.
    """
    ax = axes_of(ax)
    sections = list(dict.fromkeys(statements["section"]))
    counts = pd.crosstab(statements["section"], statements["verdict"])
    left = np.zeros(len(sections))
    for verdict, (color, hatch) in VERDICT_LOOKS.items():
        if verdict not in counts.columns:
            continue
        widths = counts[verdict].reindex(sections).to_numpy()
        bars = ax.barh(sections, widths, left=left, color=color, hatch=hatch, edgecolor="white", label=verdict)
        labels = [str(width) if width else "" for width in widths]
        # a light box keeps numbers readable on hatching
        box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
        for text in ax.bar_label(bars, labels, label_type="center", fontsize=9.5):
            if text.get_text():
                text.set_bbox(box)
        left += widths
    ax.invert_yaxis()
    ax.grid(False, axis="y")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel("statements (paper)")
    ax.set_ylabel("section")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    return ax


def plot_forest(
    tested: pd.DataFrame, ax: Axes | None = None, *, labels: Sequence[str] | None = None, numbers: bool = True
) -> Axes:
    """Differences with their 95 % intervals, one a row, and the line of no difference.

    Args:
        tested: ``strategy``, ``difference``, ``low``, ``high`` (points), ``p`` and ``p_holm``, as
            :func:`mngnas_lib.paper.significance.welch_pairs` returns them; drawn from top to bottom.
        labels: of the rows, by default data set and split.
        numbers: write difference, interval, p and Holm's p beside the rows.
    """
    ax = axes_of(ax)
    if labels is None:
        labels = [f"{row.dataset} {row.split}" for row in tested.itertuples()]
    named = set()
    for position, row in enumerate(tested.itertuples()):
        errors = [[row.difference - row.low], [row.high - row.difference]]
        label = None if row.strategy in named else f"MNGNAS − baseline, {row.strategy}"
        named.add(row.strategy)
        points = point_style(row.strategy, "paper") | {"label": label}
        ax.errorbar(row.difference, position, xerr=errors, linestyle="none", **points)
        if numbers:
            interval = f"{row.difference:+.2f} [{row.low:+.2f}, {row.high:+.2f}]".replace("-", "−")
            _columns(ax, (1.0, position), ("axes fraction", "data"), [interval, f"{row.p:.3f}", f"{row.p_holm:.3f}"])
    if numbers:
        _columns(ax, (1.0, 1.02), "axes fraction", ["difference [95 %]", "p", "Holm"], fontweight="bold")
    ax.axvline(0, color="black", linewidth=0.9)
    ax.set_yticks(range(len(tested)), labels, fontsize=9)
    ax.set_ylim(len(tested) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.set_xlabel("difference of mean accuracies (points), four runs each")
    return ax


def plot_best_reach(
    bests: pd.DataFrame, ax: Axes | None = None, *, least: float = 0.5, most: float = math.sqrt(3)
) -> Axes:
    """How far bests lie above their means, in standard deviations, and what four runs can give.

    Args:
        bests: ``label``, ``deviations``, and ``problem``, which is empty for those that can be, one row a best.
        least, most: ends of the band that the largest of four results lies in.
    """
    ax = axes_of(ax)
    order = bests.sort_values("deviations", kind="stable")
    inside = order["problem"] == ""
    positions = np.arange(len(order))
    ax.axvspan(least, most, color=GREEN, alpha=0.15, linewidth=0, label="the largest of four")
    for mask, color, marker, name in ((inside, GREEN, "o", "possible"), (~inside, VERMILLION, "D", "out of reach")):
        ax.plot(
            order["deviations"][mask],
            positions[mask],
            linestyle="none",
            marker=marker,
            markersize=5.5,
            markerfacecolor="white",
            markeredgecolor=color,
            markeredgewidth=1.4,
            label=f"{name} (paper)",
        )
    ax.axvline(0, color="black", linewidth=0.9)
    ax.set_yticks(positions, order["label"], fontsize=7.5)
    ax.set_ylim(-0.8, len(order) - 0.2)
    ax.grid(False, axis="y")
    ax.set_xlabel("(best − mean) / standard deviation, as printed")
    ax.legend(loc="lower right", frameon=True, framealpha=0.9, edgecolor="none")
    return ax


def plot_tau_noise(
    gains: Mapping[str, float], errors: Mapping[str, float], ax: Axes | None = None, *, confidence: float = 0.95
) -> Axes:
    """Printed differences of tau beside what sampling the architectures alone makes of no difference.

    Args:
        gains: printed differences of tau x 100, by the SuperNet training.
        errors: standard errors of a difference (tau x 100), by what they assume, from wide to narrow.
    """
    ax = axes_of(ax)
    factor = NormalDist().inv_cdf((1 + confidence) / 2)
    shades = np.linspace(0.12, 0.4, len(errors))
    for position, (error, alpha) in enumerate(zip(errors.values(), shades, strict=True)):
        ax.barh(position, 2 * factor * error, left=-factor * error, height=0.62, color=BLUE, alpha=alpha)
        ax.text(1.02, position, f"± {factor * error:.2f}", transform=ax.get_yaxis_transform(), va="center", fontsize=10)
    for index, (strategy, gain) in enumerate(gains.items()):
        style = point_style(strategy, "paper") | {"linestyle": "none", "label": f"{strategy}: {gain:+.2f} (paper)"}
        ax.axvline(gain, color=look(strategy).color, linewidth=1.2, linestyle="--")
        ax.plot(gain, -0.65 - 0.28 * index, **style)
    ax.axvline(0, color="black", linewidth=0.9)
    ax.set_yticks(range(len(errors)), list(errors))
    ax.set_ylim(len(errors) - 0.5, -0.65 - 0.28 * len(gains))
    ends = [factor * max(errors.values(), default=0.0), *map(abs, gains.values())]
    ax.set_xlim(-1.05 * max(ends), 1.05 * max(ends))
    ax.grid(False, axis="y")
    ax.set_xlabel(f"difference of Kendall's τ × 100; bars: {confidence:.0%} of draws if there is none")
    ax.legend(loc="upper left", bbox_to_anchor=(1.12, 1.0), borderaxespad=0.0)
    return ax


def plot_repeated(repeated: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """What several tables print for one setting: a line from the lowest to the highest, one marker a table.

    Args:
        repeated: as :func:`mngnas_lib.paper.consistency.repeated_settings` returns it; drawn from top to bottom.
    """
    ax = axes_of(ax)
    entries = [[_printed(part) for part in row.tables.split("; ")] for row in repeated.itertuples()]
    tables = sorted({name for row in entries for name, _ in row}, key=ROMAN.index)
    looks = {
        name: (_TABLE_COLOURS[i % len(_TABLE_COLOURS)], _TABLE_MARKERS[i % len(_TABLE_MARKERS)])
        for i, name in enumerate(tables)
    }
    ax.hlines(range(len(entries)), 0, repeated["spread"], color=LIGHT_GREY, linewidth=3, zorder=1)
    for name in tables:
        color, marker = looks[name]
        places = [
            (value - low, position)
            for position, (row, low) in enumerate(zip(entries, repeated["lowest"], strict=True))
            for table, value in row
            if table == name
        ]
        x, y = zip(*places, strict=True)
        ax.plot(
            x,
            y,
            linestyle="none",
            marker=marker,
            markersize=6,
            markerfacecolor="white",
            markeredgecolor=color,
            markeredgewidth=1.4,
            label=f"Table {name}",
        )
    names = [
        f"{row.search_space} · {row.strategy} · {row.method} · {row.dataset} {row.split}".rstrip()
        for row in repeated.itertuples()
    ]
    ax.set_yticks(range(len(names)), names, fontsize=8.5)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.set_xlabel("printed accuracy above the lowest printed one (points, paper)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    return ax


def _columns(ax: Axes, place: tuple[float, float], coordinates: object, entries: Sequence[str], **font: object) -> None:
    """Entries side by side, at distances that do not depend on the width of the axes."""
    for entry, offset in zip(entries, (8, 122, 158), strict=True):
        ax.annotate(
            entry,
            place,
            xycoords=coordinates,
            xytext=(offset, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            annotation_clip=False,
            **font,
        )


def _printed(part: str) -> tuple[str, float]:
    """``V 93.41±0.13`` is Table V and 93.41."""
    table, value = part.split()[:2]
    return table, float(value.partition("±")[0])
