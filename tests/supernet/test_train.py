import itertools
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from mngnas_lib.data import Augment
from mngnas_lib.errors import CheckpointError, ConfigError, DataError, TrainingDivergedError
from mngnas_lib.supernet import (
    TrainConfig,
    batch_norms,
    latest_checkpoint,
    load_supernet,
    paths_of_step,
    rank,
    train,
    train_standalone,
    train_supernet,
)
from mngnas_lib.supernet.checkpoint import locked
from mngnas_lib.supernet.minibatches import MiniBatches, generator

QUICK = TrainConfig(epochs=2, batch_size=40, lr=0.05, augment=Augment(pad=1, flip=False, cutout=2))


def weights(result) -> dict[str, torch.Tensor]:
    return result.network.state_dict()


def equal(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class StopError(Exception):
    pass


def interrupt_at(monkeypatch, step: int) -> None:
    """Make the run stop by an exception when it is about to do step ``step``."""
    original = train._Run.train_step

    def train_step(run):
        if run.step == step:
            raise StopError
        original(run)

    monkeypatch.setattr(train._Run, "train_step", train_step)


# ---------------------------------------------------------------------- the method


def test_one_step_is_momentum_sgd_on_the_drawn_path(space, digits):
    config = replace(
        QUICK, epochs=1, batch_size=len(digits.train), augment=Augment(), clip_norm=0.0, channels_last=False
    )
    trained = train_supernet(space, digits, config).network
    # the same step by hand, with torch's own optimiser on that path's parameters alone
    network = space.supernet(num_classes=10, in_channels=1, seed=config.seed).train()
    (arch,) = paths_of_step(space, "spos", config.seed, 0)
    loss = F.cross_entropy(network(digits.normalise(digits.train.images), arch).logits, digits.train.labels)
    loss.backward()
    moved = [parameter for parameter in network.parameters() if parameter.grad is not None]
    torch.optim.SGD(moved, lr=config.lr, momentum=0.9, nesterov=True, weight_decay=config.weight_decay).step()
    for name, parameter in network.named_parameters():
        # the mini-batch is shuffled, so sums differ in their last bits
        torch.testing.assert_close(trained.get_parameter(name), parameter, rtol=1e-3, atol=1e-5)


def test_parameters_off_the_path_do_not_move(cells, digits):
    config = replace(QUICK, epochs=1, batch_size=len(digits.train))
    trained = train_supernet(cells, digits, config).network
    fresh = cells.supernet(num_classes=10, in_channels=1, seed=config.seed)
    (arch,) = paths_of_step(cells, "spos", config.seed, 0)
    used = set(cells.network(arch, in_channels=1).state_dict())
    for name, parameter in fresh.named_parameters():
        if name not in used:
            assert torch.equal(trained.get_parameter(name), parameter), name


def test_gradients_are_clipped(cells, digits):
    def change(clip_norm: float) -> float:
        config = replace(QUICK, epochs=1, batch_size=len(digits.train), weight_decay=0, momentum=0, clip_norm=clip_norm)
        fresh = cells.supernet(num_classes=10, in_channels=1, seed=config.seed)
        trained = train_supernet(cells, digits, config).network
        pairs = zip(trained.parameters(), fresh.parameters(), strict=True)
        return math.sqrt(sum(float((a - b).detach().square().sum()) for a, b in pairs))

    assert change(1e-3) == pytest.approx(QUICK.lr * 1e-3, rel=1e-2)
    assert change(0.0) > 2 * QUICK.lr * 1e-3


def test_it_learns(space, digits):
    history = train_supernet(space, digits, replace(QUICK, epochs=12, batch_size=10, lr=0.1, augment=Augment())).history
    assert [epoch.epoch for epoch in history] == list(range(1, 13))
    assert history[-1].loss < history[0].loss - 0.2
    assert history[-1].accuracy > 0.2 > history[0].accuracy
    assert history[-1].steps == 12 * (len(digits.train) // 10)


def test_the_learning_rate_warms_up_and_falls_as_a_cosine():
    config = TrainConfig(epochs=10, warmup_epochs=2, lr=0.4)
    rates = [config.lr_at(step, steps_per_epoch=5) for step in range(50)]
    assert rates[0] == pytest.approx(0.04) and rates[9] == pytest.approx(0.4) == rates[10]
    assert rates[30] == pytest.approx(0.2)
    assert all(a > b for a, b in itertools.pairwise(rates[10:])) and 0 < rates[-1] < 0.001


# ---------------------------------------------------------------------- repeating and going on


def test_the_same_seed_gives_the_same_bits(space, digits):
    first, second = (train_supernet(space, digits, QUICK) for _ in range(2))
    other = train_supernet(space, digits, replace(QUICK, seed=1))
    assert equal(weights(first), weights(second)) and first.history == second.history
    assert not equal(weights(first), weights(other))


def test_the_global_generator_does_not_matter(cells, digits):
    torch.manual_seed(1)
    first = train_supernet(cells, digits, QUICK)
    torch.manual_seed(2)
    assert equal(weights(first), weights(train_supernet(cells, digits, QUICK)))


@pytest.mark.parametrize("stop", [0, 3, 6, 9])
def test_a_stopped_run_goes_on_bit_identically(space, digits, tmp_path, monkeypatch, stop):
    whole = train_supernet(space, digits, QUICK)
    with monkeypatch.context() as patched:
        interrupt_at(patched, stop)
        with pytest.raises(StopError):
            train_supernet(space, digits, QUICK, checkpoint_dir=tmp_path)
    resumed = train_supernet(space, digits, QUICK, checkpoint_dir=tmp_path)
    assert equal(weights(whole), weights(resumed)) and whole.history == resumed.history


def test_a_checkpoint_within_an_epoch_goes_on_bit_identically(cells, digits, tmp_path, monkeypatch):
    whole = train_supernet(cells, digits, QUICK)
    with monkeypatch.context() as patched:
        patched.setattr(train, "_SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        interrupt_at(patched, 4)
        with pytest.raises(StopError):
            train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)
    assert latest_checkpoint(tmp_path)[1]["step"] == 4
    resumed = train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)
    assert equal(weights(whole), weights(resumed)) and whole.history == resumed.history


def test_a_finished_run_is_not_trained_again(cells, digits, tmp_path):
    first = train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)
    again = train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)
    assert again.seconds < first.seconds / 2
    assert equal(weights(first), weights(again)) and first.history == again.history


