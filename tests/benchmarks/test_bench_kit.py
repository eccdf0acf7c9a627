"""The kit's own truth as a benchmark."""

import gzip
import json
from dataclasses import asdict

import numpy as np
import pytest

from mngnas_lib.benchmarks import find_benchmarks, get_benchmark, recognise
from mngnas_lib.benchmarks.kit_table import Row, read_rows
from mngnas_lib.errors import ArchError, BenchmarkError
from mngnas_lib.spaces import get_space
from mngnas_lib.truth import TruthTable, get_truth

SIZES = {"channels": 4, "cells": 1}
EMPTY, POOLED = (
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|avg_pool_3x3~0|none~1|none~2|",
)
CONV = "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"
TESTS = {EMPTY: [0.1, 0.1, 0.1], POOLED: [0.3, 0.5, 0.4], CONV: [0.8, 0.9]}


@pytest.fixture
def path(tmp_path):
    space = get_space("nasbench201", **SIZES)
    identity = {"space": "nasbench201", "sizes": space.settings(), "data": {"source": "hard-digits", "size": 12}}
    table = TruthTable(tmp_path / "kit-nasbench201.csv", identity | {"fingerprint": "ab", "train": {"epochs": 2}})
    for arch, tests in TESTS.items():
        cost = space.cost(space.from_string(arch), input_shape=(1, 12, 12))
        for seed, test in enumerate(tests):
            table.append(Row(arch, seed, test - 0.05, test, cost.params, cost.macs, 2, 1.0, "0.1.0"))
    return table.path


def test_means_over_trainings(path):
    benchmark = get_benchmark("kit-nasbench201", path)
    record = benchmark.query(POOLED)
    assert (record.test, record.valid) == (pytest.approx(0.4), pytest.approx(0.35))
    assert record.test_runs == pytest.approx((0.3, 0.5, 0.4))
    assert benchmark.query(CONV).test_runs == pytest.approx((0.8, 0.9))
    assert benchmark.table["arch"].tolist() == list(TESTS)
    assert benchmark.table["trainings"].tolist() == [3, 3, 2]
    assert benchmark.table["std"][1] == pytest.approx(0.1)
    assert benchmark.runs.shape == (3, 3) and np.isnan(benchmark.runs[2, 2])
    assert benchmark.space == get_space("nasbench201", **SIZES)
    assert (benchmark.name, benchmark.dataset, len(benchmark)) == ("kit-nasbench201", "hard-digits", 3)
    assert "channels 4" in benchmark.describe() and "2 trainings for 1" in benchmark.describe()


def test_any_architecture_of_the_same_function_is_found(path):
    benchmark = get_benchmark("kit-nasbench201", path)
    # node 2 is fed by a convolution, and nothing leaves it
    same = "|none~0|+|nor_conv_3x3~0|none~1|+|nor_conv_3x3~0|none~1|none~2|"
    assert benchmark.query(same).arch == benchmark.space.from_string(CONV)
    assert benchmark.scores([same, POOLED]).test.tolist() == pytest.approx([0.85, 0.4])


def test_what_is_not_there(path):
    benchmark = get_benchmark("kit-nasbench201", path)
    with pytest.raises(BenchmarkError, match="holds 3 of"):
        benchmark.query("|nor_conv_3x3~0|+|none~0|nor_conv_3x3~1|+|none~0|none~1|nor_conv_3x3~2|")
    with pytest.raises(ArchError):
        benchmark.query((9,) * 6)
    with pytest.raises(BenchmarkError, match="about hard-digits, not about cifar10"):
        get_benchmark("kit-nasbench201", path, dataset="cifar10")
    with pytest.raises(BenchmarkError, match="looks like a table of trainings of nasbench201"):
        get_benchmark("kit-nasbench-macro", path)


def test_found_in_the_folder_of_the_environment_variable(path, monkeypatch):
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(path.parent))
    assert recognise(path) == "kit-nasbench201"
    assert ("kit-nasbench201", path) in find_benchmarks()
    assert get_benchmark("kit-nasbench201").path == path


def test_damaged_card_or_table(path):
    card = path.with_suffix(".json")
    good = card.read_text()
    for sizes in ({"channels": 0, "cells": 1}, {"depth": 3}):
        card.write_text(json.dumps(json.loads(good) | {"sizes": sizes}))
        with pytest.raises(BenchmarkError, match="does not fit its search space"):
            get_benchmark("kit-nasbench201", path)
    card.write_text(good)
    path.write_text(path.read_text().replace("nor_conv_3x3~0", "nor_conv_7x7~0"))
    with pytest.raises(BenchmarkError, match="does not fit its search space"):
        get_benchmark("kit-nasbench201", path)


@pytest.mark.parametrize(
    "damage",
    [{"data": {}}, {"data": None}, {"train": {}}, {"train": [2]}, {"sizes": []}, {"sizes": None}, {"space": ["x"]}],
)
def test_a_card_with_an_empty_part(path, damage):
    card = path.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | damage))
    with pytest.raises(BenchmarkError, match=r"or parts of it: get it again|does not fit its search space"):
        get_benchmark("kit-nasbench201", path)


def test_a_table_without_a_training(path):
    """As a first run leaves it that was stopped early."""
    first, row, *_ = path.read_text().splitlines()
    for text in (first, first + "\n"):
        path.write_text(text)
        assert recognise(path) == "kit-nasbench201"
        with pytest.raises(BenchmarkError, match="has no trainings yet: `mngnas truth` computes them"):
            get_benchmark("kit-nasbench201", path)
    path.with_suffix(".json").unlink()
    assert recognise(path) == "unknown"
    path.write_text(f"{first}\n{row}\n")
    with pytest.raises(BenchmarkError, match="json is missing"):
        get_benchmark("kit-nasbench201", path)


def test_a_gzipped_table_is_not_read(path):
    packed = path.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert recognise(packed) == "unknown"


def test_a_table_that_cannot_be_read(tmp_path):
    with pytest.raises(BenchmarkError, match="cannot be read"):
        read_rows(tmp_path, "nasbench201")


@pytest.mark.parametrize(
    ("space", "least", "trainings"), [("nasbench201", 500, 3), ("nasbench-macro", 200, 3), ("nasbench101", 150, 3)]
)
def test_shipped_tables(space, least, trainings):
    benchmark = get_benchmark(f"kit-{space}")
    settings = get_truth(space, "laptop")
    assert len(benchmark) >= least
    assert (~np.isnan(benchmark.runs)).sum(1).min() >= trainings
    assert benchmark.space == settings.space.build()
    assert all(benchmark.space.canonical(arch) == arch for arch in benchmark.archs)
    card = json.loads(benchmark.path.with_suffix(".json").read_text())
    assert card["train"] == settings.train.identity() | {"augment": asdict(settings.train.augment)}
    assert card["data"] == asdict(settings.data)
    shape = {"input_shape": (1, settings.data.size, settings.data.size), "num_classes": 10}
    costs = [benchmark.space.cost(arch, **shape) for arch in benchmark.archs]
    assert benchmark.table["params"].tolist() == [cost.params for cost in costs]
    assert benchmark.table["macs"].tolist() == [cost.macs for cost in costs]
