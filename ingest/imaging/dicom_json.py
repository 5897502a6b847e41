"""DICOM data sets as JSON (PS3.18 F.2), with links in place of what is large.

An element that cannot be read is there without its value: one broken element costs no other.
"""

import base64
import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import PersonName

from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.imaging.charset import charset_of
from greenchannel.ingest.imaging.pixel_source import RAISED, faults, read_dataset_of
from greenchannel.ingest.imaging.values import Getter, in_charset

Json = dict[str, Any]

INLINE_BYTES: Final = 1024  # of a binary value; what is larger has a link  [E]
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_WHOLE: Final = frozenset({"IS", "SL", "SS", "SV", "UL", "US", "UV"})
_FLOAT: Final = frozenset({"DS", "FD", "FL"})
_PERSON: Final = ("Alphabetic", "Ideographic", "Phonetic")
_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})


def metadata(data: bytes, url: str) -> Json:
    """All of an object but its large values; these are links below `url`.

    Raises
    ------
    IngestError
        ``malformed`` and the like: it is no DICOM object that can be read.
    """
    dataset, syntax = read_dataset_of(data)
    with faults("the DICOM file cannot be read"):
        codec = charset_of(Getter(dataset)).codec
        found = as_json(dataset, lambda path: f"{url}/bulkdata/{path}", codec=codec)
    found["00083002"] = {"vr": "UI", "Value": [syntax]}  # in which it is here
    return dict(sorted(found.items()))


def as_json(
    dataset: Dataset, link: Callable[[str], str], path: str = "", *, codec: str | None = None
) -> Json:
    """A data set; `link` makes the address of a value from the tags and item numbers that lead to it.

    `codec` is that of its texts, where it is another than the data set says.
    """
    found: Json = {}
    for tag in sorted(dataset.keys()):
        if tag.group == 2 or tag.element == 0:
            continue
        found[f"{tag:08X}"] = _element(dataset, tag, link, path, codec)
    return found


def _element(
    dataset: Dataset, tag: BaseTag, link: Callable[[str], str], path: str, codec: str | None
) -> Json:
    vr = "UN"
    try:
        element: DataElement = dataset[tag]
        vr = str(element.VR)
        if vr in ("OB or OW", "OW or OB"):
            vr = "OW"
        elif " or " in vr:
            vr = vr.split()[0]
        return _valued(element, vr, link, f"{path}{tag:08X}", codec)
    except RAISED:
        return {"vr": vr if len(vr) == 2 else "UN"}


def _valued(element: DataElement, vr: str, link: Callable[[str], str], path: str, codec: str | None) -> Json:
    value = element.value
    if vr == "SQ":
        items = [
            as_json(item, link, f"{path}/{number}/", codec=codec) for number, item in enumerate(value or ())
        ]
        return {"vr": vr, "Value": items} if items else {"vr": vr}
    if value is None or value == "" or (isinstance(value, (bytes, list, MultiValue)) and len(value) == 0):
        return {"vr": vr}
    if isinstance(value, (bytes, bytearray, memoryview)):
        binary = vr if vr in _BINARY else "UN"
        if element.tag in _PIXELS or len(value) > INLINE_BYTES:
            return {"vr": binary, "BulkDataURI": link(path)}
        return {"vr": binary, "InlineBinary": base64.b64encode(value).decode("ascii")}
    many = value if isinstance(value, (MultiValue, list, tuple)) else [value]
    return {"vr": vr, "Value": [_one(one, vr, codec) for one in many]}


def _one(value: Any, vr: str, codec: str | None = None) -> Any:
    if value is None or value == "":
        return None
    if vr == "PN":
        return person(in_charset(str(value), codec))
    if vr == "AT":
        return f"{Tag(value):08X}"
    if vr in _WHOLE:
        return int(value)
    if vr in _FLOAT:
        number = float(value)
        return number if math.isfinite(number) else str(number)
    return in_charset(str(value), codec)


def person(name: PersonName | str) -> Json:
    """A name, by its ways of writing."""
    parts = str(name).split("=")
    return {key: part for key, part in zip(_PERSON, parts, strict=False) if part}


def bulk_value(data: bytes, path: Iterable[str]) -> bytes | None:
    """A value by the tags and item numbers that lead to it; None where it is of the pixels, which go frame by frame.

    Raises
    ------
    IngestError
        ``bad_field``: there is no such value.
    """
    steps = list(path)
    dataset, _ = read_dataset_of(data)
    try:
        with faults("the DICOM file cannot be read"):
            for tag, number in zip(steps[:-1:2], steps[1::2], strict=True):
                dataset = dataset[Tag(int(tag, 16))].value[int(number)]
            last = Tag(int(steps[-1], 16))
            if last in _PIXELS and len(steps) == 1:
                return None
            value = dataset[last].value
    except IngestError as error:
        raise IngestError(
            "bad_field", "there is no such value", "a link of the metadata", shown("/".join(steps))
        ) from error
    if not isinstance(value, (bytes, bytearray)):
        raise IngestError("bad_field", "this value has no link", "a binary value", shown("/".join(steps)))
    return bytes(value)
