"""A recording as an SCP-ECG file in the form that most readers know: version 2, second differences, default table."""

import struct
from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.lead_names import SCP_NUMBERS
from greenchannel.ingest.parsed import Sex
from greenchannel.ingest.scaling import MISSING, mv_to_int16
from greenchannel.ingest.scp_header import (
    AGE,
    AGE_UNITS,
    CHARACTER_SETS,
    DATE,
    DEVICE,
    END,
    FIRST_NAME,
    HIGH_CUT,
    LAST_NAME,
    LOW_CUT,
    NOT_KNOWN,
    PATIENT_ID,
    SEX,
    TIME,
    ZONE,
)
from greenchannel.ingest.scp_huffman import DEFAULT, encode
from greenchannel.ingest.scp_sections import make_record
from greenchannel.ingest.scp_waveform import MAX_LEAD_SAMPLES, MAX_SAMPLES, NV_PER_MV, rate_of_interval
from greenchannel.signal.recording import Recording

_VERSION: Final = 20
_MAX_LEAD_BYTES: Final = 0xFFFF
_MAX_WORD: Final = 0xFFFF
_MAX_SPIKES: Final = 255
_MAX_TEXT_BYTES: Final = 64
_LANGUAGES: Final = {"latin-1": 0x01} | {name: code for code, name in CHARACTER_SETS.items()}
_NAME: Final = b"greenchannel\0"
_EMPTY_BEAT: Final = struct.pack("<8H", *[NOT_KNOWN] * 8)


def write_scp(
    recording: Recording,
    *,
    acquired: datetime | None,
    age_years: float | None,
    sex: Sex | None,
    patient_id: str | None = None,
    name: str | None = None,
    lsb_mv: float = 0.0025,
) -> bytes:
    """Write `recording`; the same input gives the same bytes. Samples that are whole steps read back unchanged.

    Where a sample is NaN, all samples are written as plain numbers and NaN as −32768, which is no part of the
    standard: other readers show a spike there. The electrode set is not written, and times are cut to seconds.

    Parameters
    ----------
    acquired
        Start of the acquisition; None leaves it out, though the standard asks for it.
    name
        Family name, and the given name behind ``^``.
    lsb_mv
        One step, in mV, whole nanovolts up to 65,535.

    Raises
    ------
    ValueError
        For samples beyond 16 bits, a step or a rate that the fields do not hold, too many leads or spikes, or a
        strip whose leads take more than 65,535 bytes (a minute as plain numbers, some minutes otherwise).
    """
    nv_per_step = round(lsb_mv * NV_PER_MV)
    if not 0 < nv_per_step <= _MAX_WORD or abs(nv_per_step - lsb_mv * NV_PER_MV) > 1e-6:
        raise ValueError(f"expected a step of whole nanovolts up to {_MAX_WORD}, got {lsb_mv!r} mV")
    interval_us = round(1e6 / recording.rate_hz)
    if not 0 < interval_us <= _MAX_WORD or rate_of_interval(interval_us) != recording.rate_hz:
        raise ValueError(f"expected a rate that whole microseconds tell, got {recording.rate_hz!r} Hz")
    count, samples = recording.samples_mv.shape
    if samples > MAX_LEAD_SAMPLES or count * samples > MAX_SAMPLES:
        raise ValueError(f"expected at most {MAX_SAMPLES} samples in all, got {count} leads of {samples}")
    steps = mv_to_int16(recording.samples_mv, nv_per_step / NV_PER_MV)
    coded = _compressed(steps)
    chunks = coded if coded is not None else [row.astype("<i2").tobytes() for row in steps]
    longest = max(len(chunk) for chunk in chunks)
    if longest > _MAX_LEAD_BYTES:
        raise ValueError(f"expected leads of at most {_MAX_LEAD_BYTES} bytes, got {longest}")
    start = acquired if acquired is not None else recording.started_at
    bodies = {
        1: _patient(recording, start, age_years, sex, patient_id, name),
        3: _leads(recording),
        6: struct.pack("<HHBB", nv_per_step, interval_us, 2 if coded is not None else 0, 0)
        + struct.pack(f"<{len(chunks)}H", *(len(chunk) for chunk in chunks))
        + b"".join(chunks),
    }
    if coded is not None:
        bodies[2] = DEFAULT.to_bytes(2, "little")
    if recording.pace_spikes:
        bodies[7] = _spikes(recording)
    return make_record(bodies, _VERSION)


def _compressed(steps: NDArray[np.int16]) -> list[bytes] | None:
    """Each lead as coded second differences; None where these leave 16 bits, which readers take in different ways."""
    values = steps.astype(np.int64)
    values[:, 2:] = np.diff(values, n=2, axis=1) if steps.shape[1] > 2 else values[:, 2:]
    if (steps == MISSING).any() or np.abs(values).max() > -MISSING - 1:
        return None
    return [encode(row) for row in values]


