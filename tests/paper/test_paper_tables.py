import csv
import re
import shutil

import pandas as pd
import pytest

from mngnas_lib import places
from mngnas_lib.errors import PaperDataError
from mngnas_lib.paper import COLUMNS, TABLES, paper_folder, paper_table, paper_tables
from mngnas_lib.paper import tables as module

ROMANS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"]

#: printed lines below the header and columns right of the labels, counted in the paper
SIZES = {
    1: (25, 8), 2: (15, 3), 3: (14, 4), 4: (8, 4), 5: (13, 6), 6: (13, 5), 7: (6, 5), 8: (5, 12),
    9: (15, 12), 10: (21, 6), 11: (5, 3), 12: (6, 12), 13: (6, 12), 14: (6, 12), 15: (6, 6), 16: (4, 9),
}  # fmt: skip

#: each metric's unit, and bounds that hold for whatever the paper prints
METRICS = {
    "error": ("%", 2, 61),
    "top-1": ("%", 16, 95),
    "top-5": ("%", 92, 94),
    "AP": ("%", 28, 34),
    "AP50": ("%", 46, 56),
    "AP75": ("%", 29, 38),
    "params": ("M", 2, 70),
    "search cost": ("GPU days", 0.2, 12),
    "tau": ("tau x 100", 56, 59),
}

#: sums added by hand from the paper's text: table, column, rows, then sums of values, deviations, bests
SUMS = [
    (1, "CIFAR10 / Error", {}, 74.00, 0, 0),
    (5, "CIFAR100 / Test", {}, 853.05, 15.69, 435.03),
    (9, "ImageNet / TOP-1", {}, 1069.81, 0, 0),
    (10, "CIFAR10 / Test", {"letter": "E"}, 280.14, 0.90, 281.31),
    (11, "SPOS", {}, 284.92, 0, 0),
    (11, "FairNAS", {}, 286.88, 0, 0),
    (11, "MixPath", {}, 288.30, 0, 0),
    (16, "CIFAR10 / S", {}, 9.12, 0, 0),
    (16, "CIFAR100 / M", {}, 66.50, 0, 0),
    (16, "ImageNet / F", {}, 107.45, 0, 0),
]


@pytest.fixture(scope="module")
def cells():
    return paper_tables()


def pick(cells, /, **where):
    for name, value in where.items():
        cells = cells[cells[name] == value]
    return cells


def only(cells, /, **where):
    (place,) = pick(cells, **where).index
    return cells.loc[place]


@pytest.mark.parametrize("number", SIZES)
def test_every_printed_cell_is_there_once(number):
    table, (lines, columns) = paper_table(number), SIZES[number]
    assert set(table["table"]) == {number}
    assert table["column"].nunique() == columns
    printed = table.groupby("line")["printed"].agg(lambda cell: {len(text.splitlines() or [""]) for text in cell})
    assert all(len(heights) == 1 for heights in printed)
    assert sum(max(heights) for heights in printed) == lines
    order = list(dict.fromkeys(table["column"]))
    assert all(columns == order for columns in table.groupby("line")["column"].agg(list))
    assert table["line"].is_monotonic_increasing


def test_columns_have_the_documented_types(cells):
    assert list(cells) == list(COLUMNS)
    assert list(cells["table"].drop_duplicates()) == list(TABLES) == list(range(1, 17))
    for name, kind in COLUMNS.items():
        if kind == "str":
            assert all(isinstance(text, str) for text in cells[name])
            assert (cells[name] == cells[name].str.strip()).all()
        else:
            assert str(cells[name].dtype) == kind


def test_values_are_the_printed_ones(cells):
    """The text of value, std and best, put together in the paper's ways, is the printed text, digit for digit."""
    empty = 0
    for number in TABLES:
        path = paper_folder() / "tables" / f"table_{number:02d}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            for cell in csv.DictReader(file):
                assert re.fullmatch(r"(\d+(\.\d+)?)?", cell["value"] or cell["best"])
                std, best = cell["std"] and f"±{cell['std']}", cell["best"] and f"({cell['best']})"
                text = cell["value"] + std + best
                if not text:
                    assert cell["printed"] in ("", "-", "<1")
                    empty += 1
                else:
                    assert text == re.sub(r"\s", "", cell["printed"])
    # dashes: 6 in I, 6 in III, 3 in IV, 4 in VI, 1 in VII; left empty: 6 in I; below 1: 2 in VI
    assert empty == 28 == (cells["value"].isna() & cells["best"].isna()).sum()


