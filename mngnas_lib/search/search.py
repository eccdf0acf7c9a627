"""The search (Algorithm 3): propose candidates, retrain them, rank them, update the teacher groups.

Each search epoch is a function of the state that the one before left and of the seed. A search that was killed goes on
from its last checkpoint, in the middle of a retraining too, and ends in the history that it would have had.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import kendalltau
from tqdm.auto import tqdm

from mngnas_lib.data import ImageData
from mngnas_lib.distill.perturbation import perturbed_archs
from mngnas_lib.errors import ConfigError
from mngnas_lib.search.config import SearchConfig
from mngnas_lib.search.evolution import Candidate, Constraint, propose, remove_worst
from mngnas_lib.search.groups import Member, best
from mngnas_lib.search.history import SearchResult
from mngnas_lib.search.record import Outcome, record
from mngnas_lib.search.retrain import Guidance, Retraining, labels_only
from mngnas_lib.search.state import Checkpoints, SearchState, identity_of
from mngnas_lib.search.teaching import choose_teachers, entrants, taught_by
from mngnas_lib.search.tuning import Tuned, tune
from mngnas_lib.spaces import Arch, SlotNetwork
from mngnas_lib.supernet import MiniBatches, check_images, rank
from mngnas_lib.supernet.checkpoint import locked

if TYPE_CHECKING:
    from lightning_fabric import Fabric

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
        ConfigError: nothing satisfies the constraint, or the network is no SuperNet for such images.
        ArchError: one that candidates shall be among is none of the space.
        CheckpointError: ``folder`` holds another search's checkpoints, or another process uses it.
        TrainingDivergedError: a loss was not finite.
    """
    if supernet.arch is not None:
        raise ConfigError("a search needs a SuperNet, not a stand-alone network")
    check_images(supernet, data)
    run = _Search(supernet, data, config, None if folder is None else Path(folder), truth, fabric)
    with locked(run.checkpoints.folder if run.checkpoints.is_kept else None):
        run.state = run.checkpoints.load(run.device) or run.state
        return run.run(progress)