def _leads(recording: Recording) -> bytes:
    count, samples = recording.samples_mv.shape
    rows = (struct.pack("<IIB", 1, samples, SCP_NUMBERS[lead]) for lead in recording.leads)
    return bytes((count, count << 3 | 0x04)) + b"".join(rows)


def _spikes(recording: Recording) -> bytes:
    """Section 7 with nothing measured but the times of the spikes."""
    times = [round(1000 * spike / recording.rate_hz) for spike in recording.pace_spikes]
    if len(times) > _MAX_SPIKES or max(times) > _MAX_WORD:
        raise ValueError(
            f"expected {_MAX_SPIKES} pacing spikes at most within {_MAX_WORD} ms, got {len(times)}"
        )
    body = struct.pack("<BBHH", 1, len(times), NOT_KNOWN, NOT_KNOWN) + _EMPTY_BEAT
    body += b"".join(struct.pack("<HH", time_ms, NOT_KNOWN) for time_ms in times)
    body += struct.pack("<BBHH", 0, 0, 0, 0) * len(times)
    # no types of beats, no rates, no corrected QT, no further fields
    return body + struct.pack("<HHHHBH", 0, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, 0, 0)


def _patient(
    recording: Recording,
    start: datetime | None,
    age_years: float | None,
    sex: Sex | None,
    patient_id: str | None,
    name: str | None,
) -> bytes:
    family, _, given = (name or "").partition("^")
    words = {LAST_NAME: family, FIRST_NAME: given, PATIENT_ID: patient_id or ""}
    character_set = _character_set("".join(words.values()))
    fields = {tag: _text(word, character_set) for tag, word in words.items() if word or tag == PATIENT_ID}
    if age_years is not None:
        fields[AGE] = _age(age_years)
    fields[SEX] = {"male": b"\1", "female": b"\2", None: b"\0"}[sex]
    fields[DEVICE] = _device(_LANGUAGES.get(character_set, 0))
    if start is not None:
        fields[DATE] = _date(start)
        fields[TIME] = bytes((start.hour, start.minute, start.second))
    for tag, cut_hz, unit_hz in ((LOW_CUT, recording.low_cut_hz, 100), (HIGH_CUT, recording.high_cut_hz, 1)):
        value = 0 if cut_hz is None else round(cut_hz * unit_hz)
        # A cut that the field does not hold is left unsaid rather than said wrong.
        if cut_hz is not None and 0 < value < NOT_KNOWN and abs(value / unit_hz - cut_hz) <= 0.01 * cut_hz:
            fields[tag] = value.to_bytes(2, "little")
    offset: timedelta | None = None if start is None else start.utcoffset()
    if offset is not None:
        fields[ZONE] = struct.pack("<hH", int(offset.total_seconds()) // 60, 0) + b"\0"
    packed = (struct.pack("<BH", tag, len(value)) + value for tag, value in sorted(fields.items()))
    return b"".join(packed) + struct.pack("<BH", END, 0)


def _date(day: date) -> bytes:
    return struct.pack("<HBB", day.year, day.month, day.day)


def _age(age_years: float) -> bytes:
    """Value and unit: the largest unit in which it is whole, days otherwise."""
    for unit, years in AGE_UNITS.items():
        value = round(age_years / years)
        if unit == 4 or abs(value * years - age_years) < 1e-9:
            return struct.pack("<HB", min(value, _MAX_WORD), unit)
    raise AssertionError("days take every age")


def _character_set(words: str) -> str:
    """The first of the sets that readers know in which every character has a place."""
    for candidate, strict in (("ascii", "ascii"), ("latin-1", "latin-1"), ("gb18030", "gb2312")):
        try:
            words.encode(strict)
        except UnicodeEncodeError:
            continue
        return candidate
    return "utf-8"


def _text(word: str, character_set: str) -> bytes:
    raw = word.replace("\0", " ").encode(character_set)
    if len(raw) >= _MAX_TEXT_BYTES:
        raise ValueError(f"expected names of less than {_MAX_TEXT_BYTES} bytes, got {len(raw)}")
    return raw + b"\0"


def _device(language: int) -> bytes:
    """Tag 14: no institution, a system, maker "other", model, version, level I of conformance, text, can store."""
    head = struct.pack("<HHHBB6sBBBBB", 0, 0, 0, 1, 255, b"GREEN\0", _VERSION, 0x90, language, 0x10, 0)
    return head + bytes(16) + b"\1" + b"\0" + b"\0" + b"\0" + _NAME + _NAME
