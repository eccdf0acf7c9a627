"""NAS-Bench-101 as a compact table: all its 423,624 cells, trained three times each (Ying et al., ICML 2019).

The table is an archive of numpy arrays, one row a cell: ``cells``, canonical and packed (:func:`pack`), in rising
order; ``params`` and ``macs``; and for each number of epochs such as 108 ``valid_108``, ``test_108``, ``train_108``
(accuracies as fractions) and ``seconds_108``, shape (n, 3), one column a training run, and the same halfway through
training, as ``halfway_valid_108``. :func:`mngnas_lib.benchmarks.convert` writes it; only what is asked for is read.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import overload

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks.base import Benchmark
from mngnas_lib.benchmarks.files import MARK_101, TABLE_101, expect
from mngnas_lib.errors import BenchmarkError
from mngnas_lib.spaces import Arch, get_space
from mngnas_lib.spaces.nasbench101_cells import EDGES, MAX_NODES, OPERATIONS
from mngnas_lib.spaces.nasbench101_census import CELLS_BY_NODES

INPUT_SHAPE, NUM_CLASSES = (3, 32, 32), 10
#: How long networks were trained; ``nasbench_only108.tfrecord`` has the last alone
EPOCHS = (4, 12, 36, 108)
#: What is known of each training run, halfway and at the end
FIELDS = ("valid", "test", "train", "seconds")
RUNS = 3
#: Layout of the table's arrays
VERSION = 1
#: SHA-256 of the official files, as their project publishes them
PUBLISHED = {
    "nasbench_full.tfrecord": "3d64db8180fb1b0207212f9032205064312b6907a3bbc81eabea10db2f5c7e9c",
    "nasbench_only108.tfrecord": "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1",
}

_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, KeyError, NotImplementedError, RuntimeError)
_SLOTS = len(EDGES) + MAX_NODES - 2
#: Place values of an architecture's numbers in a packed cell: 21 binary digits, then 5 ternary ones
_CHOICES = np.array([2] * len(EDGES) + [len(OPERATIONS)] * (MAX_NODES - 2))
_VALUES = np.append(np.cumprod(_CHOICES[:0:-1])[::-1], 1)


def pack(archs: np.ndarray) -> np.ndarray:
    """Architectures of shape (n, 26) as one integer each, in lexicographic order of architectures; below 2^29."""
    return archs.astype(np.int64) @ _VALUES


def unpack(cells: np.ndarray) -> np.ndarray:
    """The architectures, shape (n, 26) of uint8, of packed cells."""
    return (cells[:, None] // _VALUES % _CHOICES).astype(np.uint8)


def notations(archs: np.ndarray) -> list[str]:
    """Notations of architectures of shape (n, 26): the same as ``to_string`` of each, but in no time."""
    template = np.frombuffer(b"000000.00000.0000.000.00.0:33333", np.uint8)
    text = np.repeat(template[None], len(archs), axis=0)
    text[:, template == ord("0")] += archs[:, : len(EDGES)]
    text[:, template == ord("3")] = np.frombuffer(b"31p", np.uint8)[archs[:, len(EDGES) :]]
    return text.view(f"S{len(template)}")[:, 0].astype(str).tolist()


class CellBenchmark(Benchmark):
    """A benchmark of NAS-Bench-101's cells: finds every architecture of a cell, in little memory.

    Attributes are those of :class:`Benchmark`; the architectures in ``choices`` are canonical.
    """

    def describe(self) -> str:
        """As of every benchmark; but what it counts are cells, of which an architecture is one of many notations."""
        total = sum(CELLS_BY_NODES.values())
        rows = "all" if len(self) == total else f"{len(self)} of"
        return f"{self.name} on {self.dataset}: {rows} {total} cells, from {self.path.name}.\n{self.about}"

    @cached_property
    def archs(self) -> Sequence[Arch]:
        """The architectures, in the table's order; each is made when it is asked for."""
        return _Rows(self.choices)

    def rows(self, archs: Sequence[Sequence[int] | str]) -> np.ndarray:
        """Row numbers of the cells of many architectures, shape (n,).

        Raises:
            ArchError: one of them is no architecture of NAS-Bench-101.
            BenchmarkError: a cell is not in this table.
        """
        choices = archs.choices if isinstance(archs, _Rows) else self._as_choices(archs)
        found = self._find(choices)
        for position in np.flatnonzero(found < 0):
            arch = self.space.check(choices[position])
            found[position] = self._find(np.array([self.space.canonical(arch)]))[0]
            if found[position] < 0:
                raise BenchmarkError(
                    f"{self.path} has no row for the cell {self.space.to_string(arch)}: it holds {len(self)} cells. "
                    "Use a complete table, or choose among those in its column 'arch'"
                )
        return found

    def _as_choices(self, archs: Sequence[Sequence[int] | str]) -> np.ndarray:
        """Shape (n, 26). Plain tuples are taken as they are: only what is not found gets a closer look."""
        if not any(isinstance(arch, str) for arch in archs):
            try:
                choices = np.array(archs)
            except ValueError:  # of different lengths
                choices = np.empty(0)
            if choices.ndim == 2 and choices.shape[1] == _SLOTS and choices.dtype.kind in "iu":
                return choices
        read = (self.space.from_string(arch) if isinstance(arch, str) else self.space.check(arch) for arch in archs)
        return np.array([*read], dtype=np.int64).reshape(-1, _SLOTS)

    def _find(self, choices: np.ndarray) -> np.ndarray:
        """Rows of canonical architectures, -1 for those that are not in the table."""
        keys, order = self._sorted
        wanted = np.where(((choices >= 0) & (choices < _CHOICES)).all(axis=1), pack(choices), -1)
        places = np.searchsorted(keys, wanted).clip(max=len(keys) - 1)
        return np.where(keys[places] == wanted, order[places], -1)

    @cached_property
    def _sorted(self) -> tuple[np.ndarray, np.ndarray]:
        keys = pack(self.choices)
        order = np.argsort(keys)
        return keys[order], order


