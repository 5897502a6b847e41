"""WFDB records: a text header and the signal files it names."""

import re
from collections.abc import Mapping
from datetime import datetime
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_VALUES
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.parsed import ParsedEcg, Sex, plausible_age, sex_of
from greenchannel.ingest.scaling import MV_PER_UNIT, ranges_without_samples, to_mv
from greenchannel.ingest.wfdb_header import SignalLine, WfdbHeader, parse_header
from greenchannel.ingest.wfdb_signals import (
    DIFFERENCES,
    Integers,
    check_format,
    decode,
    missing_value,
    packed_bytes,
    samples_in,
)
from greenchannel.signal.recording import ELECTRODE_SETS, MAX_RATE_HZ, Recording

_COMMENT: Final = re.compile(r"<?\s*(age|sex|started_at|electrode_set)\s*>?\s*:\s*(.*)", re.IGNORECASE)
_MIT_COMMENT: Final = re.compile(r"(\d{1,3}|-1|\?)\s+([MF?])(?:\s.*)?")
"""First comment of the MIT-BIH records: age, sex, then numbers of the tape."""

NO_ECG_LEAD: Final = "the record has no ECG lead"


def read_wfdb(lines: list[str], files: Mapping[str, bytes]) -> ParsedEcg:
    """Make one ECG of a record.

    Parameters
    ----------
    lines
        The header, as `greenchannel.ingest.wfdb_header.header_lines` gives it.
    files
        Content of the signal files by name; files that the header does not name are not looked at.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported``, ``missing_part``, ``truncated`` or ``too_large``.
    """
    header = parse_header(lines)
    if not 0 < header.rate_hz <= MAX_RATE_HZ:
        raise IngestError(
            "malformed",
            "the rate is out of bounds",
            f"above 0, at most {MAX_RATE_HZ:g} Hz",
            f"{header.rate_hz:g}",
        )
    tolerated = list(header.tolerated)
    wanted = _ecg_leads(header, tolerated)
    columns = _integers(header, files, tolerated)
    samples_mv = np.empty((len(wanted), columns[0].size), dtype=np.float32)
    for row_mv, index in zip(samples_mv, wanted.values(), strict=True):
        _to_mv(header.signals[index], columns[index], row_mv)
    samples_mv.flags.writeable = False
    age_years, sex, started_at, electrode_set = from_comments(header.comments, tolerated)
    recording = Recording(
        samples_mv=samples_mv,
        leads=tuple(wanted),
        rate_hz=header.rate_hz,
        started_at=started_at,
        gaps=ranges_without_samples(samples_mv),
        electrode_set=electrode_set,
    )
    return ParsedEcg(
        recording=recording,
        format="wfdb",
        age_years=age_years,
        sex=sex,
        acquired=started_at or header.acquired,
        acquired_has_zone=started_at is not None,
        tolerated=tuple(tolerated),
    )


def signal_files(lines: list[str]) -> tuple[str, ...]:
    """Names of the signal files that a header asks for, in its order; raises as `read_wfdb` does."""
    return tuple(dict.fromkeys(signal.file for signal in parse_header(lines).signals))


def _ecg_leads(header: WfdbHeader, tolerated: list[str]) -> dict[str, int]:
    """Index of the signal for each lead; anything that is no ECG lead is noted and left out."""
    wanted: dict[str, int] = {}
    for index, signal in enumerate(header.signals):
        lead = lead_of_name(signal.name)
        if lead is None:
            tolerated.append(f"signal {signal.name or index!r} is no lead known here; left out")
        elif lead in wanted:
            tolerated.append(f"lead {lead} comes twice; the first is taken")
        elif signal.unit.lower() not in MV_PER_UNIT:
            raise IngestError(
                "unsupported",
                f"the unit of lead {lead} is not one of voltage",
                "V, mV, uV or nV",
                signal.unit[:20],
            )
        else:
            wanted[lead] = index
            if signal.name.upper().startswith("ML"):
                tolerated.append(f"{signal.name} is a modified lead; read as {lead}")
    if not wanted:
        raise IngestError(
            "malformed",
            NO_ECG_LEAD,
            "lead names such as I or V1",
            " ".join(signal.name for signal in header.signals)[:80],
        )
    return wanted


