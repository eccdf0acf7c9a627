"""Figures about benchmarks: what is drawn, where."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.stats import Tau
from mngnas_lib.plots import look, style
from mngnas_lib.plots.benchmarks import (
    plot_accuracy_histogram,
    plot_benchmark_taus,
    plot_regret_panels,
    plot_strata,
    plot_versions,
)

HISTOGRAM = pd.DataFrame({"left": [0.5, 0.505, 0.51], "right": [0.505, 0.51, 0.515], "share": [0.2, 0.5, 0.3]})
CURVE = pd.DataFrame(
    {"query": [1, 10, 100], "mean": [0.1, 0.02, 0.005], "low": [0.08, 0.015, 0.004], "high": [0.12, 0.03, 0.01]}
)
TAUS = {
    "one": {"noise ceiling": Tau(0.9, 0.88, 0.92, 50), "FLOPs": Tau(0.5, 0.4, 0.6, 50)},
    "another": {"FLOPs": Tau(-0.1, -0.3, 0.1, 20)},
}


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


@pytest.fixture
def fig():
    with style():
        fig = plt.figure(figsize=(9, 4))
        yield fig
        fig.draw_without_rendering()
        plt.close(fig)


def test_each_image_stands_beside_its_versions(ax):
    plain = np.arange(2)[:, None, None] * np.ones((2, 4, 4)) / 4
    versions = np.stack([plain + 0.5, plain + 0.6, plain + 0.7], axis=1)
    plot_versions(plain, versions, ax)
    (image,) = ax.images
    pixels = np.asarray(image.get_array())
    assert pixels.shape == (2 * 5, 4 * 5 + 2)
    for row in range(2):
        np.testing.assert_array_equal(pixels[5 * row : 5 * row + 4, :4], plain[row])
        for place in range(3):
            left = (place + 1) * 5 + 2
            np.testing.assert_array_equal(pixels[5 * row : 5 * row + 4, left : left + 4], versions[row, place])
    assert [text.get_text() for text in ax.texts] == ["plain", "the 3 harder versions of each"]


def test_versions_of_other_images_are_refused(ax):
    with pytest.raises(ConfigError, match=r"\(2, 4, 4\) and versions of shape \(3, 1, 4, 4\) do not belong"):
        plot_versions(np.zeros((2, 4, 4)), np.zeros((3, 1, 4, 4)), ax)


def test_strata_are_equally_wide_and_shares_add_up(ax):
    plot_strata([0, 1e6, 1e6, 2e6], [0, 2e6], ax, strata=4)
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["the space: 4 architectures", "the sample: 2 architectures"]
    space = ax.patches[0].get_path().vertices
    assert space[:, 0].min() == 0 and space[:, 0].max() == 2
    assert space[:, 1].max() == pytest.approx(0.5)  # two of four in one stratum


def test_bins_and_upper_half(ax):
    plot_accuracy_histogram(HISTOGRAM, ax, median=0.507, best=0.515)
    bars = [patch for patch in ax.patches if patch.get_width() == pytest.approx(0.005)]
    np.testing.assert_allclose([bar.get_height() for bar in bars], HISTOGRAM["share"])
    np.testing.assert_allclose([bar.get_x() for bar in bars], HISTOGRAM["left"])
    assert ax.texts[0].get_text() == "upper half:\n50.7 to 51.5 %"
    assert ax.get_xlabel() == "test accuracy (%)" and "bins of 0.5 points" in ax.get_ylabel()


def test_histogram_without_bins(ax):
    with pytest.raises(ConfigError, match="lacks share"):
        plot_accuracy_histogram(HISTOGRAM.drop(columns="share"), ax)
    with pytest.raises(ConfigError, match="lacks rows"):
        plot_accuracy_histogram(HISTOGRAM.iloc[:0], ax)


def test_taus_with_intervals_in_groups(ax):
    plot_benchmark_taus(TAUS, ax, values=True)
    drawn = [container for container in ax.containers if container.has_xerr]
    assert [float(bar.lines[0].get_xdata()[0]) for bar in drawn] == [0.9, 0.5, -0.1]
    ends = [sorted(point[0] for point in bar.lines[2][0].get_segments()[0]) for bar in drawn]
    np.testing.assert_allclose(ends, [[0.88, 0.92], [0.4, 0.6], [-0.3, 0.1]])
    heights = [float(bar.lines[0].get_ydata()[0]) for bar in drawn]
    assert [round(height) for height in heights] == [0, 0, 1] and heights[0] != heights[1]
    assert same_color(drawn[0].lines[0].get_color(), look("noise ceiling").color)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["one", "another"]
    assert "0.500 [0.400, 0.600]" in [text.get_text() for text in ax.texts]


def test_one_panel_a_benchmark_and_one_legend(fig):
    expected = {"kit": pd.DataFrame({"query": [1, 100], "regret": [0.1, 0.01]})}
    curves = {"kit": {"REA": CURVE, "random search": CURVE}, "official": {"REA": CURVE}}
    panels = plot_regret_panels(curves, fig, expected=expected)
    assert [panel.get_title(loc="left") for panel in panels] == ["kit", "official"]
    assert all(panel.get_legend() is None for panel in panels)
    (legend,) = fig.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["REA", "random search", "random search, computed"]
    dotted = [line for line in panels[0].lines if line.get_linestyle() == ":"]
    np.testing.assert_array_equal(dotted[0].get_xydata(), expected["kit"])


def test_no_panel(fig):
    with pytest.raises(ConfigError, match="at least one"):
        plot_regret_panels({}, fig)
