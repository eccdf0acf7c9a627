"""Trainings: stopped, gone on with, and equal to what one alone gives."""

import os
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import joblib
import pytest
import torch
from filelock import FileLock
from joblib.parallel import SequentialBackend
from truth_cases import SETTINGS

from mngnas_lib.errors import BenchmarkError, ConfigError, TrainingDivergedError
from mngnas_lib.lab.provenance import device_name, package_versions
from mngnas_lib.supernet import train_standalone
from mngnas_lib.truth import TruthTable, train, train_and_test, train_truth
from mngnas_lib.truth.settings import get_truth


def rows(table):
    """Everything of a table but how long it took, and the code's version, which changes while one works on it."""
    return [replace(row, seconds=0.0, code="") for row in table.rows.values()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The table of a computation that nobody disturbed."""
    return train_truth(SETTINGS, tmp_path_factory.mktemp("whole") / "kit.csv", jobs=1, command="mngnas truth")


def test_each_row_is_the_training_that_it_says(whole):
    space, data = SETTINGS.space.build(), SETTINGS.data.load()
    assert len(whole.rows) == 3 * 2 + 1
    for (text, seed), row in list(whole.rows.items())[:2]:
        arch = space.from_string(text)
        network = train_standalone(space, arch, data, replace(SETTINGS.train, seed=seed), progress=False).network.eval()
        for part, accuracy in (("valid", row.valid), ("test", row.test)):
            with torch.no_grad():
                logits = network(data.normalise(data.parts[part].images)).logits
            right = (logits.argmax(1) == data.parts[part].labels).float().mean()
            assert accuracy == pytest.approx(float(right), abs=1e-6)
        cost = space.cost(arch, input_shape=(1, 8, 8))
        assert (row.params, row.macs, row.epochs) == (cost.params, cost.macs, 3)
    card = whole.card()
    assert (card["archs"], card["trainings"], card["seeds"]) == (3, 7, {"0": 3, "1": 3, "2": 1})
    assert (card["machine"], card["packages"]) == (device_name(), package_versions())
    assert card["commands"] == ["mngnas truth"]
    assert card["hours"] == pytest.approx(whole.frame()["seconds"].sum() / 3600, abs=0.006)


def test_interrupted_work_goes_on_where_it_was(whole, tmp_path, monkeypatch):
    work, calls = train._work, []

    def interrupted(*words):
        calls.append(words)
        if len(calls) in (3, 6):
            raise KeyboardInterrupt
        return work(*words)

    monkeypatch.setattr(train, "_work", interrupted)
    out = tmp_path / "kit.csv"
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            train_truth(SETTINGS, out, jobs=1)
    table = train_truth(SETTINGS, out, jobs=1)
    assert rows(table) == rows(whole)
    assert len(calls) == 7 + 2  # nothing was done twice but what was interrupted
    assert sorted(path.name for path in tmp_path.iterdir()) == [".locks", "kit.csv", "kit.json"]


def diverging(monkeypatch, *which):
    """From now on the trainings of these numbers, counted from 0, diverge; returns the list of those that did."""
    real, calls, lost = train.train_and_test, count(), []

    def trained(space, arch, data, config, seed):
        if next(calls) in which:
            lost.append((space.to_string(arch), seed))
            raise TrainingDivergedError("the loss of step 1 is nan")
        return real(space, arch, data, config, seed)

    monkeypatch.setattr(train, "train_and_test", trained)
    return lost


def test_training_that_diverges_does_not_keep_the_others_back(whole, tmp_path, monkeypatch):
    lost = diverging(monkeypatch, 2, 4)
    out = tmp_path / "kit.csv"
    with pytest.raises(TrainingDivergedError, match="lower learning rate") as told:
        train_truth(SETTINGS, out, jobs=1)
    assert "{} with seed {}, {} with seed {}; all others".format(*lost[0], *lost[1]) in str(told.value)
    table = TruthTable(out, whole.identity)
    assert rows(table) == [row for row in rows(whole) if (row.arch, row.seed) not in lost]
    assert table.about["trainings"] == 5


def test_where_all_diverge_five_are_named(tmp_path, monkeypatch):
    diverging(monkeypatch, *range(7))
    with pytest.raises(TrainingDivergedError, match=r"seed \d and 2 more; all others"):
        train_truth(SETTINGS, tmp_path / "kit.csv", jobs=1)
    assert not list(tmp_path.glob("kit*"))


@pytest.mark.slow
def test_killed_work_goes_on_where_it_was(whole, tmp_path):
    out = tmp_path / "kit.csv"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    script = Path(__file__).with_name("killable_truth.py")
    process = subprocess.Popen([sys.executable, script, out], env=environment, start_new_session=True)
    deadline = time.monotonic() + 120
    while process.poll() is None and not (out.exists() and out.read_text().count("\n") > 2):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    done = out.read_text().count("\n") - 1
    assert done >= 1
    table = train_truth(SETTINGS, out, jobs=1)
    assert rows(table) == rows(whole)


def test_more_seeds_and_architectures_are_added(whole, tmp_path, monkeypatch):
    out = tmp_path / "kit.csv"
    train_truth(replace(SETTINGS, seeds=1, repeated=0), out, jobs=1)
    work, done = train._work, []

    def counted(settings, training):
        done.append(training)
        return work(settings, training)

    monkeypatch.setattr(train, "_work", counted)
    assert rows(train_truth(SETTINGS, out, jobs=1)) == rows(whole)
    assert len(done) == 4


def test_finished_table_is_left_as_it_is(whole, monkeypatch):
    before = [path.read_bytes() for path in sorted(whole.path.parent.glob("kit*"))]
    monkeypatch.setattr(train, "_work", None)
    train_truth(SETTINGS, whole.path, jobs=1)
    assert [path.read_bytes() for path in sorted(whole.path.parent.glob("kit*"))] == before


@pytest.mark.slow
def test_joblibs_own_settings_hand_out_the_work(whole, tmp_path):
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        assert rows(train_truth(SETTINGS, tmp_path / "kit.csv")) == rows(whole)


def test_threads_are_refused(tmp_path):
    """They would take turns in drawing from one generator, and no seed would give the same weights twice."""
    with joblib.parallel_config(backend="threading", n_jobs=2), pytest.raises(ConfigError, match="processes"):
        train_truth(SETTINGS, tmp_path / "kit.csv")
    assert not list(tmp_path.glob("kit*"))


def test_backend_that_gives_lists_only(whole, tmp_path, monkeypatch):
    """As Ray's does."""

    class ListBackend(SequentialBackend):
        supports_return_generator = False

    joblib.register_parallel_backend("lists", ListBackend)
    monkeypatch.setattr(train, "_ROUNDS", 2)
    written, append = [], TruthTable.append

    def noted(table, row):
        append(table, row)
        written.append(table.path.read_text().count("\n") - 1)

    monkeypatch.setattr(TruthTable, "append", noted)
    with joblib.parallel_config(backend="lists", n_jobs=1):
        assert rows(train_truth(SETTINGS, tmp_path / "kit.csv")) == rows(whole)
    assert written == [1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize(
    ("configured", "jobs", "asked"), [({}, None, -1), ({}, 2, 2), ({"n_jobs": 1}, None, 1), ({"n_jobs": 1}, 2, 2)]
)
def test_all_of_a_cluster_unless_less_is_asked_for(tmp_path, monkeypatch, configured, jobs, asked):
    """Ray's backend takes the whole cluster for -1, and only for that."""
    seen = []

    class Cluster(SequentialBackend):
        supports_return_generator = False

        def effective_n_jobs(self, n_jobs):
            seen.append(n_jobs)
            return 1

    joblib.register_parallel_backend("cluster", Cluster)
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)  # of this machine
    monkeypatch.setattr(train, "_work", Mock(side_effect=KeyboardInterrupt))
    with joblib.parallel_config(backend="cluster", **configured), pytest.raises(KeyboardInterrupt):
        train_truth(SETTINGS, tmp_path / "kit.csv", jobs=jobs)
    assert set(seen) == {asked}


@pytest.mark.parametrize(
    ("gpu", "configured", "asked"), [(False, None, -1), (True, None, 1), (False, 1, None), (True, 2, None)]
)
def test_processes_of_this_machine(tmp_path, monkeypatch, gpu, configured, asked):
    """None leaves it to joblib, which has been told."""
    parallel = Mock(side_effect=KeyboardInterrupt)
    monkeypatch.setattr("torch.cuda.is_available", lambda: gpu)
    monkeypatch.setattr(joblib, "Parallel", parallel)
    told = nullcontext() if configured is None else joblib.parallel_config(n_jobs=configured)
    with told, pytest.raises(KeyboardInterrupt):
        train_truth(SETTINGS, tmp_path / "kit.csv")
    assert parallel.call_args.kwargs["n_jobs"] == asked


@pytest.mark.parametrize("place", ["file/kit.csv", "file/below/kit.csv"])
def test_place_where_nothing_can_be_written(tmp_path, place):
    (tmp_path / "file").touch()
    with pytest.raises(BenchmarkError, match=r"kit\.csv cannot be written.*choose another place"):
        train_truth(SETTINGS, tmp_path / place, jobs=1)


def test_one_process_at_a_time(tmp_path):
    out = tmp_path / "kit.csv"
    (tmp_path / ".locks").mkdir()
    with FileLock(tmp_path / ".locks" / "kit.lock"), pytest.raises(BenchmarkError, match="another process"):
        train_truth(SETTINGS, out, jobs=1)


def test_lock_that_another_process_waits_at_is_not_pulled_from_under_it(whole):
    """Deleted, it would be locked by that process, and its name free for a third."""
    lock = whole.path.parent / ".locks" / "kit.lock"
    before = lock.stat().st_ino
    train_truth(SETTINGS, whole.path, jobs=1)
    assert lock.stat().st_ino == before


@pytest.mark.parametrize("name", ["kit.json", "kit.csv.gz", "kit"])
def test_table_of_another_name(tmp_path, name):
    with pytest.raises(ConfigError, match=f"{name} is to be a table.*ends in .csv"):
        train_truth(SETTINGS, tmp_path / name, jobs=1)
    assert list(tmp_path.iterdir()) == []


def test_seed_decides_the_training():
    space, data = SETTINGS.space.build(), SETTINGS.data.load()
    arch = (1, 1, 1, 1, 1, 1, 1, 1)
    first, again, other = (train_and_test(space, arch, data, SETTINGS.train, seed) for seed in (0, 0, 1))
    assert (first.valid, first.test) == (again.valid, again.test) != (other.valid, other.test)


@pytest.mark.parametrize("space", ["nasbench101", "nasbench201", "nasbench-macro"])
def test_profiles_train_alike_but_for_the_papers_sizes(space):
    quick, laptop, paper = (get_truth(space, profile) for profile in ("quick", "laptop", "paper"))
    assert quick.identity() == laptop.identity() != paper.identity()
    assert (quick.count, laptop.seeds) == (8, 3)
    assert paper.space.sizes == ()
