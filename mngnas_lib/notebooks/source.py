"""The text form of a notebook (``notebooks/src/NN_name.py``, py:percent) and the notebook made from it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import jupytext
import nbformat
from nbformat import NotebookNode

from mngnas_lib.errors import KitError

PROFILES = ("quick", "laptop", "paper")
SOURCE_FOLDER = Path("notebooks", "src")
NOTEBOOK_FOLDER = Path("notebooks")

#: The same for every reader's Python, so that a notebook does not change with the machine that executed it
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}

_NAME = re.compile(r"(\d\d)_[a-z0-9_]+")


class NotebookError(KitError):
    """A notebook that is named wrongly, does not run, or breaks a rule."""

    exit_code = 1


def project_folder() -> Path:
    """The checkout that this package belongs to."""
    return Path(__file__).resolve().parents[2]


def sources(root: Path, names: Sequence[str] = ()) -> list[Path]:
    """All ``notebooks/src/NN_name.py`` in order, or those named (``03``, ``03_ranking``).

    Raises:
        NotebookError: there is none, the numbers are not 00, 01, 02, ... without a gap, or a name is not known.
    """
    folder = root / SOURCE_FOLDER
    paths = sorted(folder.glob("*.py"))
    if not paths:
        raise NotebookError(f"no notebook lies in {folder}")
    for number, path in enumerate(paths):
        match = _NAME.fullmatch(path.stem)
        if match is None or int(match[1]) != number:
            raise NotebookError(
                f"{path.name}: expected {number:02d}_<name>.py; notebooks are numbered from 00 without a gap, "
                "in small letters, digits and '_'"
            )
    known = {path.stem: path for path in paths} | {path.stem[:2]: path for path in paths}
    if unknown := [name for name in names if name not in known]:
        raise NotebookError(
            f"no notebook is called {', '.join(unknown)}: choose from {', '.join(p.stem for p in paths)}"
        )
    return sorted({known[name] for name in names}) if names else paths


def notebook_path(root: Path, source: Path) -> Path:
    """Where the committed notebook of a source lies."""
    return root / NOTEBOOK_FOLDER / f"{source.stem}.ipynb"


def read_source(path: Path) -> NotebookNode:
    """The notebook of a source, without outputs; the same text gives the same notebook, cell ids included."""
    notebook = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({key: value for key, value in cell.metadata.items() if key == "tags"})
    stamp_ids(notebook.cells)
    return notebook


def stamp_ids(cells: Iterable[NotebookNode]) -> None:
    """Give each cell an id made from its type and text; equal cells are told apart by a running number.

    A random id would change the file at every build; a position alone would change all ids after an insertion.
    """
    seen: dict[str, int] = {}
    for cell in cells:
        digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
        count = seen[digest] = seen.get(digest, 0) + 1
        cell.id = digest if count == 1 else f"{digest}-{count}"


def cell_lines(path: Path) -> list[int]:
    """The line (from 1) at which each cell of a source starts."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if re.match(r"# %%(\s|$)", line)]


def dumps(notebook: NotebookNode) -> str:
    """The text of a notebook's file."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook) + "\n"
