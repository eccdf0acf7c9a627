"""NAS-Bench-101 as a search space: validity, notation, cost, and searching where not everything is valid."""

import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from mngnas_lib.distill.perturbation import neighbours, perturbed_archs
from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.search import Constraint, mutate, propose
from mngnas_lib.spaces import Cost, get_space
from mngnas_lib.spaces.nasbench101_cells import EDGES, from_matrix

SPACE = get_space("nasbench101")
SMALL = get_space("nasbench101", channels=6, cells=2, stacks=2)
#: input, one 3x3 convolution, output, and past it
ONE = (1, 0, 0, 0, 0, 1, *(0, 0, 0, 0, 1), *(0,) * 10, *(0,) * 5)
few = settings(max_examples=60, deadline=None)


@st.composite
def archs(draw):
    return SPACE.sample(np.random.default_rng(draw(st.integers(0, 2**32 - 1))))


# ---------------------------------------------------------------------- slots and notation


def test_slots_are_edges_and_operations():
    names = [slot.name for slot in SPACE.slots]
    assert len(names) == 26
    assert names[:7] == [*(f"edge 0 to {node}" for node in range(1, 7)), "edge 1 to 2"] and names[20] == "edge 5 to 6"
    assert names[21:] == [f"node {node}" for node in range(1, 6)]
    assert {slot.choices for slot in SPACE.slots[:21]} == {("no edge", "edge")}
    assert {slot.choices for slot in SPACE.slots[21:]} == {("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")}
    assert not SPACE.is_chain and not SPACE.has_free_slots
    assert (SPACE.num_stages, SMALL.num_stages) == (3, 2)


@few
@given(archs())
def test_notation_round_trip(arch):
    assert SPACE.from_string(SPACE.to_string(arch)) == arch


def test_notation_by_hand():
    assert SPACE.to_string(ONE) == "100001.00001.0000.000.00.0:33333"
    arch = (*ONE[:21], 2, 1, 0, 0, 1)
    assert SPACE.from_string(" 100001.00001.0000.000.00.0:p1331\n") == arch


@pytest.mark.parametrize(
    "text",
    [
        "",
        "100001.00001.0000.000.00.0",
        "100001.00001.0000.000.00.0:3333",
        "100001.00001.0000.000.00.0:33335",
        "10000.000001.0000.000.00.0:33333",
        "100002.00001.0000.000.00.0:33333",
        "22212220",
        None,
        ONE,
    ],
)
def test_bad_notations(text):
    with pytest.raises(ArchError, match="not an architecture of nasbench101"):
        SPACE.from_string(text)


# ---------------------------------------------------------------------- validity


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ((0,) * 26, "no way leads from input to output"),
        ((1,) * 26, "it has 21 edges after pruning, and the benchmark allows 9"),
        (ONE[:-1], "it needs 26 integers"),
        ((*ONE[:-1], 3), "below the number of choices"),
        ((2, *ONE[1:]), "below the number of choices"),
        ((True, *ONE[1:]), "below the number of choices"),
        ((1.0, *ONE[1:]), "below the number of choices"),
        ("1" * 26, "it needs 26 integers"),
        (None, "it needs 26 integers"),
        (torch.tensor(ONE), "it needs 26 integers"),
    ],
)
def test_bad_architectures_are_refused_everywhere(bad, message):
    assert not SPACE.is_valid(bad)
    for use in (SPACE.check, SPACE.to_string, SPACE.cost, SPACE.canonical, SMALL.network):
        with pytest.raises(ArchError, match=f"not an architecture of nasbench101.*{message}"):
            use(bad)


def test_lists_and_arrays_are_architectures_too():
    for same in (list(ONE), np.array(ONE), tuple(np.array(ONE, dtype=np.int8))):
        assert SPACE.is_valid(same)
        for arch in (SPACE.check(same), SPACE.canonical(same)):
            assert arch == ONE and all(type(choice) is int for choice in arch)


def test_nobody_lists_hundreds_of_millions():
    with pytest.raises(ConfigError, match=r"373,754,169 valid matrices.*the 423,624 distinct ones"):
        SPACE.all_archs()


# ---------------------------------------------------------------------- searching


def test_neighbours_and_mutants_are_valid():
    rng = np.random.default_rng(0)
    for _ in range(10):
        arch = SPACE.sample(rng)
        near = neighbours(SPACE, arch)
        everything = {(*arch[:i], c, *arch[i + 1 :]) for i in range(26) for c in range(3) if c != arch[i]}
        assert set(near) == {other for other in everything if SPACE.is_valid(other)}
        assert 10 <= len(near) <= 21 + 2 * 5
        assert mutate(arch, SPACE, rng) in near
        assert set(perturbed_archs(SPACE, arch, 4, rng)) <= set(near)


