"""Conversion of NAS-Bench-101's official files, tried on files that are made byte by byte."""

import json
import os
import pickle

import numpy as np
import official101_files as official
import pytest
import torch
from nasbench_pytorch.model import ModelSpec, Network
from torch.utils.flop_counter import FlopCounterMode

from mngnas_lib.benchmarks import convert, get_benchmark, nasbench101, recognise
from mngnas_lib.errors import BenchmarkError
from mngnas_lib.spaces import get_space
from mngnas_lib.spaces.nasbench101_cells import from_matrix, graph_hash, to_matrix

SPACE = get_space("nasbench101")
ALL_EPOCHS = (4, 12, 36, 108)


@pytest.fixture(scope="module")
def contents() -> list[bytes]:
    return official.records(official.numbers())


@pytest.fixture
def file(tmp_path, contents):
    return official.write(tmp_path / "nasbench_only108.tfrecord", contents)


def arch_of(name):
    matrix, ops = official.CELLS[name]
    return from_matrix([[int(digit) for digit in row] for row in matrix], ops)


# ---------------------------------------------------------------------- numbers


def test_every_number_comes_back(tmp_path):
    results = official.numbers(ALL_EPOCHS)
    path = official.write(tmp_path / "nasbench_full.tfrecord", official.records(results))
    table = convert(path, tmp_path)
    assert table == tmp_path / "nasbench101.npz"
    for epochs in ALL_EPOCHS:
        benchmark = get_benchmark("nasbench101", table, epochs=epochs)
        assert len(benchmark) == len(official.CELLS)
        for name in official.CELLS:
            runs = results[name, epochs].astype(np.float64)  # (runs, evaluations, seconds train valid test)
            (row,) = benchmark.rows([arch_of(name)])
            values = benchmark.table.iloc[row]
            seconds, train, valid, test = runs[:, 2].T
            assert benchmark.runs[row].tolist() == test.tolist()  # the end, in the file's order
            assert [values[f"valid_run{run}"] for run in (1, 2, 3)] == valid.tolist()
            assert values["test"] == pytest.approx(sum(test) / 3, abs=1e-15)
            assert values["valid"] == pytest.approx(sum(valid) / 3, abs=1e-15)
            assert values["train"] == pytest.approx(sum(train) / 3, abs=1e-15)
            assert values["seconds"] == pytest.approx(sum(seconds) / 3, abs=1e-10)
            assert values["halfway_valid"] == pytest.approx(runs[:, 1, 2].mean(), abs=1e-15)
            assert values["halfway_test"] == pytest.approx(runs[:, 1, 3].mean(), abs=1e-15)
            assert values["params"] == official.entry(name)[1]
            assert graph_hash(*to_matrix(benchmark.archs[row])) == official.entry(name)[0]


def test_the_first_official_record(tmp_path):
    """Its numbers are known: with two more runs like it, they come back."""
    path = official.write(tmp_path / "first.tfrecord", [official.first_record()] * 3)
    benchmark = get_benchmark("nasbench101", convert(path, tmp_path), epochs=4)
    record = benchmark.query(arch_of("first"))
    assert record.params == official.FIRST_PARAMS
    assert record.test_runs == (0.3504607379436493,) * 3
    assert record.valid == pytest.approx(0.3489583432674408, abs=1e-15)


def test_multiply_accumulates_are_those_that_torch_counts(file, tmp_path):
    matrix, ops = official.CELLS["nothing"]
    spec = ModelSpec(np.array([[int(digit) for digit in row] for row in matrix]), list(ops))
    with FlopCounterMode(display=False) as counter:
        Network(spec, num_labels=10).eval()(torch.zeros(1, 3, 32, 32))
    benchmark = get_benchmark("nasbench101", convert(file, tmp_path))
    assert benchmark.query(arch_of("nothing")).macs == counter.get_total_flops() // 2


