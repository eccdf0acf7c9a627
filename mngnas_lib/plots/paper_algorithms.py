"""The five retraining algorithms of Section V-A side by side (the paper's Fig. 11, in our design)."""

from __future__ import annotations

from matplotlib.axes import Axes

from mngnas_lib.distill.algorithms import ALGORITHMS, LABELS, Algorithm
from mngnas_lib.plots.paper_canvas import SMALL_TEXT, Canvas
from mngnas_lib.plots.retraining import method_of
from mngnas_lib.plots.style import DARK_GREY, GREY, GROUPS, LIGHT_GREY, LOSSES, WINE, look

#: Width and height in tenths of an inch
ALGORITHMS_SIZE = (90.0, 68.0)
TEACHER, PEER = LOSSES["teachers"].color, LOSSES["peers"].color
#: Bottom and top of each row
ROWS = {
    "teachers": (42.5, 58.0),
    "weights": (31.0, 41.5),
    "student": (18.5, 30.0),
    "labels": (11.5, 17.5),
    "perturbation": (1.5, 10.5),
}
COLUMNS, WIDTH, STEP, FIRST = ("none", "single", "average", "searched", "mngnas"), 15.1, 15.8, 11.0
UNIFORM, ADAPTIVE = (1.5, 1.5, 1.5, 1.5, 1.5), (0.6, 2.8, 0.4, 1.6, 1.1)


def draw_algorithms(ax: Axes | None = None) -> Axes:
    """Draw what each of the algorithms A to E learns from, one a column; return the axes.

    What stands in a column follows from :data:`mngnas_lib.distill.algorithms.ALGORITHMS`. The figure's own size is
    :data:`ALGORITHMS_SIZE`; without ``ax`` and without a figure, one of this size is made.
    """
    canvas = Canvas(ax, *ALGORITHMS_SIZE)
    for name, (bottom, top) in ROWS.items():
        canvas.text(9.8, (bottom + top) / 2, name, size=SMALL_TEXT, ha="right", color=DARK_GREY)
    for index, name in enumerate(COLUMNS):
        _column(canvas, FIRST + STEP * index, name, ALGORITHMS[name])
    for bottom, _ in list(ROWS.values())[:-1]:
        canvas.line((1.0, bottom - 0.5), (89.3, bottom - 0.5), color=LIGHT_GREY, width=0.8, linestyle=":", zorder=1.5)
    return canvas.ax


def _column(canvas: Canvas, left: float, name: str, algorithm: Algorithm) -> None:
    """One algorithm: its title, and a picture or a grey word in each row."""
    middle, color = left + WIDTH / 2, look(method_of(name)).color
    canvas.box(left, 0.8, WIDTH, 66.4, edge=color, line=1.8, rounding=1.4)
    letter, _, title = LABELS[name].partition(": ")
    canvas.text(middle, 64.8, letter, size=13, weight="bold", color=color)
    canvas.text(middle, 61.0, title.replace(" Ensemble", "\nEnsemble"), size=SMALL_TEXT, weight="bold")
    _teachers(canvas, left, middle, algorithm)
    _weights(canvas, middle, algorithm)
    _student(canvas, middle, algorithm)
    bottom, top = ROWS["perturbation"]
    if algorithm.perturbation:
        canvas.strip(middle - 3.3, top - 2.4, (1, 1, 2, 0), 1.5)
        canvas.strip(middle - 3.3, top - 6.3, (1, 0, 2, 0), 1.5, changed=1)
        canvas.arrow((middle, top - 4.8), (middle, top - 2.4), color=WINE, head=1.2, width=1.4)
        canvas.text(middle, bottom + 1.1, "one slot changed", size=SMALL_TEXT)
    else:
        _nothing(canvas, middle, "perturbation")


