"""A search that was stopped, at whatever moment, ends as if nothing had happened."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from killable_search import RESULT, ending
from search_cases import ALL, LOOP, SMALL, STATE, STEPS, cells, digits, same, searched, supernet

from mngnas_lib.errors import CheckpointError
from mngnas_lib.search import Retraining, search
from mngnas_lib.supernet import TrainConfig, latest_checkpoint, train_supernet
from mngnas_lib.supernet.checkpoint import locked


class StopError(Exception):
    pass


def stop_at(monkeypatch, owner, name, number) -> None:
    """Make the call number ``number``, counted from 0, of a function raise instead."""
    original, calls = getattr(owner, name), []

    def stopping(*arguments, **settings):
        calls.append(None)
        if len(calls) > number:
            raise StopError
        return original(*arguments, **settings)

    monkeypatch.setattr(owner, name, stopping)


def run(folder=None, config=SMALL, network=None, data=None):
    return search(network or supernet(), data or digits(), config, folder=folder, progress=False)


def steps_done(monkeypatch) -> list:
    """A list that grows by one with each step of a retraining."""
    original, steps = Retraining.train_step, []

    def train_step(retraining):
        steps.append(retraining.step)
        original(retraining)

    monkeypatch.setattr(Retraining, "train_step", train_step)
    return steps


@pytest.fixture(scope="module", autouse=True)
def _run_first():
    """The searches to compare with run once, before anything is patched."""
    for name in ("mngnas", "none", "uniform groups"):
        searched(name)


@pytest.mark.parametrize(
    ("step", "seconds"), [(1, 0.0), (STEPS, 0.0), (STEPS + 2, 0.0), (3 * STEPS - 1, 0.0), (0, 1e9), (STEPS + 2, 1e9)]
)
def test_stopped_between_two_steps(tmp_path, monkeypatch, step, seconds):
    monkeypatch.setattr(STATE, "SECONDS_BETWEEN_CHECKPOINTS", seconds)
    with monkeypatch.context() as patched:
        stop_at(patched, Retraining, "train_step", step)
        with pytest.raises(StopError):
            run(tmp_path)
    steps = steps_done(monkeypatch)
    assert same(run(tmp_path), searched("mngnas").result)
    # with a checkpoint each step nothing is done twice, else the retraining under way is
    first = step if seconds == 0 else step - step % STEPS
    assert steps == [number % STEPS for number in range(first, 3 * STEPS)]


@pytest.mark.parametrize(
    ("owner", "name", "number"),
    [
        (LOOP._Search, "propose", 2),
        (LOOP._Search, "accuracy", 6),
        (LOOP, "tune", 2),
        (LOOP, "record", 1),
        (LOOP._Search, "keep", 1),
        (STATE, "save_checkpoint", 2 * STEPS + 1),
        (LOOP._Search, "show", 2),
    ],
)
def test_stopped_elsewhere_in_a_search_epoch_and_between_two(tmp_path, monkeypatch, owner, name, number):
    monkeypatch.setattr(STATE, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    with monkeypatch.context() as patched:
        stop_at(patched, owner, name, number)
        with pytest.raises(StopError):
            run(tmp_path)
    assert same(run(tmp_path), searched("mngnas").result)


@pytest.mark.parametrize("name", ["none", "uniform groups"])
def test_other_algorithms_go_on_too(tmp_path, monkeypatch, name):
    monkeypatch.setattr(STATE, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    config = replace(SMALL, algorithm=ALL[name])
    with monkeypatch.context() as patched:
        stop_at(patched, Retraining, "train_step", STEPS + 1)
        with pytest.raises(StopError):
            run(tmp_path, config)
    assert same(run(tmp_path, config), searched(name).result)


def test_stopped_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr(STATE, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    for _ in range(3 * STEPS):
        with monkeypatch.context() as patched:
            stop_at(patched, Retraining, "train_step", 1)
            with pytest.raises(StopError):
                run(tmp_path)
            if latest_checkpoint(tmp_path)[1]["state"]["done"] == 2:
                break
    assert same(run(tmp_path), searched("mngnas").result)


def test_seconds_before_the_stop_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(STATE, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    with monkeypatch.context() as patched:
        stop_at(patched, Retraining, "train_step", STEPS + 2)
        with pytest.raises(StopError):
            run(tmp_path)
    before = latest_checkpoint(tmp_path)[1]["state"]["seconds"]
    table = run(tmp_path).table("seconds")
    after = table[table["search_epoch"] == 2].set_index("part")["seconds"]
    assert {"forward", "backward", "rest"} <= set(before) and all(value > 0 for value in before.values())
    assert all(after[part] > value for part, value in before.items())


def test_a_finished_search_is_read(tmp_path, monkeypatch):
    first = run(tmp_path)
    steps = steps_done(monkeypatch)
    again = run(tmp_path)
    assert not steps and same(first, again) and first.history.seconds == again.history.seconds


def test_without_a_folder_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(STATE, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    run(config=replace(SMALL, search_epochs=1))
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------------- folders


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a search of one search epoch."""
    folder = tmp_path_factory.mktemp("finished")
    run(folder, replace(SMALL, search_epochs=1))
    return folder


