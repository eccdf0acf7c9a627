"""A Sphinx extension: equations as MathML, which browsers draw by themselves, without a script.

The mathematical font comes with the book, cut down to the signs that the equations use and written into a style sheet:
a browser that opens the book from a disk would refuse a font file in another folder.
"""

from __future__ import annotations

import base64
import html
import io
import logging
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import math_core
from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STYLE_SHEET = "math.css"
FAMILY = "Book Math"
#: What browsers make of single letters between <mi> and </mi>: mathematical italic, Latin and Greek, and h
_ITALIC = (*range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C), 0x210E)

# fontTools tells at length what it leaves out
logging.getLogger("fontTools.subset").setLevel(logging.ERROR)

_convert = math_core.LatexToMathML(annotation=True, fancy_error=False).convert_with_local_state


def to_mathml(latex: str, *, display: bool) -> str:
    """An equation as MathML, its LaTeX kept as an annotation.

    Raises:
        math_core.LatexError: this is no LaTeX, or a command is not known.
    """
    return _convert(latex, displaystyle=display)


def signs(mathml: str) -> set[str]:
    """The characters that MathML shows."""
    shown = re.sub(r"<annotation.*?</annotation>", "", mathml, flags=re.DOTALL)
    return set(html.unescape(re.sub(r"<[^>]*>", "", shown)))


def font_css(characters: Iterable[str]) -> str:
    """A style sheet with a font for equations that use these characters: STIX Two Math, as WOFF within the text."""
    from fontTools import subset
    from fontTools.ttLib import TTFont

    font = TTFont(io.BytesIO(_font_file()), recalcTimestamp=False)  # else every build would differ
    subsetter = subset.Subsetter(subset.Options(layout_features=["ssty", "dtls", "flac"]))
    subsetter.populate(unicodes={*map(ord, characters), *_ITALIC})
    subsetter.subset(font)
    font.flavor = "woff"
    file = io.BytesIO()
    font.save(file)
    data = base64.b64encode(file.getvalue()).decode()
    return (
        "/* STIX Two Math, Copyright 2001-2020 The STIX Fonts Project Authors, SIL Open Font License 1.1 */\n"
        f'@font-face {{ font-family: "{FAMILY}"; src: url(data:font/woff;base64,{data}) format("woff"); }}\n'
        f'math {{ font-family: "{FAMILY}", math; font-size: 1.1em; }}\n'
    )


def _font_file() -> bytes:
    return (files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf").read_bytes()


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    used: set[str] = set()

    def write(translator: Any, node: nodes.Element, display: bool) -> None:
        from sphinx.util.logging import getLogger

        try:
            text = to_mathml(node.astext(), display=display)
        except math_core.LatexError as error:
            getLogger(__name__).warning("no equation: %s (%s)", node.astext(), error, location=node)
            text = f"<code>{html.escape(node.astext())}</code>"
        used.update(signs(text))
        translator.body.append(f'<div class="equation">{text}</div>\n' if display else text)
        raise nodes.SkipNode

    def inline(translator: Any, node: nodes.math) -> None:
        write(translator, node, False)

    def display(translator: Any, node: nodes.math_block) -> None:
        write(translator, node, True)

    def finish(app: Sphinx, problem: Exception | None) -> None:
        if problem is None:
            Path(app.outdir, "_static", STYLE_SHEET).write_text(font_css(sorted(used)), encoding="utf-8", newline="\n")

    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    app.add_css_file(STYLE_SHEET)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": False}
