"""The book's pages, as MyST Markdown and notebooks that Sphinx reads; nothing here needs Sphinx."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mngnas_lib.notebooks.book.links import Links
from mngnas_lib.register import ITEMS, Item
from mngnas_lib.register.artefacts import COMMITTED, files_of, folder_of
from mngnas_lib.register.state import State

FRONT, REGISTER, TABLES, KIT = "index", "register", "tables", "kit"

_GOALS = re.compile(r"\*\*After this notebook you can\*\*\s+(.*?)(?:\n\s*\n|\Z)", re.DOTALL)


def title_of(notebook: NotebookNode) -> str:
    """What a notebook's first heading says."""
    match = re.match(r"# (.+)", notebook.cells[0].source)
    return match[1].strip() if match else "Untitled"


def goals_of(notebook: NotebookNode) -> str:
    """What the reader will be able to do, as the first cell says it."""
    match = _GOALS.search(notebook.cells[0].source)
    return " ".join(match[1].split()) if match else ""


def shown_in(notebook: NotebookNode, items: Sequence[Item] = ITEMS) -> dict[str, int]:
    """By id, the first code cell that names a figure or table of the paper, among those given."""
    found: dict[str, int] = {}
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            for item in items:
                if re.search(rf"[\"']{item.id}[\"']", cell.source):
                    found.setdefault(item.id, index)
    return found


def notebook_page(notebook: NotebookNode, name: str, links: Links) -> NotebookNode:
    """A notebook as the book shows it.

    Its links fit the book, the cell that installs the kit elsewhere is folded, and before the cell that shows a figure
    or table of the paper stands a place that the register can link to.
    """
    page = nbformat.from_dict(notebook)
    places = shown_in(page, [item for item in ITEMS if item.notebook == name])
    cells = []
    for index, cell in enumerate(page.cells):
        for item in (item for item, at in places.items() if at == index):
            target = nbformat.v4.new_markdown_cell(f"({place_of(item)})=")
            target.id = place_of(item)
            cells.append(target)
        if cell.cell_type == "markdown":
            cell.source = links.rewrite(cell.source, "notebooks")
        elif "bootstrap" in cell.metadata.get("tags", []):
            cell.metadata.tags.append("hide-input")
        cells.append(cell)
    page.cells = cells
    return page


def place_of(item: str) -> str:
    """The name of the place in a notebook where a figure or table of the paper is shown."""
    return f"shown-{item}"


def front_page(readme: str, notebooks: Mapping[str, NotebookNode], links: Links) -> str:
    """README's introduction, the notebooks with what each is good for, and the way to everything else."""
    lines = [
        links.rewrite(readme.partition("\n## ")[0].strip(), ""),
        "",
        "## The notebooks",
        "",
        f"Shown as they were executed under the profile `{COMMITTED}`. After each, you can",
        "",
    ]
    for name, notebook in notebooks.items():
        lines.append(f"* **[{title_of(notebook)}](notebooks/{name}.ipynb)**: {goals_of(notebook)}")
    lines += [
        "",
        "## Also in this book",
        "",
        f"* [All figures and tables]({REGISTER}.md): what each shows, what of it is measured, and where",
        f"* [The tables]({TABLES}.md): the paper's numbers and ours side by side",
        f"* [The kit]({KIT}.md): how to install and to run it, and where each part of the paper is in the code",
        "",
        _contents("Notebooks", [f"notebooks/{name}" for name in notebooks]),
        _contents("The paper", [REGISTER, TABLES]),
        _contents("The kit", [KIT]),
    ]
    return "\n".join(lines)


def _contents(caption: str, pages: Sequence[str]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```", ""])


def kit_page(readme: str, links: Links) -> str:
    """What README says after its introduction."""
    _, heading, rest = readme.partition("\n## ")
    return "# The kit\n" + links.rewrite(heading + rest, "")


def register_page(states: Mapping[str, State], notebooks: Mapping[str, NotebookNode]) -> str:
    """The register: all figures and tables of the paper, what of them is measured, and where they are shown."""
    done = [state for state in states.values() if state.measured]
    begun = [state for state in states.values() if state.done and not state.measured]
    drawn = [item for item in ITEMS if item.kind == "diagram"]
    figures, tables = ([item for item in ITEMS if item.is_table is kind] for kind in (False, True))
    lines = [
        "# All figures and tables",
        "",
        f"The paper has {len(figures)} figures and {len(tables)} tables. Of these {len(ITEMS)}, {len(drawn)} are "
        f"diagrams that need no run, {len(done)} are measured and {len(begun)} are measured in part, by this kit "
        f"under the profile `{COMMITTED}`. The paper prints the numbers of its tables, and of none of its figures.",
        "",
        "## Figures",
        "",
        "| | shows | state | notebook |",
        "| --- | --- | --- | --- |",
        *(_figure_row(item, states[item.id], notebooks) for item in figures),
        "",
        "## Tables",
        "",
        "| | shows | state | notebook | files |",
        "| --- | --- | --- | --- | --- |",
        *(_table_row(item, states[item.id], notebooks) for item in tables),
        "",
    ]
    if missing := [f"* {item.title}: {', '.join(item.missing)}" for item in ITEMS if item.missing]:
        lines += ["## What the kit lacks for the rest", "", *missing, ""]
    return "\n".join(lines)


def _figure_row(item: Item, state: State, notebooks: Mapping[str, NotebookNode]) -> str:
    picture = (
        f'<a href="figures/{item.id}.svg"><img src="figures/{item.id}.png" width="160" alt="{item.title}"></a>'
        f" **{_unbroken(item.title)}**"
    )
    return f"| {picture} | {item.caption} | {state} | {_notebook(item, notebooks)} |"


def _table_row(item: Item, state: State, notebooks: Mapping[str, NotebookNode]) -> str:
    names = (path.name for path in files_of(item, COMMITTED) if path.suffix != ".md")
    files = " ".join(f'<a href="figures/tables/{name}">{name.rpartition(".")[2]}</a>' for name in names)
    title = f"[{_unbroken(item.title)}]({TABLES}.md#{item.id})"
    return f"| {title} | {item.caption} | {state} | {_notebook(item, notebooks)} | {files} |"


def _unbroken(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _notebook(item: Item, notebooks: Mapping[str, NotebookNode]) -> str:
    """A link to the place where an item is shown; without one where its notebook does not show it yet."""
    if item.notebook not in notebooks:
        return f"{item.notebook[:2]}, not there yet"
    title = title_of(notebooks[item.notebook])
    place = f"#{place_of(item.id)}" if item.id in shown_in(notebooks[item.notebook], [item]) else ""
    return f"[{title}](notebooks/{item.notebook}.ipynb{place})"


def tables_page(root: Path) -> str:
    """All tables of the paper, its numbers and ours side by side, as ``mngnas figures`` wrote them."""
    lines = ["# The tables", "", "What the paper prints, and beside it what this kit measured.", ""]
    for item in ITEMS:
        if item.is_table:
            path = folder_of(COMMITTED, root) / "tables" / f"{item.id}.md"
            heading, _, text = path.read_text(encoding="utf-8").partition("\n")
            lines += [f"({item.id})=", f"## {item.title}", "", f"{heading.partition('** ')[2]}", text, ""]
    return "\n".join(lines)
