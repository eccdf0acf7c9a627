import copy
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.distill.perturbation import (
    fine_tune,
    neighbours,
    perturbation_loss,
    perturbed_archs,
    perturbed_network,
)
from mngnas_lib.errors import ArchError, ConfigError, TrainingDivergedError
from mngnas_lib.spaces import NasBenchMacro, get_space

CELLS = get_space("nasbench201", channels=4, cells=1)
CHAIN = get_space("nasbench-macro", channels=4, stages=(2, 2), head_channels=16)
SPACES = pytest.mark.parametrize("space", [CELLS, CHAIN], ids=lambda space: space.name)
# the second edge of the first leads nowhere; the fourth block of the second is a free identity
ARCH = {CELLS: (3, 2, 0, 2, 3, 4), CHAIN: (1, 2, 0, 0)}


def networks(space, seed=0):
    """S_j and a SuperNet, no two entries of which are equal (fresh batch norms would be)."""
    supernet = space.supernet(seed=seed)
    own = space.network(ARCH[space], seed=seed + 1, skip_unused=True)
    draw = torch.Generator().manual_seed(seed)
    for network in (supernet, own):
        for name, entry in network.state_dict().items():
            if name.endswith(("norm.weight", "1.weight", "running_var")):
                entry.uniform_(0.5, 1.5, generator=draw)
            elif name.endswith(("running_mean", "bias")):
                entry.normal_(0, 0.1, generator=draw)
            elif name.endswith("num_batches_tracked"):
                entry.fill_(7 if network is own else 1000)
    return own, supernet


def perturbed_of(space, own, supernet, count=4, seed=0):
    archs = perturbed_archs(space, own.arch, count, np.random.default_rng(seed))
    return [perturbed_network(arch, own, supernet) for arch in archs]


def batches_of(count, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(12, 3, 8, 8, generator=draw), torch.randint(0, 10, (12,), generator=draw)) for _ in range(count)
    ]


def update_of(network, lr=0.05, **settings):
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, **settings)

    def update(loss):
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return update


def snapshot(network):
    return {name: entry.clone() for name, entry in network.state_dict().items()}


def assert_same(network, before):
    for name, entry in network.state_dict().items():
        assert torch.equal(entry, before[name]), name


# ---------------------------------------------------------------------- Eq. 21


@SPACES
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.sampled_from([0, 2, 4, 6, 1000]))
def test_perturbed_architectures_differ_in_one_slot(space, seed, count):
    arch = space.sample(np.random.default_rng(seed))
    drawn = perturbed_archs(space, arch, count, np.random.default_rng(seed))
    assert len(drawn) == len(set(drawn)) == min(count, sum(len(slot.choices) - 1 for slot in space.slots))
    for other in drawn:
        assert space.is_valid(other)
        assert sum(a != b for a, b in zip(arch, other, strict=True)) == 1
    assert drawn == perturbed_archs(space, arch, count, np.random.default_rng(seed))


def test_neighbours_by_hand():
    space = NasBenchMacro(channels=4, stages=(2,), head_channels=8)
    assert neighbours(space, (0, 2)) == [(1, 2), (2, 2), (0, 0), (0, 1)]


def test_every_neighbour_is_drawn_equally_often():
    rng = np.random.default_rng(0)
    drawn = [perturbed_archs(CHAIN, (1, 1, 1, 1), 2, rng) for _ in range(2000)]
    counts = np.unique([CHAIN.to_string(arch) for archs in drawn for arch in archs], return_counts=True)[1]
    # 4000 draws over 8 neighbours: mean 500, standard deviation about 19
    assert len(counts) == 8 and abs(counts - 500).max() < 100


@dataclass(frozen=True)
class _FewChoices(NasBenchMacro):
    """Only the first slot may be anything but MB3_K3."""

    def is_valid(self, arch):
        return super().is_valid(arch) and all(choice == 1 for choice in arch[1:])


def test_few_valid_alternatives_give_fewer():
    space = _FewChoices(channels=4, stages=(2, 2), head_channels=16)
    drawn = perturbed_archs(space, (0, 1, 1, 1), 4, np.random.default_rng(0))
    assert sorted(drawn) == [(1, 1, 1, 1), (2, 1, 1, 1)]


def test_what_is_asked_wrongly_is_named():
    with pytest.raises(ConfigError, match="must not be negative, it is -1"):
        perturbed_archs(CELLS, ARCH[CELLS], -1, np.random.default_rng(0))
    with pytest.raises(ArchError, match="needs 6 integers"):
        perturbed_archs(CELLS, (0, 1), 2, np.random.default_rng(0))


# ---------------------------------------------------------------------- initial weights


@SPACES
def test_the_changed_slot_has_the_supernets_weights_and_all_else_s_js(space):
    own, supernet = networks(space)
    for arch in neighbours(space, own.arch):
        slot = next(i for i, (a, b) in enumerate(zip(arch, own.arch, strict=True)) if a != b)
        state = perturbed_network(arch, own, supernet).state_dict()
        # where the two spaces keep the changed slot's new choice
        mark = f"edges.{slot}.{arch[slot]}." if space is CELLS else f"blocks.{slot}.{arch[slot]}."
        for name, entry in state.items():
            source = supernet if mark in name else own
            assert torch.equal(entry, source.state_dict()[name]), name
        assert set(state) == set(space.network(arch).state_dict())


