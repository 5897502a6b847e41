"""What may come beside an ECG: the optional fields of an upload and of a stream's hello, from words to types."""

import contextlib
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from greenchannel.clock import can_be, nearest
from greenchannel.ingest import vitals
from greenchannel.ingest.device_clock import check_said
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.parsed import Sex, sex_of
from greenchannel.ingest.texts import seen
from greenchannel.signal.recording import ELECTRODE_SETS

MAX_TEXT: Final = 4000
MAX_REF: Final = 128
MAX_NUMBER: Final = 64  # of a telephone or an identity card, as somebody writes it
ARRIVAL_MODES: Final = (1, 2, 3, 4)  # national codes [S]
MAX_VITAL: Final = 9999  # [E]
_VITAL: Final = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ID: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_IDENTIFYING: Final = frozenset(
    {"patient_ref", "name", "phone", "id_number", "callback_phone", "history", "vitals"}
)
_PLACING: Final = frozenset(
    {"site", "device", "case_id"}
)  # where an ECG goes: without them it might go astray
_TEXTS: Final = {
    "name": MAX_REF,
    "phone": MAX_NUMBER,
    "id_number": MAX_NUMBER,
    "callback_phone": MAX_NUMBER,
    "history": MAX_TEXT,
}  # field → most characters
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True, slots=True)
class UploadFields:
    """Each field as the rest of the service takes it; None where nothing was said."""

    site: str | None = None
    device: str | None = None
    case_id: str | None = None
    patient_ref: str | None = None
    name: str | None = None
    phone: str | None = None
    id_number: str | None = None
    callback_phone: str | None = None
    age_years: float | None = None
    sex: Sex | None = None
    chest_pain: bool | None = None
    onset_at: datetime | None = None
    vitals: dict[str, Any] | None = None
    history: str | None = None
    acquired_at: datetime | None = None
    electrode_set: str | None = None
    arrival_mode: int | None = None
    device_clock: datetime | None = None
    sent_at: datetime | None = None
    seen_at: datetime | None = None  # by a clinic's agent, as our clock would have had it
    dropped: tuple[str, ...] | None = None  # names of what was said and could not be kept, or not whole


def parse_fields(values: Mapping[str, object]) -> UploadFields:
    """Check the fields of one upload.

    Parameters
    ----------
    values
        By the names of the wire (``age`` for `age_years`), as text, or typed as JSON has them. Empty and None mean
        that nothing was said; names that are not known are passed over.

    Raises
    ------
    IngestError
        ``bad_field``, with the field's name, what it takes and what came.
    """
    given = {key: value for key, value in values.items() if value is not None and value != ""}
    return UploadFields(
        site=_matching(given, "site", _ID, "an identifier of letters, digits and _.:-"),
        device=_matching(given, "device", _ID, "an identifier of letters, digits and _.:-"),
        case_id=_matching(given, "case_id", _ID, "an identifier of letters, digits and _.:-"),
        patient_ref=_text(given, "patient_ref", MAX_REF),
        name=_text(given, "name", MAX_REF),
        phone=_number(given, "phone"),
        id_number=_number(given, "id_number"),
        callback_phone=_number(given, "callback_phone"),
        age_years=_age(given),
        sex=_sex(given),
        chest_pain=_chest_pain(given),
        onset_at=_instant(given, "onset_at"),
        vitals=_vitals(given),
        history=_text(given, "history", MAX_TEXT),
        acquired_at=_machine_instant(given, "acquired_at"),
        electrode_set=_electrode_set(given),
        arrival_mode=_arrival_mode(given),
        device_clock=_machine_instant(given, "device_clock"),
        sent_at=_machine_instant(given, "sent_at"),
        seen_at=_machine_instant(given, "seen_at"),
    )


