"""The optimisation problems of Section III-D in cvxpy, as they are printed: slow, readable, and what the batched solver
is tested against.

Gradients and outputs are numpy arrays with one row a member. What :func:`mngnas_lib.distill.coefficients.solve` needs
0.03 ms for takes milliseconds here; :class:`RepeatedEq20` is the fastest that cvxpy has.
"""

from __future__ import annotations

from dataclasses import dataclass

import cvxpy as cp
import numpy as np
from numpy.typing import ArrayLike

Array = np.ndarray

# Tighter than Clarabel's own 1e-8, so that it can serve as a reference
_ACCURATE = {"solver": cp.CLARABEL, "tol_gap_abs": 1e-11, "tol_gap_rel": 1e-11, "tol_feas": 1e-11}


@dataclass(frozen=True)
class Solution:
    """What is known at the optimum; None for what a problem does not have, or where it has no solution.

    Attributes:
        value: the objective; -inf for a problem that is unbounded, inf for one without a feasible point.
        alpha, beta: the coefficients of the teachers and of the peers.
        d: the direction of Eq. 13.
        v_e, v_c: the bounds of Eq. 11 on how fast the losses of each group change along d.
        xi_e, xi_c: the slack of each member.
    """

    value: float
    alpha: Array | None = None
    beta: Array | None = None
    d: Array | None = None
    v_e: float | None = None
    v_c: float | None = None
    xi_e: Array | None = None
    xi_c: Array | None = None


def primal_eq11(teachers: ArrayLike, peers: ArrayLike, c1: float = 2.0, c2: float = 2.0) -> Solution:
    """Eq. 11: the direction d along which the worst loss of each group falls fastest.

    The coefficients are the multipliers of its constraints.

    Args:
        teachers, peers: (n_T, P) and (n_C - 1, P) gradients of the members' losses; an empty group drops out.
        c1, c2: the prices of slack, C_1 and C_2. Above 1 no slack is used. At 1 a member that has the whole coefficient
            can use it for nothing, so that its v and ξ are not unique. Below 1 / n_T (for c2: one over the number of
            peers) the problem is unbounded.
    """
    (grad_e, c1), (grad_c, c2) = _present(teachers, c1), _present(peers, c2)
    d = cp.Variable(grad_e.shape[1])
    v_e, v_c = cp.Variable(), cp.Variable()
    xi_e, xi_c = cp.Variable(len(grad_e), nonneg=True), cp.Variable(len(grad_c), nonneg=True)
    teachers_fall = grad_e @ d <= v_e + xi_e
    peers_fall = grad_c @ d <= v_c + xi_c
    objective = v_e + v_c + c1 * cp.sum(xi_e) + c2 * cp.sum(xi_c) + cp.sum_squares(d) / 2
    problem = cp.Problem(cp.Minimize(objective), [teachers_fall, peers_fall])
    problem.solve(**_ACCURATE)
    if d.value is None:
        return Solution(problem.value)
    n_e, n_c = len(teachers), len(peers)
    alpha, beta = teachers_fall.dual_value[:n_e], peers_fall.dual_value[:n_c]
    slack = xi_e.value[:n_e], xi_c.value[:n_c]
    return Solution(problem.value, alpha, beta, d.value, float(v_e.value), float(v_c.value), *slack)


def dual_eq12(teachers: ArrayLike, peers: ArrayLike, c1: float | None = None, c2: float | None = None) -> Solution:
    """Eq. 12: the shortest sum of a convex combination of each group's gradients. Its value is minus that of Eq. 11.

    Args:
        teachers, peers: (n_T, P) and (n_C - 1, P) gradients of the members' losses; an empty group drops out.
        c1, c2: upper bounds of the coefficients. By default 1, as printed; what follows from Eq. 11 is C_1 and C_2
            (erratum 1), which makes no difference from 1 on.
    """
    bound_e, bound_c = 1.0 if c1 is None else c1, 1.0 if c2 is None else c2
    (grad_e, bound_e), (grad_c, bound_c) = _present(teachers, bound_e), _present(peers, bound_c)
    alpha, beta = cp.Variable(len(grad_e)), cp.Variable(len(grad_c))
    total = alpha @ grad_e + beta @ grad_c
    constraints = [cp.sum(alpha) == 1, cp.sum(beta) == 1, alpha >= 0, alpha <= bound_e, beta >= 0, beta <= bound_c]
    problem = cp.Problem(cp.Minimize(cp.sum_squares(total) / 2), constraints)
    problem.solve(**_ACCURATE)
    if alpha.value is None:
        return Solution(problem.value)
    return Solution(problem.value, alpha.value[: len(teachers)], beta.value[: len(peers)], d=-total.value)


def eq20(student: ArrayLike, teachers: ArrayLike, peers: ArrayLike, scale: float = 1.0) -> Solution:
    """Eq. 20: the convex combinations of outputs whose sum is closest to ``scale`` times the student's output.

    Args:
        student: (n,) its output, flattened over the mini-batch.
        teachers, peers: (n_T, n) and (n_C - 1, n) outputs; an empty group drops out.
        scale: 1 as printed. Eq. 12 with the gradients of Eq. 19 gives one for each group that is not empty: 2 with
            teachers and peers (erratum 2).
    """
    (p_e, _), (p_c, _) = _present(teachers), _present(peers)
    alpha, beta = cp.Variable(len(p_e), nonneg=True), cp.Variable(len(p_c), nonneg=True)
    distance = scale * np.asarray(student) - alpha @ p_e - beta @ p_c
    problem = cp.Problem(cp.Minimize(cp.sum_squares(distance) / 2), [cp.sum(alpha) == 1, cp.sum(beta) == 1])
    problem.solve(**_ACCURATE)
    return Solution(problem.value, alpha.value[: len(teachers)], beta.value[: len(peers)])


class RepeatedEq20:
    """Eq. 20 for many students with equal numbers of members: cvxpy translates the problem once.

    Outputs are parameters (disciplined parametrised programming). Only inner products of outputs count, so outputs of
    many numbers may be replaced by rows of a factor F of the Gram matrix, G = F Fᵀ.

    Args:
        teachers, peers: their numbers, at least 1.
        width: numbers in an output.
    """

    def __init__(self, teachers: int, peers: int, width: int) -> None:
        self.alpha, self.beta = cp.Variable(teachers, nonneg=True), cp.Variable(peers, nonneg=True)
        self.target = cp.Parameter(width)
        self.p_e, self.p_c = cp.Parameter((teachers, width)), cp.Parameter((peers, width))
        distance = self.target - self.alpha @ self.p_e - self.beta @ self.p_c
        constraints = [cp.sum(self.alpha) == 1, cp.sum(self.beta) == 1]
        self.problem = cp.Problem(cp.Minimize(cp.sum_squares(distance) / 2), constraints)

    def solve(self, student: ArrayLike, teachers: ArrayLike, peers: ArrayLike, scale: float = 1.0) -> Solution:
        """As :func:`eq20`, with Clarabel's own tolerances."""
        self.target.value = scale * np.asarray(student)
        self.p_e.value, self.p_c.value = np.asarray(teachers), np.asarray(peers)
        self.problem.solve(solver=cp.CLARABEL)
        return Solution(self.problem.value, self.alpha.value, self.beta.value)


def _present(members: ArrayLike, bound: float = 1.0) -> tuple[Array, float]:
    """The group and its bound. An empty one is a single zero that uses no slack: it adds nothing anywhere."""
    rows = np.asarray(members, dtype=float)
    return (rows, bound) if len(rows) else (np.zeros((1, rows.shape[1])), 2.0)
