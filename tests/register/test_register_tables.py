"""Tables: every number of the paper as printed, ours beside it from stored results, bold only what is significant."""

from __future__ import annotations

import io
import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mngnas_lib.lab import get_profile
from mngnas_lib.lab.tabular_runs import BUDGETS
from mngnas_lib.paper import paper_table
from mngnas_lib.paper.significance import Sample
from mngnas_lib.register import ITEMS, get_item
from mngnas_lib.register.formats import FORMATS, grid
from mngnas_lib.register.measured import Measured, Value, measured, summary
from mngnas_lib.register.needs import NEEDS
from mngnas_lib.register.tables import NOT_MEASURED, beside, clearly_best, place, side_by_side

TABLES = [item for item in ITEMS if item.is_table]
QUICK, LAPTOP = get_profile("quick"), get_profile("laptop")


def cell(mean: float, std: float = 0.1, n: int = 4) -> Measured:
    return Measured(mean, std, mean, mean - std, mean + std, n, "0 to 3", "digits")


def needs(name: str, profile=LAPTOP, **about):
    item = get_item(name)
    return [need for need in NEEDS[item.needs](profile) if about.items() <= need.about.items()]


@pytest.fixture
def searches(store):
    """Table V's searches on CIFAR-10: test accuracies of SPOS 92, 93, 94, 91 and of MNGNAS all 94.37."""
    for algorithm, regrets in (("SPOS", (2.37, 1.37, 0.37, 3.37)), ("MNGNAS", (0.0, 0.0, 0.0, 0.0))):
        for need, regret in zip(needs("tab-05", algorithm=algorithm, dataset="CIFAR10"), regrets, strict=True):
            store(need.config, {"valid_regret": 0.01, "test_regret": regret / 100}, profile="laptop")


def test_searches_are_the_optimum_less_their_regret(searches):
    found = measured(get_item("tab-05"), LAPTOP)
    assert len(found) == 4  # two algorithms, two splits
    about = {"strategy": "SPOS", "algorithm": "SPOS", "dataset": "CIFAR10"}
    ours = found[frozenset((about | {"split": "test"}).items())]
    accuracies = [92.0, 93.0, 94.0, 91.0]
    assert ours.mean == pytest.approx(92.5) and ours.best == pytest.approx(94.0)
    assert ours.std == pytest.approx(np.std(accuracies, ddof=1))
    expected = stats.t.interval(0.95, 3, np.mean(accuracies), stats.sem(accuracies))
    assert (ours.low, ours.high) == pytest.approx(expected)
    assert (ours.n, ours.seeds) == (4, "0, 1, 2, 3")
    assert "cifar10 at 16×16 pixels" in ours.data
    assert found[frozenset((about | {"split": "valid"}).items())].mean == pytest.approx(90.61)


def test_one_seed_has_no_interval():
    one = summary([Value(90.0, 3, "digits")])
    assert (one.mean, one.n, one.seeds) == (90.0, 1, "3")
    assert math.isnan(one.low) and math.isnan(one.std)


def test_searches_on_a_table_fill_the_rows_that_the_paper_has(store):
    run = next(need.config for need in NEEDS["nasbench201_methods"](LAPTOP) if need.config.kind == "tabular")
    rows = [
        {"method": method, "queries": queries, "dataset": dataset, "split": "test"}
        | {"mean": 0.9 + queries / 1e6, "std": 0.01, "best": 0.95, "seeds": 100}
        for method in ("REA", "random search")
        for queries in BUDGETS
        for dataset in ("cifar10", "cifar100")
    ]
    store(run, {}, {"found": pd.DataFrame(rows)}, profile="laptop")
    ((about, ours),) = measured(get_item("tab-05"), LAPTOP).items()
    assert dict(about) == {"algorithm": "REA", "dataset": "CIFAR10", "split": "test"}
    assert ours.mean == pytest.approx(90 + BUDGETS[0] / 1e4) and ours.n == 100
    assert ours.high - ours.mean == pytest.approx(stats.t.ppf(0.975, 99) * 1.0 / 10)


def test_taus_stand_in_the_rows_of_their_algorithms_with_their_own_interval(store):
    (need,) = needs("tab-11")
    names = need.config.names
    taus = pd.DataFrame({"name": names, "tau": [0.5, 0.51, 0.52, 0.53, 0.6], "low": 0.4, "high": 0.7})
    store(need.config, {"n": 80}, {"taus": taus}, profile="laptop")
    table = side_by_side(get_item("tab-11"), LAPTOP).tidy
    ours = table[table["ours_mean"].notna()].set_index("row")
    assert ours["column"].unique().tolist() == ["SPOS"]
    assert ours["ours_mean"].to_dict() == pytest.approx(
        {"w/o KD": 50, "Single KD": 51, "Adaptive Ensemble KD": 52, "Searched Adaptive Ensemble KD": 53, "MNGNAS": 60}
    )
    assert (ours["ours_low"] == 40).all() and ours["ours_data"].str.contains("80 architectures").all()


