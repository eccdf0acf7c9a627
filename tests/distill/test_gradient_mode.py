import copy
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from mngnas_lib.distill.gradient_mode import compare, gradient_coefficients, loss_gradients
from mngnas_lib.distill.losses import DistillLoss
from mngnas_lib.distill.reference import dual_eq12
from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Output, get_space

TEACHERS, PEERS = torch.arange(6) < 2, torch.arange(6) >= 2


def half_square(student, target):
    """Eq. 19's loss."""
    return 0.5 * (student - target).square().sum()


@pytest.fixture
def network():
    return get_space("nasbench201", channels=4, cells=1).network((1, 3, 0, 2, 1, 3), num_classes=5, seed=0)


@pytest.fixture
def images():
    return torch.randn(7, 3, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def outputs(images):
    space = get_space("nasbench201", channels=4, cells=1)
    archs = [
        (1, 1, 1, 1, 1, 1),
        (3, 3, 3, 3, 3, 3),
        (2, 2, 2, 2, 2, 2),
        (1, 2, 3, 1, 2, 3),
        (3, 1, 1, 1, 0, 2),
        (1, 4, 2, 3, 1, 1),
    ]
    with torch.no_grad():
        return [space.network(arch, num_classes=5, seed=n + 1)(images) for n, arch in enumerate(archs)]


class Free(nn.Module):
    """A student whose outputs are its parameters."""

    def __init__(self, outputs):
        super().__init__()
        self.outputs = nn.Parameter(outputs)

    def forward(self, images):
        return self.outputs


# gradients


def test_each_row_is_the_gradient_of_one_loss(network, images, outputs):
    rows = loss_gradients(network, images, outputs, DistillLoss())
    assert rows.dtype == torch.float64 and len(rows) == 6
    for row, target in zip(rows, outputs, strict=True):
        twin = copy.deepcopy(network)
        DistillLoss()(twin(images), target).backward()
        expected = torch.cat([p.grad.flatten() if p.grad is not None else 0 * p.flatten() for p in twin.parameters()])
        torch.testing.assert_close(row.float(), expected, rtol=1e-4, atol=1e-7)


def test_logits_are_compared_with_logits(network, images, outputs):
    logits = torch.stack([output.logits for output in outputs])
    rows = loss_gradients(network, images, logits, half_square)
    wrapped = loss_gradients(
        network, images, outputs, lambda student, target: half_square(student.logits, target.logits)
    )
    torch.testing.assert_close(rows, wrapped)
    assert rows.any(1).all()


@pytest.mark.parametrize("training", [True, False])
def test_the_student_stays_as_it_was(network, images, outputs, training):
    network.train(training)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    with torch.no_grad():
        loss_gradients(network, images, outputs, DistillLoss())
    assert network.training == training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.grad is None for parameter in network.parameters())


def test_frozen_parameters_are_left_out(network, images, outputs):
    parameters = list(network.parameters())
    parameters[0].requires_grad_(False)
    rows = loss_gradients(network, images, outputs, DistillLoss())
    assert rows.shape[1] == sum(p.numel() for p in parameters[1:])


def test_says_what_is_missing(network, images, outputs):
    with pytest.raises(ConfigError, match="no targets"):
        loss_gradients(network, images, [], DistillLoss())
    with pytest.raises(ConfigError, match="requires gradients"):
        loss_gradients(network.requires_grad_(False), images, outputs, DistillLoss())


# coefficients


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([(2, 4), (0, 6), (6, 0), (1, 1)]))
def test_coefficients_solve_eq_12(seed, sizes):
    gradients = np.random.default_rng(seed).standard_normal((sum(sizes), 4))
    member = torch.arange(sum(sizes))
    found = gradient_coefficients(torch.as_tensor(gradients), member < sizes[0], member >= sizes[0])
    assert found.alpha.shape == found.beta.shape == (1, sum(sizes))
    expected = dual_eq12(gradients[: sizes[0]], gradients[sizes[0] :])
    value = 0.5 * np.sum(((found.alpha + found.beta)[0].numpy() @ gradients) ** 2)
    assert value == pytest.approx(expected.value, rel=1e-7, abs=1e-9)
    assert float(found.gap) <= 1e-8


# the direction of Eq. 13


def random_gradients(seed, sizes):
    rng = np.random.default_rng(seed)
    gradients = torch.as_tensor(rng.standard_normal((sum(sizes), 8)) + rng.uniform(-1, 1) * rng.standard_normal(8))
    teachers = torch.arange(sum(sizes)) < sizes[0]
    found = gradient_coefficients(gradients, teachers, ~teachers)
    a, b = found.alpha[0] @ gradients, found.beta[0] @ gradients
    return gradients, teachers, a, b


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=50, deadline=None)
@given(seeds, st.sampled_from([(3, 0), (0, 4), (1, 0)]))
def test_with_one_group_all_losses_fall(seed, sizes):
    gradients, _, a, b = random_gradients(seed, sizes)
    d = -(a + b)
    assert float((gradients @ d).max()) <= float(-d @ d) + 1e-9


