"""Figures about retraining and search: what is drawn, where, and under which name."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from search_tables import make_coefficients, make_curves, make_history

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import (
    look,
    plot_accuracy_cloud,
    plot_algorithm_taus,
    plot_coefficients,
    plot_groups,
    plot_losses,
    plot_search_progress,
    plot_tau_differences,
    plot_who_taught,
    short_names,
    style,
)
from mngnas_lib.plots.style import GROUPS, LOSSES


@dataclass(frozen=True)
class Estimate:
    value: float
    low: float
    high: float
    n: int = 80


TAU = Estimate(0.5, 0.4, 0.6)
HISTORY, TEACHERS = make_history()
EVERY = {
    "coefficients": lambda ax: plot_coefficients(make_coefficients(), ax),
    "who taught": lambda ax: plot_who_taught(make_coefficients(), ax),
    "cloud": lambda ax: plot_accuracy_cloud(HISTORY, ax, size=3, threshold=20e6),
    "groups": lambda ax: plot_groups(HISTORY, ax, size=3),
    "progress": lambda ax: plot_search_progress({"none": HISTORY, "mngnas": [HISTORY, HISTORY]}, ax),
    "losses": lambda ax: plot_losses(make_curves(), ax),
    "taus": lambda ax: plot_algorithm_taus({"none": TAU, "mngnas": TAU}, ax),
    "differences": lambda ax: plot_tau_differences({"mngnas": Estimate(0.05, 0.01, 0.09)}, ax),
}


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def ticks(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def drawn(ax, label):
    (line,) = [line for line in ax.lines if line.get_label() == label]
    return line


@pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY.keys())
def test_the_axes_given_are_returned_and_named(draw, ax):
    other = plt.figure()
    assert draw(ax) is ax and not other.axes
    plt.close(other)
    assert ax.get_xlabel() and (ax.get_ylabel() or ticks(ax.yaxis)[0].startswith(("A: ", "E: ")))
    plt.sca(ax)
    assert draw(None) is ax


# ---------------------------------------------------------------------- coefficients


def few_coefficients():
    rows = [
        (1, "a", "t", "teacher", 1.0),
        (2, "a", "t", "teacher", 0.25),
        (2, "a", "u", "teacher", 0.75),
        (2, "b", "t", "teacher", 0.5),
        (2, "b", "u", "teacher", 0.5),
        (2, "c", "v", "teacher", 1.0),
        (2, "a", "b", "peer", 1.0),
        (2, "b", "a", "peer", 0.9),
        (2, "b", "c", "peer", 0.1),
    ]
    return pd.DataFrame(rows, columns=["search_epoch", "student", "member", "kind", "coefficient"])


def test_the_matrix_of_the_last_search_epoch(ax):
    plot_coefficients(few_coefficients(), ax)
    assert ticks(ax.yaxis) == ["a", "b", "c"] and ticks(ax.xaxis) == ["t", "u", "v", "a", "b", "c"]
    (image,) = ax.images
    gap = np.nan
    expected = [[0.25, 0.75, gap, gap, 1, gap], [0.5, 0.5, gap, 0.9, gap, 0.1], [gap, gap, 1, gap, gap, gap]]
    np.testing.assert_array_equal(np.ma.filled(image.get_array(), np.nan), expected)
    assert image.get_clim() == (0, 1)
    assert ax.get_xlabel() == "teachers (α) | peers (β)"
    assert [line.get_xdata()[0] for line in ax.lines] == [2.5]  # between the two groups


def test_one_kind_alone_needs_no_border_and_other_names_can_be_given(ax):
    plot_coefficients(few_coefficients(), ax, search_epoch=1, names={"a": "first", "t": "top"})
    assert ticks(ax.yaxis) == ["first"] and ticks(ax.xaxis) == ["top"]
    assert ax.get_xlabel() == "teachers (α)" and not ax.lines


def test_who_taught_is_the_share_of_all_teaching(ax):
    plot_who_taught(few_coefficients(), ax)
    assert ticks(ax.yaxis) == ["t", "u", "v"] and ticks(ax.xaxis) == ["1", "2"]
    (image,) = ax.images
    expected = [[1, 0.75 / 3], [np.nan, 1.25 / 3], [np.nan, 1 / 3]]
    np.testing.assert_allclose(np.ma.filled(image.get_array(), np.nan), expected)


def test_a_search_epoch_without_teaching_stays_visible(ax):
    frame = few_coefficients()
    plot_who_taught(frame.assign(search_epoch=frame["search_epoch"].replace(2, 4)), ax)
    assert ticks(ax.xaxis) == ["1", "2", "3", "4"]
    assert np.ma.getmaskarray(ax.images[0].get_array())[:, 1:3].all()


def test_every_column_of_a_search_sums_to_one(ax):
    plot_who_taught(make_coefficients(), ax)
    np.testing.assert_allclose(np.nansum(np.ma.filled(ax.images[0].get_array(), np.nan), axis=0), 1)


def test_short_notations_are_names_and_long_ones_get_numbers():
    assert short_names(["012", "120", "012"]) == {"012": "012", "120": "120"}
    assert short_names(["|nor_conv_3x3~0|", "x", "|nor_conv_3x3~0|"]) == {"|nor_conv_3x3~0|": "#1", "x": "#2"}


def test_coefficients_that_cannot_be_drawn(ax):
    frame = few_coefficients()
    with pytest.raises(ConfigError, match="search epoch 7 has no coefficients: choose one of 1, 2"):
        plot_coefficients(frame, ax, search_epoch=7)
    with pytest.raises(ConfigError, match="no coefficients are of the kind 'peer'"):
        plot_who_taught(frame[frame["kind"] == "teacher"], ax, kind="peer")
    with pytest.raises(ConfigError, match="have no kind, member"):
        plot_coefficients(frame.drop(columns=["kind", "member"]), ax)
    with pytest.raises(ConfigError, match="not of 'label'"):
        plot_who_taught(frame.assign(kind="label"), ax)
    with pytest.raises(ConfigError, match="nothing taught"):
        plot_coefficients(frame[:0], ax)


# ---------------------------------------------------------------------- search


def test_cloud_shows_every_architecture_the_teachers_the_threshold_and_the_best(ax):
    plot_accuracy_cloud(HISTORY, ax, size=3, threshold=20e6)
    cloud, *marks = ax.collections
    np.testing.assert_allclose(cloud.get_offsets(), np.column_stack([HISTORY["macs"] / 1e6, HISTORY["accuracy"]]))
    np.testing.assert_array_equal(cloud.get_array(), HISTORY["search_epoch"])
    assert len(marks) == 2
    for mark in marks:
        group = "small" if mark.get_label().startswith("small") else "large"
        expected = {(row[3] / 1e6, row[5]) for row in TEACHERS[group]}
        assert {tuple(point) for point in mark.get_offsets().tolist()} == expected
        assert same_color(mark.get_edgecolor()[0], GROUPS[group].color) and not mark.get_facecolor().size
    assert list(drawn(ax, "threshold").get_xdata()) == [20, 20]
    star = drawn(ax, "best found")
    best = max(TEACHERS["small"] + TEACHERS["large"], key=lambda row: row[5])
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (best[3] / 1e6, best[5])
    assert "10⁶" in ax.get_xlabel() and "(%)" in ax.get_ylabel()


def test_cloud_without_groups(ax):
    plot_accuracy_cloud(HISTORY[["search_epoch", "macs", "accuracy"]], ax)
    assert len(ax.collections) == 1 and legend(ax) == ["best found"]


def test_between_equal_accuracies_the_smaller_is_best(ax):
    plot_accuracy_cloud(pd.DataFrame({"search_epoch": 1, "macs": [3e6, 1e6, 2e6], "accuracy": [0.5, 0.5, 0.4]}), ax)
    assert drawn(ax, "best found").get_xdata()[0] == 1


def test_groups_have_mean_and_band_and_say_when_they_are_not_full(ax):
    columns = ["search_epoch", "macs", "accuracy", "group", "entered"]
    rows = [
        (1, 10, 0.5, "small", True),
        (1, 99, 0.4, "large", True),
        (1, 98, 0.3, "large", True),
        (2, 10, 0.7, "small", True),
        (2, 99, 0.9, "large", True),
        (2, 97, 0.1, "large", False),
    ]
    plot_groups(pd.DataFrame(rows, columns=columns), ax, size=2)
    small, large = drawn(ax, "small teachers, $T_s$"), drawn(ax, "large teachers, $T_l$")
    np.testing.assert_allclose(small.get_xydata(), [[1, 0.5], [2, 0.6]])
    np.testing.assert_allclose(large.get_xydata(), [[1, 0.35], [2, 0.65]])
    for line, group in ((small, "small"), (large, "large")):
        assert line.get_marker() == GROUPS[group].marker and same_color(line.get_color(), GROUPS[group].color)
    heights = [band.get_paths()[0].vertices[:, 1] for band in ax.collections]
    np.testing.assert_allclose([(h.min(), h.max()) for h in heights], [(0.5, 0.7), (0.3, 0.9)])
    assert [(text.get_text(), text.xy) for text in ax.texts] == [("1 of 2", (1, 0.5))]


def test_search_epochs_are_whole_numbers(ax):
    plot_groups(HISTORY[HISTORY["search_epoch"] == 1], ax, size=3)
    low, high = ax.get_xlim()
    assert [tick for tick in ax.get_xticks() if low <= tick <= high] == [1]


def test_a_group_that_nobody_entered_is_left_out(ax):
    plot_groups(HISTORY[HISTORY["group"] == "small"], ax, size=3)
    assert legend(ax) == ["small teachers, $T_s$"]


def test_progress_is_the_best_so_far(ax):
    one = pd.DataFrame({"accuracy": [0.2, 0.1, 0.4, 0.3]}, index=[9, 8, 7, 6])
    two = pd.DataFrame({"accuracy": [0.4, 0.6]})
    plot_search_progress({"none": one, "mngnas": [one, two]}, ax)
    alone, mean = drawn(ax, "A: w/o KD"), drawn(ax, "E: MNGNAS (2 seeds)")
    np.testing.assert_allclose(alone.get_xydata(), [[1, 0.2], [2, 0.2], [3, 0.4], [4, 0.4]])
    np.testing.assert_allclose(mean.get_ydata(), [0.3, 0.4, 0.5, 0.5])
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.2, 0.6)
    for line, method in ((alone, "w/o KD"), (mean, "MNGNAS")):
        assert same_color(line.get_color(), look(method).color) and line.get_marker() == look(method).marker


def test_progress_of_another_column(ax):
    plot_search_progress({"SPOS": HISTORY.assign(test=0.5)}, ax, quantity="test", quantity_label="test accuracy (%)")
    assert set(drawn(ax, "SPOS").get_ydata()) == {0.5} and ax.get_ylabel() == "test accuracy (%)"


@pytest.mark.parametrize(
    "draw",
    [
        lambda history, ax: plot_accuracy_cloud(history, ax, size=3),
        lambda history, ax: plot_groups(history, ax, size=3),
        lambda history, ax: plot_search_progress({"none": history}, ax),
    ],
    ids=["cloud", "groups", "progress"],
)
def test_histories_that_cannot_be_drawn(draw, ax):
    with pytest.raises(ConfigError, match="has no accuracy"):
        draw(HISTORY.drop(columns="accuracy"), ax)
    with pytest.raises(ConfigError, match="is empty"):
        draw(HISTORY[:0], ax)


# ---------------------------------------------------------------------- retraining


def test_losses_of_search_epochs_follow_one_another(ax):
    curves = {"search_epoch": [1, 1, 2, 2], "step": [5, 10, 5, 10], "labels": [4.0, 3, 2, 1]}
    plot_losses(curves | {"teachers": [0.0, 0, 0.5, 0.4], "peers": [0.0, 0, 0, 0]}, ax)
    assert legend(ax) == ["labels: cross-entropy", "distillation from teachers"]
    labels, teachers = (
        [line for line in ax.lines if same_color(line.get_color(), LOSSES[kind].color)]
        for kind in ("labels", "teachers")
    )
    np.testing.assert_allclose([line.get_xydata() for line in labels], [[[5, 4], [10, 3]], [[15, 2], [20, 1]]])
    np.testing.assert_allclose(teachers[0].get_ydata(), [np.nan, np.nan])
    np.testing.assert_allclose(teachers[1].get_xydata(), [[15, 0.5], [20, 0.4]])
    (border,) = [line for line in ax.lines if line.get_linestyle() == ":"]
    assert border.get_xdata()[0] == 10


def test_losses_of_one_retraining(ax):
    plot_losses({"step": [1, 2], "labels": [2.0, 1.0]}, ax)
    assert len(ax.lines) == 1 and ax.get_xlabel() == "step of retraining" and ax.get_ylim()[0] == 0
    with pytest.raises(ConfigError, match="have no step, or no loss"):
        plot_losses({"step": [1, 2], "loss": [2.0, 1.0]}, ax)


def test_taus_of_algorithms_have_the_papers_names_and_the_methods_colours(ax):
    plot_algorithm_taus({"SPOS": TAU, "none": TAU, "searched": TAU, "mngnas": TAU}, ax, ceiling=0.8)
    assert ticks(ax.yaxis) == ["SPOS", "A: w/o KD", "D: Searched Adaptive Ensemble KD", "E: MNGNAS"]
    colors = [bar.lines[0].get_color() for bar in ax.containers if bar.get_label() != "" and hasattr(bar, "lines")]
    expected = [look(method).color for method in ("SPOS", "w/o KD", "Searched Adaptive Ensemble KD", "MNGNAS")]
    assert all(same_color(*pair) for pair in zip(colors, expected, strict=True))


def test_differences_have_intervals_around_them_and_a_line_at_zero(ax):
    plot_tau_differences({"single": Estimate(-0.01, -0.05, 0.02), "mngnas": Estimate(0.05, 0.01, 0.09)}, ax)
    assert ticks(ax.yaxis) == ["B: Single KD", "E: MNGNAS"]
    spans = [np.sort(bar.lines[2][0].get_segments()[0][:, 0]) for bar in ax.containers]
    np.testing.assert_allclose(spans, [[-0.05, 0.02], [0.01, 0.09]])
    assert [text.get_text() for text in ax.texts] == ["−0.010 [−0.050, 0.020]", "0.050 [0.010, 0.090]"]
    assert any(list(line.get_xdata()) == [0, 0] for line in ax.lines)
    assert "to A: w/o KD (paired" in ax.get_xlabel()
    top, bottom = ax.get_ylim()
    assert top > bottom  # the first is on top
