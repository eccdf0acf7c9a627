"""Detection: what average precision is, and a kit network as the backbone of a detector (Section IV-G).

Training a detector on COCO is not part of the kit. This room has what is needed to read Table VII: the metric, and the
way from a network's stages to a feature pyramid.
"""

from mngnas_lib.detection.average_precision import (
    COCO_THRESHOLDS,
    CocoScores,
    average_precision,
    coco_scores,
    match,
    mean_of_the_others,
    precision_recall,
)
from mngnas_lib.detection.macs import count_macs
from mngnas_lib.detection.pyramid import StagePyramid

__all__ = [
    "COCO_THRESHOLDS",
    "CocoScores",
    "StagePyramid",
    "average_precision",
    "coco_scores",
    "count_macs",
    "match",
    "mean_of_the_others",
    "precision_recall",
]
