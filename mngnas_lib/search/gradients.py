"""Losses and gradients of many networks that train side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from mngnas_lib.spaces import Output

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def label_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each student, (S,), from logits (S, batch, classes) and labels (batch,)."""
    students, batch, _ = logits.shape
    losses = F.cross_entropy(logits.flatten(0, 1), labels.repeat(students), reduction="none")
    return losses.unflatten(0, (students, batch)).mean(1)


def backward(output: Output, gradients: Output) -> None:
    """Send the gradients of a network's outputs through the network; those of the stages may be missing."""
    outputs = (output.logits, *output.stages[: len(gradients.stages)])
    pairs = zip(outputs, (gradients.logits, *gradients.stages), strict=True)
    # a cell through which nothing passes has a constant output
    moving = [(tensor, gradient.to(tensor.dtype)) for tensor, gradient in pairs if tensor.requires_grad]
    torch.autograd.backward(*zip(*moving, strict=True))


def average_gradients(parameters: Sequence[Tensor], fabric: Fabric) -> None:
    """Replace the parameters' gradients by their means over all processes."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = fabric.all_reduce(torch.cat([gradient.flatten() for gradient in gradients]), reduce_op="mean")
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
