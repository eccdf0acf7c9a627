"""Figures about perturbation: what was drawn, where, and what is said of wrong input."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgba

from mngnas_lib.distill import neighbours
from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.plots import style
from mngnas_lib.plots.perturbation import (
    SOURCES,
    draw_neighbourhood,
    plot_arms,
    plot_fine_tuning,
    plot_orders,
    plot_readings,
    plot_weight_sources,
)
from mngnas_lib.spaces import get_space

CELLS = get_space("nasbench201")
#: node 1 leads nowhere, so what enters it is the choice of nobody: four neighbours are as good as S_j itself
ARCH = (3, 2, 0, 2, 0, 4)


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


def points(ax):
    """Places by the first word of their legend entry."""
    return {
        drawn.get_label().partition(" (")[0]: {tuple(map(int, xy)) for xy in drawn.get_offsets()}
        for drawn in ax.collections
    }


def test_every_neighbour_has_its_place_on_the_board(ax):
    assert draw_neighbourhood(CELLS, ARCH, ax) is ax
    places = points(ax)
    assert places["$S_j$"] == set(enumerate(ARCH))
    same = places["neighbour, same function as $S_j$"]
    assert {(0, choice) for choice in (0, 1, 2, 4)} <= same
    assert not same & places["neighbour"]
    everywhere = {(slot, choice) for slot in range(6) for choice in range(5)}
    assert places["$S_j$"] | same | places["neighbour"] == everywhere
    assert [tick.get_text() for tick in ax.get_yticklabels()] == list(CELLS.slots[0].choices)


def test_drawn_neighbours_are_singled_out(ax):
    chosen = neighbours(CELLS, ARCH)[-2:]
    draw_neighbourhood(CELLS, ARCH, ax, drawn=chosen)
    places = points(ax)
    assert places["neighbour, drawn"] == {(5, other[5]) for other in chosen}
    assert not places["neighbour, drawn"] & places["neighbour"]


def test_strangers_are_named(ax):
    with pytest.raises(ConfigError, match="no neighbour"):
        draw_neighbourhood(CELLS, ARCH, ax, drawn=[(0, 0, 0, 0, 0, 0)])
    with pytest.raises(ArchError):
        draw_neighbourhood(CELLS, (0, 1), ax)


def test_a_tile_a_module(ax):
    table = pd.DataFrame({"S_j": ["own", "own", ""], "S_i": ["S_j", "", "SuperNet"]}, index=["stem", "old", "new"])
    plot_weight_sources(table, ax)
    colors = [patch.get_facecolor() for patch in ax.patches]
    assert colors == [to_rgba(SOURCES[source]) for source in ("own", "S_j", "own", "SuperNet")]
    assert {(text.get_position(), text.get_text()) for text in ax.texts} == {
        ((0, 0), "own"),
        ((1, 0), "$S_j$"),
        ((0, 1), "own"),
        ((1, 2), "SuperNet"),
    }
    with pytest.raises(ConfigError, match="nowhere"):
        plot_weight_sources(table.replace("own", "nowhere"), ax)


def test_the_lowest_points_are_marked(ax):
    p = np.linspace(0.1, 0.9, 9)
    plot_orders(p, {"one": (p - 0.3) ** 2, "other": (p - 0.8) ** 2}, ax)
    marks = [line.get_xdata() for line in ax.lines if line.get_linestyle() == "None"]
    assert np.allclose(np.ravel(marks), [0.3, 0.8])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one: lowest at 0.3", "other: lowest at 0.8"]
    with pytest.raises(ConfigError, match="at most two"):
        plot_orders(p, {"a": p, "b": p, "c": p}, ax)


def test_a_line_a_reading(ax):
    curves = {"labels": np.array([[1.0, 0.1], [0.9, 0.2]]), "kit": np.array([[1.0, 0.1], [0.8, 0.1]])}
    plot_readings(curves, ax)
    assert [list(line.get_ydata()) for line in ax.lines] == [[0.1, 0.2], [0.1, 0.1]]
    assert len({(line.get_color(), line.get_marker()) for line in ax.lines}) == 2
    assert "dis" in ax.get_ylabel() and ax.get_yscale() == "log"
    for wrong in ({"loss": "L"}, {"curves": dict.fromkeys("abcde", curves["kit"])}):
        with pytest.raises(ConfigError, match="at most 4 readings"):
            plot_readings(**{"curves": curves, "ax": ax} | wrong)


def test_both_losses_are_drawn_as_they_are_and_as_means(ax):
    losses = np.stack([np.arange(10.0), np.arange(10.0) ** 2], axis=1)
    plot_fine_tuning(losses, ax, window=3)
    _raw_cls, mean_cls, raw_dis, mean_dis = ax.lines
    assert np.allclose(raw_dis.get_ydata(), losses[:, 1])
    # a running mean of a straight line is the line, at the middle of its window
    assert np.allclose(mean_cls.get_ydata(), np.arange(1, 9)) and np.allclose(mean_cls.get_xdata(), np.arange(2, 10))
    assert mean_dis.get_ydata()[0] == pytest.approx((0 + 1 + 4) / 3)
    for wrong in (losses[:2], losses[:, :1], losses[0]):
        with pytest.raises(ConfigError, match="give \\(steps, 2\\)"):
            plot_fine_tuning(wrong, ax, window=3)


def test_a_line_a_seed_and_students_interval(ax):
    table = pd.DataFrame({"before": [0.1, 0.2, 0.3], "after": [0.2, 0.2, 0.2]})
    plot_arms(table, ax, percent=True)
    seeds = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_marker() == "."]
    assert [list(line.get_ydata()) for line in seeds] == table.to_numpy().tolist()
    (bars,) = ax.containers
    low, high = bars[2][0].get_segments()[0][:, 1]
    # Student's t for two degrees of freedom at 97.5 % is 4.303
    assert (low, high) == pytest.approx((0.2 - 4.303 * 0.1 / 3**0.5, 0.2 + 4.303 * 0.1 / 3**0.5), abs=1e-4)
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["before", "after"]
    with pytest.raises(ConfigError, match="at least two"):
        plot_arms(table[:1], ax)
    with pytest.raises(ConfigError, match="not among the treatments"):
        plot_arms(table, ax, reference="never")


def test_differences_from_a_reference_are_paired(ax):
    plot_arms(pd.DataFrame({"before": [0.1, 0.5], "after": [0.2, 0.6]}), ax, reference="before")
    (bars,) = ax.containers
    # both rise by 0.1, so there is nothing to doubt
    assert np.allclose(bars[0].get_ydata(), [0, 0.1]) and np.allclose(bars[2][0].get_segments()[1][:, 1], 0.1)
