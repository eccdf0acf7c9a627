"""Figures that hold ways to weight teachers and peers against each other: uniform, and adaptive in both readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.style import BLACK, GREEN, LIGHT_GREY, LOSSES, RETRAINING, VERMILLION, Look, axes_of

#: Ways to choose the coefficients; s as in :func:`mngnas_lib.distill.coefficients.solve`.
WEIGHTINGS = {
    "uniform": RETRAINING["Average Ensemble KD"],
    "s = 1": RETRAINING["Adaptive Ensemble KD"],
    "s = 2": Look(GREEN, "P"),
    "gradients": Look(VERMILLION, "v"),
}
#: Lines of the first, second ... member of a group.
LINES = ("solid", "dashed", "dotted", "dashdot")
#: Share of the values, in the middle, that a band or a bar covers.
_MIDDLE = 0.8


def plot_coefficients_along(
    x: Sequence[float],
    alpha: np.ndarray,
    ax: Axes | None = None,
    *,
    beta: np.ndarray | None = None,
    xlabel: str,
    is_bound: bool = False,
) -> Axes:
    """The teachers' coefficients, and the peers', as a setting x grows.

    Args:
        x: (n,) ascending. alpha, beta: (n, members).
        is_bound: x is the coefficients' upper bound (C_1 of Eq. 11): what no coefficient can reach is grey.

    Raises:
        ConfigError: not one row of coefficients for each x.
    """
    ax = axes_of(ax)
    x, top = np.asarray(x, dtype=float), 1.05
    if is_bound:
        ax.fill_between(x, x, top, where=x <= top, color=LIGHT_GREY, alpha=0.6, linewidth=0)
    for group, symbol, rows in (("teachers", "α", alpha), ("peers", "β", beta)):
        if rows is None:
            continue
        rows = _rows(symbol, rows, x)
        for number, values in enumerate(rows.T, start=1):
            line = LINES[(number - 1) % len(LINES)]
            ax.plot(x, values, linestyle=line, color=LOSSES[group].color, label=f"${symbol}_{{{number}}}$")
    ax.set(xlabel=xlabel, ylabel="coefficient", ylim=(-0.04, top), xlim=(x[0], x[-1]))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_weighting_curves(
    x: Sequence[float], values: Mapping[str, np.ndarray], ax: Axes | None = None, *, xlabel: str, ylabel: str
) -> Axes:
    """A quantity under each weighting, along a setting x: the mean, and a band around the middle 80 % of the values.

    Args:
        values: by weighting, a key of ``WEIGHTINGS``: (len(x), n), for example one column a student.

    Raises:
        ConfigError: a weighting is not known, or has not one row for each x.
    """
    ax = axes_of(ax)
    for name, rows in _known(values).items():
        rows = _rows(name, rows, x)
        color, marker = WEIGHTINGS[name]
        low, high = _middle(rows)
        ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
        ax.plot(x, rows.mean(1), marker=marker, color=color, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return ax


def plot_weightings(cases: Mapping[str, Mapping[str, Sequence[float]]], ax: Axes | None = None, *, xlabel: str) -> Axes:
    """A quantity under each weighting, case by case from top to bottom: the mean, and a bar over the middle 80 %.

    Args:
        cases: by name, then by weighting (a key of ``WEIGHTINGS``): the values.

    Raises:
        ConfigError: a weighting is not known.
    """
    ax = axes_of(ax)
    names = list(dict.fromkeys(name for case in cases.values() for name in _known(case)))
    for place, name in enumerate(names):
        color, marker = WEIGHTINGS[name]
        rows = [(row, np.asarray(case[name], float)) for row, case in enumerate(cases.values()) if name in case]
        height = np.array([row for row, _ in rows]) + (place - (len(names) - 1) / 2) * 0.22
        means = np.array([values.mean() for _, values in rows])
        low, high = np.transpose([_middle(values[None]) for _, values in rows])[0]
        ax.hlines(height, low, high, color=color, linewidth=2)
        ax.plot(means, height, marker, color=color, label=name)
    for border in range(1, len(cases)):
        ax.axhline(border - 0.5, color=LIGHT_GREY, linewidth=0.8)
    ax.set_yticks(range(len(cases)), list(cases))
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    ax.set(xlabel=xlabel, ylim=(len(cases) - 0.5, -0.5))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_agreement(
    truth: Sequence[float],
    others: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
    *,
    xlabel: str,
    ylabel: str,
) -> Axes:
    """Coefficients under each weighting against those of one; where both agree they lie on the diagonal.

    Args:
        truth: (n,) along x. others: by weighting (a key of ``WEIGHTINGS``): (n,) along y.

    Raises:
        ConfigError: a weighting is not known, or has another number of coefficients.
    """
    ax = axes_of(ax)
    ax.plot([0, 1], [0, 1], color=BLACK, linewidth=1, label="equal")
    for name, values in _known(others).items():
        if len(values) != len(truth):
            raise ConfigError(f"{len(truth)} coefficients along x, {len(values)} of {name!r}: give as many")
        color, marker = WEIGHTINGS[name]
        ax.plot(truth, values, marker, color=color, markersize=5, alpha=0.65, markeredgewidth=0, label=name)
    ax.set(aspect="equal", xlabel=xlabel, ylabel=ylabel, xlim=(-0.03, 1.03), ylim=(-0.03, 1.03))
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def _known(values: Mapping[str, object]) -> Mapping:
    unknown = [name for name in values if name not in WEIGHTINGS]
    if unknown:
        raise ConfigError(f"no weighting is called {unknown[0]!r}: choose among {', '.join(WEIGHTINGS)}")
    return values


def _rows(name: str, rows: np.ndarray, x: Sequence[float]) -> np.ndarray:
    rows = np.asarray(rows, dtype=float)
    if rows.ndim != 2 or len(rows) != len(x):
        raise ConfigError(f"{name} has values of shape {rows.shape}: give one row for each of {len(x)} places")
    return rows


def _middle(rows: np.ndarray) -> np.ndarray:
    """Both ends (2, n) of the middle of each row."""
    return np.quantile(rows, [(1 - _MIDDLE) / 2, (1 + _MIDDLE) / 2], axis=1)
