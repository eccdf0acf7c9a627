"""Runs of searches on tables: what is stored, against the searches themselves and against the real tables."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mngnas_lib.benchmarks import Scores, get_benchmark
from mngnas_lib.errors import BenchmarkError, ConfigError
from mngnas_lib.lab import TabularRun, run, stored, table_v, table_v_runs
from mngnas_lib.lab.tabular_paper import PAPER, beside_the_paper
from mngnas_lib.lab.tabular_runs import BUDGETS, found_table, regret_curve, run_searches
from mngnas_lib.search.tabular_landscape import Landscape

#: Four architectures of one slot; reward, and accuracies on two data sets
TOY = Landscape(
    np.arange(4)[:, None],
    (4,),
    np.array([0.1, 0.2, 0.3, 0.4]),
    {
        "here": Scores(np.array([0.5, 0.6, 0.9, 0.8]), np.array([0.1, 0.2, 0.3, 0.4])),
        "there": Scores(np.array([0.0, 0.1, 0.2, 0.3]), None),
    },
)
#: Best rows after each of three queries, for two seeds
FOUND = np.array([[0, 2, 3], [1, 1, 3]])


def test_the_table_of_what_was_found():
    found = found_table(TOY, {"REA": FOUND}, [2, 3]).set_index(["queries", "dataset", "split"])
    assert found.index.tolist() == [
        (queries, *place) for queries in (2, 3) for place in (("here", "valid"), ("here", "test"), ("there", "test"))
    ]
    row = found.loc[(2, "here", "test")]
    assert (row["mean"], row["best"], row["seeds"]) == (0.75, 0.9, 2)
    assert row["std"] == pytest.approx(np.sqrt(2) * 0.15)
    assert found.loc[(3, "here", "test"), "std"] == 0
    assert np.isnan(found_table(TOY, {"REA": FOUND[:1]}, [1])["std"]).all()
    for budget in (0, 4):
        with pytest.raises(ConfigError, match=f"budget of {budget} queries"):
            found_table(TOY, {"REA": FOUND}, [budget])


def test_the_form_of_table_v():
    form = table_v(found_table(TOY, {"REA": FOUND, "REINFORCE": FOUND}, [2, 3]), 2)
    assert form.index.tolist() == ["REA", "REINFORCE"]
    assert form.columns.tolist() == [("here", "valid"), ("here", "test"), ("there", "test")]
    assert form.loc["REA", ("here", "test")] == "75.00±21.21 (90.00)"
    one = table_v(found_table(TOY, {"REA": FOUND[:1]}, [2]), 2)
    assert one.loc["REA", ("here", "test")] == "90.00"
    with pytest.raises(ConfigError, match="choose one of 2, 3"):
        table_v(found_table(TOY, {"REA": FOUND}, [2, 3]), 5)


def test_the_regret_curve():
    curve = regret_curve(TOY, FOUND)
    assert curve["query"].tolist() == [1, 2, 3]
    np.testing.assert_allclose(curve["mean"], [0.35, 0.15, 0.1])  # of 0.4 and 0.3; 0 and 0.3; 0.1 and 0.1
    np.testing.assert_allclose(curve["q50"], curve["mean"])
    np.testing.assert_allclose(curve["q10"], [0.31, 0.03, 0.1])
    # of two seeds a resample has one of them twice in half of all cases
    np.testing.assert_allclose(curve["low"], [0.3, 0.0, 0.1])
    np.testing.assert_allclose(curve["high"], [0.4, 0.3, 0.1])
    one = regret_curve(TOY, FOUND[:1])
    np.testing.assert_allclose(one["mean"], [0.4, 0.0, 0.1])
    assert one[["low", "high"]].isna().all(axis=None)


def test_the_interval_is_that_of_a_mean():
    """For many seeds, the bootstrap's interval is about 1.96 standard errors to each side."""
    rows = np.random.default_rng(0).integers(4, size=(400, 1))
    curve = regret_curve(TOY, rows).iloc[0]
    regret = 0.9 - TOY.truth["here"].test[rows[:, 0]]
    error = 1.96 * regret.std(ddof=1) / 20
    assert curve["mean"] == pytest.approx(regret.mean(), abs=1e-6)
    assert curve["high"] - curve["mean"] == pytest.approx(error, rel=0.1)
    assert curve["mean"] - curve["low"] == pytest.approx(error, rel=0.1)


