"""Provenance says what computed a result, and for how long."""

import shutil
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

import numpy as np
import pytest
import torch

import mngnas_lib
from mngnas_lib.lab import provenance
from mngnas_lib.lab.provenance import code_version, recorded


def test_what_is_recorded():
    before = datetime.now(timezone.utc).replace(microsecond=0)
    with recorded() as record:
        assert record == {}
        time.sleep(0.05)
    assert record["code"]["version"] == mngnas_lib.__version__
    assert record["packages"]["torch"] == torch.__version__.split("+")[0] or record["packages"]["torch"] == (
        torch.__version__
    )
    assert record["packages"]["numpy"] == np.__version__
    assert set(record["packages"]) == set(provenance.PACKAGES)
    assert 0.05 <= record["seconds"] < 5
    assert record["threads"] == torch.get_num_threads()
    assert record["device"]
    assert before <= datetime.fromisoformat(record["finished"]) <= datetime.now(timezone.utc)


def test_nothing_is_recorded_of_a_block_that_fails():
    with pytest.raises(ZeroDivisionError), recorded() as record:
        _ = 1 / 0
    assert record == {}


GROWTH = """
import numpy as np
from mngnas_lib.lab.provenance import peak_memory
before = peak_memory()["process"]
held = np.ones(300 * 2**20, dtype=np.uint8)
grown = peak_memory()["process"]
del held
print(before, grown, peak_memory()["process"])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell")
def test_peak_memory_is_the_process_own_and_in_mebibytes():
    # a process of its own: this one may long have had a higher peak, which the new one must not inherit
    inherited = np.ones(800 * 2**20, dtype=np.uint8)
    done = subprocess.run([sys.executable, "-c", GROWTH], check=True, capture_output=True, text=True)
    del inherited
    before, grown, after = map(float, done.stdout.split())
    assert 20 < before < 800
    assert 200 < grown - before < 400
    assert after == pytest.approx(grown, abs=20)


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_commit_and_dirtiness_are_those_of_the_checkout(tmp_path, monkeypatch):
    package = tmp_path / "mngnas_lib"
    package.mkdir()
    module = package / "__init__.py"
    module.write_text("")
    monkeypatch.setattr(mngnas_lib, "__file__", str(module))
    assert code_version() == {"version": mngnas_lib.__version__}

    def git(*words: str) -> str:
        identity = ("-c", "user.name=a", "-c", "user.email=a@b")
        done = subprocess.run(["git", *identity, *words], cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "-q")
    assert "commit" not in code_version()  # no commit yet
    git("add", ".")
    git("commit", "-qm", "first")
    assert code_version() == {"version": mngnas_lib.__version__, "commit": git("rev-parse", "HEAD"), "dirty": False}
    (tmp_path / "notes.txt").write_text("not of the package")
    assert code_version()["dirty"] is False
    (package / "new.py").write_text("x = 1")
    assert code_version()["dirty"] is True


def test_the_processor_has_a_name_without_linux_files(monkeypatch):
    monkeypatch.setattr(Path, "read_text", lambda *args, **kwargs: "nothing of use")
    assert provenance.processor_name()
