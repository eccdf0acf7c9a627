"""Architectures found: chains of blocks (Fig. 8), and cells with several operations a node (Fig. 9)."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.architectures import DRAWINGS, draw_architecture
from mngnas_lib.plots.paper_canvas import SMALL_TEXT, Canvas
from mngnas_lib.plots.paper_frames import checked, draw_not_measured
from mngnas_lib.plots.style import (
    BLACK,
    BLUE,
    CHOICES,
    DARK_GREY,
    GREEN,
    GREY,
    INDIGO,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    WINE,
    YELLOW,
)
from mngnas_lib.spaces import SearchSpace

#: Blocks that let everything pass are drawn as gaps
_FREE = ("identity", "skip", "skip_connect", "none")
#: So that cells and chains of one figure agree, whichever blocks each has: kernels by shade, kinds by hue
_COLORS = {name: look.color for name, look in CHOICES.items()} | {
    "MB3_K5": BLUE,
    "MB3_K7": INDIGO,
    "MB6_K3": YELLOW,
    "MB6_K7": VERMILLION,
    "sep_conv_3x3": SKY,
    "sep_conv_5x5": BLUE,
    "dil_conv_3x3": ORANGE,
    "dil_conv_5x5": VERMILLION,
    "max_pool_3x3": YELLOW,
}
_PALETTE = (SKY, ORANGE, GREEN, YELLOW, PURPLE, BLUE, VERMILLION, INDIGO, WINE)
#: Units that a letter of SMALL_TEXT is wide
_LETTER = 0.78


def draw_found(space: SearchSpace, arch: Sequence[int], ax: Axes | None = None) -> Axes:
    """Draw an architecture of any space: in its own way where it has one, else as a chain of its slots' choices.

    Raises:
        ArchError: ``arch`` does not belong to ``space``.
    """
    if isinstance(space, tuple(DRAWINGS)):
        return draw_architecture(space, arch, ax)
    arch = space.check(arch)
    blocks = [slot.choices[choice] for slot, choice in zip(space.slots, arch, strict=True)]
    return draw_chains(pd.DataFrame({"name": space.name, "block": blocks}), ax)


def draw_chains(data: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Architectures one above the other, each a row of coloured blocks with their names.

    Args:
        data: one row a block, in order: ``name`` (of the architecture, for example the strategy it was found with),
            ``block`` (the name of the choice; ``_`` breaks its line), and ``stage`` where stages are to be told apart.
            Without rows the axes say that nothing was measured.

    Raises:
        ConfigError: a column is missing.
    """
    data = checked(data, "name", "block")
    if data.empty:
        return draw_not_measured(ax)
    chains = {str(name): rows for name, rows in data.groupby("name", sort=False)}
    stages = "stage" in data.columns
    longest = max(len(rows) + (0.5 * (rows["stage"].nunique() - 1) if stages else 0) for rows in chains.values())
    label = _LETTER * max(map(len, chains)) + 2.0
    pitch = min(9.0, (89.0 - label) / longest)
    letters = max(len(line) for block in data["block"] for line in block.split("_"))
    upright = letters * _LETTER < 0.9 * pitch
    height = 5.0 if upright else _LETTER * data["block"].str.len().max() + 2.0
    row = height + (4.6 if stages else 2.4)
    canvas = Canvas(ax, label + pitch * longest + 1.0, row * len(chains))
    colors = _block_colors(data["block"])
    for index, (name, rows) in enumerate(chains.items()):
        top = row * (len(chains) - index) - 1.0
        canvas.text(label - 1.0, top - height / 2, name, size=SMALL_TEXT, ha="right")
        left, middle = label, top - height / 2
        groups = [part for _, part in rows.groupby("stage", sort=False)] if stages else [rows]
        for part in groups:
            start = left
            for block in part["block"]:
                if left > label:
                    # the line ends inside the block that it leads to
                    canvas.line((left - 0.5 * pitch, middle), (left + 0.2 * pitch, middle), zorder=0.5)
                _block(canvas, left, top - height, 0.86 * pitch, height, block, colors[block], upright=upright)
                left += pitch
            if stages:
                end, under = left - 0.14 * pitch, top - height - 0.5
                bracket = (start, under), (start, under - 0.5), (end, under - 0.5), (end, under)
                canvas.line(*bracket, color=GREY, width=1.0)
                stage = part["stage"].iloc[0]
                canvas.text((start + end) / 2, under - 1.6, str(stage), size=SMALL_TEXT, color=DARK_GREY)
                left += 0.5 * pitch
        if stages:
            canvas.text(label - 1.0, top - height - 2.1, "stage", size=SMALL_TEXT, ha="right", color=DARK_GREY)
    return canvas.ax


