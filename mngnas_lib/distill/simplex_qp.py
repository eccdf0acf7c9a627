"""Many small quadratic programs over two simplices, in one batch: the form that both solvers of Eq. 20 work on.

Student i with members j (teachers, then peers) has the problem

    minimise  ½ ‖b − Σ_j x_j p_j‖²,   b = s·p_i,   x ≥ 0,   Σ_{j in teachers} x_j = 1,   Σ_{j in peers} x_j = 1.

Members may differ in size by many orders of magnitude, so all is computed in z_j = x_j ‖p_j‖ / τ, with unit vectors in
place of the members and the problem's own unit of length τ = s‖p_i‖ + Σ_groups min_j ‖p_j‖:

    minimise  ½ zᵀKz − cᵀz + const,   z ≥ 0,   Wᵀz = 1,   where K has ones on its diagonal and w_j = τ / ‖p_j‖.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# What the rounding of a Gram matrix and of sums over it comes to, in units of its dtype's epsilon
ROUNDING = 8.0


@dataclass(frozen=True)
class Problems:
    """S problems of n columns each, padded: columns that are not ``valid`` have z = 0.

    Attributes:
        k: (S, n, n) Gram matrix of the members' unit vectors; the identity in padded rows and columns.
        c: (S, n) inner products of the unit vectors with b / τ; zero where padded.
        w: (S, n, 2) τ / ‖p_j‖ in the column of the member's group (teachers, peers), zero elsewhere.
        b: (S,) ‖b‖ / τ.
        valid: (S, n) bool.
        groups: (S, 2) bool: which groups have members.
        eps: relative rounding of the Gram matrix's entries.
    """

    k: Tensor
    c: Tensor
    w: Tensor
    b: Tensor
    valid: Tensor
    groups: Tensor
    eps: float

    def __getitem__(self, rows: Tensor) -> Problems:
        """The problems of these rows alone."""
        parts = (self.k, self.c, self.w, self.b, self.valid, self.groups)
        return Problems(*(part[rows] for part in parts), self.eps)


@dataclass(frozen=True)
class Certificate:
    """Relative duality gap and largest KKT residual, (S,) each; see :func:`certify`."""

    gap: Tensor
    kkt: Tensor


def pose(gram: Tensor, students: Tensor, rows: Tensor, valid: Tensor, is_teacher: Tensor, scale: float) -> Problems:
    """The problems of ``students`` (S,) whose columns are the members ``rows`` (S, n), teachers where ``is_teacher``."""
    eps = torch.finfo(gram.dtype).eps
    gram = gram.double()
    diagonal = gram.diagonal()
    largest = diagonal.max()
    gram = gram / torch.where(largest > 0, largest, 1.0)
    norms = gram.diagonal().sqrt()
    # a zero member has no direction: any length will do, and the smallest there is keeps the scaling even
    smallest = torch.where(norms > 0, norms, torch.inf).min()
    lengths = torch.where(norms > 0, norms, torch.where(smallest.isfinite(), smallest, 1.0))
    unit = gram / (lengths[:, None] * lengths)
    size = rows.shape[1]
    k = unit.index_select(0, rows.flatten()).view(*rows.shape, -1).gather(2, rows[:, None, :].expand(-1, size, -1))
    k = torch.where(valid[:, :, None] & valid[:, None, :], k, torch.eye(size, dtype=k.dtype, device=k.device))
    length = lengths[rows]
    group = torch.stack([valid & is_teacher, valid & ~is_teacher], 2)
    groups = group.any(1)
    shortest = torch.where(group, length[:, :, None], torch.inf).amin(1)
    b = abs(scale) * norms[students]
    tau = b + torch.where(groups, shortest, 0.0).sum(1)
    tau = torch.where(tau > 0, tau, 1.0)
    c = unit[students[:, None], rows] * (scale * lengths[students] / tau)[:, None]
    w = torch.where(group, (tau[:, None] / length)[:, :, None], 0.0)
    return Problems(k, torch.where(valid, c, 0.0), w, b / tau, valid, groups, eps)


def coefficients(problems: Problems, z: Tensor) -> Tensor:
    """x (S, n) that is nonnegative and sums to one in each group, from a z that does so up to rounding."""
    x = z.clamp(min=0.0) * problems.w.sum(2)
    return (
        x[:, :, None]
        * (problems.w > 0)
        / (problems.w * z.clamp(min=0.0)[:, :, None]).sum(1, keepdim=True).clamp(min=1e-300)
    ).sum(2)


def certify(problems: Problems, x: Tensor) -> Certificate:
    """How far coefficients x (S, n), feasible, can be from the optimum.

    With the gradient g of the objective f, convexity gives f(x) − f* ≤ Σ_groups (Σ_j x_j g_j − min_j g_j), the
    Frank-Wolfe gap, which is a duality gap.
    """
    w = problems.w.sum(2)
    inverse = torch.where(problems.valid, 1 / w, 0.0)
    z = x * inverse
    kz = (problems.k @ z[:, :, None])[:, :, 0]
    half = 0.5 * (z * kz).sum(1) - (problems.c * z).sum(1) + 0.5 * problems.b**2
    reach = problems.b + z.sum(1)
    rounding = ROUNDING * problems.eps * reach
    slope = (kz - problems.c) * inverse
    group = problems.w > 0
    mean = (x[:, :, None] * group * slope[:, :, None]).sum(1)
    above = slope + rounding[:, None] * inverse
    lowest = torch.where(group, above[:, :, None], torch.inf).amin(1)
    gap = torch.where(problems.groups, mean - lowest, 0.0).clamp(min=0.0).sum(1)
    floor = rounding * reach / 1e-8
    multiplier = (group * mean[:, None, :]).sum(2)
    slack = (slope - multiplier) * w / (reach[:, None])
    residual = torch.minimum(z / reach[:, None], slack).abs() * problems.valid
    return Certificate(gap / torch.maximum(half, floor).clamp(min=1e-300), residual.amax(1))
