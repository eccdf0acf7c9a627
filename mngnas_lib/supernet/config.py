"""Settings of a SuperNet's training: everything that changes the trained weights, and nothing else."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from mngnas_lib.data import Augment
from mngnas_lib.errors import ConfigError
from mngnas_lib.settings import as_before
from mngnas_lib.supernet.sampling import get_strategy

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")


@dataclass(frozen=True)
class TrainConfig:
    """Momentum SGD with a cosine schedule, as in Section IV-A of the paper; the defaults suit small images.

    Attributes:
        strategy: how paths are drawn, see :mod:`mngnas_lib.supernet.sampling`.
        warmup_epochs: epochs of linearly rising learning rate before the cosine starts.
        bn_affine: train scale and shift of the batch norms. Without, they stay at 1 and 0, as in the weight-sharing
            networks of NAS-Bench-201's authors: paths then cannot disagree about them. Extracted networks have them,
            and can train them.
        clip_norm: largest gradient norm; 0 switches clipping off.
        precision: ``32-true``, or mixed precision in bfloat16 or (with a loss scaler) float16.
        channels_last: memory format of weights and images; faster for small convolutions on the CPU and on GPUs.
        compile: compile the building blocks with ``torch.compile`` (worth it on GPUs, for long runs).
    """

    strategy: str = "spos"
    epochs: int = 40
    batch_size: int = 128
    lr: float = 0.1
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.0
    clip_norm: float = 5.0
    augment: Augment = field(default_factory=Augment)
    precision: str = "32-true"
    channels_last: bool = True
    compile: bool = False
    bn_affine: bool = field(default=True, metadata={"later": True})
    seed: int = 0

    def __post_init__(self) -> None:
        get_strategy(self.strategy)
        if self.epochs < 1 or self.batch_size < 1:
            raise ConfigError("training needs at least one epoch and one image a batch")
        if not 0 < self.lr < math.inf:
            raise ConfigError(f"the learning rate must be positive, it is {self.lr}")
        if not 0 <= self.warmup_epochs <= self.epochs:
            raise ConfigError(f"warm-up must last between 0 and {self.epochs} epochs, it is {self.warmup_epochs}")
        if self.precision not in PRECISIONS:
            raise ConfigError(f"precision {self.precision!r} is not known: choose one of {', '.join(PRECISIONS)}")
        if self.seed < 0:
            raise ConfigError(f"a seed must not be negative, it is {self.seed}")

    def identity(self) -> dict[str, Any]:
        """What the checkpoints of a run agree on."""
        left_out = as_before(self)
        return {name: value for name, value in asdict(self).items() if name not in left_out}

    def lr_at(self, step: int, steps_per_epoch: int) -> float:
        """Learning rate of a step: linear warm-up, then half a cosine down to zero at the end."""
        warmup = round(self.warmup_epochs * steps_per_epoch)
        if step < warmup:
            return self.lr * (step + 1) / warmup
        total = self.epochs * steps_per_epoch
        return self.lr * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))
