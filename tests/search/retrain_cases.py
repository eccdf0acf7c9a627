"""Students, teachers and Algorithm 1 as it is printed, for the tests of the retraining engine."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mngnas_lib.data import Augment, ImageData
from mngnas_lib.distill.reference import eq20
from mngnas_lib.search.retrain import Guidance, Retraining
from mngnas_lib.search.retrain_config import RetrainConfig
from mngnas_lib.spaces import Arch, Output, SearchSpace, SlotNetwork
from mngnas_lib.supernet import MiniBatches

#: Three steps, in which clipping and weight decay count
QUICK = RetrainConfig(
    epochs=0.5, batch_size=40, lr=0.02, clip_norm=1.0, weight_decay=0.2, augment=Augment(pad=1, cutout=2)
)
#: Batches that two processes share
SPLIT = replace(QUICK, batch_size=80, epochs=1)
#: The third student's group has no teachers
TAUGHT = torch.tensor([[True, True, False], [False, True, True], [False, False, False], [True, True, True]])


@cache
def archs_of(space: SearchSpace, count: int, seed: int = 0) -> list[Arch]:
    """Distinct architectures, the first of which passes as little on as the space knows: nothing, or itself."""
    rng = np.random.default_rng(seed)
    least = (0,) * len(space.slots)
    return [least, *(arch for arch in space.sample_distinct(count, rng) if arch != least)][:count]


def students_of(space: SearchSpace, count: int = 4, seed: int = 0) -> list[SlotNetwork]:
    return [space.network(arch, in_channels=1, seed=seed + i) for i, arch in enumerate(archs_of(space, count, seed))]


def teachers_of(space: SearchSpace, data: ImageData, count: int = 3) -> tuple[SlotNetwork, ...]:
    """Networks that have seen some images, so that their batch norms know them."""
    teachers = students_of(space, count, seed=50)
    for teacher in teachers:
        for _ in range(3):
            teacher.train()(data.normalise(data.train.images[:40]))
    return tuple(teacher.eval() for teacher in teachers)


def batches_of(data: ImageData, config: RetrainConfig, **ranks: int) -> MiniBatches:
    settings = {"seed": config.seed, "augment": config.augment, "channels_last": config.channels_last}
    return MiniBatches(data, config.batch_size, **settings, **ranks)


def guidance_of(
    space: SearchSpace, data: ImageData, taught: Tensor = TAUGHT, *, peers: bool = True, weights: str = "adaptive"
) -> Guidance:
    return Guidance(teachers_of(space, data, taught.shape[1]), taught, peers, weights)


def retraining(
    space: SearchSpace,
    data: ImageData,
    config: RetrainConfig = QUICK,
    *,
    taught: Tensor = TAUGHT,
    peers: bool = True,
    weights: str = "adaptive",
    **changes: object,
) -> Retraining:
    """A retraining with fresh students and teachers, always the same ones."""
    config = replace(config, **changes)
    guidance = guidance_of(space, data, taught, peers=peers, weights=weights)
    return Retraining(students_of(space, len(taught)), batches_of(data, config), config, guidance)


def labels_alone(space: SearchSpace, data: ImageData, config: RetrainConfig = QUICK, **changes: object) -> Retraining:
    config = replace(config, **changes)
    return Retraining(students_of(space), batches_of(data, config), config)


def equal(one: nn.Module, other: nn.Module) -> bool:
    """Whether parameters and buffers have the same bits."""
    states = one.state_dict(), other.state_dict()
    return states[0].keys() == states[1].keys() and all(
        torch.equal(states[0][name], states[1][name]) for name in states[0]
    )


# ---------------------------------------------------------------------- Algorithm 1 as printed


def literal_step(
    students: Sequence[SlotNetwork],
    guidance: Guidance,
    shards: Sequence[tuple[Tensor, Tensor]],
    config: RetrainConfig,
    optimizers: Sequence[torch.optim.Optimizer],
) -> tuple[Tensor, list[tuple[np.ndarray, np.ndarray]]]:
    """One step, each student by itself: it computes all predictions, its own coefficients and its own loss.

    Args:
        shards: the mini-batch, split over the processes.
        optimizers: one for each student.

    Returns:
        The students' losses (S, 3), by labels, teachers and peers, and their α and β. Students are moved in place.
    """
    before = [deepcopy(student) for student in students]
    losses, coefficients = [], []
    for i, (student, optimizer) in enumerate(zip(students, optimizers, strict=True)):
        own = [student(images) for images, _ in shards]
        teachers = [teacher for teacher, is_one in zip(guidance.teachers, guidance.taught[i], strict=True) if is_one]
        peers = [peer for j, peer in enumerate(before) if j != i] if guidance.peers else []
        with torch.no_grad():
            taught = [[teacher(images) for images, _ in shards] for teacher in teachers]
            seen = [[deepcopy(peer)(images) for images, _ in shards] for peer in peers]
        alpha, beta = literal_coefficients(own, taught, seen, guidance.weights, config)
        coefficients.append((alpha, beta))
        parts = torch.zeros(3)
        for shard, (_, labels) in enumerate(shards):
            by_labels = F.cross_entropy(own[shard].logits, labels)
            terms = [by_labels]
            for weights, members in ((alpha, taught), (beta, seen)):
                terms.append(
                    config.loss(own[shard], mixed(weights, [member[shard] for member in members]))
                    if members
                    else by_labels * 0
                )
            parts = parts + torch.stack(terms) / len(shards)
        optimizer.zero_grad()
        parts.sum().backward()
        nn.utils.clip_grad_norm_(student.parameters(), config.clip_norm)
        optimizer.step()
        losses.append(parts.detach())
    return torch.stack(losses), coefficients


def literal_coefficients(
    own: list[Output], teachers: list[list[Output]], peers: list[list[Output]], weights: str, config: RetrainConfig
) -> tuple[np.ndarray, np.ndarray]:
    """α and β of one student, by cvxpy."""
    if weights == "uniform":
        return np.full(len(teachers), 1 / max(1, len(teachers))), np.full(len(peers), 1 / max(1, len(peers)))

    def flat(shards: list[Output]) -> np.ndarray:
        tensors = {
            "logits": [output.logits for output in shards],
            "last stage": [output.stages[-1] for output in shards],
            "stages": [stage for output in shards for stage in output.stages],
        }[config.combined]
        return np.concatenate([tensor.detach().double().numpy().ravel() for tensor in tensors])

    rows = np.stack([flat(own), *map(flat, teachers), *map(flat, peers)])
    rows = np.linalg.qr(rows.T, mode="r").T  # as far apart as before, in fewer numbers
    found = eq20(rows[0], rows[1 : 1 + len(teachers)], rows[1 + len(teachers) :], config.scale)
    return found.alpha, found.beta


def mixed(weights: np.ndarray, members: list[Output]) -> Output:
    """Σ weight × output."""
    every = [(member.logits, *member.stages) for member in members]
    sums = [
        sum(float(w) * tensor for w, tensor in zip(weights, tensors, strict=True))
        for tensors in zip(*every, strict=True)
    ]
    return Output(sums[0], tuple(sums[1:]))
