"""Training a small SuperNet and ranking with it, from the command line."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from cli_sizes import QUICK, SMALL

from mngnas_lib.cli import main
from mngnas_lib.data import load_images
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, latest_checkpoint, load_supernet, rank, train_supernet


def images():
    return load_images("digits", size=8, count=300, test_count=50, valid_fraction=0.3)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return latest_checkpoint(folder)[1]["network"]


def same(one: dict[str, torch.Tensor], two: dict[str, torch.Tensor]) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


# ---------------------------------------------------------------------- train


def test_train_does_what_the_library_does(trained):
    space = get_space("nasbench201", channels=2, cells=1)
    network = train_supernet(space, images(), TrainConfig(epochs=2, batch_size=64), progress=False).network
    assert same(weights(trained), network.state_dict())


def test_train_tells_each_epoch_and_what_to_do_next(mngnas):
    result = mngnas("train", "--out", "net", *SMALL, *QUICK)
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["epoch", "loss", "accuracy", "learning", "rate"]
    assert [line.split()[0] for line in lines[1:3]] == ["1", "2"]
    assert lines[3].startswith("6 steps of 64 images in ")
    assert lines[4].split() == ["checkpoint", str(latest_checkpoint("net")[0])]
    assert lines[5].endswith("mngnas rank --checkpoint net")
    assert "%|" not in result.stderr  # no progress bar where there is no terminal


def test_every_setting_reaches_the_training(mngnas):
    settings = "--lr 0.05 --momentum 0.8 --no-nesterov --weight-decay 0.001 --warmup-epochs 1 --label-smoothing 0.1"
    settings += " --clip-norm 1 --pad 1 --flip --cutout 2 --no-channels-last --seed 7 --precision bf16-mixed"
    settings += " --strategy spos-balanced --no-bn-affine"
    mngnas("train", "--out", "net", *SMALL, *QUICK, *settings.split())
    assert latest_checkpoint("net")[1]["identity"]["config"] == {
        "strategy": "spos-balanced",
        "epochs": 2,
        "batch_size": 64,
        "lr": 0.05,
        "momentum": 0.8,
        "nesterov": False,
        "weight_decay": 0.001,
        "warmup_epochs": 1.0,
        "label_smoothing": 0.1,
        "clip_norm": 1.0,
        "augment": {"pad": 1, "flip": True, "cutout": 2},
        "precision": "bf16-mixed",
        "channels_last": False,
        "compile": False,
        "bn_affine": False,
        "seed": 7,
    }


def test_a_finished_training_is_not_repeated(mngnas, trained):
    before = sorted(trained.iterdir())
    result = mngnas("train", "--out", trained, *SMALL, *QUICK)
    assert "going on from" in result.stderr
    assert "0 steps of 64 images" in result.stdout and "it was finished before" in result.stdout
    assert sorted(trained.iterdir()) == before


def train_slowly() -> None:
    import mngnas_lib.supernet.train as module

    step = module._Run.train_step

    def slow_step(self) -> None:
        step(self)
        time.sleep(0.2)

    module._Run.train_step = slow_step
    words = ["train", "--out", "interrupted", *SMALL, *QUICK]
    main([str(word) for word in words], prog_name="mngnas")


@pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
def test_an_interrupted_training_goes_on_and_ends_in_the_same_weights(mngnas, trained):
    process = multiprocessing.get_context("fork").Process(target=train_slowly)
    process.start()
    while latest_checkpoint("interrupted") is None:
        assert process.is_alive()
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    process.join(60)
    assert process.exitcode == 130
    step = latest_checkpoint("interrupted")[1]["step"]
    assert step == 3
    result = mngnas("train", "--out", "interrupted", *SMALL, *QUICK)
    assert "3 steps of 64 images" in result.stdout
    assert same(weights(Path("interrupted")), weights(trained))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--cells 0", "0 is not in the range"),
        ("--head-channels 3", "nasbench201 cannot be built with sizes"),
        ("--space nasbench-macro --cells 1", "nasbench-macro cannot be built with sizes"),
        ("--data nothing", "'nothing' is no source of images"),
        ("--data folder:/does/not/exist", "there is no folder /does/not/exist"),
        ("--data cifar10", "mngnas data prepare cifar10"),
        ("--batch-size 4000", "fewer than a batch of 4000"),
        ("--lr 0", "the learning rate must be positive"),
        ("--lr nan", "the learning rate must be positive"),
        ("--warmup-epochs 3", "warm-up must last between 0 and 2 epochs"),
        ("--device tpu", "no device 'tpu'"),
        ("--device cuda:99", "no device 'cuda:99'"),
        ("--precision 16-mixed", "precision 16-mixed needs a GPU"),
        ("--count 5", "digits"),
    ],
)
def test_mistakes_leave_with_2_and_name_the_remedy(mngnas, words, message):
    small = [word for word in SMALL if "--space" not in words or word not in ("--cells", 1)]
    result = mngnas("train", "--out", "net", *small, *QUICK, *words.split(), code=2)
    assert message in result.stderr
    assert result.stdout == ""


def test_an_out_that_is_a_file_is_named(mngnas, tmp_path):
    (tmp_path / "file").write_text("")
    assert "'file' is a file" in mngnas("train", "--out", "file", *SMALL, *QUICK, code=2).stderr
    assert "file" in mngnas("train", "--out", "file/net", *SMALL, *QUICK, code=2).stderr


def test_another_training_s_folder_is_left_alone(mngnas, trained):
    before = {path: path.read_bytes() for path in trained.iterdir()}
    result = mngnas("train", "--out", trained, *SMALL, *QUICK, "--seed", 1, "--data-seed", 1, code=2)
    assert "holds checkpoints of another run" in result.stderr
    assert {path: path.read_bytes() for path in trained.iterdir()} == before


def test_a_training_that_diverges_leaves_with_1(mngnas):
    result = mngnas("train", "--out", "net", *SMALL, *QUICK, "--lr", "1e30", "--clip-norm", 0, code=1)
    assert result.stderr.splitlines()[-1].startswith("mngnas: the loss of step ")
    assert "Lower the learning rate" in result.stderr


# ---------------------------------------------------------------------- rank


def test_rank_does_what_the_library_does(mngnas, trained):
    result = mngnas("rank", "--checkpoint", trained, "--count", 12, "--bn", "reestimate", "--seed", 3)
    frame = pd.read_csv(trained / "ranking.csv")
    space, data = get_space("nasbench201", channels=2, cells=1), images()
    archs = space.sample_distinct(12, np.random.default_rng(3))
    network = load_supernet(latest_checkpoint(trained)[1], space)
    expected = rank(network, archs, data, bn="reestimate", seed=3, progress=False)
    by_arch = frame.set_index("arch")
    for arch, accuracy, loss in zip(expected.archs, expected.accuracy, expected.loss, strict=True):
        row = by_arch.loc[space.to_string(arch)]
        assert row["accuracy"] == accuracy
        assert row["loss"] == pytest.approx(loss, rel=1e-6)
        cost = space.cost(arch, input_shape=data.input_shape, num_classes=10)
        assert (row["params"], row["macs"]) == (cost.params, cost.macs)
    assert frame["accuracy"].is_monotonic_decreasing
    assert result.stdout.startswith("12 architectures of nasbench201, 90 valid images of digits")
    assert "Only a benchmark can tell" in result.stdout
    assert result.stdout.splitlines()[-1] == f"wrote {trained / 'ranking.csv'}"


def test_one_checkpoint_can_be_named_and_another_place_for_the_table(mngnas, trained, tmp_path):
    first = min(trained.glob("step-*.pt"))
    mngnas("rank", "--checkpoint", first, "--count", 3, "--out", "new/table.csv", "--part", "test", "--top", 0)
    assert len(pd.read_csv(tmp_path / "new" / "table.csv")) == 3


def test_all_architectures_of_a_chain(mngnas):
    sizes = ("--space", "nasbench-macro", "--channels", 2, "--head-channels", 8, "--stages", "1,2")
    mngnas("train", "--out", "chain", *sizes, *SMALL[4:], *QUICK)
    mngnas("rank", "--checkpoint", "chain", "--all")
    space = get_space("nasbench-macro", channels=2, head_channels=8, stages=(1, 2))
    assert set(pd.read_csv("chain/ranking.csv", dtype={"arch": str})["arch"]) == {
        space.to_string(arch) for arch in space.canonical_archs()
    }


def test_the_images_of_the_training_are_taken_unless_others_are_named(mngnas, trained):
    stored = json.loads((trained / "images.json").read_text())
    assert stored == {
        "source": "digits",
        "size": 8,
        "count": 300,
        "test_count": 50,
        "valid_fraction": 0.3,
        "seed": 0,
    }
    rank_few = ("rank", "--checkpoint", trained, "--count", 2)
    assert mngnas(*rank_few).stderr == ""
    result = mngnas(*rank_few, "--data", "digits", "--size", 8, "--data-count", 200)
    assert "trained on other images, or on another split" in result.stderr
    assert "20 valid images" in result.stdout


@pytest.fixture
def table(tmp_path) -> Path:
    """A table in the form of NAS-Bench-201's, with accuracies that follow the number of 3x3 convolutions."""
    space = get_space("nasbench201")
    archs = [space.to_string(arch) for arch in space.all_archs()]
    accuracy = [50 + 5 * arch.count("3x3~") + index * 1e-5 for index, arch in enumerate(archs)]
    path = tmp_path / "nasbench201.csv"
    columns = {"arch": archs, "cifar10_valid": accuracy, "cifar10_test": accuracy}
    columns |= {"cifar10_test_seed777": accuracy, "cifar10_test_seed888": accuracy[::-1]}
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_a_benchmark_says_how_good_the_ranking_is(mngnas, trained, table):
    from mngnas_lib.benchmarks import get_benchmark
    from mngnas_lib.lab.stats import kendall_tau

    result = mngnas("rank", "--checkpoint", trained, "--count", 40, "--benchmark", f"nasbench201={table}")
    frame = pd.read_csv(trained / "ranking.csv")
    benchmark = get_benchmark("nasbench201", table)
    truth = benchmark.scores(frame["arch"].tolist())
    assert np.allclose(frame["benchmark_test"], truth.test)
    costs = benchmark.table["macs"].to_numpy()[benchmark.rows(frame["arch"].tolist())]
    lines = {line[:19].strip(): line for line in result.stdout.splitlines()}
    for predicted in (frame["accuracy"], costs):
        assert f"{kendall_tau(predicted, truth.test).value:.3f} [" in lines["tau"]
    assert {"n = 40", "tau in the top 50 %", "tau in the top 10 %", "Spearman"} < set(lines)
    assert {line[:15] for line in lines} > {"precision at 10", "best rank at 10"}
    assert "SuperNet minus FLOPs: tau" in result.stdout
    assert "Noise ceiling" in result.stdout and "(n = 40)" in result.stdout
    assert "after the last of 200 epochs" in result.stdout


