"""Figures about the paper's claims: what is drawn, where, and with which labels."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from mngnas_lib.plots.claims import (
    plot_best_reach,
    plot_forest,
    plot_repeated,
    plot_tau_noise,
    plot_verdicts,
)
from mngnas_lib.plots.style import look, style


@pytest.fixture
def ax():
    with style():
        fig, axes = plt.subplots()
        yield axes
    plt.close(fig)


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_verdicts_are_counted_by_section(ax):
    table = pd.DataFrame(
        {"section": ["IV-C", "IV-C", "V-A", "IV-C"], "verdict": ["holds", "does not hold", "holds", "holds"]}
    )
    assert plot_verdicts(table, ax) is ax
    widths = {(round(p.get_y() + p.get_height() / 2), p.get_x()): p.get_width() for p in ax.patches}
    assert widths == {(0, 0): 2, (1, 0): 1, (0, 2): 1, (1, 1): 0}
    assert legend(ax) == ["holds", "does not hold"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["IV-C", "V-A"]


def forest_rows():
    return pd.DataFrame(
        {
            "strategy": ["SPOS", "FairNAS", "SPOS"],
            "dataset": ["CIFAR10", "CIFAR10", "CIFAR100"],
            "split": ["test", "valid", "test"],
            "difference": [0.17, -0.11, 0.0],
            "low": [-0.56, -0.33, -0.23],
            "high": [0.90, 0.11, 0.23],
            "p": [0.585, 0.257, 1.0],
            "p_holm": [1.0, 0.771, 1.0],
        }
    )


def test_a_forest_shows_each_difference_with_its_interval(ax):
    plot_forest(forest_rows(), ax)
    ends = [segment[:, 0].tolist() for bars in ax.collections for segment in bars.get_segments()]
    np.testing.assert_allclose(ends, [[-0.56, 0.90], [-0.33, 0.11], [-0.23, 0.23]])
    points = [container.lines[0] for container in ax.containers]
    assert [float(line.get_xdata()[0]) for line in points] == [0.17, -0.11, 0.0]
    assert [line.get_color() for line in points] == [look(name).color for name in ("SPOS", "FairNAS", "SPOS")]
    assert {line.get_markerfacecolor() for line in points} == {"white"}  # the paper's numbers are hollow
    assert "+0.17 [−0.56, +0.90]" in texts(ax) and "0.257" in texts(ax) and "0.771" in texts(ax)
    labels = ax.get_legend_handles_labels()[1]
    assert labels == ["MNGNAS − baseline, SPOS", "MNGNAS − baseline, FairNAS"]
    bottom, top = ax.get_ylim()
    assert bottom > top  # the first row is on top


def test_rows_of_a_forest_can_be_named(ax):
    plot_forest(forest_rows(), ax, labels=["a", "b", "c"], numbers=False)
    assert texts(ax) == []
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


def test_bests_are_drawn_by_their_problem_in_order(ax):
    table = pd.DataFrame(
        {"label": ["far", "fine", "low test"], "deviations": [3.0, 1.0, 0.2], "problem": ["too far", "", ""]}
    )
    plot_best_reach(table, ax)
    drawn = {line.get_label(): line.get_xdata().tolist() for line in ax.lines if "(paper)" in line.get_label()}
    assert drawn == {"possible (paper)": [0.2, 1.0], "out of reach (paper)": [3.0]}
    assert [label.get_text() for label in ax.get_yticklabels()] == ["low test", "fine", "far"]
    band = ax.patches[0]
    assert (band.get_x(), band.get_x() + band.get_width()) == (0.5, pytest.approx(3**0.5))


def test_the_noise_of_tau_is_drawn_around_zero(ax):
    plot_tau_noise({"SPOS": 0.86, "MixPath": 0.91}, {"wide": 2.0, "narrow": 0.5}, ax)
    spans = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    np.testing.assert_allclose(spans, [(-3.92, 3.92), (-0.98, 0.98)], atol=1e-3)
    assert texts(ax) == ["± 3.92", "± 0.98"]
    assert legend(ax) == ["SPOS: +0.86 (paper)", "MixPath: +0.91 (paper)"]
    assert ax.get_xlim()[0] < -3.92 and ax.get_xlim()[1] > 3.92


def test_tables_are_drawn_above_the_lowest_of_them(ax):
    table = pd.DataFrame(
        {
            "search_space": ["NAS-Bench-201", "DARTS"],
            "strategy": ["SPOS", "MixPath"],
            "method": "MNGNAS",
            "dataset": ["CIFAR10", "ImageNet"],
            "split": ["test", ""],
            "tables": ["V 93.41±0.13; X 93.80±0.40", "III 76.4; III 76.1 †; XIV 72.59"],
            "lowest": [93.41, 72.59],
            "spread": [0.39, 3.81],
        }
    )
    plot_repeated(table, ax)
    drawn = {line.get_label(): line.get_xydata() for line in ax.lines}
    np.testing.assert_allclose(drawn["Table X"], [[0.39, 0]])
    np.testing.assert_allclose(drawn["Table III"], [[3.81, 1], [3.51, 1]])
    np.testing.assert_allclose(drawn["Table XIV"], [[0, 1]])
    assert legend(ax) == ["Table III", "Table V", "Table X", "Table XIV"]
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["NAS-Bench-201 · SPOS · MNGNAS · CIFAR10 test", "DARTS · MixPath · MNGNAS · ImageNet"]