def _teachers(canvas: Canvas, left: float, middle: float, algorithm: Algorithm) -> None:
    """Discs in boxes, and in words which models they are."""
    bottom, top = ROWS["teachers"]
    kind, box = algorithm.teachers, (bottom + 2.6, 8.0)
    radii = (0.8, 1.15)
    if kind == "none":
        _nothing(canvas, middle, "teachers")
    elif kind == "single":
        canvas.box(middle - 2.5, box[0], 5.0, box[1], edge=TEACHER, face="#FFF7E6")
        canvas.circle(middle, box[0] + 4.0, 1.15, face=TEACHER)
    elif kind == "best":
        canvas.box(middle - 5.5, box[0], 11.0, box[1], edge=TEACHER, face="#FFF7E6")
        for index in range(6):
            place = middle - 3.4 + 3.4 * (index % 3), box[0] + 5.7 - 3.4 * (index // 3)
            canvas.circle(*place, radii[index % 2], face=TEACHER)
    else:
        for side, (group, radius, name) in enumerate((("small", 0.8, "$T_s$"), ("large", 1.15, "$T_l$"))):
            start, color = left + 1.0 + 6.9 * side, GROUPS[group].color
            canvas.box(start, box[0], 6.2, box[1], edge=color, face="#F7F7F7")
            canvas.text(start + 3.1, box[0] + 6.2, name, color=color)
            for index in range(2):
                canvas.circle(start + 1.7 + 2.8 * index, box[0] + 2.6, radius, face=color)
    words = {
        "single": "the best\nearlier model",
        "best": "the best earlier\nmodels, one pool",
        "groups": "by FLOPs: its own\nside's group",
    }
    if kind in words:
        canvas.text(middle, top - 2.2, words[kind], size=SMALL_TEXT)


def _weights(canvas: Canvas, middle: float, algorithm: Algorithm) -> None:
    """Bars of the teachers' weights, between the teachers and the student."""
    bottom, top = ROWS["weights"]
    if algorithm.teachers == "none":
        return _nothing(canvas, middle, "weights")
    start, end = ROWS["teachers"][0] + 2.6, top - 1.0
    if algorithm.teachers == "groups":
        canvas.arrow((middle - 3.45, start), (middle - 3.45, end), color=GROUPS["small"].color)
        canvas.arrow((middle + 3.45, start), (middle + 3.45, end), color=GROUPS["large"].color)
        canvas.text(middle, start - 1.2, "or", size=SMALL_TEXT)
    else:
        canvas.arrow((middle, start), (middle, end))
    canvas.box(middle - 6.7, bottom + 1.0, 13.4, top - bottom - 2.0, edge=GREY, line=1.0)
    canvas.arrow((middle, bottom + 1.0), (middle, _student_y() + 2.2))
    if algorithm.teachers == "single":
        return canvas.text(middle, (bottom + top) / 2, "1", size=11)
    heights = ADAPTIVE if algorithm.weights == "adaptive" else UNIFORM
    canvas.bars(middle - 4.0, bottom + 5.6, heights, width=1.2, color=TEACHER)
    if algorithm.weights == "uniform":
        text = "uniform; adaptive\nin Tables IX to XI"
    else:
        text = "adaptive α, β\n(Eq. 20)" if algorithm.peers else "adaptive α\n(Eq. 20)"
    return canvas.text(middle, bottom + 3.1, text, size=SMALL_TEXT)


def _student(canvas: Canvas, middle: float, algorithm: Algorithm) -> None:
    """The student, its labels, and its peers on both sides."""
    y, top = _student_y(), ROWS["labels"][1]
    canvas.circle(middle, y, 2.2, linewidth=2.0 * canvas.scale)
    canvas.text(middle, y, "$S_i$")
    canvas.box(middle - 3.5, top - 4.6, 7.0, 3.4, edge=DARK_GREY, line=1.2)
    canvas.text(middle, top - 2.9, "labels", size=SMALL_TEXT)
    canvas.arrow((middle, top - 1.2), (middle, y - 2.2))
    if algorithm.peers:
        for sign in (-1, 1):
            canvas.circle(middle + sign * 5.6, y, 1.4, face=PEER)
            canvas.arrow((middle + sign * 4.2, y), (middle + sign * 2.2, y), head=1.2)
            canvas.text(middle + sign * 4.9, y - 3.2, "peers", size=SMALL_TEXT)


def _student_y() -> float:
    bottom, top = ROWS["student"]
    return (bottom + top) / 2


def _nothing(canvas: Canvas, middle: float, row: str) -> None:
    bottom, top = ROWS[row]
    canvas.text(middle, (bottom + top) / 2, "none" if row == "teachers" else "–", size=SMALL_TEXT, color=GREY)
