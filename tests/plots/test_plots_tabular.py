"""Regret over queries: what is drawn, where."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import look, plot_regret, style

CURVE = pd.DataFrame(
    {
        "query": [1, 10, 100],
        "mean": [0.1, 0.02, 0.005],
        "low": [0.08, 0.015, 0.0],
        "high": [0.12, 0.03, 0.01],
        "q50": [0.09, 0.018, 0.004],
        "q10": [0.05, 0.01, 0.001],
        "q90": [0.2, 0.05, 0.02],
    }
)


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


@pytest.mark.parametrize(
    ("band", "columns", "title"),
    [("mean", ("mean", "low", "high"), "95 % bootstrap interval"), ("seeds", ("q50", "q10", "q90"), "10 % to 90 %")],
)
def test_lines_and_bands(ax, band, columns, title):
    middle, low, high = columns
    curves = {"REA": CURVE, "random search": CURVE * [1, 2, 2, 2, 2, 2, 2]}
    assert plot_regret(curves, ax, band=band) is ax
    for line, area, (name, curve) in zip(ax.lines, ax.collections, curves.items(), strict=True):
        np.testing.assert_array_equal(line.get_xydata(), curve[["query", middle]])
        assert same_color(line.get_color(), look(name).color) and line.get_marker() == look(name).marker
        corners = set(map(tuple, area.get_paths()[0].vertices))
        assert {
            (q, value) for end in (low, high) for q, value in zip(curve["query"], curve[end], strict=True)
        } <= corners
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["REA", "random search"]
    assert title in legend.get_title().get_text()
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert ax.get_xlabel() == "architectures queried" and "percentage points" in ax.get_ylabel()


def test_ticks_are_whole_numbers_and_percentage_points(ax):
    plot_regret({"REA": CURVE}, ax)
    ax.figure.canvas.draw()
    x = {label.get_text() for label in ax.get_xticklabels()}
    y = {label.get_text(): label.get_position()[1] for label in ax.get_yticklabels()}
    assert {"1", "10", "100"} <= x
    assert y["5"] == pytest.approx(0.05) and y["0.5"] == pytest.approx(0.005)


def test_budgets_are_marked(ax):
    plot_regret({"REINFORCE": CURVE}, ax, budgets={"12,000 s": 50})
    assert list(ax.lines[-1].get_xdata()) == [50, 50]
    assert [(text.get_text(), text.xy[0]) for text in ax.texts] == [("12,000 s", 50)]


def test_what_cannot_be_drawn_is_named(ax):
    with pytest.raises(ConfigError, match="no band 'std': choose one of mean, seeds"):
        plot_regret({"REA": CURVE}, ax, band="std")
    with pytest.raises(ConfigError, match="of REA is empty or lacks high"):
        plot_regret({"REA": CURVE.drop(columns="high")}, ax)
    with pytest.raises(ConfigError, match="of REA is empty"):
        plot_regret({"REA": CURVE.iloc[:0]}, ax)
    with pytest.raises(ConfigError, match="no method is called 'BOHB'"):
        plot_regret({"BOHB": CURVE}, ax)
