"""The header of EDF and BDF: fields of fixed width in ASCII."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np

from greenchannel.ingest.bounds import MAX_VALUES
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.texts import decode_text

EDF: Final = b"0       "
BDF: Final = b"\xffBIOSEMI"
_HEAD_BYTES: Final = 256
_MAX_SIGNALS: Final = 512
_MAX_RECORDS: Final = 500_000
# name → width of the fields of the signal header, each of them for all signals in turn
_SIGNAL_FIELDS: Final = {
    "label": 16, "transducer": 80, "unit": 8, "low": 8, "high": 8, "digital_low": 8, "digital_high": 8,
    "prefilter": 80, "samples": 8, "reserved": 32,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class EdfHeader:
    """The fixed header and those of the signals."""

    bits: int
    records: int
    record_s: float
    start_bytes: int
    kind: str  # "", "EDF+C", "EDF+D", "24BIT", "BDF+C" or "BDF+D"
    patient: str
    recording: str
    date: str
    time: str
    signals: dict[str, tuple[str, ...]]
    samples: tuple[int, ...]  # of each signal in one record


def parse_header(data: bytes, tolerated: list[str]) -> EdfHeader:
    """Read the header, once all the bytes that it announces are there.

    Raises
    ------
    IngestError
        ``malformed``, ``truncated``, ``empty_body`` or ``too_large``.
    """
    _at_least(data, _HEAD_BYTES, "the header")
    words = [
        decode_text(data[start:stop]).strip() for start, stop in _slices((8, 80, 80, 8, 8, 8, 44, 8, 8, 4))
    ]
    _, patient, recording, date, time, size, kind, records_word, duration, count_word = words
    count = _whole(count_word, "number of signals")
    if not 0 < count <= _MAX_SIGNALS:
        raise IngestError("malformed", "the number of signals is wrong", f"1 to {_MAX_SIGNALS}", f"{count}")
    start_bytes = _HEAD_BYTES * (count + 1)
    if _whole(size, "size of the header") != start_bytes:
        raise IngestError("malformed", "the size of the header is wrong", f"{start_bytes}", shown(size, 12))
    _at_least(data, start_bytes, "the header")
    widths = [width for width in _SIGNAL_FIELDS.values() for _ in range(count)]
    fields = [decode_text(data[a + _HEAD_BYTES : b + _HEAD_BYTES]).strip("\0 ") for a, b in _slices(widths)]
    signals = {
        name: tuple(fields[place * count : (place + 1) * count]) for place, name in enumerate(_SIGNAL_FIELDS)
    }
    samples = tuple(_whole(word, "number of samples") for word in signals["samples"])
    bits = 24 if data[:8] == BDF else 16
    record_bytes = sum(samples) * bits // 8
    if min(samples) < 0 or not 0 < record_bytes <= MAX_VALUES * bits // 8:
        raise IngestError(
            "malformed", "the size of a record is wrong", "at least one sample", f"{record_bytes}"
        )
    records = _whole(records_word, "number of records")
    there = (len(data) - start_bytes) // record_bytes
    if records == -1:
        records = there
        tolerated.append("the number of records is not given; taken from the size of the file")
    if records < 1:
        raise IngestError("empty_body", "the file has no record", "at least one", f"{records}")
    if records > _MAX_RECORDS:
        raise IngestError("too_large", "there are too many records", f"at most {_MAX_RECORDS}", f"{records}")
    _at_least(data, start_bytes + records * record_bytes, f"the file of {records} records")
    if len(data) > start_bytes + records * record_bytes:
        tolerated.append("the file holds more bytes than it announces")
    return EdfHeader(
        bits=bits, records=records, record_s=decimal_of(duration, "duration of a record"), start_bytes=start_bytes,
        kind=kind[:5].upper(), patient=patient, recording=recording, date=date, time=time, signals=signals,
        samples=samples,
    )  # fmt: skip


def _slices(widths: "list[int] | tuple[int, ...]") -> list[tuple[int, int]]:
    stops = np.cumsum(widths).tolist()
    return list(zip([0, *stops[:-1]], stops, strict=True))


def _at_least(data: bytes, needed: int, what: str) -> None:
    if len(data) < needed:
        raise IngestError("truncated", f"{what} is too short", f"{needed} bytes", f"{len(data)} bytes")


def _whole(word: str, what: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,8}", word):
        raise IngestError("malformed", f"the {what} cannot be read", "a whole number", shown(word, 12))
    return int(word)


def decimal_of(word: str, what: str) -> float:
    """A number of the header; raises ``malformed``."""
    if not re.fullmatch(r"[+-]?\d{0,8}[.,]?\d{0,8}(?:[eE][+-]?\d{1,2})?", word) or not re.search(r"\d", word):
        raise IngestError("malformed", f"the {what} cannot be read", "a number", shown(word, 12))
    try:
        return float(word.replace(",", "."))
    except ValueError:
        raise IngestError("malformed", f"the {what} cannot be read", "a number", shown(word, 12)) from None
