"""Many small quadratic programs over two simplices, in one batch: the form in which Eq. 20 is solved.

A student with members j (teachers and peers, of outputs p_j) and the target b = s·p_i has the problem

    minimise  f(x) = ½ ‖b − Σ_j x_j p_j‖²,   x ≥ 0,   Σ_{j teacher} x_j = 1,   Σ_{j peer} x_j = 1.

Members may differ in length by many orders of magnitude. So all is computed in z_j = x_j ‖p_j‖ / τ, with unit vectors
in place of the p_j, in the problem's own unit of length τ = ‖b‖ + Σ_groups min_j ‖p_j‖:

    minimise  ½ zᵀKz − cᵀz + const,   z ≥ 0,   Σ_{j in group} w_j z_j = 1,   K_jj = 1,   w_j = τ / ‖p_j‖.

K is the same for all students. What is no member of a student has w = 0 and stays at z = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Rounding of an inner product of two unit vectors
ROUNDING = 4 * torch.finfo(torch.float64).eps
# An objective whose rounding is this share of it counts as rounding: the accuracy that is asked of a relative gap
RELATIVE_TO = 1e-8


@dataclass(frozen=True)
class Problems:
    """S problems over M members; float64, in the scaled form above.

    Attributes:
        k: (M, M) inner products of the members' unit vectors.
        c: (S, M) inner products of the members' unit vectors with b / τ.
        w: (S, 2, M) w_j in the row of the member's group (teachers, peers), zero elsewhere.
        group: (S, 2, M) 1 in the row of the member's group, zero elsewhere.
        filled: (S, 2) 1 where a group has members, else 0.
        length: (S, M) ‖p_j‖ / τ.
        target: (S,) ‖b‖ / τ.
    """

    k: Tensor
    c: Tensor
    w: Tensor
    group: Tensor
    filled: Tensor
    length: Tensor
    target: Tensor

    def __getitem__(self, rows: Tensor) -> Problems:
        """Some of the problems."""
        parts = (self.c, self.w, self.group, self.filled, self.length, self.target)
        return Problems(self.k, *(part[rows] for part in parts))


def pose(gram: Tensor, students: Tensor, teachers: Tensor, peers: Tensor, scale: float) -> Problems:
    """The scaled problems of ``students``; arguments as in :func:`mngnas_lib.distill.coefficients.solve`."""
    gram = gram.double()
    own = gram.diagonal().sqrt()
    # a zero member has no direction; as if it were as long as the shortest, it leaves the scaling even
    shortest = torch.where(own > 0, own, torch.inf).amin()
    norm = torch.where(own > 0, own, torch.where(shortest < torch.inf, shortest, 1.0))
    unit = gram / norm / norm[:, None]
    group = torch.stack([teachers, peers], 1)
    least = torch.where(group, norm, torch.inf).amin(2)
    filled = (least < torch.inf).double()
    target = own[students] * abs(scale)
    tau = target + torch.where(filled > 0, least, 0.0).sum(1)
    tau = torch.where(tau > 0, tau, 1.0)[:, None]
    length = norm / tau
    # where the student's output is zero, its row of unit is zero too
    c = unit[students] * (length.gather(1, students[:, None]) * scale)
    group = group.double()
    return Problems(unit, c, group / length[:, None], group, filled, length, target / tau[:, 0])


def coefficients(problems: Problems, z: Tensor) -> Tensor:
    """x (S, M), nonnegative and of sum one in each group, from z (S, M) that has this up to rounding.

    NaN where z is of no use: not finite, or nowhere positive in a group.
    """
    x = problems.w * z.clamp(min=0.0)[:, None]
    return (x / (x.sum(2) + (1 - problems.filled))[:, :, None]).sum(1)


def certify(problems: Problems, x: Tensor) -> tuple[Tensor, Tensor]:
    """Relative duality gap and largest KKT residual, (S,) each, of feasible coefficients x (S, M).

    Both as defined in :func:`mngnas_lib.distill.coefficients.solve`, where lengths in units of τ drop out.
    """
    length, group = problems.length, problems.group
    z = x * length
    slope = z @ problems.k - problems.c
    reach = problems.target + z.sum(1)
    objective = 0.5 * ((z * (slope - problems.c)).sum(1) + problems.target**2)
    slope = slope * length
    mean = (group * (x * slope)[:, None]).sum(2)
    rounding = ROUNDING * reach
    upper = torch.addcmul(slope, rounding[:, None], length)
    lowest = torch.where(group > 0, upper[:, None], torch.inf).amin(2)
    gap = (mean - lowest).clamp(min=0.0).sum(1)
    gap = gap / torch.maximum(objective, rounding * reach / RELATIVE_TO).clamp(min=torch.finfo(x.dtype).tiny)
    excess = slope - (group * mean[:, :, None]).sum(1)
    size = length + (group * (group * z[:, None]).sum(2, keepdim=True)).sum(1)
    reach = reach.clamp(min=torch.finfo(x.dtype).tiny)[:, None]  # a zero student without members reaches nowhere
    kkt = torch.minimum(z / reach, excess / (size * reach)).abs() * group.sum(1)
    return gap, kkt.amax(1)
