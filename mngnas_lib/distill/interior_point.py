"""A primal-dual interior-point method for :class:`~mngnas_lib.distill.simplex_qp.Problems`: slower, but hard to upset.

Mehrotra's predictor and corrector (SIAM J. Optim. 1992), for all problems at once. It does not mind members that are
equal or nearly so, zero, or of lengths far apart; where the minimiser is not unique it ends amid the minimisers. Where
K is singular and the optimum zero, nothing but a small ridge keeps the last systems solvable; iterative refinement
undoes what it does to their solutions.

Nothing is moved to the host unless the problems are there: on a GPU all rounds are run.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mngnas_lib.distill.simplex_qp import Problems, certify, coefficients

ROUNDS = 40
ENOUGH = 1e-10
# Added to the diagonal of K in factorisations. Problems that are still open in the last rounds may need more
RIDGE, LATE_RIDGE = 3e-13, 1e-9
LATE = 34
REFINEMENTS = 3
# How far to go of the way to where the first entry would become zero
STEP = 0.995


def interior_point(problems: Problems) -> Tensor:
    """x (S, M): of all coefficients on the way those with the smallest gap."""
    member = problems.group.sum(1)
    # what is no member is a variable of its own with cost one: it goes to zero and touches nothing else
    k = problems.k * (member[:, :, None] * member[:, None, :])
    c = torch.where(member > 0, problems.c, -1.0)
    ridge = torch.full_like(problems.target, RIDGE)[:, None]
    z, y, multipliers = _start(problems, k, c)
    x = coefficients(problems, z * member)
    best, best_gap = x, certify(problems, x)[0]
    for number in range(ROUNDS):
        if k.device.type == "cpu" and bool((best_gap <= ENOUGH).all()):
            break
        system = _Newton.of(problems, k, y / z, ridge)
        dual = _times(k, z) - c - _times(problems.w.mT, multipliers) - y
        primal = problems.filled - _times(problems.w, z)

        dz, _ = system.solve(-y - dual, primal)
        dy = -y - system.weight * dz
        length = torch.minimum(_longest(z, dz), _longest(y, dy))
        mu = (z * y).mean(1, keepdim=True)
        after = ((z + length * dz) * (y + length * dy)).mean(1, keepdim=True)

        # the term of second order is right as far as the predictor goes; in full it can make steps go in circles
        push = ((after / mu) ** 3 * mu - length * dz * dy) / z - y
        dz, dm = system.refined(push - dual, primal)
        dy = push - system.weight * dz
        length = STEP * torch.minimum(_longest(z, dz), _longest(y, dy))
        sound = system.sound & torch.isfinite(dz + dy).all(1, keepdim=True)
        later = torch.maximum(ridge, (10 * ridge).clamp(max=LATE_RIDGE)) if number >= LATE else ridge
        ridge = torch.where(sound, later, 10 * ridge)
        z = torch.where(sound, z + length * dz, z)
        y = torch.where(sound, y + length * dy, y)
        multipliers = torch.where(sound, multipliers + length * dm, multipliers)

        x = coefficients(problems, z * member)
        gap = certify(problems, x)[0]
        best = torch.where((gap < best_gap)[:, None], x, best)
        best_gap = torch.where(gap < best_gap, gap, best_gap)
    return best


def _start(problems: Problems, k: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """z and y (S, M), positive and with products that are not far apart, and the sums' multipliers (S, 2).

    The coefficients of members that are not longer than the target are equal, longer ones get less.
    """
    w, group = problems.w, problems.group
    z = group / (1 + w)
    z = (z / (w * z).sum(2, keepdim=True).clamp(min=torch.finfo(w.dtype).tiny)).sum(1) + (1 - group.sum(1))
    slope = _times(k, z) - c
    multipliers = _times(group, z * slope)
    mu = (z * (slope - _times(w.mT, multipliers))).abs().amax(1, keepdim=True).clamp(min=1e-3)
    multipliers = multipliers - mu
    y = torch.maximum(slope - _times(w.mT, multipliers), 0.1 * mu / z)
    return z, y, multipliers


@dataclass(frozen=True)
class _Newton:
    """Solves (K + diag(weight)) dz − Wᵀ dm = right, W dz = primal, for several right sides.

    ``columns`` (S, M, 2) and ``schur`` (S, 2, 2) eliminate dm; ``sound`` (S, 1): the factorisation did not fail.
    """

    k: Tensor
    w: Tensor
    weight: Tensor
    factor: Tensor
    columns: Tensor
    schur: Tensor
    sound: Tensor

    @classmethod
    def of(cls, problems: Problems, k: Tensor, weight: Tensor, ridge: Tensor) -> _Newton:
        factor, info = torch.linalg.cholesky_ex(k + torch.diag_embed(weight + ridge), check_errors=False)
        columns = torch.cholesky_solve(problems.w.mT, factor)
        schur = problems.w @ columns + torch.diag_embed(1 - problems.filled)
        return cls(k, problems.w, weight, factor, columns, schur, (info == 0)[:, None])

    def refined(self, right: Tensor, primal: Tensor) -> tuple[Tensor, Tensor]:
        """As :meth:`solve`, without what the ridge and rounding do to the solution."""
        dz, dm = self.solve(right, primal)
        for _ in range(REFINEMENTS):
            rest = right - _times(self.k, dz) - self.weight * dz + _times(self.w.mT, dm)
            more_z, more_m = self.solve(rest, primal - _times(self.w, dz))
            dz, dm = dz + more_z, dm + more_m
        return dz, dm

    def solve(self, right: Tensor, primal: Tensor) -> tuple[Tensor, Tensor]:
        """dz (S, M) and dm (S, 2)."""
        step = torch.cholesky_solve(right[:, :, None], self.factor)[:, :, 0]
        first, second = (primal - _times(self.w, step)).unbind(1)
        a, b, _, d = self.schur.flatten(1).unbind(1)
        dm = torch.stack([d * first - b * second, a * second - b * first], 1) / (a * d - b * b)[:, None]
        return step + _times(self.columns, dm), dm


def _longest(value: Tensor, step: Tensor) -> Tensor:
    """(S, 1): how far one can go, at most 1, before an entry becomes zero."""
    return torch.where(step < 0, -value / step, 1.0).amin(1, keepdim=True).clamp(max=1.0)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    """Matrices (S, ., M) times vectors (S, M)."""
    return (matrix @ vector[:, :, None])[:, :, 0]
