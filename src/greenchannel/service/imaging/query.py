"""What a search for images may ask for, in the words of DICOM (PS3.18 8.3.4, PS3.4 C.2.2.2), as rows are asked.

========================================= ==========================================================================
filter                                    matches
========================================= ==========================================================================
StudyInstanceUID SeriesInstanceUID        any of a list, parted by a comma or a backslash
SOPInstanceUID SOPClassUID
PatientID AccessionNumber                 the whole value, or with wildcards: ``HEAD*``, ``P?1``
PatientName                               the beginnings of its words in any order: ``WANG``, ``wang^x*``, ``王*``
StudyDate StudyTime                       a value, or a range: ``20260301-20260302``, ``-20260302``, ``0800-0930``
ModalitiesInStudy Modality                any of a list
BodyPartExamined                          any of a list
SeriesNumber InstanceNumber               the number
CaseID                                    (ours) any of a list
========================================= ==========================================================================

``*`` alone, and nothing, match all. Whatever else is asked is passed over: `FILTERS` says what is not.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from greenchannel.ingest.errors import IngestError, shown
from greenchannel.store.image_rows import MOST_LETTERS, longest_beginning, words_of
from greenchannel.store.image_search import Wanted

FILTERS: Final = frozenset(
    {
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "SOPInstanceUID",
        "SOPClassUID",
        "PatientID",
        "PatientName",
        "AccessionNumber",
        "StudyDate",
        "StudyTime",
        "ModalitiesInStudy",
        "Modality",
        "BodyPartExamined",
        "SeriesNumber",
        "InstanceNumber",
        "CaseID",
    }
)

Mac = Callable[[str, str], bytes]
Fits = Callable[[Any], bool]

# A value with wildcards is compared once it is opened: by the keyed hashes only whole values and beginnings are found.
_LIKE: Final = {"PatientID": "patient_id", "AccessionNumber": "accession"}


def wanted_of(filters: Mapping[str, str], mac: Mac) -> Wanted:
    """What is asked, for the rows. `mac` makes the keyed hash of a kind of text.

    Raises
    ------
    IngestError
        ``bad_field``: a date, a time or a number that is none, or a name of which no word's beginning is given.
    """
    given = {
        name: value.strip() for name, value in filters.items() if name in FILTERS and value.strip(" *?") != ""
    }
    modalities = _list(given, "ModalitiesInStudy") or _list(given, "Modality")
    return Wanted(
        study_uids=_list(given, "StudyInstanceUID"),
        series_uids=_list(given, "SeriesInstanceUID"),
        sop_uids=_list(given, "SOPInstanceUID"),
        sop_classes=_list(given, "SOPClassUID"),
        case_ids=_list(given, "CaseID"),
        number_mac=_hashed(given, "PatientID", "patient", mac),
        accession_mac=_hashed(given, "AccessionNumber", "accession", mac),
        name_macs=(*_beginning(given, mac), *_name(given, mac)),
        dates=_range(given, "StudyDate", r"\d{8}", "YYYYMMDD or a range of it"),
        times=_times(given),
        modalities=None if modalities is None else tuple(one.upper() for one in modalities),
        body_parts=_upper(_list(given, "BodyPartExamined")),
        series_number=_number(given, "SeriesNumber"),
        instance_number=_number(given, "InstanceNumber"),
    )


def _list(given: Mapping[str, str], name: str) -> tuple[str, ...] | None:
    if name not in given:
        return None
    return tuple(one.strip() for one in re.split(r"[,\\]", given[name]) if one.strip()) or None


def _upper(values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    return None if values is None else tuple(one.upper() for one in values)


def _hashed(given: Mapping[str, str], name: str, kind: str, mac: Mac) -> bytes | None:
    return mac(kind, given[name]) if name in given and not _has_wildcard(given[name]) else None


def _has_wildcard(value: str) -> bool:
    return "*" in value or "?" in value


def _beginning(given: Mapping[str, str], mac: Mac) -> tuple[bytes, ...]:
    """By how a patient's number begins, of which only a part is known."""
    number = given.get("PatientID", "")
    if not _has_wildcard(number):
        return ()
    part = longest_beginning(re.split(r"[*?]", number, maxsplit=1)[0])
    return () if part is None else (mac("number", part),)


def like_of(filters: Mapping[str, str]) -> Fits | None:
    """Whether the opened text of a study (`StudyText`) fits the values with wildcards; None where there are none.

    ``*`` is any number of characters, ``?`` any one (PS3.4 C.2.2.2.4).
    """
    patterns = {
        attribute: value
        for name, attribute in _LIKE.items()
        if _has_wildcard(value := filters.get(name, "").strip()) and value.strip(" *?")
    }
    if not patterns:
        return None

    def fits(text: Any) -> bool:
        values = ((getattr(text, attribute), pattern) for attribute, pattern in patterns.items())
        return all(value is not None and _is_like(value, pattern) for value, pattern in values)

    return fits


def _is_like(value: str, pattern: str) -> bool:
    """Compared from the left; a star takes as little as it can, and more where the rest does not fit otherwise."""
    at = place = 0
    star, taken = -1, 0
    while at < len(value):
        if place < len(pattern) and pattern[place] == "*":
            star, taken = place, at
            place += 1
        elif place < len(pattern) and pattern[place] in ("?", value[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            taken += 1
            at, place = taken, star + 1
        else:
            return False
    return pattern[place:].strip("*") == ""


def _name(given: Mapping[str, str], mac: Mac) -> tuple[bytes, ...]:
    if "PatientName" not in given:
        return ()
    parts = re.split(r"[\^=\s]+", given["PatientName"])
    beginnings = [re.split(r"[*?]", part, maxsplit=1)[0] for part in parts]
    words = [word[:MOST_LETTERS] for one in beginnings for word in words_of(one)]
    if not words:
        raise _bad("PatientName", "the beginning of a word of the name", "a wildcard in front")
    return tuple(mac("name", word) for word in sorted(set(words)))


def _range(
    given: Mapping[str, str], name: str, form: str, expected: str
) -> tuple[str | None, str | None] | None:
    if name not in given:
        return None
    value = given[name]
    match = re.fullmatch(rf"({form})?(-)?({form})?", value)
    if match is None or not (match[1] or match[3]) or (match[3] and not match[2]):
        raise _bad(name, expected, shown(value))
    return (match[1], match[3]) if match[2] else (match[1], match[1])


def _times(given: Mapping[str, str]) -> tuple[str | None, str | None] | None:
    plain = {name: re.sub(r"[:]|\.\d+", "", value) for name, value in given.items() if name == "StudyTime"}
    span = _range(plain, "StudyTime", r"\d{2}(?:\d{2}){0,2}", "HHMMSS or a range of it")
    if span is None:
        return None
    first, last = span
    return None if first is None else first.ljust(6, "0"), None if last is None else _end(last)


def _end(text: str) -> str:
    """The last second of an hour, of a minute, or the second itself."""
    return text + "5959"[len(text) - 2 :] if len(text) < 6 else text


def _number(given: Mapping[str, str], name: str) -> int | None:
    if name not in given:
        return None
    if not re.fullmatch(r"-?\d{1,9}", given[name]):
        raise _bad(name, "a whole number", shown(given[name]))
    return int(given[name])


def _bad(name: str, expected: str, got: str) -> IngestError:
    return IngestError("bad_field", f"the filter {name} cannot be read", f"{name}: {expected}", got)
