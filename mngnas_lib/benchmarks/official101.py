"""The official files of NAS-Bench-101, made into a compact table, once.

``nasbench_only108.tfrecord`` (0.5 GB) and ``nasbench_full.tfrecord`` (2 GB) hold one record a training run: 423,624
cells, three times each, for one or four numbers of epochs. A record is a JSON list: the module's hash, the epochs, the
matrix as a row of digits, the labels with commas between them, the metrics as a protocol buffer in base64. Records are
read one at a time; hash and parameters are held against what the kit computes from the cell.
"""

from __future__ import annotations

import binascii
import json
import os
from array import array
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mngnas_lib.benchmarks.files import MARK_101, OFFICIAL_101, checksum, expect, replacing
from mngnas_lib.benchmarks.metrics101 import parse_run
from mngnas_lib.benchmarks.nasbench101 import (
    EPOCHS,
    FIELDS,
    INPUT_SHAPE,
    NUM_CLASSES,
    RUNS,
    VERSION,
    is_plausible,
    pack,
)
from mngnas_lib.benchmarks.tfrecord import OVERHEAD, read_records
from mngnas_lib.errors import ArchError, BenchmarkError
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import from_matrix, graph_hash

#: Numbers of one run: ``FIELDS`` halfway and at the end
_NAMES = (*(f"halfway_{field}" for field in FIELDS), *FIELDS)


def convert(path: str | os.PathLike[str], out: str | os.PathLike[str], *, progress: bool | None = None) -> Path:
    """Write the table of an official NAS-Bench-101 file.

    Takes some minutes, and a few hundred megabytes of memory however large the file is.

    Args:
        path: ``nasbench_only108.tfrecord`` or ``nasbench_full.tfrecord``.
        out: the table, ``*.npz``, or an existing folder, in which it is called ``nasbench101.npz``. It appears when
            it is complete, and replaces an older one.
        progress: show a progress bar; None: only on a terminal.

    Returns:
        The table's path.

    Raises:
        BenchmarkError: the file is missing, of another kind, cut short or damaged; it has not three runs of each cell;
            a cell's hash or number of parameters is another than the kit's; or ``out`` cannot be written.
    """
    path = expect(path, OFFICIAL_101)
    out = Path(out).expanduser()
    if out.is_dir():
        out = out / "nasbench101.npz"
    if out.suffix != ".npz":
        raise BenchmarkError(f"{out} is to be an archive: give a name that ends in .npz, or an existing folder")
    with replacing(out) as file:
        cells = _Cells(path)
        bar = tqdm(
            total=path.stat().st_size,
            desc="NAS-Bench-101",
            unit="B",
            unit_scale=True,
            disable=None if progress is None else not progress,
        )
        with bar:
            for number, record in enumerate(read_records(path), 1):
                cells.add(record, number)
                bar.update(len(record) + OVERHEAD)
        np.savez_compressed(
            file,
            **{MARK_101: np.array(VERSION)},
            source=np.array(path.name),
            sha256=np.array(checksum(path)),
            **cells.arrays(),
        )
    return out


class _Cells:
    """Cells and their runs, in the order in which they come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.space = get_space("nasbench101")
        self.row_of: dict[bytes, int] = {}
        self.packed, self.params, self.macs = array("q"), array("q"), array("q")
        #: Of each number of epochs: the row of each run, and its numbers one after the other
        self.runs: dict[int, tuple[array, array]] = {}

    def add(self, record: bytes, number: int) -> None:
        """Take one record in.

        Raises:
            BenchmarkError: it is not in the official form, or contradicts what the kit computes.
        """
        try:
            module_hash, epochs, matrix, labels, metrics = json.loads(record.decode())
            if epochs not in EPOCHS:
                raise ValueError(f"trained for {epochs!r} epochs, which no official network was")
            run = parse_run(binascii.a2b_base64(metrics), epochs)
            key = bytes.fromhex(module_hash)
            row = self.row_of.get(key)
            if row is None:
                row = self.row_of[key] = self._new_cell(module_hash, matrix, labels)
            if run.params != self.params[row]:
                raise ValueError(
                    f"{run.params} parameters, but the network of module {module_hash} has {self.params[row]}"
                )
        except (ValueError, TypeError, AttributeError, ArchError) as error:
            problem = " ".join(str(error).split())
            raise BenchmarkError(
                f"{self.path}, record {number} is not in the official form ({problem}): get the file again"
            ) from error
        if epochs not in self.runs:
            self.runs[epochs] = array("i"), array("f")
        rows, values = self.runs[epochs]
        rows.append(row)
        values.extend(run.halfway)
        values.extend(run.final)

    def _new_cell(self, module_hash: str, digits: str, labels: str) -> int:
        """Keep the cell; its row."""
        ops = labels.split(",")
        matrix = np.frombuffer(digits.encode(), np.uint8).reshape(len(ops), -1) - ord("0")
        if graph_hash(matrix, ops) != module_hash:
            raise ValueError(f"module {module_hash} has another hash, {graph_hash(matrix, ops)}")
        trained = from_matrix(matrix, ops)
        # widths of nodes depend on their order, so what counts is the network as it was trained
        cost = self.space.cost(trained, input_shape=INPUT_SHAPE, num_classes=NUM_CLASSES)
        self.packed.append(int(pack(np.array([self.space.canonical(trained)]))[0]))
        self.params.append(cost.params)
        self.macs.append(cost.macs)
        return len(self.packed) - 1

    def arrays(self) -> dict[str, np.ndarray]:
        """The table's arrays, cells in rising order, a cell's runs in the file's order. Empties ``runs``.

        Raises:
            BenchmarkError: a cell has not three runs, or a value is impossible.
        """
        packed = np.array(self.packed, np.int32)
        order = np.argsort(packed)
        place = np.argsort(order)
        arrays = {
            "epochs": np.array(sorted(self.runs)),
            "cells": packed[order],
            "params": np.array(self.params, np.int32)[order],
            "macs": np.array(self.macs, np.int64)[order],
        }
        while self.runs:  # memory falls as the arrays grow
            epochs, (rows, values) = self.runs.popitem()
            rows = np.array(rows)
            self._check_counts(np.bincount(rows, minlength=len(packed)), epochs)
            by_cell = np.argsort(place[rows], kind="stable")
            numbers = np.frombuffer(values, np.float32).reshape(len(rows), -1)[by_cell]
            for name, column in zip(_NAMES, numbers.T, strict=True):
                if not is_plausible(column, name):
                    raise BenchmarkError(
                        f"{self.path}: {name} after {epochs} epochs holds impossible values. Get the file again"
                    )
                arrays[f"{name}_{epochs}"] = column.reshape(-1, RUNS)
        return arrays

    def _check_counts(self, counts: np.ndarray, epochs: int) -> None:
        wrong = np.flatnonzero(counts != RUNS)
        if not len(wrong):
            return
        module_hash = next(key for key, row in self.row_of.items() if row == wrong[0]).hex()
        cause = "cut short" if counts[wrong[0]] < RUNS else "damaged, it has records more than once"
        raise BenchmarkError(
            f"{self.path} is {cause}: module {module_hash} has {counts[wrong[0]]} runs of {epochs} epochs instead of "
            f"{RUNS}. Get the file again"
        )
