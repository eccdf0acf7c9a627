"""Algorithm 3: candidates, their retraining, the teacher groups, and the search over search epochs (Section III-F)."""

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

__all__ = [
    "Candidate",
    "Constraint",
    "Member",
    "TeacherGroups",
    "best",
    "crossover",
    "mutate",
    "propose",
    "random_candidates",
    "remove_worst",
    "update_group",
]
