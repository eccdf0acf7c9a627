"""Every figure function: returns the axes it was given, names its axes, draws its intervals."""

from dataclasses import dataclass

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from matplotlib.container import ErrorbarContainer
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.plots import (
    draw_architecture,
    look,
    plot_bn_modes,
    plot_history,
    plot_interval_width,
    plot_ranking,
    plot_taus,
    plot_top_k,
    plot_visits,
    style,
)
from mngnas_lib.plots.overview import draw_overview
from mngnas_lib.plots.rankings import describe
from mngnas_lib.spaces import SearchSpace, get_space

SPACE_201 = get_space("nasbench201")
SPACE_MACRO = get_space("nasbench-macro")


@dataclass(frozen=True)
class Tau:
    value: float
    low: float
    high: float
    n: int


TAU = Tau(0.4, 0.3, 0.5, 100)
TAUS = {"SPOS": TAU, "FLOPs": Tau(0.6, 0.5, 0.65, 100), "params": Tau(-0.2, -0.3, -0.1, 100)}


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def error_bars(ax):
    return [container for container in ax.containers if isinstance(container, ErrorbarContainer)]


def numbers():
    rng = np.random.default_rng(0)
    return rng.random(100), rng.random(100)


def history(seeds=1):
    return pd.DataFrame(
        [
            {"epoch": epoch, "loss": 1 / epoch + seed / 10, "accuracy": 0.5 + 0.1 * seed, "lr": 0.1 / epoch}
            for seed in range(seeds)
            for epoch in range(1, 6)
        ]
    )


EVERY = {
    "ranking": lambda ax: plot_ranking(*numbers(), TAU, ax),
    "taus": lambda ax: plot_taus(TAUS, ax, ceiling=0.88),
    "bn modes": lambda ax: plot_bn_modes({"batch": TAU, "inherited": TAU}, ax),
    "interval width": lambda ax: plot_interval_width({"SPOS": [TAU, Tau(0.4, 0.2, 0.6, 25)]}, ax),
    "top k": lambda ax: plot_top_k({"SPOS": {1: 0.1, 10: 0.2}}, ax),
    "history": lambda ax: plot_history(history(), ax),
    "visits": lambda ax: plot_visits(np.full((6, 5), 20), SPACE_201, ax),
}
DRAWINGS = {
    "cell": lambda ax: draw_architecture(SPACE_201, (3, 0, 1, 2, 4, 0), ax),
    "chain": lambda ax: draw_architecture(SPACE_MACRO, (1, 0, 2, 0, 1, 0, 0, 2), ax),
    "overview": draw_overview,
}


@pytest.mark.parametrize("draw", (EVERY | DRAWINGS).values(), ids=(EVERY | DRAWINGS).keys())
def test_the_axes_given_are_the_axes_returned(draw, ax):
    other = plt.figure()
    assert draw(ax) is ax
    assert not other.axes
    plt.close(other)


@pytest.mark.parametrize("draw", (EVERY | DRAWINGS).values(), ids=(EVERY | DRAWINGS).keys())
def test_without_axes_the_current_ones_are_used(draw, ax):
    plt.sca(ax)
    assert draw(None) is ax


@pytest.mark.parametrize("draw", EVERY.values(), ids=EVERY.keys())
def test_axes_are_named(draw, ax):
    draw(ax)
    named = [ax.get_xlabel(), ax.get_ylabel()]
    tick_labels = [label.get_text() for axis in (ax.xaxis, ax.yaxis) for label in axis.get_ticklabels()]
    # an axis of names needs no title
    assert all(named) or (any(named) and any(label and not label[0].isdigit() for label in tick_labels))


# ---------------------------------------------------------------------- rankings


def test_ranking_shows_tau_with_its_interval_and_n(ax):
    plot_ranking(*numbers(), Tau(-0.1234, -0.25, 0.01, 1500), ax)
    assert texts(ax) == ["τ = −0.123 [−0.250, 0.010]\nn = 1,500"]
    assert len(ax.child_axes) == 2


@pytest.mark.parametrize(
    ("predicted", "true", "corner"),
    [
        ([0.1, 0.5, 0.9], [0.1, 0.5, 0.9], ("left", "top")),
        ([0.1, 0.5, 0.9], [0.9, 0.5, 0.1], ("left", "bottom")),
        ([0.1, 0.1, 0.9], [0.9, 0.1, 0.9], ("right", "bottom")),
    ],
)
def test_tau_of_a_ranking_is_written_where_no_points_are(ax, predicted, true, corner):
    plot_ranking(predicted, true, TAU, ax)
    (text,) = ax.texts
    assert (text.get_ha(), text.get_va()) == corner
    x, y = text.get_position()
    assert (x < 0.5, y < 0.5) == (corner[0] == "left", corner[1] == "bottom")


def test_ranking_draws_every_architecture_in_the_methods_colour(ax):
    predicted, true = numbers()
    plot_ranking(predicted, true, ax=ax, method="MixPath", margins=False)
    (points,) = ax.collections
    np.testing.assert_array_equal(points.get_offsets(), np.column_stack([predicted, true]))
    assert same_color(points.get_facecolor()[0, :3], look("MixPath").color)
    assert not ax.child_axes and "(%)" in ax.get_xlabel() and "(%)" in ax.get_ylabel()


