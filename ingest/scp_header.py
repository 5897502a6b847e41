"""What SCP-ECG says in words: patient, time and device (section 1), statements (8 and 11), pacing spikes (7)."""

import struct
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from greenchannel.ingest.parsed import Sex, age_between, plausible_age
from greenchannel.ingest.texts import charset_of

LAST_NAME, FIRST_NAME, PATIENT_ID, SECOND_NAME, AGE, BORN, SEX = 0, 1, 2, 3, 4, 5, 8
DEVICE, DATE, TIME, LOW_CUT, HIGH_CUT, FILTERS, ZONE, END = 14, 25, 26, 27, 28, 29, 34, 255
"""Tags of section 1, clause 5.4.5."""

LANGUAGE_BYTE: Final = 16
"""In the description of the device: which characters its text is made of."""

CHARACTER_SETS: Final = {
    0x03: "iso8859-2", 0x0B: "iso8859-4", 0x13: "iso8859-5", 0x1B: "iso8859-6", 0x23: "iso8859-7",
    0x2B: "iso8859-8", 0x33: "iso8859-11", 0x3B: "iso8859-15", 0x07: "utf-16", 0x0F: "shift_jis",
    0x17: "euc_jp", 0x1F: "euc_jp", 0x27: "gb18030", 0x2F: "cp949", 0x37: "utf-8",
}  # fmt: skip
"""By the language code, clause 5.4.5, tag 14. GB18030 holds all of GB2312; UTF-8 came with version 3.  [O]"""

_SEXES: Final[dict[bytes, Sex]] = {b"\x01": "male", b"\x02": "female"}
AGE_UNITS: Final = {1: 1.0, 2: 1 / 12, 3: 7 / 365.25, 4: 1 / 365.25, 5: 1 / 8766}
"""Years in one unit: years, months, weeks, days, hours."""

NO_ZONE: Final = 0x7FFF
NOT_KNOWN: Final = 29999
"""In measurements: not measured. 29998 and 19999 tell why."""

_MAX_ZONE_MINUTES: Final = 14 * 60
_MAX_STATEMENTS: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """Section 1. What it does not say is None or empty."""

    identifiers: dict[str, str] = field(default_factory=dict)
    age_years: float | None = None
    sex: Sex | None = None
    acquired: datetime | None = None
    filters: dict[str, float] = field(default_factory=dict)
    character_set: str = "ascii"


def read_header(body: bytes, tolerated: list[str], byte_order: str = "<") -> Header:
    """Read section 1; `byte_order` is that of its dates. Whatever is odd in it is noted, nothing is refused."""
    tags = _tags(body, tolerated)
    device = tags.get(DEVICE, b"")
    character_set = _character_set(device[LANGUAGE_BYTE] if len(device) > LANGUAGE_BYTE else 0, tolerated)
    words = {
        tag: text(tags.get(tag, b""), character_set, tolerated)
        for tag in (LAST_NAME, FIRST_NAME, PATIENT_ID, SECOND_NAME)
    }
    family = " ".join(word for word in (words[LAST_NAME], words[SECOND_NAME]) if word)
    named = {"name": "^".join((family, words[FIRST_NAME])).rstrip("^"), "patient_id": words[PATIENT_ID]}
    day = _date(tags.get(DATE, b""), byte_order, "the date of acquisition", tolerated)
    return Header(
        identifiers={key: value for key, value in named.items() if value},
        age_years=_age(tags, day, byte_order, tolerated),
        sex=_SEXES.get(tags.get(SEX, b"")[:1]),
        acquired=_acquired(tags, day, tolerated),
        filters=_filters(tags),
        character_set=character_set,
    )


def _tags(body: bytes, tolerated: list[str]) -> dict[int, bytes]:
    """The fields of section 1, the first of each tag."""
    tags: dict[int, bytes] = {}
    at = 0
    while any(body[at : at + 3]) and body[at] != END:
        length = int.from_bytes(body[at + 1 : at + 3], "little")
        if at + 3 + length > len(body):
            tolerated.append(
                f"field {body[at]} of section 1 reaches beyond its end; what follows is left out"
            )
            break
        if length:
            tags.setdefault(body[at], body[at + 3 : at + 3 + length])
        at += 3 + length
    return tags


def _character_set(code: int, tolerated: list[str]) -> str:
    if not code & 0x01:
        return "ascii"
    if code & 0x03 == 0x01:
        return "latin-1"
    if code not in CHARACTER_SETS:
        tolerated.append(f"the language code {code:#04x} is not known")
    return CHARACTER_SETS.get(code, "ascii")


