"""The files of figures and tables: fresh or not, the same bytes each time, and an index of all."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from mngnas_lib.lab import get_profile
from mngnas_lib.register import ITEMS, artefacts, figure_data, get_item, show
from mngnas_lib.register.artefacts import MANIFEST, files_of, folder_of, is_fresh, make
from mngnas_lib.register.index import index_text
from mngnas_lib.register.needs import NEEDS
from mngnas_lib.register.tables import SideBySide

QUICK = get_profile("quick")
ROOT = Path(__file__).parents[2]


def words(fig: Figure) -> list[str]:
    return [text.get_text() for ax in fig.axes for text in ax.texts]


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.id)
def test_committed_files_are_there_and_fresh(item):
    assert is_fresh(item, "laptop"), f"{item.id}: its files are missing or stale; `mngnas figures` makes them"


def test_the_committed_index_is_its_regeneration():
    assert (ROOT / "figures" / "INDEX.md").read_text(encoding="utf-8") == index_text(), "`mngnas figures` writes it"


def test_the_index_names_every_item_and_every_other_figure(project):
    folder = folder_of("laptop", project)
    folder.mkdir()
    sources = project / "notebooks" / "src"
    sources.mkdir(parents=True)
    (sources / "00_start_here.py").touch()
    for name in ("00_first_training", "overview", "fig-01"):
        (folder / f"{name}.svg").touch()
    text = index_text(project)
    for item in ITEMS:
        assert item.caption in text and text.count(f"| {item.title} |") == 1
    assert "[00_first_training](00_first_training.svg)" in text and "README: [overview](overview.svg)" in text
    others = text[text.index("## Other figures") :]
    assert "fig-01" not in others


@pytest.mark.parametrize("name", ["fig-11", "fig-13", "tab-05"])
def test_files_have_the_same_bytes_each_time(project, name):
    first = {path: path.read_bytes() for path in make(get_item(name), QUICK).files}
    assert all(path.parent.is_relative_to(project / "build" / "figures" / "quick") for path in first)
    manifest = folder_of("quick", project) / MANIFEST
    noted = manifest.read_bytes()
    assert {path: path.read_bytes() for path in make(get_item(name), QUICK).files} == first
    assert manifest.read_bytes() == noted
    assert not plt.get_fignums()


def test_a_profiles_files_lie_where_its_figures_do(project):
    assert files_of(get_item("fig-01"), "laptop", project)[0] == project / "figures" / "fig-01.png"
    names = [path.name for path in files_of(get_item("tab-01"), "paper", project)]
    assert names == ["tab-01.csv", "tab-01.md", "tab-01.tex"]


def test_what_was_never_made_is_not_fresh_and_what_was_made_is(project):
    item = get_item("tab-15")
    assert not is_fresh(item, "quick")
    make(item, QUICK)
    assert is_fresh(item, "quick") and not is_fresh(item, "paper") and not is_fresh(get_item("tab-05"), "quick")


@pytest.mark.parametrize("change", ["edit", "delete", "result", "row", "manifest"])
def test_a_change_of_a_file_or_of_what_it_was_made_from_is_seen(project, store, change):
    item = get_item("tab-15")
    made = make(item, QUICK).files
    if change == "edit":
        made[0].write_text(made[0].read_text() + "\n")
    elif change == "delete":
        made[1].unlink()
    elif change == "result":
        store(NEEDS[item.needs](QUICK)[0].config, {"valid_regret": 0.0, "test_regret": 0.0})
    elif change == "row":
        item = type(item)(**{**vars(item), "caption": "Other words."})
    else:
        (folder_of("quick", project) / MANIFEST).write_text("{")
    assert not is_fresh(item, "quick")


@pytest.mark.parametrize(
    ("name", "module", "stale"),
    [
        ("fig-01", "plots.paper_diagrams_framework", True),
        ("fig-01", "plots.paper_canvas", True),  # what its module imports
        ("fig-13", "register.figure_data", True),
        ("tab-05", "register.formats", True),
        ("fig-01", "plots.paper_taus", False),
        ("tab-05", "plots.paper_taus", False),
    ],
)
def test_a_new_source_of_what_draws_an_item_makes_it_stale(project, monkeypatch, name, module, stale):
    item = get_item(name)
    make(item, QUICK)
    other = project / "other.py"
    other.write_text("# another way to draw it")
    found = artefacts.find_spec
    changed = SimpleNamespace(origin=str(other))
    monkeypatch.setattr(artefacts, "find_spec", lambda n: changed if n == f"mngnas_lib.{module}" else found(n))
    assert is_fresh(item, "quick") != stale


@pytest.mark.parametrize("item", [item for item in ITEMS if item.panels], ids=lambda item: item.id)
def test_without_results_every_panel_says_so(project, item):
    fig = make(item, QUICK).shown
    said = [text.replace("\n", " ") for text in words(fig)]
    assert said == ["not measured yet under this profile"] * len(item.panels)
    assert [ax.get_title(loc="left") for ax in fig.axes] == list(item.panels)
    assert not any(ax.lines or ax.collections for ax in fig.axes)


@pytest.mark.parametrize(("name", "x"), [("fig-13", "epochs"), ("fig-14", "teachers")])
def test_stored_taus_are_drawn_and_the_other_panels_stay_empty(project, store, name, x):
    item = get_item(name)
    needs = NEEDS[item.needs](QUICK)
    for step, need in enumerate(needs):
        epochs = [search.search.retrain.epochs for search in need.config.searches]
        rows = {"name": need.config.names, "tau": 0.5 + 0.01 * step, "low": 0.4, "high": 0.6, "epochs": epochs}
        store(need.config, {"n": 12}, {"taus": pd.DataFrame(rows)})
    fig = make(item, QUICK).shown
    assert len(words(fig)) == len(item.panels) - 1
    lines = [line for line in fig.axes[0].lines if len(line.get_xdata()) == len(needs)]
    assert len(lines) == len(needs[0].config.names)
    expected = [4, 6, 8, 10, 12, 14] if x == "teachers" else [0.25, 0.5, 0.75, 1.0, 1.25]
    for line in lines:
        assert line.get_xdata() == pytest.approx(expected)
        assert line.get_ydata() == pytest.approx(0.5 + 0.01 * np.arange(len(needs)))


def test_accuracy_pairs_leave_out_the_first_search_epoch(project, store, monkeypatch):
    true = {"a": 0.9, "b": 0.91, "c": 0.92, "d": 0.93}
    benchmark = SimpleNamespace(
        space=SimpleNamespace(from_string=lambda text: text),
        scores=lambda archs: SimpleNamespace(test=np.array([true[arch] for arch in archs])),
    )
    monkeypatch.setattr(figure_data, "get_benchmark", lambda name: benchmark)
    item = get_item("fig-10")
    archs = pd.DataFrame({"arch": list("abcd"), "search_epoch": [1, 2, 2, 3], "accuracy": [0.1, 0.5, 0.6, 0.7]})
    for need in NEEDS[item.needs](QUICK):
        store(need.config, {}, {"archs": archs})
    data = figure_data.figure_data(item, QUICK)["SPOS"]
    assert data["method"].tolist() == ["none"] * 3 + ["mngnas"] * 3
    assert data["true"].tolist() == [0.91, 0.92, 0.93] * 2
    assert data["predicted"].tolist() == [0.5, 0.6, 0.7] * 2
    assert len(words(make(item, QUICK).shown)) == len(item.panels) - 1


def test_show_gives_what_a_notebook_can_display(project, monkeypatch):
    monkeypatch.setenv("MNGNAS_PROFILE", "quick")
    assert isinstance(show("fig-01"), Figure)
    table = show("tab-11")
    assert isinstance(table, SideBySide)
    assert re.search(r"^\*\*Table XI\*\* \(Section V-A\)", table._repr_markdown_())
    assert repr(table) == "Table XI: 0 of 15 cells measured under the profile quick"
    assert show("tab-11", profile="paper").profile.name == "paper"
