"""``mngnas rank``: rank architectures with a SuperNet, and say how far the ranking can be trusted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mngnas_lib.cli.options import (
    IMAGE_SETTINGS,
    benchmark_options,
    device_option,
    find_device,
    image_settings,
    image_size_options,
    load,
    open_benchmark,
)
from mngnas_lib.cli.show import count as short
from mngnas_lib.cli.show import interval, percent, table, wrapped
from mngnas_lib.cli.train import IMAGES_FILE
from mngnas_lib.places import write_text

if TYPE_CHECKING:
    import pandas as pd

    from mngnas_lib.benchmarks import Benchmark
    from mngnas_lib.data import ImageData
    from mngnas_lib.spaces import SearchSpace, SlotNetwork

BN_MODES = ("batch", "reestimate", "inherited")
PARTS = ("valid", "test", "train")
#: Lines of the report, and columns of ``ranking_report``
MEASURES = {
    "tau": "tau",
    "tau in the top 50 %": "tau_top50",
    "tau in the top 10 %": "tau_top10",
    "Spearman": "spearman",
}


@click.command()
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder that mngnas train wrote to (its newest checkpoint), or one checkpoint.",
)
@click.option("--count", "archs", type=click.IntRange(1), default=100, show_default=True, help="Architectures to draw.")
@click.option("--all", "everything", is_flag=True, help="Rank all architectures that differ in what they compute.")
@click.option(
    "--seed", type=click.IntRange(0), default=0, show_default=True, help="Draws architectures and calibration."
)
@click.option(
    "--bn",
    type=click.Choice(BN_MODES),
    default="batch",
    show_default=True,
    help="Batch-norm statistics: each evaluated batch's, re-estimated on training images, or the SuperNet's.",
)
@click.option("--calibration-batches", type=click.IntRange(1), default=4, show_default=True, help="For reestimate.")
@click.option("--batch-size", type=click.IntRange(1), default=500, show_default=True)
@click.option("--part", type=click.Choice(PARTS), default="valid", show_default=True, help="Images to evaluate on.")
@click.option("--data", "source", metavar="SOURCE", help="Images; by default those of the training.")
@image_size_options("--data-count")
@benchmark_options
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="CSV file; by default ranking.csv with the checkpoint.",
)
@click.option("--top", type=click.IntRange(0), default=5, show_default=True, help="Architectures to print.")
@device_option
def rank(
    checkpoint: Path,
    archs: int,
    everything: bool,
    seed: int,
    bn: str,
    calibration_batches: int,
    batch_size: int,
    part: str,
    benchmark: tuple[str, str | None] | None,
    dataset: str | None,
    truth_epochs: int | None,
    out: Path | None,
    top: int,
    device: str,
    **options: Any,
) -> None:
    """Rank architectures by their accuracy with a trained SuperNet's weights.

    Writes one row an architecture: notation, accuracy (a fraction), loss, params, MACs. With a benchmark, prints how
    well the ranking agrees with the true one, beside what counting FLOPs or parameters gives, with 95 % intervals.

    \b
    Examples:
      mngnas rank --checkpoint build/first --count 300 --bn reestimate
      mngnas rank --checkpoint build/macro --all \\
          --benchmark nasbench-macro=tables/nas-bench-macro_cifar10.json
    """
    from mngnas_lib.spaces import get_space
    from mngnas_lib.supernet import load_supernet
    from mngnas_lib.supernet import rank as evaluate

    device = find_device(device)
    state = read_checkpoint(checkpoint)
    space = get_space(state["identity"]["space"], **state["identity"]["sizes"])
    truth = None if benchmark is None else matching(open_benchmark(benchmark, dataset, truth_epochs), space)
    images = load(chosen_images(checkpoint, image_settings(options)))
    network = load_supernet(state, space)
    check_trained_on(network, images, state["identity"]["data"])
    drawn = draw(space, None if everything else archs, seed)
    ranking = evaluate(
        network.to(device),
        drawn,
        images,
        part=part,
        bn=bn,
        calibration_batches=calibration_batches,
        batch_size=batch_size,
        seed=seed,
    )
    frame = as_table(space, ranking, images.input_shape, images.num_classes)
    if truth is not None:
        rows = truth.rows(drawn)
        frame = frame.assign(benchmark_valid=truth.table["valid"].to_numpy()[rows])
        frame = frame.assign(benchmark_test=truth.table["test"].to_numpy()[rows])
    folder = checkpoint if checkpoint.is_dir() else checkpoint.parent
    out = folder / "ranking.csv" if out is None else out
    write_text(out, frame.sort_values("accuracy", ascending=False, kind="stable").to_csv(index=False))
    click.echo(
        f"{len(drawn)} architectures of {space.name}, {len(images.parts[part])} {part} images of {images.name}, "
        f"batch-norm statistics: {bn}"
    )
    if top:
        click.echo("\n" + table(best(frame, top)))
    if truth is None:
        click.echo("\nHow good is this ranking? Only a benchmark can tell: --benchmark NAME=PATH.")
    else:
        click.echo("\n" + report(frame, truth, rows))
    click.echo(f"\nwrote {out}")


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint at ``path``, or the newest one in it."""
    from mngnas_lib.errors import CheckpointError
    from mngnas_lib.supernet import latest_checkpoint, load_checkpoint

    if not path.is_dir():
        return load_checkpoint(path)
    found = latest_checkpoint(path)
    if found is None:
        raise CheckpointError(f"there is no whole checkpoint in {path}: name a folder that mngnas train wrote to")
    return found[1]