@settings(max_examples=100, deadline=None)
@given(seeds, st.sampled_from([(2, 3), (5, 1), (1, 1), (4, 4)]))
def test_with_two_groups_every_pair_falls_and_one_whole_group(seed, sizes):
    gradients, teachers, a, b = random_gradients(seed, sizes)
    d = -(a + b)
    rates = gradients @ d
    v_e, v_c = rates[teachers].max(), rates[~teachers].max()
    torch.testing.assert_close(v_e, a @ d, rtol=0, atol=1e-6)
    torch.testing.assert_close(v_c, b @ d, rtol=0, atol=1e-6)
    assert float(v_e + v_c) == pytest.approx(float(-d @ d), abs=1e-6)
    if d.norm() > 1e-3:
        assert min(v_e, v_c) < 0
    # the exact condition for all losses to fall
    margin = float(a @ b + torch.minimum(a @ a, b @ b))
    if abs(margin) > 1e-5:
        assert bool((rates < 0).all()) == (margin > 0)


def test_not_all_losses_need_to_fall_though_d_is_not_zero():
    """The paper's Eq. 16 says that they do. One teacher, one peer, one parameter; and slack does not help."""
    gradients = torch.tensor([[2.0], [-1.0]])
    found = gradient_coefficients(gradients, torch.tensor([True, False]), torch.tensor([False, True]))
    d = -(found.alpha + found.beta)[0] @ gradients.double()
    assert d.tolist() == [-1]
    assert (gradients.double() @ d).tolist() == [-2, 1]


def test_a_small_step_lowers_what_should_fall():
    """Of quadratic losses, measured and not to first order."""
    targets = torch.randn(5, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64) + 4
    teachers = torch.arange(5) < 2
    student = torch.zeros(3, dtype=torch.float64)
    found = gradient_coefficients(student - targets, teachers, ~teachers)
    step = -1e-3 * ((found.alpha + found.beta)[0] @ (student - targets))
    before, after = (0.5 * (place - targets).square().sum(1) for place in (student, student + step))
    assert (after < before).all()


# the shortcut


def test_the_shortcut_with_s_2_is_exact_where_outputs_are_the_parameters(images):
    generator = torch.Generator().manual_seed(1)
    targets = torch.randn(6, 7, 5, generator=generator)
    found = compare(Free(torch.randn(7, 5, generator=generator)), images, targets, TEACHERS, PEERS, half_square)
    exact = found.shortcuts["s=2"]
    torch.testing.assert_close(exact.alpha, found.alpha, rtol=0, atol=1e-6)
    torch.testing.assert_close(exact.beta, found.beta, rtol=0, atol=1e-6)
    assert (exact.distance, exact.cosine, exact.length) == pytest.approx((0, 1, 1), abs=1e-6)
    assert exact.falling == found.falling
    for name in ("s=1", "uniform"):
        other = found.shortcuts[name]
        assert other.distance > 0.05 and other.cosine < 0.999 and other.length > 1
    assert found.shortcuts["uniform"].alpha.tolist() == [0.5, 0.5, 0, 0, 0, 0]


def test_the_comparison_by_hand():
    """Gradients of the two teachers are 1 and −3 in the only parameter, of the peer 0: d* = 0 by alpha = (3/4, 1/4)."""
    student = Free(torch.zeros(1, 1))
    targets = torch.tensor([[[-1.0]], [[3.0]], [[0.0]]])
    teachers = torch.tensor([True, True, False])
    found = compare(student, torch.zeros(1), targets, teachers, ~teachers, half_square)
    torch.testing.assert_close(found.alpha, torch.tensor([0.75, 0.25, 0], dtype=torch.float64), rtol=0, atol=1e-6)
    uniform = found.shortcuts["uniform"]
    assert uniform.distance == pytest.approx(0.25 / 2, abs=1e-6)  # a quarter in one group, nothing in the other
    assert uniform.falling == pytest.approx(1 / 3)  # d = 1: the first teacher's loss grows, the second one's falls
    lone = compare(
        student, torch.zeros(1), targets[1:], torch.tensor([True, True]), torch.tensor([False] * 2), half_square
    )
    assert lone.alpha.tolist() == pytest.approx([0, 1], abs=1e-6) and lone.beta.tolist() == [0, 0]
    assert math.isnan(lone.shortcuts["s=2"].cosine)


@pytest.mark.parametrize("loss", [DistillLoss(), DistillLoss(features="kl", temperature=2.0)])
def test_compares_a_real_network(network, images, outputs, loss):
    found = compare(network, images, outputs, TEACHERS, PEERS, loss)
    assert set(found.shortcuts) == {"s=1", "s=2", "uniform"}
    for weights, group in ((found.alpha, TEACHERS), (found.beta, PEERS)):
        assert float(weights.sum()) == pytest.approx(1) and not weights[~group].any()
    for other in found.shortcuts.values():
        assert 0 <= other.distance <= 1 and -1 <= other.cosine <= 1 + 1e-9 and other.length >= 1 - 1e-6
        assert other.falling * 6 == pytest.approx(round(other.falling * 6))


def test_takes_tensors_and_outputs_alike(network, images, outputs):
    logits = [output.logits for output in outputs]
    as_tensors = compare(network, images, logits, TEACHERS, PEERS, lambda s, t: F.mse_loss(s, t))
    as_outputs = compare(
        network, images, [Output(x, ()) for x in logits], TEACHERS, PEERS, lambda s, t: F.mse_loss(s.logits, t.logits)
    )
    torch.testing.assert_close(as_tensors.alpha, as_outputs.alpha)
    assert as_tensors.shortcuts["s=1"].cosine == pytest.approx(as_outputs.shortcuts["s=1"].cosine)
