"""Figures about coefficients: how much each student learns from each teacher (α) and each peer (β)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots.style import BLACK, LIGHT_GREY, axes_of

#: Symbols of the coefficients in Eq. 8.
SYMBOLS = {"teacher": "α", "peer": "β"}
#: The longest notation that is written beside a row.
_READABLE = 10


def short_names(archs: Iterable[str]) -> dict[str, str]:
    """A name for each notation that fits beside a row: itself if all are short, else its number in order of appearance.

    Give the whole history's column ``arch``, and an architecture has the same name in all figures of a search.
    """
    distinct = list(dict.fromkeys(archs))
    if all(len(arch) <= _READABLE for arch in distinct):
        return {arch: arch for arch in distinct}
    return {arch: f"#{number}" for number, arch in enumerate(distinct, start=1)}


def plot_coefficients(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    search_epoch: int | None = None,
    names: Mapping[str, str] | None = None,
) -> Axes:
    """The coefficients of one search epoch: a row a student, a column a teacher or peer; grey where there is none.

    Args:
        frame: one row per coefficient, with ``search_epoch``, ``student``, ``member``, ``kind`` (``teacher`` or
            ``peer``) and ``coefficient``.
        search_epoch: by default the last one.
        names: short names of the notations, see :func:`short_names`.

    Raises:
        ConfigError: a column is missing, a kind is not known, or the search epoch has no coefficients.
    """
    ax = axes_of(ax)
    frame = _checked(frame)
    search_epoch = frame["search_epoch"].max() if search_epoch is None else search_epoch
    chosen = frame[frame["search_epoch"] == search_epoch]
    if chosen.empty:
        known = ", ".join(str(epoch) for epoch in frame["search_epoch"].unique())
        raise ConfigError(f"search epoch {search_epoch} has no coefficients: choose one of {known}")
    names = names or short_names([*frame["student"], *frame["member"]])
    students = list(dict.fromkeys(chosen["student"]))
    columns = [
        (kind, member)
        for kind in SYMBOLS
        # peers in the order of the students, so that the empty diagonal is one
        for member in dict.fromkeys([*students, *chosen["member"]])
        if ((chosen["kind"] == kind) & (chosen["member"] == member)).any()
    ]
    matrix = chosen.pivot_table(index="student", columns=["kind", "member"], values="coefficient", aggfunc="mean")
    image = _heatmap(ax, matrix.reindex(index=students, columns=pd.MultiIndex.from_tuples(columns)).to_numpy())
    ax.set_xticks(range(len(columns)), [names[member] for _, member in columns], rotation=90)
    ax.set_yticks(range(len(students)), [names[student] for student in students])
    ax.set_ylabel("student")
    teachers = sum(kind == "teacher" for kind, _ in columns)
    present = [kind for kind, number in (("teacher", teachers), ("peer", len(columns) - teachers)) if number]
    ax.set_xlabel(" | ".join(f"{kind}s ({SYMBOLS[kind]})" for kind in present))
    if len(present) == 2:
        ax.axvline(teachers - 0.5, color=BLACK, linewidth=1.6)
    ax.figure.colorbar(image, ax=ax, label=f"coefficient {', '.join(SYMBOLS[kind] for kind in present)}")
    return ax


def plot_who_taught(
    frame: pd.DataFrame,
    ax: Axes | None = None,
    *,
    kind: str = "teacher",
    names: Mapping[str, str] | None = None,
) -> Axes:
    """Who taught how much, search epoch by search epoch: a row a teacher, in the order in which they came.

    The colour is the mean coefficient over all students that had teachers, those of the other group counting as 0: the
    teacher's share of all teaching, so that a column's sum is 1.

    Args:
        frame, names: as for :func:`plot_coefficients`.
        kind: ``teacher`` or ``peer``.

    Raises:
        ConfigError: a column is missing, a kind is not known, or there are no coefficients of this kind.
    """
    ax = axes_of(ax)
    frame = _checked(frame)
    chosen = frame[frame["kind"] == kind].sort_values("search_epoch", kind="stable")
    if chosen.empty:
        raise ConfigError(
            f"no coefficients are of the kind {kind!r}: this algorithm has none, or choose the other kind"
        )
    names = names or short_names([*frame["student"], *frame["member"]])
    members = list(dict.fromkeys(chosen["member"]))
    epochs = range(int(chosen["search_epoch"].min()), int(chosen["search_epoch"].max()) + 1)
    sums = chosen.groupby(["member", "search_epoch"])["coefficient"].sum().unstack()
    shares = sums / chosen.groupby("search_epoch")["student"].nunique()
    image = _heatmap(ax, shares.reindex(index=members, columns=epochs).to_numpy())
    ax.set_xticks(range(len(epochs)), [str(epoch) for epoch in epochs])
    ax.set_yticks(range(len(members)), [names[member] for member in members])
    ax.set_xlabel("search epoch")
    ax.set_ylabel(kind)
    ax.figure.colorbar(image, ax=ax, label=f"mean {SYMBOLS[kind]} over all students")
    return ax


def _heatmap(ax: Axes, matrix: np.ndarray) -> AxesImage:
    """Coefficients from 0 (white) up; NaN is grey."""
    colors = mpl.colormaps["BuPu"].with_extremes(bad=LIGHT_GREY)
    image = ax.imshow(matrix, cmap=colors, vmin=0.0, vmax=max(np.nanmax(matrix), 1e-12), aspect="auto")
    ax.grid(False)
    return image


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    missing = {"search_epoch", "student", "member", "kind", "coefficient"} - set(frame.columns)
    if missing:
        raise ConfigError(f"these coefficients have no {', '.join(sorted(missing))}: give the table of a search")
    if frame.empty:
        raise ConfigError("there are no coefficients: nothing taught in this search")
    unknown = set(frame["kind"]) - set(SYMBOLS)
    if unknown:
        raise ConfigError(f"a coefficient is of a 'teacher' or a 'peer', not of {', '.join(map(repr, unknown))}")
    return frame
