"""Figures to files: PNG and SVG, the same bytes whenever the same figure is drawn."""

from __future__ import annotations

import os
import re
from pathlib import Path

from matplotlib.figure import Figure

from mngnas_lib.errors import ConfigError
from mngnas_lib.places import project_folder, whole_file
from mngnas_lib.plots.style import style

#: The profile whose figures are committed and shown to readers.
COMMITTED_PROFILE = "laptop"
#: No dates and no program versions, which would change a file whose figure did not change.
METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": "mngnas-kit"}}

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def save(fig: Figure, name: str, profile: str | None = None, *, root: Path | str | None = None) -> tuple[Path, Path]:
    """Write ``fig`` as ``name.png`` and ``name.svg``; return both paths.

    The folder is ``figures/`` for the profile ``laptop`` and ``build/figures/<profile>/`` for all others, so that a
    quick look never overwrites a committed figure. Each file is whole or absent.

    Args:
        profile: by default that of the environment variable ``MNGNAS_PROFILE``, else ``quick``.
        root: the project's folder; by default where the package was checked out, else the current folder.

    Raises:
        ConfigError: ``name`` or ``profile`` cannot be a file's name.
    """
    profile = profile or os.environ.get("MNGNAS_PROFILE", "quick")
    for text in (name, profile):
        if not _NAME.fullmatch(text):
            raise ConfigError(f"{text!r} cannot name a figure's file: use small letters, digits, '-', '_' and '.'")
    folder = Path(root) if root is not None else project_folder()
    folder = folder / "figures" if profile == COMMITTED_PROFILE else folder / "build" / "figures" / profile
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    with style():
        # the first drawing of a figure settles its layout; without it the first file would differ from the second
        fig.draw_without_rendering()
        for path in paths:
            kind = path.suffix[1:]
            with whole_file(path) as file:
                fig.savefig(file, format=kind, metadata=METADATA[kind], bbox_inches="tight", pad_inches=0.08)
    return paths
