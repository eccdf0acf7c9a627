"""Networks of NAS-Bench-101 against nasbench-pytorch's, paths of the SuperNet against stand-alone networks."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from nasbench_pytorch.model import Network
from torch import nn

from mngnas_lib.data import load_images
from mngnas_lib.distill.perturbation import neighbours, perturbed_network
from mngnas_lib.errors import ArchError
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import from_matrix, node_channels, to_matrix, wiring
from mngnas_lib.spaces.nasbench101_network import LeadingBatchNorm
from mngnas_lib.supernet import TrainConfig, batch_statistics, rank, train_standalone, train_supernet

SPACE = get_space("nasbench101", channels=7, cells=2)
DIAMOND = from_matrix(
    [[0, 1, 1, 1, 1], [0, 0, 1, 0, 1], [0, 0, 0, 0, 1], [0, 0, 0, 0, 1], [0] * 5],
    ("input", "conv3x3-bn-relu", "maxpool3x3", "conv1x1-bn-relu", "output"),
)
STRAIGHT = from_matrix([[0, 1], [0, 0]], ("input", "output"))
CASES = [DIAMOND, STRAIGHT, *(SPACE.sample(np.random.default_rng(seed)) for seed in range(6))]
each = pytest.mark.parametrize("arch", CASES, ids=SPACE.to_string)


def images(*, count=4, channels=3, size=12, seed=0):
    return torch.randn(count, channels, size, size, generator=torch.Generator().manual_seed(seed))


def worn(net):
    """``net`` with batch-norm statistics, scales and offsets that are not the initial ones."""
    generator = torch.Generator().manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.3, generator=generator)
            module.running_var.uniform_(0.5, 2.0, generator=generator)
            module.weight.data.uniform_(0.5, 2.0, generator=generator)
            module.bias.data.normal_(generator=generator)
    return net


def assert_equal_outputs(one, two, tolerance=1e-5):
    torch.testing.assert_close(one.logits, two.logits, rtol=tolerance, atol=tolerance)
    for here, there in zip(one.stages, two.stages, strict=True):
        torch.testing.assert_close(here, there, rtol=tolerance, atol=tolerance)


def bits(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


# ---------------------------------------------------------------------- the official network


@each
@pytest.mark.parametrize("training", [True, False])
def test_a_stand_alone_network_is_nasbench_pytorch_s(arch, training):
    """Its layers in the order in which both packages hold them: stem, then each cell's projections and operations."""
    ours = worn(SPACE.network(arch, num_classes=5, seed=0)).train(training)
    matrix, ops = to_matrix(arch)
    theirs = Network((matrix, list(ops)), 5, 3, SPACE.channels, SPACE.stacks, SPACE.cells).train(training)
    nodes = wiring(arch[:21]).nodes
    own, other = [ours.stem], [theirs.layers[0]]
    their_cells = [layer for layer in theirs.layers if hasattr(layer, "vertex_op")]
    for cell, theirs_cell in zip([cell for cells in ours.stacks for cell in cells], their_cells, strict=True):
        for place, node in enumerate(nodes):
            if str(node) in cell.projections:
                own.append(cell.projections[str(node)])
                other.append(theirs_cell.input_op[place])
            for block in cell.convolutions[str(node)].values() if str(node) in cell.convolutions else ():
                own.append(block)
                other.append(theirs_cell.vertex_op[place])
    for mine, block in zip(own, other, strict=True):
        (conv,) = (module for module in block.modules() if isinstance(module, nn.Conv2d))
        (norm,) = (module for module in block.modules() if isinstance(module, nn.BatchNorm2d))
        conv.load_state_dict(mine.conv.state_dict())
        norm.load_state_dict(mine.norm.state_dict())
    theirs.classifier.load_state_dict(ours.classifier.state_dict())
    loaded = {id(p) for block in [*other, theirs.classifier] for p in block.parameters()}
    left = [p for p in theirs.parameters() if id(p) not in loaded]
    assert sum(p.dim() > 0 and p.numel() for p in left) == 0  # placeholders, which compute nothing
    torch.testing.assert_close(ours(images()).logits, theirs(images()), rtol=1e-4, atol=1e-5)