def take_fields(
    values: Mapping[str, object], *, now: datetime | None = None, person: bool = False, ahead_s: float = 0.0
) -> UploadFields:
    """The fields of an upload whose ECG is taken whatever stands beside it: what cannot be kept is left out and named.

    Text is kept as far as it goes, without control characters. What says where the ECG belongs is never left out.

    Parameters
    ----------
    now
        Given: an onset that cannot be is left out too, and of a `person` any time that cannot be.
    ahead_s
        How far ahead of ours a clock may be.

    Raises
    ------
    IngestError
        ``bad_field``: the site, the device or the case cannot be read.
    """
    taken: dict[str, object] = {}
    dropped: list[str] = []
    for key, value in values.items():
        kept = _cleaned(key, value)
        if key == "vitals":
            kept, bad = _vitals_that_can_be(value)
            dropped += [f"vitals.{name}" for name in bad]
        try:
            known = parse_fields({key: kept})
            at = getattr(known, key, None)
            if now is not None and isinstance(at, datetime) and (key == "onset_at" or person):
                check_said(key, at, now=now, ahead_s=ahead_s)
        except IngestError:
            if key in _PLACING:
                raise
            dropped.append(key)
            continue
        if kept != value and key in _TEXTS:
            dropped.append(key)
        taken[key] = kept
    return replace(parse_fields(taken), dropped=tuple(dropped) or None)


def _cleaned(key: str, value: object) -> object:
    """Free text without control characters, and not longer than it may be."""
    most = _TEXTS.get(key)
    if most is None or not isinstance(value, str):
        return value
    return _CONTROL.sub(" ", value).strip()[:most] if _CONTROL.search(value) or len(value) > most else value


def _vitals_that_can_be(value: object) -> tuple[object, list[str]]:
    """The vital signs that can be taken, and the names of those that cannot; what is no object is left as it is."""
    given = value
    if isinstance(given, str) and len(given) <= MAX_TEXT:
        with contextlib.suppress(ValueError, RecursionError):
            given = json.loads(given)
    if not isinstance(given, dict):
        return value, []
    taken, bad = {}, []
    for name, entry in given.items():
        try:
            _vitals({"vitals": {name: entry}})
        except IngestError:
            bad.append(name if _VITAL.fullmatch(str(name)) else "?")
        else:
            taken[name] = entry
    return taken, bad


def vital_numbers(vitals: Mapping[str, Any] | None) -> dict[str, float | int]:
    """The vital signs that are numbers under a plain name: they tell nobody who the patient is, and may stand in the
    log. A number that no vital sign reaches may be one of a phone."""
    return {
        key: value
        for key, value in (vitals or {}).items()
        if _VITAL.fullmatch(key) and isinstance(value, int | float) and abs(value) <= MAX_VITAL
    }


def vital_words(vitals: Mapping[str, Any] | None) -> list[str]:
    """What stands among the vital signs and is no such number, one line each: free text, to be kept sealed."""
    numbers = vital_numbers(vitals)
    return [
        f"{key}: {value}" for key, value in (vitals or {}).items() if key not in numbers and value is not None
    ]


def parse_instant(text: str) -> datetime | None:
    """An RFC 3339 instant with its offset, or None for anything else and for what lies beyond all that can be."""
    instant = _written(text)
    return instant if instant is not None and can_be(instant) else None


def parse_machine_instant(text: str) -> datetime | None:
    """The same as a machine says it: beyond all that can be, the nearest of it, which is told for nonsense later."""
    instant = _written(text)
    return None if instant is None else nearest(instant)


def _written(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}", text):
        return None
    try:
        instant = datetime.fromisoformat(text.upper())
    except (ValueError, OverflowError):
        return None
    return None if instant.utcoffset() is None else instant


def _bad(field: str, expected: str, value: object) -> IngestError:
    # Errors may be logged, and what identifies a patient must not be.
    got = "something else" if field in _IDENTIFYING else shown(value)
    return IngestError("bad_field", f"the field {field} cannot be read", f"{field}: {expected}", got)


