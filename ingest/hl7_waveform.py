"""Waveforms in the OBX segments of HL7 v2: those of chapter 7 (TIM, CHN, WAV) and of IHE's Waveform Content Module."""

import re
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS
from greenchannel.ingest.channels import (
    Channel,
    check_counts,
    leads_of_labels,
    mv_per_unit,
    recording_of,
    scaled,
)
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.hl7_message import Message, Segment, instant_of
from greenchannel.ingest.lead_names import lead_of_name
from greenchannel.ingest.mdc_leads import lead_of_mdc
from greenchannel.ingest.texts import numbers_of
from greenchannel.signal.recording import Recording

WAVEFORM_TYPES: Final = frozenset({"NA", "MA"})
_MOST_NUMBERS: Final = 2_000_000
_NO_NUMBER: Final = frozenset({"", '""'})
_UNITS: Final = {
    "MDC_DIM_MICRO_VOLT": "uV",
    "MDC_DIM_MILLI_VOLT": "mV",
    "MDC_DIM_VOLT": "V",
    "MDC_DIM_NANO_VOLT": "nV",
}
_RATE_CODES: Final = frozenset({"MDC_ATTR_SAMP_RATE", "0:2408", "67976"})
_PERIOD_CODES: Final = frozenset({"MDC_ATTR_TIME_PD_SAMP"})
_STEP_CODES: Final = frozenset({"MDC_ATTR_NU_MSMT_RES", "MDC_ATTR_SCALE_RES"})
_SECONDS: Final = {"MDC_DIM_MILLI_SEC": 1e-3, "MDC_DIM_SEC": 1.0, "MS": 1e-3, "S": 1.0, "": 1e-3}


class _Definition(NamedTuple):
    """One channel: stored number × step = unit."""

    label: str
    rate_hz: float | None
    step: float
    baseline: float
    unit: str


class _Wave(NamedTuple):
    """The numbers of one OBX, of one channel each."""

    segment: Segment
    columns: tuple[NDArray[np.float64], ...]


def waveform_recording(
    message: Message, results: list[Segment], acquired: datetime | None, tolerated: list[str]
) -> tuple[Recording, datetime | None]:
    """The recording in a message's OBX segments, and when it began where its own segment (TIM) says so.

    Raises
    ------
    IngestError
        ``malformed`` where rate, unit or leads are not to be found, ``too_large``, ``empty_body``.
    """
    defined = [
        each for segment in results if _is(message, segment, "CHN") for each in _defined(message, segment)
    ]
    started = next(
        (
            instant
            for segment in results
            if _is(message, segment, "TIM")
            if (instant := instant_of(message.components(segment.field(5))[0])) is not None
        ),
        None,
    )
    waves = [_wave(message, segment) for segment in results if segment.field(2) in WAVEFORM_TYPES]
    columns = _joined(waves) if defined else [column for wave in waves for column in wave.columns]
    if defined:
        if len(columns) != len(defined):
            raise IngestError(
                "malformed", "channels and definitions differ in number", f"{len(defined)}", f"{len(columns)}"
            )
        definitions = defined
    else:
        definitions = [_facets(message, results, wave.segment) for wave in waves for _ in wave.columns]
    found = leads_of_labels([each.label for each in definitions], tolerated)
    channels = [_channel(definitions[index], columns[index], lead) for index, lead in found.items()]
    return recording_of(channels, tolerated, started_at=started or acquired), started


def _is(message: Message, segment: Segment, category: str) -> bool:
    """Whether an OBX is of this category: ``CHN^…``, or ``…&CHN`` as a suffix of its code."""
    code = message.components(segment.field(3))[0]
    return code.split(message.subcomponent)[-1].strip().upper() == category


def _defined(message: Message, segment: Segment) -> list[_Definition]:
    """Channel definitions (data type CD): name, source, sensitivity and unit, calibration, rate, range."""
    found = []
    for text in message.repetitions(segment.field(5)):
        parts = [part.split(message.subcomponent) for part in message.components(text)]
        parts += [[""]] * (6 - len(parts))
        # channel number & name; source & source: the name of the lead is in one of them
        words = [*parts[0][1:2], *parts[1], *parts[0][:1]]
        label = next((lead for word in words if (lead := _lead(word))), words[0] if words else "")
        found.append(
            _Definition(
                label=label,
                rate_hz=_number(parts[4][0]),
                step=(_number(parts[2][0]) or 1.0) * (_number(parts[3][0]) or 1.0),
                baseline=(_number(parts[3][1]) if len(parts[3]) > 1 else None) or 0.0,
                unit=parts[2][1].strip() if len(parts[2]) > 1 else "",
            )
        )
    return found


