"""States: counted from the files of results, whatever else lies there."""

from __future__ import annotations

import json

import pytest

from mngnas_lib.lab import get_profile
from mngnas_lib.register import get_item
from mngnas_lib.register import state as state_module
from mngnas_lib.register.needs import NEEDS
from mngnas_lib.register.state import best_state, state_of

TEACHERS = get_item("tab-15")  # the one table whose every run the kit can compute
QUICK = [need.config for need in NEEDS[TEACHERS.needs](get_profile("quick"))]


def test_without_results_nothing_is_started(project):
    assert str(state_of(TEACHERS, "quick")) == "not started (0 of 18 runs)"
    assert str(state_of(get_item("tab-03"), "quick")) == "not started (no runs to compute yet)"
    assert str(state_of(get_item("fig-11"), "quick")) == "drawn by code, needs no run"
    assert str(best_state(TEACHERS)) == "not started (0 of 72 runs)"


def test_some_results_are_partial_with_the_last_ones_day(project, store):
    store(QUICK[0], when="2026-01-05")
    store(QUICK[1], when="2026-01-04")
    assert str(best_state(TEACHERS)) == "partial (2 of 18 runs) under quick, 2026-01-05"
    assert not state_of(TEACHERS, "laptop").done


def test_all_results_are_measured(project, store):
    for config in QUICK:
        store(config)
    assert str(best_state(TEACHERS)) == "measured under quick, 2026-01-02"


def test_all_runs_are_not_all_where_the_kit_lacks_something(project, store):
    item = get_item("tab-11")
    store(NEEDS[item.needs](get_profile("quick"))[0].config)
    assert item.missing
    assert str(state_of(item, "quick")) == "partial (1 of 1 runs) under quick, 2026-01-02"


def test_the_profile_where_most_is_done_counts_the_larger_of_two_alike(project, store):
    paper = [need.config for need in NEEDS[TEACHERS.needs](get_profile("paper"))]
    store(QUICK[0])
    store(paper[0], profile="paper")
    assert best_state(TEACHERS).profile == "quick"  # 1 of 18 is more than 1 of 72
    for config in QUICK:
        store(config)
    for config in paper:
        store(config, profile="paper")
    assert best_state(TEACHERS).profile == "paper"


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"checksum": "x", "provenance": {}}'])
def test_a_damaged_result_does_not_count(project, store, content):
    store(QUICK[0]).write_text(content)
    assert state_of(TEACHERS, "quick").done == 0


def test_names_of_results_are_listed_once_and_again_after_a_change_of_the_source(project, monkeypatch):
    state_of(TEACHERS, "quick")
    monkeypatch.setattr(state_module, "_listed", lambda: {"tab-15": {"quick": ["other.json"]}})
    assert state_of(TEACHERS, "quick").total == 18
    monkeypatch.setattr(state_module, "source_hash", lambda: "another")
    assert state_of(TEACHERS, "quick").total == 1


def test_a_damaged_list_is_made_anew(project):
    cache = project / "data" / "cache" / "register-runs.json"
    state_of(TEACHERS, "quick")
    cache.write_text("no JSON")
    assert state_of(TEACHERS, "quick").total == 18
    assert json.loads(cache.read_text())["source"]
