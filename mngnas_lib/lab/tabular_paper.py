"""What Table V prints of REA and REINFORCE, beside what our searches find.

The paper does not say how it got these two rows: not the budget, nor the number of seeds, nor whether each data set was
searched on or CIFAR-10 alone. ``mngnas baselines`` and :func:`beside_the_paper` show which of these would fit.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from mngnas_lib.errors import ConfigError

#: Table V: (mean, standard deviation) in percent, by method, data set and split
PAPER = {
    ("REA", "cifar10", "valid"): (91.25, 0.31),
    ("REA", "cifar10", "test"): (94.02, 0.31),
    ("REA", "cifar100", "valid"): (72.28, 0.95),
    ("REA", "cifar100", "test"): (72.23, 0.84),
    ("REA", "imagenet16-120", "valid"): (45.71, 0.77),
    ("REA", "imagenet16-120", "test"): (45.77, 0.80),
    ("REINFORCE", "cifar10", "valid"): (91.12, 0.12),
    ("REINFORCE", "cifar10", "test"): (93.90, 0.26),
    ("REINFORCE", "cifar100", "valid"): (71.80, 0.94),
    ("REINFORCE", "cifar100", "test"): (71.86, 0.89),
    ("REINFORCE", "imagenet16-120", "valid"): (45.37, 0.74),
    ("REINFORCE", "imagenet16-120", "test"): (45.64, 0.78),
}

#: What a comparison with these numbers has to keep in mind
DIFFERENCES = (
    "Budget: the paper names none for these rows. Ours is a number of queries; NAS-Bench-201 and NATS-Bench give "
    "simulated seconds.",
    "Where the search takes place: NATS-Bench searches on each data set, the NAS-Bench-201 paper on CIFAR-10 alone.",
    "Reward: their code sees the 12-epoch validation accuracy of one training run drawn at random, ours the table's "
    "mean over runs.",
    "Mutation: their code prefers edges into early nodes, ours treats all edges alike.",
    "Seeds: the authors of NAS-Bench-201 ran each of these searches 500 times; the paper says nothing of these rows.",
)


def beside_the_paper(found: pd.DataFrame, queries: int) -> pd.DataFrame:
    """Our numbers after a budget beside the paper's, in percent; one row for each that Table V prints.

    Args:
        found: as :func:`mngnas_lib.lab.tabular_runs.found_table` makes it.

    Returns:
        Columns ``method``, ``dataset``, ``split``, ``mean`` and ``std`` (ours), ``paper_mean``, ``paper_std``,
        ``difference`` (ours minus the paper's mean), and ``in_std``: the difference in units of our standard deviation
        from seed to seed.

    Raises:
        ConfigError: none of the paper's numbers has a counterpart.
    """
    rows = []
    ours = found[found["queries"] == queries].set_index(["method", "dataset", "split"])
    for place, (mean, std) in PAPER.items():
        if place not in ours.index:
            continue
        row = ours.loc[place]
        difference = 100 * row["mean"] - mean
        rows.append(
            dict(zip(("method", "dataset", "split"), place, strict=True))
            | {"mean": 100 * row["mean"], "std": 100 * row["std"], "paper_mean": mean, "paper_std": std}
            | {"difference": difference, "in_std": difference / (100 * row["std"]) if row["std"] > 0 else np.nan}
        )
    if not rows:
        raise ConfigError(
            f"none of Table V's numbers has a counterpart after {queries} queries: search NAS-Bench-201 with REA or "
            "REINFORCE, and report that budget"
        )
    return pd.DataFrame(rows)
