"""A search space as small as a test wants it, whose costs are given, not computed."""

from dataclasses import dataclass, field

from mngnas_lib.spaces import Arch, Cost, SearchSpace, Slot
from mngnas_lib.spaces.base import CostTable


@dataclass(frozen=True)
class TinySpace(SearchSpace):
    """``macs[i][c]`` is what choice c of slot i costs, over a fixed 100; ``forbidden`` architectures are not valid."""

    name = "tiny"
    macs: tuple[tuple[int, ...], ...] = ((0, 1), (0, 10, 20))
    forbidden: frozenset[Arch] = field(default_factory=frozenset)

    @property
    def slots(self):
        return tuple(
            Slot(f"slot {i}", tuple(f"choice {c}" for c in range(len(row)))) for i, row in enumerate(self.macs)
        )

    def is_valid(self, arch):
        return super().is_valid(arch) and tuple(arch) not in self.forbidden

    def sample(self, rng):
        while (arch := super().sample(rng)) in self.forbidden:
            pass
        return arch

    def all_archs(self):
        return (arch for arch in super().all_archs() if arch not in self.forbidden)

    def cost_table(self, input_shape, num_classes):
        return CostTable(Cost(1, 100), tuple(tuple(Cost(0, macs) for macs in row) for row in self.macs))

    def canonical(self, arch):
        return arch

    def to_string(self, arch):
        return "".join(map(str, arch))

    def from_string(self, text):
        return self.check([int(digit) for digit in text])

    def _build(self, choices, num_classes, in_channels):
        raise NotImplementedError("nothing is trained in these tests")
