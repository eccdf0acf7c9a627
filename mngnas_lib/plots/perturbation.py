"""Figures about perturbation-aware distillation: neighbours, their weights, the order of KL, what fine-tuning does."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import FormatStrFormatter, LogLocator, NullFormatter, PercentFormatter
from scipy import stats

from mngnas_lib.distill import neighbours
from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.style import (
    BLACK,
    BLUE,
    DARK_GREY,
    GREY,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    axes_of,
)
from mngnas_lib.spaces import Arch, SearchSpace

#: Where the weights of a perturbed architecture come from.
SOURCES = {"S_j": ORANGE, "SuperNet": SKY, "own": LIGHT_GREY}
#: The two losses of Eq. 23.
LOSSES = {"L_cls": Look(BLACK, "o"), "L_dis": Look(VERMILLION, "D")}
_LOSS_LABELS = {"L_cls": "$L_{cls}$: cross-entropy of $S_j$", "L_dis": "$L_{dis}$: mean KL($S_j$ ‖ $S_i$)"}
#: The two orders of the arguments of Eq. 22, one colour, marker and line each.
_ORDERS = (Look(VERMILLION, "D"), Look(BLUE, "o"))
#: Readings of Eq. 23.
_READINGS = (Look(BLACK, "X"), Look(BLUE, "o"), Look(ORANGE, "s"), Look(PURPLE, "^"))


def draw_neighbourhood(
    space: SearchSpace, arch: Sequence[int], ax: Axes | None = None, *, drawn: Collection[Arch] = ()
) -> Axes:
    """Eq. 21 as a board: a column a slot, a row a choice; all but ``arch``'s own choices are one neighbour each.

    Args:
        drawn: neighbours to single out, for example those that a fine-tuning takes.

    Raises:
        ArchError: ``arch`` does not belong to ``space``.
        ConfigError: one of ``drawn`` is no neighbour of ``arch``.
    """
    ax = axes_of(ax)
    arch = space.check(arch)
    everyone = neighbours(space, arch)
    strangers = [other for other in drawn if other not in everyone]
    if strangers:
        raise ConfigError(f"{strangers[0]} is no neighbour of {arch}: give architectures that differ in one slot")
    places: dict[str, list[tuple[int, int]]] = {
        "$S_j$": list(enumerate(arch)),
        "neighbour": [],
        "neighbour, same function as $S_j$": [],
        "neighbour, drawn": [],
    }
    for other in everyone:
        slot = next(index for index, (a, b) in enumerate(zip(arch, other, strict=True)) if a != b)
        same = space.canonical(other) == space.canonical(arch)
        if same:
            places["neighbour, same function as $S_j$"].append((slot, other[slot]))
        if other in drawn:
            places["neighbour, drawn"].append((slot, other[slot]))
        elif not same:
            places["neighbour"].append((slot, other[slot]))
    looks = {
        "$S_j$": {"marker": "s", "s": 190, "color": BLACK},
        "neighbour": {"marker": "o", "s": 110, "facecolor": "white", "edgecolor": DARK_GREY, "linewidth": 1.5},
        "neighbour, same function as $S_j$": {"marker": "x", "s": 80, "color": GREY, "linewidth": 2},
        "neighbour, drawn": {"marker": "D", "s": 110, "facecolor": VERMILLION, "edgecolor": BLACK, "zorder": 1.5},
    }
    for name, points in places.items():
        if points:
            ax.scatter(
                *zip(*points, strict=True), label=f"{name} ({len(points)})" if name != "$S_j$" else name, **looks[name]
            )
    most = max(space.slots, key=lambda slot: len(slot.choices)).choices
    ax.set_xticks(range(len(space.slots)), [_in_two_lines(slot.name) for slot in space.slots])
    ax.set_yticks(range(len(most)), most)
    ax.set_xlim(-0.5, len(space.slots) - 0.5)
    ax.set_ylim(-0.5, len(most) - 0.5)
    ax.set_xlabel("slot")
    ax.set_ylabel("choice")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return ax


def plot_weight_sources(sources: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Where each module of each network has its weights from.

    Args:
        sources: a row a module, a column a network; ``S_j``, ``SuperNet`` or ``own`` (its own, as of S_j itself and of
            the SuperNet), and an empty text where a network has no such module.

    Raises:
        ConfigError: an entry says something else.
    """
    ax = axes_of(ax)
    unknown = set(sources.to_numpy().ravel()) - {*SOURCES, ""}
    if unknown:
        raise ConfigError(
            f"weights come from {', '.join(SOURCES)}, or '' for none, not from {sorted(map(str, unknown))}"
        )
    for y, (_, row) in enumerate(sources.iterrows()):
        for x, source in enumerate(row):
            if source:
                ax.add_patch(_tile(x, y, SOURCES[source]))
                ax.text(x, y, f"${source}$" if source == "S_j" else source, ha="center", va="center", fontsize=9.5)
    ax.set_xticks(range(sources.shape[1]), sources.columns)
    ax.set_yticks(range(len(sources)), sources.index)
    ax.set_xlim(-0.5, sources.shape[1] - 0.5)
    ax.set_ylim(len(sources) - 0.5, -0.5)
    ax.xaxis.tick_top()
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax


