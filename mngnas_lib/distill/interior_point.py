"""A batched primal-dual interior-point method (Mehrotra's predictor and corrector) for :class:`Problems`.

It does not mind members that are equal, nearly so, or zero: where the minimiser is not unique it ends in the middle
of the set of minimisers.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mngnas_lib.distill.simplex_qp import Problems

ROUNDS = 30


def interior_point(problems: Problems) -> Tensor:
    """z (S, n), positive on the members of each problem."""
    k, c, w, valid = problems.k, problems.c, problems.w, problems.valid
    count = valid.sum(1).clamp(min=1)
    group = w > 0
    z = torch.where(valid, (group / w.sum(1, keepdim=True).clamp(min=1e-300)).sum(2), 1.0)
    slope = _times(k, z * valid) - c
    multiplier = torch.where(group, (slope[:, :, None] - 1) / w, torch.inf).amin(1)
    multiplier = torch.where(problems.groups, multiplier, 0.0)
    y = torch.where(valid, slope - _times(w, multiplier), 1.0)
    for _ in range(ROUNDS):
        mu = (z * y * valid).sum(1) / count
        dual = torch.where(valid, _times(k, z * valid) - c - _times(w, multiplier) - y, 0.0)
        primal = problems.groups.to(z) - (w * z[:, :, None]).sum(1)
        matrix = k + torch.diag_embed(y / z + 1e-14)
        factor, info = torch.linalg.cholesky_ex(matrix)
        columns = torch.cholesky_solve(w, factor)
        schur = w.mT @ columns + torch.diag_embed((~problems.groups).to(z))

        def newton(target: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            right = torch.where(valid, target / z, 0.0) - dual
            step = torch.cholesky_solve(right[:, :, None], factor)[:, :, 0]
            dm = _solve2(schur, primal - (w * step[:, :, None]).sum(1))
            dz = step + _times(columns, dm)
            dy = torch.where(valid, (target - y * dz) / z, 0.0)
            return dz, dy, dm

        complement = z * y
        dz, dy, _ = newton(-complement)
        length = torch.minimum(_longest(z, dz), _longest(y, dy))
        after = ((z + length * dz) * (y + length * dy) * valid).sum(1) / count
        centre = (after / mu) ** 3 * mu
        dz, dy, dm = newton(centre[:, None] - complement - dz * dy)
        length = 0.995 * torch.minimum(_longest(z, dz), _longest(y, dy)).clamp(max=1 / 0.995)
        good = (info == 0)[:, None] & torch.isfinite(dz).all(1, keepdim=True) & torch.isfinite(dy).all(1, keepdim=True)
        z = torch.where(good, z + length * dz, z)
        y = torch.where(good, y + length * dy, y)
        multiplier = torch.where(good, multiplier + length * dm, multiplier)
    return torch.where(valid, z, 0.0)


def _longest(value: Tensor, step: Tensor) -> Tensor:
    """(S, 1): how far one can go, at most 1, before an entry becomes zero."""
    return torch.where(step < 0, -value / step, 1.0).amin(1, keepdim=True).clamp(max=1.0)


def _times(matrix: Tensor, vector: Tensor) -> Tensor:
    return (matrix @ vector[:, :, None])[:, :, 0]


def _solve2(matrix: Tensor, right: Tensor) -> Tensor:
    """Solve symmetric 2 x 2 systems."""
    a, b, d = matrix[:, 0, 0], matrix[:, 0, 1], matrix[:, 1, 1]
    determinant = a * d - b * b
    first, second = right[:, 0], right[:, 1]
    return torch.stack([(d * first - b * second) / determinant, (a * second - b * first) / determinant], 1)
