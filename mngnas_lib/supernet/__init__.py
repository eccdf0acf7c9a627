"""SuperNets: how paths are drawn, trained, and ranked."""

from mngnas_lib.supernet.batchnorm import BN_MODES, batch_norms, batch_statistics, reestimate
from mngnas_lib.supernet.checkpoint import latest_checkpoint, load_checkpoint, load_supernet, save_checkpoint
from mngnas_lib.supernet.config import TrainConfig
from mngnas_lib.supernet.minibatches import MiniBatches
from mngnas_lib.supernet.rank import Ranking, check_images, rank
from mngnas_lib.supernet.sampling import STRATEGIES, paths_of_step, visit_counts
from mngnas_lib.supernet.train import Epoch, TrainResult, train_standalone, train_supernet

__all__ = [
    "BN_MODES",
    "STRATEGIES",
    "Epoch",
    "MiniBatches",
    "Ranking",
    "TrainConfig",
    "TrainResult",
    "batch_norms",
    "batch_statistics",
    "check_images",
    "latest_checkpoint",
    "load_checkpoint",
    "load_supernet",
    "paths_of_step",
    "rank",
    "reestimate",
    "save_checkpoint",
    "train_standalone",
    "train_supernet",
    "visit_counts",
]
