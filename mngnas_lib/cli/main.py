"""The group of commands, and what becomes of errors."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

import mngnas_lib
from mngnas_lib.cli.baselines import baselines
from mngnas_lib.cli.benchmark import benchmark
from mngnas_lib.cli.data import data
from mngnas_lib.cli.doctor import doctor
from mngnas_lib.cli.rank import rank
from mngnas_lib.cli.register import figures, run, status
from mngnas_lib.cli.search import search
from mngnas_lib.cli.train import train
from mngnas_lib.cli.truth import truth
from mngnas_lib.errors import KitError

INTERRUPTED = 130


class Failure(click.ClickException):
    """An error that is told in one line."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code

    def show(self, file: Any = None) -> None:
        click.echo(f"mngnas: {self.message}", file=file, err=True)


class Kit(click.Group):
    """A group that tells a :class:`KitError` in one line and leaves with its exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)  # in the order in which they are used, not in the alphabet's

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with plain_warnings():
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("mngnas: interrupted", err=True)
            sys.exit(INTERRUPTED)
        except KitError as error:
            if ctx.params.get("debug"):
                raise
            raise Failure(str(error), error.exit_code) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            # a file of the user's that cannot be read or written; one without a name is a defect
            if ctx.params.get("debug") or error.filename is None:
                raise
            raise Failure(f"{error.filename}: {error.strerror}", 2) from error


@contextmanager
def plain_warnings() -> Iterator[None]:
    """Show warnings as one line, without the place in the code that they come from."""

    def show(message: Warning | str, *place: object) -> None:
        click.echo(f"mngnas: warning: {' '.join(str(message).split())}", err=True)

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


@click.group(cls=Kit, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(mngnas_lib.__version__, prog_name="mngnas")
@click.option("--debug", is_flag=True, help="Show where in the code an error arose.")
def main(debug: bool) -> None:
    """Train SuperNets, rank architectures with them, search, and look at data and benchmarks.

    \b
    A first tour, a minute on two cores:
      mngnas doctor
      mngnas train --out build/first --channels 4 --cells 1 --size 16 --epochs 5
      mngnas rank --checkpoint build/first --count 50
      mngnas search --out build/found --supernet build/first

    Exit codes: 0 all is well, 1 the work failed, 2 a mistake in what was asked for, 130 interrupted.
    """


for command in (doctor, train, rank, search, truth, baselines, data, benchmark, status, figures, run):
    main.add_command(command)
