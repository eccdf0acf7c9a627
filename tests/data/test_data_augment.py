"""Augmentation: every image is a shifted, mirrored copy with one square erased, each by its own draw."""

import itertools

import numpy as np
import pytest
import torch

from mngnas_lib.data import Augment
from mngnas_lib.errors import ConfigError


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pixels(batch: int, channels: int = 2, height: int = 5, width: int = 6) -> torch.Tensor:
    """Images whose values all differ, and differ from zero."""
    return torch.arange(1.0, batch * channels * height * width + 1).view(batch, channels, height, width)


def shifted(image: np.ndarray, up: int, left: int, mirror: bool) -> np.ndarray:
    """Reference: pad with zeros, cut out, then mirror."""
    _, height, width = image.shape
    big = np.pad(image, ((0, 0), (height, height), (width, width)))
    part = big[:, height + up : 2 * height + up, width + left : 2 * width + left]
    return part[:, :, ::-1] if mirror else part


@pytest.mark.parametrize(("pad", "flip"), [(2, False), (0, True), (2, True), (7, True)])
def test_crop_and_flip_are_copies(pad: int, flip: bool):
    images = pixels(60)
    result = Augment(pad=pad, flip=flip)(images, draws()).numpy()
    moves = list(itertools.product(range(-pad, pad + 1), range(-pad, pad + 1), (False, True) if flip else (False,)))
    used = set()
    for image, new in zip(images.numpy(), result, strict=True):
        found = [move for move in moves if np.array_equal(shifted(image, *move), new)]
        assert found
        used.add(found[0])
    assert len(used) > min(len(moves), 60) / 3  # images have draws of their own


def test_shifts_and_flips_are_uniform():
    images = torch.zeros(20_000, 1, 5, 5)
    images[:, 0, 2, 1] = 1  # mirrored: column 3
    result = Augment(pad=1, flip=True)(images, draws())
    rows, columns = (result[:, 0] == 1).nonzero()[:, 1:].T
    assert len(rows) == len(images)
    counts = torch.bincount(rows * 5 + columns, minlength=25).view(5, 5)[1:4] / len(images)
    # columns 1 and 3 are off by one of one centre, or exactly the other's: 0 1 2 from column 1, 2 3 4 from column 3
    expected = torch.tensor([1, 1, 2, 1, 1]) / 18
    assert (counts - expected).abs().max() < 0.01
    assert abs(counts.sum() - 1) < 1e-6


@pytest.mark.parametrize("cutout", [1, 2, 3, 4])
def test_cutout_erases_one_square(cutout: int):
    images = torch.ones(4_000, 3, 6, 6)
    erased = Augment(cutout=cutout)(images, draws()) == 0
    assert torch.equal(erased[:, 0], erased[:, 1]) and torch.equal(erased[:, 0], erased[:, 2])
    erased = erased[:, 0]
    # a square around each of the 36 centres, cut at the border
    before = cutout // 2
    squares = {}
    for row, column in itertools.product(range(6), range(6)):
        mask = torch.zeros(6, 6, dtype=torch.bool)
        mask[max(0, row - before) : row - before + cutout, max(0, column - before) : column - before + cutout] = True
        squares[mask.numpy().tobytes()] = squares.get(mask.numpy().tobytes(), 0) + 1
    seen = {}
    for mask in erased.numpy():
        seen[mask.tobytes()] = seen.get(mask.tobytes(), 0) + 1
    assert seen.keys() == squares.keys()
    for mask, centres in squares.items():
        assert abs(seen[mask] / 4_000 - centres / 36) < 0.02


def test_all_together():
    images = pixels(200)
    result = Augment(pad=1, flip=True, cutout=3)(images, draws()).numpy()
    for image, new in zip(images.numpy(), result, strict=True):
        kept = new != 0
        fits = [
            move
            for move in itertools.product((-1, 0, 1), (-1, 0, 1), (False, True))
            if np.array_equal(np.where(kept, shifted(image, *move), 0), new)
            # what is missing beyond the shift's border is one square of at most 3x3
            and ((shifted(image, *move) != 0) & ~kept)[0].sum() <= 9
        ]
        assert fits
    assert (result[:, 0] == 0).any((1, 2)).all()


@pytest.mark.parametrize("channels", [1, 3])
def test_memory_formats_agree(channels: int):
    augment = Augment(pad=2, flip=True, cutout=3)
    images = torch.randn(16, channels, 8, 8)
    plain = augment(images, draws(3))
    last = augment(images.contiguous(memory_format=torch.channels_last), draws(3))
    assert torch.equal(plain, last)
    assert plain.is_contiguous() and last.is_contiguous(memory_format=torch.channels_last)
    assert last.stride() == images.contiguous(memory_format=torch.channels_last).stride()


def test_views_and_types():
    augment = Augment(pad=1, flip=True, cutout=2)
    images = torch.randn(8, 3, 6, 6)
    expected = augment(images, draws())
    assert torch.equal(augment(images.transpose(2, 3).contiguous().transpose(2, 3), draws()), expected)
    assert torch.equal(augment(torch.cat([images, images], 3)[..., :6], draws()), expected)
    assert torch.equal(augment(images.to(torch.bfloat16), draws()), expected.to(torch.bfloat16))


def test_generator_decides_and_moves_on():
    augment = Augment(pad=2, flip=True, cutout=2)
    images = torch.randn(32, 3, 8, 8)
    before = images.clone()
    generator = draws(5)
    first, second = augment(images, generator), augment(images, generator)
    assert torch.equal(images, before)
    assert not torch.equal(first, second)
    assert torch.equal(first, augment(images, draws(5)))
    torch.manual_seed(0)
    state = torch.get_rng_state()
    augment(images, draws())
    assert torch.equal(state, torch.get_rng_state())


def test_nothing_to_do():
    images = torch.randn(4, 1, 5, 5)
    generator = draws()
    state = generator.get_state()
    assert Augment()(images, generator) is images
    assert torch.equal(generator.get_state(), state)


@pytest.mark.parametrize("settings", [{"pad": -1}, {"cutout": -2}, {"pad": 1.5}])
def test_settings_out_of_range(settings: dict):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        Augment(**settings)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_same_on_a_gpu():
    augment = Augment(pad=2, flip=True, cutout=3)
    for memory_format in (torch.contiguous_format, torch.channels_last):
        images = torch.randn(64, 3, 8, 8).contiguous(memory_format=memory_format)
        there = augment(images.cuda(), draws())
        assert torch.equal(there.cpu(), augment(images, draws()))
        assert there.is_contiguous(memory_format=memory_format)
    own = torch.Generator("cuda")
    assert torch.equal(augment(images.cuda(), own.manual_seed(1)), augment(images.cuda(), own.manual_seed(1)))
