"""Whether the elements of a data set end where they say (PS3.5 7): a file that was cut off must not pass for whole.

Only lengths are looked at, nothing is copied. What cannot be followed, such as a private value of undefined length in a
form that nobody knows, is no proof of anything and is let pass.
"""

import struct
from typing import Final, NamedTuple

UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_LONG: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())
_SHORT: Final = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_MAX_DEPTH: Final = 32


class Pixels(NamedTuple):
    """Where the pixels stand in a data set."""

    start: int
    length: int | None  # None: in fragments


class Early(Exception):
    """The bytes end before an element does."""


class _Unclear(Exception):
    """The bytes follow no form that is known here."""


def pixels_of(data: bytes, at: int, *, explicit: bool, big_endian: bool = False) -> Pixels | None:
    """Where the pixels of a data set stand that begins at `at`; None where it has none, or cannot be followed.

    Raises
    ------
    Early
        It ends in the middle of an element.
    """
    walker = _Walker(data, explicit, ">" if big_endian else "<")
    try:
        walker.walk(at, 0, nested=False)
    except _Unclear:
        return walker.pixels
    return walker.pixels


class _Walker:
    def __init__(self, data: bytes, explicit: bool, order: str) -> None:
        self._data = data
        self._explicit = explicit
        self._tag = struct.Struct(order + "HH")
        self._half = struct.Struct(order + "H")
        self._full = struct.Struct(order + "I")
        self.pixels: Pixels | None = None

    def walk(self, at: int, depth: int, *, nested: bool) -> int:
        """Over the elements of a data set, or of an item of undefined length; gives where it ends."""
        if depth > _MAX_DEPTH:
            raise _Unclear
        end = len(self._data)
        while at < end:
            if end - at < 8:
                if any(self._data[at:end]):
                    raise Early
                return end
            tag, vr, length, at = self._head(at)
            if nested and tag == _ITEM_END:
                return at
            if tag == 0 or tag >= 0xFFFE0000:
                if tag == 0 and not any(self._data[at : at + 64]):
                    return end  # padding behind the data set
                raise _Unclear
            start = at
            if length == UNDEFINED:
                at = self._fragments(at) if tag in _PIXELS else self._items(at, depth, vr)
            else:
                at += length
                if at > end:
                    raise Early
            if depth == 0 and tag in _PIXELS:
                self.pixels = Pixels(start, None if length == UNDEFINED else length)
        if nested:
            raise Early
        return at

    def _head(self, at: int) -> tuple[int, bytes, int, int]:
        """Tag, VR, length, and where the value begins."""
        group, element = self._tag.unpack_from(self._data, at)
        tag = group << 16 | element
        vr = self._data[at + 4 : at + 6]
        if tag >= 0xFFFE0000 or not self._explicit:
            return tag, b"", self._full.unpack_from(self._data, at + 4)[0], at + 8
        if vr in _SHORT:
            return tag, vr, self._half.unpack_from(self._data, at + 6)[0], at + 8
        if vr not in _LONG:
            raise _Unclear
        if len(self._data) < at + 12:
            raise Early
        return tag, vr, self._full.unpack_from(self._data, at + 8)[0], at + 12

    def _items(self, at: int, depth: int, vr: bytes) -> int:
        """Over a sequence of undefined length; what stands in one of an unknown VR is written without VRs."""
        explicit = self._explicit
        self._explicit = explicit and vr != b"UN"
        try:
            while True:
                tag, length, at = self._item_head(at)
                if tag == _SEQUENCE_END:
                    return at
                if length == UNDEFINED:
                    at = self.walk(at, depth + 1, nested=True)
                elif at + length > len(self._data):
                    raise Early
                else:
                    at += length
        finally:
            self._explicit = explicit

    def _fragments(self, at: int) -> int:
        while True:
            tag, length, at = self._item_head(at)
            if tag == _SEQUENCE_END:
                return at
            if length == UNDEFINED:
                raise _Unclear
            at += length
            if at > len(self._data):
                raise Early

    def _item_head(self, at: int) -> tuple[int, int, int]:
        if at + 8 > len(self._data):
            raise Early
        group, element = self._tag.unpack_from(self._data, at)
        tag = group << 16 | element
        if tag not in (_ITEM, _SEQUENCE_END):
            raise _Unclear
        return tag, self._full.unpack_from(self._data, at + 4)[0], at + 8