def plot_orders(p: Sequence[float], curves: Mapping[str, Sequence[float]], ax: Axes | None = None) -> Axes:
    """A divergence over the probability that S_j gives to one of two classes, for both orders of its arguments.

    Args:
        p: probabilities, between 0 and 1.
        curves: two curves over ``p`` by name; the lowest point of each is marked and named.

    Raises:
        ConfigError: there are more than two curves.
    """
    ax = axes_of(ax)
    if len(curves) > len(_ORDERS):
        raise ConfigError(f"KL has two orders of its arguments: give at most two curves, not {len(curves)}")
    p = np.asarray(p)
    for (name, values), (color, marker), line in zip(curves.items(), _ORDERS, ("-", "--"), strict=False):
        lowest = int(np.argmin(values))
        ax.plot(p, values, color=color, linestyle=line, label=f"{name}: lowest at {p[lowest]:.3g}")
        ax.plot(p[lowest], values[lowest], color=color, marker=marker, linestyle="none")
    ax.set_xlim(0, 1)
    ax.set_xlabel("probability $p$ that $S_j$ gives to the first class")
    ax.set_ylabel("mean over the copies (nats)")
    ax.legend()
    return ax


def plot_readings(curves: Mapping[str, np.ndarray], ax: Axes | None = None, *, loss: str = "L_dis") -> Axes:
    """One of the two losses over steps, for several readings of Eq. 23.

    Args:
        curves: by reading, (steps, 2): L_cls and L_dis before each step. At most four readings.
        loss: ``L_cls`` or ``L_dis``.

    Raises:
        ConfigError: another loss, or more readings than there are looks.
    """
    ax = axes_of(ax)
    if loss not in LOSSES or len(curves) > len(_READINGS):
        raise ConfigError(
            f"draw {' or '.join(LOSSES)} of at most {len(_READINGS)} readings, not {loss} of {len(curves)}"
        )
    for (name, curve), (color, marker), line in zip(curves.items(), _READINGS, ("-", "-", "--", ":"), strict=False):
        values = np.asarray(curve)[:, list(LOSSES).index(loss)]
        ax.plot(range(len(values)), values, line, color=color, marker=marker, markersize=5, label=name)
    ax.set_yscale("log")
    # plain numbers: these losses span a decade or two
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.set_xlabel("steps done")
    ax.set_ylabel(f"${loss[0]}_{{{loss[2:]}}}$ (nats)")
    return ax


def plot_fine_tuning(losses: np.ndarray, ax: Axes | None = None, *, window: int = 5) -> Axes:
    """The two losses of Eq. 23 over the steps of a fine-tuning: thin as they are, thick as running means.

    Args:
        losses: (steps, 2), L_cls and L_dis of each step, as ``tune`` returns them.
        window: steps over which the running mean goes.

    Raises:
        ConfigError: not of that shape, or fewer steps than the window.
    """
    ax = axes_of(ax)
    losses = np.asarray(losses, dtype=float)
    if losses.ndim != 2 or losses.shape[1] != 2 or len(losses) < window:
        raise ConfigError(f"losses have shape {losses.shape}: give (steps, 2), with at least {window} steps")
    steps = np.arange(1, len(losses) + 1)
    for column, (name, (color, marker)) in zip(losses.T, LOSSES.items(), strict=True):
        smooth = np.convolve(column, np.full(window, 1 / window), mode="valid")
        ax.plot(steps, column, color=color, linewidth=0.8, alpha=0.45)
        every = max(1, len(smooth) // 10)
        middles = steps[0] + (window - 1) / 2 + np.arange(len(smooth))
        ax.plot(middles, smooth, color=color, marker=marker, markersize=5, markevery=every, label=_LOSS_LABELS[name])
    ax.set_ylim(bottom=0)
    ax.set_xlabel(f"step of fine-tuning (thick: mean of {window} steps)")
    ax.set_ylabel("loss (nats)")
    ax.legend(loc="best", frameon=True, framealpha=0.85, edgecolor="none")
    return ax


def plot_arms(
    table: pd.DataFrame, ax: Axes | None = None, *, reference: str | None = None, percent: bool = False
) -> Axes:
    """The same quantity after several treatments: a grey line a case, and the mean with its 95 % interval.

    Args:
        table: a row a case (a seed, an architecture), a column a treatment.
        reference: a treatment from which differences are drawn, case by case, so that what cases have in common
            cancels; by default the quantity itself. The interval is Student's, over cases.
        percent: the quantity is a fraction, drawn in percent.

    Raises:
        ConfigError: fewer than two cases, which have no interval; or no such treatment.
    """
    ax = axes_of(ax)
    if len(table) < 2:
        raise ConfigError(f"{len(table)} cases have no interval: give at least two")
    if reference is not None:
        if reference not in table.columns:
            raise ConfigError(f"{reference!r} is not among the treatments {', '.join(map(str, table.columns))}")
        table = table.sub(table[reference], axis=0)
        ax.axhline(0, color=BLACK, linewidth=0.8)
    x = np.arange(table.shape[1])
    for _, row in table.iterrows():
        ax.plot(x, row, color=GREY, linewidth=0.9, alpha=0.7, marker=".", markersize=4, zorder=1)
    half = stats.t.ppf(0.975, len(table) - 1) * table.std() / math.sqrt(len(table))
    ax.errorbar(x, table.mean(), yerr=half, color=BLACK, marker="D", linestyle="none", linewidth=2, zorder=2)
    ax.set_xticks(x, [str(column) for column in table.columns])
    ax.set_xlim(-0.4, len(x) - 0.6)
    if percent:
        ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, symbol=None))
    return ax


def _in_two_lines(name: str) -> str:
    """A slot's name, broken at its middle space."""
    words = name.split(" ")
    half = (len(words) + 1) // 2
    return " ".join(words[:half]) + "\n" + " ".join(words[half:]) if len(words) > 1 else name


def _tile(x: float, y: float, color: str) -> FancyBboxPatch:
    return FancyBboxPatch(
        (x - 0.42, y - 0.36), 0.84, 0.72, boxstyle="round,pad=0,rounding_size=0.08", facecolor=color, edgecolor="none"
    )
