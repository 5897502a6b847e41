"""From the channels of a file to one recording: the part that formats of several channels share."""

import math
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS, MAX_VALUES
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.scaling import MV_PER_UNIT, ranges_without_samples
from greenchannel.signal.recording import MAX_RATE_HZ, Recording

_NAMELESS_ECG: Final = re.compile(r"(?:ECG|EKG|心电|心电图)[\s\d_-]*", re.IGNORECASE)
LONE_LEAD: Final = "I"
"""What a lone channel called just ECG is read as: recorders of one lead are held in both hands.  [E]"""

_AT_ONCE: Final = 2**20
_MAX_NOTES_OF_CHANNELS: Final = 20


class Channel(NamedTuple):
    """One ECG lead as a file has it."""

    lead: str
    rate_hz: float
    samples_mv: NDArray[np.float32]
    """Shape ``(samples,)``, in mV; NaN where nothing was recorded."""


def leads_of_labels(labels: Sequence[str], tolerated: list[str]) -> dict[int, str]:
    """Which channels are ECG leads, by their labels: index → wire name, no name twice.

    A lone channel called ECG without a lead's name is read as `LONE_LEAD`. Whatever is left out is noted.

    Raises
    ------
    IngestError
        ``malformed`` where no channel is an ECG lead; ``unsupported`` where several ECG channels do not say which.
    """
    found: dict[int, str] = {}
    nameless: list[int] = []
    notes: list[str] = []
    for index, label in enumerate(labels):
        lead = lead_of_name(label)
        if lead is None or lead in found.values():
            if lead is None and _NAMELESS_ECG.fullmatch(label.strip()):
                nameless.append(index)
            notes.append(f"channel {shown(label, 30)} is no lead known here, or comes twice; left out")
        else:
            found[index] = lead
            if label.strip().upper().startswith("ML"):
                notes.append(f"{label.strip()[:10]} is a modified lead; read as {lead}")
    if not found and len(nameless) == 1:
        label = labels[nameless[0]]
        note = f"channel {shown(label, 30)} does not say which lead it is; read as {LONE_LEAD}"
        notes = [other for other in notes if not other.startswith(f"channel {shown(label, 30)} ")]
        found, notes = {nameless[0]: LONE_LEAD}, [*notes, note]
    if not found:
        raise IngestError(
            "unsupported" if nameless else "malformed",
            "several ECG channels do not say which leads they are"
            if nameless
            else "no channel is an ECG lead",
            "lead names such as II or V1",
            shown(" ".join(labels), 80),
        )
    tolerated += notes[:_MAX_NOTES_OF_CHANNELS]
    return found


def check_counts(channels: int, samples: int, rate_hz: float) -> None:
    """Raise for numbers that no ECG has, before anything is allocated: ``malformed`` or ``too_large``."""
    if not 0 < channels <= MAX_CHANNELS:
        raise IngestError(
            "malformed", "the number of channels is out of bounds", f"1 to {MAX_CHANNELS}", f"{channels}"
        )
    if samples <= 0:
        raise IngestError("empty_body", "there is no sample", "at least one", f"{samples}")
    if samples * channels > MAX_VALUES:
        raise IngestError(
            "too_large", "there are too many samples", f"at most {MAX_VALUES} in all", f"{samples * channels}"
        )
    if not 0 < rate_hz <= MAX_RATE_HZ:
        raise IngestError(
            "malformed", "the rate is out of bounds", f"above 0, at most {MAX_RATE_HZ:g} Hz", f"{rate_hz:g}"
        )


def mv_per_unit(unit: str, lead: str) -> float:
    """Millivolts in one `unit`; ``malformed`` where there is none, ``unsupported`` where it is not one of voltage."""
    factor = MV_PER_UNIT.get(unit.strip().lower())
    if factor is None:
        raise IngestError(
            "unsupported" if unit.strip() else "malformed",
            f"lead {lead} has no unit of voltage",
            "V, mV, uV or nV",
            shown(unit, 20) if unit.strip() else "no unit",
        )
    return factor


def scaled(raw: NDArray[Any], step_mv: float, offset_mv: float, lead: str) -> NDArray[np.float32]:
    """``raw × step + offset`` in double precision, rounded once; raises ``malformed`` where that is no amplitude."""
    flat = raw.reshape(-1)
    samples_mv = np.empty(flat.size, dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(
            0, flat.size, _AT_ONCE
        ):  # double precision of a whole long recording is much memory
            samples_mv[start : start + _AT_ONCE] = (
                flat[start : start + _AT_ONCE] * np.float64(step_mv) + offset_mv
            )
    if step_mv == 0 or not math.isfinite(step_mv) or np.isinf(samples_mv).any():
        raise IngestError(
            "malformed", f"the scale of {lead} gives no amplitudes", "mV a step", f"{step_mv:g}"
        )
    return samples_mv.reshape(raw.shape)


def recording_of(
    channels: Sequence[Channel],
    tolerated: list[str],
    *,
    started_at: datetime | None = None,
    filters: dict[str, float] | None = None,
    electrode_set: str = "standard",
) -> Recording:
    """One recording: of channels at several rates, those of the rate that most of them have; then the highest rate.

    Channels that end early are filled with NaN.

    Raises
    ------
    IngestError
        As `check_counts`.
    """
    rates = [channel.rate_hz for channel in channels]
    rate_hz = max(set(rates), key=lambda rate: (rates.count(rate), rate))
    taken = [channel for channel in channels if channel.rate_hz == rate_hz]
    for channel in channels:
        if channel.rate_hz != rate_hz:
            tolerated.append(f"lead {channel.lead} has {channel.rate_hz:g} Hz, not {rate_hz:g} Hz; left out")
    samples = max(channel.samples_mv.size for channel in taken)
    check_counts(len(taken), samples, rate_hz)
    samples_mv = np.full((len(taken), samples), np.nan, dtype=np.float32)
    for row, channel in zip(samples_mv, taken, strict=True):
        row[: channel.samples_mv.size] = channel.samples_mv
    if any(channel.samples_mv.size < samples for channel in taken):
        tolerated.append("the leads differ in length; the end of the shorter ones is without samples")
    known = filters or {}
    return Recording(
        samples_mv=samples_mv,
        leads=tuple(channel.lead for channel in taken),
        rate_hz=rate_hz,
        started_at=started_at if started_at is not None and started_at.utcoffset() is not None else None,
        gaps=ranges_without_samples(samples_mv),
        electrode_set=electrode_set,
        low_cut_hz=known.get("low_hz"),
        high_cut_hz=known.get("high_hz"),
    )
