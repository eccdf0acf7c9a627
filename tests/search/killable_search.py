"""Searches that are killed. Each line of standard input is a folder to search in, and when the search is to die.

Importing torch takes seconds, so it is imported once, and each search is a fork. The first line of output says that all
is imported; each other one is the exit status of a search that has ended. A search dies ``after:SECONDS``; or in the
midst of writing checkpoint number N: ``half:N`` when half of the file is written, ``written:N`` before it is moved into
place, ``moved:N`` before older ones are deleted; or ``never:0``.
"""

import hashlib
import itertools
import json
import os
import signal
import sys
import time
from pathlib import Path

import torch
from search_cases import SMALL, STATE, digits, supernet, tables

from mngnas_lib.search import SearchResult, search

RESULT = "result.json"


def ending(result: SearchResult) -> str:
    """Everything that a search ends in, as text."""
    weights = hashlib.sha256()
    for name, tensor in result.network.state_dict().items():
        weights.update(name.encode() + tensor.numpy().tobytes())
    best = [list(result.best.arch), result.best.accuracy, result.threshold, *result.certificate, weights.hexdigest()]
    return json.dumps([tables(result), best])


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(moment: str, number: int) -> None:
    """Be killed while checkpoint ``number``, counted from 1, is written."""
    fsync, replace, checkpoints = os.fsync, os.replace, itertools.count(1)

    def synced(handle: int) -> None:
        fsync(handle)
        if next(checkpoints) == number:
            if moment == "half":
                os.ftruncate(handle, os.fstat(handle).st_size // 2)
                die()
            os.replace = die if moment == "written" else moved

    def moved(*paths: str) -> None:
        replace(*paths)
        die()

    os.fsync = synced


def run(folder: Path, moment: str, number: str) -> None:
    STATE.SECONDS_BETWEEN_CHECKPOINTS = 0.0  # one each step
    if moment in ("half", "written", "moved"):
        die_at(moment, int(number))
    result = search(supernet(), digits(), SMALL, folder=folder, progress=False)
    (folder / RESULT).write_text(ending(result))


if __name__ == "__main__":
    torch.set_num_threads(1)
    supernet()
    digits()
    print("ready", flush=True)
    for line in sys.stdin:
        folder, when = line.split()
        moment, _, number = when.partition(":")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                run(Path(folder), moment, number)
                code = 0
            finally:
                os._exit(code)
        if moment == "after":
            time.sleep(float(number))
            os.kill(child, signal.SIGKILL)  # its id is its own until it is waited for
        print(os.waitpid(child, 0)[1], flush=True)
