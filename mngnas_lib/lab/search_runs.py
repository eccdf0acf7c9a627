"""Runs of the search: one search (Algorithm 3), and how well what it saw agrees with a benchmark."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from filelock import FileLock

from mngnas_lib.benchmarks import Benchmark, get_benchmark
from mngnas_lib.data import ImageData
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import SearchSizes
from mngnas_lib.lab.run import execute, run
from mngnas_lib.lab.stats import compare_taus, kendall_tau
from mngnas_lib.lab.store import Result, results_folder
from mngnas_lib.lab.supernet_runs import SupernetRun, trained_supernet
from mngnas_lib.search import RetrainConfig, SearchConfig, SearchResult, search
from mngnas_lib.search.evolution import Constraint


@dataclass(frozen=True)
class SearchRun(RunConfig):
    """Search with a trained SuperNet.

    Tables ``archs``, ``coefficients`` and ``seconds``, curves ``losses`` and ``perturbation``: see
    :class:`mngnas_lib.search.History`. Metrics: the architecture found, its accuracy (a fraction of the validation
    images) and costs; the threshold; the worst gap and KKT residual of the coefficients; seconds of the search.
    """

    kind: ClassVar[str] = "search"

    supernet: SupernetRun
    search: SearchConfig


@dataclass(frozen=True)
class SearchScoreRun(RunConfig):
    """Hold what a search saw against a benchmark's test accuracies; see :func:`search_scores` for the metrics.

    The benchmark's own numbers are not stored, so that the result can be passed on without them.
    """

    kind: ClassVar[str] = "search-score"

    search: SearchRun
    benchmark: str
    dataset: str = "cifar10"


def search_settings(sizes: SearchSizes, *, retrain: RetrainConfig | None = None, **settings: Any) -> SearchConfig:
    """A search in the sizes of a profile; ``settings`` and ``retrain`` say all else, and sizes that differ."""
    retrain = RetrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size) if retrain is None else retrain
    named = {name: value for name, value in asdict(sizes).items() if name not in ("epochs", "batch_size")}
    return SearchConfig(**named | {"retrain": retrain} | settings)


def search_folder(config: SearchRun) -> Path:
    """Where a search's checkpoints are kept: ``data/cache/searches/<hash>`` beside the results."""
    return results_folder().parent / "cache" / "searches" / config.digest[:12]


def finished_search(config: SearchRun, data: ImageData | None = None) -> SearchResult:
    """The search, the network that it found included: from its last checkpoint, after what is still missing."""
    data = config.supernet.data.load() if data is None else data
    supernet = trained_supernet(config.supernet, data).network
    folder = search_folder(config)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        return search(supernet, data, config.search, folder=folder)


@execute.register
def _(config: SearchRun) -> Result:
    data = config.supernet.data.load()
    found = finished_search(config, data)
    space, best = found.network.space, found.best
    seconds = found.table("seconds")
    metrics = {
        "arch": space.to_string(best.arch),
        "accuracy": best.accuracy,
        "params": space.cost(best.arch, input_shape=data.input_shape, num_classes=data.num_classes).params,
        "macs": best.macs,
        "archs": len(found.history.archs),
        "search_epochs": int(seconds["search_epoch"].max()),
        "threshold": found.threshold,
        "gap": found.certificate[0],
        "kkt": found.certificate[1],
        "seconds": float(seconds["seconds"].sum()),
        "input_shape": data.input_shape,
        "num_classes": data.num_classes,
        "data": data.fingerprint,
    }
    tables = {name: found.table(name).to_dict("list") for name in ("archs", "coefficients", "seconds")}
    curves = {"losses": found.table("curves").to_dict("list")}
    curves["perturbation"] = found.table("perturbation").to_dict("list")
    return Result(metrics, tables, curves)


@execute.register
def _(config: SearchScoreRun) -> Result:
    benchmark = get_benchmark(config.benchmark, dataset=config.dataset)
    found = run(config.search)
    costs = Constraint.of(
        config.search.supernet.space.build(),
        config.search.search.max_macs,
        input_shape=tuple(found.metrics["input_shape"]),
        num_classes=found.metrics["num_classes"],
    )
    return Result(search_scores(found.table("archs"), benchmark, costs) | {"truth": benchmark.describe()})


def search_scores(archs: Any, benchmark: Benchmark, allowed: Constraint) -> dict[str, float]:
    """Statistics of a search's table ``archs`` against a benchmark's test accuracies.

    Args:
        allowed: the constraint of the search; regret is against the best architecture that it allows.

    Returns:
        Kendall's tau of several columns, each with ``_low`` and ``_high``: ``tau`` of the accuracies after retraining,
        ``tau_later`` of those after the first search epoch alone, ``tau_before`` of those with the SuperNet's weights,
        ``tau_macs`` and ``tau_params``. Paired differences ``tau_minus_before`` and ``tau_minus_macs``, with
        ``_low``, ``_high`` and ``_p``. ``regret``: the best test accuracy that the constraint allows minus that of the
        architecture found, fractions; ``regret_seen``: minus that of the best that was retrained. Numbers of
        architectures: ``n`` and ``n_later``.
    """
    true = benchmark.scores([benchmark.space.from_string(text) for text in archs["arch"]]).test
    later = (archs["search_epoch"] > 1).to_numpy()
    after, before, macs = (archs[name].to_numpy() for name in ("accuracy", "accuracy_before", "macs"))
    metrics: dict[str, float] = {"n": len(archs), "n_later": int(later.sum())}
    for name, scores, known in (
        ("tau", after, true),
        ("tau_later", after[later], true[later]),
        ("tau_before", before, true),
        ("tau_macs", macs, true),
        ("tau_params", archs["params"].to_numpy(), true),
    ):
        tau = kendall_tau(scores, known)
        metrics |= {name: tau.value, f"{name}_low": tau.low, f"{name}_high": tau.high}
    for name, other in (("tau_minus_before", before), ("tau_minus_macs", macs)):
        difference = compare_taus(after, other, true)
        metrics |= {name: difference.value, f"{name}_low": difference.low, f"{name}_high": difference.high}
        metrics[f"{name}_p"] = difference.p
    # the search's own choice: most accurate, then fewest MAdds
    found = int(np.lexsort((macs, -after))[0])
    best = max(
        test for arch, test in zip(benchmark.archs, benchmark.table["test"].to_numpy(), strict=True) if allowed(arch)
    )
    return metrics | {"regret": float(best - true[found]), "regret_seen": float(best - true.max())}
