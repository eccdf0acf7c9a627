"""``mngnas status``, ``mngnas figures`` and ``mngnas run``: the paper's figures and tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mngnas_lib.cli.show import duration, wrapped

if TYPE_CHECKING:
    from mngnas_lib.lab.profiles import Profile
    from mngnas_lib.register import Item

ids = click.argument("ids", nargs=-1, metavar="[ID...]")
profile_option = click.option(
    "--profile",
    default="laptop",
    show_default=True,
    type=click.Choice(["quick", "laptop", "paper"]),
    help="Whose sizes and results.",
)


@click.command()
@ids
def status(ids: tuple[str, ...]) -> None:
    """Say how far the paper's figures and tables are measured.

    ID is fig-01 to fig-14 or tab-01 to tab-16; without one, all are listed.

    \b
    Examples:
      mngnas status
      mngnas status tab-05 fig-13
    """
    from mngnas_lib.register import choose
    from mngnas_lib.register.state import best_state

    for item in choose(ids):
        state = best_state(item)
        click.echo(f"{item.id}  {state}")
        if ids:
            about = [f"  {item.title}, Section {item.section}, {item.kind}: {item.caption}"]
            about.append(f"  shown by notebook {item.notebook}; its numbers are {item.printed} in the paper")
            about += [f"  the kit lacks: {', '.join(item.missing)}"] if item.missing else []
            click.echo(wrapped("\n".join(about)))
    if not ids:
        click.echo("What an item shows and what the kit lacks for it: mngnas status ID")


@click.command()
@ids
@profile_option
@click.option("--force", is_flag=True, help="Make files again that are fresh.")
def figures(ids: tuple[str, ...], profile: str, force: bool) -> None:
    """Draw the paper's figures and write its tables from the stored results.

    ID is fig-01 to fig-14 or tab-01 to tab-16; without one, all whose files are not fresh are made. Nothing is
    computed: what is not measured yet is said to be so. Under the profile laptop figures/INDEX.md is written as well.

    \b
    Examples:
      mngnas figures
      mngnas figures fig-13 tab-05 --profile quick
    """
    from mngnas_lib.register import choose

    items = choose(ids)  # a wrong name is told before torch is imported
    from mngnas_lib.lab.profiles import get_profile
    from mngnas_lib.register.artefacts import COMMITTED, is_fresh, make
    from mngnas_lib.register.index import write_index

    _without_display()
    for item in items:
        if is_fresh(item, profile) and not force:
            click.echo(f"{item.id}  fresh")
            continue
        click.echo(f"{item.id}  {_shown(make(item, get_profile(profile)).files)}")
    if profile == COMMITTED:
        click.echo(_shown((write_index(),)))


@click.command()
@click.argument("id")
@profile_option
@click.option("--dry-run", is_flag=True, help="List the runs that are missing, and about how long they take.")
def run(id: str, profile: str, dry_run: bool) -> None:
    """Compute what a figure or table of the paper lacks, then draw it.

    ID is fig-01 to fig-14 or tab-01 to tab-16. Each run is stored as soon as it is done; called again after an
    interruption, this goes on where it stopped.

    \b
    Examples:
      mngnas run tab-05 --dry-run
      mngnas run tab-05 --profile laptop
    """
    from mngnas_lib.register import get_item

    item = get_item(id)
    from mngnas_lib.lab.profiles import get_profile
    from mngnas_lib.register.compute import compute, pending

    sizes = get_profile(profile)
    if dry_run:
        runs = pending(item, sizes)
        for entry in runs:
            cost = "not known" if entry.seconds is None else f"about {duration(entry.seconds)}"
            about = "".join(f", {word}" for word in entry.about)
            click.echo(f"{entry.config.kind}-{entry.config.digest[:12]}{about}  {cost}")
        inside = sum(entry.inside for entry in runs)
        words = f"{item.id}: {len(runs) - inside} runs missing under {profile}"
        words += f", and {inside} searches inside them" if inside else ""
        known = [entry.seconds for entry in runs if entry.seconds is not None]
        words += f"; about {duration(sum(known))}" if known else ""
        unknown = len(runs) - len(known)
        click.echo(wrapped(words + (f"; {unknown} whose cost is not known" if unknown else "")))
    else:
        compute(item, sizes, say=click.echo)
        _draw(item, sizes)
    if item.missing:
        click.echo(wrapped(f"The kit lacks for the rest of it: {', '.join(item.missing)}"))
    if not dry_run:
        from mngnas_lib.register.state import state_of

        click.echo(f"{item.id}  {state_of(item, profile)}")


def _draw(item: Item, profile: Profile) -> None:
    from mngnas_lib.register.artefacts import COMMITTED, make
    from mngnas_lib.register.index import write_index

    _without_display()
    click.echo(_shown(make(item, profile).files))
    if profile.name == COMMITTED:
        write_index()


def _without_display() -> None:
    import matplotlib

    matplotlib.use("Agg")


def _shown(files: tuple[Path, ...]) -> str:
    """Paths as they are from here, where that is shorter."""
    here = Path.cwd()
    return ", ".join(str(path.relative_to(here) if path.is_relative_to(here) else path) for path in files)
