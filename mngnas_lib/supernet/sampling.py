"""Which paths one training step of a SuperNet runs.

A strategy is a function ``(space, seed, step) -> paths``. The training loop runs each path on the same mini-batch, adds
up their gradients, and makes one optimiser step. Drawing is a pure function of the run's seed and the step's number,
so that a resumed run draws what the interrupted one would have drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mngnas_lib.errors import ConfigError
from mngnas_lib.spaces import Arch, SearchSpace

Strategy = Callable[[SearchSpace, int, int], list[Arch]]


def spos(space: SearchSpace, seed: int, step: int) -> list[Arch]:
    """SPOS (Guo et al., ECCV 2020): one path a step, uniform over the space's valid architectures."""
    return [space.sample(np.random.default_rng([seed, step]))]


def balanced_spos(space: SearchSpace, seed: int, step: int) -> list[Arch]:
    """SPOS with balanced draws: one path a step, but within a round of m steps every choice of a slot has its turn.

    m is the largest number of choices of a slot. The round's paths are the columns of one random permutation a slot,
    FairNAS's draw (Chu et al., ICCV 2021, Section 3.2), trained one a step as in SPOS instead of all m in one step. A
    single step's path is still uniform; only how often choices are drawn varies less. A slot with fewer than m choices
    repeats them so that their counts in a round differ by at most one.

    Raises:
        ConfigError: the choices of this space do not combine freely, so that permutations would make invalid paths.
    """
    if not space.has_free_slots:
        raise ConfigError(f"spos-balanced needs choices that combine freely, those of {space.name} do not: use spos")
    counts = [len(slot.choices) for slot in space.slots]
    rounds = max(counts)
    turn, position = divmod(step, rounds)
    generator = np.random.default_rng([seed, turn])
    path = []
    for count in counts:
        order = np.concatenate([generator.permutation(count) for _ in range(-(-rounds // count))])[:rounds]
        path.append(int(generator.permutation(order)[position]))
    return [tuple(path)]


STRATEGIES: dict[str, Strategy] = {"spos": spos, "spos-balanced": balanced_spos}


def get_strategy(name: str) -> Strategy:
    """The strategy called ``name``.

    Raises:
        ConfigError: there is none.
    """
    if name not in STRATEGIES:
        raise ConfigError(f"no SuperNet strategy is called {name!r}: choose one of {', '.join(sorted(STRATEGIES))}")
    return STRATEGIES[name]


def paths_of_step(space: SearchSpace, strategy: str, seed: int, step: int) -> list[Arch]:
    """The paths that step ``step`` (from 0) of a run with ``seed`` trains."""
    return get_strategy(strategy)(space, seed, step)


def visit_counts(space: SearchSpace, strategy: str, seed: int, steps: int) -> list[np.ndarray]:
    """How often each choice of each slot was trained in the first ``steps`` steps: one array (choices,) a slot."""
    counts = [np.zeros(len(slot.choices), dtype=np.int64) for slot in space.slots]
    for step in range(steps):
        for arch in paths_of_step(space, strategy, seed, step):
            for slot, choice in enumerate(arch):
                counts[slot][choice] += 1
    return counts
