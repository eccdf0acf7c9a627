"""Multiply-accumulates of any network, counted by torch as it runs without data."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode


def count_macs(network: nn.Module, *shapes: tuple[int, ...], call: Callable[..., Any] | None = None) -> int:
    """Multiply-accumulates of convolutions and linear layers for inputs of these shapes.

    A copy of the network runs on torch's device ``meta``, where tensors have shapes and no values: this takes no time
    that depends on the size of the images. Batch norms, activations and pooling are not counted, as in the paper.

    Args:
        shapes: of each input, batch included.
        call: how to run the network; by default ``network(*inputs)``.
    """
    # what networks count of their own training is of no interest here
    ghost = copy.deepcopy(network).to("meta").eval()
    inputs = [torch.empty(shape, device="meta") for shape in shapes]
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        (call or (lambda module, *tensors: module(*tensors)))(ghost, *inputs)
    return counter.get_total_flops() // 2
