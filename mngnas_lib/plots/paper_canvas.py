"""What diagrams are drawn with: boxes, arrows, words and small pictures, all in one unit.

One unit is a tenth of an inch at the diagram's own size. In axes of another size everything scales together, words and
line widths too, so that nothing ever overlaps in a small figure that does not in a large one.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle

from mngnas_lib.plots.style import BLACK, DARK_GREY, GREEN, GREY, ORANGE, SKY, axes_of

#: Colours of a slot's choices in small pictures of architectures
CHOICE_COLORS = (SKY, ORANGE, GREEN)
SMALL_TEXT, TEXT, TITLE = 9.0, 9.5, 10.5
Point = tuple[float, float]


class Canvas:
    """Axes without axes, ``width`` by ``height`` units.

    Attributes:
        ax: what is drawn on; without any, the current axes, or a new figure of the diagram's own size.
        scale: size of the drawing, 1 at its own size.
    """

    def __init__(self, ax: Axes | None, width: float, height: float) -> None:
        if ax is None and not plt.get_fignums():
            plt.figure(figsize=(width / 10, height / 10))
        self.ax = axes_of(ax)
        self.ax.set_axis_off()
        self.ax.set_xlim(0, width)
        self.ax.set_ylim(0, height)
        self.ax.set_aspect("equal")
        self.scale = 10 * min(np.array(_size(self.ax)) / (width, height))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = TEXT,
        ha: str = "center",
        va: str = "center",
        color: str = BLACK,
        **look: object,
    ) -> None:
        """Words of ``size`` points at the diagram's own size."""
        look = {"linespacing": 1.3} | look
        self.ax.text(x, y, text, fontsize=size * self.scale, ha=ha, va=va, color=color, zorder=5, **look)

    def box(
        self,
        left: float,
        bottom: float,
        width: float,
        height: float,
        *,
        edge: str = BLACK,
        face: str = "white",
        line: float = 1.4,
        rounding: float = 1.0,
        dashed: bool = False,
        zorder: float = 1.0,
    ) -> None:
        """A box with round corners."""
        self.ax.add_patch(
            FancyBboxPatch(
                (left, bottom),
                width,
                height,
                boxstyle=f"round,pad=0,rounding_size={rounding}",
                facecolor=face,
                edgecolor=edge,
                linestyle="--" if dashed else "-",
                linewidth=line * self.scale,
                zorder=zorder,
            )
        )

    def panel(self, left: float, bottom: float, width: float, height: float, title: str, color: str) -> None:
        """A box with a title in its upper left corner."""
        self.box(left, bottom, width, height, edge=color, line=1.8, rounding=1.4)
        self.text(left + 1.4, bottom + height - 2.3, title, size=TITLE, ha="left", weight="bold")

    def circle(
        self, x: float, y: float, radius: float, *, face: str = "white", edge: str = BLACK, **look: object
    ) -> None:
        """A disc over the lines that end at it."""
        look = {"linewidth": 1.2 * self.scale} | look
        self.ax.add_patch(Circle((x, y), radius, facecolor=face, edgecolor=edge, zorder=4, **look))

    def line(self, *points: Point, color: str = BLACK, width: float = 1.7, **look: object) -> None:
        """Straight lines from point to point."""
        look = {"solid_capstyle": "butt", "solid_joinstyle": "round", "zorder": 2} | look
        self.ax.plot(*zip(*points, strict=True), color=color, linewidth=width * self.scale, **look)

    def arrow(self, *points: Point, color: str = BLACK, width: float = 1.7, head: float = 1.5, **look: object) -> None:
        """A line with a head, whose tip is the last point."""
        tip, before = np.array(points[-1], dtype=float), np.array(points[-2], dtype=float)
        along = (tip - before) / np.linalg.norm(tip - before)
        across = np.array([-along[1], along[0]]) * head * 0.38
        base = tip - along * head
        # the line ends inside its head, so that its blunt end does not show at the tip
        self.line(*points[:-1], tuple(tip - along * head * 0.7), color=color, width=width, **look)
        corners = [tip, base + across, base - across]
        self.ax.add_patch(Polygon(corners, facecolor=color, edgecolor="none", zorder=3, gid="head"))

    def strip(
        self, left: float, bottom: float, arch: Sequence[int], size: float, *, changed: int | None = None
    ) -> None:
        """An architecture as a row of squares, one a slot, in the colour of its choice."""
        for slot, choice in enumerate(arch):
            self.ax.add_patch(
                Rectangle(
                    (left + slot * size * 1.12, bottom),
                    size,
                    size,
                    facecolor=CHOICE_COLORS[choice],
                    edgecolor=BLACK,
                    linewidth=(2.4 if slot == changed else 0.8) * self.scale,
                    zorder=3 if slot == changed else 2,
                )
            )

    def bars(self, left: float, bottom: float, heights: Sequence[float], *, width: float, color: str) -> None:
        """Weights as bars on a line."""
        for index, height in enumerate(heights):
            self.ax.add_patch(
                Rectangle(
                    (left + index * width * 1.4, bottom),
                    width,
                    height,
                    facecolor=color,
                    edgecolor=BLACK,
                    linewidth=0.6 * self.scale,
                    zorder=2,
                )
            )
        end = left + (len(heights) - 0.3) * width * 1.4
        self.line((left - 0.3 * width, bottom), (end, bottom), color=DARK_GREY, width=1.0)

    def frame(self, left: float, bottom: float, width: float, height: float, title: str) -> None:
        """A dashed frame around boxes, with its title at the top."""
        self.box(left, bottom, width, height, edge=GREY, face="#FAFAFA", dashed=True, rounding=2.0)
        self.text(left + width / 2, bottom + height - 2.3, title, size=10, color=DARK_GREY, style="italic")


def _size(ax: Axes) -> tuple[float, float]:
    """(width, height) in inches that the axes will have, whatever layout comes later: their share of the figure."""
    width, height = ax.figure.get_size_inches()
    spec = ax.get_subplotspec()
    if spec is None:
        position = ax.get_position()
        return width * position.width, height * position.height
    rows, columns = spec.get_gridspec().get_geometry()
    return width * len(spec.colspan) / columns, height * len(spec.rowspan) / rows
