"""Adaptive coefficients of teachers and peers (Section III-D), for all students of a search epoch at once.

``solve`` needs nothing but the inner products of all outputs (``gram_matrix``): one forward pass a model serves every
student as its own, as its teachers' and as its peers' output.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from mngnas_lib.distill.active_set import active_set
from mngnas_lib.distill.interior_point import interior_point
from mngnas_lib.distill.simplex_qp import Problems, certify, coefficients, pose
from mngnas_lib.errors import ConfigError, TrainingDivergedError

# The active-set method's coefficients are taken where their gap is this small
CERTIFIED = 1e-11
# Columns of outputs that are turned into float64 at a time
CHUNK = 2**18


@dataclass(frozen=True)
class Coefficients:
    """Weights of the teachers and of the peers of S students among M members, with a certificate for each.

    Attributes:
        alpha: (S, M) float64, the teachers' weights: nonnegative, of sum one, exactly zero for all others. All zero
            where a student has no teachers.
        beta: (S, M) float64, the peers' likewise.
        gap: (S,) relative duality gap, see :func:`solve`. 0 for a student without members; NaN of uniform weights,
            which solve nothing.
        kkt: (S,) largest KKT residual, likewise.
    """

    alpha: Tensor
    beta: Tensor
    gap: Tensor
    kkt: Tensor


def solve(gram: Tensor, students: Tensor, teachers: Tensor, peers: Tensor, scale: float = 1.0) -> Coefficients:
    """Minimise f = ½‖s·p_i − Σ_e α_e p_e − Σ_c β_c p_c‖² over two simplices, for all students i at once (Eq. 20).

    An empty group drops out. Where the minimiser is not unique, any one is returned.

    On the CPU an active-set method solves what it can, and an interior-point method the rest; on other devices the
    latter solves all. Both work on all problems at once, in float64. After a check of the arguments, which waits for
    the device once, nothing is moved from a GPU to the host.

    The certificate: with g = ∇f, convexity gives f − min f ≤ Σ_groups (Σ_j x_j g_j − min_j g_j), the Frank-Wolfe gap,
    which is a duality gap. ``gap`` is this over f. Two things account for rounding, with r = ‖s·p_i‖ + Σ_j x_j ‖p_j‖
    and ε = 2.2e-16. Each g_j in the minimum is taken at the upper end of its rounding
    error 4ε·r·‖p_j‖. And where f is below 4ε·r² / 1e-8, the gap is relative to this instead: a smaller f is lost in
    the Gram matrix's rounding. ``kkt`` is the largest |min(x_j ‖p_j‖ / r, (g_j − λ) / (r·l_j))|, with
    λ = Σ_j x_j g_j and l_j = ‖p_j‖ + Σ_j x_j ‖p_j‖, both over the member's group; it is zero if and only if x is
    optimal. A zero member counts as if it were as long as the shortest other one.

    Args:
        gram: (M, M) inner products of all members' outputs. float32 is taken as if it were exact: where a problem is
            nearly singular, its rounding leaves no Gram matrix, and this shows in the gap.
        students: (S,) integers, the row of each student.
        teachers, peers: (S, M) bool, each student's groups.
        scale: s. 1 is Eq. 20 as printed, 2 what Eq. 12 and 19 give; 0 with a Gram matrix of gradients is Eq. 12.

    Raises:
        ConfigError: shapes, types or devices do not fit, a row does not exist, a student is in its own groups, a member
            is both teacher and peer of a student, or the diagonal of ``gram`` is negative.
        TrainingDivergedError: ``gram`` is not finite; the message names the student and the member.
    """
    _check(gram, students, teachers, peers, scale)
    with torch.inference_mode(), _one_thread():
        x, gap, kkt = _solve(pose(gram, students.long(), teachers, peers, scale))
    # outside, since what is made in inference mode cannot be used with autograd
    return Coefficients(x * teachers, x * peers, gap.clone(), kkt.clone())


@contextmanager
def _one_thread() -> Iterator[None]:
    """Tensors this small gain nothing from threads, and wait long for them where others use the same cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _solve(problems: Problems) -> tuple[Tensor, Tensor, Tensor]:
    """x (S, M), gap and KKT residual (S,)."""
    if problems.c.device.type != "cpu" or len(problems.c) == 0:
        x = interior_point(problems)
        return x, *certify(problems, x)
    x = coefficients(problems, active_set(problems))
    gap, kkt = certify(problems, x)
    rest = (~(gap <= CERTIFIED)).nonzero()[:, 0]
    if len(rest):
        x = x.index_copy(0, rest, interior_point(problems[rest]))
        gap, kkt = certify(problems, x)
    return x, gap, kkt


def uniform(teachers: Tensor, peers: Tensor) -> Coefficients:
    """Equal weights in each group (Eq. 7, and the average ensemble): 1/n, and nothing in an empty group.

    Args:
        teachers, peers: (S, M) bool, each student's groups.

    Returns:
        Coefficients whose ``gap`` and ``kkt`` are NaN.
    """
    alpha, beta = (mask / mask.sum(1, keepdim=True, dtype=torch.float64).clamp(min=1) for mask in (teachers, peers))
    nothing = torch.full(teachers.shape[:1], torch.nan, dtype=torch.float64, device=teachers.device)
    return Coefficients(alpha, beta, nothing, nothing)


