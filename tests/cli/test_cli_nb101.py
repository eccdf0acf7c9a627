"""NAS-Bench-101 from the command line: train, rank, search."""

from __future__ import annotations

import pandas as pd
from cli_sizes import QUICK, SMALL
from search_words import FEW

from mngnas_lib.spaces import get_space
from mngnas_lib.supernet import latest_checkpoint, load_supernet

SIZES = ("--space", "nasbench101", "--channels", 4, "--cells", 1, "--stacks", 2)
SPACE = get_space("nasbench101", channels=4, cells=1, stacks=2)


def test_train_and_rank(mngnas):
    mngnas("train", "--out", "net", *SIZES, *SMALL[4:], *QUICK)
    assert load_supernet(latest_checkpoint("net")[1], SPACE).space == SPACE
    mngnas("rank", "--checkpoint", "net", "--count", 4)
    archs = [SPACE.from_string(text) for text in pd.read_csv("net/ranking.csv")["arch"]]
    assert len(archs) == 4 and all(SPACE.canonical(arch) == arch for arch in archs)


def test_search(mngnas):
    words = (*SIZES, *SMALL[4:], "--supernet-epochs", 1, *FEW.split())
    mngnas("search", "--out", "found", *words)
    history = pd.read_csv("found/history.csv")
    assert len(history) == 6 and all(SPACE.is_valid(SPACE.from_string(text)) for text in history["arch"])
    assert len(pd.read_csv("found/perturbation.csv")) > 0


def test_what_the_space_cannot_have_is_said(mngnas):
    for words, message in [
        (("--channels", 3), "at least 4 channels"),
        (("--strategy", "spos-balanced"), "use spos"),
        (("--size", 2), "at least 4 pixels a side"),
        (("--head-channels", 8), "it has channels, cells, stacks"),
    ]:
        result = mngnas(
            "train", "--out", "net", "--space", "nasbench101", "--cells", 1, "--channels", 4, *words, code=2
        )
        assert message in result.stderr
