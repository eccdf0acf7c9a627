"""Drawings of architectures: the cells of NAS-Bench-201 and -101 as graphs, a chain of blocks for NAS-Bench-Macro."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.typing import ColorType

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.style import CHOICES, DARK_GREY, GREY, LIGHT_GREY, axes_of
from mngnas_lib.spaces import Arch, InputShape, NasBench101, NasBench201, NasBenchMacro, SearchSpace
from mngnas_lib.spaces.nasbench101_cells import to_matrix, wiring
from mngnas_lib.spaces.nasbench201 import EDGES, NONE
from mngnas_lib.spaces.nasbench_macro import IDENTITY

OPERATION_LABELS = {
    "none": "none",
    "skip_connect": "skip",
    "nor_conv_1x1": "conv 1×1",
    "nor_conv_3x3": "conv 3×3",
    "avg_pool_3x3": "avg pool 3×3",
}
#: In the boxes of NAS-Bench-101's nodes
NODE_LABELS = {
    "input": "in",
    "conv3x3-bn-relu": "conv\n3×3",
    "conv1x1-bn-relu": "conv\n1×1",
    "maxpool3x3": "max\npool",
    "output": "out",
}
#: Height of the arc over its two nodes: neighbours are joined by straight edges, others pass above or below
ARCS = {(0, 1): 0.0, (1, 2): 0.0, (2, 3): 0.0, (0, 2): 0.85, (1, 3): -0.85, (0, 3): 1.65}


def draw_architecture(
    space: SearchSpace, arch: Sequence[int], ax: Axes | None = None, *, input_shape: InputShape = (3, 32, 32)
) -> Axes:
    """Draw ``arch``; return the axes.

    Args:
        input_shape: (channels, height, width) of an image, for the resolutions of a chain.

    Raises:
        ArchError: ``arch`` does not belong to ``space``.
        ConfigError: this kind of space has no drawing.
    """
    arch = space.check(arch)
    for kind, draw in DRAWINGS.items():
        if isinstance(space, kind):
            ax = axes_of(ax)
            ax.set_axis_off()
            ax.grid(False)
            draw(space, arch, ax, input_shape)
            return ax
    raise ConfigError(f"architectures of {space.name} have no drawing yet: add one to mngnas_lib.plots.architectures")


# ---------------------------------------------------------------------- NAS-Bench-201


def _draw_cell(space: NasBench201, arch: Arch, ax: Axes, input_shape: InputShape) -> None:
    """Nodes in a row, one arrow per edge; grey where an edge carries nothing to the cell's output."""
    from mngnas_lib.spaces.nasbench201_network import used_edges

    spread, radius, scale = 2.1, 0.22, _scale(ax, 5.2)
    used = used_edges(arch)
    alive = {3} | {node for edge, is_used in zip(EDGES, used, strict=True) if is_used for node in edge}
    for edge, slot, choice, is_used in zip(EDGES, space.slots, arch, used, strict=True):
        operation = slot.choices[choice]
        color = CHOICES[operation].color if is_used else GREY
        start, end = (spread * node for node in edge)
        middle, height = (start + end) / 2, ARCS[edge]
        # a quadratic curve passes its middle at half the height of its control point
        ax.add_patch(
            FancyArrowPatch(
                (start, 0),
                (end, 0),
                connectionstyle=f"arc3,rad={-2 * height / (end - start)}",
                arrowstyle="-" if choice == NONE else "-|>",
                mutation_scale=16 * scale,
                linewidth=scale * (2.4 if is_used else 1.2),
                linestyle=":" if choice == NONE else "-" if is_used else "--",
                color=color,
                alpha=1.0 if is_used else 0.75,
                shrinkA=17 * scale,
                shrinkB=17 * scale,
                zorder=1,
            )
        )
        ax.text(
            middle,
            height,
            OPERATION_LABELS[operation],
            color=color if is_used else DARK_GREY,
            style="normal" if is_used else "italic",
            weight="bold" if is_used else "normal",
            ha="center",
            va="center",
            fontsize=10.5 * scale,
            bbox={"boxstyle": "round,pad=0.22", "facecolor": "white", "edgecolor": "none"},
            zorder=2,
        )
    for node, name in enumerate(("in", "1", "2", "out")):
        lives = node in alive
        ax.add_patch(
            Circle(
                (spread * node, 0),
                radius,
                facecolor="#F4F4F4" if lives else "white",
                edgecolor="black" if lives else GREY,
                linestyle="-" if lives else "--",
                linewidth=1.6 * scale,
                zorder=3,
            )
        )
        ax.text(
            spread * node,
            0,
            name,
            ha="center",
            va="center",
            fontsize=10.5 * scale,
            color="black" if lives else DARK_GREY,
            zorder=4,
        )
    ax.set_xlim(-0.35, 3 * spread + 0.35)
    ax.set_ylim(-1.15, 1.95)
    ax.set_aspect("equal")


