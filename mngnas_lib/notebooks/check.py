"""Do the committed notebooks say what their sources say, and keep to the rules?"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mngnas_lib.notebooks import address
from mngnas_lib.notebooks.clean import clean
from mngnas_lib.notebooks.rules import RULES
from mngnas_lib.notebooks.source import (
    NOTEBOOK_FOLDER,
    NotebookError,
    dumps,
    notebook_path,
    read_source,
    sources,
)

MOST_BYTES = 400_000


def check_project(root: Path) -> list[str]:
    """Complaints about all notebooks of a project, each starting with the notebook's name."""
    paths = sources(root)
    complaints = [f"{path.stem}: {text}" for path in paths for text in check_notebook(root, path)]
    known = {path.stem for path in paths}
    for path in sorted((root / NOTEBOOK_FOLDER).glob("*.ipynb")):
        if path.stem not in known:
            complaints.append(f"{path.stem}: has no source in notebooks/src")
    first, *others = (bootstrap_source(read_source(path)) for path in paths)
    for path, text in zip(paths[1:], others, strict=True):
        if text != first:
            complaints.append(f"{path.stem}: its bootstrap cell is not that of {paths[0].stem}")
    return complaints


def check_notebook(root: Path, source: Path) -> list[str]:
    """Complaints about one notebook: its source, and the committed file that belongs to it."""
    wanted = read_source(source)
    complaints = [text for rule in RULES for text in rule(wanted)]
    complaints += address.check(root, wanted, source.stem)
    path = notebook_path(root, source)
    if not path.is_file():
        return [*complaints, "was not built yet: run make notebooks"]
    return complaints + compare(wanted, path, root)


def compare(wanted: NotebookNode, path: Path, root: Path) -> list[str]:
    """What is wrong with a committed notebook, given the one that its source makes."""
    text = path.read_text(encoding="utf-8")
    try:
        found = nbformat.reads(text, as_version=4)
    except (nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        return [f"{path.name} is damaged ({type(error).__name__}): run make notebooks"]
    complaints = []
    if [_said(cell) for cell in found.cells] != [_said(cell) for cell in wanted.cells]:
        complaints.append(f"{path.name} does not say what its source says: run make notebooks")
    if not_run := [i for i, cell in enumerate(found.cells, 1) if _not_run(cell)]:
        complaints.append(f"{path.name} was not executed (cells {', '.join(map(str, not_run))}): run make notebooks")
    if failed := [i for i, cell in enumerate(found.cells, 1) if _failed(cell)]:
        complaints.append(f"{path.name} shows an error in cells {', '.join(map(str, failed))}")
    if noisy := [i for i, cell in enumerate(found.cells, 1) if _noisy(cell)]:
        complaints.append(f"{path.name} shows warnings or logs (stderr) in cells {', '.join(map(str, noisy))}")
    try:
        if text != dumps(clean(found, root)):
            complaints.append(f"{path.name} was saved by an editor, not by a build: run make notebooks")
    except nbformat.ValidationError as error:
        complaints.append(f"{path.name} is no valid notebook: {error.message}")
    return complaints + check_size(path.name, text, found)


def check_size(name: str, text: str, notebook: NotebookNode) -> list[str]:
    """A complaint where a notebook's file would be too large, naming its largest cells."""
    size = len(text.encode())
    if size <= MOST_BYTES:
        return []
    largest = sorted(((len(str(cell)), i) for i, cell in enumerate(notebook.cells, 1)), reverse=True)[:3]
    cells = ", ".join(f"cell {i}: {n / 1000:.0f} kB" for n, i in largest)
    return [f"{name} has {size / 1000:.0f} kB; at most {MOST_BYTES // 1000} kB ({cells})"]


def bootstrap_source(notebook: NotebookNode) -> str:
    """The text of the bootstrap cell; empty where there is none."""
    cells = (cell.source for cell in notebook.cells if "bootstrap" in cell.metadata.get("tags", []))
    return next(cells, "")


def require_size(name: str, text: str, notebook: NotebookNode) -> None:
    """Raise :class:`NotebookError` where a notebook's file would be too large."""
    if complaints := check_size(name, text, notebook):
        raise NotebookError(complaints[0])


def _said(cell: NotebookNode) -> tuple[str, str, str, list[str]]:
    return cell.cell_type, cell.source, cell.get("id", ""), cell.metadata.get("tags", [])


def _not_run(cell: NotebookNode) -> bool:
    return cell.cell_type == "code" and bool(cell.source.strip()) and cell.execution_count is None


def _failed(cell: NotebookNode) -> bool:
    meant = "raises-exception" in cell.metadata.get("tags", [])
    return not meant and any(output.output_type == "error" for output in cell.get("outputs", []))


def _noisy(cell: NotebookNode) -> bool:
    return any(output.output_type == "stream" and output.name == "stderr" for output in cell.get("outputs", []))
