"""``mngnas status``, ``figures`` and ``run``."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from mngnas_lib.register import ITEMS, artefacts, index


@pytest.fixture(autouse=True)
def _own_project(tmp_path, monkeypatch):
    for module in (artefacts, index):
        monkeypatch.setattr(module, "project_folder", lambda: tmp_path)


def test_status_has_a_line_for_each_item(mngnas):
    lines = mngnas("status").stdout.splitlines()
    assert [line.split()[0] for line in lines[:30]] == [item.id for item in ITEMS]
    states = {line.split(maxsplit=1)[1].partition(" (")[0] for line in lines[:30]}
    assert states == {"drawn by code, needs no run", "not started"}


def test_status_of_one_item_says_what_it_shows_and_what_is_lacking(mngnas):
    text = " ".join(mngnas("status", "tab-10").stdout.split())
    assert text.startswith("tab-10 not started (0 of 60 runs) Table X, Section V-A, table: ")
    assert "shown by notebook 08_nas_benchmarks" in text and "the kit lacks: SuperNets by FairNAS and MixPath" in text


@pytest.mark.parametrize("words", [("status", "fig-15"), ("figures", "tab-5"), ("run", "Fig. 1")])
def test_an_unknown_id_is_told_what_there_is(mngnas, words):
    error = mngnas(*words, code=2).stderr
    assert len(error.splitlines()) == 1
    assert words[1] in error and "fig-01 to fig-14, its tables tab-01 to tab-16" in error


def test_status_does_not_wait_for_torch_once_the_runs_are_listed(mngnas):
    mngnas("status")
    code = (
        "import sys\n"
        "from mngnas_lib.cli import main\n"
        "main(['status'], standalone_mode=False)\n"
        "heavy = {'torch', 'numpy', 'pandas', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_figures_makes_what_is_not_fresh(mngnas, tmp_path):
    words = ("figures", "fig-01", "tab-05", "--profile", "quick")
    first = mngnas(*words).stdout
    assert "build/figures/quick/fig-01.svg" in first and "tables/tab-05.tex" in first
    assert [line.split() for line in mngnas(*words).stdout.splitlines()] == [["fig-01", "fresh"], ["tab-05", "fresh"]]
    (tmp_path / "build/figures/quick/fig-01.png").unlink()
    assert mngnas(*words).stdout.splitlines()[1].split() == ["tab-05", "fresh"]
    assert (tmp_path / "build/figures/quick/fig-01.png").exists()
    assert not (tmp_path / "figures").exists()
    assert "fresh" not in mngnas(*words, "--force").stdout


def test_figures_of_the_committed_profile_come_with_the_index(mngnas, tmp_path):
    mngnas("figures", "tab-16")
    assert (tmp_path / "figures/tables/tab-16.md").exists()
    assert (tmp_path / "figures/INDEX.md").read_text(encoding="utf-8") == index.index_text()


def test_dry_run_lists_and_computes_nothing(mngnas, tmp_path):
    lines = mngnas("run", "tab-10", "--profile", "quick", "--dry-run").stdout.splitlines()
    runs = [line for line in lines if re.match(r"(search|found)-[0-9a-f]{12}, nasbench201, .*seed 0  not known$", line)]
    assert len(runs) == 30  # five algorithms, three sets of images; a search and its look-up each
    assert sum("cifar100, spos, mngnas, seed 0  " in line for line in runs) == 2
    total = "tab-10: 15 runs missing under quick, and 15 searches inside them; 30 whose cost is not known"
    assert total in " ".join(lines)
    assert not list((tmp_path / "results").rglob("*.json")) and not (tmp_path / "build").exists()


def test_run_draws_what_needs_no_run(mngnas, tmp_path):
    text = mngnas("run", "fig-02", "--profile", "quick").stdout
    assert "fig-02.svg" in text and "fig-02  drawn by code, needs no run" in text
    assert (tmp_path / "build/figures/quick/fig-02.svg").exists()


def test_run_without_the_benchmark_says_what_to_do_before_it_searches(mngnas, tmp_path):
    error = mngnas("run", "tab-15", "--profile", "quick", code=2).stderr
    assert len(error.splitlines()) == 1 and "no file for nasbench201" in error
    assert not list((tmp_path / "results").rglob("*.json"))
