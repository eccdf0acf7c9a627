"""Executing notebooks: each in a fresh kernel of this very Python, in the project's folder."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from mngnas_lib.notebooks.source import cell_lines, read_source

_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class ThisPython(AsyncKernelManager):
    """Starts kernels with the interpreter that runs this code, whatever kernels the user has registered."""

    @property
    def kernel_spec(self) -> KernelSpec:
        # errors only: ipykernel warns that it is not encrypted, but it listens on this machine alone
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--IPKernelApp.log_level=40"]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


@dataclass(frozen=True)
class Outcome:
    """What came of one notebook; ``problem`` is None where all of its cells ran."""

    name: str
    notebook: NotebookNode
    seconds: float
    problem: str | None


def execute(
    paths: Sequence[Path],
    root: Path,
    profile: str,
    *,
    jobs: int = 1,
    timeout: int | None = None,
    started: Callable[[Path], None] = lambda path: None,
    finished: Callable[[Outcome], None] = lambda outcome: None,
) -> list[Outcome]:
    """Execute notebooks given by their sources; one that fails does not stop the others.

    Args:
        root: the project's folder, where the kernels run.
        profile: what the notebooks see as ``MNGNAS_PROFILE``.
        jobs: how many run at once.
        timeout: seconds after which a cell counts as hanging; None for never.
        started, finished: called with each notebook as it starts and ends.
    """
    outcomes: dict[Path, Outcome] = {}

    async def run_all() -> None:
        free = asyncio.Semaphore(jobs)
        with tempfile.TemporaryDirectory(prefix="mngnas-ipython-") as ipython:
            environment = _environment(profile, jobs, ipython)

            async def run_one(path: Path) -> None:
                async with free:
                    started(path)
                    outcomes[path] = await _execute(path, root, environment, timeout)
                    finished(outcomes[path])

            await asyncio.gather(*map(run_one, paths))

    _run(run_all)
    return [outcomes[path] for path in paths]


async def _execute(path: Path, root: Path, environment: dict[str, str], timeout: int | None) -> Outcome:
    start = time.perf_counter()
    notebook = read_source(path)
    running = 0

    def on_cell_start(cell: NotebookNode, cell_index: int) -> None:
        nonlocal running
        running = cell_index

    client = NotebookClient(
        notebook,
        timeout=timeout,
        startup_timeout=120,  # the first import on a busy machine with cold disks takes its time
        kernel_manager_class=ThisPython,
        resources={"metadata": {"path": str(root)}},
        record_timing=False,
        on_cell_start=on_cell_start,
    )
    problem = None
    try:
        await client.async_execute(env=environment)
        if skipped := [cell for cell in notebook.cells if _has_code(cell) and cell.execution_count is None]:
            problem = f"{path.stem}: {len(skipped)} code cells were not executed"
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        problem = _explain(path, running, error, timeout)
    except (OSError, RuntimeError) as error:
        problem = f"{path.stem}: the kernel did not start: {error}"
    return Outcome(path.stem, notebook, time.perf_counter() - start, problem)


def _has_code(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip())


def _explain(path: Path, cell: int, error: Exception, timeout: int | None) -> str:
    lines = cell_lines(path)
    where = f"{path.stem}, cell {cell + 1}" + (f" ({path.name}, line {lines[cell]})" if cell < len(lines) else "")
    if isinstance(error, CellTimeoutError):
        return f"{where}: ran for more than {timeout} s"
    if isinstance(error, DeadKernelError):
        return f"{where}: the kernel died; the usual reason is too little memory"
    assert isinstance(error, CellExecutionError)
    trace = _ANSI.sub("", error.traceback).rstrip().splitlines()
    return "\n".join([f"{where}: {error.ename}: {error.evalue}", *(f"    {line}" for line in trace[-25:])])


def _environment(profile: str, jobs: int, ipython: str) -> dict[str, str]:
    environment = dict(os.environ)
    package = str(Path(__file__).resolve().parents[2])
    environment |= {
        "MNGNAS_PROFILE": profile,
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "IPYTHONDIR": ipython,  # no start-up files and no history of the user
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH")))),
        "TQDM_DISABLE": "1",
    }
    if jobs > 1:  # else each kernel would start as many threads as there are cores
        environment.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // jobs)))
    return environment


def _run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a coroutine function to its end; Ctrl-C cancels it, so that kernels are shut down.

    It runs in a thread of its own because nbclient takes over the signals of the main thread's loop, and would go on
    with the next notebook after Ctrl-C.
    """
    cancel: list[Callable[[], object]] = []

    async def cancellable() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        cancel.append(lambda: loop.call_soon_threadsafe(task.cancel))
        await main()

    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(lambda: asyncio.run(cancellable()))
        try:
            future.result()
        except KeyboardInterrupt:
            for stop in cancel:
                stop()
            raise
