"""``figures/INDEX.md``: all that the paper shows, what of it is measured, and the notebooks' other figures."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from mngnas_lib.places import project_folder, write_text
from mngnas_lib.register.artefacts import COMMITTED, files_of, folder_of
from mngnas_lib.register.item import Item
from mngnas_lib.register.rows import ITEMS
from mngnas_lib.register.state import state_of

NAME = "INDEX.md"
_HEAD = f"""# Figures and tables

Written by `mngnas figures`; do not edit. What is *measured* was measured by this kit under the profile `{COMMITTED}`;
numbers of the paper are marked *paper*. The paper prints the numbers of its tables, and of none of its figures.
`mngnas status` says the same for all profiles, `mngnas run ID` computes what is missing.
"""


def index_text(root: Path | None = None) -> str:
    """The whole text, from the register, the stored results and the files in the folder of figures."""
    lines = [_HEAD, "## Figures of the paper", ""]
    lines += ["| | | shows | numbers | state | notebook |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [_figure_row(item) for item in ITEMS if not item.is_table]
    lines += ["", "## Tables of the paper", "", "| | shows | numbers | state | notebook | files |"]
    lines += ["| --- | --- | --- | --- | --- | --- |"]
    lines += [_table_row(item, root) for item in ITEMS if item.is_table]
    lines += ["", "## What the kit lacks for the rest", ""]
    lines += [f"* {item.title}: {', '.join(item.missing)}" for item in ITEMS if item.missing]
    lines += ["", "## Other figures of the notebooks", ""]
    for notebook, names in _others(folder_of(COMMITTED, root)).items():
        lines.append(f"* {notebook}: " + ", ".join(f"[{name}]({name}.svg)" for name in names))
    return "\n".join(lines) + "\n"


def write_index(root: Path | None = None) -> Path:
    """Write the index; return its path."""
    path = folder_of(COMMITTED, root) / NAME
    write_text(path, index_text(root))
    return path


def _figure_row(item: Item) -> str:
    picture = f'<a href="{item.id}.svg"><img src="{item.id}.png" width="160" alt="{item.title}"></a>'
    return _row(picture, item.title, item.caption, item.printed, _state(item), _notebook(item.notebook))


def _table_row(item: Item, root: Path | None) -> str:
    files = (path.relative_to(folder_of(COMMITTED, root)).as_posix() for path in files_of(item, COMMITTED, root))
    links = " ".join(f"[{name.rpartition('.')[2]}]({name})" for name in files)
    return _row(item.title, item.caption, item.printed, _state(item), _notebook(item.notebook), links)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _state(item: Item) -> str:
    return str(state_of(item, COMMITTED))


def _notebook(name: str) -> str:
    return f"[{name[:2]}](../notebooks/{name}.ipynb)"


def _others(folder: Path) -> dict[str, list[str]]:
    """Names of the figures that are none of the paper's, by notebook."""
    sources = {path.stem[:2]: path.stem for path in (project_folder() / "notebooks" / "src").glob("[0-9][0-9]_*.py")}
    names = defaultdict(list)
    for path in sorted(folder.glob("*.svg")):
        if re.match(r"fig-\d\d$", path.stem) is None:
            number = path.stem[:2]
            names[_notebook(sources[number]) if number in sources else "README"].append(path.stem)
    return dict(sorted(names.items()))
