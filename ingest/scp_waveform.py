"""The rhythm strip of SCP-ECG: leads (section 3), beats (4), the reference beat (5) and the coded samples (6).

A device may have taken its reference beat away from every beat that looks like it, and may have kept every second to
fourth sample alone outside the protected areas around the QRS complexes; both are undone here (annex C).
"""

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.lead_names import SCP_LEADS
from greenchannel.ingest.scaling import MISSING
from greenchannel.ingest.scp_beats import Beats, add_beats, read_beats
from greenchannel.ingest.scp_decimation import Plans
from greenchannel.ingest.scp_huffman import Table, decode, read_tables
from greenchannel.ingest.scp_sections import Sections
from greenchannel.signal.leads import LIMB, PRECORDIAL, STANDARD_12
from greenchannel.signal.limbs import from_i_ii
from greenchannel.signal.recording import MAX_RATE_HZ

NEGATIVE_AVR: Final = 65
"""The lead number of −aVR, as the Cabrera order has it."""

NV_PER_MV: Final = 1e6

# A lead's data take 65,535 bytes at most, two to four minutes as devices code them; this leaves room above.  [O]
MAX_LEAD_SAMPLES: Final = 500_000
MAX_SAMPLES: Final = 3_000_000

_STORED: Final = {"I", "II", *PRECORDIAL}
"""The leads of a file that leaves the other four to its reader."""

_LEAD: Final = struct.Struct("<IIB")

