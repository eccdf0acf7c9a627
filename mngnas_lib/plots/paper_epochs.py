"""Error or loss over the epochs of retraining, by retraining algorithm (Fig. 12)."""

from __future__ import annotations

from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.paper_frames import checked, draw_curve, draw_not_measured, series
from mngnas_lib.plots.style import Source, axes_of

#: What Fig. 12 shows, by column: its axis
QUANTITIES = {"error": "test error (%)", "loss": "training loss (nats)"}


def plot_retraining_epochs(
    data: pd.DataFrame,
    ax: Axes | None = None,
    *,
    quantity: Literal["error", "loss"] = "error",
    source: Source = "measured",
) -> Axes:
    """One line an algorithm, with a band where intervals are known.

    Args:
        data: one row an algorithm and epoch: ``algorithm`` (a key of ``ALGORITHMS``, or a name of the paper's tables),
            ``epoch`` (of retraining, from 1), and ``error`` (a fraction) or ``loss`` (nats); ``low`` and ``high``, the
            ends of its interval, where they are known. Without rows the axes say that nothing was measured.
        quantity: which of the two.
        source: ``paper`` makes hollow markers and dashed lines.

    Raises:
        ConfigError: a column is missing, an algorithm has no look, or has two values at one epoch.
    """
    if quantity not in QUANTITIES:
        raise ConfigError(f"Fig. 12 shows no {quantity!r}: choose one of {', '.join(QUANTITIES)}")
    ax = axes_of(ax)
    data = checked(data, "algorithm", "epoch", quantity)
    if data.empty:
        return draw_not_measured(ax)
    for algorithm, rows in series(data, "algorithm", "epoch"):
        draw_curve(ax, rows, "epoch", quantity, algorithm, source)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if quantity == "error":
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    ax.set_xlabel("epoch of retraining")
    ax.set_ylabel(QUANTITIES[quantity])
    ax.legend()
    return ax
