"""Which architectures are trained, and how often."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import get_space
from mngnas_lib.truth import plan, planned, stratified
from mngnas_lib.truth.plan import STRATA

SHAPE = {"input_shape": (1, 12, 12), "num_classes": 10}


def macs_of(space, archs):
    return np.array([space.cost(arch, **SHAPE).macs for arch in archs])


@pytest.mark.parametrize("name", ["nasbench201", "nasbench-macro", "nasbench101"])
def test_drawn_architectures_are_distinct_canonical_and_in_order_of_flops(name):
    space = get_space(name)
    archs = stratified(space, 30, 0, **SHAPE)
    assert len(set(archs)) == 30
    assert all(space.canonical(arch) == arch for arch in archs)
    assert (np.diff(macs_of(space, archs)) >= 0).all()


def test_strata_are_drawn_from_in_turn():
    space = get_space("nasbench-macro", channels=8)
    pool = macs_of(space, space.canonical_archs())
    edges = np.linspace(pool.min(), pool.max() + 1, STRATA + 1)
    there = np.histogram(pool, edges)[0]
    drawn = np.histogram(macs_of(space, stratified(space, 100, 3, **SHAPE)), edges)[0]
    most = drawn.max()
    # one that gave fewer than the others had no more to give, but for the last round
    assert all(count >= most - 1 or count == available for count, available in zip(drawn, there, strict=True))
    assert drawn.sum() == 100


def test_plain_draw_holds_fewer_of_the_cheapest():
    space = get_space("nasbench-macro", channels=8)
    pool = macs_of(space, space.canonical_archs())
    cheap = np.quantile(pool, 0.02)
    drawn = macs_of(space, stratified(space, 100, 0, **SHAPE))
    assert (drawn <= cheap).sum() > 0.02 * 100


def test_same_seed_same_draw_and_another_seed_another():
    space = get_space("nasbench201")
    first, again, other = (stratified(space, 20, seed, **SHAPE) for seed in (1, 1, 2))
    assert first == again != other


@pytest.mark.parametrize("name", ["nasbench201", "nasbench-macro", "nasbench101"])
def test_larger_draw_holds_the_smaller_one(name):
    """Or a table that is to grow would be begun anew."""
    few, many = (stratified(get_space(name), count, 0, **SHAPE) for count in (12, 40))
    assert set(few) < set(many)


def test_draw_from_all_that_strata_are_made_of_holds_the_smaller_one(monkeypatch):
    monkeypatch.setattr(plan, "_POOL", 60)
    space = get_space("nasbench101")
    few, most = (stratified(space, count, 0, **SHAPE) for count in (12, 60))
    assert set(few) < set(most)
    with pytest.raises(ConfigError, match="more than 60, 61 were asked for: ask for fewer"):
        stratified(space, 61, 0, **SHAPE)


def test_all_of_a_small_space():
    space = get_space("nasbench-macro", stages=(1, 2))
    archs = stratified(space, None, 0, **SHAPE)
    # stride-2 blocks and a block that widens: 3 * 3 choices each, and no identities to move about
    assert sorted(archs) == sorted(a for a in itertools.product(range(3), repeat=3) if space.canonical(a) == a)


@pytest.mark.parametrize(
    ("name", "count", "said"), [("nasbench-macro", 4000, "3969"), ("nasbench101", None, "too many")]
)
def test_too_many_is_one_clear_error(name, count, said):
    with pytest.raises(ConfigError, match=said):
        stratified(get_space(name), count, 0, **SHAPE)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 12), st.integers(1, 4), st.data())
def test_plan_has_each_seed_of_each_architecture_once(count, seeds, data):
    archs = [(number,) for number in range(count)]
    repeated = data.draw(st.integers(0, count))
    trainings = planned(archs, seeds, repeated)
    assert len(set(trainings)) == len(trainings) == count * seeds + repeated
    assert {(one.arch, one.seed) for one in trainings[: count * seeds]} == set(itertools.product(archs, range(seeds)))
    assert {one.seed for one in trainings[count * seeds :]} <= {seeds}


def test_a_seed_that_is_cut_off_is_a_fair_sample():
    archs = [(number,) for number in range(400)]
    trainings = planned(archs, 2)
    for seed in (0, 1):
        begun = [one.arch[0] for one in trainings if one.seed == seed][:100]
        # the mean of 100 of 0..399 drawn without repetition: 199.5, with a deviation of 10
        assert abs(np.mean(begun) - 199.5) < 40
    assert [one.arch for one in trainings[:400]] != [one.arch for one in trainings[400:]]


def test_repeated_ones_are_spread_over_the_list():
    repeated = [one.arch[0] for one in planned([(number,) for number in range(101)], 1, 5)[101:]]
    assert repeated == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(("seeds", "repeated"), [(0, 0), (1, 4), (1, -1)])
def test_impossible_plans(seeds, repeated):
    with pytest.raises(ConfigError):
        planned([(0,), (1,), (2,)], seeds, repeated)