def test_long_curves_are_thinned_evenly_in_the_logarithm():
    curve = regret_curve(TOY, np.zeros((2, 5000), int))
    assert len(curve) <= 40 and curve["query"].iloc[0] == 1 and curve["query"].iloc[-1] == 5000
    steps = np.diff(np.log(curve["query"].to_numpy()[10:]))
    assert steps.max() < 1.6 * steps.min()


def test_the_runs_of_table_v():
    runs = table_v_runs(seeds=7)
    assert [config.dataset for config in runs] == ["cifar10", "cifar100", "imagenet16-120"]
    assert [config.lookups for config in runs] == [("cifar100", "imagenet16-120"), (), ()]
    assert all(config.reward_epochs == 12 and config.seeds == 7 and config.budgets == BUDGETS for config in runs)
    assert len({config.digest for config in runs}) == 3


def test_beside_the_paper():
    place = {"method": "REA", "dataset": "cifar100", "split": "test"}
    found = pd.DataFrame([{**place, "queries": 9, "mean": 0.7323, "std": 0.005, "best": 0.75, "seeds": 4}])
    (row,) = beside_the_paper(found, 9).to_dict("records")
    assert {name: row[name] for name in place} == place
    assert (row["paper_mean"], row["paper_std"]) == (72.23, 0.84)
    assert row["difference"] == pytest.approx(1.0) and row["in_std"] == pytest.approx(2.0)
    with pytest.raises(ConfigError, match="after 8 queries"):
        beside_the_paper(found, 8)


@pytest.fixture
def macro(shared_data, monkeypatch):
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(shared_data))


def test_a_stored_run_is_what_the_searches_find(results, macro):
    config = TabularRun("nasbench-macro", queries=60, budgets=(10, 60), seeds=5)
    result = run(config)
    truth = get_benchmark("nasbench-macro")
    landscape = Landscape.of(truth)
    found = run_searches(landscape, config.methods, 60, range(5))
    pd.testing.assert_frame_equal(result.table("found"), found_table(landscape, found, (10, 60)))
    assert list(result.curves) == ["REA", "REINFORCE", "random search"]
    for name, rows in found.items():
        # the table's means of the runs that were not searched with
        others = truth.runs[:, 1:].mean(axis=1)
        end = result.curve(name).iloc[-1]
        assert end["query"] == 60
        assert end["mean"] == pytest.approx((others.max() - others[rows[:, -1]]).mean(), abs=1e-6)
    assert result.metrics["archs"] == 6561 and "one training run" in result.metrics["reward"]
    assert stored(config).path.stat().st_size < 15_000
    assert "22212220" not in json.dumps(result.tables)
    with pytest.raises(BenchmarkError, match="epochs"):
        run(TabularRun("nasbench-macro", reward_epochs=12, queries=5, budgets=(5,), seeds=1))


def same_as_shipped(result, config):
    """What the project ships of a run is what comes out now."""
    shipped = stored(config, profile="laptop", root=Path(__file__).parents[2] / "data" / "results")
    pd.testing.assert_frame_equal(result.table("found"), shipped.table("found"), rtol=0, atol=1e-12)


def test_the_shipped_results_of_nasbench_macro(results, macro):
    config = TabularRun("nasbench-macro")
    same_as_shipped(run(config), config)


def test_the_papers_numbers_on_the_real_table(results, shared_data, tmp_path, monkeypatch):
    """Table V's means lie within a third of our standard deviation if each data set is searched with 177 queries."""
    (tmp_path / "nasbench201.csv.gz").write_bytes((shared_data / "nasbench201.csv.gz").read_bytes())
    monkeypatch.setenv("MNGNAS_BENCHMARKS", str(tmp_path))
    beside = []
    for config in table_v_runs():
        same_as_shipped(run(config), config)
        found = run(config).table("found")
        beside.append(beside_the_paper(found[found["dataset"] == config.dataset], BUDGETS[1]))
    table = pd.concat(beside)
    assert len(table) == len(PAPER)
    assert table["in_std"].abs().max() < 1 / 3
