"""A DICOM data set read straight from its bytes, as far as an ECG needs it.

pydicom reads every element of every kind; this reads some forty, of the two little-endian syntaxes, within files that
keep to the letter of PS3.5. Whatever strays from it, be it a tag out of order, raises `NotPlain`, and the caller asks
pydicom. So what is said here is what pydicom says, and broken files are judged by it alone.
"""

import re
import struct
import zlib
from typing import Any, Final

from greenchannel.ingest.bounds import MAX_BYTES
from greenchannel.ingest.errors import IngestError

EXPLICIT: Final = "1.2.840.10008.1.2.1"
IMPLICIT: Final = "1.2.840.10008.1.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"

_UNDEFINED: Final = 0xFFFFFFFF
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_MAX_DEPTH: Final = 16
_EXPLICIT_HEAD: Final = struct.Struct("<HH2sH")
_IMPLICIT_HEAD: Final = struct.Struct("<HHI")
_LENGTH: Final = struct.Struct("<I")
_META: Final = 132

_SHORT: Final = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)  # 16 bits of length  # fmt: skip
_LONG: Final = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # 32 bits, behind two of nothing

# Keyword: tag and VR as PS3.6 has them; OX is OB or OW.
_WANTED: Final[dict[str, tuple[int, bytes]]] = {
    "SpecificCharacterSet": (0x00080005, b"CS"),
    "SOPClassUID": (0x00080016, b"UI"),
    "StudyDate": (0x00080020, b"DA"),
    "AcquisitionDate": (0x00080022, b"DA"),
    "ContentDate": (0x00080023, b"DA"),
    "AcquisitionDateTime": (0x0008002A, b"DT"),
    "StudyTime": (0x00080030, b"TM"),
    "AcquisitionTime": (0x00080032, b"TM"),
    "ContentTime": (0x00080033, b"TM"),
    "CodeValue": (0x00080100, b"SH"),
    "CodingSchemeDesignator": (0x00080102, b"SH"),
    "CodeMeaning": (0x00080104, b"LO"),
    "TimezoneOffsetFromUTC": (0x00080201, b"SH"),
    "PatientName": (0x00100010, b"PN"),
    "PatientID": (0x00100020, b"LO"),
    "PatientBirthDate": (0x00100030, b"DA"),
    "PatientSex": (0x00100040, b"CS"),
    "PatientAge": (0x00101010, b"AS"),
    "WaveformOriginality": (0x003A0004, b"CS"),
    "NumberOfWaveformChannels": (0x003A0005, b"US"),
    "NumberOfWaveformSamples": (0x003A0010, b"UL"),
    "SamplingFrequency": (0x003A001A, b"DS"),
    "MultiplexGroupLabel": (0x003A0020, b"SH"),
    "ChannelDefinitionSequence": (0x003A0200, b"SQ"),
    "ChannelLabel": (0x003A0203, b"SH"),
    "ChannelSourceSequence": (0x003A0208, b"SQ"),
    "ChannelSensitivity": (0x003A0210, b"DS"),
    "ChannelSensitivityUnitsSequence": (0x003A0211, b"SQ"),
    "ChannelSensitivityCorrectionFactor": (0x003A0212, b"DS"),
    "ChannelBaseline": (0x003A0213, b"DS"),
    "WaveformBitsStored": (0x003A021A, b"US"),
    "FilterLowFrequency": (0x003A0220, b"DS"),
    "FilterHighFrequency": (0x003A0221, b"DS"),
    "NotchFilterFrequency": (0x003A0222, b"DS"),
    "WaveformAnnotationSequence": (0x0040B020, b"SQ"),
    "UnformattedTextValue": (0x00700006, b"ST"),
    "WaveformSequence": (0x54000100, b"SQ"),
    "WaveformBitsAllocated": (0x54001004, b"US"),
    "WaveformSampleInterpretation": (0x54001006, b"CS"),
    "WaveformPaddingValue": (0x5400100A, b"OX"),
    "WaveformData": (0x54001010, b"OX"),
    "PixelData": (0x7FE00010, b"OX"),
}
# Sequences that ECGs hold; only these may be of undefined length where the file does not name the VR.
_SEQUENCES: Final = frozenset(
    [tag for tag, vr in _WANTED.values() if vr == b"SQ"]
    + [
        0x00081032,
        0x00081110,
        0x00081111,
        0x0008114A,
        0x003A020A,
        0x003A0240,
        0x004008EA,
        0x00400555,
        0x0040A043,
    ]
    + [0x0040A168, 0x0040A195]
)
# Only those that stand alone: with code extensions one text may be of several.
_CHARSETS: Final = {
    "": "latin-1", "ISO_IR 6": "latin-1", "ISO_IR 100": "latin-1", "ISO_IR 192": "utf-8", "GB18030": "gb18030",
    "GBK": "gbk",
}  # fmt: skip
_DECIMAL: Final = re.compile(rb" *[-+]?(?:\d{1,16}\.?\d{0,16}|\.\d{1,16})(?:[eE][-+]?\d{1,3})? *")
_NUMBERS: Final = {b"US": (2, struct.Struct("<H")), b"UL": (4, struct.Struct("<I"))}

