"""The three profiles: ``quick``, ``laptop``, ``paper``. A profile sets sizes, never the method."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mngnas_lib.errors import ConfigError


@dataclass(frozen=True)
class SupernetSizes:
    """How much a SuperNet's training and ranking takes.

    Attributes:
        channels, cells: sizes of the NAS-Bench-201 network; NAS-Bench-Macro takes ``channels`` and ``head_channels``.
        size: pixels a side. count: training and validation images together.
        archs: architectures to rank.
    """

    channels: int
    cells: int
    head_channels: int
    size: int
    count: int
    valid_fraction: float
    epochs: int
    batch_size: int
    lr: float
    archs: int


@dataclass(frozen=True)
class SearchSizes:
    """How much a search takes, from the SuperNet of the same profile.

    Attributes:
        search_epochs, candidates: rounds of Algorithm 3, and n_S of each.
        group_size, removed, perturbed: n_TS, n_removed, n_perturb.
        epochs, batch_size: of the retraining of candidates. perturb_epochs: of the fine-tuning of new teachers.
    """

    search_epochs: int
    candidates: int
    group_size: int
    removed: int
    perturbed: int
    perturb_epochs: float
    epochs: float
    batch_size: int


@dataclass(frozen=True)
class ComparisonSizes:
    """How much the comparison of the retraining algorithms on CIFAR-10 takes, see :mod:`mngnas_lib.lab.comparison`.

    Attributes:
        count, valid_fraction: images of training and validation together, and the share of the latter.
        supernet_epochs: of the SuperNet that all start from.
        fixed: the search that draws all its candidates at random, so that all algorithms retrain the same ones.
        evolved: the search of Algorithm 3.
        seeds: searches of each algorithm.
        equal_time: epochs of the algorithms A to E that take as long as those of ``fixed`` take MNGNAS, perturbation
            included; from the wall times of the runs of equal steps, on the machine of the stored results. Algorithms
            that are at most an eighth faster than MNGNAS keep their epochs. Empty: not measured.
    """

    count: int
    valid_fraction: float
    supernet_epochs: int
    fixed: SearchSizes
    evolved: SearchSizes
    seeds: int
    equal_time: tuple[float, ...] = ()


@dataclass(frozen=True)
class KitSizes:
    """How much it takes to rank architectures of the kit's own truth, see :mod:`mngnas_lib.lab.kit_runs`. The truth
    itself decides the networks' widths and the images.

    Attributes:
        epochs, batch_size, lr: of the SuperNet.
        archs: of the truth's architectures that are ranked, at most.
        search: of the comparison of retraining algorithms.
    """

    epochs: int
    batch_size: int
    lr: float
    archs: int
    search: SearchSizes


@dataclass(frozen=True)
class Profile:
    """Sizes of everything that the notebooks compute.

    Attributes:
        supernet: on the embedded digits.
        kit: on the images of the kit's own truth.
        real: on CIFAR-10, where the reader has the images and a benchmark's table.
        search: searches with the SuperNet of ``supernet``; of the paper, all that it gives (Section IV-A).
        comparison: of the retraining algorithms, with the widths and resolution of ``real``.
    """

    name: str
    supernet: SupernetSizes
    kit: KitSizes
    real: SupernetSizes
    search: SearchSizes
    comparison: ComparisonSizes


QUICK = Profile(
    "quick",
    supernet=SupernetSizes(4, 1, 64, 16, 1250, 0.2, 20, 50, 0.1, 200),
    kit=KitSizes(3, 32, 0.05, 60, SearchSizes(2, 10, 2, 0, 2, 0.05, epochs=0.1, batch_size=96)),
    real=SupernetSizes(8, 1, 320, 16, 6000, 0.25, 10, 64, 0.1, 100),
    search=SearchSizes(3, 8, 2, 3, 2, 0.5, epochs=2.0, batch_size=50),
    comparison=ComparisonSizes(
        count=4000,
        valid_fraction=0.25,
        supernet_epochs=5,
        fixed=SearchSizes(3, 6, 2, 0, 2, 0.25, epochs=1.0, batch_size=64),
        evolved=SearchSizes(3, 6, 2, 2, 2, 0.25, epochs=1.0, batch_size=64),
        seeds=1,
    ),
)
LAPTOP = Profile(
    "laptop",
    supernet=SupernetSizes(8, 1, 64, 16, 2500, 0.2, 60, 64, 0.1, 1000),
    kit=KitSizes(15, 32, 0.05, 500, SearchSizes(5, 20, 5, 0, 4, 0.05, epochs=0.25, batch_size=96)),
    real=SupernetSizes(8, 1, 320, 16, 14000, 1 / 7, 40, 64, 0.1, 300),
    search=SearchSizes(6, 16, 3, 5, 4, 1.0, epochs=3.0, batch_size=64),
    comparison=ComparisonSizes(
        count=16000,
        valid_fraction=0.25,
        supernet_epochs=40,
        fixed=SearchSizes(5, 20, 5, 0, 4, 0.25, epochs=2.0, batch_size=64),
        evolved=SearchSizes(5, 12, 3, 4, 4, 0.25, epochs=1.0, batch_size=64),
        seeds=4,
        equal_time=(2.6, 2.5, 2.0, 2.0, 2.0),
    ),
)
PAPER = Profile(
    "paper",
    supernet=SupernetSizes(16, 5, 1280, 28, 4000, 0.2, 600, 96, 0.05, 1000),
    kit=KitSizes(600, 96, 0.05, 1000, SearchSizes(20, 30, 5, 0, 4, 1.0, epochs=40.0, batch_size=96)),
    real=SupernetSizes(16, 5, 1280, 32, 50000, 0.1, 600, 96, 0.05, 1000),
    search=SearchSizes(20, 30, 5, 10, 4, 1.0, epochs=40.0, batch_size=96),
    comparison=ComparisonSizes(
        count=50000,
        valid_fraction=0.1,
        supernet_epochs=600,
        fixed=SearchSizes(34, 30, 5, 0, 4, 1.0, epochs=40.0, batch_size=96),
        evolved=SearchSizes(20, 30, 5, 10, 4, 1.0, epochs=40.0, batch_size=96),
        seeds=4,
    ),
)
PROFILES = {profile.name: profile for profile in (QUICK, LAPTOP, PAPER)}


def current_profile() -> Profile:
    """The profile that the environment variable ``MNGNAS_PROFILE`` names; ``quick`` without it.

    Raises:
        ConfigError: there is no such profile.
    """
    return get_profile(os.environ.get("MNGNAS_PROFILE") or "quick")


def get_profile(name: str) -> Profile:
    """The profile called ``name``.

    Raises:
        ConfigError: there is no such profile.
    """
    if name not in PROFILES:
        raise ConfigError(f"no profile is called {name!r}: set MNGNAS_PROFILE to one of {', '.join(PROFILES)}")
    return PROFILES[name]
