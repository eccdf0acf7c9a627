"""What the pages of a folder would fetch from elsewhere when a browser shows them; links to follow do not count."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

_ELSEWHERE = re.compile(r"\s*(?:https?:|wss?:|ftp:)?//", re.IGNORECASE)
_IN_STYLE = re.compile(r"""(?:url\(\s*|@import\s+)["']?\s*((?:https?:)?//[^"')\s;]+)""", re.IGNORECASE)
#: Attributes that make a browser load what they name, whatever the element
_LOADING = ("src", "srcset", "data", "poster", "background")
#: <link> elements with these words in rel only name another page
_NAMING = {"alternate", "author", "canonical", "help", "index", "license", "next", "prev", "search"}


def outside_loads(folder: Path) -> list[str]:
    """``FILE: ADDRESS`` for everything that HTML and style sheets in a folder load from another machine."""
    found = []
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".html", ".css", ".svg"):
            text = path.read_text(encoding="utf-8")
            addresses = _IN_STYLE.findall(text) if path.suffix == ".css" else loads_of_page(text)
            found += [f"{path.relative_to(folder).as_posix()}: {address}" for address in addresses]
    return found


def loads_of_page(text: str) -> list[str]:
    """The addresses on other machines that one page, or one SVG picture, loads."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.found


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        candidates = [values[name] for name in _LOADING if name in values]
        if tag == "link" and not set(values.get("rel", "").lower().split()) <= _NAMING:
            candidates.append(values.get("href", ""))
        if tag in ("image", "use", "script"):  # within SVG
            candidates += [values.get("href", ""), values.get("xlink:href", "")]
        self.found += [value.strip() for value in candidates if _ELSEWHERE.match(value)]
        self.found += _IN_STYLE.findall(values.get("style", ""))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.found += _IN_STYLE.findall(data)
