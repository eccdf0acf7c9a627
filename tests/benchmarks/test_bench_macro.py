"""NAS-Bench-Macro's official JSON file."""

import json

import numpy as np
import pytest
from scipy.stats import kendalltau

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.errors import ArchError, BenchmarkError


def test_values(macro_file, macro_entries):
    benchmark = get_benchmark("nasbench-macro", macro_file)
    record = benchmark.query("22212220")
    assert record == benchmark.query((2, 2, 2, 1, 2, 2, 2, 0))
    assert record.valid is None
    assert record.test == pytest.approx(0.92)
    assert record.test_runs == pytest.approx((0.91, 0.92, 0.93))
    assert (record.params, record.macs) == (macro_entries["22212220"]["params"], macro_entries["22212220"]["flops"])
    assert benchmark.runs.shape == (3, 3)
    assert benchmark.table["std"].to_numpy() == pytest.approx(0.008)
    scores = benchmark.scores(["10210100", "00000000"])
    assert scores.test == pytest.approx([0.93, 0.91])
    assert scores.valid is None


def test_description_tells_of_the_best_epoch(macro_file):
    text = get_benchmark("nasbench-macro", macro_file).describe()
    for part in (
        "best epoch on these same test images",
        "50 epochs",
        "three runs",
        "valid: not published",
        "3 of 6561",
    ):
        assert part in text


def test_missing_and_foreign_architectures(macro_file):
    benchmark = get_benchmark("nasbench-macro", macro_file)
    with pytest.raises(BenchmarkError, match="no row for 11111111: it holds 3 of the 6561"):
        benchmark.query("11111111")
    for wrong in ("33333333", "1111", (0,) * 6):
        with pytest.raises(ArchError, match="not an architecture of nasbench-macro"):
            benchmark.query(wrong)


def test_wrong_dataset(macro_file):
    with pytest.raises(BenchmarkError, match="no dataset 'cifar100': it was trained on cifar10 only"):
        get_benchmark("nasbench-macro", macro_file, dataset="cifar100")
    with pytest.raises(BenchmarkError, match="no option epochs"):
        get_benchmark("nasbench-macro", macro_file, epochs=50)


def test_cut_short(macro_file):
    text = macro_file.read_text()
    macro_file.write_text(text[: len(text) // 2])
    with pytest.raises(BenchmarkError, match=r"nas-bench-macro_cifar10.json is cut short or damaged.*again"):
        get_benchmark("nasbench-macro", macro_file)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("test_acc", [90.0, 91.0, 101.0], "test_acc.*101"),
        ("test_acc", [90.0, 91.0], "three test accuracies"),
        ("test_acc", [90.0, 91.0, None], "three test accuracies"),
        ("test_acc", 90.0, "three test accuracies"),
        ("std", -0.5, "std.*-0.5"),
        ("params", 1, "params = 1, but its network has"),
        ("flops", "many", "flops = many, but its network has"),
        ("flops", None, "flops = None"),
    ],
)
def test_wrong_fields(macro_file, macro_entries, field, value, message):
    macro_entries["22212220"][field] = value
    macro_file.write_text(json.dumps(macro_entries))
    with pytest.raises(BenchmarkError, match=rf"macro_cifar10.json.*{message}"):
        get_benchmark("nasbench-macro", macro_file)


def test_missing_field_and_foreign_key(macro_file, macro_entries):
    macro_file.write_text(json.dumps({**macro_entries, "11111113": macro_entries["00000000"]}))
    with pytest.raises(BenchmarkError, match="row 4: '11111113' is not the notation"):
        get_benchmark("nasbench-macro", macro_file)
    macro_file.write_text(json.dumps({**macro_entries, "11111111": 3}))
    with pytest.raises(BenchmarkError, match="does not map architectures to their fields"):
        get_benchmark("nasbench-macro", macro_file)
    del macro_entries["22212220"]["flops"]
    macro_file.write_text(json.dumps(macro_entries))
    with pytest.raises(BenchmarkError, match="22212220 has no flops"):
        get_benchmark("nasbench-macro", macro_file)


def test_published_values(shared_data):
    benchmark = get_benchmark("nasbench-macro", shared_data / "nas-bench-macro_cifar10.json")
    best = benchmark.table["test"].idxmax()
    assert benchmark.table["arch"][best] == "22212220"
    assert benchmark.table["test"][best] == pytest.approx(0.9313, abs=5e-5)
    assert len(benchmark) == 6561
    assert set(benchmark.archs) == set(benchmark.space.all_archs())
    assert np.allclose(benchmark.runs.mean(axis=1), benchmark.table["test"])


def test_equal_networks_share_their_figures(shared_data):
    benchmark = get_benchmark("nasbench-macro", shared_data / "nas-bench-macro_cifar10.json")
    canonical = benchmark.rows([benchmark.space.canonical(arch) for arch in benchmark.archs])
    assert np.array_equal(benchmark.runs, benchmark.runs[canonical])
    assert len(set(canonical)) == 3969


def test_known_rank_correlations(shared_data):
    """Over the 3,969 networks, each counted once."""
    benchmark = get_benchmark("nasbench-macro", shared_data / "nas-bench-macro_cifar10.json")
    rows = benchmark.rows(benchmark.space.canonical_archs())
    table, runs = benchmark.table.iloc[rows], benchmark.runs[rows]
    assert kendalltau(table["macs"], table["test"]).statistic == pytest.approx(0.546, abs=6e-4)
    assert kendalltau(table["params"], table["test"]).statistic == pytest.approx(0.215, abs=6e-4)
    pairs = [kendalltau(runs[:, first], runs[:, second]).statistic for first, second in ((0, 1), (0, 2), (1, 2))]
    assert np.mean(pairs) == pytest.approx(0.880, abs=2e-3)
