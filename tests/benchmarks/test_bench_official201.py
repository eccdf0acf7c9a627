"""Conversion of the official NAS-Bench-201 file, tried on a small file that the official package's classes make."""

import gzip
import hashlib
import os
import pickle

import numpy as np
import pandas as pd
import pytest
import torch

from mngnas_lib.benchmarks import convert, get_benchmark, official201
from mngnas_lib.errors import BenchmarkError


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def save(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def test_values_by_hand(official, made_up, tmp_path):
    out = convert(official, tmp_path / "table.csv.gz", trust_pickle=True)
    first, second, third = made_up.archs

    cifar10 = get_benchmark("nasbench201", out)
    # seeds 777, 888, 999 add 0, 0.25, 1; "cifar10-valid" x-valid: 40 + 1, "cifar10" ori-test: 40 + 10 + 3
    assert cifar10.query(first).valid == pytest.approx((41 + 1.25 / 3) / 100)
    assert cifar10.query(first).test == pytest.approx((53 + 1.25 / 3) / 100)
    assert cifar10.query(first).test_runs == pytest.approx((0.53, 0.5325, 0.54))
    assert cifar10.query(second).test == pytest.approx(0.58)
    assert cifar10.query(second).test_runs == pytest.approx((0.58,))
    assert cifar10.query(third).test_runs == pytest.approx((0.63, 0.64))
    # one column a seed, so that a column holds runs that are alike
    expected = [[0.53, 0.5325, 0.54], [0.58, np.nan, np.nan], [0.63, np.nan, 0.64]]
    assert cifar10.runs == pytest.approx(np.array(expected), nan_ok=True)

    cifar100 = get_benchmark("nasbench201", out, dataset="cifar100")
    assert (cifar100.query(second).valid, cifar100.query(second).test) == pytest.approx((0.66, 0.67))
    imagenet = get_benchmark("nasbench201", out, dataset="ImageNet16-120")
    assert (imagenet.query(second).valid, imagenet.query(second).test) == pytest.approx((0.76, 0.77))

    short = get_benchmark("nasbench201", out, epochs=12)
    assert short.query(first).valid == pytest.approx((21 + 0.125) / 100)
    assert short.query(first).test == pytest.approx(0.33)
    assert short.runs is None


def test_every_value_agrees_with_the_official_package(official, made_up, tmp_path):
    from nas_201_api import NASBench201API

    api = NASBench201API(made_up.content(), verbose=False)
    out = convert(official, tmp_path, trust_pickle=True)
    assert out == tmp_path / "nasbench201.csv.gz"
    for dataset in ("cifar10", "cifar100", "ImageNet16-120"):
        for epochs in (200, 12):
            benchmark = get_benchmark("nasbench201", out, dataset=dataset, epochs=epochs)
            for index, arch in enumerate(made_up.archs):
                test = api.get_more_info(index, dataset, hp=str(epochs), is_random=False)["test-accuracy"]
                of_valid = "cifar10-valid" if dataset == "cifar10" else dataset
                valid = api.get_more_info(index, of_valid, hp=str(epochs), is_random=False)["valid-accuracy"]
                record = benchmark.query(arch)
                assert (record.valid, record.test) == pytest.approx((valid / 100, test / 100))


def test_description_counts_seeds(official, tmp_path):
    out = convert(official, tmp_path, trust_pickle=True)
    text = get_benchmark("nasbench201", out).describe()
    assert "1 seed for 1 architectures, 2 seeds for 1 architectures, 3 seeds for 1 architectures" in text
    text = get_benchmark("nasbench201", out, epochs=12).describe()
    assert "valid: accuracy after the last of 12 epochs" in text
    assert "2 seeds for 3 architectures" in text and "1 seed for 3 architectures" in text


def test_current_layout_of_torch_files(official, made_up, tmp_path):
    new = tmp_path / "zipped.pth"
    torch.save(made_up.content(), new)
    tables = [convert(path, tmp_path / f"{path.stem}.csv.gz", trust_pickle=True) for path in (official, new)]
    assert tables[0].read_bytes() == tables[1].read_bytes()


def test_first_version_lacks_short_runs(official, made_up, tmp_path):
    """v1_0 has 12 epochs on cifar10-valid only."""
    content = made_up.content()
    for infos in content["arch2infos"].values():
        less = infos["less"]
        less["dataset_seed"] = {"cifar10-valid": less["dataset_seed"]["cifar10-valid"]}
        less["all_results"] = {key: run for key, run in less["all_results"].items() if key[0] == "cifar10-valid"}
    save(content, official)
    out = convert(official, tmp_path, trust_pickle=True)
    assert get_benchmark("nasbench201", out).query(made_up.archs[0]).test == pytest.approx((53 + 1.25 / 3) / 100)
    with pytest.raises(BenchmarkError, match=r"no column cifar10_test_12ep.*v1_1-096897"):
        get_benchmark("nasbench201", out, epochs=12)


def test_refused_without_consent(official, tmp_path):
    with pytest.raises(BenchmarkError, match=r"can execute code.*checksum does not agree.*trust_pickle=True"):
        convert(official, tmp_path / "table.csv.gz")
    assert not (tmp_path / "table.csv.gz").exists()


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
@pytest.mark.parametrize("part", [slice(0, 6), slice(-6, None)])
def test_accepted_with_its_checksum(official, tmp_path, monkeypatch, algorithm, part):
    digits = hashlib.new(algorithm, official.read_bytes()).hexdigest()[part]
    monkeypatch.setattr(official201, "OFFICIAL_DIGITS", ("e61699", digits))
    assert len(get_benchmark("nasbench201", convert(official, tmp_path))) == 3


@pytest.mark.parametrize("zipped", [False, True])
def test_a_malicious_pickle_is_not_executed(official, made_up, tmp_path, zipped):
    harm = tmp_path / "harm"
    torch.save(made_up.content() | {"more": Trap(harm)}, official, _use_new_zipfile_serialization=zipped)
    with pytest.raises(BenchmarkError, match=r"can execute code"):
        convert(official, tmp_path)
    assert not harm.exists()
    convert(official, tmp_path, trust_pickle=True)
    assert harm.exists()  # the trap works: it was the refusal that kept it shut


def test_foreign_pickles_are_not_even_opened_with_consent(tmp_path):
    harm = tmp_path / "harm"
    path = tmp_path / "other.pth"
    path.write_bytes(pickle.dumps(Trap(harm)))
    with pytest.raises(BenchmarkError, match=r"other.pth should be.*looks like no kind of file"):
        convert(path, tmp_path, trust_pickle=True)
    assert not harm.exists()


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("kept", [0.2, 0.99])
def test_cut_short(official, made_up, tmp_path, zipped, kept):
    torch.save(made_up.content(), official, _use_new_zipfile_serialization=zipped)
    content = official.read_bytes()
    official.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(BenchmarkError, match=r"is damaged, or another file"):
        convert(official, tmp_path)
    with pytest.raises(BenchmarkError, match=r"cut short or damaged.*again"):
        convert(official, tmp_path, trust_pickle=True)
    assert [path for path in tmp_path.iterdir() if "csv" in path.name] == []


def change_epochs(content):
    for run in content["arch2infos"][1]["full"]["all_results"].values():
        run["epochs"] = 90


def change_name(content):
    content["arch2infos"][1]["full"]["arch_str"] = content["meta_archs"][0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content["arch2infos"][1].pop("full"), "architecture 1.*full"),
        (lambda content: content["arch2infos"][1].update(less=3), "architecture 1.*not in the official form"),
        (change_epochs, "architecture 1.*90 epochs instead of 200"),
        (change_name, "architecture 1.*filed under"),
        (lambda content: content["meta_archs"].pop(), "architecture 2.*not in the official form"),
        (lambda content: content["meta_archs"].__setitem__(0, "22212220"), "architecture 0.*22212220"),
        (lambda content: content.pop("arch2infos"), "does not hold what the official file of NAS-Bench-201 does"),
        (lambda content: content["arch2infos"].clear(), "has no results of any architecture"),
        (lambda content: content.update(arch2infos=[]), "does not hold what"),
    ],
)
def test_foreign_content(official, made_up, tmp_path, change, message):
    content = made_up.content()
    change(content)
    save(content, official)
    with pytest.raises(BenchmarkError, match=rf"096897.pth.*{message}"):
        convert(official, tmp_path, trust_pickle=True)