class _Rows(Sequence):
    """The rows of an array of architectures as tuples."""

    def __init__(self, choices: np.ndarray) -> None:
        self.choices = choices

    def __len__(self) -> int:
        return len(self.choices)

    @overload
    def __getitem__(self, index: int) -> Arch: ...
    @overload
    def __getitem__(self, index: slice) -> _Rows: ...
    def __getitem__(self, index):
        return _Rows(self.choices[index]) if isinstance(index, slice) else tuple(self.choices[index].tolist())

    def __iter__(self):
        return (tuple(row.tolist()) for row in self.choices)


def load(path: str | os.PathLike[str], *, dataset: str = "cifar10", epochs: int = 108) -> CellBenchmark:
    """The benchmark in a converted table.

    Args:
        dataset: ``cifar10``, the only one.
        epochs: how long the networks were trained: 108, and in a table of the full file also 4, 12 or 36.

    Raises:
        BenchmarkError: the file is missing, damaged or of another kind; or the dataset is another; or the table has no
            such epochs.
    """
    if not isinstance(dataset, str) or dataset.lower() != "cifar10":
        raise BenchmarkError(f"NAS-Bench-101 has no dataset {dataset!r}: it was trained on cifar10 only")
    if epochs not in EPOCHS or isinstance(epochs, bool):
        known = ", ".join(map(str, EPOCHS))
        raise BenchmarkError(f"NAS-Bench-101's networks were trained for {known} epochs, not for {epochs!r}")
    path = expect(path, TABLE_101)
    arrays = _read(path, epochs)
    space = get_space("nasbench101")
    choices = unpack(arrays["cells"])
    runs = {split: arrays[f"{split}_{epochs}"].astype(np.float64) for split in ("valid", "test", "train", "seconds")}
    halfway = {f"halfway_{split}": arrays[f"halfway_{split}_{epochs}"] for split in ("valid", "test")}
    table = pd.DataFrame(
        {
            "arch": notations(choices),
            "valid": runs["valid"].mean(axis=1),
            "test": runs["test"].mean(axis=1),
            "params": arrays["params"].astype(np.int64),
            "macs": arrays["macs"],
            **{f"valid_run{run + 1}": runs["valid"][:, run] for run in range(RUNS)},
            "train": runs["train"].mean(axis=1),
            "seconds": runs["seconds"].mean(axis=1),
            **{name: values.astype(np.float64).mean(axis=1) for name, values in halfway.items()},
        }
    )
    return CellBenchmark(
        name=space.name,
        dataset="cifar10",
        space=space,
        choices=choices,
        table=table,
        runs=runs["test"],
        path=path,
        about=_about(epochs, str(arrays["source"]), str(arrays["sha256"])),
    )


