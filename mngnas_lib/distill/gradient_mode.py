"""Coefficients from true parameter gradients (Eq. 12), and how close the output-space shortcut (Eq. 19, 20) comes.

Eq. 12 weighs members by the gradients of their distillation losses in the student's parameters. They cost a backward
pass a member, so training uses differences of outputs in their place. Both are measured here on one student.

What is known of the direction d* = −Σ α_e g_e − Σ β_c g_c (Eq. 13), at the optimum and with C_1, C_2 ≥ 1: with the
mixes a = Σ α_e g_e and b = Σ β_c g_c, no teacher's loss changes along d* at a rate above v_e = −⟨a, a + b⟩, no peer's
at one above v_c = −⟨b, a + b⟩, and v_e + v_c = −‖d*‖². So every sum of a teacher's and a peer's loss falls unless d* is
zero, and all losses of at least one group fall. Those of *both* need not: with one teacher of gradient 2 and one peer
of gradient −1, d* = −1 and the peer's loss grows. They do if and only if ⟨a, b⟩ > −min(‖a‖², ‖b‖²), for example where
the mixes, neither zero, are at a right or an acute angle. With one group alone all its losses fall.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn

from mngnas_lib.distill.coefficients import Coefficients, gram_matrix, solve, uniform
from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Output

T = TypeVar("T", Tensor, Output)

# A direction is zero if it is shorter than this share of the longest gradient
ZERO = 1e-6


@dataclass(frozen=True)
class Shortcut:
    """Coefficients that were not made from gradients, and how they compare with those that were.

    Attributes:
        alpha, beta: (M,) the coefficients.
        distance: half the sum of absolute differences of the coefficients, mean over the groups: 0 for equal ones,
            1 where they have no member in common.
        cosine: between the directions d that both give in the parameters (Eq. 13); NaN if the true one is zero.
        length: ratio of the lengths of these directions; 1 or above, since the true one is the shortest. Likewise NaN.
        falling: share of the members whose loss falls along the shortcut's direction, to first order.
    """

    alpha: Tensor
    beta: Tensor
    distance: float
    cosine: float
    length: float
    falling: float


@dataclass(frozen=True)
class Comparison:
    """Coefficients of one student from true gradients, and three others.

    Attributes:
        alpha, beta: (M,) the coefficients of Eq. 12.
        falling: share of the members whose loss falls along the direction of Eq. 13, to first order.
        shortcuts: ``s=1`` and ``s=2``, from outputs by Eq. 20, and ``uniform``.
    """

    alpha: Tensor
    beta: Tensor
    falling: float
    shortcuts: dict[str, Shortcut]


def loss_gradients(network: nn.Module, images: Tensor, targets: Sequence[T], loss: Callable[[T, T], Tensor]) -> Tensor:
    """The gradient of each member's distillation loss in the student's parameters; one backward pass a member.

    Args:
        network: the student, in the mode (training or evaluation) in which its gradients are wanted. Its buffers and
            gradients stay as they are.
        images: a mini-batch.
        targets: the outputs of M members for it. Tensors are compared with the student's class logits, if it returns
            an ``Output``; an ``Output`` is compared with all that it returns.
        loss: ``loss(student, target)``, a scalar.

    Returns:
        (M, P) float64, over all parameters that require gradients, in the network's order. Zero where a loss does not
        depend on a parameter.

    Raises:
        ConfigError: no targets, or no parameter requires gradients.
    """
    return _outputs_and_gradients(network, images, targets, loss)[1]


def gradient_coefficients(gradients: Tensor, teachers: Tensor, peers: Tensor) -> Coefficients:
    """Eq. 12 from gradients (M, P): coefficients of one student (S = 1), solved as Eq. 20 with s = 0.

    Args:
        gradients: of each member's loss, as :func:`loss_gradients` gives them.
        teachers, peers: (M,) bool, the two groups.

    Raises:
        ConfigError, TrainingDivergedError: as :func:`mngnas_lib.distill.coefficients.solve`.
    """
    return _for_one(gram_matrix([gradients]), teachers, peers, 0.0)


def compare(
    network: nn.Module,
    images: Tensor,
    targets: Sequence[T],
    teachers: Tensor,
    peers: Tensor,
    loss: Callable[[T, T], Tensor],
) -> Comparison:
    """How close do coefficients from class logits, and uniform ones, come to those from true gradients?

    Arguments and errors are those of :func:`loss_gradients` and :func:`gradient_coefficients`.
    """
    output, gradients = _outputs_and_gradients(network, images, targets, loss)
    logits = torch.stack([_logits(target) for target in (*targets, output)]).detach()
    true = gradient_coefficients(gradients, teachers, peers)
    others = {f"s={scale}": _for_one(gram_matrix([logits]), teachers, peers, float(scale)) for scale in (1, 2)}
    others["uniform"] = uniform(teachers[None], peers[None])
    direction = _direction(gradients, true)
    # shorter than this it is what the solver's accuracy leaves of zero
    size = direction.norm() if direction.norm() > ZERO * gradients.norm(dim=1).max() else torch.nan
    member = teachers | peers
    groups = max(1, int(teachers.any()) + int(peers.any()))
    shortcuts = {}
    for name, found in others.items():
        d = _direction(gradients, found)
        apart = (found.alpha - true.alpha).abs().sum() + (found.beta - true.beta).abs().sum()
        shortcuts[name] = Shortcut(
            alpha=found.alpha[0],
            beta=found.beta[0],
            distance=float(apart) / (2 * groups),
            cosine=float(d @ direction / (d.norm() * size)),
            length=float(d.norm() / size),
            falling=_falling(gradients, d, member),
        )
    return Comparison(true.alpha[0], true.beta[0], _falling(gradients, direction, member), shortcuts)


def _outputs_and_gradients(
    network: nn.Module, images: Tensor, targets: Sequence[T], loss: Callable[[T, T], Tensor]
) -> tuple[Tensor | Output, Tensor]:
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    if not parameters:
        raise ConfigError("no parameter of the student requires gradients: call network.requires_grad_()")
    if not len(targets):
        raise ConfigError("there are no targets: give the output of at least one member")
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    rows = []
    with torch.enable_grad():
        output = network(images)
        for target in targets:
            alike = output.logits if isinstance(output, Output) and isinstance(target, Tensor) else output
            value = loss(alike, target)
            gradients = torch.autograd.grad(value, parameters, retain_graph=True, materialize_grads=True)
            rows.append(torch.cat([gradient.flatten().double() for gradient in gradients]))
    with torch.no_grad():
        for name, buffer in buffers.items():
            network.get_buffer(name).copy_(buffer)
    return output, torch.stack(rows)


def _for_one(gram: Tensor, teachers: Tensor, peers: Tensor, scale: float) -> Coefficients:
    """Coefficients of one student from the Gram matrix (M, M) of its members, or (M + 1, M + 1) with itself last."""
    members = len(teachers)
    # with s = 0 the student's own output does not count: zeros will do
    gram = nn.functional.pad(gram, (0, members + 1 - len(gram)) * 2)
    masks = [nn.functional.pad(mask, (0, 1))[None] for mask in (teachers, peers)]
    found = solve(gram, torch.tensor([members], device=gram.device), *masks, scale=scale)
    return Coefficients(found.alpha[:, :members], found.beta[:, :members], found.gap, found.kkt)


def _direction(gradients: Tensor, found: Coefficients) -> Tensor:
    """Eq. 13."""
    return -((found.alpha + found.beta)[0] @ gradients)


def _falling(gradients: Tensor, direction: Tensor, member: Tensor) -> float:
    return float((gradients @ direction < 0)[member].double().mean())


def _logits(output: Tensor | Output) -> Tensor:
    return output.logits if isinstance(output, Output) else output
