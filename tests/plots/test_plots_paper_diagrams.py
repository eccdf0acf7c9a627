"""The diagrams: no words over words or lines, nothing outside, arrows that end at boxes, one picture at every size."""

from itertools import combinations, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle

from mngnas_lib.distill.algorithms import ALGORITHMS, LABELS
from mngnas_lib.plots import draw_algorithms, draw_distillation_process, draw_framework, save, style
from mngnas_lib.plots.paper_algorithms import ALGORITHMS_SIZE
from mngnas_lib.plots.paper_canvas import SMALL_TEXT, Canvas
from mngnas_lib.plots.paper_diagrams_framework import FRAMEWORK_SIZE
from mngnas_lib.plots.paper_distillation_process import DISTILLATION_SIZE
from mngnas_lib.plots.style import GROUPS

DIAGRAMS = {
    "framework": (draw_framework, FRAMEWORK_SIZE),
    "distillation": (draw_distillation_process, DISTILLATION_SIZE),
    "algorithms": (draw_algorithms, ALGORITHMS_SIZE),
}
#: In each diagram, as many axes a row, so that the second is drawn at half its size
SCALES = (1, 2)


@pytest.fixture(scope="module", params=[(name, scale) for name in DIAGRAMS for scale in SCALES], ids=str)
def drawn(request):
    """The axes of a diagram at its own size or half of it, after the layout has settled."""
    name, columns = request.param
    draw, (width, height) = DIAGRAMS[name]
    with style():
        fig, axes = plt.subplots(1, columns, figsize=(width / 10, height / 10 / columns), squeeze=False)
        ax = draw(axes[0, -1])
        fig.draw_without_rendering()
        yield ax
        plt.close(fig)


def text_boxes(ax):
    """Words, and the box that they cover, in the diagram's units."""
    inverse = ax.transData.inverted()
    return {
        (text.get_text(), text.get_position()): inverse.transform_bbox(text.get_window_extent()) for text in ax.texts
    }


