"""Settings of runs: equal runs have equal hashes everywhere, different runs different ones."""

import hashlib
import json
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab import RunConfig
from mngnas_lib.supernet import TrainConfig


@dataclass(frozen=True)
class Inner:
    rate: float = 0.1
    flip: bool = False


@dataclass(frozen=True)
class Run(RunConfig):
    kind: ClassVar[str] = "example"
    version: ClassVar[int] = 2
    space: str = "nasbench201"
    epochs: int = 40
    lr: float = 0.1
    clip: float | None = None
    seeds: tuple[int, ...] = (0, 1)
    shape: tuple[int, float] = (3, 0.5)
    bn: Literal["batch", "reestimate"] = "batch"
    inner: Inner = field(default_factory=Inner)
    extra: Inner | None = None
    root: str | None = field(default=None, compare=False)


#: The text that is hashed, written by hand. It must never change by itself: stored results would not be found again.
CANONICAL = (
    '{"config":{"bn":"batch","clip":null,"epochs":40,"extra":null,"inner":{"flip":false,"rate":0.1},"lr":0.1,'
    '"seeds":[0,1],"shape":[3,0.5],"space":"nasbench201"},"kind":"example","version":2}'
)


def test_hash_is_what_it_always_was():
    assert Run().digest == hashlib.sha256(CANONICAL.encode()).hexdigest()
    assert Run().digest == "44e65b5453c0a37086eafd10235f8c2da56c56de3454a874d530288ab0a962d1"


@pytest.mark.parametrize(
    "changed",
    [
        {"space": "nasbench-macro"},
        {"epochs": 41},
        {"lr": 0.1 + 2**-56},
        {"clip": 0.0},
        {"seeds": (1, 0)},
        {"seeds": (0,)},
        {"seeds": ()},
        {"shape": (3, 0.25)},
        {"bn": "reestimate"},
        {"inner": Inner(flip=True)},
        {"extra": Inner()},
    ],
)
def test_any_change_changes_the_hash(changed):
    assert Run(**changed).digest != Run().digest


def test_every_setting_is_tried_above():
    tried = {"space", "epochs", "lr", "clip", "seeds", "shape", "bn", "inner", "extra"}
    assert tried == {entry.name for entry in fields(Run) if entry.compare}


def test_kind_and_version_change_the_hash():
    @dataclass(frozen=True)
    class A(RunConfig):
        kind: ClassVar[str] = "a"

    @dataclass(frozen=True)
    class B(RunConfig):
        kind: ClassVar[str] = "b"

    @dataclass(frozen=True)
    class Later(RunConfig):
        kind: ClassVar[str] = "a"
        version: ClassVar[int] = 2

    assert len({A().digest, B().digest, Later().digest}) == 3


def test_a_run_within_a_run_brings_its_version():
    @dataclass(frozen=True)
    class Base(RunConfig):
        kind: ClassVar[str] = "base"
        x: int = 1

    @dataclass(frozen=True)
    class Upon(RunConfig):
        kind: ClassVar[str] = "upon"
        base: Base = field(default_factory=Base)

    # annotations are texts here, and these classes are not of the module
    Upon.__annotations__["base"] = Base
    config = Upon()
    data, digest = config.as_dict(), config.digest
    assert data == {"base": {"x": 1, "version": 1}}
    assert Upon.from_dict(data) == config
    Base.version = 2
    assert config.digest != digest
    with pytest.raises(ConfigError, match=r"Upon\.base: these settings are not of version 2 of Base"):
        Upon.from_dict(data)


@pytest.mark.parametrize(
    "same",
    [
        {"lr": np.float64(0.1), "epochs": np.int64(40)},
        {"seeds": [0, 1]},
        {"seeds": np.array([0, 1])},
        {"root": "/elsewhere"},
    ],
)
def test_the_same_settings_in_another_type_hash_alike(same):
    assert Run(**same).digest == Run().digest


