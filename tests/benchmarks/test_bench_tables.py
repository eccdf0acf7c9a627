"""Reading tables: values, queries, and what is said of wrong files and questions."""

import gzip
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import kendalltau

from mngnas_lib.benchmarks import Record, files, find_benchmarks, get_benchmark, recognise
from mngnas_lib.benchmarks.nasbench201 import notations
from mngnas_lib.errors import ArchError, BenchmarkError
from mngnas_lib.spaces import get_space

CONV = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|"
SKIP = "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|"


def rewrite(path: Path, change) -> None:
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()).decode()).encode()))


def test_notations_are_the_spaces_own():
    space = get_space("nasbench201")
    assert notations() == {space.to_string(arch): arch for arch in space.all_archs()}


@pytest.mark.parametrize(
    ("dataset", "epochs", "valid", "test"),
    [
        ("cifar10", 200, 0.50, 0.51),
        ("cifar10", 12, 0.52, 0.53),
        ("cifar100", 200, 0.54, 0.55),
        ("cifar100", 12, 0.56, 0.57),
        ("imagenet16-120", 200, 0.58, 0.59),
        ("ImageNet16-120", 12, 0.60, 0.61),
    ],
)
def test_columns_of_each_dataset(table, dataset, epochs, valid, test):
    record = get_benchmark("nasbench201", table, dataset=dataset, epochs=epochs).query(CONV)
    assert (record.valid, record.test) == pytest.approx((valid, test))
    assert record.test_runs == ()


@pytest.mark.parametrize(
    ("dataset", "shape", "classes"),
    [("cifar10", (3, 32, 32), 10), ("cifar100", (3, 32, 32), 100), ("imagenet16-120", (3, 16, 16), 120)],
)
def test_costs_are_those_of_the_datasets_network(table, dataset, shape, classes):
    benchmark = get_benchmark("nasbench201", table, dataset=dataset)
    for text in (CONV, SKIP):
        cost = benchmark.space.cost(benchmark.space.from_string(text), input_shape=shape, num_classes=classes)
        record = benchmark.query(text)
        assert (record.params, record.macs) == (cost.params, cost.macs)


def test_query_takes_choices_arrays_and_notation(table):
    benchmark = get_benchmark("nasbench201", table)
    arch = benchmark.space.from_string(SKIP)
    expected = Record(arch, 0.6, 0.61, *vars(benchmark.space.cost(arch)).values())
    for form in (arch, list(arch), np.array(arch), SKIP, f" {SKIP} "):
        assert benchmark.query(form) == expected


def test_scores_keep_the_asked_order(table):
    benchmark = get_benchmark("nasbench201", table)
    scores = benchmark.scores([SKIP, CONV, SKIP])
    assert scores.test == pytest.approx([0.61, 0.51, 0.61])
    assert scores.valid == pytest.approx([0.60, 0.50, 0.60])
    assert benchmark.archs == [benchmark.space.from_string(text) for text in (CONV, SKIP)]
    assert benchmark.scores(np.array(benchmark.archs)).test == pytest.approx([0.51, 0.61])
    assert benchmark.scores([]).test.shape == (0,)


def test_incomplete_table_says_what_is_missing(table):
    benchmark = get_benchmark("nasbench201", table)
    absent = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"
    for ask in (benchmark.query, lambda arch: benchmark.scores([CONV, arch])):
        with pytest.raises(BenchmarkError, match=r"small.csv.gz has no row for \|none~0.*2 of the 15625"):
            ask(absent)
    assert "2 of 15625 architectures" in benchmark.describe()


@pytest.mark.parametrize(
    "wrong", ["22212220", (0, 1, 2), (5, 0, 0, 0, 0, 0), "", 7, None, (0.5, 0, 0, 0, 0, 0), [[0]] * 6]
)
def test_what_is_no_architecture(table, wrong):
    with pytest.raises(ArchError, match=r"not an architecture of nasbench201"):
        get_benchmark("nasbench201", table).query(wrong)


def test_row_without_test_accuracy_is_left_out(table):
    rewrite(table, lambda text: text.replace(",60,61,", ",60,,"))
    benchmark = get_benchmark("nasbench201", table)
    assert len(benchmark) == 1
    assert len(get_benchmark("nasbench201", table, dataset="cifar100")) == 2


