"""Runs for the tests, and processes that compute them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import ClassVar

import numpy as np

from mngnas_lib import lab


@dataclass(frozen=True)
class Square(lab.RunConfig):
    """Notes each computation in the file ``log``, and waits until the file ``gate`` is there."""

    kind: ClassVar[str] = "square"
    number: int = 3
    log: str | None = field(default=None, compare=False)
    gate: str | None = field(default=None, compare=False)


@lab.execute.register
def _(config: Square) -> lab.Result:
    if config.log is not None:
        note(Path(config.log), "computed")
    if config.number < 0:
        raise RuntimeError("no negative numbers")
    while config.gate is not None and not Path(config.gate).exists():
        time.sleep(0.005)
    return lab.Result({"square": config.number**2}, {"t": {"x": np.arange(3)}}, {"c": {"loss": [1.0, 0.5]}})


def note(log: Path, word: str) -> None:
    with log.open("a") as file:
        file.write(f"{word}\n")


def noted(log: Path, word: str = "computed") -> int:
    """How often ``word`` is a line of ``log``."""
    return log.read_text().split("\n").count(word) if log.exists() else 0


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "nothing happened for a minute"
        time.sleep(0.005)


def start(work: Callable[..., None], *arguments: object) -> BaseProcess:
    """A process of its own. Forked, because a new interpreter would first import torch for seconds."""
    process = multiprocessing.get_context("fork").Process(target=work, args=arguments, daemon=True)
    process.start()
    return process
