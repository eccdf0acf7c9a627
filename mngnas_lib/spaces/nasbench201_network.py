"""The NAS-Bench-201 network, with all choices (SuperNet) or one choice per edge (stand-alone)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mngnas_lib.spaces.base import Arch
from mngnas_lib.spaces.nasbench201 import EDGES, KERNEL, NONE, POOL, SKIP, NasBench201, check_resolution
from mngnas_lib.spaces.network import Output, SlotNetwork


class NasBench201Network(SlotNetwork):
    """Stem, three stages of cells with a reduction block before the second and third, head.

    All cells of a network have the same architecture, each its own weights. ``stages`` of the output are the feature
    maps (batch, C·2^j, H/2^j, W/2^j), j = 0, 1, 2.
    """

    def __init__(
        self, space: NasBench201, choices: Sequence[Sequence[int]], num_classes: int, in_channels: int
    ) -> None:
        super().__init__(space, num_classes, in_channels)
        channels = space.channels
        self.stem_conv = nn.Conv2d(in_channels, channels, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(channels)
        widths = (channels, 2 * channels, 4 * channels)
        self.reductions = nn.ModuleList([Reduction(widths[0], widths[1]), Reduction(widths[1], widths[2])])
        self.cells = nn.ModuleList(
            [nn.ModuleList([Cell(width, choices) for _ in range(space.cells)]) for width in widths]
        )
        self.last_norm = nn.BatchNorm2d(widths[-1])
        self.classifier = nn.Linear(widths[-1], num_classes)

    def building_blocks(self) -> Iterator[nn.Module]:
        return (module for module in self.modules() if isinstance(module, ConvNorm | Reduction))

    def forward(self, x: Tensor, arch: Sequence[int] | None = None) -> Output:
        arch = self.resolve(arch)
        check_resolution(*x.shape[-2:])
        used = used_edges(arch) if self.skip_unused else (True,) * len(EDGES)
        stages = []
        h = self.stem_norm(self.stem_conv(x))
        for stage, cells in enumerate(self.cells):
            if stage:
                h = self.reductions[stage - 1](h)
            for cell in cells:
                h = cell(h, arch, used)
            stages.append(h)
        features = F.relu(self.last_norm(h)).mean((2, 3))
        return Output(self.classifier(features), tuple(stages))


def used_edges(arch: Arch) -> tuple[bool, ...]:
    """Which edges carry something to the cell's output node."""
    needed = {3}
    used = [False] * len(EDGES)
    # a node's outgoing edges all come after its incoming ones, so one pass from the back suffices
    for index in range(len(EDGES) - 1, -1, -1):
        source, target = EDGES[index]
        if arch[index] != NONE and target in needed:
            used[index] = True
            needed.add(source)
    return tuple(used)


class Cell(nn.Module):
    """Four nodes; a node is the sum of what its incoming edges make of their source nodes."""

    def __init__(self, channels: int, choices: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            nn.ModuleDict(
                {str(choice): ConvNorm(channels, channels, KERNEL[choice]) for choice in edge if choice in KERNEL}
            )
            for edge in choices
        )

    def forward(self, x: Tensor, arch: Arch, used: Sequence[bool]) -> Tensor:
        nodes: list[Tensor | None] = [x, None, None, None]
        rectified: dict[int, Tensor] = {}  # ReLU of a node, shared by the convolutions that start there
        for index, (source, target) in enumerate(EDGES):
            choice = arch[index]
            if choice == NONE or not used[index]:
                continue
            value = nodes[source]
            if choice in KERNEL:
                if source not in rectified:
                    rectified[source] = torch.zeros_like(x) if value is None else F.relu(value)
                term = self.edges[index][str(choice)](rectified[source])
            elif value is None:
                continue  # nothing entered the source: its pooling or identity is zero
            elif choice == SKIP:
                term = value
            else:
                assert choice == POOL
                term = F.avg_pool2d(value, 3, stride=1, padding=1, count_include_pad=False)
            summed = nodes[target]
            nodes[target] = term if summed is None else summed + term
        result = nodes[3]
        return torch.zeros_like(x) if result is None else result


class ConvNorm(nn.Module):
    """Convolution and batch norm of an input that has been through ReLU already (the official ReLU-Conv-BN)."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class Reduction(nn.Module):
    """The official residual block that halves the resolution and doubles the channels."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = ConvNorm(inputs, outputs, 3, stride=2)
        self.second = ConvNorm(outputs, outputs, 3)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        residual = self.second(F.relu(self.first(F.relu(x))))
        return residual + self.shortcut(F.avg_pool2d(x, 2))
