"""Distances and output gradients of all students at once, against autograd of each student's loss by itself."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mngnas_lib.distill import imitation
from mngnas_lib.distill.imitation import imitate
from mngnas_lib.distill.losses import DistillLoss
from mngnas_lib.spaces import Output

MAPS = ((5, 4, 4), (7, 2, 2))  # channels, height, width: one stage of more than a block, one of less


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch):
    monkeypatch.setattr(imitation, "_BLOCK", 150)


def outputs(count: int, seed: int, *, channels_last: bool = False, dtype: torch.dtype = torch.float32) -> list[Output]:
    draw = torch.Generator().manual_seed(seed)
    layout = torch.channels_last if channels_last else torch.contiguous_format

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw).to(dtype)

    return [
        Output(3 * normal(3, 6), tuple(normal(3, *shape).contiguous(memory_format=layout) for shape in MAPS))
        for _ in range(count)
    ]


def coefficients(students: int, members: int, seed: int, empty: tuple[int, ...] = ()) -> Tensor:
    """Rows that are nonnegative and sum to one; those of students without members are zero."""
    weights = torch.rand(students, members, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    weights = torch.where(weights < 0.3, 0.0, weights + 1e-3)
    weights /= weights.sum(1, keepdim=True).clamp(min=1e-9)
    weights[list(empty)] = 0
    return weights


def one_by_one(students, teachers, alpha, beta, loss) -> tuple[Tensor, list[Output]]:
    """What Eq. 8 says, with mixes in float64: each student against each of its two mixes, gradients by autograd."""
    distances, gradients = [], []
    for own, student in enumerate(students):
        leaves = [tensor.double().requires_grad_() for tensor in (student.logits, *student.stages)]
        mine = Output(leaves[0], tuple(leaves[1:]))
        row = []
        for weights, members in ((alpha[own], teachers), (beta[own], students)):
            if weights.any():
                every = [(member.logits, *member.stages) for member in members]
                mixed = [
                    sum(w * t.double() for w, t in zip(weights, ts, strict=True)) for ts in zip(*every, strict=True)
                ]
                row.append(loss(mine, Output(mixed[0], tuple(mixed[1:]))))
            else:
                row.append(sum(leaf.sum() * 0 for leaf in leaves))
        found = torch.autograd.grad(sum(row), leaves, allow_unused=True)
        distances.append(torch.stack(row).detach())
        gradients.append(Output(found[0], tuple(found[1:])))
    return torch.stack(distances), gradients


def check(students, teachers, alpha, beta, loss, **tolerances) -> None:
    distances, gradients = imitate(students, teachers, alpha, beta, loss)
    expected, expected_gradients = one_by_one(students, teachers, alpha, beta, loss)
    torch.testing.assert_close(distances, expected.float(), **tolerances)
    for own, theirs in enumerate(expected_gradients):
        torch.testing.assert_close(gradients.logits[own], theirs.logits.float(), **tolerances)
        assert len(gradients.stages) == (0 if loss.features == "none" else len(MAPS))
        for stage, reference in zip(gradients.stages, theirs.stages, strict=False):
            torch.testing.assert_close(stage[own], reference.float(), **tolerances)


CLOSE = {"rtol": 2e-5, "atol": 2e-6}


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("features", ["mse", "kl", "none"])
def test_it_is_the_gradient_of_each_students_loss(features, channels_last):
    students = outputs(4, 0, channels_last=channels_last)
    teachers = outputs(3, 1, channels_last=channels_last)
    # student 1 has no teachers, student 2 no peers, student 3 neither
    alpha, beta = coefficients(4, 3, 2, empty=(1, 3)), coefficients(4, 4, 3, empty=(2, 3))
    check(students, teachers, alpha, beta, DistillLoss(temperature=2.0, features=features), **CLOSE)
    distances, gradients = imitate(students, teachers, alpha, beta, DistillLoss(features=features))
    assert (distances > 0).tolist() == [[True, True], [False, True], [True, False], [False, False]]
    assert not gradients.logits[3].any() and not any(stage[3].any() for stage in gradients.stages)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    students=st.integers(1, 4),
    teachers=st.integers(0, 3),
    features=st.sampled_from(["mse", "kl", "none"]),
)
def test_any_number_of_students_and_teachers(seed, students, teachers, features):
    alpha, beta = coefficients(students, teachers, seed), coefficients(students, students, seed + 1)
    check(outputs(students, seed), outputs(teachers, seed + 9), alpha, beta, DistillLoss(features=features), **CLOSE)


@pytest.mark.parametrize("block", [1, 239, 240, 241, 10_000])
def test_blocks_of_any_size_give_the_same(monkeypatch, block):
    monkeypatch.setattr(imitation, "_BLOCK", block)  # the first stage has 240 elements
    alpha, beta = coefficients(3, 2, 0), coefficients(3, 3, 1)
    check(outputs(3, 2, channels_last=True), outputs(2, 3, channels_last=True), alpha, beta, DistillLoss(), **CLOSE)


def test_by_hand():
    """Two students with one pixel, two channels and even odds; the teacher is sure by log 3."""

    def output(logit: float, *pixel: float) -> Output:
        return Output(torch.tensor([[logit, 0.0]]), (torch.tensor(pixel).view(1, 2, 1, 1),))

    students, teachers = [output(0.0, 1.0, 2.0), output(0.0, 5.0, 4.0)], [output(math.log(3), 1.0, 0.0)]
    alpha, beta = torch.tensor([[1.0], [0.0]]).double(), torch.tensor([[0.0, 1.0], [0.0, 0.0]]).double()
    distances, gradients = imitate(students, teachers, alpha, beta, DistillLoss())
    # the teacher: KL((3/4, 1/4) || (1/2, 1/2)), and ((1 - 1)² + (2 - 0)²) / 2; the peer: equal odds, (4² + 2²) / 2
    kl = 0.75 * math.log(1.5) + 0.25 * math.log(0.5)
    torch.testing.assert_close(distances, torch.tensor([[kl + 2.0, 10.0], [0.0, 0.0]]))
    # softmax minus target; the two differences, (0, 2) and (-4, -2), as 2 / 2 of their sum
    torch.testing.assert_close(gradients.logits, torch.tensor([[[-0.25, 0.25]], [[0.0, 0.0]]]))
    torch.testing.assert_close(gradients.stages[0].flatten(1), torch.tensor([[-4.0, 0.0], [0.0, 0.0]]))


@pytest.mark.parametrize("channels_last", [False, True])
def test_gradients_of_squared_distances_lie_as_the_maps_do(channels_last):
    students = outputs(2, 0, channels_last=channels_last)
    _, gradients = imitate(students, [], torch.zeros(2, 0), coefficients(2, 2, 1), DistillLoss())
    for stage, maps in zip(gradients.stages, students[0].stages, strict=True):
        assert stage[0].stride() == maps.stride()


def test_maps_of_mixed_layouts_are_told_apart():
    """A cell through which nothing passes may return its constant in another layout than the other students' cells."""
    students = [*outputs(2, 0, channels_last=True), *outputs(1, 1)]
    check(students, outputs(2, 2), coefficients(3, 2, 3), coefficients(3, 3, 4), DistillLoss(), **CLOSE)
    check(students[::-1], outputs(2, 2), coefficients(3, 2, 3), coefficients(3, 3, 4), DistillLoss(), **CLOSE)


