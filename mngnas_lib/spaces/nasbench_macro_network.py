"""The NAS-Bench-Macro network, with all choices (SuperNet) or one choice per block (stand-alone)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate

import torch.nn.functional as F
from torch import Tensor, nn

from mngnas_lib.spaces.nasbench_macro import IDENTITY, INVERTED_RESIDUALS, Block, NasBenchMacro
from mngnas_lib.spaces.network import ChainNetwork

_NOTHING = nn.Identity()


class NasBenchMacroNetwork(ChainNetwork):
    """Stem, a chain of blocks, head. ``stages`` of the output are the feature maps after each stage's last block."""

    def __init__(
        self, space: NasBenchMacro, choices: Sequence[Sequence[int]], num_classes: int, in_channels: int
    ) -> None:
        super().__init__(space, num_classes, in_channels)
        self.stage_ends = tuple(end - 1 for end in accumulate(space.stages))
        self.stem_conv = _conv_norm(in_channels, space.channels, 3)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({str(choice): _block(shape, choice) for choice in slot if not _is_free(shape, choice)})
            for shape, slot in zip(space.blocks, choices, strict=True)
        )
        self.head_conv = _conv_norm(space.blocks[-1].outputs, space.head_channels, 1)
        self.classifier = nn.Linear(space.head_channels, num_classes)

    def stem(self, x: Tensor) -> Tensor:
        return F.relu(self.stem_conv(x))

    def block(self, slot: int, choice: int, h: Tensor) -> Tensor:
        return self.part(slot, choice)(h)

    def part(self, slot: int | None, choice: int | None = None) -> nn.Module:
        if slot is None:
            return self.head_conv
        if _is_free(self.space.blocks[slot], choice):
            return _NOTHING
        return self.blocks[slot][str(choice)]

    def building_blocks(self) -> Iterator[nn.Module]:
        yield from (self.stem_conv, self.head_conv)
        for slot in self.blocks:
            yield from slot.values()

    def head(self, h: Tensor) -> Tensor:
        return self.classifier(F.relu(self.head_conv(h)).mean((2, 3)))


def _is_free(shape: Block, choice: int) -> bool:
    """Whether the choice is a true identity, which has no module."""
    return choice == IDENTITY and shape.stride == 1 and shape.inputs == shape.outputs


def _block(shape: Block, choice: int) -> nn.Module:
    if choice == IDENTITY:
        # a strided 1x1 convolution reads every second pixel: pick them first. (Some builds of torch's CPU library write
        # past the end of their memory in the strided form, for narrow widths in channels_last.)
        return nn.Sequential(nn.AvgPool2d(1, shape.stride), *_conv_norm(shape.inputs, shape.outputs, 1))
    return InvertedResidual(shape, *INVERTED_RESIDUALS[choice])


class InvertedResidual(nn.Module):
    """MobileNetV2's block: expand, depthwise convolution, project; a shortcut where the shape allows it."""

    def __init__(self, shape: Block, expansion: int, kernel: int) -> None:
        super().__init__()
        hidden = shape.inputs * expansion
        self.expand = _conv_norm(shape.inputs, hidden, 1)
        self.depthwise = _conv_norm(hidden, hidden, kernel, shape.stride, groups=hidden)
        self.project = _conv_norm(hidden, shape.outputs, 1)
        self.has_shortcut = shape.stride == 1 and shape.inputs == shape.outputs

    def forward(self, x: Tensor) -> Tensor:
        h = self.project(F.relu(self.depthwise(F.relu(self.expand(x)))))
        return h + x if self.has_shortcut else h


def _conv_norm(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )
