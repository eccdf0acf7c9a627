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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from mngnas_lib.distill.algorithms import Weights
from mngnas_lib.distill.coefficients import gram_matrix, solve, uniform
from mngnas_lib.distill.imitation import imitate
from mngnas_lib.distill.losses import stack
from mngnas_lib.errors import ConfigError, TrainingDivergedError
from mngnas_lib.search.retrain_config import RetrainConfig
from mngnas_lib.search.stopwatch import Stopwatch
from mngnas_lib.spaces import Output, SlotNetwork
from mngnas_lib.supernet import MiniBatches, batch_statistics

if TYPE_CHECKING:
    from lightning_fabric import Fabric

#: Losses wait on the GPU until this many are read at once, so that the GPU is not stopped at every step.
_STEPS_BETWEEN_CHECKS = 50


@dataclass(frozen=True)
class Guidance:
    """Who teaches whom, and how the members of a group are weighted.

    Attributes:
        teachers: networks that do not move.
        taught: (students, teachers), bool: student i learns from teacher e.
        peers: whether each student also learns from all other students.
    """

    teachers: tuple[SlotNetwork, ...]
    taught: Tensor
    peers: bool
    weights: Weights

    @property
    def is_empty(self) -> bool:
        """Whether labels are all there is to learn from."""
        return not self.teachers and not self.peers


def labels_only(students: int) -> Guidance:
    """Neither teachers nor peers: algorithm A, and the first search epoch of all algorithms."""
    return Guidance((), torch.zeros(students, 0, dtype=torch.bool), peers=False, weights="uniform")


