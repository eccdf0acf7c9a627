"""Distillation: losses (Eq. 5-9), coefficients (Eq. 11-20), retraining algorithms, perturbation (Algorithm 2)."""

from mngnas_lib.distill.algorithms import ALGORITHMS, LABELS, Algorithm, get_algorithm
from mngnas_lib.distill.losses import DistillLoss, feature_loss, mix, prediction_loss, stack
from mngnas_lib.distill.perturbation import (
    fine_tune,
    neighbours,
    perturbation_loss,
    perturbed_archs,
    perturbed_network,
)

__all__ = [
    "ALGORITHMS",
    "LABELS",
    "Algorithm",
    "DistillLoss",
    "feature_loss",
    "fine_tune",
    "get_algorithm",
    "mix",
    "neighbours",
    "perturbation_loss",
    "perturbed_archs",
    "perturbed_network",
    "prediction_loss",
    "stack",
]
