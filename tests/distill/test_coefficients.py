import math

import numpy as np
import pytest
import torch
from coefficient_cases import families, frank_wolfe_gap, search_epoch
from hypothesis import given, settings
from hypothesis import strategies as st

from mngnas_lib.distill.coefficients import gram_matrix, solve, uniform
from mngnas_lib.distill.reference import eq20
from mngnas_lib.errors import ConfigError, TrainingDivergedError

SCALES = (1.0, 2.0, 0.0)


def check_feasible(found, teachers, peers):
    for weights, mask in ((found.alpha, teachers), (found.beta, peers)):
        assert weights.dtype == torch.float64 and weights.shape == mask.shape
        assert (weights >= 0).all()
        assert (weights[~mask] == 0).all()
        torch.testing.assert_close(weights.sum(1), mask.any(1).double(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", families())
@pytest.mark.parametrize("scale", SCALES)
def test_every_family_is_solved_to_a_relative_gap_of_1e_8(name, scale):
    outputs = families()[name]
    gram, students, teachers, peers = search_epoch(outputs)
    found = solve(gram, students, teachers, peers, scale=scale)
    check_feasible(found, teachers, peers)
    assert float(found.gap.max()) <= 1e-8
    for i, x in enumerate(found.alpha + found.beta):
        # measured from the outputs: nothing of the certificate is used. A Gram matrix in float64 resolves gradients to
        # ``loose`` and objectives to ``tight``; where neither matters, this is a relative gap of 1e-8
        objective, gap, loose, tight = frank_wolfe_gap(outputs, i, (teachers[i], peers[i]), x, scale)
        assert gap <= 1e-8 * objective + 20 * (loose + tight)


@pytest.mark.parametrize("name", ["random, wide", "like logits", "teachers 1e-6 apart", "all large", "all small"])
def test_plain_families_need_no_allowance_for_rounding(name):
    outputs = families(1)[name]
    gram, students, teachers, peers = search_epoch(outputs)
    x = (lambda found: found.alpha + found.beta)(solve(gram, students, teachers, peers))
    for i in range(30):
        objective, gap, *_ = frank_wolfe_gap(outputs, i, (teachers[i], peers[i]), x[i], 1.0)
        assert gap <= 1e-8 * objective


@st.composite
def small_problems(draw):
    """Outputs and groups of any kind: few or many dimensions, empty groups, members of no group."""
    members, students = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    outputs = rng.standard_normal((members, draw(st.integers(1, 12))))
    rows = torch.as_tensor(rng.integers(members, size=students))
    role = torch.as_tensor(rng.integers(draw(st.sampled_from([2, 3])), size=(students, members)))
    role[torch.arange(students), rows] = -1
    return outputs, rows, role == 0, role == 1


@settings(max_examples=25, deadline=None)
@given(small_problems(), st.sampled_from(SCALES))
def test_agrees_with_cvxpy_on_groups_of_any_kind(problem, scale):
    outputs, students, teachers, peers = problem
    found = solve(torch.as_tensor(outputs @ outputs.T), students, teachers, peers, scale=scale)
    check_feasible(found, teachers, peers)
    assert float(found.gap.max()) <= 1e-8
    for i, row in enumerate(students.tolist()):
        expected = eq20(outputs[row], outputs[teachers[i].numpy()], outputs[peers[i].numpy()], scale)
        value = 0.5 * np.sum((scale * outputs[row] - (found.alpha + found.beta)[i].numpy() @ outputs) ** 2)
        assert value == pytest.approx(expected.value, rel=1e-7, abs=1e-9)


def test_coefficients_are_those_of_cvxpy_where_they_are_unique():
    outputs = families(2)["like logits"]
    gram, students, teachers, peers = search_epoch(outputs)
    found = solve(gram, students, teachers, peers)
    for i in range(0, 30, 6):
        expected = eq20(outputs[i], outputs[30:], outputs[:30][np.arange(30) != i])
        np.testing.assert_allclose(found.alpha[i, 30:], expected.alpha, atol=1e-5)
        np.testing.assert_allclose(found.beta[i, :30][np.arange(30) != i], expected.beta, atol=1e-5)


def test_a_case_by_hand():
    """Teachers at (0, 0) and (2, 0), a peer at (0, 1). The student at (1, 1) wants the teachers' middle; with s = 2 it
    would like a teacher at (2, 1), to which the second one is nearest."""
    outputs = torch.tensor([[1.0, 1.0], [0, 0], [2, 0], [0, 1]])
    teachers, peers = torch.tensor([[False, True, True, False]]), torch.tensor([[False, False, False, True]])
    once = solve(gram_matrix([outputs]), torch.tensor([0]), teachers, peers)
    torch.testing.assert_close(once.alpha, torch.tensor([[0, 0.5, 0.5, 0]], dtype=torch.float64))
    assert once.beta.tolist() == [[0, 0, 0, 1]]
    twice = solve(gram_matrix([outputs]), torch.tensor([0]), teachers, peers, scale=2)
    torch.testing.assert_close(twice.alpha, torch.tensor([[0, 0, 1.0, 0]], dtype=torch.float64))


def test_empty_groups_drop_out():
    outputs = families()["random, wide"]
    gram, students, teachers, peers = search_epoch(outputs)
    nobody = torch.zeros_like(teachers)
    lone = solve(gram, students, nobody, nobody)
    assert not lone.alpha.any() and not lone.beta.any()
    assert (lone.gap == 0).all() and (lone.kkt == 0).all()
    first_epoch = solve(gram, students, nobody, peers)
    assert not first_epoch.alpha.any()
    objective, gap, *_ = frank_wolfe_gap(outputs, 3, (peers[3],), first_epoch.beta[3], 1.0)
    assert gap <= 1e-8 * objective
    mixed = solve(gram, students, teachers & (students < 15)[:, None], peers)
    torch.testing.assert_close(mixed.beta[15:], first_epoch.beta[15:], rtol=0, atol=1e-9)
    torch.testing.assert_close(mixed.alpha[:15], solve(gram, students, teachers, peers).alpha[:15], rtol=0, atol=1e-9)


def test_single_members_get_everything():
    gram, students, teachers, peers = search_epoch(families()["random, wide"][:3], students=2)
    found = solve(gram, students, teachers, peers)
    assert found.alpha.tolist() == [[0, 0, 1], [0, 0, 1]]
    assert found.beta.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert float(found.gap.max()) <= 1e-15


def test_no_students():
    gram, students, teachers, peers = search_epoch(families()["random, wide"])
    found = solve(gram, students[:0], teachers[:0], peers[:0])
    assert found.alpha.shape == found.beta.shape == (0, 40) and found.gap.shape == found.kkt.shape == (0,)


def test_each_student_is_solved_as_if_it_were_alone():
    """Also where the batch holds problems of both solvers, in another order."""
    flat = np.pad(families()["duplicates, flat"], ((0, 0), (0, 15)))
    outputs = torch.as_tensor(np.concatenate([families()["like logits"][:, :20], flat]))
    gram, students, teachers, peers = search_epoch(outputs, students=60)
    together = solve(gram, students.flip(0), teachers.flip(0), peers.flip(0))
    for i in (0, 13, 41, 59):
        alone = solve(gram, students[i : i + 1], teachers[i : i + 1], peers[i : i + 1])
        # where the coefficients are not unique, the sum of both mixes still is
        mixes = (together.alpha + together.beta)[59 - i] @ outputs, (alone.alpha + alone.beta)[0] @ outputs
        torch.testing.assert_close(*mixes, rtol=0, atol=1e-5)


def test_repeats_bit_for_bit():
    for name in ("like logits", "lengths apart, flat"):
        problem = search_epoch(families()[name])
        first, second = solve(*problem), solve(*problem)
        assert torch.equal(first.alpha, second.alpha) and torch.equal(first.beta, second.beta)


def test_leaves_the_number_of_threads_as_it_was():
    problem = search_epoch(families()["random, wide"])
    torch.set_num_threads(2)
    try:
        solve(*problem)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_float32_and_other_integers_are_accepted():
    gram, students, teachers, peers = search_epoch(families()["random, wide"])
    found = solve(gram.float(), students.int(), teachers, peers)
    check_feasible(found, teachers, peers)
    assert float(found.gap.max()) <= 1e-8
    torch.testing.assert_close(found.beta, solve(gram, students, teachers, peers).beta, rtol=0, atol=1e-4)


def test_coefficients_can_weigh_outputs_under_autograd():
    gram, students, teachers, peers = search_epoch(families()["random, wide"])
    found = solve(gram.requires_grad_(), students, teachers, peers)
    outputs = torch.ones(40, 3, dtype=torch.float64, requires_grad=True)
    (found.alpha @ outputs).sum().backward()
    torch.testing.assert_close(outputs.grad, found.alpha.sum(0)[:, None].expand(-1, 3))


# what cannot be solved


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (4, "student 4: its own outputs, member 4 of"),
        (33, "student 0: its teacher's outputs, member 33 of"),
    ],
)
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_names_the_student_and_the_member_that_are_not_finite(row, message, value):
    outputs = families()["random, wide"]
    outputs[row, 7] = value
    with np.errstate(invalid="ignore"):
        gram, students, teachers, peers = search_epoch(outputs)
    with pytest.raises(TrainingDivergedError, match=message):
        solve(gram, students, teachers, peers)


