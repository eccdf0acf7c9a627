"""Run once, read ever after: :func:`run` gives a stored result, or computes and stores it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import singledispatch
from pathlib import Path

from filelock import Timeout

from mngnas_lib.errors import ConfigError
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.profiles import current_profile
from mngnas_lib.lab.provenance import recorded
from mngnas_lib.lab.store import DamagedResultError, Result, read_result, result_path, set_aside, write_result
from mngnas_lib.places import lock_of


@singledispatch
def execute(config: RunConfig) -> Result:
    """Compute a run; of what is returned, metrics, tables and curves are stored.

    Each kind of run registers a function of its own with ``@execute.register``; the annotation of its argument says of
    which kind it is.

    Raises:
        ConfigError: nothing computes runs of this type.
    """
    raise ConfigError(
        f"nothing computes runs of type {type(config).__name__}: import the module that does, or register it with "
        "mngnas_lib.lab.execute.register"
    )


def run(
    config: RunConfig,
    *,
    profile: str | None = None,
    root: Path | None = None,
    force: bool = False,
    say: Callable[[str], None] | None = None,
) -> Result:
    """The result of a run: the stored one, or else a new one, which is then stored.

    Two processes that ask for the same run at once compute it once: the second waits and reads. A run that fails or is
    interrupted stores nothing. A damaged file is set aside with a warning, and the run computed anew.

    Args:
        profile: whose folder holds the result; by default the current profile's.
        root: the folder of results; by default :func:`mngnas_lib.lab.results_folder`.
        force: compute even if there is a result, and replace it.
        say: told when this process waits for another one; by default a line on standard error.

    Raises:
        ConfigError: nothing computes runs of this type.
    """
    path = result_path(config, profile or current_profile().name, root)
    if not force:
        # damage is dealt with under the lock, where nobody repairs it at the same time
        with suppress(DamagedResultError):
            found = read_result(path, config)
            if found is not None:
                return found
    lock = lock_of(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        (say or _say)(f"another process is computing {path.name}: waiting for it")
        lock.acquire()
    try:
        found = _read_or_set_aside(path, config)
        if found is not None and not force:
            return found
        for leftover in path.parent.glob(f".{path.stem}.*.tmp"):
            leftover.unlink(missing_ok=True)  # of a process that was killed while it wrote
        with recorded() as provenance:
            result = execute(config)
        return write_result(path, config, replace(result, provenance=provenance))
    finally:
        lock.release()


def stored(config: RunConfig, *, profile: str | None = None, root: Path | None = None) -> Result | None:
    """The stored result of a run, or None; nothing is computed. A damaged file is set aside with a warning."""
    path = result_path(config, profile or current_profile().name, root)
    try:
        return read_result(path, config)
    except DamagedResultError:
        # a lock that is taken means that another process is at it
        with suppress(Timeout), lock_of(path).acquire(timeout=0):
            return _read_or_set_aside(path, config)
    return None


def _read_or_set_aside(path: Path, config: RunConfig) -> Result | None:
    """To be called under the lock."""
    try:
        return read_result(path, config)
    except DamagedResultError as error:
        set_aside(path, str(error))
    return None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
