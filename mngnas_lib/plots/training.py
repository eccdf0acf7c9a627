"""Figures about training: loss, accuracy and learning rate over epochs; how often each choice was trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.style import CHOICES, GREY, LIGHT_GREY, axes_of, point_style
from mngnas_lib.spaces import SearchSpace


def plot_history(
    history: pd.DataFrame | Sequence[object],
    ax: Axes | None = None,
    *,
    quantity: str = "loss",
    method: str = "SPOS",
    name: str | None = None,
    learning_rate: bool = True,
) -> Axes:
    """A training curve; over several seeds, their mean and the band from the lowest to the highest.

    Args:
        history: one row per epoch with ``epoch`` and ``quantity``, and ``lr`` where there is one; a table, or the
            history of a training (a sequence of dataclasses). Rows of the same epoch are different seeds.
        quantity: ``loss`` or ``accuracy`` (a fraction).
        name: the curve's name in the legend, by default the method's.
        learning_rate: draw it too, on an axis of its own.

    Raises:
        ConfigError: the history has no such column.
    """
    ax = axes_of(ax)
    table = history if isinstance(history, pd.DataFrame) else pd.DataFrame(list(history))
    missing = {"epoch", quantity} - set(table.columns)
    if missing:
        raise ConfigError(
            f"this history has no {', '.join(sorted(missing))}: it has {', '.join(map(str, table.columns))}"
        )
    over_seeds = table.groupby("epoch")[quantity]
    mean = over_seeds.mean()
    points = point_style(method)
    seeds = int(over_seeds.size().max())
    text = (name or method) + (f" ({seeds} seeds)" if seeds > 1 else "")
    # more markers than a dozen make a line of blots
    ax.plot(mean.index, mean, label=text, markevery=max(1, len(mean) // 12), zorder=3, **points)
    if seeds > 1:
        ax.fill_between(mean.index, over_seeds.min(), over_seeds.max(), color=points["color"], alpha=0.18, linewidth=0)
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if quantity == "accuracy":
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
        ax.set_ylabel("accuracy of the trained paths (%)")
    else:
        ax.set_ylabel("cross-entropy (nats)" if quantity == "loss" else quantity)
    if learning_rate and "lr" in table.columns:
        _draw_learning_rate(ax, table.groupby("epoch")["lr"].mean())
    # a falling learning rate leaves room there, and so do most curves
    place = "center right" if learning_rate and "lr" in table.columns else "best"
    ax.legend(loc=place, frameon=True, framealpha=0.85, edgecolor="none")
    return ax


def plot_visits(
    counts: np.ndarray | Sequence[Sequence[int]],
    space: SearchSpace,
    ax: Axes | None = None,
    *,
    steps: int | None = None,
) -> Axes:
    """How often training updated each choice of each slot, against what uniform drawing makes likely.

    Args:
        counts: (slots, choices) updates; slots with fewer choices are padded with anything.
        steps: updates that were shared out among a slot's choices; by default their sum in the first slot.
    """
    ax = axes_of(ax)
    slots = space.slots
    rows = [np.asarray(row)[: len(slot.choices)] for row, slot in zip(counts, slots, strict=True)]
    steps = int(rows[0].sum()) if steps is None else steps
    names = list(dict.fromkeys(choice for slot in slots for choice in slot.choices))
    step = 0.72 / len(names)
    for position, (slot, row) in enumerate(zip(slots, rows, strict=True)):
        share = 1 / len(slot.choices)
        expected, deviation = steps * share, np.sqrt(steps * share * (1 - share))
        sides = [position - 0.44, position + 0.44]
        ax.fill_between(
            sides,
            expected - 1.96 * deviation,
            expected + 1.96 * deviation,
            color=LIGHT_GREY,
            alpha=0.6,
            linewidth=0,
            label="95 % of uniform draws" if position == 0 else None,
        )
        ax.plot(sides, [expected, expected], color=GREY, linewidth=1.2, label="fair share" if position == 0 else None)
        for choice, visits in zip(slot.choices, row, strict=True):
            index = names.index(choice)
            offset = (index - (len(names) - 1) / 2) * step
            color, marker = CHOICES[choice]
            ax.plot(position + offset, visits, marker, color=color, label=choice if position == 0 else None)
    # in two lines, so that neighbours do not touch
    labels = [slot.name.replace(", ", ",\n").replace("node ", "node\n").replace(" to ", " → ") for slot in slots]
    ax.set_xticks(range(len(slots)), labels)
    ax.grid(False, axis="x")
    ax.set_xlim(-0.6, len(slots) - 0.4)
    ax.set_ylabel("updates of a choice (steps)")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)
    return ax


def _draw_learning_rate(ax: Axes, rates: pd.Series) -> None:
    """The schedule behind the curve, in grey; drawn once however many curves share the axes."""
    for other in ax.get_shared_x_axes().get_siblings(ax):
        if other.get_label() == "learning rate" and other.get_subplotspec() == ax.get_subplotspec():
            return
    right = ax.twinx()
    right.set_label("learning rate")
    right.plot(rates.index, rates, color=GREY, linestyle="--", linewidth=1.3)
    right.set_ylabel("learning rate (dashed)", color=GREY)
    right.tick_params(axis="y", colors=GREY)
    right.set_ylim(bottom=0)
    right.grid(False)
    right.spines["right"].set_visible(True)
    right.spines["right"].set_color(GREY)
    # the curve is what matters: keep it in front
    ax.set_zorder(right.get_zorder() + 1)
    ax.patch.set_visible(False)