def test_names_the_student_that_alone_has_the_member():
    gram, students, teachers, peers = search_epoch(families()["random, wide"], students=20)
    gram[25] = gram[:, 25] = math.nan
    only = teachers.clone()
    only[:, 25] = students == 7
    with pytest.raises(TrainingDivergedError, match="student 7: its teacher's outputs, member 25"):
        solve(gram, students, only, peers)
    with pytest.raises(TrainingDivergedError, match="member 25, of no student"):
        solve(gram, students, teachers & (torch.arange(40) != 25), peers)


def arguments_with(**changes):
    names = ("gram", "students", "teachers", "peers")
    return dict(zip(names, search_epoch(np.eye(5), students=3), strict=True)) | changes


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gram": torch.eye(6)}, "shapes"),
        ({"gram": torch.ones(5)}, "shapes"),
        ({"gram": torch.tensor(1.0)}, "shapes"),
        ({"students": torch.arange(2)}, "shapes"),
        ({"peers": torch.zeros(3, 4, dtype=torch.bool)}, "shapes"),
        ({"gram": torch.eye(5, dtype=torch.long)}, "float type"),
        ({"students": torch.zeros(3)}, "integers"),
        ({"teachers": torch.zeros(3, 5)}, "bool"),
        ({"students": torch.tensor([0, 1, 5])}, "student 2 is said to be row 5 of 5"),
        ({"students": torch.tensor([0, -1, 2])}, "student 1 is said to be row -1 of 5"),
        ({"students": torch.tensor([1, 1, 2])}, "student 0 is among its own teachers or peers"),
        ({"gram": -torch.eye(5)}, "negative"),
        ({"teachers": torch.tensor([[False, True, False, False, False]] + [[False] * 5] * 2)}, "member 1 is both"),
        ({"scale": math.nan}, "scale"),
        ({"scale": math.inf}, "scale"),
    ],
)
def test_says_what_does_not_fit(arguments, message):
    with pytest.raises(ConfigError, match=message):
        solve(**arguments_with(**arguments))


