"""Figures about two simplices: what is drawn, where, and under which name."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import plot_descent_map, plot_minkowski, plot_simplices, plot_slackness, style
from mngnas_lib.plots.geometry import CASES, hull
from mngnas_lib.plots.style import LOSSES

STUDENT = np.array([1.0, 1.5])
TEACHERS = np.array([[4.0, 0.0], [4.0, 3.0], [6.0, 1.0]])
PEERS = np.array([[0.0, 1.0], [1.0, -1.0], [2.0, 1.0], [1.0, 3.0]])
ALPHA, BETA = [1 / 3, 2 / 3, 0], [1, 0, 0, 0]


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


def texts(ax):
    return [text.get_text() for text in ax.texts]


@pytest.mark.parametrize(
    ("points", "corners"),
    [
        ([[0, 0], [2, 0], [0, 2], [0.5, 0.5], [2, 0]], {(0, 0), (2, 0), (0, 2)}),
        ([[1, 1], [0, 0], [3, 3], [2, 2]], {(0, 0), (3, 3)}),
        ([[0, 2], [0, 1], [0, 5]], {(0, 1), (0, 5)}),
        ([[1, 2], [1, 2]], {(1, 2)}),
    ],
    ids=["a triangle", "a line", "an upright line", "one point"],
)
def test_hull_has_the_corners_only(points, corners):
    found = [tuple(point) for point in hull(np.array(points, dtype=float)).tolist()]
    assert len(found) == len(corners) and set(found) == corners


def test_simplices_show_both_polygons_the_student_and_both_mixes(ax):
    assert plot_simplices(STUDENT, TEACHERS, PEERS, ax, alpha=ALPHA, beta=BETA) is ax
    for members, polygon in zip((TEACHERS, PEERS), ax.patches, strict=True):
        assert {tuple(corner) for corner in polygon.get_xy().tolist()} == {tuple(member) for member in members.tolist()}
    np.testing.assert_allclose(line(ax, "mix of the teachers").get_xydata(), [[4, 2]])
    np.testing.assert_allclose(line(ax, "mix of the peers").get_xydata(), [[0, 1]])
    np.testing.assert_array_equal(line(ax, "student").get_xydata(), [STUDENT])
    for group in ("teachers", "peers"):
        assert same_color(line(ax, f"mix of the {group}").get_color(), LOSSES[group].color)
    assert texts(ax)[:3] == ["$T_{1}$: α = 0.33", "$T_{2}$: α = 0.67", "$T_{3}$: α = 0.00"]
    assert texts(ax)[3] == "$P_{1}$: β = 1.00" and texts(ax)[-1] == "$p$"
    assert ax.get_aspect() == 1 and "logit" in ax.get_xlabel()


def test_simplices_without_coefficients_have_names_and_no_mixes(ax):
    plot_simplices(STUDENT, TEACHERS, PEERS, ax)
    assert texts(ax)[0] == "$T_{1}$"
    assert not [line for line in ax.lines if str(line.get_label()).startswith("mix")]


def test_names_stand_outside_of_their_polygon(ax):
    plot_simplices(STUDENT, TEACHERS, PEERS, ax)
    middle = TEACHERS.mean(0)
    for text, member in zip(ax.texts, TEACHERS, strict=False):
        offset = np.array(text.xyann)  # points, from the member
        assert offset @ (member - middle) > 0


def test_minkowski_sum_has_every_pair_and_the_closest_sum_of_each_scale(ax):
    plot_minkowski(STUDENT, TEACHERS, PEERS, {1: ([5 / 6, 1 / 6, 0], BETA), 2: (ALPHA, BETA)}, ax)
    pairs = {(x + u, y + v) for x, y in TEACHERS.tolist() for u, v in PEERS.tolist()}
    assert {tuple(point) for point in line(ax, "one teacher + one peer").get_xydata().tolist()} == pairs
    (polygon,) = ax.patches
    assert {tuple(corner) for corner in polygon.get_xy().tolist()} <= pairs
    stars = [drawn.get_xydata()[0] for drawn in ax.lines if drawn.get_marker() == "*"]
    np.testing.assert_allclose(stars, [[4, 1.5], [4, 3]])
    ways = [drawn.get_xydata() for drawn in ax.lines if len(drawn.get_xdata()) == 2]
    np.testing.assert_allclose(ways, [[[1, 1.5], [4, 1.5]], [[2, 3], [4, 3]]])
    assert texts(ax) == ["$p$", "$2p$"]
    assert len(ax.get_legend().get_texts()) == 3  # once each, for two scales


def test_slackness_fills_who_has_weight_and_draws_the_bound(ax):
    rates = {"teachers": ([-6, -6, -10], -6.0), "peers": ([2, 0, -2, 0], 2.0)}
    plot_slackness(rates, {"teachers": ALPHA, "peers": BETA}, ax)
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[1] == "$T_{2}$\n0.67" and labels[3] == "$P_{1}$\n1.00" and len(labels) == 7
    for group, bound, filled in (("teachers", -6, [-6, -6]), ("peers", 2, [2])):
        assert set(line(ax, f"$v$ of the {group}").get_ydata()) == {bound}
        marks = [drawn for drawn in ax.lines if drawn.get_marker() == LOSSES[group].marker]
        solid = [drawn for drawn in marks if same_color(drawn.get_markerfacecolor(), LOSSES[group].color)]
        assert [list(drawn.get_ydata()) for drawn in solid] == [filled]
    assert any(list(drawn.get_ydata()) == [0, 0] for drawn in ax.lines)


def test_descent_map_tells_four_cases_apart(ax):
    places = np.stack(np.meshgrid([0.0, 1.0], [0.0, 2.0]), -1)
    rates = np.array([[[-1, -2], [-1, 3]], [[0.5, -1], [0, 1e-9]]])
    plot_descent_map(places, rates, TEACHERS, PEERS, ax)
    (mesh,) = ax.collections
    np.testing.assert_array_equal(np.ravel(mesh.get_array()), [0, 1, 2, 3])
    legend = ax.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [*CASES, "teachers", "peers"]
    colors = [mesh.cmap(mesh.norm(case)) for case in range(4)]
    assert all(same_color(*pair) for pair in zip(colors, CASES.values(), strict=True))


def test_descent_map_names_only_what_there_is(ax):
    places = np.stack(np.meshgrid([0.0, 1.0], [0.0, 2.0]), -1)
    plot_descent_map(places, -np.ones((2, 2, 2)), TEACHERS, PEERS, ax)
    assert len(ax.get_legend().get_texts()) == 3


def test_what_cannot_be_drawn(ax):
    with pytest.raises(ConfigError, match="two numbers"):
        plot_simplices([1, 2, 3], TEACHERS, PEERS, ax)
    with pytest.raises(ConfigError, match="two numbers for each member"):
        plot_simplices(STUDENT, TEACHERS[:, :1], PEERS, ax)
    with pytest.raises(ConfigError, match="two numbers for each member"):
        plot_minkowski(STUDENT, TEACHERS, PEERS[:0], {}, ax)
    with pytest.raises(ConfigError, match="3 members have 2 coefficients"):
        plot_simplices(STUDENT, TEACHERS, PEERS, ax, alpha=[0.5, 0.5])
    with pytest.raises(ConfigError, match="same groups"):
        plot_slackness({"teachers": ([1], 1.0)}, {"peers": [1]}, ax)
    with pytest.raises(ConfigError, match="same groups"):
        plot_slackness({"labels": ([1], 1.0)}, {"labels": [1]}, ax)
    with pytest.raises(ConfigError, match="give \\(rows, columns, 2\\)"):
        plot_descent_map(np.zeros((2, 2, 2)), np.zeros((2, 3, 2)), TEACHERS, PEERS, ax)
