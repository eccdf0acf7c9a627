"""Pareto fronts against a slow definition, and the paper's rows against what is printed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mngnas_lib.errors import PaperDataError
from mngnas_lib.paper.pareto import against_baselines, pareto_front, trade_offs


def test_front_by_hand():
    points = np.array([[1, 5], [2, 3], [2, 4], [3, 3], [4, 1], [4, 1], [np.nan, 0]])
    assert pareto_front(points).tolist() == [True, True, False, False, True, True, False]


@settings(max_examples=40, deadline=None)
@given(arrays(float, st.tuples(st.integers(1, 12), st.integers(1, 3)), elements=st.integers(0, 4)))
def test_whoever_is_not_in_the_front_is_beaten_by_someone_who_is(points):
    front = pareto_front(points)
    assert front.any()
    for i, point in enumerate(points):
        beaten_by = [j for j in range(len(points)) if (points[j] <= point).all() and (points[j] != point).any()]
        assert front[i] == (not beaten_by)
        assert front[i] or any(front[j] for j in beaten_by)


def test_rows_are_those_of_table_1():
    rows = trade_offs(1, "CIFAR10").set_index("row")
    assert len(rows) == 25
    spos = rows.loc["DARTS / SPOS [9]"]
    assert (spos["params"], spos["madds"], spos["search cost"], spos["error"]) == (3.24, 564, 0.5, 2.41)
    assert rows.loc["DARTS / NSAS [38]"].isna().sum() == 1  # no MAdds printed


def test_accuracies_become_errors():
    rows = trade_offs(2, "ImageNet16-120").set_index("row")
    assert rows.loc["ShuffleNet / SPOS [9]", "error"] == pytest.approx(100 - 39.31)
    assert rows["madds"].isna().all()  # Table II has no such column


def test_table_without_errors():
    with pytest.raises(PaperDataError, match="no errors on 'COCO'"):
        trade_offs(7, "COCO")


def test_differences_of_table_1():
    pairs = against_baselines(1, "CIFAR10").set_index(["search_space", "strategy"])
    assert len(pairs) == 7
    row = pairs.loc["DARTS", "SPOS"]
    assert row[["params", "madds", "search cost", "error"]].tolist() == pytest.approx([0, -4, 0.1, -0.03])
    assert row["better_in_all"]
    # MobileNet, FairNAS: smaller, fewer MAdds, but 2.32 against 2.30
    assert not pairs.loc[("MobileNet", "FairNAS"), "better_in_all"]
