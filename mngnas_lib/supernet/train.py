"""The training loop of a SuperNet, and of a stand-alone network, which is a SuperNet with a single path.

Lightning Fabric is the engine: it brings device choice, autocast with a loss scaler, and DDP, and leaves the loop plain
PyTorch (accelerate would do the same, with a model hub's client among its dependencies). The same code runs on the
CPU, on one GPU, and under DDP, where every rank draws the same path and takes its shard of each mini-batch.

Everything random is a function of the seed and the step's number: order of the images, augmentation, paths. A run that
was killed therefore goes on from its last checkpoint as if nothing had happened.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor
from tqdm.auto import tqdm

from mngnas_lib.data import ImageData
from mngnas_lib.errors import CheckpointError, ConfigError, TrainingDivergedError
from mngnas_lib.spaces import Arch, SearchSpace, SlotNetwork
from mngnas_lib.supernet.batchnorm import batch_norms
from mngnas_lib.supernet.checkpoint import latest_checkpoint, locked, save_checkpoint
from mngnas_lib.supernet.config import TrainConfig
from mngnas_lib.supernet.minibatches import MiniBatches
from mngnas_lib.supernet.sampling import paths_of_step

#: Losses wait on the GPU until this many are read at once, so that the GPU is not stopped at every step.
_STEPS_BETWEEN_CHECKS = 50
_SECONDS_BETWEEN_CHECKPOINTS = 300.0


@dataclass(frozen=True)
class Epoch:
    """One row of the history: mean loss and accuracy of the trained paths, and the last step's learning rate."""

    epoch: int
    steps: int
    loss: float
    accuracy: float
    lr: float


@dataclass(frozen=True)
class TrainResult:
    """The trained network, one row an epoch, and the seconds and steps that this process spent training."""

    network: SlotNetwork
    history: tuple[Epoch, ...]
    seconds: float
    steps: int


def train_supernet(
    space: SearchSpace,
    data: ImageData,
    config: TrainConfig,
    *,
    checkpoint_dir: Path | None = None,
    fabric: Fabric | None = None,
    progress: bool | None = None,
) -> TrainResult:
    """Train a SuperNet on the training part of ``data``.

    Args:
        checkpoint_dir: keep checkpoints there, after each epoch and every five minutes; if it holds some of the
            same run, go on from the newest. One process at a time may use it.
        fabric: the engine; by default one device, a GPU where there is one. Its precision must be that of
            ``config``.
        progress: show a progress bar; by default if standard error is a terminal.

    Raises:
        DataError: fewer training images than a batch.
        CheckpointError: ``checkpoint_dir`` holds another run's checkpoints, or another process uses it.
        TrainingDivergedError: a loss was not finite; the message names step, architecture and last checkpoint.
    """
    return _train(space, None, data, config, checkpoint_dir, fabric, progress)


def train_standalone(
    space: SearchSpace,
    arch: Sequence[int],
    data: ImageData,
    config: TrainConfig,
    *,
    checkpoint_dir: Path | None = None,
    fabric: Fabric | None = None,
    progress: bool | None = None,
) -> TrainResult:
    """Train the stand-alone network of ``arch`` from scratch: the truth that a SuperNet's ranking is held against.

    Arguments and errors are those of :func:`train_supernet`; the strategy has no say, since there is one path. The
    network's batch norms keep running statistics of this path alone: evaluate it with ``bn="inherited"``.

    Raises:
        ArchError: ``arch`` does not belong to this space.
    """
    return _train(space, space.check(arch), data, config, checkpoint_dir, fabric, progress)


def _train(
    space: SearchSpace,
    arch: Arch | None,
    data: ImageData,
    config: TrainConfig,
    checkpoint_dir: Path | None,
    fabric: Fabric | None,
    progress: bool | None,
) -> TrainResult:
    if fabric is None:
        fabric = Fabric(accelerator="auto", devices=1, precision=config.precision)
        fabric.launch()
    run = _Run(space, arch, data, config, fabric, None if checkpoint_dir is None else Path(checkpoint_dir))
    # under DDP the first rank writes for all
    with locked(run.folder if fabric.is_global_zero else None):
        run.resume()
        return run.train(progress)