def test_wrong_arguments(official, tmp_path, table):
    with pytest.raises(BenchmarkError, match=r"ends in .csv.gz"):
        convert(official, tmp_path / "table.txt", trust_pickle=True)
    with pytest.raises(BenchmarkError, match=r"does not exist"):
        convert(tmp_path / "absent.pth", tmp_path, trust_pickle=True)
    with pytest.raises(BenchmarkError, match=r"looks like a converted table"):
        convert(table, tmp_path, trust_pickle=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(BenchmarkError, match=r"cannot be written"):
        convert(official, tmp_path / "file" / "table.csv.gz", trust_pickle=True)


def test_written_at_once_or_not_at_all(official, tmp_path, monkeypatch):
    out = tmp_path / "tables" / "table.csv.gz"
    convert(official, out, trust_pickle=True)
    before = out.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BenchmarkError, match=r"table.csv.gz cannot be written \(No space left on device\)"):
        convert(official, out, trust_pickle=True)
    assert out.read_bytes() == before
    assert list(out.parent.iterdir()) == [out]


def test_form_of_the_table(official, made_up, tmp_path):
    content = made_up.content()
    full = content["arch2infos"][1]["full"]
    full["dataset_seed"].pop("cifar100")  # not trained on one dataset: a gap, not a zero
    save(content, official)
    out = convert(official, tmp_path, trust_pickle=True)
    table = pd.read_csv(out)
    assert table["cifar100_test_runs"].isna().tolist() == [False, True, False]
    assert len(get_benchmark("nasbench201", out, dataset="cifar100")) == 2
    assert list(table.columns[:2]) == ["arch", "index"]
    assert table["cifar10_test_runs"].tolist() == [3, 1, 2]
    text = gzip.decompress(out.read_bytes()).decode()
    assert ",3," in text and ",3.0," not in text  # counts are whole numbers


def test_progress(official, tmp_path, capsys):
    convert(official, tmp_path, trust_pickle=True)
    assert capsys.readouterr().err == ""  # not a terminal
    convert(official, tmp_path, trust_pickle=True, progress=True)
    assert "3/3" in capsys.readouterr().err
    convert(official, tmp_path, trust_pickle=True, progress=False)
    assert capsys.readouterr().err == ""
