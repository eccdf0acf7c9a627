"""Result files: whole or absent, exact, and never believed when damaged."""

import json
import math
import os
import random
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lab_runs import Square, start, wait_until

from mngnas_lib import lab
from mngnas_lib.lab.store import DamagedResultError, read_result, result_path, set_aside, write_result

CONFIG = Square()
EXAMPLE = lab.Result(
    {"tau": 0.1 + 0.2, "n": 100, "note": "NaN", "none": None},
    {"ranking": {"arch": ["0", "\\Infinity"], "accuracy": [float("nan"), 1.0]}},
    {"history": {"loss": [math.inf, -math.inf]}},
    {"seconds": 1.5},
)


def same(one: object, two: object) -> bool:
    """Equality under which nan is nan, and 1, 1.0, True, 0.0 and -0.0 are five things."""
    return repr(one) == repr(two)


@pytest.fixture
def path(results: Path) -> Path:
    return result_path(CONFIG, "quick")


def test_files_are_named_by_profile_kind_and_hash(results, tmp_path):
    name = f"square-{CONFIG.digest[:12]}.json"
    assert result_path(CONFIG, "laptop") == results / "laptop" / name
    assert result_path(CONFIG, "laptop", tmp_path) == tmp_path / "laptop" / name


def test_without_a_place_results_lie_in_the_checkout(monkeypatch):
    monkeypatch.delenv("MNGNAS_RESULTS", raising=False)
    assert lab.results_folder() == Path(lab.__file__).parents[2] / "data" / "results"


def test_a_result_comes_back_as_it_was(path):
    written = write_result(path, CONFIG, EXAMPLE)
    read = read_result(path, CONFIG)
    for result in (written, read):
        for part in ("metrics", "tables", "curves", "provenance"):
            assert same(getattr(result, part), getattr(EXAMPLE, part))
        assert result.path == path
    assert list(read.table("ranking")) == ["arch", "accuracy"]
    assert list(read.curve("history")["loss"]) == [math.inf, -math.inf]
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_the_file_is_standard_json_with_a_column_a_line(path):
    write_result(path, CONFIG, EXAMPLE)
    text = path.read_text()
    content = json.loads(text, parse_constant=pytest.fail)
    assert content["kind"] == "square"
    assert content["config"] == {"number": 3}
    assert '      "accuracy": ["NaN", 1.0]\n' in text


def test_numbers_of_numpy_torch_and_pandas_are_taken(path):
    result = lab.Result(
        {"a": np.float32(0.1), "b": np.int64(7), "c": torch.tensor(0.5), "d": np.bool_(True)},
        {"t": pd.DataFrame({"x": np.arange(2), "y": ["p", "q"]}), "u": {"z": torch.ones(2, dtype=torch.int64)}},
    )
    read = write_result(path, CONFIG, result)
    assert same(read.metrics, {"a": float(np.float32(0.1)), "b": 7, "c": 0.5, "d": True})
    assert same(read.tables, {"t": {"x": [0, 1], "y": ["p", "q"]}, "u": {"z": [1, 1]}})


@pytest.mark.parametrize(
    ("result", "error", "message"),
    [
        (lab.Result({"x": object()}), TypeError, r"metrics\.x: a result cannot hold a object"),
        (lab.Result({"x": {1: 2}}), TypeError, r"metrics\.x: names must be texts"),
        (lab.Result({}, {"t": {"a": [1], "b": [1, 2]}}), ValueError, "t has columns of different lengths"),
        (lab.Result({}, {}, {"c": [1, 2]}), ValueError, "c must be a dict of columns"),
    ],
)
def test_what_cannot_be_stored_is_named_and_leaves_no_file(path, result, error, message):
    with pytest.raises(error, match=message):
        write_result(path, CONFIG, result)
    assert not path.exists()


texts = st.text() | st.sampled_from(["NaN", "Infinity", "-Infinity", "\\NaN", "\\\\-Infinity", "\\"])
values = st.none() | st.booleans() | st.integers() | st.floats() | texts
trees = st.recursive(values, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=10)


@given(st.dictionaries(texts, trees), st.lists(st.tuples(st.floats(), texts), max_size=5))
def test_any_plain_data_comes_back_exactly(tmp_path_factory, metrics, rows):
    path = tmp_path_factory.getbasetemp() / "round-trip.json"
    table = {"x": [x for x, _ in rows], "y": [y for _, y in rows]}
    write_result(path, CONFIG, lab.Result(metrics, {"t": table}))
    read = read_result(path, CONFIG)
    assert same(read.metrics, metrics)
    assert same(read.tables["t"], table)


