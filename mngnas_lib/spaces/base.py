"""What a search space is: slots, validity, notation, cost, and the two networks built from it.

An *architecture* is a tuple of choice indices, one per slot (the paper's Eq. 2 writes it
``[C_1, ..., C_l]``). Everything that treats architectures alike (sampling, mutation, crossover, the one-slot
perturbation of Eq. 21, prefix sharing) needs nothing but this module.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np

from mngnas_lib.errors import ArchError, ConfigError

if TYPE_CHECKING:
    from mngnas_lib.spaces.network import SlotNetwork

Arch = tuple[int, ...]
InputShape = tuple[int, int, int]


@dataclass(frozen=True)
class Slot:
    """One decision of the search space: its name and the names of its choices, in index order."""

    name: str
    choices: tuple[str, ...]


@dataclass(frozen=True)
class Cost:
    """What a network costs.

    ``params`` counts learnable numbers. ``macs`` counts multiply-accumulates of convolutions and linear layers
    for one image; this is what the paper and the NAS benchmarks call FLOPs.
    """

    params: int
    macs: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.params + other.params, self.macs + other.macs)


class CostModel(Protocol):
    """Costs of a space's architectures for one input shape."""

    def total(self, arch: Arch) -> Cost:
        """What the network of a valid ``arch`` costs."""

    def smallest_macs(self) -> int:
        """The multiply-accumulates of the cheapest architecture."""


@dataclass(frozen=True)
class CostTable:
    """A cost model whose slots add up: the fixed part, and what each choice of each slot adds to it."""

    base: Cost
    choices: tuple[tuple[Cost, ...], ...]

    def total(self, arch: Arch) -> Cost:
        params, macs = self.base.params, self.base.macs
        for slot, choice in zip(self.choices, arch, strict=True):
            params += slot[choice].params
            macs += slot[choice].macs
        return Cost(params, macs)

    def smallest_macs(self) -> int:
        return self.base.macs + sum(min(choice.macs for choice in slot) for slot in self.choices)


def are_sizes(*numbers: object) -> bool:
    """Whether all are positive integers, as widths and depths must be."""
    return all(isinstance(number, int) and number > 0 for number in numbers)


