"""Where the kit's own files lie, and how they are written: at once, whole, and by one process at a time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

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


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which becomes ``path`` when the block ends; after an error nothing of it stays.

    What a killed process leaves behind is called ``.<name of path>.<random letters>.tmp``.

    Raises:
        OSError: ``path`` cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # else a crash of the machine may leave an empty file under the new name
        os.chmod(temporary, 0o644)  # mkstemp lets nobody else read its files
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a file at once and whole, with the same bytes on every system. Errors as in :func:`whole_file`."""
    with whole_file(path) as file:
        file.write(text.encode())


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
