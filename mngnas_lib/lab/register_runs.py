"""What a search found, looked up in a benchmark: the form of Tables V, X and XV."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.errors import BenchmarkError
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.run import execute, run
from mngnas_lib.lab.search_runs import SearchRun
from mngnas_lib.lab.store import Result


@dataclass(frozen=True)
class FoundRun(RunConfig):
    """How far the architecture that a search found is behind the benchmark's best.

    Metrics: ``valid_regret`` and ``test_regret``, the benchmark's highest accuracy of that split minus the
    architecture's, fractions (the two highest are of two architectures); ``truth``, what the benchmark's numbers are.
    The numbers themselves are not stored, so that the result can be passed on without them.

    Raises (when computed):
        BenchmarkError: the benchmark has no validation accuracies.
    """

    kind: ClassVar[str] = "found"

    search: SearchRun
    benchmark: str = "nasbench201"
    dataset: str = "cifar10"


@execute.register
def _(config: FoundRun) -> Result:
    benchmark = get_benchmark(config.benchmark, dataset=config.dataset)
    best = benchmark.table[["valid", "test"]].max()
    found = benchmark.query(run(config.search).metrics["arch"])
    if found.valid is None:
        raise BenchmarkError(f"{config.benchmark} on {config.dataset} has no validation accuracies to look up")
    return Result(
        {
            "valid_regret": float(best["valid"] - found.valid),
            "test_regret": float(best["test"] - found.test),
            "truth": benchmark.describe(),
        }
    )