def test_whole_numbers_and_zeros_hash_alike_as_floats():
    assert Run(lr=1).digest == Run(lr=1.0).digest
    assert Run(clip=5).digest == Run(clip=5.0).digest
    assert Run(clip=0.0).digest == Run(clip=-0.0).digest
    assert Run(inner=Inner(rate=2)).digest == Run(inner=Inner(rate=2.0)).digest
    assert Run(shape=(3, 1)).digest == Run(shape=(3, 1.0)).digest


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"epochs": "40"}, r"Run\.epochs must be of type int, but it is '40'"),
        ({"epochs": 40.0}, "epochs must be of type int"),
        ({"epochs": True}, "epochs must be of type int"),
        ({"lr": "0.1"}, "lr must be of type float"),
        ({"lr": float("nan")}, "lr must be a finite number"),
        ({"clip": float("inf")}, "clip must be a finite number"),
        ({"clip": "x"}, "clip must be of type"),
        ({"seeds": 3}, "seeds must be of type"),
        ({"seeds": "12"}, "seeds must be of type"),
        ({"seeds": (0, 0.5)}, r"seeds\[1\] must be of type int"),
        ({"shape": (1, 2.0, 3)}, "shape must be of type"),
        ({"bn": "none"}, "bn must be of type"),
        ({"inner": {"rate": 1.0}}, "inner must be of type Inner"),
        ({"inner": TrainConfig()}, "inner must be of type Inner"),
    ],
)
def test_settings_of_a_wrong_type_are_named(wrong, message):
    with pytest.raises(ConfigError, match=message):
        _ = Run(**wrong).digest


def test_a_subclass_in_place_of_its_base_is_refused():
    @dataclass(frozen=True)
    class More(Inner):
        depth: int = 1

    with pytest.raises(ConfigError, match="inner must be of type Inner"):
        _ = Run(inner=More()).digest


def test_runs_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        Run().epochs = 3


def test_a_run_needs_a_kind_that_can_name_a_file():
    for bad in ("", "A", "a/b", "a b", "../x"):
        with pytest.raises(TypeError, match="needs a kind"):
            type("Bad", (RunConfig,), {"kind": bad})
    with pytest.raises(TypeError, match="needs a kind"):
        type("None_", (RunConfig,), {})


def test_a_forgotten_decorator_is_noticed():
    class Forgotten(Run):
        more: int = 3

    with pytest.raises(TypeError, match="decorator"):
        _ = Forgotten().digest


def test_training_settings_can_be_part_of_a_run():
    @dataclass(frozen=True)
    class Train(RunConfig):
        kind: ClassVar[str] = "train"
        train: TrainConfig = field(default_factory=TrainConfig)

    one = Train()
    assert Train(TrainConfig(lr=0.2)).digest != one.digest
    assert Train.from_dict(json.loads(json.dumps(one.as_dict()))) == one


def test_from_dict_names_what_is_missing_unknown_or_wrong():
    data = Run().as_dict()
    with pytest.raises(ConfigError, match="these are not the settings of Run"):
        Run.from_dict({**data, "colour": "blue"})
    with pytest.raises(ConfigError, match="these are not the settings of Run"):
        Run.from_dict({name: value for name, value in data.items() if name != "lr"})
    with pytest.raises(ConfigError, match=r"Run\.inner\.rate must be of type float"):
        Run.from_dict({**data, "inner": {"rate": "fast", "flip": False}})
    with pytest.raises(ConfigError, match="these are not the settings of Run"):
        Run.from_dict([])


numbers = st.floats(allow_nan=False, allow_infinity=False)
inners = st.builds(Inner, numbers, st.booleans())
runs = st.builds(
    Run,
    space=st.text(),
    epochs=st.integers(),
    lr=numbers | st.integers(-(10**6), 10**6),
    clip=st.none() | numbers,
    seeds=st.lists(st.integers()).map(tuple),
    shape=st.tuples(st.integers(), numbers),
    bn=st.sampled_from(["batch", "reestimate"]),
    inner=inners,
    extra=st.none() | inners,
)


@given(runs)
def test_settings_survive_json(run):
    again = Run.from_dict(json.loads(json.dumps(run.as_dict())))
    assert again == run
    assert again.digest == run.digest


@given(runs, runs)
def test_hashes_are_equal_exactly_when_runs_are(one, two):
    assert (one.digest == two.digest) == (one == two)
    assert replace(one).digest == one.digest


@dataclass(frozen=True)
class Grown(RunConfig):
    """A run that got a setting after results of it were stored."""

    kind: ClassVar[str] = "grown"

    size: int
    extra: float = field(default=0.5, metadata={"later": True})


@dataclass(frozen=True)
class Young(RunConfig):
    """The same before."""

    kind: ClassVar[str] = "grown"

    size: int


def test_a_later_setting_leaves_the_hash_of_earlier_results():
    assert Grown(3).digest == Young(3).digest and Grown(3).as_dict() == {"size": 3}
    assert Grown(3, 0.7).digest != Grown(3).digest
    for run in (Grown(3), Grown(3, 0.7)):
        assert Grown.from_dict(run.as_dict()) == run
    with pytest.raises(ConfigError, match="not the settings"):
        Grown.from_dict({"extra": 0.7})
