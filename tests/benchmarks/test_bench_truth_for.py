"""The official table where there is one, else the kit's own."""

import json
import warnings

import pytest

from mngnas_lib.benchmarks import files, truth_for
from mngnas_lib.benchmarks.kit_table import COLUMNS, Row
from mngnas_lib.errors import BenchmarkError

#: In its canonical form
CELL = "|nor_conv_3x3~0|+|skip_connect~0|nor_conv_3x3~1|+|nor_conv_3x3~0|avg_pool_3x3~1|skip_connect~2|"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The only folder in which benchmarks are looked for."""
    monkeypatch.setattr(files, "folders", lambda: [tmp_path])
    return tmp_path


@pytest.fixture
def kit(folder):
    """A table of the kit's, of one training."""
    row = Row(CELL, seed=0, valid=0.5, test=0.25, params=9, macs=99, epochs=1, seconds=2.0, code="0")
    (folder / "kit-nasbench201.csv").write_text(",".join(COLUMNS) + "\n" + row.line("nasbench201"), encoding="utf-8")
    card = {"space": "nasbench201", "sizes": {"channels": 8, "cells": 1}, "fingerprint": "0", "train": {"epochs": 1}}
    card["data"] = {"source": "hard-digits"}
    (folder / "kit-nasbench201.json").write_text(json.dumps(card), encoding="utf-8")


@pytest.fixture
def official(folder):
    """A converted official table of one architecture."""
    text = f"arch,cifar10_valid,cifar10_test,cifar100_valid,cifar100_test\n{CELL},90,91,70,71\n"
    (folder / "nasbench201.csv").write_text(text, encoding="utf-8")


def test_the_kits_own_is_taken_where_there_is_no_official_table(kit):
    truth = truth_for("nasbench201")
    assert (truth.name, truth.dataset) == ("kit-nasbench201", "hard-digits")
    assert truth.query(CELL).test == 0.25
    # there is but one, so another data set's name does not stop a notebook
    assert truth_for("nasbench201", "cifar100").dataset == "hard-digits"


def test_the_official_table_is_preferred(kit, official):
    truth = truth_for("nasbench201")
    assert (truth.name, truth.dataset) == ("nasbench201", "cifar10")
    assert truth.query(CELL).test == pytest.approx(0.91)
    assert truth_for("nasbench201", "cifar100").query(CELL).test == pytest.approx(0.71)


def test_the_kits_own_can_be_asked_for_by_its_images(kit, official):
    assert truth_for("nasbench201", "hard-digits").name == "kit-nasbench201"


def test_an_official_table_that_lacks_what_is_asked_for_is_an_error(kit, official):
    with pytest.raises(BenchmarkError, match="no column imagenet16_valid"):
        truth_for("nasbench201", "imagenet16-120")


def test_an_official_file_that_is_not_converted_is_named(kit, folder):
    waiting = folder / "NAS-Bench-201-v1_1-096897.pth"
    waiting.write_bytes(b"\x80\x02meta_archs")
    with pytest.warns(UserWarning, match=r"taken, as .*096897.pth is not converted yet: run `mngnas benchmark convert"):
        assert truth_for("nasbench201").name == "kit-nasbench201"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        truth_for("nasbench201", "hard-digits")  # asked for by name


def test_neither_table(folder):
    with pytest.raises(BenchmarkError, match=r"no file for kit-nasbench101 .*mngnas truth"):
        truth_for("nasbench101")


def test_unknown_space():
    with pytest.raises(BenchmarkError, match="choose one of nasbench101, nasbench201, nasbench-macro"):
        truth_for("kit-nasbench201")