@torch.no_grad()
def gram_matrix(outputs: Sequence[Tensor]) -> Tensor:
    """Inner products of all members' outputs, summed over the given tensors (class logits, or feature maps of stages).

    Args:
        outputs: tensors (M, ...), one row a member, of any shape and float type behind the first dimension.

    Returns:
        (M, M) float64, exactly symmetric, without gradients.

    Raises:
        ConfigError: no tensors, or of different M.
    """
    if not outputs or any(output.dim() == 0 or len(output) != len(outputs[0]) for output in outputs):
        shapes = [tuple(output.shape) for output in outputs]
        raise ConfigError(f"outputs have the shapes {shapes}: give at least one tensor, and in all one row a member")
    members = len(outputs[0])
    total = torch.zeros(members, members, dtype=torch.float64, device=outputs[0].device)
    for output in outputs:
        for columns in output.reshape(members, -1).split(CHUNK, dim=1):
            rows = columns.double()
            total += rows @ rows.mT
    return (total + total.mT) / 2


def _check(gram: Tensor, students: Tensor, teachers: Tensor, peers: Tensor, scale: float) -> None:
    """Raise what :func:`solve` says."""
    m, s = gram.shape[0] if gram.dim() else 0, students.numel()
    shapes = [tuple(tensor.shape) for tensor in (gram, students, teachers, peers)]
    if shapes != [(m, m), (s,), (s, m), (s, m)]:
        raise ConfigError(
            "gram, students, teachers and peers have the shapes {}, {}, {} and {}: give (M, M), (S,), (S, M) and"
            " (S, M)".format(*shapes)
        )
    integers = not (students.is_floating_point() or students.is_complex() or students.dtype == torch.bool)
    if not gram.is_floating_point() or not integers or {teachers.dtype, peers.dtype} != {torch.bool}:
        raise ConfigError(
            f"gram, students, teachers and peers are {gram.dtype}, {students.dtype}, {teachers.dtype} and"
            f" {peers.dtype}: give a float type, integers, bool and bool"
        )
    devices = {tensor.device for tensor in (gram, students, teachers, peers)}
    if len(devices) > 1:
        raise ConfigError(f"the arguments are on {', '.join(sorted(map(str, devices)))}: put all on one device")
    if not math.isfinite(scale):
        raise ConfigError(f"scale is {scale}: give a number, such as 1 (Eq. 20 as printed) or 2 (as derived)")
    if s == 0:
        return
    if m == 0:
        raise ConfigError(f"there are {s} students but no members: give gram a row for each student, teacher and peer")
    row = students.long().clamp(0, m - 1)[:, None]
    own = (teachers | peers).gather(1, row)
    faults = [~torch.isfinite(gram), gram.diagonal() < 0, row[:, 0] != students, own, teachers & peers]
    if bool(torch.stack([fault.any() for fault in faults]).any()):
        _complain(gram, students, teachers, peers)


def _complain(gram: Tensor, students: Tensor, teachers: Tensor, peers: Tensor) -> None:
    """Find what is wrong with the values, in the order in which one fault can be the cause of another."""
    outside = ((students < 0) | (students >= len(gram))).nonzero()
    if len(outside):
        i = int(outside[0])
        raise ConfigError(f"student {i} is said to be row {int(students[i])} of {len(gram)}: count rows from 0")
    wrong = ~torch.isfinite(gram)
    if wrong.any():
        # a member that is not finite spoils its whole row, and one entry of each other row
        j = int(wrong.sum(1).argmax())
        own = students == j
        those = (own | teachers[:, j] | peers[:, j]).nonzero()
        if len(those) == 0:
            raise TrainingDivergedError(f"member {j}, of no student, has outputs that are not finite: leave it out")
        i = int(own.nonzero()[0]) if own.any() else int(those[0])
        role = "its own outputs" if own.any() else f"its {'teacher' if teachers[i, j] else 'peer'}'s outputs"
        raise TrainingDivergedError(
            f"student {i}: {role}, member {j} of the Gram matrix, are not finite: look for a loss that diverged, or"
            " leave this member out"
        )
    negative = (gram.diagonal() < 0).nonzero()
    if len(negative):
        raise ConfigError(f"gram[{int(negative[0])}, {int(negative[0])}] is negative: give inner products of outputs")
    own = (teachers | peers).gather(1, students.long()[:, None]).nonzero()
    if len(own):
        i = int(own[0, 0])
        raise ConfigError(f"student {i} is among its own teachers or peers: clear row {i}, column {int(students[i])}")
    i, j = (teachers & peers).nonzero()[0].tolist()
    raise ConfigError(f"member {j} is both teacher and peer of student {i}: clear it in one of the masks")
