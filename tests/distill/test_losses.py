import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.distill.losses import DistillLoss, divergence, feature_loss, mix, prediction_loss, stack
from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Output

SEEDS = st.integers(0, 10_000)
FEATURES = ("mse", "kl", "none")


def outputs(seed, *leading, batch=5, classes=3, size=4, channels_last=False):
    """An output of random numbers with any leading dimensions, and two stages."""
    draw = torch.Generator().manual_seed(seed)
    stages = [torch.randn(*leading, batch, 2**i * 3, size // 2**i, size // 2**i, generator=draw) for i in range(2)]
    if channels_last:
        stages = [stage.contiguous(memory_format=torch.channels_last) for stage in stages]
    return Output(torch.randn(*leading, batch, classes, generator=draw), tuple(stages))


# ---------------------------------------------------------------------- Eq. 5


def test_prediction_loss_by_hand():
    """Teacher (1/2, 1/2), student (1/4, 3/4): 1/2 ln 2 + 1/2 ln 2/3 = 1/2 ln 4/3, and not the same the other way."""
    even, skewed = torch.tensor([[0.0, 0.0]]), torch.tensor([[0.0, math.log(3)]])
    assert float(prediction_loss(skewed, even)) == pytest.approx(0.5 * math.log(4 / 3))
    assert float(prediction_loss(even, skewed)) == pytest.approx(0.25 * math.log(1 / 2) + 0.75 * math.log(3 / 2))
    # at temperature 2 the student's odds are 1 : sqrt(3)
    odds = 1 / (1 + math.sqrt(3))
    by_hand = 0.5 * math.log(0.5 / odds) + 0.5 * math.log(0.5 / (1 - odds))
    assert float(prediction_loss(skewed, even, temperature=2)) == pytest.approx(by_hand, rel=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 1, 4])
def test_prediction_loss_is_torchs_kl_div_of_each_student(temperature):
    student, teacher = outputs(0, 2, 3).logits, outputs(1, 2, 3).logits
    loss = prediction_loss(student, teacher, temperature)
    assert loss.shape == (2, 3)
    for i in range(2):
        for j in range(3):
            probabilities = (teacher[i, j] / temperature).softmax(-1)
            expected = F.kl_div((student[i, j] / temperature).log_softmax(-1), probabilities, reduction="batchmean")
            torch.testing.assert_close(loss[i, j], expected, rtol=1e-4, atol=1e-6)


def test_prediction_loss_counts_probabilities_not_logits():
    student, teacher = outputs(0).logits, outputs(1).logits
    torch.testing.assert_close(
        prediction_loss(student + 7, teacher - 3), prediction_loss(student, teacher), rtol=1e-4, atol=1e-6
    )


def test_divergence_lets_gradients_into_both():
    first, second = (outputs(seed).logits.requires_grad_() for seed in range(2))
    divergence(first, second).sum().backward()
    # d/d second of KL(first ‖ second) is the difference of the probabilities
    torch.testing.assert_close(second.grad, (second.softmax(-1) - first.softmax(-1)).detach(), rtol=1e-4, atol=1e-6)
    assert first.grad.abs().max() > 1e-3


# ---------------------------------------------------------------------- Eq. 6 and 9


def test_feature_loss_by_hand():
    student, teacher = torch.zeros(1, 2, 1, 1), torch.tensor([3.0, 1.0]).reshape(1, 2, 1, 1)
    assert float(feature_loss(student, teacher)) == pytest.approx((9 + 1) / 2)
    # softmax over the channels: student (1/2, 1/2), teacher proportional to (e^2, 1)
    p = math.exp(2) / (1 + math.exp(2))
    by_hand = p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p))
    assert float(feature_loss(student, teacher, "kl")) == pytest.approx(by_hand, rel=1e-5)


def test_feature_loss_is_torchs_of_each_student():
    student, teacher = outputs(0, 3).stages[0], outputs(1, 3).stages[0]
    mse, kl = feature_loss(student, teacher), feature_loss(student, teacher, "kl")
    for i in range(3):
        torch.testing.assert_close(mse[i], F.mse_loss(student[i], teacher[i]))
        positions = [maps[i].movedim(1, -1).flatten(0, 2) for maps in (student, teacher)]
        expected = F.kl_div(positions[0].log_softmax(1), positions[1].softmax(1), reduction="batchmean")
        torch.testing.assert_close(kl[i], expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["mse", "kl"])
