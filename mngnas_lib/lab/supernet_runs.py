"""Runs around SuperNets: train one, rank architectures with it, hold the ranking against a benchmark."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from filelock import FileLock

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.data import ImageData, image_root, load_images
from mngnas_lib.lab.config import RunConfig
from mngnas_lib.lab.run import execute, run
from mngnas_lib.lab.stats import ranking_report
from mngnas_lib.lab.store import Result, results_folder
from mngnas_lib.spaces import Arch, SearchSpace, get_space
from mngnas_lib.supernet import TrainConfig, TrainResult, rank, train_supernet


@dataclass(frozen=True)
class SpaceSpec:
    """A search space and the sizes in which it differs from the benchmark's, as (name, number) pairs."""

    name: str
    sizes: tuple[tuple[str, int], ...] = ()

    def build(self) -> SearchSpace:
        return get_space(self.name, **dict(self.sizes))


@dataclass(frozen=True)
class DataSpec:
    """Arguments of :func:`mngnas_lib.data.load_images` that decide which images a run sees.

    ``folder:NAME`` with a relative name is looked for in the current folder, then in ``MNGNAS_DATA``, so that a run is
    the same run on machines that keep their images elsewhere.
    """

    source: str = "digits"
    size: int | None = None
    count: int | None = None
    test_count: int | None = None
    valid_fraction: float = 0.1
    seed: int = 0

    def load(self) -> ImageData:
        settings = asdict(self)
        return load_images(self.place(), **{name: value for name, value in settings.items() if name != "source"})

    def place(self) -> str:
        """The source, with an image folder's path as it is on this machine."""
        kind, _, name = self.source.partition(":")
        if kind != "folder" or Path(name).exists():
            return self.source
        return f"folder:{image_root() / name}"


@dataclass(frozen=True)
class ArchSample:
    """``count`` architectures, drawn uniformly without repetition from ``seed``; None takes all.

    With ``canonical``, no two of them compute the same function; without, every notation is as likely as any other.
    Where notations are ``given``, such as those that a table knows, it is these, and nothing is drawn.
    """

    count: int | None
    seed: int = 0
    canonical: bool = True
    given: tuple[str, ...] = field(default=(), metadata={"later": True})

    def draw(self, space: SearchSpace) -> list[Arch]:
        if self.given:
            return [space.from_string(text) for text in self.given]
        if self.count is None:
            return list(space.canonical_archs() if self.canonical else space.all_archs())
        return space.sample_distinct(self.count, np.random.default_rng(self.seed), canonical=self.canonical)


@dataclass(frozen=True)
class SupernetRun(RunConfig):
    """Train a SuperNet. Metrics: steps; seconds and images a second of what this run itself trained, not of what it
    found done. Curve ``epochs``: see ``supernet.Epoch``."""

    kind: ClassVar[str] = "supernet"

    space: SpaceSpec
    data: DataSpec
    train: TrainConfig


@dataclass(frozen=True)
class RankingRun(RunConfig):
    """Rank architectures with a SuperNet's weights. Table ``archs``: notation, accuracy, loss, params, MAdds."""

    kind: ClassVar[str] = "ranking"

    supernet: SupernetRun
    archs: ArchSample
    part: str = "valid"
    bn: str = "batch"
    calibration_batches: int = 4
    batch_size: int = 500


@dataclass(frozen=True)
class TauRun(RunConfig):
    """Hold a SuperNet's ranking against a benchmark's test accuracies. Table ``report``: see ``stats.ranking_report``.

    ``score`` says what ranks: the accuracy, or the cross-entropy, the lower the better. The benchmark's own numbers are
    not stored, so that the result can be passed on without them.
    """

    kind: ClassVar[str] = "tau"

    ranking: RankingRun
    benchmark: str
    dataset: str = "cifar10"
    score: Literal["accuracy", "loss"] = field(default="accuracy", metadata={"later": True})


def supernet_folder(config: SupernetRun) -> Path:
    """Where a SuperNet's checkpoints are kept: ``data/cache/supernets/<hash>`` beside the results."""
    return results_folder().parent / "cache" / "supernets" / config.digest[:12]


def trained_supernet(config: SupernetRun, data: ImageData | None = None) -> TrainResult:
    """The trained SuperNet: from its last checkpoint, after whatever training is still missing."""
    data = config.data.load() if data is None else data
    folder = supernet_folder(config)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # several runs share a SuperNet: the first trains it, the others wait for it here
    with FileLock(folder.with_suffix(".lock")):
        return train_supernet(config.space.build(), data, config.train, checkpoint_dir=folder)


@execute.register
def _(config: SupernetRun) -> Result:
    data = config.data.load()
    trained = trained_supernet(config, data)
    history = [asdict(epoch) for epoch in trained.history]
    images = trained.steps * config.train.batch_size
    metrics = {
        "seconds": trained.seconds,
        # none where all was done before, by a run that was cut off or that had use for the same SuperNet
        "images_per_second": images / trained.seconds if images else math.nan,
        "steps": history[-1]["steps"],
        "data": data.fingerprint,
    }
    return Result(metrics, curves={"epochs": {name: [row[name] for row in history] for name in history[0]}})


@execute.register
def _(config: RankingRun) -> Result:
    data = config.supernet.data.load()
    network = trained_supernet(config.supernet, data).network
    archs = config.archs.draw(network.space)
    ranking = rank(
        network,
        archs,
        data,
        part=config.part,
        bn=config.bn,
        calibration_batches=config.calibration_batches,
        batch_size=config.batch_size,
    )
    table = _costs(network.space, archs, data) | {"accuracy": ranking.accuracy, "loss": ranking.loss}
    return Result({"images": len(data.parts[config.part]), "data": data.fingerprint}, {"archs": table})


def _costs(space: SearchSpace, archs: list[Arch], data: ImageData) -> dict[str, list]:
    costs = [space.cost(arch, input_shape=data.input_shape, num_classes=data.num_classes) for arch in archs]
    return {
        "arch": [space.to_string(arch) for arch in archs],
        "params": [cost.params for cost in costs],
        "macs": [cost.macs for cost in costs],
    }


@execute.register
def _(config: TauRun) -> Result:
    benchmark = get_benchmark(config.benchmark, dataset=config.dataset)
    table = run(config.ranking).table("archs")
    archs = [benchmark.space.from_string(text) for text in table["arch"]]
    predicted = table["accuracy"] if config.score == "accuracy" else -table["loss"]
    scores = {"SuperNet": predicted, "FLOPs": table["macs"], "params": table["params"]}
    report = ranking_report(scores, benchmark.scores(archs).test).reset_index()
    return Result({"truth": benchmark.describe()}, {"report": report.to_dict("list")})
