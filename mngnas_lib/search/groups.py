"""Which retrained architectures teach: the most accurate ones seen so far (Section III-F, Eq. 24).

Weights live elsewhere, by architecture; here is only what decides who belongs where.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Arch

Side = Literal["small", "large"]


@dataclass(frozen=True)
class Member:
    """A retrained architecture: its multiply-accumulates, and its accuracy (a fraction) on the validation set."""

    arch: Arch
    macs: int
    accuracy: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.accuracy <= 1.0:  # also true of NaN, which no ranking can place
            raise ConfigError(f"the accuracy of {self.arch} is {self.accuracy}: it must be a fraction from 0 to 1")


def rank_key(member: Member) -> tuple[float, int, Arch]:
    """Sorts the better member first: more accurate, then fewer FLOPs, then the smaller tuple, so that none tie."""
    return (-member.accuracy, member.macs, member.arch)


def best(members: Iterable[Member], size: int) -> tuple[Member, ...]:
    """The ``size`` best of ``members``, the best first: one pool of teachers, whatever their FLOPs.

    An architecture that occurs more than once counts with its best accuracy.
    """
    first: dict[Arch, Member] = {}
    for member in sorted(members, key=rank_key):
        first.setdefault(member.arch, member)
    return tuple(first.values())[:size]


def update_group(group: Iterable[Member], newcomers: Iterable[Member], size: int) -> tuple[Member, ...]:
    """Eq. 24: the ``size`` best of the group and the newcomers, the best first; between equals fewer FLOPs win."""
    return best((*group, *newcomers), size)


@dataclass(frozen=True)
class TeacherGroups:
    """The two teacher groups T_s and T_l of Algorithm 3, each the best seen so far on its side of the FLOPs threshold.

    Attributes:
        threshold: ``flops_thre`` in multiply-accumulates; an architecture exactly at it is small.
        size: n_TS, the most that a group holds. With 0 there are no teachers.
        small, large: members of T_s and T_l, the best first.

    Raises:
        ConfigError: a threshold that is not a number, a negative size, or members that do not fit.
    """

    threshold: float
    size: int
    small: tuple[Member, ...] = ()
    large: tuple[Member, ...] = ()

    def __post_init__(self) -> None:
        if math.isnan(self.threshold):
            raise ConfigError("the FLOPs threshold between the teacher groups is NaN: give a number of MACs")
        if not isinstance(self.size, int) or self.size < 0:
            raise ConfigError(f"a teacher group cannot have {self.size} members: give a whole number, 0 or more")
        for side, group in (("small", self.small), ("large", self.large)):
            if len(group) > self.size or any(self.side(member.macs) != side for member in group):
                raise ConfigError(
                    f"the {side} teacher group takes at most {self.size} members on its side of "
                    f"{self.threshold} MACs: these do not fit: {group}"
                )

    @property
    def all(self) -> tuple[Member, ...]:
        """Every teacher, the small ones first."""
        return self.small + self.large

    def side(self, macs: int) -> Side:
        """The group of an architecture with so many multiply-accumulates."""
        return "small" if macs <= self.threshold else "large"

    def teachers_of(self, macs: int) -> tuple[Member, ...]:
        """Who teaches a student with so many multiply-accumulates (lines 7-11 of Algorithm 3)."""
        return self.small if self.side(macs) == "small" else self.large

    def update(self, members: Iterable[Member]) -> tuple[TeacherGroups, tuple[Arch, ...], tuple[Arch, ...]]:
        """The groups after a search epoch in which ``members`` were retrained (line 13 of Algorithm 3).

        Returns:
            The new groups, the architectures that entered one, and those that left.
        """
        members = tuple(members)
        groups = {
            side: update_group(getattr(self, side), (m for m in members if self.side(m.macs) == side), self.size)
            for side in ("small", "large")
        }
        updated = replace(self, **groups)
        before, after = [member.arch for member in self.all], [member.arch for member in updated.all]
        entered = tuple(arch for arch in after if arch not in before)
        return updated, entered, tuple(arch for arch in before if arch not in after)
