"""Rules: each accepts a notebook that keeps to it, and names the one that does not."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from mngnas_lib.notebooks.rules import (
    RULES,
    bootstrap,
    exercises,
    header,
    plain_markdown,
    portable_code,
    short_code,
    times,
)
from mngnas_lib.notebooks.source import read_source


def code(*sources):
    return new_notebook(cells=[new_code_cell(source) for source in sources])


def markdown(*sources):
    return new_notebook(cells=[new_markdown_cell(source) for source in sources])


def lines(count):
    return "\n".join(f"x = {i}" for i in range(count))


def test_a_good_notebook_passes_all(project):
    notebook = read_source(project.add("00_a", lines(8)))
    assert [rule(notebook) for rule in RULES] == [[]] * len(RULES)
    assert times(notebook) == {"quick": "1 s", "laptop": "2 s", "paper": "not measured"}


@pytest.mark.parametrize(
    ("part", "complaint"),
    [
        ("# 00 · A test", "title"),
        ("[![Open in Colab]", "badge"),
        ("**After this notebook you can**", "After this notebook"),
        ("**Of the paper:** nothing", "Of the paper"),
        ("**Time:**", "quick, laptop, paper"),
        ("quick 1 s", "lacks quick"),
        ("paper not measured", "lacks paper"),
    ],
)
def test_header(project, part, complaint):
    notebook = read_source(project.add("00_a"))
    assert part in notebook.cells[0].source
    notebook.cells[0].source = notebook.cells[0].source.replace(part, "")
    assert complaint in " ".join(header(notebook))


def test_header_must_be_the_first_cell(project):
    notebook = read_source(project.add("00_a"))
    notebook.cells.insert(0, new_code_cell("x = 1"))
    assert header(notebook) == ["the first cell is not markdown"]
    assert bootstrap(notebook) == ["a code cell stands before the cell with the tag 'bootstrap'"]
    assert bootstrap(code("x = 1")) == ["0 cells have the tag 'bootstrap' where one should"]


def test_times_may_fill_several_lines():
    text = "# 00 · A\n\n**Time:** quick 5 s ·\nlaptop 1 min (GPU) · paper 2 h\n\nquick wins 9 points"
    assert times(markdown(text)) == {"quick": "5 s", "laptop": "1 min", "paper": "2 h"}


@pytest.mark.parametrize(
    ("lengths", "count"), [([40], 1), ([8, 8], 0), ([7, 9], 0), ([8, 9, 9], 1), ([1, 1, 40], 0), ([1, 1, 41], 1)]
)
def test_short_code(lengths, count):
    assert len(short_code(code(*map(lines, lengths)))) == count


def test_bootstrap_does_not_count_as_code():
    notebook = code(lines(30))
    notebook.cells[0].metadata["tags"] = ["bootstrap"]
    assert short_code(notebook) == []


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        ('open("../data.csv")', False),
        ('warnings.filterwarnings("ignore")', False),
        ("warnings.simplefilter(action='ignore', )", False),
        ('warnings.filterwarnings("ignore", message="The figure layout")', True),
        ('warnings.simplefilter("ignore", DeprecationWarning)', True),
        ("x = [..., 1]", True),
    ],
)
def test_portable_code(source, allowed):
    assert (portable_code(code(source)) == []) is allowed


@pytest.mark.parametrize(
    ("source", "allowed"),
    [
        (":::{note}\nHello\n:::", False),
        ("```{figure} a.png\n```", False),
        ("see {ref}`x`", False),
        ("```python\nx = {1}\n```", True),
        ("<details><summary>Hint</summary>\n\nx\n\n</details>", True),
        ("<details><summary>Hint</summary>\n\nx", False),
    ],
)
def test_plain_markdown(source, allowed):
    assert (plain_markdown(markdown(source)) == []) is allowed


def test_exercises_have_solutions():
    good = markdown("### Exercise 1 Count\nHow many?", "<details><summary>Hint</summary>\n\n6\n\n</details>", "## End")
    assert exercises(good) == []
    bad = markdown("### Exercise 1 Count", "### Exercise 2 Draw", "<details>x</details>", "## Exercises are good")
    assert exercises(bad) == ["'Exercise 1 Count' has no <details> with a hint or solution"]