def boxes(ax):
    """(left, bottom, right, top) of each box."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    return np.array([(p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height()) for p in found])


def heads(ax):
    """The tips of all arrows."""
    return [patch.get_xy()[0] for patch in ax.patches if isinstance(patch, Polygon) and patch.get_gid() == "head"]


def segments(ax):
    for line in ax.lines:
        yield from pairwise(line.get_xydata())


def crosses(ax, box, start, end):
    """Whether a line touches ``box`` where no disc covers it: 200 points on it are looked at."""
    points = start + np.linspace(0, 1, 200)[:, None] * (end - start)
    touching = ((points > (box.x0, box.y0)) & (points < (box.x1, box.y1))).all(axis=1)
    for disc in (patch for patch in ax.patches if isinstance(patch, Circle)):
        touching &= np.hypot(*(points - disc.center).T) > disc.radius
    return touching.any()


def test_no_words_over_words(drawn):
    for (one, box), (other, second) in combinations(text_boxes(drawn).items(), 2):
        assert not box.overlaps(second), f"{one} and {other}"


def test_no_line_through_words(drawn):
    for words, box in text_boxes(drawn).items():
        for start, end in segments(drawn):
            assert not crosses(drawn, box, start, end), f"{words} and the line from {start} to {end}"


def test_words_are_inside_or_outside_of_a_box_but_never_across_its_edge(drawn):
    for words, box in text_boxes(drawn).items():
        for left, bottom, right, top in boxes(drawn):
            inside = left <= box.x0 and box.x1 <= right and bottom <= box.y0 and box.y1 <= top
            outside = box.x1 <= left or right <= box.x0 or box.y1 <= bottom or top <= box.y0
            assert inside or outside, f"{words} and the box at {left, bottom}"


def test_nothing_lies_outside(drawn):
    frame = drawn.get_window_extent()
    for artist in (*drawn.texts, *drawn.patches, *drawn.lines):
        extent = artist.get_window_extent()
        assert frame.x0 - 1 <= extent.x0 and extent.x1 <= frame.x1 + 1, artist
        assert frame.y0 - 1 <= extent.y0 and extent.y1 <= frame.y1 + 1, artist


def test_arrows_end_at_boxes(drawn):
    places = [patch for patch in drawn.patches if isinstance(patch, Circle)]
    squares = [
        (p.get_x(), p.get_y(), p.get_x() + p.get_width(), p.get_y() + p.get_height())
        for p in drawn.patches
        if isinstance(p, Rectangle)
    ]
    tips = heads(drawn)
    assert len(tips) > 5
    for x, y in tips:
        circle = min((abs(np.hypot(x - p.center[0], y - p.center[1]) - p.radius) for p in places), default=1.0)
        edges = []
        for left, bottom, right, top in [*boxes(drawn), *squares]:
            if left - 0.4 <= x <= right + 0.4 and bottom - 0.01 <= y <= top + 0.01:
                edges += [abs(y - bottom), abs(y - top)]
                edges += [abs(x - left), abs(x - right)]
        assert min(circle, *edges, 1.0) < 0.05, f"the arrow that ends at {x, y}"


def test_words_can_be_read_at_900_pixels():
    for draw, (width, height) in DIAGRAMS.values():
        assert width == 90.0 and SMALL_TEXT >= 9.0  # 900 pixels at 100 an inch
        with style():
            fig, ax = plt.subplots(figsize=(width / 10, height / 10))
            assert min(text.get_fontsize() for text in draw(ax).texts) == pytest.approx(SMALL_TEXT)
            plt.close(fig)


@pytest.mark.parametrize("name", DIAGRAMS)
def test_axes_given_current_or_new(name):
    draw, size = DIAGRAMS[name]
    plt.close("all")
    alone = draw()
    np.testing.assert_allclose(alone.figure.get_size_inches() * 10, size)
    _, (first, second) = plt.subplots(1, 2)
    assert draw(first) is first
    plt.sca(second)
    assert draw() is second
    assert not second.axison
    plt.close("all")


def words(ax):
    return " ".join(text.get_text() for text in ax.texts)


def test_the_framework_names_its_parts():
    said = words(draw_framework(plt.figure().add_subplot()))
    for part in (
        "Train the SuperNet",
        "Propose",
        "Retrain",
        "teacher groups",
        "$T_s$",
        "$T_l$",
        "perturbation-aware",
        "β",
    ):
        assert part in said
    plt.close("all")


def test_the_distillation_process_cites_its_equations():
    said = words(draw_distillation_process(plt.figure().add_subplot()))
    for equation in ("Eq. 5", "Eq. 6", "Eq. 8, 10", "Eq. 20", "Eq. 21", "Eq. 22", "Eq. 23"):
        assert equation in said
    plt.close("all")


def test_the_columns_of_algorithms_say_what_the_algorithms_do():
    ax = draw_algorithms(plt.figure().add_subplot())
    columns = sorted((box for box in boxes(ax) if box[3] - box[1] > 50), key=lambda box: box[0])
    assert len(columns) == 5
    for name, (left, _, right, _) in zip(("none", "single", "average", "searched", "mngnas"), columns, strict=True):
        said = [text.get_text() for text in ax.texts if left < text.get_position()[0] < right]
        algorithm = ALGORITHMS[name]
        assert LABELS[name] == f"{said[0]}: {' '.join(said[1].split())}"
        assert ("peers" in said) == algorithm.peers
        assert ("one slot changed" in said) == algorithm.perturbation
        assert ("$T_s$" in said and "$T_l$" in said) == (algorithm.teachers == "groups")
        assert any("adaptive α" in line for line in said) == (algorithm.weights == "adaptive")
        assert "labels" in said
    plt.close("all")


def test_groups_have_the_styles_colours():
    for draw in (draw_framework, draw_algorithms):
        ax = draw(plt.figure().add_subplot())
        for name, group in (("$T_s$", "small"), ("$T_l$", "large")):
            labels = [text for text in ax.texts if text.get_text() == name]
            assert labels and all(same_color(text.get_color(), GROUPS[group].color) for text in labels)
        plt.close("all")


def test_an_arrow_stops_at_its_last_point():
    canvas = Canvas(plt.figure().add_subplot(), 10, 10)
    canvas.arrow((1, 1), (1, 5), (7, 5), head=1.5)
    (head,) = [patch.get_xy() for patch in canvas.ax.patches]
    np.testing.assert_allclose(head[0], (7, 5))
    np.testing.assert_allclose(head[1:3, 0], 5.5)
    assert canvas.ax.lines[0].get_xydata().max() < 7
    plt.close("all")


def test_saved_diagrams_have_the_same_bytes(tmp_path):
    copies = []
    for folder in ("one", "two"):
        with style():
            fig, ax = plt.subplots(figsize=(4.5, 3.4))
            draw_algorithms(ax)
        copies.append([path.read_bytes() for path in save(fig, "diagram", "quick", root=tmp_path / folder)])
        plt.close(fig)
    assert copies[0] == copies[1]
