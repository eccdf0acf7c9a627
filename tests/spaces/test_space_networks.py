"""SuperNet and stand-alone networks: equal outputs, independent weights, nothing computed in vain."""

import numpy as np
import pytest
import torch
from torch import nn

from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.spaces import ChainNetwork, get_space
from mngnas_lib.spaces.nasbench201_network import ConvNorm, used_edges

SPACES = (
    get_space("nasbench201", channels=4, cells=2),
    get_space("nasbench-macro", channels=4, head_channels=24),
)
BOTH = pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
HAND_201 = [(0, 0, 0, 0, 0, 0), (1, 1, 1, 1, 1, 1), (3, 3, 3, 3, 3, 3), (0, 0, 3, 1, 4, 2), (3, 0, 0, 2, 0, 1)]
HAND_MACRO = [(0,) * 8, (2,) * 8, (1, 0, 2, 0, 1, 1, 0, 0)]
CASES = pytest.mark.parametrize(
    ("space", "arch"),
    [(SPACES[0], arch) for arch in HAND_201] + [(SPACES[1], arch) for arch in HAND_MACRO],
    ids=lambda value: getattr(value, "name", str(value)),
)


def images(*, count=3, channels=3, size=16, seed=0):
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
    assert len(one.stages) == len(two.stages)
    for here, there in zip(one.stages, two.stages, strict=True):
        torch.testing.assert_close(here, there, rtol=tolerance, atol=tolerance)


