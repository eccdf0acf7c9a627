import copy

import numpy as np
import pytest
import torch
from torch import nn

from mngnas_lib.supernet import batch_norms, batch_statistics, reestimate


@pytest.fixture
def layer() -> nn.BatchNorm2d:
    norm = nn.BatchNorm2d(3)
    norm.running_mean.copy_(torch.tensor([5.0, 6.0, 7.0]))
    norm.running_var.fill_(9.0)
    return norm.eval()


def images(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(4 + i, 3, 5, 5, generator=generator) * (i + 1) + i for i in range(count)]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_reestimated_statistics_are_plain_averages(layer, count):
    batches = images(count)
    reestimate([layer], layer, batches)
    per_batch = [batch.numpy().transpose(1, 0, 2, 3).reshape(3, -1) for batch in batches]
    np.testing.assert_allclose(layer.running_mean, np.mean([b.mean(1) for b in per_batch], 0), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.running_var, np.mean([b.var(1, ddof=1) for b in per_batch], 0), rtol=1e-4)
    assert not layer.training and layer.momentum == 0.1


def test_reestimation_forgets_what_was_there(layer):
    twin = copy.deepcopy(layer)
    twin.running_mean.fill_(-100.0)
    for norm in (layer, twin):
        reestimate([norm], norm, images(3))
    assert torch.equal(layer.running_mean, twin.running_mean) and torch.equal(layer.running_var, twin.running_var)


def test_reestimation_reaches_only_the_path(cells):
    network = cells.supernet(in_channels=3, seed=0).eval()
    before = copy.deepcopy(network.state_dict())
    arch = (3, 0, 0, 0, 2, 0)
    batches = [torch.randn(8, 3, 8, 8)]
    reestimate(batch_norms(network), lambda batch: network(batch, arch).logits, batches)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    path = {name for name in network.state_dict() if "edges" not in name or ".0.3." in name or ".4.2." in name}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    assert changed == {name for name in path if name.endswith(statistics)}


def test_batch_statistics_normalise_by_the_batch_and_record_nothing(layer):
    before = copy.deepcopy(layer.state_dict())
    (batch,) = images(1)
    with batch_statistics(layer), torch.no_grad():
        output = layer(batch)
    assert torch.allclose(output.mean((0, 2, 3)), torch.zeros(3), atol=1e-6)
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert not layer.training and layer.track_running_stats


def test_the_layers_are_put_back_after_an_error(layer):
    def explode(batch):
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        reestimate([layer], explode, images(1))
    with pytest.raises(RuntimeError, match="boom"), batch_statistics(layer):
        raise RuntimeError("boom")
    assert not layer.training and layer.momentum == 0.1 and layer.track_running_stats
