"""The retraining algorithms that Section V-A compares, as combinations of four independent choices."""

from __future__ import annotations

from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal, get_args, get_type_hints

from mngnas_lib.errors import ConfigError

Teachers = Literal["none", "single", "best", "groups"]
Weights = Literal["uniform", "adaptive"]


@dataclass(frozen=True)
class Algorithm:
    """How candidates are retrained. Every combination runs.

    With one teacher, and with neither teachers nor peers, the weights have no say. In the first search epoch there are
    no teachers yet: students learn from labels alone (Algorithm 3), whatever the algorithm.

    Attributes:
        teachers: which models of earlier search epochs teach. ``none``; ``single``: the most accurate one; ``best``:
            the 2·n_TS most accurate ones, in one pool, whatever their FLOPs; ``groups``: the n_TS most accurate ones on
            each side of the FLOPs threshold, each side teaching students of its own side (Section III-C, Algorithm 3).
        weights: of the members of a group, teachers or peers. ``uniform``: one over their number (Eq. 7, and the
            average ensemble of Section V-A); ``adaptive``: α and β of Eq. 20 (Section III-D).
        peers: whether students also learn from the other candidates of their search epoch (Eq. 7, 8).
        perturbation: whether those that enter a teacher group are fine-tuned against perturbed copies of themselves
            (Section III-E, Algorithm 2).
    """

    teachers: Teachers
    weights: Weights
    peers: bool
    perturbation: bool

    def __post_init__(self) -> None:
        kinds = get_type_hints(type(self))
        for field in fields(self):
            value = getattr(self, field.name)
            known = (True, False) if kinds[field.name] is bool else get_args(kinds[field.name])
            # 1 == True, and would be another run's setting
            if not any(value is choice or (isinstance(value, str) and value == choice) for choice in known):
                raise ConfigError(f"{field.name}={value!r} is not known: choose one of {', '.join(map(str, known))}")

    @property
    def is_distilling(self) -> bool:
        """Whether retraining uses anything but labels, once there are teachers."""
        return self.teachers != "none" or self.peers

    def describe(self) -> str:
        """For example ``teachers: two groups by FLOPs, adaptive weights; peers, adaptive weights; perturbation``."""
        parts = []
        if self.teachers != "none":
            weights = "" if self.teachers == "single" else f", {self.weights} weights"
            parts.append(f"teachers: {_TEACHERS[self.teachers]}{weights}")
        if self.peers:
            parts.append(f"peers, {self.weights} weights")
        if not parts:
            parts.append("labels only")
        if self.perturbation:
            parts.append("perturbation")
        return "; ".join(parts)


_TEACHERS = {
    "single": "the best earlier model",
    "best": "the best earlier models",
    "groups": "two groups by FLOPs",
}

#: The algorithms A to E of Section V-A, and the variant of C that Tables IX to XI name.
ALGORITHMS = MappingProxyType(
    {
        "none": Algorithm(teachers="none", weights="uniform", peers=False, perturbation=False),
        "single": Algorithm(teachers="single", weights="uniform", peers=False, perturbation=False),
        "average": Algorithm(teachers="best", weights="uniform", peers=False, perturbation=False),
        "adaptive": Algorithm(teachers="best", weights="adaptive", peers=False, perturbation=False),
        "searched": Algorithm(teachers="groups", weights="adaptive", peers=False, perturbation=False),
        "mngnas": Algorithm(teachers="groups", weights="adaptive", peers=True, perturbation=True),
    }
)

#: Their letters in Section V-A and names in Tables VIII to XI, for tables and plots.
LABELS = MappingProxyType(
    {
        "none": "A: w/o KD",
        "single": "B: Single KD",
        "average": "C: Average Ensemble KD",
        "adaptive": "C: Adaptive Ensemble KD",
        "searched": "D: Searched Adaptive Ensemble KD",
        "mngnas": "E: MNGNAS",
    }
)


def get_algorithm(name: str) -> Algorithm:
    """The algorithm called ``name``.

    Raises:
        ConfigError: no algorithm has this name.
    """
    if name not in ALGORITHMS:
        raise ConfigError(f"no retraining algorithm is called {name!r}: choose one of {', '.join(ALGORITHMS)}")
    return ALGORITHMS[name]
