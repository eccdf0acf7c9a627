"""Runs are computed once, however often and from wherever they are asked for."""

import os
import signal
import sys
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from lab_runs import Square, note, noted, start, wait_until

from mngnas_lib import lab
from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.store import result_path


@pytest.fixture
def log(results: Path, tmp_path: Path) -> Path:
    return tmp_path / "log"


def test_a_run_is_computed_once_and_then_read(log):
    config = Square(log=str(log))
    first = lab.run(config)
    second = lab.run(config)
    assert noted(log) == 1
    assert first == second
    assert first.metrics == {"square": 9}
    assert first.tables == {"t": {"x": [0, 1, 2]}}
    assert first.path == result_path(config, "quick")


def test_force_computes_again_and_replaces(log):
    config = Square(log=str(log))
    lab.run(config)
    again = lab.run(config, force=True)
    assert noted(log) == 2
    assert lab.stored(config) == again


def test_each_profile_and_root_has_results_of_its_own(log, tmp_path, monkeypatch):
    config = Square(log=str(log))
    lab.run(config)
    lab.run(config, profile="laptop")
    lab.run(config, root=tmp_path / "elsewhere")
    assert noted(log) == 3
    monkeypatch.setenv("MNGNAS_PROFILE", "laptop")
    assert lab.run(config).path.parent.name == "laptop"
    assert noted(log) == 3


def test_stored_computes_nothing(log):
    assert lab.stored(Square(log=str(log))) is None
    assert noted(log) == 0


def test_a_run_that_fails_stores_nothing_and_can_be_tried_again(log):
    config = Square(number=-1, log=str(log))
    for _ in range(2):
        with pytest.raises(RuntimeError, match="no negative numbers"):
            lab.run(config)
    assert noted(log) == 2
    assert list(result_path(config, "quick").parent.glob("square*")) == []


def test_a_failed_repetition_keeps_the_earlier_result(log):
    config = Square(log=str(log))
    first = lab.run(config)
    with pytest.raises(IsADirectoryError):
        lab.run(Square(log=str(log.parent)), force=True)
    assert lab.stored(config) == first


def test_a_run_that_nothing_computes_is_a_clear_error(results):
    @dataclass(frozen=True)
    class Unknown(lab.RunConfig):
        kind: ClassVar[str] = "unknown"

    with pytest.raises(ConfigError, match="nothing computes runs of type Unknown"):
        lab.run(Unknown())


def test_a_damaged_result_is_set_aside_and_computed_anew(log):
    config = Square(log=str(log))
    path = lab.run(config).path
    path.write_text(path.read_text()[:50])
    with pytest.warns(UserWarning, match=path.name):
        again = lab.run(config)
    assert again.metrics == {"square": 9}
    assert noted(log) == 2
    assert path.with_suffix(".damaged-1").stat().st_size == 50
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert lab.run(config) == again


def test_stored_sets_damage_aside_too(log):
    config = Square(log=str(log))
    path = lab.run(config).path
    path.write_text("{}")
    with pytest.warns(UserWarning, match="set aside"):
        assert lab.stored(config) is None
    assert not path.exists()


def test_threads_of_one_process_compute_a_run_once(log, tmp_path, capsys):
    config = Square(log=str(log), gate=str(tmp_path / "gate"))
    found: list[lab.Result] = []
    said: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(lab.run(config, say=said.append))) for _ in range(3)]
    threads.append(threading.Thread(target=lambda: found.append(lab.run(config))))
    threads[0].start()
    wait_until(lambda: noted(log) == 1)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(said) == 2)
    Path(config.gate).touch()
    for thread in threads:
        thread.join()
    assert noted(log) == 1
    assert len(found) == 4 and all(result == found[0] for result in found)
    assert all(config.digest[:12] in line for line in said)
    assert capsys.readouterr().err.count("waiting for it") == 1


def compute(config: Square, log: Path) -> None:
    result = lab.run(config, say=lambda line: note(log, "waits"))
    note(log, f"got {result.metrics['square']}")


forks = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


@forks
def test_two_processes_compute_a_run_once(log, tmp_path):
    config = Square(log=str(log), gate=str(tmp_path / "gate"))
    processes = [start(compute, config, log) for _ in range(2)]
    wait_until(lambda: noted(log, "waits") == 1)
    Path(config.gate).touch()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert noted(log) == 1
    assert noted(log, "got 9") == 2


@forks
def test_a_process_that_waits_takes_over_when_the_other_is_killed(log, tmp_path):
    config = Square(log=str(log), gate=str(tmp_path / "gate"))
    first = start(compute, config, log)
    wait_until(lambda: noted(log) == 1)
    second = start(compute, config, log)
    wait_until(lambda: noted(log, "waits") == 1)
    first.kill()
    wait_until(lambda: noted(log) == 2)
    Path(config.gate).touch()
    second.join(60)
    assert second.exitcode == 0
    assert noted(log, "got 9") == 1


@forks
def test_an_interrupted_run_leaves_nothing(log, tmp_path):
    config = Square(log=str(log), gate=str(tmp_path / "gate"))
    process = start(compute, config, log)
    wait_until(lambda: noted(log) == 1)
    os.kill(process.pid, signal.SIGINT)
    process.join(60)
    assert process.exitcode == 1
    assert [entry.name for entry in result_path(config, "quick").parent.iterdir()] == [".locks"]
    assert lab.run(Square()).metrics == {"square": 9}


@forks
def test_without_the_lock_the_last_writer_wins_with_equal_content(log, tmp_path, monkeypatch):
    monkeypatch.setattr("filelock.FileLock.acquire", lambda self, timeout=None: None)
    config = Square(log=str(log), gate=str(tmp_path / "gate"))
    processes = [start(compute, config, log) for _ in range(2)]
    wait_until(lambda: noted(log) == 2)
    Path(config.gate).touch()
    for process in processes:
        process.join(60)
    assert noted(log, "got 9") == 2
    assert lab.stored(config).metrics == {"square": 9}


def test_locks_are_not_for_git(log):
    lab.run(Square(log=str(log)))
    folder = result_path(Square(), "quick").parent
    assert (folder / ".locks" / ".gitignore").read_text() == "*\n"
