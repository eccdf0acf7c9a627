"""``mngnas benchmark`` on NAS-Bench-101's files."""

import hashlib
import json
from pathlib import Path

import official101_files as official
import pytest

from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import from_matrix

SPACE = get_space("nasbench101")


@pytest.fixture
def file(tmp_path) -> Path:
    """An official file of four cells, under a name that says nothing."""
    return official.write(tmp_path / "download", official.records(official.numbers()))


@pytest.fixture
def cell() -> str:
    matrix, ops = official.CELLS["first"]
    return SPACE.to_string(from_matrix([[int(digit) for digit in row] for row in matrix], ops))


def test_convert_recognises_the_file_and_names_the_table(mngnas, file, tmp_path):
    table = Path("data", "benchmarks", "nasbench101.npz")
    assert mngnas("benchmark", "convert", file).stdout == f"wrote {table}\n"
    assert (tmp_path / table).is_file()
    assert mngnas("benchmark", "convert", file, "--out", "mine.npz").stdout == "wrote mine.npz\n"
    assert "there is nothing to convert" in mngnas("benchmark", "convert", "mine.npz", code=2).stderr
    assert "ends in .npz" in mngnas("benchmark", "convert", file, "--out", "mine.csv.gz", code=2).stderr


def test_convert_of_a_file_that_is_read_as_it_is(mngnas, tmp_path):
    (tmp_path / "macro.json").write_text('{"00000000": {"test_acc": [1, 2, 3]}}')
    message = mngnas("benchmark", "convert", "macro.json", code=2).stderr
    assert "NAS-Bench-Macro: it is read as it is, there is nothing to convert" in message


def test_convert_of_a_damaged_file_leaves_nothing(mngnas, file, tmp_path):
    file.write_bytes(file.read_bytes()[:-1])
    result = mngnas("benchmark", "convert", file, code=2)
    assert result.stdout == ""
    assert "download is cut short" in result.stderr and result.stderr.count("\n") == 1
    assert not [*(tmp_path / "data").rglob("*.npz")] and not [*(tmp_path / "data").rglob(".*")]


def test_info_before_and_after_the_conversion(mngnas, file, tmp_path):
    text = mngnas("benchmark", "info").stdout
    assert "nasbench101: not here." in text
    assert "licence Apache-2.0" in text and "google-research/nasbench" in text
    assert "nasbench_only108.tfrecord" in text
    # what its project publishes
    assert "4c39c3936e36a85269881d659e44e61a245babcb72cb374eacacf75d0e5f4fd1" in text
    waiting = tmp_path / "data" / "benchmarks" / "nasbench_only108.tfrecord"
    waiting.parent.mkdir(parents=True)
    file.rename(waiting)
    remedy = "mngnas benchmark convert data/benchmarks/nasbench_only108.tfrecord"
    assert f"To be converted, once: {remedy}" in mngnas("benchmark", "info").stdout
    mngnas(*remedy.split()[1:])
    text = mngnas("benchmark", "info").stdout
    table = waiting.with_name("nasbench101.npz")
    assert text.startswith("data/benchmarks/nasbench101.npz\nnasbench101 on cifar10: 4 of 423624 cells")
    assert hashlib.sha256(table.read_bytes()).hexdigest() in text
    assert "\nnasbench101: not here." not in text and "To be converted" not in text


def test_info_of_one_table(mngnas, file):
    mngnas("benchmark", "convert", file, "--out", "mine.npz")
    text = mngnas("benchmark", "info", "--benchmark", "nasbench101=mine.npz").stdout
    assert "after the last of 108 epochs" in text
    message = mngnas("benchmark", "info", "--benchmark", "nasbench101=mine.npz", "--truth-epochs", 36, code=2).stderr
    assert "no results after 36 epochs" in message


def test_query_of_a_cell(mngnas, file, cell):
    mngnas("benchmark", "convert", file)
    expected = official.numbers()["first", 108][:, 2].astype(float)  # the end: seconds, train, valid, test
    facts = json.loads(mngnas("benchmark", "query", cell, "--json").stdout)
    assert facts["benchmark"] == "nasbench101" and facts["arch"] == cell
    assert facts["params"] == official.FIRST_PARAMS
    assert facts["test_runs"] == expected[:, 3].tolist()
    assert facts["valid"] == pytest.approx(expected[:, 2].mean())
    text = mngnas("benchmark", "query", cell).stdout
    assert text.startswith(f"{cell} in nasbench101 on cifar10\n")
    assert "8.56 M (8,555,530)" in text
    absent = "100000.00001.0000.000.00.0:33333"
    assert f"has no row for the cell {absent}" in mngnas("benchmark", "query", absent, code=2).stderr
    assert "is not an architecture of nasbench201" in mngnas("benchmark", "query", "|none~0|+|", code=2).stderr
