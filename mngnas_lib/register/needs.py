"""Which runs the register's items need under a profile, and which cell of a table each run is for.

The searches on NAS-Bench-201 are those of :mod:`mngnas_lib.lab.comparison`, so that what notebook 07 stored counts here.
Strategies that the kit has no SuperNet training for are left out; the register's column ``missing`` names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from mngnas_lib.lab.comparison import FIVE, evolved_search
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import Profile
from mngnas_lib.lab.register_runs import FoundRun
from mngnas_lib.lab.search_runs import SearchRun

#: Images of NAS-Bench-201, as the benchmark names them: also the names of the image folders
DATASETS = ("cifar10", "cifar100", "imagenet16-120")
#: Teachers of Table XV: of both groups together
TEACHERS = (4, 6, 8, 10, 12, 14)


@dataclass(frozen=True)
class Need:
    """A run, and what of the paper it is for.

    Attributes:
        about: columns of the paper's tables and their values, for example ``{"strategy": "SPOS", "dataset": ...}``.
    """

    config: RunConfig
    about: Mapping[str, object] = field(default_factory=dict)


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
    """Table V: searches without distillation and with MNGNAS."""
    return _by_algorithm(profile, ("none", "mngnas"))


def nasbench201_algorithms(profile: Profile) -> list[Need]:
    """Table X: searches by the algorithms A to E."""
    return _by_algorithm(profile, FIVE)


def nasbench201_teachers(profile: Profile) -> list[Need]:
    """Table XV: MNGNAS with 4 to 14 teachers, half of them in each group."""
    return [
        _found(nasbench201_search(profile, "mngnas", seed, dataset, group_size=teachers // 2), dataset)
        for teachers in TEACHERS
        for dataset in DATASETS
        for seed in range(profile.comparison.seeds)
    ]


def _by_algorithm(profile: Profile, algorithms: tuple[str, ...]) -> list[Need]:
    return [
        _found(nasbench201_search(profile, algorithm, seed, dataset), dataset, algorithm)
        for algorithm in algorithms
        for dataset in DATASETS
        for seed in range(profile.comparison.seeds)
    ]


def _found(search: SearchRun, dataset: str, algorithm: str = "mngnas") -> Need:
    about = {
        "strategy": "SPOS",
        "algorithm": algorithm,
        "dataset": dataset,
        "teachers": 2 * search.search.group_size,
        "seed": search.search.seed,
    }
    return Need(FoundRun(search, dataset=dataset), about)


NEEDS: dict[str, Callable[[Profile], list[Need]]] = {
    function.__name__: function for function in (nasbench201_methods, nasbench201_algorithms, nasbench201_teachers)
}
