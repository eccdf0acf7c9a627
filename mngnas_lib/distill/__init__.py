"""Distillation: losses (Eq. 5-9), coefficients (Eq. 11-20), retraining algorithms, perturbation (Algorithm 2)."""

from mngnas_lib.distill.algorithms import ALGORITHMS, LABELS, Algorithm, get_algorithm
from mngnas_lib.distill.losses import DistillLoss, feature_loss, mix, prediction_loss, stack

__all__ = [
    "ALGORITHMS",
    "LABELS",
    "Algorithm",
    "DistillLoss",
    "feature_loss",
    "get_algorithm",
    "mix",
    "prediction_loss",
    "stack",
]
