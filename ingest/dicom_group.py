"""One multiplex group of a DICOM waveform (PS3.3 C.10.9): integers and channel definitions become leads in mV."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Union

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS, MAX_VALUES
from greenchannel.ingest.dicom_tags import Tags
from greenchannel.ingest.errors import IngestError
from greenchannel.ingest.lead_names import lead_of_code, lead_of_name
from greenchannel.ingest.scaling import MISSING, MV_PER_UNIT
from greenchannel.signal.recording import MAX_RATE_HZ

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Item = Union["Dataset", Tags]
"""A data set or an item of a sequence, by either reader."""

_UNDEFINED: Final = 0xFFFFFFFF
_TYPES: Final = {(8, "SB"): "i1", (8, "UB"): "u1", (16, "SS"): "i2", (16, "US"): "u2", (32, "SL"): "i4"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """The leads of one group."""

    samples_mv: NDArray[np.float32]  # (leads, samples); NaN: none was recorded
    leads: tuple[str, ...]
    rate_hz: float
    filters: dict[str, float]


def best_group(groups: Sequence[Item], byte_order: str, tolerated: list[str]) -> Group:
    """Decode the multiplex group to be read: the rhythm strip with most leads, then the longest.

    Parameters
    ----------
    byte_order
        ``<`` or ``>``.
    tolerated
        Gets one sentence for every group that is left out, and for whatever is odd in the one that is read.

    Raises
    ------
    IngestError
        ``malformed``, ``unsupported``, ``truncated`` or ``too_large``.
    """

    strips = [index for index, group in enumerate(groups) if _is_strip(group)] or list(range(len(groups)))
    best = strips[0] if len(strips) == 1 else max(strips, key=lambda index: _size(groups[index]))
    for index, group in enumerate(groups):
        if index != best:
            label = str(group.get("MultiplexGroupLabel", "") or "without a label")
            tolerated.append(f"multiplex group {index + 1} ({label}) is left out")
    return _decode(groups[best], byte_order, tolerated)


def _is_strip(group: Item) -> bool:
    """Whether these are samples as they were recorded, and no median beat."""
    label = str(group.get("MultiplexGroupLabel", "")).upper()
    derived = str(group.get("WaveformOriginality", "")).upper() == "DERIVED"
    return not derived and not any(word in label for word in ("MEDIAN", "TEMPLATE", "AVERAGE"))


def _size(group: Item) -> tuple[int, float]:
    """Leads and seconds."""
    leads = sum(_lead(channel) is not None for channel in group.get("ChannelDefinitionSequence") or ())
    return leads, float(group.NumberOfWaveformSamples) / float(group.SamplingFrequency)


def _decode(group: Item, byte_order: str, tolerated: list[str]) -> Group:
    channels = list(group.ChannelDefinitionSequence)
    count, samples = int(group.NumberOfWaveformChannels), int(group.NumberOfWaveformSamples)
    rate_hz = float(group.SamplingFrequency)
    if not 0 < count <= MAX_CHANNELS or len(channels) != count:
        raise IngestError(
            "malformed", "the number of channels is wrong", f"{count}", f"{len(channels)} definitions"
        )
    if not 0 < samples * count <= MAX_VALUES:
        raise IngestError(
            "too_large" if samples > 0 else "malformed",
            "the number of samples is out of bounds",
            f"1 to {MAX_VALUES} in all",
            str(samples * count),
        )
    if not 0 < rate_hz <= MAX_RATE_HZ:
        raise IngestError(
            "malformed", "the rate is out of bounds", f"above 0, at most {MAX_RATE_HZ:g} Hz", f"{rate_hz:g}"
        )
    raw, missing = _integers(group, samples, count, byte_order, tolerated)
    scales: dict[str, tuple[int, float, float]] = {}
    for index, channel in enumerate(channels):
        lead = _lead(channel)
        if lead is None or lead in scales:
            tolerated.append(f"channel {index + 1} is no lead known here, or comes twice; left out")
            continue
        scales[lead] = index, *_scale(channel, lead, tolerated)
    if not scales:
        raise IngestError(
            "malformed", "no channel is an ECG lead", "coded or named leads", f"{count} channels"
        )
    samples_mv = np.empty((len(scales), samples), dtype=np.float32)
    row_mv = np.empty(samples)
    with np.errstate(over="ignore"):
        for out_mv, (lead, (index, step_mv, offset_mv)) in zip(samples_mv, scales.items(), strict=True):
            # In double precision, and rounded to float32 once.
            np.multiply(raw[:, index], step_mv, out=row_mv)
            row_mv += offset_mv
            out_mv[:] = row_mv
            if step_mv == 0 or not np.isfinite(out_mv).all():
                raise IngestError(
                    "malformed", f"the sensitivity of {lead} gives no amplitudes", "mV a step", f"{step_mv:g}"
                )
            if missing is not None:
                out_mv[missing[:, index]] = np.nan
    samples_mv.flags.writeable = False
    return Group(
        samples_mv=samples_mv,
        leads=tuple(scales),
        rate_hz=rate_hz,
        filters=_filters(channels),
    )


def _integers(
    group: Item, samples: int, count: int, byte_order: str, tolerated: list[str]
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Stored integers, and where none was recorded or None for nowhere, both of shape ``(samples, channels)``."""
    bits, form = int(group.WaveformBitsAllocated), str(group.WaveformSampleInterpretation)
    if (bits, form) not in _TYPES:
        known = " ".join(f"{b}/{f}" for b, f in _TYPES)
        raise IngestError(
            "unsupported", "the sample form is not read", f"one of {known}", f"{bits}/{form}"[:40]
        )
    dtype = np.dtype(byte_order + _TYPES[bits, form])
    needed = max(samples * count * dtype.itemsize, _announced_bytes(group))
    body = memoryview(group.WaveformData)
    if len(body) < needed:
        raise IngestError("truncated", "the waveform is too short", f"{needed} bytes", f"{len(body)} bytes")
    raw = np.frombuffer(body, dtype=dtype, count=samples * count).reshape(samples, count)
    least, most = int(raw.min()), int(raw.max())
    missing: NDArray[np.bool_] | None = None
    padding = group.get("WaveformPaddingValue")
    if isinstance(padding, bytes | memoryview) and len(padding) >= dtype.itemsize:
        value = int(np.frombuffer(padding, dtype=dtype, count=1)[0])
        if value in (least, most):
            missing = raw == value
        elif least < value < most:
            # Some writers put 0 there, which every lead passes through; a value amid the samples can't mark anything.
            tolerated.append(f"the padding value {value} lies amid the samples; not taken for missing ones")
    elif (bits, form) == (16, "SS") and least == MISSING:
        missing = raw == MISSING
        tolerated.append(f"no padding value is given; {MISSING} is taken as no sample")
    stored = group.ChannelDefinitionSequence[0].get("WaveformBitsStored")
    if stored and form in ("SB", "SS") and 1 < int(stored) < bits:
        top = 1 << (int(stored) - 1)
        there = raw if missing is None else raw[~missing]
        if there.min(initial=0) >= 0 and top <= there.max(initial=0) < 2 * top:
            tolerated.append(f"{int(stored)} bits are stored without their sign extended")
            raw = np.where(raw >= top, raw - 2 * top, raw)
    return raw, missing


