"""Figures about detection: boxes and their overlap, precision and recall, feature maps, cost against resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from mngnas_lib.plots.style import BLUE, DARK_GREY, GREEN, GREY, ORANGE, PURPLE, VERMILLION, axes_of

_LINES = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), (VERMILLION, "D"), (PURPLE, "P"))


def draw_boxes(
    truth: np.ndarray,
    boxes: np.ndarray,
    scores: np.ndarray,
    hits: np.ndarray,
    ax: Axes | None = None,
    *,
    size: tuple[int, int],
) -> Axes:
    """Objects (grey, filled) and detections with their scores: hits green and solid, misses red and dashed.

    Args:
        truth: (m, 4). boxes: (n, 4), rows ``(left, top, right, bottom)``. scores, hits: (n,).
        size: (width, height) of the image.
    """
    ax = axes_of(ax)
    for index, box in enumerate(truth):
        _rectangle(ax, box, facecolor="#E0E0E0", edgecolor=DARK_GREY, linewidth=1.0, label="" if index else "object")
    named: set[bool] = set()
    for box, score, hit in zip(boxes, scores, np.asarray(hits, dtype=bool).tolist(), strict=True):
        color, dash, name = (GREEN, "-", "hit") if hit else (VERMILLION, "--", "no hit")
        label = "" if hit in named else name
        named.add(hit)
        _rectangle(ax, box, facecolor="none", edgecolor=color, linestyle=dash, linewidth=2.0, label=label)
        # two detections of one object would write over each other
        place = (box[0], box[1], "left", "bottom") if hit else (box[2], box[3], "right", "top")
        text = {"color": color, "fontsize": 9, "fontweight": "bold", "ha": place[2], "va": place[3]}
        ax.annotate(f"{score:.2f}", place[:2], xytext=(2, 3 if hit else -3), textcoords="offset points", **text)
    ax.set_xlim(0, size[0])
    ax.set_ylim(size[1], 0)
    ax.set_aspect("equal")
    ax.grid(False)
    ax.set_xlabel("pixels")
    ax.set_ylabel("pixels")
    # beside the image, where it hides no box
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    return ax


def plot_precision_recall(precision: np.ndarray, recall: np.ndarray, ax: Axes | None = None) -> Axes:
    """The curve, detection by detection, and the area that COCO takes: under the highest precision to the right.

    Args:
        precision, recall: fractions, as :func:`mngnas_lib.detection.precision_recall` gives them.
    """
    ax = axes_of(ax)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    edges = np.concatenate([[0.0], recall])
    heights = np.concatenate([envelope[:1], envelope])
    ax.fill_between(edges, heights, step="pre", color=BLUE, alpha=0.18, linewidth=0, label="area that COCO takes")
    ax.plot(recall, precision, color=BLUE, marker="o", label="the k best detections")
    for k, (x, y) in enumerate(zip(recall, precision, strict=True), 1):
        ax.annotate(str(k), (x, y), xytext=(5, 5), textcoords="offset points", fontsize=9)
    ax.set_xlim(0, 1.02)
    ax.set_ylim(0, 1.08)
    ax.set_xlabel("recall")
    ax.set_ylabel("precision")
    ax.legend(loc="lower left")
    return ax


def draw_maps(maps: Mapping[str, np.ndarray], axes: Sequence[Axes]) -> Sequence[Axes]:
    """Feature maps side by side, each drawn at the same size whatever its resolution.

    Args:
        maps: by title, (height, width), for example means over channels.
    """
    for ax, (title, values) in zip(axes, maps.items(), strict=True):
        ax.imshow(values, cmap="viridis", interpolation="nearest")
        ax.set_title(f"{title}\n{values.shape[1]}×{values.shape[0]}", fontsize=10, fontweight="normal")
        ax.set_axis_off()
    return axes


def plot_macs_resolution(
    data: pd.DataFrame, ax: Axes | None = None, *, paper: Mapping[str, float] | None = None
) -> Axes:
    """Multiply-accumulates against the number of pixels, both axes logarithmic.

    Args:
        data: ``name``, ``pixels`` and ``macs`` (counts), one line a name.
        paper: numbers of the paper, counts of multiply-accumulates, by what to call them: horizontal lines.
    """
    ax = axes_of(ax)
    for (color, marker), (name, rows) in zip(_LINES, data.groupby("name", sort=False), strict=False):
        rows = rows.sort_values("pixels")
        ax.plot(rows["pixels"], rows["macs"] / 1e9, color=color, marker=marker, label=name)
    for name, macs in (paper or {}).items():
        ax.axhline(macs / 1e9, color=GREY, linestyle="--", linewidth=1.2)
        ax.text(data["pixels"].min(), macs / 1e9, f"{name} (paper)", fontsize=9, color=DARK_GREY, va="bottom")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("pixels of the image")
    ax.set_ylabel("FLOPs (10⁹ multiply-accumulates)")
    ax.legend(fontsize=9)
    return ax


def _rectangle(ax: Axes, box: np.ndarray, **looks: object) -> None:
    left, top, right, bottom = (float(value) for value in box)
    ax.add_patch(Rectangle((left, top), right - left, bottom - top, **looks))