def _scale(ax: Axes, inches: float) -> float:
    """How much smaller than designed text and lines must be, in axes less wide than ``inches``."""
    box = ax.get_position()
    return min(1.0, box.width * ax.figure.get_figwidth() / inches)


# ---------------------------------------------------------------------- NAS-Bench-101


def _draw_nodes(space: NasBench101, arch: Arch, ax: Axes, input_shape: InputShape) -> None:
    """The nodes that count, in a row, each with its operation; edges that pass over others are arcs."""
    matrix, labels = to_matrix(arch)
    nodes, edges = wiring(tuple(matrix[np.triu_indices(len(labels), 1)].tolist()))
    width, gap, height, scale = 1.2, 0.75, 1.1, _scale(ax, 1.25 * len(nodes) + 0.6)
    lefts = {node: place * (width + gap) for place, node in enumerate(nodes)}
    for node, left in lefts.items():
        color = _pale(CHOICES[labels[node]].color) if labels[node] in CHOICES else "#F4F4F4"
        _box(ax, left, width, height, NODE_LABELS[labels[node]], color, scale)
    places = {node: place for place, node in enumerate(nodes)}
    reach = 0.0
    for (source, target), above in _sides([(places[a], places[b]) for a, b in edges]).items():
        start, end = source * (width + gap) + width, target * (width + gap)
        span = target - source
        if span == 1:
            _arrow(ax, start, end, height, scale)
            continue
        start, end, rise = start - 0.3, end + 0.3, 0.25 + 0.3 * span
        reach = max(reach, rise)
        side = 1 if above else -1
        level = height if above else 0.0
        ax.add_patch(
            FancyArrowPatch(
                (start, level),
                (end, level),
                connectionstyle=f"arc3,rad={-side * 2 * rise / (end - start)}",
                arrowstyle="-|>",
                mutation_scale=11 * scale,
                linewidth=scale,
                color="black",
                shrinkA=0,
                shrinkB=0,
            )
        )
    ax.set_xlim(-0.15, max(lefts.values()) + width + 0.15)
    ax.set_ylim(-reach - 0.15, height + reach + 0.15)
    ax.set_aspect("equal")


def _pale(color: str) -> tuple[float, ...]:
    """``color`` mixed with white, so that a name written on it is easy to read."""
    return tuple(0.45 + 0.55 * part for part in to_rgb(color))


def _sides(edges: Sequence[tuple[int, int]]) -> dict[tuple[int, int], bool]:
    """For each edge between places of a row, whether it passes above: where it crosses fewer others, short ones first.

    Neighbours are joined by a straight line, whatever is said of them.
    """
    sides: dict[tuple[int, int], bool] = {}
    for edge in sorted(edges, key=lambda edge: (edge[1] - edge[0], edge)):
        crossed = [0, 0]
        for (a, b), above in sides.items():
            if a < edge[0] < b < edge[1] or edge[0] < a < edge[1] < b:
                crossed[above] += 1
        sides[edge] = crossed[True] <= crossed[False]
    return sides


