"""The one run on real images that the notebooks share: how well a small SuperNet ranks NAS-Bench-201 on CIFAR-10.

Notebook 03 shows its stored result to readers who have neither images nor table; ``run(real_tau(...))`` computes it
anew where both are there.
"""

from __future__ import annotations

from mngnas_lib.data import Augment
from mngnas_lib.lab.profiles import Profile
from mngnas_lib.lab.supernet_runs import ArchSample, DataSpec, RankingRun, SpaceSpec, SupernetRun, TauRun
from mngnas_lib.supernet import TrainConfig


def real_ranking(profile: Profile, bn: str = "batch", strategy: str = "spos-balanced") -> RankingRun:
    """Rank architectures of NAS-Bench-201 with a small SuperNet, trained on CIFAR-10 in the profile's sizes.

    The images are a folder ``cifar10`` (see ``DataSpec``) with ``train`` and ``test`` in it, shrunk to
    ``profile.real.size`` pixels a side. The one augmentation is the horizontal flip: a shift by a few pixels is a
    large one in an image of 16.

    Args:
        bn: batch-norm statistics of a path, see :func:`mngnas_lib.supernet.rank`.
        strategy: how paths are drawn in training, see :mod:`mngnas_lib.supernet.sampling`.
    """
    sizes = profile.real
    supernet = SupernetRun(
        space=SpaceSpec("nasbench201", (("channels", sizes.channels), ("cells", sizes.cells))),
        data=DataSpec("folder:cifar10", size=sizes.size, count=sizes.count, valid_fraction=sizes.valid_fraction),
        train=TrainConfig(
            strategy=strategy,
            epochs=sizes.epochs,
            batch_size=sizes.batch_size,
            lr=sizes.lr,
            augment=Augment(pad=0, flip=True),
        ),
    )
    return RankingRun(supernet, ArchSample(sizes.archs, canonical=False), bn=bn)


def real_tau(profile: Profile, bn: str = "batch", strategy: str = "spos-balanced") -> TauRun:
    """The same ranking held against the test accuracies of NAS-Bench-201's table, with FLOPs and params beside it."""
    return TauRun(real_ranking(profile, bn, strategy), benchmark="nasbench201")
