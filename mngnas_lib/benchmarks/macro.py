"""NAS-Bench-Macro's official JSON file: 6,561 keys with three CIFAR-10 test accuracies each (Su et al., CVPR 2021)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks.base import Benchmark, as_fractions, costs, parse_archs
from mngnas_lib.benchmarks.files import OFFICIAL_MACRO, expect, read_json
from mngnas_lib.errors import BenchmarkError
from mngnas_lib.spaces import NasBenchMacro

INPUT_SHAPE, NUM_CLASSES = (3, 32, 32), 10
FIELDS = ("test_acc", "mean_acc", "std", "params", "flops")

ABOUT = (
    "test: accuracy on CIFAR-10's 10,000 test images, mean over three runs of 50 epochs with different seeds. Each "
    "run's figure is that of its best epoch on these same test images, not of its last epoch: it is an optimistic "
    "estimate, and not comparable with accuracies of networks whose epoch was not chosen so. Keys that write the same "
    "network differently (identities moved within a stage) share its figures: 3,969 networks were trained.\n"
    "valid: not published.\n"
    "runs: the three runs' test accuracies.\n"
    "params, macs: of the network for one image, as published (the kit's own count agrees)."
)


def load(path: str | os.PathLike[str], *, dataset: str = "cifar10") -> Benchmark:
    """The benchmark in the official JSON file.

    Raises:
        BenchmarkError: the file is missing, damaged or of another kind; or the dataset is not ``cifar10``.
    """
    if not isinstance(dataset, str) or dataset.lower() != "cifar10":
        raise BenchmarkError(f"NAS-Bench-Macro has no dataset {dataset!r}: it was trained on cifar10 only")
    path = expect(path, OFFICIAL_MACRO)
    entries = read_json(path)
    columns = _columns(entries, path)
    space = NasBenchMacro()
    known = {"".join(map(str, arch)): arch for arch in space.all_archs()}
    choices = parse_archs(space, known, list(entries), path)
    runs = as_fractions(columns["test_acc"], "test_acc", path)
    if np.isnan(runs).any():
        key = list(entries)[np.isnan(runs).any(axis=1).argmax()]
        raise BenchmarkError(f"{path}: {key} should have three test accuracies. Get the file again")
    params, macs = costs(space, choices, INPUT_SHAPE, NUM_CLASSES)
    for field, ours in (("params", params), ("flops", macs)):
        wrong = np.flatnonzero(columns[field] != ours)
        if len(wrong):
            key = list(entries)[wrong[0]]
            raise BenchmarkError(
                f"{path} gives {key} {field} = {columns[field][wrong[0]]}, but its network has {ours[wrong[0]]}: "
                "this is not the official file, get it again"
            )
    table = pd.DataFrame(
        {
            "arch": list(entries),
            "valid": np.nan,
            "test": runs.mean(axis=1),
            "params": params,
            "macs": macs,
            "std": as_fractions(columns["std"], "std", path, check_scale=False),
        }
    )
    return Benchmark(
        name=space.name,
        dataset="cifar10",
        space=space,
        choices=choices,
        table=table,
        runs=runs,
        path=path,
        about=ABOUT,
    )


def _columns(entries: object, path: Path) -> dict[str, np.ndarray]:
    """The entries' fields as arrays: (n, 3) for ``test_acc``, (n,) for the others."""
    if not isinstance(entries, dict) or not all(isinstance(entry, dict) for entry in entries.values()):
        raise BenchmarkError(f"{path} does not map architectures to their fields: get the file again")
    for key, entry in entries.items():
        missing = [field for field in FIELDS if field not in entry]
        if missing:
            raise BenchmarkError(f"{path}: {key} has no {', '.join(missing)}. Get the file again")
        if not isinstance(entry["test_acc"], list) or len(entry["test_acc"]) != 3:
            raise BenchmarkError(f"{path}: {key} should have three test accuracies. Get the file again")
    return {field: np.array([entry[field] for entry in entries.values()], dtype=object) for field in FIELDS}
