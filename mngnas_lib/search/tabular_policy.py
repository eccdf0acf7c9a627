"""REINFORCE (Williams, 1992) with one categorical distribution a slot, for many seeds at once.

The loss of one query is ``-(R - b) * log p(a)``, summed over slots, where R is the reward of the architecture a, and b
the running mean of rewards. Its gradient by the logits of a slot is ``(R - b) * (p - onehot(a))``; Adam follows it.
Since Adam divides by the gradient's own size, accuracies in percent and as fractions lead the same way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mngnas_lib.errors import ConfigError
from mngnas_lib.search.tabular_landscape import Floats, Landscape, Rows


@dataclass(frozen=True)
class ReinforceConfig:
    """Settings of REINFORCE; the defaults are those of NATS-Bench's code.

    Attributes:
        lr: learning rate of Adam. (NAS-Bench-201's first scripts had 0.001, under which the policy hardly moves.)
        momentum: of the running mean of rewards, which is corrected for its start from zero, and which the current
            reward enters before it is held against it.
        init: standard deviation of the logits at the start.
    """

    lr: float = 0.01
    momentum: float = 0.9
    init: float = 1e-3

    def __post_init__(self) -> None:
        if not (self.lr > 0 and 0 <= self.momentum < 1 and self.init >= 0):
            raise ConfigError(
                f"REINFORCE needs lr > 0, 0 <= momentum < 1 and init >= 0, not lr={self.lr}, "
                f"momentum={self.momentum}, init={self.init}"
            )


class Adam:
    """Adam (Kingma and Ba, 2015) with the usual settings, element by element, so that seeds do not mix."""

    def __init__(self, lr: float, shape: tuple[int, ...]) -> None:
        self.lr, self.steps = lr, 0
        self.first, self.second = np.zeros(shape), np.zeros(shape)

    def step(self, gradient: Floats) -> Floats:
        """What is to be added to the parameters."""
        self.steps += 1
        self.first = 0.9 * self.first + 0.1 * gradient
        self.second = 0.999 * self.second + 0.001 * gradient**2
        first = self.first / (1 - 0.9**self.steps)
        second = self.second / (1 - 0.999**self.steps)
        return -self.lr * first / (np.sqrt(second) + 1e-8)


def softmax(logits: Floats) -> Floats:
    """Probabilities over the last dimension; a logit of minus infinity is a choice that the slot does not have."""
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return weights / weights.sum(axis=-1, keepdims=True)


def policy_gradient(probabilities: Floats, taken: Rows, advantage: Floats) -> Floats:
    """Gradient of ``-advantage * log p(taken)`` by the logits, shape (s, slots, choices).

    Args:
        probabilities: (s, slots, choices). taken: (s, slots). advantage: (s,).
    """
    onehot = np.arange(probabilities.shape[-1]) == taken[..., None]
    return advantage[:, None, None] * (probabilities - onehot)


def reinforce(landscape: Landscape, start: Floats, luck: Floats, config: ReinforceConfig) -> Rows:
    """Rows in the order in which each search queried them, shape (s, queries).

    The policy learns from what it draws, in whatever notation that is. Where the table lacks it, the nearest
    architecture is queried, and the policy learns from that one.

    Args:
        start: standard normal numbers for the logits, (s, slots, choices).
        luck: uniform numbers in [0, 1), (s, queries, slots + 1): one a slot, and one for ties.
    """
    sizes = np.array(landscape.sizes)
    exists = np.arange(start.shape[-1]) < sizes[:, None]
    logits = np.where(exists, config.init * start, -np.inf)
    adam = Adam(config.lr, logits.shape)
    rows = np.empty(luck.shape[:2], dtype=np.int64)
    mean, weight = np.zeros(len(luck)), 0.0
    for query in range(luck.shape[1]):
        probabilities = softmax(logits)
        drawn = (probabilities.cumsum(axis=-1) <= luck[:, query, :-1, None]).sum(axis=-1)
        # rounding may leave the sum of probabilities a little below 1
        drawn = np.minimum(drawn, sizes - 1)
        found = landscape.find(drawn)
        (lacking,) = np.nonzero(found < 0)
        found[lacking] = landscape.nearest(drawn[lacking], luck[lacking, query, -1])
        rows[:, query] = found
        reward = landscape.reward[rows[:, query]]
        mean = config.momentum * mean + (1 - config.momentum) * reward
        weight = config.momentum * weight + (1 - config.momentum)
        drawn[lacking] = landscape.choices[found[lacking]]
        logits = logits + adam.step(policy_gradient(probabilities, drawn, reward - mean / weight))
    return rows
