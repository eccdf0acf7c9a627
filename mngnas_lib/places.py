"""Where the kit's own files lie, and how they are written: at once, whole, and by one process at a time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import FileLock

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


def write_text(path: Path, text: str) -> None:
    """Write a file at once and whole, with the same bytes on every system."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)  # mkstemp lets nobody else read its files
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def lock_of(path: Path) -> FileLock:
    """The lock of one file. It lies in a folder beside it that tells git to ignore it.

    The lock's file stays when the work is done: were it deleted, a process that has just opened it would lock a file
    without a name, and the next one another.
    """
    from filelock import FileLock

    folder = path.parent / ".locks"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return FileLock(folder / f"{path.stem}.lock")
