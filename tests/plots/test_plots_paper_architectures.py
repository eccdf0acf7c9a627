"""Drawings of architectures found: blocks in order, cells whose operations stand where a node feeds another."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from matplotlib.patches import Circle, FancyBboxPatch

from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.plots import draw_architecture, draw_cell_graph, draw_chains, draw_found, style
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.base import Slot

CHAINS = pd.DataFrame(
    {
        "name": ["SPOS"] * 3 + ["MNGNAS"] * 3,
        "block": ["MB3_K3", "identity", "MB6_K5", "MB6_K5", "other", "MB3_K3"],
        "stage": [1, 1, 2, 1, 2, 2],
    }
)
#: A cell of DARTS with two inputs and two nodes
CELL = pd.DataFrame(
    [
        ("b", "1", "skip_connect"),
        ("0", "1", "dil_conv_5x5"),
        ("a", "0", "sep_conv_3x3"),
        ("b", "0", "max_pool_3x3"),
    ],
    columns=["source", "target", "operation"],
)


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        plt.close(fig)


def blocks(ax):
    """(words, box) of every box with words in its middle."""
    boxes = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    middles = np.array([(b.get_x() + b.get_width() / 2, b.get_y() + b.get_height() / 2) for b in boxes])
    found = []
    for text in ax.texts:
        distances = np.hypot(*(middles - text.get_position()).T)
        if distances.min() < 0.3:
            found.append((text.get_text().replace("\n", " "), boxes[distances.argmin()]))
    return found


def row_of(box):
    return round(box.get_y() + box.get_height() / 2, 3)


def test_chains_are_rows_of_blocks_in_order(ax):
    assert draw_chains(CHAINS, ax) is ax
    drawn = blocks(ax)
    rows = sorted({row_of(box) for _, box in drawn}, reverse=True)
    assert len(rows) == 2
    for row, name in zip(rows, ("SPOS", "MNGNAS"), strict=True):
        along = sorted((box.get_x(), words) for words, box in drawn if row_of(box) == row)
        expected = CHAINS.loc[CHAINS["name"] == name, "block"].str.replace("_", " ")
        assert [words for _, words in along] == list(expected)
        (label,) = [text for text in ax.texts if text.get_text() == name]
        assert label.get_position()[1] == pytest.approx(row) and label.get_position()[0] < along[0][0]


def test_equal_blocks_have_one_colour_and_free_ones_are_dashed(ax):
    draw_chains(CHAINS, ax)
    colors = {}
    for words, box in blocks(ax):
        colors.setdefault(words, set()).add(box.get_facecolor())
        assert (box.get_linestyle() == "--") == (words == "identity")
    assert all(len(found) == 1 for found in colors.values())
    assert len(set.union(*colors.values())) == len(colors)


def test_colours_do_not_depend_on_the_other_blocks(ax):
    fig, (first, second) = plt.subplots(1, 2)
    draw_cell_graph(CELL, first)
    draw_cell_graph(CELL.iloc[[0, 2]], second)
    for words, box in blocks(second):
        if words in dict(blocks(first)):
            assert same_color(box.get_facecolor(), dict(blocks(first))[words].get_facecolor())
    plt.close(fig)


def test_stages_have_brackets_and_gaps(ax):
    draw_chains(CHAINS, ax)
    said = [text.get_text() for text in ax.texts]
    assert said.count("stage") == 2 and said.count("1") == said.count("2") == 2
    xs = sorted(box.get_x() for _, box in blocks(ax) if row_of(box) == max(row_of(box) for _, box in blocks(ax)))
    assert xs[2] - xs[1] > 1.2 * (xs[1] - xs[0])  # the second stage starts at the third block
    ax.clear()
    draw_chains(CHAINS.drop(columns="stage"), ax)
    assert "stage" not in [text.get_text() for text in ax.texts]


def test_long_chains_turn_their_words_and_stay_readable():
    plt.close("all")
    with style():
        ax = draw_chains(pd.DataFrame({"name": "SPOS", "block": ["shuffle_3x3", "xception"] * 10}))
        ax.figure.draw_without_rendering()
        boxes = blocks(ax)
        assert len(boxes) == 20 and ax.figure.get_figwidth() <= 9.0
        for text in ax.texts:
            assert text.get_fontsize() > 8.9
        turned = [text for text in ax.texts if text.get_rotation() == 90]
        assert len(turned) == 20
        for text, (_, box) in zip(turned, boxes, strict=True):
            inside, outside = text.get_window_extent(), box.get_window_extent()
            assert outside.x0 < inside.x0 and inside.x1 < outside.x1
            assert outside.y0 < inside.y0 and inside.y1 < outside.y1
    plt.close("all")


def test_operations_of_a_cell_stand_in_their_sources_row_and_targets_column(ax):
    draw_cell_graph(CELL, ax)
    drawn = dict(blocks(ax))
    nodes = {text.get_text(): text.get_position() for text in ax.texts}
    discs = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert sorted(disc.center for disc in discs) == sorted((nodes["0"], nodes["1"]))
    for source, target, words in (
        ("a", "0", "sep 3×3"),
        ("b", "0", "max 3×3"),
        ("b", "1", "skip"),
        ("0", "1", "dil 5×5"),
    ):
        box = drawn[words]
        middle = box.get_x() + box.get_width() / 2, box.get_y() + box.get_height() / 2
        np.testing.assert_allclose(middle, (nodes[target][0], nodes[source][1]))
    # inputs first, then every node right of and below what feeds it
    assert nodes["0"][1] < min(nodes["a"][1], nodes["b"][1])
    assert nodes["1"][0] > nodes["0"][0] and nodes["1"][1] < nodes["0"][1]


def test_a_cells_output_is_what_the_outputs_lead_to(ax):
    draw_cell_graph(CELL, ax)
    both = drawn_tips(ax)
    (box,) = [box for words, box in blocks(ax) if words in ("output", "out")]
    assert len([tip for tip in both if tip[0] == pytest.approx(box.get_x())]) == 2
    ax.clear()
    draw_cell_graph(CELL, ax, outputs=["1"])
    (box,) = [box for words, box in blocks(ax) if words in ("output", "out")]
    assert len([tip for tip in drawn_tips(ax) if tip[0] == pytest.approx(box.get_x())]) == 1


def drawn_tips(ax):
    return [patch.get_xy()[0] for patch in ax.patches if patch.get_gid() == "head"]


def test_words_of_a_cell_fit_into_their_boxes():
    plt.close("all")
    with style():
        ax = draw_cell_graph(CELL.assign(operation="nor_conv_3x3"))
        ax.figure.draw_without_rendering()
        boxes = [patch.get_window_extent() for patch in ax.patches if isinstance(patch, FancyBboxPatch | Circle)]
        for text in ax.texts:
            extent = text.get_window_extent()
            assert any(
                box.x0 <= extent.x0 and extent.x1 <= box.x1 and box.y0 <= extent.y0 and extent.y1 <= box.y1
                for box in boxes
            ), text.get_text()
    plt.close("all")


@pytest.mark.parametrize(
    ("edges", "outputs", "message"),
    [
        ([("a", "0", "x"), ("0", "1", "x"), ("1", "0", "x")], None, "form a circle"),
        ([("a", "0", "x"), ("a", "0", "y")], None, "join the same two nodes"),
        ([("a", "0", "x")], ["7"], "outputs 7"),
    ],
)
def test_cells_that_are_none(edges, outputs, message, ax):
    with pytest.raises(ConfigError, match=message):
        draw_cell_graph(pd.DataFrame(edges, columns=["source", "target", "operation"]), ax, outputs=outputs)


def test_found_architectures_are_drawn_as_their_space_draws_them(ax):
    space, arch = get_space("nasbench201"), (3, 0, 1, 2, 4, 0)
    fig, (first, second) = plt.subplots(1, 2)
    draw_found(space, arch, first)
    draw_architecture(space, arch, second)
    assert [text.get_text() for text in first.texts] == [text.get_text() for text in second.texts]
    plt.close(fig)


def test_found_architectures_of_other_spaces_are_chains(ax):
    class Other:
        name = "other space"
        slots = (Slot("first", ("conv", "skip")), Slot("second", ("pool", "conv")))

        @staticmethod
        def check(arch):
            if len(arch) != 2:
                raise ArchError("two slots")
            return tuple(arch)

    draw_found(Other(), (1, 0), ax)
    assert [words for words, _ in blocks(ax)] == ["skip", "pool"]
    assert "other space" in [text.get_text() for text in ax.texts]
    with pytest.raises(ArchError):
        draw_found(Other(), (1,), ax)
