"""Figures that hold weightings against each other: what is drawn, where, and under which name."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import (
    plot_agreement,
    plot_coefficients_along,
    plot_weighting_curves,
    plot_weightings,
    style,
)
from mngnas_lib.plots.style import LOSSES
from mngnas_lib.plots.weightings import WEIGHTINGS


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


def line(ax, label):
    (found,) = [line for line in ax.lines if line.get_label() == label]
    return found


def test_coefficients_along_a_setting_have_the_groups_colours_and_lines_of_their_own(ax):
    alpha, beta = np.array([[0.2, 0.8], [0.5, 0.5]]), np.array([[1.0], [1.0]])
    plot_coefficients_along([1, 2], alpha, ax, beta=beta, xlabel="place")
    np.testing.assert_array_equal(line(ax, "$α_{2}$").get_xydata(), [[1, 0.8], [2, 0.5]])
    assert line(ax, "$α_{1}$").get_linestyle() != line(ax, "$α_{2}$").get_linestyle()
    assert same_color(line(ax, "$α_{1}$").get_color(), LOSSES["teachers"].color)
    assert same_color(line(ax, "$β_{1}$").get_color(), LOSSES["peers"].color)
    assert ax.get_xlabel() == "place" and not ax.collections


def test_what_an_upper_bound_forbids_is_grey(ax):
    plot_coefficients_along([0.5, 0.75, 1], np.full((3, 2), 0.5), ax, xlabel="bound", is_bound=True)
    (forbidden,) = ax.collections
    vertices = forbidden.get_paths()[0].vertices
    assert (vertices[:, 1] >= vertices[:, 0] - 1e-12).all() and len(ax.lines) == 2


def test_curves_are_means_with_a_band_around_the_middle(ax):
    values = np.array([np.arange(11.0), np.arange(11.0) * 10])
    plot_weighting_curves([0, 1], {"s = 2": values}, ax, xlabel="noise", ylabel="weight")
    curve = line(ax, "s = 2")
    np.testing.assert_allclose(curve.get_xydata(), [[0, 5], [1, 50]])
    assert same_color(curve.get_color(), WEIGHTINGS["s = 2"].color)
    assert curve.get_marker() == WEIGHTINGS["s = 2"].marker
    (band,) = ax.collections
    x, y = band.get_paths()[0].vertices.T
    np.testing.assert_allclose([y[x == 1].min(), y[x == 1].max()], [10, 90])


def test_cases_stand_below_one_another_with_a_mean_and_a_bar_each(ax):
    cases = {"quiet": {"uniform": [0.2, 0.2], "s = 1": np.arange(11.0)}, "loud": {"s = 1": [4.0, 6.0]}}
    plot_weightings(cases, ax, xlabel="weight")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["quiet", "loud"]
    top, bottom = ax.get_ylim()
    assert top > bottom
    np.testing.assert_allclose(line(ax, "s = 1").get_xdata(), [5, 5])
    np.testing.assert_allclose(np.round(line(ax, "s = 1").get_ydata()), [0, 1])
    np.testing.assert_allclose(line(ax, "uniform").get_xdata(), [0.2])
    assert line(ax, "uniform").get_ydata()[0] < line(ax, "s = 1").get_ydata()[0]
    bars = [segment[:, 0].tolist() for collection in ax.collections for segment in collection.get_segments()]
    np.testing.assert_allclose(bars, [[0.2, 0.2], [1, 9], [4.2, 5.8]])


def test_agreement_has_the_diagonal_and_a_point_a_coefficient(ax):
    plot_agreement([0.1, 0.9], {"s = 1": [0.2, 0.8], "s = 2": [0.1, 0.9]}, ax, xlabel="true", ylabel="short")
    np.testing.assert_array_equal(line(ax, "equal").get_xydata(), [[0, 0], [1, 1]])
    np.testing.assert_array_equal(line(ax, "s = 1").get_xydata(), [[0.1, 0.2], [0.9, 0.8]])
    assert ax.get_xlim()[1] > 1 and ax.get_aspect() == 1


def test_looks_are_distinct():
    assert len(set(WEIGHTINGS.values())) == len({look.marker for look in WEIGHTINGS.values()}) == len(WEIGHTINGS)


def test_what_cannot_be_drawn(ax):
    with pytest.raises(ConfigError, match="no weighting is called 'best'"):
        plot_weightings({"case": {"best": [1]}}, ax, xlabel="weight")
    with pytest.raises(ConfigError, match="give one row for each of 2 places"):
        plot_weighting_curves([0, 1], {"s = 1": np.zeros((3, 2))}, ax, xlabel="", ylabel="")
    with pytest.raises(ConfigError, match="give one row for each of 2 places"):
        plot_coefficients_along([0, 1], np.zeros(2), ax, xlabel="")
    with pytest.raises(ConfigError, match="2 coefficients along x, 1 of 's = 1'"):
        plot_agreement([0.1, 0.9], {"s = 1": [0.2]}, ax, xlabel="", ylabel="")
