"""Perturbation-aware distillation of an architecture that became a teacher (Algorithm 2), trained as candidates are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mngnas_lib.distill.perturbation import fine_tune, perturbed_network
from mngnas_lib.search.retrain import average_gradients
from mngnas_lib.search.retrain_config import RetrainConfig
from mngnas_lib.spaces import Arch, SlotNetwork
from mngnas_lib.supernet import MiniBatches

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class Tuned:
    """What became of a new teacher; by default, nothing.

    Attributes:
        others: how many perturbed architectures there were.
        losses: of the fine-tuning against them, see :func:`tune`.
        accuracy: on the validation set, afterwards; NaN without fine-tuning.
        seconds: that it took.
    """

    others: int = 0
    losses: Tensor = field(default_factory=lambda: torch.zeros(0, 2))
    accuracy: float = math.nan
    seconds: float = 0.0


def tune(
    network: SlotNetwork,
    others: Sequence[Arch],
    supernet: SlotNetwork,
    batches: MiniBatches,
    config: RetrainConfig,
    *,
    epochs: float,
    lr: float,
    fabric: Fabric | None = None,
) -> Tensor:
    """Fine-tune ``network`` in place against the perturbed architectures ``others``.

    Args:
        epochs, lr: passes over the training images, and the largest learning rate; it falls as half a cosine. All else
            is as in retraining.

    Returns:
        (steps, 2): L_cls and L_dis of each step.
    """
    optimizer = config.optimizer([network])
    steps = max(1, round(epochs * batches.steps_per_epoch))
    shared = fabric if fabric is not None and fabric.world_size > 1 else None

    def scheduled() -> Iterator[tuple[Tensor, Tensor]]:
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = lr * config.lr_at(step, steps) / config.lr
            yield batches.at(step)

    def update(loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if shared is not None:
            average_gradients(list(network.parameters()), shared)
        if config.clip_norm:
            torch.nn.utils.clip_grad_norm_(network.parameters(), config.clip_norm)
        optimizer.step()

    perturbed = [perturbed_network(other, network, supernet) for other in others]
    with config.autocast(next(network.parameters()).device):
        return fine_tune(network, perturbed, scheduled(), update, temperature=config.loss.temperature)
