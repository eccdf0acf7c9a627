"""What the figures draw: stored results as the tables that the drawing functions take.

A figure without stored results gets tables without rows, and its panels say that nothing is measured yet.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.lab.profiles import Profile
from mngnas_lib.lab.run import stored
from mngnas_lib.register.item import Item
from mngnas_lib.register.needs import NEEDS, Need


def figure_data(item: Item, profile: Profile) -> dict[str, pd.DataFrame]:
    """By panel, what the figure's drawing function takes; see there for the columns."""
    data = {panel: pd.DataFrame() for panel in item.panels}
    if item.needs:
        # all SuperNets that the kit trains for these figures are SPOS's
        data["SPOS"] = _READERS[item.id](NEEDS[item.needs](profile), profile)
    return data


def _pairs(needs: list[Need], profile: Profile) -> pd.DataFrame:
    """Of Fig. 10: ``method``, ``true`` and ``predicted``; the true accuracies come from the benchmark's file."""
    parts = []
    for need in needs:
        result = stored(need.config, profile=profile.name)
        if result is None:
            continue
        archs = result.table("archs").query("search_epoch > 1")
        benchmark = get_benchmark("nasbench101")
        true = benchmark.scores([benchmark.space.from_string(text) for text in archs["arch"]]).test
        name = str(need.about["algorithm"])
        parts.append(pd.DataFrame({"method": name, "true": true, "predicted": archs["accuracy"].to_numpy()}))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _taus(needs: list[Need], profile: Profile) -> pd.DataFrame:
    """Of Fig. 13 and 14: ``algorithm``, ``epochs``, ``tau`` with ``low`` and ``high``, and ``teachers`` of Fig. 14."""
    parts = []
    for need in needs:
        result = stored(need.config, profile=profile.name)
        if result is not None:
            parts.append(result.table("taus").rename(columns={"name": "algorithm"}).assign(**need.about))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


_READERS: dict[str, Callable[[list[Need], Profile], pd.DataFrame]] = {
    "fig-10": _pairs,
    "fig-13": _taus,
    "fig-14": _taus,
}
