"""One step of retraining, and what becomes of the best afterwards (the paper's Fig. 2, in our design)."""

from __future__ import annotations

from matplotlib.axes import Axes

from mngnas_lib.plots.paper_canvas import SMALL_TEXT, TEXT, Canvas
from mngnas_lib.plots.style import BLACK, DARK_GREY, GROUPS, INDIGO, LOSSES, WINE

#: Width and height in tenths of an inch
DISTILLATION_SIZE = (90.0, 74.0)
TEACHER, PEER = LOSSES["teachers"].color, LOSSES["peers"].color
#: The heights of the three rows: what teachers, the student and peers do
TEACHERS_Y, STUDENT_Y, PEERS_Y = 62.0, 50.0, 38.0


def draw_distillation_process(ax: Axes | None = None) -> Axes:
    """Draw a student's losses from labels, teachers and peers, and perturbation-aware distillation; return the axes.

    Its own size is :data:`DISTILLATION_SIZE`; without ``ax`` and without a figure, one of this size is made.
    """
    canvas = Canvas(ax, *DISTILLATION_SIZE)
    canvas.frame(1.0, 28.5, 88.0, 44.5, "retraining of student $S_i$: every step (Algorithm 1)")
    _networks(canvas)
    _weights(canvas)
    _losses(canvas)
    canvas.frame(1.0, 1.0, 88.0, 23.0, "perturbation-aware distillation: once every search epoch (Algorithm 2)")
    _perturbation(canvas)
    canvas.arrow((25.0, 28.5), (25.0, 24.0))
    canvas.text(26.2, 26.2, "ranked; those that enter a teacher group", size=SMALL_TEXT, ha="left")
    return canvas.ax


def _networks(canvas: Canvas) -> None:
    """The mini-batch goes through teachers, student and peers."""
    canvas.box(2.5, 45.5, 8.0, 9.0, edge=DARK_GREY)
    canvas.text(6.5, STUDENT_Y, "mini-\nbatch\n$x$", size=SMALL_TEXT)
    canvas.arrow((10.5, STUDENT_Y), (14.5, STUDENT_Y))
    for y, name, color, face, archs in (
        (TEACHERS_Y, "teachers: $T_s$ or $T_l$", TEACHER, "#FFF7E6", ((0, 1, 2, 1), (2, 1, 1, 0))),
        (STUDENT_Y, "student $S_i$: learns", BLACK, "white", ((1, 1, 2, 0),)),
        (PEERS_Y, "peers $S_j$, $j \\neq i$", PEER, "#EEF7FC", ((2, 0, 0, 1), (1, 2, 2, 0))),
    ):
        if y != STUDENT_Y:
            canvas.arrow((12.2, STUDENT_Y), (12.2, y), (14.5, y))
        canvas.box(14.5, y - 4.5, 18.5, 9.0, edge=color, face=face, line=2.4 if y == STUDENT_Y else 1.6)
        canvas.text(23.75, y + 2.2, name, size=SMALL_TEXT)
        left = 20.0 if len(archs) == 1 else 15.6
        for index, arch in enumerate(archs):
            canvas.strip(left + 8.9 * index, y - 3.2, arch, 1.7)


def _weights(canvas: Canvas) -> None:
    """Eq. 20: from all outputs to the weights of teachers and peers, and their mixes."""
    canvas.box(38.0, PEERS_Y - 4.5, 18.0, TEACHERS_Y - PEERS_Y + 9.0, edge=INDIGO, line=1.8, rounding=1.4)
    for y, output in ((TEACHERS_Y, "$p_e$"), (STUDENT_Y, "$p_i$"), (PEERS_Y, "$p_c$")):
        canvas.arrow((33.0, y), (38.0, y))
        canvas.text(35.2, y + 0.6, output, va="bottom")
    canvas.bars(43.0, TEACHERS_Y + 0.6, (0.6, 2.8, 0.3, 1.5, 0.9), width=1.2, color=TEACHER)
    canvas.text(40.6, TEACHERS_Y + 1.8, "α", size=11)
    canvas.text(47.0, TEACHERS_Y - 2.0, "sums to 1", size=SMALL_TEXT, color=DARK_GREY)
    canvas.text(47.0, STUDENT_Y + 4.0, "Adaptive weights", weight="bold")
    canvas.text(47.0, STUDENT_Y + 0.8, r"minimise ½ ‖ $p_i$ −")
    canvas.text(47.0, STUDENT_Y - 1.8, r"Σ $\alpha_e p_e$ − Σ $\beta_c p_c$ ‖²")
    canvas.text(47.0, STUDENT_Y - 4.8, "Eq. 20", size=SMALL_TEXT, color=DARK_GREY)
    canvas.bars(43.0, PEERS_Y + 0.6, (1.6, 0.4, 2.3, 0.9, 0.8), width=1.2, color=PEER)
    canvas.text(40.6, PEERS_Y + 1.8, "β", size=11)
    canvas.text(47.0, PEERS_Y - 2.0, "sums to 1", size=SMALL_TEXT, color=DARK_GREY)


