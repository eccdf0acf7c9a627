import numpy as np
import pytest
from scipy.stats import chisquare

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Slot, get_space
from mngnas_lib.supernet import paths_of_step, visit_counts


def test_a_step_draws_the_same_path_whenever_it_is_asked(space):
    drawn = [paths_of_step(space, "spos", seed=3, step=step) for step in range(50)]
    assert drawn[::-1] == [paths_of_step(space, "spos", seed=3, step=step) for step in reversed(range(50))]
    assert drawn != [paths_of_step(space, "spos", seed=4, step=step) for step in range(50)]


def test_spos_draws_one_valid_path_a_step(space):
    for step in range(100):
        paths = paths_of_step(space, "spos", seed=0, step=step)
        assert len(paths) == 1 and space.is_valid(paths[0])


def test_spos_draws_each_choice_equally_often(space):
    for counts in visit_counts(space, "spos", seed=0, steps=3000):
        assert counts.sum() == 3000
        # a fair draw fails this about once in 10,000 slots, and the seed is fixed
        assert chisquare(counts).pvalue > 1e-4


def test_spos_draws_slots_independently(cells):
    paths = np.array([paths_of_step(cells, "spos", seed=1, step=step)[0] for step in range(4000)])
    correlation = np.corrcoef(paths.T) - np.eye(paths.shape[1])
    assert np.abs(correlation).max() < 0.07


def test_balanced_draws_give_each_choice_one_turn_a_round(space):
    rounds = max(len(slot.choices) for slot in space.slots)
    for turn in range(20):
        paths = [paths_of_step(space, "spos-balanced", seed=2, step=turn * rounds + i) for i in range(rounds)]
        assert all(len(path) == 1 and space.is_valid(path[0]) for path in paths)
        for slot, choices in zip(space.slots, zip(*(path for (path,) in paths), strict=True), strict=True):
            assert sorted(choices) == sorted(range(len(slot.choices)))


def test_balanced_draws_are_uniform_at_each_step_and_independent_between_slots(cells):
    # the same position of many rounds, so that the balance within a round plays no part
    paths = np.array([paths_of_step(cells, "spos-balanced", seed=1, step=5 * turn + 3)[0] for turn in range(3000)])
    for slot in range(paths.shape[1]):
        assert chisquare(np.bincount(paths[:, slot], minlength=5)).pvalue > 1e-4
    correlation = np.corrcoef(paths.T) - np.eye(paths.shape[1])
    assert np.abs(correlation).max() < 0.08


def test_balanced_draws_need_choices_that_combine_freely():
    space = get_space("nasbench101")
    with pytest.raises(ConfigError, match="those of nasbench101 do not: use spos"):
        paths_of_step(space, "spos-balanced", seed=0, step=0)
    assert all(space.is_valid(*paths_of_step(space, "spos", seed=0, step=step)) for step in range(20))


def test_balanced_draws_repeat_the_choices_of_short_slots_fairly():
    class Uneven:
        has_free_slots = True
        slots = (Slot("a", tuple("01234")), Slot("b", tuple("01")), Slot("c", tuple("0")))

    paths = [paths_of_step(Uneven(), "spos-balanced", seed=0, step=step)[0] for step in range(5)]
    counts = np.bincount([path[1] for path in paths], minlength=2)
    assert sorted(path[0] for path in paths) == list(range(5))
    assert sorted(counts) == [2, 3] and {path[2] for path in paths} == {0}


def test_an_unknown_strategy_is_named(space):
    with pytest.raises(ConfigError, match=r"'random'.*spos"):
        paths_of_step(space, "random", seed=0, step=0)
