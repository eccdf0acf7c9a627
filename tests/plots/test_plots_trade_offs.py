"""Figures of trade-offs and ablations: what stands where."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mngnas_lib.errors import ConfigError
from mngnas_lib.paper.ablation import sweep
from mngnas_lib.plots.style import look, style
from mngnas_lib.plots.trade_offs import plot_boxes_by_epoch, plot_fronts, plot_sweep, plot_trade_offs


@pytest.fixture
def ax():
    with style():
        fig, axes = plt.subplots()
        yield axes
    plt.close(fig)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def rows_of_a_table():
    columns = ["search_space", "strategy", "algorithm", "madds", "error"]
    values = [
        ["", "", "ResNet", 900, 4.0],
        ["DARTS", "SPOS", "SPOS", 560, 2.5],
        ["DARTS", "SPOS", "MNGNAS", 540, 2.4],
        ["DARTS", "MixPath", "MixPath", 500, np.nan],
    ]
    return pd.DataFrame(values, columns=columns)


def test_arrows_lead_from_a_strategy_to_mngnas(ax):
    plot_trade_offs(rows_of_a_table(), ax)
    (arrow,) = ax.texts
    assert (arrow.xy, arrow.xyann) == ((540, 2.4), (560, 2.5))
    assert legend(ax) == ["front", "other methods (paper)", "SPOS (paper)", "MNGNAS (S) (paper)"]
    front = ax.lines[0]
    assert (front.get_xdata().tolist(), front.get_ydata().tolist()) == ([540], [2.4])
    assert {line.get_markerfacecolor() for line in ax.lines[1:]} == {"white"}  # nothing was measured here


def test_fronts_are_steps_over_what_no_other_beats(ax):
    data = pd.DataFrame({"method": ["none"] * 4, "macs": [1e6, 2e6, 2e6, 3e6], "error": [0.5, 0.3, 0.4, 0.35]})
    plot_fronts(data, ax)
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [1, 2] and line.get_ydata().tolist() == [0.5, 0.3]
    assert legend(ax) == ["w/o KD: front, 2 of 4"]
    with pytest.raises(ConfigError, match="no column"):
        plot_fronts(data.drop(columns="error"), ax)


def test_thousands_of_points_are_counted_in_cells(ax):
    rng = np.random.default_rng(0)
    data = pd.DataFrame({"method": "none", "macs": rng.uniform(1e6, 9e6, 1500), "error": rng.uniform(0.1, 0.5, 1500)})
    plot_fronts(data, ax)
    (cells,) = ax.collections
    assert cells.get_array().sum() == 1500 and cells.get_array().min() >= 1


def test_boxes_by_search_epoch(ax):
    data = pd.DataFrame(
        {"method": ["none"] * 6 + ["mngnas"] * 6, "search_epoch": [1, 1, 1, 2, 2, 2] * 2, "error": np.arange(12) / 20}
    )
    plot_boxes_by_epoch(data, ax)
    medians = {round(line.get_xdata().mean(), 3): line.get_ydata()[0] for line in ax.lines if line.get_linewidth() == 2}
    assert medians == pytest.approx({0.825: 0.05, 1.825: 0.2, 1.175: 0.35, 2.175: 0.5})
    assert legend(ax) == [f"{name}, 3 architectures an epoch" for name in ("w/o KD", "MNGNAS")]


def test_sweep_is_zero_at_the_chosen_setting(ax):
    plot_sweep(sweep(12), "CIFAR10", ax, chosen=10, noise=0.01)
    lines = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_color() for line in lines] == [look(name).color for name in ("SPOS", "FairNAS", "MixPath")]
    assert lines[0].get_xdata().tolist() == [4, 6, 8, 10, 12, 14]
    np.testing.assert_allclose(lines[0].get_ydata(), [0.14, 0.10, 0.02, 0, -0.01, 0.01], atol=1e-9)
    assert ax.get_xlabel() == "number of teachers" and "± 0.01 points" in legend(ax)
    assert ax.get_title(loc="left") == "CIFAR10"
