"""Train what a plan asks for and a table lacks, on as many workers as there are.

Work is handed out by joblib, whose backend may be a cluster's: under ``joblib.parallel_config(backend="ray")``, after
``ray.util.joblib.register_ray()``, the same call uses every machine of a Ray cluster.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path

import joblib
import torch
from filelock import Timeout
from joblib.parallel import LokyBackend, MultiprocessingBackend, ThreadingBackend
from tqdm.auto import tqdm

from mngnas_lib.benchmarks.kit_table import Row
from mngnas_lib.data import ImageData
from mngnas_lib.errors import BenchmarkError, ConfigError, TrainingDivergedError
from mngnas_lib.lab.provenance import code_version, device_name, package_versions
from mngnas_lib.lab.supernet_runs import DataSpec
from mngnas_lib.places import lock_of
from mngnas_lib.spaces import Arch, SearchSpace
from mngnas_lib.supernet import TrainConfig, rank, train_standalone
from mngnas_lib.truth.plan import STRATA, Training, planned, stratified
from mngnas_lib.truth.settings import TruthSettings
from mngnas_lib.truth.table import TruthTable

#: Trainings a worker before their results are written, with a backend that gives no single results
_ROUNDS = 4


@dataclass(frozen=True)
class Trained:
    """Accuracies (fractions) at the end of a training, the seconds that training and evaluation took, and on what."""

    valid: float
    test: float
    seconds: float
    machine: str
    packages: dict[str, str]


def train_and_test(space: SearchSpace, arch: Arch, data: ImageData, config: TrainConfig, seed: int = 0) -> Trained:
    """Train ``arch`` from scratch and evaluate what there is after the last epoch, with its own running statistics.

    Args:
        seed: added to that of ``config``; decides weights, order of images and augmentation.
    """
    started = time.perf_counter()
    config = replace(config, seed=config.seed + seed)
    network = train_standalone(space, arch, data, config, progress=False).network
    valid, test = (
        float(rank(network, [arch], data, part=part, bn="inherited", progress=False).accuracy[0])
        for part in ("valid", "test")
    )
    return Trained(valid, test, time.perf_counter() - started, device_name(), package_versions())


def train_truth(
    settings: TruthSettings,
    out: Path,
    *,
    jobs: int | None = None,
    progress: bool | None = None,
    command: str | None = None,
) -> TruthTable:
    """Train all architectures of ``settings``, once a seed, and append them to the table ``out``.

    Trainings that the table has are not done again. Stop it at any moment; the same call goes on.

    Args:
        out: the table, ``*.csv``. Beside it are its card (``.json``) and a folder ``.locks``.
        jobs: processes; by default what ``joblib.parallel_config`` says, else one a core of this machine (on a GPU:
            one), or of the cluster.
        progress: show a progress bar; by default if standard error is a terminal.
        command: how the user started this; kept in the card.

    Raises:
        BenchmarkError: ``out`` holds trainings with other settings, cannot be written, or another process is writing
            to it.
        ConfigError: more architectures than the space has, a backend of threads, or ``out`` does not end in .csv.
        TrainingDivergedError: a loss was not finite. All other trainings are in the table.
    """
    out = Path(out)
    if out.suffix != ".csv":  # its card has another name
        raise ConfigError(f"{out} is to be a table: give a name that ends in .csv")
    try:
        lock = lock_of(out)
        lock.acquire(timeout=0)
    except Timeout:
        raise BenchmarkError(f"another process is writing to {out}: wait for it, or write to another file") from None
    except OSError as error:
        raise BenchmarkError(f"{out} cannot be written ({error.strerror}): choose another place") from error
    try:
        return _train_missing(settings, out, jobs, progress, command)
    finally:
        lock.release()


def _train_missing(
    settings: TruthSettings, out: Path, jobs: int | None, progress: bool | None, command: str | None
) -> TruthTable:
    space, data = settings.space.build(), settings.data.load()
    archs = stratified(
        space,
        settings.count,
        settings.sample_seed,
        input_shape=data.input_shape,
        num_classes=data.num_classes,
    )
    identity = settings.identity()
    images = identity["data"] | {"source": without_path(settings.data.source)}
    table = TruthTable(out, identity | {"data": images, "fingerprint": data.fingerprint})
    trainings = planned(archs, settings.seeds, settings.repeated)
    missing = [one for one in trainings if (space.to_string(one.arch), one.seed) not in table.rows]
    code, diverged = _code(), []
    try:
        with tqdm(
            total=len(trainings),
            initial=len(trainings) - len(missing),
            unit="training",
            desc=f"truth {space.name}",
            disable=None if progress is None else not progress,
        ) as bar:
            for one, trained in _parallel(settings, missing, jobs):
                bar.update()
                if isinstance(trained, TrainingDivergedError):
                    diverged.append(f"{space.to_string(one.arch)} with seed {one.seed}")
                    continue
                cost = space.cost(one.arch, input_shape=data.input_shape, num_classes=data.num_classes)
                row = Row(
                    arch=space.to_string(one.arch),
                    seed=one.seed,
                    valid=trained.valid,
                    test=trained.test,
                    params=cost.params,
                    macs=cost.macs,
                    epochs=settings.train.epochs,
                    seconds=trained.seconds,
                    code=code,
                )
                _note_origin(table, trained, command)
                table.append(row)
    finally:
        if table.rows:
            _sum_up(table, [space.to_string(arch) for arch in archs], settings.sample_seed)
    if diverged:
        more = f" and {len(diverged) - 5} more" if len(diverged) > 5 else ""
        raise TrainingDivergedError(
            f"the loss was not finite for {', '.join(diverged[:5])}{more}; all others are in {out}. The same settings "
            "give the same again: train them into another table, with a lower learning rate"
        )
    return table


def _parallel(
    settings: TruthSettings, missing: Sequence[Training], jobs: int | None
) -> Iterator[tuple[Training, Trained | TrainingDivergedError]]:
    """Pairs of training and result, as they are finished. Where a training diverged, its error is the result."""
    backend, asked = joblib.parallel.get_active_backend()
    if isinstance(backend, ThreadingBackend):
        raise ConfigError("threads would share torch's random numbers: use a backend of processes, as loky or ray")
    if jobs is None and asked is None:
        # on a GPU one process after the other; on the CPU one a core, each with one thread, since networks are small;
        # of a cluster, whose head's GPU says nothing about it, all that there is
        own = isinstance(backend, LokyBackend | MultiprocessingBackend)
        jobs = 1 if own and torch.cuda.is_available() else -1
    work = [joblib.delayed(_work)(settings, one) for one in missing]
    if getattr(backend, "supports_return_generator", False):
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
        # closed at once where the loop around it ends early, so that no worker goes on for nobody
        with closing(parallel(work)) as results:
            yield from results
        return
    # Ray's backend gives lists only: short ones, so that little is lost when this is stopped
    parallel = joblib.Parallel(n_jobs=jobs, batch_size=1)
    size = _ROUNDS * backend.effective_n_jobs(jobs or asked)
    for start in range(0, len(work), size):
        yield from parallel(work[start : start + size])


def _work(settings: TruthSettings, training: Training) -> tuple[Training, Trained | TrainingDivergedError]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        data = _images(settings.data)
        return training, train_and_test(settings.space.build(), training.arch, data, settings.train, training.seed)
    except TrainingDivergedError as error:  # it would be the same each time, and end all the others
        return training, error
    finally:
        torch.set_num_threads(threads)


@lru_cache(maxsize=1)
def _images(spec: DataSpec) -> ImageData:
    """Each worker loads the images once."""
    return spec.load()


def _code() -> str:
    """Version and commit, as one word."""
    code = code_version()
    commit = f"+{code['commit'][:7]}" if "commit" in code else ""
    return f"{code['version']}{commit}{'.dirty' if code.get('dirty') else ''}"


def without_path(source: str) -> str:
    """A source of images as a card names it: of an image folder elsewhere on this machine, only its own name."""
    kind, _, name = source.partition(":")
    return f"folder:{Path(name).name}" if kind == "folder" and Path(name).is_absolute() else source


def _note_origin(table: TruthTable, trained: Trained, command: str | None) -> None:
    """Have the card name machine, packages and command of a training, before the table has it."""
    about, commands = table.about, table.about.get("commands", [])
    versions = about.get("packages", {})
    noted = {
        "machine": _joined(about.get("machine"), trained.machine),
        "packages": versions | {name: _joined(versions.get(name), one) for name, one in trained.packages.items()},
        "commands": commands + ([command] if command and command not in commands else []),
    }
    if about | noted != about:
        table.write_card(about | noted)


def _joined(text: str | None, one: str) -> str:
    """``one`` behind what ``text`` names already, in the order of first use."""
    return "; ".join(dict.fromkeys([*(text.split("; ") if text else []), one]))


def _sum_up(table: TruthTable, order: list[str], sample_seed: int) -> None:
    """Sort the table by architectures in ``order``, and have the card say what its rows say, unless it does so."""
    frame, about = table.frame(), table.about
    grew = about.get("trainings") != len(frame)
    card = {
        "archs": frame["arch"].nunique(),
        "trainings": len(frame),
        "seeds": {str(seed): int(count) for seed, count in frame["seed"].value_counts().sort_index().items()},
        "sample": {"seed": sample_seed, "how": f"in rounds from {STRATA} strata of FLOPs"},
        "hours": round(frame["seconds"].sum() / 3600, 2),
        "code": sorted(set(frame["code"])),
        **{name: about[name] for name in ("machine", "packages", "commands") if name in about},
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds") if grew else about["finished"],
    }
    if card != about:
        table.sort(order)
        table.write_card(card)
