"""Average precision by hand, against scikit-learn where both define the same, and invariants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from mngnas_lib.detection import (
    COCO_THRESHOLDS,
    average_precision,
    coco_scores,
    match,
    mean_of_the_others,
    precision_recall,
)
from mngnas_lib.errors import DataError

OBJECTS = np.array([[0, 0, 10, 10], [20, 20, 30, 30]])


def test_each_object_is_hit_once_by_the_highest_score():
    boxes = np.array([[0, 0, 10, 9], [0, 0, 10, 10], [20, 20, 30, 26], [50, 50, 60, 60]])
    scores = np.array([0.6, 0.9, 0.7, 0.8])
    # the exact box comes second in the list and first in score; the third overlaps by 0.6, the fourth with nothing
    assert match(boxes, scores, OBJECTS, 0.5).tolist() == [False, True, True, False]
    assert match(boxes, scores, OBJECTS, 0.75).tolist() == [False, True, False, False]


def test_a_taken_object_leaves_the_next_best_one():
    truth = np.array([[0, 0, 10, 10], [0, 0, 10, 8]])
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10]])
    assert match(boxes, np.array([0.9, 0.8]), truth, 0.75).all()  # the second takes the other, with an overlap of 0.8
    assert match(boxes, np.array([0.9, 0.8]), truth, 0.85).tolist() == [True, False]


def test_nothing_to_hit_and_nothing_detected():
    assert match(np.zeros((1, 4)), np.ones(1), np.zeros((0, 4)), 0.5).tolist() == [False]
    assert match(np.zeros((0, 4)), np.zeros(0), OBJECTS, 0.5).shape == (0,)
    assert coco_scores([(np.zeros((0, 4)), np.zeros(0), OBJECTS)]).ap == 0.0


def test_wrong_shapes_and_words():
    with pytest.raises(DataError, match="one score a box"):
        match(OBJECTS, np.ones(3), OBJECTS, 0.5)
    with pytest.raises(DataError, match="no object"):
        precision_recall(np.ones(1), np.ones(1), 0)
    with pytest.raises(DataError, match="'coco' or 'all'"):
        average_precision(np.ones(1), np.ones(1), points="eleven")


def test_curve_and_areas_by_hand():
    """Hit, miss, hit, miss; three objects, one of which nobody finds."""
    precision, recall = precision_recall([0.9, 0.8, 0.7, 0.1], [True, False, True, False], 3)
    np.testing.assert_allclose(precision, [1, 1 / 2, 2 / 3, 1 / 2])
    np.testing.assert_allclose(recall, [1 / 3, 1 / 3, 2 / 3, 2 / 3])
    assert average_precision(precision, recall, points="all") == pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 3)
    # recalls 0 to 0.33 see a precision of 1, 0.34 to 0.66 one of 2/3, and from 0.67 on there is nothing
    assert average_precision(precision, recall) == pytest.approx((34 * 1 + 33 * 2 / 3) / 101)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=30).filter(any), st.randoms())
def test_area_without_interpolation_is_scikit_learns_where_every_object_is_found(hits, random):
    scores = np.array(random.sample(range(1000), len(hits)))
    curve = precision_recall(scores, hits, sum(hits))
    area = average_precision(*curve, points="all")
    assert area == pytest.approx(average_precision_score(hits, scores))
    # recalls are rounded up to hundredths, which costs one step at most
    assert average_precision(*curve) >= area - 0.011


def test_perfect_and_moved_boxes():
    exact = coco_scores([(OBJECTS, np.array([0.9, 0.8]), OBJECTS)])
    assert (exact.ap, exact.ap50, exact.ap75) == pytest.approx((1, 1, 1))
    # a box of 10 by 10 that lacks 2 rows overlaps by 0.8: seven of ten thresholds, 0.5 to 0.8
    short = OBJECTS - [[0, 0, 0, 2], [0, 0, 0, 2]]
    scores = coco_scores([(short, np.array([0.9, 0.8]), OBJECTS)])
    assert (scores.ap, scores.ap50, scores.ap75) == pytest.approx((0.7, 1, 1))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_order_of_images_and_scale_of_scores_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 20, (3, 5, 2))
    images = [
        (np.hstack([c, c + rng.uniform(3, 9, c.shape)]), rng.permutation(15)[:5] + 0.1 * i, OBJECTS)
        for i, c in enumerate(corners)
    ]
    scores = coco_scores(images)
    assert coco_scores([(b, np.exp(s), t) for b, s, t in images[::-1]]) == scores
    assert scores.ap50 >= scores.ap75
    assert (scores.ap50 + 5 * scores.ap75) / 10 <= scores.ap + 1e-9
    assert scores.ap <= (scores.ap50 + scores.ap75) / 2 + 1e-9  # 0.5 to 0.7 see at most ap50, the others ap75


def test_mean_of_the_others_by_hand():
    by_threshold = np.linspace(0.5, 0.05, len(COCO_THRESHOLDS))
    others = [value for t, value in zip(COCO_THRESHOLDS, by_threshold, strict=True) if t not in (0.5, 0.75)]
    assert mean_of_the_others(by_threshold.mean(), 0.5, by_threshold[5]) == pytest.approx(np.mean(others))