def test_a_benchmark_is_found_in_its_folder(mngnas, trained, table, monkeypatch):
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(table.parent))
    assert "Against test accuracy in nasbench201 on cifar10" in (
        mngnas("rank", "--checkpoint", trained, "--count", 5, "--benchmark", "nasbench201").stdout
    )


def test_mistakes_of_a_ranking_leave_with_2(mngnas, trained, table, tmp_path):
    def fails(*words: object) -> str:
        result = mngnas("rank", *words, code=2)
        assert result.stdout == ""
        return result.stderr

    net = ("--checkpoint", trained)
    (tmp_path / "empty").mkdir()
    assert "there is no whole checkpoint in empty" in fails("--checkpoint", "empty")
    assert "nowhere does not exist" in fails("--checkpoint", "nowhere")
    assert "--size needs --data" in fails(*net, "--size", 8)
    assert "--data-count needs --data" in fails(*net, "--data-count", 8)
    assert "distinct architectures, 99999 were asked for" in fails(*net, "--count", 99999)
    assert "no file for nasbench201" in fails(*net, "--benchmark", "nasbench201")
    assert "does not exist" in fails(*net, "--benchmark", "nasbench201=nowhere")
    assert "no dataset 'mnist'" in fails(*net, "--benchmark", f"nasbench201={table}", "--dataset", "mnist")
    assert "not for 50" in fails(*net, "--benchmark", f"nasbench201={table}", "--truth-epochs", 50)
    assert "no option epochs" in fails(*net, "--benchmark", f"nasbench-macro={table}", "--truth-epochs", 12)
    assert "too few for 500 calibration batches" in fails(
        *net, "--bn", "reestimate", "--calibration-batches", 500, "--count", 2
    )
    (trained / "images.json").write_text("{}")
    assert "name them with --data" in fails(*net)
    for checkpoint in trained.glob("step-*.pt"):
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    stderr = fails(*net)
    assert "is damaged" in stderr and "there is no whole checkpoint in net" in stderr


def test_images_of_another_shape_are_refused(mngnas, trained, tmp_path):
    from PIL import Image

    rng = np.random.default_rng(0)
    for part, name, number in [(p, n, i) for p in ("train", "test") for n in "ab" for i in range(4)]:
        place = tmp_path / "images" / part / name / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).save(place)
    words = ("--checkpoint", trained, "--data", "folder:images")
    assert "takes 1 channels and knows 10 classes, folder:images has 3 and 2" in mngnas("rank", *words, code=2).stderr


def test_a_benchmark_of_another_space_is_refused(mngnas, trained, monkeypatch):
    from mngnas_lib.benchmarks import Benchmark

    other = get_space("nasbench-macro")
    fake = Benchmark("nasbench-macro", "cifar10", other, np.empty((0, 8)), pd.DataFrame(), None, Path("x"), "")
    monkeypatch.setattr("mngnas_lib.benchmarks.get_benchmark", lambda *args, **options: fake)
    words = ("--checkpoint", trained, "--benchmark", "nasbench-macro")
    assert "Name the benchmark of this space" in mngnas("rank", *words, code=2).stderr
