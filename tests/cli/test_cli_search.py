"""Searching from the command line."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from search_words import CONFIG, FEW, TINY, images

from mngnas_lib.cli import main
from mngnas_lib.cli.search import with_float64
from mngnas_lib.distill.algorithms import ALGORITHMS
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab import get_profile
from mngnas_lib.search import search
from mngnas_lib.search.found import load_network
from mngnas_lib.search.history import COLUMNS
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, latest_checkpoint, load_supernet, rank, train_supernet


def table(name: str, folder: str = "found") -> pd.DataFrame:
    return pd.read_csv(Path(folder) / name, keep_default_na=False)


# ---------------------------------------------------------------------- what it does


def test_it_does_what_the_library_does(mngnas):
    result = mngnas("search", "--out", "found", *TINY)
    space, data = get_space("nasbench201", channels=2, cells=1), images()
    train = TrainConfig(epochs=1, batch_size=50, lr=get_profile("quick").supernet.lr)
    supernet = train_supernet(space, data, train, progress=False).network
    expected = search(supernet, data, CONFIG, progress=False)
    for file, name in (("history.csv", "archs"), ("coefficients.csv", "coefficients"), ("curves.csv", "curves")):
        found = pd.read_csv(Path("found") / file, keep_default_na=False, na_values={"accuracy_perturbed": [""]})
        pd.testing.assert_frame_equal(found, expected.table(name), check_dtype=False, rtol=1e-12)
    network = load_network(Path("found/network"))
    assert network.arch == expected.best.arch and not network.training
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), expected.network.parameters(), strict=True))
    assert space.to_string(expected.best.arch) in result.stdout
    assert "%|" not in result.stderr  # no progress bar where there is no terminal


def test_files_and_what_is_told(mngnas):
    lines = mngnas("search", "--out", "found", *TINY).stdout.splitlines()
    files = {"history": "archs", "coefficients": "coefficients", "curves": "curves"}
    files |= {"perturbation": "perturbation", "seconds": "seconds"}
    for file, name in files.items():
        assert tuple(table(f"{file}.csv").columns) == COLUMNS[name]
    assert {path.name for path in Path("found").iterdir()} == {
        *(f"{file}.csv" for file in files),
        *("supernet", "search", "network"),
    }
    best = table("history.csv").sort_values(["accuracy", "macs"], ascending=[False, True], kind="stable").iloc[0]
    told = {line[:30].strip(): line[30:].strip() for line in lines}
    assert lines[0] == "6 architectures retrained in 2 search epochs"
    assert lines[1] == ALGORITHMS["mngnas"].describe()
    gap = re.fullmatch(r"Coefficients: relative duality gap at most (\S+), KKT residual at most (\S+)", lines[2])[1]
    assert 0 <= float(gap) <= 1e-8
    assert told["best architecture"] == best["arch"]
    assert told["accuracy"] == f"{100 * best['accuracy']:.2f} % of 90 validation images"
    assert told["with the SuperNet's weights"] == f"{100 * best['accuracy_before']:.2f} %"
    assert any("Only a benchmark can tell" in line for line in lines)
    seconds = table("seconds.csv")
    assert {line.split()[0] for line in lines if line} > set(seconds["part"])
    assert lines[-1].split() == ["checkpoint", str(latest_checkpoint("found/network")[0])]


def test_a_supernet_is_taken_as_it_is_with_its_images(mngnas, trained):
    before = {path: path.read_bytes() for path in trained.iterdir()}
    result = mngnas("search", "--out", "found", "--supernet", trained, *FEW.split(), "--algorithm", "average")
    assert result.stderr == "" and not Path("found/supernet").exists()
    space, data = get_space("nasbench201", channels=2, cells=1), images()
    supernet = load_supernet(latest_checkpoint(trained)[1], space)
    archs = [space.from_string(text) for text in table("history.csv")["arch"]]
    known = rank(supernet, archs, data, bn="reestimate", progress=False).accuracy
    assert np.array_equal(table("history.csv")["accuracy_before"], known)
    assert {path: path.read_bytes() for path in trained.iterdir()} == before
    other = mngnas("search", "--out", "b", "--supernet", trained, *FEW.split(), "--data", "digits", "--size", 8)
    assert "trained on other images, or on another split" in other.stderr


def test_a_finished_search_is_not_repeated(mngnas):
    mngnas("search", "--out", "found", *TINY)
    before = {path: path.read_bytes() for path in Path("found").rglob("*") if path.is_file()}
    result = mngnas("search", "--out", "found", *TINY)
    assert "going on with the search in found/search" in result.stderr
    assert {path: path.read_bytes() for path in Path("found").rglob("*") if path.is_file()} == before


def interrupted_search() -> None:
    import mngnas_lib.search.retrain as module

    step, calls = module.Retraining.train_step, []

    def interrupted(self) -> None:
        calls.append(None)
        if len(calls) == 4:  # in the second search epoch
            os.kill(os.getpid(), signal.SIGINT)
        step(self)

    module.Retraining.train_step = interrupted
    main([str(word) for word in ("search", "--out", "found", *TINY)], prog_name="mngnas")


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_an_interrupted_search_goes_on_and_ends_in_the_same_history(mngnas):
    process = multiprocessing.get_context("fork").Process(target=interrupted_search)
    process.start()
    process.join(120)
    assert process.exitcode == 130 and not Path("found/history.csv").exists()
    assert latest_checkpoint("found/search")[1]["state"]["done"] == 1
    mngnas("search", "--out", "found", *TINY)
    mngnas("search", "--out", "whole", *TINY)
    for file in ("history.csv", "coefficients.csv", "curves.csv", "perturbation.csv"):
        assert (Path("found") / file).read_bytes() == (Path("whole") / file).read_bytes()


# ---------------------------------------------------------------------- a benchmark


@pytest.fixture
def benchmark_file(tmp_path) -> Path:
    """A table in the form of NAS-Bench-201's, with accuracies that follow the number of 3x3 convolutions."""
    space = get_space("nasbench201")
    archs = [space.to_string(arch) for arch in space.all_archs()]
    accuracy = [50 + 5 * arch.count("3x3~") + index * 1e-5 for index, arch in enumerate(archs)]
    path = tmp_path / "nasbench201.csv"
    pd.DataFrame({"arch": archs, "cifar10_valid": accuracy, "cifar10_test": accuracy}).to_csv(path, index=False)
    return path


