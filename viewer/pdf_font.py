"""Letters as outlines, from the simplified Chinese face of Noto Sans CJK.

The collection's first face is Japanese and writes 直 and 骨 in another form. The font is opened once, at the
first text; what was drawn once is kept.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from fontTools.pens.basePen import BasePen
from fontTools.ttLib import TTFont

SIMPLIFIED_CHINESE_FACE: Final = 2
FONT_FILE: Final = Path(str(files("noto_cjk_sans_otc") / "NotoSansCJK-Regular.ttc"))
UNITS: Final = 1000  # of an em
_MISSING: Final = "□"

Point = tuple[float, float]


class _Pen(BasePen):  # type: ignore[misc]  # it has no types
    """Writes a glyph as operators of a PDF path."""

    def __init__(self, glyphs: Any) -> None:
        super().__init__(glyphs)
        self.parts: list[str] = []

    def _moveTo(self, pt: Point) -> None:
        self.parts.append(f"{pt[0]:g} {pt[1]:g} m")

    def _lineTo(self, pt: Point) -> None:
        self.parts.append(f"{pt[0]:g} {pt[1]:g} l")

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:
        self.parts.append(f"{pt1[0]:g} {pt1[1]:g} {pt2[0]:g} {pt2[1]:g} {pt3[0]:g} {pt3[1]:g} c")

    def _closePath(self) -> None:
        self.parts.append("h")


@cache
def _font() -> tuple[dict[int, str], Any]:
    font = TTFont(FONT_FILE, fontNumber=SIMPLIFIED_CHINESE_FACE, lazy=True)
    if font["head"].unitsPerEm != UNITS:
        raise ValueError(f"expected a font of {UNITS} units, got {font['head'].unitsPerEm}")
    names: dict[int, str] = font.getBestCmap()
    return names, font.getGlyphSet()


@cache
def glyph(char: str) -> tuple[int, str]:
    """Width of a letter in thousandths of an em, and its outline; a letter that the font lacks is a box."""
    names, glyphs = _font()
    name = names.get(ord(char)) or names[ord(_MISSING)]
    pen = _Pen(glyphs)
    glyphs[name].draw(pen)
    return round(glyphs[name].width), " ".join(pen.parts)


def width_mm(text: str, size_mm: float) -> float:
    """How wide a text is at a size of the em."""
    return sum(glyph(char)[0] for char in text) * size_mm / UNITS


def wrap(text: str, size_mm: float, width: float) -> list[str]:
    """Lines no wider than `width`: broken at a blank, or anywhere between Chinese letters. Line breaks are kept."""
    lines: list[str] = []
    for paragraph in text.splitlines() or [""]:
        lines += _wrapped(paragraph, size_mm, width)
    return lines


_NOT_FIRST: Final = "，。；：、！？）》”’％,.;:!?)"


def _wrapped(text: str, size_mm: float, width: float) -> list[str]:
    lines, line, room = [], "", width
    for char in text:
        advance = glyph(char)[0] * size_mm / UNITS
        if advance > room and char not in _NOT_FIRST and line:
            head, blank, tail = line.rpartition(" ")
            if blank and char != " " and ord(char) <= 0x2E7F and head.strip() and len(tail) < 30:
                lines.append(head.rstrip())
                line = tail
            else:
                lines.append(line.rstrip())
                line = ""
            room = width - width_mm(line, size_mm)
            if char == " " and not line:
                continue
        line += char
        room -= advance
    return [*lines, line.rstrip()] if line.strip() or not lines else lines
