"""``mngnas doctor``: what this machine has, and what the profiles would cost on it."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import click

from mngnas_lib.cli.show import memory, table, usable_cores

DISTRIBUTION = "mngnas-kit"


@click.command()
@click.option("--timing/--no-timing", default=True, show_default=True, help="Measure some training steps (10 s).")
def doctor(timing: bool) -> None:
    """Check this machine: versions, devices, data and benchmark files found, and what each profile would cost here.

    Leaves with exit code 1 if a package is missing or out of range.
    """
    import mngnas_lib

    click.echo(f"mngnas-kit {mngnas_lib.__version__}, Python {platform.python_version()} in {sys.prefix}\n")
    rows, problems = packages()
    click.echo(table(rows) + "\n")
    click.echo("\n".join(machine()) + "\n")
    click.echo("\n".join(places()) + "\n")
    if timing and not problems:
        from mngnas_lib.cli.timing import estimates

        click.echo("What the profiles cost here, estimated from some measured training steps:")
        click.echo(table(estimates()))
        click.echo(
            "SuperNet, ranking: on digits. Truth: architectures trained one by one. CIFAR-10: all of it again, where\n"
            "its images and a benchmark are there. Notebooks take some seconds more each, for imports and figures."
        )
    for problem in problems:
        click.echo(f"mngnas: {problem}", err=True)
    if problems:
        sys.exit(1)


def packages() -> tuple[list[list[str]], list[str]]:
    """A table of packages, their versions and the versions that are needed; and what is wrong with them."""
    from importlib import metadata

    from packaging.requirements import Requirement

    from mngnas_lib.lab.provenance import package_versions

    rows, problems = [["package", "version", "needed"]], []
    try:
        requirements = [Requirement(text) for text in metadata.requires(DISTRIBUTION) or []]
    except metadata.PackageNotFoundError:  # used from its folder, without an installation
        rows += [[name, version, "?"] for name, version in package_versions().items()]
        return rows, [f"{row[0]} is missing: pip install {row[0]}" for row in rows if row[1] == "not installed"]
    for requirement in requirements:
        # extras are for notebooks and development
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        needed = f"{requirement.name}{requirement.specifier}"
        try:
            version = metadata.version(requirement.name)
            if not requirement.specifier.contains(version, prereleases=True):
                problems.append(f"{requirement.name} is {version}: pip install '{needed}'")
        except metadata.PackageNotFoundError:
            version = "missing"
            problems.append(f"{requirement.name} is missing: pip install '{needed}'")
        rows.append([requirement.name, version, str(requirement.specifier)])
    return rows, problems


def machine() -> list[str]:
    """Processor, memory and accelerators."""
    import torch

    from mngnas_lib.lab.provenance import processor_name

    cores = f"{usable_cores()} of {os.cpu_count()} cores usable, {torch.get_num_threads()} threads"
    lines = [f"CPU     {processor_name()}, {cores}"]
    total, free = memory_size()
    if total:
        lines.append(f"memory  {memory(total)}" + (f", {memory(free)} free" if free else ""))
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            found = torch.cuda.get_device_properties(index)
            lines.append(f"GPU     cuda:{index} {found.name}, {memory(found.total_memory)}")
    elif torch.backends.mps.is_available():
        lines.append("GPU     mps")
    else:
        lines.append(f"GPU     none that PyTorch {torch.__version__} can use")
    return lines


def memory_size() -> tuple[int, int]:
    """Bytes of memory in all, and of those that are free; 0 for what the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        sizes = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}
        return sizes["MemTotal"], sizes.get("MemAvailable", 0)
    except (OSError, ValueError, IndexError, KeyError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), 0
    except (AttributeError, ValueError, OSError):
        return 0, 0


def places() -> list[str]:
    """Profile, images, benchmark files and stored results."""
    from mngnas_lib.benchmarks import LOADERS, find_benchmarks
    from mngnas_lib.benchmarks.files import folders
    from mngnas_lib.cli.data import sources
    from mngnas_lib.lab import PROFILES, current_profile, results_folder

    lines = [f"profile     {current_profile().name} (chosen by MNGNAS_PROFILE out of {', '.join(PROFILES)})"]
    lines += [f"data        {name}: {remark.strip()}" for name, _, remark in sources()[1:]]
    found = find_benchmarks()
    lines += [f"benchmark   {name}: {path}" for name, path in found]
    missing = [name for name in LOADERS if name not in dict(found)]
    if missing:
        where = " or ".join(str(folder) for folder in folders())
        lines.append(f"benchmark   {', '.join(missing)}: no file in {where} (MNGNAS_BENCHMARKS names another folder)")
    root = results_folder()
    counts = [f"{len(list((root / name).glob('*.json')))} {name}" for name in PROFILES]
    lines.append(f"results     {', '.join(counts)} in {root}")
    return lines
