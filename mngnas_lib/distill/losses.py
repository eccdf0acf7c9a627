"""What a student is asked to imitate, and how its distance from that is measured (Eq. 5, 6, 8, 9).

All functions take any number of leading dimensions: with a leading S they serve S students at once. They compute in
float32, whatever the outputs' type. Targets are constants: no gradient flows into teachers or peers.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Output

#: How stage feature maps are compared: squared distance (Eq. 6), KL divergence (Eq. 9), not at all.
Features = Literal["mse", "kl", "none"]

_MAP = (-4, -3, -2, -1)  # dimensions of a feature map: batch, channels, height, width


def divergence(first: Tensor, second: Tensor, *, dim: int = -1) -> Tensor:
    """KL(first ‖ second) of the distributions whose logits lie along ``dim``, which is summed over.

    Gradients flow into both.
    """
    log_first, log_second = (logits.float().log_softmax(dim) for logits in (first, second))
    return F.kl_div(log_second, log_first, reduction="none", log_target=True).sum(dim)


def prediction_loss(student: Tensor, teacher: Tensor, temperature: float = 1.0) -> Tensor:
    """Eq. 5: KL(teacher ‖ student) of the class probabilities.

    Args:
        student, teacher: logits (..., batch, classes). No gradient flows into ``teacher``.
        temperature: divides both logits. The loss is not multiplied by its square, as the paper's is 1.

    Returns:
        (...,): sum over classes, mean over the batch, in nats.

    Raises:
        ConfigError: the shapes differ, or the temperature is not positive.
    """
    _check_shapes("logits", student, teacher)
    check_temperature(temperature)
    return divergence(teacher.detach().float() / temperature, student.float() / temperature).mean(-1)


def feature_loss(student: Tensor, teacher: Tensor, kind: Literal["mse", "kl"] = "mse") -> Tensor:
    """Distance of one stage's feature maps.

    Args:
        student, teacher: (..., batch, channels, height, width). No gradient flows into ``teacher``.
        kind: ``mse`` is Eq. 6, as a mean over elements, so that its scale does not depend on the resolution. ``kl``
            is the KL of Eq. 9 with the arguments in the order of Eq. 5 (erratum 6): softmax over the channels at each
            position, KL(teacher ‖ student), mean over batch and positions.

    Returns:
        (...,).

    Raises:
        ConfigError: the shapes differ, or the kind is not known.
    """
    _check_shapes("feature maps", student, teacher)
    teacher = teacher.detach()
    if kind == "mse":
        difference = student.float() - teacher.float()
        # a norm reads what it sums once and writes nothing; its gradient has the memory format of the feature maps
        return torch.linalg.vector_norm(difference, dim=_MAP).square() / math.prod(difference.shape[-4:])
    if kind == "kl":
        return divergence(teacher, student, dim=-3).mean((-3, -2, -1))
    raise ConfigError(f"feature maps are compared by 'mse' or 'kl', not by {kind!r}")


@dataclass(frozen=True)
class DistillLoss:
    """L_dis of one target: Eq. 5, plus Eq. 6 or 9 summed over the stages. Eq. 8 and 10 add it up over two targets, the
    teachers' mix and the peers' mix (see :func:`mix`).

    Attributes:
        temperature: of the class probabilities.
        features: how stage feature maps are compared; ``none``: the class probabilities alone count.
    """

    temperature: float = 1.0
    features: Features = "mse"

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        if self.features not in get_args(Features):
            raise ConfigError(f"features={self.features!r} is not known: choose one of {', '.join(get_args(Features))}")

    def __call__(self, student: Output, target: Output) -> Tensor:
        """Distance of outputs with equal leading dimensions, (...,). No gradient flows into ``target``.

        Raises:
            ConfigError: shapes or numbers of stages differ.
        """
        loss = prediction_loss(student.logits, target.logits, self.temperature)
        if self.features == "none":
            return loss
        if len(student.stages) != len(target.stages):
            raise ConfigError(
                f"the student has {len(student.stages)} stages, its target {len(target.stages)}: "
                "distil between networks of one search space"
            )
        for mine, theirs in zip(student.stages, target.stages, strict=True):
            loss = loss + feature_loss(mine, theirs, self.features)
        return loss


def stack(outputs: Sequence[Output]) -> Output:
    """Outputs of M networks as one with a leading M: detached, in float32, feature maps in their memory format.

    Raises:
        ConfigError: no outputs, or of different shapes.
    """
    if not outputs:
        raise ConfigError("there are no outputs to stack: give those of at least one network")
    shapes = {(output.logits.shape, *(stage.shape for stage in output.stages)) for output in outputs}
    if len(shapes) > 1:
        raise ConfigError("outputs of different shapes cannot be stacked: give those of one search space and batch")
    logits = torch.stack([output.logits.detach().float() for output in outputs])
    return Output(logits, tuple(_stack_maps(stages) for stages in zip(*(o.stages for o in outputs), strict=True)))


def mix(coefficients: Tensor, members: Output) -> Output:
    """Targets of S students: convex combinations of the members' logits, and of each of their stages.

    Args:
        coefficients: (S, M), rows of α or β as :func:`mngnas_lib.distill.coefficients.solve` returns them. They take
            the members' type. A row of zeros, of a student without such members, gives zeros.
        members: with a leading M.

    Returns:
        The mixes, with a leading S, feature maps in the members' memory format.

    Raises:
        ConfigError: there is not one coefficient for each member.
    """
    if coefficients.dim() != 2 or coefficients.shape[1] != len(members.logits):
        raise ConfigError(
            f"coefficients have shape {tuple(coefficients.shape)}: give one row a student, with one entry for each of "
            f"the {len(members.logits)} members"
        )
    stages = tuple(_combine(coefficients, stage) for stage in members.stages)
    return Output(_combine(coefficients, members.logits), stages)


def _stack_maps(maps: Sequence[Tensor]) -> Tensor:
    """Feature maps (M, batch, channels, height, width); those in channels_last stay so, whatever leads."""
    maps = [map_.detach().float() for map_ in maps]
    if all(_is_channels_last(map_) for map_ in maps):
        return torch.stack([map_.movedim(-3, -1) for map_ in maps]).movedim(-1, -3)
    return torch.stack(maps)


def _combine(coefficients: Tensor, members: Tensor) -> Tensor:
    """(S, M) times (M, ...) as one matrix product, without changing the layout of what is combined."""
    if members.dim() > 3 and _is_channels_last(members):
        return _combine(coefficients, members.movedim(-3, -1)).movedim(-1, -3)
    product = coefficients.to(members.dtype) @ members.flatten(1)
    return product.unflatten(1, members.shape[1:])


def _is_channels_last(maps: Tensor) -> bool:
    return maps.movedim(-3, -1).is_contiguous() and not maps.is_contiguous()


def _check_shapes(what: str, student: Tensor, teacher: Tensor) -> None:
    if student.shape != teacher.shape:
        raise ConfigError(
            f"the student's {what} have shape {tuple(student.shape)}, the target's {tuple(teacher.shape)}: "
            "distil between networks of one search space, on the same images"
        )


def check_temperature(temperature: float) -> None:
    """Raises ConfigError unless the temperature is positive and finite."""
    if not 0 < temperature < math.inf:
        raise ConfigError(f"the temperature must be positive, it is {temperature}")