def test_the_scale_of_a_feature_loss_does_not_depend_on_resolution_or_batch(kind):
    student, teacher = outputs(0).stages[0], outputs(1).stages[0]
    larger = [maps.repeat_interleave(3, -1).repeat_interleave(2, -2).repeat(2, 1, 1, 1) for maps in (student, teacher)]
    torch.testing.assert_close(feature_loss(*larger, kind), feature_loss(student, teacher, kind), rtol=1e-5, atol=0)


# ---------------------------------------------------------------------- L_dis


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_distill_loss_adds_stages_to_predictions(temperature):
    student, target = outputs(0, 2), outputs(1, 2)
    predictions = prediction_loss(student.logits, target.logits, temperature)
    for features in ("mse", "kl"):
        maps = sum(feature_loss(*pair, features) for pair in zip(student.stages, target.stages, strict=True))
        torch.testing.assert_close(DistillLoss(temperature, features)(student, target), predictions + maps)
    torch.testing.assert_close(DistillLoss(temperature, "none")(student, target), predictions)


@pytest.mark.parametrize("features", FEATURES)
@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_distill_loss_is_a_distance_of_outputs(features, seed):
    student, target = outputs(seed, 2), outputs(seed + 1, 2)
    loss = DistillLoss(features=features)
    assert (loss(student, target) > 0).all()
    assert loss(student, student).abs().max() < 1e-6


@pytest.mark.parametrize("features", FEATURES)
def test_gradients_reach_the_student_alone(features):
    student, target = outputs(0, 2), outputs(1, 2)
    for tensor in (student.logits, *student.stages, target.logits, *target.stages):
        tensor.requires_grad_()
    DistillLoss(features=features)(student, target).sum().backward()
    assert target.logits.grad is None and all(stage.grad is None for stage in target.stages)
    torch.testing.assert_close(
        student.logits.grad, (student.logits.softmax(-1) - target.logits.softmax(-1)).detach() / 5, rtol=1e-4, atol=1e-6
    )
    for mine, theirs in zip(student.stages, target.stages, strict=True):
        if features == "none":
            assert mine.grad is None
        elif features == "mse":
            torch.testing.assert_close(mine.grad, (2 / mine[0].numel() * (mine - theirs)).detach())
        else:
            positions = mine[0].numel() // mine.shape[2]
            torch.testing.assert_close(
                mine.grad, ((mine.softmax(2) - theirs.softmax(2)) / positions).detach(), rtol=1e-4, atol=1e-6
            )


@pytest.mark.parametrize("features", FEATURES)
def test_gradients_of_equal_outputs_are_zero(features):
    target = outputs(0, 2)
    student = Output(target.logits.clone().requires_grad_(), tuple(s.clone().requires_grad_() for s in target.stages))
    DistillLoss(features=features)(student, target).sum().backward()
    for tensor in (student.logits, *student.stages):
        assert tensor.grad is None or tensor.grad.abs().max() < 1e-7


@pytest.mark.parametrize("kind", ["mse", "kl"])
def test_gradients_have_the_layout_of_the_feature_maps(kind):
    student = stack([outputs(seed, channels_last=True) for seed in range(2)]).stages[0].requires_grad_()
    target = stack([outputs(seed, channels_last=True) for seed in range(2, 4)]).stages[0]
    feature_loss(student, target, kind).sum().backward()
    assert student.grad.stride() == student.stride()


@pytest.mark.parametrize("features", FEATURES)
def test_half_precision_is_measured_in_float32(features):
    student, target = (
        Output(output.logits.bfloat16(), tuple(stage.bfloat16() for stage in output.stages))
        for output in (outputs(0), outputs(1))
    )
    loss = DistillLoss(features=features)
    single = [Output(output.logits.float(), tuple(s.float() for s in output.stages)) for output in (student, target)]
    assert loss(student, target).dtype == torch.float32
    torch.testing.assert_close(loss(student, target), loss(*single))


# ---------------------------------------------------------------------- stacks and mixes


