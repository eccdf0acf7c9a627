import re

import pytest

from mngnas_lib.errors import PaperDataError
from mngnas_lib.paper import TABLES, layout, paper_table, render

ROMANS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV", "XVI"]


@pytest.fixture(scope="session")
def paper_lines(shared_data):
    path = shared_data.parent / "paper" / "mngnas.md"
    if not path.is_file():
        pytest.skip("the paper's text is not beside the optional shared data folder")
    return path.read_text(encoding="utf-8").splitlines()


def printed(lines, number):
    """The cells of a table in the paper's text, with its marks for bold, and signs in place of TeX."""
    (start,) = (place for place, line in enumerate(lines) if line.startswith(f"TABLE {ROMANS[number - 1]}:"))
    start = next(place for place, line in enumerate(lines) if place > start and line)
    stop = next(place for place, line in enumerate(lines) if place > start and not line)
    text = "\n".join(lines[start:stop]).replace(" $\\pm$ ", " ± ").replace("</b> <b>", " ")
    return [line.split("\t") for line in re.sub(r"\$AP_\{(\d+)\}\$", r"AP\1", text).split("\n")]


@pytest.mark.parametrize("number", TABLES)
def test_the_layout_is_the_paper_s_cell_by_cell(paper_lines, number):
    ours = [[f"<b>{cell.text}</b>" if cell.bold else cell.text for cell in line] for line in layout(number)]
    assert ours == printed(paper_lines, number)


@pytest.mark.parametrize("number", TABLES)
def test_lines_are_equally_long_and_cells_are_all_there(number):
    lines, table = layout(number), paper_table(number)
    stub, columns = len(TABLES[number].stub), table["column"].nunique()
    assert {len(line) for line in lines} == {stub + columns}
    headers = table["column"].str.count(" / ").max() + 1
    assert [cell.text for line in lines[headers:] for cell in line[stub:] if cell.text] == [
        part for row in stacked(table) for part in row if part
    ]


def stacked(table):
    """Printed cells in reading order, cells of two lines one line after the other."""
    for _, row in table.groupby("line"):
        cells = [text.split("\n") for text in row["printed"]]
        yield from zip(*cells, strict=True)


def test_a_table_drawn_by_hand():
    assert render(11).splitlines() == [
        "|                               | SPOS  | FairNAS | MixPath   |",
        "| ----------------------------- | ----- | ------- | --------- |",
        "| w/o KD                        | 56.46 | 57.15   | 57.13     |",
        "| Single KD                     | 56.82 | 57.29   | 57.31     |",
        "| Adaptive Ensemble KD          | 57.13 | 57.51   | 57.81     |",
        "| Searched Adaptive Ensemble KD | 57.19 | 57.45   | 58.01     |",
        "| **MNGNAS**                    | 57.32 | 57.48   | **58.04** |",
    ]


def test_group_labels_stand_once_and_bold_stays():
    text = [[cell.strip() for cell in line.strip("|").split("|")] for line in render(9).splitlines()]
    assert text[0][:6] == ["SuperNet Training Algorithm", "Distillation Algorithm", "CIFAR10", "", "", "CIFAR100"]
    assert text[2][:5] == ["", "", "#Params", "#MAdds", "Error"]
    assert [line[0] for line in text[3:]] == ["SPOS", *[""] * 4, "FairNAS", *[""] * 4, "MixPath", *[""] * 4]
    assert text[7][1] == "**MNGNAS**" and text[7][4] == "**2.31**" and text[7][2] == "3.47"


def test_two_printed_lines_stay_two():
    lines = [[cell.text for cell in line] for line in layout(10)]
    assert [line[:3] for line in lines[6:9]] == [
        ["MNGNAS (S)", "(91.42)", "(93.65)"],
        ["", "91.27±0.12", "93.80±0.40"],
        ["", "(91.49)", "(93.76)"],
    ]


def test_no_such_table():
    with pytest.raises(PaperDataError, match="choose 1 to 16"):
        render(17)