SCRIPT = """
import sys, torch
torch.set_num_threads(1)
from mngnas_lib.data import load_images
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, train_supernet
data = load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2)
print("ready", flush=True)
train_supernet(get_space("nasbench201", channels=4, cells=1), data, TrainConfig(epochs=12, batch_size=40, lr=0.05),
               checkpoint_dir=sys.argv[1])
"""


@pytest.mark.slow
def test_a_killed_process_goes_on_bit_identically(cells, digits, tmp_path):
    whole = train_supernet(cells, digits, TrainConfig(epochs=12, batch_size=40, lr=0.05))
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    kills = 0
    for delay in (0.05, 0.2, 0.35, 0.5, 0.8):
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        process.stdout.readline()
        time.sleep(delay)
        kills += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    assert kills, "the runs ended before they could be killed: train longer"
    assert not list(tmp_path.glob(".step-*"))
    assert equal(weights(whole), load_supernet(latest_checkpoint(tmp_path)[1], cells).state_dict())


# ---------------------------------------------------------------------- stand-alone networks


def test_a_standalone_network_trains_alone(space, digits, tmp_path):
    arch = space.canonical(tuple(len(slot.choices) // 2 for slot in space.slots))
    config = replace(QUICK, epochs=12, batch_size=10, augment=Augment())
    result = train_standalone(space, arch, digits, config, checkpoint_dir=tmp_path)
    assert result.history[-1].accuracy > 0.6
    assert (
        sum(parameter.numel() for parameter in result.network.parameters())
        == space.cost(arch, input_shape=digits.input_shape).params
    )
    ranking = rank(result.network, [arch], digits, part="test", bn="inherited")
    assert ranking.accuracy[0] > 0.5
    with pytest.raises(CheckpointError, match="stand-alone"):
        load_supernet(latest_checkpoint(tmp_path)[1], space)


# ---------------------------------------------------------------------- what can go wrong


def test_another_runs_checkpoints_are_refused(cells, digits, tmp_path):
    train_supernet(cells, digits, replace(QUICK, epochs=1), checkpoint_dir=tmp_path)
    with pytest.raises(CheckpointError, match=r"another run \(differing: config\)"):
        train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)


def test_scale_and_shift_of_batch_norms_can_stay(cells, digits, tmp_path):
    config = replace(QUICK, bn_affine=False)
    network = train_supernet(cells, digits, config, checkpoint_dir=tmp_path).network
    for layer in batch_norms(network):
        assert (layer.weight == 1).all() and (layer.bias == 0).all()
        assert layer.weight.requires_grad and layer.bias.requires_grad  # retraining may move them
    before = cells.supernet(num_classes=10, in_channels=1, seed=config.seed)
    assert not torch.equal(network.stem_conv.weight, before.stem_conv.weight)
    assert any((layer.weight != 1).any() for layer in batch_norms(train_supernet(cells, digits, QUICK).network))
    again = train_supernet(cells, digits, config, checkpoint_dir=tmp_path)  # from the last checkpoint
    assert equal(network.state_dict(), again.network.state_dict()) and again.steps == 0


def test_checkpoints_from_before_a_setting_came_are_of_use(cells, digits, tmp_path):
    done = train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)
    config = latest_checkpoint(tmp_path)[1]["identity"]["config"]
    assert "bn_affine" not in config and config["lr"] == QUICK.lr and done.steps == 12
    with pytest.raises(CheckpointError, match="another run"):
        train_supernet(cells, digits, replace(QUICK, bn_affine=False), checkpoint_dir=tmp_path)


