import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from mngnas_lib.errors import ArchError, ConfigError, DataError
from mngnas_lib.supernet import BN_MODES, TrainConfig, rank, train_supernet


@pytest.fixture(scope="module")
def trained(request):
    """A SuperNet of each space, trained for two epochs (cached by space)."""
    cache = {}

    def get(space, digits):
        if space not in cache:
            config = TrainConfig(epochs=2, batch_size=40, lr=0.1)
            cache[space] = train_supernet(space, digits, config, progress=False).network
        return cache[space]

    return get


def archs_of(space, count=12):
    rng = np.random.default_rng(5)
    return [space.sample(rng) for _ in range(count)]


@pytest.mark.parametrize("bn", BN_MODES)
def test_shared_prefixes_change_nothing(trained, chain, digits, bn):
    network = trained(chain, digits)
    archs = [*archs_of(chain, 30), (0, 0, 0, 0), (0, 0, 0, 1), (0, 0, 0, 0)]
    shared, alone = (
        rank(network, archs, digits, part="test", bn=bn, batch_size=30, share_prefixes=share) for share in (True, False)
    )
    np.testing.assert_array_equal(shared.accuracy, alone.accuracy)
    np.testing.assert_allclose(shared.loss, alone.loss, rtol=1e-6)
    assert shared.archs == tuple(archs)


def test_all_architectures_share_the_blocks_of_one_trie(trained, chain, digits):
    network = trained(chain, digits)
    calls = []
    handles = [
        module.register_forward_hook(lambda *_: calls.append(1)) for slot in network.blocks for module in slot.values()
    ]
    rank(network, list(chain.all_archs()), digits, part="test", batch_size=100)
    for handle in handles:
        handle.remove()
    # stages of two blocks, three choices each: nodes of the trie by depth, less the free identities of slots 1 and 3
    assert len(calls) == 3 + 9 - 3 + 27 + 81 - 27


def test_batch_statistics_are_those_of_a_training_forward(trained, space, digits):
    network = trained(space, digits)
    archs = archs_of(space)
    ranking = rank(network, archs, digits, part="test", bn="batch", batch_size=len(digits.test))
    images = digits.normalise(digits.test.images)
    for arch, accuracy, loss in zip(archs, ranking.accuracy, ranking.loss, strict=True):
        with torch.no_grad():
            logits = network.extract(arch).train()(images).logits
        assert accuracy == pytest.approx(float((logits.argmax(1) == digits.test.labels).float().mean()), abs=0.011)
        assert loss == pytest.approx(float(F.cross_entropy(logits, digits.test.labels)), rel=1e-4)


def test_reestimated_statistics_are_those_of_the_path_alone(trained, space, digits):
    """A stand-alone copy calibrated by torch's own cumulative average gives the same accuracy."""
    network = trained(space, digits)
    archs = archs_of(space, 6)
    calls = {"part": "test", "bn": "reestimate", "batch_size": 60, "calibration_batches": 4, "seed": 7}
    ranking = rank(network, archs, digits, **calls)
    order = torch.randperm(len(digits.train), generator=torch.Generator().manual_seed(7))[:240]
    for arch, loss in zip(archs, ranking.loss, strict=True):
        alone = network.extract(arch).train()
        for module in alone.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.reset_running_stats()
                module.momentum = None
        with torch.no_grad():
            for index in order.split(60):
                alone(digits.normalise(digits.train.images[index]))
            logits = alone.eval()(digits.normalise(digits.test.images)).logits
        assert loss == pytest.approx(float(F.cross_entropy(logits, digits.test.labels)), rel=1e-3)


def test_inherited_statistics_are_the_networks_own(trained, space, digits):
    network = trained(space, digits)
    (arch,) = archs_of(space, 1)
    ranking = rank(network, [arch], digits, part="valid", bn="inherited")
    with torch.no_grad():
        logits = copy.deepcopy(network).eval()(digits.normalise(digits.valid.images), arch).logits
    assert ranking.loss[0] == pytest.approx(float(F.cross_entropy(logits, digits.valid.labels)), rel=1e-4)


@pytest.mark.parametrize("bn", BN_MODES)
def test_ranking_leaves_the_network_as_it_was(trained, space, digits, bn):
    network = trained(space, digits).train()
    before = copy.deepcopy(network.state_dict())
    rank(network, archs_of(space), digits, bn=bn)
    assert network.training and all(module.training for module in network.modules())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_the_order_of_the_architectures_does_not_matter(trained, chain, digits):
    archs = list(dict.fromkeys(archs_of(chain, 20)))
    forward, backward = (rank(trained(chain, digits), order, digits, bn="reestimate") for order in (archs, archs[::-1]))
    np.testing.assert_array_equal(forward.accuracy, backward.accuracy[::-1])


def test_a_small_rest_joins_the_last_batch(trained, cells, digits):
    """100 images in batches of 60: the rest of 40 is a batch; of 75: the rest of 25 joins the first."""
    network, arch = trained(cells, digits), (3, 0, 0, 2, 1, 1)
    images, labels = digits.normalise(digits.test.images), digits.test.labels
    for size, cuts in ((60, [60]), (75, [])):
        with torch.no_grad():
            alone = network.extract(arch).train()
            logits = torch.cat([alone(batch).logits for batch in images.tensor_split(cuts)])
        ranking = rank(network, [arch], digits, part="test", batch_size=size)
        assert ranking.loss[0] == pytest.approx(float(F.cross_entropy(logits, labels)), rel=1e-4)


def test_an_empty_list_ranks_nothing(trained, space, digits):
    assert len(rank(trained(space, digits), [], digits).accuracy) == 0


def test_what_is_asked_wrongly_is_named(trained, cells, digits):
    network = trained(cells, digits)
    with pytest.raises(ConfigError, match="batch, reestimate, inherited"):
        rank(network, [], digits, bn="magic")
    with pytest.raises(ConfigError, match="train, valid or test"):
        rank(network, [], digits, part="holdout")
    with pytest.raises(ArchError, match="needs 6 integers"):
        rank(network, [(0, 1)], digits)
    with pytest.raises(DataError, match="too few for 200 calibration batches"):
        rank(network, [], digits, bn="reestimate", calibration_batches=200)
    empty = replace(digits.test, images=digits.test.images[:0], labels=digits.test.labels[:0])
    with pytest.raises(DataError, match="no images"):
        rank(network, [], replace(digits, test=empty), part="test")
