"""L_dis of all students of a search epoch, and its gradient in their outputs (Eq. 8, with Eq. 5, 6 and 9).

Outputs of all members, students first, lie in one tensor each with a leading M. For the squared distance of Eq. 6 the
gradient is a linear map of the members' feature maps, so that one matrix product gives distances and gradients of all
students; autograd would write every mix, difference and square of these large tensors to memory. Everything else is
left to autograd.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mngnas_lib.distill.losses import DistillLoss, mix
from mngnas_lib.spaces import Output

#: Elements of a feature map that are worked on at once: what 40 members have of them fits into a processor's cache.
_BLOCK = 2**13


def imitate(members: Output, alpha: Tensor, beta: Tensor, loss: DistillLoss) -> tuple[Tensor, Output]:
    """Distances of S students from the mix of their teachers and from the mix of their peers.

    Args:
        members: outputs of M networks with a leading M, of which the first S are the students'. Constants: what is
            returned as gradients is all there is.
        alpha, beta: (S, M) coefficients of teachers and of peers. A row of zeros stands for an empty group, whose
            distance is zero.
        loss: the distance.

    Returns:
        Distances (S, 2), from teachers and from peers; and the gradients of their sums in the students' outputs, with a
        leading S. There are no gradients of stages if the loss does not look at them.
    """
    students = len(alpha)
    groups = [(coefficients, coefficients.any(1)) for coefficients in (alpha, beta)]
    by_product = loss.features == "mse"
    seen = Output(members.logits, () if by_product or loss.features == "none" else members.stages)
    leaves = [tensor[:students].detach().requires_grad_() for tensor in (seen.logits, *seen.stages)]
    mine = Output(leaves[0], tuple(leaves[1:]))
    plain = DistillLoss(loss.temperature, "none" if by_product else loss.features)
    with torch.enable_grad():
        distances = torch.stack(
            [torch.where(is_there, plain(mine, mix(weights, seen)), 0.0) for weights, is_there in groups], 1
        )
        gradients = torch.autograd.grad(distances.sum(), leaves)
    distances = distances.detach()
    stages = list(gradients[1:])
    if by_product:
        identity = torch.eye(students, alpha.shape[1], dtype=alpha.dtype, device=alpha.device)
        # rows that give a student's difference from each of its two targets
        differences = torch.cat([(identity - weights) * is_there[:, None] for weights, is_there in groups])
        for stage in members.stages:
            squares, gradient = _squared_distance(stage, differences.to(stage.dtype))
            distances = distances + squares
            stages.append(gradient)
    return distances, Output(gradients[0], tuple(stages))


def _squared_distance(members: Tensor, differences: Tensor) -> tuple[Tensor, Tensor]:
    """Eq. 6 of one stage.

    Args:
        members: (M, batch, channels, height, width).
        differences: (2 S, M), rows that take the members to the S students' differences from their teachers' mix, then
            to those from their peers' mix.

    Returns:
        Mean squares (S, 2), and the gradient of their sums over both, (S, batch, channels, height, width), in the
        members' memory format.
    """
    if members.movedim(-3, -1).is_contiguous():
        squares, gradient = _squared_distance_of_rows(members.movedim(-3, -1).flatten(1), differences)
        shape = members.movedim(-3, -1).shape[1:]
        return squares, gradient.unflatten(1, shape).movedim(-1, -3)
    squares, gradient = _squared_distance_of_rows(members.flatten(1), differences)
    return squares, gradient.unflatten(1, members.shape[1:])


def _squared_distance_of_rows(members: Tensor, differences: Tensor) -> tuple[Tensor, Tensor]:
    """The same for members (M, n)."""
    students, size = len(differences) // 2, members.shape[1]
    gradient = members.new_empty(students, size)
    squares = members.new_zeros(2 * students)
    block = _BLOCK if members.device.type == "cpu" else size
    for start in range(0, size, block):
        columns = slice(start, start + block)
        difference = differences @ members[:, columns]
        torch.add(difference[:students], difference[students:], out=gradient[:, columns])
        gradient[:, columns].mul_(2 / size)
        squares += difference.square_().sum(1)
    return (squares / size).view(2, students).T, gradient
