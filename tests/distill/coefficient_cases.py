"""Problems for the coefficient solvers, and measures of an answer that share no line with them."""

import numpy as np
import torch

EPSILON = 2.0**-52


def families(seed=0):
    """Outputs (40, n) by name: 30 students, then 10 teachers; n below 40 makes minimisers that are not unique."""
    rng = np.random.default_rng(seed)
    normal = rng.standard_normal

    def lengths():
        return 10.0 ** rng.uniform(-6, 6, size=(40, 1))

    def groups(first, second):
        return np.concatenate([first, second])

    logits = normal((1, 200)) + 0.4 * normal((40, 200))
    return {
        "random, wide": normal((40, 200)),
        "random, square": normal((40, 40)),
        "random, flat": normal((40, 6)),
        "like logits": logits * np.exp(0.2 * normal((40, 1))),
        "teachers 1e-6 apart": groups(normal((30, 200)), normal((1, 200)) + 1e-6 * normal((10, 200))),
        "teachers 1e-6 apart, flat": groups(normal((30, 8)), normal((1, 8)) + 1e-6 * normal((10, 8))),
        "all 1e-6 apart": normal((1, 200)) + 1e-6 * normal((40, 200)),
        "all 1e-3 apart": normal((1, 20)) + 1e-3 * normal((40, 20)),
        "duplicates": np.tile(normal((8, 200)), (5, 1)),
        "duplicates, flat": np.tile(normal((8, 5)), (5, 1)),
        "one class each": np.eye(10)[rng.integers(10, size=40)],
        "some zero": normal((40, 20)) * (rng.random((40, 1)) < 0.8),
        "all zero": np.zeros((40, 7)),
        "opposite": groups(normal((20, 30)), -normal((20, 30))),
        "all large": 1e6 * normal((40, 200)),
        "all small": 1e-6 * normal((40, 200)),
        "lengths apart": normal((40, 200)) * lengths(),
        "lengths apart, flat": normal((40, 12)) * lengths(),
        "lengths and 1e-6 apart": (normal((1, 50)) + 1e-6 * normal((40, 50))) * lengths(),
        "large and small": normal((40, 200)) * 10.0 ** (6 * rng.integers(-1, 2, size=(40, 1))),
    }


def search_epoch(outputs, students=30):
    """gram, students, teachers, peers: the first rows are students and peers of each other, the others teach."""
    outputs = torch.as_tensor(outputs)
    member = torch.arange(len(outputs))
    rows = torch.arange(students)
    teachers = (member >= students).expand(students, -1)
    peers = (member < students) & (member != rows[:, None])
    return outputs @ outputs.T, rows, teachers, peers


def frank_wolfe_gap(outputs, student, groups, x, scale):
    """Objective, duality gap, and what rounding leaves of both, from the outputs themselves in extended precision.

    ``groups``: bool masks of those that are not empty. ``x`` holds alpha and beta of all members. For the measure of
    rounding, a zero member counts as if it were as long as the shortest other one.
    """
    p, x = np.asarray(outputs, np.longdouble), np.asarray(x, np.longdouble)
    residual = scale * p[student] - x @ p
    g = -p @ residual
    gap = sum(x[group] @ g[group] - g[group].min() for group in map(np.asarray, groups))
    norms = np.sqrt((p * p).sum(1))
    norms[norms == 0] = norms[norms > 0].min(initial=1.0)
    reach = abs(scale) * norms[student] + x @ norms
    longest = max((norms[np.asarray(group)].max() for group in groups), default=0.0)
    return float(residual @ residual / 2), float(gap), float(EPSILON * reach * longest), float(EPSILON * reach**2)
