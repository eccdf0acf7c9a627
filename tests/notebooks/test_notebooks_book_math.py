"""Equations of the book: MathML, and a font that has the signs they use."""

import base64
import io
import re

import pytest
from fontTools.ttLib import TTFont

math_core = pytest.importorskip("math_core", reason="the extra 'book' is not installed")
pytest.importorskip("ziamath", reason="the extra 'book' is not installed")

from mngnas_lib.notebooks.book.mathml import font_css, signs, to_mathml  # noqa: E402


def test_an_equation_keeps_its_latex():
    text = to_mathml(r"\alpha_e \ge 0", display=False)
    assert "<msub><mi>α</mi><mi>e</mi></msub>" in text
    assert re.search(r"<annotation[^>]*>\\alpha_e \\ge 0</annotation>", text)
    assert 'display="block"' not in text
    assert 'display="block"' in to_mathml("x", display=True)


def test_no_equation():
    with pytest.raises(math_core.LatexError):
        to_mathml(r"\nosuchcommand{x}", display=False)


def test_signs_are_those_that_are_shown():
    assert signs("<math><mi>a</mi><mo>&lt;</mo><annotation>Z</annotation><mn>12</mn></math>") == set("a<12")


@pytest.fixture(scope="module")
def style_sheet():
    return font_css("x∑≥‖α")


def test_the_font_has_the_signs_and_how_to_set_them(style_sheet):
    data = re.search(r"url\(data:font/woff;base64,([^)]*)\)", style_sheet)[1]
    font = TTFont(io.BytesIO(base64.b64decode(data)))
    assert {*map(ord, "x∑≥‖α"), ord("𝑥"), ord("𝛼"), ord("ℎ")} <= set(font.getBestCmap())
    assert ord("→") not in font.getBestCmap()
    construction = font["MATH"].table.MathVariants
    assert font.getBestCmap()[ord("∑")] in construction.VertGlyphCoverage.glyphs  # it grows in displayed equations
    assert "SIL Open Font License" in style_sheet


def test_the_same_signs_give_the_same_bytes(style_sheet):
    assert font_css("x∑≥‖α") == style_sheet
