"""A step of the retraining with teachers and peers, against labels alone and against Algorithm 1 as it is printed."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.timing import Row, medians
from mngnas_lib.data import load_images
from mngnas_lib.distill.losses import mix, stack
from mngnas_lib.distill.reference import RepeatedEq20
from mngnas_lib.lab.provenance import process_peak_memory
from mngnas_lib.search import Guidance, RetrainConfig, Retraining
from mngnas_lib.spaces import Output, SlotNetwork, get_space
from mngnas_lib.supernet import MiniBatches, batch_statistics

STUDENTS, TEACHERS, SIZE = 30, 10, 16
#: So many of the 30 students are timed in the printed form, and scaled up.
SAMPLE = 2
CONFIG = RetrainConfig(epochs=1000, batch_size=96)


def retraining_step() -> list[Row]:
    """With one thread, and with as many as torch takes by itself."""
    rows = []
    for threads in dict.fromkeys((1, torch.get_num_threads())):
        with _threads(threads):
            rows += _steps(f"retraining, {threads} thread{'s' * (threads > 1)}")
    context = multiprocessing.get_context("spawn")
    for memory in ("graphs", "recompute"):
        with context.Pool(1) as pool:
            rows.append(Row(f"retraining, {memory}: memory added by a step", pool.apply(_memory, (memory,)), "MiB"))
    return rows


def _steps(name: str) -> list[Row]:
    labels, full, recomputed = _retraining(guided=False), _retraining(), _retraining(memory="recompute")
    printed, timed = _Printed(_retraining()), _retraining()
    timed.watch.every = 1
    solving: list[float] = []

    def timed_step() -> None:
        before = timed.watch.parts.get("coefficients", 0.0)
        timed.train_step()
        solving.append(timed.watch.parts["coefficients"] - before)

    calls = {
        "labels": labels.train_step,
        "full": full.train_step,
        "timed": timed_step,
        "recomputed": recomputed.train_step,
        "printed": printed.step,
    }
    seconds = medians(calls, repeats=9, warmup=2)
    alone = seconds["printed"] * STUDENTS / SAMPLE
    return [
        Row(f"{name}: full step / labels alone", seconds["full"] / seconds["labels"], "x", "<= 1.35"),
        Row(f"{name}: Algorithm 1 as printed / full step", alone / seconds["full"], "x", ">= 8"),
        Row(f"{name}: coefficients in a full step", 100 * median(solving) / seconds["timed"], "%", "<= 2"),
        Row(f"{name}: recomputed / held graphs", seconds["recomputed"] / seconds["full"], "x"),
        Row(f"{name}: labels alone", 1e3 * seconds["labels"], "ms/step"),
        Row(f"{name}: full step", 1e3 * seconds["full"], "ms/step"),
        Row(f"{name}: as printed, {SAMPLE} students scaled to {STUDENTS}", 1e3 * alone, "ms/step"),
    ]


class _Printed:
    """Algorithm 1 as printed: each student computes the outputs of its teachers and peers, and solves by itself."""

    def __init__(self, run: Retraining) -> None:
        self.run = run
        self.problem = RepeatedEq20(TEACHERS, STUDENTS - 1, STUDENTS + TEACHERS)

    def step(self) -> None:
        """One step of a sample of the students."""
        images, labels = self.run.batches.at(self.run.step)
        self.run.step += 1
        self.run.optimizer.zero_grad()
        for index, student in enumerate(self.run.students[:SAMPLE]):
            others = [*self.run.guidance.teachers, *self.run.students[:index], *self.run.students[index + 1 :]]
            self.student_step(student, others, images, labels)
        self.run.optimizer.step()

    def student_step(self, student: SlotNetwork, others: list[SlotNetwork], images: Tensor, labels: Tensor) -> None:
        output = student(images)
        with torch.no_grad():
            members = stack([_output(network, images) for network in others])
        alpha, beta = self.coefficients(output.logits, members.logits)
        loss = F.cross_entropy(output.logits, labels)
        own = Output(output.logits[None], tuple(stage[None] for stage in output.stages))
        for weights in (alpha, beta):
            loss = loss + self.run.config.loss(own, mix(weights, members)).sum()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), self.run.config.clip_norm)

    def coefficients(self, own: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
        """α and β among the other members, (1, members) each, by cvxpy."""
        rows = torch.cat([own.detach()[None], members]).flatten(1).double().cpu().numpy()
        root = np.linalg.qr(rows.T, mode="r").T  # equal inner products, in fewer numbers
        found = self.problem.solve(root[0], root[1 : 1 + TEACHERS], root[1 + TEACHERS :])
        weights = torch.zeros(2, 1, len(members), device=members.device)
        weights[0, 0, :TEACHERS] = torch.from_numpy(found.alpha)
        weights[1, 0, TEACHERS:] = torch.from_numpy(found.beta)
        return weights[0], weights[1]


def _output(network: SlotNetwork, images: Tensor) -> Output:
    if not network.training:
        return network(images)
    with batch_statistics(network):
        return network(images)


def _retraining(*, guided: bool = True, memory: str = "graphs") -> Retraining:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    space = get_space("nasbench201", channels=8, cells=1)
    archs = space.sample_distinct(STUDENTS + TEACHERS, np.random.default_rng(0))
    networks = [space.network(arch, in_channels=1, seed=seed).to(device) for seed, arch in enumerate(archs)]
    config = replace(CONFIG, memory=memory)
    batches = MiniBatches(load_images("digits", size=SIZE, count=1000).to(device), config.batch_size, seed=0)
    everyone = torch.ones(STUDENTS, TEACHERS, dtype=torch.bool)
    guidance = Guidance(tuple(networks[STUDENTS:]), everyone, peers=True, weights="adaptive") if guided else None
    return Retraining(networks[:STUDENTS], batches, config, guidance)


def _memory(memory: str) -> float:
    """How much a step adds to the peak memory (MiB): of the GPU, or of this process."""
    run = _retraining(memory=memory)
    if torch.cuda.is_available():
        before = torch.cuda.memory_allocated()
        run.run(until=2)
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    before = process_peak_memory()
    run.run(until=2)
    return process_peak_memory() - before


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
