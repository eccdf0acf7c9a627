"""From arrays of images to a data set: checks, stratified splits, resolution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from mngnas_lib.data.images import ImageData, Part, make_data
from mngnas_lib.data.resize import resize_area
from mngnas_lib.errors import ConfigError, DataError


@dataclass(frozen=True, eq=False)
class Arrays:
    """Images (n, C, H, W), uint8, and labels (n,) as a source gives them; ``test`` is its own test part, if any.

    Where ``versions`` is above 1, so many consecutive rows are versions of one original. They stay in one part, and
    numbers of images, as in :class:`Split`, are numbers of originals.
    """

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray] | None
    class_names: tuple[str, ...]
    cache: Path | None = None
    versions: int = 1


@dataclass(frozen=True)
class Split:
    """How many images, at what resolution, and from which seed.

    Attributes:
        size: pixels a side; None leaves them as they are.
        count: number of training and validation images together; None takes all there are.
        test_count: number of test images; None takes all there are.
        valid_fraction: share of ``count`` that is for validation.
        test_fraction: share of all images that is set apart as test part where the source has none.
    """

    size: int | None = None
    count: int | None = None
    test_count: int | None = None
    valid_fraction: float = 0.1
    test_fraction: float = 0.2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.size is not None and self.size < 1:
            raise ConfigError(f"size is the number of pixels a side, it cannot be {self.size}")
        if self.count is not None and self.count < 1:
            raise ConfigError(f"count is the number of training and validation images, it cannot be {self.count}")
        if self.test_count is not None and self.test_count < 0:
            raise ConfigError(f"test_count is the number of test images, it cannot be {self.test_count}")
        for name in ("valid_fraction", "test_fraction"):
            if not 0 <= getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 0 and below 1, it is {getattr(self, name)}")
        if self.seed < 0:
            raise ConfigError(f"a seed must not be negative, it is {self.seed}")


def from_arrays(
    images: np.ndarray,
    labels: np.ndarray,
    test_images: np.ndarray | None = None,
    test_labels: np.ndarray | None = None,
    *,
    class_names: Sequence[str] | None = None,
    name: str = "arrays",
    size: int | None = None,
    count: int | None = None,
    test_count: int | None = None,
    valid_fraction: float = 0.1,
    test_fraction: float = 0.2,
    seed: int = 0,
    device: torch.device | str = "cpu",
) -> ImageData:
    """Image data from images (n, C, H, W), uint8, and labels (n,), whole numbers from 0 on.

    Args:
        class_names: by default ``"0"``, ``"1"``, ... up to the largest training label.
        name: shown to users, and in error messages.

    The other arguments are those of :func:`mngnas_lib.data.load_images`; ``test_fraction`` of the images are set apart
    as the test part if none is given.

    Raises:
        DataError: arrays that do not fit together, labels out of range, a class without an image, or too few images.
        ConfigError: settings out of range.
    """
    if (test_images is None) != (test_labels is None):
        raise DataError(f"{name}: test images need test labels, and test labels need images: give both or none")
    images, labels = np.asarray(images), np.asarray(labels)
    if class_names is None:
        # no more classes than images: a stray huge label shall be an error, not a huge list
        largest = labels.max() if labels.size and np.issubdtype(labels.dtype, np.integer) else 0
        class_names = tuple(str(number) for number in range(min(max(int(largest) + 1, 1), labels.size)))
    test = None if test_images is None else (np.asarray(test_images), np.asarray(test_labels))
    arrays = Arrays((images, labels), test, tuple(class_names))
    split = Split(size, count, test_count, valid_fraction, test_fraction, seed)
    return assemble(name, arrays, split).to(device)


def assemble(name: str, arrays: Arrays, split: Split) -> ImageData:
    """Check ``arrays``, draw the parts, and resize what was drawn.

    Each decision has its own random stream, so that for example another ``count`` leaves the test part as it is.
    """
    _check(name, arrays)
    images, labels = arrays.train[0], arrays.train[1].astype(np.int64)[:: arrays.versions]
    streams = [np.random.default_rng([split.seed, number]) for number in range(4)]
    pool = np.arange(len(labels))
    if arrays.test is None:
        chosen = stratified(labels, round(split.test_fraction * len(labels)), streams[0])
        test_images, test_labels, test_pool = images, labels, pool[chosen]
        pool = pool[~chosen]
    else:
        test_images, test_labels = arrays.test[0], arrays.test[1].astype(np.int64)[:: arrays.versions]
        test_pool = np.arange(len(test_labels))

    pool = _take(f"{name}: count", labels, pool, split.count, streams[1])
    test_pool = _take(f"{name}: test_count", test_labels, test_pool, split.test_count, streams[2])
    is_valid = stratified(labels[pool], round(split.valid_fraction * len(pool)), streams[3])
    train_pool, valid_pool = pool[~is_valid], pool[is_valid]
    present = np.bincount(labels[train_pool], minlength=len(arrays.class_names))
    if not present.all():
        missing = [arrays.class_names[i] for i in np.flatnonzero(present == 0)]
        raise DataError(
            f"{name}: the training part of {len(train_pool)} images has none of class {_some(missing)}: "
            "ask for more images, or add some of that class"
        )

    def part(images: np.ndarray, labels: np.ndarray, index: np.ndarray, rng: np.random.Generator) -> Part:
        rows = rng.permutation((index[:, None] * arrays.versions + np.arange(arrays.versions)).ravel())
        chosen = images[rows] if split.size is None else resize_area(images[rows], split.size)
        return Part(torch.from_numpy(np.ascontiguousarray(chosen)), torch.from_numpy(labels[rows // arrays.versions]))

    return make_data(
        name,
        part(images, labels, train_pool, streams[1]),
        part(images, labels, valid_pool, streams[3]),
        part(test_images, test_labels, test_pool, streams[2]),
        arrays.class_names,
        arrays.cache,
    )


def stratified(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Mask of ``count`` entries, each class in proportion to its share, drawn at random within the class.

    Shares are rounded by largest remainders, so each class is within one entry of its exact share; equal remainders
    go to the lower class.
    """
    sizes = np.bincount(labels)
    shares = sizes * count  # in units of 1/n entries: whole numbers, so that remainders compare exactly
    total = max(1, len(labels))
    quotas, remainders = shares // total, shares % total
    quotas[np.argsort(-remainders, kind="stable")[: count - quotas.sum()]] += 1
    order = rng.permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    rank_in_class = np.arange(len(labels)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    mask = np.zeros(len(labels), bool)
    mask[by_class[rank_in_class < np.repeat(quotas, sizes)]] = True
    return mask


def _take(what: str, labels: np.ndarray, pool: np.ndarray, count: int | None, rng: np.random.Generator) -> np.ndarray:
    if count is None:
        return pool
    if count > len(pool):
        raise DataError(f"{what}={count} is more than the {len(pool)} images there are: ask for at most {len(pool)}")
    return pool[stratified(labels[pool], count, rng)]


def _check(name: str, arrays: Arrays) -> None:
    """Types, shapes, and labels of what a source or a user gave."""
    if not arrays.class_names or len(set(arrays.class_names)) < len(arrays.class_names):
        raise DataError(f"{name}: there must be at least one class, and class names must differ")
    shape = None
    for part, (images, labels) in (("training", arrays.train), ("test", arrays.test or arrays.train)):
        if images.dtype != np.uint8 or images.ndim != 4:
            raise DataError(
                f"{name}: {part} images must be uint8 of shape (images, channels, height, width), "
                f"they are {images.dtype} of shape {images.shape}"
            )
        if shape not in (None, images.shape[1:]):
            raise DataError(f"{name}: test images are {images.shape[1:]}, training images {shape}: make them the same")
        shape = images.shape[1:]
        if labels.shape != (len(images),) or not np.issubdtype(labels.dtype, np.integer):
            raise DataError(
                f"{name}: {len(images)} {part} images need as many labels, whole numbers; "
                f"there are {labels.dtype} labels of shape {labels.shape}"
            )
        wrong = np.flatnonzero((labels < 0) | (labels >= len(arrays.class_names)))
        if len(wrong):
            raise DataError(
                f"{name}: {len(wrong)} {part} labels are out of range, the first is {labels[wrong[0]]} of image "
                f"{wrong[0]}: with {len(arrays.class_names)} classes labels are 0 to {len(arrays.class_names) - 1}; "
                "correct them, or name all classes"
            )


def _some(names: list[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
