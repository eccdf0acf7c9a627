"""A small run that counts how often it is computed, in this process and in others."""

from pathlib import Path

import pytest


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of results that all calls of this test use."""
    folder = tmp_path / "results"
    monkeypatch.setenv("MNGNAS_RESULTS", str(folder))
    monkeypatch.delenv("MNGNAS_PROFILE", raising=False)
    return folder
