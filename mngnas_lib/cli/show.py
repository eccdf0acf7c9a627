"""How numbers and tables look on a terminal."""

from __future__ import annotations

import math
import os
import textwrap
from collections.abc import Sequence


def duration(seconds: float) -> str:
    """Two digits and a unit: ``25 s``, ``4.1 min``, ``12 h``, ``8.3 days``."""
    for unit, size, limit in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800), ("days", 86_400, math.inf)):
        if seconds < limit:
            number = seconds / size
            return f"{number:.0f} {unit}" if number >= 9.95 else f"{number:.1f} {unit}"
    return f"{seconds} s"


def count(number: float) -> str:
    """Three digits and a unit: ``73.3 k``, ``1.12 M``."""
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"


def memory(size: float) -> str:
    """Bytes: ``512 MiB``, ``15.6 GiB``."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def percent(fraction: float | None) -> str:
    """A fraction as percent, ``-`` for what is not known."""
    return "-" if fraction is None or math.isnan(fraction) else f"{100 * fraction:.2f} %"


def interval(value: float, low: float, high: float) -> str:
    """A number and its interval."""
    return "-" if math.isnan(value) else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of words as columns, the first row being the head. The first column is aligned left, the others right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [word.rjust(width) for word, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def wrapped(text: str, width: int = 100) -> str:
    """Paragraphs in lines that fit a terminal; what follows a first line is indented."""
    fill = textwrap.TextWrapper(width, subsequent_indent="  ", break_on_hyphens=False, break_long_words=False).fill
    return "\n".join(map(fill, text.splitlines()))


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
