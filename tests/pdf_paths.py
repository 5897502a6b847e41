"""Reads the vector paths of a PDF back: its pages in millimetres, and the lines that it marks by a name.

Written from the PDF reference alone; it shares no code and no constant with what writes reports.
"""

import re
import zlib
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

MM_PER_PT = 25.4 / 72
_TOKEN = re.compile(
    rb"\((?:[^()\\]|\\.)*\)|<<.*?>>|<[0-9a-fA-F]*>|\[[^\]]*\]|/[^\s/<>\[\]()]+|[^\s/<>\[\]()]+"
)


@dataclass(kw_only=True)
class Line:
    """One open line as it stands on the page."""

    tag: str  # "Trace", "Median", "Calibration"; empty for what is not marked
    name: str
    points_mm: NDArray[np.float64]  # (points, 2) from the lower left corner
    width_mm: float


@dataclass(kw_only=True)
class PdfPage:
    """One page."""

    width_mm: float
    height_mm: float
    lines: list[Line] = field(default_factory=list)

    def marked(self, tag: str) -> list[Line]:
        """The lines of one mark, in the order in which they were drawn."""
        return [line for line in self.lines if line.tag == tag]


def pages_of(data: bytes) -> list[PdfPage]:
    """Every page of a document, in its order."""
    objects = {
        int(number): body
        for number, body in re.findall(rb"(?:^|\n)(\d+) 0 obj\s(.*?)\nendobj", data, re.DOTALL)
    }
    tree = next(body for body in objects.values() if re.search(rb"/Type\s*/Pages", body))
    kids = re.search(rb"/Kids\s*\[([^\]]*)\]", tree)
    assert kids is not None
    return [_page(objects, int(number)) for number in re.findall(rb"(\d+) 0 R", kids[1])]


def text_of(data: bytes) -> str:
    """Every letter that the fonts of a document say they draw; not in the order of reading."""
    found = []
    for packed in re.findall(rb"stream\n(.*?)\nendstream", data, re.DOTALL):
        content = zlib.decompress(packed)
        if b"beginbfchar" in content:
            for code in re.findall(rb"<[0-9a-f]{2}> <((?:[0-9a-f]{4})+)>", content):
                found.append(bytes.fromhex(code.decode()).decode("utf-16-be"))
    return "".join(found)


def texts_of(data: bytes) -> str:
    """What is written on the pages, one line for each text that was drawn."""
    streams = [zlib.decompress(one) for one in re.findall(rb"stream\n(.*?)\nendstream", data, re.DOTALL)]
    letters = [
        {
            int(code, 16): bytes.fromhex(char).decode("utf-16-be")
            for code, char in re.findall(r"<(\w\w)> <(\w{4,8})>", one.decode("latin-1"))
        }
        for one in streams
        if b"beginbfchar" in one
    ]
    found = []
    for one in streams:
        for drawn in re.findall(r"BT .*? ET", one.decode("latin-1")):
            parts = re.findall(r"/F(\d+) \S+ Tf <(\w*)> Tj", drawn)
            found.append(
                "".join(letters[int(font)][code] for font, codes in parts for code in bytes.fromhex(codes))
            )
    return "\n".join(found)


def _page(objects: dict[int, bytes], number: int) -> PdfPage:
    body = objects[number]
    box = re.search(rb"/MediaBox\s*\[([^\]]*)\]", body)
    content = re.search(rb"/Contents (\d+) 0 R", body)
    assert box is not None and content is not None
    _, _, width, height = (float(part) * MM_PER_PT for part in box[1].split())
    page = PdfPage(width_mm=width, height_mm=height)
    packed = objects[int(content[1])].split(b"stream\n", 1)[1].rsplit(b"\nendstream", 1)[0]
    _run(page, zlib.decompress(packed))
    return page


def _run(page: PdfPage, content: bytes) -> None:
    """The operators that build and stroke paths, with the matrix and the width of the pen."""
    matrix, pen, kept = np.eye(3), 1.0, []
    operands: list[bytes] = []
    paths: list[list[tuple[float, float]]] = []
    marks: list[tuple[str, str]] = []
    for token in _TOKEN.findall(content):
        match token:
            case b"cm":
                a, b, c, d, e, f = (float(part) for part in operands[-6:])
                matrix = np.array([[a, b, 0], [c, d, 0], [e, f, 1]]) @ matrix
            case b"q":
                kept.append((matrix, pen))
            case b"Q":
                matrix, pen = kept.pop()
            case b"w":
                pen = float(operands[-1])
            case b"m":
                paths.append([(float(operands[-2]), float(operands[-1]))])
            case b"l":
                paths[-1].append((float(operands[-2]), float(operands[-1])))
            case b"BDC":
                said = re.search(rb"/Name \(([^)]*)\)", operands[-1])
                marks.append((operands[-2][1:].decode(), said[1].decode() if said else ""))
            case b"EMC":
                marks.pop()
            case b"S":
                tag, name = marks[-1] if marks else ("", "")
                scale = float(matrix[0, 0]) * MM_PER_PT
                for path in paths:
                    points = np.column_stack([np.array(path), np.ones(len(path))]) @ matrix
                    page.lines.append(
                        Line(tag=tag, name=name, points_mm=points[:, :2] * MM_PER_PT, width_mm=pen * scale)
                    )
                paths = []
            case b"f" | b"n" | b"B":
                paths = []
            case _:
                operands.append(token)
                continue
        operands = []
