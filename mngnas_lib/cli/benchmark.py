"""``mngnas benchmark``: what the benchmark files say."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from mngnas_lib.cli.options import benchmark_options, open_benchmark
from mngnas_lib.cli.show import count, percent, wrapped
from mngnas_lib.errors import BenchmarkError


@click.group()
def benchmark() -> None:
    """Ground truth of trained architectures: what there is, one architecture, converting the official file."""


@benchmark.command()
@benchmark_options
def info(benchmark: tuple[str, str | None] | None, dataset: str, truth_epochs: int | None) -> None:
    """Say which benchmark files there are, and of each number which split, epochs and seeds it is of.

    \b
    Examples:
      mngnas benchmark info
      mngnas benchmark info --benchmark nasbench201=tables/nasbench201.csv.gz --dataset cifar100
    """
    from mngnas_lib.benchmarks import find_benchmarks
    from mngnas_lib.benchmarks.files import folders

    if benchmark is not None:
        _describe(benchmark, dataset, truth_epochs)
        return
    found = find_benchmarks()
    if not found:
        click.echo(
            f"No benchmark file in {' or '.join(str(folder) for folder in folders())}. "
            "Name their folder in the environment variable MNGNAS_BENCHMARKS, or a file with --benchmark NAME=PATH."
        )
    for name, path in found:
        click.echo(f"{path}")
        try:
            # a file of CIFAR-10 alone is shown whatever data set was asked for
            _describe((name, str(path)), "cifar10" if name == "nasbench-macro" else dataset, None)
        except BenchmarkError as error:
            click.echo(f"unusable: {error}")
        click.echo()


def _describe(named: tuple[str, str | None], dataset: str, epochs: int | None) -> None:
    opened = open_benchmark(named, dataset, epochs)
    click.echo(wrapped(opened.describe()))
    best = opened.table.loc[opened.table["test"].idxmax()]
    click.echo(f"Best by test accuracy: {best['arch']}, {percent(best['test'])}")


@benchmark.command()
@click.argument("file", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    default="data/benchmarks/nasbench201.csv.gz",
    show_default=True,
    help="The table; or a folder, in which it is called nasbench201.csv.gz.",
)
@click.option(
    "--trust-pickle",
    is_flag=True,
    help="Load FILE even if its checksum is not the official one. Loading a pickle can run any code that it holds: "
    "only for a file from a source that you trust.",
)
def convert(file: str, out: str, trust_pickle: bool) -> None:
    """Make a small table of NAS-Bench-201's official FILE, NAS-Bench-201-v1_1-096897.pth.

    FILE is needed once. It is loaded only if its checksum is the official one, and takes a few times its size in
    memory.

    \b
    Example:
      mngnas benchmark convert ~/Downloads/NAS-Bench-201-v1_1-096897.pth
    """
    from pathlib import Path

    from mngnas_lib.benchmarks import convert as make_table

    if out == "data/benchmarks/nasbench201.csv.gz":
        Path(out).parent.mkdir(parents=True, exist_ok=True)
    click.echo(f"wrote {make_table(file, out, trust_pickle=trust_pickle)}")


@benchmark.command()
@click.argument("arch")
@benchmark_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON; accuracies are fractions there.")
def query(
    arch: str, benchmark: tuple[str, str | None] | None, dataset: str, truth_epochs: int | None, as_json: bool
) -> None:
    """Look ARCH up, given in the benchmark's own notation.

    \b
    Examples:
      mngnas benchmark query 22212220
      mngnas benchmark query '|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|'
    """
    # the two notations cannot be mistaken for each other
    named = benchmark or ("nasbench201" if "|" in arch else "nasbench-macro", None)
    opened = open_benchmark(named, dataset, truth_epochs)
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
