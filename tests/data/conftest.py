"""Small image folders for the data tests."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def make_folder(tmp_path: Path) -> Callable[..., Path]:
    """Write an image folder of random 6x6 PNG files; returns its place."""

    def make(classes: tuple[str, ...] = ("cat", "dog"), train: int = 5, test: int = 2, shape=(6, 6, 3)) -> Path:
        rng = np.random.default_rng(0)
        folder = tmp_path / "pictures"
        for part, count in (("train", train), ("test", test)):
            for name in classes:
                (folder / part / name).mkdir(parents=True)
                for number in range(count):
                    pixels = rng.integers(0, 256, shape, dtype=np.uint8)
                    Image.fromarray(pixels).save(folder / part / name / f"{number}.png")
        return folder

    return make
