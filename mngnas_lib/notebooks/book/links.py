"""Links in a text of the project, as they have to be where the text is a page of the book."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_PICTURE_ELSEWHERE = re.compile(r"!\[([^\]]*)\]\(https?://[^)\s]+\)")
_PICTURES = (".png", ".svg")


@dataclass(frozen=True)
class Links:
    """What the book holds, and where everything else is found.

    Attributes:
        root: the project's folder.
        repository: ``owner/name``.
        pages: by file of the project, the page of the book that stands for it, perhaps with ``#place``. The book has
            the project's folders, so that a link between two pages of one folder stays as it is.
    """

    root: Path
    repository: str
    pages: Mapping[str, str]

    def rewrite(self, text: str, folder: str) -> str:
        """The Markdown of a page.

        Links to files that are pages lead there, those to other files of the project lead to its repository, and a
        picture on another machine becomes its alternative text.

        Args:
            folder: where the text lies, seen from the project's folder (empty for that folder itself).
        """
        text = _PICTURE_ELSEWHERE.sub(r"\1", text)
        return _LINK.sub(lambda match: f"]({self._target(match[1], folder)})", text)

    def _target(self, target: str, folder: str) -> str:
        if target.startswith("#") or re.match(r"[a-z][a-z+.-]*:", target, re.IGNORECASE):
            return target
        path, _, place = target.partition("#")
        path = posixpath.normpath(posixpath.join(folder, path))
        if path in self.pages:
            page, _, given = self.pages[path].partition("#")
            place = given or heading_slug(place)
            return posixpath.relpath(page, folder or ".") + (f"#{place}" if place else "")
        if path.endswith(_PICTURES):
            return target
        kind = "tree" if (self.root / path).is_dir() else "blob"
        return f"https://github.com/{self.repository}/{kind}/main/{path}" + (f"#{place}" if place else "")


def heading_slug(place: str) -> str:
    """The name of a heading as the book's pages have it, from that of GitHub or JupyterLab (``3.-The-search``)."""
    return re.sub(r"[^\w-]", "", place.lower())
