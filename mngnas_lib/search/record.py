"""A search epoch as rows of the history's tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mngnas_lib.search.evolution import Candidate, Constraint
from mngnas_lib.search.groups import Member, TeacherGroups
from mngnas_lib.search.history import History
from mngnas_lib.search.retrain import Retraining
from mngnas_lib.search.tuning import Tuned
from mngnas_lib.spaces import Arch, SearchSpace


@dataclass(frozen=True)
class Outcome:
    """What a search epoch gave.

    Attributes:
        candidates, members: in the same order; members have the accuracies after retraining.
        before: accuracies (n,) with the SuperNet's weights.
        teachers: who taught in this search epoch.
        tuned: by architecture, what became of those that entered a teacher group.
    """

    candidates: Sequence[Candidate]
    members: Sequence[Member]
    before: np.ndarray
    teachers: Sequence[Member]
    retraining: Retraining
    tuned: dict[Arch, Tuned]


def record(
    history: History, search_epoch: int, outcome: Outcome, space: SearchSpace, costs: Constraint, threshold: float
) -> None:
    """Write one search epoch into the history: architectures, coefficients and losses."""
    text, side = space.to_string, TeacherGroups(threshold, 0).side
    names = [text(member.arch) for member in outcome.members]
    teachers = [text(member.arch) for member in outcome.teachers]
    alpha, beta = outcome.retraining.mean_coefficients()
    losses = torch.stack(outcome.retraining.losses).sum(2).mean(0).tolist()
    for index, (candidate, member) in enumerate(zip(outcome.candidates, outcome.members, strict=True)):
        top_teacher, alpha_max = _largest(alpha[index], teachers)
        top_peer, beta_max = _largest(beta[index], names)
        tuned = outcome.tuned.get(member.arch, Tuned())
        history.archs.append(
            {
                "search_epoch": search_epoch,
                "arch": names[index],
                "origin": candidate.origin,
                "parents": " x ".join(text(parent) for parent in candidate.parents),
                "params": costs.cost(member.arch).params,
                "macs": member.macs,
                "group": side(member.macs),
                "accuracy_before": float(outcome.before[index]),
                "accuracy": member.accuracy,
                "loss": losses[index],
                "top_teacher": top_teacher,
                "alpha_max": alpha_max,
                "top_peer": top_peer,
                "beta_max": beta_max,
                "entered": member.arch in outcome.tuned,
                "perturbed": tuned.others,
                "accuracy_perturbed": tuned.accuracy,
                "removed_in": 0,
            }
        )
    if not outcome.retraining.guidance.is_empty:
        history.add_coefficients(search_epoch, names, teachers, alpha, beta)
    history.add_curve(search_epoch, outcome.retraining.curve())
    for arch, tuned in outcome.tuned.items():
        history.add_perturbation(search_epoch, text(arch), tuned.losses)


def _largest(coefficients: Tensor, names: list[str]) -> tuple[str, float]:
    """The member with the largest coefficient, and that; nobody where all are zero."""
    if not len(coefficients) or not coefficients.any():
        return "", 0.0
    index = int(coefficients.argmax())
    return names[index], float(coefficients[index])
