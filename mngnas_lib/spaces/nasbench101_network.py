"""The NAS-Bench-101 network: of one cell (stand-alone), or with everything that any cell needs (SuperNet).

A stand-alone network is the official one, as nasbench-pytorch has it, but for batch norm's momentum: TensorFlow's 0.997
is PyTorch's 0.003. That package hands 0.997 to PyTorch in some layers and leaves 0.1 in the others. Here it is
PyTorch's 0.1 in all, so that running statistics are of use after a few hundred steps; the official 0.003 suits its
40,000 steps. Momentum touches nothing but the running statistics, which the kit can re-estimate anyway.

The SuperNet shares weights node by node. Each of the nodes 1 to 5 owns a 1x1 projection of the cell's input and both
convolutions, at the cell's full width; the output owns a projection too. How many channels a node has depends on the
path: it uses the leading ones of each of its tensors. Every valid matrix is a path, so all 423,624 cells can be
expressed, isomorphic ones by different nodes' weights. (The family of the published MixPath code is 34 distinct cells,
written in 2,712 ways.) A path's network is exactly the stand-alone network, with sliced weights.

Batch norms are sliced likewise: paths that give a node different widths share scale, shift and running statistics of
their common channels. So a path is best evaluated with statistics of its own (those of the batch, or re-estimated).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mngnas_lib.spaces.base import Arch
from mngnas_lib.spaces.nasbench101 import KERNEL, NasBench101
from mngnas_lib.spaces.nasbench101_cells import EDGES, MAX_NODES, POOL, node_channels, wiring
from mngnas_lib.spaces.network import Output, SlotNetwork

_INPUT, _LAST = 0, MAX_NODES - 1


class NasBench101Network(SlotNetwork):
    """Stem, stacks of cells with a pooling between them, mean over the image, classifier.

    All cells of a network have the same architecture, each its own weights. ``stages`` of the output are the stacks'
    feature maps (batch, C·2^j, H/2^j, W/2^j), j = 0, 1, ..., before they are pooled.
    """

    def __init__(
        self, space: NasBench101, choices: Sequence[Sequence[int]], num_classes: int, in_channels: int
    ) -> None:
        super().__init__(space, num_classes, in_channels)
        arch = None if any(len(slot) > 1 for slot in choices) else tuple(slot[0] for slot in choices)
        self.stem = ConvNormReLU(in_channels, space.channels, 3)
        self.stacks = nn.ModuleList()
        inputs = space.channels
        for stack in range(space.stacks):
            outputs, cells = space.channels * 2**stack, nn.ModuleList()
            for _ in range(space.cells):
                cells.append(Cell(inputs, outputs, arch))
                inputs = outputs
            self.stacks.append(cells)
        self.classifier = nn.Linear(inputs, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan_out = module.out_channels * module.kernel_size[0] ** 2
                nn.init.normal_(module.weight, std=math.sqrt(2 / fan_out))
        nn.init.normal_(self.classifier.weight, std=0.01)
        nn.init.zeros_(self.classifier.bias)

    def building_blocks(self) -> Iterator[nn.Module]:
        # in a SuperNet, a block is compiled anew for each width, up to torch's limit; beyond it runs as it is
        return (module for module in self.modules() if isinstance(module, ConvNormReLU))

    def forward(self, x: Tensor, arch: Sequence[int] | None = None) -> Output:
        arch = self.resolve(arch)
        self.space.check_resolution(*x.shape[-2:])
        stages: list[Tensor] = []
        h = self.stem(x)
        for cells in self.stacks:
            if stages:
                h = F.max_pool2d(h, 2)
            for cell in cells:
                h = cell(h, arch)
            stages.append(h)
        return Output(self.classifier(h.mean((2, 3))), tuple(stages))


class Cell(nn.Module):
    """A node sums its sources and operates on them; the output concatenates its sources.

    The cell's input is projected to the width of each node that it leads to, and is added to the output.
    """

    def __init__(self, inputs: int, outputs: int, arch: Arch | None) -> None:
        """A cell with what ``arch`` needs, or, without one, with what any cell can need."""
        super().__init__()
        self.outputs = outputs
        self.projections, self.convolutions = nn.ModuleDict(), nn.ModuleDict()
        if arch is None:
            channels = dict.fromkeys(range(1, MAX_NODES), outputs)
            projected, operations = list(channels), {node: tuple(KERNEL) for node in range(1, _LAST)}
        else:
            nodes, edges = wiring(arch[: len(EDGES)])
            channels = node_channels(arch[: len(EDGES)], outputs)
            projected = [target for source, target in edges if source == _INPUT]
            operations = {node: (_operation(arch, node),) for node in nodes[1:-1]}
        for node in projected:
            self.projections[str(node)] = ConvNormReLU(inputs, channels[node], 1)
        for node, choices in operations.items():
            self.convolutions[str(node)] = nn.ModuleDict(
                {
                    str(choice): ConvNormReLU(channels[node], channels[node], KERNEL[choice])
                    for choice in choices
                    if choice in KERNEL
                }
            )

    def forward(self, x: Tensor, arch: Arch) -> Tensor:
        entries = arch[: len(EDGES)]
        nodes, edges = wiring(entries)
        channels = node_channels(entries, self.outputs)
        values: dict[int, Tensor] = {}
        for node in nodes[1:-1]:
            sources = [source for source, target in edges if target == node]
            # a source has at least as many channels as the node, and one more where they could not be divided evenly
            terms = [values[source][:, : channels[node]] for source in sources if source != _INPUT]
            if _INPUT in sources:
                terms.append(self.projections[str(node)](x, channels[node]))
            summed = terms[0]
            for term in terms[1:]:
                summed = summed + term
            choice = _operation(arch, node)
            if choice == POOL:
                values[node] = F.max_pool2d(summed, 3, stride=1, padding=1)
            else:
                values[node] = self.convolutions[str(node)][str(choice)](summed, channels[node])
        ends = [values[source] for source, target in edges if target == _LAST and source != _INPUT]
        if not ends:
            return self.projections[str(_LAST)](x)
        result = ends[0] if len(ends) == 1 else torch.cat(ends, 1)
        return result + self.projections[str(_LAST)](x) if (_INPUT, _LAST) in edges else result


class ConvNormReLU(nn.Module):
    """Convolution, batch norm, ReLU, of as many leading channels as the input has and as are asked for."""

    def __init__(self, inputs: int, outputs: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
        self.norm = LeadingBatchNorm(outputs)

    def forward(self, x: Tensor, outputs: int | None = None) -> Tensor:
        inputs, outputs = x.shape[1], outputs or self.conv.out_channels
        if (inputs, outputs) == (self.conv.in_channels, self.conv.out_channels):
            return F.relu(self.norm(self.conv(x)))
        weight = self.conv.weight[:outputs, :inputs]
        return F.relu(self.norm(F.conv2d(x, weight, padding=self.conv.padding)))


class LeadingBatchNorm(nn.BatchNorm2d):
    """Batch norm of an input that may have the leading channels only; nothing is done to the others' statistics."""

    def forward(self, x: Tensor) -> Tensor:
        count = x.shape[1]
        if count == self.num_features:
            return super().forward(x)
        is_kept = not self.training or self.track_running_stats
        mean, variance = (self.running_mean[:count], self.running_var[:count]) if is_kept else (None, None)
        if self.training and self.track_running_stats:
            self.num_batches_tracked.add_(1)
        scale, shift = self.weight[:count], self.bias[:count]
        return F.batch_norm(x, mean, variance, scale, shift, self.training, self.momentum, self.eps)


def _operation(arch: Arch, node: int) -> int:
    """The operation of node 1 to 5."""
    return arch[len(EDGES) - 1 + node]
