"""Plots of the paper's experiments: what is drawn where, intervals, the paper's numbers, nothing where nothing is."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from matplotlib.container import ErrorbarContainer
from scipy.stats import kendalltau

from mngnas_lib.errors import ConfigError
from mngnas_lib.plots import (
    draw_cell_graph,
    draw_chains,
    draw_not_measured,
    look,
    plot_accuracy_pairs,
    plot_error_boxes,
    plot_error_flops,
    plot_retraining_epochs,
    plot_tau_epochs,
    plot_tau_teachers,
    save,
    style,
)
from mngnas_lib.plots.paper_frames import NOT_MEASURED, look_of

RNG = np.random.default_rng(0)
FLOPS = pd.DataFrame(
    {
        "method": ["SPOS"] * 3 + ["MNGNAS (S)"] * 2,
        "macs": [200e6, 100e6, 150e6, 120e6, 180e6],
        "error": [0.05, 0.07, 0.06, 0.065, 0.052],
        "low": [0.049, 0.068, 0.059, np.nan, np.nan],
        "high": [0.053, 0.073, 0.061, np.nan, np.nan],
    }
)
BOXES = pd.DataFrame({"method": ["SPOS"] * 20 + ["MNGNAS"] * 300, "error": RNG.normal(0.06, 0.01, 320)})
PAIRS = pd.DataFrame({"method": ["SPOS"] * 40 + ["MNGNAS"] * 40, "true": RNG.uniform(0.8, 0.9, 80)})
PAIRS["predicted"] = PAIRS["true"] + RNG.normal(0, 0.03, 80)
EPOCHS = pd.DataFrame(
    {
        "algorithm": ["none", "none", "mngnas", "mngnas"],
        "epoch": [20, 10, 10, 20],
        "error": [0.2, 0.4, 0.3, 0.1],
        "loss": [1.0, 2.0, 1.5, 0.5],
    }
)
TAUS = pd.DataFrame(
    {
        "algorithm": ["none", "none", "MNGNAS", "MNGNAS"],
        "epochs": [10, 40, 10, 40],
        "teachers": [2, 10, 2, 10],
        "tau": [0.50, 0.55, 0.52, 0.58],
        "low": [0.46, 0.51, 0.48, np.nan],
        "high": [0.54, 0.59, 0.56, np.nan],
    }
)
PLOTS = {
    "error against FLOPs": (plot_error_flops, FLOPS),
    "boxes": (plot_error_boxes, BOXES),
    "pairs": (plot_accuracy_pairs, PAIRS),
    "epochs": (plot_retraining_epochs, EPOCHS),
    "tau over epochs": (plot_tau_epochs, TAUS),
    "tau over teachers": (plot_tau_teachers, TAUS),
}
DRAWINGS = {"chains": draw_chains, "cell": draw_cell_graph} | {name: plot for name, (plot, _) in PLOTS.items()}


@pytest.fixture
def ax():
    with style():
        fig, ax = plt.subplots()
        yield ax
        fig.draw_without_rendering()
        plt.close(fig)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize(("plot", "data"), PLOTS.values(), ids=PLOTS)
def test_axes_are_returned_and_named(plot, data, ax):
    assert plot(data, ax) is ax
    assert ax.get_xlabel() and (ax.get_ylabel() or plot is plot_error_boxes)
    plt.sca(ax)
    assert plot(data) is ax


@pytest.mark.parametrize("columns", [[], ["anything"]], ids=["no columns", "other columns"])
@pytest.mark.parametrize("plot", DRAWINGS.values(), ids=DRAWINGS)
def test_without_rows_the_axes_say_so_and_nothing_else(plot, columns, ax):
    assert plot(pd.DataFrame(columns=columns), ax) is ax
    (text,) = ax.texts
    assert text.get_text() == NOT_MEASURED and "not measured yet under this profile" in NOT_MEASURED.replace("\n", " ")
    assert not ax.lines and not ax.patches and not ax.collections and not ax.containers and ax.get_legend() is None
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0
    assert not ax.get_xlabel() and not ax.get_ylabel()


@pytest.mark.parametrize(("plot", "data"), PLOTS.values(), ids=PLOTS)
def test_a_missing_column_is_named(plot, data, ax):
    first = data.columns[0]
    with pytest.raises(ConfigError, match=f"no column {first}: it needs {first}, "):
        plot(data.drop(columns=first), ax)


@pytest.mark.parametrize(("plot", "data"), PLOTS.values(), ids=PLOTS)
def test_methods_and_sources_must_be_known(plot, data, ax):
    with pytest.raises(ConfigError, match="no method is called 'ours'"):
        plot(data.assign(**{data.columns[0]: "ours"}).head(1), ax)
    with pytest.raises(ConfigError, match="'measured' or from the 'paper'"):
        plot(data, ax, source="guess")


def test_looks():
    assert look_of("SPOS") == look("SPOS") and look_of("none") == look("w/o KD") and look_of("mngnas") == look("MNGNAS")
    markers = {letter: look_of(f"MNGNAS ({letter})").marker for letter in "SFM"}
    assert markers == {"S": look("SPOS").marker, "F": look("FairNAS").marker, "M": look("MixPath").marker}
    assert look_of("MNGNAS (F)").color == look("MNGNAS").color
    with pytest.raises(ConfigError):
        look_of("MNGNAS (X)")


def test_error_against_flops_in_millions_from_few_to_many(ax):
    plot_error_flops(FLOPS, ax, dataset="CIFAR-10")
    spos, mngnas = (bar for bar in ax.containers if isinstance(bar, ErrorbarContainer))
    np.testing.assert_allclose(spos.lines[0].get_xydata(), [(100, 0.07), (150, 0.06), (200, 0.05)])
    ends = [segment[:, 1] for segment in spos.lines[2][0].get_segments()]
    np.testing.assert_allclose(ends, [(0.068, 0.073), (0.059, 0.061), (0.049, 0.053)])
    np.testing.assert_allclose(mngnas.lines[0].get_xydata(), [(120, 0.065), (180, 0.052)])
    assert legend(ax) == ["SPOS", "MNGNAS (S)"]
    assert ax.get_xlabel() == "FLOPs (10⁶ multiply-accumulates)" and ax.get_ylabel() == "test error on CIFAR-10 (%)"
    assert ax.yaxis.get_major_formatter()(0.05) in ("5", "5.0", "5.00")


def test_the_papers_errors_are_hollow_and_say_so(ax):
    plot_error_flops(FLOPS.drop(columns=["low", "high"]), ax, source="paper")
    assert legend(ax) == ["SPOS (paper)", "MNGNAS (S) (paper)"]
    assert all(same_color(line.get_markerfacecolor(), "white") and line.get_linestyle() == "--" for line in ax.lines)


def test_boxes_from_quartile_to_quartile(ax):
    plot_error_boxes(BOXES, ax)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["SPOS\nn = 20", "MNGNAS\nn = 300"]
    assert ax.yaxis_inverted()
    for box, (_, errors) in zip(ax.patches, BOXES.groupby("method", sort=False)["error"], strict=True):
        xs = box.get_path().vertices[:, 0]
        np.testing.assert_allclose((xs.min(), xs.max()), np.quantile(errors, (0.25, 0.75)))
    # of 20 architectures each is a point; 300 points would hide the box
    (points,) = ax.collections
    np.testing.assert_allclose(points.get_offsets()[:, 0], BOXES["error"][:20])
    assert np.abs(points.get_offsets()[:, 1]).max() < 0.31
    means = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "D"]
    np.testing.assert_allclose(means, BOXES.groupby("method", sort=False)["error"].mean())


def test_boxes_of_the_paper_are_hollow(ax):
    plot_error_boxes(BOXES, ax, source="paper")
    assert all(box.get_facecolor()[3] == 0 for box in ax.patches)
    assert ax.get_yticklabels()[0].get_text() == "SPOS (paper)\nn = 20"


def test_pairs_have_their_taus_in_the_title(ax):
    plot_accuracy_pairs(PAIRS, ax)
    lines = ax.get_title(loc="left").split("\n")
    assert len(lines) == 2
    for line, points, (method, rows) in zip(lines, ax.collections, PAIRS.groupby("method", sort=False), strict=True):
        tau = kendalltau(rows["predicted"], rows["true"]).statistic
        assert line.startswith(f"{method}: τ = {tau:.3f} [") and line.endswith("], n = 40")
        np.testing.assert_allclose(points.get_offsets(), rows[["true", "predicted"]])
    (diagonal,) = ax.lines
    np.testing.assert_allclose(diagonal.get_xdata(), diagonal.get_ydata())


def test_pairs_far_from_the_diagonal_have_none(ax):
    plot_accuracy_pairs(PAIRS.assign(predicted=PAIRS["predicted"] - 0.6), ax)
    assert not ax.lines
    low, high = ax.get_ylim()
    assert low > 0 and high < 0.5


def test_epochs_of_retraining_in_order(ax):
    plot_retraining_epochs(EPOCHS, ax)
    none, mngnas = ax.lines
    np.testing.assert_allclose(none.get_xydata(), [(10, 0.4), (20, 0.2)])
    np.testing.assert_allclose(mngnas.get_ydata(), [0.3, 0.1])
    assert legend(ax) == ["w/o KD", "MNGNAS"] and "(%)" in ax.get_ylabel()
    assert not ax.collections


def test_losses_are_in_nats(ax):
    plot_retraining_epochs(EPOCHS, ax, quantity="loss")
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [2.0, 1.0])
    assert ax.get_ylabel() == "training loss (nats)"
    with pytest.raises(ConfigError, match="'accuracy'"):
        plot_retraining_epochs(EPOCHS, ax, quantity="accuracy")


@pytest.mark.parametrize(("plot", "x"), [(plot_tau_epochs, "epochs"), (plot_tau_teachers, "teachers")])
def test_taus_have_bands_where_their_interval_is_known(plot, x, ax):
    plot(TAUS, ax)
    np.testing.assert_allclose(ax.lines[0].get_xydata(), TAUS.loc[:1, [x, "tau"]])
    np.testing.assert_allclose(ax.lines[1].get_ydata(), [0.52, 0.58])
    vertices = ax.collections[0].get_paths()[0].vertices
    assert {0.46, 0.51, 0.54, 0.59} <= {round(y, 6) for y in vertices[:, 1]}
    assert list(ax.get_xticks()) == sorted(TAUS[x].unique())
    assert ax.get_ylabel() == "Kendall's τ"
    plot(TAUS.head(2), ax)
    assert ax.get_ylabel() == "Kendall's τ (95 % interval)"


def test_two_values_at_one_place_are_refused(ax):
    with pytest.raises(ConfigError, match="none has several values at epochs = 10"):
        plot_tau_epochs(pd.concat([TAUS, TAUS.head(1)]), ax)


def test_measured_and_the_papers_in_one_plot(ax):
    plot_tau_epochs(TAUS.tail(2), ax)
    plot_tau_epochs(TAUS.tail(2).assign(tau=0.57, low=np.nan, high=np.nan), ax, source="paper")
    assert legend(ax) == ["MNGNAS", "MNGNAS (paper)"]
    ours, theirs = ax.lines
    assert same_color(ours.get_markerfacecolor(), look("MNGNAS").color)
    assert same_color(theirs.get_markerfacecolor(), "white") and theirs.get_linestyle() == "--"


def test_nothing_measured_yet_in_the_current_axes(ax):
    plt.sca(ax)
    assert draw_not_measured() is ax


def test_saved_plots_have_the_same_bytes(tmp_path):
    copies = []
    for folder in ("one", "two"):
        with style():
            fig, axes = plt.subplots(2, figsize=(4, 5))
            plot_error_boxes(BOXES.head(40), axes[0])
            plot_tau_epochs(TAUS, axes[1])
        copies.append([path.read_bytes() for path in save(fig, "plots", "quick", root=tmp_path / folder)])
        plt.close(fig)
    assert copies[0] == copies[1]
