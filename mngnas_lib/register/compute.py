"""Computing what the register's items lack: every run once, in their order, each stored as soon as it is done."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from statistics import median

from mngnas_lib.distill.algorithms import ALGORITHMS
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import Profile
from mngnas_lib.lab.run import run, stored
from mngnas_lib.lab.search_runs import SearchRun
from mngnas_lib.register.item import Item
from mngnas_lib.register.needs import NEEDS


@dataclass(frozen=True)
class Pending:
    """A run without a stored result.

    Attributes:
        seconds: about how long it takes, the runs inside it apart: the median of stored runs of the same kind under
            this profile; None where there are none.
        inside: whether it is a part of another run, which computes it on the way.
    """

    config: RunConfig
    seconds: float | None
    inside: bool

    @property
    def about(self) -> tuple[str, ...]:
        """Of a search, or of the one inside: space, images, SuperNet training, algorithm and seed; else nothing."""
        search = next((one for one in (self.config, *_inner(self.config)) if isinstance(one, SearchRun)), None)
        if search is None:
            return ()
        supernet, algorithm = search.supernet, search.search.algorithm
        name = next((name for name, known in ALGORITHMS.items() if known == algorithm), "an algorithm of its own")
        return supernet.space.name, supernet.data.source, supernet.train.strategy, name, f"seed {search.search.seed}"


def pending(item: Item, profile: Profile) -> list[Pending]:
    """The runs that an item lacks, each after the searches that it needs."""
    found: dict[str, Pending] = {}
    seconds = _known_seconds(profile)
    for need in NEEDS[item.needs](profile) if item.needs else []:
        if stored(need.config, profile=profile.name) is None:
            for config in _with_inner(need.config):
                if config.digest not in found and stored(config, profile=profile.name) is None:
                    inside = config is not need.config
                    found[config.digest] = Pending(config, seconds.get(_sort_of(config)), inside)
    return list(found.values())


def compute(item: Item, profile: Profile, *, say: Callable[[str], None] | None = None) -> int:
    """Compute the runs that an item lacks; return how many. What was interrupted goes on from its last checkpoint."""
    runs = [need.config for need in (NEEDS[item.needs](profile) if item.needs else [])]
    missing = [config for config in runs if stored(config, profile=profile.name) is None]
    with _as_current(profile):
        for number, config in enumerate(missing, 1):
            if say is not None:
                say(f"{item.id}: run {number} of {len(missing)}, {config.kind}-{config.digest[:12]}")
            run(config, profile=profile.name)
    return len(missing)


def _with_inner(config: RunConfig) -> Iterator[RunConfig]:
    """The searches inside a run, which are stored as runs of their own, and then the run."""
    yield from (inner for inner in _inner(config) if isinstance(inner, SearchRun))
    yield config


def _inner(value: object) -> Iterator[RunConfig]:
    """All runs among the settings of a run."""
    if isinstance(value, tuple):
        for entry in value:
            yield from _inner(entry) if not isinstance(entry, RunConfig) else (*_inner(entry), entry)
    elif is_dataclass(value):
        for field in fields(value):
            entry = getattr(value, field.name)
            yield from (*_inner(entry), entry) if isinstance(entry, RunConfig) else _inner(entry)


def _sort_of(config: RunConfig) -> tuple[object, ...]:
    """What runs must have in common to take about as long."""
    if isinstance(config, SearchRun):
        return config.kind, config.supernet.space.name, config.search.algorithm, config.search.retrain.epochs
    return (config.kind,)


def _known_seconds(profile: Profile) -> dict[tuple[object, ...], float]:
    """By sort, the median seconds of the register's stored runs."""
    seconds: dict[tuple[object, ...], list[float]] = {}
    for list_needs in NEEDS.values():
        for need in list_needs(profile):
            for config in _with_inner(need.config):
                result = stored(config, profile=profile.name)
                if result is not None:
                    seconds.setdefault(_sort_of(config), []).append(result.provenance["seconds"])
    return {sort: median(values) for sort, values in seconds.items()}


@contextmanager
def _as_current(profile: Profile) -> Iterator[None]:
    """Runs that a run needs are stored under the current profile, which the environment names."""
    before = os.environ.get("MNGNAS_PROFILE")
    os.environ["MNGNAS_PROFILE"] = profile.name
    try:
        yield
    finally:
        if before is None:
            del os.environ["MNGNAS_PROFILE"]
        else:
            os.environ["MNGNAS_PROFILE"] = before
