"""Loaded images: one tensor a part, on the device, with the statistics that normalise them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Part:
    """Images (n, C, H, W), uint8, and their labels (n,), int64, on one device.

    The order is random, not by class: batch norms that use a batch's own statistics must see all classes in it.
    """

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def to(self, device: torch.device | str) -> Part:
        return Part(self.images.to(device), self.labels.to(device))


@dataclass(frozen=True, eq=False)
class ImageData:
    """A data set in three parts.

    Attributes:
        name: where the images are from; shown to users.
        mean, std: (C,) float32, of the training part's pixels scaled to 0..1.
        fingerprint: hash of the images, labels and class names that were loaded, and of nothing else.
        cache: the file that keeps the decoded images, if there is one.
    """

    name: str
    train: Part
    valid: Part
    test: Part
    class_names: tuple[str, ...]
    mean: Tensor
    std: Tensor
    fingerprint: str
    cache: Path | None = None

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """(channels, height, width) of an image."""
        channels, height, width = self.train.images.shape[1:]
        return channels, height, width

    @property
    def parts(self) -> dict[str, Part]:
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def to(self, device: torch.device | str) -> ImageData:
        """The same data on ``device``."""
        parts = {name: part.to(device) for name, part in self.parts.items()}
        return replace(self, mean=self.mean.to(device), std=self.std.to(device), **parts)

    def normalise(self, images: Tensor) -> Tensor:
        """(b, C, H, W) uint8 to float32 of mean 0 and deviation 1 over the training part; memory format is kept."""
        scale = 1.0 / (255.0 * self.std)
        shift = -self.mean / self.std
        return images.to(torch.float32).mul_(scale.view(-1, 1, 1)).add_(shift.view(-1, 1, 1))


def make_data(
    name: str, train: Part, valid: Part, test: Part, class_names: tuple[str, ...], cache: Path | None = None
) -> ImageData:
    """Image data with its statistics and its fingerprint; the parts must be on the CPU."""
    mean, std = channel_statistics(train.images)
    mark = fingerprint((train, valid, test), class_names)
    return ImageData(name, train, valid, test, class_names, mean, std, mark, cache)


def channel_statistics(images: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel, (C,) float32, of pixels scaled to 0..1.

    Computed from counts of the 256 levels: no floating-point copy of the images, and no rounding that depends on the
    order of summation. A channel that is the same everywhere has deviation 1, so that normalising it gives zeros.
    """
    levels = torch.arange(256)
    counts = torch.stack([torch.bincount(channel.reshape(-1), minlength=256) for channel in images.unbind(1)])
    pixels = images.numel() // images.shape[1]
    total, squares = (counts * levels).sum(1).tolist(), (counts * levels**2).sum(1).tolist()
    # n * sum of squares - square of sum, in Python's integers: exact for any number of pixels
    variance = [(pixels * square - one * one) / pixels**2 for one, square in zip(total, squares, strict=True)]
    mean = torch.tensor(total, dtype=torch.float64) / pixels / 255.0
    std = torch.tensor(variance, dtype=torch.float64).sqrt() / 255.0
    return mean.float(), torch.where(std > 0, std, 1.0).float()


def fingerprint(parts: tuple[Part, ...], class_names: tuple[str, ...]) -> str:
    """16 hexadecimal digits of a hash of all images, labels and class names."""
    digest = hashlib.sha256("\0".join(class_names).encode(errors="surrogateescape"))
    for part in parts:
        digest.update(repr(tuple(part.images.shape)).encode())
        digest.update(part.images.numpy().reshape(-1))
        digest.update(part.labels.numpy().astype("<i8"))
    return digest.hexdigest()[:16]
