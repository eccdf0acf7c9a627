"""Notations, validity and settings of the search spaces."""

import gzip
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mngnas_lib.errors import ArchError, ConfigError
from mngnas_lib.spaces import SPACES, get_space

SPACE_201 = get_space("nasbench201")
SPACE_MACRO = get_space("nasbench-macro")
BOTH = pytest.mark.parametrize("space", [SPACE_201, SPACE_MACRO], ids=lambda space: space.name)

archs_201 = st.tuples(*[st.integers(0, 4)] * 6)
archs_macro = st.tuples(*[st.integers(0, 2)] * 8)


def test_nasbench201_has_six_edges_of_five_operations_in_official_order():
    assert SPACE_201.size == 15_625
    assert [slot.name for slot in SPACE_201.slots] == [
        "node 0 to 1",
        "node 0 to 2",
        "node 1 to 2",
        "node 0 to 3",
        "node 1 to 3",
        "node 2 to 3",
    ]
    assert {slot.choices for slot in SPACE_201.slots} == {
        ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    }


def test_nasbench_macro_has_eight_blocks_of_three_choices():
    assert SPACE_MACRO.size == 6_561
    assert [slot.name for slot in SPACE_MACRO.slots] == [
        f"stage {stage}, block {block}" for stage, blocks in ((1, 2), (2, 3), (3, 3)) for block in range(1, blocks + 1)
    ]
    assert {slot.choices for slot in SPACE_MACRO.slots} == {("identity", "MB3_K3", "MB6_K5")}


@given(archs_201)
def test_nasbench201_notation_round_trip(arch):
    assert SPACE_201.from_string(SPACE_201.to_string(arch)) == arch


@given(archs_macro)
def test_nasbench_macro_notation_round_trip(arch):
    assert SPACE_MACRO.from_string(SPACE_MACRO.to_string(arch)) == arch


def test_nasbench201_notation_by_hand():
    text = "|avg_pool_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|none~1|nor_conv_3x3~2|"
    assert SPACE_201.from_string(text) == (4, 0, 1, 2, 0, 3)
    assert SPACE_201.to_string((4, 0, 1, 2, 0, 3)) == text
    assert SPACE_201.from_string(f" {text}\n") == (4, 0, 1, 2, 0, 3)


def test_nasbench_macro_notation_by_hand():
    assert SPACE_MACRO.from_string("22212220") == (2, 2, 2, 1, 2, 2, 2, 0)
    assert SPACE_MACRO.to_string((2, 2, 2, 1, 2, 2, 2, 0)) == "22212220"


def test_official_strings_of_nasbench201(shared_data):
    with gzip.open(shared_data / "nasbench201.csv.gz", "rt") as file:
        next(file)
        texts = [line.split(",", 1)[0] for line in file]
    archs = [SPACE_201.from_string(text) for text in texts]
    assert [SPACE_201.to_string(arch) for arch in archs] == texts
    assert set(archs) == set(SPACE_201.all_archs())


def test_official_strings_of_nasbench_macro(shared_data):
    keys = json.loads((shared_data / "nas-bench-macro_cifar10.json").read_text())
    archs = [SPACE_MACRO.from_string(key) for key in keys]
    assert [SPACE_MACRO.to_string(arch) for arch in archs] == list(keys)
    assert set(archs) == set(SPACE_MACRO.all_archs())


GOOD_201 = SPACE_201.to_string((3, 0, 1, 0, 0, 4))


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD_201[:-1],
        GOOD_201[1:],
        GOOD_201 + GOOD_201,
        GOOD_201.replace("nor_conv_3x3", "nor_conv_5x5"),
        GOOD_201.replace("+", ""),
        GOOD_201.replace("none~1", "none~0"),
        GOOD_201.replace("avg_pool_3x3~2", "avg_pool_3x3~3"),
        GOOD_201.replace("|+|none~0", "|none~0|+"),
        "22212220",
        None,
        float("nan"),
        (3, 0, 1, 0, 0, 4),
    ],
)
def test_bad_nasbench201_strings(text):
    with pytest.raises(ArchError, match="not an architecture of nasbench201"):
        SPACE_201.from_string(text)