def _announced_bytes(group: Item) -> int:
    """What the waveform says of its length, of which pydicom gives as much as there is; 0 where it says nothing."""
    if isinstance(group, Tags):  # there it is as long as it says
        return 0
    length = getattr(group.get_item("WaveformData"), "length", _UNDEFINED)
    return 0 if length == _UNDEFINED else int(length)


def _scale(channel: Item, lead: str, tolerated: list[str]) -> tuple[float, float]:
    """Millivolts a step, and of the baseline."""
    sensitivity = channel.get("ChannelSensitivity")
    if sensitivity is None:
        raise IngestError("malformed", f"lead {lead} has no sensitivity", "Channel Sensitivity", "none")
    units = channel.get("ChannelSensitivityUnitsSequence")
    unit = str(units[0].CodeValue) if units else "uV"
    if not units:
        tolerated.append(f"lead {lead} has no unit; taken as uV")
    if unit.lower() not in MV_PER_UNIT:
        raise IngestError(
            "unsupported", f"the unit of lead {lead} is not one of voltage", "uV or mV", unit[:20]
        )
    unit_mv = MV_PER_UNIT[unit.lower()]
    correction = _number(channel, "ChannelSensitivityCorrectionFactor", 1.0)
    # PS3.3 C.10.9.1.4.1: the baseline is an offset in the unit of the sensitivity, not in steps.
    return float(sensitivity) * correction * unit_mv, _number(channel, "ChannelBaseline", 0.0) * unit_mv


def _number(item: Item, keyword: str, default: float) -> float:
    value = item.get(keyword)
    return default if value is None or value == "" else float(value)


def _lead(channel: Item) -> str | None:
    for source in channel.get("ChannelSourceSequence") or ():
        lead = lead_of_code(str(source.get("CodeValue", "")), str(source.get("CodingSchemeDesignator", "")))
        lead = lead or lead_of_name(str(source.get("CodeMeaning", "")))
        if lead is not None:
            return lead
    return lead_of_name(str(channel.get("ChannelLabel", "")))


def _filters(channels: Sequence[Item]) -> dict[str, float]:
    """What the device says it cut away; where its channels differ, the narrowest pass band."""
    keywords = (
        ("low_hz", "FilterLowFrequency", max),
        ("high_hz", "FilterHighFrequency", min),
        ("notch_hz", "NotchFilterFrequency", max),
    )
    found: dict[str, float] = {}
    for key, keyword, narrowest in keywords:
        said = [_number(channel, keyword, 0.0) for channel in channels]
        known = [value for value in said if 0 < value < math.inf]
        if known:
            found[key] = narrowest(known)
    return found
