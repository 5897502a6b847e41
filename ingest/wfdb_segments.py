"""WFDB records of several segments, one after another: of one layout or of varying signals (header(5))."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from greenchannel.ingest.bounds import MAX_MEMBERS
from greenchannel.ingest.channels import check_counts
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.parsed import ParsedEcg
from greenchannel.ingest.scaling import ranges_without_samples
from greenchannel.ingest.wfdb_header import header_lines, is_segmented, parse_segments
from greenchannel.ingest.wfdb_record import NO_ECG_LEAD, from_comments, read_wfdb, signal_files
from greenchannel.signal.recording import Recording

_NOTHING: Final = "~"
_MAX_NOTES: Final = 50


def read_record(lines: list[str], files: Mapping[str, bytes]) -> ParsedEcg:
    """Make one ECG of a record, of one segment or of several; as `read_wfdb` otherwise.

    Parameters
    ----------
    lines
        The header.
    files
        The signal files by name, and the headers of the segments.
    """
    return _joined(lines, files) if is_segmented(lines) else read_wfdb(lines, files)


def record_files(lines: list[str], read: Callable[[str], bytes | None]) -> list[tuple[str | None, bytes]]:
    """The files that a header asks for, as far as `read` has them; raises as `read_record` does."""
    if not is_segmented(lines):
        return [(name, body) for name in signal_files(lines) if (body := read(name)) is not None]
    files: dict[str, bytes] = {}
    for segment, samples in parse_segments(lines).segments:
        head = f"{segment}.hea"
        body = read(head) if segment != _NOTHING and head not in files and len(files) < MAX_MEMBERS else None
        if body is None:
            continue
        files[head] = body
        inner = header_lines(body)
        # The layout of the segments, which has no samples, names no files.
        names = signal_files(inner) if samples and inner is not None and not is_segmented(inner) else ()
        files |= {name: part for name in names if name not in files and (part := read(name)) is not None}
    return list(files.items())


def _joined(lines: list[str], files: Mapping[str, bytes]) -> ParsedEcg:
    header = parse_segments(lines)
    tolerated: list[str] = []
    placed: list[tuple[int, ParsedEcg]] = []
    start = 0
    for number, (name, samples) in enumerate(header.segments, start=1):
        # A first segment without samples is the layout of those that follow, which name their signals too.
        if name != _NOTHING and samples > 0:
            part = _segment(name, samples, header.rate_hz, files)
            if part is None:
                tolerated.append(f"segment {number} ({name[:40]}) has no ECG lead; taken as a gap")
            else:
                placed.append((start, part))
                tolerated += [f"segment {number}: {note}" for note in part.tolerated]
        start += samples
    leads = tuple(dict.fromkeys(lead for _, part in placed for lead in part.recording.leads))
    if not leads:
        raise IngestError(
            "malformed", NO_ECG_LEAD, "lead names such as I or V1", f"{len(header.segments)} segments"
        )
    check_counts(len(leads), start, header.rate_hz)
    samples_mv = np.full((len(leads), start), np.nan, dtype=np.float32)
    for place, part in placed:
        for lead, row in zip(part.recording.leads, part.recording.samples_mv, strict=True):
            samples_mv[leads.index(lead), place : place + row.size] = row
    age_years, sex, started_at, electrode_set = from_comments(header.comments, tolerated)
    first = placed[0][1]
    return ParsedEcg(
        recording=Recording(
            samples_mv=samples_mv,
            leads=leads,
            rate_hz=header.rate_hz,
            started_at=started_at,
            gaps=ranges_without_samples(samples_mv),
            electrode_set=electrode_set,
        ),
        format="wfdb",
        age_years=first.age_years if age_years is None else age_years,
        sex=sex or first.sex,
        acquired=started_at or header.acquired or (first.acquired if placed[0][0] == 0 else None),
        acquired_has_zone=started_at is not None,
        tolerated=tuple(tolerated[:_MAX_NOTES]),
    )


def _segment(name: str, samples: int, rate_hz: float, files: Mapping[str, bytes]) -> ParsedEcg | None:
    """One segment as a record of its own; None where it has no ECG lead."""
    if f"{name}.hea" not in files:
        raise IngestError(
            "missing_part",
            "the header of a segment was not sent",
            f"{name}.hea"[:60],
            " ".join(files)[:80] or "none",
        )
    lines = header_lines(files[f"{name}.hea"])
    if lines is None or is_segmented(lines):
        raise IngestError(
            "malformed", f"the header of segment {shown(name, 40)} is none", "one record", "other text"
        )
    try:
        part = read_wfdb(lines, files)
    except IngestError as error:
        if error.message == NO_ECG_LEAD:
            return None
        raise
    there = part.recording.samples_mv.shape[1]
    if there != samples or part.recording.rate_hz != rate_hz:
        raise IngestError(
            "malformed",
            f"segment {shown(name, 40)} is not what the record says",
            f"{samples} samples at {rate_hz:g} Hz",
            f"{there} at {part.recording.rate_hz:g} Hz",
        )
    return part
