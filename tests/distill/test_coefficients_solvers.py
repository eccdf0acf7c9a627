"""Both solvers by themselves, and the certificate."""

import numpy as np
import pytest
import torch
from coefficient_cases import families, search_epoch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from mngnas_lib.distill import coefficients as module
from mngnas_lib.distill.active_set import active_set
from mngnas_lib.distill.coefficients import solve
from mngnas_lib.distill.interior_point import interior_point
from mngnas_lib.distill.reference import eq20
from mngnas_lib.distill.simplex_qp import certify, coefficients, pose


@pytest.mark.parametrize("name", families())
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_interior_point_method_alone_solves_every_family(name, scale):
    """On a GPU it has no help."""
    problems = pose(*search_epoch(families(3)[name]), scale)
    gap, _ = certify(problems, interior_point(problems))
    assert float(gap.max()) <= 1e-8


@pytest.mark.parametrize(
    ("name", "seed", "scale"),
    [
        ("lengths apart, flat", 86, 2.0),  # steps went in circles with the full term of second order
        ("lengths apart, flat", 242, 1.0),
        ("lengths apart, flat", 12, 2.0),  # needs refinement
        ("random, flat", 6, 1.0),  # needs the ridge
    ],
)
def test_the_interior_point_method_solves_what_once_was_too_hard(name, seed, scale):
    problems = pose(*search_epoch(families(seed)[name]), scale)
    gap, _ = certify(problems, interior_point(problems))
    assert float(gap.max()) <= 1e-8


@pytest.mark.parametrize("name", ["like logits", "random, flat", "lengths apart", "all zero"])
def test_rounds_after_the_last_one_needed_do_no_harm(name, monkeypatch):
    """On a GPU all rounds are run."""
    problems = pose(*search_epoch(families()[name]), 1.0)
    monkeypatch.setattr("mngnas_lib.distill.interior_point.ENOUGH", -1.0)
    gap, _ = certify(problems, interior_point(problems))
    assert float(gap.max()) <= 1e-8


@pytest.mark.parametrize("name", ["random, wide", "random, square", "like logits", "teachers 1e-6 apart", "all large"])
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_active_set_method_alone_solves_what_is_not_degenerate(name, scale):
    problems = pose(*search_epoch(families(4)[name]), scale)
    gap, kkt = certify(problems, coefficients(problems, active_set(problems)))
    assert float(gap.max()) <= 1e-11
    assert float(kkt.max()) <= 1e-12


@pytest.mark.parametrize("name", ["random, wide", "like logits"])
def test_both_ways_through_an_active_set_agree(name, monkeypatch):
    """From the free members' equations, and from those at zero."""
    problems = pose(*search_epoch(families(4)[name]), 1.0)
    either = active_set(problems)
    monkeypatch.setattr("mngnas_lib.distill.active_set.INVERTIBLE", 0.0)
    torch.testing.assert_close(active_set(problems), either, rtol=0, atol=1e-10)


def test_students_of_two_teacher_groups_use_the_fast_method(monkeypatch):
    gram, students, teachers, peers = search_epoch(families()["like logits"])
    teachers = teachers & ((students < 12)[:, None] ^ (torch.arange(40) < 35))
    monkeypatch.setattr(module, "interior_point", None)
    assert float(solve(gram, students, teachers, peers).gap.max()) <= 1e-11


def test_nothing_is_read_back_from_a_gpu(monkeypatch):
    """Fake tensors have no values: whatever needs one on the host, or a size that depends on one, raises."""
    monkeypatch.setattr("mngnas_lib.distill.interior_point.ROUNDS", 2)
    with FakeTensorMode():
        gram = torch.empty(40, 40, dtype=torch.float64, device="cuda")
        students = torch.empty(30, dtype=torch.long, device="cuda")
        mask = torch.empty(30, 40, dtype=torch.bool, device="cuda")
        x, gap, kkt = module._solve(pose(gram, students, mask, mask, 1.0))
        assert {tensor.device.type for tensor in (x, gap, kkt)} == {"cuda"}
        with pytest.raises(DataDependentOutputException):
            bool(gap.max() > 0)


# the certificate


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1.0, 2.0]))
def test_the_gap_bounds_the_distance_from_the_optimum(seed, scale):
    rng = np.random.default_rng(seed)
    outputs = rng.standard_normal((9, rng.integers(2, 12)))
    gram, students, teachers, peers = search_epoch(outputs, students=5)
    x = np.where(teachers, rng.dirichlet(0.3 * np.ones(9), 5), 0)
    y = np.where(peers, rng.dirichlet(0.3 * np.ones(9), 5), 0)
    x = x / x.sum(1, keepdims=True) + y / y.sum(1, keepdims=True)
    gap, kkt = certify(pose(gram, students, teachers, peers, scale), torch.as_tensor(x))
    i = rng.integers(5)
    objective = 0.5 * np.sum((scale * outputs[i] - x[i] @ outputs) ** 2)
    best = eq20(outputs[i], outputs[teachers[i].numpy()], outputs[peers[i].numpy()], scale).value
    assert float(gap[i]) * objective >= objective - best - 1e-9
    assert float(kkt[i]) > 1e-6 or objective - best < 1e-4


def test_the_certificate_by_hand():
    """One student at 0, teachers at 1 and 3 on the line, x = (½, ½): the mix is 2, the objective 2, the optimum ½.

    Gradients are 2·1 and 2·3; the gap is ½·2 + ½·6 − 2 = 2. Both terms of the residual are in units of r = 2: of the
    first teacher, min(¼, (2 − 4) / (2·(1 + 2))) = −1/3; of the second, min(¾, (6 − 4) / (2·(3 + 2))) = 1/5.
    """
    outputs = torch.tensor([[0.0], [1], [3]], dtype=torch.float64)
    mask = torch.tensor([[False, True, True]])
    problems = pose(outputs @ outputs.T, torch.tensor([0]), mask, torch.zeros_like(mask), 1.0)
    gap, kkt = certify(problems, torch.tensor([[0, 0.5, 0.5]], dtype=torch.float64))
    assert float(gap) == pytest.approx(2 / 2)
    assert float(kkt) == pytest.approx(1 / 3)
    gap, kkt = certify(problems, torch.tensor([[0, 1.0, 0]], dtype=torch.float64))
    assert float(gap) == float(kkt) == 0


def test_the_certificate_does_not_depend_on_units():
    outputs = families()["like logits"]
    gram, students, teachers, peers = search_epoch(outputs)
    x = torch.rand(30, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    x = x * teachers / (x * teachers).sum(1, keepdim=True) + x * peers / (x * peers).sum(1, keepdim=True)
    ones = certify(pose(gram, students, teachers, peers, 1.0), x)
    other = certify(pose(1e-12 * gram, students, teachers, peers, 1.0), x)
    torch.testing.assert_close(other, ones)


def test_useless_values_become_nan_and_are_not_certified():
    problems = pose(*search_epoch(families()["like logits"]), 1.0)
    z = torch.full((30, 40), -1.0, dtype=torch.float64)
    z[0] = torch.nan
    gap, _ = certify(problems, coefficients(problems, z))
    assert gap.isnan().all()
