"""Digits made harder, in versions that stay together."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from mngnas_lib.data import hard_digits, load_images
from mngnas_lib.data.arrays import Arrays, Split, assemble
from mngnas_lib.data.hard_digits import VERSIONS, harder
from mngnas_lib.errors import DataError


def arrays(count: int = 20, side: int = 16) -> Arrays:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 1, side, side)).astype(np.uint8)
    return Arrays((images, np.arange(count) % 2), None, ("a", "b"))


def test_same_seed_same_pixels():
    first, again, other = harder(arrays(), 0), harder(arrays(), 0), harder(arrays(), 1)
    assert (first.train[0] == again.train[0]).all()
    assert (first.train[0] != other.train[0]).any()
    assert first.train[0].dtype == np.uint8 and first.train[0].shape == (20 * VERSIONS, 1, 16, 16)
    assert (first.train[1] == np.repeat(arrays().train[1], VERSIONS)).all()


def test_a_test_part_of_its_own_is_refused():
    plain = arrays()
    with pytest.raises(DataError, match="put all images into one part"):
        harder(replace(plain, test=plain.train))


def test_fingerprint_of_the_shipped_images():
    """The tables of trainings that come with the kit are about these very pixels."""
    data = load_images("hard-digits", size=12)
    assert data.fingerprint == "8ae6b732d5d0a8dd"
    assert [len(part) for part in data.parts.values()] == [3600 * 8, 400 * 8, 1000 * 8]


def test_warp_agrees_with_scipys(monkeypatch):
    monkeypatch.setattr(hard_digits, "SHIFT", 0.0)
    image = np.zeros((1, 1, 21, 21))
    image[0, 0, 4:12, 7:16] = np.random.default_rng(0).uniform(size=(8, 9))
    warped = hard_digits._warped(torch.from_numpy(image), np.random.default_rng(5))[0, 0].numpy()
    rng = np.random.default_rng(5)
    angle, scale = np.deg2rad(rng.uniform(-60, 60, 1))[0], rng.uniform(0.8, 1.2, 1)[0]
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / scale
    centre = np.array([10.0, 10.0])
    expected = ndimage.affine_transform(image[0, 0], matrix, centre - matrix @ centre, order=1)
    assert warped == pytest.approx(expected, abs=1e-9)


def test_ink_is_as_bright_as_the_contrast(monkeypatch):
    for name, value in (("GROUND", 0.0), ("NOISE", 0.0)):
        monkeypatch.setattr(hard_digits, name, value)
    digits = torch.zeros(500, 1, 4, 4, dtype=torch.float64)
    digits[:, :, 0] = 1.0
    shown = hard_digits._painted(digits, np.random.default_rng(0))
    difference = (shown[:, 0, 0, 0] - shown[:, 0, 1, 0]).numpy()
    assert np.abs(difference).min() >= 0.5 and np.abs(difference).max() <= 0.9
    assert 0.4 < (difference < 0).mean() < 0.6
    assert float(shown.min()) >= 0 and float(shown.max()) <= 1


def test_versions_of_a_digit_are_in_one_part():
    count, versions = 60, 3
    # each original has a brightness of its own, so that its versions are known by it
    images = np.repeat(np.arange(count, dtype=np.uint8), versions)[:, None, None, None] * np.ones(
        (1, 1, 2, 2), np.uint8
    )
    labels = np.repeat(np.arange(count) % 3, versions)
    source = Arrays((images, labels), None, ("a", "b", "c"), versions=versions)
    data = assemble("x", source, Split(count=30, test_count=9, valid_fraction=0.2))
    assert [len(part) for part in data.parts.values()] == [24 * 3, 6 * 3, 9 * 3]
    originals = [part.images[:, 0, 0, 0].tolist() for part in data.parts.values()]
    for ours in originals:
        assert all(ours.count(one) == versions for one in ours)
    sets = list(map(set, originals))
    assert not sets[0] & sets[1] and not sets[0] & sets[2] and not sets[1] & sets[2]
    for part in data.parts.values():
        assert (part.images[:, 0, 0, 0] % 3 == part.labels).all()
        assert (np.diff(part.images[:, 0, 0, 0].numpy().astype(int)) != 0).any()  # mixed, not version by version