_Elements = dict[int, tuple[bytes | None, int, int, "list[Tags] | None"]]
"""By tag: VR where the file names it, start and end of the value, and its items where they were walked already."""


class NotPlain(Exception):
    """The data set is not of the plain kind that is known here to the letter."""


class Tags:
    """A data set or an item of a sequence; answers as `pydicom.Dataset` does for what an ECG needs."""

    __slots__ = ("_data", "_elements", "_encoding", "_explicit")

    def __init__(self, data: bytes, elements: _Elements, explicit: bool, encoding: str) -> None:
        self._data = data
        self._elements = elements
        self._explicit = explicit
        self._encoding = encoding

    def __contains__(self, keyword: str) -> bool:
        return _WANTED[keyword][0] in self._elements

    def __getattr__(self, keyword: str) -> Any:
        try:
            tag, vr = _WANTED[keyword]
        except KeyError:
            raise AttributeError(keyword) from None
        if tag not in self._elements:
            raise NotPlain
        return self._value(tag, vr)

    def get(self, keyword: str, default: Any = None) -> Any:
        """The value of an element, or `default` where there is none."""
        tag, vr = _WANTED[keyword]
        return self._value(tag, vr) if tag in self._elements else default

    def is_of(self, data: bytes) -> bool:
        """Whether the values stand in `data` itself, and not in what was deflated in it."""
        return self._data is data

    def place(self, keyword: str) -> tuple[int, int] | None:
        """Where the value stands in the file: its first byte and the one behind its last; None where there is none."""
        element = self._elements.get(_WANTED[keyword][0])
        return None if element is None else element[1:3]

    def _value(self, tag: int, vr: bytes) -> Any:
        said, start, stop, items = self._elements[tag]
        if said is not None and said != vr and not (vr == b"OX" and said in (b"OB", b"OW")):
            raise NotPlain
        if vr == b"SQ":
            if items is None:
                items = self._items(start, stop)
                self._elements[tag] = said, start, stop, items
            return items
        if vr == b"OX":
            return memoryview(self._data)[start:stop]
        raw = self._data[start:stop]
        if vr in _NUMBERS:
            size, form = _NUMBERS[vr]
            if stop - start != size:
                raise NotPlain
            return form.unpack(raw)[0]
        if vr == b"DS":
            if raw and not _DECIMAL.fullmatch(raw):
                raise NotPlain
            return float(raw) if raw else None
        return self._text(raw, vr)

    def _text(self, raw: bytes, vr: bytes) -> str:
        """One text; several in one, and changes of charset within one, are not plain."""
        if b"\x1b" in raw:
            raise NotPlain
        try:
            text = raw.decode(self._encoding if vr in (b"SH", b"LO", b"ST", b"PN") else "latin-1")
        except UnicodeDecodeError:
            raise NotPlain from None
        if ("\\" in text and vr != b"ST") or ("=" in text and vr == b"PN"):
            raise NotPlain
        return text.rstrip("\0 ")

    def _items(self, at: int, end: int) -> "list[Tags]":
        """The items of a sequence that says how long it is."""
        items = []
        while at < end:
            item, at = _item(self._data, at, end, self._explicit, self._encoding, 1)
            if item is None:
                raise NotPlain
            items.append(item)
        return items


def plain_tags(data: bytes) -> Tags:
    """The data set of a DICOM file.

    Parameters
    ----------
    data
        A whole file with its preamble.

    Raises
    ------
    NotPlain
        For another transfer syntax, and for whatever is not exactly as PS3.5 has it.
    IngestError
        As `inflated`.
    """
    if data[128:_META] != b"DICM":
        raise NotPlain
    syntax, at = _transfer_syntax(data)
    if syntax == DEFLATED:
        data, at = inflated(data, at), 0
    elif syntax not in (EXPLICIT, IMPLICIT):
        raise NotPlain
    explicit = syntax != IMPLICIT
    # Two capitals where an implicit data set has a length make pydicom take it for an explicit one.
    if not explicit and data[at + 4 : at + 6].isupper():
        raise NotPlain
    elements, _ = _walk(data, at, len(data), explicit, None, 0)
    if not elements or min(elements) < 0x00080000:
        raise NotPlain
    return Tags(data, elements, explicit, _encoding_of(data, elements))