def bits(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same_bits(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def train_a_step(network, arch=None):
    optimizer = torch.optim.SGD(network.parameters(), lr=0.5)
    output = network.train()(images(seed=5), arch)
    nn.functional.cross_entropy(output.logits, torch.tensor([0, 1, 2])).backward()
    optimizer.step()


# ---------------------------------------------------------------------- shapes


@BOTH
def test_all_architectures_have_the_same_output_shapes(space):
    net, rng = space.supernet(num_classes=7, seed=0), np.random.default_rng(0)
    corners = [(choice,) * len(space.slots) for choice in range(len(space.slots[0].choices))]
    shapes = {
        (output.logits.shape, tuple(stage.shape for stage in output.stages))
        for arch in corners + [space.sample(rng) for _ in range(10)]
        for output in [net(images(), arch)]
    }
    assert len(shapes) == 1
    ((logits, stages),) = shapes
    assert logits == (3, 7)
    # nasbench201's first stage keeps the stem's resolution, nasbench-macro's halves it
    first = 0 if space.name == "nasbench201" else 1
    assert stages == tuple((3, 4 * 2**level, 16 // 2**level, 16 // 2**level) for level in range(first, first + 3))
    assert len(stages) == space.num_stages


@BOTH
def test_grey_images_and_other_numbers_of_classes(space):
    arch = (1,) * len(space.slots)
    for net in (space.supernet(num_classes=4, in_channels=1), space.network(arch, num_classes=4, in_channels=1)):
        assert net(images(channels=1), arch).logits.shape == (3, 4)


def test_a_cell_of_zeros_gives_zero_maps_in_the_first_stage():
    output = worn(SPACES[0].network((0,) * 6))(images())
    assert not output.stages[0].any()
    assert output.logits.isfinite().all()


def test_last_stage_is_what_the_head_reads():
    net = SPACES[0].network((3,) * 6, seed=0).eval()
    output = net(images())
    features = nn.functional.relu(net.last_norm(output.stages[-1])).mean((2, 3))
    torch.testing.assert_close(net.classifier(features), output.logits)
    chain = SPACES[1].network((1,) * 8, seed=0).eval()
    output = chain(images())
    torch.testing.assert_close(chain.head(output.stages[-1]), output.logits)


def test_a_chain_runs_block_by_block():
    net = worn(SPACES[1].supernet(seed=0)).eval()
    assert isinstance(net, ChainNetwork) and SPACES[1].is_chain and not SPACES[0].is_chain
    arch = (1, 0, 2, 0, 1, 1, 0, 2)
    h, stages = net.stem(images()), []
    for slot, choice in enumerate(arch):
        h = net.block(slot, choice, h)
        if slot in net.stage_ends:
            stages.append(h)
    output = net(images(), arch)
    assert torch.equal(net.head(h), output.logits)
    assert all(torch.equal(here, there) for here, there in zip(stages, output.stages, strict=True))


# ---------------------------------------------------------------------- extraction


@CASES
@pytest.mark.parametrize("training", [True, False])
def test_extracted_network_gives_the_supernets_output(space, arch, training):
    net = worn(space.supernet(num_classes=5, seed=0)).train(training)
    network = net.extract(arch)
    assert network.arch == arch and network.training is training
    assert_equal_outputs(network(images()), net(images(), arch))


@BOTH
def test_extracted_networks_of_random_paths(space):
    net, rng = worn(space.supernet(seed=0)).eval(), np.random.default_rng(0)
    for _ in range(8):
        arch = space.sample(rng)
        assert_equal_outputs(net.extract(list(arch))(images()), net(images(), arch))


@CASES
def test_extracted_network_has_the_stand_alone_networks_parameters(space, arch):
    extracted, alone = space.supernet(num_classes=5).extract(arch), space.network(arch, num_classes=5)
    assert {name: value.shape for name, value in extracted.state_dict().items()} == {
        name: value.shape for name, value in alone.state_dict().items()
    }
    assert sum(p.numel() for p in extracted.parameters()) == space.cost(arch, num_classes=5).params


@BOTH
def test_training_either_leaves_the_other_bit_identical(space):
    arch = (1, 2) * (len(space.slots) // 2)
    net = worn(space.supernet(seed=0))
    network, twin = net.extract(arch), net.extract(arch)
    before, twin_before = bits(net), bits(twin)
    train_a_step(network)
    assert same_bits(bits(net), before) and same_bits(bits(twin), twin_before)
    assert not same_bits(bits(network), twin_before)
    train_a_step(net, arch)
    assert not same_bits(bits(net), before)
    assert same_bits(bits(twin), twin_before)


@BOTH
def test_a_training_step_of_both_is_the_same_step(space):
    arch = (2, 1) * (len(space.slots) // 2)
    net = space.supernet(seed=0)
    network = net.extract(arch)
    train_a_step(net, arch)
    train_a_step(network)
    state = net.state_dict()
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, state[name], rtol=1e-4, atol=1e-5, msg=name)


@BOTH
def test_extraction_keeps_dtype_memory_format_and_frozen_parameters(space):
    arch = (2,) * len(space.slots)
    net = space.supernet(seed=0).to(torch.float64).to(memory_format=torch.channels_last)
    net.classifier.weight.requires_grad_(False)
    network = net.extract(arch)
    for name, parameter in network.named_parameters():
        source = net.get_parameter(name)
        assert parameter.dtype == torch.float64
        assert parameter.stride() == source.stride(), name
        assert parameter.data_ptr() != source.data_ptr()
        assert parameter.requires_grad == source.requires_grad
        assert isinstance(parameter, nn.Parameter) and parameter.is_leaf
    assert_equal_outputs(network(images().double()), net(images().double(), arch), tolerance=1e-12)


@BOTH
def test_extraction_keeps_the_device(space):
    network = space.supernet().to("meta").extract((1,) * len(space.slots))
    assert {tensor.device.type for tensor in network.state_dict().values()} == {"meta"}


@BOTH
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_extraction_on_a_gpu(space):
    arch = (2,) * len(space.slots)
    net = worn(space.supernet(seed=0)).cuda().eval()
    network = net.extract(arch)
    assert {tensor.device for tensor in network.state_dict().values()} == {net.classifier.weight.device}
    assert_equal_outputs(network(images().cuda()), net(images().cuda(), arch), tolerance=1e-3)


# ---------------------------------------------------------------------- what is computed


@CASES
def test_only_the_paths_parameters_get_gradients(space, arch):
    net = space.supernet(seed=0)
    net(images(), arch).logits.sum().backward()
    touched = {name for name, parameter in net.named_parameters() if parameter.grad is not None}
    own = {name for name, _ in net.extract(arch).named_parameters()}
    assert touched <= own
    if space.name == "nasbench-macro":
        assert touched == own
    elif not any(arch):
        # a cell of zeros cuts off all that comes before the last one
        assert touched == {"last_norm.weight", "last_norm.bias", "classifier.weight", "classifier.bias"}
    else:
        used = used_edges(arch)
        assert touched == {name for name in own if not name.startswith("cells.") or used[int(name.split(".")[4])]}


def calls_of_convolutions(net, *args):
    calls = []
    hooks = [
        module.register_forward_hook(lambda *_: calls.append(1))
        for cells in net.cells
        for module in cells.modules()
        if isinstance(module, ConvNorm)
    ]
    net(*args)
    for hook in hooks:
        hook.remove()
    return len(calls)


@pytest.mark.parametrize(
    ("arch", "all_convolutions", "needed"),
    [
        ((3, 3, 3, 2, 0, 0), 4, 1),  # nodes 1 and 2 go nowhere
        ((3, 0, 2, 0, 1, 0), 2, 1),  # node 2 goes nowhere
        ((3, 3, 3, 3, 3, 3), 6, 6),
        ((2, 3, 0, 0, 0, 1), 2, 1),  # node 1 goes nowhere
        ((3, 3, 3, 0, 0, 0), 3, 0),  # nothing reaches the output
        ((0, 0, 3, 0, 0, 1), 1, 1),  # the convolution of zero is an offset, so it counts
    ],
)
def test_of_a_cell_only_what_reaches_its_output_is_computed(arch, all_convolutions, needed):
    space, cells = SPACES[0], 3 * 2
    net = worn(space.supernet(seed=0))
    alone = space.network(arch, seed=0)
    lean = space.network(arch, seed=0, skip_unused=True)
    assert sum(used and choice in (2, 3) for used, choice in zip(used_edges(arch), arch, strict=True)) == needed
    assert calls_of_convolutions(net, images(), arch) == needed * cells
    assert calls_of_convolutions(net.extract(arch), images()) == needed * cells
    assert calls_of_convolutions(lean, images()) == needed * cells
    assert calls_of_convolutions(alone, images()) == all_convolutions * cells


@pytest.mark.parametrize("training", [True, False])
def test_skipping_what_is_unused_changes_no_output(training):
    space, rng = SPACES[0], np.random.default_rng(4)
    for arch in [space.sample(rng) for _ in range(4)] + HAND_201:
        full = worn(space.network(arch, seed=3)).train(training)
        lean = worn(space.network(arch, seed=3, skip_unused=True)).train(training)
        one, two = full(images()), lean(images())
        assert torch.equal(one.logits, two.logits)


# ---------------------------------------------------------------------- seeds


@BOTH
def test_seeds_repeat_and_leave_the_global_generator_alone(space):
    arch = (2,) * len(space.slots)
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    first, again, other = (bits(space.supernet(seed=seed)) for seed in (1, 1, 2))
    one, two, three = (bits(space.network(arch, seed=seed)) for seed in (1, 1, 2))
    space.supernet(seed=0).extract(arch)
    assert torch.equal(torch.rand(3), expected)
    assert same_bits(first, again) and not same_bits(first, other)
    assert same_bits(one, two) and not same_bits(one, three)


@BOTH
def test_without_a_seed_the_global_generator_decides(space):
    torch.manual_seed(5)
    first, second = bits(space.supernet()), bits(space.supernet())
    assert not same_bits(first, second)
    torch.manual_seed(5)
    assert same_bits(bits(space.supernet()), first)


# ---------------------------------------------------------------------- errors


@BOTH
def test_a_supernet_must_be_told_the_path(space):
    with pytest.raises(ArchError, match="which path"):
        space.supernet()(images())
    with pytest.raises(ArchError, match="not an architecture"):
        space.supernet()(images(), (9,) * len(space.slots))
    with pytest.raises(ArchError, match="not an architecture"):
        space.supernet().extract((1,))


@BOTH
def test_a_stand_alone_network_runs_its_own_architecture_only(space):
    arch, other = (1,) * len(space.slots), (2,) * len(space.slots)
    network = space.network(arch, seed=0).eval()
    assert torch.equal(network(images()).logits, network(images(), arch).logits)
    assert torch.equal(network(images()).logits, network(images(), list(arch)).logits)
    for use in (lambda: network(images(), other), lambda: network.extract(other)):
        with pytest.raises(ArchError, match="cannot run"):
            use()
    assert_equal_outputs(network.extract(arch)(images()), network(images()))


@pytest.mark.parametrize("size", [15, 18, 30])
def test_nasbench201_refuses_odd_resolutions(size):
    with pytest.raises(ConfigError, match="multiples of 4"):
        SPACES[0].network((1,) * 6)(images(size=size))


def test_nasbench_macro_takes_odd_resolutions():
    output = SPACES[1].network((1,) * 8)(images(size=15))
    assert [stage.shape[-1] for stage in output.stages] == [8, 4, 2]