def test_a_benchmark_says_how_good_the_architecture_and_the_ranking_are(mngnas, benchmark_file):
    from scipy.stats import kendalltau

    text = mngnas("search", "--out", "found", *TINY, "--benchmark", f"nasbench201={benchmark_file}").stdout
    history = table("history.csv")
    space = get_space("nasbench201")
    order = {space.to_string(arch): index for index, arch in enumerate(space.all_archs())}
    true = [0.5 + 0.05 * arch.count("3x3~") + order[arch] * 1e-7 for arch in history["arch"]]
    lines = {line[:48].strip(): line[48:].strip() for line in text.splitlines()}
    later = history["search_epoch"] > 1
    for label, scores, known in (
        ("after retraining", history["accuracy"], true),
        ("after retraining, without the first search epoch", history["accuracy"][later], np.array(true)[later]),
        ("with the SuperNet's weights", history["accuracy_before"], true),
        ("FLOPs", history["macs"], true),
    ):
        assert lines[label].startswith(f"{kendalltau(scores, known).statistic:.3f} [")
    best = history.sort_values(["accuracy", "macs"], ascending=[False, True], kind="stable").index[0]
    # the best has six 3x3 operations; pooling counts as one here
    ceiling = max(0.5 + 0.05 * arch.count("3x3~") + index * 1e-7 for arch, index in order.items())
    assert f"test accuracy {100 * true[best]:.2f} %, regret {100 * (ceiling - true[best]):.2f} %" in text
    assert f"of the best that was retrained {100 * (ceiling - max(true)):.2f} %" in text
    assert text.count("(paired bootstrap)") == 2 and "n = 6" in text


