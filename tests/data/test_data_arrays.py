"""Splits, statistics, fingerprints, and arrays that do not fit together."""

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mngnas_lib.data import ImageData, Part, describe, from_arrays
from mngnas_lib.data.arrays import stratified
from mngnas_lib.data.images import channel_statistics
from mngnas_lib.errors import ConfigError, DataError

CLASSES = 4


def numbered(count: int, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 3, 2, 2) that carry their number in two pixels, and labels: class of number modulo 4."""
    numbers = np.arange(first, first + count)
    images = np.random.default_rng(first).integers(0, 256, (count, 3, 2, 2), dtype=np.uint8)
    images[:, 0, 0, 0], images[:, 0, 0, 1] = numbers % 256, numbers // 256
    return images, numbers % CLASSES


def numbers_of(part: Part) -> list[int]:
    return (part.images[:, 0, 0, 0].int() + 256 * part.images[:, 0, 0, 1].int()).tolist()


def load(**settings) -> ImageData:
    """400 images to train and validate with, 80 to test."""
    return from_arrays(*numbered(400), *numbered(80, 400), **settings)


# ---------------------------------------------------------------------- splits


@given(st.data(), st.lists(st.integers(0, 5), min_size=1, max_size=60), st.integers(0, 10))
def test_stratified_keeps_shares(data: st.DataObject, labels: list[int], seed: int):
    count = data.draw(st.integers(0, len(labels)))
    labels = np.array(labels)
    mask = stratified(labels, count, np.random.default_rng(seed))
    assert mask.sum() == count
    for label in range(6):
        share = count * (labels == label).mean()
        assert abs(mask[labels == label].sum() - share) < 1


def test_stratified_draws_every_image_equally_often():
    labels = np.repeat([0, 1], [6, 3])
    drawn = sum(stratified(labels, 3, np.random.default_rng(seed)).astype(int) for seed in range(3000))
    assert np.abs(drawn / 3000 - 1 / 3).max() < 0.04  # more than four standard deviations


def test_parts_are_disjoint_and_complete():
    data = load(valid_fraction=0.2)
    train, valid, test = (numbers_of(part) for part in data.parts.values())
    assert sorted(train + valid) == list(range(400))
    assert sorted(test) == list(range(400, 480))
    assert (len(train), len(valid), len(test)) == (320, 80, 80)


def test_labels_stay_with_their_images():
    for part in load(count=100, test_count=20, size=2).parts.values():
        assert part.labels.tolist() == [number % CLASSES for number in numbers_of(part)]
        assert part.images.dtype == torch.uint8 and part.labels.dtype == torch.int64


def test_counts_are_of_all_and_stratified():
    data = load(count=100, test_count=24, valid_fraction=0.2)
    counts = [torch.bincount(part.labels, minlength=CLASSES).tolist() for part in data.parts.values()]
    assert counts == [[20] * 4, [5] * 4, [6] * 4]


def test_test_part_is_drawn_where_there_is_none():
    data = from_arrays(*numbered(400), test_fraction=0.25)
    assert [len(part) for part in data.parts.values()] == [270, 30, 100]
    assert torch.bincount(data.test.labels).tolist() == [25] * 4
    assert sorted(number for part in data.parts.values() for number in numbers_of(part)) == list(range(400))


def test_seed_decides_everything():
    one, same, other = load(count=200, seed=1), load(count=200, seed=1), load(count=200, seed=2)
    for name in ("train", "valid", "test"):
        assert numbers_of(getattr(one, name)) == numbers_of(getattr(same, name))
        assert numbers_of(getattr(one, name)) != numbers_of(getattr(other, name))
    assert one.fingerprint == same.fingerprint != other.fingerprint


def test_count_leaves_the_test_part():
    few, many = (from_arrays(*numbered(400), count=count, seed=3) for count in (40, 300))
    assert numbers_of(few.test) == numbers_of(many.test)


def test_parts_are_not_in_order_of_class():
    images, labels = numbered(400)
    order = np.argsort(labels, kind="stable")
    for part in from_arrays(images[order], labels[order]).parts.values():
        counts = torch.bincount(part.labels[: len(part) // 2], minlength=CLASSES)
        assert (counts > len(part) / 2 / CLASSES / 3).all()


def test_parts_may_be_empty_but_training():
    data = load(valid_fraction=0, test_count=0)
    assert (len(data.train), len(data.valid), len(data.test)) == (400, 0, 0)
    assert data.valid.images.shape == (0, 3, 2, 2)


# ---------------------------------------------------------------------- statistics and identity


def test_statistics_are_of_the_training_part_alone():
    images, labels = numbered(400)
    data = from_arrays(images, labels, np.full((8, 3, 2, 2), 255, np.uint8), np.arange(8) % CLASSES, valid_fraction=0.5)
    pixels = data.train.images.numpy().astype(np.float64) / 255
    assert np.allclose(data.mean, pixels.mean((0, 2, 3)), atol=1e-7)
    assert np.allclose(data.std, pixels.std((0, 2, 3)), atol=1e-7)
    assert data.mean.dtype == data.std.dtype == torch.float32 and data.mean.shape == data.std.shape == (3,)
    normalised = data.normalise(data.train.images)
    assert normalised.mean((0, 2, 3)).abs().max() < 1e-5
    assert (normalised.std((0, 2, 3), correction=0) - 1).abs().max() < 1e-5


def test_constant_channel_becomes_zero():
    images = torch.full((5, 2, 3, 3), 7, dtype=torch.uint8)
    images[:2, 1] = 255
    mean, std = channel_statistics(images)
    assert torch.allclose(mean, torch.tensor([7 / 255, (2 * 255 + 3 * 7) / 5 / 255]))
    assert std[0] == 1 and abs(std[1] - 248 / 255 * (0.4 * 0.6) ** 0.5) < 1e-6


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_normalise_keeps_memory_format_and_its_input(memory_format: torch.memory_format):
    data = load()
    images = data.train.images[:10].contiguous(memory_format=memory_format)
    before = images.clone()
    normalised = data.normalise(images)
    assert torch.equal(images, before)
    assert normalised.dtype == torch.float32 and normalised.stride() == images.stride()
    expected = (images.double() / 255 - data.mean.view(3, 1, 1)) / data.std.view(3, 1, 1)
    assert torch.allclose(normalised.double(), expected, atol=1e-6)


def test_fingerprint_is_of_the_content():
    images, labels = numbered(400)
    mark = from_arrays(images, labels, name="one").fingerprint
    assert from_arrays(images.copy(), labels.astype(np.uint64), name="other").fingerprint == mark
    assert len(mark) == 16
    changed = images.copy()
    changed[123, 2, 1, 1] ^= 1
    others = [
        from_arrays(changed, labels),
        from_arrays(images, (labels + 1) % CLASSES),
        from_arrays(images, labels, class_names="abcd"),
        from_arrays(images, labels, valid_fraction=0.2),
        from_arrays(images, labels, size=1),
    ]
    assert len({mark, *(other.fingerprint for other in others)}) == 6


def test_moving_keeps_everything():
    data = load()
    moved = data.to("meta")
    assert {part.images.device.type for part in moved.parts.values()} == {"meta"}
    assert moved.mean.device.type == moved.std.device.type == moved.train.labels.device.type == "meta"
    assert (moved.fingerprint, moved.input_shape, moved.num_classes) == (data.fingerprint, (3, 2, 2), 4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.name = "other"


def test_describe_is_plain_data():
    data = load(count=100, test_count=8)
    facts = describe(data)
    # 10 of 100 are for validation: 3 of the first two classes, 2 of the others
    assert facts["parts"]["train"] == {"images": 90, "classes": {"0": 22, "1": 22, "2": 23, "3": 23}}
    assert facts["parts"]["test"] == {"images": 8, "classes": {"0": 2, "1": 2, "2": 2, "3": 2}}
    assert facts["input_shape"] == [3, 2, 2] and facts["num_classes"] == 4
    assert facts["mean"] == pytest.approx(data.mean.tolist()) and facts["std"] == pytest.approx(data.std.tolist())
    assert facts["fingerprint"] == data.fingerprint
    assert facts["bytes"] == 108 * (3 * 2 * 2 + 8)
    assert facts["cache"] is None


# ---------------------------------------------------------------------- bad input


def swap(position: int, value: object):
    arrays = [*numbered(40), *numbered(8, 40)]
    arrays[position] = value
    return arrays


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (swap(1, np.full(40, -1)), "40 training labels are out of range, the first is -1 of image 0"),
        (swap(3, np.array([0, 1, 2, 9, 0, 1, 2, 3])), "1 test labels are out of range, the first is 9 of image 3"),
        (swap(1, np.arange(39)), "40 training images need as many labels"),
        (swap(1, np.zeros(40)), "whole numbers; there are float64 labels"),
        (swap(1, np.append(np.zeros(39, int), 10**15)), "labels are out of range"),
        (swap(0, np.zeros((40, 3, 2, 2))), "must be uint8 .* they are float64"),
        (swap(0, np.zeros((40, 2, 2), np.uint8)), r"of shape \(40, 2, 2\)"),
        (swap(2, np.zeros((8, 1, 2, 2), np.uint8)), r"test images are \(1, 2, 2\), training images \(3, 2, 2\)"),
        (swap(3, None), "give both or none"),
        ((np.zeros((0, 3, 2, 2), np.uint8), np.zeros(0, int)), "at least one class"),
    ],
)
def test_arrays_that_do_not_fit(arrays, message: str):
    with pytest.raises(DataError, match=message):
        from_arrays(*arrays, name="mine")


def test_class_without_training_images():
    with pytest.raises(DataError, match=r"mine: the training part of 360 images has none of class birds: .*add some"):
        from_arrays(*numbered(400), *numbered(8), class_names=("a", "b", "c", "d", "birds"), name="mine")
    with pytest.raises(DataError, match="none of class 3: ask for more images"):
        load(count=3, valid_fraction=0)
    with pytest.raises(DataError, match="names must differ"):
        load(class_names=("a", "a", "b", "c"))


def test_more_images_than_there_are():
    with pytest.raises(DataError, match="mine: count=401 is more than the 400 images there are: ask for at most 400"):
        load(count=401, name="mine")
    with pytest.raises(DataError, match="test_count=81 is more than the 80"):
        load(test_count=81)
    assert len(load(count=400, valid_fraction=0).train) == 400


@pytest.mark.parametrize(
    "settings",
    [{"size": 0}, {"count": 0}, {"test_count": -1}, {"valid_fraction": 1.0}, {"valid_fraction": -0.1}, {"seed": -1}],
)
def test_settings_out_of_range(settings: dict):
    with pytest.raises(ConfigError, match=next(iter(settings))):
        load(**settings)