def inflated(data: bytes, at: int) -> bytes:
    """The data set of a deflated file (PS3.5 A.5), which begins at `at`; no larger than any file may be.

    Raises
    ------
    IngestError
        ``malformed``, ``truncated`` or ``too_large``.
    """
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unpacked = unpacker.decompress(memoryview(data)[at:], MAX_BYTES + 1)
    except zlib.error as error:
        raise IngestError(
            "malformed", "the deflated data set cannot be unpacked", "a deflate stream", str(error)[:80]
        ) from error
    if len(unpacked) > MAX_BYTES:
        raise IngestError(
            "too_large", "the data set unpacks to too much", f"at most {MAX_BYTES} bytes", "more"
        )
    if not unpacker.eof:
        raise IngestError(
            "truncated", "the deflated data set ends too early", "its end", f"{len(unpacked)} bytes of it"
        )
    return unpacked


def _transfer_syntax(data: bytes) -> tuple[str, int]:
    """What group 2 says, and where the data set begins."""
    at, syntax = _META, ""
    last = 0
    while data[at : at + 2] == b"\x02\x00":
        tag, vr, start, stop = _head(data, at, len(data), True)
        if tag <= last:
            raise NotPlain
        if tag == 0x00020010:
            if vr != b"UI":
                raise NotPlain
            syntax = data[start:stop].decode("latin-1").rstrip("\0 ")
        at, last = stop, tag
    return syntax, at


def _head(data: bytes, at: int, end: int, explicit: bool) -> tuple[int, bytes | None, int, int]:
    """Tag, VR, and start and end of the value; the end is -1 where the length is undefined."""
    if at + 8 > end:
        raise NotPlain
    if not explicit:
        group, element, length = _IMPLICIT_HEAD.unpack_from(data, at)
        vr = None
        at += 8
    else:
        group, element, vr, length = _EXPLICIT_HEAD.unpack_from(data, at)
        at += 8
        if vr not in _SHORT:
            if vr not in _LONG or at + 4 > end:
                raise NotPlain
            length = _LENGTH.unpack_from(data, at)[0]
            at += 4
    stop = at + length
    if stop <= end:
        return group << 16 | element, vr, at, stop
    tag = group << 16 | element
    if length == _UNDEFINED and (vr == b"SQ" or (vr is None and tag in _SEQUENCES)):
        return tag, vr, at, -1
    raise NotPlain


def _walk(
    data: bytes, at: int, end: int, explicit: bool, encoding: str | None, depth: int, delimited: bool = False
) -> tuple[_Elements, int]:
    """The elements from `at`, and where they end: at `end`, or at the end of an item of undefined length."""
    if depth > _MAX_DEPTH:
        raise NotPlain
    elements: _Elements = {}
    last = -1
    while delimited or at < end:
        if delimited and data[at : at + 8] == b"\xfe\xff\x0d\xe0\0\0\0\0":
            return elements, at + 8
        tag, vr, start, stop = _head(data, at, end, explicit)
        if tag <= last or tag >= 0xFFFE0000:
            raise NotPlain
        last = tag
        items = None
        if stop < 0:
            inner = encoding or _encoding_of(data, elements)
            items, stop = _undefined(data, start, end, explicit, inner, depth + 1)
        elements[tag] = vr, start, stop, items
        at = stop
    return elements, at


def _undefined(
    data: bytes, at: int, end: int, explicit: bool, encoding: str, depth: int
) -> tuple[list[Tags], int]:
    """The items of a sequence of undefined length, and where it ends."""
    items: list[Tags] = []
    while True:
        item, at = _item(data, at, end, explicit, encoding, depth)
        if item is None:
            return items, at
        items.append(item)


def _item(
    data: bytes, at: int, end: int, explicit: bool, encoding: str, depth: int
) -> tuple[Tags | None, int]:
    """One item and where it ends; None for the end of its sequence."""
    if at + 8 > end:
        raise NotPlain
    group, element, length = _IMPLICIT_HEAD.unpack_from(data, at)
    tag = group << 16 | element
    if tag == _SEQUENCE_END and length == 0:
        return None, at + 8
    if tag != _ITEM:
        raise NotPlain
    at += 8
    if length == _UNDEFINED:
        elements, stop = _walk(data, at, end, explicit, encoding, depth, delimited=True)
    elif at + length > end:
        raise NotPlain
    else:
        elements, stop = _walk(data, at, at + length, explicit, encoding, depth)
    if 0x00080005 in elements:  # a charset of its own
        raise NotPlain
    return Tags(data, elements, explicit, encoding), stop


def _encoding_of(data: bytes, elements: _Elements) -> str:
    """The codec of the data set's texts."""
    if 0x00080005 not in elements:
        return _CHARSETS[""]
    vr, start, stop, _ = elements[0x00080005]
    try:
        if vr not in (None, b"CS"):
            raise NotPlain
        return _CHARSETS[data[start:stop].decode("latin-1").rstrip("\0 ")]
    except KeyError:
        raise NotPlain from None
