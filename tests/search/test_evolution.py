"""Candidates: where they come from, that they fit, that none comes twice, and what happens when none are left."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from tiny_space import TinySpace

from mngnas_lib.errors import ConfigError
from mngnas_lib.search import (
    Constraint,
    Member,
    crossover,
    mutate,
    propose,
    random_candidates,
    remove_worst,
)
from mngnas_lib.search.evolution import ENUMERABLE
from mngnas_lib.spaces import get_space

CELLS = get_space("nasbench201")
CHAIN = get_space("nasbench-macro")
CIFAR = {"input_shape": (3, 32, 32), "num_classes": 10}

few = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def anything(arch):
    return True


@st.composite
def tiny_spaces(draw):
    """Up to 4 slots of 1 to 3 choices, some architectures forbidden."""
    macs = draw(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4))
    archs = list(TinySpace(tuple(macs)).all_archs())
    forbidden = draw(st.sets(st.sampled_from(archs), max_size=len(archs) - 1))
    return TinySpace(tuple(macs), frozenset(forbidden))


def differing(one, two):
    return sum(a != b for a, b in zip(one, two, strict=True))


# ---------------------------------------------------------------------- crossover and mutation


@few
@given(st.data(), SEEDS)
def test_crossover_takes_each_slot_from_a_parent(data, seed):
    mother, father = (data.draw(st.tuples(*[st.integers(0, 4)] * 6)) for _ in range(2))
    child = crossover(mother, father, np.random.default_rng(seed))
    assert all(choice in pair for choice, pair in zip(child, zip(mother, father, strict=True), strict=True))
    assert child == crossover(mother, father, np.random.default_rng(seed))


def test_crossover_favours_no_parent_and_no_combination():
    rng = np.random.default_rng(0)
    children = [crossover((0, 0, 7), (1, 1, 7), rng) for _ in range(4000)]
    counts = [children.count((a, b, 7)) for a in (0, 1) for b in (0, 1)]
    assert sum(counts) == 4000 and chisquare(counts).pvalue > 1e-4


@few
@given(tiny_spaces(), st.data(), SEEDS)
def test_mutation_changes_exactly_one_slot(space, data, seed):
    arch = data.draw(st.sampled_from(list(space.all_archs())))
    near = {other for other in space.all_archs() if differing(other, arch) == 1}
    if near:
        assert mutate(arch, space, np.random.default_rng(seed)) in near
    else:
        with pytest.raises(ConfigError, match="cannot be mutated"):
            mutate(arch, space, np.random.default_rng(seed))


def test_mutation_favours_no_slot_and_no_choice():
    space, rng = TinySpace(((0, 0), (0, 0, 0), (0,))), np.random.default_rng(0)
    mutants = [mutate((0, 0, 0), space, rng) for _ in range(4000)]
    counts = [mutants.count(arch) for arch in [(1, 0, 0), (0, 1, 0), (0, 2, 0)]]
    # a slot first, then one of its other choices
    assert chisquare(counts, [2000, 1000, 1000]).pvalue > 1e-4


# ---------------------------------------------------------------------- the constraint


@few
@given(tiny_spaces(), st.integers(100, 140))
def test_the_constraint_is_the_sum_of_costs_and_knows_the_smallest(space, limit):
    space = TinySpace(space.macs)
    macs = {arch: 100 + sum(row[c] for row, c in zip(space.macs, arch, strict=True)) for arch in space.all_archs()}
    smallest = min(macs.values())
    if limit < smallest:
        with pytest.raises(ConfigError, match=f"the smallest has {smallest:,}"):
            Constraint.of(space, limit, **CIFAR)
    else:
        constraint = Constraint.of(space, limit, **CIFAR)
        assert {arch for arch in macs if constraint(arch)} == {arch for arch, cost in macs.items() if cost <= limit}
        assert all(constraint.cost(arch).macs == cost for arch, cost in macs.items())


@pytest.mark.parametrize("space", [CELLS, CHAIN], ids=lambda space: space.name)
def test_costs_are_the_spaces_costs_and_no_limit_allows_all(space):
    constraint = Constraint.of(space, **CIFAR)
    for arch in space.sample_distinct(5, np.random.default_rng(0)):
        assert constraint.cost(arch) == space.cost(arch, **CIFAR) and constraint(arch)
    smallest = min(space.cost(arch, **CIFAR).macs for arch in list(space.all_archs())[:300])
    with pytest.raises(ConfigError, match=rf"has at most 1,000 MACs .* the smallest has {smallest:,}"):
        Constraint.of(space, 1000, **CIFAR)


# ---------------------------------------------------------------------- random candidates


@few
@given(tiny_spaces(), st.integers(0, 12), st.data(), SEEDS)
def test_random_candidates_are_new_allowed_and_as_many_as_there_are(space, count, data, seed):
    archs = list(space.all_archs())
    exclude = data.draw(st.sets(st.sampled_from(archs)))
    limit = data.draw(st.integers(100, 136))
    allowed = Constraint(space.cost_table((3, 8, 8), 10), limit)
    assume(any(map(allowed, archs)))
    left = {arch for arch in archs if allowed(arch)} - exclude
    found = random_candidates(space, count, allowed, exclude, np.random.default_rng(seed))
    assert len(found) == len(set(found)) == min(count, len(left)) and set(found) <= left
    assert found == random_candidates(space, count, allowed, exclude, np.random.default_rng(seed))


def test_random_candidates_are_uniform_over_what_is_allowed():
    space, rng = TinySpace(((0, 1, 2), (0, 10, 20))), np.random.default_rng(0)
    allowed = Constraint(space.cost_table((3, 8, 8), 10), 112)
    drawn = [arch for _ in range(700) for arch in random_candidates(space, 2, allowed, {(0, 0)}, rng)]
    counts = [drawn.count(arch) for arch in [(0, 1), (1, 0), (1, 1), (2, 0), (2, 1)]]
    assert sum(counts) == 1400 and chisquare(counts).pvalue > 1e-4


def test_a_tight_limit_in_a_listed_space_is_met_exactly():
    everything = sorted((CELLS.cost(arch, **CIFAR).macs, arch) for arch in CELLS.all_archs())
    tight = everything[0][0]
    free = {arch for macs, arch in everything if macs == tight}
    assert len(free) == 3**6  # none, skip and pooling cost nothing
    seen = set(sorted(free)[:-3])
    # 3 of 15,625: a thousand draws miss them more often than not
    found = random_candidates(CELLS, 10, Constraint.of(CELLS, tight, **CIFAR), seen, np.random.default_rng(0))
    assert len(found) == 3 and set(found) == free - seen


def test_what_nothing_satisfies_and_what_drawing_cannot_find_are_errors():
    with pytest.raises(ConfigError, match="no architecture of tiny is allowed"):
        random_candidates(TinySpace(), 3, lambda arch: False, (), np.random.default_rng(0))
    large = TinySpace(((0, 1),) * 20)
    assert large.size > ENUMERABLE
    smallest = Constraint.of(large, 100, **CIFAR)
    with pytest.raises(ConfigError, match="200 random architectures of tiny had only 0 new ones"):
        random_candidates(large, 2, smallest, (), np.random.default_rng(0))


# ---------------------------------------------------------------------- proposals


@few
@given(tiny_spaces(), st.integers(0, 12), st.floats(0, 1), st.data(), SEEDS)
def test_proposals_are_what_they_say(space, count, ratio, data, seed):
    archs = list(space.all_archs())
    survivors = data.draw(st.lists(st.sampled_from(archs), max_size=5))
    exclude = data.draw(st.sets(st.sampled_from(archs))) | set(survivors)
    limit = data.draw(st.integers(100, 136))
    allowed = Constraint(space.cost_table((3, 8, 8), 10), limit)
    assume(any(map(allowed, archs)))
    left = {arch for arch in archs if allowed(arch)} - exclude

    found = propose(space, survivors, count, allowed, exclude, np.random.default_rng(seed), ratio)

    proposed = [candidate.arch for candidate in found]
    assert len(proposed) == len(set(proposed)) == min(count, len(left)) and set(proposed) <= left
    for candidate in found:
        assert set(candidate.parents) <= set(survivors)
        if candidate.origin == "random":
            assert candidate.parents == ()
        elif candidate.origin == "mutation":
            (parent,) = candidate.parents
            assert differing(parent, candidate.arch) == 1
        else:
            mother, father = candidate.parents
            assert mother != father
            assert all(c in (a, b) for c, a, b in zip(candidate.arch, mother, father, strict=True))
    # at random only once every mutant that the constraint allows is proposed
    mutants = {arch for arch in left for parent in survivors if differing(arch, parent) == 1}
    mutations = sum(candidate.origin == "mutation" for candidate in found)
    crossings = sum(candidate.origin == "crossover" for candidate in found)
    share = round(count * ratio)
    assert crossings <= share and mutations <= count - share
    assert mutations == count - share or mutants <= set(proposed)
    assert found == propose(space, survivors, count, allowed, exclude, np.random.default_rng(seed), ratio)


@pytest.mark.parametrize("space", [CELLS, CHAIN], ids=lambda space: space.name)
def test_a_whole_search_proposes_half_and_half_and_nothing_twice(space):
    rng, seen, survivors = np.random.default_rng(0), set(), []
    limit = int(np.median([space.cost(space.sample(rng), **CIFAR).macs for _ in range(200)]))
    constraint = Constraint.of(space, limit, **CIFAR)
    for search_epoch in range(6):
        candidates = propose(space, survivors, 30, constraint, seen, rng)
        archs = [candidate.arch for candidate in candidates]
        assert len(set(archs)) == 30 and not seen & set(archs)
        assert all(space.is_valid(arch) and space.cost(arch, **CIFAR).macs <= limit for arch in archs)
        assert all(type(choice) is int for arch in archs for choice in arch)
        origins = [candidate.origin for candidate in candidates]
        if search_epoch == 0:
            assert set(origins) == {"random"}
        else:
            assert origins.count("crossover") == origins.count("mutation") == 15
        seen |= set(archs)
        survivors = archs[:20]


def test_a_search_until_the_space_is_used_up_ends_with_nothing():
    rng, seen, survivors, rounds = np.random.default_rng(0), set(), [], []
    space = TinySpace(((0, 0, 0),) * 3)
    while candidates := propose(space, survivors, 5, anything, seen, rng):
        survivors = [candidate.arch for candidate in candidates]
        seen |= set(survivors)
        rounds.append(len(candidates))
    assert rounds == [5, 5, 5, 5, 5, 2]
    assert seen == set(space.all_archs())


def test_more_candidates_than_architectures_gives_them_all():
    found = propose(TinySpace(), [], 100, anything, (), np.random.default_rng(0))
    assert {candidate.arch for candidate in found} == set(TinySpace().all_archs()) and len(found) == 6


def test_a_space_of_one_slot(one_slot):
    rng = np.random.default_rng(0)
    first = propose(one_slot, [], 2, anything, (), rng)
    archs = [candidate.arch for candidate in first]
    (last,) = set(one_slot.all_archs()) - set(archs)
    # crossover can only repeat a parent, so mutation finds the third
    (found,) = propose(one_slot, archs, 2, anything, set(archs), rng)
    assert (found.arch, found.origin) == (last, "mutation")
    assert propose(one_slot, archs, 2, anything, set(one_slot.all_archs()), rng) == []


def test_a_space_of_one_architecture():
    space, rng = TinySpace(((5,),)), np.random.default_rng(0)
    assert [candidate.arch for candidate in propose(space, [], 3, anything, (), rng)] == [(0,)]
    assert propose(space, [(0,)], 3, anything, {(0,)}, rng) == []


def test_what_the_survivors_cannot_give_is_drawn_at_random():
    space, rng = TinySpace(((0,) * 3,) * 4), np.random.default_rng(0)
    found = propose(space, [(0, 0, 0, 0)], 30, anything, (), rng)
    origins = [candidate.origin for candidate in found]
    # one survivor has nobody to cross with, and 8 neighbours
    assert (origins.count("crossover"), origins.count("mutation"), origins.count("random")) == (0, 8, 22)


def test_survivors_are_not_proposed_even_if_they_are_not_excluded():
    found = propose(TinySpace(), [(0, 0), (1, 2)], 100, anything, (), np.random.default_rng(0))
    assert {c.arch for c in found} == set(TinySpace().all_archs()) - {(0, 0), (1, 2)}


@pytest.mark.parametrize("ratio", [-0.1, 1.1, float("nan")])
def test_the_crossover_ratio_is_a_share(ratio):
    with pytest.raises(ConfigError, match=r"crossover_ratio=.* is not a share"):
        propose(TinySpace(), [], 1, anything, (), np.random.default_rng(0), ratio)


# ---------------------------------------------------------------------- removal

MEMBERS = st.lists(
    st.builds(Member, st.tuples(st.integers(0, 99)), st.sampled_from([10, 20]), st.sampled_from([0.1, 0.2, 0.3])),
    max_size=12,
    unique_by=lambda m: m.arch,
)


def test_the_least_accurate_go_and_between_equals_the_largest():
    top, fast, slow = Member((0,), 90, 0.9), Member((1,), 10, 0.5), Member((2,), 20, 0.5)
    assert remove_worst([slow, top, fast], 1) == ([top, fast], [slow])
    assert remove_worst([slow, top, fast], 2) == ([top], [fast, slow])


@few
@given(MEMBERS, st.integers(0, 15), st.randoms(use_true_random=False))
def test_removal_parts_the_population(population, count, random):
    survivors, removed = remove_worst(population, count)
    assert len(removed) == min(count, len(population))
    assert sorted(survivors + removed, key=repr) == sorted(population, key=repr)
    assert all((-s.accuracy, s.macs) <= (-r.accuracy, r.macs) for s in survivors for r in removed)
    assert remove_worst(random.sample(population, len(population)), count) == (survivors, removed)
