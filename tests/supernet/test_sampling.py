import numpy as np
import pytest
from scipy.stats import chisquare

from mngnas_lib.errors import ConfigError
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


def test_an_unknown_strategy_is_named(space):
    with pytest.raises(ConfigError, match=r"'random'.*spos"):
        paths_of_step(space, "random", seed=0, step=0)