def test_students_without_members_of_the_matrix():
    empty = torch.zeros(2, 0, dtype=torch.bool)
    with pytest.raises(ConfigError, match="no members"):
        solve(torch.zeros(0, 0), torch.zeros(2, dtype=torch.long), empty, empty)


# uniform coefficients and the Gram matrix


def test_uniform_is_one_over_n_in_each_group():
    teachers = torch.tensor([[True, True, False, False], [False, False, False, False]])
    peers = torch.tensor([[False, False, True, False], [True, True, True, False]])
    found = uniform(teachers, peers)
    assert found.alpha.tolist() == [[0.5, 0.5, 0, 0], [0, 0, 0, 0]]
    torch.testing.assert_close(found.beta[1], torch.tensor([1 / 3, 1 / 3, 1 / 3, 0], dtype=torch.float64))
    assert found.beta[0].tolist() == [0, 0, 1, 0]
    assert found.alpha.dtype == found.beta.dtype == torch.float64
    assert found.gap.isnan().all() and found.kkt.isnan().all() and len(found.gap) == 2


def test_gram_matrix_sums_inner_products_over_stages(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    stages = [torch.randn(5, 4, 3, 2, 2, generator=generator), torch.randn(5, 4, 7, generator=generator).half()]
    expected = torch.tensor(
        [[sum((s[a].double() * s[b].double()).sum() for s in stages) for b in range(5)] for a in range(5)]
    )
    monkeypatch.setattr("mngnas_lib.distill.coefficients.CHUNK", 5)
    gram = gram_matrix(stages)
    assert gram.dtype == torch.float64 and torch.equal(gram, gram.T)
    torch.testing.assert_close(gram, expected)


def test_gram_matrix_keeps_no_graph():
    assert not gram_matrix([torch.ones(2, 3, requires_grad=True)]).requires_grad


@pytest.mark.parametrize("outputs", [[], [torch.ones(2, 3), torch.ones(3, 2)], [torch.tensor(1.0)]])
def test_gram_matrix_wants_one_row_a_member(outputs):
    with pytest.raises(ConfigError, match="one row a member"):
        gram_matrix(outputs)
