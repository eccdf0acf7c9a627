"""A kit network as a detector's backbone, and counted multiply-accumulates."""

import pytest
import torch
from torch import nn
from torchvision.models.detection import RetinaNet

from mngnas_lib.detection import StagePyramid, count_macs
from mngnas_lib.detection.pyramid import stage_channels
from mngnas_lib.spaces import get_space

SPACES = [
    ("nasbench201", {"channels": 4, "cells": 1}, (3, 1, 2, 0, 3, 1)),
    ("nasbench-macro", {"channels": 8, "head_channels": 32}, (1, 2, 0, 1, 2, 0, 1, 2)),
]


@pytest.mark.parametrize(("name", "sizes", "arch"), SPACES)
def test_levels_have_the_stages_sizes_and_one_width(name, sizes, arch):
    network = get_space(name, **sizes).network(arch, seed=0)
    state = {key: value.clone() for key, value in network.state_dict().items()}
    images = torch.randn(2, 3, 64, 48)
    backbone = StagePyramid(network, width=16).eval()
    assert all(value.equal(network.state_dict()[key]) for key, value in state.items())  # nothing counted it
    levels, stages = backbone(images), network(images).stages
    assert [tuple(level.shape) for level in levels.values()] == [(2, 16, *stage.shape[2:]) for stage in stages]
    assert stage_channels(network) == [stage.shape[1] for stage in stages]


def test_top_down_path_by_hand():
    """With the identity as all convolutions, a level is its stage plus the next level, enlarged."""
    network = get_space("nasbench201", channels=4, cells=1).network((3, 1, 2, 0, 3, 1), seed=0)
    backbone = StagePyramid(network, width=4).eval()
    for convolution in backbone.modules():
        if isinstance(convolution, nn.Conv2d) and convolution not in network.modules():
            nn.init.dirac_(convolution.weight)
    images = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        first, second, third = (stage[:, :4] for stage in network(images).stages)
        levels = list(backbone(images).values())
    larger = second + nn.functional.interpolate(third, scale_factor=2)
    for level, expected in zip(
        levels, (first + nn.functional.interpolate(larger, scale_factor=2), larger, third), strict=True
    ):
        torch.testing.assert_close(level, expected)


def test_retinanet_takes_it():
    network = get_space("nasbench201", channels=4, cells=1).network((3, 1, 2, 0, 3, 1), seed=0)
    detector = RetinaNet(StagePyramid(network, 16, extra=True), num_classes=3, min_size=64, max_size=64)
    target = {"boxes": torch.tensor([[4.0, 4.0, 30.0, 30.0]]), "labels": torch.tensor([1])}
    losses = detector([torch.rand(3, 64, 64)], [target])
    sum(losses.values()).backward()
    assert set(losses) == {"classification", "bbox_regression"}
    assert network.stem_conv.weight.grad.abs().sum() > 0  # the gradient reaches the kit's network


@pytest.mark.parametrize(("name", "sizes", "arch"), SPACES)
@pytest.mark.parametrize("size", [32, 64])
def test_counted_macs_are_the_spaces_own(name, sizes, arch, size):
    space = get_space(name, **sizes)
    network = space.network(arch, seed=0, skip_unused=False)
    assert count_macs(network, (1, 3, size, size)) == space.cost(arch, input_shape=(3, size, size)).macs


def test_macs_of_one_convolution_by_hand():
    assert count_macs(nn.Conv2d(3, 8, 3, padding=1), (2, 3, 10, 20)) == 2 * 10 * 20 * 8 * 3 * 9
    assert count_macs(nn.Linear(5, 7), (4, 5), call=lambda layer, x: layer(layer(x)[:, :5])) == 2 * 4 * 5 * 7
