"""Figures about retraining: its losses, and how well the algorithms A to E rank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mngnas_lib.distill.algorithms import LABELS
from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.rankings import Interval, describe, plot_taus
from mngnas_lib.plots.style import GREY, LOSSES, axes_of, point_style

_LOSS_LABELS = {
    "labels": "labels: cross-entropy",
    "teachers": "distillation from teachers",
    "peers": "distillation from peers",
}


class PairedDifference(Protocol):
    """One tau minus another over the same architectures, as :func:`mngnas_lib.lab.stats.compare_taus` returns it."""

    value: float
    low: float
    high: float
    n: int


def method_of(algorithm: str) -> str:
    """The method whose colour and marker an algorithm has in figures; other names are methods themselves."""
    return LABELS[algorithm].partition(": ")[2] if algorithm in LABELS else algorithm


def plot_losses(curves: pd.DataFrame | Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """Losses of the students over the steps of retraining: by labels, teachers and peers (Eq. 8).

    Args:
        curves: ``step``, ``labels``, and ``teachers`` and ``peers`` where there were any; means over the students. With
            ``search_epoch``, search epochs are drawn one after the other, with a gap, since each has new students.

    Raises:
        ConfigError: there are no steps or no losses.
    """
    ax = axes_of(ax)
    table = pd.DataFrame(curves)
    # what was not learned from has losses of 0
    kinds = [kind for kind in LOSSES if kind in table.columns and table[kind].fillna(0).ne(0).any()]
    if "step" not in table.columns or not kinds:
        raise ConfigError(f"these curves have no step, or no loss of {', '.join(LOSSES)}: give those of a retraining")
    if "search_epoch" not in table.columns:
        table = table.assign(search_epoch=0)
    ends = [0]
    for _, part in table.groupby("search_epoch"):
        for kind in kinds:
            color, marker = LOSSES[kind]
            # a search epoch without teachers has no such loss
            drawn = part[kind].where(part[kind] != 0)
            first = len(ends) == 1
            ax.plot(
                ends[-1] + part["step"],
                drawn,
                color=color,
                marker=marker,
                markersize=5,
                markevery=max(1, len(part) // 8),
                label=_LOSS_LABELS[kind] if first else None,
            )
        ends.append(ends[-1] + part["step"].max())
    for end in ends[1:-1]:
        ax.axvline(end, color=GREY, linestyle=":", linewidth=1.2)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("step of retraining" + (" (dotted: next search epoch)" if len(ends) > 2 else ""))
    ax.set_ylabel("loss, mean over students (nats)")
    ax.legend(loc="best", frameon=True, framealpha=0.85, edgecolor="none")
    return ax


def plot_algorithm_taus(
    taus: Mapping[str, Interval], ax: Axes | None = None, *, ceiling: Interval | float | None = None
) -> Axes:
    """Tau of the rankings that the algorithms give, with intervals, beside baselines.

    Args:
        taus: by the name of the algorithm (``none``, ..., ``mngnas``), or of a method (``SPOS``, ``FLOPs``, ...).
        ceiling: as for :func:`mngnas_lib.plots.plot_taus`.
    """
    labels = {name: LABELS.get(name, name) for name in taus}
    methods = {labels[name]: method_of(name) for name in taus}
    return plot_taus({labels[name]: tau for name, tau in taus.items()}, ax, ceiling=ceiling, methods=methods)


def plot_tau_differences(
    differences: Mapping[str, PairedDifference], ax: Axes | None = None, *, reference: str = "none"
) -> Axes:
    """How much better the algorithms rank than ``reference``, by a paired bootstrap over the same architectures.

    Args:
        differences: by algorithm, its tau minus that of ``reference``, with its interval.
    """
    ax = axes_of(ax)
    for position, (name, difference) in enumerate(differences.items()):
        errors = np.clip([[difference.value - difference.low], [difference.high - difference.value]], 0.0, None)
        ax.errorbar(difference.value, position, xerr=errors, linestyle="none", **point_style(method_of(name)))
        ax.text(1.02, position, describe(difference), transform=ax.get_yaxis_transform(), va="center", fontsize=10)
    ax.set_yticks(range(len(differences)), [LABELS.get(name, name) for name in differences])
    ax.set_ylim(len(differences) - 0.5, -0.5)
    ax.grid(False, axis="y")
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xlabel(f"difference of Kendall's τ to {LABELS.get(reference, reference)} (paired, 95 % interval)")
    return ax
