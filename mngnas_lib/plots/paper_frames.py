"""What the figures of the paper's experiments share: checked tables, looks of methods, and "not measured yet".

A *method* of these tables is a strategy (``SPOS``, ``FairNAS``, ``MixPath``), ``MNGNAS``, a retraining algorithm by its
key (``none`` ... ``mngnas``) or by its name in the paper's tables, or ``MNGNAS (S)``, ``MNGNAS (F)`` and
``MNGNAS (M)``: MNGNAS on a SuperNet trained by SPOS, FairNAS or MixPath.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import DARK_GREY, Look, Source, axes_of, label, look, point_style

NOT_MEASURED = "not measured yet\nunder this profile"
#: The paper's letters of the strategies that MNGNAS is combined with (Table I, Fig. 6)
STRATEGY_LETTERS = {"S": "SPOS", "F": "FairNAS", "M": "MixPath"}


def draw_not_measured(ax: Axes | None = None) -> Axes:
    """An empty frame that says so: what stands where a figure's runs do not exist."""
    ax = axes_of(ax)
    ax.grid(False)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_linestyle((0, (4, 4)))
        spine.set_color(DARK_GREY)
    ax.text(0.5, 0.5, NOT_MEASURED, transform=ax.transAxes, ha="center", va="center", color=DARK_GREY, fontsize=12)
    return ax


def checked(data: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """``data`` with a new index, once it is known to have these columns.

    Raises:
        ConfigError: a column is missing; a table without rows needs none.
    """
    missing = [column for column in columns if column not in data.columns]
    if missing and len(data):
        raise ConfigError(f"this table has no column {', '.join(missing)}: it needs {', '.join(columns)}")
    return data.reset_index(drop=True)


def look_of(method: str) -> Look:
    """Colour and marker of a method as named above: ``MNGNAS (S)`` has MNGNAS's colour and SPOS's marker.

    Raises:
        ConfigError: it has none.
    """
    for letter, strategy in STRATEGY_LETTERS.items():
        if method == f"MNGNAS ({letter})":
            return Look(look("MNGNAS").color, look(strategy).marker)
    return look(method_of(method))


def points_of(method: str, source: Source = "measured") -> dict[str, object]:
    """Keyword arguments for ``ax.plot`` and ``ax.errorbar``, as :func:`mngnas_lib.plots.point_style` gives them."""
    color, marker = look_of(method)
    face = "white" if source == "paper" else color
    own = {"color": color, "marker": marker, "markerfacecolor": face, "markeredgecolor": color}
    return point_style("MNGNAS", source) | own


def series(data: pd.DataFrame, key: str, x: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each method, by ``x``, in the order in which methods appear.

    Raises:
        ConfigError: a method has two values at one ``x``, between which a line would jump.
    """
    for method, rows in data.groupby(key, sort=False):
        if rows[x].duplicated().any():
            twice = rows.loc[rows[x].duplicated(), x].iloc[0]
            raise ConfigError(f"{method} has several values at {x} = {twice:g}: give their mean, with its interval")
        yield str(method), rows.sort_values(x)


def draw_curve(ax: Axes, rows: pd.DataFrame, x: str, y: str, method: str, source: Source) -> None:
    """A line through ``rows`` with a band from ``low`` to ``high`` where these are given."""
    points = points_of(method, source)
    line = {"linestyle": "--"} if source == "paper" else {}
    ax.plot(rows[x], rows[y], label=label(method_of(method), source), **points, **line)
    if {"low", "high"} <= set(rows.columns) and rows[["low", "high"]].notna().all(axis=1).any():
        known = rows[["low", "high"]].notna().all(axis=1)
        band = {"color": points["color"], "alpha": 0.15, "linewidth": 0}
        ax.fill_between(rows[x], rows["low"], rows["high"], where=known, **band)


def errors_of(rows: pd.DataFrame, value: str) -> np.ndarray | None:
    """(2, n) distances from ``value`` to ``low`` and ``high``, for ``ax.errorbar``; None without intervals."""
    if not {"low", "high"} <= set(rows.columns):
        return None
    return np.clip([rows[value] - rows["low"], rows["high"] - rows[value]], 0.0, None)
