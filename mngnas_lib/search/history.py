"""What a search leaves behind, as tables."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from torch import Tensor

from mngnas_lib.errors import ConfigError
from mngnas_lib.search.groups import Member
from mngnas_lib.spaces import SearchSpace, SlotNetwork

Rows = list[dict[str, Any]]

#: Columns of each table, described in :class:`History`
COLUMNS = {
    "archs": (
        "search_epoch",
        "arch",
        "origin",
        "parents",
        "params",
        "macs",
        "group",
        "accuracy_before",
        "accuracy",
        "loss",
        "top_teacher",
        "alpha_max",
        "top_peer",
        "beta_max",
        "entered",
        "perturbed",
        "accuracy_perturbed",
        "removed_in",
    ),
    "coefficients": ("search_epoch", "student", "member", "kind", "coefficient"),
    "curves": ("search_epoch", "step", "labels", "teachers", "peers"),
    "perturbation": ("search_epoch", "arch", "step", "labels", "perturbed"),
    "seconds": ("search_epoch", "part", "seconds"),
}


@dataclass
class History:
    """Rows of the search's tables, as plain data that a checkpoint can hold.

    Attributes:
        archs: one row an architecture: ``search_epoch`` (from 1), ``arch`` (notation), ``origin``, ``parents``
            (notations with `` x `` between them), ``params``, ``macs``, ``group`` (its side of the threshold),
            ``accuracy_before`` (with the SuperNet's weights) and ``accuracy`` (retrained), fractions of the validation
            set, ``loss`` (mean over its retraining), ``top_teacher`` and ``alpha_max`` (who had the largest mean α, and
            that), ``top_peer`` and ``beta_max``, ``entered`` (whether it became a teacher), ``perturbed`` (perturbed
            architectures it was fine-tuned against), ``accuracy_perturbed`` (after that; else NaN), ``removed_in``
            (the search epoch that took it out of the population; 0: it is in it).
        coefficients: one row for each student, member and search epoch with guidance: ``search_epoch``, ``student``,
            ``member`` (notations), ``kind`` (``teacher`` or ``peer``), ``coefficient`` (mean of α or β over the steps).
        curves: ``search_epoch``, ``step``, and the mean losses of the stretch that ends there, by ``labels``,
            ``teachers`` and ``peers``.
        perturbation: the same of the fine-tuning of new teachers: ``search_epoch``, ``arch``, ``step``, and the mean
            losses ``labels`` (L_cls) and ``perturbed`` (L_dis of Eq. 22).
        seconds: wall time: ``search_epoch``, ``part``, ``seconds``; all else is a function of the seed. Parts are
            ``ranking`` (accuracies with the SuperNet's weights), those of the retraining's steps, ``validation``,
            ``perturbation``, and the ``rest``.
    """

    archs: Rows = field(default_factory=list)
    coefficients: Rows = field(default_factory=list)
    curves: Rows = field(default_factory=list)
    perturbation: Rows = field(default_factory=list)
    seconds: Rows = field(default_factory=list)

    def members(self, space: SearchSpace) -> list[Member]:
        """Everything that was retrained."""
        return [Member(space.from_string(row["arch"]), row["macs"], row["accuracy"]) for row in self.archs]

    def population(self, space: SearchSpace) -> list[Member]:
        """What has not been removed."""
        rows = [row for row in self.archs if not row["removed_in"]]
        return [Member(space.from_string(row["arch"]), row["macs"], row["accuracy"]) for row in rows]

    def remove(self, removed: Iterable[str], search_epoch: int) -> None:
        """Take architectures, given by notation, out of the population."""
        gone = set(removed)
        for row in self.archs:
            if row["arch"] in gone:
                row["removed_in"] = search_epoch

    def add_coefficients(
        self, search_epoch: int, students: list[str], teachers: list[str], alpha: Tensor, beta: Tensor
    ) -> None:
        """Mean α (students, teachers) and β (students, students) of a search epoch, zeros left out."""
        for kind, members, table in (("teacher", teachers, alpha), ("peer", students, beta)):
            for student, row in zip(students, table.tolist(), strict=True):
                for member, coefficient in zip(members, row, strict=True):
                    if coefficient > 0:
                        self.coefficients.append(
                            {
                                "search_epoch": search_epoch,
                                "student": student,
                                "member": member,
                                "kind": kind,
                                "coefficient": coefficient,
                            }
                        )

    def add_curve(self, search_epoch: int, curve: dict[str, list[float]]) -> None:
        """Losses of a retraining, see :meth:`mngnas_lib.search.retrain.Retraining.curve`."""
        for row in zip(*curve.values(), strict=True):
            self.curves.append({"search_epoch": search_epoch, **dict(zip(curve, row, strict=True))})

    def add_perturbation(self, search_epoch: int, arch: str, losses: Tensor, rows: int = 20) -> None:
        """Losses (steps, 2) of the fine-tuning of one new teacher, as means over about ``rows`` equal stretches."""
        step = 0
        for stretch in losses.tensor_split(min(rows, len(losses))) if len(losses) else ():
            step += len(stretch)
            labels, perturbed = stretch.mean(0).tolist()
            row = {"search_epoch": search_epoch, "arch": arch, "step": step}
            self.perturbation.append(row | {"labels": labels, "perturbed": perturbed})


@dataclass(frozen=True)
class SearchResult:
    """The end of a search.

    Attributes:
        best: the most accurate architecture under the constraint; between equal accuracies, that with fewer MAdds.
        network: with its retrained weights (fine-tuned ones, if it became a teacher and the algorithm has that).
        threshold: flops_thre in MAdds.
        certificate: the worst relative duality gap and KKT residual of all coefficients.
        history: tables, see :class:`History`.
    """

    best: Member
    network: SlotNetwork
    threshold: float
    certificate: tuple[float, float]
    history: History

    def table(self, name: str) -> pd.DataFrame:
        """One of the tables of :class:`History` as a data frame; with its columns, even if it has no rows.

        Raises:
            ConfigError: there is no such table.
        """
        if name not in COLUMNS:
            raise ConfigError(f"a search has no table {name!r}: choose one of {', '.join(COLUMNS)}")
        return pd.DataFrame(getattr(self.history, name), columns=list(COLUMNS[name]))
