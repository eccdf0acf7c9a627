"""The kit's own truth: small networks trained by the kit on images that need no download.

The tables lie in ``data/benchmarks`` of the project. ``mngnas truth`` made them, and makes others in the same form.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks.base import Benchmark
from mngnas_lib.benchmarks.files import KIT, expect
from mngnas_lib.benchmarks.kit_table import read_card, read_rows
from mngnas_lib.errors import ArchError, BenchmarkError, ConfigError
from mngnas_lib.spaces import get_space

#: The images that the tables shipped with the kit are about
IMAGES = "hard-digits"


class KitBenchmark(Benchmark):
    """A benchmark that knows canonical architectures, and takes each for all that compute the same function."""

    def describe(self) -> str:
        """As of every benchmark, but for the size of the space: notations and functions are not as many."""
        return f"{self.name} on {self.dataset}: {len(self)} architectures, from {self.path.name}.\n{self.about}"

    def rows(self, archs: Any) -> np.ndarray:
        """Row numbers of many architectures. Errors as in :meth:`Benchmark.scores`."""
        canonical = []
        for arch in archs:
            choices = self.space.from_string(arch) if isinstance(arch, str) else self.space.check(arch)
            canonical.append(self.space.canonical(choices))
        return super().rows(canonical)


def load(path: str | os.PathLike[str], *, space: str, dataset: str | None = None) -> Benchmark:
    """The benchmark in a table of ``mngnas truth``, with the mean over the trainings of each architecture.

    Args:
        space: the search space that the table is to be of.
        dataset: the images that the table is to be about; None takes what it is about.

    Raises:
        BenchmarkError: the file or its card is missing, damaged, of another kind, space or set of images.
    """
    path = expect(path, KIT[space])
    card = read_card(path)
    images = card["data"]["source"]
    if dataset not in (None, images):
        raise BenchmarkError(
            f"{path} is about {images}, not about {dataset}: leave the data set out, or use another table"
        )
    rows = pd.DataFrame([vars(row) for row in read_rows(path, space)])
    if rows.empty:
        raise BenchmarkError(f"{path} has no trainings yet: `mngnas truth` computes them")
    try:
        built = get_space(str(card["space"]), **card["sizes"])
        # the order of the file, which is that of FLOPs
        by_arch = rows.groupby("arch", sort=False)
        choices = [built.from_string(arch) for arch in by_arch.groups]
    except (ArchError, ConfigError) as error:
        raise BenchmarkError(f"{path} does not fit its search space ({error}): get it again") from error
    table = by_arch.agg(
        valid=("valid", "mean"),
        test=("test", "mean"),
        params=("params", "first"),
        macs=("macs", "first"),
        std=("test", "std"),
        trainings=("seed", "count"),
        seconds=("seconds", "mean"),
    ).reset_index()
    runs = rows.pivot(index="arch", columns="seed", values="test").loc[table["arch"]].to_numpy()
    return KitBenchmark(
        name=f"kit-{space}",
        dataset=images,
        space=built,
        choices=np.array(choices, dtype=np.int64),
        table=table,
        runs=runs,
        path=path,
        about=_about(card, rows, table),
    )


def _about(card: dict[str, Any], rows: pd.DataFrame, table: pd.DataFrame) -> str:
    counts = table["trainings"].value_counts().sort_index(ascending=False)
    averaged = ", ".join(f"{times} trainings for {count} architectures" for times, count in counts.items())
    sizes = ", ".join(f"{name} {size}" for name, size in card["sizes"].items())
    images = ", ".join(f"{name} {value}" for name, value in card["data"].items() if value is not None)
    return (
        f"Made by this kit, not by the benchmark's authors: small networks ({sizes}) on small images ({images}).\n"
        f"valid, test: accuracy after the last of {card['train']['epochs']} epochs on the images' validation and test "
        f"part; mean over {averaged}, with different seeds.\n"
        "runs: test accuracies of the single trainings.\n"
        "params, macs: of these networks for one image, computed by the kit from shapes.\n"
        f"Trained by code {', '.join(sorted(set(rows['code'])))} on {card.get('machine', 'an unknown machine')}, "
        f"{rows['seconds'].sum() / 3600:.2f} hours by the clock, one training after the other."
    )
