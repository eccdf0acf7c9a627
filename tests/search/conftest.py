"""Small data and spaces for the tests of retraining and search."""

import pytest

from mngnas_lib.data import ImageData, load_images
from mngnas_lib.spaces import SearchSpace, get_space


@pytest.fixture(scope="session")
def digits() -> ImageData:
    """400 digits of 8x8 pixels."""
    return load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2)


@pytest.fixture
def cells() -> SearchSpace:
    return get_space("nasbench201", channels=4, cells=1)


@pytest.fixture
def chain() -> SearchSpace:
    return get_space("nasbench-macro", channels=4, stages=(2, 2), head_channels=16)


@pytest.fixture
def one_slot() -> SearchSpace:
    """A space of three architectures."""
    return get_space("nasbench-macro", channels=4, stages=(1,), head_channels=16)
