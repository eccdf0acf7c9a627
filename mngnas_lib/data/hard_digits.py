"""The embedded digits made harder: turned, scaled, moved, light on dark or dark on light, on uneven ground.

On the digits as they are, nine in ten networks are right on 19 of 20 images: too easy to tell architectures apart. Here
each digit comes in several versions, drawn once and for all. A larger network is right on most of them, a small
one is not. The recipe is the kit's own, so accuracies are not comparable with any published ones.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from mngnas_lib.data.arrays import Arrays
from mngnas_lib.errors import DataError

#: Versions of each digit, in consecutive rows
VERSIONS = 8
#: Greatest angle (degrees), smallest and greatest size, greatest shift (of half the image's side)
ANGLE, SCALE, SHIFT = 60.0, (0.8, 1.2), 0.25
#: Smallest and greatest difference between digit and ground, of the whole range of brightness
CONTRAST = (0.5, 0.9)
#: Share of the uneven ground in the image, and how many random values a side it is interpolated from
GROUND, KNOTS = 0.15, 3
#: Standard deviation of each pixel's noise
NOISE = 0.02
#: Images at once, few enough to stay in the processor's cache
_CHUNK = 250


def harder(arrays: Arrays, seed: int = 0) -> Arrays:
    """``VERSIONS`` versions of each image of ``arrays``, whose images are (n, 1, H, W), with a dark ground.

    The same seed gives the same pixels, on every machine. Images become (``VERSIONS`` n, 1, H, W), labels as many, the
    versions of one image in consecutive rows.

    Raises:
        DataError: ``arrays`` has a test part of its own.
    """
    if arrays.test is not None:
        raise DataError("the test part would stay as easy as it is: put all images into one part, and split later")
    images, labels = arrays.train
    rng = np.random.default_rng(seed)
    images, labels = np.repeat(images, VERSIONS, axis=0), np.repeat(labels, VERSIONS)
    result = np.empty_like(images)
    for start in range(0, len(images), _CHUNK):
        chunk = slice(start, start + _CHUNK)
        # float64: what is left of rounding differs between machines, but not so much that a pixel would
        digits = _warped(torch.from_numpy(images[chunk]).double() / 255, rng)
        result[chunk] = (_painted(digits, rng) * 255).round().clamp(0, 255).numpy()
    return replace(arrays, train=(result, labels), versions=VERSIONS)


def _warped(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Each image turned, scaled and shifted, with bilinear interpolation; (n, 1, H, W) in 0..1."""
    count, _, height, width = images.shape
    angle = np.deg2rad(rng.uniform(-ANGLE, ANGLE, count))[:, None, None]
    scale = rng.uniform(*SCALE, count)[:, None, None]
    shift_x, shift_y = rng.uniform(-SHIFT, SHIFT, (2, count, 1, 1))
    # the centres of the pixels, from -1 to 1 over the image
    y = ((2 * np.arange(height) + 1) / height - 1)[:, None]
    x = (2 * np.arange(width) + 1) / width - 1
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    # the place in the old image that each pixel of the new one shows
    places = np.stack([cosine * x - sine * y + shift_x, sine * x + cosine * y + shift_y], -1)
    return F.grid_sample(images, torch.from_numpy(places), align_corners=False)


def _painted(digits: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Digits with a contrast of their own, half of them dark on light, on uneven ground, with noise."""
    count = len(digits)

    def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(rng.uniform(low, high, (count, 1, *shape)))

    contrast = uniform(*CONTRAST, 1, 1)
    shown = digits * contrast + (1 - contrast) * uniform(0, 1, 1, 1)
    shown = torch.where(uniform(0, 1, 1, 1) < 0.5, 1 - shown, shown)
    knots = uniform(0, 1, KNOTS, KNOTS)
    ground = F.interpolate(knots, size=digits.shape[-2:], mode="bicubic", align_corners=True).clamp(0, 1)
    noise = torch.from_numpy(rng.normal(0, NOISE, tuple(digits.shape)))
    return (1 - GROUND) * shown + GROUND * ground + noise
