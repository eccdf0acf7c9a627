"""Does distillation help? The five retraining algorithms on the same architectures, against a benchmark (Section V-A).

All algorithms get the same SuperNet, the same candidates in the same search epochs, the same mini-batches, and either
the same number of steps or, by ``epochs``, the same time. The first search epoch has no teachers and is the same for
all: its architectures are retrained by labels alone, become the first teachers, and are left out of what is compared.

``MNGNAS_PROFILE=laptop python -m mngnas_lib.lab.comparison`` computes everything, with CIFAR-10 as an image folder
``cifar10`` in ``MNGNAS_DATA`` and the table of NAS-Bench-201 in ``MNGNAS_BENCHMARKS``. What is stored already is not
computed again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.data import Augment
from mngnas_lib.distill.algorithms import ALGORITHMS
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import Profile, SearchSizes, current_profile
from mngnas_lib.lab.run import execute, run
from mngnas_lib.lab.search_runs import SearchRun, SearchScoreRun, search_settings
from mngnas_lib.lab.stats import compare_taus, kendall_tau
from mngnas_lib.lab.store import Result
from mngnas_lib.lab.supernet_runs import ArchSample, DataSpec, RankingRun, SpaceSpec, SupernetRun, TauRun
from mngnas_lib.search import RetrainConfig
from mngnas_lib.supernet import TrainConfig

#: The algorithms A to E, in the paper's order.
FIVE = ("none", "single", "average", "searched", "mngnas")


@dataclass(frozen=True)
class ComparisonRun(RunConfig):
    """Kendall's tau of several retrainings of the same architectures, and their paired differences from the first.

    Metrics: ``n`` architectures after the first search epoch; ``before`` and ``macs``: tau of the accuracies with the
    SuperNet's weights and of MAdds, with ``_low`` and ``_high``. Table ``taus``: one row a name, with ``tau``,
    ``low``, ``high``, ``within`` (mean over search epochs of the tau among an epoch's candidates), ``accuracy`` (mean,
    fraction of the validation images), ``epochs`` of retraining. Table ``differences``: tau minus the first one's,
    ``low``, ``high`` and ``p`` of a paired bootstrap over architectures. The benchmark's own numbers are not stored.
    """

    kind: ClassVar[str] = "comparison"

    names: tuple[str, ...]
    searches: tuple[SearchRun, ...]
    benchmark: str = "nasbench201"
    dataset: str = "cifar10"


def comparison_supernet(profile: Profile) -> SupernetRun:
    """The SuperNet that all algorithms start from: NAS-Bench-201's, trained on CIFAR-10 by SPOS."""
    sizes, real = profile.comparison, profile.real
    return SupernetRun(
        space=SpaceSpec("nasbench201", (("channels", real.channels), ("cells", real.cells))),
        data=DataSpec("folder:cifar10", size=real.size, count=sizes.count, valid_fraction=sizes.valid_fraction),
        train=TrainConfig(epochs=sizes.supernet_epochs, batch_size=32, lr=0.05, augment=Augment(flip=True)),
    )


def supernet_tau(profile: Profile, *, bn_affine: bool, score: str = "accuracy", seed: int = 0) -> TauRun:
    """How well such a SuperNet ranks by itself.

    Args:
        bn_affine: train the scale and shift of batch norms, as everywhere else here, or leave them at 1 and 0.
        score: what ranks, ``accuracy`` or ``loss``, both with batch statistics on the validation images.
    """
    supernet = comparison_supernet(profile)
    supernet = replace(supernet, train=replace(supernet.train, bn_affine=bn_affine, seed=seed))
    ranking = RankingRun(supernet, ArchSample(profile.real.archs, canonical=False))
    return TauRun(ranking, "nasbench201", score=score)


def compared_search(profile: Profile, algorithm: str, *, epochs: float | None = None) -> SearchRun:
    """Retrain random architectures of NAS-Bench-201 by one algorithm, the same ones whatever the algorithm.

    Args:
        epochs: of retraining; by default the profile's.
    """
    sizes = profile.comparison.fixed
    return _search(profile, sizes, algorithm, 0, proposals="random", epochs=sizes.epochs if epochs is None else epochs)


def evolved_search(profile: Profile, algorithm: str, seed: int) -> SearchRun:
    """The search itself (Algorithm 3), by one algorithm."""
    sizes = profile.comparison.evolved
    return _search(profile, sizes, algorithm, seed, proposals="evolution", epochs=sizes.epochs)


def equal_time(profile: Profile) -> dict[str, float]:
    """Epochs of each algorithm that take the same time; empty where this was not measured."""
    return dict(zip(FIVE, profile.comparison.equal_time, strict=False))


