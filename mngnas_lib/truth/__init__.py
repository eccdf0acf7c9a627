"""Ground truth of our own: architectures trained stand-alone, many times over, into one table.

::

    settings = get_truth("nasbench201")
    train_truth(settings, Path("build/truth/kit-nasbench201.csv"), jobs=2)

The command ``mngnas truth`` does this; what it has made for the kit lies in ``data/benchmarks``, and is queried through
:func:`mngnas_lib.benchmarks.get_benchmark`.
"""

from mngnas_lib.truth.noise import NoiseReport, noise_report, reliability, variance_between_seeds
from mngnas_lib.truth.plan import Training, planned, stratified
from mngnas_lib.truth.settings import TruthSettings, get_truth
from mngnas_lib.truth.table import TruthTable
from mngnas_lib.truth.train import Trained, train_and_test, train_truth

__all__ = [
    "NoiseReport",
    "Trained",
    "Training",
    "TruthSettings",
    "TruthTable",
    "get_truth",
    "noise_report",
    "planned",
    "reliability",
    "stratified",
    "train_and_test",
    "train_truth",
    "variance_between_seeds",
]