def test_ranking_of_the_paper_is_hollow(ax):
    plot_ranking(*numbers(), ax=ax, source="paper")
    assert ax.collections[0].get_facecolor().size == 0
    assert ax.get_legend_handles_labels()[1] == ["SPOS (paper)"]


def test_taus_have_intervals_markers_and_numbers(ax):
    plot_taus(TAUS, ax, ceiling=Tau(0.88, 0.87, 0.89, 100))
    bars = error_bars(ax)
    assert len(bars) == 3
    for bar, (name, tau) in zip(bars, TAUS.items(), strict=True):
        line, _, (interval,) = bar.lines
        assert line.get_marker() == look(name).marker and same_color(line.get_color(), look(name).color)
        np.testing.assert_allclose(np.sort(interval.get_segments()[0][:, 0]), [tau.low, tau.high])
    assert [label.get_text() for label in ax.get_yticklabels()] == list(TAUS)
    assert texts(ax)[:3] == [describe(tau) for tau in TAUS.values()]
    assert texts(ax)[3] == "noise ceiling 0.880"
    # over its line, above the axes
    assert ax.texts[3].xy == (0.88, 1.0) and ax.texts[3].get_va() == "bottom" and ax.texts[3].get_ha() == "center"
    low, high = ax.get_xlim()
    assert low < -0.3 and high > 0.89


def test_taus_of_the_paper_are_marked_and_need_no_interval(ax):
    taus = {"MNGNAS": Tau(0.58, np.nan, np.nan, 1000), "ours": TAU}
    plot_taus(taus, ax, methods={"ours": "MNGNAS"}, sources={"MNGNAS": "paper"})
    assert [label.get_text() for label in ax.get_yticklabels()] == ["MNGNAS (paper)", "ours"]
    assert texts(ax) == ["0.580", "0.400 [0.300, 0.500]"]
    paper, ours = (bar.lines[0] for bar in error_bars(ax))
    assert same_color(paper.get_markerfacecolor(), "white")
    assert same_color(ours.get_markerfacecolor(), look("MNGNAS").color)


def test_bn_modes_in_groups(ax):
    modes = ("batch", "reestimate", "inherited")
    taus = {mode: {"all": TAU, "top 10 %": Tau(0.1, -0.2, 0.4, 10)} for mode in modes}
    plot_bn_modes(taus, ax, baselines={"FLOPs": {"all": TAU}})
    assert len(error_bars(ax)) == 7
    assert legend(ax) == ["batch statistics", "re-estimated", "inherited", "FLOPs"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["all\nn = 100", "top 10 %\nn = 10"]
    positions = [bar.lines[0].get_xdata()[0] for bar in error_bars(ax)]
    assert len(set(positions)) == 7


def test_bn_modes_refuse_unknown_names(ax):
    with pytest.raises(ConfigError, match="'momentum'"):
        plot_bn_modes({"momentum": TAU}, ax)


def test_interval_width_is_width_against_n(ax):
    plot_interval_width({"SPOS": [Tau(0.4, 0.3, 0.5, 100), Tau(0.4, 0.35, 0.45, 400), Tau(0.4, 0.34, 0.46, 400)]}, ax)
    (bar,) = error_bars(ax)
    assert list(bar.lines[0].get_xdata()) == [100, 400]
    np.testing.assert_allclose(bar.lines[0].get_ydata(), [0.2, 0.11])
    assert set(legend(ax)) == {"SPOS", "∝ 1/√n"}
    assert [label.get_text() for label in ax.get_xticklabels()] == ["100", "400"]


def test_top_k_with_and_without_intervals(ax):
    plot_top_k({"SPOS": {10: TAU, 1: Tau(0.1, 0.0, 0.2, 100)}, "FLOPs": {1: 0.2, 10: 0.3}}, ax, total=100)
    spos, flops, chance = ax.lines
    np.testing.assert_allclose(spos.get_xydata(), [[1, 0.1], [10, 0.4]])
    np.testing.assert_allclose(flops.get_xydata(), [[1, 0.2], [10, 0.3]])
    np.testing.assert_allclose(chance.get_ydata()[[0, -1]], [0.01, 0.1])
    assert len(ax.collections) == 1  # one band, for the curve with intervals
    assert legend(ax) == ["SPOS", "FLOPs", "random"]


def test_best_rank_points_down(ax):
    plot_top_k({"SPOS": {1: 50, 10: 3}}, ax, quantity="best rank at k", total=99)
    bottom, top = ax.get_ylim()
    assert bottom > top and ax.get_yscale() == "log"
    np.testing.assert_allclose(ax.lines[1].get_ydata()[[0, -1]], [50, 100 / 11])


# ---------------------------------------------------------------------- training


def test_history_of_one_seed(ax):
    plot_history(history(), ax, method="FairNAS")
    (curve,) = ax.lines
    np.testing.assert_allclose(curve.get_ydata(), 1 / np.arange(1, 6))
    assert same_color(curve.get_color(), look("FairNAS").color)
    assert legend(ax) == ["FairNAS"] and not ax.collections
    (right,) = [other for other in ax.figure.axes if other is not ax]
    np.testing.assert_allclose(right.lines[0].get_ydata(), 0.1 / np.arange(1, 6))


def test_history_of_several_seeds_has_mean_and_band(ax):
    plot_history(history(seeds=3), ax, quantity="accuracy", learning_rate=False)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), 0.6)
    (band,) = ax.collections
    heights = band.get_paths()[0].vertices[:, 1]
    assert heights.min() == pytest.approx(0.5) and heights.max() == pytest.approx(0.7)
    assert legend(ax) == ["SPOS (3 seeds)"]
    assert len(ax.figure.axes) == 1


