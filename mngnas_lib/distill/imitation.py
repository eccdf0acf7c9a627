"""L_dis of all students of a search epoch, and its gradient in their outputs (Eq. 8, with Eq. 5, 6 and 9).

For the squared distance of Eq. 6 the gradient is a linear map of the members' feature maps: two matrix products give
distances and gradients of all students, and each map is read where its network left it, a piece at a time. Autograd
would write every mix, difference and square of these large tensors to memory. Everything else is left to it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mngnas_lib.distill.losses import DistillLoss, mix, stack
from mngnas_lib.spaces import Output

#: Elements of a feature map that are worked on at once: what 40 members have of them fits into a processor's cache.
_BLOCK = 2**13


def imitate(
    students: Sequence[Output],
    teachers: Sequence[Output],
    alpha: Tensor,
    beta: Tensor,
    loss: DistillLoss,
    *,
    reuse: Output | None = None,
) -> tuple[Tensor, Output]:
    """Distances of S students from the mix of their teachers and from the mix of their peers.

    Args:
        students, teachers: outputs of the S students, at least one, and of T teachers. They are constants here: what is
            returned as gradients is all there is.
        alpha: (S, T) coefficients of the teachers. A row of zeros stands for an empty group, whose distance is zero.
        beta: (S, S) coefficients of the peers, likewise.
        loss: the distance.
        reuse: gradients that an earlier call returned for outputs of the same shapes: their memory is written anew,
            which is faster than to ask for fresh memory.

    Returns:
        Distances (S, 2), from teachers and from peers; and the gradients of their sums in the students' outputs, with a
        leading S, in float32. There are no gradients of stages if the loss does not look at them.
    """
    by_product = loss.features == "mse"
    by_autograd = DistillLoss(loss.temperature, "none" if by_product else loss.features)
    distances, gradients = _imitate_by_autograd(students, teachers, alpha, beta, by_autograd)
    if not by_product:
        return distances, gradients
    stages = []
    for index in range(len(students[0].stages)):
        squares, gradient = _squared_distance(
            [student.stages[index] for student in students],
            [teacher.stages[index] for teacher in teachers],
            alpha.float(),
            beta.float(),
            None if reuse is None else reuse.stages[index],
        )
        distances = distances + squares
        stages.append(gradient)
    return distances, Output(gradients.logits, tuple(stages))


def _imitate_by_autograd(
    students: Sequence[Output], teachers: Sequence[Output], alpha: Tensor, beta: Tensor, loss: DistillLoss
) -> tuple[Tensor, Output]:
    """The same for any loss. All outputs that the loss looks at are copied."""
    stages = 0 if loss.features == "none" else len(students[0].stages)
    students, teachers = (
        [Output(output.logits, output.stages[:stages]) for output in outputs] for outputs in (students, teachers)
    )
    peers = stack(students)
    nobody = Output(peers.logits[:0], tuple(stage[:0] for stage in peers.stages))
    leaves = [tensor.detach().requires_grad_() for tensor in (peers.logits, *peers.stages)]
    mine = Output(leaves[0], tuple(leaves[1:]))
    distances = []
    with torch.enable_grad():
        for weights, members in ((alpha, stack(teachers) if teachers else nobody), (beta, peers)):
            distances.append(torch.where(weights.any(1), loss(mine, mix(weights, members)), 0.0))
        gradients = torch.autograd.grad(sum(distances).sum(), leaves)
    return torch.stack(distances, 1).detach(), Output(gradients[0], tuple(gradients[1:]))


def _squared_distance(
    students: Sequence[Tensor], teachers: Sequence[Tensor], alpha: Tensor, beta: Tensor, reuse: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Eq. 6 of one stage, where students and teachers are feature maps (batch, channels, height, width).

    Returns:
        Mean squares (S, 2), and the gradient of their sums, (S, batch, channels, height, width), in the memory format
        of the first student's map.
    """
    if students[0].is_contiguous():
        return _squared_distance_of_rows(students, teachers, alpha, beta, reuse)
    students, teachers = ([map_.movedim(-3, -1) for map_ in maps] for maps in (students, teachers))
    reuse = None if reuse is None else reuse.movedim(-3, -1)
    squares, gradient = _squared_distance_of_rows(students, teachers, alpha, beta, reuse)
    return squares, gradient.movedim(-1, -3)


def _squared_distance_of_rows(
    students: Sequence[Tensor], teachers: Sequence[Tensor], alpha: Tensor, beta: Tensor, reuse: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The same for tensors of any shape, fastest if they are contiguous."""
    count, size = len(students), students[0].numel()
    rows = [map_.detach().flatten() for map_ in (*students, *teachers)]
    gradient = rows[0].new_empty(count, *students[0].shape, dtype=torch.float32) if reuse is None else reuse
    squares = gradient.new_zeros(count, 2)
    factor = 2 / size  # of the gradient: the differences carry it from the start
    groups = [(alpha, slice(count, None)), (beta, slice(count))]
    masks = [weights.any(1, keepdim=True).float() for weights, _ in groups]
    block = _BLOCK if rows[0].device.type == "cpu" else size
    for start in range(0, size, block):
        piece = slice(start, start + block)
        members = torch.stack([row[piece] for row in rows]).float()
        differences = [
            torch.addmm(members[:count], weights, members[group], beta=factor, alpha=-factor).mul_(mask)
            for (weights, group), mask in zip(groups, masks, strict=True)
        ]
        torch.add(*differences, out=gradient.view(count, size)[:, piece])
        squares += torch.stack([torch.linalg.vector_norm(difference, dim=1) for difference in differences], 1).square()
    return squares / (factor**2 * size), gradient
