"""Settings of the retraining of candidates: everything that changes the retrained weights, but who teaches whom."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal, get_args

import torch
from torch import nn

from mngnas_lib.data import Augment
from mngnas_lib.distill.losses import DistillLoss
from mngnas_lib.errors import ConfigError

#: Which outputs the coefficients are computed from (the p of Eq. 20).
Combined = Literal["logits", "last stage", "stages"]
#: What is held between the forward and the backward passes of a step.
Memory = Literal["graphs", "recompute"]
Precision = Literal["32-true", "bf16-mixed"]


@dataclass(frozen=True)
class RetrainConfig:
    """Momentum SGD with a cosine schedule, on the losses of Eq. 5 to 10. The paper retrains for 40 epochs.

    Attributes:
        epochs: n_retra, passes over the training images; a fraction of an epoch is rounded to whole steps.
        clip_norm: largest gradient norm of a student; 0 switches clipping off.
        loss: L_dis, of the teachers' mix and of the peers' mix.
        combined: the outputs p of Eq. 20.
        scale: s, the student's factor in Eq. 20: 1 as printed, 2 as it follows from Eq. 12 and 19 for a student with
            both teachers and peers (erratum 2; with one of the two groups, 1 is what follows).
        precision: ``32-true``, or forward passes in bfloat16 (``bf16-mixed``).
        memory: ``graphs`` holds the graphs of all students from forward to backward; ``recompute`` computes them anew,
            student by student, for GPUs that cannot hold so many. The results are equal.
    """

    epochs: float = 40.0
    batch_size: int = 96
    lr: float = 0.05
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 5e-4
    clip_norm: float = 5.0
    augment: Augment = field(default_factory=Augment)
    loss: DistillLoss = field(default_factory=DistillLoss)
    combined: Combined = "logits"
    scale: float = 1.0
    precision: Precision = "32-true"
    channels_last: bool = True
    memory: Memory = field(default="graphs", compare=False)
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.epochs < math.inf or self.batch_size < 1:
            raise ConfigError(
                "retraining needs a positive number of epochs and at least one image a batch, "
                f"not {self.epochs} and {self.batch_size}"
            )
        if not 0 < self.lr < math.inf:
            raise ConfigError(f"the learning rate must be positive, it is {self.lr}")
        if not (0 <= self.momentum < 1 and 0 <= self.weight_decay < math.inf and self.clip_norm >= 0):
            raise ConfigError(
                "momentum must lie in [0, 1), weight decay and the largest gradient norm must be 0 or more, "
                f"not {self.momentum}, {self.weight_decay} and {self.clip_norm}"
            )
        if not 0 <= self.scale < math.inf:
            raise ConfigError(f"the student's factor in Eq. 20 must be 0 or more, it is {self.scale}")
        for name, kind in (("combined", Combined), ("memory", Memory), ("precision", Precision)):
            if getattr(self, name) not in get_args(kind):
                choices = ", ".join(map(repr, get_args(kind)))
                raise ConfigError(f"{name}={getattr(self, name)!r} is not known: choose one of {choices}")
        if self.seed < 0:
            raise ConfigError(f"a seed must not be negative, it is {self.seed}")

    def steps(self, steps_per_epoch: int) -> int:
        """How many steps ``epochs`` are; at least one."""
        return max(1, round(self.epochs * steps_per_epoch))

    def lr_at(self, step: int, total: int) -> float:
        """Learning rate of a step: half a cosine, down to zero at the end."""
        return self.lr * 0.5 * (1 + math.cos(math.pi * step / total))

    def optimizer(self, networks: Iterable[nn.Module]) -> torch.optim.SGD:
        """One optimiser for all networks: SGD treats each parameter by itself."""
        return torch.optim.SGD(
            [parameter for network in networks for parameter in network.parameters()],
            lr=self.lr,
            momentum=self.momentum,
            nesterov=self.nesterov and self.momentum > 0,
            weight_decay=self.weight_decay,
            fused=True,  # one loop in C++ over more than a thousand small parameters
        )

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """The context in which networks compute their outputs."""
        if self.precision == "32-true":
            return nullcontext()
        # without its cache: a cast of a weight must not outlive the step that changes the weight
        return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