def test_column_without_a_value(table):
    rewrite(table, lambda text: text.replace(",60,61,", ",60,,").replace(",50,51,", ",50,,"))
    with pytest.raises(BenchmarkError, match=r"no test accuracy on cifar10 after 200 epochs.*v1_1"):
        get_benchmark("nasbench201", table)


def test_description_names_split_epochs_and_seeds(table):
    text = get_benchmark("nasbench201", table, dataset="cifar100", epochs=12).describe()
    for part in ("12 epochs", "half of CIFAR-100's test images", "1 to 3 seeds", "small.csv.gz", "no single"):
        assert part in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("cifar10_test,", "something,"), "no column cifar10_test, needed for cifar10"),
        (lambda text: text + text.splitlines()[1] + "\n", "more than once"),
        (lambda text: text.replace(",51,", ",151,"), "column cifar10_test.*151"),
        (lambda text: text.replace(",51,", ",-1,"), "column cifar10_test.*-1"),
        (lambda text: text.replace(",51,", ",high,"), "column cifar10_test.*high"),
        (lambda text: text.replace(",51,", ",0.51,").replace(",61,", ",0.61,"), "fractions, percent are needed"),
        (lambda text: text.replace("none~0", "nothing~0"), "row 2.*not the notation"),
        (lambda text: text.splitlines()[0] + "\n", "has no rows"),
        (lambda text: text.replace(",50,", ",50,50,50,"), "cut short or damaged"),
    ],
)
def test_wrong_content(table, change, message):
    rewrite(table, change)
    with pytest.raises(BenchmarkError, match=rf"small.csv.gz(?s:.*){message}"):
        get_benchmark("nasbench201", table)


@pytest.mark.parametrize("count", ["none", "0", "1.5"])
def test_wrong_count_of_runs(table, count):
    rewrite(table, lambda text: text.replace("arch,index,", "arch,cifar10_test_runs,").replace(",0,", f",{count},"))
    with pytest.raises(BenchmarkError, match=r"cifar10_test_runs is to count"):
        get_benchmark("nasbench201", table)


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_truncated_gzip(table, kept):
    rewrite(table, lambda text: text + "".join(f"|none~{row}|,{row * 7919 % 1000}\n" for row in range(2000)))
    content = table.read_bytes()
    table.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(BenchmarkError, match=r"small.csv.gz is cut short or damaged.*get the file again"):
        get_benchmark("nasbench201", table)


def test_wrong_questions(table):
    with pytest.raises(BenchmarkError, match=r"no dataset 'svhn': choose one of cifar10, cifar100, imagenet16-120"):
        get_benchmark("nasbench201", table, dataset="svhn")
    for epochs in (90, "200", True, None):
        with pytest.raises(BenchmarkError, match=r"200 or for 12 epochs"):
            get_benchmark("nasbench201", table, epochs=epochs)
    with pytest.raises(BenchmarkError, match=r"no benchmark is called 'nasbench301': choose one of nasbench101"):
        get_benchmark("nasbench301", table)
    with pytest.raises(BenchmarkError, match=r"no option epoch: it takes dataset, epochs"):
        get_benchmark("nasbench201", table, epoch=200)


def test_wrong_files(table, macro_file, official, tmp_path):
    with pytest.raises(BenchmarkError, match=r"small.csv.gz should be.*looks like a converted table of NAS-Bench-201"):
        get_benchmark("nasbench-macro", table)
    with pytest.raises(BenchmarkError, match=r"looks like the official JSON file of NAS-Bench-Macro"):
        get_benchmark("nasbench201", macro_file)
    with pytest.raises(BenchmarkError, match=r"official file of NAS-Bench-201.*mngnas benchmark convert"):
        get_benchmark("nasbench201", official)
    (tmp_path / "other").write_text("hello")
    with pytest.raises(BenchmarkError, match=r"looks like no kind of file"):
        get_benchmark("nasbench201", tmp_path / "other")
    with pytest.raises(BenchmarkError, match=r"absent.csv does not exist"):
        get_benchmark("nasbench201", tmp_path / "absent.csv")
    with pytest.raises(BenchmarkError, match=r"is a folder"):
        get_benchmark("nasbench201", tmp_path)