@SPACES
def test_its_output_is_that_of_a_supernet_that_took_s_js_weights(space):
    own, supernet = networks(space)
    transplanted = copy.deepcopy(supernet)
    transplanted.load_state_dict(own.state_dict(), strict=False)
    images = batches_of(1)[0][0]
    for arch in neighbours(space, own.arch):
        network = perturbed_network(arch, own, supernet)
        torch.testing.assert_close(network(images).logits, transplanted.eval()(images, arch).logits)


@SPACES
def test_a_perturbed_network_is_frozen_and_shares_nothing(space):
    own, supernet = networks(space)
    network = perturbed_of(space, own, supernet, 1)[0]
    assert not network.training and not any(parameter.requires_grad for parameter in network.parameters())
    mine = {entry.data_ptr() for entry in network.state_dict().values()}
    for other in (own, supernet):
        assert not mine & {entry.data_ptr() for entry in other.state_dict().values()}
        assert all(parameter.requires_grad for parameter in other.parameters())


def test_memory_format_is_kept():
    own, supernet = (network.to(memory_format=torch.channels_last) for network in networks(CELLS))
    weight = perturbed_of(CELLS, own, supernet, 1)[0].stem_conv.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_what_does_not_belong_together_is_named():
    own, supernet = networks(CELLS)
    two_slots = (0, 0, *own.arch[2:])
    with pytest.raises(ArchError, match="differ in 2 slots"):
        perturbed_network(two_slots, own, supernet)
    with pytest.raises(ArchError, match="differ in 0 slots"):
        perturbed_network(own.arch, own, supernet)
    with pytest.raises(ArchError, match="needs 6 integers"):
        perturbed_network((0, 1), own, supernet)
    neighbour = neighbours(CELLS, own.arch)[0]
    wider = get_space("nasbench201", channels=8, cells=1).supernet()
    for pair in ((supernet, supernet), (own, own), (own, wider), (own, CELLS.supernet(num_classes=5))):
        with pytest.raises(ConfigError, match="stand-alone network and the SuperNet of the same space"):
            perturbed_network(neighbour, *pair)


# ---------------------------------------------------------------------- Eq. 22 and 23


def test_the_losses_by_hand():
    """S_j (1/4, 3/4), one S_i (1/2, 1/2), the other as S_j: L_dis = 1/2 (1/4 ln 1/2 + 3/4 ln 3/2), L_cls = -ln 3/4."""
    own, even = torch.tensor([[0.0, np.log(3)]]), torch.zeros(1, 2)
    loss_cls, loss_dis = perturbation_loss(own, torch.tensor([1]), torch.stack([even, own]))
    assert float(loss_cls) == pytest.approx(-np.log(3 / 4))
    assert float(loss_dis) == pytest.approx((0.25 * np.log(1 / 2) + 0.75 * np.log(3 / 2)) / 2)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_the_losses_are_torchs(temperature):
    draw = torch.Generator().manual_seed(0)
    own, perturbed = torch.randn(6, 4, generator=draw), torch.randn(3, 6, 4, generator=draw)
    labels = torch.arange(6) % 4
    loss_cls, loss_dis = perturbation_loss(own, labels, perturbed, temperature)
    torch.testing.assert_close(loss_cls, F.cross_entropy(own, labels))
    # torch's kl_div has its arguments the other way round: kl_div(log q, p) = KL(p ‖ q)
    kl = [
        F.kl_div((q / temperature).log_softmax(1), (own / temperature).softmax(1), reduction="batchmean")
        for q in perturbed
    ]
    torch.testing.assert_close(loss_dis, sum(kl) / 3, rtol=1e-4, atol=1e-6)


def test_the_gradient_reaches_s_j_alone():
    draw = torch.Generator().manual_seed(0)
    own = torch.randn(1, 4, generator=draw).requires_grad_()
    perturbed = torch.randn(1, 1, 4, generator=draw).requires_grad_()
    perturbation_loss(own, torch.tensor([0]), perturbed)[1].backward()
    assert perturbed.grad is None
    # d/dz of KL(p ‖ q) with p = softmax(z) is p (ln p/q - KL)
    p, q = own.detach().softmax(1)[0], perturbed.detach().softmax(2)[0, 0]
    ratio = (p / q).log()
    torch.testing.assert_close(own.grad[0], p * (ratio - (p * ratio).sum()), rtol=1e-4, atol=1e-6)


def test_losses_that_do_not_fit_are_named():
    own, labels = torch.zeros(2, 3), torch.zeros(2, dtype=torch.long)
    for shape in ((0, 2, 3), (2, 3), (1, 2, 4)):
        with pytest.raises(ConfigError, match="give those of at least one"):
            perturbation_loss(own, labels, torch.zeros(shape))
    with pytest.raises(ConfigError, match="temperature must be positive"):
        perturbation_loss(own, labels, torch.zeros(1, 2, 3), temperature=0)


