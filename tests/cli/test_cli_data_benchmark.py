"""``mngnas data`` and ``mngnas benchmark``."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mngnas_lib.data import load_images
from mngnas_lib.spaces import get_space

# ---------------------------------------------------------------------- data


@pytest.fixture
def folder(tmp_path) -> Path:
    """A small folder of images in two classes."""
    rng = np.random.default_rng(0)
    for part, label, number in [(p, c, i) for p in ("train", "test") for c in ("cat", "dog") for i in range(5)]:
        place = tmp_path / "pets" / part / label / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(place)
    return tmp_path / "pets"


def test_sources_and_where_they_are(mngnas, tmp_path, monkeypatch):
    lines = {line.split()[0]: line.split()[1:] for line in mngnas("data", "list").stdout.splitlines()}
    assert list(lines) == ["source", "digits", "hard-digits", "cifar10", "cifar100", "folder:PATH"]
    assert lines["digits"][0] == "yes"
    assert lines["cifar10"][0] == lines["cifar100"][0] == "no"
    monkeypatch.setenv("MNGNAS_DATA", str(tmp_path))
    (tmp_path / "cifar-100-python").mkdir()
    lines = {line.split()[0]: line.split()[1:] for line in mngnas("data", "list").stdout.splitlines()}
    assert lines["cifar10"][0] == "no"
    assert lines["cifar100"] == ["yes", str(tmp_path / "cifar-100-python")]


def test_info_says_what_was_loaded(mngnas):
    words = ("digits", "--size", 8, "--count", 1000, "--test-count", 77, "--valid-fraction", 0.2, "--data-seed", 5)
    text = mngnas("data", "info", *words).stdout
    data = load_images("digits", size=8, count=1000, test_count=77, valid_fraction=0.2, seed=5)
    assert text.startswith("digits: 1 x 8 x 8, 10 classes\n")
    cells = [line.split() for line in text.splitlines()]
    assert ["train", "800", "80"] in cells
    assert ["valid", "200", "20"] in cells
    assert ["test", "77", "7", "to", "8"] in cells
    assert ["fingerprint", data.fingerprint] in cells
    facts = json.loads(mngnas("data", "info", *words, "--json").stdout)
    assert facts["fingerprint"] == data.fingerprint
    assert facts["input_shape"] == [1, 8, 8]


def test_prepare_decodes_a_folder_once(mngnas, folder, monkeypatch):
    monkeypatch.setenv("MNGNAS_CACHE", str(folder.parent / "cache"))
    facts = json.loads(mngnas("data", "prepare", f"folder:{folder}", "--size", 4, "--json").stdout)
    cache = Path(facts["cache"])
    assert cache.parent == folder.parent / "cache"
    before = cache.stat().st_mtime_ns
    text = mngnas("data", "info", f"folder:{folder}", "--size", 4).stdout
    assert str(cache) in text and "3 x 4 x 4, 2 classes" in text
    assert cache.stat().st_mtime_ns == before


def test_only_prepare_downloads(mngnas, monkeypatch, tmp_path):
    import torchvision.datasets

    asked = []

    class Cifar(torchvision.datasets.CIFAR10):
        def __init__(self, root, *, train, download):
            asked.append((str(root), download))
            self.data = np.arange(12 * 8 * 8 * 3, dtype=np.uint8).reshape(12, 8, 8, 3)
            self.targets = [0, 1] * 6
            self.classes = ["cat", "dog"]

    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Cifar)
    assert "mngnas data prepare cifar10" in mngnas("data", "info", "cifar10", code=2).stderr
    assert asked == []
    mngnas("data", "prepare", "cifar10", "--root", "place")
    assert asked == [("place", True)] * 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("info", "Missing argument 'SOURCE'"),
        ("info nothing", "'nothing' is no source of images"),
        ("info folder:nowhere", "there is no folder nowhere"),
        ("info digits --count 99999", "99999"),
        ("info digits --size 0", "0 is not in the range"),
        ("info digits --valid-fraction 1", "is not in the range"),
        ("prepare", "Missing argument 'SOURCE'"),
    ],
)
def test_mistakes_about_images(mngnas, words, message):
    result = mngnas("data", *words.split(), code=2)
    assert message in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_no_image_is_named(mngnas, folder):
    (folder / "train" / "cat" / "0.png").write_text("nothing")
    assert "0.png" in mngnas("data", "info", f"folder:{folder}", code=2).stderr


# ---------------------------------------------------------------------- benchmark

CELL = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|"
#: The first row of the table that the kit ships
KIT_MACRO = "00000000"


@pytest.fixture
def table(tmp_path) -> Path:
    """Three architectures in the form of NAS-Bench-201's table."""
    space = get_space("nasbench201")
    archs = [CELL, space.to_string((3,) * 6), space.to_string((0,) * 6)]
    path = tmp_path / "tables" / "nasbench201.csv"
    path.parent.mkdir()
    columns = {"arch": archs, "cifar10_valid": [80.0, 90.0, 10.0], "cifar10_test": [81.25, 93.5, 10.0]}
    columns |= {"cifar10_test_12ep": [61.0, 71.0, 10.0], "cifar10_valid_12ep": [60.0, 70.0, 10.0]}
    pd.DataFrame(columns | {"cifar100_valid": 1.5, "cifar100_test": [40.0, 70.0, 1.5]}).to_csv(path, index=False)
    return path


