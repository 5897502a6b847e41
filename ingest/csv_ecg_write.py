"""A recording as a plain table that `csv_ecg` reads back to the last bit."""

import io
from datetime import datetime
from typing import Final

from greenchannel.ingest.parsed import Sex
from greenchannel.ingest.texts import one_line
from greenchannel.signal.recording import Recording

_ROWS_AT_ONCE: Final = 8192


def write_csv(
    recording: Recording,
    *,
    acquired: datetime | None,
    age_years: float | None,
    sex: Sex | None,
    patient_id: str | None = None,
    name: str | None = None,
) -> bytes:
    """UTF-8, commas, mV with as many digits as a sample needs; an empty cell, of one lead nan, where none is.

    Parameters
    ----------
    acquired
        Start of the acquisition; the recording's own `started_at` is used where it is None.
    """
    start = acquired if acquired is not None else recording.started_at
    settings = {
        "rate": _plain(recording.rate_hz),
        "age": None if age_years is None else f"{age_years:g}",
        "sex": sex,
        "acquired": None if start is None else start.isoformat(),
        "name": name,
        "patient_id": patient_id,
        "electrode_set": None if recording.electrode_set == "standard" else recording.electrode_set,
        "low_hz": None if recording.low_cut_hz is None else _plain(recording.low_cut_hz),
        "high_hz": None if recording.high_cut_hz is None else _plain(recording.high_cut_hz),
    }
    out = io.StringIO()
    for key, value in settings.items():
        if value:
            out.write(f"# {key}={one_line(value)}\n")
    out.write(",".join(f"{lead} (mV)" for lead in recording.leads) + "\n")
    samples = recording.samples_mv.shape[1]
    missing = "nan" if len(recording.leads) > 1 else ""  # an empty line would be no sample at all
    for first in range(0, samples, _ROWS_AT_ONCE):
        # astype(str) gives the shortest decimal that reads back as the same float32
        rows = recording.samples_mv[:, first : first + _ROWS_AT_ONCE].T.astype(str).tolist()
        out.writelines(",".join("" if cell == missing else cell for cell in row) + "\n" for row in rows)
    return out.getvalue().encode()


def _plain(number: float) -> str:
    return repr(float(number)).removesuffix(".0")
