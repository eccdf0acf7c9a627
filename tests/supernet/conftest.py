"""Small data and spaces for the SuperNet's tests."""

import pytest

from mngnas_lib.data import ImageData, load_images
from mngnas_lib.spaces import SearchSpace, get_space

SMALL = {
    "nasbench201": {"channels": 4, "cells": 1},
    "nasbench-macro": {"channels": 4, "stages": (2, 2), "head_channels": 16},
}


@pytest.fixture(scope="session")
def digits() -> ImageData:
    """400 digits of 8x8 pixels."""
    return load_images("digits", size=8, count=300, test_count=100, valid_fraction=0.2)


@pytest.fixture(params=SMALL)
def space(request: pytest.FixtureRequest) -> SearchSpace:
    return get_space(request.param, **SMALL[request.param])


@pytest.fixture
def cells() -> SearchSpace:
    return get_space("nasbench201", **SMALL["nasbench201"])


@pytest.fixture
def chain() -> SearchSpace:
    return get_space("nasbench-macro", **SMALL["nasbench-macro"])
