"""``mngnas truth``: train architectures stand-alone, many times over, into one table."""

from __future__ import annotations

import shlex
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mngnas_lib.cli.options import SPACES
from mngnas_lib.cli.show import interval, percent, table
from mngnas_lib.errors import ConfigError

if TYPE_CHECKING:
    from mngnas_lib.lab.stats import Tau

PROFILES = ("quick", "laptop", "paper")


@click.command()
@click.option("--space", type=click.Choice(SPACES), default="nasbench201", show_default=True, help="Search space.")
@click.option("--data", "source", metavar="SOURCE", help="Images, as of `mngnas data list`; by default the profile's.")
@click.option(
    "--size", type=click.IntRange(1), help="Pixels a side; by default the profile's, and of other images as they are."
)
@click.option("--count", type=click.IntRange(1), help="Architectures; by default the profile's number.")
@click.option("--all", "every", is_flag=True, help="All distinct architectures of the space.")
@click.option("--seeds", type=click.IntRange(1), help="Trainings of each; by default the profile's number.")
@click.option(
    "--repeated", type=click.IntRange(0), help="So many of them are trained once more; by default as in the profile."
)
@click.option("--epochs", type=click.IntRange(1), help="Of each training; by default the profile's number.")
@click.option("--lr", type=click.FloatRange(0, min_open=True), help="Learning rate; by default the profile's.")
@click.option("--profile", type=click.Choice(PROFILES), default="quick", show_default=True, help="Sizes of everything.")
@click.option("--jobs", type=click.IntRange(1), help="Processes at once; by default one a core, on a GPU one.")
@click.option(
    "--backend",
    metavar="NAME",
    help="joblib's backend; with ray the trainings go to all of a Ray cluster (pip install ray).",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The table, by default build/truth/PROFILE/kit-SPACE.csv. If it is there, the work goes on from it.",
)
def truth(
    space: str,
    source: str | None,
    size: int | None,
    count: int | None,
    every: bool,
    seeds: int | None,
    repeated: int | None,
    epochs: int | None,
    lr: float | None,
    profile: str,
    jobs: int | None,
    backend: str | None,
    out: Path | None,
) -> None:
    """Train architectures from scratch, each with several seeds: a benchmark of your own.

    Each training is written to the table as soon as it is done. Interrupt it at any moment: the same command goes on,
    and does nothing twice. More architectures or seeds can be added to a table later.

    \b
    Examples:
      mngnas truth --count 8 --seeds 2
      mngnas truth --space nasbench-macro --profile laptop --jobs 8
      mngnas truth --data cifar10 --count 200 --epochs 50 --out build/truth/cifar10.csv
    """
    from mngnas_lib.truth import get_truth, noise_report, train_truth
    from mngnas_lib.truth.train import without_path

    if every and count:
        raise ConfigError("--all and --count contradict each other: give one of them")
    settings = get_truth(space, profile)
    given = {"count": count, "seeds": seeds, "repeated": repeated}
    changes = {name: value for name, value in given.items() if value is not None} | ({"count": None} if every else {})
    if repeated is None and count is not None:
        changes["repeated"] = min(settings.repeated, count)
    if source not in (None, settings.data.source):  # the profile's resolution is meant for its own images
        changes["data"] = replace(settings.data, source=source, size=size)
    elif size is not None:
        changes["data"] = replace(settings.data, size=size)
    train = replace(settings.train, epochs=epochs or settings.train.epochs, lr=lr or settings.train.lr)
    settings = replace(settings, train=train, **changes)
    out = out or Path("build", "truth", profile, f"kit-{space}.csv")
    # for the card: what decides the table, without this machine's paths and processes
    words = ["mngnas", "truth", "--space", space, "--profile", profile, *(["--all"] if every else [])]
    given = {"data": source and without_path(source), "size": size, **given, "epochs": epochs, "lr": lr}
    for name, value in given.items():
        words += [] if value is None else [f"--{name}", str(value)]
    with parallel_config(backend):
        done = train_truth(settings, out, jobs=jobs, command=shlex.join(words))
    frame = done.frame()
    click.echo(f"{len(frame)} trainings of {frame['arch'].nunique()} architectures in {out}")
    quartiles = frame.groupby("arch")["test"].mean().quantile([0, 0.25, 0.5, 0.75, 1])
    click.echo(f"test accuracy  {', '.join(map(percent, quartiles))} (lowest, quartiles, highest)")
    rows = [["Kendall's tau", "architectures", "all", "top half"]]
    for line in noise_report(frame):
        rows.append([line.what, str(line.archs), _shown(line.overall), _shown(line.top_half)])
    if len(rows) > 1:
        click.echo(table(rows))


def _shown(tau: Tau) -> str:
    return interval(tau.value, tau.low, tau.high)


def parallel_config(backend: str | None) -> AbstractContextManager[object]:
    """What hands out the work inside the block: joblib's default, or the backend of this name.

    Raises:
        ConfigError: there is no such backend, or its package is not installed.
    """
    import joblib

    if backend is None:
        return nullcontext()
    if backend == "ray":
        try:
            from ray.util.joblib import register_ray
        except ImportError as error:
            raise ConfigError("the backend ray needs the package ray: pip install ray") from error
        register_ray()
    try:
        return joblib.parallel_config(backend=backend)
    except (ValueError, ImportError) as error:
        raise ConfigError(f"joblib has no backend {backend!r}: choose loky, multiprocessing or ray") from error
