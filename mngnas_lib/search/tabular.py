"""Searches that need nothing but a table: regularised evolution, REINFORCE, random search (baselines of Table V).

All three are told one number of each architecture that they query (:class:`Landscape`), and end with the best that
they were told of. Many searches run at once, each with random numbers of its own seed: what a seed finds depends
neither on the other seeds nor on how many queries come later.

*Budget.* NAS-Bench-201 and NATS-Bench give these searches simulated training time; a table of accuracies has none, so
here the budget is a number of queries (:func:`queries_in`). As there, querying an architecture again costs a query.

*Differences from the published code (AutoDL-Projects).* It mutates a cell of NAS-Bench-201 by drawing a node first and
then one of its edges, so that edges into early nodes change more often: here all changes of one slot are equally
likely. It is told the accuracy of one training run, drawn at random: here the table's mean over runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from mngnas_lib.errors import ConfigError
from mngnas_lib.search.tabular_landscape import Floats, Landscape, Rows, pick
from mngnas_lib.search.tabular_policy import ReinforceConfig, reinforce

#: Mean seconds of one epoch of NAS-Bench-201's 12-epoch training on half of CIFAR-10's training images, over 15,000
#: architectures, as the benchmark's API tells it; written down in the public repository Mirofil/SOTL_NAS.
EPOCH_SECONDS = 9.14
#: About what one validation takes there.
VALIDATION_SECONDS = 3.0


@dataclass(frozen=True)
class EvolutionConfig:
    """Settings of regularised evolution (Real et al., AAAI 2019); the defaults are those of NAS-Bench-201's code.

    Attributes:
        population: how many of the last queries are alive.
        sample: how many of them, drawn with repetition, compete to be the parent.
    """

    population: int = 10
    sample: int = 3

    def __post_init__(self) -> None:
        if self.population < 1 or self.sample < 1:
            raise ConfigError(
                f"regularised evolution needs a population and a sample of at least one, not {self.population} "
                f"and {self.sample}"
            )


@dataclass(frozen=True)
class TabularConfig:
    """Settings of all searches on tables."""

    evolution: EvolutionConfig = field(default_factory=EvolutionConfig)
    reinforce: ReinforceConfig = field(default_factory=ReinforceConfig)


def queries_in(seconds: float) -> int:
    """About how many architectures of NAS-Bench-201 a simulated time on CIFAR-10 pays for: 12 epochs, one validation.

    106 for the 12,000 s of NAS-Bench-201 and 177 for the 20,000 s of NATS-Bench. This is an estimate by the mean over
    all architectures: the papers print no number, and a search that prefers large cells gets fewer. NATS-Bench's code
    gives 40,000 s on CIFAR-100 and 120,000 s on ImageNet16-120, where an epoch takes longer.
    """
    return round(seconds / (12 * EPOCH_SECONDS + VALIDATION_SECONDS))


def random_search(landscape: Landscape, queries: int, seeds: Sequence[int], config: TabularConfig) -> Rows:
    """Uniform draws from the table, with repetition."""
    return landscape.anywhere(_luck(seeds, 0, queries, 1)[..., 0])


def regularised_evolution(landscape: Landscape, queries: int, seeds: Sequence[int], config: TabularConfig) -> Rows:
    """Aging evolution: the best of a sample of the population has a child, and the oldest dies.

    A child enters as one leaves, so the population is always the last ``population`` queries.
    """
    population, sample = config.evolution.population, config.evolution.sample
    luck = _luck(seeds, 1, queries, sample + 2)
    rows = landscape.anywhere(luck[..., 0])  # later ones are replaced below
    every = np.arange(len(rows))
    for query in range(population, queries):
        rivals = rows[every[:, None], query - population + pick(luck[:, query, :sample], population)]
        parents = rivals[every, landscape.reward[rivals].argmax(axis=1)]
        rows[:, query] = landscape.neighbours(parents, luck[:, query, sample:])
    return rows


def policy_search(landscape: Landscape, queries: int, seeds: Sequence[int], config: TabularConfig) -> Rows:
    """REINFORCE, see :mod:`mngnas_lib.search.tabular_policy`."""
    shape = (len(landscape.sizes), max(landscape.sizes))
    start = np.array([_generator(seed, 2).standard_normal(shape) for seed in seeds])
    return reinforce(landscape, start, _luck(seeds, 3, queries, shape[0] + 1), config.reinforce)


Searcher = Callable[[Landscape, int, Sequence[int], TabularConfig], Rows]
#: Searches by the name that Table V and figures give them
SEARCHERS: dict[str, Searcher] = {
    "REA": regularised_evolution,
    "REINFORCE": policy_search,
    "random search": random_search,
}


def search_table(
    name: str, landscape: Landscape, queries: int, seeds: Sequence[int], config: TabularConfig | None = None
) -> Rows:
    """What searches query: rows of the table in order, shape (seeds, queries).

    Args:
        name: one of ``SEARCHERS``.
        seeds: one search each; whole numbers from 0.

    Raises:
        ConfigError: no such search, no query, no seed, or a negative one.
    """
    if name not in SEARCHERS:
        raise ConfigError(f"no search on tables is called {name!r}: choose one of {', '.join(SEARCHERS)}")
    if queries < 1:
        raise ConfigError(f"a search needs at least one query, not {queries}")
    if not len(seeds) or min(seeds) < 0:
        raise ConfigError("a search needs at least one seed, and no negative ones")
    return SEARCHERS[name](landscape, queries, seeds, config or TabularConfig())


def best_so_far(landscape: Landscape, rows: Rows) -> Rows:
    """After each query the row with the highest reward until then, the earliest of equals; shapes (seeds, queries)."""
    reward = landscape.reward[rows]
    best = np.maximum.accumulate(reward, axis=1)
    is_new = np.concatenate([np.ones((len(rows), 1), bool), best[:, 1:] > best[:, :-1]], axis=1)
    when = np.maximum.accumulate(np.where(is_new, np.arange(rows.shape[1]), 0), axis=1)
    return np.take_along_axis(rows, when, axis=1)


def regrets(landscape: Landscape, found: Rows) -> Floats:
    """By how much the table's best test accuracy on the searched data set beats that of the rows in ``found``."""
    test = landscape.truth[landscape.dataset].test
    return test.max() - test[found]


def _generator(seed: int, stream: int) -> np.random.Generator:
    return np.random.default_rng([stream, seed])


def _luck(seeds: Sequence[int], stream: int, queries: int, width: int) -> Floats:
    """Uniform numbers in [0, 1), (seeds, queries, width); fewer queries get the first of the same numbers."""
    return np.array([_generator(seed, stream).random((queries, width)) for seed in seeds])
