"""Where a result came from: code, packages, machine, time and memory."""

from __future__ import annotations

import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mngnas_lib

#: Packages that can change a result
PACKAGES = ("torch", "torchvision", "numpy", "scipy", "pandas", "cvxpy", "lightning-fabric", "mlxtend")


@contextmanager
def recorded() -> Iterator[dict[str, Any]]:
    """A dict that holds the provenance of what the block computes; filled when the block ends without an error."""
    import torch

    record: dict[str, Any] = {}
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    # before the computation: the files may change while it runs
    code = code_version()
    started = time.perf_counter()
    yield record
    record.update(
        code=code,
        python=platform.python_version(),
        packages=package_versions(),
        platform=f"{platform.system()} {platform.machine()}",
        device=device_name(),
        threads=torch.get_num_threads(),
        seconds=round(time.perf_counter() - started, 3),
        peak_memory_mib=peak_memory(),
        finished=datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )


def code_version() -> dict[str, Any]:
    """The package's version and, in a git checkout, the commit and whether the package's files differ from it."""
    record: dict[str, Any] = {"version": mngnas_lib.__version__}
    root = Path(mngnas_lib.__file__).resolve().parents[1]
    if (root / ".git").exists():
        commit = _git(root, "rev-parse", "HEAD")
        changes = _git(root, "status", "--porcelain", "--", "mngnas_lib")
        if commit is not None and changes is not None:
            record |= {"commit": commit, "dirty": bool(changes)}
    return record


def package_versions() -> dict[str, str]:
    """Installed versions of the packages that results depend on."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def device_name() -> str:
    """The name of the device that runs use: the GPU where there is one, else the processor."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    if torch.backends.mps.is_available():
        return f"{processor_name()} (GPU)"
    return processor_name()


def processor_name() -> str:
    """The processor's name, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine()


def peak_memory() -> dict[str, float]:
    """Peak memory in MiB: of this process from its start, and of the GPU since :func:`recorded` began."""
    import torch

    peak = {}
    process = process_peak_memory()
    if process is not None:
        peak["process"] = round(process, 1)
    if torch.cuda.is_available():
        peak["gpu"] = round(torch.cuda.max_memory_allocated() / 1024**2, 1)
    return peak


def process_peak_memory() -> float | None:
    """The most memory that this process has had so far (MiB); None where the system does not tell."""
    try:  # Linux lets a new process inherit its parent's ru_maxrss, so there that is of no use
        status = Path("/proc/self/status").read_text(encoding="utf-8", errors="replace")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        if sys.platform == "win32":
            return None
    import resource

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