class _Search:
    """A search under way: its state, and what makes the next one from it."""

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
        self.supernet, self.data, self.config = supernet, data.to(self.device), config
        self.truth, self.fabric, self.space = truth, fabric, supernet.space
        self.constraint = Constraint.of(
            self.space, config.max_macs, input_shape=data.input_shape, num_classes=data.num_classes
        )
        self.among = {self.space.check(arch) for arch in config.among}
        is_first = fabric is None or fabric.is_global_zero
        self.checkpoints = Checkpoints(folder, identity_of(supernet, data, config), is_writer=is_first)
        self.state = SearchState(config.threshold)

    def run(self, progress: bool | None) -> SearchResult:
        state, steps = self.state, self.config.retrain.steps(self.batches(0).steps_per_epoch)
        with tqdm(
            total=self.config.search_epochs * steps,
            initial=state.done * steps,
            unit="step",
            desc=f"search {self.space.name}",
            disable=None if progress is None else not progress,
        ) as bar:
            while state.done < self.config.search_epochs:
                candidates = self.propose()
                if not candidates:
                    break  # the space has no more
                self.search_epoch(candidates, bar)
        winner = best(state.history.members(self.space), 1)[0]
        network = self.network(winner.arch)
        return SearchResult(winner, network, float(self.threshold), state.certificate, state.history)

    # ------------------------------------------------------------------ one search epoch

    def propose(self) -> list[Candidate]:
        """Line 3 of Algorithm 3."""
        history = self.state.history
        survivors = history.population(self.space) if self.config.proposals == "evolution" else []
        return propose(
            self.space,
            [member.arch for member in survivors],
            self.config.candidates,
            self.is_allowed,
            [member.arch for member in history.members(self.space)],
            np.random.default_rng([self.config.seed, self.state.done]),
            self.config.crossover_ratio,
        )

    def is_allowed(self, arch: Arch) -> bool:
        """Whether ``arch`` may be proposed."""
        return self.constraint(arch) and (not self.among or arch in self.among)

    def search_epoch(self, candidates: list[Candidate], bar: tqdm) -> None:
        """Retrain the candidates, rank them, update teachers and population."""
        started, state = time.perf_counter(), self.state
        earlier = state.seconds  # of the same search epoch, in a process that was killed
        archs = [candidate.arch for candidate in candidates]
        macs = [self.constraint.cost(arch).macs for arch in archs]
        if state.threshold is None:
            state.threshold = float(np.median(macs))
        before = rank(self.supernet, archs, self.data, bn=self.config.bn, progress=False).accuracy
        ranking = {"ranking": time.perf_counter() - started}
        teachers = self.teachers(state.history.members(self.space))
        retraining = self.retrain(archs, macs, teachers, bar, lambda parts: _total(earlier, ranking | parts, started))
        validated = time.perf_counter()
        accuracies = [self.accuracy(student) for student in retraining.students]
        seconds = ranking | retraining.watch.seconds() | {"validation": time.perf_counter() - validated}
        members = [Member(*row) for row in zip(archs, macs, accuracies, strict=True)]
        students = dict(zip(archs, retraining.students, strict=True))
        entered = entrants(teachers, self.teachers([*state.history.members(self.space), *members]))
        tuned = {arch: self.perturb(students[arch]) for arch in entered}
        seconds["perturbation"] = sum(result.seconds for result in tuned.values())
        outcome = Outcome(candidates, members, before, teachers, retraining, tuned)
        record(state.history, state.done + 1, outcome, self.space, self.constraint, self.threshold)
        _, removed = remove_worst(state.history.population(self.space), self.config.removed)
        state.history.remove((self.space.to_string(member.arch) for member in removed), state.done + 1)
        self.keep(students)
        state.done += 1
        for part, value in _total(earlier, seconds, started).items():
            state.history.seconds.append({"search_epoch": state.done, "part": part, "seconds": value})
        state.retraining, state.seconds = None, {}
        self.checkpoints.save(state.done * (retraining.total + 1), state)
        self.show(bar)

    def retrain(
        self,
        archs: list[Arch],
        macs: list[int],
        teachers: Sequence[Member],
        bar: tqdm,
        total: Callable[[dict[str, float]], dict[str, float]],
    ) -> Retraining:
        """Lines 4 to 12 of Algorithm 3: labels alone in the first search epoch, then teachers and peers.

        Args:
            total: turns the seconds of the retraining's parts into all that this search epoch took so far.
        """
        state, algorithm = self.state, self.config.algorithm
        students = [self.supernet.extract(arch) for arch in archs]
        guidance = labels_only(len(students))
        if state.done:
            guidance = Guidance(
                tuple(self.network(teacher.arch) for teacher in teachers),
                taught_by(algorithm, macs, teachers, self.threshold),
                algorithm.peers,
                algorithm.weights,
            )
        retraining = Retraining(students, self.batches(0), self.config.retrain, guidance, fabric=self.fabric)
        if state.retraining is not None:
            retraining.load_state_dict(state.retraining)
        bar.update(state.done * retraining.total + retraining.step - bar.n)

        def on_step() -> None:
            bar.update()
            if self.checkpoints.is_due:
                retraining.check_losses()
                state.retraining, state.seconds = retraining.state_dict(), total(retraining.watch.seconds())
                self.checkpoints.save(state.done * (retraining.total + 1) + retraining.step, state)

        retraining.run(on_step=on_step)
        gap, residual = retraining.certificate.tolist()
        state.certificate = (max(state.certificate[0], gap), max(state.certificate[1], residual))
        return retraining

    def perturb(self, network: SlotNetwork) -> Tuned:
        """Algorithm 2 for one network that became a teacher, if the algorithm has that."""
        started, config = time.perf_counter(), self.config
        count = config.perturbed if config.algorithm.perturbation else 0
        rng = np.random.default_rng([config.seed, self.state.done, *network.arch])
        others = perturbed_archs(self.space, network.arch, count, rng)
        if not others:
            return Tuned()
        settings = {"epochs": config.perturb_epochs, "lr": config.perturb_lr, "fabric": self.fabric}
        losses = tune(network, others, self.supernet, self.batches(1), config.retrain, **settings)
        return Tuned(len(others), losses, self.accuracy(network), time.perf_counter() - started)

    # ------------------------------------------------------------------ teachers

    @property
    def threshold(self) -> float:
        return math.nan if self.state.threshold is None else self.state.threshold

    def teachers(self, members: Sequence[Member]) -> tuple[Member, ...]:
        """Who teaches after ``members`` were retrained; nobody before the first were."""
        if not members:
            return ()
        return choose_teachers(self.config.algorithm, members, self.threshold, self.config.group_size)

    def network(self, arch: Arch) -> SlotNetwork:
        """A teacher, with its own weights."""
        network = self.supernet.extract(arch)
        network.load_state_dict(self.state.weights[self.space.to_string(arch)])
        return network.eval()

    def keep(self, students: dict[Arch, SlotNetwork]) -> None:
        """Keep the weights of those that teach from now on, and of the best; forget those of all others."""
        members = self.state.history.members(self.space)
        weights = {}
        for arch in {member.arch for member in [*self.teachers(members), *best(members, 1)]}:
            text = self.space.to_string(arch)
            weights[text] = students[arch].state_dict() if arch in students else self.state.weights[text]
        self.state.weights = weights

    # ------------------------------------------------------------------ images

    def batches(self, use: int) -> MiniBatches:
        """Mini-batches of this search epoch, for retraining (0) or for the fine-tuning of new teachers (1)."""
        config = self.config.retrain
        (seed,) = np.random.SeedSequence([config.seed, self.state.done, use]).generate_state(1)
        ranks = {} if self.fabric is None else {"rank": self.fabric.global_rank, "world_size": self.fabric.world_size}
        settings = {"augment": config.augment, "channels_last": config.channels_last}
        return MiniBatches(self.data, config.batch_size, seed=int(seed), **settings, **ranks)

    def accuracy(self, network: SlotNetwork) -> float:
        """On the validation set."""
        return float(rank(network, [network.arch], self.data, bn=self.config.bn, progress=False).accuracy[0])

    def show(self, bar: tqdm) -> None:
        """The progress line after a search epoch."""
        rows = self.state.history.archs
        accuracies = [row["accuracy"] for row in rows]
        shown = {"epoch": self.state.done, "best": f"{100 * max(accuracies):.2f}%"}
        if self.truth is not None and len(rows) > 1:
            true = self.truth([self.space.from_string(row["arch"]) for row in rows])
            shown["tau"] = f"{kendalltau(accuracies, true).statistic:.3f}"
        bar.set_postfix(shown)


def _total(earlier: dict[str, float], parts: dict[str, float], started: float) -> dict[str, float]:
    """Seconds by part of a search epoch: those before an interruption, and all since ``started``."""
    rest = max(0.0, time.perf_counter() - started - sum(parts.values()))
    now = parts | {"rest": rest}
    return {part: earlier.get(part, 0.0) + now.get(part, 0.0) for part in dict.fromkeys([*now, *earlier])}
