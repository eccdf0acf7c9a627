"""``python -m mngnas_lib.notebooks``: build, execute and check the notebooks."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import click

from mngnas_lib.errors import KitError

try:
    from mngnas_lib.notebooks import address
    from mngnas_lib.notebooks.book import build_book
    from mngnas_lib.notebooks.check import check_project, require_size
    from mngnas_lib.notebooks.clean import clean
    from mngnas_lib.notebooks.execute import Outcome, execute
    from mngnas_lib.notebooks.source import (
        PROFILES,
        NotebookError,
        dumps,
        notebook_path,
        project_folder,
        sources,
    )
    from mngnas_lib.places import write_text
except ModuleNotFoundError as error:
    sys.exit(f"{error.name} is missing: install the kit with its notebooks, pip install -e '.[notebooks]'")

_root = click.option("--root", type=click.Path(path_type=Path, exists=True), default=project_folder, hidden=True)
_jobs = click.option("--jobs", type=click.IntRange(1), default=1, show_default=True, help="How many run at once.")
_timeout = click.option("--timeout", type=click.IntRange(1), help="Seconds that a cell may take.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Build, execute and check the notebooks, and make a book of them."""


@main.command()
@click.argument("names", nargs=-1)
@click.option("--profile", type=click.Choice(PROFILES), default="laptop", show_default=True)
@_jobs
@_timeout
@_root
def build(names: tuple[str, ...], profile: str, jobs: int, timeout: int | None, root: Path) -> None:
    """Make the committed notebooks (all, or those NAMED) from notebooks/src, with their outputs."""

    def keep(outcome: Outcome) -> None:
        if outcome.problem is None:
            notebook = clean(outcome.notebook, root)
            text = dumps(notebook)
            require_size(f"{outcome.name}.ipynb", text, notebook)
            write_text(notebook_path(root, root / outcome.name), text)

    _run(root, names, profile, jobs, timeout, keep)


@main.command(name="execute")
@click.argument("names", nargs=-1)
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Where they go; by default build/notebooks/PROFILE.")
@_jobs
@_timeout
@_root
def execute_(
    names: tuple[str, ...], profile: str, out: Path | None, jobs: int, timeout: int | None, root: Path
) -> None:
    """Execute the notebooks (all, or those NAMED) into a scratch folder; the committed ones stay as they are."""
    out = out or root / "build" / "notebooks" / profile
    wanted = {path.stem for path in sources(root, names)}
    for stale in out.glob("*.ipynb") if out.is_dir() else ():
        if not names or stale.name.split(".")[0] in wanted:
            stale.unlink()

    def keep(outcome: Outcome) -> None:
        suffix = ".ipynb" if outcome.problem is None else ".failed.ipynb"
        write_text(out / f"{outcome.name}{suffix}", dumps(clean(outcome.notebook, root)))

    _run(root, names, profile, jobs, timeout, keep)
    count = sum((out / f"{name}.ipynb").is_file() for name in wanted)
    if count != len(wanted):
        raise NotebookError(f"{count} notebooks lie in {out}, but {len(wanted)} have a source: one was left out")
    figures = "figures" if profile == "laptop" else f"build/figures/{profile}"
    click.echo(f"{count} of {len(wanted)} notebooks executed under the profile {profile}.")
    click.echo(f"Notebooks: {_shown(out)}   (open them with: make lab)\nFigures:   {figures}")


@main.command()
@_root
def check(root: Path) -> None:
    """Check that committed notebooks say what their sources say, and that both keep to the rules."""
    complaints = check_project(root)
    for complaint in complaints:
        click.echo(complaint, err=True)
    if complaints:
        raise NotebookError(f"{len(complaints)} complaints")
    click.echo(f"{len(sources(root))} notebooks are as they should be.")


@main.command()
@_root
def book(root: Path) -> None:
    """Make an HTML book of the committed notebooks, the paper's figures and tables its index; no network is needed."""
    page, warnings = build_book(root)
    for warning in warnings:
        click.echo(warning, err=True)
    click.echo(f"The book: {_shown(page)}")


@main.command(name="address")
@_root
def address_(root: Path) -> None:
    """Put the repository's address of pyproject.toml into README, notebooks and badges."""
    for path in address.spread(root):
        click.echo(f"changed {path.relative_to(root)}")


def _run(root: Path, names: tuple[str, ...], profile: str, jobs: int, timeout: int | None, keep) -> None:
    """Execute notebooks, keep each as soon as it is done, report times, and raise where one failed."""
    paths = sources(root, names)
    start = time.perf_counter()
    problems = []

    def started(path: Path) -> None:
        click.echo(f"{path.stem} ...")

    def finished(outcome: Outcome) -> None:
        problem = outcome.problem
        try:
            keep(outcome)
        except NotebookError as error:
            problem = str(error)
        click.echo(f"{outcome.name}: {'done' if problem is None else 'FAILED'} after {outcome.seconds:.1f} s")
        if problem is not None:
            problems.append(problem)

    outcomes = execute(paths, root, profile, jobs=jobs, timeout=timeout, started=started, finished=finished)
    total = time.perf_counter() - start
    click.echo("\n" + "\n".join(f"{outcome.name:<32} {outcome.seconds:7.1f} s" for outcome in outcomes))
    click.echo(f"{'all, ' + str(jobs) + ' at once':<32} {total:7.1f} s\n")
    if problems:
        raise NotebookError("\n\n".join([*problems, f"{len(problems)} of {len(paths)} notebooks failed"]))


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    try:
        main()
    except KitError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_code)
