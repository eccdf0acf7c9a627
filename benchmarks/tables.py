"""Cost of every architecture, and time and memory of loading benchmark tables."""

from __future__ import annotations

import multiprocessing
import os
import time
from pathlib import Path

from benchmarks.timing import Row, medians
from mngnas_lib.benchmarks import find_benchmarks, get_benchmark
from mngnas_lib.lab.provenance import process_peak_memory
from mngnas_lib.spaces import get_space


def cost_of_all() -> list[Row]:
    space = get_space("nasbench201")
    archs = list(space.all_archs())

    def everything() -> None:
        for arch in archs:
            space.cost(arch, input_shape=(3, 32, 32), num_classes=10)

    return [Row(f"nasbench201: cost of all {len(archs)}", medians({"": everything}, repeats=5)[""], "s", "< 1")]


def table_loading() -> list[Row]:
    """Each table found (``MNGNAS_BENCHMARKS``, ``data/benchmarks``), loaded in a process of its own."""
    found = find_benchmarks()
    if not found:
        print("no benchmark tables found: set MNGNAS_BENCHMARKS to a folder that holds some")
    rows = []
    context = multiprocessing.get_context("spawn")
    for name, path in found:
        with context.Pool(1) as pool:
            seconds, mebibytes = pool.apply(_load, (name, path))
        rows += [
            Row(f"{name}: load {os.path.basename(path)}", seconds, "s", "< 1"),
            Row(f"{name}: memory added", mebibytes, "MiB", "< 100"),
        ]
    return rows


def _load(name: str, path: Path) -> tuple[float, float]:
    """Seconds to load a table and answer a query, and how much the process' peak memory rose (MiB)."""
    before = process_peak_memory()
    started = time.perf_counter()
    benchmark = get_benchmark(name, path)
    benchmark.query(next(iter(benchmark.space.all_archs())))
    seconds = time.perf_counter() - started
    return seconds, process_peak_memory() - before
