"""The search as a whole (the paper's Fig. 1, in our design): Algorithm 3 with its four parts."""

from __future__ import annotations

from matplotlib.axes import Axes

from mngnas_lib.plots.paper_canvas import CHOICE_COLORS, SMALL_TEXT, Canvas
from mngnas_lib.plots.style import BLACK, BLUE, DARK_GREY, GREEN, GREY, GROUPS, INDIGO, LIGHT_GREY, LOSSES, ORANGE, WINE

#: Width and height in tenths of an inch
FRAMEWORK_SIZE = (90.0, 70.0)
SMALL, LARGE = GROUPS["small"].color, GROUPS["large"].color
PEER = LOSSES["peers"].color
#: Architectures that are followed through the picture
ARCHS = ((0, 1, 2, 1), (2, 1, 0, 1), (1, 1, 2, 0))


def draw_framework(ax: Axes | None = None) -> Axes:
    """Draw the SuperNet's training, and the loop of proposing, retraining, ranking and updating; return the axes.

    Its own size is :data:`FRAMEWORK_SIZE`; without ``ax`` and without a figure, one of this size is made.
    """
    canvas = Canvas(ax, *FRAMEWORK_SIZE)
    canvas.frame(29.5, 1.0, 59.5, 68.0, "search: once every search epoch")
    _supernet(canvas)
    _candidates(canvas)
    _retraining(canvas)
    _ranking(canvas)
    _result(canvas)
    return canvas.ax


def _supernet(canvas: Canvas) -> None:
    """Part 1: four slots of three choices; one path in bold."""
    canvas.panel(1.0, 36.5, 22.0, 27.0, "1  Train the SuperNet", BLUE)
    left, bottom, across, up, path = 4.2, 47.0, 5.3, 4.6, ARCHS[0]
    for slot in range(3):
        for source in range(3):
            for target in range(3):
                start = left + across * slot, bottom + up * source
                canvas.line(start, (left + across * (slot + 1), bottom + up * target), color=LIGHT_GREY, width=1.0)
    canvas.line(*((left + across * slot, bottom + up * choice) for slot, choice in enumerate(path)), width=2.6)
    for slot in range(4):
        for choice, color in enumerate(CHOICE_COLORS):
            edge, width = (BLACK, 1.8) if path[slot] == choice else (GREY, 0.8)
            place = left + across * slot, bottom + up * choice
            canvas.circle(*place, 1.2, face=color, edge=edge, linewidth=width * canvas.scale)
    canvas.text(12.0, 41.2, "paths drawn by SPOS,\nFairNAS or MixPath", size=SMALL_TEXT)
    canvas.arrow((23.0, 50.0), (32.0, 50.0))
    canvas.text(26.2, 51.0, "weights", size=SMALL_TEXT, va="bottom")


def _candidates(canvas: Canvas) -> None:
    """Part 2: candidates one above the other; in the last, one slot has just been changed."""
    canvas.panel(32.0, 36.5, 22.0, 27.0, "2  Propose", GREEN)
    for row, arch in enumerate(ARCHS):
        canvas.strip(36.2, 55.0 - 4.2 * row, arch, 3.0, changed=3 if row == 2 else None)
    canvas.text(
        43.0,
        41.3,
        "first: at random; later: half\ncrossover, half mutation,\nunder the FLOPs constraint",
        size=SMALL_TEXT,
    )
    canvas.arrow((54.0, 50.0), (62.0, 50.0))
    canvas.text(57.6, 51.0, "$n_S$", va="bottom")


def _retraining(canvas: Canvas) -> None:
    """Part 3: students of both sides of the threshold, who learn from their group's teachers and from each other."""
    canvas.panel(62.0, 36.5, 25.0, 27.0, "3  Retrain", INDIGO)
    small, large = [(67.5, 55.6), (67.5, 48.6)], [(81.25, 55.6), (81.25, 48.6)]
    students = small + large
    for index, one in enumerate(students):
        for other in students[index + 1 :]:
            canvas.line(one, other, color=PEER, width=1.6)
    for number, place in enumerate(students, 1):
        color, radius = (SMALL, 1.7) if place in small else (LARGE, 2.3)
        canvas.circle(*place, radius, edge=color, linewidth=2.0 * canvas.scale)
        canvas.text(*place, f"$S_{number}$")
    canvas.text(74.4, 57.6, "peers, β", size=SMALL_TEXT, color=DARK_GREY)
    canvas.text(67.5, 43.7, "FLOPs ≤\nthreshold", size=SMALL_TEXT, color=SMALL)
    canvas.text(81.25, 43.7, "FLOPs >\nthreshold", size=SMALL_TEXT, color=LARGE)
    canvas.text(74.5, 38.9, "loss: labels + teachers + peers", size=SMALL_TEXT)


