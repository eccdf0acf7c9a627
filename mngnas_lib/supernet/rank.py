"""Accuracy of many architectures inside a SuperNet.

In a chain space the architectures form a trie: those that begin alike share the activations of what they share. A
depth-first walk computes each block once per node of the trie instead of once per architecture, with the same result,
because a block's input, its batch-norm statistics included, depends on nothing but the blocks before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm
from tqdm.auto import tqdm

from mngnas_lib.data import ImageData
from mngnas_lib.errors import ConfigError, DataError
from mngnas_lib.spaces import Arch, ChainNetwork, SlotNetwork
from mngnas_lib.supernet.batchnorm import BN_MODES, batch_norms, batch_statistics, reestimate


@dataclass(frozen=True)
class Ranking:
    """Accuracy (fraction) and mean cross-entropy of each architecture, in the order in which they were given."""

    archs: tuple[Arch, ...]
    accuracy: np.ndarray
    loss: np.ndarray


def rank(
    network: SlotNetwork,
    archs: Sequence[Arch],
    data: ImageData,
    *,
    part: str = "valid",
    bn: str = "batch",
    calibration_batches: int = 4,
    batch_size: int = 500,
    seed: int = 0,
    share_prefixes: bool = True,
    progress: bool | None = None,
) -> Ranking:
    """Evaluate architectures with the weights that they have in a SuperNet.

    Args:
        part: images to evaluate on: ``train``, ``valid`` or ``test``.
        bn: batch-norm statistics of a path. ``batch``: those of each evaluated batch. ``reestimate``: averaged
            over ``calibration_batches`` batches of training images, for this path alone (as SPOS does).
            ``inherited``: the SuperNet's running ones, of all paths.
        batch_size: images a batch, for evaluation and for calibration. With ``bn="batch"`` it changes the result, and
            a last batch of less than half this size is joined to the one before.
        seed: draws the calibration images.
        share_prefixes: in a chain space, compute shared prefixes once. The result is the same.
        progress: show a progress bar; by default if standard error is a terminal.

    Raises:
        ConfigError: a mode or part that is not known.
        ArchError: an architecture is not of this space.
    """
    if bn not in BN_MODES:
        raise ConfigError(f"bn={bn!r} is not known: choose one of {', '.join(BN_MODES)}")
    if part not in ("train", "valid", "test"):
        raise ConfigError(f"part={part!r} is not known: choose train, valid or test")
    archs = tuple(network.space.check(arch) for arch in archs)
    images = _Images(network, data, part, batch_size)
    calibration = images.calibration(calibration_batches, seed) if bn == "reestimate" else []
    walk = _walk_trie if share_prefixes and isinstance(network, ChainNetwork) else _walk_list
    accuracy, loss = np.empty(len(archs)), np.empty(len(archs))
    was_training = network.training
    before = {name: buffer.clone() for name, buffer in network.named_buffers()} if bn == "reestimate" else {}
    network.eval()
    try:
        with (
            torch.no_grad(),
            batch_statistics(network) if bn == "batch" else nullcontext(),
            tqdm(
                total=len(archs), unit="arch", desc="Ranking", disable=None if progress is None else not progress
            ) as bar,
        ):
            for index, logits in walk(network, archs, _Bundle(calibration, images.batches)):
                accuracy[index], loss[index] = images.score(logits)
                bar.update()
    finally:
        network.train(was_training)
        with torch.no_grad():
            for name, buffer in before.items():  # the statistics of the last path are not the SuperNet's
                network.get_buffer(name).copy_(buffer)
    return Ranking(archs, accuracy, loss)


def check_images(network: SlotNetwork, data: ImageData) -> None:
    """Whether a SuperNet can take these images.

    Raises:
        ConfigError: it has another number of channels or classes.
    """
    if (data.input_shape[0], data.num_classes) != (network.in_channels, network.num_classes):
        raise ConfigError(
            f"the SuperNet takes {network.in_channels} channels and knows {network.num_classes} classes, {data.name} "
            f"has {data.input_shape[0]} and {data.num_classes}: use images like those it was trained on"
        )


@dataclass(frozen=True)
class _Bundle:
    """Activations of the calibration batches and of the evaluated batches at one place of the network."""

    calibration: list[Tensor]
    evaluation: list[Tensor]

    def through(self, run: Callable[[Tensor], Tensor], layers: list[_BatchNorm]) -> _Bundle:
        """Both sets one block further; the block's statistics are set from the calibration set, if there is one."""
        calibration = reestimate(layers, run, self.calibration) if self.calibration else []
        return _Bundle(calibration, [run(batch) for batch in self.evaluation])


