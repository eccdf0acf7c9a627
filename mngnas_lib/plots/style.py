"""The one style of all figures: fonts, and for each method the same colour and marker everywhere.

Colours are those of Okabe and Ito ("Color Universal Design", 2008), which people with any common colour blindness
tell apart, with two dark ones and greys of our own added. Nobody has to rely on colour: markers differ as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from mngnas_lib.errors import ConfigError

#: Where a number comes from: the paper's tables, or a run of this kit.
Source = Literal["measured", "paper"]


class Look(NamedTuple):
    """Colour and marker of a method."""

    color: str
    marker: str


BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
INDIGO, WINE = "#332288", "#882255"
DARK_GREY, GREY, LIGHT_GREY = "#4D4D4D", "#8C8C8C", "#D0D0D0"

#: Ways to train a SuperNet (Section IV), and the paper's own method
STRATEGIES = {
    "SPOS": Look(BLUE, "o"),
    "FairNAS": Look(ORANGE, "s"),
    "MixPath": Look(GREEN, "^"),
    "MNGNAS": Look(VERMILLION, "D"),
}
#: What a ranking has to beat, and what it cannot beat
BASELINES = {
    "FLOPs": Look(DARK_GREY, "v"),
    "params": Look(GREY, "<"),
    "noise ceiling": Look(BLACK, "|"),
}
#: Ways to retrain (Section V-A); the fifth is MNGNAS
RETRAINING = {
    "w/o KD": Look(BLACK, "X"),
    "Single KD": Look(SKY, "p"),
    "Average Ensemble KD": Look(PURPLE, "h"),
    "Adaptive Ensemble KD": Look(INDIGO, ">"),
    "Searched Adaptive Ensemble KD": Look(WINE, "d"),
}
#: Batch-norm statistics with which a path is evaluated
BN_MODES = {
    "batch": Look(BLUE, "P"),
    "reestimate": Look(GREEN, "*"),
    "inherited": Look(PURPLE, "x"),
}
BN_LABELS = {"batch": "batch statistics", "reestimate": "re-estimated", "inherited": "inherited"}
#: Searches that need only a table (Table V)
SEARCHES = {
    "REA": Look(INDIGO, "H"),
    "REINFORCE": Look(ORANGE, "8"),
    "random search": Look(GREY, "+"),
}
METHODS: dict[str, Look] = STRATEGIES | BASELINES | RETRAINING | BN_MODES | SEARCHES

#: The two teacher groups (Section III-C), and what a student learns from (Eq. 8)
GROUPS = {"small": Look(BLUE, "s"), "large": Look(VERMILLION, "D")}
LOSSES = {"labels": Look(BLACK, "o"), "teachers": Look(ORANGE, "^"), "peers": Look(SKY, "s")}

#: Choices of the search spaces' slots
CHOICES = {
    "none": Look(DARK_GREY, "x"),
    "skip_connect": Look(INDIGO, "o"),
    "nor_conv_1x1": Look(BLUE, "s"),
    "nor_conv_3x3": Look(VERMILLION, "D"),
    "avg_pool_3x3": Look(GREEN, "^"),
    "identity": Look(DARK_GREY, "x"),
    "MB3_K3": Look(SKY, "s"),
    "MB6_K5": Look(ORANGE, "D"),
    "no edge": Look(DARK_GREY, "x"),
    "edge": Look(INDIGO, "o"),
    "conv1x1-bn-relu": Look(BLUE, "s"),
    "conv3x3-bn-relu": Look(VERMILLION, "D"),
    "maxpool3x3": Look(GREEN, "^"),
}

RC = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 11,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 12,
    "axes.titleweight": "bold",
    "errorbar.capsize": 3,
    "figure.constrained_layout.use": True,
    "figure.dpi": 100,
    "figure.figsize": (7.0, 4.2),
    "font.family": "DejaVu Sans",  # comes with matplotlib, so it is the same on all machines
    "font.size": 10.5,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.8,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 7,
    "savefig.dpi": 150,
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "mngnas-kit",  # else every file would have identifiers of its own
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw everything inside the block in the kit's style; matplotlib's settings are put back afterwards."""
    # A notebook's backend switches itself on when it is first asked for, by changing a setting. If that happened inside
    # the block, it would be put back with the others, and no later figure would appear.
    plt.draw_if_interactive()
    with mpl.rc_context(RC):
        yield


def look(method: str) -> Look:
    """Colour and marker of a method.

    Raises:
        ConfigError: the method has none.
    """
    if method not in METHODS:
        raise ConfigError(f"no method is called {method!r} in figures: choose one of {', '.join(METHODS)}")
    return METHODS[method]


def point_style(method: str, source: Source = "measured") -> dict[str, object]:
    """Keyword arguments for ``ax.plot`` and ``ax.errorbar``: filled markers for measured, hollow for the paper's."""
    color, marker = look(method)
    face = "white" if _checked(source) == "paper" else color
    return {"color": color, "marker": marker, "markerfacecolor": face, "markeredgecolor": color, "markeredgewidth": 1.5}


def bar_style(method: str, source: Source = "measured") -> dict[str, object]:
    """Keyword arguments for ``ax.bar`` and ``ax.barh``: filled for measured, hatched outlines for the paper's."""
    color = look(method).color
    if _checked(source) == "paper":
        return {"facecolor": "white", "edgecolor": color, "hatch": "///", "linewidth": 1.2}
    return {"facecolor": color, "edgecolor": color, "linewidth": 1.2}


def label(name: str, source: Source = "measured") -> str:
    """A legend entry that says where a number comes from when it is not ours."""
    return f"{name} (paper)" if _checked(source) == "paper" else name


def axes_of(ax: Axes | None) -> Axes:
    """``ax``, or pyplot's current axes where none is given."""
    return plt.gca() if ax is None else ax


def _checked(source: str) -> str:
    if source not in ("measured", "paper"):
        raise ConfigError(f"a number is 'measured' or from the 'paper', not {source!r}")
    return source
