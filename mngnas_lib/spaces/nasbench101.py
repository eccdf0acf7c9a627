"""NAS-Bench-101 (Ying et al., ICML 2019): a cell of at most seven nodes and nine edges, stacked nine times.

The network follows the official code: stem, three stacks of three cells, each stack after the first at half the
resolution and twice the channels, and a linear classifier. The paper ranks 1000 of its architectures in Table XI.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

import numpy as np

from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.spaces.base import Arch, Cost, CostTable, InputShape, SearchSpace, Slot, are_sizes
from mngnas_lib.spaces.nasbench101_cells import (
    CONV1,
    CONV3,
    EDGES,
    MAX_NODES,
    OPERATIONS,
    POOL,
    canonical,
    node_channels,
    problem,
    wiring,
)
from mngnas_lib.spaces.nasbench101_census import VALID_MATRICES, census
from mngnas_lib.spaces.network import SlotNetwork

KERNEL = {CONV3: 3, CONV1: 1}
#: A cell divides its channels among at most four nodes: a fifth would need a tenth edge
LEAST_CHANNELS = 4
#: one letter an operation
_LETTERS = "31p"
_NOTATION = re.compile(r"[01]{6}\.[01]{5}\.[01]{4}\.[01]{3}\.[01]{2}\.[01]:[31p]{5}")


@dataclass(frozen=True)
class NasBench101(SearchSpace):
    """The space; the benchmark has 128 channels and three stacks of three cells.

    A cell's operations share its channels: where three nodes lead to the output, each has a third, and the first ones
    in the order of the nodes have one more if some are left over. Two orders of the same nodes are one cell, yet their
    networks can differ in these left-over channels. The canonical one is the one that the benchmark trained.
    """

    channels: int = 128
    cells: int = 3
    stacks: int = 3

    name: ClassVar[str] = "nasbench101"
    has_free_slots: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not are_sizes(self.channels, self.cells, self.stacks) or self.channels < LEAST_CHANNELS:
            raise ConfigError(
                f"nasbench101 needs at least {LEAST_CHANNELS} channels, which a cell divides among its nodes, one cell "
                "a stack and one stack, as whole numbers"
            )

    @property
    def num_stages(self) -> int:  # type: ignore[override]
        return self.stacks

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        edges = tuple(Slot(f"edge {source} to {target}", ("no edge", "edge")) for source, target in EDGES)
        return edges + tuple(Slot(f"node {node}", OPERATIONS) for node in range(1, MAX_NODES - 1))

    # ------------------------------------------------------------------ architectures

    @property
    def size(self) -> int:
        """How many valid matrices with operations there are; they are 423,624 distinct cells."""
        return VALID_MATRICES * len(OPERATIONS) ** (MAX_NODES - 2)

    def is_valid(self, arch: Sequence[int]) -> bool:
        """Whether ``arch`` has a known choice for each slot, and is a cell that the benchmark allows."""
        return super().is_valid(arch) and problem(arch) is None

    def check(self, arch: Sequence[int]) -> Arch:
        """``arch`` as a tuple of ints.

        Raises:
            ArchError: ``arch`` has unknown choices, too many edges, or no way from input to output.
        """
        if super().is_valid(arch) and (trouble := problem(arch)):
            raise ArchError(f"{arch!r} is not an architecture of nasbench101: {trouble}")
        return super().check(arch)

    def canonical(self, arch: Sequence[int]) -> Arch:
        """The benchmark's own way to write the cell: pruned, its nodes in the order of the official enumeration.

        Equal for cells that the official graph hash calls equal. (That two such cells compute the same function, and
        two others never do, is the benchmark's convention: a pooling of a pooling is not looked into.)
        """
        return canonical(self.check(arch))

    def sample(self, rng: np.random.Generator) -> Arch:
        """One architecture, uniform over valid matrices with operations: all entries drawn anew until they are valid.

        So the official code draws. It is not uniform over cells: some have many matrices, others few.
        """
        while True:
            arch = (*rng.integers(2, size=len(EDGES)).tolist(), *rng.integers(3, size=MAX_NODES - 2).tolist())
            if problem(arch) is None:
                return arch

    def sample_distinct(self, count: int, rng: np.random.Generator, *, canonical: bool = True) -> list[Arch]:
        """``count`` architectures drawn uniformly without repetition.

        Args:
            canonical: draw uniformly among the 423,624 distinct cells, in their canonical form; otherwise among valid
                matrices with operations, as :meth:`sample` does.

        Raises:
            ConfigError: there are fewer than ``count``.
        """
        most = len(census()) if canonical else self.size
        if count > most:
            raise ConfigError(f"{self.name} has {most} distinct architectures, {count} were asked for: ask for fewer")
        if canonical:
            return [census().cell(number) for number in rng.choice(most, size=count, replace=False).tolist()]
        drawn: dict[Arch, None] = {}
        while len(drawn) < count:
            drawn.setdefault(self.sample(rng))
        return list(drawn)

    def all_archs(self) -> Iterator[Arch]:
        """Nothing: valid matrices with operations are too many to go through.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(
            f"{self.name} has {self.size:,} valid matrices, too many to list: take the {len(census()):,} distinct ones "
            "(canonical_archs), or draw"
        )

    def canonical_archs(self) -> tuple[Arch, ...]:
        """All 423,624 distinct cells, in lexicographic order (it takes about a second)."""
        return tuple(sorted(map(census().cell, range(len(census())))))

    # ------------------------------------------------------------------ notation

    def to_string(self, arch: Sequence[int]) -> str:
        """For example ``110001.01000.0010.000.00.1:31p33``.

        The rows of the matrix right of its diagonal, then a letter for each of nodes 1 to 5: ``3`` and ``1`` are the
        convolutions, ``p`` is the pooling. The benchmark has no notation; its files key cells by a hash.
        """
        entries = iter(self.check(arch))
        rows = ("".join(str(next(entries)) for _ in range(length)) for length in range(MAX_NODES - 1, 0, -1))
        return ".".join(rows) + ":" + "".join(_LETTERS[choice] for choice in entries)

    def from_string(self, text: str) -> Arch:
        if not isinstance(text, str) or not _NOTATION.fullmatch(text.strip()):
            raise ArchError(
                f"{text!r} is not an architecture of nasbench101: expected the rows of its matrix right of the "
                "diagonal and the operations of nodes 1 to 5 (3: conv3x3, 1: conv1x1, p: maxpool3x3), as in "
                "110001.01000.0010.000.00.1:31p33"
            )
        rows, letters = text.strip().split(":")
        return self.check((*map(int, rows.replace(".", "")), *map(_LETTERS.index, letters)))

    # ------------------------------------------------------------------ cost and network

    def cost_table(self, input_shape: InputShape, num_classes: int) -> CellCosts:
        return CellCosts(self, tuple(input_shape), num_classes)

    def check_resolution(self, height: int, width: int) -> None:
        """Raise a ConfigError where nothing would be left of an image in the last stack."""
        if min(height, width) < 2 ** (self.stacks - 1):
            raise ConfigError(
                f"nasbench101 halves the resolution {self.stacks - 1} times, {height}x{width} does not allow that: "
                f"choose at least {2 ** (self.stacks - 1)} pixels a side, or fewer stacks"
            )

    def _build(self, choices: Sequence[Sequence[int]], num_classes: int, in_channels: int) -> SlotNetwork:
        from mngnas_lib.spaces.nasbench101_network import NasBench101Network

        return NasBench101Network(self, choices, num_classes, in_channels)


@dataclass(frozen=True)
class CellCosts:
    """Costs of the space for one input shape. An edge costs what it makes of the other nodes' widths: slots do not add
    up. For a given matrix, the operations of the nodes do.
    """

    space: NasBench101
    input_shape: InputShape
    num_classes: int

    def __post_init__(self) -> None:
        self.space.check_resolution(*self.input_shape[1:])

    def total(self, arch: Arch) -> Cost:
        entries = tuple(arch[: len(EDGES)])
        return _matrix_costs(self.space, self.input_shape, self.num_classes, entries).total(arch[len(EDGES) :])

    def smallest_macs(self) -> int:
        return _smallest_macs(self)


@lru_cache(maxsize=64)
def _smallest_macs(costs: CellCosts) -> int:
    # a pooling costs nothing, so the cheapest cell of each graph has nothing else
    poolings = (POOL,) * (MAX_NODES - 2)
    return min(costs.total((*entries, *poolings)).macs for entries in census().entries)


@lru_cache(maxsize=1 << 12)
def _matrix_costs(space: NasBench101, input_shape: InputShape, num_classes: int, entries: tuple[int, ...]) -> CostTable:
    """What all cells of one matrix cost, and what each choice of nodes 1 to 5 adds to it."""
    in_channels, height, width = input_shape

    def conv(inputs: int, outputs: int, kernel: int, positions: int) -> Cost:
        weights = inputs * outputs * kernel**2
        return Cost(weights + 2 * outputs, weights * positions)  # each convolution has a batch norm

    edges = wiring(entries).edges
    base = conv(in_channels, space.channels, 3, height * width)
    nodes = [[Cost(0, 0)] * len(OPERATIONS) for _ in range(MAX_NODES - 2)]
    inputs = space.channels
    for stack in range(space.stacks):
        outputs, positions = space.channels * 2**stack, (height >> stack) * (width >> stack)
        channels = node_channels(entries, outputs)
        for _ in range(space.cells):
            for source, target in edges:
                if source == 0:
                    base += conv(inputs, channels[target], 1, positions)
            for node in channels.keys() - {MAX_NODES - 1}:
                for choice, kernel in KERNEL.items():
                    nodes[node - 1][choice] += conv(channels[node], channels[node], kernel, positions)
            inputs = outputs
    base += Cost((inputs + 1) * num_classes, inputs * num_classes)
    return CostTable(base, tuple(map(tuple, nodes)))
