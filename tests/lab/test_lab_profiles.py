"""Profiles: chosen by the environment, and sizes that the kit's functions take."""

import itertools
from dataclasses import astuple

import pytest

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab import PROFILES, current_profile, get_profile
from mngnas_lib.notebooks import PROFILES as NOTEBOOK_PROFILES
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig


def test_the_notebooks_know_the_same_profiles():
    assert tuple(PROFILES) == NOTEBOOK_PROFILES


def test_quick_is_the_default(monkeypatch):
    monkeypatch.delenv("MNGNAS_PROFILE", raising=False)
    assert current_profile() is PROFILES["quick"]
    monkeypatch.setenv("MNGNAS_PROFILE", "")
    assert current_profile() is PROFILES["quick"]


@pytest.mark.parametrize("name", PROFILES)
def test_the_environment_chooses(monkeypatch, name):
    monkeypatch.setenv("MNGNAS_PROFILE", name)
    assert current_profile().name == name


def test_an_unknown_profile_is_a_clear_error(monkeypatch):
    monkeypatch.setenv("MNGNAS_PROFILE", "Quick")
    with pytest.raises(ConfigError, match="'Quick': set MNGNAS_PROFILE to one of quick, laptop, paper"):
        current_profile()
    with pytest.raises(ConfigError, match="no profile is called 'fast'"):
        get_profile("fast")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
@pytest.mark.parametrize("part", ["supernet", "real"])
def test_sizes_are_taken_by_the_functions_they_are_for(profile, part):
    sizes = getattr(profile, part)
    cells = get_space("nasbench201", channels=sizes.channels, cells=sizes.cells)
    chain = get_space("nasbench-macro", channels=sizes.channels, head_channels=sizes.head_channels)
    assert sizes.archs <= min(chain.size, cells.size)
    TrainConfig(epochs=sizes.epochs, batch_size=sizes.batch_size, lr=sizes.lr)
    assert sizes.batch_size <= sizes.count * (1 - sizes.valid_fraction)


def test_a_larger_profile_is_nowhere_smaller():
    for small, large in itertools.pairwise(PROFILES.values()):
        for name in ("archs", "epochs", "count"):
            assert getattr(small.supernet, name) <= getattr(large.supernet, name)
        assert small.kit.archs <= large.kit.archs and small.kit.epochs <= large.kit.epochs


def test_a_profile_holds_sizes_and_no_settings_of_the_method():
    def numbers(value: object) -> bool:
        return all(map(numbers, value)) if isinstance(value, tuple) else isinstance(value, int | float)

    assert all(numbers(astuple(profile)[1:]) for profile in PROFILES.values())
