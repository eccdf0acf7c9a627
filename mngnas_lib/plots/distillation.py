"""Figures about distillation: soft labels, the forward passes of a step, accuracies before and after retraining."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from mngnas_lib.distill.algorithms import LABELS
from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import BLUE, GREY, LIGHT_GREY, ORANGE, SKY, VERMILLION, WINE, axes_of, point_style

#: The column of accuracies with the weights that candidates take from the SuperNet.
BORROWED = "borrowed"
_TEMPERATURE_COLORS = (BLUE, ORANGE, SKY, WINE, GREY)


def plot_soft_labels(
    logits: Tensor | Sequence[float],
    ax: Axes | None = None,
    *,
    temperatures: Sequence[float] = (1.0, 2.0, 4.0),
    classes: Sequence[str] | None = None,
) -> Axes:
    """Class probabilities of one image at several temperatures (Eq. 5), as bars side by side.

    Args:
        logits: (classes,).
        classes: their names; by default 0, 1, ...

    Raises:
        ConfigError: the logits are not those of one image, or there are more than five temperatures.
    """
    ax = axes_of(ax)
    logits = torch.as_tensor(logits, dtype=torch.float64)
    if logits.dim() != 1 or not 0 < len(temperatures) <= len(_TEMPERATURE_COLORS):
        raise ConfigError(
            f"logits of shape {tuple(logits.shape)} and {len(temperatures)} temperatures cannot be drawn: "
            f"give the logits (classes,) of one image, and one to {len(_TEMPERATURE_COLORS)} temperatures"
        )
    width = 0.8 / len(temperatures)
    positions = np.arange(len(logits))
    for index, temperature in enumerate(temperatures):
        offset = (index - (len(temperatures) - 1) / 2) * width
        heights = (logits / temperature).softmax(0).tolist()
        label = f"temperature {temperature:g}"
        ax.bar(positions + offset, heights, width, color=_TEMPERATURE_COLORS[index], label=label)
    ax.set_xticks(positions, [str(i) for i in positions] if classes is None else classes)
    ax.grid(False, axis="x")
    ax.set_xlabel("class")
    ax.set_ylabel("probability")
    ax.legend()
    return ax


def plot_forwards(students: int, teachers: int, ax: Axes | None = None) -> Axes:
    """Forward passes of one step against the number of students: Algorithm 1 to the letter, and shared.

    Args:
        students: the largest n_S.
        teachers: n_T, of each student.
    """
    ax = axes_of(ax)
    counts = np.arange(1, students + 1)
    for label, forwards, color, marker in (
        ("Algorithm 1 to the letter: $n_S (n_S + n_T)$", counts * (counts + teachers), VERMILLION, "s"),
        ("shared: $n_S + n_T$", counts + teachers, BLUE, "o"),
    ):
        ax.plot(counts, forwards, color=color, marker=marker, markevery=max(1, students // 10), label=label)
        ax.annotate(f"{forwards[-1]:,}", (students, forwards[-1]), (6, 0), textcoords="offset points", va="center")
    ax.set_yscale("log")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(f"students $n_S$ ($n_T$ = {teachers} teachers)")
    ax.set_ylabel("forward passes a step")
    ax.legend(loc="upper left")
    return ax


def plot_before_after(accuracies: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Accuracies of the same candidates after several treatments: a thin line a candidate, each mean with its spread.

    Args:
        accuracies: one row a candidate, fractions; columns are ``borrowed`` (the SuperNet's weights) and names of
            algorithms (``none``, ``single``, ...), in the order in which they are drawn.

    Raises:
        ConfigError: there are no candidates, or a column is neither ``borrowed`` nor an algorithm.
    """
    ax = axes_of(ax)
    unknown = set(accuracies.columns) - {BORROWED, *LABELS}
    if unknown or accuracies.empty:
        raise ConfigError(
            f"these columns cannot be drawn: {', '.join(map(str, accuracies.columns))}: give accuracies of at least "
            f"one candidate, in columns out of {BORROWED}, {', '.join(LABELS)}"
        )
    percent = 100 * accuracies
    positions = np.arange(percent.shape[1])
    for row in percent.to_numpy():
        ax.plot(positions, row, color=LIGHT_GREY, linewidth=1.1, marker=".", markersize=5, zorder=1)
    spread = percent.std(ddof=1) if len(percent) > 1 else percent.iloc[0] * 0
    for position, name in zip(positions, percent.columns, strict=True):
        look = point_style("SPOS" if name == BORROWED else method_of(name)) | {"markersize": 9}
        ax.errorbar(position, percent[name].mean(), yerr=spread[name], linestyle="none", zorder=3, **look)
        text = f"{percent[name].mean():.1f} ± {spread[name]:.1f}"
        ax.annotate(
            text, (position, 1), (0, 4), xycoords=("data", "axes fraction"), textcoords="offset points", ha="center"
        )
    names = [
        "borrowed weights" if name == BORROWED else LABELS[name].replace(" Ensemble", "\nEnsemble") for name in percent
    ]
    ax.set_xticks(positions, names)
    ax.set_xlim(-0.5, len(positions) - 0.5)
    ax.grid(False, axis="x")
    ax.set_xlabel("thin lines: one candidate each\nbars: mean ± standard deviation over candidates")
    ax.set_ylabel("accuracy (%)")
    return ax
