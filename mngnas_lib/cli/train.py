"""``mngnas train``: train a SuperNet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mngnas_lib.cli.options import (
    build_space,
    device_option,
    find_device,
    image_settings,
    image_size_options,
    load,
    source_option,
    space_options,
    together,
)
from mngnas_lib.cli.show import duration, percent, table
from mngnas_lib.places import write_text

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from mngnas_lib.supernet import TrainConfig

#: Beside the checkpoints: the arguments that load the images, for ``mngnas rank``
IMAGES_FILE = "images.json"
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
STRATEGIES = ("spos", "spos-balanced")
AUGMENT_SETTINGS = ("pad", "flip", "cutout")


def setting(name: str, kind: Any, default: Any, help: str | None = None) -> Callable:
    """An option for a field of TrainConfig, with its default."""
    return click.option(name, type=kind, default=default, show_default=True, help=help)


SHARE = click.FloatRange(0, 1, max_open=True)
training_options = together(
    setting("--strategy", click.Choice(STRATEGIES), "spos", "How paths are drawn."),
    setting("--epochs", click.IntRange(1), 40),
    setting("--batch-size", click.IntRange(1), 128),
    setting("--lr", float, 0.1, "Highest learning rate; it falls to zero as a cosine."),
    setting("--warmup-epochs", float, 0.0, "Epochs in which the learning rate rises."),
    setting("--momentum", SHARE, 0.9),
    setting("--nesterov/--no-nesterov", None, True, "Nesterov's momentum."),
    setting("--weight-decay", click.FloatRange(0), 5e-4),
    setting("--label-smoothing", SHARE, 0.0),
    setting("--bn-affine/--no-bn-affine", None, True, "Train scale and shift of the batch norms."),
    setting("--clip-norm", click.FloatRange(0), 5.0, "Largest norm of the gradient; 0: no limit."),
    setting("--pad", click.IntRange(0), 0, "Shift images by up to this many pixels."),
    setting("--flip/--no-flip", None, False, "Mirror half of the images."),
    setting("--cutout", click.IntRange(0), 0, "Erase a square of this side."),
    setting("--precision", click.Choice(PRECISIONS), "32-true"),
    setting("--channels-last/--no-channels-last", None, True, "Memory format."),
    setting("--compile/--no-compile", None, False, "Use torch.compile."),
    setting("--seed", click.IntRange(0), 0, "Of weights, paths and batches."),
)


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of the checkpoints. If it holds some of the same training, that goes on from the last.",
)
@space_options
@source_option
@image_size_options()
@click.option("--download", is_flag=True, help="Fetch CIFAR if it is not there.")
@training_options
@device_option
def train(out: Path, download: bool, device: str, **options: Any) -> None:
    """Train a SuperNet by single paths (SPOS), and keep checkpoints in a folder.

    Interrupt it at any moment: the same command goes on from the last checkpoint, and ends in the same weights.

    \b
    Examples:
      mngnas train --out build/first --channels 4 --cells 1 --size 16 --epochs 5
      mngnas train --out build/c8n1 --channels 8 --cells 1 --data cifar10 --download \\
          --size 16 --count 12000 --pad 2 --flip
      mngnas train --out build/macro --space nasbench-macro --channels 8 --head-channels 320
    """
    space, settings, config = build_space(options), image_settings(options), build_config(options)
    fabric = engine(device, config)
    data = load(settings, download=download)

    from mngnas_lib.supernet import latest_checkpoint, train_supernet

    before = latest_checkpoint(out) if out.is_dir() else None
    if before is None:  # else the folder may be another training's, which is for train_supernet to say
        write_text(out / IMAGES_FILE, json.dumps(settings, indent=1) + "\n")
    else:
        click.echo(f"going on from {before[0]}", err=True)
    result = train_supernet(space, data, config, checkpoint_dir=out, fabric=fabric)
    write_text(out / IMAGES_FILE, json.dumps(settings, indent=1) + "\n")
    rows = [["epoch", "loss", "accuracy", "learning rate"]]
    for epoch in result.history:
        rows.append([str(epoch.epoch), f"{epoch.loss:.4f}", percent(epoch.accuracy), f"{epoch.lr:.5f}"])
    click.echo(table(rows))
    images = result.steps * config.batch_size
    speed = f": {images / result.seconds:,.0f} images/s" if images else ", it was finished before"
    click.echo(f"{result.steps} steps of {config.batch_size} images in {duration(result.seconds)}{speed}")
    newest = latest_checkpoint(out)
    assert newest is not None
    click.echo(f"checkpoint  {newest[0]}")
    click.echo(f"next        mngnas rank --checkpoint {out}")


def build_config(options: dict[str, Any]) -> TrainConfig:
    """The training's settings."""
    from mngnas_lib.data import Augment
    from mngnas_lib.supernet import TrainConfig

    augment = Augment(**{name: options.pop(name) for name in AUGMENT_SETTINGS})
    return TrainConfig(augment=augment, **options)


def engine(device: str, config: TrainConfig) -> Fabric:
    """Lightning Fabric on one device."""
    from lightning_fabric import Fabric

    from mngnas_lib.errors import ConfigError

    kind, _, index = find_device(device).partition(":")
    if kind == "cpu" and config.precision == "16-mixed":
        raise ConfigError("precision 16-mixed needs a GPU: use bf16-mixed or 32-true on the CPU")
    fabric = Fabric(accelerator=kind, devices=[int(index)] if index else 1, precision=config.precision)
    fabric.launch()
    return fabric
