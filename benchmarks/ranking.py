"""Ranking a chain space with shared prefixes against one architecture after the other."""

from __future__ import annotations

import numpy as np

from benchmarks.timing import Row, medians
from mngnas_lib.data import load_images
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import rank

#: The walk over all 3,969 networks of NAS-Bench-Macro; one by one is timed on a sample, and scaled up.
SAMPLE = 100


def prefix_sharing() -> list[Row]:
    space = get_space("nasbench-macro", channels=8, head_channels=320)
    data = load_images("digits", size=16, count=1000)
    network = space.supernet(in_channels=1, seed=0)
    archs = list(space.canonical_archs())
    rng = np.random.default_rng(0)
    sample = [archs[i] for i in rng.choice(len(archs), SAMPLE, replace=False)]
    rows = []
    for bn in ("batch", "reestimate"):

        def shared(bn: str = bn) -> None:
            rank(network, archs, data, bn=bn, batch_size=100, progress=False)

        def alone(bn: str = bn) -> None:
            rank(network, sample, data, bn=bn, batch_size=100, share_prefixes=False, progress=False)

        seconds = medians({"shared": shared, "alone": alone}, repeats=1, warmup=0)
        one_by_one = seconds["alone"] * len(archs) / SAMPLE
        rows += [
            Row(f"nasbench-macro, {bn}: one by one / shared prefixes", one_by_one / seconds["shared"], "x", ">= 4"),
            Row(f"nasbench-macro, {bn}: all {len(archs)} networks", seconds["shared"], "s"),
        ]
    return rows
