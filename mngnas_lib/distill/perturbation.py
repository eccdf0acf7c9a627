"""Perturbation-aware distillation (Section III-E, Algorithm 2).

Where it departs from the paper's letter, or where that is loose:

* Algorithm 2 cites Eq. 22 and 23 where Eq. 21 and 22 are meant; the classification loss of Eq. 23 is that of S_j, as
  its text says, not of S_i; and both gradients are descended, as the bracket that Eq. 23 lacks would say (erratum 8).
* Eq. 22 is read as it is printed, KL(f_Sj ‖ f_Si), with f the class probabilities. S_j comes first, where Eq. 5 has the
  teacher, and so says the paper's third contribution: S_j is the teacher that guides its perturbed copies. Yet it is
  S_j that moves, towards what its copies can follow, and its gradient flows through the first argument.
* The perturbed architectures are copies, taken before the fine-tuning: Algorithm 2 speaks of the *initial* weight of
  S_i, and Eq. 23 updates Θ_Sj alone. They do not follow S_j as it moves.
* All perturbed architectures act in each step (the expectation of Eq. 22) rather than one after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from mngnas_lib.distill.losses import check_temperature, divergence
from mngnas_lib.errors import ArchError, ConfigError, TrainingDivergedError
from mngnas_lib.spaces import Arch, SearchSpace, SlotNetwork
from mngnas_lib.supernet import batch_statistics


def neighbours(space: SearchSpace, arch: Sequence[int]) -> list[Arch]:
    """Eq. 21, the whole set: valid architectures that differ from ``arch`` in exactly one slot, by slot and choice.

    Choices differ, functions need not: on an edge of NAS-Bench-201 that leads nowhere, any operation does the same.

    Raises:
        ArchError: ``arch`` does not belong to this space.
    """
    arch = space.check(arch)
    changed = (
        (*arch[:index], choice, *arch[index + 1 :])
        for index, slot in enumerate(space.slots)
        for choice in range(len(slot.choices))
        if choice != arch[index]
    )
    return [other for other in changed if space.is_valid(other)]


def perturbed_archs(space: SearchSpace, arch: Sequence[int], count: int, rng: np.random.Generator) -> list[Arch]:
    """Up to ``count`` distinct architectures drawn uniformly from the set of Eq. 21.

    The list is shorter where the set is: its length is the number of perturbed architectures that there really are.

    Raises:
        ArchError: ``arch`` does not belong to this space.
        ConfigError: ``count`` is negative.
    """
    if count < 0:
        raise ConfigError(f"the number of perturbed architectures must not be negative, it is {count}")
    pool = neighbours(space, arch)
    return [pool[index] for index in rng.choice(len(pool), size=min(count, len(pool)), replace=False)] if pool else []


def perturbed_network(arch_i: Sequence[int], network_j: SlotNetwork, supernet: SlotNetwork) -> SlotNetwork:
    """S_i of Eq. 21 with its initial weights: S_j's in all slots that are as in S_j, the SuperNet's in the changed one.

    Weights outside the slots (stem, reductions, head) are S_j's. Networks name their modules by slot and choice, so
    what S_i and S_j have in common by name is S_j's, and what is left belongs to the changed slot's new choice. In
    NAS-Bench-101 an edge can change widths all over the cell: then S_j's are the leading channels, which both have.

    Batch-norm buffers come with the weights beside them: S_j's are statistics of S_j's path, those of the changed slot
    are of all of the SuperNet's paths, and behind the changed slot neither are S_i's. They are therefore kept for the
    record, and :func:`fine_tune` normalises S_i by the statistics of each batch.

    Returns:
        A frozen network of its own: it shares nothing with the other two, lies on S_j's device, and needs no gradient.

    Raises:
        ArchError: ``arch_i`` is not of this space, or differs from S_j's in another number of slots than one.
        ConfigError: the two networks are not a SuperNet and an architecture of it.
    """
    arch_j = network_j.arch
    shapes = [(network.space, network.num_classes, network.in_channels) for network in (network_j, supernet)]
    if arch_j is None or supernet.arch is not None or shapes[0] != shapes[1]:
        raise ConfigError("give a stand-alone network and the SuperNet of the same space, sizes, classes and channels")
    arch_i = supernet.space.check(arch_i)
    changed = sum(a != b for a, b in zip(arch_i, arch_j, strict=True))
    if changed != 1:
        raise ArchError(f"{arch_i} and {arch_j} differ in {changed} slots: a perturbed architecture differs in one")
    network = supernet.extract(arch_i)
    theirs = network_j.state_dict()
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name in theirs:
                block = tuple(map(slice, map(min, tensor.shape, theirs[name].shape)))
                tensor[block].copy_(theirs[name][block])
    return network.requires_grad_(False).eval().to(next(network_j.parameters()).device)


def perturbation_loss(
    logits: Tensor, labels: Tensor, perturbed: Tensor, temperature: float = 1.0
) -> tuple[Tensor, Tensor]:
    """The two losses of Eq. 23, whose sum is descended.

    Args:
        logits: of S_j, (batch, classes).
        labels: (batch,).
        perturbed: logits of the perturbed architectures on the same images, (n_perturb, batch, classes), n_perturb
            at least 1. No gradient flows into them.
        temperature: divides the logits in the second loss.

    Returns:
        L_cls, the cross-entropy of S_j, and L_dis of Eq. 22: KL(f_Sj ‖ f_Si), sum over classes, mean over the batch and
        the perturbed architectures. Both in nats.

    Raises:
        ConfigError: the shapes do not fit, or the temperature is not positive.
    """
    check_temperature(temperature)
    if perturbed.dim() != 3 or perturbed.shape[1:] != logits.shape or len(perturbed) == 0:
        raise ConfigError(
            f"logits of perturbed architectures have shape {tuple(perturbed.shape)}: give those of at least one, "
            f"(n_perturb, batch, classes), for S_j's {tuple(logits.shape)}"
        )
    own, theirs = logits.float(), perturbed.detach().float()
    return F.cross_entropy(own, labels), divergence(own / temperature, theirs / temperature).mean()


def fine_tune(
    network: SlotNetwork,
    perturbed: Sequence[SlotNetwork],
    batches: Iterable[tuple[Tensor, Tensor]],
    update: Callable[[Tensor], None],
    *,
    temperature: float = 1.0,
) -> Tensor:
    """Fine-tune S_j against its perturbed architectures (Algorithm 2). Nothing but S_j moves.

    How S_j is moved is the caller's, so that it is fine-tuned just as candidates are retrained.

    Args:
        network: S_j, in training mode meanwhile.
        perturbed: the S_i, see :func:`perturbed_network`. They are normalised by the statistics of each batch, of which
            they keep no record. Without any, nothing is done, as for n_perturb = 0 in Table XVI.
        batches: (images, labels) of each step.
        update: one step down a loss: its backward pass, clipping and the optimiser's step.
        temperature: of L_dis.

    Returns:
        (steps, 2): L_cls and L_dis of each step, on the CPU.

    Raises:
        TrainingDivergedError: a loss was not finite; the message names the step.
    """
    if not perturbed:
        return torch.zeros(0, 2)
    curve = []
    was_training = network.training
    network.train()
    try:
        with ExitStack() as stack:
            for other in perturbed:
                stack.enter_context(batch_statistics(other))
            for images, labels in batches:
                with torch.no_grad():
                    targets = torch.stack([other(images).logits for other in perturbed])
                losses = torch.stack(perturbation_loss(network(images).logits, labels, targets, temperature))
                update(losses.sum())
                curve.append(losses.detach())
    finally:
        network.train(was_training)
    losses = torch.stack(curve).cpu() if curve else torch.zeros(0, 2)
    bad = (~losses.isfinite()).any(1).nonzero()
    if len(bad):
        raise TrainingDivergedError(
            f"the loss of step {int(bad[0])} of the fine-tuning of {network.space.to_string(network.resolve(None))} "
            "is not finite. Lower the learning rate"
        )
    return losses