class _Run:
    """State of one training: network, optimiser, step, history."""

    def __init__(
        self,
        space: SearchSpace,
        arch: Arch | None,
        data: ImageData,
        config: TrainConfig,
        fabric: Fabric,
        folder: Path | None,
    ) -> None:
        if config.batch_size % fabric.world_size:
            raise ConfigError(f"a batch of {config.batch_size} images cannot be split over {fabric.world_size} devices")
        self.space, self.arch, self.config, self.fabric, self.folder = space, arch, config, fabric, folder
        self.data = data.to(fabric.device)
        self.batches = MiniBatches(
            self.data,
            config.batch_size,
            seed=config.seed,
            augment=config.augment,
            channels_last=config.channels_last,
            rank=fabric.global_rank,
            world_size=fabric.world_size,
        )
        self.steps_per_epoch = self.batches.steps_per_epoch
        shape = {"num_classes": data.num_classes, "in_channels": data.input_shape[0], "seed": config.seed}
        network = space.supernet(**shape) if arch is None else space.network(arch, skip_unused=True, **shape)
        self.network = network.to(memory_format=self.batches.format)
        if config.compile:
            self.network.compile_blocks()
        if not config.bn_affine:
            self.train_affine(False)
        optimizer = torch.optim.SGD(
            [parameter for parameter in self.network.parameters() if parameter.requires_grad],
            lr=config.lr,
            momentum=config.momentum,
            nesterov=config.nesterov and config.momentum > 0,
            weight_decay=config.weight_decay,
        )
        self.wrapped, self.optimizer = fabric.setup(self.network, optimizer)
        self.step = 0
        self.history: list[Epoch] = []
        self.checkpoint: Path | None = None
        self.sums: list[Tensor] = []  # of the epoch under way: one (loss, correct) pair a step
        self.unchecked = 0

    # ------------------------------------------------------------------ the loop

    def train(self, progress: bool | None) -> TrainResult:
        total, before = self.config.epochs * self.steps_per_epoch, self.step
        started = saved = time.perf_counter()
        self.wrapped.train()
        with tqdm(
            total=total,
            initial=self.step,
            unit="step",
            desc=f"{'SuperNet' if self.arch is None else 'stand-alone'} {self.space.name}",
            # tqdm's None: quiet unless standard error is a terminal
            disable=None if progress is None else not progress,
        ) as bar:
            while self.step < total:
                self.train_step()
                bar.update()
                if self.step % self.steps_per_epoch == 0:
                    self.end_epoch()
                    bar.set_postfix(loss=f"{self.history[-1].loss:.3f}")
                    self.save()
                    saved = time.perf_counter()
                elif time.perf_counter() - saved > _SECONDS_BETWEEN_CHECKPOINTS:
                    self.save()
                    saved = time.perf_counter()
        self.train_affine(True)  # from now on the network is as any other
        return TrainResult(self.network, tuple(self.history), time.perf_counter() - started, self.step - before)

    def train_affine(self, is_trained: bool) -> None:
        """Whether scale and shift of the batch norms are trained."""
        for layer in batch_norms(self.network):
            layer.requires_grad_(is_trained)

    def train_step(self) -> None:
        """Gradients of all paths of this step on one mini-batch, then one step of the optimiser."""
        config = self.config
        images, labels = self.batches.at(self.step)
        paths = self.paths(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = config.lr_at(self.step, self.steps_per_epoch)
        # parameters that no path uses keep gradient None: the optimiser leaves them and their momentum alone
        self.optimizer.zero_grad(set_to_none=True)
        total = images.new_zeros(2, dtype=torch.float32)
        for arch in paths:
            logits = self.wrapped(images, arch).logits.float()
            loss = F.cross_entropy(logits, labels, label_smoothing=config.label_smoothing) / len(paths)
            self.fabric.backward(loss)
            correct = (logits.detach().argmax(1) == labels).float().mean() / len(paths)
            total += torch.stack((loss.detach(), correct))
        if config.clip_norm:
            self.fabric.clip_gradients(
                self.wrapped, self.optimizer, max_norm=config.clip_norm, error_if_nonfinite=False
            )
        self.optimizer.step()
        self.sums.append(total)
        self.step += 1
        self.unchecked += 1
        if self.fabric.device.type == "cpu" or self.unchecked >= _STEPS_BETWEEN_CHECKS:
            self.check_losses()

    def paths(self, step: int) -> list[Arch]:
        """The architectures that a step trains."""
        if self.arch is not None:
            return [self.arch]
        return paths_of_step(self.space, self.config.strategy, self.config.seed, step)

    def check_losses(self) -> None:
        """Stop at the first loss of this epoch that is not finite."""
        first = self.step - self.unchecked
        recent = torch.stack(self.sums[-self.unchecked :])[:, 0].cpu()
        self.unchecked = 0
        bad = (~recent.isfinite()).nonzero()
        if len(bad) == 0:
            return
        step = first + int(bad[0])
        paths = self.paths(step)
        good = "there is no checkpoint" if self.checkpoint is None else f"the last good checkpoint is {self.checkpoint}"
        raise TrainingDivergedError(
            f"the loss of step {step} is {float(recent[int(bad[0])])}; path(s) "
            f"{', '.join(self.space.to_string(arch) for arch in paths)}; {good}. "
            "Lower the learning rate, add warm-up epochs, or use precision 32-true"
        )

    def end_epoch(self) -> None:
        if self.unchecked:
            self.check_losses()
        mean = torch.stack(self.sums).mean(0)
        if self.fabric.world_size > 1:
            mean = self.fabric.all_reduce(mean, reduce_op="mean")
        loss, accuracy = mean.tolist()
        lr = self.optimizer.param_groups[0]["lr"]
        self.history.append(Epoch(len(self.history) + 1, self.step, loss, accuracy, lr))
        self.sums = []

    # ------------------------------------------------------------------ stopping and going on

    def identity(self) -> dict[str, Any]:
        """What a checkpoint must agree on to be of this run."""
        return {
            "space": self.space.name,
            "sizes": self.space.settings(),
            "arch": self.arch,
            "config": self.config.identity(),
            "data": self.data.fingerprint,
        }

    def save(self) -> None:
        if self.folder is None or not self.fabric.is_global_zero:
            return
        if self.unchecked:
            self.check_losses()
        network = self.network.state_dict()
        if not all(bool(tensor.isfinite().all()) for tensor in network.values()):
            raise TrainingDivergedError(
                f"after step {self.step - 1} some weights are not finite; the last good checkpoint is "
                f"{self.checkpoint or 'none'}. Lower the learning rate, or add warm-up epochs"
            )
        state = {
            "identity": self.identity(),
            "step": self.step,
            "history": [asdict(epoch) for epoch in self.history],
            "sums": torch.stack(self.sums).cpu() if self.sums else torch.zeros(0, 2),
            "num_classes": self.network.num_classes,
            "in_channels": self.network.in_channels,
            "network": network,
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.fabric.strategy.precision.state_dict(),
        }
        self.checkpoint = save_checkpoint(self.folder, self.step, state)

    def resume(self) -> None:
        """Go on from the newest whole checkpoint, if there is one."""
        if self.folder is None:
            return
        found = latest_checkpoint(self.folder, device=self.fabric.device)
        if found is None:
            return
        self.checkpoint, state = found
        mine, theirs = self.identity(), state["identity"]
        if mine != theirs:
            differing = ", ".join(key for key in mine if mine[key] != theirs.get(key))
            raise CheckpointError(
                f"{self.folder} holds checkpoints of another run (differing: {differing}): "
                "use another folder, or delete it to start afresh"
            )
        self.step = state["step"]
        self.history = [Epoch(**epoch) for epoch in state["history"]]
        self.sums = list(state["sums"])
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.fabric.strategy.precision.load_state_dict(state["scaler"])
