"""The search (Algorithm 3): propose candidates, retrain them, rank them, update the teacher groups.

Each search epoch is a function of the state that the one before left and of the seed. A search that was killed goes on
from its last checkpoint, in the middle of a retraining too, and ends in the history that it would have had.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from scipy.stats import kendalltau
from torch import Tensor
from tqdm.auto import tqdm

from mngnas_lib.data import ImageData
from mngnas_lib.distill.perturbation import perturbed_archs
from mngnas_lib.errors import CheckpointError, ConfigError
from mngnas_lib.search.config import SearchConfig
from mngnas_lib.search.evolution import Candidate, Constraint, propose, remove_worst
from mngnas_lib.search.groups import Member, TeacherGroups, best
from mngnas_lib.search.history import History, SearchResult
from mngnas_lib.search.retrain import Guidance, Retraining, labels_only
from mngnas_lib.search.tuning import tune
from mngnas_lib.spaces import Arch, SlotNetwork
from mngnas_lib.supernet import MiniBatches, latest_checkpoint, rank, save_checkpoint
from mngnas_lib.supernet.checkpoint import locked

if TYPE_CHECKING:
    from lightning_fabric import Fabric

_SECONDS_BETWEEN_CHECKPOINTS = 300.0

#: True test accuracies (n,) of architectures, for the live τ
Truth = Callable[[Sequence[Arch]], np.ndarray]


def search(
    supernet: SlotNetwork,
    data: ImageData,
    config: SearchConfig,
    *,
    folder: Path | None = None,
    truth: Truth | None = None,
    fabric: Fabric | None = None,
    progress: bool | None = None,
) -> SearchResult:
    """Search for the most accurate architecture.

    Args:
        supernet: trained; it is left as it is. The search runs on its device.
        folder: keep checkpoints there, after each search epoch and every five minutes; if it holds some of the same
            search, go on from the newest. One process at a time may use it.
        truth: a benchmark's test accuracies, only to show Kendall's τ of the accuracies seen so far; the search does
            not use them.
        fabric: if several processes share the retraining, see :class:`mngnas_lib.search.retrain.Retraining`.
        progress: show a progress line; by default if standard error is a terminal.

    Raises:
        ConfigError: nothing satisfies the constraint, or the network is not a SuperNet.
        CheckpointError: ``folder`` holds another search's checkpoints, or another process uses it.
        TrainingDivergedError: a loss was not finite.
    """
    if supernet.arch is not None:
        raise ConfigError("a search needs a SuperNet, not a stand-alone network")
    run = _Search(supernet, data, config, None if folder is None else Path(folder), truth, fabric)
    with locked(run.folder if run.is_first else None):
        run.resume()
        return run.run(progress)


class _Search:
    """State of a search: history, weights of the teachers, and the retraining under way."""

    def __init__(
        self,
        supernet: SlotNetwork,
        data: ImageData,
        config: SearchConfig,
        folder: Path | None,
        truth: Truth | None,
        fabric: Fabric | None,
    ) -> None:
        self.device = next(supernet.parameters()).device
        self.supernet, self.data, self.config, self.folder = supernet, data.to(self.device), config, folder
        self.truth, self.fabric = truth, fabric
        self.space = supernet.space
        self.is_first = fabric is None or fabric.is_global_zero
        self.constraint = Constraint.of(
            self.space, config.max_macs, input_shape=data.input_shape, num_classes=data.num_classes
        )
        self.history = History()
        self.done = 0  # search epochs
        self.threshold: float | None = config.threshold
        self.weights: dict[str, dict[str, Tensor]] = {}  # of the teachers and of the best, by notation
        self.certificate = (0.0, 0.0)
        self.partial: dict[str, Any] | None = None  # the retraining that was under way when a checkpoint was written
        self.supernet_digest = _digest(supernet)
        self.saved = time.perf_counter()

    def run(self, progress: bool | None) -> SearchResult:
        steps = self.config.retrain.steps(self.batches(0).steps_per_epoch)
        with tqdm(
            total=self.config.search_epochs * steps,
            initial=self.done * steps,
            unit="step",
            desc=f"search {self.space.name}",
            disable=None if progress is None else not progress,
        ) as bar:
            while self.done < self.config.search_epochs:
                candidates = self.propose()
                if not candidates:
                    break  # the space has no more
                self.search_epoch(candidates, bar)
        winner = best(self.history.members(self.space), 1)[0]
        network = self.network(winner.arch)
        return SearchResult(winner, network, float(self.threshold), self.certificate, self.history)

    # ------------------------------------------------------------------ one search epoch

    def propose(self) -> list[Candidate]:
        """Line 3 of Algorithm 3."""
        survivors = self.history.population(self.space) if self.config.proposals == "evolution" else []
        return propose(
            self.space,
            [member.arch for member in survivors],
            self.config.candidates,
            self.constraint,
            [member.arch for member in self.history.members(self.space)],
            np.random.default_rng([self.config.seed, self.done]),
            self.config.crossover_ratio,
        )

    def search_epoch(self, candidates: list[Candidate], bar: tqdm) -> None:
        """Retrain the candidates, rank them, update teachers and population."""
        started = time.perf_counter()
        archs = [candidate.arch for candidate in candidates]
        macs = [self.constraint.cost(arch).macs for arch in archs]
        if self.threshold is None:
            self.threshold = float(np.median(macs))
        before = rank(self.supernet, archs, self.data, bn=self.config.bn, progress=False).accuracy
        teachers = self.teachers()
        retraining = self.retrain(archs, macs, teachers, bar)
        validated = time.perf_counter()
        accuracies = [self.accuracy(student) for student in retraining.students]
        validation = time.perf_counter() - validated
        members = [Member(*row) for row in zip(archs, macs, accuracies, strict=True)]
        entered = self.entrants(teachers, members)
        students = dict(zip(archs, retraining.students, strict=True))
        perturbing = self.config.algorithm.perturbation
        tuned = {arch: self.perturb(students[arch]) if perturbing else (0, math.nan, 0.0) for arch in entered}
        self.record(candidates, before, members, teachers, retraining, tuned)
        self.keep(students)
        self.done += 1
        seconds = retraining.watch.seconds() | {
            "validation": validation,
            "perturbation": sum(seconds for *_, seconds in tuned.values()),
        }
        rest = time.perf_counter() - started - sum(seconds.values())
        for part, value in (seconds | {"rest": max(0.0, rest)}).items():
            self.history.seconds.append({"search_epoch": self.done, "part": part, "seconds": value})
        self.partial = None
        self.save(self.done * (retraining.total + 1))
        self.show(bar)

    def retrain(self, archs: list[Arch], macs: list[int], teachers: list[Member], bar: tqdm) -> Retraining:
        """Lines 4 to 12 of Algorithm 3: labels alone in the first search epoch, then teachers and peers."""
        students = [self.supernet.extract(arch) for arch in archs]
        if self.done == 0:
            guidance = labels_only(len(students))
        else:
            guidance = Guidance(
                tuple(self.network(teacher.arch) for teacher in teachers),
                torch.tensor(
                    [[self.teaches(teacher, m) for teacher in teachers] for m in macs], dtype=torch.bool
                ).reshape(len(students), len(teachers)),
                self.config.algorithm.peers,
                self.config.algorithm.weights,
            )
        retraining = Retraining(students, self.batches(0), self.config.retrain, guidance, fabric=self.fabric)
        if self.partial is not None:
            retraining.load_state_dict(self.partial)
        bar.update(self.done * retraining.total + retraining.step - bar.n)

        def on_step() -> None:
            bar.update()
            if time.perf_counter() - self.saved > _SECONDS_BETWEEN_CHECKPOINTS:
                retraining.check_losses()
                self.partial = retraining.state_dict()
                self.save(self.done * (retraining.total + 1) + retraining.step)

        retraining.run(on_step=on_step)
        gap, residual = retraining.certificate.tolist()
        self.certificate = (max(self.certificate[0], gap), max(self.certificate[1], residual))
        return retraining

    def perturb(self, network: SlotNetwork) -> tuple[int, float, float]:
        """Algorithm 2 for one network that became a teacher: how many perturbed architectures there were, its accuracy
        afterwards, and the seconds that it took."""
        started, config = time.perf_counter(), self.config
        rng = np.random.default_rng([config.seed, self.done, *network.arch])
        others = perturbed_archs(self.space, network.arch, config.perturbed, rng)
        if not others:
            return 0, math.nan, 0.0
        settings = {"epochs": config.perturb_epochs, "lr": config.perturb_lr, "fabric": self.fabric}
        losses = tune(network, others, self.supernet, self.batches(1), config.retrain, **settings)
        text = self.space.to_string(network.arch)
        self.history.add_perturbation(self.done + 1, text, losses)
        return len(others), self.accuracy(network), time.perf_counter() - started

    def record(
        self,
        candidates: list[Candidate],
        before: np.ndarray,
        members: list[Member],
        teachers: list[Member],
        retraining: Retraining,
        tuned: dict[Arch, tuple[int, float, float]],
    ) -> None:
        """Write the search epoch into the history, and take the worst out of the population."""
        text = self.space.to_string
        names, teacher_names = [text(m.arch) for m in members], [text(m.arch) for m in teachers]
        alpha, beta = retraining.mean_coefficients()
        losses = torch.stack(retraining.losses).sum(2).mean(0).tolist()
        groups = TeacherGroups(self.threshold, self.config.group_size)
        epoch = self.done + 1
        if not retraining.guidance.is_empty:
            self.history.add_coefficients(epoch, names, teacher_names[: alpha.shape[1]], alpha, beta)
        for index, (candidate, member) in enumerate(zip(candidates, members, strict=True)):
            count, accuracy, _ = tuned.get(member.arch, (0, math.nan, 0.0))
            top_teacher, alpha_max = _top(alpha[index], teacher_names)
            top_peer, beta_max = _top(beta[index], names)
            self.history.archs.append(
                {
                    "search_epoch": epoch,
                    "arch": names[index],
                    "origin": candidate.origin,
                    "parents": " x ".join(text(parent) for parent in candidate.parents),
                    "params": self.constraint.cost(member.arch).params,
                    "macs": member.macs,
                    "group": groups.side(member.macs),
                    "accuracy_before": float(before[index]),
                    "accuracy": member.accuracy,
                    "loss": losses[index],
                    "top_teacher": top_teacher,
                    "alpha_max": alpha_max,
                    "top_peer": top_peer,
                    "beta_max": beta_max,
                    "entered": member.arch in tuned,
                    "perturbed": count,
                    "accuracy_perturbed": accuracy,
                    "removed_in": 0,
                }
            )
        self.history.add_curve(epoch, retraining.curve())
        _, removed = remove_worst(self.history.population(self.space), self.config.removed)
        gone = {text(member.arch) for member in removed}
        for row in self.history.archs:
            if row["arch"] in gone:
                row["removed_in"] = epoch

    # ------------------------------------------------------------------ teachers

    def teachers(self) -> list[Member]:
        """Who teaches in the next search epoch."""
        return self.teaching(self.history.members(self.space))

    def teaching(self, members: Sequence[Member]) -> list[Member]:
        """Who of all that was retrained teaches, by the algorithm's choice of teachers."""
        size, kind = self.config.group_size, self.config.algorithm.teachers
        if kind == "groups" and members:
            return list(TeacherGroups(self.threshold, size).update(members)[0].all)
        return list(best(members, {"none": 0, "single": min(1, size), "best": 2 * size, "groups": 0}[kind]))

    def teaches(self, teacher: Member, macs: int) -> bool:
        """Whether a student with so many MAdds learns from ``teacher``."""
        if self.config.algorithm.teachers != "groups":
            return True
        groups = TeacherGroups(self.threshold, self.config.group_size)
        return groups.side(teacher.macs) == groups.side(macs)

    def entrants(self, teachers: list[Member], members: list[Member]) -> list[Arch]:
        """Candidates of this search epoch that became teachers and are to be fine-tuned for that (line 13)."""
        after = self.teaching([*self.history.members(self.space), *members])
        before = {member.arch for member in teachers}
        return [member.arch for member in after if member.arch not in before]

    def network(self, arch: Arch) -> SlotNetwork:
        """A teacher, with its own weights."""
        network = self.supernet.extract(arch)
        network.load_state_dict(self.weights[self.space.to_string(arch)])
        return network.eval()

    def keep(self, students: dict[Arch, SlotNetwork]) -> None:
        """Keep the weights of those that teach from now on, and of the best; forget those of all others."""
        members = self.history.members(self.space)
        kept = {member.arch for member in [*self.teaching(members), *best(members, 1)]}
        weights = {}
        for arch in kept:
            text = self.space.to_string(arch)
            weights[text] = students[arch].state_dict() if arch in students else self.weights[text]
        self.weights = weights

    # ------------------------------------------------------------------ images

    def batches(self, use: int) -> MiniBatches:
        """Mini-batches of this search epoch, for retraining (0) or for the fine-tuning of new teachers (1)."""
        config = self.config.retrain
        (seed,) = np.random.SeedSequence([config.seed, self.done, use]).generate_state(1)
        ranks = {} if self.fabric is None else {"rank": self.fabric.global_rank, "world_size": self.fabric.world_size}
        settings = {"augment": config.augment, "channels_last": config.channels_last}
        return MiniBatches(self.data, config.batch_size, seed=int(seed), **settings, **ranks)

    def accuracy(self, network: SlotNetwork) -> float:
        """On the validation set."""
        return float(rank(network, [network.arch], self.data, bn=self.config.bn, progress=False).accuracy[0])

    def show(self, bar: tqdm) -> None:
        """The progress line after a search epoch."""
        rows = self.history.archs
        accuracies = [row["accuracy"] for row in rows]
        shown = {"epoch": self.done, "best": f"{100 * max(accuracies):.2f}%"}
        if self.truth is not None and len(rows) > 1:
            true = self.truth([self.space.from_string(row["arch"]) for row in rows])
            shown["tau"] = f"{kendalltau(accuracies, true).statistic:.3f}"
        bar.set_postfix(shown)

    # ------------------------------------------------------------------ stopping and going on

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree on to be of this search."""
        config = asdict(self.config)
        del config["retrain"]["memory"]  # does not change the result
        return {
            "space": self.space.name,
            "sizes": self.space.settings(),
            "config": config,
            "data": self.data.fingerprint,
            "supernet": self.supernet_digest,
        }

    def save(self, step: int) -> None:
        self.saved = time.perf_counter()
        if self.folder is None or not self.is_first:
            return
        state = {
            "identity": self.identity(),
            "done": self.done,
            "threshold": self.threshold,
            "history": asdict(self.history),
            "weights": self.weights,
            "certificate": list(self.certificate),
            "partial": self.partial,
        }
        save_checkpoint(self.folder, step, state)

    def resume(self) -> None:
        """Go on from the newest whole checkpoint, if there is one."""
        found = None if self.folder is None else latest_checkpoint(self.folder, device=self.device)
        if found is None:
            return
        state, mine = found[1], self.identity()
        theirs = state.get("identity", {})
        if mine != theirs:
            differing = ", ".join(key for key in mine if mine[key] != theirs.get(key))
            raise CheckpointError(
                f"{self.folder} holds checkpoints of another search (differing: {differing}): "
                "use another folder, or delete it to start afresh"
            )
        self.done, self.threshold, self.weights = state["done"], state["threshold"], state["weights"]
        self.history = History(**state["history"])
        self.certificate, self.partial = tuple(state["certificate"]), state["partial"]


def _top(coefficients: Tensor, names: list[str]) -> tuple[str, float]:
    """The member with the largest coefficient, and that; nobody where all are zero."""
    if not len(coefficients) or not coefficients.any():
        return "", 0.0
    index = int(coefficients.argmax())
    return names[index], float(coefficients[index])


def _digest(network: SlotNetwork) -> str:
    """16 hexadecimal digits of a hash of a network's weights and buffers."""
    digest = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]
