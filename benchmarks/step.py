"""A SuperNet's training step against the same step of a plain stand-alone network of the same architecture."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.timing import Row, medians
from mngnas_lib.spaces import Arch, get_space

BATCH, SIZE, PATHS = 128, 16, 20


def supernet_step() -> list[Row]:
    rows = []
    for space in (get_space("nasbench201", channels=8, cells=1), get_space("nasbench-macro", channels=8)):
        rng = np.random.default_rng(0)
        archs = [space.sample(rng) for _ in range(PATHS)]
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        images = torch.randn(BATCH, 3, SIZE, SIZE, device=device).contiguous(memory_format=torch.channels_last)
        labels = torch.randint(0, 10, (BATCH,), device=device)
        supernet = _Trainee(space.supernet(seed=0), device)
        alone = {arch: _Trainee(space.network(arch, seed=0, skip_unused=True), device) for arch in archs}

        def shared(supernet=supernet, archs=archs, images=images, labels=labels) -> None:
            for arch in archs:
                supernet.step(images, labels, arch)

        def separate(alone=alone, archs=archs, images=images, labels=labels) -> None:
            for arch in archs:
                alone[arch].step(images, labels, arch)

        seconds = medians({"SuperNet": shared, "stand-alone": separate}, repeats=7)
        rows += [
            Row(
                f"{space.name}: SuperNet step / stand-alone step",
                seconds["SuperNet"] / seconds["stand-alone"],
                "x",
                "near 1",
            ),
            Row(f"{space.name}: SuperNet training", BATCH * PATHS / seconds["SuperNet"], "images/s"),
        ]
    return rows


class _Trainee:
    """A network and its optimiser."""

    def __init__(self, network: nn.Module, device: torch.device) -> None:
        self.network = network.to(device, memory_format=torch.channels_last).train()
        self.optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step(self, images: torch.Tensor, labels: torch.Tensor, arch: Arch) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        F.cross_entropy(self.network(images, arch).logits, labels).backward()
        self.optimizer.step()