def test_units_and_ranges(cells):
    assert set(cells["metric"]) == {*METRICS, "madds"}
    for metric, (unit, low, high) in METRICS.items():
        some = cells[cells["metric"] == metric]
        assert set(some["unit"]) == {unit}
        values = pd.concat([some["value"], some["best"]]).dropna()
        assert values.between(low, high).all(), metric
    madds = cells[cells["metric"] == "madds"]
    assert set(madds.loc[madds["table"] == 7, "unit"]) == {"G"} and set(madds.loc[madds["table"] != 7, "unit"]) == {"M"}
    assert madds.loc[madds["unit"] == "M", "value"].dropna().between(200, 9000).all()
    assert cells["std"].dropna().between(0, 9).all() and cells.loc[cells["std"].notna(), "value"].notna().all()


@pytest.mark.parametrize(("number", "column", "where", "value", "std", "best"), SUMS)
def test_columns_add_up_to_sums_made_by_hand(number, column, where, value, std, best):
    some = pick(paper_table(number), column=column, **where)
    assert some[["value", "std", "best"]].sum().round(2).tolist() == [value, std, best]


def test_labels_and_what_they_mean_agree(cells):
    spaces = {"", "ShuffleNet", "MobileNet", "DARTS", "NAS-Bench-101", "NAS-Bench-201", "NAS-Bench-Macro"}
    assert set(cells["search_space"]) == spaces
    assert set(cells["strategy"]) == {"", "SPOS", "FairNAS", "MixPath"}
    assert set(cells["dataset"]) == {"", "CIFAR10", "CIFAR100", "ImageNet16-120", "ImageNet", "COCO"}
    assert set(cells["split"]) == {"", "valid", "test"}
    named = cells[cells["citation"].notna()]
    assert all(f"{cell.algorithm} [{cell.citation}]" in cell.row for cell in named.itertuples())
    assert (named.groupby("algorithm")["citation"].nunique() == 1).all()
    for letter, strategy in (("S", "SPOS"), ("F", "FairNAS"), ("M", "MixPath")):
        labelled = cells["row"].str.contains(f"MNGNAS ({letter})", regex=False)
        some = cells[labelled | cells["column"].str.endswith(f"/ {letter}")]
        assert set(some["strategy"]) == {strategy}
    for head, dataset in (("CIFAR10 /", "CIFAR10"), ("CIFAR100 /", "CIFAR100"), ("ImageNet /", "ImageNet")):
        assert set(cells.loc[cells["column"].str.startswith(head), "dataset"]) == {dataset}


def test_the_five_retraining_algorithms_have_one_letter_each(cells):
    some = cells[cells["letter"] != ""]
    assert set(some["table"]) == {8, 9, 10, 11}
    names = {name: set(group["letter"]) for name, group in some[some["table"] != 10].groupby("retraining")}
    assert names == {
        "w/o KD": {"A"},
        "Single KD": {"B"},
        "Average Ensemble KD": {"C"},
        "Adaptive Ensemble KD": {"C"},
        "Searched Adaptive Ensemble KD": {"D"},
        "MNGNAS": {"E"},
    }
    assert ((some["algorithm"] == "MNGNAS") == (some["letter"] == "E")).all()
    runs = some[some["value"].notna()].groupby(["table", "strategy", "letter", "column"]).size()
    assert (runs == 1).all()


def test_numbers_of_teachers_and_perturbed_architectures_are_the_labels(cells):
    for number, name in ((12, "teachers"), (13, "teachers"), (14, "teachers"), (15, "teachers"), (16, "perturbed")):
        table = pick(cells, table=number)
        assert (table[name].astype(str) == table["row"]).all()
        assert set(table["algorithm"]) == {"MNGNAS"}
    assert cells["teachers"].notna().sum() == 3 * 72 + 36 and cells["perturbed"].notna().sum() == 36


def test_table_10_joins_means_with_their_bests():
    table = paper_table(10)
    cell = only(table, algorithm="MNGNAS", strategy="FairNAS", column="CIFAR100 / Valid")
    assert (cell["value"], cell["std"], cell["best"], cell["printed"]) == (71.80, 0.14, 72.41, "71.80±0.14\n(72.41)")
    alone = table[table["value"].isna()]
    assert set(alone["letter"]) == {"D"} and len(alone) == 18
    assert alone["reading"].str.contains("printed beside the label MNGNAS").all()
    assert pick(alone, column="CIFAR10 / Test")["best"].tolist() == [93.65, 93.82, 93.60]


def test_captions_do_not_say_what_the_numbers_are(cells):
    for number in (5, 10):
        some = pick(cells, table=number)
        assert set(some["metric"]) == {"top-1"} and some["reading"].str.contains("says test error rate").all()
    for number in (12, 13, 14):
        some = pick(cells, table=number, dataset="ImageNet16-120")
        assert set(some["metric"]) == {"error"}
        assert some["reading"].str.contains("other tables print the accuracy").all()