@pytest.mark.parametrize(
    ("changed", "differing"),
    [
        ({"config": SMALL}, "config"),
        ({"config": replace(SMALL, search_epochs=1, algorithm=ALL["none"])}, "config"),
        ({"network": cells().supernet(num_classes=10, in_channels=1, seed=1)}, "supernet"),
    ],
)
def test_another_searchs_folder_is_refused(finished, changed, differing):
    files = sorted(finished.iterdir())
    settings = {"config": replace(SMALL, search_epochs=1)} | changed
    with pytest.raises(CheckpointError, match=rf"another search \(differing: {differing}\): use another folder"):
        run(finished, **settings)
    assert sorted(finished.iterdir()) == files


def test_other_images_are_another_search(finished):
    data = replace(digits(), fingerprint="other")
    with pytest.raises(CheckpointError, match=r"differing: data"):
        run(finished, replace(SMALL, search_epochs=1), data=data)


def test_a_trainings_folder_is_refused(tmp_path):
    train_supernet(cells(), digits(), TrainConfig(epochs=1, batch_size=240), checkpoint_dir=tmp_path, progress=False)
    with pytest.raises(CheckpointError, match=r"another search \(differing: config, supernet\)"):
        run(tmp_path)


def test_how_graphs_are_held_may_change(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        stop_at(patched, Retraining, "train_step", STEPS)
        with pytest.raises(StopError):
            run(tmp_path)
    recompute = replace(SMALL, retrain=replace(SMALL.retrain, memory="recompute"))
    rows = run(tmp_path, recompute).history.archs
    assert [row["arch"] for row in rows] == [row["arch"] for row in searched("mngnas").rows]


def test_a_damaged_checkpoint_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(STATE, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    with monkeypatch.context() as patched:
        stop_at(patched, Retraining, "train_step", STEPS + 2)
        with pytest.raises(StopError):
            run(tmp_path)
    newest, _ = latest_checkpoint(tmp_path)
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="is damaged"):
        resumed = run(tmp_path)
    assert same(resumed, searched("mngnas").result)


def test_a_folder_in_use_is_refused(tmp_path):
    with locked(tmp_path), pytest.raises(CheckpointError, match="another process"):
        run(tmp_path)


def test_one_process_of_several_writes(tmp_path):
    fabric = type("Fabric", (), {"global_rank": 1, "world_size": 1, "is_global_zero": False})()
    result = search(supernet(), digits(), replace(SMALL, search_epochs=1), folder=tmp_path, fabric=fabric)
    assert not list(tmp_path.iterdir())
    assert len(result.history.archs) == 4


# ---------------------------------------------------------------------- killed


class Killable:
    """The process behind ``killable_search``."""

    def __init__(self) -> None:
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        script = Path(__file__).with_name("killable_search.py")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, str(script)], env=environment, **pipes)
        assert self.process.stdout.readline() == "ready\n"

    def search(self, folder: Path, dies: str = "never:0") -> str:
        """Search in ``folder``; how that ended: ``done``, or ``killed``."""
        self.process.stdin.write(f"{folder} {dies}\n")
        self.process.stdin.flush()
        status = int(self.process.stdout.readline())
        return {0: "done", signal.SIGKILL: "killed"}[status]


@pytest.fixture(scope="module")
def killable():
    killable = Killable()
    yield killable
    with killable.process:
        killable.process.stdin.close()


@pytest.fixture(scope="module")
def whole() -> str:
    """What a search ends in that nobody kills, by itself in this process."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return ending(run())
    finally:
        torch.set_num_threads(threads)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(killable, whole, tmp_path):
    folder, rng, kills, rounds = tmp_path / "search", random.Random(0), 0, 0
    started = time.monotonic()
    assert killable.search(tmp_path / "timed") == "done"
    duration = time.monotonic() - started
    while kills < 20:
        if killable.search(folder, f"after:{rng.uniform(0.0, duration / 4)}") == "killed":
            kills += 1
        else:  # it got through, with or without having been killed before: start another one
            assert (folder / RESULT).read_text() == whole
            shutil.rmtree(folder)
            rounds += 1
            assert rounds < 20, "searches end too soon to be killed"
    assert killable.search(folder) == "done"
    assert (folder / RESULT).read_text() == whole and not list(folder.glob(".step-*"))


@pytest.mark.slow
def test_killed_while_a_checkpoint_is_written(killable, whole, tmp_path):
    for dies in ("half:1", "written:2", "moved:3", "half:2", "moved:1", "written:3"):
        assert killable.search(tmp_path, dies) == "killed"
        assert bool(list(tmp_path.glob(".step-*"))) is not dies.startswith("moved")
    assert killable.search(tmp_path) == "done"
    assert (tmp_path / RESULT).read_text() == whole and not list(tmp_path.glob(".step-*"))


def test_a_search_among_named_architectures_goes_on(tmp_path, monkeypatch):
    config = replace(SMALL, algorithm=ALL["none"], among=tuple(cells().all_archs())[:300])
    straight = run(config=config)
    with monkeypatch.context() as patches:
        stop_at(patches, Retraining, "train_step", STEPS + 1)
        with pytest.raises(StopError):
            run(tmp_path, config)
    steps = steps_done(monkeypatch)
    assert same(run(tmp_path, config), straight) and len(steps) == 2 * STEPS
    with pytest.raises(CheckpointError, match="differing: config"):
        run(tmp_path, replace(config, among=()))


def test_a_setting_that_came_later_leaves_earlier_checkpoints_of_use():
    config = STATE.identity_of(supernet(), digits(), SMALL)["config"]
    assert "among" not in config and config["proposals"] == SMALL.proposals
