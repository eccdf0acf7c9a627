"""Options of ``mngnas search``, and the settings that they, and a profile, stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import click

from mngnas_lib.cli.options import SPACES, Numbers, together
from mngnas_lib.cli.train import AUGMENT_SETTINGS, SHARE, setting

if TYPE_CHECKING:
    from mngnas_lib.distill.algorithms import Algorithm
    from mngnas_lib.lab.profiles import Profile, SupernetSizes
    from mngnas_lib.search import RetrainConfig, SearchConfig
    from mngnas_lib.supernet import TrainConfig

ALGORITHMS = ("none", "single", "average", "adaptive", "searched", "mngnas")
TEACHERS = ("none", "single", "best", "groups")
WEIGHTS = ("uniform", "adaptive")
PROPOSALS = ("evolution", "random")
BN_MODES = ("batch", "reestimate", "inherited")
FEATURES = ("mse", "kl", "none")
COMBINED = ("logits", "last stage", "stages")
MEMORY = ("graphs", "recompute")
PRECISIONS = ("32-true", "bf16-mixed")
PROFILES = ("quick", "laptop", "paper")
#: Sizes of a search that a profile gives
SIZES = (
    "search_epochs",
    "candidates",
    "group_size",
    "removed",
    "perturbed",
    "perturb_epochs",
    "retrain_epochs",
    "retrain_batch_size",
)
#: Options that come with a SuperNet that was trained before
OF_THE_SUPERNET = ("space", "channels", "cells", "stacks", "stages", "head_channels", "supernet_epochs")


def sized(name: str, kind: Any, help: str, *, into: str | None = None) -> Callable:
    """An option whose default is the profile's; ``into`` names the argument that it becomes."""
    return click.option(name, *filter(None, [into]), type=kind, help=f"{help} By default the profile's.")


algorithm_options = together(
    setting(
        "--algorithm",
        click.Choice(ALGORITHMS),
        "mngnas",
        "How candidates are retrained: A to E of the paper's Section V-A, and C with adaptive weights.",
    ),
    click.option("--teachers", type=click.Choice(TEACHERS), help="Instead of the algorithm's: which models teach."),
    click.option("--weights", type=click.Choice(WEIGHTS), help="Instead of the algorithm's: of teachers and peers."),
    click.option("--peers/--no-peers", default=None, help="Instead of the algorithm's: learn from other candidates."),
    click.option(
        "--perturbation/--no-perturbation",
        default=None,
        help="Instead of the algorithm's: fine-tune new teachers against perturbed copies.",
    ),
)
supernet_options = together(
    click.option("--space", type=click.Choice(SPACES), help="Search space; by default nasbench201."),
    sized("--channels", click.IntRange(1), "Width of the first stage."),
    sized("--cells", click.IntRange(1), "nasbench201, nasbench101: cells a stage or stack."),
    click.option("--stacks", type=click.IntRange(1), help="nasbench101: stacks of cells; the benchmark has 3."),
    click.option("--stages", type=Numbers(), help="nasbench-macro: blocks of each stage; the benchmark has 2,3,3."),
    sized("--head-channels", click.IntRange(1), "nasbench-macro: features."),
    sized("--supernet-epochs", click.IntRange(1), "Of the SuperNet's training."),
)
image_options = together(
    sized("--size", click.IntRange(1), "Pixels a side."),
    sized("--count", click.IntRange(1), "Training and validation images together.", into="images"),
    click.option("--test-count", type=click.IntRange(0), help="Test images; by default all."),
    sized("--valid-fraction", click.FloatRange(0, 1, max_open=True), "Share set apart for validation."),
    click.option("--data-seed", type=click.IntRange(0), help="Draws images and split; by default 0."),
)
size_options = together(
    sized("--search-epochs", click.IntRange(1), "Rounds of proposing, retraining and updating the groups."),
    sized("--candidates", click.IntRange(1), "Architectures of each search epoch."),
    sized("--group-size", click.IntRange(0), "Teachers in each group; 0: no teachers."),
    sized("--removed", click.IntRange(0), "Worst architectures that leave the population after each search epoch."),
    sized("--perturbed", click.IntRange(0), "Perturbed copies of each new teacher."),
    sized("--perturb-epochs", float, "Of the fine-tuning against these."),
    sized("--retrain-epochs", float, "Of the retraining of candidates."),
    sized("--retrain-batch-size", click.IntRange(1), "Images a step of the retraining."),
)
method_options = together(
    click.option("--max-macs", type=click.IntRange(1), help="Most MACs of an architecture; by default no limit."),
    click.option(
        "--threshold",
        type=click.IntRange(0),
        help="MACs up to which a teacher is small; by default the median of the first candidates.",
    ),
    setting("--proposals", click.Choice(PROPOSALS), "evolution", "Crossover and mutation, or random draws alone."),
    setting("--crossover-ratio", click.FloatRange(0, 1), 0.5, "Share of the candidates that is not from mutation."),
    setting("--bn", click.Choice(BN_MODES), "reestimate", "Batch-norm statistics in evaluation."),
    setting("--perturb-lr", float, 0.01, "Of the fine-tuning of new teachers."),
    setting("--lr", float, 0.05, "Highest learning rate of the retraining; it falls to zero as a cosine."),
    setting("--momentum", SHARE, 0.9),
    setting("--weight-decay", click.FloatRange(0), 5e-4),
    setting("--clip-norm", click.FloatRange(0), 5.0, "Largest norm of a candidate's gradient; 0: no limit."),
    setting("--temperature", float, 1.0, "Of the class probabilities in distillation (Eq. 5)."),
    setting("--features", click.Choice(FEATURES), "mse", "Distance of feature maps: Eq. 6, Eq. 9 or none."),
    setting("--combined", click.Choice(COMBINED), "logits", "Outputs that coefficients are computed from (Eq. 20)."),
    setting("--scale", click.FloatRange(0), 1.0, "Factor of the student in Eq. 20: 1 as printed, 2 as derived."),
    setting("--precision", click.Choice(PRECISIONS), "32-true"),
    setting("--channels-last/--no-channels-last", None, True, "Memory format."),
    setting("--memory", click.Choice(MEMORY), "graphs", "Hold all graphs, or compute them twice in less memory."),
    setting("--pad", click.IntRange(0), 0, "Shift images by up to this many pixels."),
    click.option(
        "--flip/--no-flip", default=None, help="Mirror half of the images; by default unless they are digits."
    ),
    setting("--cutout", click.IntRange(0), 0, "Erase a square of this side."),
    setting("--seed", click.IntRange(0), 0, "Of the SuperNet, the candidates and the mini-batches."),
)


