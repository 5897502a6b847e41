"""European Data Format (EDF, EDF+) and BioSemi's 24-bit form of it (BDF, BDF+): Kemp 1992, Kemp and Olivan 2003."""

import re
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.channels import (
    Channel,
    check_counts,
    leads_of_labels,
    mv_per_unit,
    recording_of,
    scaled,
)
from greenchannel.ingest.edf_annotations import annotations_of, onsets_of
from greenchannel.ingest.edf_header import BDF, EDF, EdfHeader, decimal_of, parse_header
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.parsed import ParsedEcg, Sex, age_between, plausible_age, sex_of

_ANNOTATIONS: Final = ("EDF Annotations", "BDF Annotations")
_NO_DATE: Final = "01.01.85"
"""EDF+ 2.1.3.3: what stands there when the date is not to be known."""
_FILTER: Final = re.compile(r"\b(HP|LP|N)\s*:\s*(?:DC|(\d+(?:\.\d+)?)\s*(?:Hz)?)", re.IGNORECASE)
_FILTER_KEYS: Final = {"HP": "low_hz", "LP": "high_hz", "N": "notch_hz"}
_DATE_WORD: Final = re.compile(r"\d{1,2}-[A-Z]{3}-\d{4}", re.IGNORECASE)


def looks_like_edf(data: bytes) -> bool:
    """Whether `data` begins as EDF or BDF does."""
    return data[:8] in (EDF, BDF)


def read_edf(data: bytes) -> ParsedEcg:
    """Make one ECG of an EDF or BDF file, discontinuous ones with their gaps.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported`` (a file of annotations alone, or of other signals), ``truncated``,
        ``empty_body`` or ``too_large``.
    """
    tolerated: list[str] = []
    header = parse_header(data, tolerated)
    labels = header.signals["label"]
    wave = [index for index, label in enumerate(labels) if label not in _ANNOTATIONS]
    if not wave:
        raise IngestError("unsupported", "the file holds annotations alone", "an ECG lead", "no signal")
    found = leads_of_labels([labels[index] for index in wave], tolerated)
    frames = _frames(data, header)
    bounds = np.concatenate(([0], np.cumsum(header.samples)))
    notes = [
        frames[:, bounds[index] : bounds[index + 1]].tobytes()
        for index, label in enumerate(labels)
        if label in _ANNOTATIONS
    ]
    onsets = _onsets(header, notes, tolerated)
    channels = []
    for place, lead in found.items():
        index = wave[place]
        rate_hz = header.samples[index] / header.record_s if header.record_s > 0 else 0.0
        check_counts(1, header.samples[index] * header.records, rate_hz)
        raw = _integers(frames[:, bounds[index] : bounds[index + 1]], header.bits)
        samples_mv = _millivolts(raw, header, index, lead, tolerated)
        channels.append(Channel(lead, rate_hz, _placed(samples_mv, onsets, rate_hz, len(found))))
    filters = _filters([header.signals["prefilter"][wave[place]] for place in found])
    acquired = _acquired(header, float(onsets[0]) if onsets is not None else 0.0, tolerated)
    age_years, sex, identifiers = _patient(header, acquired, tolerated)
    return ParsedEcg(
        recording=recording_of(channels, tolerated, filters=filters),
        format="bdf" if header.bits == 24 else "edf",
        age_years=age_years,
        sex=sex,
        acquired=acquired,
        identifiers=identifiers,
        device_statements=annotations_of(b"\0".join(notes)),
        filters=filters,
        tolerated=tuple(dict.fromkeys(tolerated)),
    )


def _frames(data: bytes, header: EdfHeader) -> NDArray[Any]:
    """Stored samples, shape ``(records, samples of a record)``; of 24 bits with a last axis of three bytes."""
    width = sum(header.samples)
    if header.bits == 16:
        flat = np.frombuffer(data, "<i2", header.records * width, header.start_bytes)
        return flat.reshape(header.records, width)
    packed = np.frombuffer(data, "u1", 3 * header.records * width, header.start_bytes)
    return packed.reshape(header.records, width, 3)


def _integers(frames: NDArray[Any], bits: int) -> NDArray[Any]:
    """Shape ``(records, samples)``."""
    if bits == 16:
        return frames
    wide = np.zeros((*frames.shape[:2], 4), dtype=np.uint8)
    wide[..., 1:] = frames
    return wide.view("<i4")[..., 0] >> 8


def _millivolts(
    raw: NDArray[Any], header: EdfHeader, index: int, lead: str, tolerated: list[str]
) -> NDArray[np.float32]:
    words = {name: header.signals[name][index] for name in ("low", "high", "digital_low", "digital_high")}
    low, high, digital_low, digital_high = (
        decimal_of(word, f"{name} of {lead}") for name, word in words.items()
    )
    if low == high or digital_low >= digital_high:
        raise IngestError(
            "malformed", f"the range of {lead} is empty", "minimum and maximum", str(words)[:80]
        )
    factor = mv_per_unit(header.signals["unit"][index], lead)
    step = (high - low) / (digital_high - digital_low)
    samples_mv = scaled(raw, step * factor, (low - digital_low * step) * factor, lead)
    lowest = -(1 << (header.bits - 1))
    missing = raw == lowest
    if missing.any():
        tolerated.append(f"{lowest} is taken as no sample")
        samples_mv[missing] = np.nan
    return samples_mv