def _integers(header: WfdbHeader, files: Mapping[str, bytes], tolerated: list[str]) -> list[Integers]:
    """The stored integers of every signal, each of shape ``(samples,)``."""
    groups = [(name, list(group)) for name, group in groupby(header.signals, key=lambda s: s.file)]
    if len({name for name, _ in groups}) != len(groups):
        raise IngestError("malformed", "signals of one file stand apart", "one block of lines a file")
    samples = header.samples
    columns: list[Integers] = []
    for name, group in groups:
        number, offset = group[0].format, group[0].offset_bytes
        check_format(number)
        if any((s.format, s.offset_bytes) != (number, offset) for s in group):
            raise IngestError("malformed", f"the signals of {name} differ in format", "one format a file")
        if name not in files:
            raise IngestError(
                "missing_part", "a signal file was not sent", name, " ".join(files)[:80] or "none"
            )
        body = memoryview(files[name])[offset:]
        if samples is None:
            samples = samples_in(number, len(body)) // len(group)
            tolerated.append("the header gives no number of samples; taken from the size of the file")
            if not 0 < samples * len(header.signals) <= MAX_VALUES:
                raise IngestError(
                    "truncated" if not samples else "too_large", f"{name} holds {samples} samples"
                )
        needed = packed_bytes(number, samples * len(group))
        if len(body) < needed:
            raise IngestError(
                "truncated", f"{name} is too short", f"{offset + needed} bytes", f"{len(files[name])} bytes"
            )
        if len(body) > needed:
            tolerated.append(f"{name} holds {len(body) - needed} bytes more than the header announces")
        frames = decode(number, body, samples * len(group)).reshape(samples, len(group))
        if number == DIFFERENCES:
            frames = np.cumsum(frames, axis=0, dtype=np.int64) + np.array([s.initial for s in group])
        columns += list(np.ascontiguousarray(frames.T))
    _note_checksums(header, columns, tolerated)
    return columns


def _note_checksums(header: WfdbHeader, columns: list[Integers], tolerated: list[str]) -> None:
    # Modulo 65536 a sum of 16 bits may overflow, and is quickest.
    wrong = [
        signal.name or str(index)
        for index, (signal, column) in enumerate(zip(header.signals, columns, strict=True))
        if signal.checksum is not None
        and (int(column.sum(dtype=np.int16 if column.itemsize == 2 else np.int64)) - signal.checksum) % 65536
    ]
    if wrong and header.samples is not None:
        tolerated.append(f"the checksum does not match in {' '.join(wrong)}")


def _to_mv(signal: SignalLine, raw: Integers, out_mv: NDArray[np.float32]) -> None:
    """One row in mV: the quotient of whole numbers and steps a mV, rounded to float32 once; NaN for no sample."""
    steps_per_mv = signal.steps_per_unit / MV_PER_UNIT[signal.unit.lower()]
    if raw.itemsize <= 2 and _is_exact(signal.baseline, steps_per_mv):
        out_mv[:] = raw
        if signal.baseline:
            out_mv -= np.float32(signal.baseline)
        out_mv /= np.float32(steps_per_mv)
    else:
        with np.errstate(over="ignore"):
            out_mv[:] = to_mv(raw, steps_per_mv, signal.baseline)
        if np.isinf(out_mv).any():
            raise IngestError(
                "malformed",
                f"the gain of {signal.name} makes samples infinite",
                "steps a unit",
                f"{signal.steps_per_unit:g}",
            )
    missing = missing_value(signal.format)
    if raw.min() == missing:
        out_mv[raw == missing] = np.nan


def _is_exact(baseline: int, steps_per_mv: float) -> bool:
    """Whether float32 holds the steps and every difference of 16 bits to the baseline, so that one division rounds."""
    return (
        abs(baseline) < 2**23
        and 1e-30 < abs(steps_per_mv) < 1e30
        and float(np.float32(steps_per_mv)) == steps_per_mv
    )


def from_comments(
    comments: tuple[str, ...], tolerated: list[str]
) -> tuple[float | None, Sex | None, datetime | None, str]:
    """Age, sex, instant and electrode set as the comments of a header have them."""
    age_years, sex, started_at, electrode_set = None, None, None, "standard"
    for comment in comments:
        match = _COMMENT.match(comment)
        if match is None:
            continue
        word = match[2].strip()
        match match[1].lower():
            case "age":
                age_years, note = plausible_age(word)
                tolerated += [note] if note else []
            case "sex":
                sex = sex_of(word)
            case "started_at":
                started_at = _aware(word)
                if started_at is None:
                    tolerated.append("started_at is no instant with an offset; ignored")
            case _ if word in ELECTRODE_SETS:
                electrode_set = word
            case _:
                tolerated.append(f"electrode set {word[:20]!r} is not known; taken as standard")
    mit = next((m for m in map(_MIT_COMMENT.fullmatch, comments) if m), None)
    if mit is not None and age_years is None and sex is None:
        age_years, sex = plausible_age(mit[1])[0], sex_of(mit[2])
    return age_years, sex, started_at, electrode_set


def _aware(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.utcoffset() is not None else None
