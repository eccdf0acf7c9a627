"""A table that grows line by line."""

import pytest

from mngnas_lib.benchmarks.kit_table import COLUMNS, Row
from mngnas_lib.errors import BenchmarkError
from mngnas_lib.truth import TruthTable

IDENTITY = {"space": "nasbench-macro", "sizes": {"channels": 4, "stages": (2, 3, 3)}, "data": {"source": "digits"}}
IDENTITY |= {"fingerprint": "ab", "train": {"epochs": 1}}
ROW = Row("00000000", 0, 0.5, 0.123456, 10, 20, 1, 1.234, "0.1.0")


def another(**changes) -> Row:
    return Row(**(vars(ROW) | changes))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "kit.csv"


def test_what_was_appended_is_there_for_the_next(path):
    table = TruthTable(path, IDENTITY)
    rows = [ROW, another(seed=1, test=1.0), another(arch="11111111", valid=0.0)]
    for row in rows:
        table.append(row)
    again = TruthTable(path, IDENTITY)
    # accuracies are kept to a hundredth of a thousandth of a percent
    assert list(again.rows) == [("00000000", 0), ("00000000", 1), ("11111111", 0)]
    assert again.rows["00000000", 0].test == pytest.approx(0.123456, abs=5e-7)
    assert again.frame()["seconds"].tolist() == [1.23, 1.23, 1.23]
    assert path.read_text().splitlines()[1] == "nasbench-macro,00000000,0,50.0000,12.3456,10,20,1,1.23,0.1.0"


def test_line_that_was_cut_off_goes_and_the_rest_stays(path):
    table = TruthTable(path, IDENTITY)
    table.append(ROW)
    table.append(another(seed=1))
    content = path.read_bytes()
    for length in range(len(content) - 1, content.rfind(b"\n", 0, -1), -1):
        path.write_bytes(content[:length])
        assert list(TruthTable(path, IDENTITY).rows) == [("00000000", 0)]
        assert path.read_bytes() == content[: content.rfind(b"\n", 0, -1) + 1]
    TruthTable(path, IDENTITY).append(another(seed=1))
    assert path.read_bytes() == content


def test_sorted_table_does_not_depend_on_the_order_of_work(path, tmp_path):
    rows = [another(arch=arch, seed=seed) for arch in ("22222222", "00000000", "11111111") for seed in (1, 0)]
    texts = []
    for number, order in enumerate((rows, rows[::-1])):
        table = TruthTable(tmp_path / f"{number}.csv", IDENTITY)
        for row in order:
            table.append(row)
        table.sort(["11111111", "22222222"])
        texts.append(table.path.read_text())
        assert [(row.arch[0], row.seed) for row in table.rows.values()] == [
            ("1", 0), ("1", 1), ("2", 0), ("2", 1), ("0", 0), ("0", 1),
        ]  # fmt: skip
    assert texts[0] == texts[1]


def test_same_training_twice_is_refused(path):
    table = TruthTable(path, IDENTITY)
    table.append(ROW)
    with pytest.raises(BenchmarkError, match="already"):
        table.append(ROW)
    path.write_text(path.read_text() + path.read_text().splitlines()[1] + "\n")
    with pytest.raises(BenchmarkError, match="line 3: 00000000 with seed 0 is in line 2"):
        TruthTable(path, IDENTITY)


@pytest.mark.parametrize("key", list(IDENTITY))
def test_table_of_other_settings_is_refused(path, key):
    TruthTable(path, IDENTITY).append(ROW)
    before = path.read_text()
    with pytest.raises(BenchmarkError, match=f"other settings.*{key}.*another file"):
        TruthTable(path, IDENTITY | {key: "other"})
    assert path.read_text() == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda lines: [",".join(COLUMNS[1:]), *lines[1:]], "first line"),
        (lambda lines: [*lines, lines[1].replace("50.0000", "")], "line 3 is damaged"),
        (lambda lines: [*lines, lines[1].replace("50.0000", "150.0")], "line 3 has an accuracy outside"),
        (lambda lines: [*lines, lines[1].replace("nasbench-macro", "nasbench201")], "line 3 is of nasbench201"),
        (lambda lines: [*lines, lines[1] + ",1"], "line 3 is damaged"),
        (lambda lines: [*lines, "nasbench-macro,11111111"], "line 3 is damaged"),
    ],
)
def test_damage_is_named(path, damage, said):
    TruthTable(path, IDENTITY).append(ROW)
    path.write_text("\n".join(damage(path.read_text().splitlines())) + "\n")
    with pytest.raises(BenchmarkError, match=said):
        TruthTable(path, IDENTITY)


def test_table_without_its_card(path):
    TruthTable(path, IDENTITY).append(ROW)
    card = path.with_suffix(".json")
    text = card.read_text()
    for content, said in (
        (None, "missing"),
        (text[:-20], "damaged"),
        ("[]", "no card"),
        ('{"space": 1}', "lacks sizes"),
    ):
        card.unlink() if content is None else card.write_text(content)
        with pytest.raises(BenchmarkError, match=said):
            TruthTable(path, IDENTITY)