def _onsets(header: EdfHeader, notes: list[bytes], tolerated: list[str]) -> NDArray[np.float64] | None:
    """Seconds of each record after the start of the file, or None where they simply follow each other."""
    if not notes or header.kind[3:4] != "+":
        return None
    onsets = onsets_of(notes[0], header.records)
    if onsets is None:
        if header.kind.endswith("D"):
            raise IngestError(
                "malformed",
                "a discontinuous file has records without a time",
                f"{header.records} times",
                "fewer",
            )
        tolerated.append("the records have no times; taken as continuous")
        return None
    if header.kind.endswith("C"):
        return onsets[:1]
    if (np.diff(onsets) < header.record_s * (1 - 1e-6)).any():
        raise IngestError("malformed", "the times of the records overlap", "rising times", "others")
    return onsets


def _placed(
    samples_mv: NDArray[np.float32], onsets: NDArray[np.float64] | None, rate_hz: float, leads: int
) -> NDArray[np.float32]:
    """Records in their places on one axis, shape ``(samples,)``, NaN between them."""
    records, width = samples_mv.shape
    if onsets is None or onsets.size < records:
        return samples_mv.reshape(-1)
    starts = np.rint((onsets - onsets[0]) * rate_hz)
    check_counts(leads, int(starts[-1]) + width, rate_hz)
    placed = np.full(int(starts[-1]) + width, np.nan, dtype=np.float32)
    placed[(starts.astype(np.int64)[:, None] + np.arange(width)).reshape(-1)] = samples_mv.reshape(-1)
    return placed


def _filters(texts: list[str]) -> dict[str, float]:
    """The narrowest pass band that the leads name."""
    found: dict[str, float] = {}
    for text in texts:
        for word, number in _FILTER.findall(text):
            key, value = _FILTER_KEYS[word.upper()], float(number or 0)
            if 0 < value < 1e6:
                narrowest = min if key == "high_hz" else max
                found[key] = narrowest(found.get(key, value), value)
    return found


def _acquired(header: EdfHeader, onset_s: float, tolerated: list[str]) -> datetime | None:
    if header.date == _NO_DATE:
        tolerated.append(f"the date is {_NO_DATE}, which stands for none; taken as unknown")
        return None
    clock = re.fullmatch(r"(\d\d)[.:](\d\d)[.:](\d\d)", header.time)
    date = re.fullmatch(r"(\d\d)[./-](\d\d)[./-](\d\d)", header.date)
    whole = re.match(r"Startdate (\d{1,2}-[A-Z]{3}-\d{4})", header.recording, re.IGNORECASE)
    try:
        if clock is None or (date is None and whole is None):
            raise ValueError
        hour, minute, second = map(int, clock.groups())
        if whole is not None:
            day = datetime.strptime(whole[1], "%d-%b-%Y")  # noqa: DTZ007 - as written
        else:
            assert date is not None
            short = int(date[3])
            day = datetime(1900 + short + 100 * (short < 85), int(date[2]), int(date[1]))  # noqa: DTZ001
        fraction = int(onset_s * 1e6) if 0 <= onset_s < 1 else 0
        return day.replace(hour=hour, minute=minute, second=second, microsecond=fraction)
    except ValueError:
        tolerated.append(f"{shown(header.date + ' ' + header.time, 24)} is no time; taken as unknown")
        return None


def _patient(
    header: EdfHeader, acquired: datetime | None, tolerated: list[str]
) -> tuple[float | None, Sex | None, dict[str, str]]:
    """Age, sex and identifiers; EDF+ has four words (code, sex, birth date, name), EDF any text."""
    words = header.patient.split()
    if header.kind[3:4] != "+" or len(words) < 4:
        return None, None, {"patient_id": header.patient} if header.patient.strip("X ") else {}
    code, sex, birth, name = words[:4]
    identifiers = {"name": name, "patient_id": code}
    born = None
    if _DATE_WORD.fullmatch(birth):
        try:
            born = datetime.strptime(birth, "%d-%b-%Y")  # noqa: DTZ007 - as written
        except ValueError:
            tolerated.append("the date of birth is no date; ignored")
    said = re.search(r"\bage[=:](\d{1,3})\b", header.patient, re.IGNORECASE)
    age_years = plausible_age(said[1])[0] if said else age_between(born, acquired)
    known = {key: word.replace("_", " ") for key, word in identifiers.items() if word != "X"}
    return age_years, sex_of(sex), known
