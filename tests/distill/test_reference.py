"""The problems in cvxpy, and errata 1 to 4 of the paper, each computed."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.distill.reference import RepeatedEq20, dual_eq12, eq20, primal_eq11

NOBODY = np.zeros((0, 6))


def gradients(seed, teachers=3, peers=4, size=6):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((teachers, size)), rng.standard_normal((peers, size))


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=15, deadline=None)
@given(seeds, st.sampled_from([0.4, 0.6, 1.0, 3.0]), st.sampled_from([0.3, 1.0]))
def test_primal_value_is_minus_the_dual_value(seed, c1, c2):
    teachers, peers = gradients(seed)
    primal, dual = primal_eq11(teachers, peers, c1, c2), dual_eq12(teachers, peers, c1, c2)
    assert primal.value == pytest.approx(-dual.value, rel=1e-7, abs=1e-9)
    np.testing.assert_allclose(primal.d, dual.d, atol=1e-5)
    np.testing.assert_allclose(-primal.alpha @ teachers - primal.beta @ peers, primal.d, atol=1e-6)  # Eq. 13


@settings(max_examples=10, deadline=None)
@given(seeds, st.sampled_from([0.4, 1.0]))
def test_the_optimum_meets_eq_14(seed, c1):
    teachers, peers = gradients(seed)
    found = primal_eq11(teachers, peers, c1, 1.0)
    np.testing.assert_allclose(found.alpha * (teachers @ found.d - found.v_e - found.xi_e), 0, atol=1e-6)
    np.testing.assert_allclose(found.beta * (peers @ found.d - found.v_c - found.xi_c), 0, atol=1e-6)
    np.testing.assert_allclose((found.alpha - c1) * found.xi_e, 0, atol=1e-6)
    assert found.alpha.sum() == pytest.approx(1) and found.beta.sum() == pytest.approx(1)


def test_a_case_by_hand():
    """Teachers pull by (2, 0) and (0, 2), a peer by (0, 0): the shortest mix is (1, 1)."""
    found = primal_eq11([[2, 0], [0, 2]], [[0, 0]])
    np.testing.assert_allclose(found.d, [-1, -1], atol=1e-6)
    np.testing.assert_allclose(found.alpha, [0.5, 0.5], atol=1e-6)
    assert (found.value, found.v_e, found.v_c) == pytest.approx((-1, -2, 0), abs=1e-6)


def test_empty_groups_drop_out():
    teachers, peers = gradients(0)
    alone = primal_eq11(teachers, NOBODY)
    assert len(alone.beta) == len(alone.xi_c) == 0
    assert alone.v_c == pytest.approx(0, abs=1e-6) and alone.v_e == pytest.approx(-alone.d @ alone.d)
    assert alone.value == pytest.approx(-dual_eq12(teachers, NOBODY).value)
    for c in (0.5, 3.0):  # the price of an empty group does not matter
        assert primal_eq11(NOBODY, peers, c1=0.1, c2=c).value == pytest.approx(-dual_eq12(NOBODY, peers, c2=c).value)
    student = np.ones(6)
    expected = dual_eq12(student - teachers, NOBODY)
    np.testing.assert_allclose(eq20(student, teachers, NOBODY).alpha, expected.alpha, atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_parametrised_problem_is_the_same(scale):
    repeated = RepeatedEq20(3, 4, 6)
    for seed in range(3):
        teachers, peers = gradients(seed)
        student = teachers[0] + peers[1]
        once = eq20(student, teachers, peers, scale)
        again = repeated.solve(student, teachers, peers, scale)
        assert again.value == pytest.approx(once.value, rel=1e-6, abs=1e-8)
    assert repeated.problem.is_dcp(dpp=True)


def test_outputs_may_be_replaced_by_a_factor_of_their_gram_matrix():
    teachers, peers = gradients(3, size=50)
    outputs = np.concatenate([teachers[:1] + peers[:1], teachers, peers])
    factor = np.linalg.cholesky(outputs @ outputs.T + 1e-13 * np.eye(8))
    whole, short = eq20(outputs[0], teachers, peers), RepeatedEq20(3, 4, 8).solve(factor[0], factor[1:4], factor[4:])
    np.testing.assert_allclose(short.alpha, whole.alpha, atol=1e-5)
    np.testing.assert_allclose(short.beta, whole.beta, atol=1e-5)


# errata


def test_erratum_1_the_upper_bound_is_c1():
    teachers, peers = gradients(1)
    printed = dual_eq12(teachers, peers)
    assert printed.alpha.max() > 0.5
    # C_1 below the largest coefficient: the printed bound of 1 gives another value than the primal, C_1 the same
    primal = primal_eq11(teachers, peers, c1=0.4, c2=1)
    assert primal.value < -printed.value - 1e-3
    assert primal.value == pytest.approx(-dual_eq12(teachers, peers, c1=0.4).value, rel=1e-7)
    assert primal.alpha.max() == pytest.approx(0.4) and primal.xi_e.max() > 1e-3
    # from 1 on it is never active, and no slack is used
    for c in (1.0, 7.0):
        wide = primal_eq11(teachers, peers, c1=c, c2=c)
        assert wide.value == pytest.approx(-printed.value, rel=1e-7)
        np.testing.assert_allclose([*wide.xi_e, *wide.xi_c], 0, atol=1e-6)
    # below one over the number of teachers, coefficients cannot sum to one: the primal is unbounded
    assert primal_eq11(teachers, peers, c1=0.3, c2=1).value == -np.inf
    assert dual_eq12(teachers, peers, c1=0.3).value == np.inf
    assert primal_eq11(teachers, peers, c1=0.3, c2=1).alpha is None


def test_erratum_2_the_students_term_is_doubled():
    teachers, peers = gradients(2)
    student = np.random.default_rng(3).standard_normal(6)
    true = dual_eq12(student - teachers, student - peers)  # Eq. 19 in Eq. 12
    once, twice = eq20(student, teachers, peers, 1.0), eq20(student, teachers, peers, 2.0)
    np.testing.assert_allclose(twice.alpha, true.alpha, atol=1e-5)
    np.testing.assert_allclose(twice.beta, true.beta, atol=1e-5)
    assert twice.value == pytest.approx(true.value, rel=1e-7)
    assert np.abs([*(once.alpha - true.alpha), *(once.beta - true.beta)]).max() > 0.05


def test_erratum_3_eq_15_holds_only_as_a_sum():
    for seed, c1 in ((0, 1.0), (1, 0.4), (2, 2.0)):
        teachers, peers = gradients(seed)
        found = primal_eq11(teachers, peers, c1, 1.0)
        square, paid_e, paid_c = found.d @ found.d, c1 * found.xi_e.sum(), found.xi_c.sum()
        assert square + found.v_e + found.v_c + paid_e + paid_c == pytest.approx(0, abs=1e-7)
        # as printed, each group for itself
        assert abs(square + found.v_e + paid_e) > 0.01 * square
        assert abs(square + found.v_c + paid_c) > 0.01 * square


def test_erratum_4_the_gradient_of_eq_19_is_a_vector_and_one_in_the_outputs():
    generator = torch.Generator().manual_seed(0)
    images, target = torch.randn(5, 4, generator=generator), torch.randn(5, 3, generator=generator)
    theta = torch.randn(4, 3, generator=generator, requires_grad=True)
    outputs = images @ theta
    outputs.retain_grad()
    (0.5 * (outputs - target).square().sum()).backward()
    difference = (outputs - target).detach()
    torch.testing.assert_close(outputs.grad, difference)
    assert outputs.grad.shape == (5, 3) != difference.norm().shape
    # the gradient in the parameters has their shape, and turns the difference by the Jacobian
    torch.testing.assert_close(theta.grad, images.T @ difference)