def test_real_entries(shared_data, tmp_path):
    with (shared_data / "nasbench101_30.pkl").open("rb") as pickled:
        entries = pickle.load(pickled)
    keys = ("training_time", "train_accuracy", "validation_accuracy", "test_accuracy")
    names = dict(zip(keys, ("seconds", "train", "valid", "test"), strict=True))
    contents = []
    for module_hash, (fixed, computed) in entries.items():
        for run in computed[108]:
            later = [tuple(run[when + key] for key in keys) for when in ("halfway_", "final_")]
            message = official.metrics(fixed["trainable_parameters"], 108, [(0.0, 0.1, 0.1, 0.1), *later])
            contents.append(
                official.record(module_hash, 108, fixed["module_adjacency"], fixed["module_operations"], message)
            )
    table = convert(official.write(tmp_path / "nasbench_only108.tfrecord", contents), tmp_path)
    benchmark = get_benchmark("nasbench101", table)
    assert len(benchmark) == len(entries) == 30
    assert "30 of 423624 cells" in benchmark.describe()
    with np.load(table) as stored:
        for fixed, computed in entries.values():
            arch = from_matrix(fixed["module_adjacency"], fixed["module_operations"])
            record = benchmark.query(arch)
            assert record.params == fixed["trainable_parameters"]
            assert record.test_runs == tuple(run["final_test_accuracy"] for run in computed[108])
            assert record.valid == pytest.approx(np.mean([run["final_validation_accuracy"] for run in computed[108]]))
            (row,) = benchmark.rows([arch])
            for run, numbers in enumerate(computed[108]):
                for key, number in numbers.items():
                    when, _, what = key.partition("_")
                    name = f"{names[what]}_108" if when == "final" else f"halfway_{names[what]}_108"
                    assert stored[name][row, run] == number  # exactly: they were single precision all along


# ---------------------------------------------------------------------- damage


def edit(**changes):
    """Change a field of the first record's JSON."""

    def change(contents):
        fields = ["hash", "epochs", "matrix", "labels", "metrics"]
        values = json.loads(contents[0])
        for name, value in changes.items():
            values[fields.index(name)] = value
        return [json.dumps(values).encode(), *contents[1:]]

    return change


def evaluations(edited):
    """Other metrics in the first record, which is a run of the cell ``nothing``."""

    def change(contents):
        module_hash, params = official.entry("nothing")
        first = official.record(module_hash, 108, *official.CELLS["nothing"], edited(params))
        return [first, *contents[1:]]

    return change


def message(params, epochs=108, **last):
    values = {"seconds": 2.0, "train": 0.5, "valid": 0.5, "test": 0.5} | last
    return official.metrics(params, epochs, [(0.0, 0.1, 0.1, 0.1), (1.0, 0.2, 0.2, 0.2), tuple(values.values())])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda contents: contents[:-1], r"cut short: module \w{32} has 2 runs of 108 epochs instead of 3"),
        (lambda contents: [*contents, contents[0]], r"has records more than once: module \w{32} has 4 runs"),
        (lambda contents: [contents[0], b"{}", *contents[1:]], "record 2 is not in the official form"),
        (lambda contents: [contents[0], b"\xff\xfe", *contents[1:]], "record 2 is not in the official form"),
        (lambda contents: [contents[0], b"[1, 2]", *contents[1:]], "record 2 is not in the official form"),
        (edit(hash="0" * 32), r"record 1 .*module 0{32} has another hash"),
        (edit(epochs=109), "record 1 .*trained for 109 epochs"),
        (edit(epochs=36), "record 1 .*evaluated at epochs .*54.0, 108.0. instead of"),
        (edit(matrix="011"), "record 1 is not in the official form"),
        (edit(matrix="0120"), "record 1 is not in the official form"),
        (edit(labels="input,conv5x5-bn-relu"), "record 1 is not in the official form"),
        (edit(metrics="AAAA"), "record 1 .*its metrics"),
        (edit(metrics=None), "record 1 is not in the official form"),
        (evaluations(lambda params: message(params + 1)), "record 1 .*parameters, but the network of module"),
        (evaluations(lambda params: message(params)[:-9][:-4]), "record 1 .*its metrics"),
        (evaluations(lambda params: message(params)[:141]), "record 1 .*its metrics lack trainable_parameters"),
        (evaluations(lambda params: message(params)[47:]), "record 1 .*evaluated at epochs .54.0, 108.0. instead of"),
        (evaluations(lambda params: message(params, test=1.5)), "test after 108 epochs holds impossible values"),
        (evaluations(lambda params: message(params, valid=float("nan"))), "valid after 108 epochs holds impossible"),
        (evaluations(lambda params: message(params, seconds=-1.0)), "seconds after 108 epochs holds impossible"),
    ],
)
def test_contents_that_are_not_official(tmp_path, contents, change, problem):
    path = official.write(tmp_path / "nasbench_only108.tfrecord", change(contents))
    with pytest.raises(BenchmarkError, match=rf"only108.tfrecord\b.*{problem}.*[Gg]et the file again"):
        convert(path, tmp_path)
    assert list(tmp_path.iterdir()) == [path]  # nothing half-written