def chosen_images(checkpoint: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """The images that were asked for, or else those of the training."""
    from mngnas_lib.errors import ConfigError

    if settings["source"] is not None:
        return settings
    context = click.get_current_context()
    for param in context.command.params:
        is_given = context.get_parameter_source(param.name) is click.core.ParameterSource.COMMANDLINE
        if is_given and param.name in IMAGE_SETTINGS.values():
            raise click.UsageError(f"{param.opts[0]} needs --data: say of which images")
    path = (checkpoint if checkpoint.is_dir() else checkpoint.parent) / IMAGES_FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return {name: stored[name] for name in IMAGE_SETTINGS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path} does not say which images the SuperNet was trained on: name them with --data"
        ) from error


def check_trained_on(network: SlotNetwork, images: ImageData, trained_on: str) -> None:
    """Refuse images that the SuperNet cannot take, and warn where they are not those that it was trained on."""
    from mngnas_lib.supernet import check_images

    check_images(network, images)
    if images.fingerprint != trained_on:
        click.echo(
            "mngnas: warning: the SuperNet was trained on other images, or on another split of these; "
            "it may be evaluated on some that it has learnt",
            err=True,
        )


def matching(benchmark: Benchmark, space: SearchSpace) -> Benchmark:
    """``benchmark``, if it is about the architectures of ``space``; widths may differ."""
    from mngnas_lib.errors import ConfigError

    if benchmark.space.slots != space.slots:
        raise ConfigError(
            f"the SuperNet is of {space.name} with sizes {space.settings()}, the benchmark of {benchmark.name}: their "
            "architectures are not the same. Name the benchmark of this space"
        )
    return benchmark


def draw(space: SearchSpace, count: int | None, seed: int) -> list[tuple[int, ...]]:
    """Architectures that differ in what they compute: ``count`` random ones, or all."""
    import numpy as np

    if count is None:
        return list(space.canonical_archs())
    return space.sample_distinct(count, np.random.default_rng(seed))


def as_table(space: SearchSpace, ranking: Any, input_shape: tuple[int, int, int], num_classes: int) -> pd.DataFrame:
    import pandas as pd

    costs = [space.cost(arch, input_shape=input_shape, num_classes=num_classes) for arch in ranking.archs]
    return pd.DataFrame(
        {
            "arch": [space.to_string(arch) for arch in ranking.archs],
            "accuracy": ranking.accuracy,
            "loss": ranking.loss,
            "params": [cost.params for cost in costs],
            "macs": [cost.macs for cost in costs],
        }
    )


def best(frame: pd.DataFrame, count: int) -> list[list[str]]:
    """The table of the most accurate architectures."""
    known = "benchmark_test" in frame
    rows = [["architecture", "accuracy", "params", "MACs", *(["true test"] if known else [])]]
    for row in frame.nlargest(count, "accuracy").to_dict("records"):
        cells = [row["arch"], percent(row["accuracy"]), short(row["params"]), short(row["macs"])]
        rows.append(cells + ([percent(row["benchmark_test"])] if known else []))
    return rows


def report(frame: pd.DataFrame, benchmark: Benchmark, rows: Any) -> str:
    """How well the ranking agrees with the benchmark, beside counting FLOPs and parameters, and what limits it."""
    import numpy as np

    from mngnas_lib.lab.stats import compare_taus, noise_ceiling, ranking_report

    truth, n = frame["benchmark_test"].to_numpy(), len(frame)
    scores = {
        "SuperNet": frame["accuracy"].to_numpy(),
        # of the networks that the benchmark trained, whatever widths the SuperNet has
        "FLOPs": benchmark.table["macs"].to_numpy()[rows],
        "params": benchmark.table["params"].to_numpy()[rows],
    }
    k = min(10, n)
    measures = ranking_report(scores, truth, ks=(k,))
    lines = [[f"n = {n}", *scores]]
    for label, column in MEASURES.items():
        cells = measures[[column, f"{column}_low", f"{column}_high"]].itertuples(index=False)
        lines.append([label, *(interval(*cell) for cell in cells)])
    lines.append([f"precision at {k}", *(f"{value:.2f}" for value in measures[f"precision@{k}"])])
    lines.append([f"best rank at {k}", *(f"{value:.0f}" for value in measures[f"best_rank@{k}"])])
    text = f"Against test accuracy in {benchmark.name} on {benchmark.dataset}; intervals: 95 %, over architectures\n"
    text += table(lines)
    difference = compare_taus(scores["SuperNet"], scores["FLOPs"], truth)
    text += (
        f"\nSuperNet minus FLOPs: tau {interval(difference.value, difference.low, difference.high)}, "
        f"p = {difference.p:.3f} (paired bootstrap)"
    )
    if benchmark.runs is not None:
        runs = benchmark.runs[rows]
        whole = runs[~np.isnan(runs).any(axis=1)]
        if len(whole) > 1:
            ceiling = noise_ceiling(whole)
            text += (
                f"\nNoise ceiling, one training run of the benchmark against another: tau "
                f"{interval(ceiling.value, ceiling.low, ceiling.high)} (n = {len(whole)})"
            )
    return f"{text}\n\n{wrapped(benchmark.describe())}"
