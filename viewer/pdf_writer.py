"""A small writer of PDF: lines, filled areas and text on pages that are measured in millimetres.

All shapes are vectors. Letters are drawn by their outlines (Type 3) and can still be searched and copied. Equal input
gives equal bytes: no date and no random name gets in.
"""

import contextlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.viewer import pdf_font

MM_PER_PT: Final = 25.4 / 72
_CODES: Final = 256  # letters of one Type 3 font
_BOLD_STROKE: Final = 22  # width of the stroke around a bold letter, in thousandths of an em

Colour = tuple[float, float, float]
BLACK: Final[Colour] = (0.0, 0.0, 0.0)


def colour(hex_rgb: str) -> Colour:
    """``"#0b57d0"`` as three parts of one."""
    red, green, blue = (int(hex_rgb[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


class Page:
    """One sheet; x to the right and y upwards in mm from the lower left corner."""

    def __init__(self, pdf: "Pdf", width_mm: float, height_mm: float) -> None:
        self._pdf = pdf
        self.width_mm = width_mm
        self.height_mm = height_mm
        self.parts: list[str] = []

    def line(
        self,
        points: Sequence[tuple[float, float]] | NDArray[np.float64],
        *,
        width: float = 0.2,
        ink: Colour = BLACK,
        dash: str = "",
    ) -> None:
        """An open line through points, in mm."""
        if len(points) < 2:
            return
        self._pen(width, ink, dash)
        self.parts.append(_path(points) + " S")

    def lines(self, segments: Sequence[Sequence[tuple[float, float]]], *, width: float, ink: Colour) -> None:
        """Many lines of one kind."""
        self._pen(width, ink, "")
        self.parts.append(" ".join(_path(points) for points in segments) + " S")

    def area(self, left: float, bottom: float, width: float, height: float, *, ink: Colour) -> None:
        """A filled rectangle."""
        self.parts.append(f"{_rgb(ink)} rg {_box(left, bottom, width, height)} f")

    def dot(self, x: float, y: float, radius: float, *, ink: Colour) -> None:
        """A filled square standing on its corner: what a dot of this size looks like on paper."""
        corners = [(x - radius, y), (x, y - radius), (x + radius, y), (x, y + radius)]
        self.parts.append(f"{_rgb(ink)} rg {_path(corners)} h f")

    def frame(
        self, left: float, bottom: float, width: float, height: float, *, line: float, ink: Colour
    ) -> None:
        """The outline of a rectangle."""
        self._pen(line, ink, "")
        self.parts.append(f"{_box(left, bottom, width, height)} S")

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size_pt: float,
        *,
        ink: Colour = BLACK,
        bold: bool = False,
        align: str = "left",
    ) -> float:
        """Write one line with its foot at `y`; returns its width in mm. `align`: left, right or middle."""
        size = size_pt * MM_PER_PT
        width = pdf_font.width_mm(text, size)
        x -= {"left": 0.0, "right": width, "middle": width / 2}[align]
        shown = [f"BT {_rgb(ink)} rg 1 0 0 1 {x:.3f} {y:.3f} Tm"]
        for font, codes in self._pdf.runs(text, bold):
            shown.append(f"/{font} {size:.4f} Tf <{codes}> Tj")
        self.parts.append(" ".join([*shown, "ET"]))
        return width

    @contextlib.contextmanager
    def clipped(self, left: float, bottom: float, width: float, height: float) -> Iterator[None]:
        """What is drawn in the block is cut at a rectangle."""
        self.parts.append(f"q {_box(left, bottom, width, height)} W n")
        yield
        self.parts.append("Q")

    @contextlib.contextmanager
    def marked(self, tag: str, name: str) -> Iterator[None]:
        """What is drawn in the block is marked by a name, so that programs find it again."""
        self.parts.append(f"/{tag} <</Name ({name})>> BDC")
        yield
        self.parts.append("EMC")

    def _pen(self, width: float, ink: Colour, dash: str) -> None:
        self.parts.append(f"{width:g} w {_rgb(ink)} RG [{dash}] 0 d 1 j")

    def content(self) -> bytes:
        """The operators, from points to millimetres first."""
        scale = f"{1 / MM_PER_PT:.9f}"
        return f"{scale} 0 0 {scale} 0 0 cm\n".encode() + "\n".join(self.parts).encode("latin-1")


class Pdf:
    """A document; `write` gives its bytes."""

    def __init__(self, *, title: str, lang: str) -> None:
        self._title = title
        self._lang = lang
        self.pages: list[Page] = []
        self._codes: dict[tuple[str, bool], tuple[int, int]] = {}  # letter → font and code in it
        self._fonts: list[tuple[bool, list[str]]] = []

    def page(self, width_mm: float, height_mm: float) -> Page:
        """A new last page."""
        page = Page(self, width_mm, height_mm)
        self.pages.append(page)
        return page

    def runs(self, text: str, bold: bool) -> list[tuple[str, str]]:
        """The text as pieces of one font each: the font's name and the codes in hexadecimal."""
        found: list[tuple[int, list[int]]] = []
        for char in text:
            font, code = self._code(char, bold)
            if not found or found[-1][0] != font:
                found.append((font, []))
            found[-1][1].append(code)
        return [(f"F{font}", bytes(codes).hex()) for font, codes in found]

    def _code(self, char: str, bold: bool) -> tuple[int, int]:
        known = self._codes.get((char, bold))
        if known is None:
            own = [i for i, (kind, chars) in enumerate(self._fonts) if kind == bold and len(chars) < _CODES]
            if not own:
                self._fonts.append((bold, []))
                own = [len(self._fonts) - 1]
            letters = self._fonts[own[0]][1]
            known = self._codes[char, bold] = own[0], len(letters)
            letters.append(char)
        return known

    def write(self) -> bytes:
        """The whole file."""
        out = _Objects()
        catalog, tree = out.reserve(), out.reserve()
        fonts = " ".join(f"/F{i} {self._font(out, *one)} 0 R" for i, one in enumerate(self._fonts))
        kids = []
        for page in self.pages:
            content = out.stream(page.content())
            box = f"0 0 {page.width_mm / MM_PER_PT:.4f} {page.height_mm / MM_PER_PT:.4f}"
            kids.append(
                out.add(
                    f"<</Type/Page/Parent {tree} 0 R/MediaBox[{box}]"
                    f"/Resources<</Font<<{fonts}>>>>/Contents {content} 0 R>>"
                )
            )
        listed = " ".join(f"{kid} 0 R" for kid in kids)
        out.put(tree, f"<</Type/Pages/Count {len(kids)}/Kids[{listed}]>>")
        # A reader program prints it in its true size unless somebody says otherwise.
        view = "/ViewerPreferences<</PrintScaling/None/DisplayDocTitle true>>"
        out.put(catalog, f"<</Type/Catalog/Pages {tree} 0 R/Lang({self._lang}){view}>>")
        info = out.add(f"<</Title{_utf16(self._title)}/Producer(greenchannel)>>")
        return out.write(catalog, info)

    def _font(self, out: "_Objects", bold: bool, letters: list[str]) -> int:
        widths, procs = [], []
        for code, char in enumerate(letters):
            width, outline = pdf_font.glyph(char)
            paint = f"{_BOLD_STROKE} w 1 j {outline} B" if bold else f"{outline} f"
            head = f"{width} 0 -300 -400 {max(width, 1000) + 300} 1300 d1"
            drawn = f"{head} {paint}" if outline else head
            procs.append(f"/g{code} {out.stream(drawn.encode())} 0 R")
            widths.append(str(width))
        names = " ".join(f"/g{code}" for code in range(len(letters)))
        unicode = out.stream(_to_unicode(letters))
        return out.add(
            "<</Type/Font/Subtype/Type3/FontBBox[-300 -400 1300 1300]/FontMatrix[0.001 0 0 0.001 0 0]"
            f"/CharProcs<<{' '.join(procs)}>>/Encoding<</Type/Encoding/Differences[0 {names}]>>"
            f"/FirstChar 0/LastChar {len(letters) - 1}/Widths[{' '.join(widths)}]"
            f"/Resources<<>>/ToUnicode {unicode} 0 R>>"
        )


class _Objects:
    """The numbered objects of a file."""

    def __init__(self) -> None:
        self._bodies: list[bytes] = []

    def reserve(self) -> int:
        self._bodies.append(b"")
        return len(self._bodies)

    def put(self, number: int, body: str) -> None:
        self._bodies[number - 1] = body.encode("latin-1")

    def add(self, body: str) -> int:
        number = self.reserve()
        self.put(number, body)
        return number

    def stream(self, data: bytes) -> int:
        packed = zlib.compress(data, 6)
        head = f"<</Length {len(packed)}/Filter/FlateDecode>>".encode()
        self._bodies.append(head + b"\nstream\n" + packed + b"\nendstream")
        return len(self._bodies)

    def write(self, catalog: int, info: int) -> bytes:
        data = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, body in enumerate(self._bodies, 1):
            places.append(len(data))
            data += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        start, count = len(data), len(places) + 1
        data += f"xref\n0 {count}\n0000000000 65535 f \n".encode()
        data += "".join(f"{place:010d} 00000 n \n" for place in places).encode()
        data += f"trailer\n<</Size {count}/Root {catalog} 0 R/Info {info} 0 R>>\n".encode()
        return bytes(data + f"startxref\n{start}\n%%EOF\n".encode())


def _path(points: Sequence[tuple[float, float]] | NDArray[np.float64]) -> str:
    # Thousandths of a millimetre: finer than any printer, coarser than the noise of numbers.
    rows = np.asarray(points, dtype=np.float64).round(3)
    # All numbers in one go: a strip has thousands of points.
    return ("%.7g %.7g m" + " %.7g %.7g l" * (len(rows) - 1)) % tuple(rows.ravel().tolist())


def _box(left: float, bottom: float, width: float, height: float) -> str:
    return f"{left:.3f} {bottom:.3f} {width:.3f} {height:.3f} re"


def _rgb(ink: Colour) -> str:
    return f"{ink[0]:.3g} {ink[1]:.3g} {ink[2]:.3g}"


def _utf16(text: str) -> str:
    return f"<FEFF{text.encode('utf-16-be').hex()}>"


def _to_unicode(letters: Sequence[str]) -> bytes:
    rows = [f"<{code:02x}> <{char.encode('utf-16-be').hex()}>" for code, char in enumerate(letters)]
    blocks = [rows[i : i + 100] for i in range(0, len(rows), 100)]
    maps = "\n".join(f"{len(block)} beginbfchar\n" + "\n".join(block) + "\nendbfchar" for block in blocks)
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /U def /CMapType 2 def\n"
        "1 begincodespacerange <00> <ff> endcodespacerange\n"
        f"{maps}\nendcmap CMapName currentdict /CMap defineresource pop end end"
    ).encode()