def comparison(profile: Profile, epochs: Mapping[str, float] | None = None) -> ComparisonRun:
    """The five algorithms with equal steps; or, with ``epochs`` by algorithm, as long as it says."""
    searches = (compared_search(profile, name, epochs=(epochs or {}).get(name)) for name in FIVE)
    return ComparisonRun(FIVE, tuple(searches))


def _search(
    profile: Profile, sizes: SearchSizes, algorithm: str, seed: int, *, proposals: str, epochs: float
) -> SearchRun:
    retrain = RetrainConfig(epochs=epochs, batch_size=sizes.batch_size, lr=0.1, augment=Augment(flip=True), seed=seed)
    settings = search_settings(
        sizes, retrain=retrain, algorithm=ALGORITHMS[algorithm], proposals=proposals, bn="batch", seed=seed
    )
    return SearchRun(comparison_supernet(profile), settings)


@execute.register
def _(config: ComparisonRun) -> Result:
    return compare(config, [run(search) for search in config.searches])


def compare(config: ComparisonRun, found: Sequence[Result]) -> Result:
    """What a comparison gives, from the results of its searches."""
    benchmark = get_benchmark(config.benchmark, dataset=config.dataset)
    tables = [result.table("archs") for result in found]
    first = tables[0]
    later = (first["search_epoch"] > 1).to_numpy()
    true = benchmark.scores([benchmark.space.from_string(text) for text in first["arch"]]).test[later]
    after = [table["accuracy"].to_numpy()[later] for table in tables]
    epochs = first["search_epoch"].to_numpy()[later]
    taus, differences = [], []
    for name, search, accuracy in zip(config.names, config.searches, after, strict=True):
        tau = kendall_tau(accuracy, true)
        within = [kendall_tau(accuracy[epochs == e], true[epochs == e], resamples=1).value for e in np.unique(epochs)]
        taus.append(
            {
                "name": name,
                "tau": tau.value,
                "low": tau.low,
                "high": tau.high,
                "within": float(np.mean(within)),
                "accuracy": float(accuracy.mean()),
                "epochs": search.search.retrain.epochs,
            }
        )
        difference = compare_taus(accuracy, after[0], true)
        differences.append(
            {
                "name": name,
                "difference": difference.value,
                "low": difference.low,
                "high": difference.high,
                "p": difference.p,
            }
        )
    metrics: dict[str, float | str] = {"n": int(later.sum()), "truth": benchmark.describe()}
    for name, scores in (("before", first["accuracy_before"]), ("macs", first["macs"])):
        tau = kendall_tau(scores.to_numpy()[later], true)
        metrics |= {name: tau.value, f"{name}_low": tau.low, f"{name}_high": tau.high}
    return Result(metrics, {"taus": pd.DataFrame(taus), "differences": pd.DataFrame(differences[1:])})


@dataclass(frozen=True)
class RegretRun(RunConfig):
    """What searches by several algorithms found. Table ``searches``: one row a search, with ``name``, ``seed``, the
    statistics of :func:`mngnas_lib.lab.search_runs.search_scores`, and ``accuracy`` (of the found architecture, a
    fraction of the validation images). The benchmark's own numbers are not stored.
    """

    kind: ClassVar[str] = "regret"

    names: tuple[str, ...]
    searches: tuple[SearchRun, ...]
    benchmark: str = "nasbench201"
    dataset: str = "cifar10"


def regrets(profile: Profile, names: tuple[str, ...] = ("none", "mngnas")) -> RegretRun:
    """Searches by the named algorithms, one a seed."""
    pairs = [(name, seed) for name in names for seed in range(profile.comparison.seeds)]
    return RegretRun(
        tuple(name for name, _ in pairs), tuple(evolved_search(profile, name, seed) for name, seed in pairs)
    )


@execute.register
def _(config: RegretRun) -> Result:
    rows = []
    for name, search in zip(config.names, config.searches, strict=True):
        scores = run(SearchScoreRun(search, config.benchmark, config.dataset)).metrics
        scores = {key: value for key, value in scores.items() if key != "truth"}
        accuracy = run(search).metrics["accuracy"]
        rows.append({"name": name, "seed": search.search.seed, "accuracy": accuracy, **scores})
    about = get_benchmark(config.benchmark, dataset=config.dataset).describe()
    return Result({"truth": about}, {"searches": pd.DataFrame(rows)})


def main() -> None:
    """Compute everything of the current profile, and say where it is."""
    profile = current_profile()
    print(run(comparison(profile)).path, flush=True)
    epochs = equal_time(profile)
    if epochs:
        print(run(comparison(profile, epochs)).path, flush=True)
    print(run(regrets(profile)).path, flush=True)


if __name__ == "__main__":
    main()
