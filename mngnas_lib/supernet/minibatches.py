"""The mini-batch of a step, as a function of the seed and the step's number.

A run that was killed goes on with the images, and the augmentations of them, that it would have seen.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mngnas_lib.data import Augment, ImageData
from mngnas_lib.errors import DataError


class MiniBatches:
    """Mini-batches of the training part, in a new random order each epoch, augmented and normalised on the device.

    Images that are left over at the end of an epoch's order wait for a later one.

    Args:
        data: its training part is used, where it lies.
        batch_size: images a step, over all ranks.
        channels_last: memory format of the images.
        rank, world_size: this process takes every ``world_size``-th image of each mini-batch, from ``rank`` on.

    Raises:
        DataError: fewer training images than a batch.
    """

    def __init__(
        self,
        data: ImageData,
        batch_size: int,
        *,
        seed: int,
        augment: Augment | None = None,
        channels_last: bool = True,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.steps_per_epoch = len(data.train) // batch_size
        if self.steps_per_epoch == 0:
            raise DataError(
                f"{data.name} has {len(data.train)} training images, fewer than a batch of {batch_size}: "
                "use a smaller batch or more images"
            )
        self.data, self.batch_size, self.seed = data, batch_size, seed
        self.augment = Augment() if augment is None else augment
        self.format = torch.channels_last if channels_last else torch.contiguous_format
        self.rank, self.world_size = rank, world_size
        self._order: tuple[int, Tensor] | None = None  # of the images, in one epoch

    def at(self, step: int) -> tuple[Tensor, Tensor]:
        """This rank's images (b, C, H, W), float32, and labels (b,) of step ``step``, counted from 0."""
        epoch, position = divmod(step, self.steps_per_epoch)
        train = self.data.train
        if self._order is None or self._order[0] != epoch:
            self._order = epoch, torch.randperm(len(train), generator=generator(self.seed, 0, epoch))
        index = self._order[1][position * self.batch_size : (position + 1) * self.batch_size].to(train.images.device)
        index = index[self.rank :: self.world_size]
        images = self.data.normalise(train.images[index]).contiguous(memory_format=self.format)
        draws = generator(self.seed, 1 + self.rank, step, device=images.device)
        return self.augment(images, draws), train.labels[index]


def generator(seed: int, stream: int, number: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator that is a function of the run's seed, what it is for, and the step's or epoch's number."""
    # three odd multipliers spread (seed, stream, number) over 63 bits; torch mixes the result further
    mixed = (seed * 0x9E3779B97F4A7C15 + stream * 0xBF58476D1CE4E5B9 + number * 0x94D049BB133111EB) % 2**63
    return torch.Generator(device).manual_seed(mixed)
