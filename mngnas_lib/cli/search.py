"""``mngnas search``: find an architecture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mngnas_lib.cli.options import (
    benchmark_options,
    build_space,
    device_option,
    find_device,
    image_settings,
    load,
    open_benchmark,
)
from mngnas_lib.cli.rank import check_trained_on, chosen_images, matching, read_checkpoint
from mngnas_lib.cli.search_options import (
    PROFILES,
    algorithm_options,
    complete_images,
    complete_widths,
    image_options,
    method_options,
    refuse_widths,
    size_options,
    supernet_options,
    supernet_training,
    take_search,
)
from mngnas_lib.cli.train import IMAGES_FILE, engine
from mngnas_lib.places import write_text

if TYPE_CHECKING:
    from mngnas_lib.benchmarks import Benchmark
    from mngnas_lib.data import ImageData
    from mngnas_lib.lab import Profile
    from mngnas_lib.search import SearchConfig
    from mngnas_lib.spaces import SlotNetwork

#: Files of a search's folder, and the tables of its history
TABLES = {
    "history.csv": "archs",
    "coefficients.csv": "coefficients",
    "curves.csv": "curves",
    "perturbation.csv": "perturbation",
    "seconds.csv": "seconds",
}


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder of tables, checkpoints and the network found. If it holds some of the same search, that goes on.",
)
@click.option(
    "--profile",
    type=click.Choice(PROFILES),
    help="Sizes of everything that is not given; by default what MNGNAS_PROFILE says, else quick.",
)
@algorithm_options
@click.option(
    "--supernet",
    type=click.Path(path_type=Path),
    help="Folder that mngnas train wrote to, or one checkpoint. By default one is trained in OUT/supernet.",
)
@supernet_options
@click.option(
    "--data",
    "source",
    metavar="SOURCE",
    help="digits, cifar10, cifar100, or folder:PATH; by default those of the SuperNet, else digits.",
)
@image_options
@click.option("--download", is_flag=True, help="Fetch CIFAR if it is not there.")
@size_options
@method_options
@benchmark_options
@device_option
def search(
    out: Path,
    profile: str | None,
    supernet: Path | None,
    download: bool,
    benchmark: tuple[str, str | None] | None,
    dataset: str | None,
    truth_epochs: int | None,
    device: str,
    **options: Any,
) -> None:
    """Search for the most accurate architecture: propose candidates, retrain them with distillation, keep the best.

    Writes tables of all that happened, and the network found. With a benchmark, the progress line shows how well the
    accuracies seen so far agree with the true ones, and the end says how good the architecture found really is.

    Interrupt it at any moment: the same command goes on from the last checkpoint, and ends in the same history.

    \b
    Examples:
      mngnas search --out build/search
      mngnas search --out build/by-labels --algorithm none --seed 1
      mngnas search --out build/c8n1-mngnas --supernet build/c8n1 --profile laptop \\
          --benchmark nasbench201=tables/nasbench201.csv.gz
    """
    from mngnas_lib.cli.search_report import report
    from mngnas_lib.lab import current_profile, get_profile
    from mngnas_lib.search import search as run_search
    from mngnas_lib.search.found import save_network

    device = with_float64(device)
    sizes = current_profile() if profile is None else get_profile(profile)
    truth = None if benchmark is None else open_benchmark(benchmark, dataset, truth_epochs)
    if supernet is None:
        network, images, config = train_first(out / "supernet", sizes, truth, device, download, options)
    else:
        network, images, config = read_supernet(supernet, sizes, truth, device, download, options)
    folder = out / "search"
    if has_checkpoint(folder):
        click.echo(f"going on with the search in {folder}", err=True)
    result = run_search(
        network,
        images,
        config,
        folder=folder,
        truth=None if truth is None else lambda archs: truth.scores(archs).test,
    )
    for name, table in TABLES.items():
        write_text(out / name, result.table(table).to_csv(index=False))
    path = save_network(out / "network", result, images)
    click.echo(report(result, config, images, truth))
    click.echo(f"\nwrote       {', '.join(TABLES)} in {out}")
    click.echo(f"checkpoint  {path}")


def with_float64(name: str) -> str:
    """The device that ``name`` stands for; coefficients are solved in float64, which Apple's GPUs do not have.

    Raises:
        ConfigError: this machine has none of that name, or it lacks float64.
    """
    from mngnas_lib.errors import ConfigError

    device = find_device(name)
    if device != "mps":
        return device
    if name == "auto":
        return "cpu"
    raise ConfigError("a search needs float64, which the device mps does not have: use --device cpu")


def train_first(
    folder: Path,
    profile: Profile,
    truth: Benchmark | None,
    device: str,
    download: bool,
    options: dict[str, Any],
) -> tuple[SlotNetwork, ImageData, SearchConfig]:
    """A SuperNet trained in ``folder``, its images, and the settings of the search; takes all of ``options``."""
    from mngnas_lib.supernet import train_supernet

    options["source"] = options["source"] or "digits"
    complete_widths(options, profile)
    epochs, space = options.pop("supernet_epochs"), build_space(options)
    if truth is not None:
        matching(truth, space)
    settings = complete_images(image_settings(options), profile)
    config = take_search(options, profile, settings["source"])
    training = supernet_training(profile, settings["source"], epochs, config)
    fabric, images = engine(device, training), load(settings, download=download)
    if not has_checkpoint(folder):  # else the folder may be another training's, which is for train_supernet to say
        write_text(folder / IMAGES_FILE, json.dumps(settings, indent=1) + "\n")
    trained = train_supernet(space, images, training, checkpoint_dir=folder, fabric=fabric)
    click.echo(f"SuperNet of {space.name} in {folder}: {training.epochs} epochs on {images.name}", err=True)
    return trained.network, images, config


def read_supernet(
    path: Path,
    profile: Profile,
    truth: Benchmark | None,
    device: str,
    download: bool,
    options: dict[str, Any],
) -> tuple[SlotNetwork, ImageData, SearchConfig]:
    """The SuperNet of a checkpoint, its images or those asked for, and the settings of the search; takes all of
    ``options``."""
    from mngnas_lib.spaces import get_space
    from mngnas_lib.supernet import load_supernet

    refuse_widths(options)
    state = read_checkpoint(path)
    space = get_space(state["identity"]["space"], **state["identity"]["sizes"])
    if truth is not None:
        matching(truth, space)
    network = load_supernet(state, space)
    settings = complete_images(chosen_images(path, image_settings(options)), profile)
    config = take_search(options, profile, settings["source"])
    images = load(settings, download=download)
    check_trained_on(network, images, state["identity"]["data"])
    return network.to(device), images, config


def has_checkpoint(folder: Path) -> bool:
    """Whether something was stored in ``folder`` before."""
    return any(folder.glob("step-*.pt"))
