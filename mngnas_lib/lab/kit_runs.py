"""Runs against the kit's own truth: the same images and the same small networks, and no download.

A SuperNet of the truth's own space is trained on the truth's own images. What it says of the truth's architectures, and
what the retraining algorithms say of them, is held against their test accuracies after trainings of their own.

``MNGNAS_PROFILE=laptop python -m mngnas_lib.lab.kit_runs`` computes all that the notebooks show, in some minutes.
What is stored already is not computed again.
"""

from __future__ import annotations

import numpy as np

from mngnas_lib.benchmarks import Benchmark, get_benchmark
from mngnas_lib.benchmarks.kit_table import read_card
from mngnas_lib.distill.algorithms import ALGORITHMS
from mngnas_lib.lab.comparison import ComparisonRun
from mngnas_lib.lab.profiles import Profile, current_profile
from mngnas_lib.lab.run import run
from mngnas_lib.lab.search_runs import SearchRun, search_settings
from mngnas_lib.lab.supernet_runs import ArchSample, DataSpec, RankingRun, SpaceSpec, SupernetRun
from mngnas_lib.search import RetrainConfig
from mngnas_lib.supernet import TrainConfig

#: Of the SuperNet's training. On these images paths disagree so much that longer steps lead nowhere: with the usual 5
#: the loss stayed at that of a guess for thousands of steps, at learning rates from 0.05 to 0.1
CLIP_NORM = 0.5
#: Batch-norm statistics that are compared
MODES = ("batch", "reestimate", "inherited")
#: Algorithms that are compared: labels alone, the average of ten teachers, and the paper's method
THREE = ("none", "average", "mngnas")


def kit_rows(profile: Profile, truth: Benchmark) -> np.ndarray:
    """Rows of the truth's table that are ranked: evenly spread over it, and so over FLOPs; all where they are few."""
    return np.linspace(0, len(truth) - 1, min(profile.kit.archs, len(truth))).round().astype(int)


def kit_supernet(profile: Profile, truth: Benchmark, seed: int = 0) -> SupernetRun:
    """A SuperNet of the truth's space in its sizes, on its images; SPOS. ``seed`` is of the training.

    Raises:
        BenchmarkError: ``truth`` is not one of the kit's own tables, and so does not say which images it saw.
    """
    sizes = profile.kit
    return SupernetRun(
        SpaceSpec(truth.space.name, tuple(truth.space.settings().items())),
        DataSpec(**read_card(truth.path)["data"]),
        TrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size, lr=sizes.lr, clip_norm=CLIP_NORM, seed=seed),
    )


def kit_ranking(profile: Profile, truth: Benchmark, bn: str = "batch", seed: int = 0) -> RankingRun:
    """Rank the architectures of :func:`kit_rows`, in their order, by accuracy on the truth's validation images."""
    given = tuple(truth.table["arch"].iloc[kit_rows(profile, truth)])
    return RankingRun(kit_supernet(profile, truth, seed), ArchSample(None, given=given), bn=bn)


def kit_search(profile: Profile, truth: Benchmark, algorithm: str) -> SearchRun:
    """Retrain random architectures that the truth knows by one algorithm, the same ones whatever the algorithm."""
    sizes = profile.kit.search
    settings = search_settings(
        sizes,
        retrain=RetrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size, lr=0.1),
        algorithm=ALGORITHMS[algorithm],
        proposals="random",
        bn="batch",
        among=tuple(truth.archs),
    )
    return SearchRun(kit_supernet(profile, truth), settings)


def kit_comparison(profile: Profile, truth: Benchmark) -> ComparisonRun:
    """Kendall's tau of three retrainings of the same architectures with the truth, and their paired differences.

    Not to be stored: the searches are, and :func:`mngnas_lib.lab.comparison.compare` holds them against the truth as it
    is now, which takes a moment.
    """
    searches = tuple(kit_search(profile, truth, name) for name in THREE)
    return ComparisonRun(THREE, searches, truth.name, truth.dataset)


def main() -> None:
    """Compute everything of the current profile, and say where it is."""
    profile, truth = current_profile(), get_benchmark("kit-nasbench201")
    rankings = [kit_ranking(profile, truth, bn) for bn in MODES] + [kit_ranking(profile, truth, seed=1)]
    for config in (*rankings, *kit_comparison(profile, truth).searches):
        print(run(config).path, flush=True)


if __name__ == "__main__":
    main()