@pytest.mark.parametrize(("where", "problem"), [(0.5, "is cut short, it ends within record"), (0.999, "is cut short")])
def test_a_cut_file(file, tmp_path, where, problem):
    os.truncate(file, int(where * file.stat().st_size))
    with pytest.raises(BenchmarkError, match=problem):
        convert(file, tmp_path / "table.npz")
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("where", [0, 9, 200, 3000, -1])
def test_flipped_bits(file, tmp_path, where):
    content = bytearray(file.read_bytes())
    content[where] ^= 4
    file.write_bytes(content)
    with pytest.raises(BenchmarkError, match=r"is damaged, a checksum of record \d+ is wrong"):
        convert(file, tmp_path / "table.npz")
    assert list(tmp_path.iterdir()) == [file]


# ---------------------------------------------------------------------- files


def test_kinds_are_recognised_by_content(file, tmp_path):
    other = file.rename(tmp_path / "download.bin")
    assert recognise(other) == "nasbench101-official"
    assert recognise(convert(other, tmp_path)) == "nasbench101-table"
    foreign = official.write(tmp_path / "nasbench_full.tfrecord", [b"an image", b"another"])
    assert recognise(foreign) == "unknown"
    with pytest.raises(BenchmarkError, match=r"full.tfrecord should be an official file of NAS-Bench-101.*looks"):
        convert(foreign, tmp_path)
    with pytest.raises(BenchmarkError, match=r"run `mngnas benchmark convert`"):
        get_benchmark("nasbench101", other)


def test_what_needs_no_conversion(file, macro_file, table, tmp_path):
    done = convert(file, tmp_path)
    for path, name in ((macro_file, "NAS-Bench-Macro"), (table, "NAS-Bench-201"), (done, "NAS-Bench-101")):
        with pytest.raises(BenchmarkError, match=rf"of {name}: it is read as it is, there is nothing to convert"):
            convert(path, tmp_path)


def test_places_of_the_table(file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNGNAS_BENCHMARKS", raising=False)
    with pytest.raises(BenchmarkError, match=r"ends in .npz"):
        convert(file, "table.csv.gz")
    with pytest.raises(BenchmarkError, match=r"cannot be written"):
        convert(file, file / "table.npz")
    assert convert(file) == nasbench101.Path("data", "benchmarks", "nasbench101.npz")
    assert len(get_benchmark("nasbench101")) == 4  # found without a path


def test_written_at_once_or_not_at_all(file, tmp_path, monkeypatch):
    out = tmp_path / "tables" / "nasbench101.npz"
    convert(file, out)
    before = out.read_bytes()
    convert(file, out)
    assert out.read_bytes() == before  # the same bytes for the same file

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BenchmarkError, match=r"nasbench101.npz cannot be written \(No space left on device\)"):
        convert(file, out)
    assert out.read_bytes() == before
    assert list(out.parent.iterdir()) == [out]


def test_order_of_records_does_not_matter(tmp_path, contents):
    first = convert(official.write(tmp_path / "a.tfrecord", contents), tmp_path / "a.npz")
    by_cell = sorted(contents, key=lambda content: content[:36])  # stable: the runs of a cell keep their order
    assert by_cell != contents
    second = convert(official.write(tmp_path / "b.tfrecord", by_cell), tmp_path / "b.npz")
    one, other = get_benchmark("nasbench101", first), get_benchmark("nasbench101", second)
    assert one.table.equals(other.table)
    assert np.array_equal(one.runs, other.runs)


def test_the_table_says_what_it_was_made_of(file, tmp_path, monkeypatch):
    import hashlib

    table = convert(file, tmp_path)
    text = get_benchmark("nasbench101", table).describe()
    assert "nasbench_only108.tfrecord, whose SHA-256 is not one that is published" in text
    monkeypatch.setitem(nasbench101.PUBLISHED, "the true file", hashlib.sha256(file.read_bytes()).hexdigest())
    assert "whose SHA-256 is the published one of the true file" in get_benchmark("nasbench101", table).describe()


def test_progress_of_the_conversion(file, tmp_path, capsys):
    convert(file, tmp_path)
    assert capsys.readouterr().err == ""  # not a terminal
    convert(file, tmp_path, progress=True)
    assert "100%" in capsys.readouterr().err
