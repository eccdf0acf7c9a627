"""Which architectures are trained, and how often."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Arch, InputShape, SearchSpace

#: Strata of FLOPs from which architectures are drawn
STRATA = 20
#: In a space too large to list, strata are made of so many random architectures: always the same, so that a larger draw
#: holds the smaller one
_POOL = 6_000
#: A space with more notations than this is not listed
_LISTED = 1_000_000


class Training(NamedTuple):
    """One stand-alone training."""

    arch: Arch
    seed: int


def stratified(
    space: SearchSpace, count: int | None, seed: int, *, input_shape: InputShape, num_classes: int
) -> list[Arch]:
    """``count`` distinct architectures, no two computing the same function, spread over the range of FLOPs.

    All distinct architectures (of a large space: many random ones) are put into ``STRATA`` strata of equal width in
    multiply-accumulates. They are drawn in rounds: one at random from each stratum that has any left, until there are
    enough. A plain draw would hold hardly any of the cheapest and costliest networks; so what is drawn here is not
    typical of the space, and its Kendall's tau is that of this sample. From the same seed, more architectures are those
    of a smaller draw and others besides, so that a table can grow.

    Args:
        count: None takes all, where the space can be listed.

    Raises:
        ConfigError: the space has fewer, or, where it cannot be listed, more than 6,000 or all were asked for.
    """
    rng = np.random.default_rng(seed)
    listed = space.size <= _LISTED
    if count is None and not listed:
        raise ConfigError(f"{space.name} has too many architectures to train them all: ask for a number of them")
    pool = list(space.canonical_archs()) if listed else space.sample_distinct(_POOL, rng)
    if count is None:
        return pool
    if not 1 <= count <= len(pool):
        limit = f"has {len(pool)} distinct architectures" if listed else f"is too large to draw more than {len(pool)}"
        raise ConfigError(f"{space.name} {limit}, {count} were asked for: ask for fewer")
    macs = np.array([space.cost(arch, input_shape=input_shape, num_classes=num_classes).macs for arch in pool])
    # from 0 to STRATA - 1; the costliest is in the last
    stratum = (macs - macs.min()) * STRATA // (macs.max() - macs.min() + 1)
    order = rng.permutation(len(pool))
    order = order[np.argsort(stratum[order], kind="stable")]
    sizes = np.bincount(stratum, minlength=STRATA)
    # in which round each is drawn: its place within its stratum
    turn = np.arange(len(pool)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    chosen = order[np.argsort(turn, kind="stable")[:count]]
    return [pool[index] for index in chosen[np.argsort(macs[chosen], kind="stable")]]


def planned(archs: list[Arch], seeds: int, repeated: int = 0) -> list[Training]:
    """Every architecture once with each of the seeds 0, 1, ...; then ``repeated`` of them, evenly spread over the list,
    with one seed more, against which the mean of the others can be held.

    Seeds are the outer loop: a computation that is stopped early has trained all architectures equally often, but for
    the seed under way, in which they come in random order, so that what there is of it is a fair sample.

    Raises:
        ConfigError: no seed, or more to repeat than there are architectures.
    """
    if seeds < 1:
        raise ConfigError(f"each architecture is trained at least once, not {seeds} times")
    if not 0 <= repeated <= len(archs):
        raise ConfigError(f"{repeated} of {len(archs)} architectures cannot be trained once more: ask for fewer")
    once_more = np.linspace(0, len(archs) - 1, repeated).round().astype(int)
    orders = [np.random.default_rng(seed).permutation(len(archs)) for seed in range(seeds)]
    trainings = [Training(archs[index], seed) for seed, order in enumerate(orders) for index in order]
    return trainings + [Training(archs[index], seeds) for index in once_more]
