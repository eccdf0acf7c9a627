"""Figures about detection: what stands where."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mngnas_lib.detection import precision_recall
from mngnas_lib.plots.detection import draw_boxes, draw_maps, plot_macs_resolution, plot_precision_recall
from mngnas_lib.plots.style import style


@pytest.fixture
def ax():
    with style():
        fig, axes = plt.subplots()
        yield axes
    plt.close(fig)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_boxes_lie_where_they_are_and_say_their_score(ax):
    truth, boxes = np.array([[1, 2, 5, 6]]), np.array([[1, 2, 5, 5], [7, 7, 9, 9]])
    draw_boxes(truth, boxes, np.array([0.9, 0.25]), np.array([True, False]), ax, size=(10, 12))
    assert [patch.get_bbox().extents.tolist() for patch in ax.patches] == [[1, 2, 5, 6], [1, 2, 5, 5], [7, 7, 9, 9]]
    assert [text.get_text() for text in ax.texts] == ["0.90", "0.25"]
    assert legend(ax) == ["object", "hit", "no hit"]
    assert ax.get_ylim() == (12, 0)  # rows of an image count downwards


def test_precision_and_recall(ax):
    precision, recall = precision_recall([0.9, 0.8, 0.7], [True, False, True], 2)
    plot_precision_recall(precision, recall, ax)
    assert ax.lines[0].get_xdata().tolist() == [0.5, 0.5, 1.0]
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3"]
    # the shaded area: 1 up to a recall of 1/2, then 2/3
    edges = np.unique(ax.collections[0].get_paths()[0].vertices, axis=0)
    assert {(0.5, 1.0), (1.0, 2 / 3)} <= {tuple(edge) for edge in edges.tolist()}


def test_maps_have_their_sizes_in_the_titles():
    with style():
        fig, axes = plt.subplots(1, 2)
        draw_maps({"stage 1": np.zeros((8, 16)), "stage 2": np.ones((4, 8))}, axes)
    assert [ax.get_title(loc="left") for ax in axes] == ["stage 1\n16×8", "stage 2\n8×4"]
    plt.close(fig)


def test_lines_of_cost(ax):
    data = pd.DataFrame({"name": ["a", "a", "b"], "pixels": [1000, 4000, 1000], "macs": [1e9, 4e9, 2e9]})
    plot_macs_resolution(data, ax, paper={"MobileNetV2": 6.1e9})
    assert ax.lines[0].get_ydata().tolist() == [1, 4]
    assert ax.lines[2].get_ydata() == [6.1, 6.1]
    assert [text.get_text() for text in ax.texts] == ["MobileNetV2 (paper)"]
    assert legend(ax) == ["a", "b"] and ax.get_xscale() == ax.get_yscale() == "log"
