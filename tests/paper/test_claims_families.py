"""Each family of claims on tables small enough to decide by hand."""

import pandas as pd
import pytest

from mngnas_lib.errors import ConfigError
from mngnas_lib.paper import COLUMNS
from mngnas_lib.paper.checks import CHECKS, HOLDS, REFUTED, ROUNDING
from mngnas_lib.paper.compare import claim_cells, half_unit, select

#: algorithm, dataset, metric, printed
TOY = [
    ("ours", "CIFAR10", "error", "2.38"),
    ("ours", "CIFAR100", "error", "16.2"),
    ("ours", "CIFAR10", "params", "3.30"),
    ("theirs", "CIFAR10", "error", "2.41"),
    ("theirs", "CIFAR100", "error", "16.2"),
    ("theirs", "CIFAR10", "params", "3.00"),
    ("other", "CIFAR10", "error", "2.30"),
    ("other", "CIFAR100", "error", "16.9"),
]


def table_of(rows, **columns):
    """A table of the paper with these cells; what is not given is empty, as in the files."""
    blank = {name: None if kind in ("float64", "Int64") else "" for name, kind in COLUMNS.items()}
    entries = [
        blank | {"table": 1, "row": a, "algorithm": a, "dataset": d, "metric": m, "printed": p, "value": float(p)}
        for a, d, m, p in rows
    ]
    return pd.DataFrame(entries).assign(line=1, row_bold=False, bold=False, **columns).astype(COLUMNS)


@pytest.fixture(scope="module")
def cells():
    return claim_cells(table_of(TOY))


def verdict(cells, check, where, stated, per="dataset", ours="algorithm=ours", theirs="algorithm=theirs"):
    inside = select(cells, where)
    outcome = CHECKS[check](select(inside, ours), select(inside, theirs), [c for c in per.split(",") if c], stated)
    return outcome.verdict


@pytest.mark.parametrize(
    ("stated", "expected"),
    # one pair lower, one equal: "most" of two is both
    [("some", HOLDS), ("most", REFUTED), ("all", REFUTED)],
)
def test_equal_is_not_better(cells, stated, expected):
    assert verdict(cells, "better", "metric=error", stated) == expected


def test_fewer_parameters_and_lower_error_must_come_together(cells):
    assert verdict(cells, "better_in_all", "metric=error|params; dataset=CIFAR10", "some") == REFUTED
    assert verdict(cells, "better", "metric=error; dataset=CIFAR10", "all") == HOLDS


@pytest.mark.parametrize(
    ("stated", "expected"),
    # 2.41 - 2.38: each may be off by 0.005, and the stated number by half of its last digit
    [("0.03", HOLDS), ("0.04", ROUNDING), ("0.02", ROUNDING), ("0.05", REFUTED), ("0.0", ROUNDING), ("0.3", REFUTED)],
)
def test_a_stated_difference_and_its_rounding(cells, stated, expected):
    where = "metric=error; dataset=CIFAR10"
    assert verdict(cells, "difference", where, stated) == expected
    # 0.03 points worse than one and 0.08 better than another: one suffices
    assert verdict(cells, "some_difference", where, stated, theirs="algorithm!=ours") == expected
    assert verdict(cells, "difference", where, stated, theirs="algorithm!=ours") == REFUTED


def test_the_best_may_be_shared_or_not(cells):
    of_two = "dataset=CIFAR100; metric=error; algorithm=ours|theirs"
    assert verdict(cells, "best", of_two, "all") == HOLDS
    assert verdict(cells, "best_alone", of_two, "all") == REFUTED
    everyone = {"where": "metric=error", "theirs": "algorithm!=ours"}
    assert verdict(cells, "best", stated="all", **everyone) == REFUTED
    assert verdict(cells, "best", stated="some", **everyone) == HOLDS


def test_similar_is_within_a_tenth(cells):
    assert verdict(cells, "similar", "metric=params", "all") == HOLDS  # 3.30 / 3.00 is just a tenth more
    assert verdict(cells, "similar", "metric=params", "all", ours="algorithm=theirs", theirs="algorithm=ours") == HOLDS
    further = claim_cells(table_of([("ours", "", "params", "3.31"), ("theirs", "", "params", "3.00")]))
    assert verdict(further, "similar", "", "all") == REFUTED


def test_unchanged_is_within_five_hundredths(cells):
    assert verdict(cells, "unchanged", "metric=error", "all") == HOLDS
    assert verdict(cells, "unchanged", "metric=error; dataset=CIFAR10", "all", theirs="algorithm=other") == REFUTED
    # 2.38 and 2.30
    wider = {"where": "metric=error; dataset=CIFAR10", "theirs": "algorithm=other"}
    assert verdict(cells, "unchanged", stated="all within 0.08", **wider) == HOLDS
    assert verdict(cells, "unchanged", stated="all within 0.07", **wider) == REFUTED


def test_errors_fall_and_accuracies_rise():
    steps = [("ours", "a", "error", value) for value in ("3.0", "2.5", "2.4")]
    steps += [("ours", "b", "error", value) for value in ("3.0", "3.0", "2.4")]
    falling = claim_cells(table_of(steps))
    assert verdict(falling, "improves", "dataset=a", "all", theirs="") == HOLDS
    assert verdict(falling, "improves", "", "all", theirs="") == REFUTED
    rising = claim_cells(table_of([("ours", "a", "top-1", value) for value in ("70.0", "71.0")]))
    assert verdict(rising, "improves", "", "all", theirs="") == HOLDS


def test_entries_of_a_column(cells):
    assert verdict(cells, "names", "", "theirs|ours", per="algorithm", ours="algorithm!=other") == HOLDS
    assert verdict(cells, "names", "", "ours", per="algorithm", ours="") == REFUTED
    assert verdict(cells, "includes", "", "other|ours", per="algorithm", ours="") == HOLDS
    assert verdict(cells, "includes", "", "ours|nobody", per="algorithm", ours="") == REFUTED
    assert verdict(cells, "count", "", "3", per="algorithm", ours="") == HOLDS
    assert verdict(cells, "count", "", "2", per="algorithm", ours="") == REFUTED


def test_the_best_of_several_runs_is_a_number_of_its_own():
    table = table_of([("ours", "", "top-1", "91.27")], std=0.12, best=91.49, printed="91.27±0.12 (91.49)")
    cells = claim_cells(table)
    assert list(zip(cells["quantity"], cells["value"], cells["shown"], strict=True)) == [
        ("value", 91.27, "91.27"),
        ("best", 91.49, "91.49"),
    ]


def test_half_a_unit_of_the_last_digit():
    assert [half_unit(text) for text in ("2.38", "0.5", "735")] == [0.005, 0.05, 0.5]


def test_what_cannot_be_compared_is_named(cells):
    with pytest.raises(ConfigError, match="column=value"):
        select(cells, "algorithm ours")
    with pytest.raises(ConfigError, match="column of the tables"):
        select(cells, "colour=red")
    with pytest.raises(ConfigError, match="nothing to compare"):
        verdict(cells, "better", "", "all", ours="algorithm=nobody")
    with pytest.raises(ConfigError, match="all, most or some"):
        verdict(cells, "better", "metric=error", "many")
    mixed = claim_cells(table_of([("ours", "", "top-1", "97.6"), ("theirs", "", "error", "2.4")]))
    with pytest.raises(ConfigError, match="do not compare"):
        verdict(mixed, "better", "", "all", per="")
