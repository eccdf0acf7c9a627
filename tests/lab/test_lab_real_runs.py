"""The shared run on real images: its settings are the profile's, and all its modes share one SuperNet."""

from dataclasses import replace

import pytest

from mngnas_lib.lab import PROFILES, get_profile
from mngnas_lib.lab.real_runs import real_ranking, real_tau
from mngnas_lib.supernet.batchnorm import BN_MODES


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_sizes_are_those_of_the_profile(profile):
    ranking = real_ranking(profile)
    supernet = ranking.supernet
    assert (ranking.archs.count, ranking.archs.seed) == (profile.real.archs, 0)
    assert (supernet.data.size, supernet.data.count) == (profile.real.size, profile.real.count)
    assert supernet.data.valid_fraction == profile.real.valid_fraction
    train = supernet.train
    assert (train.epochs, train.batch_size, train.lr) == (profile.real.epochs, profile.real.batch_size, profile.real.lr)
    assert (train.augment.pad, train.augment.flip, train.augment.cutout) == (0, True, 0)


def test_the_space_is_that_of_the_benchmark():
    space = real_ranking(get_profile("laptop")).supernet.space.build()
    assert (space.name, space.size) == ("nasbench201", 15625)
    assert real_tau(get_profile("laptop")).benchmark == space.name


def test_modes_are_different_runs_of_one_supernet():
    rankings = [real_ranking(get_profile("laptop"), bn) for bn in BN_MODES]
    assert len({ranking.supernet.digest for ranking in rankings}) == 1
    assert len({real_tau(get_profile("laptop"), bn).digest for bn in BN_MODES}) == len(BN_MODES)
    assert {replace(ranking, bn="batch") for ranking in rankings} == {real_ranking(get_profile("laptop"))}
