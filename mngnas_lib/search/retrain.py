"""The retraining of all candidates of a search epoch at once (Algorithm 1).

Algorithm 1 lets each student compute the predictions of its teachers and peers. Here all students see the same
mini-batch, so that one forward pass a model serves as student, peer and teacher; one Gram matrix holds the inner
products of all outputs, and one batched solve gives all coefficients. A step is

1. forward: each student, each teacher;
2. coefficients: uniform, or those of Eq. 20;
3. the gradient of each student's loss (Eq. 8, 10) in its *outputs*, for all students in one go;
4. backward: each student's output gradient through its network; clip, update.

What students learn from their peers are the peers' outputs of the same step, before its update.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from mngnas_lib.distill.coefficients import gram_matrix, solve, uniform
from mngnas_lib.distill.imitation import imitate
from mngnas_lib.distill.losses import stack
from mngnas_lib.errors import ConfigError, TrainingDivergedError
from mngnas_lib.search.gradients import average_gradients, backward, label_losses
from mngnas_lib.search.guidance import Guidance, labels_only
from mngnas_lib.search.retrain_config import RetrainConfig
from mngnas_lib.search.stopwatch import Stopwatch
from mngnas_lib.spaces import Output, SlotNetwork
from mngnas_lib.supernet import MiniBatches, batch_statistics

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: Losses wait on the GPU until this many are read at once, so that the GPU is not stopped at every step.
_STEPS_BETWEEN_CHECKS = 50
#: The kinds of losses, in the order in which a bad one is looked for: what learns from others catches their mistakes.
_KINDS = ("labels", "teachers", "peers")


class Retraining:
    """Students under training: networks, optimiser, steps done, and what was recorded of them.

    Attributes:
        step: steps done, of ``total``.
        losses: a tensor (students, 3) a step: by labels, by teachers, by peers.
        certificate: the worst relative duality gap and KKT residual of all coefficients so far.
        watch: seconds by part of a step, of this process.

    Args:
        students: trained in place; of one space, on one device.
        batches: mini-batches, on the same device.
        guidance: by default, labels only.
        fabric: if several processes share the work, each has all students and its shard of each mini-batch; losses,
            Gram matrices and gradients are then combined over the processes.

    Raises:
        ConfigError: no students, a mask that does not fit them, a student among the teachers, or mini-batches that are
            not split evenly over the processes.
    """

    def __init__(
        self,
        students: Sequence[SlotNetwork],
        batches: MiniBatches,
        config: RetrainConfig,
        guidance: Guidance | None = None,
        *,
        fabric: Fabric | None = None,
    ) -> None:
        self.students, self.batches, self.config = list(students), batches, config
        self.guidance = labels_only(len(self.students)) if guidance is None else guidance
        self.fabric = fabric if fabric is not None and fabric.world_size > 1 else None
        self._check_arguments()
        self.device = next(self.students[0].parameters()).device
        for student in self.students:
            student.train().to(memory_format=batches.format)
        for teacher in self.guidance.teachers:
            teacher.eval().requires_grad_(False).to(memory_format=batches.format)
        self.optimizer = config.optimizer(self.students)
        self.step, self.total = 0, config.steps(batches.steps_per_epoch)
        self.teacher_mask, self.peer_mask = self.guidance.masks(self.device)
        self.losses: list[Tensor] = []
        self.unchecked = 0
        self.alpha, self.beta = (torch.zeros_like(self.peer_mask, dtype=torch.float64) for _ in range(2))  # sums
        self.certificate = torch.zeros(2, dtype=torch.float64, device=self.device)
        self.watch = Stopwatch(self.device)
        self.imitating: Output | None = None  # gradients of the last step, whose memory the next one uses

    def _check_arguments(self) -> None:
        count, taught = len(self.students), len(self.guidance.taught)
        if not count:
            raise ConfigError("there are no students to retrain: give at least one")
        if taught != count:
            raise ConfigError(f"the mask of who is taught has {taught} rows: give one for each of {count} students")
        if len({*map(id, self.students), *map(id, self.guidance.teachers)}) < count + len(self.guidance.teachers):
            raise ConfigError("a network is there twice among students and teachers: give each a copy of its own")
        processes = 1 if self.fabric is None else self.fabric.world_size
        if self.batches.world_size != processes or self.batches.batch_size % processes:
            raise ConfigError(
                f"mini-batches of {self.batches.batch_size} images are split over {self.batches.world_size} processes, "
                f"the work over {processes}: split them evenly over as many"
            )

    def run(self, *, until: int | None = None, on_step: Callable[[], None] | None = None) -> None:
        """Do the missing steps, up to step ``until`` or to the end.

        Args:
            on_step: called after each step, for example to store a checkpoint.

        Raises:
            TrainingDivergedError: a student's loss is not finite; the message names the step and the architecture.
        """
        last = self.total if until is None else min(until, self.total)
        while self.step < last:
            self.train_step()
            if on_step is not None:
                on_step()
        self.check_losses()

    # ------------------------------------------------------------------ one step

    def train_step(self) -> None:
        """One step of all students."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr_at(self.step, self.total)
        self.watch.begin(self.step)
        images, labels = self.batches.at(self.step)
        self.watch.lap("data")
        is_held = self.config.memory == "graphs"
        with torch.set_grad_enabled(is_held):
            outputs = [self.forward(student, images) for student in self.students]
        self.watch.lap("forward")
        with torch.no_grad():
            taught = [self.forward(teacher, images) for teacher in self.guidance.teachers]
        self.watch.lap("teachers")
        gradients = self.output_gradients(outputs, taught, labels)
        self.optimizer.zero_grad(set_to_none=True)
        while outputs:  # from the last to the first: each graph is freed as soon as it was used
            output, student = outputs.pop(), self.students[len(outputs)]
            if not is_held:
                with batch_statistics(student):  # the batch norms have counted this batch already
                    output = self.forward(student, images)
            backward(output, Output(gradients.logits[len(outputs)], tuple(s[len(outputs)] for s in gradients.stages)))
            del output
        self.watch.lap("backward")
        self.update()
        self.watch.lap("update")
        self.step += 1

    def forward(self, network: SlotNetwork, images: Tensor) -> Output:
        with self.config.autocast(self.device):
            return network(images)

    def output_gradients(self, outputs: Sequence[Output], taught: Sequence[Output], labels: Tensor) -> Output:
        """The gradient of each student's loss in its outputs, with a leading S; the losses are recorded.

        There are no gradients of stages where no loss looks at these.

        Args:
            outputs, taught: of the students and of their teachers.
        """
        count = len(outputs)
        logits = stack([Output(output.logits, ()) for output in outputs]).logits.requires_grad_()
        losses = label_losses(logits, labels)
        gradients = Output(*torch.autograd.grad(losses.sum(), logits), ())
        losses, distances = self.mean_over_processes(losses.detach())[:, None], losses.new_zeros(count, 2)
        self.watch.lap("losses")
        if not self.guidance.is_empty:
            if self.guidance.weights == "adaptive":
                self._stop_unless_finite(losses[None], self.step)  # else the solver would name a Gram matrix
            alpha, beta = self.coefficients([*outputs, *taught])
            self.watch.lap("coefficients")
            distances, self.imitating = imitate(
                outputs, taught, alpha[:, count:], beta[:, :count], self.config.loss, reuse=self.imitating
            )
            distances = self.mean_over_processes(distances)
            gradients = Output(gradients.logits + self.imitating.logits, self.imitating.stages)
        self.losses.append(torch.cat([losses, distances], 1))
        self.unchecked += 1
        if self.device.type == "cpu" or self.unchecked >= _STEPS_BETWEEN_CHECKS:
            self.check_losses()
        self.watch.lap("losses")
        return gradients

    def coefficients(self, members: Sequence[Output]) -> tuple[Tensor, Tensor]:
        """α and β, each (S, members), from the outputs of all members, students first."""
        if self.guidance.weights == "uniform":
            found = uniform(self.teacher_mask, self.peer_mask)
        else:
            last = {"logits": 0, "last stage": 1, "stages": len(members[0].stages)}[self.config.combined]
            outputs = stack([Output(member.logits, member.stages[len(member.stages) - last :]) for member in members])
            gram = gram_matrix(outputs.stages or (outputs.logits,))
            if self.fabric is not None:
                gram = self.fabric.all_reduce(gram, reduce_op="sum")
            rows = torch.arange(len(self.students), device=self.device)
            found = solve(gram, rows, self.teacher_mask, self.peer_mask, scale=self.config.scale)
            self.certificate = torch.maximum(self.certificate, torch.stack([found.gap.max(), found.kkt.max()]))
        self.alpha += found.alpha
        self.beta += found.beta
        return found.alpha, found.beta

    def update(self) -> None:
        """Combine gradients over processes, clip them student by student, and make one step of the optimiser."""
        parameters = [list(student.parameters()) for student in self.students]
        if self.fabric is not None:
            average_gradients([parameter for own in parameters for parameter in own], self.fabric)
        if self.config.clip_norm:
            for own in parameters:
                torch.nn.utils.clip_grad_norm_(own, self.config.clip_norm)
        self.optimizer.step()

    def mean_over_processes(self, losses: Tensor) -> Tensor:
        return losses if self.fabric is None else self.fabric.all_reduce(losses, reduce_op="mean")

    def check_losses(self) -> None:
        """Stop at the first loss that is not finite.

        Raises:
            TrainingDivergedError: naming the step and the architecture.
        """
        if self.unchecked:
            first = len(self.losses) - self.unchecked
            self.unchecked = 0
            self._stop_unless_finite(torch.stack(self.losses[first:]), first)

    def _stop_unless_finite(self, losses: Tensor, first: int) -> None:
        """The same for losses (steps, students, kinds) from step ``first`` on."""
        losses = losses.transpose(1, 2).cpu()
        bad = (~losses.isfinite()).nonzero()
        if len(bad):
            step, kind, student = bad[0].tolist()
            network = self.students[student]
            arch = network.space.to_string(network.resolve(None))
            raise TrainingDivergedError(
                f"the loss of student {student}, {arch}, by {_KINDS[kind]} is {float(losses[step, kind, student])} in "
                f"step {first + step} of its retraining: lower the learning rate, or use precision 32-true"
            )

    # ------------------------------------------------------------------ what was recorded; stopping and going on

    def curve(self, rows: int = 20) -> dict[str, list[float]]:
        """Losses, as means over students and over at most ``rows`` stretches, about equal, of the steps done.

        Returns:
            ``step``, how many steps were done at the end of each stretch, and ``labels``, ``teachers``, ``peers``.
        """
        if not self.losses:
            return {name: [] for name in ("step", *_KINDS)}
        losses = torch.stack(self.losses).mean(1).cpu()
        stretches = losses.tensor_split(min(rows, len(losses)))
        ends = torch.tensor([len(stretch) for stretch in stretches]).cumsum(0)
        means = torch.stack([stretch.mean(0) for stretch in stretches]).T.tolist()
        return {"step": ends.tolist(), **dict(zip(_KINDS, means, strict=True))}

    def mean_coefficients(self) -> tuple[Tensor, Tensor]:
        """Means over the steps done: of α (students, teachers), of β (students, students)."""
        count, steps = len(self.students), max(1, self.step)
        return self.alpha[:, count:].cpu() / steps, self.beta[:, :count].cpu() / steps

    def state_dict(self) -> dict[str, Any]:
        """Everything that a new object with the same arguments needs to go on.

        Raises:
            TrainingDivergedError: a loss was not finite, so that there is nothing to go on from.
        """
        self.check_losses()
        return {
            "step": self.step,
            "students": [student.state_dict() for student in self.students],
            "optimizer": self.optimizer.state_dict(),
            "losses": torch.stack(self.losses) if self.losses else torch.zeros(0, len(self.students), 3),
            "alpha": self.alpha,
            "beta": self.beta,
            "certificate": self.certificate,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from another object's :meth:`state_dict`."""
        self.step = state["step"]
        for student, weights in zip(self.students, state["students"], strict=True):
            student.load_state_dict(weights)
        self.optimizer.load_state_dict(state["optimizer"])
        self.losses = list(state["losses"].to(self.device))
        self.alpha, self.beta = state["alpha"].to(self.device), state["beta"].to(self.device)
        self.certificate = state["certificate"].to(self.device)
