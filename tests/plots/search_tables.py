"""Tables as a search leaves them, made up."""

import numpy as np
import pandas as pd

NOTATION = "|nor_conv_3x3~0|+|none~0|skip_connect~{:03d}|"


def make_history(seed=0, epochs=4, count=10, size=3, threshold=20e6):
    """A search of ``epochs`` search epochs of ``count`` architectures, whose accuracy rises with FLOPs and time."""
    rng = np.random.default_rng(seed)
    rows, groups = [], {"small": [], "large": []}
    for epoch in range(1, epochs + 1):
        for _ in range(count):
            macs = int(rng.integers(5, 40)) * 1_000_000
            accuracy = round(0.3 + macs / 400e6 + 0.03 * epoch + 0.05 * rng.random(), 4)
            group = "small" if macs <= threshold else "large"
            rows.append([epoch, NOTATION.format(len(rows)), "random", macs, accuracy - 0.1, accuracy, group])
        new = rows[-count:]
        for group, members in groups.items():
            ranked = sorted([*members, *(row for row in new if row[6] == group)], key=lambda row: (-row[5], row[3]))
            groups[group] = ranked[:size]
        for row in new:
            row.append(any(row is member for member in groups[row[6]]))
    names = ["search_epoch", "arch", "origin", "macs", "accuracy_before", "accuracy", "group", "entered"]
    return pd.DataFrame(rows, columns=names), groups


def make_coefficients(seed=0, epochs=3, students=6, teachers=4):
    """Coefficients of students of which the first half has the first half of the teachers, and so on; all are peers."""
    rng = np.random.default_rng(seed)
    rows = []
    for epoch in range(2, epochs + 2):
        names = [NOTATION.format(epoch * 100 + i) for i in range(students)]
        for i, student in enumerate(names):
            half = i * 2 // students
            offered = [NOTATION.format(epoch + half * teachers // 2 + j) for j in range(teachers // 2)]
            peers = [name for name in names if name != student]
            for kind, members in (("teacher", offered), ("peer", peers)):
                weights = rng.dirichlet(np.full(len(members), 0.5))
                rows += [
                    [epoch, student, member, kind, weight] for member, weight in zip(members, weights, strict=True)
                ]
    return pd.DataFrame(rows, columns=["search_epoch", "student", "member", "kind", "coefficient"])


def make_curves(epochs=3, steps=20):
    """Losses that fall; the first search epoch has labels alone."""
    step = np.arange(1, steps + 1) * 5
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "search_epoch": epoch,
                    "step": step,
                    "labels": 2.3 / (1 + step / 100),
                    "teachers": 0.0 if epoch == 1 else 1.2 / (1 + step / 80),
                    "peers": 0.0 if epoch == 1 else 0.7 / (1 + step / 60),
                }
            )
            for epoch in range(1, epochs + 1)
        ],
        ignore_index=True,
    )
