"""Primal-dual active sets for :class:`~mngnas_lib.distill.simplex_qp.Problems`: fast where minimisers are unique.

The members of a problem are split into free ones and ones at zero. With the split given, z follows from linear
equations. Where a free z is negative, or the gradient says that one at zero should grow, the member changes sides; all
that do change at once, and in a few rounds none does (Hintermüller, Ito and Kunisch, "The primal-dual active set
strategy as a semismooth Newton method", SIAM J. Optim. 2002; Kim and Park's block principal pivoting for nonnegative
least squares, SIAM J. Sci. Comput. 2011; here with two sums).

This may fail: where members depend on each other the split can change for ever. The caller certifies what comes out.
Problems that are done are left out of later rounds, which needs values on the host: it is meant for the CPU.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mngnas_lib.distill.simplex_qp import Problems

ROUNDS = 12
# What is below this is on the wrong side, and not rounding
WRONG = -1e-13
# Added to the diagonal of K: equal members leave K singular
RIDGE = 1e-13
# The largest entry on the diagonal of K's inverse with which that inverse is precise enough
INVERTIBLE = 1e4
# So many equations in members at zero take as long as one in a free member
QUICKER = 1.5


def active_set(problems: Problems) -> Tensor:
    """z (S, M) of the last split of each problem."""
    k = problems.k.clone()
    k.diagonal().add_(RIDGE)
    member = problems.group.sum(1)
    from_free = _FromFree.of(problems, k)
    from_zeros = _FromZeros.of(problems, k, member)
    free = member
    rows = torch.arange(len(member), device=k.device)
    result = torch.zeros_like(problems.c)
    for _ in range(ROUNDS):
        most_free, most_zeros = torch.stack([free, member - free]).sum(2).amax(1).int().tolist()
        if from_zeros is not None and most_zeros <= QUICKER * most_free:
            z, side = from_zeros.solve(rows, free, member - free, most_zeros)
        else:
            z, side = from_free.solve(rows, free, max(1, most_free))
        result.index_copy_(0, rows, z)
        wrong = (side < WRONG) * member
        going_on = wrong.any(1).nonzero()[:, 0]
        if len(going_on) == 0:
            break
        free = (free - wrong).abs()
        if len(going_on) < len(rows):
            rows, member, free = rows[going_on], member[going_on], free[going_on]
    return result


@dataclass(frozen=True)
class _FromFree:
    """z from equations in the free members: K_FF z_F = c_F + Σ_groups λ w_F. Cheap where few are free.

    ``right`` (S, 3, M) holds w and c, ``corner`` (S, 3, 3) what :func:`_multipliers` needs to know of empty groups.
    """

    k: Tensor
    right: Tensor
    corner: Tensor

    @classmethod
    def of(cls, problems: Problems, k: Tensor) -> _FromFree:
        corner = torch.zeros(len(problems.c), 3, 3, dtype=k.dtype, device=k.device)
        corner.diagonal(dim1=1, dim2=2)[:, :2] = 1 - problems.filled
        corner[:, :2, 2] = -problems.filled
        return cls(k, torch.cat([problems.w, problems.c[:, None]], 1), corner)

    def solve(self, rows: Tensor, free: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """z (S, M) of the problems ``rows``, and its sides: z where free, else the gradient less the sums' multipliers.

        Args:
            free: (S, M) 1 for free members, else 0.
            size: the largest number of free members of a problem; the equations of all are padded to it.
        """
        right = self.right[rows]
        here, order = free.topk(size, dim=1, sorted=False)
        among = self.k.index_select(0, order.flatten()).view(-1, size, free.shape[1])
        factor = _factor(among, here, order)
        cut = right.gather(2, order[:, None].expand(-1, 3, -1)) * here[:, None]
        half = torch.linalg.solve_triangular(factor, cut.mT, upper=False)
        multipliers = _multipliers(half.mT @ half + self.corner[rows])
        z = torch.linalg.solve_triangular(factor.mT, half @ multipliers.mT, upper=True)
        z = torch.zeros_like(free).scatter_(1, order, z[:, :, 0])
        return z, torch.addmm(z, z, self.k) - (multipliers @ right)[:, 0]


@dataclass(frozen=True)
class _FromZeros:
    """z from equations in the members at zero, starting from the z (S, M) that is optimal with the sums alone.

    ``projected`` (S, M, M): how z answers to a push with the sums kept and what is no member at zero: K⁻¹ less its
    part in these directions.
    """

    z: Tensor
    projected: Tensor

    @classmethod
    def of(cls, problems: Problems, k: Tensor, member: Tensor) -> _FromZeros | None:
        """None where K is too close to singular, or most are no members."""
        inverse = torch.cholesky_inverse(torch.linalg.cholesky_ex(k, check_errors=False).L)
        others = 1 - member
        count = int(others.sum(1).amax())
        if not float(inverse.diagonal().amax()) < INVERTIBLE or 2 * count > len(k):
            return None
        # what is held fixed: both sums at one, each that is no member at zero
        here, order = others.topk(count, dim=1, sorted=False)
        held = torch.zeros(len(member), count, len(k), dtype=k.dtype).scatter_(2, order[:, :, None], here[:, :, None])
        held = torch.cat([problems.w, held], 1)
        present = torch.cat([problems.filled, here], 1)
        answer = held @ inverse
        inner = answer @ held.mT
        inner.diagonal(dim1=1, dim2=2).add_(1 - present)
        factor = torch.linalg.cholesky_ex(inner, check_errors=False).L
        z = problems.c @ inverse
        missing = -(held @ z[:, :, None])
        missing[:, :2, 0] += problems.filled
        z = z + (torch.cholesky_solve(missing, factor).mT @ answer)[:, 0]
        half = torch.linalg.solve_triangular(factor, answer, upper=False)
        return cls(z, torch.baddbmm(inverse, half.mT, half, alpha=-1))

    def solve(self, rows: Tensor, free: Tensor, zeros: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """As :meth:`_FromFree.solve`, with ``size`` the largest number of ``zeros`` (S, M), the members at zero."""
        z = self.z[rows] * (free + zeros)
        if size == 0:
            return z, z
        members = free.shape[1]
        here, order = zeros.topk(size, dim=1, sorted=False)
        flat = (order + (rows * members)[:, None]).flatten()
        among = self.projected.view(-1, members).index_select(0, flat).view(-1, size, members)
        cut = (z.gather(1, order) * here)[:, :, None]
        push = torch.cholesky_solve(cut, _factor(among, here, order))
        z = torch.baddbmm(z[:, None], push.mT, among, alpha=-1)[:, 0] * free
        return z, z.scatter_add(1, order, -push[:, :, 0])


def _factor(among: Tensor, here: Tensor, order: Tensor) -> Tensor:
    """Cholesky factor of the chosen columns of ``among``, with the identity in rows and columns that are padding."""
    matrix = among.gather(2, order[:, None].expand(-1, order.shape[1], -1))
    matrix *= here[:, :, None] * here[:, None]
    matrix.diagonal(dim1=1, dim2=2).add_(1 - here)
    return torch.linalg.cholesky_ex(matrix, check_errors=False).L


def _multipliers(inner: Tensor) -> Tensor:
    """(S, 1, 3): the multipliers of both sums, and 1."""
    a, b, p, _, d, q = inner.flatten(1).unbind(1)[:6]
    determinant = a * d - b * b
    return (torch.stack([b * q - d * p, b * p - a * q, determinant], 1) / determinant[:, None])[:, None]