def test_a_folder_in_use_is_refused(cells, digits, tmp_path):
    with locked(tmp_path), pytest.raises(CheckpointError, match="another process is training"):
        train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)


def test_a_loss_that_is_not_finite_stops_the_run(cells, digits, tmp_path, monkeypatch):
    original = MiniBatches.at

    def poisoned(batches, step):
        images, labels = original(batches, step)
        return (images * float("nan") if step == 8 else images), labels

    monkeypatch.setattr(MiniBatches, "at", poisoned)
    with pytest.raises(TrainingDivergedError) as caught:
        train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)
    checkpoint, state = latest_checkpoint(tmp_path)
    (arch,) = paths_of_step(cells, "spos", QUICK.seed, 8)
    for part in ("step 8", cells.to_string(arch), str(checkpoint)):
        assert part in str(caught.value)
    assert state["step"] == 6 and all(value.isfinite().all() for value in state["network"].values())


def test_weights_that_are_not_finite_are_not_stored(cells, digits, tmp_path, monkeypatch):
    original = train._Run.train_step

    def poisoned(run):
        original(run)
        run.network.classifier.weight.data[0, 0] = float("inf")

    monkeypatch.setattr(train._Run, "train_step", poisoned)
    config = replace(QUICK, epochs=1, batch_size=len(digits.train))
    with pytest.raises(TrainingDivergedError, match="after step 0 some weights are not finite"):
        train_supernet(cells, digits, config, checkpoint_dir=tmp_path)
    assert latest_checkpoint(tmp_path) is None


def test_fewer_images_than_a_batch_is_an_error(cells, digits):
    with pytest.raises(DataError, match=r"240 training images, fewer than a batch of 241"):
        train_supernet(cells, digits, replace(QUICK, batch_size=241))


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"epochs": 0}, "at least one epoch"),
        ({"lr": 0.0}, "learning rate"),
        ({"lr": float("nan")}, "learning rate"),
        ({"warmup_epochs": 41}, "warm-up"),
        ({"precision": "8-bit"}, "32-true, bf16-mixed"),
        ({"strategy": "nonsense"}, "spos"),
        ({"seed": -1}, "seed"),
    ],
)
def test_bad_settings_are_named(setting, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**setting)