# ---------------------------------------------------------------------- Algorithm 2


@SPACES
def test_only_s_j_moves(space):
    own, supernet = networks(space)
    perturbed = perturbed_of(space, own, supernet)
    fixed = [supernet, *perturbed]
    before, before_own = [snapshot(network) for network in fixed], snapshot(own)
    own.eval()
    modes = [[module.training for module in network.modules()] for network in (own, *fixed)]
    curve = fine_tune(own, perturbed, batches_of(3), update_of(own, momentum=0.9, weight_decay=0.01))
    for network, state in zip(fixed, before, strict=True):
        assert_same(network, state)
        assert all(parameter.grad is None for parameter in network.parameters())
    # S_j's weights move, and its batch norms count the batches; a dead edge's entries stay
    live = [name for name in before_own if not name.startswith("cells.") or "edges.1." not in name]
    assert all(not torch.equal(own.state_dict()[name], before_own[name]) for name in live)
    assert own.state_dict()[next(n for n in live if n.endswith("tracked"))] == 7 + 3
    assert curve.shape == (3, 2) and curve.isfinite().all() and (curve > 0).all()
    assert modes == [[module.training for module in network.modules()] for network in (own, *fixed)]
    assert all(
        layer.track_running_stats for n in fixed for layer in n.modules() if isinstance(layer, torch.nn.BatchNorm2d)
    )


@SPACES
def test_a_step_is_that_of_eq_23(space):
    own, supernet = networks(space)
    perturbed = perturbed_of(space, own, supernet, 2)
    images, labels = batches_of(1)[0]
    expected = copy.deepcopy(own).train()
    p = expected(images).logits.log_softmax(1)
    loss = F.nll_loss(p, labels)
    for other in perturbed:
        q = copy.deepcopy(other).train()(images).logits.log_softmax(1).detach()
        loss = loss + (p.exp() * (p - q)).sum(1).mean() / 2
    loss.backward()
    with torch.no_grad():
        for parameter in expected.parameters():
            if parameter.grad is not None:
                parameter -= 0.1 * parameter.grad
    curve = fine_tune(own, perturbed, [(images, labels)], update_of(own, lr=0.1))
    assert float(curve.sum()) == pytest.approx(float(loss.detach()), rel=1e-5)
    for name, entry in own.state_dict().items():
        torch.testing.assert_close(entry, expected.state_dict()[name], rtol=1e-4, atol=1e-5)


def test_running_statistics_of_two_sources_have_no_say():
    own, supernet = networks(CHAIN)
    perturbed = perturbed_of(CHAIN, own, supernet)
    other = copy.deepcopy(own)
    spoilt = copy.deepcopy(perturbed)
    for network in spoilt:
        for name, buffer in network.named_buffers():
            if not name.endswith("tracked"):
                buffer.fill_(1e6)
    curve = fine_tune(own, perturbed, batches_of(2), update_of(own))
    assert torch.equal(fine_tune(other, spoilt, batches_of(2), update_of(other)), curve)


def test_s_j_stays_nearer_to_its_perturbed_copies_than_labels_would_leave_it():
    own, supernet = networks(CHAIN)
    perturbed = perturbed_of(CHAIN, own, supernet)
    images, labels = batches_of(1)[0]
    alone = copy.deepcopy(own).train()
    step = update_of(alone)
    for _ in range(20):
        step(F.cross_entropy(alone(images).logits, labels))
    curve = fine_tune(own, perturbed, [(images, labels)] * 21, update_of(own))
    targets = torch.stack([copy.deepcopy(other).train()(images).logits for other in perturbed])
    away = perturbation_loss(alone(images).logits, labels, targets)[1].detach()
    assert curve[-1, 1] < 0.9 * away
    assert curve[-1].sum() < 0.9 * curve[0].sum()


def test_without_perturbed_architectures_nothing_is_done():
    own, _ = networks(CHAIN)
    before = snapshot(own)
    never = iter(batches_of(1))
    assert fine_tune(own, [], never, update_of(own)).shape == (0, 2)
    assert_same(own, before)
    assert len(list(never)) == 1


def test_without_batches_nothing_moves():
    own, supernet = networks(CHAIN)
    before = snapshot(own)
    assert fine_tune(own, perturbed_of(CHAIN, own, supernet), [], update_of(own)).shape == (0, 2)
    assert_same(own, before)


def test_a_loss_that_is_not_finite_is_named():
    own, supernet = networks(CHAIN)
    perturbed = perturbed_of(CHAIN, own, supernet, 1)
    images, labels = batches_of(1)[0]
    broken = [(images, labels), (images * float("nan"), labels)]
    with pytest.raises(TrainingDivergedError, match="step 1 of the fine-tuning of 1200 is not finite"):
        fine_tune(own, perturbed, broken, update_of(own))
    assert own.training