@pytest.mark.parametrize(
    ("number", "row", "column", "says"),
    [
        (1, "MobileNet / MNGNAS (F)", "CIFAR10 / Error", "higher than its baseline"),
        (2, "DARTS / MNGNAS (M)", "Top-1", "MixPath and MNGNAS \\(M\\) have the same value"),
        (5, "SNAS [51]", "ImageNet16-120 / Test", "GDAS and SNAS have the same"),
        (5, "MNGNAS (F)", "CIFAR10 / Valid", "above the optimum"),
        (5, "FairNAS [35]", "CIFAR10 / Test", "0.43 above the mean, 5.38 deviations"),
        (9, "MixPath / Adaptive Ensemble KD", "ImageNet / TOP-1", "not an accuracy of ImageNet"),
        (9, "SPOS / MNGNAS", "CIFAR100 / Error", "bold, though two other rows"),
        (11, "MNGNAS", "FairNAS", "not the highest"),
        (16, "4", "ImageNet / S", "Table XIV prints 27.44"),
    ],
)
def test_slips_are_noted(number, row, column, says):
    assert re.search(says, only(paper_table(number), row=row, column=column)["note"])


def test_notes_that_quote_another_table_quote_it_right(cells):
    """'Table I prints 2.68 for this run' stands only where Table I prints 2.68 for it."""
    quote = re.compile(r"Table ([IVX]+) (?:prints|has) (?:another value, )?([\d.±]+(?: \([\d.]+\))?)")
    quoted = 0
    for cell in cells[cells["note"] != ""].itertuples():
        for roman, text in quote.findall(cell.note):
            other = cells[(cells["table"] == ROMANS.index(roman) + 1) & (cells["dataset"] == cell.dataset)]
            if cell.strategy:  # Table XV does not say
                other = other[other["strategy"] == cell.strategy]
            assert set(other["search_space"]) >= {cell.search_space}
            printed = other.loc[other["search_space"] == cell.search_space, "printed"].str.replace("\n", " ")
            assert text in set(printed), (cell.table, cell.row, cell.column, cell.note)
            quoted += 1
    assert quoted > 60


def test_no_impossible_best_goes_without_a_note(cells):
    optimum = pick(cells, table=5, row="Optimal").set_index("column")["value"]
    some = cells[cells["best"].notna()]
    above = some[some["best"] > some["column"].map(optimum)]
    assert len(above) == 3 and above["note"].str.contains("above the optimum").all()
    below = some[some["best"] < some["value"]]
    assert len(below) == 1 and below["note"].str.contains("the mean is above the best").all()
    # the largest of four numbers is at most sqrt(3) population deviations above their mean
    far = some[some["best"] - some["value"] > 3**0.5 * (some["std"] + 0.005) + 0.01]
    assert len(far) > 5 and far["note"].str.contains("deviations").all()


def test_a_table_that_the_paper_does_not_have():
    for number in (0, 17):
        with pytest.raises(PaperDataError, match="choose 1 to 16"):
            paper_table(number)


def test_without_a_checkout_the_current_folder_counts(tmp_path, monkeypatch):
    original = paper_folder()
    monkeypatch.setattr(places, "__file__", str(tmp_path / "site" / "mngnas_lib" / "places.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(PaperDataError, match="work in the checkout's folder"):
        paper_table(1)
    shutil.copytree(original, tmp_path / "data" / "paper")
    assert paper_folder() == tmp_path / "data" / "paper"
    assert len(paper_table(11)) == 15


def test_damaged_files_are_named(tmp_path, monkeypatch):
    shutil.copytree(paper_folder() / "tables", tmp_path / "tables")
    monkeypatch.setattr(module, "paper_folder", lambda: tmp_path)
    path = tmp_path / "tables" / "table_11.csv"
    text = path.read_text(encoding="utf-8")
    for damaged in (
        "",
        text.replace("letter", "character"),
        text.replace("56.46", "many"),
        text.replace("\n11,2", '\n11,"2'),
    ):
        path.write_text(damaged, encoding="utf-8")
        with pytest.raises(PaperDataError, match="restore it with git"):
            paper_table(11)
    path.write_bytes(b"\xff\xfe" + text.encode())
    with pytest.raises(PaperDataError, match="restore it with git"):
        paper_table(11)
    path.unlink()
    with pytest.raises(PaperDataError, match=r"table_11.csv is missing"):
        paper_tables()
