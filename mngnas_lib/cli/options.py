"""Options that several commands share, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mngnas_lib.benchmarks import Benchmark
    from mngnas_lib.data import ImageData
    from mngnas_lib.spaces import SearchSpace

SPACES = ("nasbench201", "nasbench-macro", "nasbench101")
BENCHMARKS = (
    "nasbench101",
    "nasbench201",
    "nasbench-macro",
    "kit-nasbench101",
    "kit-nasbench201",
    "kit-nasbench-macro",
)
#: The arguments of ``load_images`` that decide which images a command sees, and the options that give them
IMAGE_SETTINGS = {
    "source": "source",
    "size": "size",
    "count": "images",
    "test_count": "test_count",
    "valid_fraction": "valid_fraction",
    "seed": "data_seed",
}


class Numbers(click.ParamType):
    """Positive whole numbers with commas between them."""

    name = "numbers"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(int(word) for word in value.split(","))
        except ValueError:
            numbers = (0,)
        if min(numbers) < 1:
            self.fail(f"{value!r} is not a list of positive whole numbers such as 2,3,3", param, ctx)
        return numbers


class Named(click.ParamType):
    """``NAME`` or ``NAME=PATH``: a benchmark, and where its file is."""

    name = "NAME[=PATH]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str | None]:
        if isinstance(value, tuple):
            return value
        name, equals, path = value.partition("=")
        if name not in BENCHMARKS:
            self.fail(f"no benchmark is called {name!r}: choose one of {', '.join(BENCHMARKS)}", param, ctx)
        if equals and not path:
            self.fail(f"{value!r} has no path after the equals sign", param, ctx)
        return name, path or None


def together(*options: Callable) -> Callable:
    """One decorator of several, the first one shown first."""

    def decorate(function: Callable) -> Callable:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


space_options = together(
    click.option("--space", type=click.Choice(SPACES), default="nasbench201", show_default=True, help="Search space."),
    click.option(
        "--channels", type=click.IntRange(1), help="Width of the first stage; by default the benchmark's (16, 32, 128)."
    ),
    click.option(
        "--cells",
        type=click.IntRange(1),
        help="nasbench201, nasbench101: cells a stage or stack; the benchmarks have 5 and 3.",
    ),
    click.option("--stacks", type=click.IntRange(1), help="nasbench101: stacks of cells; the benchmark has 3."),
    click.option("--stages", type=Numbers(), help="nasbench-macro: blocks of each stage; the benchmark has 2,3,3."),
    click.option("--head-channels", type=click.IntRange(1), help="nasbench-macro: features; the benchmark has 1280."),
)


def build_space(options: dict[str, Any]) -> SearchSpace:
    """The search space, of the sizes that were given; takes its options out of ``options``."""
    from mngnas_lib.spaces import get_space

    sizes = {name: options.pop(name) for name in ("channels", "cells", "stacks", "stages", "head_channels")}
    return get_space(options.pop("space"), **{name: size for name, size in sizes.items() if size is not None})


def image_size_options(count: str = "--count") -> Callable:
    """Options that choose images of a source; ``count`` is what the option for their number is called."""
    return together(
        click.option("--size", type=click.IntRange(1), help="Pixels a side; by default as they are."),
        click.option(
            count, "images", type=click.IntRange(1), help="Training and validation images together; by default all."
        ),
        click.option("--test-count", type=click.IntRange(0), help="Test images; by default all."),
        click.option(
            "--valid-fraction",
            type=click.FloatRange(0, 1, max_open=True),
            default=0.1,
            show_default=True,
            help="Share of the training images set apart for validation.",
        ),
        click.option(
            "--data-seed", type=click.IntRange(0), default=0, show_default=True, help="Draws images and split."
        ),
    )


source_option = click.option(
    "--data",
    "source",
    metavar="SOURCE",
    default="digits",
    show_default=True,
    help="digits, cifar10, cifar100, or folder:PATH with PATH/train/CLASS/* and PATH/test/CLASS/*.",
)


def image_settings(options: dict[str, Any]) -> dict[str, Any]:
    """What ``load_images`` is to be called with; takes its options out of ``options``."""
    return {setting: options.pop(option) for setting, option in IMAGE_SETTINGS.items()}


def load(settings: dict[str, Any], **more: Any) -> ImageData:
    """The images of ``settings``."""
    from mngnas_lib.data import load_images

    return load_images(settings["source"], **{k: v for k, v in settings.items() if k != "source"}, **more)


device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:NUMBER or mps; auto takes a GPU if any."
)


def find_device(name: str) -> str:
    """The device that ``name`` stands for.

    Raises:
        ConfigError: this machine has none of that name.
    """
    import torch

    from mngnas_lib.errors import ConfigError

    gpus = [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    present = [*gpus, *(["mps"] if torch.backends.mps.is_available() else []), "cpu"]
    if name == "auto":
        return present[0]
    if name == "cuda" and gpus:
        return gpus[0]
    if name not in present:
        raise ConfigError(f"this machine has no device {name!r}: choose auto or one of {', '.join(present)}")
    return name


benchmark_options = together(
    click.option(
        "--benchmark",
        type=Named(),
        help=f"Ground truth: {', '.join(BENCHMARKS)}. Without a PATH its file is looked for in the folder "
        "MNGNAS_BENCHMARKS and in data/benchmarks.",
    ),
    click.option(
        "--dataset", help="Images that the accuracies are about; by default cifar10, or those of the kit's own table."
    ),
    click.option(
        "--truth-epochs",
        type=int,
        help="Accuracies after this many epochs of training; nasbench201: 200 (the default) or 12; nasbench101: 108 "
        "(the default), and 4, 12, 36 in a table of the full file.",
    ),
)


def open_benchmark(named: tuple[str, str | None], dataset: str | None, epochs: int | None) -> Benchmark:
    """The benchmark that the options name."""
    from mngnas_lib.benchmarks import get_benchmark

    name, path = named
    options = {"dataset": dataset, "epochs": epochs}
    return get_benchmark(name, path, **{option: value for option, value in options.items() if value is not None})