@each
def test_stages_are_the_stacks_outputs(arch):
    net = SPACE.network(arch, num_classes=5, seed=0).eval()
    output = net(images())
    assert [tuple(stage.shape) for stage in output.stages] == [(4, 7, 12, 12), (4, 14, 6, 6), (4, 28, 3, 3)]
    torch.testing.assert_close(net.classifier(output.stages[-1].mean((2, 3))), output.logits)


def test_small_grey_images_and_one_stack():
    space = get_space("nasbench101", channels=4, cells=1, stacks=1)
    for net in (space.network(DIAMOND, num_classes=3, in_channels=1), space.supernet(num_classes=3, in_channels=1)):
        output = net(images(channels=1, size=8), DIAMOND)
        assert output.logits.shape == (4, 3) and [stage.shape for stage in output.stages] == [(4, 4, 8, 8)]


def test_seeds_repeat_and_running_statistics_follow_within_a_short_training():
    first, again, other = (bits(SPACE.network(DIAMOND, seed=seed)) for seed in (1, 1, 2))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["stem.conv.weight"], other["stem.conv.weight"])
    net = SPACE.network(DIAMOND, seed=1)
    for _ in range(100):
        net(images())
    trained = net(images()).logits
    torch.testing.assert_close(net.eval()(images()).logits, trained, rtol=0.3, atol=0.02)


# ---------------------------------------------------------------------- the SuperNet


@each
@pytest.mark.parametrize("training", [True, False])
def test_extracted_network_gives_the_supernet_s_output(arch, training):
    net = worn(SPACE.supernet(num_classes=5, seed=0)).train(training)
    network = net.extract(arch)
    assert network.arch == arch and network.training is training
    assert_equal_outputs(network(images()), net(images(), arch))
    assert sum(p.numel() for p in network.parameters()) == SPACE.cost(arch, num_classes=5).params


def test_every_kind_of_cell_is_a_path():
    net = worn(SPACE.supernet(seed=0)).eval()
    with torch.no_grad():
        for arch in SPACE.sample_distinct(25, np.random.default_rng(0)):
            assert_equal_outputs(net.extract(arch)(images(count=2)), net(images(count=2), arch))


@each
def test_a_training_step_of_both_is_the_same_step_and_touches_nothing_else(arch):
    net = SPACE.supernet(seed=0)
    network, twin = net.extract(arch), net.extract(arch)
    before, twin_before = bits(net), bits(twin)
    for model, arguments in ((net, (arch,)), (network, ())):
        optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
        logits = model.train()(images(seed=5), *arguments).logits
        nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, 3])).backward()
        optimizer.step()
    after, alone = bits(net), bits(network)
    for name, value in after.items():
        block = tuple(map(slice, alone[name].shape)) if name in alone else None
        if block is not None:
            torch.testing.assert_close(value[block], alone[name], rtol=1e-4, atol=1e-5, msg=name)
            value[block] = before[name][block]
        assert torch.equal(value, before[name]), name  # the other channels are as they were
    assert all(torch.equal(value, twin_before[name]) for name, value in bits(twin).items())
    touched = {name for name, parameter in net.named_parameters() if parameter.grad is not None}
    assert touched == {name for name, _ in network.named_parameters()}


def test_extraction_keeps_dtype_device_memory_format_and_frozen_parameters():
    net = SPACE.supernet(seed=0).double().to(memory_format=torch.channels_last)
    net.classifier.weight.requires_grad_(False)
    network = net.extract(DIAMOND)
    for name, parameter in network.named_parameters():
        source = net.get_parameter(name)
        assert parameter.dtype == torch.float64 and parameter.requires_grad == source.requires_grad
        assert parameter.untyped_storage().data_ptr() != source.untyped_storage().data_ptr()
        assert parameter.is_leaf and isinstance(parameter, nn.Parameter)
        if parameter.dim() == 4:
            assert parameter.is_contiguous(memory_format=torch.channels_last)
    assert_equal_outputs(network(images().double()), net(images().double(), DIAMOND), tolerance=1e-12)
    meta = SPACE.supernet().to("meta").extract(DIAMOND)
    assert {tensor.device.type for tensor in meta.state_dict().values()} == {"meta"}


