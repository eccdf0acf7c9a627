"""``mngnas status``, ``mngnas figures`` and ``mngnas run``: the paper's figures and tables."""

from __future__ import annotations

import click

from mngnas_lib.cli.show import wrapped


@click.command()
@click.argument("ids", nargs=-1, metavar="[ID...]")
def status(ids: tuple[str, ...]) -> None:
    """Say how far the paper's figures and tables are measured.

    ID is fig-01 to fig-14 or tab-01 to tab-16; without one, all are listed.
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
