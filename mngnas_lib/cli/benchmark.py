"""``mngnas benchmark``: what the benchmark files say."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mngnas_lib.cli.options import benchmark_options, open_benchmark
from mngnas_lib.cli.show import count, percent, wrapped
from mngnas_lib.errors import BenchmarkError

if TYPE_CHECKING:
    from mngnas_lib.benchmarks import Benchmark


@click.group()
def benchmark() -> None:
    """Ground truth of trained architectures: what there is, one architecture, converting the official file."""


@benchmark.command()
@benchmark_options
def info(benchmark: tuple[str, str | None] | None, dataset: str | None, truth_epochs: int | None) -> None:
    """Say which benchmark files there are, and of each number which split, epochs and seeds it is of.

    Also the checksum of each file, the licence of the official data, and how to get what is missing.

    \b
    Examples:
      mngnas benchmark info
      mngnas benchmark info --benchmark nasbench201=tables/nasbench201.csv.gz --dataset cifar100
    """
    from mngnas_lib.benchmarks import LOADERS, find_benchmarks, get_benchmark
    from mngnas_lib.benchmarks.files import folders

    if benchmark is not None:
        _describe(benchmark[0], open_benchmark(benchmark, dataset, truth_epochs))
        return
    for option, value in (("--dataset", dataset), ("--truth-epochs", truth_epochs)):
        if value is not None:
            raise click.UsageError(f"{option} comes with --benchmark: say of which one")
    found = find_benchmarks()
    if not found:
        click.echo(
            f"No benchmark file in {' or '.join(str(folder) for folder in folders())}. "
            "Name their folder in the environment variable MNGNAS_BENCHMARKS, or a file with --benchmark NAME=PATH.\n"
        )
    for name, path in found:
        click.echo(f"{path}")
        try:
            _describe(name, get_benchmark(name, path))
        except BenchmarkError as error:
            click.echo(f"unusable: {error}")
        click.echo()
    for name in LOADERS:
        if name not in {name for name, _ in found}:
            click.echo(wrapped(_missing(name)) + "\n")


def _describe(name: str, opened: Benchmark) -> None:
    from mngnas_lib.benchmarks.files import checksum

    click.echo(wrapped(opened.describe()))
    best = opened.table.loc[opened.table["test"].idxmax()]
    click.echo(f"Best by test accuracy: {best['arch']}, {percent(best['test'])}")
    click.echo(f"SHA-256 of {opened.path.name}: {checksum(opened.path)}")
    click.echo(wrapped(_licence(name)))


def _licence(name: str) -> str:
    from mngnas_lib.benchmarks.origins import ORIGINS

    if name not in ORIGINS:
        return "Made by the kit: under the kit's own licence."
    origin = ORIGINS[name]
    return f"Official data: licence {origin.licence}, described in the GitHub project {origin.project}."


def _missing(name: str) -> str:
    """What can be done where a benchmark has no file that is ready to be read."""
    from mngnas_lib.benchmarks import LOADERS, files
    from mngnas_lib.benchmarks.origins import ORIGINS

    text = f"{name}: not here.\n{_licence(name)}"
    if name not in ORIGINS:
        return f"{text}\n{LOADERS[name][2]}."
    origin = ORIGINS[name]
    waiting = files.find(origin.kind) if origin.converted else []
    if waiting:
        return f"{text}\nTo be converted, once: mngnas benchmark convert {waiting[0]}"
    use = "`mngnas benchmark convert FILE` makes a table of it" if origin.converted else "it is read as it is"
    published = [f"SHA-256 of {file}: {sha256}" for file, sha256 in origin.files.items() if sha256]
    return "\n".join([f"{text}\nIts file is called {' or '.join(origin.files)}; {use}.", *published])


@benchmark.command()
@click.argument("file", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    help="The table; or a folder, in which it is called nasbench101.npz or nasbench201.csv.gz.  "
    "[default: so called, in data/benchmarks]",
)
@click.option(
    "--trust-pickle",
    is_flag=True,
    help="nasbench201: load FILE even if its checksum is not the official one. Loading a pickle can run any code that "
    "it holds: only for a file from a source that you trust.",
)
def convert(file: str, out: str | None, trust_pickle: bool) -> None:
    """Make a small table of an official FILE of NAS-Bench-101 or NAS-Bench-201, which is needed once.

    Which of them it is, is seen by its content. The pickle of NAS-Bench-201 is loaded only if its checksum is the
    official one, and takes a few times its size in memory. The record files of NAS-Bench-101 are read piece by piece.

    \b
    Examples:
      mngnas benchmark convert ~/Downloads/NAS-Bench-201-v1_1-096897.pth
      mngnas benchmark convert ~/Downloads/nasbench_only108.tfrecord
    """
    from mngnas_lib.benchmarks import convert as make_table

    click.echo(f"wrote {make_table(file, out, trust_pickle=trust_pickle)}")


@benchmark.command()
@click.argument("arch")
@benchmark_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON; accuracies are fractions there.")
def query(
    arch: str, benchmark: tuple[str, str | None] | None, dataset: str | None, truth_epochs: int | None, as_json: bool
) -> None:
    """Look ARCH up, given in the benchmark's own notation.

    Without --benchmark: in the official table if it is here, else in the kit's own, which holds some hundred
    architectures.

    \b
    Examples:
      mngnas benchmark query 22212220
      mngnas benchmark query 110001.01000.0010.000.00.1:31p33
      mngnas benchmark query '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|'
    """
    from mngnas_lib.benchmarks import truth_for
    from mngnas_lib.spaces import get_space

    # the notations cannot be mistaken for each other
    guess = "nasbench201" if "|" in arch else "nasbench101" if ":" in arch else "nasbench-macro"
    if benchmark is None:
        get_space(guess).from_string(arch)  # a wrong notation is told before a file is missed
    if benchmark is None and dataset is None and truth_epochs is None:
        opened = truth_for(guess)
    else:
        opened = open_benchmark(benchmark or (guess, None), dataset, truth_epochs)
    record = opened.query(arch)
    text = opened.space.to_string(record.arch)
    if as_json:
        click.echo(json.dumps({"benchmark": opened.name, "dataset": opened.dataset, **asdict(record), "arch": text}))
        return
    click.echo(f"{text} in {opened.name} on {opened.dataset}")
    click.echo(f"test    {percent(record.test)}")
    if record.test_runs:
        click.echo(f"runs    {', '.join(percent(run) for run in record.test_runs)}")
    click.echo(f"valid   {percent(record.valid)}")
    click.echo(f"params  {count(record.params)} ({record.params:,})")
    click.echo(f"MACs    {count(record.macs)} ({record.macs:,})")
    click.echo(wrapped(opened.describe()))