def test_the_one_edge_of_a_cell_cannot_be_taken():
    only = from_matrix([[0, 1], [0, 0]], ("input", "output"))
    assert (0,) * 26 not in neighbours(SPACE, only)
    assert len(neighbours(SPACE, only)) == 20 + 10


def test_candidates_are_valid_new_and_small_enough():
    rng = np.random.default_rng(1)
    images = {"input_shape": (3, 32, 32), "num_classes": 10}
    limit = 700_000_000
    allowed = Constraint.of(SPACE, limit, **images)
    survivors = [arch for arch in SPACE.sample_distinct(40, rng) if allowed(arch)][:6]
    found = propose(SPACE, survivors, 40, allowed, survivors, rng)
    assert len({candidate.arch for candidate in found}) == 40
    assert {candidate.origin for candidate in found} >= {"crossover", "mutation"}
    for candidate in found:
        assert SPACE.is_valid(candidate.arch) and SPACE.cost(candidate.arch).macs <= limit
        assert candidate.arch not in survivors


# ---------------------------------------------------------------------- cost


def measured(space, arch, input_shape, num_classes):
    """Parameters of the built network, and half of the operations that torch counts in its forward pass."""
    with torch.device("meta"):
        network = space.network(arch, num_classes=num_classes, in_channels=input_shape[0])
        counter = FlopCounterMode(display=False)
        with counter:
            network(torch.empty(1, *input_shape))
    return Cost(sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops() // 2)


@pytest.mark.parametrize(
    ("sizes", "input_shape", "num_classes"),
    [
        ({"cells": 1}, (3, 32, 32), 10),
        ({"channels": 5, "cells": 2}, (1, 8, 12), 7),
        ({"channels": 8, "cells": 1, "stacks": 2}, (1, 15, 9), 10),
    ],
)
def test_cost_is_that_of_the_built_network(sizes, input_shape, num_classes):
    space, rng = get_space("nasbench101", **sizes), np.random.default_rng(0)
    for arch in [ONE, *(space.sample(rng) for _ in range(6))]:
        expected = measured(space, arch, input_shape, num_classes)
        assert space.cost(arch, input_shape=input_shape, num_classes=num_classes) == expected


def test_parameters_are_the_official_ones(shared_data):
    with open(shared_data / "nasbench101_30.pkl", "rb") as file:
        entries = [fixed for fixed, _ in pickle.load(file).values()]
    assert len(entries) == 30
    for fixed in entries:
        arch = from_matrix(fixed["module_adjacency"], fixed["module_operations"])
        assert SPACE.cost(arch).params == SPACE.cost(SPACE.canonical(arch)).params == fixed["trainable_parameters"]


def test_an_order_of_nodes_can_change_who_has_the_left_over_channel():
    """128 channels for three nodes are 43, 43 and 42: the convolution or the pooling has the smaller part."""
    matrix = [[0, 1, 1, 1, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0]]
    first, last = (
        from_matrix(matrix, ("input", *ops, "output"))
        for ops in (
            ("conv3x3-bn-relu", "maxpool3x3", "maxpool3x3"),
            ("maxpool3x3", "maxpool3x3", "conv3x3-bn-relu"),
        )
    )
    assert SPACE.canonical(first) == SPACE.canonical(last) == first
    assert SPACE.cost(first).params > SPACE.cost(last).params
    even = get_space("nasbench101", channels=96)
    assert even.cost(first) == even.cost(last)


def test_the_cheapest_cell():
    table = SMALL.cost_table((3, 8, 8), 10)
    costs = [table.total(arch).macs for arch in SMALL.sample_distinct(3000, np.random.default_rng(0))]
    assert table.smallest_macs() <= min(costs)
    # a pooling that feeds four others needs the narrowest projection of the cell's input: 2 of 6 and 3 of 12 channels
    hub = {(0, 1), (1, 2), (1, 3), (1, 4), (1, 5), (2, 6), (3, 6), (4, 6), (5, 6)}
    arch = (*(int(edge in hub) for edge in EDGES), *(2,) * 5)
    by_hand = 3 * 6 * 9 * 64 + 2 * (6 * 2) * 64 + (6 * 3 + 12 * 3) * 16 + 12 * 10
    assert table.smallest_macs() == table.total(arch).macs == by_hand
    with pytest.raises(ConfigError, match=f"the smallest has {by_hand:,}"):
        Constraint.of(SMALL, by_hand - 1, input_shape=(3, 8, 8), num_classes=10)


@pytest.mark.parametrize("shape", [(3, 3, 8), (3, 8, 3)])
def test_small_images_are_refused(shape):
    with pytest.raises(ConfigError, match="at least 4 pixels a side"):
        SPACE.cost(ONE, input_shape=shape)
    with pytest.raises(ConfigError, match="at least 4 pixels a side"):
        get_space("nasbench101", channels=4, cells=1).network(ONE)(torch.zeros(2, *shape))
