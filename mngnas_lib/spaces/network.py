"""The network that a search space builds: all choices (a SuperNet) or one choice per slot (stand-alone).

Both are the same class, with the same module names, so that a stand-alone network takes a SuperNet's weights by
name: :meth:`SlotNetwork.extract` copies, and the perturbed architectures of Eq. 21 mix two sources slot by slot.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mngnas_lib.errors import ArchError
from mngnas_lib.spaces.base import Arch, SearchSpace


class Output(NamedTuple):
    """What a network returns.

    logits: (batch, classes). stages: one feature map (batch, channels, height, width) per stage, the last entry
    being the one that the head reads.
    """

    logits: Tensor
    stages: tuple[Tensor, ...]


class SlotNetwork(nn.Module):
    """A network with slots. ``network(x, arch)`` runs one path; a stand-alone network knows its own ``arch``."""

    def __init__(self, space: SearchSpace, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.space = space
        self.num_classes = num_classes
        self.in_channels = in_channels
        self.arch: Arch | None = None
        self.skip_unused = True

    def fix(self, arch: Arch, *, skip_unused: bool) -> None:
        """Make this a stand-alone network: ``network(x)`` runs ``arch`` from now on."""
        self.arch = arch
        self.skip_unused = skip_unused

    def resolve(self, arch: Sequence[int] | None) -> Arch:
        """The architecture to run.

        Raises:
            ArchError: a SuperNet was called without one, or a stand-alone network with another one.
        """
        if arch is None:
            if self.arch is None:
                raise ArchError("a SuperNet needs to know which path to run: call supernet(x, arch)")
            return self.arch
        if self.arch is not None and tuple(arch) != self.arch:
            raise ArchError(f"this stand-alone network is {self.arch}; it cannot run {tuple(arch)}")
        return self.space.check(arch)

    @abstractmethod
    def forward(self, x: Tensor, arch: Sequence[int] | None = None) -> Output:
        """Run one path.

        Args:
            x: images (batch, channels, height, width).
            arch: the path; may be left out of a stand-alone network.

        Raises:
            ArchError: ``arch`` is not of this space, or not the one that this network is.
        """

    @abstractmethod
    def building_blocks(self) -> Iterator[nn.Module]:
        """The modules whose inside is the same for every path."""

    def compile_blocks(self) -> None:
        """Compile each building block in place. (The whole network would be compiled anew for every path.)"""
        for block in self.building_blocks():
            block.compile()

    def extract(self, arch: Sequence[int]) -> SlotNetwork:
        """A stand-alone network of ``arch`` with its own copy of the weights that the path uses here.

        Parameters and batch-norm buffers are copied; the copy lies on the same device and in the same memory
        format, gives the same output, and shares nothing with this network.

        Raises:
            ArchError: ``arch`` is not of this space, or not the one that this network is.
        """
        arch = self.resolve(arch)
        network = self.space.network(
            arch, num_classes=self.num_classes, in_channels=self.in_channels, seed=0, skip_unused=True
        )
        state = self.state_dict()
        # the copy takes device, dtype and memory format of each tensor from its source; where the path uses the leading
        # channels only, these
        blocks = {name: tuple(map(slice, tensor.shape)) for name, tensor in network.state_dict().items()}
        weights = {name: state[name].detach()[block].clone() for name, block in blocks.items()}
        network.load_state_dict(weights, assign=True)
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(self.get_parameter(name).requires_grad)
        return network.train(self.training)


class ChainNetwork(SlotNetwork):
    """A network whose slots are blocks in a row: stem, blocks, head. Its parts can be run one at a time."""

    #: indices of the blocks after which a stage ends
    stage_ends: tuple[int, ...]

    @abstractmethod
    def stem(self, x: Tensor) -> Tensor:
        """Images (batch, channels, height, width) to the first block's input."""

    @abstractmethod
    def block(self, slot: int, choice: int, h: Tensor) -> Tensor:
        """One choice of one slot."""

    @abstractmethod
    def part(self, slot: int | None, choice: int | None = None) -> nn.Module:
        """The module behind one choice of one slot (an empty one, if it has no weights); None: the head's."""

    @abstractmethod
    def head(self, h: Tensor) -> Tensor:
        """The last block's output to logits (batch, classes)."""

    def forward(self, x: Tensor, arch: Sequence[int] | None = None) -> Output:
        stages = []
        h = self.stem(x)
        for slot, choice in enumerate(self.resolve(arch)):
            h = self.block(slot, choice, h)
            if slot in self.stage_ends:
                stages.append(h)
        return Output(self.head(h), tuple(stages))


@contextmanager
def seeded(seed: int | None) -> Iterator[None]:
    """Run a block with torch's CPU generator seeded, and put its state back afterwards. None: change nothing."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