# ---------------------------------------------------------------------- damage


def cut(text: str) -> str:
    return text[: len(text) // 2]


DAMAGE = {
    "empty": (lambda text: "", "whole JSON"),
    "cut": (cut, "whole JSON"),
    "last byte": (lambda text: text.rstrip()[:-1], "whole JSON"),
    "no object": (lambda text: "[1, 2]", "whole JSON"),
    "too deep": (lambda text: "[" * 100_000, "whole JSON"),
    "bare nan": (lambda text: text.replace("100", "NaN"), "whole JSON"),
    "bare infinity": (lambda text: text.replace("100", "1e999"), "whole JSON"),
    "no checksum": (lambda text: text.replace('"checksum"', '"sum"'), "whole JSON"),
    "a number": (lambda text: text.replace("0.30000000000000004", "0.30000000000000005"), None),
    "another number": (lambda text: text.replace("100", "101"), "checksum"),
    "another setting": (lambda text: text.replace('"number": 3', '"number": 4'), "checksum"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_noticed(path, name):
    change, message = DAMAGE[name]
    write_result(path, CONFIG, EXAMPLE)
    text = path.read_text()
    path.write_text(change(text))
    assert path.read_text() != text
    if message is None:  # another text of the very same number
        assert same(read_result(path, CONFIG).metrics, EXAMPLE.metrics)
        return
    with pytest.raises(DamagedResultError, match=message):
        read_result(path, CONFIG)


def test_bytes_that_are_no_text_are_noticed(path):
    path.parent.mkdir(parents=True)
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(DamagedResultError, match="not text"):
        read_result(path, CONFIG)


def test_any_flipped_bit_is_noticed_or_changes_nothing(path):
    write_result(path, CONFIG, EXAMPLE)
    content = path.read_bytes()
    draw = random.Random(0)
    for _ in range(300):
        position = draw.randrange(len(content))
        changed = bytearray(content)
        changed[position] ^= 1 << draw.randrange(8)
        path.write_bytes(changed)
        try:
            read = read_result(path, CONFIG)
        except DamagedResultError:
            continue
        assert same(read.metrics, EXAMPLE.metrics)
        assert same(read.tables, EXAMPLE.tables)


def test_the_file_of_another_run_is_noticed(path):
    other = Square(number=4)
    os.replace(write_result(result_path(other, "quick"), other, EXAMPLE).path, path)
    with pytest.raises(DamagedResultError, match="another run"):
        read_result(path, CONFIG)


def test_set_aside_overwrites_nothing_and_names_the_file(path):
    path.parent.mkdir(parents=True)
    for number in (1, 2):
        path.write_text(f"damage {number}")
        with pytest.warns(UserWarning, match=rf"{path.name} cannot be used: why\. It was set aside as .*-{number},"):
            set_aside(path, "why")
        assert path.with_suffix(f".damaged-{number}").read_text() == f"damage {number}"
    assert not path.exists()


# ---------------------------------------------------------------------- killed while writing


def write_forever(path: Path) -> None:
    large = lab.Result({"n": 1}, {"t": {"x": np.random.default_rng(0).random(20_000)}})
    while True:
        write_result(path, CONFIG, large)


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_a_kill_while_writing_leaves_a_whole_file(path):
    draw = random.Random(1)
    for _ in range(8):
        path.unlink(missing_ok=True)
        process = start(write_forever, path)
        wait_until(path.exists)
        time.sleep(draw.random() * 0.1)
        process.kill()
        process.join()
        assert len(read_result(path, CONFIG).tables["t"]["x"]) == 20_000  # raises where it is cut short
    # what may have been left half-written is gone after the next run
    path.with_name(f".{path.stem}.abc.tmp").write_text("half")
    path.unlink()
    lab.run(CONFIG)
    assert sorted(entry.name for entry in path.parent.iterdir()) == sorted([".locks", path.name])


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_a_reader_never_sees_a_file_that_is_being_written(path):
    process = start(write_forever, path)
    wait_until(path.exists)
    for _ in range(30):
        assert read_result(path, CONFIG).metrics == {"n": 1}
    process.kill()
    process.join()
