"""The command line, called in this process, with nothing of the user's in sight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from cli_sizes import QUICK, SMALL
from click.testing import CliRunner, Result

from mngnas_lib.cli import main

Call = Callable[..., Result]


@pytest.fixture
def mngnas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """``mngnas("train", "--out", "x", code=2)``: run it in an empty folder and check its exit code.

    Whatever the exit code, there must be no traceback, and nothing but a :class:`SystemExit`.
    """
    for variable in ("MNGNAS_BENCHMARKS", "MNGNAS_DATA", "MNGNAS_CACHE", "MNGNAS_PROFILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("MNGNAS_RESULTS", str(tmp_path / "results"))
    monkeypatch.chdir(tmp_path)
    try:
        runner = CliRunner(mix_stderr=False)  # click 8.1
    except TypeError:
        runner = CliRunner()

    def call(*words: object, code: int = 0) -> Result:
        result = runner.invoke(main, [str(word) for word in words], prog_name="mngnas")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.stdout + result.stderr
        assert "Traceback" not in result.stdout + result.stderr
        return result

    return call


@pytest.fixture
def trained(mngnas: Call) -> Path:
    """A folder with a small trained SuperNet."""
    mngnas("train", "--out", "net", *SMALL, *QUICK)
    return Path("net")