_MAX_FACTOR: Final = 4
"""Samples that were stored as one (clause 5.9)."""
_SLACK_BITS: Final = 31
"""Bits that may follow the last sample of a lead: filled up to 16 bits, and a little more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """The samples of all leads on one time axis."""

    samples_mv: NDArray[np.float32]
    """Shape ``(leads, samples)``; NaN where a lead was not recorded."""
    leads: tuple[str, ...]
    rate_hz: float


@dataclass(frozen=True, kw_only=True, slots=True)
class _Coded:
    """Sections 5 and 6: how samples are stored."""

    nv_per_step: int
    interval_us: int
    difference: int
    bimodal: bool
    chunks: tuple[bytes, ...]


def rate_of_interval(interval_us: int) -> float:
    """Samples per second. Where whole microseconds cannot tell it, the whole number that rounds or is cut to them."""
    exact = 1e6 / interval_us
    whole = round(exact)
    return float(whole) if whole and interval_us in (1_000_000 // whole, round(1e6 / whole)) else exact


def read_strip(sections: Sections, tolerated: list[str]) -> Strip:
    """Decode the strip.

    Raises
    ------
    IngestError
        ``malformed``, ``truncated``, ``too_large`` or ``unsupported``.
    """
    spans, subtracted = _spans(sections.need(3, "leads"), tolerated)
    tables = read_tables(sections.need(2, "Huffman tables")) if 2 in {*sections.bodies, *sections.cut} else ()
    coded = _coded(sections.need(6, "samples"), len(spans), 6, sections.version)
    longest = max(end - start for start, end, _ in spans) + 1
    packed = subtracted or coded.bimodal
    beats = read_beats(sections.need(4, "QRS locations"), longest) if packed else None
    beat = None
    factor, rate_us = 1, coded.interval_us
    if beats is not None:
        reference = _coded(sections.need(5, "reference beat"), len(spans), 5, sections.version)
        factor, rest = divmod(coded.interval_us, max(reference.interval_us, 1))
        if not 1 <= factor <= _MAX_FACTOR or rest:
            raise IngestError(
                "malformed",
                "the sample interval is no multiple of the reference beat's",
                f"1 to {_MAX_FACTOR} times {reference.interval_us} us",
                f"{coded.interval_us} us",
            )
        rate_us = reference.interval_us
        beat = _reference(reference, beats, tables) if subtracted else None
    rate_hz = rate_of_interval(rate_us)
    if rate_hz > MAX_RATE_HZ:
        raise IngestError(
            "malformed", "the rate is out of bounds", f"at most {MAX_RATE_HZ:g} Hz", f"{rate_hz:g}"
        )
    first, last = min(start for start, _, _ in spans), max(end for _, end, _ in spans)
    width = last - first + 1
    total = sum(end - start + 1 for start, end, _ in spans)
    if width > MAX_LEAD_SAMPLES or width * len(spans) > MAX_SAMPLES or width > total:
        raise IngestError(
            "too_large",
            "there are too many samples",
            f"at most {MAX_LEAD_SAMPLES} a lead, {MAX_SAMPLES} in all",
            f"{len(spans)} leads of {width}",
        )
    for (start, end, _), chunk in zip(spans, coded.chunks, strict=True):
        # A sample takes a bit at least: what the bytes cannot hold is refused before an array is made for it.
        if end - start + 1 > 8 * factor * len(chunk):
            raise IngestError(
                "truncated", "a lead's samples are cut off", f"{end - start + 1}", f"{len(chunk)} bytes"
            )
    rows: dict[str, NDArray[np.float32]] = {}
    limbs: dict[str, NDArray[np.float64]] = {}
    ways: Plans | None = None
    of_span = (0, 0)
    for index, (start, end, number) in enumerate(spans):
        lead = "aVR" if number == NEGATIVE_AVR else SCP_LEADS.get(number)
        if lead is None or lead in rows:
            tolerated.append(
                f"lead {index + 1} (number {number}) is not known here, or comes twice; left out"
            )
            continue
        # Leads share their span as a rule, and so the plan.
        if beats is not None and factor > 1 and (ways is None or (start, end) != of_span):
            areas = tuple((low - start, high - start) for low, high in beats.areas)
            ways, of_span = Plans(end - start + 1, areas, factor), (start, end)
        nv, left = _lead_nv(coded, index, end - start + 1, tables, ways)
        _note_leftover(left, 6 in sections.bad_checksums, tolerated)
        if beats is None:
            _mark_missing(nv, coded.nv_per_step, tolerated)
        elif beat is not None:
            add_beats(nv, start, beat[index], beats)
        row = np.full(width, np.nan, dtype=np.float32)
        row[start - first : end - first + 1] = (-nv if number == NEGATIVE_AVR else nv) / NV_PER_MV
        rows[lead] = row
        if lead in ("I", "II"):
            limbs[lead] = nv
    if not rows:
        raise IngestError(
            "malformed", "no lead is known", "lead numbers of the standard", f"{len(spans)} leads"
        )
    if rows.keys() == _STORED and limbs["I"].size == limbs["II"].size == width:
        # Adding 0 turns −0, which halves of nothing make, into 0.
        made = from_i_ii(limbs["I"] / NV_PER_MV, limbs["II"] / NV_PER_MV)
        rows |= {lead: (made[lead] + 0.0).astype(np.float32) for lead in LIMB}
        rows = {lead: rows[lead] for lead in STANDARD_12}
        tolerated.append("III, aVR, aVL and aVF are not stored; calculated from I and II")
    return Strip(samples_mv=np.stack(list(rows.values())), leads=tuple(rows), rate_hz=rate_hz)


def _spans(body: bytes, tolerated: list[str]) -> tuple[list[tuple[int, int, int]], bool]:
    """First sample, last sample and number of each lead, and whether a reference beat was taken away."""
    count = body[0] if body else 0
    if not 0 < count <= MAX_CHANNELS:
        raise IngestError("malformed", "the number of leads is wrong", f"1 to {MAX_CHANNELS}", str(count))
    if len(body) < 2 + count * _LEAD.size:
        raise IngestError(
            "malformed", "the definition of leads is cut off", f"{count} leads", f"{len(body)} bytes"
        )
    spans = list(_LEAD.iter_unpack(body[2 : 2 + count * _LEAD.size]))
    for start, end, number in spans:
        if end < start:
            raise IngestError(
                "malformed", f"lead {number} has no samples", "first and last", f"{start} to {end}"
            )
    together = body[1] >> 3
    if not body[1] & 0x04 and 0 < together < count and len({span[:2] for span in spans}) == 1:
        tolerated.append(
            "the file says that its leads were not recorded at one time, but gives them one time"
        )
    return spans, bool(body[1] & 0x01)


def _coded(body: bytes, leads: int, number: int, version: int) -> _Coded:
    head = 6 + 2 * leads
    if len(body) < head:
        raise IngestError("truncated", f"section {number} is cut off", f"{head} bytes", f"{len(body)} bytes")
    nv_per_step, interval_us, difference, bimodal = struct.unpack_from("<HHBB", body)
    if nv_per_step == 0 or interval_us == 0 or difference > 2:
        raise IngestError(
            "malformed",
            f"section {number} has no unit",
            "nV, us above 0 and differences 0 to 2",
            f"{nv_per_step} nV, {interval_us} us, {difference}",
        )
    sizes = struct.unpack_from(f"<{leads}H", body, 6)
    if head + sum(sizes) > len(body):
        raise IngestError(
            "truncated", f"section {number} is cut off", f"{head + sum(sizes)} bytes", f"{len(body)} bytes"
        )
    ends = np.cumsum((head, *sizes)).tolist()
    return _Coded(
        nv_per_step=nv_per_step,
        interval_us=interval_us,
        difference=difference,
        bimodal=bool(bimodal) and number == 6 and version < 30,  # version 3 has no decimation
        chunks=tuple(body[a:b] for a, b in pairwise(ends)),
    )


def _values(
    coded: _Coded, index: int, count: int, tables: tuple[Table, ...]
) -> tuple[NDArray[np.int64], int]:
    """The stored integers of a lead, differences undone, and how many bits follow."""
    chunk = coded.chunks[index]
    if tables:
        values, left = decode(chunk, count, tables)
    else:
        if 2 * count > len(chunk):
            raise IngestError(
                "truncated", "a lead's samples are cut off", f"{2 * count} bytes", f"{len(chunk)} bytes"
            )
        values, left = (
            np.frombuffer(chunk, dtype="<i2", count=count).astype(np.int64),
            8 * len(chunk) - 16 * count,
        )
    if coded.difference == 1:
        values = np.cumsum(values)
    elif coded.difference == 2 and count > 1:
        values[1] -= values[0]  # from here on these are slopes
        values[1:] = np.cumsum(values[1:])
        values = np.cumsum(values)
    # Encoders work in 16 bits, so a difference that ran over is meant modulo 65,536.
    return values.astype(np.int16).astype(np.int64), left


def _lead_nv(
    coded: _Coded, index: int, count: int, tables: tuple[Table, ...], ways: Plans | None
) -> tuple[NDArray[np.float64], int]:
    """The samples of a lead in nV before the reference beat is added, shape (count,), and how many bits follow."""
    if ways is None:
        values, left = _values(coded, index, count, tables)
        return values.astype(np.float64) * coded.nv_per_step, left
    best: tuple[NDArray[np.float64], int] | None = None
    refused: IngestError | None = None
    for way in ways:
        try:
            values, left = _values(coded, index, way.stored, tables)
        except IngestError as error:
            refused = refused or error
            continue
        if best is None or left <= _SLACK_BITS:
            best = (way.apply(values) * coded.nv_per_step, left)
        if left <= _SLACK_BITS:
            break
    if best is None:
        raise refused or IngestError("malformed", "a lead cannot be read", "samples", "none")
    return best


def _reference(coded: _Coded, beats: Beats, tables: tuple[Table, ...]) -> list[NDArray[np.float64]]:
    """The reference beat of each lead in nV."""
    count = 1000 * beats.length_ms // coded.interval_us
    return [
        _values(coded, index, count, tables)[0].astype(np.float64) * coded.nv_per_step
        for index in range(len(coded.chunks))
    ]


def _mark_missing(nv: NDArray[np.float64], nv_per_step: int, tolerated: list[str]) -> None:
    missing = nv == MISSING * nv_per_step
    if missing.any():
        nv[missing] = np.nan
        note = f"{MISSING} is taken as no sample"
        tolerated += [] if note in tolerated else [note]


def _note_leftover(left: int, suspect: bool, tolerated: list[str]) -> None:
    if left <= _SLACK_BITS:
        return
    # With a checksum that matches these are a writer's habit; without, the number of samples and the bits contradict.
    if suspect:
        raise IngestError(
            "malformed", "the checksum is wrong and samples are left over", "whole leads", f"{left} bits"
        )
    note = "there are more data than samples"
    tolerated += [] if note in tolerated else [note]
