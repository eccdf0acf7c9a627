"""New candidates from old ones: crossover, mutation and removal (Section III-F), under a limit on FLOPs.

Everything is a function of architectures, a search space and a generator, so a seed gives the same candidates.
Two notations of one function count as two architectures, as in the benchmarks' tables.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

import numpy as np

from mngnas_lib.distill.perturbation import neighbours
from mngnas_lib.errors import ConfigError
from mngnas_lib.search.groups import Member, rank_key
from mngnas_lib.spaces import Arch, Cost, InputShape, SearchSpace
from mngnas_lib.spaces.base import CostModel

#: Spaces up to this size are listed whole when drawing finds nothing new.
ENUMERABLE = 100_000
#: Draws for each architecture that is wanted, before drawing is given up.
TRIES = 100


@dataclass(frozen=True)
class Candidate:
    """A proposed architecture, how it came about, and from which survivors (two, one or none)."""

    arch: Arch
    origin: Literal["random", "crossover", "mutation"]
    parents: tuple[Arch, ...] = ()


@dataclass(frozen=True)
class Constraint:
    """The FLOPs constraint of Algorithm 3 and the costs it is checked with: ``constraint(arch)`` is true if it fits.

    Attributes:
        table: costs of the space for the images of this search, computed once.
        max_macs: the most multiply-accumulates for one image; None is no limit.
    """

    table: CostModel
    max_macs: int | None = None

    @classmethod
    def of(
        cls, space: SearchSpace, max_macs: int | None = None, *, input_shape: InputShape, num_classes: int
    ) -> Constraint:
        """The constraint for images of one shape.

        Raises:
            ConfigError: no architecture of the space is small enough.
        """
        constraint = cls(space.cost_table(input_shape, num_classes), max_macs)
        smallest = constraint.table.smallest_macs()
        if max_macs is not None and max_macs < smallest:
            raise ConfigError(
                f"no architecture of {space.name} has at most {max_macs:,} MACs for images of {input_shape}: "
                f"the smallest has {smallest:,}, allow at least as many"
            )
        return constraint

    def cost(self, arch: Arch) -> Cost:
        """Parameters and multiply-accumulates of ``arch``."""
        return self.table.total(arch)

    def __call__(self, arch: Arch) -> bool:
        return self.max_macs is None or self.cost(arch).macs <= self.max_macs


def random_candidates(
    space: SearchSpace,
    count: int,
    allowed: Callable[[Arch], bool],
    exclude: Collection[Arch],
    rng: np.random.Generator,
) -> list[Arch]:
    """``count`` distinct architectures, uniform over those that are allowed and not excluded; fewer if there are fewer.

    Raises:
        ConfigError: nothing in the space is allowed; or the space is too large to be listed, and what is allowed and
            new is too rare in it to be found by drawing.
    """
    seen, found, tries = set(exclude), [], TRIES * count
    while len(found) < count and tries:
        tries -= 1
        arch = space.sample(rng)
        if arch not in seen and allowed(arch):
            seen.add(arch)
            found.append(arch)
    if len(found) == count:
        return found
    if space.size > ENUMERABLE:
        raise ConfigError(
            f"{TRIES * count} random architectures of {space.name} had only {len(found)} new ones that are allowed, "
            f"and {count} are needed: loosen the limit on MACs, or ask for fewer candidates"
        )
    pool = [arch for arch in space.all_archs() if allowed(arch)]
    if not pool:
        raise ConfigError(f"no architecture of {space.name} is allowed: loosen the limit on MACs")
    rest = [arch for arch in pool if arch not in seen]
    drawn = rng.choice(len(rest), size=min(count - len(found), len(rest)), replace=False) if rest else ()
    return found + [rest[i] for i in drawn]


def crossover(parent_a: Arch, parent_b: Arch, rng: np.random.Generator) -> Arch:
    """A child that keeps what its parents agree on and takes each other slot from either, with equal chances.

    In a space with a validity rule the child may break it.
    """
    heads = rng.integers(2, size=len(parent_a))
    return tuple(a if head else b for a, b, head in zip(parent_a, parent_b, heads, strict=True))


def mutate(arch: Arch, space: SearchSpace, rng: np.random.Generator) -> Arch:
    """A valid architecture that differs from ``arch`` in exactly one slot: a random slot, a random other choice there.

    Raises:
        ConfigError: ``arch`` has no valid neighbour.
    """
    slots = _mutants(arch, space)
    if not slots:
        raise ConfigError(f"{arch} cannot be mutated: {space.name} has no other valid choice in any slot")
    return _one_of(slots, rng)


def propose(
    space: SearchSpace,
    survivors: Sequence[Arch],
    count: int,
    allowed: Callable[[Arch], bool],
    exclude: Collection[Arch],
    rng: np.random.Generator,
    crossover_ratio: float = 0.5,
) -> list[Candidate]:
    """The candidates of one search epoch (line 3 of Algorithm 3).

    A share ``crossover_ratio`` comes from crossover of two survivors, the others from mutation of one. What cannot be
    had that way, because all of it was seen before, is drawn at random. Without survivors all are random.

    Args:
        survivors: what is left of the population; none of them is proposed.
        count: n_S.
        allowed: the constraint.
        exclude: every architecture proposed so far; none of them is proposed again.

    Returns:
        ``count`` distinct candidates; fewer, or none, when the space has no more.

    Raises:
        ConfigError: a ratio outside [0, 1], or what :func:`random_candidates` raises.
    """
    if not 0.0 <= crossover_ratio <= 1.0:
        raise ConfigError(f"crossover_ratio={crossover_ratio} is not a share: give a number from 0 to 1")
    survivors = list(dict.fromkeys(survivors))
    seen = {*exclude, *survivors}
    found: list[Candidate] = []

    def take(candidates: Iterator[Candidate], wanted: int) -> None:
        target = len(found) + wanted
        while len(found) < target and (candidate := next(candidates, None)):
            if candidate.arch not in seen and space.is_valid(candidate.arch) and allowed(candidate.arch):
                seen.add(candidate.arch)
                found.append(candidate)

    crossed = round(count * crossover_ratio)
    take(_crossovers(survivors, TRIES * crossed, rng), crossed)
    take(_mutations(space, survivors, seen, TRIES * (count - crossed), rng), count - crossed)
    rest = random_candidates(space, count - len(found), allowed, seen, rng)
    return found + [Candidate(arch, "random") for arch in rest]


def remove_worst(population: Sequence[Member], count: int) -> tuple[list[Member], list[Member]]:
    """Take the ``count`` least accurate (n_removed) out of a population; between equal accuracies, more FLOPs go first.

    Returns:
        The survivors, best first, and the removed, best first.
    """
    ranked = sorted(population, key=rank_key)
    kept = max(0, len(ranked) - count)
    return ranked[:kept], ranked[kept:]


def _mutants(arch: Arch, space: SearchSpace) -> list[list[Arch]]:
    """The neighbours of ``arch``, one list for each slot in which it has any."""

    def changed_slot(other: Arch) -> int:
        return next(i for i, (a, b) in enumerate(zip(arch, other, strict=True)) if a != b)

    return [list(group) for _, group in groupby(neighbours(space, arch), key=changed_slot)]


def _one_of(slots: Sequence[Sequence[Arch]], rng: np.random.Generator) -> Arch:
    slot = slots[rng.integers(len(slots))]
    return slot[rng.integers(len(slot))]


def _crossovers(survivors: Sequence[Arch], tries: int, rng: np.random.Generator) -> Iterator[Candidate]:
    """Children of random pairs of different survivors."""
    for _ in range(tries if len(survivors) > 1 else 0):
        one, two = rng.choice(len(survivors), size=2, replace=False)
        parents = (survivors[one], survivors[two])
        yield Candidate(crossover(*parents, rng), "crossover", parents)


def _mutations(
    space: SearchSpace, survivors: Sequence[Arch], seen: AbstractSet[Arch], tries: int, rng: np.random.Generator
) -> Iterator[Candidate]:
    """Random mutants of random survivors; then, since neighbours are few, all that were missed, in random order."""
    options = [(arch, slots) for arch in survivors if (slots := _mutants(arch, space))]
    for _ in range(tries if options else 0):
        arch, slots = options[rng.integers(len(options))]
        yield Candidate(_one_of(slots, rng), "mutation", (arch,))
    missed = [(arch, mutant) for arch, slots in options for slot in slots for mutant in slot if mutant not in seen]
    for i in rng.permutation(len(missed)):
        arch, mutant = missed[i]
        yield Candidate(mutant, "mutation", (arch,))
