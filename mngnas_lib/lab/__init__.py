"""Runs, results, profiles: what was computed, with which settings, and where it is stored."""

from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import PROFILES, Profile, current_profile, get_profile
from mngnas_lib.lab.run import execute, run, stored
from mngnas_lib.lab.search_runs import (
    SearchRun,
    SearchScoreRun,
    finished_search,
    search_folder,
    search_scores,
    search_settings,
)
from mngnas_lib.lab.store import Result, result_path, results_folder
from mngnas_lib.lab.supernet_runs import (
    ArchSample,
    DataSpec,
    RankingRun,
    SpaceSpec,
    SupernetRun,
    TauRun,
    supernet_folder,
    trained_supernet,
)
from mngnas_lib.lab.tabular_runs import TabularRun, table_v, table_v_runs

__all__ = [
    "PROFILES",
    "ArchSample",
    "DataSpec",
    "Profile",
    "RankingRun",
    "Result",
    "RunConfig",
    "SearchRun",
    "SearchScoreRun",
    "SpaceSpec",
    "SupernetRun",
    "TabularRun",
    "TauRun",
    "current_profile",
    "execute",
    "finished_search",
    "get_profile",
    "result_path",
    "results_folder",
    "run",
    "search_folder",
    "search_scores",
    "search_settings",
    "stored",
    "supernet_folder",
    "table_v",
    "table_v_runs",
    "trained_supernet",
]
