"""Drawings of NAS-Bench-101's cells."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from mngnas_lib.errors import ArchError
from mngnas_lib.plots import draw_architecture
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import from_matrix, wiring

SPACE = get_space("nasbench101")
LABELS = ("in", "conv\n3×3", "max\npool", "conv\n1×1", "out")


@pytest.fixture
def ax():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


def boxes(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]


def arrows(ax):
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def test_a_cell_shows_its_nodes_from_left_to_right(ax):
    matrix = [[0, 1, 0, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5]
    ops = ("input", "conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "output")
    assert draw_architecture(SPACE, from_matrix(matrix, ops), ax) is ax
    assert tuple(text.get_text() for text in ax.texts) == LABELS
    lefts = [box.get_x() for box in boxes(ax)]
    assert len(lefts) == 5 and lefts == sorted(lefts)
    assert len({box.get_facecolor() for box in boxes(ax)}) == 4  # input and output look alike
    assert len(arrows(ax)) == 6


def test_what_is_pruned_is_not_drawn(ax):
    # 0 to 2 to 6 counts; node 4 leads nowhere, nothing leads to node 5
    arch = (0, 1, 0, 1, 0, 0, *(0,) * 5, *(0, 0, 0, 1), *(0,) * 3, *(0, 0), 1, *(0, 2, 0, 0, 0))
    draw_architecture(SPACE, arch, ax)
    assert [text.get_text() for text in ax.texts] == ["in", "max\npool", "out"]
    assert len(boxes(ax)) == 3 and len(arrows(ax)) == 2


def test_every_edge_is_one_arrow_within_the_axes_and_no_two_are_the_same():
    for arch in SPACE.sample_distinct(6, np.random.default_rng(0)):
        figure, ax = plt.subplots()
        draw_architecture(SPACE, arch, ax)
        nodes, edges = wiring(arch[:21])
        assert len(boxes(ax)) == len(nodes) and len(arrows(ax)) == len(edges)
        figure.canvas.draw()
        drawn = set()
        for arrow in arrows(ax):
            extent = arrow.get_window_extent()
            assert ax.bbox.x0 <= extent.x0 < extent.x1 <= ax.bbox.x1
            assert ax.bbox.y0 <= extent.y0 < extent.y1 <= ax.bbox.y1
            drawn.add(tuple(extent.extents.round(1)))
        assert len(drawn) == len(edges)
        plt.close(figure)


def test_only_cells_are_drawn(ax):
    with pytest.raises(ArchError, match="no way leads"):
        draw_architecture(SPACE, (0,) * 26, ax)