@pytest.mark.parametrize("channels_last", [False, True])
def test_memory_of_earlier_gradients_is_used_again(channels_last):
    alpha, beta = coefficients(3, 2, 0), coefficients(3, 3, 1, empty=(1,))
    first, second = (
        (outputs(3, seed, channels_last=channels_last), outputs(2, seed + 1, channels_last=channels_last))
        for seed in (2, 4)
    )
    _, earlier = imitate(*first, alpha, beta, DistillLoss())
    distances, again = imitate(*second, alpha, beta, DistillLoss(), reuse=earlier)
    expected, fresh = imitate(*second, alpha, beta, DistillLoss())
    assert torch.equal(distances, expected) and torch.equal(again.logits, fresh.logits)
    for old, new, alone in zip(earlier.stages, again.stages, fresh.stages, strict=True):
        assert old.data_ptr() == new.data_ptr() and torch.equal(new, alone) and new.stride() == alone.stride()


@pytest.mark.parametrize("features", ["mse", "kl", "none"])
def test_outputs_are_constants(features):
    students, teachers = outputs(2, 0), outputs(1, 1)
    for output in (*students, *teachers):
        for tensor in (output.logits, *output.stages):
            tensor.requires_grad_()
    before = [output.stages[0].clone() for output in (*students, *teachers)]
    alpha, beta = coefficients(2, 1, 2), coefficients(2, 2, 3)
    distances, gradients = imitate(students, teachers, alpha, beta, DistillLoss(features=features))
    assert not any(tensor.requires_grad for tensor in (distances, gradients.logits, *gradients.stages))
    assert all(output.logits.grad is None for output in (*students, *teachers))
    assert all(torch.equal(a, b.stages[0]) for a, b in zip(before, (*students, *teachers), strict=True))


@pytest.mark.parametrize("features", ["mse", "kl", "none"])
def test_half_precision_outputs_are_compared_in_float32(features):
    students, teachers = outputs(3, 0, dtype=torch.bfloat16), outputs(2, 1, dtype=torch.bfloat16)
    loss = DistillLoss(features=features)
    distances, gradients = imitate(students, teachers, coefficients(3, 2, 2), coefficients(3, 3, 3), loss)
    assert all(tensor.dtype == torch.float32 for tensor in (distances, gradients.logits, *gradients.stages))
    check(students, teachers, coefficients(3, 2, 2), coefficients(3, 3, 3), loss, **CLOSE)
