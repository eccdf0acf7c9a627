"""Where the kit's own files lie: the project's folder, and the folder of results in it."""

from __future__ import annotations

import os
from pathlib import Path

#: Results lie in this environment variable's folder, if it is set
RESULTS = "MNGNAS_RESULTS"


def project_folder() -> Path:
    """The checkout that the package is in; the current folder, where the package was copied into an environment."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()


def results_folder() -> Path:
    """Where results are kept: ``MNGNAS_RESULTS``, else ``data/results`` of the project's folder."""
    named = os.environ.get(RESULTS)
    return Path(named).expanduser() if named else project_folder() / "data" / "results"