def text(raw: bytes, character_set: str, tolerated: list[str]) -> str:
    """A text up to its NUL. Where it is not in its character set, it is read as what it most likely is."""
    if character_set == "utf-16":
        end = next((i for i in range(0, len(raw) - 1, 2) if raw[i : i + 2] == b"\0\0"), len(raw) & ~1)
        marked = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
        return raw[:end].decode("utf-16" if marked else "utf-16-le", "replace").strip()
    raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode(character_set).strip()
    except UnicodeDecodeError:
        likely, _ = charset_of(raw)
    note = f"text that is not {character_set} is read as {likely}"
    tolerated += [] if note in tolerated else [note]
    return raw.decode(likely, "replace").strip()


def _date(raw: bytes, byte_order: str, what: str, tolerated: list[str]) -> date | None:
    if len(raw) < 4 or not any(raw[:4]):
        return None
    year, month, day = struct.unpack(byte_order + "HBB", raw[:4])
    try:
        return date(year, month, day)
    except ValueError:
        tolerated.append(f"{what} is none; taken as unknown")
        return None


def _acquired(tags: dict[int, bytes], day: date | None, tolerated: list[str]) -> datetime | None:
    raw = tags.get(TIME, b"")
    if day is None or len(raw) < 3:
        tolerated += ["there is a date of acquisition but no time; taken as unknown"] if day else []
        return None
    try:
        start = datetime.combine(day, time(raw[0], raw[1], raw[2]))
    except ValueError:
        tolerated.append("the time of acquisition is none; taken as unknown")
        return None
    zone = tags.get(ZONE, b"")
    minutes = int.from_bytes(zone[:2], "little", signed=True) if len(zone) >= 2 else NO_ZONE
    if minutes == NO_ZONE:
        return start
    if abs(minutes) > _MAX_ZONE_MINUTES:
        tolerated.append("the time zone is none; taken as unknown")
        return start
    return start.replace(tzinfo=timezone(timedelta(minutes=minutes)))


def _age(tags: dict[int, bytes], day: date | None, byte_order: str, tolerated: list[str]) -> float | None:
    raw = tags.get(AGE, b"")
    unit = AGE_UNITS.get(raw[2]) if len(raw) >= 3 else None
    if unit is not None:
        age_years, note = plausible_age(str(int.from_bytes(raw[:2], "little") * unit))
        tolerated += [note] if note else []
        return age_years
    born = _date(tags.get(BORN, b""), byte_order, "the date of birth", tolerated)
    midnight = time()
    return age_between(
        datetime.combine(born, midnight) if born else None, datetime.combine(day, midnight) if day else None
    )


def _filters(tags: dict[int, bytes]) -> dict[str, float]:
    """The pass band that the device says; the notch where it is one of 50 and 60 Hz."""
    found: dict[str, float] = {}
    for key, tag, unit_hz in (("low_hz", LOW_CUT, 100.0), ("high_hz", HIGH_CUT, 1.0)):
        value = int.from_bytes(tags.get(tag, b"")[:2], "little")
        if 0 < value < NOT_KNOWN:
            found[key] = value / unit_hz
    notch = {1: 60.0, 2: 50.0}.get(tags.get(FILTERS, b"\0")[0] & 3)
    return found | ({"notch_hz": notch} if notch else {})


def read_statements(body: bytes, coded: bool, character_set: str, tolerated: list[str]) -> tuple[str, ...]:
    """The statements of section 8, or of section 11, where each has a type before its text."""
    count = body[8] if len(body) > 8 else 0
    found = []
    at = 9
    for _ in range(count):
        length = int.from_bytes(body[at + 1 : at + 3], "little")
        raw = body[at + 3 : at + 3 + length]
        if len(raw) < length or at + 3 > len(body):
            tolerated.append("the device's statements are cut off")
            break
        parts = raw[1:].split(b"\0") if coded and character_set != "utf-16" else [raw[1:] if coded else raw]
        found.append(" ".join(word for part in parts if (word := text(part, character_set, tolerated))))
        at += 3 + length
    return tuple(dict.fromkeys(word for word in found if word))[:_MAX_STATEMENTS]


def read_spikes_ms(body: bytes, tolerated: list[str]) -> tuple[int, ...]:
    """When the device saw pacing pulses, in ms after the first sample (section 7, versions 1 and 2)."""
    if len(body) < 6 or body[1] == 0:
        return ()
    first = 6 + 16 * body[0]
    times = body[first : first + 4 * body[1]]
    if len(times) < 4 * body[1]:
        tolerated.append("the pacing spikes of section 7 are cut off; left out")
        return ()
    found = (time_ms for time_ms, _ in struct.iter_unpack("<HH", times))
    return tuple(sorted({time_ms for time_ms in found if time_ms != NOT_KNOWN}))