def draw_cell_graph(data: pd.DataFrame, ax: Axes | None = None, *, outputs: Sequence[str] | None = None) -> Axes:
    """A cell as a circuit: each node has a line of its own, and operations stand where it feeds a later node.

    A column belongs to the node at its foot, which adds up what the operations above it give. Lines cross without
    meeting unless an operation stands there.

    Args:
        data: one row an edge: ``source`` and ``target`` (names of nodes) and ``operation``. Nodes that are never a
            target are the cell's inputs. Without rows the axes say that nothing was measured.
        outputs: the nodes whose concatenation is the cell's output; by default all that are no inputs, as in DARTS.

    Raises:
        ConfigError: a column is missing, the edges form a circle, two join the same nodes, or an output is no node.
    """
    data = checked(data, "source", "target", "operation")
    if data.empty:
        return draw_not_measured(ax)
    nodes, inputs = _node_order(data)
    inner = nodes[len(inputs) :]
    outputs = inner if outputs is None else [str(name) for name in outputs]
    if not set(outputs) <= set(inner):
        raise ConfigError(f"the cell's outputs {', '.join(outputs)} are not all among its nodes {', '.join(inner)}")
    label = max(5.0, _LETTER * max(len(re.sub(r"[${}]", "", name)) for name in inputs) + 1.5)
    pitch, first, step = 9.2, label + 6.5, 4.6
    width, height = first + pitch * len(inner) + 4.5, step * len(nodes) + 1.0
    canvas = Canvas(ax, width, height)
    rows = {name: height - 0.5 - step * (index + 0.5) for index, name in enumerate(nodes)}
    columns = {name: first + pitch * index for index, name in enumerate(inner)}
    right = width - 5.0
    for name in nodes:
        start = columns.get(name, label)
        ends = [columns[target] for target in data.loc[data["source"] == name, "target"]]
        if name in outputs:
            canvas.arrow((start, rows[name]), (right, rows[name]), color=DARK_GREY, width=1.4, zorder=1.5)
        elif ends:
            canvas.line((start, rows[name]), (max(ends), rows[name]), color=DARK_GREY, width=1.4, zorder=1.5)
    for name, x in columns.items():
        top = max(rows[source] for source in data.loc[data["target"] == name, "source"])
        # white on both sides: the lines that it crosses do not meet it
        canvas.line((x, top), (x, rows[name]), color="white", width=6.0, zorder=1.8)
        canvas.arrow((x, top), (x, rows[name] + 1.6), width=1.6, head=1.1)
    colors = _block_colors(data["operation"])
    for source, target, operation in data[["source", "target", "operation"]].itertuples(index=False):
        x, y = columns[target] - 3.6, rows[source] - 1.4
        _block(canvas, x, y, 7.2, 2.8, _short(operation), colors[operation], upright=True, zorder=3)
    for name in inputs:
        canvas.box(0.5, rows[name] - 1.5, label - 0.5, 3.0, face="#F4F4F4")
        canvas.text(0.25 + label / 2, rows[name], name)
    for name, x in columns.items():
        canvas.circle(x, rows[name], 1.6, face="#F4F4F4")
        canvas.text(x, rows[name], name, size=SMALL_TEXT)
    top, bottom = max(rows[name] for name in outputs) + 1.6, min(rows[name] for name in outputs) - 1.6
    canvas.box(right, bottom, 4.5, top - bottom, face="#F4F4F4")
    word, turn = ("output", 90) if top - bottom > 6.0 else ("out", 0)
    canvas.text(right + 2.25, (top + bottom) / 2, word, size=SMALL_TEXT, rotation=turn)
    return canvas.ax


def _node_order(data: pd.DataFrame) -> tuple[list[str], list[str]]:
    """All nodes so that edges lead on, inputs first; and the inputs."""
    if data.duplicated(["source", "target"]).any():
        raise ConfigError("two edges join the same two nodes of this cell: give one operation a pair of nodes")
    targets = set(data["target"])
    order = inputs = [name for name in dict.fromkeys(data["source"]) if name not in targets]
    waiting = list(dict.fromkeys(data["target"]))
    while waiting:
        ready = [name for name in waiting if set(data.loc[data["target"] == name, "source"]) <= set(order)]
        if not ready:
            raise ConfigError(f"the edges between {', '.join(waiting)} form a circle: a cell leads on to its output")
        order = [*order, ready[0]]
        waiting.remove(ready[0])
    return order, inputs


def _block(
    canvas: Canvas,
    left: float,
    bottom: float,
    width: float,
    height: float,
    name: str,
    color: str,
    *,
    upright: bool,
    zorder: float = 1.0,
) -> None:
    free = color == "white"
    look = {"edge": GREY if free else BLACK, "face": color, "dashed": free, "zorder": zorder}
    canvas.box(left, bottom, width, height, line=1.2, rounding=0.6, **look)
    dark = sum(weight * part for weight, part in zip((0.3, 0.59, 0.11), to_rgb(color), strict=True)) < 0.4
    canvas.text(
        left + width / 2,
        bottom + height / 2,
        name.replace("_", "\n" if upright else " "),
        size=SMALL_TEXT,
        color="white" if dark else BLACK,
        rotation=0 if upright else 90,
        linespacing=1.2,
    )


def _block_colors(names: pd.Series) -> dict[str, str]:
    """A colour for each name: its own where it has one, else the next that is free, in alphabetic order."""
    names = sorted(set(names))
    known = {name: "white" if name in _FREE else _COLORS[name] for name in names if name in {*_FREE, *_COLORS}}
    free = [color for color in _PALETTE if color not in known.values()]
    others = [name for name in names if name not in known]
    return known | {name: free[index % len(free)] for index, name in enumerate(others)}


def _short(operation: str) -> str:
    """For example ``sep 3×3`` for ``sep_conv_3x3``."""
    short = re.sub(r"(\d)x(\d)", r"\1×\2", operation.replace("nor_conv", "conv").replace("skip_connect", "skip"))
    return re.sub(r"_(conv|pool)", "", short).replace("_", " ")
