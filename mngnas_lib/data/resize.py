"""Resolution: a pixel of the result is the mean of the picture over that pixel's area."""

from __future__ import annotations

import functools

import numpy as np

#: Images that are resized at once: bounds the memory for their floating-point copy.
_CHUNK = 512


def resize_area(images: np.ndarray, size: int) -> np.ndarray:
    """Resize by area interpolation: (n, C, H, W) or (C, H, W), uint8, to ``size`` pixels a side.

    Pixels that an output pixel covers in part count by the share covered, which Pillow's BOX filter and torch's
    ``area`` mode do not do where the ratio is no whole number (28 to 16). The same rule enlarges: by a whole factor
    it repeats pixels, otherwise it blends at their borders. Of an image that is not square, the largest square in
    its middle is taken. The computation is in whole numbers, rounding halves up, so that every machine gives the same.
    """
    height, width = images.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = images[..., top : top + side, left : left + side]
    if side == size:
        return np.ascontiguousarray(square)
    overlaps = _overlaps(side, size)
    if images.ndim == 3:
        return _resize(square, overlaps)
    result = np.empty((*images.shape[:-2], size, size), np.uint8)
    for start in range(0, len(images), _CHUNK):
        result[start : start + _CHUNK] = _resize(square[start : start + _CHUNK], overlaps)
    return result


@functools.lru_cache(maxsize=256)  # the images of a folder have few shapes
def _overlaps(side: int, size: int) -> np.ndarray:
    """(size, side): length of output pixel i that lies over input pixel j, in 1/size of an input pixel.

    In this unit all borders are whole numbers: output pixel i lies on [i * side, (i + 1) * side), and input pixel j on
    [j * size, (j + 1) * size). Each row adds up to ``side``.
    """
    output, source = np.arange(size)[:, None], np.arange(side)[None, :]
    ends = np.minimum((output + 1) * side, (source + 1) * size)
    starts = np.maximum(output * side, source * size)
    return np.clip(ends - starts, 0, None)


def _resize(square: np.ndarray, overlaps: np.ndarray) -> np.ndarray:
    area = square.shape[-1] ** 2
    # floating-point products of whole numbers are exact as long as the sums fit the mantissa
    dtype = np.float32 if 255 * area < 2**24 else np.float64
    weights = overlaps.astype(dtype)
    sums = weights @ (square.astype(dtype) @ weights.T)
    return ((2 * sums.astype(np.int64) + area) // (2 * area)).astype(np.uint8)