@pytest.mark.parametrize(
    "text", ["", "2221222", "222122200", "22212223", "2221222a", "2221222²", GOOD_201, 22212220, None]
)
def test_bad_nasbench_macro_strings(text):
    with pytest.raises(ArchError, match="not an architecture of nasbench-macro"):
        SPACE_MACRO.from_string(text)


@given(st.text(alphabet="|+~0123_abcdeklnoprstvx", max_size=90))
def test_whatever_nasbench201_reads_it_writes_again(text):
    try:
        arch = SPACE_201.from_string(text)
    except ArchError:
        return
    assert SPACE_201.to_string(arch) == text


@BOTH
@pytest.mark.parametrize(
    "spoil",
    [
        lambda good: good[:-1],
        lambda good: (*good, 0),
        lambda good: (-1, *good[1:]),
        lambda good: (5, *good[1:]),
        lambda good: (1.0, *good[1:]),
        lambda good: (True, *good[1:]),
        lambda good: ("1", *good[1:]),
        lambda good: (None, *good[1:]),
        lambda good: torch.zeros(len(good), dtype=torch.int64),
        lambda good: np.zeros(len(good)),
        lambda good: "0" * len(good),
        lambda good: set(good),
        lambda good: 0,
        lambda good: None,
    ],
)
def test_bad_architectures_are_refused_everywhere(space, spoil):
    bad = spoil((0,) * len(space.slots))
    assert not space.is_valid(bad)
    small = get_space(space.name, channels=2)
    for use in (space.check, space.to_string, space.cost, space.canonical, small.network):
        with pytest.raises(ArchError, match=f"not an architecture of {space.name}"):
            use(bad)


@BOTH
def test_lists_and_arrays_are_architectures_too(space):
    arch = (1,) * len(space.slots)
    for same in (list(arch), np.array(arch), tuple(np.array(arch, dtype=np.int8))):
        assert space.is_valid(same)
        checked = space.check(same)
        assert checked == arch and all(type(choice) is int for choice in checked)


@pytest.mark.parametrize(
    ("name", "sizes", "message"),
    [
        ("nasbench-201", {}, "nasbench-macro, nasbench101, nasbench201"),
        ("nasbench201", {"width": 3}, "it has channels, cells$"),
        ("nasbench201", {"channels": 0}, "at least one channel"),
        ("nasbench201", {"channels": 8.5}, "whole numbers"),
        ("nasbench201", {"channels": "8"}, "whole numbers"),
        ("nasbench101", {"channels": 3}, "at least 4 channels"),
        ("nasbench101", {"stacks": 0}, "one stack"),
        ("nasbench101", {"cells": 1.0}, "whole numbers"),
        ("nasbench101", {"stages": 3}, "it has channels, cells, stacks$"),
        ("nasbench-macro", {"stages": (2, 0)}, "at least one block"),
        ("nasbench-macro", {"stages": ()}, "at least one block"),
        ("nasbench-macro", {"stages": 3}, "it has channels, stages, head_channels$"),
        ("nasbench-macro", {"head_channels": -1}, "positive widths"),
    ],
)
def test_bad_names_and_sizes(name, sizes, message):
    with pytest.raises(ConfigError, match=message):
        get_space(name, **sizes)


@pytest.mark.parametrize("sizes", [{}, {"channels": 4}])
@pytest.mark.parametrize("name", sorted(SPACES))
def test_settings_rebuild_the_space(name, sizes):
    space = get_space(name, **sizes)
    assert get_space(name, **space.settings()) == space
    # settings go through JSON on their way to a result file
    assert get_space(name, **json.loads(json.dumps(space.settings()))) == space


def test_other_stages_have_other_slots():
    space = get_space("nasbench-macro", stages=(1, 2))
    assert len(space.slots) == 3 and space.num_stages == 2
    assert space.from_string("201") == (2, 0, 1)