class Retraining:
    """Students under training: networks, optimiser, steps done, and what was recorded of them.

    Args:
        students: trained in place; of one space, on one device.
        batches: mini-batches, on the same device.
        guidance: by default, labels only.
        fabric: if several processes share the work, each has all students and its shard of each mini-batch; Gram
            matrices and gradients are then combined over the processes.

    Raises:
        ConfigError: no students, or a mask that does not fit them and their teachers.
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
        count, teachers = len(self.students), len(self.guidance.teachers)
        if not count:
            raise ConfigError("there are no students to retrain: give at least one")
        if self.guidance.taught.shape != (count, teachers):
            raise ConfigError(
                f"the mask of who is taught has shape {tuple(self.guidance.taught.shape)}: give one row for each of "
                f"{count} students, with one entry for each of {teachers} teachers"
            )
        self.device = next(self.students[0].parameters()).device
        self.fabric = fabric if fabric is not None and fabric.world_size > 1 else None
        self.total = config.steps(batches.steps_per_epoch)
        self.step = 0
        self.optimizer = config.optimizer(self.students)
        self.parameters = [list(student.parameters()) for student in self.students]
        # the members of Eq. 20: students first, then teachers
        self.rows = torch.arange(count, device=self.device)
        nobody = torch.zeros(count, count, dtype=torch.bool, device=self.device)
        taught = self.guidance.taught.to(self.device)
        others = ~torch.eye(count, dtype=torch.bool, device=self.device) if self.guidance.peers else nobody
        self.teacher_mask = torch.cat([nobody, taught], 1)
        self.peer_mask = torch.cat([others, torch.zeros_like(taught)], 1)
        self.losses: list[Tensor] = []  # (students, 3) a step: by labels, by teachers, by peers
        self.unchecked = 0
        self.alpha = torch.zeros(count, count + teachers, dtype=torch.float64, device=self.device)
        self.beta = torch.zeros_like(self.alpha)
        self.certificate = torch.zeros(2, dtype=torch.float64, device=self.device)  # the worst gap and KKT residual
        self.watch = Stopwatch(self.device)
        for student in self.students:
            student.train()
        for teacher in self.guidance.teachers:
            teacher.eval().requires_grad_(False)

    def run(self, *, until: int | None = None, on_step: Callable[[], None] | None = None) -> None:
        """Do the missing steps, up to step ``until`` or to the end.

        Args:
            on_step: called after each step, for example to store a checkpoint.

        Raises:
            TrainingDivergedError: a student's loss is not finite; the message names the step and the architecture.
        """
        while self.step < (self.total if until is None else until):
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
        losses, gradients = self.output_gradients(outputs, images, labels)
        self.losses.append(losses)
        self.unchecked += 1
        if self.device.type == "cpu" or self.unchecked >= _STEPS_BETWEEN_CHECKS:
            self.check_losses()
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

    def output_gradients(self, outputs: Sequence[Output], images: Tensor, labels: Tensor) -> tuple[Tensor, Output]:
        """Losses (S, 3), by labels, teachers and peers; and the gradient of each student's sum in its outputs.

        Gradients have a leading S; there are none of the stages where no loss looks at these.
        """
        count = len(self.students)
        if self.guidance.is_empty:
            members = stack([Output(output.logits, ()) for output in outputs])
        else:
            members = self.members(outputs, images)
        logits = members.logits[:count].requires_grad_()
        by_labels = label_losses(logits, labels)
        (gradient,) = torch.autograd.grad(by_labels.sum(), logits)
        losses, gradients = torch.zeros(count, 2, device=self.device), Output(gradient, ())
        if not self.guidance.is_empty:
            alpha, beta = self.coefficients(members)
            self.watch.lap("coefficients")
            losses, imitating = imitate(members, alpha, beta, self.config.loss)
            gradients = Output(gradient + imitating.logits, imitating.stages)
        self.watch.lap("losses")
        return torch.cat([by_labels.detach()[:, None], losses], 1), gradients

    def members(self, outputs: Sequence[Output], images: Tensor) -> Output:
        """Outputs of all members, students first, with a leading M."""
        with torch.no_grad():
            taught = [self.forward(teacher, images) for teacher in self.guidance.teachers]
        self.watch.lap("teachers")
        everyone = [*outputs, *taught]
        if self.config.loss.features == "none" and self.config.combined == "logits":
            everyone = [Output(output.logits, ()) for output in everyone]
        return stack(everyone)

    def coefficients(self, members: Output) -> tuple[Tensor, Tensor]:
        """α and β, each (S, members)."""
        if self.guidance.weights == "uniform":
            found = uniform(self.teacher_mask, self.peer_mask)
        else:
            gram = gram_matrix(self.combined(members))
            if self.fabric is not None:
                gram = self.fabric.all_reduce(gram, reduce_op="sum")
            found = solve(gram, self.rows, self.teacher_mask, self.peer_mask, scale=self.config.scale)
            self.certificate = torch.maximum(self.certificate, torch.stack([found.gap.max(), found.kkt.max()]))
        self.alpha += found.alpha
        self.beta += found.beta
        return found.alpha, found.beta

    def combined(self, outputs: Output) -> Sequence[Tensor]:
        """The outputs p of Eq. 20."""
        if self.config.combined == "logits":
            return (outputs.logits,)
        return outputs.stages[-1:] if self.config.combined == "last stage" else outputs.stages

    def update(self) -> None:
        """Combine gradients over processes, clip them student by student, and make one step of the optimiser."""
        for parameters in self.parameters:
            if self.fabric is not None:
                average_gradients(parameters, self.fabric)
            if self.config.clip_norm:
                torch.nn.utils.clip_grad_norm_(parameters, self.config.clip_norm)
        self.optimizer.step()

    def check_losses(self) -> None:
        """Stop at the first loss that is not finite."""
        if not self.unchecked:
            return
        recent = torch.stack(self.losses[-self.unchecked :]).cpu()
        first = len(self.losses) - self.unchecked
        self.unchecked = 0
        bad = (~recent.isfinite()).nonzero()
        if len(bad):
            step, student, _ = bad[0].tolist()
            arch = self.students[student].space.to_string(self.students[student].arch)
            raise TrainingDivergedError(
                f"the loss of student {student}, {arch}, is {float(recent[step, student].sum())} in step "
                f"{first + step} of its retraining: lower the learning rate, or use precision 32-true"
            )

    # ------------------------------------------------------------------ what was recorded; stopping and going on

    def curve(self, rows: int = 20) -> dict[str, list[float]]:
        """Losses, as means over students and over about ``rows`` equal stretches of the steps done."""
        losses = torch.stack(self.losses).mean(1).cpu()
        stretches = losses.tensor_split(min(rows, len(losses)))
        ends = torch.tensor([len(stretch) for stretch in stretches]).cumsum(0)
        means = torch.stack([stretch.mean(0) for stretch in stretches]).T.tolist()
        return {"step": ends.tolist(), **dict(zip(("labels", "teachers", "peers"), means, strict=True))}

    def mean_coefficients(self) -> tuple[Tensor, Tensor]:
        """Means over the steps done: of α (students, teachers), of β (students, students)."""
        count, steps = len(self.students), max(1, self.step)
        return self.alpha[:, count:].cpu() / steps, self.beta[:, :count].cpu() / steps

    def state_dict(self) -> dict[str, Any]:
        """Everything that a new object with the same arguments needs to go on."""
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


def label_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of each student, (S,), from logits (S, batch, classes) and labels (batch,)."""
    students, batch, _ = logits.shape
    losses = F.cross_entropy(logits.flatten(0, 1), labels.repeat(students), reduction="none")
    return losses.unflatten(0, (students, batch)).mean(1)


def backward(output: Output, gradients: Output) -> None:
    """Send the gradients of a network's outputs through the network; those of the stages may be missing."""
    outputs = (output.logits, *output.stages[: len(gradients.stages)])
    pairs = zip(outputs, (gradients.logits, *gradients.stages), strict=True)
    # a cell through which nothing passes has a constant output
    moving = [(tensor, gradient.to(tensor.dtype)) for tensor, gradient in pairs if tensor.requires_grad]
    torch.autograd.backward(*zip(*moving, strict=True))


def average_gradients(parameters: Sequence[Tensor], fabric: Fabric) -> None:
    """Replace the parameters' gradients by their means over all processes."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    flat = fabric.all_reduce(torch.cat([gradient.flatten() for gradient in gradients]), reduce_op="mean")
    for gradient, mean in zip(gradients, flat.split([gradient.numel() for gradient in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