@pytest.mark.parametrize("item", TABLES, ids=lambda item: item.id)
def test_every_number_of_the_paper_is_in_all_forms(project, item):
    table, paper = side_by_side(item, QUICK), paper_table(item.number)
    csv = pd.read_csv(io.StringIO(FORMATS["csv"](table)), dtype=str, keep_default_na=False)
    assert csv["paper_printed"].tolist() == paper["printed"].tolist()
    assert csv["row"].tolist() == paper["row"].tolist()
    shown = [[word.text for word in row] for row in grid(table)]
    assert {len(row) for row in shown} == {len(shown[0])}
    texts = {text for row in shown for text in row}
    assert {" ".join(text.split()) for text in paper["printed"]} <= texts
    assert len(shown) == 1 + paper["line"].nunique()


@pytest.mark.parametrize("item", TABLES, ids=lambda item: item.id)
def test_without_results_tables_say_that_nothing_is_measured(project, item):
    table = side_by_side(item, QUICK)
    rows = [[word.text for word in row] for row in grid(table)]
    assert rows[0][-1] == "ours" and {row[-1] for row in rows[1:]} == {NOT_MEASURED}
    for form in ("md", "tex"):
        assert "Ours: not measured yet under the profile quick." in FORMATS[form](table)
    assert table.tidy["ours_mean"].isna().all()


def test_ours_stand_beside_the_papers_with_what_they_are_of(searches):
    text = FORMATS["md"](side_by_side(get_item("tab-05"), LAPTOP))
    lines = text.splitlines()
    head = next(line for line in lines if "paper" in line).split(" | ")
    row = next(line for line in lines if line.startswith("| SPOS [9]")).split(" | ")
    place_of = head.index("CIFAR10 / Test, ours")
    assert row[place_of - 1] == "93.41±0.14 (93.62)"
    assert re.fullmatch(r"92\.50 \[90\.45, 94\.55\], n = 4 \[a\]", row[place_of])
    assert "CIFAR100 / Test, ours" not in text
    assert "[a] measured: profile laptop, n = 4, seeds 0, 1, 2, 3, data: cifar10" in text


def test_latex_has_balanced_rows_and_no_bare_sign(searches):
    for item in TABLES:
        text = FORMATS["tex"](side_by_side(item, LAPTOP))
        body = text[text.index(r"\toprule") : text.index(r"\bottomrule")]
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        columns = re.search(r"\\begin\{tabular\}\{(\w+)\}", text)[1]
        assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {len(columns) - 1}
        for sign in "%#_±×†<":
            outside = text.split("\n", 1)[1].replace("{!}{%", "").replace("$<$", "")
            assert not re.search(rf"(?<!\\){sign}", outside), (item.id, sign)


def test_markdown_has_rows_of_equally_many_cells(searches):
    for item in TABLES:
        lines = [line for line in FORMATS["md"](side_by_side(item, LAPTOP)).splitlines() if line.startswith("|")]
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1


def test_only_a_clear_best_is_bold():
    paper = paper_table(10)
    of_spos = (paper["strategy"] == "SPOS") & (paper["column"] == "CIFAR10 / Test")
    rows = paper.index[of_spos & paper["value"].notna()]
    for means, bold in (((90, 91, 92, 93, 95), True), ((90, 91, 92, 94.99, 95), False)):
        ours: list[Measured | None] = [None] * len(paper)
        for row, mean in zip(rows, means, strict=True):
            ours[row] = cell(mean)
        table = beside(get_item("tab-10"), QUICK, paper, ours)
        assert [row for row, is_bold in enumerate(table.ours_bold) if is_bold] == ([rows[4]] if bold else [])
        assert ("**95.00" in FORMATS["md"](table)) == bold
        assert (r"\textbf{95.00" in FORMATS["tex"](table)) == bold


def test_the_papers_bold_falls_where_no_deviation_is_printed_or_the_difference_is_noise(project):
    for number in (1, 5, 11):
        table = side_by_side(get_item(f"tab-{number:02d}"), QUICK)
        assert table.paper["bold"].any() and not any(table.paper_bold)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.floats(0.1, 3), st.integers(2, 6)), min_size=2, max_size=4),
    st.booleans(),
)
def test_the_best_is_clear_if_welch_says_so_of_each_other_one(drawn, lower):
    samples = [Sample(float(mean), std, n) for mean, std, n in drawn]
    found = clearly_best(samples, lower=lower)
    order = [tuple(vars(sample).values()) for sample in sorted(samples, key=lambda s: s.mean, reverse=not lower)]
    p_values = [stats.ttest_ind_from_stats(*order[0], *other, equal_var=False)[1] for other in order[1:]]
    assert (found is not None) == (max(p_values) < 0.05)
    assert found is None or samples[found].mean == order[0][0]


def test_no_noise_is_no_evidence():
    assert clearly_best([Sample(1.0, 0.0), Sample(2.0, 0.0)]) is None
    assert clearly_best([Sample(1.0, 0.1)]) is None


def test_algorithm_d_stands_beside_its_mean_and_not_beside_the_line_of_its_best():
    paper = paper_table(10)
    about = {"strategy": "SPOS", "letter": "D", "dataset": "CIFAR10", "split": "test"}
    placed = place(paper, {frozenset(about.items()): cell(90.0)})
    (row,) = (row for row, ours in enumerate(placed) if ours is not None)
    assert paper["printed"][row] == "93.29±0.24"


def test_a_number_that_fits_no_cell_or_two_is_an_error():
    paper = paper_table(10)
    place(paper, {})
    for about in ({"letter": "F"}, {"letter": "A"}):
        with pytest.raises(LookupError):
            place(paper, {frozenset(about.items()): cell(90.0)})
