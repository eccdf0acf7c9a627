"""Checking committed notebooks, and the repository's address in them."""

import nbformat
import pytest
from nbformat.v4 import new_output

from mngnas_lib.notebooks import check_project
from mngnas_lib.notebooks.address import check, repository, spread
from mngnas_lib.notebooks.clean import clean
from mngnas_lib.notebooks.source import NotebookError, dumps, notebook_path, project_folder, read_source, sources

HERE = project_folder()


@pytest.fixture
def built(project):
    """A project with one committed notebook, as if executed; and a function that spoils it."""
    source = project.add("00_a", "x = 1", "x")
    notebook = read_source(source)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
    path = notebook_path(project.root, source)
    path.write_text(dumps(clean(notebook, project.root)), encoding="utf-8")

    def spoil(change):
        spoiled = nbformat.read(path, as_version=4)
        change(spoiled)
        path.write_text(dumps(spoiled), encoding="utf-8")
        return check_project(project.root)

    return spoil


def set_output(output):
    return lambda notebook: notebook.cells[2].outputs.append(output)


def test_a_good_notebook(built, project):
    assert check_project(project.root) == []


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda nb: nb.cells[2].update(source="x = 2"), "does not say what its source says"),
        (lambda nb: nb.cells.pop(), "does not say what its source says"),
        (lambda nb: nb.cells[2].update(id="random"), "does not say what its source says"),
        (lambda nb: nb.cells[2].update(execution_count=None), "was not executed (cells 3)"),
        (set_output(new_output("error", ename="E", evalue="e", traceback=["E: e"])), "shows an error in cells 3"),
        (set_output(new_output("stream", name="stderr", text="careful\n")), "warnings or logs (stderr) in cells 3"),
        (lambda nb: nb.metadata.update(widgets={}), "was saved by an editor"),
        (lambda nb: nb.cells[2].metadata.update(execution={"a": "1"}), "was saved by an editor"),
        (set_output(new_output("stream", text="x" * 400_000 + "\n")), "at most 400 kB"),
    ],
)
def test_what_is_wrong_is_named(built, change, complaint):
    complaints = built(change)
    assert len(complaints) == 1
    assert complaints[0].startswith("00_a: ")
    assert complaint in complaints[0]


def test_a_file_cut_short(built, project):
    path = project.root / "notebooks" / "00_a.ipynb"
    path.write_text(path.read_text(encoding="utf-8")[:300], encoding="utf-8")
    assert "is damaged" in check_project(project.root)[0]


def test_a_notebook_without_source(built, project):
    (project.root / "notebooks" / "09_lost.ipynb").write_text("{}")
    assert check_project(project.root) == ["09_lost: has no source in notebooks/src"]


def test_bootstrap_cells_are_the_same_in_all(built, project):
    other = project.add("01_b")
    other.write_text(other.read_text(encoding="utf-8").replace('kit = "', 'kit  = "'), encoding="utf-8")
    assert "01_b: its bootstrap cell is not that of 00_a" in check_project(project.root)


def test_address_is_compared_and_spread(built, project):
    assert repository(project.root) == "someone/some-kit"
    (project.root / "README.md").write_text("github.com/someone/some-kit, not github.com/someone/some-kit-2\n")
    (project.root / "pyproject.toml").write_text('Repository = "https://github.com/new/place"\n')
    (source,) = sources(project.root)
    assert len(check(project.root, read_source(source), "00_a")) == 2
    changed = spread(project.root)
    assert sorted(path.name for path in changed) == ["00_a.ipynb", "00_a.py", "README.md"]
    assert (project.root / "README.md").read_text() == "github.com/new/place, not github.com/someone/some-kit-2\n"
    assert check_project(project.root) == []  # ids too are those that a build would give
    assert spread(project.root) == []


def test_a_badge_of_another_notebook(project):
    source = project.add("00_a")
    assert "the badge does not open 00_b" in check(project.root, read_source(source), "00_b")[0]


def test_no_address(project):
    (project.root / "pyproject.toml").write_text("[project]\n")
    with pytest.raises(NotebookError, match=r"pyproject\.toml lacks"):
        repository(project.root)


# ---------------------------------------------------------------------- the notebooks of this project


@pytest.mark.parametrize("path", sources(HERE), ids=lambda path: path.stem)
def test_committed_notebook(path):
    complaints = [text for text in check_project(HERE) if text.startswith(f"{path.stem}:")]
    assert complaints == []


def test_committed_notebooks_as_a_whole():
    names = tuple(f"{path.stem}:" for path in sources(HERE))
    assert [text for text in check_project(HERE) if not text.startswith(names)] == []