# ---------------------------------------------------------------------- NAS-Bench-Macro


def _draw_chain(space: NasBenchMacro, arch: Arch, ax: Axes, input_shape: InputShape) -> None:
    """Blocks from left to right; under each stage its channels and resolution."""
    width, gap, height, scale = 1.0, 0.32, 1.5, _scale(ax, 8.0 * (len(arch) + 2) / 10)
    ends = [0, *accumulate(space.stages)]
    sides = np.array(input_shape[1:])
    left = _box(ax, 0.0, width, height, "stem\n3×3", "#F4F4F4", scale)
    _under(ax, 0.0, width, "", space.channels, sides, scale)
    for stage, (first, last) in enumerate(pairwise(ends)):
        sides = -(-sides // 2)
        stage_left = left + gap
        for slot in range(first, last):
            _arrow(ax, left, left + gap, height, scale)
            name = space.slots[slot].choices[arch[slot]]
            is_free = arch[slot] == IDENTITY and space.blocks[slot].stride == 1
            text = "identity" if is_free else "1×1" if arch[slot] == IDENTITY else name.replace("_", "\n")
            if space.blocks[slot].stride == 2:
                text += "\n↓2"
            color = "white" if is_free else LIGHT_GREY if arch[slot] == IDENTITY else CHOICES[name].color
            left = _box(ax, left + gap, width, height, text, color, scale, dashed=is_free)
        _under(ax, stage_left, left, f"stage {stage + 1}", space.blocks[first].outputs, sides, scale)
    _arrow(ax, left, left + gap, height, scale)
    right = _box(ax, left + gap, width, height, "head", "#F4F4F4", scale)
    _under(ax, left + gap, right, "", space.head_channels, None, scale)
    ax.set_xlim(-0.15, right + 0.15)
    ax.set_ylim(-1.5, height + 0.15)
    ax.set_aspect("equal")


def _box(
    ax: Axes,
    left: float,
    width: float,
    height: float,
    text: str,
    color: ColorType,
    scale: float,
    *,
    dashed: bool = False,
) -> float:
    """A block with its name; returns its right side."""
    ax.add_patch(
        FancyBboxPatch(
            (left + 0.05, 0.05),
            width - 0.1,
            height - 0.1,
            boxstyle="round,pad=0.05,rounding_size=0.12",
            facecolor=color,
            edgecolor=GREY if dashed else "black",
            linestyle="--" if dashed else "-",
            linewidth=1.3 * scale,
        )
    )
    ax.text(
        left + width / 2,
        height / 2,
        text,
        ha="center",
        va="center",
        fontsize=10 * scale,
        color=DARK_GREY if dashed else "black",
        rotation=90 if dashed else 0,
        linespacing=1.25,
    )
    return left + width


def _arrow(ax: Axes, start: float, end: float, height: float, scale: float) -> None:
    ends = ((start, height / 2), (end, height / 2))
    arrow = {"arrowstyle": "-|>", "mutation_scale": 11 * scale, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(*ends, color="black", linewidth=scale, **arrow))


def _under(
    ax: Axes, left: float, right: float, title: str, channels: int, sides: np.ndarray | None, scale: float
) -> None:
    """A bracket below a group of blocks, with what comes out of it."""
    ax.plot([left, left, right, right], [-0.12, -0.22, -0.22, -0.12], color=DARK_GREY, linewidth=1.1 * scale)
    resolution = "" if sides is None else f"{sides[0]}×{sides[1]}"
    text = f"{title}\n{channels} ch.\n{resolution}"
    ax.text((left + right) / 2, -0.32, text, ha="center", va="top", fontsize=9.5 * scale, linespacing=1.25)


DRAWINGS: dict[type[SearchSpace], Callable[..., None]] = {
    NasBench101: _draw_nodes,
    NasBench201: _draw_cell,
    NasBenchMacro: _draw_chain,
}
