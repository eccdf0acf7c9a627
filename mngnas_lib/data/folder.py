"""Image folders: ``PATH/train/<class>/...`` and ``PATH/test/<class>/...``, decoded once.

* Every file below a class's folder is an image, except hidden ones (and ``Thumbs.db``, ``desktop.ini``).
* Images become RGB: grey ones get three equal channels, transparency is dropped, and the first frame of several counts.
  As in torchvision's ImageFolder, a rotation that a camera noted is not applied. 16-bit and floating-point images are
  refused.
* With a size, the largest square in the middle of the image is resized to it. Without, all images must be of one shape.
* The decoded images are kept in a cache file. It is used as long as names, sizes and modification times of all files
  are what they were, and its checksum holds; otherwise it is made anew.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image
from tqdm.auto import tqdm

from mngnas_lib.data.arrays import Arrays
from mngnas_lib.data.cache import DamagedError, read_arrays, write_arrays
from mngnas_lib.data.resize import resize_area
from mngnas_lib.errors import DataError

_PARTS = ("train", "test")
_NO_IMAGES = {"thumbs.db", "desktop.ini"}
#: Files that one thread decodes before it takes the next lot.
_LOT = 64


@dataclass(frozen=True)
class Listing:
    """What a folder holds: classes, files and labels of each part, and a hash of names, sizes and times."""

    classes: tuple[str, ...]
    files: dict[str, list[str]]
    labels: dict[str, np.ndarray]
    state: str


def read_folder(folder: Path, *, size: int | None, cache: Path, progress: bool | None = None) -> Arrays:
    """The images of ``folder``, from its cache file in the folder ``cache`` if that is whole and up to date.

    Raises:
        DataError: a folder that is missing or has no image, classes that differ between the parts, files that cannot be
            decoded, images of several shapes, or a cache that cannot be written.
    """
    try:
        listing = scan(folder)
    except OSError as error:
        raise DataError(
            f"{error.filename} cannot be read ({error.strerror}): make it readable, or remove it"
        ) from error
    place = folder.resolve()
    if cache.resolve().is_relative_to(place):
        raise DataError(f"the cache {cache} lies inside the image folder {folder}: set MNGNAS_CACHE to another place")
    mark = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    path = cache / f"{place.name}-{size or 'full'}-{mark}.images"
    with _locked(path):
        arrays = _cached(path, listing)
        if arrays is None:
            arrays = decode(folder, listing, size, progress)
            try:
                write_arrays(path, {"state": listing.state}, arrays)
            except OSError as error:
                raise _unwritable(path, error) from error
    train, test = ((arrays[part], listing.labels[part]) for part in _PARTS)
    return Arrays(train, test, listing.classes, path)


def scan(folder: Path) -> Listing:
    """List the image files of ``folder``, in the order of their names.

    Raises:
        DataError: a folder that is missing or has no image, or classes that differ between the parts.
    """
    for place in (folder, *(folder / part for part in _PARTS)):
        if not place.is_dir():
            raise DataError(f"there is no folder {place}: images are expected in {folder}/train/<class>/ and /test/")
    names = {part: sorted(entry.name for entry in _visible(folder / part) if entry.is_dir()) for part in _PARTS}
    if not names["train"]:
        raise DataError(f"{folder / 'train'} has no folders: each class needs one with its images")
    for part, other in (_PARTS, _PARTS[::-1]):
        alone = [name for name in names[part] if name not in set(names[other])]
        if alone:
            raise DataError(
                f"{folder / part / alone[0]} has no counterpart {folder / other / alone[0]} ({len(alone)} such "
                "classes): both parts need the same classes; add the folder with its images, or remove this one"
            )
    files, labels = {}, {}
    lines = []
    for part in _PARTS:
        files[part], counts = [], []
        for name in names[part]:
            found = sorted(_files(os.path.join(folder, part, name), f"{part}/{name}"))
            if not found:
                raise DataError(f"{folder / part / name} has no image: add some, or remove the class from both parts")
            files[part] += [path for _, path, _, _ in found]
            counts.append(len(found))
            lines += [f"{inside}\0{length}\0{time}" for inside, _, length, time in found]
        labels[part] = np.repeat(np.arange(len(counts)), counts)
    state = hashlib.sha256(os.fsencode("\0".join(lines))).hexdigest()
    return Listing(tuple(names["train"]), files, labels, state)


def _visible(folder: str | Path) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return [entry for entry in entries if not entry.name.startswith(".")]


def _files(folder: str, inside: str) -> Iterator[tuple[str, str, int, int]]:
    """Images in ``folder`` and below: (name inside the image folder, path, bytes, modification time in ns)."""
    for entry in _visible(folder):
        name = f"{inside}/{entry.name}"
        if entry.is_dir():
            yield from _files(entry.path, name)
        elif entry.name.lower() not in _NO_IMAGES:
            status = entry.stat()
            yield name, entry.path, status.st_size, status.st_mtime_ns


# ---------------------------------------------------------------------- decoding


def decode(folder: Path, listing: Listing, size: int | None, progress: bool | None) -> dict[str, np.ndarray]:
    """All images of each part, (n, 3, H, W), uint8, decoded by several threads.

    Raises:
        DataError: files that cannot be decoded, or images of several shapes; all files are tried before it is raised,
            so that the message can count them.
    """
    files = [file for part in _PARTS for file in listing.files[part]]
    shape, problems = _shape(files, size)
    images = np.empty((len(files), *shape), np.uint8)

    def decode_lot(start: int) -> dict[str, str]:
        failed = {}
        for number, file in enumerate(files[start : start + _LOT], start):
            try:
                images[number] = decode_file(file, size, shape)
            # Pillow's decoders raise whatever they stumble over; each is the file's fault
            except Exception as error:
                failed[file] = str(error) or type(error).__name__
        return failed

    workers = ThreadPoolExecutor(min(8, os.cpu_count() or 1))
    try:
        lots = [workers.submit(decode_lot, start) for start in range(0, len(files), _LOT)]
        # tqdm's None: quiet unless standard error is a terminal
        disable = None if progress is None else not progress
        with tqdm(total=len(files), unit="image", desc=f"Decoding {folder.name}", disable=disable) as bar:
            for lot in as_completed(lots):
                problems |= lot.result()
                bar.update(min(_LOT, len(files) - bar.n))
    finally:
        workers.shutdown(cancel_futures=True)
    if problems:
        first = min(problems)
        others = "" if len(problems) == 1 else f" (and {len(problems) - 1} other files)"
        raise DataError(f"{first}{others} cannot be used: {problems[first]}. Replace or remove it")
    return dict(zip(_PARTS, np.split(images, [len(listing.files["train"])]), strict=True))


def _shape(files: list[str], size: int | None) -> tuple[tuple[int, int, int], dict[str, str]]:
    """Shape of the decoded images: of ``size``, or of the first that can be decoded."""
    if size is not None:
        return (3, size, size), {}
    problems = {}
    for file in files:
        try:
            return decode_file(file, None).shape, problems
        except Exception as error:
            problems[file] = str(error) or type(error).__name__
    return (3, 0, 0), problems


def decode_file(file: Path | str, size: int | None, shape: tuple[int, ...] | None = None) -> np.ndarray:
    """One image as (3, H, W), uint8.

    Args:
        shape: the shape that it must have in the end.

    Raises:
        ValueError: the image has another shape, or more than 8 bits a channel.
        Exception: whatever Pillow raises for a damaged file.
    """
    with Image.open(file) as image:
        if image.mode.startswith(("I", "F")):
            raise ValueError(f"its pixels are of mode {image.mode}, not of 8 bits a channel")
        pixels = np.asarray(image.convert("RGB"))
    pixels = pixels.transpose(2, 0, 1)
    if size is not None:
        pixels = resize_area(pixels, size)
    if shape is not None and pixels.shape != shape:
        (_, height, width), (_, first_height, first_width) = pixels.shape, shape
        raise ValueError(f"it is {width}x{height}, the first image {first_width}x{first_height}: give a size for all")
    return pixels


# ---------------------------------------------------------------------- cache


def _cached(path: Path, listing: Listing) -> dict[str, np.ndarray] | None:
    """The arrays in the cache, or None if it must be made (anew)."""
    if not path.exists():
        return None
    try:
        meta, arrays = read_arrays(path)
    except (DamagedError, OSError) as error:
        warnings.warn(f"the cache {path} is damaged ({error}): the images are decoded anew", stacklevel=4)
        return None
    return arrays if meta["state"] == listing.state else None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Let one process at a time look at, make and replace the cache: a second one waits and then finds it made."""
    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield
    finally:
        lock.release()


def _unwritable(path: Path, error: OSError) -> DataError:
    return DataError(
        f"the cache {path} cannot be written ({error.strerror or error}): set MNGNAS_CACHE to another place"
    )
