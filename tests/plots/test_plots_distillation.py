"""Figures about distillation: what is drawn, where, and under which name."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.colors import same_color

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import look, plot_before_after, plot_forwards, plot_soft_labels, style

ACCURACIES = pd.DataFrame({"borrowed": [0.5, 0.6, 0.4], "none": [0.7, 0.8, 0.6], "average": [0.7, 0.72, 0.68]})


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# ---------------------------------------------------------------------- soft labels


def test_soft_labels_are_the_probabilities_at_each_temperature(ax):
    assert plot_soft_labels([2 * math.log(3), 0.0], ax, temperatures=(1, 2), classes=("cat", "dog")) is ax
    heights = [[bar.get_height() for bar in bars] for bars in ax.containers]
    np.testing.assert_allclose(heights, [[0.9, 0.1], [0.75, 0.25]])
    assert legend(ax) == ["temperature 1", "temperature 2"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["cat", "dog"]


def test_bars_of_a_class_stand_side_by_side_around_it(ax):
    plot_soft_labels(torch.zeros(4), ax)
    edges = np.array([[(bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars] for bars in ax.containers])
    np.testing.assert_allclose(edges[1:, :, 0], edges[:-1, :, 1])
    np.testing.assert_allclose((edges[0, :, 0] + edges[-1, :, 1]) / 2, range(4), atol=1e-12)


@pytest.mark.parametrize(
    ("logits", "temperatures"), [(torch.zeros(2, 3), (1,)), (torch.zeros(3), ()), ([0.0], range(1, 7))]
)
def test_soft_labels_of_one_image_only(ax, logits, temperatures):
    with pytest.raises(ConfigError, match="of one image"):
        plot_soft_labels(logits, ax, temperatures=temperatures)


# ---------------------------------------------------------------------- forward passes


def test_forwards_of_the_papers_sizes(ax):
    plot_forwards(30, 10, ax)
    letter, shared = ax.lines
    # 30 students with 10 teachers, 29 peers and themselves; and 40 networks
    assert letter.get_ydata()[-1] == 1200 and shared.get_ydata()[-1] == 40
    assert letter.get_ydata()[0] == shared.get_ydata()[0] == 11
    assert [text.get_text() for text in ax.texts] == ["1,200", "40"]
    assert ax.get_yscale() == "log" and "= 10 teachers" in ax.get_xlabel()


# ---------------------------------------------------------------------- before and after


def test_each_candidate_is_a_line_and_each_treatment_a_mean_with_its_spread(ax):
    plot_before_after(ACCURACIES, ax)
    lines = [line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 3]
    np.testing.assert_allclose(lines, 100 * ACCURACIES.to_numpy())
    bars = ax.containers[:3]
    np.testing.assert_allclose([bar.lines[0].get_ydata()[0] for bar in bars], [50, 70, 70])
    segments = [bar.lines[2][0].get_segments()[0][:, 1] for bar in bars]
    np.testing.assert_allclose(segments, [[40, 60], [60, 80], [68, 72]])
    assert [text.get_text() for text in ax.texts] == ["50.0 ± 10.0", "70.0 ± 10.0", "70.0 ± 2.0"]


def test_treatments_have_the_papers_names_and_the_methods_colours(ax):
    plot_before_after(ACCURACIES, ax)
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["borrowed weights", "A: w/o KD", "C: Average\nEnsemble KD"]
    methods = ("SPOS", "w/o KD", "Average Ensemble KD")
    colors = [bar.lines[0].get_color() for bar in ax.containers[:3]]
    assert all(same_color(color, look(method).color) for color, method in zip(colors, methods, strict=True))


def test_a_lone_candidate_has_no_spread(ax):
    plot_before_after(ACCURACIES[:1], ax)
    assert [text.get_text() for text in ax.texts] == ["50.0 ± 0.0", "70.0 ± 0.0", "70.0 ± 0.0"]


@pytest.mark.parametrize("table", [ACCURACIES[:0], ACCURACIES.rename(columns={"none": "A"})])
def test_what_cannot_be_drawn_before_and_after(ax, table):
    with pytest.raises(ConfigError, match="at least one candidate, in columns out of borrowed, none"):
        plot_before_after(table, ax)
