"""What a table of trainings is about: which architectures, on which images, trained how.

The settings of the profile ``laptop`` are those of the tables that the kit ships.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.supernet_runs import DataSpec, SpaceSpec
from mngnas_lib.supernet import TrainConfig


@dataclass(frozen=True)
class TruthSettings:
    """Everything that decides a table.

    Attributes:
        count: architectures, drawn by :func:`mngnas_lib.truth.stratified` from ``sample_seed``; None takes all.
        seeds: trainings of each architecture.
        repeated: how many architectures are trained once more, to hold the mean of the others against.
    """

    space: SpaceSpec
    data: DataSpec
    train: TrainConfig
    count: int | None
    seeds: int = 3
    repeated: int = 0
    sample_seed: int = 0

    def identity(self) -> dict[str, Any]:
        """What all trainings of a table share: the space in its sizes, the images, and how networks are trained."""
        return {
            "space": self.space.name,
            "sizes": self.space.build().settings(),
            "data": asdict(self.data),
            "train": self.train.identity(),
        }


def _shipped(
    space: str, sizes: dict[str, int], resolution: int, epochs: int, batch_size: int, count: int, repeated: int
) -> TruthSettings:
    train = TrainConfig(epochs=epochs, batch_size=batch_size, warmup_epochs=0.1)
    data = DataSpec("hard-digits", size=resolution)
    return TruthSettings(SpaceSpec(space, tuple(sizes.items())), data, train, count, seeds=3, repeated=repeated)


#: The shipped tables: networks small enough for three trainings of hundreds of architectures on a laptop. How far
#: trainings of one architecture agree, data/benchmarks/README.md says
_SHIPPED = {
    "nasbench201": _shipped("nasbench201", {"channels": 8, "cells": 1}, 8, 2, 128, count=500, repeated=60),
    "nasbench-macro": _shipped("nasbench-macro", {"channels": 4, "head_channels": 64}, 12, 1, 64, 200, 40),
    "nasbench101": _shipped("nasbench101", {"channels": 8, "cells": 1}, 12, 1, 64, count=150, repeated=40),
}


def get_truth(space: str, profile: str) -> TruthSettings:
    """The settings of a profile: ``laptop`` are those of the shipped tables, ``quick`` a small share of their
    architectures, trained in the same way; ``paper`` has the benchmark's own sizes, and wants GPUs.

    Raises:
        ConfigError: no such space or profile.
    """
    if space not in _SHIPPED:
        raise ConfigError(f"no search space is called {space!r}: choose one of {', '.join(_SHIPPED)}")
    shipped = _SHIPPED[space]
    if profile == "laptop":
        return shipped
    if profile == "quick":
        return replace(shipped, count=8, seeds=2, repeated=0)
    if profile == "paper":
        train = TrainConfig(epochs=100, batch_size=96, lr=0.05, warmup_epochs=1.0)
        return TruthSettings(SpaceSpec(space), DataSpec("hard-digits", size=28), train, 2 * shipped.count, 4)
    raise ConfigError(f"no profile is called {profile!r}: choose quick, laptop or paper")
