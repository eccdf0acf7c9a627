"""Checkpoints that are whole or absent.

A checkpoint is one file ``step-<number>-<sha256, 16 digits>.pt``. It is written beside its place, flushed to the disk
and then moved there, so that a kill at any moment leaves the earlier ones intact. The digits are of the file's content,
so damage is noticed before a tensor is read; tensors are read with ``weights_only``, so a file cannot run code.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from mngnas_lib.errors import CheckpointError
from mngnas_lib.places import whole_file
from mngnas_lib.spaces import SearchSpace, SlotNetwork

_NAME = re.compile(r"step-(\d+)-([0-9a-f]{16})\.pt")


def save_checkpoint(folder: Path, step: int, state: dict[str, Any], *, keep: int = 2) -> Path:
    """Write ``state`` as the checkpoint of ``step`` and delete all but the ``keep`` newest."""
    folder = Path(folder)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    content = buffer.getvalue()
    path = folder / f"step-{step:08d}-{_digest(content)}.pt"
    with whole_file(path) as file:
        file.write(content)
    # another one of this step was passed over as damaged when the run was resumed
    for old in folder.glob(f"step-{step:08d}-*.pt"):
        if old != path:
            old.unlink(missing_ok=True)
    for old in _by_step(folder)[keep:]:
        old.unlink(missing_ok=True)
    return path


def load_checkpoint(path: Path, *, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read one checkpoint.

    Raises:
        CheckpointError: the file is missing, is not a checkpoint, or is damaged.
    """
    path = Path(path)
    if not path.exists():
        raise CheckpointError(f"{path} does not exist: give the path of a checkpoint, or of a folder that holds some")
    match = _NAME.fullmatch(path.name)
    if match is None:
        raise CheckpointError(f"{path} is not a checkpoint of this kit: its name is not step-<number>-<checksum>.pt")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}): give the path of a checkpoint") from error
    if _digest(content) != match[2]:
        raise CheckpointError(f"{path} is damaged (its checksum differs): delete it, an earlier one will be used")
    return torch.load(io.BytesIO(content), map_location=device, weights_only=True)


def latest_checkpoint(folder: Path, *, device: torch.device | str = "cpu") -> tuple[Path, dict[str, Any]] | None:
    """The newest whole checkpoint of a folder, or None. Damaged ones are named in a warning and passed over."""
    for path in _by_step(Path(folder)):
        try:
            return path, load_checkpoint(path, device=device)
        except CheckpointError as error:
            warnings.warn(str(error), stacklevel=2)
    return None


@contextmanager
def locked(folder: Path | None) -> Iterator[None]:
    """Keep other processes from writing to the same folder, and delete what a killed one left half-written."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            for leftover in folder.glob(".step-*.tmp"):
                leftover.unlink(missing_ok=True)
            yield
    except Timeout as error:
        raise CheckpointError(
            f"another process is training into {folder}: wait for it, or use another folder"
        ) from error


def _by_step(folder: Path) -> list[Path]:
    """Checkpoints, newest first."""
    found = [(int(match[1]), path) for path in folder.glob("step-*.pt") if (match := _NAME.fullmatch(path.name))]
    return [path for _, path in sorted(found, reverse=True)]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def load_supernet(state: dict[str, Any], space: SearchSpace) -> SlotNetwork:
    """The SuperNet that a checkpoint's ``state`` holds, in evaluation mode.

    Raises:
        CheckpointError: the checkpoint is of another space, or of other sizes.
    """
    identity = state["identity"]
    if identity["arch"] is not None:
        raise CheckpointError("the checkpoint is of a stand-alone network, not of a SuperNet")
    if (identity["space"], identity["sizes"]) != (space.name, space.settings()):
        raise CheckpointError(
            f"the checkpoint is of {identity['space']} with sizes {identity['sizes']}, "
            f"not of {space.name} with sizes {space.settings()}: give the sizes it was trained with"
        )
    network = space.supernet(num_classes=state["num_classes"], in_channels=state["in_channels"], seed=0)
    network.load_state_dict(state["network"])
    return network.eval()
