"""Area interpolation against a reference that repeats every pixel until the ratio is whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mngnas_lib.data import resize_area


def reference(image: np.ndarray, size: int) -> np.ndarray:
    """Blow the square image up ``size`` times, then average blocks of the old side; halves up."""
    side = image.shape[-1]
    large = image.astype(np.int64).repeat(size, -1).repeat(size, -2)
    blocks = large.reshape(*image.shape[:-2], size, side, size, side).sum((-3, -1))
    return np.floor_divide(2 * blocks + side * side, 2 * side * side).astype(np.uint8)


@given(st.integers(1, 14), st.integers(1, 14), st.integers(0, 2**32 - 1))
def test_is_the_mean_over_each_output_pixel(side: int, size: int, seed: int):
    images = np.random.default_rng(seed).integers(0, 256, (2, 3, side, side), dtype=np.uint8)
    assert np.array_equal(resize_area(images, size), reference(images, size))


def test_by_hand():
    image = np.array([[[0, 90, 60]] * 3], np.uint8)
    # output pixels are 1.5 input pixels wide: (0 + 90/2) / 1.5 = 30, (90/2 + 60) / 1.5 = 70
    assert resize_area(image, 2).tolist() == [[[30, 70], [30, 70]]]
    assert resize_area(np.array([[[0, 1], [1, 0]]], np.uint8), 1).tolist() == [[[1]]]  # 0.5 is rounded up
    assert resize_area(np.array([[[7]]], np.uint8), 2).tolist() == [[[7, 7], [7, 7]]]


def test_same_size_leaves_the_images():
    images = np.random.default_rng(0).integers(0, 256, (3, 2, 5, 5), dtype=np.uint8)
    assert np.array_equal(resize_area(images, 5), images)


@pytest.mark.parametrize("side", [256, 257, 700])
def test_large_images_stay_exact(side: int):
    """From 257 pixels on, sums no longer fit single precision."""
    image = np.full((1, side, side), 255, np.uint8)
    assert (resize_area(image, 3) == 255).all()
    image = np.random.default_rng(side).integers(0, 256, (1, side, side), dtype=np.uint8)
    assert np.array_equal(resize_area(image, 5), reference(image, 5))
    image = np.full((1, 2 * side, 2 * side), 201, np.uint8)
    image[:, ::2] = 200
    assert resize_area(image, 1) == 201  # the mean is 200.5
    image[0, 0, 0] -= 1
    assert resize_area(image, 1) == 200


def test_many_images_in_chunks():
    images = np.random.default_rng(0).integers(0, 256, (1300, 1, 4, 4), dtype=np.uint8)
    assert np.array_equal(resize_area(images, 3), np.stack([resize_area(image, 3) for image in images]))


def test_middle_square_of_an_oblong_image():
    image = np.arange(24, dtype=np.uint8).reshape(1, 4, 6)
    assert np.array_equal(resize_area(image, 4), image[:, :, 1:5])
    assert np.array_equal(resize_area(image.transpose(0, 2, 1), 4), image[:, :, 1:5].transpose(0, 2, 1))


def test_whole_ratios_are_pillows_box_filter():
    """Up to one level: Pillow rounds between its two passes."""
    image = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
    box = np.asarray(Image.fromarray(image).resize((16, 16), Image.Resampling.BOX)).astype(int)
    assert np.abs(box - resize_area(image[None], 16)[0]).max() <= 1
