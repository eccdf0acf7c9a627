"""Searches small enough for tests, each run once, with what their retrainings were told."""

import copy
import importlib
from dataclasses import dataclass, replace
from functools import cache
from unittest.mock import patch

import torch

from mngnas_lib.data import ImageData, load_images
from mngnas_lib.distill.algorithms import ALGORITHMS, Algorithm
from mngnas_lib.search import Guidance, RetrainConfig, SearchConfig, SearchResult, search
from mngnas_lib.spaces import SearchSpace, SlotNetwork, get_space

#: Two modules that tests patch; the name of the first is hidden by its function
LOOP = importlib.import_module("mngnas_lib.search.search")
STATE = importlib.import_module("mngnas_lib.search.state")

SMALL = SearchConfig(
    search_epochs=3,
    candidates=4,
    group_size=2,
    removed=2,
    perturbed=2,
    bn="batch",
    retrain=RetrainConfig(epochs=1, batch_size=80),
)
#: Steps of one retraining
STEPS = 3
#: The named algorithms, and other combinations of their choices
ALL = {
    **ALGORITHMS,
    "peers alone": Algorithm("none", "adaptive", peers=True, perturbation=True),
    "uniform groups": Algorithm("groups", "uniform", peers=True, perturbation=False),
    "single and peers": Algorithm("single", "adaptive", peers=True, perturbation=True),
    "average, perturbed": Algorithm("best", "uniform", peers=False, perturbation=True),
}


@dataclass(frozen=True)
class Watched:
    """A search, and for each search epoch its students' architectures and their guidance."""

    config: SearchConfig
    result: SearchResult
    retrainings: list[tuple[list[tuple[int, ...]], Guidance]]

    @property
    def rows(self) -> list[dict]:
        return self.result.history.archs


@cache
def digits() -> ImageData:
    """300 training and validation digits of 8x8 pixels: three mini-batches of 80, and 60 for validation."""
    return load_images("digits", size=8, count=300, test_count=10, valid_fraction=0.2)


@cache
def cells() -> SearchSpace:
    return get_space("nasbench201", channels=4, cells=1)


def chain(*stages: int) -> SearchSpace:
    """A space of 3 to the power of the number of blocks."""
    return get_space("nasbench-macro", channels=4, stages=stages, head_channels=8)


@cache
def supernet(space: SearchSpace | None = None) -> SlotNetwork:
    """A SuperNet that was not trained: it ranks badly, but as repeatably as any."""
    return (space or cells()).supernet(num_classes=10, in_channels=1, seed=0)


def watched(config: SearchConfig, space: SearchSpace | None = None, **settings: object) -> Watched:
    """Search, and note what each retraining was told."""
    retrainings = []

    class Spy(LOOP.Retraining):
        def __init__(self, students, batches, config, guidance, **more):
            retrainings.append(([student.arch for student in students], guidance))
            super().__init__(students, batches, config, guidance, **more)

    with patch.object(LOOP, "Retraining", Spy):
        result = search(supernet(space), digits(), config, progress=False, **settings)
    return Watched(config, result, retrainings)


@cache
def searched(name: str, proposals: str = "evolution") -> Watched:
    """The small search with the algorithm called ``name``."""
    return watched(replace(SMALL, algorithm=ALL[name], proposals=proposals))


def tables(result: SearchResult) -> dict[str, list[dict]]:
    """The history without what is not a function of the seed; NaN as text, which equals itself."""
    rows = copy.deepcopy({name: table for name, table in vars(result.history).items() if name != "seconds"})
    for row in rows["archs"]:
        row["accuracy_perturbed"] = repr(row["accuracy_perturbed"])
    return rows


def equal_weights(one: SlotNetwork, other: SlotNetwork) -> bool:
    ours, theirs = one.state_dict(), other.state_dict()
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def same(one: SearchResult, other: SearchResult) -> bool:
    """Whether two searches ended alike to the last bit."""
    return (
        tables(one) == tables(other)
        and (one.best, one.threshold, one.certificate) == (other.best, other.threshold, other.certificate)
        and equal_weights(one.network, other.network)
    )


def beaten(row: dict, rows: list[dict], space: SearchSpace | None = None) -> int:
    """How many of ``rows`` are better: more accurate, or as accurate with fewer MAdds, or the same in both and the
    smaller tuple. Those that a group of n keeps are beaten by fewer than n."""
    read = (space or cells()).from_string
    count = 0
    for other in rows:
        if other["accuracy"] != row["accuracy"]:
            count += other["accuracy"] > row["accuracy"]
        elif other["macs"] != row["macs"]:
            count += other["macs"] < row["macs"]
        else:
            count += read(other["arch"]) < read(row["arch"])
    return count
