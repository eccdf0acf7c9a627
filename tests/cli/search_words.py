"""A search of the command line that takes a second, in words and in settings."""

from cli_sizes import SMALL

from mngnas_lib.data import ImageData, load_images
from mngnas_lib.search import RetrainConfig, SearchConfig

FEW = "--search-epochs 2 --candidates 3 --group-size 1 --removed 1 --perturbed 1 --perturb-epochs 0.5"
FEW += " --retrain-epochs 0.7 --retrain-batch-size 70 --device cpu"
TINY = (*SMALL, "--supernet-epochs", 1, *FEW.split())
#: What these words stand for
CONFIG = SearchConfig(
    search_epochs=2,
    candidates=3,
    group_size=1,
    removed=1,
    perturbed=1,
    perturb_epochs=0.5,
    retrain=RetrainConfig(epochs=0.7, batch_size=70),
)


def images() -> ImageData:
    """The images of these words."""
    return load_images("digits", size=8, count=300, test_count=50, valid_fraction=0.3)