@pytest.mark.parametrize("channels_last", [False, True])
def test_stacked_outputs_are_constants_in_their_layout(channels_last):
    members = [outputs(seed, channels_last=channels_last) for seed in range(3)]
    for member in members:
        member.logits.requires_grad_()
    stacked = stack([Output(member.logits * 1, member.stages) for member in members])
    assert not stacked.logits.requires_grad
    for i, member in enumerate(members):
        torch.testing.assert_close(stacked.logits[i], member.logits.detach())
        for maps, expected in zip(stacked.stages, member.stages, strict=True):
            torch.testing.assert_close(maps[i], expected)
            assert maps[i].stride() == expected.stride()


def test_stacks_are_float32():
    member = outputs(0)
    halved = Output(member.logits.bfloat16(), tuple(stage.bfloat16() for stage in member.stages))
    stacked = stack([halved, halved])
    assert stacked.logits.dtype == torch.float32 and all(stage.dtype == torch.float32 for stage in stacked.stages)


@pytest.mark.parametrize("channels_last", [False, True])
def test_one_hot_coefficients_give_that_member(channels_last):
    members = stack([outputs(seed, channels_last=channels_last) for seed in range(4)])
    mixed = mix(torch.eye(4, dtype=torch.float64)[[2, 0]], members)
    torch.testing.assert_close(mixed.logits, members.logits[[2, 0]])
    for maps, expected in zip(mixed.stages, members.stages, strict=True):
        torch.testing.assert_close(maps, expected[[2, 0]])
        assert maps.stride()[1:] == expected.stride()[1:]


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, members=st.integers(1, 6), students=st.integers(1, 4))
def test_a_mix_stays_among_its_members_and_no_further_than_they_are(seed, members, students):
    stacked = stack([outputs(seed + i) for i in range(members)])
    draw = torch.Generator().manual_seed(seed)
    weights = torch.rand(students, members, generator=draw, dtype=torch.float64)
    weights /= weights.sum(1, keepdim=True)
    mixed = mix(weights, stacked)
    for mean, all_ in zip((mixed.logits, *mixed.stages), (stacked.logits, *stacked.stages), strict=True):
        assert mean.shape == (students, *all_.shape[1:]) and mean.dtype == torch.float32
        assert (mean <= all_.amax(0) + 1e-5).all() and (mean >= all_.amin(0) - 1e-5).all()
    # the squared distance from a mean is at most the mean of the squared distances (Jensen)
    student = outputs(seed + 99).stages[0]
    for i in range(students):
        far = torch.stack([feature_loss(student, member) for member in stacked.stages[0]])
        assert feature_loss(student, mixed.stages[0][i]) <= weights[i].float() @ far + 1e-5


def test_a_student_without_members_gets_zeros():
    mixed = mix(torch.zeros(1, 2, dtype=torch.float64), stack([outputs(0), outputs(1)]))
    assert not mixed.logits.any() and not any(stage.any() for stage in mixed.stages)


# ---------------------------------------------------------------------- mistakes


def test_what_does_not_fit_is_named():
    student, other = outputs(0), outputs(1, batch=4)
    with pytest.raises(ConfigError, match=r"logits have shape \(5, 3\), the target's \(4, 3\)"):
        prediction_loss(student.logits, other.logits)
    with pytest.raises(ConfigError, match="feature maps have shape"):
        feature_loss(student.stages[0], student.stages[1])
    with pytest.raises(ConfigError, match="'mse' or 'kl', not by 'cosine'"):
        feature_loss(student.stages[0], student.stages[0], "cosine")
    with pytest.raises(ConfigError, match="2 stages, its target 1"):
        DistillLoss()(student, Output(student.logits, student.stages[:1]))
    with pytest.raises(ConfigError, match="different shapes cannot be stacked"):
        stack([student, other])
    with pytest.raises(ConfigError, match="at least one network"):
        stack([])
    with pytest.raises(ConfigError, match=r"shape \(1, 3\).*2 members"):
        mix(torch.ones(1, 3), stack([student, student]))


@pytest.mark.parametrize("temperature", [0, -1, math.inf, math.nan])
def test_a_temperature_is_a_positive_number(temperature):
    with pytest.raises(ConfigError, match="temperature must be positive"):
        DistillLoss(temperature=temperature)
    with pytest.raises(ConfigError, match="temperature must be positive"):
        prediction_loss(outputs(0).logits, outputs(1).logits, temperature)


def test_features_are_known():
    with pytest.raises(ConfigError, match="mse, kl, none"):
        DistillLoss(features="l1")
