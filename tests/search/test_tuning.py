"""The fine-tuning of a new teacher, as the search calls it."""

import numpy as np
import pytest
import torch

from mngnas_lib.distill import perturbed_archs
from mngnas_lib.search import RetrainConfig
from mngnas_lib.search.tuning import tune
from mngnas_lib.supernet import MiniBatches


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_the_network_sees_its_own_updates(cells, digits, precision):
    """In mixed precision too, where a cast that is kept from an earlier step would hide them."""
    supernet = cells.supernet(num_classes=10, in_channels=1, seed=0)
    network = supernet.extract((3, 1, 3, 1, 2, 3))
    others = perturbed_archs(cells, network.arch, 2, np.random.default_rng(0))
    config = RetrainConfig(batch_size=len(digits.train), precision=precision)  # all images in each step
    losses = tune(network, others, supernet, MiniBatches(digits, config.batch_size, seed=0), config, epochs=25, lr=0.05)
    assert losses.shape == (25, 2) and torch.isfinite(losses).all()
    assert losses[-1, 0] < 0.8 * losses[0, 0]