def test_info_lists_what_is_found_and_tells_its_origin(mngnas, table, monkeypatch, tmp_path):
    monkeypatch.setattr("mngnas_lib.benchmarks.files.project_folder", lambda: tmp_path)  # without the kit's own tables
    text = mngnas("benchmark", "info").stdout
    assert text.startswith("No benchmark file in data/benchmarks") and "MNGNAS_BENCHMARKS" in text
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(table.parent))
    text = mngnas("benchmark", "info").stdout
    assert text.startswith(f"{table}\nnasbench201 on cifar10: 3 of 15625 architectures")
    assert "after the last of 200 epochs" in text
    assert "93.50 %" in text
    assert f"SHA-256 of nasbench201.csv: {hashlib.sha256(table.read_bytes()).hexdigest()}" in text
    assert "licence MIT" in text and "D-X-Y/NAS-Bench-201" in text
    assert "nasbench-macro: not here." in text and "xiusu/NAS-Bench-Macro" in text
    assert "\nnasbench201: not here." not in text


def test_info_goes_on_after_a_damaged_file(mngnas, table, monkeypatch):
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(table.parent))
    text = table.read_text()
    (table.parent / "a-damaged.csv").write_text(text.replace("81.25", "8125"))
    lines = mngnas("benchmark", "info").stdout.splitlines()
    assert lines[0].endswith("a-damaged.csv")
    assert lines[1].startswith("unusable: ")
    assert str(table) in lines


def test_info_of_one_file(mngnas, table):
    named = ("--benchmark", f"nasbench201={table}")
    assert "nasbench201 on cifar100: 3 of" in mngnas("benchmark", "info", *named, "--dataset", "cifar100").stdout
    assert "the last of 12 epochs" in " ".join(mngnas("benchmark", "info", *named, "--truth-epochs", 12).stdout.split())


def test_query(mngnas, table):
    named = ("--benchmark", f"nasbench201={table}")
    text = mngnas("benchmark", "query", CELL, *named).stdout
    cells = [line.split() for line in text.splitlines()]
    assert ["test", "81.25", "%"] in cells and ["valid", "80.00", "%"] in cells
    assert ["params", "344", "k", "(344,346)"] in cells  # the official 0.344346 M
    facts = json.loads(mngnas("benchmark", "query", CELL, *named, "--truth-epochs", 12, "--json").stdout)
    assert facts["arch"] == CELL
    assert facts["test"] == pytest.approx(0.61)
    assert (facts["params"], facts["macs"]) == (344346, 47104640)


def test_query_guesses_the_benchmark_by_its_notation(mngnas, table, monkeypatch):
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(table.parent))
    assert "in nasbench201 on cifar10" in mngnas("benchmark", "query", CELL).stdout
    # without an official file the kit's own table answers, unless something is asked for that it does not have
    assert "in kit-nasbench-macro on hard-digits" in mngnas("benchmark", "query", KIT_MACRO).stdout
    asked = ("benchmark", "query", KIT_MACRO, "--dataset", "cifar10")
    assert "no file for nasbench-macro" in mngnas(*asked, code=2).stderr
    assert "'hello' is not an architecture" in mngnas("benchmark", "query", "hello", code=2).stderr


def test_query_of_the_official_macro_file(mngnas, shared_data):
    named = ("--benchmark", f"nasbench-macro={shared_data / 'nas-bench-macro_cifar10.json'}")
    facts = json.loads(mngnas("benchmark", "query", "22212220", *named, "--json").stdout)
    assert facts["test"] == pytest.approx(0.9313, abs=5e-5)
    assert facts["valid"] is None and len(facts["test_runs"]) == 3


def test_mistakes_about_benchmarks(mngnas, table, tmp_path):
    def fails(*words: object) -> str:
        result = mngnas("benchmark", *words, code=2)
        assert result.stdout == ""
        return result.stderr

    named = ("--benchmark", f"nasbench201={table}")
    assert "is not an architecture of nasbench201" in fails("query", "x|", *named)
    missing = get_space("nasbench201").to_string((1,) * 6)
    assert "holds 3 of the 15625 architectures" in fails("query", missing, *named)
    assert "no dataset 'mnist'" in fails("query", CELL, *named, "--dataset", "mnist")
    assert "cifar100" in fails("query", CELL, *named, "--dataset", "cifar100", "--truth-epochs", 12)
    assert "does not exist" in fails("info", "--benchmark", "nasbench201=nowhere")
    for option in (("--dataset", "cifar100"), ("--truth-epochs", 12)):
        assert f"{option[0]} comes with --benchmark" in fails("info", *option)
    assert "should be the official JSON file" in fails("info", "--benchmark", f"nasbench-macro={table}")
    assert "does not exist" in fails("convert", "nowhere.pth")
    assert "there is nothing to convert" in fails("convert", table)
    assert not (tmp_path / "data" / "benchmarks" / "nasbench201.csv.gz").exists()


def test_convert_hands_everything_over(mngnas, monkeypatch):
    calls = []

    def convert(path, out, *, trust_pickle):
        calls.append((path, out, trust_pickle))
        return Path(out or "a table")

    monkeypatch.setattr("mngnas_lib.benchmarks.convert", convert)
    assert mngnas("benchmark", "convert", "x.pth").stdout == "wrote a table\n"
    mngnas("benchmark", "convert", "x.pth", "--trust-pickle", "--out", "y.csv.gz")
    assert calls == [("x.pth", None, False), ("x.pth", "y.csv.gz", True)]
