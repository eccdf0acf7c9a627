"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True)
def _one_thread():
    """Small tensors gain nothing from threads, and parallel test workers would fight over the cores."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The optional shared data folder: real benchmark tables and images for development.

    Found through ``MNGNAS_SHARED_DATA``, or beside the checkout.
    """
    folder = Path(os.environ.get("MNGNAS_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the optional shared data folder is not there")
    return folder
