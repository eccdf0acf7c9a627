"""Mini-batches of a part."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mngnas_lib.data.images import Part
from mngnas_lib.errors import ConfigError, DataError


def batches(
    part: Part, batch_size: int, *, generator: torch.Generator | None = None, drop_last: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """One pass over ``part``: images (b, C, H, W), uint8, and labels (b,), on the part's device.

    Args:
        generator: draws the order; without it, the order is the part's own.
        drop_last: leave out a last batch that is not full.

    Raises:
        ConfigError: a batch size below 1.
        DataError: ``drop_last`` would leave nothing: the part has fewer images than a batch.
    """
    if batch_size < 1:
        raise ConfigError(f"a batch has at least one image, not {batch_size}")
    if drop_last and len(part) < batch_size:
        raise DataError(
            f"{len(part)} images are fewer than a batch of {batch_size}: use a smaller batch or more images"
        )
    # checked here, at the call: the generator below runs only when its first batch is asked for
    return _batches(part, batch_size, generator, drop_last)


def _batches(
    part: Part, batch_size: int, generator: torch.Generator | None, drop_last: bool
) -> Iterator[tuple[Tensor, Tensor]]:
    stop = len(part) // batch_size * batch_size if drop_last else len(part)
    order = None
    if generator is not None:
        order = torch.randperm(len(part), generator=generator, device=generator.device).to(part.labels.device)
    for start in range(0, stop, batch_size):
        chosen = slice(start, min(start + batch_size, stop))
        index = chosen if order is None else order[chosen]
        yield part.images[index], part.labels[index]