def test_two_histories_share_one_learning_rate(ax):
    plot_history(history(), ax)
    plot_history(history(), ax, method="MixPath")
    assert len(ax.figure.axes) == 2
    assert legend(ax) == ["SPOS", "MixPath"]


def test_every_axes_of_a_figure_gets_its_learning_rate():
    with style():
        fig, axes = plt.subplots(1, 2, sharex=True)
        for ax in axes:
            plot_history(history(), ax)
    assert len(fig.axes) == 4
    plt.close(fig)


def test_history_takes_dataclasses_and_refuses_what_is_not_there(ax):
    @dataclass
    class Epoch:
        epoch: int
        loss: float

    plot_history([Epoch(1, 2.0), Epoch(2, 1.0)], ax)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2.0, 1.0])
    with pytest.raises(ConfigError, match="has no accuracy: it has epoch, loss"):
        plot_history([Epoch(1, 2.0)], ax, quantity="accuracy")


@pytest.mark.parametrize("space", [SPACE_201, SPACE_MACRO], ids=lambda space: space.name)
def test_visits_show_each_choice_of_each_slot_and_the_fair_share(space, ax):
    choices = len(space.slots[0].choices)
    counts = np.arange(len(space.slots) * choices).reshape(-1, choices)
    plot_visits(counts, space, ax, steps=100)
    points = [line for line in ax.lines if line.get_linestyle() == "None"]
    assert [line.get_ydata()[0] for line in points] == list(counts.flat)
    shares = [line for line in ax.lines if line.get_linestyle() == "-"]
    assert len(shares) == len(space.slots)
    assert [y for line in shares for y in line.get_ydata()] == pytest.approx([100 / choices] * 2 * len(shares))
    assert legend(ax) == ["95 % of uniform draws", "fair share", *space.slots[0].choices]
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    deviation = np.sqrt(100 * (1 / choices) * (1 - 1 / choices))
    np.testing.assert_allclose([heights.min(), heights.max()], 100 / choices + 1.96 * deviation * np.array([-1, 1]))


# ---------------------------------------------------------------------- architectures


def test_a_cell_shows_its_operations_and_greys_what_is_unused(ax):
    draw_architecture(SPACE_201, (3, 2, 0, 4, 0, 1), ax)  # node 1 leads nowhere
    assert texts(ax) == ["conv 3×3", "conv 1×1", "none", "avg pool 3×3", "none", "skip", "in", "1", "2", "out"]
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    nodes = [patch for patch in ax.patches if isinstance(patch, Circle)]
    assert [arrow.get_linestyle() for arrow in arrows] == ["--", "-", ":", "-", ":", "-"]
    assert [node.get_linestyle() for node in nodes] == ["-", "--", "-", "-"]


def test_a_chain_shows_blocks_stages_and_resolutions(ax):
    draw_architecture(SPACE_MACRO, SPACE_MACRO.from_string("20010102"), ax, input_shape=(3, 28, 28))
    words = texts(ax)
    assert words.count("identity") == 3 and "1×1\n↓2" in words and words.count("MB6\nK5") == 1
    assert "stage 1\n64 ch.\n14×14" in words and "stage 3\n256 ch.\n4×4" in words
    assert sum(isinstance(patch, FancyBboxPatch) for patch in ax.patches) == 10


def test_other_stages_are_drawn_too(ax):
    space = get_space("nasbench-macro", channels=8, stages=(1, 4))
    draw_architecture(space, (2, 0, 1, 0, 2), ax)
    assert "stage 2\n32 ch.\n8×8" in texts(ax)


def test_drawings_refuse_other_architectures_and_spaces(ax):
    with pytest.raises(ArchError):
        draw_architecture(SPACE_201, (9,) * 6, ax)

    class Unknown(SearchSpace):
        name = "unknown"
        slots = ()
        cost_table = canonical = to_string = from_string = _build = None

    with pytest.raises(ConfigError, match="unknown have no drawing"):
        draw_architecture(Unknown(), (), ax)


def test_overview_names_the_four_parts(ax):
    words = " ".join(texts(draw_overview(ax)))
    for part in ("Train the SuperNet", "Propose candidates", "Retrain them", "update the teacher groups", "Result"):
        assert part in words
