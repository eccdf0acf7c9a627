"""What a search leaves behind: tables, wall time, the progress line."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from search_cases import ALL, LOOP, SMALL, STEPS, cells, digits, searched, supernet

from mngnas_lib.errors import ConfigError
from mngnas_lib.search import History, search, stopwatch
from mngnas_lib.search.history import COLUMNS


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("table", COLUMNS)
def test_tables_have_their_columns_even_without_rows(name, table):
    frame = searched(name).result.table(table)
    assert tuple(frame.columns) == COLUMNS[table]
    assert all(f"``{column}``" in History.__doc__ for column in COLUMNS[table])
    rows = getattr(searched(name).result.history, table)
    assert len(frame) == len(rows) and all(tuple(row) == COLUMNS[table] for row in rows)
    if not ALL[name].is_distilling and table == "coefficients":
        assert frame.empty


def test_an_unknown_table_is_named():
    with pytest.raises(ConfigError, match="no table 'losses': choose one of archs, coefficients"):
        searched("none").result.table("losses")


def test_rows_are_plain_data_in_their_ranges():
    for row in searched("mngnas").rows:
        assert {type(value) for value in row.values()} <= {int, float, str, bool}
        assert cells().to_string(cells().from_string(row["arch"])) == row["arch"]
        assert 0 <= row["accuracy_before"] <= 1 and 0 <= row["accuracy"] <= 1 and row["loss"] > 0
        assert row["group"] == ("small" if row["macs"] <= searched("mngnas").result.threshold else "large")


@pytest.mark.parametrize("name", ["none", "mngnas"])
def test_curves_are_means_over_the_students(name):
    found = searched(name)
    table = found.result.table("curves")
    assert table.groupby("search_epoch")["step"].apply(list).tolist() == [list(range(1, STEPS + 1))] * 3
    total = table[["labels", "teachers", "peers"]].sum(axis=1).groupby(table["search_epoch"]).mean()
    losses = found.result.table("archs").groupby("search_epoch")["loss"].mean()
    np.testing.assert_allclose(total, losses, rtol=1e-5)
    later = table[table["search_epoch"] > 1]
    assert (later["teachers"] > 0).all() == (later["peers"] > 0).all() == (name == "mngnas")


def test_curves_of_the_fine_tuning_are_means_over_stretches():
    history, losses = History(), torch.arange(10.0).reshape(5, 2)
    history.add_perturbation(2, "one", losses, rows=2)
    history.add_perturbation(2, "none", losses[:0])
    assert history.perturbation == [
        {"search_epoch": 2, "arch": "one", "step": 3, "labels": 2.0, "perturbed": 3.0},
        {"search_epoch": 2, "arch": "one", "step": 5, "labels": 7.0, "perturbed": 8.0},
    ]


@pytest.mark.parametrize("name", ALL)
def test_the_certificate_is_of_the_coefficients(name):
    gap, residual = searched(name).result.certificate
    algorithm = ALL[name]
    if algorithm.weights == "adaptive" and algorithm.is_distilling:
        assert 0 < gap <= 1e-8 and 0 <= residual < 1e-3
    else:
        assert (gap, residual) == (0.0, 0.0)


# ---------------------------------------------------------------------- wall time


def test_the_parts_add_up_to_the_time_of_a_search_epoch(monkeypatch):
    """With a clock that moves by one whenever it is read, the parts of a search epoch are all readings in it."""
    readings = []

    def perf_counter():
        readings.append(None)
        return float(len(readings))

    for module in (LOOP, stopwatch):
        monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=perf_counter))
    spans, original = [], LOOP._Search.search_epoch

    def search_epoch(run, *arguments):
        before = len(readings)
        original(run, *arguments)
        spans.append(len(readings) - before)

    monkeypatch.setattr(LOOP._Search, "search_epoch", search_epoch)
    table = search(supernet(), digits(), SMALL, progress=False).table("seconds")
    assert table.groupby("search_epoch")["seconds"].sum().tolist() == [span - 1 for span in spans]
    assert (table["seconds"] >= 0).all()
    parts = table.groupby("search_epoch")["part"].apply(set).tolist()
    always = {"ranking", "data", "forward", "losses", "backward", "update", "validation", "perturbation", "rest"}
    assert all(always <= of_epoch for of_epoch in parts)
    assert ["coefficients" in of_epoch for of_epoch in parts] == [False, True, True]
    assert table.groupby("search_epoch")["part"].apply(lambda part: part.is_unique).all()


# ---------------------------------------------------------------------- progress


def test_the_progress_line_tells_epoch_best_and_tau(capsys):
    asked = []

    def truth(archs):
        asked.append(archs)
        return np.array([cells().cost(arch, input_shape=(1, 8, 8)).macs for arch in archs], dtype=float)

    result = search(supernet(), digits(), SMALL, truth=truth, progress=True)
    line = capsys.readouterr().err
    assert "search nasbench201" in line and f"{3 * STEPS}/{3 * STEPS}" in line
    assert f"best={100 * result.best.accuracy:.2f}%" in line and "epoch=3" in line and "tau=" in line
    assert [len(archs) for archs in asked] == [4, 8, 12]
    assert result.best == searched("mngnas").result.best


def test_it_can_be_quiet(capsys):
    search(supernet(), digits(), SMALL, progress=False)
    assert capsys.readouterr() == ("", "")
