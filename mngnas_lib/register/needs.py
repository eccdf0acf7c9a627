"""Which runs the register's items need under a profile, and which cells of a table each run fills.

The searches on NAS-Bench-201 are those of :mod:`mngnas_lib.lab.comparison`, so what notebook 07 stored counts here.
Strategies that the kit has no SuperNet training for are left out; the register's ``missing`` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from mngnas_lib.lab.comparison import FIVE, ComparisonRun, compared_search, evolved_search
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import Profile
from mngnas_lib.lab.register_runs import FoundRun
from mngnas_lib.lab.search_runs import SearchRun
from mngnas_lib.lab.supernet_runs import SpaceSpec
from mngnas_lib.lab.tabular_runs import table_v_runs

#: Images of NAS-Bench-201, as the benchmark and the image folders name them, and as the paper does
DATASETS = {"cifar10": "CIFAR10", "cifar100": "CIFAR100", "imagenet16-120": "ImageNet16-120"}
#: Teachers of Table XV and Fig. 14: of both groups together
TEACHERS = (4, 6, 8, 10, 12, 14)
#: Epochs of retraining in Fig. 13, as parts of those that a profile takes for the paper's 40
PARTS = (0.25, 0.5, 0.75, 1.0, 1.25)
#: Algorithms that have a number of teachers to choose; they are compared with the first
WITH_TEACHERS = ("none", "average", "searched", "mngnas")
#: Sizes of NAS-Bench-101's networks by profile: the benchmark's own for the paper's
SIZES_101 = {"paper": (("channels", 128), ("cells", 3)), "laptop": (("channels", 16), ("cells", 1))}


@dataclass(frozen=True)
class Need:
    """A run, and what of the paper it is for.

    Attributes:
        about: columns of the paper's table (:func:`mngnas_lib.paper.paper_table`) and their values, which name the
            cells that this run fills; empty where the run says it itself.
    """

    config: RunConfig
    about: Mapping[str, str | int]


def nasbench201_search(
    profile: Profile, algorithm: str, seed: int, dataset: str, *, group_size: int | None = None
) -> SearchRun:
    """The search of notebook 07 (Algorithm 3), on any of NAS-Bench-201's sets of images.

    Args:
        group_size: n_TS of each of the two teacher groups; by default the profile's.
    """
    found = evolved_search(profile, algorithm, seed)
    data = replace(found.supernet.data, source=f"folder:{dataset}")
    search = found.search if group_size is None else replace(found.search, group_size=group_size)
    return replace(found, supernet=replace(found.supernet, data=data), search=search)


def nasbench201_methods(profile: Profile) -> list[Need]:
    """Table V: searches without distillation and with MNGNAS, and the baselines that need only a table."""
    searches = [
        Need(FoundRun(nasbench201_search(profile, name, seed, dataset), dataset=dataset), about)
        for name, printed in (("none", "SPOS"), ("mngnas", "MNGNAS"))
        for dataset, about in _by_dataset(strategy="SPOS", algorithm=printed)
        for seed in range(profile.comparison.seeds)
    ]
    return searches + [Need(run, {}) for run in table_v_runs()]


def nasbench201_algorithms(profile: Profile) -> list[Need]:
    """Table X: searches by the algorithms A to E."""
    return [
        Need(FoundRun(nasbench201_search(profile, name, seed, dataset), dataset=dataset), about)
        for name, letter in zip(FIVE, "ABCDE", strict=True)
        for dataset, about in _by_dataset(strategy="SPOS", letter=letter)
        for seed in range(profile.comparison.seeds)
    ]


def nasbench201_teachers(profile: Profile) -> list[Need]:
    """Table XV: MNGNAS with 4 to 14 teachers, half of them in each group."""
    return [
        Need(FoundRun(nasbench201_search(profile, "mngnas", seed, dataset, group_size=n // 2), dataset=dataset), about)
        for n in TEACHERS
        for dataset, about in _by_dataset(teachers=n)
        for seed in range(profile.comparison.seeds)
    ]


def nasbench101_search(
    profile: Profile, algorithm: str, *, part: float = 1.0, group_size: int | None = None
) -> SearchRun:
    """The search of notebook 07 that retrains random architectures, on cells of NAS-Bench-101 (and CIFAR-10).

    Args:
        part: of the profile's epochs of retraining.
        group_size: n_TS of each of the two teacher groups; by default the profile's.
    """
    found = compared_search(profile, algorithm, epochs=part * profile.comparison.fixed.epochs)
    space = SpaceSpec("nasbench101", SIZES_101.get(profile.name, SIZES_101["laptop"]))
    search = found.search if group_size is None else replace(found.search, group_size=group_size)
    return replace(found, supernet=replace(found.supernet, space=space), search=search)


def nasbench101_taus(profile: Profile) -> list[Need]:
    """Table XI: Kendall's tau of the algorithms A to E, on the same architectures."""
    return [Need(_taus_101(profile, FIVE), {"strategy": "SPOS"})]


def nasbench101_pairs(profile: Profile) -> list[Need]:
    """Fig. 10: accuracies seen by a search without distillation and by MNGNAS."""
    return [Need(nasbench101_search(profile, name), {"algorithm": name}) for name in ("none", "mngnas")]


def nasbench101_epochs(profile: Profile) -> list[Need]:
    """Fig. 13: as Table XI, for several lengths of retraining."""
    return [Need(_taus_101(profile, FIVE, part=part), {}) for part in PARTS]


def nasbench101_teachers(profile: Profile) -> list[Need]:
    """Fig. 14: as Table XI, for several numbers of teachers."""
    return [Need(_taus_101(profile, WITH_TEACHERS, group_size=n // 2), {"teachers": n}) for n in TEACHERS]


def _taus_101(profile: Profile, names: tuple[str, ...], **settings: float) -> ComparisonRun:
    searches = tuple(nasbench101_search(profile, name, **settings) for name in names)
    return ComparisonRun(names, searches, benchmark="nasbench101")


def _by_dataset(**about: str | int) -> list[tuple[str, dict[str, str | int]]]:
    return [(dataset, about | {"dataset": printed}) for dataset, printed in DATASETS.items()]


NEEDS: dict[str, Callable[[Profile], list[Need]]] = {
    function.__name__: function
    for function in (
        nasbench201_methods,
        nasbench201_algorithms,
        nasbench201_teachers,
        nasbench101_taus,
        nasbench101_pairs,
        nasbench101_epochs,
        nasbench101_teachers,
    )
}
