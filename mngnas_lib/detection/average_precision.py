"""Average precision of detections, as COCO defines it (Table VII: mAP, AP50, AP75).

Boxes are rows ``(left, top, right, bottom)``. One class; over several, COCO takes the mean of theirs. Crowds, sizes of
objects and the limit of 100 detections an image are left out: for a score to publish, use ``pycocotools``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import box_iou

from mngnas_lib.errors import DataError

#: Overlaps that COCO's AP averages over
COCO_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
#: Recalls at which COCO reads the precision
_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class CocoScores:
    """Fractions: ``ap``, mean over ten thresholds of the overlap; ``ap50`` and ``ap75``, at 0.5 and 0.75."""

    ap: float
    ap50: float
    ap75: float


def match(boxes: np.ndarray, scores: np.ndarray, truth: np.ndarray, threshold: float) -> np.ndarray:
    """Which detections of an image hit an object.

    From the highest score to the lowest, each detection takes the object with which it overlaps most among those that
    are not taken yet, if the overlap (IoU) is at least ``threshold``.

    Args:
        boxes: (n, 4). scores: (n,). truth: (m, 4), the objects' boxes.

    Returns:
        (n,) booleans, in the order of ``boxes``.

    Raises:
        DataError: the shapes do not fit together.
    """
    boxes, scores, truth = (np.asarray(value, dtype=float) for value in (boxes, scores, truth))
    boxes, truth = boxes.reshape(-1, 4), truth.reshape(-1, 4)
    if scores.shape != (len(boxes),):
        raise DataError(f"{len(boxes)} boxes have scores of shape {scores.shape}: give one score a box")
    overlaps = box_iou(torch.from_numpy(boxes), torch.from_numpy(truth)).numpy()
    hits, free = np.zeros(len(boxes), dtype=bool), np.ones(len(truth), dtype=bool)
    for detection in np.argsort(-scores, kind="stable"):
        candidates = np.where(free, overlaps[detection], -1.0)
        if len(truth) and candidates.max() >= threshold:
            hits[detection], free[candidates.argmax()] = True, False
    return hits


def precision_recall(scores: np.ndarray, hits: np.ndarray, objects: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of the k highest-scoring detections, for k = 1, 2, ...

    Args:
        scores, hits: (n,), of all images together. objects: how many there are to be found.

    Returns:
        Two arrays (n,), fractions.

    Raises:
        DataError: there is nothing to be found, so that recall is not defined.
    """
    if objects < 1:
        raise DataError("there is no object to be found: recall needs at least one")
    hits = np.asarray(hits, dtype=bool)[np.argsort(-np.asarray(scores, dtype=float), kind="stable")]
    found = np.cumsum(hits)
    return found / np.arange(1, len(hits) + 1), found / objects


def average_precision(precision: np.ndarray, recall: np.ndarray, *, points: str = "coco") -> float:
    """The area under a precision-recall curve.

    Args:
        precision, recall: as :func:`precision_recall` gives them.
        points: ``coco``: the mean of the *interpolated* precision (the highest at this recall or a larger one) at the
            101 recalls 0, 0.01, ..., 1. ``all``: the plain sum of precision times gain in recall, without
            interpolation.

    Raises:
        DataError: ``points`` is neither.
    """
    if points not in ("coco", "all"):
        raise DataError(f"a curve's area is taken at 'coco' or 'all' points, not {points!r}")
    if len(precision) == 0:
        return 0.0
    if points == "all":
        return float(np.sum(precision * np.diff(recall, prepend=0.0)))
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[places].mean())


def coco_scores(images: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> CocoScores:
    """AP, AP50 and AP75 of one class.

    Args:
        images: of each, the detections' ``boxes`` and ``scores`` and the objects' boxes ``truth`` (see :func:`match`).

    Raises:
        DataError: no image has an object, or shapes do not fit.
    """
    scores = np.concatenate([np.asarray(image[1], dtype=float).reshape(-1) for image in images] or [np.zeros(0)])
    objects = sum(len(np.reshape(image[2], (-1, 4))) for image in images)
    values = {}
    for threshold in COCO_THRESHOLDS:
        hits = np.concatenate([match(*image, threshold) for image in images] or [np.zeros(0, dtype=bool)])
        values[threshold] = average_precision(*precision_recall(scores, hits, objects))
    return CocoScores(float(np.mean(list(values.values()))), values[0.5], values[0.75])


def mean_of_the_others(ap: float, ap50: float, ap75: float) -> float:
    """The mean of the AP at the eight thresholds besides 0.5 and 0.75, which a table does not print."""
    return (len(COCO_THRESHOLDS) * ap - ap50 - ap75) / (len(COCO_THRESHOLDS) - 2)
