"""A project of its own, without results, and results that tests put there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mngnas_lib.lab import Result, RunConfig, result_path
from mngnas_lib.lab.store import write_result
from mngnas_lib.register import artefacts, index

Store = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project's folder, where all files of this test go."""
    monkeypatch.setenv("MNGNAS_RESULTS", str(tmp_path / "data" / "results"))
    monkeypatch.delenv("MNGNAS_PROFILE", raising=False)
    for module in (artefacts, index):
        monkeypatch.setattr(module, "project_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def store(project: Path) -> Store:
    """``store(config, metrics, tables, profile="quick", when="2026-01-02")``: as if the run had been computed."""

    def put(config: RunConfig, metrics=None, tables=None, *, profile: str = "quick", when: str = "2026-01-02") -> Path:
        provenance = {"finished": f"{when}T03:04:05+00:00", "seconds": 60.0}
        path = result_path(config, profile)
        write_result(path, config, Result(metrics or {}, tables or {}, provenance=provenance))
        return path

    return put