def _ranking(canvas: Canvas) -> None:
    """Part 4: rank, fine-tune those that enter a group, update both groups."""
    canvas.panel(32.0, 3.5, 55.0, 25.5, "4  Rank and update the teacher groups", ORANGE)
    heights, colors = (7.4, 6.6, 5.9, 5.3, 4.2, 3.4), (LARGE, SMALL, LARGE, SMALL, LIGHT_GREY, LIGHT_GREY)
    canvas.box(33.2, 5.0, 14.3, 18.0, edge=GREY, line=1.0)
    for index, (height, color) in enumerate(zip(heights, colors, strict=True)):
        canvas.bars(35.1 + 1.9 * index, 13.0, [height], width=1.3, color=color)
    canvas.text(40.35, 8.7, "by validation\naccuracy; the\nworst are removed", size=SMALL_TEXT)

    canvas.box(50.3, 5.0, 15.2, 18.0, edge=WINE, line=1.4)
    canvas.strip(53.4, 19.0, ARCHS[0], 2.2)
    canvas.strip(53.4, 13.4, (0, 1, 0, 1), 2.2, changed=2)
    canvas.arrow((58.3, 15.6), (58.3, 19.0), color=WINE, head=1.2)
    canvas.text(59.2, 17.2, "KL", size=SMALL_TEXT, ha="left", color=WINE)
    canvas.text(57.9, 8.7, "those that enter:\nperturbation-aware\ndistillation", size=SMALL_TEXT)

    canvas.box(68.3, 5.0, 17.5, 18.0, edge=GREY, line=1.0)
    for left, name, word, radius, color in (
        (69.5, "$T_s$", "small", 0.75, SMALL),
        (77.9, "$T_l$", "large", 1.1, LARGE),
    ):
        canvas.box(left, 6.2, 6.7, 15.6, edge=color, face="#F7F7F7")
        canvas.text(left + 3.35, 19.9, name, size=11, color=color)
        for index in range(3):
            canvas.circle(left + 3.35, 16.9 - 2.9 * index, radius, face=color)
        canvas.text(left + 3.35, 8.2, word, size=SMALL_TEXT, color=color)
    canvas.arrow((47.5, 14.0), (50.3, 14.0))
    canvas.arrow((65.5, 14.0), (68.3, 14.0))

    canvas.arrow((43.0, 29.0), (43.0, 36.5))
    canvas.text(42.2, 32.7, "survivors", size=SMALL_TEXT, ha="right")
    canvas.arrow((64.5, 36.5), (64.5, 32.7), (52.0, 32.7), (52.0, 29.0))
    canvas.text(58.2, 33.4, "accuracies", size=SMALL_TEXT, va="bottom")
    canvas.arrow((72.85, 21.8), (72.85, 31.4), (67.5, 31.4), (67.5, 36.5), color=SMALL)
    canvas.arrow((81.25, 21.8), (81.25, 36.5), color=LARGE)
    canvas.text(74.4, 33.6, "teachers, α", size=SMALL_TEXT)


def _result(canvas: Canvas) -> None:
    canvas.panel(1.0, 3.5, 22.0, 20.0, "Result", BLACK)
    canvas.strip(5.3, 12.5, ARCHS[0], 3.0)
    canvas.text(12.0, 7.6, "the most accurate under\nthe FLOPs constraint", size=SMALL_TEXT)
    canvas.arrow((32.0, 14.0), (23.0, 14.0))
    canvas.text(26.2, 15.0, "at the\nend", size=SMALL_TEXT, va="bottom")