def supernet_sizes(profile: Profile, source: str) -> SupernetSizes:
    """The profile's sizes for the digits, or for larger images."""
    return profile.supernet if source == "digits" else profile.real


def complete_widths(options: dict[str, Any], profile: Profile) -> None:
    """Put the profile's sizes of the SuperNet where the options give none."""
    sizes = supernet_sizes(profile, options["source"])
    options["space"] = options["space"] or "nasbench201"
    cells = ("channels", "cells")
    widths = {"nasbench201": cells, "nasbench101": cells, "nasbench-macro": ("channels", "head_channels")}
    for name in widths[options["space"]]:
        options[name] = options[name] or getattr(sizes, name)


def complete_images(settings: dict[str, Any], profile: Profile) -> dict[str, Any]:
    """Put the profile's sizes of the images where their ``settings`` give none."""
    sizes = supernet_sizes(profile, settings["source"])
    defaults = {name: getattr(sizes, name) for name in ("size", "count", "valid_fraction")} | {"seed": 0}
    return settings | {name: value for name, value in defaults.items() if settings[name] is None}


def refuse_widths(options: dict[str, Any]) -> None:
    """Say that a SuperNet has its sizes already; takes these options out of ``options``.

    Raises:
        click.UsageError: one of them was given.
    """
    for name in OF_THE_SUPERNET:
        if options.pop(name) is not None:
            raise click.UsageError(f"--{name.replace('_', '-')} comes with --supernet: leave it out")


def take_algorithm(options: dict[str, Any]) -> Algorithm:
    """The named algorithm with the choices that replace some of its own; takes its options out of ``options``."""
    from mngnas_lib.distill.algorithms import get_algorithm

    algorithm = get_algorithm(options.pop("algorithm"))
    changes = {field.name: options.pop(field.name) for field in fields(algorithm)}
    return replace(algorithm, **{name: value for name, value in changes.items() if value is not None})


def take_search(options: dict[str, Any], profile: Profile, source: str) -> SearchConfig:
    """The settings of the search; takes all options of it out of ``options``."""
    from mngnas_lib.data import Augment
    from mngnas_lib.distill.losses import DistillLoss
    from mngnas_lib.lab import search_settings
    from mngnas_lib.search import RetrainConfig

    given = {name: value for name in SIZES if (value := options.pop(name)) is not None}
    epochs = given.pop("retrain_epochs", profile.search.epochs)
    batch_size = given.pop("retrain_batch_size", profile.search.batch_size)
    augment = {name: options.pop(name) for name in AUGMENT_SETTINGS}
    if augment["flip"] is None:
        augment["flip"] = source != "digits"
    names = {field.name for field in fields(RetrainConfig)} & set(options)
    retrain: RetrainConfig = RetrainConfig(
        epochs=epochs,
        batch_size=batch_size,
        augment=Augment(**augment),
        loss=DistillLoss(options.pop("temperature"), options.pop("features")),
        seed=options["seed"],
        **{name: options.pop(name) for name in names - {"seed"}},
    )
    return search_settings(profile.search, retrain=retrain, algorithm=take_algorithm(options), **given, **options)


def supernet_training(profile: Profile, source: str, epochs: int | None, search: SearchConfig) -> TrainConfig:
    """How the SuperNet is trained that a search starts from, if there is none yet."""
    from mngnas_lib.supernet import TrainConfig

    sizes = supernet_sizes(profile, source)
    return TrainConfig(
        epochs=epochs or sizes.epochs,
        batch_size=sizes.batch_size,
        lr=sizes.lr,
        augment=search.retrain.augment,
        precision=search.retrain.precision,
        channels_last=search.retrain.channels_last,
        seed=search.seed,
    )
