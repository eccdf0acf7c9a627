"""Adaptive coefficients of teachers and peers (Section III-D, Eq. 20), for all students at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mngnas_lib.distill.interior_point import interior_point
from mngnas_lib.distill.simplex_qp import certify, coefficients, pose
from mngnas_lib.errors import ConfigError


@dataclass(frozen=True)
class Coefficients:
    """Weights of the teachers and of the peers of S students, with a certificate for each.

    Attributes:
        alpha: (S, M) float64, the teachers' weights: nonnegative, sum one, zero outside the student's teachers.
        beta: (S, M) float64, the peers' likewise.
        gap: (S,) relative duality gap.
        kkt: (S,) largest KKT residual.
    """

    alpha: Tensor
    beta: Tensor
    gap: Tensor
    kkt: Tensor


@torch.no_grad()
def solve(gram: Tensor, students: Tensor, teachers: Tensor, peers: Tensor, scale: float = 1.0) -> Coefficients:
    """Minimise ½‖s·p_i − Σα_e p_e − Σβ_c p_c‖² over two simplices, for all students i at once (Eq. 20).

    Args:
        gram: (M, M) inner products of all members' outputs.
        students: (S,) the row of each student.
        teachers, peers: (S, M) bool, the groups of each student; an empty one drops out.
        scale: s: 1 for Eq. 20 as printed, 2 for what Eq. 12 and 19 give.

    Raises:
        ConfigError: for wrong shapes, rows out of range, a student among its own members, a Gram matrix that is not finite.
    """
    members = gram.shape[0]
    mask = torch.cat([teachers, peers], 1)
    size = _check(gram, students, teachers, peers, mask)
    order = mask.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :size]
    valid = mask.gather(1, order)
    problems = pose(gram, students, order % members, valid, order < members, scale)
    x = coefficients(problems, interior_point(problems))
    certificate = certify(problems, x)
    full = torch.zeros(mask.shape, dtype=x.dtype, device=x.device).scatter_(1, order, x)
    alpha, beta = full.split(members, 1)
    return Coefficients(alpha, beta, certificate.gap, certificate.kkt)


def _check(gram: Tensor, students: Tensor, teachers: Tensor, peers: Tensor, mask: Tensor) -> int:
    """Raise for what cannot be solved; else the largest number of members of a student."""
    m, s = gram.shape[0], students.shape[0]
    if gram.shape != (m, m) or students.shape != (s,) or teachers.shape != (s, m) or peers.shape != (s, m):
        raise ConfigError(
            f"gram is {tuple(gram.shape)}, students {tuple(students.shape)}, teachers {tuple(teachers.shape)}, peers"
            f" {tuple(peers.shape)}: give (M, M), (S,), (S, M) and (S, M)"
        )
    bad = ~torch.isfinite(gram)
    if bool(bad.any()):
        own = int(bad.any(1).nonzero()[0])
        raise ConfigError(f"gram is not finite in the row of member {own}")
    return int(mask.sum(1).max()) if s else 0


def uniform(teachers: Tensor, peers: Tensor) -> Coefficients:
    """Equal weights in each group (Eq. 7; the average ensemble): 1/n, and zero in an empty group.

    Args:
        teachers, peers: (S, M) bool, the groups of each student.

    Returns:
        Coefficients whose ``gap`` and ``kkt`` are NaN: they are not the solution of a problem.
    """
    alpha, beta = (mask / mask.sum(1, keepdim=True, dtype=torch.float64).clamp(min=1) for mask in (teachers, peers))
    nothing = torch.full(teachers.shape[:1], torch.nan, dtype=torch.float64, device=teachers.device)
    return Coefficients(alpha, beta, nothing, nothing)


@torch.no_grad()
def gram_matrix(outputs: Sequence[Tensor]) -> Tensor:
    """Inner products of all members' outputs, summed over the given tensors (logits, or feature maps of stages).

    Args:
        outputs: tensors (M, ...) with one row a member, flattened from the second dimension on.

    Returns:
        (M, M) float64, exactly symmetric.
    """
    if not outputs:
        raise ConfigError("no outputs: give at least one tensor (M, ...)")
    total: Tensor | None = None
    for output in outputs:
        rows = output.flatten(1).double()
        product = rows @ rows.mT
        total = product if total is None else total + product
    return (total + total.mT) / 2