class SearchSpace(ABC):
    """A search space with its sizes. Subclasses are frozen dataclasses whose fields are widths and depths."""

    name: ClassVar[str]
    #: True where an architecture is a chain of blocks, so that architectures can share prefixes.
    is_chain: ClassVar[bool] = False
    #: Number of stages, i.e. of feature maps that a network returns (the paper's f_j, j = 1..N, in Eq. 6 and 9).
    num_stages: ClassVar[int] = 3
    #: False where some combinations of known choices are no valid architecture.
    has_free_slots: ClassVar[bool] = True

    @property
    @abstractmethod
    def slots(self) -> tuple[Slot, ...]:
        """The decisions, in the order of the architecture's entries."""

    @abstractmethod
    def cost_table(self, input_shape: InputShape, num_classes: int) -> CostModel:
        """Costs for images of one shape, computed from shapes alone (no network is built).

        A :class:`CostTable`, where the slots' costs add up.
        """

    @abstractmethod
    def canonical(self, arch: Arch) -> Arch:
        """The representative of all architectures that compute the same function as ``arch``."""

    @abstractmethod
    def to_string(self, arch: Arch) -> str:
        """The benchmark's own notation of ``arch``."""

    @abstractmethod
    def from_string(self, text: str) -> Arch:
        """The architecture that ``text`` writes in the benchmark's own notation.

        Raises:
            ArchError: ``text`` is not in that notation.
        """

    @abstractmethod
    def _build(self, choices: Sequence[Sequence[int]], num_classes: int, in_channels: int) -> SlotNetwork:
        """A network that holds, in each slot, the modules of the given choices."""

    # ------------------------------------------------------------------ architectures

    @property
    def size(self) -> int:
        """How many architectures the space has, counting each notation once."""
        return math.prod(len(slot.choices) for slot in self.slots)

    def is_valid(self, arch: Sequence[int]) -> bool:
        """Whether ``arch`` has one known choice index for each slot."""
        if not isinstance(arch, Sequence | np.ndarray) or len(arch) != len(self.slots):
            return False
        return all(
            isinstance(choice, int | np.integer) and not isinstance(choice, bool) and 0 <= choice < len(slot.choices)
            for slot, choice in zip(self.slots, arch, strict=True)
        )

    def check(self, arch: Sequence[int]) -> Arch:
        """``arch`` as a tuple of ints.

        Raises:
            ArchError: ``arch`` does not belong to this space.
        """
        if not self.is_valid(arch):
            counts = [len(slot.choices) for slot in self.slots]
            raise ArchError(
                f"{arch!r} is not an architecture of {self.name}: it needs {len(counts)} integers, "
                f"each below the number of choices of its slot {counts}"
            )
        return tuple(int(choice) for choice in arch)

    def sample(self, rng: np.random.Generator) -> Arch:
        """One architecture, each choice of each slot drawn uniformly (SPOS)."""
        return tuple(int(rng.integers(len(slot.choices))) for slot in self.slots)

    def all_archs(self) -> Iterator[Arch]:
        """Every architecture, in lexicographic order."""
        return itertools.product(*(range(len(slot.choices)) for slot in self.slots))

    def sample_distinct(self, count: int, rng: np.random.Generator, *, canonical: bool = True) -> list[Arch]:
        """``count`` architectures drawn uniformly without repetition.

        Args:
            canonical: draw among canonical architectures, so that no two compute the same function. Drawing is
                then uniform over functions, not over notations.

        Raises:
            ConfigError: the space has fewer than ``count``.
        """
        pool = self.canonical_archs() if canonical else tuple(self.all_archs())
        if count > len(pool):
            raise ConfigError(
                f"{self.name} has {len(pool)} distinct architectures, {count} were asked for: ask for fewer"
            )
        return [pool[i] for i in rng.choice(len(pool), size=count, replace=False)]

    def canonical_archs(self) -> tuple[Arch, ...]:
        """One representative of each class of equal architectures, in lexicographic order."""
        return tuple(arch for arch in self.all_archs() if self.canonical(arch) == arch)

    # ------------------------------------------------------------------ cost and networks

    def cost(self, arch: Sequence[int], *, input_shape: InputShape = (3, 32, 32), num_classes: int = 10) -> Cost:
        """Parameters and multiply-accumulates of the stand-alone network of ``arch`` for one image.

        Args:
            input_shape: (channels, height, width) of an image.

        Raises:
            ArchError: ``arch`` does not belong to this space.
            ConfigError: the network cannot take images of this shape.
        """
        arch, shape = self.check(arch), tuple(input_shape)
        if len(shape) != 3 or min(shape) < 1:
            raise ConfigError(f"an image has a shape (channels, height, width) of positive numbers, not {shape}")
        return self.cost_table(shape, num_classes).total(arch)

    def supernet(self, *, num_classes: int = 10, in_channels: int = 3, seed: int | None = None) -> SlotNetwork:
        """The weight-sharing network that contains every choice of every slot.

        Args:
            seed: initialise from this seed, leaving torch's global generator as it was.
        """
        from mngnas_lib.spaces.network import seeded

        with seeded(seed):
            return self._build([range(len(slot.choices)) for slot in self.slots], num_classes, in_channels)

    def network(
        self,
        arch: Sequence[int],
        *,
        num_classes: int = 10,
        in_channels: int = 3,
        seed: int | None = None,
        skip_unused: bool = False,
    ) -> SlotNetwork:
        """The stand-alone network of ``arch``, with the official structure and fresh weights.

        Args:
            seed: initialise from this seed, leaving torch's global generator as it was.
            skip_unused: do not compute what cannot reach the output. The outputs are the same; the official
                code computes it all, and so does this network unless told otherwise.

        Raises:
            ArchError: ``arch`` does not belong to this space.
        """
        from mngnas_lib.spaces.network import seeded

        arch = self.check(arch)
        with seeded(seed):
            network = self._build([(choice,) for choice in arch], num_classes, in_channels)
        network.fix(arch, skip_unused=skip_unused)
        return network

    def settings(self) -> dict[str, object]:
        """The sizes of this space as plain data: what :func:`mngnas_lib.spaces.get_space` takes."""
        return asdict(self)
