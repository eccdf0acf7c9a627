"""Drawing architectures: validity, uniformity, repeatability."""

import numpy as np
import pytest
from scipy.stats import chisquare

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import SPACES, get_space

NAMES = pytest.mark.parametrize("name", sorted(SPACES))
#: Those whose choices combine freely, so that they can be drawn and listed slot by slot
FREE = pytest.mark.parametrize("name", sorted(name for name, space in SPACES.items() if space.has_free_slots))


@NAMES
def test_samples_are_valid_and_repeat_with_the_seed(name):
    space = get_space(name)
    first = [space.sample(rng) for rng in [np.random.default_rng(3)] for _ in range(50)]
    again = [space.sample(rng) for rng in [np.random.default_rng(3)] for _ in range(50)]
    assert first == again
    assert all(space.is_valid(arch) and all(type(choice) is int for choice in arch) for arch in first)


@FREE
def test_every_choice_and_every_pair_of_choices_is_equally_likely(name):
    space, rng = get_space(name), np.random.default_rng(0)
    drawn = np.array([space.sample(rng) for _ in range(6000)])
    choices = len(space.slots[0].choices)
    for slot in range(len(space.slots)):
        assert chisquare(np.bincount(drawn[:, slot], minlength=choices)).pvalue > 1e-4
        pairs = drawn[:, slot] * choices + drawn[:, slot - 1]
        assert chisquare(np.bincount(pairs, minlength=choices**2)).pvalue > 1e-4


@FREE
def test_all_archs_are_all_and_in_order(name):
    space = get_space(name)
    archs = list(space.all_archs())
    assert len(archs) == len(set(archs)) == space.size
    assert archs == sorted(archs)


@NAMES
def test_distinct_samples_differ_as_functions(name):
    space = get_space(name)
    drawn = space.sample_distinct(500, np.random.default_rng(1))
    assert len(set(drawn)) == 500
    assert all(space.canonical(arch) == arch for arch in drawn)
    assert drawn == space.sample_distinct(500, np.random.default_rng(1))
    assert drawn != space.sample_distinct(500, np.random.default_rng(2))


@NAMES
def test_distinct_samples_over_notations(name):
    space = get_space(name)
    drawn = space.sample_distinct(500, np.random.default_rng(1), canonical=False)
    assert len(set(drawn)) == 500
    assert any(space.canonical(arch) != arch for arch in drawn)


def test_distinct_samples_are_uniform_over_functions():
    space = get_space("nasbench-macro", stages=(2, 1))
    archs = space.canonical_archs()
    rng = np.random.default_rng(5)
    counts = dict.fromkeys(archs, 0)
    for _ in range(600):
        for arch in space.sample_distinct(5, rng):
            counts[arch] += 1
    assert chisquare(list(counts.values())).pvalue > 1e-4


def test_a_whole_space_can_be_drawn_but_no_more():
    space = get_space("nasbench-macro", stages=(3,))
    archs = space.canonical_archs()
    assert set(space.sample_distinct(len(archs), np.random.default_rng(0))) == set(archs)
    with pytest.raises(ConfigError, match=f"has {len(archs)} distinct architectures"):
        space.sample_distinct(len(archs) + 1, np.random.default_rng(0))
