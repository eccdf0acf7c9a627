"""Figures that explain the coefficients (Section III-D), where outputs have two numbers and can be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from scipy.spatial import ConvexHull, QhullError

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.style import BLACK, GREEN, LIGHT_GREY, LOSSES, PURPLE, VERMILLION, axes_of

#: What :func:`plot_descent_map` tells apart, and its colours.
CASES = {
    "of all teachers and all peers": "#9FD9C4",
    "of all teachers, not of all peers": "#F5D08A",
    "of all peers, not of all teachers": "#A9D8F2",
    "none: d* = 0": LIGHT_GREY,
}
#: A coefficient below this is drawn as zero.
_ZERO = 1e-6


def hull(points: np.ndarray) -> np.ndarray:
    """The corners (n, 2) of the polygon that contains all ``points`` (m, 2), in order; two if they lie on a line."""
    points = np.unique(points, axis=0)
    if len(points) < 3:
        return points
    try:
        return points[ConvexHull(points).vertices]
    except QhullError:
        return points[[0, -1]]  # on a line; np.unique has sorted them along it


def plot_simplices(
    student: Sequence[float],
    teachers: np.ndarray,
    peers: np.ndarray,
    ax: Axes | None = None,
    *,
    alpha: Sequence[float] | None = None,
    beta: Sequence[float] | None = None,
) -> Axes:
    """The student's output, and all mixes that teachers and peers can make: a polygon each.

    Args:
        student: (2,). teachers, peers: (n, 2), at least one each.
        alpha, beta: (n,) coefficients, written beside the members; where given, the group's mix is marked.

    Raises:
        ConfigError: outputs of another number than two, or coefficients that do not fit their members.
    """
    ax = axes_of(ax)
    student = _pair(student)
    for group, symbol, members, weights in (("teachers", "α", teachers, alpha), ("peers", "β", peers, beta)):
        look, members = LOSSES[group], _pairs(members)
        ax.fill(*hull(members).T, facecolor=look.color, edgecolor=look.color, alpha=0.2, linewidth=1.5)
        ax.plot(*members.T, look.marker, color=look.color, label=f"{group}, and all their mixes")
        names = _names(group, len(members))
        if weights is not None:
            weights = _checked(weights, members)
            names = [f"{name}: {symbol} = {weight:.2f}" for name, weight in zip(names, weights, strict=True)]
            mix = weights @ members
            ax.plot(*mix, "*", color=look.color, markeredgecolor=BLACK, markersize=15, label=f"mix of the {group}")
        for name, member in zip(names, members, strict=True):
            _beside(ax, member, member - members.mean(0), name)
    ax.plot(*student, "o", color=BLACK, label="student")
    _beside(ax, student, (0.0, -1.0), "$p$")
    return _finish(ax)


def plot_minkowski(
    student: Sequence[float],
    teachers: np.ndarray,
    peers: np.ndarray,
    solutions: Mapping[float, tuple[Sequence[float], Sequence[float]]],
    ax: Axes | None = None,
) -> Axes:
    """All sums of a teachers' mix and a peers' mix, and for each s the one that is closest to s·p.

    Args:
        student, teachers, peers: as for :func:`plot_simplices`.
        solutions: by s: the coefficients α and β.

    Raises:
        ConfigError: outputs of another number than two, or coefficients that do not fit their members.
    """
    ax = axes_of(ax)
    student, teachers, peers = _pair(student), _pairs(teachers), _pairs(peers)
    sums = (teachers[:, None] + peers).reshape(-1, 2)
    ax.fill(*hull(sums).T, facecolor=PURPLE, edgecolor=PURPLE, alpha=0.2, linewidth=1.5)
    ax.plot(*sums.T, ".", color=PURPLE, label="one teacher + one peer")
    # once each, so that the legend has one entry
    labels = {"d": "from s·p to the closest sum", "closest": "closest sum of two mixes"}
    for scale, (alpha, beta) in solutions.items():
        target = scale * student
        closest = _checked(alpha, teachers) @ teachers + _checked(beta, peers) @ peers
        ax.plot(*np.transpose([target, closest]), color=VERMILLION, label=labels.pop("d", None))
        ax.plot(*target, "o", color=BLACK)
        _beside(ax, target, target - closest, "$p$" if scale == 1 else f"${scale:g}p$")
        ax.plot(*closest, "*", color=GREEN, markeredgecolor=BLACK, markersize=15, label=labels.pop("closest", None))
    return _finish(ax)


def plot_slackness(
    rates: Mapping[str, tuple[Sequence[float], float]],
    weights: Mapping[str, Sequence[float]],
    ax: Axes | None = None,
) -> Axes:
    """How fast each member's loss changes along d*, and its coefficient: what Eq. 14 says, in one picture.

    Members with a coefficient are filled, those without are hollow; the coefficient is written below the name.

    Args:
        rates: by group (``teachers``, ``peers``): ⟨∇ℓ, d*⟩ of each member, and the group's v.
        weights: by group: the coefficients.

    Raises:
        ConfigError: groups of another name, or not one coefficient a member.
    """
    ax = axes_of(ax)
    if not rates or set(rates) != set(weights) or not set(rates) <= {"teachers", "peers"}:
        raise ConfigError("give rates and coefficients of the same groups: 'teachers', 'peers', or both")
    start, names, ticks = 0.0, [], []
    for group, (values, bound) in rates.items():
        look, values = LOSSES[group], np.asarray(values, dtype=float)
        shares = _checked(weights[group], values)
        places = start + np.arange(len(values))
        ax.plot(
            [places[0] - 0.4, places[-1] + 0.4], [bound, bound], "--", color=look.color, label=f"$v$ of the {group}"
        )
        for chosen, face in ((shares > _ZERO, look.color), (shares <= _ZERO, "white")):
            ax.plot(places[chosen], values[chosen], look.marker, color=look.color, markerfacecolor=face, markersize=9)
        names += [f"{name}\n{share:.2f}" for name, share in zip(_names(group, len(values)), shares, strict=True)]
        ticks += list(places)
        start = places[-1] + 1.5
    ax.axhline(0, color=BLACK, linewidth=1)
    ax.set_xticks(ticks, names)
    ax.set(xlabel="member, and its coefficient", ylabel="first-order change of its loss, ⟨∇ℓ, d*⟩")
    ax.margins(y=0.12)
    ax.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return ax


def plot_descent_map(
    places: np.ndarray,
    rates: np.ndarray,
    teachers: np.ndarray,
    peers: np.ndarray,
    ax: Axes | None = None,
    *,
    tolerance: float = 1e-6,
) -> Axes:
    """Where the student's output may lie, coloured by whose losses fall when it moves along its d*.

    Args:
        places: (rows, columns, 2) outputs of the student on a regular grid: x along the columns, y along the rows.
        rates: (rows, columns, 2): the largest ⟨∇ℓ, d*⟩ among the teachers, and among the peers.
        teachers, peers: (n, 2) outputs.
        tolerance: rates down to minus this are no descent; where both are zero up to this, d* is zero.

    Raises:
        ConfigError: shapes that do not fit.
    """
    ax = axes_of(ax)
    if places.ndim != 3 or places.shape[2] != 2 or rates.shape != places.shape:
        raise ConfigError(f"places are {places.shape}, rates {rates.shape}: give (rows, columns, 2) for both")
    falls = rates < -tolerance
    zero = (np.abs(rates) <= tolerance).all(2)
    case = np.select([zero, falls.all(2), falls[..., 0], falls[..., 1]], [3, 0, 1, 2], default=3)
    x, y = places[0, :, 0], places[:, 0, 1]
    ax.pcolormesh(x, y, case, cmap=ListedColormap(list(CASES.values())), vmin=-0.5, vmax=3.5, shading="nearest")
    lines = []
    for group, members in (("teachers", _pairs(teachers)), ("peers", _pairs(peers))):
        look = LOSSES[group]
        corners = hull(members)
        ax.plot(*np.vstack([corners, corners[:1]]).T, color=look.color, linewidth=1.5)
        lines += ax.plot(*members.T, look.marker, color=look.color, markeredgecolor=BLACK, label=group)
    present = [number for number in range(len(CASES)) if (case == number).any()]
    keys = [Patch(color=list(CASES.values())[number], label=list(CASES)[number]) for number in present]
    ax.grid(False)
    ax.set(aspect="equal", xlabel="first output of the student", ylabel="second output of the student")
    ax.legend(handles=[*keys, *lines], title="losses that fall along d*", loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax


def _names(group: str, count: int) -> list[str]:
    return [f"${group[0].upper()}_{{{number}}}$" for number in range(1, count + 1)]


def _pair(output: Sequence[float]) -> np.ndarray:
    output = np.asarray(output, dtype=float)
    if output.shape != (2,):
        raise ConfigError(f"an output of shape {output.shape} cannot be drawn: give two numbers")
    return output


def _pairs(outputs: np.ndarray) -> np.ndarray:
    outputs = np.asarray(outputs, dtype=float)
    if outputs.ndim != 2 or outputs.shape[1] != 2 or len(outputs) == 0:
        raise ConfigError(f"outputs of shape {outputs.shape} cannot be drawn: give two numbers for each member, (n, 2)")
    return outputs


def _checked(weights: Sequence[float], members: np.ndarray) -> np.ndarray:
    weights = np.asarray(weights, dtype=float)
    if weights.shape != (len(members),):
        raise ConfigError(f"{len(members)} members have {weights.size} coefficients: give one each")
    return weights


def _beside(ax: Axes, point: np.ndarray, direction: Sequence[float], text: str) -> None:
    """Write beside a point, on the side to which ``direction`` points, so that nothing is written over."""
    x, y = np.asarray(direction, dtype=float) / max(float(np.hypot(*direction)), 1e-12)
    sides = "right" if x < -0.5 else "left" if x > 0.5 else "center"
    level = "top" if y < -0.3 else "bottom" if y > 0.3 else "center"
    offset = (11 * x, 11 * y)
    ax.annotate(text, point, offset, textcoords="offset points", ha=sides, va=level)


def _finish(ax: Axes) -> Axes:
    ax.set(aspect="equal", xlabel="first output (logit)", ylabel="second output (logit)")
    ax.margins(x=0.36, y=0.22)
    ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))
    return ax
