"""Noise ceilings of a table of trainings."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau

from mngnas_lib.benchmarks.kit_table import card_path, read_card
from mngnas_lib.truth import noise_report, reliability
from mngnas_lib.truth.page import page


def trainings(runs) -> pd.DataFrame:
    """One row an entry of ``runs`` (n, seeds) that is not NaN."""
    rows = [(f"{i:03d}", seed, test) for i, row in enumerate(runs) for seed, test in enumerate(row) if test == test]
    return pd.DataFrame(rows, columns=["arch", "seed", "test"])


@pytest.fixture
def runs():
    rng = np.random.default_rng(0)
    runs = rng.normal(size=(40, 1)) + rng.normal(0, 0.5, (40, 4))
    runs[::2, 3] = np.nan
    return runs


def test_taus_of_pairs_and_of_the_mean_against_one_more(runs):
    one, mean = noise_report(trainings(runs))
    pairs = [kendalltau(runs[:, i], runs[:, j]).statistic for i, j in ((0, 1), (0, 2), (1, 2))]
    assert (one.archs, one.overall.value) == (40, pytest.approx(np.mean(pairs)))
    again = runs[1::2]
    means = again[:, :3].mean(1)
    assert (mean.archs, mean.overall.value) == (20, pytest.approx(kendalltau(means, again[:, 3]).statistic))
    top = means >= np.median(means)
    assert mean.top_half.value == pytest.approx(kendalltau(means[top], again[top, 3]).statistic)
    assert mean.what == "mean of 3 and one more"
    assert one.overall.low < one.overall.value < one.overall.high


def test_top_half_is_chosen_by_the_mean(runs):
    means = runs[:, :3].mean(1)
    top = runs[means >= np.median(means), :3]
    pairs = [kendalltau(top[:, i], top[:, j]).statistic for i, j in ((0, 1), (0, 2), (1, 2))]
    assert noise_report(trainings(runs))[0].top_half.value == pytest.approx(np.mean(pairs))


def test_one_seed_says_nothing(runs):
    assert noise_report(trainings(runs[:, :1])) == []
    assert noise_report(trainings(runs[:0])) == []
    assert np.isnan(reliability(trainings(runs[:, :1])))


def test_no_seed_common_to_all_says_nothing(runs):
    runs[0, 0] = runs[1, 1] = runs[2, 2] = np.nan
    assert noise_report(trainings(runs)) == []


def test_reliability_of_known_variances():
    rng = np.random.default_rng(1)
    runs = rng.normal(0, 2, (4000, 1)) + rng.normal(0, 1, (4000, 3))
    assert reliability(trainings(runs)) == pytest.approx(4 / 5, abs=0.02)
    runs[::3, 2] = np.nan  # groups of unequal size
    assert reliability(trainings(runs)) == pytest.approx(4 / 5, abs=0.02)
    assert reliability(trainings(rng.normal(0, 1, (4000, 3)))) == pytest.approx(0, abs=0.03)


def test_reliability_by_hand():
    # means 1 and 4 of two trainings each; within: 2 * 0.5 over 2 degrees, between: 2 * 4.5 over 1
    runs = [[0.5, 1.5], [3.5, 4.5]]
    within, between = 0.5, 9.0
    signal = (between - within) / 2
    assert reliability(trainings(runs)) == pytest.approx(signal / (signal + within))


def test_page_about_the_shipped_tables_is_up_to_date():
    """After a change of tables: ``python -m mngnas_lib.truth.page``."""
    folder = Path(__file__).parents[2] / "data" / "benchmarks"
    assert page(folder) == (folder / "README.md").read_text(encoding="utf-8")


def test_page_says_what_the_rows_say(tmp_path):
    """A computation that was killed leaves a card behind that does not know them all."""
    folder = Path(__file__).parents[2] / "data" / "benchmarks"
    for path in folder.glob("kit-*.csv"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
        card = read_card(path) | {"archs": 1, "trainings": 2, "seeds": 0, "hours": 0.0, "code": ["none"]}
        del card["finished"]
        card_path(tmp_path / path.name).write_text(json.dumps(card))
    said = re.sub(r"finished [-\d]+,", "finished not yet,", (folder / "README.md").read_text(encoding="utf-8"))
    assert page(tmp_path) == said