def _read(path: Path, epochs: int) -> dict[str, np.ndarray]:
    """The arrays that are needed, checked."""
    per_run = [f"{field}_{epochs}" for field in FIELDS] + [f"halfway_{split}_{epochs}" for split in ("valid", "test")]
    try:
        with np.load(path) as archive:
            version, known = int(archive[MARK_101]), archive["epochs"].tolist()
            if version != VERSION:
                raise BenchmarkError(
                    f"{path} has layout {version} instead of {VERSION}: convert the official file again"
                )
            if epochs not in known:
                raise BenchmarkError(
                    f"{path} has no results after {epochs} epochs, only after {', '.join(map(str, known))}: "
                    "convert nasbench_full.tfrecord, which has all"
                )
            arrays = {name: archive[name] for name in ("source", "sha256", "cells", "params", "macs", *per_run)}
    except OSError as error:
        raise BenchmarkError(f"{path} cannot be read ({error}): get the file again") from error
    except _DAMAGE as error:
        raise BenchmarkError(f"{path} is cut short or damaged ({error}): convert the official file again") from error
    cells = arrays["cells"]
    fits = cells.ndim == 1 and len(cells) and all(arrays[name].shape == cells.shape for name in ("params", "macs"))
    fits = fits and all(arrays[name].shape == (len(cells), RUNS) for name in per_run)
    if not fits or cells.min() < 0 or cells.max() >= _VALUES[0] * _CHOICES[0]:
        raise BenchmarkError(f"{path}: its arrays do not fit together. Convert the official file again")
    if (np.diff(cells) <= 0).any():
        raise BenchmarkError(f"{path} has a cell more than once, or not in order: convert the official file again")
    for name in per_run:
        if not is_plausible(arrays[name], name):
            raise BenchmarkError(f"{path}: {name} holds impossible values. Convert the official file again")
    return arrays


def is_plausible(values: np.ndarray, name: str) -> bool:
    """Whether all are fractions or, where the name says so, times."""
    highest = np.finfo(values.dtype).max if "seconds" in name else 1
    return bool(((values >= 0) & (values <= highest)).all())


def _about(epochs: int, source: str, checksum: str) -> str:
    names = [name for name, published in PUBLISHED.items() if published == checksum]
    origin = f"the published one of {names[0]}" if names else "not one that is published for an official file"
    return "\n".join(
        [
            f"valid: accuracy after the last of {epochs} epochs on 10,000 of CIFAR-10's training images, by networks "
            "trained on the other 40,000; mean over three runs (valid_run1 to valid_run3).",
            "test: accuracy of the same networks, after the last epoch, on CIFAR-10's 10,000 test images; mean over "
            "three runs. Both are of the 9,984 images that fill batches of 256, as the official code evaluates.",
            "runs: test accuracies of the three training runs.",
            "train: accuracy on 10,000 of the training images. seconds: training time. halfway_valid, halfway_test: "
            f"after half of the {epochs} epochs, over all of which the learning rate falls. Means over three runs.",
            "params, macs: of the network for one image; params as published, which the kit's own count equals, macs "
            "computed by the kit from shapes.",
            f"Made of {source}, whose SHA-256 is {origin}.",
        ]
    )
