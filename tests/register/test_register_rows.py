"""The register: exactly the paper's figures and tables, each with what it says it has."""

from __future__ import annotations

import importlib
import re
from collections import defaultdict
from pathlib import Path

import pytest

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab import PROFILES, RunConfig
from mngnas_lib.paper import TABLES
from mngnas_lib.register import ITEMS, choose, get_item
from mngnas_lib.register.figure_data import _READERS
from mngnas_lib.register.needs import NEEDS

SOURCES = Path(__file__).parents[2] / "notebooks" / "src"
FIGURES = [item for item in ITEMS if not item.is_table]
#: Who shows what, as the kit's plan of notebooks says
NOTEBOOKS = {
    "00_start_here": ["fig-01"],
    "04_distillation": ["fig-02"],
    "07_the_search": ["fig-11"],
    "08_nas_benchmarks": ["fig-10", "fig-13", "fig-14", "tab-05", "tab-06", "tab-10", "tab-11", "tab-15"],
    "10_detection": ["tab-07"],
    "09_image_classification": [
        *(f"fig-{number:02d}" for number in (3, 4, 5, 6, 7, 8, 9, 12)),
        *(f"tab-{number:02d}" for number in (1, 2, 3, 4, 8, 9, 12, 13, 14, 16)),
    ],
}


def test_there_are_exactly_the_papers_figures_and_tables():
    figures = [f"fig-{number:02d}" for number in range(1, 15)]
    tables = [f"tab-{number:02d}" for number in range(1, 17)]
    assert [item.id for item in ITEMS] == figures + tables
    assert {item.id for item in ITEMS if item.is_table} == set(tables)
    assert [get_item(name).title for name in ("fig-10", "tab-01", "tab-09", "tab-16")] == [
        *("Fig. 10", "Table I", "Table IX", "Table XVI")
    ]


def test_each_item_has_one_notebook():
    said = defaultdict(list)
    for item in ITEMS:
        said[item.notebook].append(item.id)
    assert dict(said) == NOTEBOOKS


def test_each_item_is_shown_by_its_notebook_and_by_no_other():
    shown = defaultdict(list)
    for path in sorted(SOURCES.glob("[0-9][0-9]_*.py")):
        code = re.sub(r"^#.*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name in re.findall(r'\bshow\(\s*"((?:fig|tab)-\d\d)"', code):
            shown[name].append(path.stem)
    wrong = []
    for item in ITEMS:
        if shown[item.id] != [item.notebook]:
            there = "" if (SOURCES / f"{item.notebook}.py").exists() else ", which does not exist yet"
            where = " and ".join(shown[item.id]) or "nowhere"
            wrong.append(f'show("{item.id}") is in {where}; it belongs once into {item.notebook}{there}')
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("item", FIGURES, ids=lambda item: item.id)
def test_each_figure_has_a_function_that_draws_it(item):
    module, _, name = item.draw.rpartition(".")
    assert callable(getattr(importlib.import_module(module), name))
    assert (item.panels == ()) == (item.kind == "diagram")
    assert bool(item.needs) == (item.id in _READERS)


def test_sections_of_tables_are_those_of_the_transcribed_ones():
    assert {item.number: item.section for item in ITEMS if item.is_table} == {
        number: info.section for number, info in TABLES.items()
    }


def test_what_is_neither_computed_nor_a_diagram_says_why():
    for item in ITEMS:
        assert item.missing or item.needs or item.kind == "diagram", item.id
        assert not item.needs or item.needs in NEEDS, item.id
        assert item.printed == ("printed" if item.is_table else "not printed")


@pytest.mark.parametrize("name", NEEDS)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda profile: profile.name)
def test_runs_are_configs_and_none_is_listed_twice(name, profile):
    configs = [need.config for need in NEEDS[name](profile)]
    assert configs and all(isinstance(config, RunConfig) for config in configs)
    assert len({config.digest for config in configs}) == len(configs)


def test_choose_keeps_the_registers_order_and_takes_all_without_a_name():
    assert [item.id for item in choose(["tab-05", "fig-02", "tab-05"])] == ["fig-02", "tab-05"]
    assert choose([]) == ITEMS


@pytest.mark.parametrize("name", ["fig-15", "tab-00", "Table V", ""])
def test_an_unknown_name_is_told_what_there_is(name):
    with pytest.raises(ConfigError, match=r"fig-01 to fig-14, its tables tab-01 to tab-16"):
        get_item(name)
