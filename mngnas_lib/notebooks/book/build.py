"""All notebooks as an HTML book in ``build/book/html``, read without a network."""

from __future__ import annotations

import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path

import nbformat

from mngnas_lib.notebooks.address import repository
from mngnas_lib.notebooks.book.links import Links
from mngnas_lib.notebooks.book.loads import outside_loads
from mngnas_lib.notebooks.book.pages import (
    FRONT,
    KIT,
    REGISTER,
    TABLES,
    front_page,
    kit_page,
    notebook_page,
    register_page,
    tables_page,
)
from mngnas_lib.notebooks.source import NotebookError, dumps, notebook_path, sources
from mngnas_lib.places import write_text
from mngnas_lib.register import ITEMS
from mngnas_lib.register.artefacts import COMMITTED, files_of, folder_of
from mngnas_lib.register.state import state_of

CONFIGURATION = "book"


def build_book(root: Path) -> tuple[Path, list[str]]:
    """Make the book of the committed notebooks; an older one stays until the new one is whole.

    Returns:
        its first page, and warnings: Sphinx's, and which notebooks are not there because they were not built yet.

    Raises:
        NotebookError: a package or file is missing, Sphinx fails, or a page would load something from elsewhere.
    """
    if missing := [name for name in ("sphinx", "myst_nb", "furo", "math_core", "ziamath") if find_spec(name) is None]:
        raise NotebookError(
            f"{', '.join(missing)} is missing: install the kit with what its book needs, pip install -e '.[book]'"
        )
    target = root / "build" / "book" / "html"
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".making-") as name:
        making = Path(name)
        warnings = gather(root, making / "source")
        warnings += _run_sphinx(making)
        if loads := outside_loads(making / "html"):
            raise NotebookError("the book would load from elsewhere:\n" + "\n".join(loads))
        if target.exists():
            shutil.rmtree(target)
        (making / "html").rename(target)
    return target / f"{FRONT}.html", warnings


def gather(root: Path, folder: Path) -> list[str]:
    """Write everything that Sphinx reads into a folder: its configuration, the pages, and the files that they show.

    Returns:
        a warning for each notebook that is left out, because it was not built yet.

    Raises:
        NotebookError: there is no notebook, or a table or figure of the register was not written.
    """
    wanted = [notebook_path(root, source) for source in sources(root)]
    paths = [path for path in wanted if path.is_file()]
    tables = {f"figures/tables/{item.id}.md": f"{TABLES}.md#{item.id}" for item in ITEMS if item.is_table}
    pages = {"README.md": f"{FRONT}.md", "figures/INDEX.md": f"{REGISTER}.md", **tables}
    pages |= {(name := path.relative_to(root).as_posix()): name for path in paths}
    links = Links(root, repository(root), pages)
    shown = [path for item in ITEMS for path in files_of(item, COMMITTED, root)]
    if missing := [path.relative_to(root).as_posix() for path in shown if not path.is_file()]:
        raise NotebookError(f"missing: {', '.join(missing)}; run mngnas figures --profile {COMMITTED}")
    if not paths:
        raise NotebookError("no notebook was built yet: run make notebooks")

    notebooks = {path.stem: nbformat.read(path, as_version=4) for path in paths}
    readme = (root / "README.md").read_text(encoding="utf-8")
    shutil.copytree(root / CONFIGURATION, folder)
    figures = folder_of(COMMITTED, root)
    shutil.copytree(figures, folder / "figures", ignore=shutil.ignore_patterns(".*", "*.md", "*.json"))
    for path in shown:
        copy = folder / "_extra" / "figures" / path.relative_to(figures)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    states = {item.id: state_of(item, COMMITTED) for item in ITEMS}
    write_text(folder / f"{FRONT}.md", front_page(readme, notebooks, links))
    write_text(folder / f"{REGISTER}.md", register_page(states, notebooks))
    write_text(folder / f"{TABLES}.md", tables_page(root))
    write_text(folder / f"{KIT}.md", kit_page(readme, links))
    for name, notebook in notebooks.items():
        write_text(folder / "notebooks" / f"{name}.ipynb", dumps(notebook_page(notebook, name, links)))
    left_out = (path.stem for path in wanted if path not in paths)
    return [f"{name} is not in the book: it was not built yet (make notebooks)" for name in left_out]


def _run_sphinx(folder: Path) -> list[str]:
    """Make ``html`` from ``source``; return the warnings."""
    from sphinx.cmd.build import build_main

    said = folder / "warnings.txt"
    words = ["-q", "-b", "html", "-d", folder / "doctrees", "-w", said, folder / "source", folder / "html"]
    code = build_main(list(map(str, words)))
    warnings = said.read_text(encoding="utf-8").splitlines() if said.exists() else []
    if code:
        raise NotebookError("Sphinx could not make the book:\n" + "\n".join(warnings))
    return [line.replace(f"{folder / 'source'}/", "") for line in warnings]
