"""Ground truth: accuracies of trained architectures, behind one interface.

A benchmark file is named by its path, or found in the folder of the environment variable ``MNGNAS_BENCHMARKS``, or in
``data/benchmarks`` below the working directory::

    benchmark = get_benchmark("nasbench-macro")
    benchmark.query("22212220").test
    print(benchmark.describe())

``truth_for("nasbench201")`` takes the official table where it is present, and else the one that comes with the kit.
"""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

from mngnas_lib.benchmarks import files, kit, macro, nasbench101, nasbench201
from mngnas_lib.benchmarks.base import Benchmark, Record, Scores
from mngnas_lib.benchmarks.conversion import convert
from mngnas_lib.benchmarks.files import recognise
from mngnas_lib.benchmarks.origins import ORIGINS
from mngnas_lib.errors import BenchmarkError

#: Name of a benchmark: its loader, the kind of file that it reads, and where to get that
LOADERS: dict[str, tuple[Callable[..., Benchmark], str, str]] = {
    "nasbench101": (
        nasbench101.load,
        files.TABLE_101,
        "The project nasbench by google-research on GitHub describes its official files nasbench_only108.tfrecord and "
        "nasbench_full.tfrecord; `mngnas benchmark convert` (mngnas_lib.benchmarks.convert) makes the table "
        "nasbench101.npz of one of them, once",
    ),
    "nasbench201": (
        nasbench201.load,
        files.TABLE_201,
        "The project NAS-Bench-201 by D-X-Y on GitHub describes its official file NAS-Bench-201-v1_1-096897.pth; "
        "`mngnas benchmark convert` (mngnas_lib.benchmarks.convert) makes the table nasbench201.csv.gz of it, once",
    ),
    "nasbench-macro": (
        macro.load,
        files.OFFICIAL_MACRO,
        "The project NAS-Bench-Macro by xiusu on GitHub holds its official file nas-bench-macro_cifar10.json, which is "
        "read as it is",
    ),
    **{
        kind: (
            partial(kit.load, space=space),
            kind,
            f"It comes with the kit, in data/benchmarks of the project; `mngnas truth --space {space}` makes one",
        )
        for space, kind in files.KIT.items()
    },
}


def get_benchmark(name: str, path: str | os.PathLike[str] | None = None, **options: object) -> Benchmark:
    """The benchmark called ``name``.

    Args:
        name: ``nasbench101``, ``nasbench201`` or ``nasbench-macro``; or, with ``kit-`` before it, the kit's own truth
            about that space.
        path: its file; None: the first of the right kind among those that :func:`find_benchmarks` finds.
        options: what the loader takes: ``dataset``, and for ``nasbench101`` and ``nasbench201`` also ``epochs``
            (:func:`mngnas_lib.benchmarks.nasbench201.load`).

    Raises:
        BenchmarkError: no such benchmark, option, dataset or file; or the file is damaged or of another kind.
    """
    load, kind, source = _loader(name)
    known = [parameter for parameter in inspect.signature(load).parameters if parameter not in ("path", "space")]
    unknown = [option for option in options if option not in known]
    if unknown:
        raise BenchmarkError(f"benchmark {name} has no option {', '.join(unknown)}: it takes {', '.join(known)}")
    if path is None:
        found = files.find(kind)
        if not found:
            places = " and ".join(str(folder) for folder in files.folders())
            raise BenchmarkError(
                f"no file for {name} in {places}: it takes {files.KINDS[kind]}. {source}. "
                f"Put it there, name its folder in the environment variable {files.VARIABLE}, or give its path"
            )
        path = found[0]
    return load(path, **options)


def find_benchmarks() -> list[tuple[str, Path]]:
    """Names and files of all benchmarks that :func:`get_benchmark` finds without a path, the one it takes first."""
    return [(name, path) for name, (_, kind, _) in LOADERS.items() for path in files.find(kind)]


def truth_for(space: str, dataset: str | None = None) -> Benchmark:
    """The official table about a search space where there is one, else the kit's own.

    ``name`` and ``describe()`` of the answer say which. An official file that is there but damaged is an error, not a
    reason to take the kit's; one that is still to be converted is named in a warning.

    Args:
        space: ``nasbench101``, ``nasbench201`` or ``nasbench-macro``.
        dataset: of the official table; None takes its first. The kit's own is about one set of images only, and is
            taken where these are asked for; in place of a missing official table it is taken whatever is asked for.

    Raises:
        BenchmarkError: no such space, neither of the two tables is to be found, or the one taken is damaged.
    """
    if space not in files.KIT:
        raise BenchmarkError(
            f"no search space of a benchmark is called {space!r}: choose one of {', '.join(files.KIT)}"
        )
    _, kind, _ = LOADERS[space]
    if dataset == kit.IMAGES:
        return get_benchmark(files.KIT[space])
    if not files.find(kind):
        for waiting in files.find(ORIGINS[space].kind):
            warnings.warn(
                f"{files.KIT[space]} is taken, as {waiting} is not converted yet: run `mngnas benchmark convert "
                f"{waiting}` once, and its table is taken instead",
                stacklevel=2,
            )
        return get_benchmark(files.KIT[space])
    return get_benchmark(space, **({} if dataset is None else {"dataset": dataset}))


def _loader(name: str) -> tuple[Callable[..., Benchmark], str, str]:
    if name not in LOADERS:
        raise BenchmarkError(f"no benchmark is called {name!r}: choose one of {', '.join(LOADERS)}")
    return LOADERS[name]


__all__ = [
    "LOADERS",
    "Benchmark",
    "Record",
    "Scores",
    "convert",
    "find_benchmarks",
    "get_benchmark",
    "recognise",
    "truth_for",
]
