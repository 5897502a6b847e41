"""What the readers of XML ECGs share: numbers, times and ages out of text, and rows of samples into a recording."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.number_lists import MAX_XML_VALUES, too_many
from greenchannel.ingest.parsed import DAYS_A_YEAR
from greenchannel.ingest.scaling import MISSING, ranges_without_samples
from greenchannel.signal.recording import MAX_RATE_HZ, Recording

MAX_STATEMENTS: Final = 100

_NUMBER: Final = r"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?+"
_STAMP: Final = re.compile(
    r"(\d{4})(\d{2})(\d{2})(?:(\d{2})(\d{2})?(\d{2})?)?(?:[.,](\d{1,9}))?(Z|[+-]\d{2}:?\d{2})?", re.ASCII
)


def decimal(text: str | None) -> float | None:
    """A finite number written in ASCII digits, or None for anything else."""
    word = (text or "").strip()
    if re.fullmatch(_NUMBER, word, re.ASCII) is None:
        return None
    value = float(word)
    return value if math.isfinite(value) else None


def counted(
    values: NDArray[np.float64], announced: str, lead: str, tolerated: list[str]
) -> NDArray[np.float64]:
    """`values` by the number of samples that the file announces, where it does.

    Raises
    ------
    IngestError
        ``truncated`` where there are fewer.
    """
    if not announced:
        return values
    count = decimal(announced)
    if count is None or count != int(count) or count < 0:
        tolerated.append(f"the number of samples of lead {lead} is {shown(announced, 20)}; not used")
        return values
    if len(values) < count:
        raise IngestError("truncated", f"lead {lead} is too short", f"{count:.0f} samples", str(len(values)))
    if len(values) > count:
        tolerated.append(
            f"lead {lead} has {len(values)} samples where {count:.0f} are announced; the first are taken"
        )
    return values[: int(count)]


def without_missing(steps: NDArray[np.float64], lead: str, tolerated: list[str]) -> NDArray[np.float64]:
    """`steps` of 16 bits with NaN for the lowest one, which stands for no sample."""
    missing = steps == MISSING
    if not missing.any():
        return steps
    tolerated.append(f"lead {lead} has the value {MISSING}, taken as no sample")
    return np.where(missing, np.nan, steps)


def recording_of(
    rows_mv: Mapping[str, NDArray[np.float64]],
    *,
    rate_hz: float | None,
    acquired: datetime | None,
    filters: Mapping[str, float],
    tolerated: list[str],
    pace_spikes: Sequence[int] = (),
) -> Recording:
    """One recording of rows in mV, by lead; rows that are shorter than the longest end in missing samples.

    Raises
    ------
    IngestError
        ``malformed`` for no lead, no rate, or amplitudes that are none; ``empty_body`` for no sample; ``too_large``.
    """
    if rate_hz is None or not 0 < rate_hz <= MAX_RATE_HZ:
        raise IngestError(
            "malformed", "the rate is out of bounds", f"above 0, at most {MAX_RATE_HZ:g} Hz", f"{rate_hz}"
        )
    if not rows_mv:
        raise IngestError("malformed", "no channel is an ECG lead", "named leads", "none")
    length = max(len(row) for row in rows_mv.values())
    if length == 0:
        raise IngestError("empty_body", "the strip has no sample", "one sample or more", "none")
    if length * len(rows_mv) > MAX_XML_VALUES:
        raise too_many(length * len(rows_mv))
    samples_mv = np.full((len(rows_mv), length), np.nan, dtype=np.float32)
    for index, (lead, row) in enumerate(rows_mv.items()):
        with np.errstate(over="ignore"):
            samples_mv[index, : len(row)] = row
        if len(row) < length:
            tolerated.append(f"lead {lead} has {len(row)} of {length} samples; the rest is missing")
    if np.isinf(samples_mv).any():
        raise IngestError("malformed", "the samples are no amplitudes", "mV", "larger than any number")
    return Recording(
        samples_mv=samples_mv,
        leads=tuple(rows_mv),
        rate_hz=rate_hz,
        started_at=acquired if acquired is not None and acquired.utcoffset() is not None else None,
        gaps=ranges_without_samples(samples_mv),
        pace_spikes=tuple(index for index in pace_spikes if 0 <= index < length),
        low_cut_hz=filters.get("low_hz"),
        high_cut_hz=filters.get("high_hz"),
    )


def filters_of(low_hz: float | None, high_hz: float | None, notch_hz: float | None) -> dict[str, float]:
    """`ParsedEcg.filters` of what is known and above 0."""
    named = {"low_hz": low_hz, "high_hz": high_hz, "notch_hz": notch_hz}
    return {key: value for key, value in named.items() if value is not None and value > 0}


def moment(stamp: str, what: str, tolerated: list[str]) -> datetime | None:
    """``YYYYMMDD[HH[MM[SS]]][.f][zone]`` as an instant, naive without a zone; None, noted, where it is none."""
    match = _STAMP.fullmatch(stamp)
    if match is None:
        if stamp:
            tolerated.append(f"{what} is not a time; ignored")
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.group(1, 2, 3, 4, 5, 6))
    microseconds = int((match[7] or "0")[:6].ljust(6, "0"))
    try:
        return datetime(year, month, day, hour, minute, second, microseconds, tzinfo=_zone(match[8]))
    except ValueError:
        tolerated.append(f"{what} is not a time; ignored")
        return None


def _zone(text: str | None) -> timezone | None:
    """A fixed offset; raises ValueError where it is none."""
    if text is None:
        return None
    if text == "Z":
        return timezone.utc  # noqa: UP017 - the same kind as below
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError("no zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def years(value: str, unit: str) -> str:
    """`value` in years as a word for `parsed.plausible_age`; the word itself where the unit is years or unknown."""
    number = decimal(value)
    share = {"m": 1 / 12, "w": 7 / DAYS_A_YEAR, "d": 1 / DAYS_A_YEAR, "h": 1 / 24 / DAYS_A_YEAR}
    factor = share.get(unit.strip().lower()[:1])
    return value if number is None or factor is None else str(number * factor)


def statements_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Statements of a device without blanks around them, each once, in order."""
    return tuple(dict.fromkeys(text.strip() for text in texts if text.strip()))[:MAX_STATEMENTS]


def identifiers_of(name: Sequence[str], patient_id: str) -> dict[str, str]:
    """`ParsedEcg.identifiers`: the parts of a name in their order, and the number."""
    whole = " ".join(part.strip() for part in name if part.strip())
    return {key: text for key, text in (("name", whole), ("patient_id", patient_id.strip())) if text}
