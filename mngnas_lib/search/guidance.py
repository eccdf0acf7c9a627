"""Who teaches whom in a retraining."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import torch
from torch import Tensor

from mngnas_lib.distill.algorithms import Weights
from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import SlotNetwork


@dataclass(frozen=True)
class Guidance:
    """Who teaches whom, and how the members of a group are weighted.

    Attributes:
        teachers: networks that do not move. A retraining freezes them and puts them into evaluation mode: they teach
            with the running batch-norm statistics that their own training left. After fewer than about 60 steps these
            still are in part the SuperNet's, of all paths.
        taught: (students, teachers), bool: student i learns from teacher e.
        peers: whether each student also learns from all other students.
        weights: ``uniform``, or ``adaptive``: those of Eq. 20.

    Raises:
        ConfigError: the mask is not of this shape or type, the weights are not known, or a teacher's weights are not
            finite.
    """

    teachers: tuple[SlotNetwork, ...]
    taught: Tensor
    peers: bool
    weights: Weights

    def __post_init__(self) -> None:
        if self.taught.dtype != torch.bool or self.taught.dim() != 2 or self.taught.shape[1] != len(self.teachers):
            raise ConfigError(
                f"the mask of who is taught has type {self.taught.dtype} and shape {tuple(self.taught.shape)}: give "
                f"torch.bool, and one row a student with one entry for each of {len(self.teachers)} teachers"
            )
        if self.weights not in get_args(Weights):
            raise ConfigError(f"weights={self.weights!r} is not known: choose one of {', '.join(get_args(Weights))}")
        for index, teacher in enumerate(self.teachers):
            if not all(bool(tensor.isfinite().all()) for tensor in teacher.state_dict().values()):
                raise ConfigError(
                    f"weights of teacher {index}, {teacher.space.to_string(teacher.resolve(None))}, are not finite: "
                    "leave it out"
                )

    @property
    def is_empty(self) -> bool:
        """Whether labels are all there is to learn from."""
        return not self.teachers and not self.peers

    def masks(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """The groups of each student, its teachers and its peers, among all members of Eq. 20: students, then teachers.

        Returns:
            Two masks (students, students + teachers), bool.
        """
        taught = self.taught.to(device)
        count = len(taught)
        nobody = torch.zeros(count, count, dtype=torch.bool, device=device)
        others = ~torch.eye(count, dtype=torch.bool, device=device) if self.peers else nobody
        return torch.cat([nobody, taught], 1), torch.cat([others, torch.zeros_like(taught)], 1)


def labels_only(students: int) -> Guidance:
    """Neither teachers nor peers: algorithm A, and the first search epoch of all algorithms."""
    return Guidance((), torch.zeros(students, 0, dtype=torch.bool), peers=False, weights="uniform")
