"""The card of a table that grows: what it says of machines, packages, commands and rows."""

import json
from dataclasses import replace
from itertools import count
from unittest.mock import Mock

import pytest
from truth_cases import SETTINGS

from mngnas_lib.benchmarks.kit_table import card_path, read_card
from mngnas_lib.lab.provenance import device_name
from mngnas_lib.truth import train, train_truth


def test_card_names_all_machines_and_packages_and_commands(tmp_path, monkeypatch):
    out = tmp_path / "kit.csv"
    for machine, version, seeds in (("A, 2 cores", "1", 1), ("B", "2", 2), ("A, 2 cores", "1", 3), ("C", "3", 3)):
        monkeypatch.setattr(train, "device_name", Mock(return_value=machine))
        monkeypatch.setattr(train, "package_versions", Mock(return_value={"torch": version, "numpy": "1"}))
        command = f"mngnas truth --seeds {seeds}"
        about = train_truth(replace(SETTINGS, seeds=seeds, repeated=0), out, jobs=1, command=command).about
    assert about["machine"] == "A, 2 cores; B"  # on C there was nothing to do
    assert about["packages"] == {"torch": "1; 2", "numpy": "1"}
    assert about["commands"] == ["mngnas truth --seeds 1", "mngnas truth --seeds 2", "mngnas truth --seeds 3"]


def test_card_tells_of_all_rows_whatever_the_last_call_was(tmp_path):
    out = tmp_path / "kit.csv"
    train_truth(replace(SETTINGS, count=1, seeds=3, repeated=0), out, jobs=1)
    card = train_truth(replace(SETTINGS, count=2, seeds=1, repeated=0), out, jobs=1).card()
    assert (card["archs"], card["trainings"], card["seeds"]) == (2, 4, {"0": 2, "1": 1, "2": 1})


def test_card_of_a_growth_that_was_interrupted(tmp_path, monkeypatch):
    out = tmp_path / "kit.csv"
    train_truth(replace(SETTINGS, seeds=1, repeated=0), out, jobs=1)
    real, calls = train.train_and_test, count()
    monkeypatch.setattr(train, "train_and_test", lambda *a: real(*a) if next(calls) < 2 else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        train_truth(SETTINGS, out, jobs=1)
    card = read_card(out)
    assert (card["trainings"], sum(card["seeds"].values()), out.read_text().count("\n")) == (5, 5, 6)


def test_card_of_a_killed_computation_says_where_it_ran(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "_sum_up", Mock())
    train_truth(SETTINGS, tmp_path / "kit.csv", jobs=1, command="mngnas truth")
    card = read_card(tmp_path / "kit.csv")
    assert (card["machine"], card["commands"]) == (device_name(), ["mngnas truth"])


def test_card_of_an_earlier_form_is_brought_up_to_date(tmp_path):
    out = tmp_path / "kit.csv"
    now = train_truth(SETTINGS, out, jobs=1).card()
    earlier = {"seeds": 2, "repeated": 1, "sample": {"count": 3}, "machine": "A", "hours": 1000.0}
    card = now | earlier | {"finished": "2020-01-01T00:00:00+00:00"}
    card_path(out).write_text(json.dumps(card))
    train_truth(SETTINGS, out, jobs=1)
    assert read_card(out) == now | {"machine": "A", "finished": "2020-01-01T00:00:00+00:00"}
