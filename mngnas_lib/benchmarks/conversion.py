"""Making tables of official files, whichever of them it is."""

from __future__ import annotations

import os
from pathlib import Path

from mngnas_lib.benchmarks import official101, official201
from mngnas_lib.benchmarks.files import (
    FOLDER,
    KINDS,
    OFFICIAL_101,
    OFFICIAL_201,
    UNKNOWN,
    existing,
    recognise,
)
from mngnas_lib.errors import BenchmarkError

#: The files that are made into a table, and what the table is called
TABLES = {OFFICIAL_101: "nasbench101.npz", OFFICIAL_201: "nasbench201.csv.gz"}


def convert(
    path: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    trust_pickle: bool = False,
    progress: bool | None = None,
) -> Path:
    """Write the table of an official file of NAS-Bench-101 or NAS-Bench-201, which is recognised by its content.

    Args:
        path: the official file.
        out: the table, ``*.npz`` or ``*.csv.gz``; or an existing folder, in which it is called ``nasbench101.npz`` or
            ``nasbench201.csv.gz``; None: so called, in ``data/benchmarks``, where it is found without a path.
        trust_pickle: for NAS-Bench-201, see :func:`mngnas_lib.benchmarks.official201.convert`.
        progress: show a progress bar; None: only on a terminal.

    Returns:
        The table's path.

    Raises:
        BenchmarkError: the file is missing, damaged, not trusted, or needs no conversion; or ``out`` cannot be written.
    """
    path = existing(path)
    kind = recognise(path)
    if kind not in (*TABLES, UNKNOWN):
        raise BenchmarkError(
            f"{path} looks like {KINDS[kind]}: it is read as it is, there is nothing to convert. "
            f"Give its path where a benchmark is asked for, or put it into {FOLDER}"
        )
    if kind == UNKNOWN:
        raise BenchmarkError(
            f"{path} should be {KINDS[OFFICIAL_101]}, or {KINDS[OFFICIAL_201]}, but it looks like {KINDS[kind]}: "
            "give the path of the right file"
        )
    out = FOLDER / TABLES[kind] if out is None else Path(out)
    if kind == OFFICIAL_101:
        return official101.convert(path, out, progress=progress)
    return official201.convert(path, out, trust_pickle=trust_pickle, progress=progress)
