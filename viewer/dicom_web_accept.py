"""What a DICOMweb client can take (PS3.18 8.7), as its Accept header or its parameter ``accept`` has it."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from greenchannel.viewer.problems import Problem

EXPLICIT: Final = "1.2.840.10008.1.2.1"
DICOM: Final = "application/dicom"
OCTETS: Final = "application/octet-stream"
ANY: Final = "*/*"

ENCODED: Final[Mapping[str, str]] = {
    "1.2.840.10008.1.2.5": "image/dicom-rle",
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.92": "image/jpx",
    "1.2.840.10008.1.2.4.93": "image/jpx",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
}
"""The media type of an encoded frame, by its transfer syntax (PS3.18 table 8.7.3-5)."""

_ITEM: Final = re.compile(r'(?:[^,"]|"[^"]*")+')
_PART: Final = re.compile(r'(?:[^;"]|"[^"]*")+')


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the client can take."""

    media: str  # of the body, or of its parts
    is_multipart: bool
    syntax: str | None  # None: nothing is said of it; "*": any
    weight: float


def wanted(header: str | None, parameter: str | None = None) -> list[Wanted]:
    """All that a client can take, what it would rather have first. Nothing said is everything."""
    given = [parts for item in _ITEM.findall(parameter or header or ANY) if (parts := _PART.findall(item))]
    found = [_one(parts) for parts in given or [[ANY]]]  # a bare ";" between two commas says nothing
    return sorted((one for one in found if one.weight > 0), key=lambda one: -one.weight)


def _one(parts: Iterable[str]) -> Wanted:
    media, *given = (part.strip() for part in parts)
    values = {
        name.strip().lower(): value.strip().strip('"')
        for name, _, value in (one.partition("=") for one in given)
    }
    is_multipart = media.lower() == "multipart/related"
    try:
        weight = float(values.get("q", "1"))
    except ValueError:
        weight = 1.0
    return Wanted(
        media=(values.get("type", ANY) if is_multipart else media).lower(),
        is_multipart=is_multipart,
        syntax=values.get("transfer-syntax"),
        weight=weight,
    )


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """How an answer is given."""

    media: str
    syntax: str | None  # None: as it is here
    is_multipart: bool


def choose_object(accepted: Iterable[Wanted], *, alone: bool) -> Choice:
    """How objects are given. `alone`: there is only one, so it need not be in parts.

    Raises
    ------
    Problem
        406.
    """
    for one in accepted:
        if one.media not in (DICOM, ANY, "application/*") or not (
            one.is_multipart or alone or one.media == ANY
        ):
            continue
        as_here = one.syntax == "*" or (one.media == ANY and one.syntax is None)
        return Choice(
            media=DICOM,
            syntax=None if as_here else one.syntax or EXPLICIT,
            is_multipart=one.is_multipart or not alone or one.media == ANY,
        )
    raise not_acceptable('multipart/related; type="application/dicom"')


def choose_frames(accepted: Iterable[Wanted], stored: str, *, is_encoded: bool, alone: bool) -> Choice:
    """How frames of an object in the transfer syntax `stored` are given: as they are, or decoded.

    Raises
    ------
    Problem
        406.
    """
    own = ENCODED.get(stored, OCTETS)
    for one in accepted:
        if not (one.is_multipart or alone or one.media == ANY):
            continue
        multipart = one.is_multipart or not alone or one.media == ANY
        encoded = is_encoded and one.syntax in (None, "*", stored)
        if one.media in (own, own.replace("image/", "image/x-"), "image/*") and encoded:
            return Choice(media=own, syntax=None, is_multipart=multipart)
        if one.media == ANY and encoded:
            return Choice(media=own, syntax=None, is_multipart=multipart)
        if one.media == OCTETS and is_encoded and one.syntax in ("*", stored):
            return Choice(media=own, syntax=None, is_multipart=multipart)
        if one.media in (OCTETS, ANY, "application/*") and one.syntax in (None, "*", EXPLICIT, stored):
            return Choice(media=OCTETS, syntax=EXPLICIT, is_multipart=multipart)
    raise not_acceptable(f'multipart/related; type="{own}", or type="{OCTETS}"')


def choose_picture(accepted: Iterable[Wanted]) -> str:
    """ "jpeg" or "png".

    Raises
    ------
    Problem
        406.
    """
    for one in accepted:
        if one.media in ("image/png", "image/jpeg"):
            return one.media.removeprefix("image/")
        if one.media in (ANY, "image/*"):
            return "jpeg"
    raise not_acceptable("image/jpeg or image/png")


def accepts_json(accepted: Iterable[Wanted]) -> None:
    """Raises `Problem` 406 where the client takes no JSON."""
    if not any(
        one.media in (ANY, "application/dicom+json", "application/json", "application/*") for one in accepted
    ):
        raise not_acceptable("application/dicom+json")


def not_acceptable(expected: str) -> Problem:
    """Nothing that the client can take is to be had."""
    return Problem(
        406,
        "nothing that is accepted can be given",
        code="not_acceptable",
        zh="不支持所要求的返回格式",
        expected=expected,
    )