def test_recognise(table, macro_file, official, tmp_path):
    empty, broken = tmp_path / "empty", tmp_path / "broken.gz"
    empty.write_bytes(b"")
    broken.write_bytes(b"\x1f\x8bnot gzip after all")
    kinds = [recognise(path) for path in (table, macro_file, official, empty, broken)]
    assert kinds == ["nasbench201-table", "nasbench-macro", "nasbench201-official", "unknown", "unknown"]


def test_files_are_found(table, macro_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MNGNAS_BENCHMARKS", raising=False)
    monkeypatch.setattr(files, "project_folder", lambda: tmp_path)  # without the kit's own tables
    assert find_benchmarks() == []
    with pytest.raises(BenchmarkError, match=r"data.benchmarks.*D-X-Y.*convert.*MNGNAS_BENCHMARKS"):
        get_benchmark("nasbench201")
    with pytest.raises(BenchmarkError, match=r"data.benchmarks.*xiusu.*MNGNAS_BENCHMARKS"):
        get_benchmark("nasbench-macro")

    folder = tmp_path / "data" / "benchmarks"
    folder.mkdir(parents=True)
    table.rename(folder / "mine.csv.gz")
    assert find_benchmarks() == [("nasbench201", Path("data/benchmarks/mine.csv.gz"))]
    assert len(get_benchmark("nasbench201")) == 2

    other = tmp_path / "other"
    other.mkdir()
    macro_file.rename(other / "macro.json")
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(other))
    assert [name for name, _ in find_benchmarks()] == ["nasbench201", "nasbench-macro"]
    assert get_benchmark("nasbench-macro").path == other / "macro.json"


def test_a_folder_with_two_names_is_looked_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "project_folder", lambda: tmp_path)
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(tmp_path / "data" / ".." / "data" / "benchmarks"))
    (tmp_path / "data").mkdir()
    assert len(files.folders()) == 1
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(tmp_path))
    assert files.folders() == [tmp_path, Path("data", "benchmarks")]


@pytest.mark.parametrize(("dataset", "best"), [("cifar10", 0.9437), ("cifar100", 0.7351), ("imagenet16-120", 0.4731)])
def test_published_best_values(shared_data, dataset, best):
    benchmark = get_benchmark("nasbench201", shared_data / "nasbench201.csv.gz", dataset=dataset)
    assert len(benchmark) == benchmark.space.size == 15625
    assert benchmark.table["test"].max() == pytest.approx(best, abs=5e-5)
    assert set(benchmark.archs) == set(benchmark.space.all_archs())


def test_published_costs(shared_data):
    """The published table's formula, in millions: 0.073306 + 0.24304 n3x3 + 0.028 n1x1, and the like for FLOPs."""
    table = get_benchmark("nasbench201", shared_data / "nasbench201.csv.gz").table
    three, one = (table["arch"].str.count(f"conv_{kernel}").to_numpy() for kernel in ("3x3", "1x1"))
    assert table["params"].to_numpy() / 1e6 == pytest.approx(0.073306 + 0.24304 * three + 0.028 * one)
    assert table["macs"].to_numpy() / 1e6 == pytest.approx(7.78305 + 35.38944 * three + 3.93216 * one, abs=2e-5)


def test_known_rank_correlations(shared_data):
    path = shared_data / "nasbench201.csv.gz"
    table = get_benchmark("nasbench201", path).table
    short = get_benchmark("nasbench201", path, epochs=12).table
    for predictor, tau in ((table["macs"], 0.577), (short["valid"], 0.594), (short["test"], 0.700)):
        assert kendalltau(predictor, table["test"]).statistic == pytest.approx(tau, abs=6e-4)


def test_loading_is_small(shared_data):
    tracemalloc.start()
    try:
        benchmark = get_benchmark("nasbench201", shared_data / "nasbench201.csv.gz")
        benchmark.query(CONV)
        assert tracemalloc.get_traced_memory()[1] < 50e6  # 15 MB
    finally:
        tracemalloc.stop()


def test_loading_is_fast(shared_data):
    started = time.process_time()  # what other programs do meanwhile does not count
    get_benchmark("nasbench201", shared_data / "nasbench201.csv.gz").query(CONV)
    assert time.process_time() - started < 1  # 0.2 s
