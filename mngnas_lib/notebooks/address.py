"""The repository's address: set in ``pyproject.toml``, repeated in badges and where the kit is fetched on Colab."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from mngnas_lib.notebooks.source import (
    NOTEBOOK_FOLDER,
    NotebookError,
    dumps,
    sources,
    stamp_ids,
)
from mngnas_lib.places import write_text

#: Files beside the notebooks in which the address may stand
PLACES = ("README.md", "CONTRIBUTING.md", "CITATION.cff")

_SETTING = re.compile(r'^Repository = "https://github\.com/([\w.-]+/[\w.-]+?)/?"$', re.MULTILINE)
_BADGE = re.compile(r"https://colab\.research\.google\.com/github/([\w.-]+/[\w.-]+)/blob/main/notebooks/(\w+)\.ipynb")


def repository(root: Path) -> str:
    """``owner/name`` as ``pyproject.toml`` has it.

    Raises:
        NotebookError: it has none.
    """
    match = _SETTING.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if match is None:
        raise NotebookError(
            'pyproject.toml lacks a line Repository = "https://github.com/OWNER/NAME" in [project.urls]'
        )
    return match[1]


def check(root: Path, notebook: NotebookNode, name: str) -> list[str]:
    """Complaints about the badge and the bootstrap cell of one notebook."""
    wanted = repository(root)
    badges = _BADGE.findall(notebook.cells[0].source) if notebook.cells else []
    complaints = []
    if badges != [(wanted, name)]:
        complaints.append(f"the badge does not open {name} of {wanted}: correct it, or run make address")
    for cell in notebook.cells:
        if "bootstrap" in cell.metadata.get("tags", []) and f"https://github.com/{wanted}" not in cell.source:
            complaints.append(f"the bootstrap cell does not install {wanted}: correct it, or run make address")
    return complaints


def spread(root: Path) -> list[Path]:
    """Put the address of ``pyproject.toml`` wherever the old one stands; return the files that changed.

    The old one is read from the badge of the first notebook. Outputs of notebooks stay as they are.
    """
    wanted = repository(root)
    first = sources(root)[0]
    badge = _BADGE.search(first.read_text(encoding="utf-8"))
    if badge is None:
        raise NotebookError(f"{first.name} has no badge from which the present address could be read")
    old = re.compile(re.escape(badge[1]) + r"(?![\w-])")
    changed = []
    for path in [*sources(root), *(root / name for name in PLACES), *sorted((root / NOTEBOOK_FOLDER).glob("*.ipynb"))]:
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        new = old.sub(wanted, text)
        if new != text:
            write_text(path, _with_ids(new) if path.suffix == ".ipynb" else new)
            changed.append(path)
    return changed


def _with_ids(text: str) -> str:
    notebook = nbformat.reads(text, as_version=4)
    stamp_ids(notebook.cells)
    return dumps(notebook)
