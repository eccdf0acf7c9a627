"""Kendall's tau against the length of retraining (Fig. 13) and the number of teachers (Fig. 14)."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from mngnas_lib.plots.paper_frames import checked, draw_curve, draw_not_measured, series
from mngnas_lib.plots.style import Source, axes_of


def plot_tau_epochs(data: pd.DataFrame, ax: Axes | None = None, *, source: Source = "measured") -> Axes:
    """Tau against the epochs of retraining n_retra; one line an algorithm, with the band of its interval.

    Args:
        data: one row an algorithm and length: ``algorithm`` (a key of ``ALGORITHMS``, a name of the paper's tables, or
            a method, see :mod:`mngnas_lib.plots.paper_frames`), ``epochs``, ``tau`` in [-1, 1], and ``low`` and
            ``high``, the ends of its interval, NaN where it is not known. Without rows the axes say that nothing was
            measured.
        source: ``paper`` makes hollow markers and dashed lines.

    Raises:
        ConfigError: a column is missing, an algorithm has no look, or has two values at one length.
    """
    return _plot_taus_along(data, ax, "epochs", "epochs of retraining, $n_{retra}$", source)


def plot_tau_teachers(data: pd.DataFrame, ax: Axes | None = None, *, source: Source = "measured") -> Axes:
    """Tau against the number of teachers n_T of both groups together; one line an algorithm, with its band.

    Args:
        data: as for :func:`plot_tau_epochs`, with ``teachers`` in place of ``epochs``.
        source: as there.

    Raises:
        ConfigError: as there.
    """
    return _plot_taus_along(data, ax, "teachers", "teachers, $n_T$", source)


def _plot_taus_along(data: pd.DataFrame, ax: Axes | None, x: str, title: str, source: Source) -> Axes:
    ax = axes_of(ax)
    data = checked(data, "algorithm", x, "tau", "low", "high")
    if data.empty:
        return draw_not_measured(ax)
    for algorithm, rows in series(data, "algorithm", x):
        draw_curve(ax, rows, x, "tau", algorithm, source)
    ax.set_xticks(sorted(data[x].unique()))
    ax.set_xlabel(title)
    known = data[["low", "high"]].notna().all(axis=None)
    ax.set_ylabel("Kendall's τ" + (" (95 % interval)" if known else ""))
    ax.legend()
    return ax
