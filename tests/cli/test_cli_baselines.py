"""``mngnas baselines``."""

import json

import numpy as np
import pandas as pd
import pytest

from mngnas_lib.benchmarks import get_benchmark
from mngnas_lib.cli.baselines import METHODS
from mngnas_lib.search.tabular import SEARCHERS
from mngnas_lib.spaces import get_space


@pytest.fixture
def table(tmp_path):
    """Sixty architectures of NAS-Bench-201 with made-up accuracies; those after 12 epochs have another order."""
    space = get_space("nasbench201")
    archs = space.sample_distinct(60, np.random.default_rng(0))
    columns = {"arch": [space.to_string(arch) for arch in archs]}
    rng = np.random.default_rng(1)
    for name in ("valid", "test", "valid_12ep", "test_12ep"):
        columns[f"cifar10_{name}"] = 50 + 40 * rng.random(60)
    path = tmp_path / "small.csv"
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def test_what_is_found_is_told_in_numbers(mngnas, table):
    words = ("--benchmark", f"nasbench201={table}", "--queries", 400, "--seeds", 3, "--json")
    facts = json.loads(mngnas("baselines", *words).stdout)
    assert (facts["benchmark"], facts["dataset"], facts["archs"]) == ("nasbench201", "cifar10", 60)
    assert list(facts["regret"]) == ["REA", "REINFORCE", "random search"]
    # 400 uniform draws from 60 miss the best with a chance of one in 800: random search has found it
    truth = get_benchmark("nasbench201", table).table
    best = truth.loc[get_benchmark("nasbench201", table, epochs=12).table["valid"].idxmax()]
    found = {(row["method"], row["split"]): row["mean"] for row in facts["found"]}
    assert found["random search", "test"] == pytest.approx(best["test"])
    assert found["random search", "valid"] == pytest.approx(best["valid"])
    assert facts["regret"]["random search"]["mean"] == pytest.approx(truth["test"].max() - best["test"], abs=1e-6)


def test_the_reward_can_be_that_of_the_report(mngnas, table):
    words = ("--benchmark", f"nasbench201={table}", "--queries", 400, "--seeds", 2, "--json", "--reward-epochs", 200)
    facts = json.loads(mngnas("baselines", *words, "--method", "random search").stdout)
    found = {row["split"]: row["mean"] for row in facts["found"]}
    assert found["valid"] == pytest.approx(get_benchmark("nasbench201", table).table["valid"].max())


def test_the_report(mngnas, table):
    words = ("--benchmark", f"nasbench201={table}", "--queries", 30, "--seeds", 4, "--method", "REA")
    text = mngnas("baselines", *words, "--out", "curves.csv").stdout
    assert "60 architectures, 30 queries a search, 4 searches of each method" in text
    assert "validation accuracy of nasbench201 on cifar10, after 12 epochs" in " ".join(text.split())
    rows = [line.split() for line in text.splitlines()]
    assert ["method", "valid", "test", "regret"] in rows
    assert [row[0] for row in rows if row and row[0] in ("REA", "REINFORCE", "random")] == ["REA"]
    assert "test: accuracy after the last of 200 epochs" in " ".join(text.split())  # what the numbers are
    curves = pd.read_csv("curves.csv")
    assert curves["query"].iloc[-1] == 30 and set(curves["method"]) == {"REA"} and "wrote curves.csv" in text
    end = curves.iloc[-1]
    assert f"{100 * end['mean']:.3f} [{100 * end['low']:.3f}, {100 * end['high']:.3f}]" in text


def test_one_seed_has_neither_a_deviation_nor_an_interval(mngnas, table):
    words = ("--benchmark", f"nasbench201={table}", "--queries", 30, "--seeds", 1, "--method", "REA")
    text = mngnas("baselines", *words).stdout
    (row,) = [line.split() for line in text.splitlines() if line.startswith("REA")]
    assert len(row) == 4 and all(word.replace(".", "").isdigit() for word in row[1:])
    assert "One seed" in text and "±" not in text and "interval" not in text and "nan" not in text
    end = json.loads(mngnas("baselines", *words, "--json").stdout, parse_constant=pytest.fail)["regret"]["REA"]
    assert end["low"] is None and end["high"] is None
    assert end["mean"] == pytest.approx(float(row[3]) / 100, abs=1e-5)


def test_without_a_benchmark_the_kits_own_table_is_searched(mngnas):
    """It lies in the project, wherever the command is called."""
    words = ("--queries", 20, "--seeds", 2)
    text = " ".join(mngnas("baselines", *words).stdout.split())
    assert "no --benchmark: took kit-nasbench201, " in text and "kit-nasbench201 on hard-digits: " in text
    assert "The search sees: validation accuracy of kit-nasbench201 on hard-digits method valid test regret" in text
    assert json.loads(mngnas("baselines", *words, "--json").stdout)["benchmark"] == "kit-nasbench201"


def test_without_a_benchmark_the_official_table_is_preferred(mngnas, table, monkeypatch):
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(table.parent))
    text = " ".join(mngnas("baselines", "--queries", 20, "--seeds", 2).stdout.split())
    assert f"no --benchmark: took nasbench201, {table}" in text
    assert "validation accuracy of nasbench201 on cifar10, after 12 epochs" in text


def test_the_methods_on_offer_are_those_of_the_library():
    assert tuple(SEARCHERS) == METHODS


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--benchmark", "nasbench201"), "no file for nasbench201"),
        (("--dataset", "cifar100"), "is about hard-digits, not about cifar100"),
        (("--method", "BOHB"), "is not one of 'REA', 'REINFORCE', 'random search'"),
        (("--queries", 0), "0 is not in the range"),
    ],
)
def test_mistakes(mngnas, words, message):
    assert message in " ".join(mngnas("baselines", *words, code=2).stderr.split())
