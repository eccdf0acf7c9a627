"""NAS-Bench-Macro (Su et al., CVPR 2021): a chain of eight blocks, each identity, MB3_K3 or MB6_K5.

The network follows the official code: stem, three stages of 2, 3 and 3 blocks whose first block halves the
resolution and doubles the channels, and a head of 1280 features. The paper uses this space in Section IV-F.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.spaces.base import Arch, Cost, CostTable, InputShape, SearchSpace, Slot, are_sizes
from mngnas_lib.spaces.network import SlotNetwork

IDENTITY = 0
CHOICES = ("identity", "MB3_K3", "MB6_K5")
#: (expansion, kernel) of the inverted residuals
INVERTED_RESIDUALS = {1: (3, 3), 2: (6, 5)}


@dataclass(frozen=True)
class NasBenchMacro(SearchSpace):
    """The space; the benchmark has 32 channels, stages of (2, 3, 3) blocks and a head of 1280 features."""

    channels: int = 32
    stages: tuple[int, ...] = (2, 3, 3)
    head_channels: int = 1280

    name: ClassVar[str] = "nasbench-macro"
    is_chain: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        if not self.stages or not are_sizes(self.channels, self.head_channels, *self.stages):
            raise ConfigError("nasbench-macro needs positive widths and at least one block in each stage")

    @property
    def num_stages(self) -> int:  # type: ignore[override]
        return len(self.stages)

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(
            Slot(f"stage {stage + 1}, block {block + 1}", CHOICES)
            for stage, blocks in enumerate(self.stages)
            for block in range(blocks)
        )

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """Shape of the block in each slot."""
        shapes = []
        for stage, blocks in enumerate(self.stages):
            outputs = self.channels * 2 ** (stage + 1)
            shapes += [Block(outputs // 2, outputs, 2)] + [Block(outputs, outputs, 1)] * (blocks - 1)
        return tuple(shapes)

    # ------------------------------------------------------------------ notation

    def to_string(self, arch: Sequence[int]) -> str:
        """For example ``22212220``, one digit per block."""
        return "".join(map(str, self.check(arch)))

    def from_string(self, text: str) -> Arch:
        digits = text.strip() if isinstance(text, str) else ""
        if len(digits) != len(self.slots) or not set(digits) <= set("012"):
            raise ArchError(
                f"{text!r} is not an architecture of nasbench-macro: expected {len(self.slots)} digits out of "
                "0 (identity), 1 (MB3_K3), 2 (MB6_K5), as in " + "22212220"[: len(self.slots)]
            )
        return tuple(int(digit) for digit in digits)

    # ------------------------------------------------------------------ equal functions

    def canonical(self, arch: Sequence[int]) -> Arch:
        """``arch`` with the true identities of each stage moved to the stage's end.

        After a stage's first block, an identity changes nothing, so only the order of the other blocks counts:
        ``10201100`` and ``10210100`` are one network. The first block of a stage changes resolution and width, so
        its "identity" is a strided 1x1 convolution and stays where it is.
        """
        arch = self.check(arch)
        result: list[int] = []
        start = 0
        for blocks in self.stages:
            first, rest = arch[start], arch[start + 1 : start + blocks]
            kept = [choice for choice in rest if choice != IDENTITY]
            result += [first, *kept, *[IDENTITY] * (len(rest) - len(kept))]
            start += blocks
        return tuple(result)

    # ------------------------------------------------------------------ cost and network

    def cost_table(self, input_shape: InputShape, num_classes: int) -> CostTable:
        return _cost_table(self, tuple(input_shape), num_classes)

    def _build(self, choices: Sequence[Sequence[int]], num_classes: int, in_channels: int) -> SlotNetwork:
        from mngnas_lib.spaces.nasbench_macro_network import NasBenchMacroNetwork

        return NasBenchMacroNetwork(self, choices, num_classes, in_channels)


@dataclass(frozen=True)
class Block:
    """Input channels, output channels and stride of a slot's block."""

    inputs: int
    outputs: int
    stride: int


@lru_cache(maxsize=64)
def _cost_table(space: NasBenchMacro, input_shape: InputShape, num_classes: int) -> CostTable:
    in_channels, height, width = input_shape

    def conv(weights: int, outputs: int, positions: int) -> Cost:
        return Cost(weights + 2 * outputs, weights * positions)  # each convolution has a batch norm

    base = conv(in_channels * space.channels * 9, space.channels, height * width)
    slots = []
    for block in space.blocks:
        before = height * width
        # a padded convolution of stride 2 rounds odd sizes up
        height, width = -(-height // block.stride), -(-width // block.stride)
        after = height * width
        changes_shape = block.stride != 1 or block.inputs != block.outputs
        costs = [conv(block.inputs * block.outputs, block.outputs, after) if changes_shape else Cost(0, 0)]
        for expansion, kernel in INVERTED_RESIDUALS.values():
            hidden = block.inputs * expansion
            costs.append(
                conv(block.inputs * hidden, hidden, before)
                + conv(hidden * kernel**2, hidden, after)
                + conv(hidden * block.outputs, block.outputs, after)
            )
        slots.append(tuple(costs))
    last = space.blocks[-1].outputs
    base += conv(last * space.head_channels, space.head_channels, height * width)
    base += Cost((space.head_channels + 1) * num_classes, space.head_channels * num_classes)
    return CostTable(base, tuple(slots))