def _losses(canvas: Canvas) -> None:
    """Three losses of one student, and their sum."""
    for y, text, mix, color in (
        (TEACHERS_Y, "from teachers", r"Σ $\alpha_e p_e$", TEACHER),
        (PEERS_Y, "from peers", r"Σ $\beta_c p_c$", PEER),
    ):
        canvas.arrow((56.0, y), (64.0, y))
        canvas.text(59.7, y + 0.6, mix, size=SMALL_TEXT, va="bottom")
        canvas.box(64.0, y - 4.5, 15.0, 9.0, edge=color, line=1.6)
        canvas.text(71.5, y, f"$L_{{dis}}$ {text}\nlogits: KL, Eq. 5\nstages: MSE, Eq. 6", size=SMALL_TEXT)
        canvas.arrow((66.3, STUDENT_Y), (66.3, y - 4.5 if y > STUDENT_Y else y + 4.5))
        canvas.arrow((79.0, y), (84.8, y), (84.8, STUDENT_Y + (2.0 if y > STUDENT_Y else -2.0)))
    canvas.arrow((56.0, STUDENT_Y), (68.5, STUDENT_Y))
    canvas.text(61.0, STUDENT_Y + 0.6, "$p_i$", va="bottom")
    canvas.box(68.5, STUDENT_Y - 3.5, 10.5, 7.0, edge=BLACK, line=1.6)
    canvas.text(73.75, STUDENT_Y, "$L_{cls}$ from\nlabels $y$", size=SMALL_TEXT)
    canvas.arrow((79.0, STUDENT_Y), (82.8, STUDENT_Y))
    canvas.circle(84.8, STUDENT_Y, 2.0)
    canvas.text(84.8, STUDENT_Y, "+", size=13)
    note = "the sum's gradient (Eq. 8, 10) moves $S_i$ alone: teachers and peers are targets"
    canvas.text(45.0, 31.0, note, size=SMALL_TEXT, color=DARK_GREY)


def _perturbation(canvas: Canvas) -> None:
    """Eq. 21 to 23: S_j against copies of itself that differ in one slot."""
    canvas.box(3.0, 3.0, 18.0, 16.0, edge=BLACK, line=2.4)
    canvas.text(12.0, 16.2, "architecture $S_j$\nlearns", size=SMALL_TEXT)
    canvas.strip(6.9, 10.0, (1, 1, 2, 0), 2.3)
    canvas.text(12.0, 5.9, "with its retrained\nweights", size=SMALL_TEXT, color=DARK_GREY)
    canvas.arrow((21.0, 13.5), (28.0, 13.5))
    canvas.text(24.2, 14.2, "Eq. 21", size=SMALL_TEXT, va="bottom")

    canvas.box(28.0, 8.0, 27.0, 11.0, edge=WINE, line=1.6)
    canvas.text(41.5, 17.0, "perturbed $S_i$: one slot changed", size=SMALL_TEXT)
    canvas.strip(30.3, 12.4, (1, 0, 2, 0), 2.3, changed=1)
    canvas.strip(42.6, 12.4, (1, 1, 2, 2), 2.3, changed=3)
    canvas.text(41.5, 9.9, "there the SuperNet's weights", size=SMALL_TEXT, color=DARK_GREY)
    canvas.arrow((55.0, 13.5), (62.0, 13.5))
    canvas.text(58.2, 14.2, "$f_{S_i}$", va="bottom")
    canvas.arrow((21.0, 4.8), (62.0, 4.8))
    canvas.text(41.5, 5.2, "$f_{S_j}$", va="bottom")

    canvas.box(62.0, 3.0, 17.0, 16.0, edge=WINE, line=1.6)
    loss = r"$L_{cls}$ + mean of" + "\n" + r"KL($f_{S_j} \| f_{S_i}$)" + "\nEq. 22"
    canvas.text(70.5, 14.0, loss, size=TEXT)
    canvas.text(70.5, 6.4, "moves $S_j$ alone\nEq. 23", size=SMALL_TEXT, color=DARK_GREY)
    for bottom, name, group in ((11.5, "$T_s$", "small"), (3.0, "$T_l$", "large")):
        canvas.box(83.0, bottom, 4.5, 7.5, edge=GROUPS[group].color, line=1.8)
        canvas.text(85.25, bottom + 3.75, name, size=11, color=GROUPS[group].color)
        canvas.arrow((79.0, bottom + 3.75), (83.0, bottom + 3.75), color=GROUPS[group].color)
