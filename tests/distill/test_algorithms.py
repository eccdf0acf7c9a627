import itertools
from dataclasses import dataclass
from typing import ClassVar, get_args

import pytest

from mngnas_lib.distill.algorithms import ALGORITHMS, LABELS, Algorithm, Teachers, Weights, get_algorithm
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.config import RunConfig

COMBINATIONS = list(itertools.product(get_args(Teachers), get_args(Weights), (False, True), (False, True)))


def test_the_papers_algorithms():
    """Section V-A: what each adds to the one before."""
    settings = {name: (a.teachers, a.weights, a.peers, a.perturbation) for name, a in ALGORITHMS.items()}
    assert settings == {
        "none": ("none", "uniform", False, False),
        "single": ("single", "uniform", False, False),
        "average": ("best", "uniform", False, False),
        "adaptive": ("best", "adaptive", False, False),
        "searched": ("groups", "adaptive", False, False),
        "mngnas": ("groups", "adaptive", True, True),
    }
    assert [LABELS[name][:2] for name in ALGORITHMS] == ["A:", "B:", "C:", "C:", "D:", "E:"]


def test_every_combination_can_be_said_and_is_another_one():
    algorithms = [Algorithm(*combination) for combination in COMBINATIONS]
    assert len(set(algorithms)) == len(COMBINATIONS) == 32
    for algorithm in algorithms:
        text = algorithm.describe()
        assert ("teachers" in text) == (algorithm.teachers != "none")
        assert ("peers" in text) == algorithm.peers
        assert ("perturbation" in text) == algorithm.perturbation
        assert ("labels only" in text) == (not algorithm.is_distilling)


def test_weights_are_said_where_they_count():
    assert ALGORITHMS["none"].describe() == "labels only"
    assert ALGORITHMS["single"].describe() == "teachers: the best earlier model"
    assert ALGORITHMS["mngnas"].describe() == (
        "teachers: two groups by FLOPs, adaptive weights; peers, adaptive weights; perturbation"
    )


def test_names_are_looked_up():
    assert get_algorithm("searched") is ALGORITHMS["searched"]
    with pytest.raises(ConfigError, match=r"'E'.*none, single, average, adaptive, searched, mngnas"):
        get_algorithm("E")


@pytest.mark.parametrize(
    "wrong",
    [{"teachers": "all"}, {"weights": "learned"}, {"peers": 1}, {"perturbation": "yes"}, {"teachers": ("none",)}],
)
def test_unknown_choices_are_named(wrong):
    settings = {"teachers": "none", "weights": "uniform", "peers": False, "perturbation": False}
    with pytest.raises(ConfigError, match=f"{next(iter(wrong))}=.* is not known"):
        Algorithm(**settings | wrong)


@dataclass(frozen=True)
class _Run(RunConfig):
    kind: ClassVar[str] = "algorithm-test"
    algorithm: Algorithm


@pytest.mark.parametrize("combination", COMBINATIONS[::5])
def test_an_algorithm_is_part_of_a_run(combination):
    run = _Run(Algorithm(*combination))
    assert _Run.from_dict(run.as_dict()) == run
    assert len({_Run(Algorithm(*other)).digest for other in COMBINATIONS}) == len(COMBINATIONS)
