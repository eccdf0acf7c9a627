"""NAS-Bench-201 as a compact table: all its architectures, trained on three datasets (Dong and Yang, ICLR 2020).

The table is a (gzipped) CSV file with one row an architecture: its notation in ``arch``, then accuracies in percent in
columns such as ``cifar100_valid`` and, after 12 epochs of training, ``cifar100_valid_12ep``. Two kinds of columns are
optional: ``cifar100_valid_runs`` counts the runs that a mean averages, and ``cifar100_test_seed777`` has the test
accuracies after 200 epochs of the runs with this seed. :func:`mngnas_lib.benchmarks.convert` writes such tables.
"""

from __future__ import annotations

import io
import itertools
import os
import re
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks.base import Benchmark, as_counts, as_fractions, costs, parse_archs
from mngnas_lib.benchmarks.files import TABLE_201, expect, read_text
from mngnas_lib.errors import BenchmarkError
from mngnas_lib.spaces import Arch, InputShape, NasBench201

#: Name of a dataset: prefix of its columns, images' shape, number of classes
DATASETS: dict[str, tuple[str, InputShape, int]] = {
    "cifar10": ("cifar10", (3, 32, 32), 10),
    "cifar100": ("cifar100", (3, 32, 32), 100),
    "imagenet16-120": ("imagenet16", (3, 16, 16), 120),
}
#: Epochs of training: suffix of the columns
EPOCHS = {200: "", 12: "_12ep"}

#: Which images an accuracy is about
SPLITS = {
    "cifar10": {
        "valid": "half of CIFAR-10's training images (25,000), by networks trained on the other half",
        "test": "CIFAR-10's 10,000 test images, by networks trained on all 50,000 training images",
    },
    "cifar100": {
        "valid": "half of CIFAR-100's test images (5,000), by networks trained on all 50,000 training images",
        "test": "the other half of CIFAR-100's test images (5,000), by the same networks",
    },
    "imagenet16-120": {
        "valid": "half of ImageNet16-120's validation images (3,000), by networks trained on its training images",
        "test": "the other half of ImageNet16-120's validation images (3,000), by the same networks",
    },
}


def load(path: str | os.PathLike[str], *, dataset: str = "cifar10", epochs: int = 200) -> Benchmark:
    """The benchmark in a converted table.

    Rows without a test accuracy are left out.

    Args:
        dataset: one of ``DATASETS``; upper and lower case are the same.
        epochs: how long the architectures were trained, 200 or 12.

    Raises:
        BenchmarkError: the file is missing, damaged, of another kind or lacks the asked-for columns; or no dataset has
            this name; or there are no such epochs.
    """
    dataset = dataset_name(dataset)
    if epochs not in EPOCHS or isinstance(epochs, bool):
        raise BenchmarkError(f"NAS-Bench-201's networks were trained for 200 or for 12 epochs, not for {epochs!r}")
    path = expect(path, TABLE_201)
    frame = _read(path)
    prefix, input_shape, num_classes = DATASETS[dataset]
    names = {split: f"{prefix}_{split}{EPOCHS[epochs]}" for split in ("valid", "test")}
    missing = [name for name in names.values() if name not in frame]
    if missing:
        raise BenchmarkError(
            f"{path} has no column {' or '.join(missing)}, needed for {dataset} after {epochs} epochs: "
            "use a table that has it, for example one converted from NAS-Bench-201-v1_1-096897.pth"
        )
    space = NasBench201()
    choices = parse_archs(space, notations(), frame["arch"].tolist(), path)
    params, macs = costs(space, choices, input_shape, num_classes)
    accuracy = {split: as_fractions(frame[name].to_numpy(), f"column {name}", path) for split, name in names.items()}
    columns = {"arch": frame["arch"], **accuracy, "params": params, "macs": macs}
    for split in ("valid", "test"):
        counted = f"{prefix}_{split}_runs{EPOCHS[epochs]}"
        if counted in frame:
            columns[f"{split}_runs"] = as_counts(frame[counted], f"column {counted}", path)
    if "index" in frame:
        columns["index"] = frame["index"]

    kept = ~np.isnan(accuracy["test"])
    if not kept.any():
        raise BenchmarkError(
            f"{path} has no test accuracy on {dataset} after {epochs} epochs, its column {names['test']} is empty. "
            "(The v1_0 file has 12 epochs on CIFAR-10's validation half only: convert NAS-Bench-201-v1_1-096897.pth)"
        )
    table = pd.DataFrame(columns)[kept].reset_index(drop=True)
    runs = _single_runs(frame, prefix, path) if epochs == 200 else None
    return Benchmark(
        name=space.name,
        dataset=dataset,
        space=space,
        choices=choices[kept],
        table=table,
        runs=None if runs is None else runs[kept],
        path=path,
        about=_about(dataset, epochs, table, runs is not None),
    )