def _walk_list(network: SlotNetwork, archs: Sequence[Arch], images: _Bundle) -> Iterator[tuple[int, list[Tensor]]]:
    """One architecture after the other: (index, logits of each evaluated batch)."""
    layers = batch_norms(network)
    for index, arch in enumerate(archs):

        def run(batch: Tensor, arch: Arch = arch) -> Tensor:
            return network(batch, arch).logits

        yield index, images.through(run, layers).evaluation


def _walk_trie(network: ChainNetwork, archs: Sequence[Arch], images: _Bundle) -> Iterator[tuple[int, list[Tensor]]]:
    """Depth first over the trie of the architectures: the stack holds the activations of the current prefix."""
    head = batch_norms(network.part(None))
    everything = batch_norms(network)
    stack = [images.through(network.stem, everything)]
    current: Arch = ()
    logits: list[Tensor] = []
    for index in sorted(range(len(archs)), key=archs.__getitem__):
        arch = archs[index]
        if arch != current:
            shared = next((i for i, (a, b) in enumerate(zip(arch, current, strict=False)) if a != b), len(current))
            del stack[shared + 1 :]
            for slot in range(shared, len(arch)):

                def run(h: Tensor, slot: int = slot, choice: int = arch[slot]) -> Tensor:
                    return network.block(slot, choice, h)

                stack.append(stack[-1].through(run, batch_norms(network.part(slot, arch[slot]))))
            current = arch
            logits = stack[-1].through(network.head, head).evaluation
        yield index, logits


class _Images:
    """The evaluated part, normalised once, in batches."""

    def __init__(self, network: SlotNetwork, data: ImageData, part: str, batch_size: int) -> None:
        parameters = [parameter for parameter in network.parameters() if parameter.dim() == 4]
        self.data = data.to(parameters[0].device)
        # small 1x1 weights are contiguous in both senses: ask for one that is so in the second sense alone
        channels_last = any(
            p.is_contiguous(memory_format=torch.channels_last) and not p.is_contiguous() for p in parameters
        )
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.batch_size = batch_size
        chosen = getattr(self.data, part)
        if len(chosen) == 0:
            raise DataError(f"the {part} part of {data.name} has no images: give it some")
        self.labels = chosen.labels
        # cut at multiples of the batch size, but leave no rest of less than half a batch
        cuts = list(range(batch_size, len(chosen) - batch_size // 2 + 1, batch_size))
        self.batches = [self.prepare(images) for images in chosen.images.tensor_split(cuts)]

    def prepare(self, images: Tensor) -> Tensor:
        return self.data.normalise(images).contiguous(memory_format=self.format)

    def calibration(self, count: int, seed: int) -> list[Tensor]:
        """``count`` batches of distinct training images, drawn from the seed."""
        train = self.data.train
        size = min(self.batch_size, len(train) // count)
        if size < 2:
            raise DataError(f"{len(train)} training images are too few for {count} calibration batches: ask for fewer")
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))[: count * size]
        return [self.prepare(train.images[index]) for index in order.to(train.images.device).split(size)]

    def score(self, logits: list[Tensor]) -> tuple[float, float]:
        """Accuracy and mean cross-entropy over all batches."""
        joined = torch.cat(logits).float()
        correct = (joined.argmax(1) == self.labels).float().mean()
        return float(correct), float(F.cross_entropy(joined, self.labels))
