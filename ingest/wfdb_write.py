"""A recording as a WFDB record in a zip archive: how an assembled live stream is kept."""

from datetime import datetime
from typing import Final

import numpy as np

from greenchannel.ingest.bundle import make_zip
from greenchannel.ingest.parsed import Sex
from greenchannel.ingest.scaling import mv_to_int16
from greenchannel.signal.recording import Recording

RECORD: Final = "ecg"
"""Name of the record inside the archive."""


def write_wfdb_zip(
    recording: Recording,
    *,
    lsb_mv: float,
    age_years: float | None,
    sex: Sex | None,
    acquired: datetime | None,
) -> bytes:
    """Write `recording` in format 16.

    The same input gives the same bytes. Reading them back gives the same samples to the last bit, if these are whole
    steps of `lsb_mv`, and the same gaps, electrode set and instant.

    Parameters
    ----------
    recording
        What is written; its own `started_at` is used where `acquired` is None.
    lsb_mv
        One step, in mV.
    acquired
        Instant of the first sample. An aware one is kept with its offset in a comment, which WFDB has no place for.

    Raises
    ------
    ValueError
        Where a sample does not fit into 16 bits at this step.
    """
    steps = mv_to_int16(recording.samples_mv, lsb_mv)
    start = acquired if acquired is not None else recording.started_at
    count, samples = steps.shape
    record_line = f"{RECORD} {count} {_plain(recording.rate_hz)} {samples}"
    if start is not None:
        record_line += f" {start:%H:%M:%S}.{start.microsecond // 1000:03d} {start:%d/%m/%Y}"
    lines = [record_line]
    for lead, row in zip(recording.leads, steps, strict=True):
        checksum = int(row.sum(dtype=np.int64)) & 0xFFFF
        lines.append(f"{RECORD}.dat 16 {_plain(1.0 / lsb_mv)}(0)/mV 16 0 {row[0]} {checksum} 0 {lead}")
    if age_years is not None:
        lines.append(f"#age: {_plain(age_years)}")
    if sex is not None:
        lines.append(f"#sex: {sex}")
    if start is not None and start.utcoffset() is not None:
        lines.append(f"#started_at: {start.isoformat()}")
    if recording.electrode_set != "standard":
        lines.append(f"#electrode_set: {recording.electrode_set}")
    header = ("\n".join(lines) + "\n").encode()
    body = np.ascontiguousarray(steps.T, dtype="<i2").tobytes()
    return make_zip([(f"{RECORD}.hea", header), (f"{RECORD}.dat", body)])


def _plain(number: float) -> str:
    """The shortest decimal that reads back as the same double; whole numbers without a point."""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(float(number))
