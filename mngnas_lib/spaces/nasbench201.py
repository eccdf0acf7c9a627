"""NAS-Bench-201 (Dong and Yang, ICLR 2020): a cell of four nodes whose six edges each carry one of five operations.

The network follows the official code: stem, N cells, reduction block, N cells at double width, reduction block, N
cells at double width again, head. The paper uses this space in Section IV-F and Tables V and X.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.spaces.base import Arch, Cost, CostTable, InputShape, SearchSpace, Slot, are_sizes
from mngnas_lib.spaces.network import SlotNetwork

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
NONE, SKIP, CONV1, CONV3, POOL = range(5)
KERNEL = {CONV1: 1, CONV3: 3}
#: (source node, target node) of each slot, in the order of the official notation
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))

_TOKEN = re.compile(r"([a-z0-9_]+)~(\d)")


@dataclass(frozen=True)
class NasBench201(SearchSpace):
    """The space; ``channels`` (C) and ``cells`` (N, per stage) are 16 and 5 in the benchmark."""

    channels: int = 16
    cells: int = 5

    name: ClassVar[str] = "nasbench201"

    def __post_init__(self) -> None:
        if not are_sizes(self.channels, self.cells):
            raise ConfigError("nasbench201 needs at least one channel and one cell per stage, as whole numbers")

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(Slot(f"node {source} to {target}", OPERATIONS) for source, target in EDGES)

    # ------------------------------------------------------------------ notation

    def to_string(self, arch: Sequence[int]) -> str:
        """For example ``|avg_pool_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_3x3~2|``."""
        arch = self.check(arch)
        nodes = []
        for node in (1, 2, 3):
            terms = (
                f"{OPERATIONS[choice]}~{source}"
                for (source, target), choice in zip(EDGES, arch, strict=True)
                if target == node
            )
            nodes.append("|" + "|".join(terms) + "|")
        return "+".join(nodes)

    def from_string(self, text: str) -> Arch:
        tokens = _TOKEN.findall(text) if isinstance(text, str) else []
        names = [name for name, _ in tokens]
        if len(tokens) == len(EDGES) and all(name in OPERATIONS for name in names):
            arch = tuple(OPERATIONS.index(name) for name in names)
            if self.to_string(arch) == text.strip():
                return arch
        raise ArchError(
            f"{text!r} is not an architecture of nasbench201: expected six operations out of {OPERATIONS} as in "
            "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|avg_pool_3x3~2|"
        )

    # ------------------------------------------------------------------ equal functions

    def canonical(self, arch: Sequence[int]) -> Arch:
        """The cheapest of all architectures that compute the same function (ties: the first in index order).

        Two architectures are equal when, with matching weights, they give equal outputs for all inputs, batch
        statistics included. See :func:`function_of` for the identities that are used.
        """
        return _representatives()[function_of(self.check(arch))]

    # ------------------------------------------------------------------ cost

    def cost_table(self, input_shape: InputShape, num_classes: int) -> CostTable:
        return _cost_table(self.channels, self.cells, tuple(input_shape), num_classes)

    # ------------------------------------------------------------------ network

    def _build(self, choices: Sequence[Sequence[int]], num_classes: int, in_channels: int) -> SlotNetwork:
        from mngnas_lib.spaces.nasbench201_network import NasBench201Network

        return NasBench201Network(self, choices, num_classes, in_channels)


def function_of(arch: Arch) -> Hashable:
    """A normal form of the function that a cell computes: equal normal forms, equal functions.

    The value of a node is a sum, written as a sorted tuple of terms. A term is the cell's input, a convolution of a
    sum, or an average pooling of a term. The identities:

    * ``none`` adds nothing, and a node that nothing enters is zero; pooling or skipping zero is zero.
    * ``skip_connect`` adds the source's terms (a sum of sums is one sum).
    * Average pooling is linear, so pooling a sum is the sum of the pooled terms.
    * A convolution of zero is zero, and batch norm turns zero into its learnable offset: a constant per channel,
      whatever the kernel. Pooling leaves a constant as it is, and a 1x1 convolution of constants is a constant that
      batch norm turns into its offset again. (A padded 3x3 convolution of a constant differs at the borders.)
    * Nodes have no names here, so exchanging two nodes changes nothing.
    """
    sums: list[tuple[Hashable, ...]] = [("input",)]
    for node in (1, 2, 3):
        terms: list[Hashable] = []
        for (source, target), choice in zip(EDGES, arch, strict=True):
            if target != node or choice == NONE:
                continue
            value = sums[source]
            if choice == SKIP:
                terms.extend(value)
            elif choice == POOL:
                terms.extend(term if term == "constant" else ("pool", term) for term in value)
            elif not value or (choice == CONV1 and set(value) == {"constant"}):
                terms.append("constant")
            else:
                terms.append((OPERATIONS[choice], *value))
        sums.append(tuple(sorted(terms, key=repr)))
    return sums[-1]


@lru_cache(maxsize=1)
def _representatives() -> dict[Hashable, Arch]:
    """Normal form to its cheapest architecture, over the whole space."""

    def cheapness(arch: Arch) -> tuple[int, int, int, Arch]:
        count = Counter(arch)
        return count[CONV3], count[CONV1], len(EDGES) - count[NONE], arch

    best: dict[Hashable, Arch] = {}
    for arch in NasBench201().all_archs():
        form = function_of(arch)
        if form not in best or cheapness(arch) < cheapness(best[form]):
            best[form] = arch
    return best


def check_resolution(height: int, width: int) -> None:
    """Raise a ConfigError where the two branches of a reduction block would disagree on their output's size."""
    if height % 4 or width % 4:
        raise ConfigError(
            f"nasbench201 halves the resolution twice, {height}x{width} does not allow that: "
            "choose height and width that are multiples of 4"
        )


@lru_cache(maxsize=64)
def _cost_table(channels: int, cells: int, input_shape: InputShape, num_classes: int) -> CostTable:
    in_channels, height, width = input_shape
    check_resolution(height, width)

    def conv(inputs: int, outputs: int, kernel: int, positions: int, *, norm: bool = True) -> Cost:
        weights = inputs * outputs * kernel**2
        return Cost(weights + 2 * outputs * norm, weights * positions)

    base = conv(in_channels, channels, 3, height * width)
    per_choice = {choice: Cost(0, 0) for choice in range(len(OPERATIONS))}
    for stage in range(3):
        width_now, positions = channels * 2**stage, height * width // 4**stage
        if stage:
            half = width_now // 2
            base += conv(half, width_now, 3, positions) + conv(width_now, width_now, 3, positions)
            base += conv(half, width_now, 1, positions, norm=False)
        for choice, kernel in KERNEL.items():
            cell = conv(width_now, width_now, kernel, positions)
            per_choice[choice] += Cost(cells * cell.params, cells * cell.macs)
    features = 4 * channels
    base += Cost(2 * features, 0)  # last batch norm
    base += Cost((features + 1) * num_classes, features * num_classes)
    slot = tuple(per_choice[choice] for choice in range(len(OPERATIONS)))
    return CostTable(base, (slot,) * len(EDGES))