def dataset_name(dataset: str) -> str:
    """The kit's name of a dataset: ``ImageNet16-120`` becomes ``imagenet16-120``.

    Raises:
        BenchmarkError: NAS-Bench-201 has no such dataset.
    """
    name = dataset.lower() if isinstance(dataset, str) else dataset
    if name not in DATASETS:
        raise BenchmarkError(f"NAS-Bench-201 has no dataset {dataset!r}: choose one of {', '.join(DATASETS)}")
    return name


@lru_cache(maxsize=1)
def notations() -> dict[str, Arch]:
    """All 15,625 architectures by their notation: the same as ``to_string`` of each, but in milliseconds."""
    operations = NasBench201().slots[0].choices
    nodes = []
    for sources in (1, 2, 3):  # node number `sources` has edges from all nodes before it, in the order of the slots
        cells = itertools.product(range(len(operations)), repeat=sources)
        terms = {cell: "".join(f"|{operations[op]}~{source}" for source, op in enumerate(cell)) + "|" for cell in cells}
        nodes.append(terms.items())
    return {
        f"{first_text}+{second_text}+{third_text}": first + second + third
        for (first, first_text), (second, second_text), (third, third_text) in itertools.product(*nodes)
    }


def _read(path: Path) -> pd.DataFrame:
    try:
        frame = pd.read_csv(io.StringIO(read_text(path)))
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BenchmarkError(f"{path} is cut short or damaged ({error}): get the file again") from error
    if not isinstance(frame.index, pd.RangeIndex):  # what pandas makes of rows that are longer than the header
        raise BenchmarkError(f"{path} is cut short or damaged (rows have more fields than the header): get it again")
    return frame


def _single_runs(frame: pd.DataFrame, prefix: str, path: Path) -> np.ndarray | None:
    """Test accuracies of single runs as fractions, shape (n, seeds), or None where the table has none."""
    pattern = re.compile(rf"{prefix}_test_seed\d+")
    names = sorted((name for name in frame if pattern.fullmatch(name)), key=lambda name: int(name.split("seed")[1]))
    return as_fractions(frame[names].to_numpy(), ", ".join(names), path) if names else None


def _about(dataset: str, epochs: int, table: pd.DataFrame, has_runs: bool) -> str:
    lines = []
    for split, images in SPLITS[dataset].items():
        lines.append(f"{split}: accuracy after the last of {epochs} epochs on {images}; {_averaged(table, split)}.")
    lines.append(
        "runs: test accuracies of the single training runs, one column a seed."
        if has_runs
        else "runs: this table has no single training runs."
    )
    lines.append("params, macs: of the network for one image, computed by the kit from shapes.")
    return "\n".join(lines)


def _averaged(table: pd.DataFrame, split: str) -> str:
    if f"{split}_runs" not in table:
        return (
            "mean over the 1 to 3 seeds that an architecture has in the official file (the table does not count them)"
        )
    counts = table[f"{split}_runs"].value_counts().sort_index()
    return "mean over " + ", ".join(
        f"{int(runs)} seed{'s' if runs > 1 else ''} for {count} architectures" for runs, count in counts.items()
    )
