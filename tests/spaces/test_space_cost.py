"""Costs against built networks, torch's flop counter, published tables and published formulas."""

import json

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Cost, get_space

SPACE_201 = get_space("nasbench201")
SPACE_MACRO = get_space("nasbench-macro")


def measured(space, arch, input_shape, num_classes):
    """Parameters of the built network, and half of the operations that torch counts in its forward pass."""
    with torch.device("meta"):
        network = space.network(arch, num_classes=num_classes, in_channels=input_shape[0])
        counter = FlopCounterMode(display=False)
        with counter:
            network(torch.empty(1, *input_shape))
    assert counter.get_total_flops() % 2 == 0
    return Cost(sum(parameter.numel() for parameter in network.parameters()), counter.get_total_flops() // 2)


@pytest.mark.parametrize("arch", [(0,) * 6, (1,) * 6, (3,) * 6, (3, 0, 2, 1, 4, 2), (0, 0, 3, 1, 2, 2)])
@pytest.mark.parametrize(
    ("sizes", "input_shape", "num_classes"),
    [
        ({}, (3, 32, 32), 10),
        ({"cells": 1}, (3, 16, 16), 120),
        ({"channels": 5, "cells": 2}, (1, 8, 12), 7),
        ({"channels": 8, "cells": 1}, (1, 28, 28), 10),
    ],
)
def test_nasbench201_cost_is_that_of_the_built_network(arch, sizes, input_shape, num_classes):
    space = get_space("nasbench201", **sizes)
    expected = measured(space, arch, input_shape, num_classes)
    assert space.cost(arch, input_shape=input_shape, num_classes=num_classes) == expected


@pytest.mark.parametrize("digits", ["00000000", "11111111", "22222222", "20110012", "02100201"])
@pytest.mark.parametrize(
    ("sizes", "input_shape", "num_classes"),
    [
        ({}, (3, 32, 32), 10),
        ({"channels": 6, "head_channels": 40}, (1, 28, 28), 10),
        ({"channels": 4, "head_channels": 24}, (3, 17, 9), 100),
    ],
)
def test_nasbench_macro_cost_is_that_of_the_built_network(digits, sizes, input_shape, num_classes):
    space = get_space("nasbench-macro", **sizes)
    arch = space.from_string(digits)
    expected = measured(space, arch, input_shape, num_classes)
    assert space.cost(arch, input_shape=input_shape, num_classes=num_classes) == expected


@pytest.mark.parametrize("stages", [(1,), (3, 1), (1, 2, 1, 2)])
def test_nasbench_macro_cost_with_other_stages(stages):
    space = get_space("nasbench-macro", channels=4, stages=stages, head_channels=16)
    rng = np.random.default_rng(0)
    for _ in range(4):
        arch = space.sample(rng)
        assert space.cost(arch, input_shape=(3, 24, 24), num_classes=5) == measured(space, arch, (3, 24, 24), 5)


def test_nasbench201_costs_are_the_published_formulas():
    """params 0.073306 + 0.24304 n3 + 0.028 n1 M exactly; FLOPs 7.78305 + 35.38944 n3 + 3.93216 n1 M are 10 more than
    the multiply-accumulates, whatever the architecture: they count the additions of the classifier's ten offsets.
    """
    for arch in SPACE_201.all_archs():
        cost = SPACE_201.cost(arch)
        conv3, conv1 = arch.count(3), arch.count(2)
        assert cost.params == 73_306 + 243_040 * conv3 + 28_000 * conv1
        assert 7_783_050 + 35_389_440 * conv3 + 3_932_160 * conv1 - cost.macs == 10


def test_nasbench_macro_costs_are_the_published_ones(shared_data):
    table = json.loads((shared_data / "nas-bench-macro_cifar10.json").read_text())
    assert len(table) == 6_561
    for key, row in table.items():
        assert SPACE_MACRO.cost(SPACE_MACRO.from_string(key)) == Cost(row["params"], row["flops"])


def test_costs_known_by_hand():
    """One channel, one cell a stage, 4x4 images, one class: small enough to add up on paper."""
    space = get_space("nasbench201", channels=1, cells=1)
    # stem 9 + 2; reductions (18 + 4) + (36 + 4) + 2 and (72 + 8) + (144 + 8) + 8; last norm 8; classifier 4 + 1
    params = 11 + 64 + 240 + 8 + 5
    # stem 9 * 16; reductions (18 + 36 + 2) * 4 and (72 + 144 + 8) * 1; classifier 4
    macs = 144 + 224 + 224 + 4
    assert space.cost((0,) * 6, input_shape=(1, 4, 4), num_classes=1) == Cost(params, macs)
    # a 1x1 convolution: 1, 4 and 16 weights, two norm parameters a channel, at 16, 4 and 1 positions
    added = Cost(1 + 4 + 16 + 2 * 7, 16 + 16 + 16)
    assert space.cost((2, 0, 0, 0, 0, 0), input_shape=(1, 4, 4), num_classes=1) == Cost(params, macs) + added


def test_defaults_are_cifar10():
    arch = (3, 1, 2, 0, 4, 3)
    assert SPACE_201.cost(arch) == SPACE_201.cost(arch, input_shape=(3, 32, 32), num_classes=10)
    assert SPACE_201.cost(arch) == SPACE_201.cost(np.array(arch), input_shape=[3, 32, 32])


def test_equal_networks_of_nasbench_macro_cost_the_same():
    for arch in SPACE_MACRO.all_archs():
        assert SPACE_MACRO.cost(SPACE_MACRO.canonical(arch)) == SPACE_MACRO.cost(arch)


def test_a_canonical_cell_never_costs_more():
    for arch in SPACE_201.all_archs():
        kept, given = SPACE_201.cost(SPACE_201.canonical(arch)), SPACE_201.cost(arch)
        assert kept.params <= given.params and kept.macs <= given.macs


@pytest.mark.parametrize("shape", [(3, 30, 32), (3, 32, 18), (3, 2, 2)])
def test_odd_resolutions_of_nasbench201(shape):
    with pytest.raises(ConfigError, match="multiples of 4"):
        SPACE_201.cost((1,) * 6, input_shape=shape)


@pytest.mark.parametrize("space", [SPACE_201, SPACE_MACRO], ids=lambda space: space.name)
@pytest.mark.parametrize("shape", [(3, 32), (32, 32, 3, 1), (3, 0, 32), (0, 32, 32)])
def test_shapes_that_are_no_images(space, shape):
    with pytest.raises(ConfigError, match="channels, height, width"):
        space.cost((1,) * len(space.slots), input_shape=shape)