def test_a_benchmark_of_another_space_is_refused_before_anything_is_trained(mngnas, benchmark_file):
    words = ("--space", "nasbench-macro", "--benchmark", f"nasbench201={benchmark_file}")
    result = mngnas("search", "--out", "found", *words, code=2)
    assert "Name the benchmark of this space" in result.stderr and not Path("found").exists()


# ---------------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--algorithm best", "'best' is not one of"),
        ("--profile large", "'large' is not one of"),
        ("--candidates 0", "0 is not in the range"),
        ("--max-macs 10", "no architecture of nasbench201 has at most 10 MACs"),
        ("--retrain-epochs 0", "retraining needs a positive number of epochs"),
        ("--perturb-epochs 0", "perturb_epochs must be a positive number"),
        ("--retrain-batch-size 4000", "fewer than a batch of 4000"),
        ("--lr nan", "the learning rate must be positive"),
        ("--space nasbench-macro --cells 1", "nasbench-macro cannot be built with sizes"),
        ("--data nothing", "'nothing' is no source of images"),
        ("--device tpu", "no device 'tpu'"),
        ("--supernet nowhere", "nowhere does not exist"),
        ("--benchmark nasbench201=nowhere", "does not exist"),
    ],
)
def test_mistakes_leave_with_2_and_name_the_remedy(mngnas, words, message):
    given = words.split()
    tiny = [str(word) for word in TINY]
    if "--supernet" in given:
        tiny = FEW.split()
    result = mngnas("search", "--out", "found", *tiny, *given, code=2)
    assert message in result.stderr and result.stdout == ""


@pytest.mark.parametrize("option", ["--space nasbench201", "--channels 4", "--supernet-epochs 3", "--stages 1,1"])
def test_sizes_of_a_supernet_cannot_be_given_twice(mngnas, trained, option):
    result = mngnas("search", "--out", "found", "--supernet", trained, *option.split(), code=2)
    assert f"{option.split()[0]} comes with --supernet: leave it out" in result.stderr


def test_sizes_of_images_need_a_source_beside_a_supernet(mngnas, trained):
    assert "--size needs --data" in mngnas("search", "--out", "x", "--supernet", trained, "--size", 8, code=2).stderr


def test_another_search_s_folder_is_left_alone(mngnas, trained):
    words = ("search", "--out", "found", "--supernet", trained, *FEW.split())
    mngnas(*words)
    before = {path: path.read_bytes() for path in Path("found").rglob("*") if path.is_file()}
    result = mngnas(*words, "--algorithm", "none", code=2)
    assert "found/search holds checkpoints of another search (differing: config)" in result.stderr
    assert {path: path.read_bytes() for path in Path("found").rglob("*") if path.is_file()} == before


def test_a_search_that_diverges_leaves_with_1(mngnas):
    words = ("--lr", "1e30", "--clip-norm", 0)
    assert "lower the learning rate" in mngnas("search", "--out", "found", *TINY, *words, code=1).stderr.lower()


# ---------------------------------------------------------------------- the network found


def test_a_network_that_is_none_is_named(mngnas, trained, tmp_path):
    from mngnas_lib.errors import CheckpointError

    with pytest.raises(CheckpointError, match="not of a stand-alone network"):
        load_network(trained)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CheckpointError, match="no whole checkpoint"):
        load_network(tmp_path / "empty")
    with pytest.raises(CheckpointError, match="does not exist"):
        load_network(tmp_path / "nothing")


def test_a_device_without_float64_is_not_taken(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: True)
    assert with_float64("auto") == "cpu" and with_float64("cpu") == "cpu"
    with pytest.raises(ConfigError, match="use --device cpu"):
        with_float64("mps")
