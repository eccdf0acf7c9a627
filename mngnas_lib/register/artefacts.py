"""The files that show the register's items, and whether they are fresh.

Figures are PNG and SVG (:func:`mngnas_lib.plots.save`), tables CSV, Markdown and LaTeX in a folder ``tables`` beside
them: below ``figures/`` under the profile ``laptop``, else below ``build/figures/PROFILE``. There, ``register.json``
keeps for each item a hash of what it was made from: its row, the stored results, the paper's table, and the source of
what draws it. An item is fresh while this hash is that of today and its files hold what was written.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from mngnas_lib.places import lock_of, project_folder, write_text
from mngnas_lib.register.item import Item
from mngnas_lib.register.state import State, state_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from mngnas_lib.lab.profiles import Profile
    from mngnas_lib.register.tables import SideBySide

#: The profile whose files are committed, as that of all figures
COMMITTED = "laptop"
MANIFEST = "register.json"
FIGURE_SUFFIXES, TABLE_SUFFIXES = ("png", "svg"), ("csv", "md", "tex")
#: What every figure, and every table, is made with besides its own drawing function
_FIGURE_CODE = ("mngnas_lib.plots.style", "mngnas_lib.plots.save", "mngnas_lib.register.figure_data")
_PLOTS = re.compile(r"^from (mngnas_lib\.plots\.\w+) import", re.MULTILINE)
_TABLE_CODE = tuple(f"mngnas_lib.register.{name}" for name in ("measured", "tables", "formats"))


@dataclass(frozen=True)
class Made:
    """An item's figure or table, and its files."""

    shown: Figure | SideBySide
    files: tuple[Path, ...]


def folder_of(profile: str, root: Path | None = None) -> Path:
    """Where a profile's figures lie."""
    root = project_folder() if root is None else root
    return root / "figures" if profile == COMMITTED else root / "build" / "figures" / profile


def files_of(item: Item, profile: str, root: Path | None = None) -> tuple[Path, ...]:
    """The files that show an item."""
    folder = folder_of(profile, root)
    if item.is_table:
        return tuple(folder / "tables" / f"{item.id}.{suffix}" for suffix in TABLE_SUFFIXES)
    return tuple(folder / f"{item.id}.{suffix}" for suffix in FIGURE_SUFFIXES)


def make(item: Item, profile: Profile, root: Path | None = None) -> Made:
    """Draw or write an item from the stored results, and note what it was made from. Nothing is computed.

    Args:
        root: the project's folder.
    """
    root = project_folder() if root is None else root
    # before the drawing: a result that is stored meanwhile makes the files stale, not falsely fresh
    inputs = input_hash(item, state_of(item, profile.name))
    shown = _write_table(item, profile, root) if item.is_table else _draw(item, profile, root)
    files = files_of(item, profile.name, root)
    folder = folder_of(profile.name, root)
    entry = {"inputs": inputs, "files": {path.relative_to(folder).as_posix(): _hash(path) for path in files}}
    _note(folder / MANIFEST, item.id, entry)
    return Made(shown, files)


def is_fresh(item: Item, profile: str, root: Path | None = None) -> bool:
    """Whether an item's files are there, as they were written, from what there is today."""
    folder = folder_of(profile, root)
    entry = _read(folder / MANIFEST).get(item.id)
    if entry is None or entry["inputs"] != input_hash(item, state_of(item, profile)):
        return False
    names = {path.relative_to(folder).as_posix(): path for path in files_of(item, profile, root)}
    return set(entry["files"]) == set(names) and all(
        path.is_file() and _hash(path) == entry["files"][name] for name, path in names.items()
    )


def input_hash(item: Item, state: State) -> str:
    """SHA-256 of everything that an item's files are made from."""
    content = {
        "item": asdict(item),
        "profile": state.profile,
        "results": state.results,
        "code": [_hash(path) for path in _sources(item)],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sources(item: Item) -> Iterator[Path]:
    """The files of code, and of the paper's numbers, that an item is made with."""
    from mngnas_lib.paper import paper_folder

    waiting = list(_TABLE_CODE if item.is_table else (*_FIGURE_CODE, item.draw.rpartition(".")[0]))
    seen: dict[str, Path] = {}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{item.id} is drawn by {name}, which does not exist", name=name)
        seen[name] = Path(spec.origin)
        # the modules of drawings that this one imports, and theirs
        waiting += _PLOTS.findall(seen[name].read_text(encoding="utf-8"))
    yield from (seen[name] for name in sorted(seen))
    if item.is_table:
        yield paper_folder() / "tables" / f"table_{item.number:02d}.csv"


def _draw(item: Item, profile: Profile, root: Path) -> Figure:
    import matplotlib.pyplot as plt

    from mngnas_lib.plots import save, style
    from mngnas_lib.register.figure_data import figure_data

    module, _, name = item.draw.rpartition(".")
    draw = getattr(importlib.import_module(module), name)
    with style():
        fig, axes = plt.subplots(1, max(1, len(item.panels)), figsize=item.size, squeeze=False)
        if item.kind == "diagram":
            draw(axes[0, 0])
        else:
            for ax, (panel, data) in zip(axes[0], figure_data(item, profile).items(), strict=True):
                draw(data, ax)
                ax.set_title("\n".join(filter(None, (panel, ax.get_title(loc="left")))))
            fig.suptitle(f"{item.title}: profile {profile.name}", fontsize=11)
    save(fig, item.id, profile.name, root=root)
    plt.close(fig)  # else a notebook would show it once for itself and once as the value of its cell
    return fig


def _write_table(item: Item, profile: Profile, root: Path) -> SideBySide:
    from mngnas_lib.register.formats import FORMATS
    from mngnas_lib.register.tables import side_by_side

    table = side_by_side(item, profile)
    for path in files_of(item, profile.name, root):
        write_text(path, FORMATS[path.suffix[1:]](table))
    return table


def _note(manifest: Path, name: str, entry: dict) -> None:
    # notebooks are built side by side, and each notes what it shows
    with lock_of(manifest):
        entries = _read(manifest) | {name: entry}
        write_text(manifest, json.dumps(entries, indent=1, sort_keys=True) + "\n")


def _read(manifest: Path) -> dict:
    try:
        return json.loads(manifest.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}


def _hash(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix not in (".png",):
        content = content.replace(b"\r\n", b"\n")
    return hashlib.sha256(content).hexdigest()