def _text(given: Mapping[str, object], field: str, limit: int) -> str | None:
    value = given.get(field)
    if value is None:
        return None
    if isinstance(value, str):
        value = seen(value)
    if not isinstance(value, str) or len(value) > limit or _CONTROL.search(value):
        raise _bad(field, f"text of at most {limit} characters", value)
    return value.strip() or None


def _number(given: Mapping[str, object], field: str) -> str | None:
    """Of a telephone or an identity card, however somebody writes it: a word beside it must not cost anything."""
    value = given.get(field)
    said = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    return _text({field: said}, field, MAX_NUMBER)


def _matching(given: Mapping[str, object], field: str, pattern: re.Pattern[str], expected: str) -> str | None:
    value = _text(given, field, MAX_TEXT)
    if value is not None and not pattern.fullmatch(value):
        raise _bad(field, expected, value)
    return value


def _age(given: Mapping[str, object]) -> float | None:
    value = given.get("age")
    if value is None:
        return None
    try:
        age_years = (
            float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
        )
    except (ValueError, OverflowError):
        age_years = math.nan
    if not 0 <= age_years <= 130:
        raise _bad("age", "years from 0 to 130", value)
    return age_years


def _sex(given: Mapping[str, object]) -> Sex | None:
    value = given.get("sex")
    if value is None:
        return None
    sex = sex_of(value) if isinstance(value, str) else None
    if sex is None:
        raise _bad("sex", "male or female", value)
    return sex


def _chest_pain(given: Mapping[str, object]) -> bool | None:
    value = given.get("chest_pain")
    if value is None or isinstance(value, bool):
        return value
    match value.strip().lower() if isinstance(value, str) else value:
        case "yes" | "true" | "1" | "是" | "有":
            return True
        case "no" | "false" | "0" | "否" | "无":
            return False
    raise _bad("chest_pain", "yes or no", value)


def _instant(given: Mapping[str, object], field: str) -> datetime | None:
    return _read_instant(given, field, parse_instant)


def _machine_instant(given: Mapping[str, object], field: str) -> datetime | None:
    """What the clock of a machine said: however wrong it is, the ECG beside it is taken."""
    return _read_instant(given, field, parse_machine_instant)


def _read_instant(
    given: Mapping[str, object], field: str, parse: Callable[[str], datetime | None]
) -> datetime | None:
    value = given.get(field)
    if value is None:
        return None
    instant = parse(value) if isinstance(value, str) else None
    if instant is None:
        raise _bad(field, "an instant such as 2026-05-01T16:05:00.000+08:00", value)
    return instant


def _vitals(given: Mapping[str, object]) -> dict[str, Any] | None:
    value = given.get("vitals")
    if isinstance(value, str) and len(value) <= MAX_TEXT:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise _bad("vitals", "a JSON object", value) from None
    if value is None:
        return None
    if not isinstance(value, dict) or len(value) > 50:
        raise _bad("vitals", "a JSON object of at most 50 entries", value)
    for key, entry in value.items():
        plain = entry is None or isinstance(entry, str | int | float)
        if not isinstance(key, str) or not plain or (isinstance(entry, float) and not math.isfinite(entry)):
            raise _bad("vitals", "an object of numbers and texts", {key: entry})
    return vitals.normal(value)


def _electrode_set(given: Mapping[str, object]) -> str | None:
    value = given.get("electrode_set")
    if value is not None and value not in ELECTRODE_SETS:
        raise _bad("electrode_set", " or ".join(ELECTRODE_SETS), value)
    return value if isinstance(value, str) else None


def _arrival_mode(given: Mapping[str, object]) -> int | None:
    value = given.get("arrival_mode")
    if value is None:
        return None
    mode = int(value) if isinstance(value, str) and value.strip() in ("1", "2", "3", "4") else value
    if isinstance(mode, bool) or not isinstance(mode, int) or mode not in ARRIVAL_MODES:
        raise _bad("arrival_mode", "1, 2, 3 or 4", value)
    return mode