def test_a_checkpoint_of_other_sizes_is_refused(cells, digits, tmp_path):
    train_supernet(cells, digits, replace(QUICK, epochs=1), checkpoint_dir=tmp_path)
    state = latest_checkpoint(tmp_path)[1]
    with pytest.raises(CheckpointError, match="sizes it was trained with"):
        load_supernet(state, replace(cells, channels=8))


# ---------------------------------------------------------------------- other ways to compute


@pytest.mark.parametrize("precision", ["bf16-mixed"])
def test_mixed_precision_trains(cells, digits, precision):
    history = train_supernet(cells, digits, replace(QUICK, epochs=10, batch_size=10, precision=precision)).history
    assert history[-1].loss < history[0].loss - 0.15


def test_channels_last_changes_the_layout_only(chain, digits):
    one, other = (
        train_supernet(chain, digits, replace(QUICK, epochs=1, channels_last=choice)) for choice in (True, False)
    )
    for name, value in weights(one).items():
        torch.testing.assert_close(value, weights(other)[name], rtol=1e-2, atol=1e-3)


@pytest.mark.slow
def test_compiled_blocks_train_the_same(chain, digits):
    config = replace(QUICK, epochs=1, batch_size=len(digits.train))  # one step: each block takes seconds to compile
    plain, compiled = (
        train_supernet(chain, digits, config),
        train_supernet(chain, digits, replace(config, compile=True)),
    )
    for name, value in weights(plain).items():
        torch.testing.assert_close(weights(compiled)[name], value, rtol=1e-2, atol=1e-3)


DISTRIBUTED = """
import sys, torch
torch.set_num_threads(1)
from lightning_fabric import Fabric
from mngnas_lib.data import load_images
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, train_supernet
fabric = Fabric(accelerator="cpu", devices=2, strategy="ddp_find_unused_parameters_true")
fabric.launch()
data = load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2)
config = TrainConfig(epochs=1, batch_size=240, lr=0.05, momentum=0.0, nesterov=False, weight_decay=0.0, clip_norm=0.0)
result = train_supernet(get_space("nasbench201", channels=4, cells=1), data, config, fabric=fabric, progress=False)
torch.save(dict(result.network.named_parameters()), f"{sys.argv[1]}/rank{fabric.global_rank}.pt")
"""


@pytest.mark.slow
def test_two_processes_average_their_gradients(cells, digits, tmp_path):
    script = tmp_path / "distributed.py"
    script.write_text(DISTRIBUTED)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    subprocess.run([sys.executable, script, tmp_path], check=True, env=environment, capture_output=True, timeout=120)
    ranks = [torch.load(tmp_path / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert equal(*ranks)
    # by hand: each half of the batch normalises by itself, gradients are averaged, one step of plain SGD
    network = cells.supernet(num_classes=10, in_channels=1, seed=0).train()
    (arch,) = paths_of_step(cells, "spos", 0, 0)
    order = torch.randperm(240, generator=generator(0, 0, 0))
    for half in (order[0::2], order[1::2]):
        logits = network(digits.normalise(digits.train.images[half]), arch).logits
        (F.cross_entropy(logits, digits.train.labels[half]) / 2).backward()
    for name, parameter in network.named_parameters():
        expected = parameter.detach() - (0.0 if parameter.grad is None else 0.05 * parameter.grad)
        torch.testing.assert_close(ranks[0][name], expected, rtol=1e-3, atol=1e-6)


def test_checkpoint_names_are_what_the_error_names(cells, digits, tmp_path):
    train_supernet(cells, digits, QUICK, checkpoint_dir=tmp_path)
    names = sorted(path.name for path in tmp_path.glob("*.pt"))
    assert [re.match(r"step-(\d+)", name)[1] for name in names] == ["00000006", "00000012"]
