"""Computing what is missing: only that, under the profile that was asked for, and on again after a failure."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import ClassVar

import pytest

from mngnas_lib import lab
from mngnas_lib.lab import get_profile
from mngnas_lib.register import compute as compute_module
from mngnas_lib.register import get_item
from mngnas_lib.register.compute import compute, pending
from mngnas_lib.register.needs import NEEDS, Need

QUICK = get_profile("quick")
TABLE = get_item("tab-05")
computed: list[tuple[int, str | None]] = []


@dataclass(frozen=True)
class Part(lab.RunConfig):
    """A run that notes under which profile it is computed; number 3 fails while ``failing`` is true."""

    kind: ClassVar[str] = "register-part"
    number: int


failing = False


@lab.execute.register
def _(config: Part) -> lab.Result:
    if failing and config.number == 3:
        raise RuntimeError("the machine was switched off")
    computed.append((config.number, os.environ.get("MNGNAS_PROFILE")))
    return lab.Result({"number": config.number})


@pytest.fixture(autouse=True)
def parts(project, monkeypatch):
    """Table V needs the parts 1 to 4."""
    computed.clear()
    runs = {TABLE.needs: lambda profile: [Need(Part(number), {}) for number in (1, 2, 3, 4)]}
    monkeypatch.setattr(compute_module, "NEEDS", runs)


def test_only_what_is_missing_is_computed_under_the_profile(store):
    store(Part(2))
    said = []
    assert compute(TABLE, QUICK, say=said.append) == 3
    assert computed == [(1, "quick"), (3, "quick"), (4, "quick")]
    assert "MNGNAS_PROFILE" not in os.environ
    assert [line.partition(",")[0] for line in said] == [f"tab-05: run {number} of 3" for number in (1, 2, 3)]
    assert compute(TABLE, QUICK) == 0


def test_after_a_failure_it_goes_on_where_it_stopped(monkeypatch):
    monkeypatch.setenv("MNGNAS_PROFILE", "paper")
    monkeypatch.setattr(f"{__name__}.failing", True)
    with pytest.raises(RuntimeError):
        compute(TABLE, QUICK)
    assert os.environ["MNGNAS_PROFILE"] == "paper"
    monkeypatch.setattr(f"{__name__}.failing", False)
    assert compute(TABLE, QUICK) == 2
    assert [number for number, _ in computed] == [1, 2, 3, 4]


def test_what_is_pending_costs_what_stored_runs_of_its_kind_did(store):
    assert [entry.seconds for entry in pending(TABLE, QUICK)] == [None] * 4
    store(Part(1))  # 60 s, the fixture says
    assert [(entry.config.number, entry.seconds) for entry in pending(TABLE, QUICK)] == [(2, 60), (3, 60), (4, 60)]
    assert computed == []


def test_an_item_without_runs_has_none_pending():
    assert pending(get_item("fig-01"), QUICK) == [] and compute(get_item("fig-01"), QUICK) == 0


def test_searches_come_once_before_the_runs_that_look_them_up(monkeypatch, store):
    needs = NEEDS[TABLE.needs](QUICK)
    monkeypatch.setattr(compute_module, "NEEDS", {TABLE.needs: lambda profile: needs + needs})
    runs = [entry.config for entry in pending(TABLE, QUICK)]
    kinds = [config.kind for config in runs]
    assert kinds[:2] == ["search", "found"] and kinds.count("search") == kinds.count("found") == 6
    assert runs[1].search == runs[0] and kinds.count("tabular") == 3
    store(runs[0])
    assert [entry.config for entry in pending(TABLE, QUICK)] == runs[1:]
