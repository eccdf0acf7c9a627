"""The official file of NAS-Bench-201, made into a compact table, once.

``NAS-Bench-201-v1_1-096897.pth`` (and v1_0, ``e61699``) is a pickle of 15,625 training histories, several gigabytes.
Loading a pickle can execute any code, which is why current torch refuses it unless told otherwise. It is loaded here
only if its checksum agrees with its name, or if the caller says that it is to be trusted. The table holds the final
accuracies alone (:mod:`mngnas_lib.benchmarks.nasbench201`), and is read in a fraction of a second.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import pandas as pd
from tqdm import tqdm

from mngnas_lib.benchmarks.files import KINDS, OFFICIAL_201, existing, expect, replacing
from mngnas_lib.benchmarks.nasbench201 import EPOCHS, notations
from mngnas_lib.errors import BenchmarkError

if TYPE_CHECKING:
    from nas_201_api import ArchResults

#: Hexadecimal digits of a checksum that the names of the two official files end with
OFFICIAL_DIGITS = ("e61699", "096897")

#: What unpickling raises for a file that is cut short, damaged, or made of objects that are not there
_UNPICKLING_ERRORS = (
    pickle.UnpicklingError,
    RuntimeError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ImportError,
)
#: The official file's word for a number of epochs
_SETTINGS = {200: "full", 12: "less"}
#: Column of the table: the official names of the dataset (which includes how it was split) and of the set of images
_SOURCES = {
    ("cifar10", "valid"): ("cifar10-valid", "x-valid"),
    ("cifar10", "test"): ("cifar10", "ori-test"),
    ("cifar100", "valid"): ("cifar100", "x-valid"),
    ("cifar100", "test"): ("cifar100", "x-test"),
    ("imagenet16", "valid"): ("ImageNet16-120", "x-valid"),
    ("imagenet16", "test"): ("ImageNet16-120", "x-test"),
}


def convert(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    trust_pickle: bool = False,
    progress: bool | None = None,
) -> Path:
    """Write the table of an official NAS-Bench-201 file.

    Needs as much memory as the unpickled file takes, four to five times its size, and some minutes; the table needs
    neither.

    Args:
        path: ``NAS-Bench-201-v1_0-e61699.pth`` or ``NAS-Bench-201-v1_1-096897.pth``.
        out: the table, ``*.csv.gz``, or an existing folder, in which it is called ``nasbench201.csv.gz``. It appears
            when it is complete, and replaces an older one.
        trust_pickle: load the file even if its checksum does not agree. Only for a file from a source that you trust.
        progress: show a progress bar; None: only on a terminal.

    Returns:
        The table's path.

    Raises:
        BenchmarkError: the file is missing, of another kind, damaged or not trusted, or ``out`` cannot be written.
    """
    path = existing(path)
    out = Path(out).expanduser()
    if out.is_dir():
        out = out / "nasbench201.csv.gz"
    if not out.name.endswith(".csv.gz"):
        raise BenchmarkError(f"{out} is to be a gzipped table: give a name that ends in .csv.gz, or an existing folder")
    expect(path, OFFICIAL_201)
    content = _load(path, trust_pickle)
    table = _table(content, path, progress)
    _write(table, out)
    return out


def checksum_agrees(file: BinaryIO) -> bool:
    """Whether a checksum of the file begins or ends with one of the official six digits.

    Which checksum the official names carry is not documented, so MD5, SHA-1 and SHA-256 are tried. Six digits tell
    a damaged or mistaken file from the official one; they are no protection from somebody who makes a file to fit.
    """
    hashes = [hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False), hashlib.sha256()]
    file.seek(0)
    while block := file.read(1 << 20):
        for state in hashes:
            state.update(block)
    sums = [state.hexdigest() for state in hashes]
    return any(checksum.startswith(OFFICIAL_DIGITS) or checksum.endswith(OFFICIAL_DIGITS) for checksum in sums)


def _load(path: Path, trust_pickle: bool) -> dict:
    """The unpickled content, after the checks that allow unpickling."""
    import torch

    with path.open("rb") as file:
        if not trust_pickle and not checksum_agrees(file):
            raise BenchmarkError(
                f"{path} is a pickle, and loading it can execute code. Its checksum does not agree with the official "
                f"files' ({' or '.join(OFFICIAL_DIGITS)}): it is damaged, or another file. Get it again; or, if you "
                "trust whoever made it, allow it with --trust-pickle (trust_pickle=True)"
            )
        file.seek(0)
        try:
            content = torch.load(file, map_location="cpu", weights_only=False)
        except _UNPICKLING_ERRORS as error:
            raise BenchmarkError(
                f"{path} is cut short or damaged ({type(error).__name__}: {error}): get the file again"
            ) from error
    parts = content if isinstance(content, dict) else {}
    if not isinstance(parts.get("meta_archs"), list) or not isinstance(parts.get("arch2infos"), dict):
        raise BenchmarkError(f"{path} does not hold what {KINDS[OFFICIAL_201].split(',')[0]} does: get the right file")
    return content


def _table(content: dict, path: Path, progress: bool | None) -> pd.DataFrame:
    """One row an architecture. Empties ``content`` as it goes, so that memory falls instead of rising."""
    names, histories = content["meta_archs"], content["arch2infos"]
    bar = tqdm(sorted(histories), desc="NAS-Bench-201", unit="arch", disable=None if progress is None else not progress)
    rows = []
    for index in bar:
        try:
            row = {"arch": names[index], "index": index}
            for name, value in _row(histories.pop(index), names[index]):
                row[name] = value
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, AssertionError) as error:
            raise BenchmarkError(
                f"{path}, architecture {index}: its results are not in the official form "
                f"({type(error).__name__}: {error}). Get the file again"
            ) from error
        rows.append(row)
    if not rows:
        raise BenchmarkError(f"{path} has no results of any architecture: get the file again")
    table = pd.DataFrame(rows)
    counts = [column for column in table if "_runs" in column]
    table[counts] = table[counts].astype("Int64")  # whole numbers, with gaps where there are no runs
    first = ["arch", "index"]
    return table[first + sorted(column for column in table if column not in first)]


def _row(infos: dict, name: str) -> Iterator[tuple[str, float]]:
    """Column and value, for all that one architecture has; accuracies in percent."""
    from nas_201_api import ArchResults

    if name not in notations():
        raise ValueError(f"{name!r} is not an architecture of NAS-Bench-201")
    for epochs, setting in _SETTINGS.items():
        results = ArchResults.create_from_state_dict(infos[setting])
        if results.arch_str != name:
            raise ValueError(f"results of {results.arch_str} are filed under {name}")
        for (prefix, split), (dataset, images) in _SOURCES.items():
            accuracies = _accuracies(results, dataset, images, epochs)
            if not accuracies:
                continue
            yield f"{prefix}_{split}{EPOCHS[epochs]}", sum(accuracies.values()) / len(accuracies)
            yield f"{prefix}_{split}_runs{EPOCHS[epochs]}", len(accuracies)
            if split == "test" and epochs == 200:
                for seed, accuracy in accuracies.items():
                    yield f"{prefix}_test_seed{seed}", accuracy


def _accuracies(results: ArchResults, dataset: str, images: str, epochs: int) -> dict[int, float]:
    """Accuracy after the last epoch, by seed. Empty where the architecture was not trained on this dataset."""
    if dataset not in results.get_dataset_names():
        return {}
    accuracies = {}
    for seed, run in results.query(dataset).items():
        if run.get_total_epoch() != epochs:
            raise ValueError(f"{dataset}, seed {seed}: {run.get_total_epoch()} epochs instead of {epochs}")
        accuracies[int(seed)] = float(run.get_eval(images)["accuracy"])
    return accuracies


def _write(table: pd.DataFrame, out: Path) -> None:
    """Write atomically, and the same bytes for the same table."""
    with replacing(out) as file:
        file.write(gzip.compress(table.to_csv(index=False, float_format="%.8g").encode(), mtime=0))
