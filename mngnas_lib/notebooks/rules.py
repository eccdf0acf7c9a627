"""What every notebook keeps to, so that readers know where to look and files stay readable.

Each rule takes the notebook of a source (:func:`mngnas_lib.notebooks.source.read_source`) and gives complaints.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from statistics import median

from nbformat import NotebookNode

from mngnas_lib.notebooks.source import PROFILES

MEDIAN_LINES = 8
MOST_LINES = 40

Rule = Callable[[NotebookNode], list[str]]

_TIMES = re.compile(rf"\b({'|'.join(PROFILES)}) ([^·(\n]+)")
_BLANKET_FILTER = re.compile(r"(simplefilter|filterwarnings)\(\s*(action\s*=\s*)?[\"']ignore[\"']\s*,?\s*\)")
_DIRECTIVE = re.compile(r"^:::|^```\{|\{\w+\}`", re.MULTILINE)
_HEADING = re.compile(r"^#+ .*$", re.MULTILINE)


def header(notebook: NotebookNode) -> list[str]:
    """The first cell says what the reader will be able to do, what of the paper is covered, and how long it takes."""
    first = notebook.cells[0] if notebook.cells else None
    if first is None or first.cell_type != "markdown":
        return ["the first cell is not markdown"]
    wanted = {
        "a title ('# NN · ...')": r"\A# \d\d · \S",
        "the badge for Colab": r"\[!\[Open in Colab\]\(",
        "'**After this notebook you can** ...'": r"\*\*After this notebook you can\*\*\s+\S",
        "'**Of the paper:** ...'": r"\*\*Of the paper:\*\* \S",
    }
    complaints = [
        f"the first cell lacks {what}" for what, pattern in wanted.items() if not re.search(pattern, first.source)
    ]
    missing = [profile for profile in PROFILES if profile not in times(notebook)]
    if missing:
        complaints.append(f"'**Time:** quick ... · laptop ... · paper ...' lacks {', '.join(missing)}")
    return complaints


def times(notebook: NotebookNode) -> dict[str, str]:
    """How long a notebook takes under each profile, as its first cell says it."""
    paragraph = re.search(r"\*\*Time:\*\*(.*?)(\n\s*\n|\Z)", notebook.cells[0].source, re.DOTALL)
    return {profile: time.strip() for profile, time in _TIMES.findall(paragraph[1] if paragraph else "")}


def bootstrap(notebook: NotebookNode) -> list[str]:
    """Exactly one cell has the tag, and nothing of the kit is imported before it."""
    tagged = [i for i, cell in enumerate(notebook.cells) if "bootstrap" in cell.metadata.get("tags", [])]
    if len(tagged) != 1:
        return [f"{len(tagged)} cells have the tag 'bootstrap' where one should"]
    before = [cell for cell in notebook.cells[: tagged[0]] if cell.cell_type == "code"]
    return ["a code cell stands before the cell with the tag 'bootstrap'"] if before else []


def short_code(notebook: NotebookNode) -> list[str]:
    """Code cells are short: half of them at most 8 lines, none over 40."""
    lengths = {i: len(cell.source.splitlines()) for i, cell in _own_code(notebook)}
    complaints = [f"cell {i + 1} has {n} lines; at most {MOST_LINES}" for i, n in lengths.items() if n > MOST_LINES]
    if lengths and median(lengths.values()) > MEDIAN_LINES:
        complaints.append(f"half of the code cells have more than {MEDIAN_LINES} lines; move code to the library")
    return complaints


def portable_code(notebook: NotebookNode) -> list[str]:
    """No paths upwards, no silenced warnings."""
    complaints = []
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        if "../" in cell.source or "..\\" in cell.source:
            complaints.append(f"cell {i + 1} has a path upwards ('../'); notebooks run in the project's folder")
        if _BLANKET_FILTER.search(cell.source):
            complaints.append(f"cell {i + 1} silences all warnings; name the message or the category")
    return complaints


def plain_markdown(notebook: NotebookNode) -> list[str]:
    """Only what GitHub and JupyterLab both render, and blocks that are closed."""
    complaints = []
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        if _DIRECTIVE.search(cell.source):
            complaints.append(f"cell {i + 1} uses a MyST directive, which GitHub does not render")
        if cell.source.count("<details>") != cell.source.count("</details>"):
            complaints.append(f"cell {i + 1} does not close its <details>")
    return complaints


def exercises(notebook: NotebookNode) -> list[str]:
    """Every exercise has its hint or solution in <details>, between its heading and the next."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    headings = [*_HEADING.finditer(text)]
    ends = [match.start() for match in headings[1:]] + [len(text)]
    return [
        f"'{match[0].lstrip('# ')}' has no <details> with a hint or solution"
        for match, end in zip(headings, ends, strict=True)
        if re.match(r"#+ Exercise \d", match[0]) and "<details>" not in text[match.end() : end]
    ]


def _own_code(notebook: NotebookNode) -> list[tuple[int, NotebookNode]]:
    cells = enumerate(notebook.cells)
    return [(i, c) for i, c in cells if c.cell_type == "code" and "bootstrap" not in c.metadata.get("tags", [])]


RULES: tuple[Rule, ...] = (header, bootstrap, short_code, portable_code, plain_markdown, exercises)
