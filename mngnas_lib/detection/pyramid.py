"""A kit network as the backbone of a detector: its stages' feature maps as a feature pyramid."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from mngnas_lib.spaces import SlotNetwork


class StagePyramid(nn.Module):
    """The feature maps of a network's stages, brought to one width and joined from coarse to fine.

    It is what torchvision's ``RetinaNet`` takes as a backbone. Neither the classifier of the network nor its head
    takes part in the result.

    Args:
        network: a stand-alone network of any space; trained in place, so give a copy if it is still needed.
        width: channels of all levels, 256 in RetinaNet.
        extra: append two coarser levels by strided convolutions, as RetinaNet does.
    """

    def __init__(self, network: SlotNetwork, width: int = 256, *, extra: bool = False) -> None:
        super().__init__()
        self.network = network
        self.out_channels = width
        channels = stage_channels(network)
        blocks = LastLevelP6P7(width, width) if extra else None
        self.pyramid = FeaturePyramidNetwork(channels, width, extra_blocks=blocks)

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        """(batch, channels, height, width) to one map (batch, width, h, w) a level, finest first."""
        stages = self.network(images).stages
        return self.pyramid(OrderedDict((str(level), stage) for level, stage in enumerate(stages)))


def stage_channels(network: SlotNetwork) -> list[int]:
    """How many channels the feature map of each stage has."""
    was_training = network.training
    parameter = next(network.parameters())
    with torch.no_grad():
        # batch norms in training mode would count this image
        output = network.eval()(torch.zeros(1, network.in_channels, 32, 32, device=parameter.device))
    network.train(was_training)
    return [stage.shape[1] for stage in output.stages]
