"""In which charset the texts of a DICOM object are, where it names none or one that cannot be true.

Machines in China often write GBK and name no charset, or Latin-1 (ISO_IR 100). What is read otherwise than the object
says is assumed, and said to be; the bytes stay as they came.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from greenchannel.ingest.imaging.values import Getter

CHINESE: Final = "gb18030"
_UNNAMED: Final = ("", "ISO_IR 6", "ISO 2022 IR 6")  # plain ASCII, so no charset for anything else
_LATIN: Final = "ISO_IR 100"
_COMMON: Final = range(0xB0, 0xD8)  # first bytes of the 3,755 ideographs in daily use (GB 2312, level 1)
_TEXTS: Final = (
    "PatientName", "StudyDescription", "SeriesDescription", "ProtocolName", "InstitutionName", "StationName",
    "ReferringPhysicianName", "PatientID", "ReasonForTheRequestedProcedure", "ReasonForStudy",
    "RequestedProcedureDescription", "AdmittingDiagnosesDescription",
)  # fmt: skip
_ITEMS: Final = "RequestAttributesSequence"


class Charset(NamedTuple):
    """How texts are read: `codec` None as the object says; `doubtful`, where they may be in another charset."""

    codec: str | None = None
    doubtful: bool = False


def charset_of(get: Getter) -> Charset:
    """The charset of an object's texts, by its texts and what it names; `get` reads it as it says."""
    named = (get.text("SpecificCharacterSet") or "").strip().upper()
    if named not in (*_UNNAMED, _LATIN):
        return Charset()
    raws = [raw for raw in _raws(get) if not raw.isascii()]
    if not raws:
        return Charset()
    if all(_decoded(raw, "utf-8") is not None for raw in raws):
        return Charset("utf-8")
    texts = [_decoded(raw, CHINESE) for raw in raws]
    whole = all(text is not None and _is_chinese(text) for text in texts)
    wide = [char for text in texts for char in text or "" if not char.isascii()]
    in_use = any(_first_byte(char) in _COMMON for char in wide)
    if whole and in_use and (named != _LATIN or all(_first_byte(char) is not None for char in wide)):
        return Charset(CHINESE)
    return Charset(doubtful=named != _LATIN or any(_is_odd_latin(raw) for raw in raws))


def _raws(get: Getter) -> Iterable[bytes]:
    """The bytes of the texts; Latin-1, as which they were read, loses none."""
    for one in (get, *get.items(_ITEMS)):
        for name in _TEXTS:
            yield one.raw_text(name).encode("latin-1", errors="replace")


def _decoded(raw: bytes, codec: str) -> str | None:
    try:
        return raw.decode(codec)
    except UnicodeDecodeError:
        return None


def _is_chinese(text: str) -> bool:
    return all(char.isascii() or _is_ideograph(char) or _is_mark(char) for char in text)


def _is_ideograph(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff" or "\U00020000" <= char <= "\U0003ffff"


def _is_mark(char: str) -> bool:
    """Punctuation and full-width letters that stand between ideographs."""
    return char in "·—…“”‘’" or "\u3000" <= char <= "\u303f" or "\uff00" <= char <= "\uffef"


def _first_byte(char: str) -> int | None:
    """Of the character in GB 2312; None where it is not in there."""
    try:
        return char.encode("gb2312")[0]
    except UnicodeEncodeError:
        return None


def _is_odd_latin(raw: bytes) -> bool:
    """Control characters of Latin-1, or accented letters side by side: hardly any language writes so."""
    high = [byte >= 0x80 for byte in raw]
    return any(0x80 <= byte <= 0x9F for byte in raw) or any(map(bool.__and__, high, high[1:]))