def test_a_supernet_must_be_told_the_path():
    with pytest.raises(ArchError, match="which path"):
        SPACE.supernet()(images())
    with pytest.raises(ArchError, match="it cannot run"):
        SPACE.network(DIAMOND)(images(), STRAIGHT)


# ---------------------------------------------------------------------- batch norm of leading channels


@pytest.mark.parametrize("mode", ["train", "eval", "batch"])
@pytest.mark.parametrize("count", [3, 5])
def test_leading_batch_norm_is_a_batch_norm_of_these_channels(mode, count):
    norm, x = worn(LeadingBatchNorm(5)), images(channels=count)
    narrow = nn.BatchNorm2d(count)
    narrow.load_state_dict({name: value[:count] if value.dim() else value for name, value in norm.state_dict().items()})
    before = bits(norm)
    outputs = []
    for layer in (norm, narrow):
        layer.train(mode == "train")
        if mode == "batch":
            with batch_statistics(layer):
                outputs.append(layer(x))
        else:
            outputs.append(layer(x))
    torch.testing.assert_close(*outputs, rtol=0, atol=0)
    for name, value in norm.state_dict().items():
        expected = narrow.state_dict()[name]
        torch.testing.assert_close(value[:count] if value.dim() else value, expected, rtol=0, atol=0)
        assert not value.dim() or torch.equal(value[count:], before[name][count:])


# ---------------------------------------------------------------------- perturbed copies


def test_a_perturbed_copy_has_the_leading_channels_of_its_teacher():
    supernet = worn(SPACE.supernet(seed=0))
    network = SPACE.network(DIAMOND, seed=5)
    # node 1 no longer leads to the output: the others become wider
    other = tuple(0 if i == 10 else choice for i, choice in enumerate(DIAMOND))
    assert other in neighbours(SPACE, DIAMOND)
    assert node_channels(other[:21], 7)[3] == 3 and node_channels(DIAMOND[:21], 7)[3] == 2
    copy = perturbed_network(other, network, supernet)
    name = "stacks.0.0.convolutions.3.1.conv.weight"
    weight, theirs, shared = (model.state_dict()[name] for model in (copy, network, supernet))
    assert (weight.shape, theirs.shape, shared.shape) == ((3, 3, 1, 1), (2, 2, 1, 1), (7, 7, 1, 1))
    assert torch.equal(weight[:2, :2], theirs)
    assert torch.equal(weight[2], shared[2, :3]) and torch.equal(weight[:2, 2], shared[:2, 2])
    assert torch.equal(copy.state_dict()["stem.conv.weight"], network.state_dict()["stem.conv.weight"])
    assert copy(images()).logits.shape == (4, 10)


# ---------------------------------------------------------------------- training and ranking


@pytest.fixture(scope="module")
def digits():
    return load_images("digits", size=8, count=400, test_count=100, valid_fraction=0.25)


def test_a_supernet_trains_and_ranks(digits):
    space = get_space("nasbench101", channels=4, cells=1)
    config = TrainConfig(epochs=3, batch_size=50, lr=0.1)
    result = train_supernet(space, digits, config, progress=False)
    assert result.history[-1].loss < result.history[0].loss
    again = train_supernet(space, digits, config, progress=False)
    assert all(torch.equal(value, again.network.state_dict()[name]) for name, value in bits(result.network).items())
    archs = space.sample_distinct(5, np.random.default_rng(0))
    before = bits(result.network)
    for bn in ("batch", "reestimate", "inherited"):
        ranking = rank(result.network, archs, digits, bn=bn, progress=False)
        single = [rank(result.network.extract(arch), [arch], digits, bn=bn, progress=False) for arch in archs]
        np.testing.assert_allclose(ranking.loss, [one.loss[0] for one in single], rtol=1e-4)
    assert all(torch.equal(value, before[name]) for name, value in bits(result.network).items())


def test_a_stand_alone_network_learns_and_its_running_statistics_are_of_use_at_once(digits):
    space = get_space("nasbench101", channels=8, cells=1)
    result = train_standalone(space, DIAMOND, digits, replace(TrainConfig(), epochs=8, batch_size=50), progress=False)
    accuracy = rank(result.network, [DIAMOND], digits, part="test", bn="inherited", progress=False).accuracy[0]
    assert accuracy > 0.4
