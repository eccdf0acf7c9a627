"""Figures to files: PNG and SVG, the same bytes whenever the same figure is drawn."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from mngnas_lib.errors import ConfigError
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
    folder = Path(root) if root is not None else _project_folder()
    folder = folder / "figures" if profile == COMMITTED_PROFILE else folder / "build" / "figures" / profile
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    with style():
        # the first drawing of a figure settles its layout; without it the first file would differ from the second
        fig.draw_without_rendering()
        for path in paths:
            _write(fig, path)
    return paths


def _write(fig: Figure, path: Path) -> None:
    kind = path.suffix[1:]
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
    os.close(handle)
    try:
        fig.savefig(temporary, format=kind, metadata=METADATA[kind], bbox_inches="tight", pad_inches=0.08)
        os.chmod(temporary, 0o644)  # mkstemp lets nobody else read its files
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _project_folder() -> Path:
    checkout = Path(__file__).resolve().parents[2]
    return checkout if (checkout / "pyproject.toml").is_file() else Path.cwd()
