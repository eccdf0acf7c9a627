"""Algorithm 3: candidates, their retraining, the teacher groups, and the search over search epochs (Section III-F)."""

from mngnas_lib.search.config import SearchConfig
from mngnas_lib.search.evolution import (
    Candidate,
    Constraint,
    crossover,
    mutate,
    propose,
    random_candidates,
    remove_worst,
)
from mngnas_lib.search.groups import Member, TeacherGroups, best, update_group
from mngnas_lib.search.history import History, SearchResult
from mngnas_lib.search.retrain import Guidance, Retraining, labels_only
from mngnas_lib.search.retrain_config import RetrainConfig
from mngnas_lib.search.search import search

__all__ = [
    "Candidate",
    "Constraint",
    "Guidance",
    "History",
    "Member",
    "RetrainConfig",
    "Retraining",
    "SearchConfig",
    "SearchResult",
    "TeacherGroups",
    "best",
    "crossover",
    "labels_only",
    "mutate",
    "propose",
    "random_candidates",
    "remove_worst",
    "search",
    "update_group",
]
