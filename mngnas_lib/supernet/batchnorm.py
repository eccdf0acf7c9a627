"""Batch-norm statistics of a path inside a SuperNet.

The running statistics that training leaves behind are those of *all* paths. A path is evaluated with statistics of its
own (SPOS, Section 3.3): re-estimated on training images, or those of the evaluated batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

#: How a path's batch-norm statistics are obtained for evaluation.
BN_MODES = ("batch", "reestimate", "inherited")


def batch_norms(module: nn.Module) -> list[_BatchNorm]:
    """All batch-norm layers of a module."""
    return [layer for layer in module.modules() if isinstance(layer, _BatchNorm)]


@contextmanager
def batch_statistics(module: nn.Module) -> Iterator[None]:
    """Within the block, batch norms use the statistics of the batch they see, and keep no record of it."""
    layers = batch_norms(module)
    before = [(layer.training, layer.track_running_stats) for layer in layers]
    for layer in layers:
        layer.training, layer.track_running_stats = True, False
    try:
        yield
    finally:
        for layer, (training, tracking) in zip(layers, before, strict=True):
            layer.training, layer.track_running_stats = training, tracking


def reestimate(layers: Iterable[_BatchNorm], run: Callable[[Tensor], Tensor], batches: list[Tensor]) -> list[Tensor]:
    """Set the running statistics of ``layers`` to their averages over ``batches``.

    The averages are true ones: each batch counts the same, earlier statistics do not count. They are taken from the
    layers that ``run`` reaches; the others keep theirs. While they are collected, each batch is normalised by itself.

    Args:
        run: passes one batch through the layers.
        batches: k inputs of ``run``.

    Returns:
        What ``run`` made of each batch.
    """
    layers = list(layers)
    before = [(layer.training, layer.momentum) for layer in layers]
    outputs = []
    try:
        with torch.no_grad():
            for count, batch in enumerate(batches, start=1):
                for layer in layers:
                    # new = (1 - 1/k) old + 1/k batch is the running mean of k batches; k = 1 forgets the past
                    layer.training, layer.momentum = True, 1 / count
                outputs.append(run(batch))
    finally:
        for layer, (training, momentum) in zip(layers, before, strict=True):
            layer.training, layer.momentum = training, momentum
    return outputs
