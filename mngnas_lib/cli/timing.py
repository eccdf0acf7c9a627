"""What a profile costs on this machine: a few real training steps, and the profiles' numbers of steps."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from mngnas_lib.cli.show import duration
from mngnas_lib.data import ImageData, from_arrays
from mngnas_lib.lab import PROFILES, Profile
from mngnas_lib.lab.profiles import KitSizes, SupernetSizes
from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import TrainConfig, rank, train_supernet
from mngnas_lib.truth import get_truth

#: Seconds that one set of sizes may take to measure; the first step, which is always made, may pass it
BUDGET = 0.7
#: A slow machine takes long for one step of full size; time a smaller one, and scale it up
LARGEST_BATCH = 64
#: Training and validation images of the kit's own truth
HARD_DIGITS = 32_000


@dataclass(frozen=True)
class Speed:
    """Seconds for one training step of one image, and for the evaluation of one image."""

    train: float
    evaluate: float


def estimates() -> list[list[str]]:
    """A head, and a row of durations for each profile."""
    rows = [["profile", "SuperNet", "ranking", "truth", "CIFAR-10"]]
    speeds: dict[tuple, Speed] = {}
    for profile in PROFILES.values():
        rows.append([profile.name, *map(duration, costs(profile, speeds))])
    return rows


def costs(profile: Profile, speeds: dict[tuple, Speed]) -> tuple[float, float, float, float]:
    """Seconds for the parts of a profile; ``speeds`` keeps what was measured."""
    sizes, kit, real = profile.supernet, kit_sizes(profile.kit), profile.real
    digits = measured(sizes, 1, speeds)
    harder = measured(kit, 1, speeds)
    cifar = measured(real, 3, speeds)
    return (
        training(sizes, digits),
        ranking(sizes, digits),
        training(kit, harder) + ranking(kit, harder),
        training(real, cifar) + ranking(real, cifar),
    )


def kit_sizes(sizes: KitSizes) -> SupernetSizes:
    """A SuperNet beside the kit's own truth: in the widths and on the images of the tables that the kit ships."""
    truth = get_truth("nasbench201", "laptop")
    return SupernetSizes(
        **dict(truth.space.sizes),
        head_channels=0,  # NAS-Bench-201 has none
        size=truth.data.size,
        count=HARD_DIGITS,
        valid_fraction=truth.data.valid_fraction,
        epochs=sizes.epochs,
        batch_size=sizes.batch_size,
        lr=sizes.lr,
        archs=sizes.archs,
    )


def training(sizes: SupernetSizes, speed: Speed) -> float:
    steps = int(sizes.count * (1 - sizes.valid_fraction)) // sizes.batch_size
    return sizes.epochs * steps * sizes.batch_size * speed.train


def ranking(sizes: SupernetSizes, speed: Speed) -> float:
    return sizes.archs * sizes.count * sizes.valid_fraction * speed.evaluate


def measured(sizes: SupernetSizes, channels: int, speeds: dict[tuple, Speed]) -> Speed:
    """Speed of a NAS-Bench-201 SuperNet of these sizes on images of ``channels`` channels."""
    batch = min(sizes.batch_size, LARGEST_BATCH)
    key = sizes.channels, sizes.cells, sizes.size, batch, channels
    if key not in speeds:
        speeds[key] = measure(sizes, channels, batch)
    return speeds[key]


def measure(sizes: SupernetSizes, channels: int, batch: int) -> Speed:
    space = get_space("nasbench201", channels=sizes.channels, cells=sizes.cells)

    def seconds(steps: int) -> float:
        data = noise(channels, sizes.size, batch * steps)
        return train_supernet(space, data, TrainConfig(epochs=1, batch_size=batch), progress=False).seconds

    first = seconds(1)
    # paths differ in cost: as many steps as there is time for
    steps = int(np.clip(BUDGET / max(first, 1e-3), 1, 40))
    train = seconds(steps) / steps if steps > 1 else first
    network = space.supernet(in_channels=channels, seed=0)
    archs = [space.sample(np.random.default_rng(seed)) for seed in range(min(steps, 5))]
    data = noise(channels, sizes.size, batch)
    started = time.perf_counter()
    rank(network, archs, data, part="train", progress=False)
    evaluate = (time.perf_counter() - started) / len(archs)
    return Speed(train / batch, evaluate / batch)


def noise(channels: int, size: int, count: int) -> ImageData:
    """``count`` training images of noise; their content does not matter for the time."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, channels, size, size), dtype=np.uint8)
    labels = np.arange(count) % 10
    return from_arrays(images, labels, images[:10], labels[:10], valid_fraction=0.0, name="noise")
