"""Who teaches whom: an algorithm's choice of teachers among all that was retrained, and their students.

Everything is a function of what was retrained so far; weights lie elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from mngnas_lib.distill.algorithms import Algorithm
from mngnas_lib.search.groups import Member, TeacherGroups, best
from mngnas_lib.spaces import Arch


def choose_teachers(algorithm: Algorithm, members: Sequence[Member], threshold: float, size: int) -> tuple[Member, ...]:
    """Who teaches in the next search epoch, of all ``members`` that were retrained.

    Args:
        threshold: flops_thre in MAdds, between the two groups.
        size: n_TS. Two groups have so many members each, one pool twice as many, a single teacher is one. With 0 there
            are no teachers.
    """
    if algorithm.teachers == "groups":
        return TeacherGroups(threshold, size).update(members)[0].all
    return best(members, {"none": 0, "single": min(1, size), "best": 2 * size}[algorithm.teachers])


def taught_by(algorithm: Algorithm, macs: Sequence[int], teachers: Sequence[Member], threshold: float) -> Tensor:
    """(students, teachers), bool: whether a student with so many MAdds learns from a teacher (lines 7-11).

    With two groups, students learn from the group on their side of the threshold; else all learn from all.
    """
    mask = torch.ones(len(macs), len(teachers), dtype=torch.bool)
    if algorithm.teachers == "groups":
        side = TeacherGroups(threshold, 0).side
        for i, student in enumerate(macs):
            for e, teacher in enumerate(teachers):
                mask[i, e] = side(student) == side(teacher.macs)
    return mask


def entrants(before: Sequence[Member], after: Sequence[Member]) -> list[Arch]:
    """Architectures that teach from now on and did not before: those that Algorithm 2 fine-tunes."""
    known = {member.arch for member in before}
    return [member.arch for member in after if member.arch not in known]