def _lead(word: str) -> str | None:
    return lead_of_mdc(word) or lead_of_name(word)


def _wave(message: Message, segment: Segment) -> _Wave:
    """The numbers of one OBX, by channel: of MA, samples repeat and channels are components; NA is one channel."""
    text = segment.field(5)
    where = f"OBX {segment.field(1)[:10]}"
    rows = 1 + text.count(message.repetition)
    first = text.split(message.repetition, 1)[0]
    width = 1 + first.count(message.component) if segment.field(2) == "MA" else 1
    if not 0 < width <= MAX_CHANNELS:
        raise IngestError(
            "malformed", f"{where} has too many channels", f"at most {MAX_CHANNELS}", f"{width}"
        )
    count = 1 + text.count(message.component) + text.count(message.repetition)
    if count > _MOST_NUMBERS:
        raise IngestError(
            "too_large", f"{where} has too many numbers", f"at most {_MOST_NUMBERS}", f"{count}"
        )
    words = text.replace(message.repetition, message.component).split(message.component)
    values = numbers_of(words, _NO_NUMBER, where)
    if count % width or (width > 1 and rows * width != count):
        raise IngestError(
            "malformed", f"{where} has uneven samples", f"{width} channels each", f"{count} numbers"
        )
    return _Wave(segment, tuple(values.reshape(-1, width).T))


def _joined(waves: list[_Wave]) -> list[NDArray[np.float64]]:
    """One column a channel: each OBX holds one channel, or all of them for a while and the next OBX goes on."""
    widths = {len(wave.columns) for wave in waves}
    if widths <= {1}:
        return [wave.columns[0] for wave in waves]
    if len(widths) > 1:
        raise IngestError("malformed", "the waveforms differ in channels", "one number", f"{sorted(widths)}")
    return [np.concatenate(parts) for parts in zip(*(wave.columns for wave in waves), strict=True)]


def _facets(message: Message, results: list[Segment], wave: Segment) -> _Definition:
    """What stands about one waveform in OBX whose place (OBX-4) is within its own, as IHE PCD has it."""
    code = [*message.components(wave.field(3)), ""]
    label = lead_of_mdc(code[0]) or _lead(code[1]) or code[1]
    unit_words = message.components(wave.field(6))
    unit = next((_UNITS[word] for word in unit_words if word in _UNITS), unit_words[0])
    rate_hz, step = None, 1.0
    place = wave.field(4).strip()
    for segment in results:
        if not (place and segment.field(4).startswith(place + ".")):
            continue
        words = set(message.components(segment.field(3))[:2])
        value = _number(message.components(segment.field(5))[0])
        units = message.components(segment.field(6))
        if value is None:
            continue
        if words & _RATE_CODES:
            rate_hz = value
        elif words & _PERIOD_CODES:
            seconds = next(
                (_SECONDS[word] for word in (*units[1:], units[0].upper()) if word in _SECONDS), 1e-3
            )
            rate_hz = 1.0 / (value * seconds) if value > 0 else None
        elif words & _STEP_CODES:
            step = value
    return _Definition(label, rate_hz, step, 0.0, unit)


def _channel(definition: _Definition, values: NDArray[np.float64], lead: str) -> Channel:
    if definition.rate_hz is None:
        raise IngestError("malformed", f"lead {lead} has no rate", "a sampling rate", "none")
    check_counts(1, values.size, definition.rate_hz)
    step_mv = definition.step * mv_per_unit(definition.unit, lead)
    return Channel(lead, definition.rate_hz, scaled(values - definition.baseline, step_mv, 0.0, lead))


def _number(word: str) -> float | None:
    text = word.strip()
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d{0,15}\.?\d{0,15}(?:[eE][+-]?\d{1,2})?", text) or not re.search(r"\d", text):
        raise IngestError(
            "malformed", "a number in a channel's definition cannot be read", "a number", shown(text, 20)
        )
    return float(text)
