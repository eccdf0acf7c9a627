"""Sources: names, order, cell ids."""

import nbformat
import pytest

from mngnas_lib.lab.profiles import PROFILES as LAB_PROFILES
from mngnas_lib.notebooks.source import PROFILES, NotebookError, cell_lines, dumps, read_source, sources


def test_profiles_are_those_of_the_lab():
    # not imported from there, because that loads torch
    assert tuple(LAB_PROFILES) == PROFILES


def test_sources_in_order_and_by_name(project):
    paths = [project.add(name) for name in ("00_start", "01_next", "02_last")]
    assert sources(project.root) == paths
    assert sources(project.root, ["02", "00_start"]) == [paths[0], paths[2]]


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        ([], "no notebook lies in"),
        (["00_a", "02_c"], "02_c.py: expected 01_<name>.py"),
        (["01_b"], "01_b.py: expected 00_<name>.py"),
        (["00_a", "00_b"], "00_b.py: expected 01_<name>.py"),
        (["00_A"], "00_A.py: expected"),
        (["00_a", "helpers"], "helpers.py: expected"),
    ],
)
def test_numbers_have_no_gaps(project, names, complaint):
    for name in names:
        project.add(name)
    with pytest.raises(NotebookError, match=complaint):
        sources(project.root)


def test_unknown_name(project):
    project.add("00_start")
    with pytest.raises(NotebookError, match="no notebook is called 07: choose from 00_start"):
        sources(project.root, ["07"])


def test_ids_come_from_the_text_and_are_unique(project):
    before = read_source(project.add("00_a", "x = 1", "x = 1", "y = 2"))
    after = read_source(project.add("00_a", "new = 0", "x = 1", "x = 1", "y = 2"))
    ids = [cell.id for cell in after.cells]
    assert len(set(ids)) == len(ids)
    # an insertion leaves the ids of all other cells alone
    assert [cell.id for cell in before.cells] == ids[:2] + ids[3:]
    nbformat.validate(after)


def test_the_same_source_gives_the_same_bytes(project):
    path = project.add("00_a", "x = 1")
    assert dumps(read_source(path)) == dumps(read_source(path))


def test_only_tags_are_kept_of_cell_metadata(project):
    path = project.add("00_a")
    path.write_text(path.read_text() + '\n# %% tags=["raises-exception"] editable=true\n1 / 0\n')
    assert read_source(path).cells[-1].metadata == {"tags": ["raises-exception"]}


def test_lines_at_which_cells_start(project):
    path = project.add("00_a", "x = 1\n# %%timeit is not a cell", "y = 2")
    lines = path.read_text().splitlines()
    starts = cell_lines(path)
    assert len(starts) == len(read_source(path).cells) == 4
    assert [lines[start] for start in starts[2:]] == ["x = 1", "y = 2"]
