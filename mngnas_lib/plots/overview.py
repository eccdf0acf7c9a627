"""The method in one picture (the paper's Fig. 1, in our design).

``python -m mngnas_lib.plots.overview`` writes it as ``figures/overview.png`` and ``figures/overview.svg``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle

from mngnas_lib.plots.style import (
    BLACK,
    BLUE,
    DARK_GREY,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    SKY,
    VERMILLION,
    axes_of,
    style,
)

#: The picture's own units; one is a tenth of an inch at the size of :func:`main`
WIDTH, HEIGHT = 104.0, 66.0
CHOICES = (SKY, ORANGE, GREEN)
#: The three architectures that are followed through the picture, and their FLOPs by size
ARCHS = ((0, 1, 2, 1), (2, 1, 0, 1), (1, 1, 2, 0))


def draw_overview(ax: Axes | None = None) -> Axes:
    """Draw the four parts of the method and the loop that the last three form; return the axes."""
    ax = axes_of(ax)
    ax.set_axis_off()
    ax.set_xlim(0, WIDTH)
    ax.set_ylim(0, HEIGHT)
    ax.set_aspect("equal")

    _box(ax, (36, 1.5), (66.5, 63), rounding=2, facecolor="#FAFAFA", edgecolor=GREY, linestyle="--")
    ax.text(69, 62.1, "search: once every search epoch", ha="center", va="center", color=DARK_GREY, style="italic")

    _panel(ax, 1.5, 33, 27, 27, "1  Train the SuperNet", BLUE)
    _supernet(ax, 6, 43.6)
    _note(ax, 15, 37.4, "SPOS: one path a step\nFairNAS: every choice once a step\nMixPath: several paths at once")

    _panel(ax, 38.5, 33, 27, 27, "2  Propose candidates", GREEN)
    _candidates(ax, 44, 41.5)
    _note(ax, 52, 36.2, "crossover and mutation of the best,\nunder the FLOPs constraint")

    _panel(ax, 73, 33, 27, 27, "3  Retrain them", VERMILLION)
    _students(ax, 86.5, 46.4)
    _note(ax, 86.5, 36.2, "with labels, teachers (weights α)\nand each other (weights β)")

    _panel(ax, 38.5, 4, 61.5, 19.5, "4  Rank, update the teacher groups", ORANGE)
    _teachers(ax, 41, 9.4)

    _panel(ax, 1.5, 4, 27, 19.5, "Result", BLACK)
    _strip(ax, 8.5, 13.2, ARCHS[0], 3.2)
    _note(ax, 15, 8.2, "the most accurate architecture\nunder the constraint")

    _arrow(ax, (28.5, 46.5), (38.5, 46.5), "inherited\nweights", (32.2, 47.4))
    _arrow(ax, (65.5, 46.5), (73, 46.5), "$n_S$", (69.2, 47.4))
    _arrow(ax, (93.5, 33), (93.5, 23.5), "validation\naccuracy", (94.4, 28.2), side="left")
    _arrow(ax, (79.5, 23.5), (79.5, 33), "teachers", (78.6, 28.2), side="right", color=VERMILLION)
    _arrow(ax, (52, 23.5), (52, 33), "survivors", (51.1, 28.2), side="right")
    _arrow(ax, (38.5, 13.5), (28.5, 13.5), "at the\nend", (32.2, 14.4))
    return ax


def _panel(ax: Axes, left: float, bottom: float, width: float, height: float, title: str, color: str) -> None:
    """A titled box."""
    _box(ax, (left, bottom), (width, height), rounding=1.4, facecolor="white", edgecolor=color, linewidth=1.8)
    ax.text(left + 1.6, bottom + height - 2.6, title, ha="left", va="center", weight="bold", fontsize=11.5)


def _box(ax: Axes, corner: tuple[float, float], size: tuple[float, float], *, rounding: float, **look: object) -> None:
    ax.add_patch(FancyBboxPatch(corner, *size, boxstyle=f"round,pad=0,rounding_size={rounding}", **look))


def _note(ax: Axes, x: float, y: float, text: str) -> None:
    ax.text(x, y, text, ha="center", va="center", fontsize=9.3, linespacing=1.3, color="#222222")


def _arrow(
    ax: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    text: str,
    at: tuple[float, float],
    *,
    side: str = "center",
    color: str = BLACK,
) -> None:
    """An arrow between two boxes, with a word beside it."""
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=17, linewidth=2, shrinkA=1, shrinkB=1, color=color)
    )
    vertical = "bottom" if side == "center" else "center"
    ax.text(*at, text, ha=side, va=vertical, fontsize=9.5, color=color, linespacing=1.2)


def _strip(ax: Axes, left: float, bottom: float, arch: Sequence[int], size: float, changed: int | None = None) -> None:
    """An architecture as a row of squares, one a slot, in the colour of its choice."""
    for slot, choice in enumerate(arch):
        ax.add_patch(
            Rectangle(
                (left + slot * (size + 0.35), bottom),
                size,
                size,
                facecolor=CHOICES[choice],
                edgecolor=BLACK,
                linewidth=2.2 if slot == changed else 0.8,
            )
        )


def _supernet(ax: Axes, left: float, bottom: float) -> None:
    """Four slots of three choices, all joined; one path in bold."""
    across, up, path = 6.0, 4.6, ARCHS[0]
    for slot in range(3):
        for source in range(3):
            for target in range(3):
                ends = [left + across * slot, left + across * (slot + 1)], [bottom + up * source, bottom + up * target]
                ax.plot(*ends, color=LIGHT_GREY, linewidth=1, zorder=1)
    xs = left + across * np.arange(4)
    ax.plot(xs, bottom + up * np.array(path), color=BLACK, linewidth=2.6, zorder=2)
    for slot in range(4):
        for choice in range(3):
            chosen = path[slot] == choice
            ax.add_patch(
                Circle(
                    (xs[slot], bottom + up * choice),
                    1.25,
                    facecolor=CHOICES[choice],
                    edgecolor=BLACK if chosen else GREY,
                    linewidth=1.8 if chosen else 0.8,
                    zorder=3,
                )
            )


def _candidates(ax: Axes, left: float, bottom: float) -> None:
    """Candidates one above the other; in the last, one slot has just been changed."""
    for row, arch in enumerate(ARCHS):
        _strip(ax, left, bottom + 8.4 - 4.4 * row, arch, 3.2, changed=3 if row == 2 else None)
    ax.annotate(
        "mutated",
        (left + 13.9, bottom + 1.2),
        xytext=(left + 13.4, bottom - 2.0),
        fontsize=8.5,
        color=DARK_GREY,
        ha="right",
        va="center",
    )


def _students(ax: Axes, x: float, y: float) -> None:
    """Three students, each of which learns from the two others."""
    places = [(x, y + 5.2), (x - 6.6, y - 4.3), (x + 6.6, y - 4.3)]
    for here in range(3):
        for there in range(3):
            if here != there:
                ax.add_patch(
                    FancyArrowPatch(
                        places[here],
                        places[there],
                        connectionstyle="arc3,rad=0.16",
                        arrowstyle="-|>",
                        mutation_scale=10,
                        shrinkA=19,
                        shrinkB=19,
                        color=GREY,
                        linewidth=1.3,
                    )
                )
    for number, place in enumerate(places, 1):
        ax.add_patch(Circle(place, 2.5, facecolor="white", edgecolor=VERMILLION, linewidth=1.8, zorder=3))
        ax.text(*place, f"$S_{number}$", ha="center", va="center", zorder=4)
    ax.text(x, y - 1.4, "β", ha="center", va="center", color=DARK_GREY, fontsize=12)


def _teachers(ax: Axes, left: float, bottom: float) -> None:
    """The two groups, on both sides of the FLOPs threshold, and what happens to those who enter."""
    for start, name, size in ((left, "small: $T_s$", 0.9), (left + 20, "large: $T_l$", 1.35)):
        _box(ax, (start, bottom - 3.6), (17, 12.2), rounding=1, facecolor="#FFF7E6", edgecolor=ORANGE)
        ax.text(start + 8.5, bottom + 6.6, name, ha="center", va="center", fontsize=10)
        for index in range(5):
            place = start + 2.1 + 3.2 * index, bottom + 2.2
            ax.add_patch(Circle(place, size, facecolor=ORANGE, edgecolor=BLACK))
    ax.text(left + 8.5, bottom - 1.8, "FLOPs ≤ threshold", ha="center", va="center", fontsize=8.8)
    ax.text(left + 28.5, bottom - 1.8, "FLOPs > threshold", ha="center", va="center", fontsize=8.8)
    ax.text(
        left + 39.2,
        bottom + 2.5,
        "those who enter:\nperturbation-aware\ndistillation\n(one slot changed)",
        ha="left",
        va="center",
        fontsize=9.3,
        linespacing=1.3,
    )


def main() -> None:
    """Write the picture that the README shows."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from mngnas_lib.plots.save import COMMITTED_PROFILE, save

    with style():
        fig, ax = plt.subplots(figsize=(WIDTH / 10, HEIGHT / 10))
        draw_overview(ax)
        for path in save(fig, "overview", profile=COMMITTED_PROFILE):
            print(path)


if __name__ == "__main__":
    main()
