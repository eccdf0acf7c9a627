"""How the benchmarks measure: warm up, interleave what is compared, take medians."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Row:
    """One measured figure, and what it should reach (None: for information)."""

    name: str
    value: float
    unit: str
    target: str = ""


def medians(calls: dict[str, Callable[[], object]], *, repeats: int, warmup: int = 1) -> dict[str, float]:
    """Median seconds of each call. The calls take turns, so that a slow moment of the machine hits all alike."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(warmup + repeats):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            if repeat >= warmup:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in times.items()}


def show(rows: list[Row]) -> None:
    """Print the rows as an aligned table."""
    width = max(len(row.name) for row in rows)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    print(f"torch {torch.__version__} on {device}")
    for row in rows:
        print(f"{row.name:<{width}}  {row.value:>10.3f} {row.unit:<10} {row.target}")
