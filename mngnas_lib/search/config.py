"""Settings of a search: everything that changes its history, but the SuperNet and the images."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from mngnas_lib.distill.algorithms import ALGORITHMS, Algorithm
from mngnas_lib.errors import ConfigError
from mngnas_lib.search.retrain_config import RetrainConfig
from mngnas_lib.supernet import BN_MODES


@dataclass(frozen=True)
class SearchConfig:
    """Algorithm 3. The defaults are the paper's settings (Section IV-A), where it gives one.

    The paper does not say how many search epochs it takes, nor how long the perturbation-aware distillation goes on.

    Attributes:
        algorithm: how candidates are retrained.
        proposals: ``evolution``: crossover and mutation of the survivors; ``random``: every search epoch draws its
            candidates at random, the same ones whatever the algorithm, so that algorithms can be compared on them.
        candidates: n_S, of each search epoch.
        group_size: n_TS, of each of the two teacher groups.
        removed: n_removed, the worst of the population that each search epoch takes out.
        crossover_ratio: share of the candidates that come from crossover; the others come from mutation.
        max_macs: the constraint on MAdds; None is no limit.
        among: the only architectures that may be proposed, such as those whose truth a table knows; empty: all.
        threshold: flops_thre, MAdds up to which an architecture is small; None takes the median of the candidates of
            the first search epoch.
        perturbed: n_perturb, perturbed architectures of each that enters a teacher group.
        perturb_epochs, perturb_lr: of their fine-tuning; all else is as in retraining.
        bn: batch-norm statistics in evaluation, see :func:`mngnas_lib.supernet.rank`.
        seed: of proposals and perturbations; images are drawn by ``retrain.seed``.
    """

    algorithm: Algorithm = ALGORITHMS["mngnas"]
    proposals: Literal["evolution", "random"] = "evolution"
    search_epochs: int = 20
    candidates: int = 30
    group_size: int = 5
    removed: int = 10
    crossover_ratio: float = 0.5
    max_macs: int | None = None
    threshold: int | None = None
    perturbed: int = 4
    perturb_epochs: float = 1.0
    perturb_lr: float = 0.01
    bn: str = "reestimate"
    retrain: RetrainConfig = field(default_factory=RetrainConfig)
    seed: int = 0
    among: tuple[tuple[int, ...], ...] = field(default=(), metadata={"later": True})

    def __post_init__(self) -> None:
        if not isinstance(self.algorithm, Algorithm):
            raise ConfigError(f"algorithm={self.algorithm!r} is only a name: give get_algorithm({self.algorithm!r})")
        least = {"search_epochs": 1, "candidates": 1, "group_size": 0, "removed": 0, "perturbed": 0, "seed": 0}
        for name, lowest in least.items():
            value = getattr(self, name)
            if not isinstance(value, int) or value < lowest:
                raise ConfigError(f"{name} must be a whole number, at least {lowest}; it is {value}")
        if self.threshold is not None and not self.threshold >= 0:
            raise ConfigError(f"the threshold between small and large must be 0 or more MAdds, it is {self.threshold}")
        for name in ("perturb_epochs", "perturb_lr"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be a positive number, it is {getattr(self, name)}")
        if not 0.0 <= self.crossover_ratio <= 1.0:
            raise ConfigError(f"crossover_ratio is a share from 0 to 1, not {self.crossover_ratio}")
        if self.proposals not in ("evolution", "random"):
            raise ConfigError(f"proposals={self.proposals!r} is not known: choose evolution or random")
        if self.bn not in BN_MODES:
            raise ConfigError(f"bn={self.bn!r} is not known: choose one of {', '.join(BN_MODES)}")
