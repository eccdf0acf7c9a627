"""Augmentation of a whole batch on its device, in one gather."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
import torch.nn.functional as F
from torch import Tensor

from mngnas_lib.errors import ConfigError


@dataclass(frozen=True)
class Augment:
    """Random crop, then horizontal flip, then cutout; each image has its own draw.

    Meant for normalised images, where zero is the training part's mean: what comes in from outside the image, and
    what is cut out, is zero. (The official code of NAS-Bench-201 pads before it normalises, i.e. with black.)

    Attributes:
        pad: the image is shifted by up to this many pixels, up or down and left or right; each shift is as likely.
        flip: mirror every second image, on average.
        cutout: side of a square that is erased. Its centre is uniform over the image, so that it may stick out at
            the border (DeVries and Taylor, 2017). 0 erases nothing.
    """

    pad: int = 0
    flip: bool = False
    cutout: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or value < 0:
                raise ConfigError(f"augmentation: {field.name} must be a whole number from 0 on, it is {value!r}")

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Augmented images (b, C, H, W), in the type, on the device and in the memory format of ``images``.

        Args:
            generator: where all draws are from. One on the CPU gives the same draws for images on any device;
                one on the images' device saves the transfer of a few numbers.
        """
        if not (self.pad or self.flip or self.cutout):
            return images
        batch, channels, height, width = images.shape
        # one more pixel around the image, so that index 0 of the padded image is a zero that cutout can point at
        margin = self.pad + 1
        rows = torch.arange(height, device=images.device).expand(batch, -1)
        columns = torch.arange(width, device=images.device).expand(batch, -1)

        def draw(low: int, high: int) -> Tensor:
            return torch.randint(low, high, (batch, 1), generator=generator, device=generator.device).to(images.device)

        from_rows, from_columns = rows, columns
        if self.flip:
            from_columns = torch.where(draw(0, 2).bool(), width - 1 - columns, columns)
        if self.pad:
            from_rows = from_rows + draw(-self.pad, self.pad + 1)
            from_columns = from_columns + draw(-self.pad, self.pad + 1)
        source = ((from_rows + margin) * (width + 2 * margin))[:, :, None] + (from_columns + margin)[:, None, :]
        if self.cutout:
            top = draw(0, height) - self.cutout // 2
            left = draw(0, width) - self.cutout // 2
            erased_rows = (rows >= top) & (rows < top + self.cutout)
            erased_columns = (columns >= left) & (columns < left + self.cutout)
            source.masked_fill_(erased_rows[:, :, None] & erased_columns[:, None, :], 0)

        padded = F.pad(images, (margin,) * 4)
        # rows and columns merge to one dimension in both memory formats, so the gather can write in the input's format
        known = images.is_contiguous() or images.is_contiguous(memory_format=torch.channels_last)
        result = torch.empty_like(images, memory_format=torch.preserve_format if known else torch.contiguous_format)
        index = source.view(batch, 1, -1).expand(-1, channels, -1)
        torch.gather(padded.flatten(2), 2, index, out=result.view(batch, channels, -1))
        return result
