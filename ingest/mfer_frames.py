"""MFER's frames: sequences of blocks of channels, and the definitions that say what the numbers mean."""

import itertools
import math
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.bounds import MAX_CHANNELS, MAX_VALUES
from greenchannel.ingest.channels import check_counts, scaled
from greenchannel.ingest.errors import IngestError, shown
from greenchannel.ingest.texts import decode_text

PER_CHANNEL: Final = ("blk", "seq", "wfm", "ldn", "dtp", "ivl", "sen", "off", "nul")
"""Tags that hold for all channels, or within an attribute for one."""

DOMINANT_BEAT: Final = 9  # MWF_WFM

# MWF_DTP, ISO 22077-1. [K] 9 is compression by AHA's method.
_TYPES: Final = {0: "i2", 1: "u2", 2: "i4", 3: "u1", 4: "u2", 5: "i1", 6: "u4", 7: "f4", 8: "f8"}
_MV_PER_V: Final = 1000.0
_HERTZ, _SECONDS = 0, 1  # units of MWF_IVL

Definitions = tuple[tuple[str, Any], ...]


class Frame(NamedTuple):
    """One MWF_WAV."""

    kind: int | None
    """MWF_WFM."""
    definitions: tuple[Definitions, ...]
    """Of each channel, sorted by name."""
    rows: tuple[NDArray[Any], ...]
    """Stored numbers of each channel."""


@dataclass(slots=True)
class Layout:
    """The definitions in force."""

    big_endian: bool = True
    channels: int = 1
    common: dict[str, Any] = field(default_factory=dict)
    own: dict[int, dict[str, Any]] = field(default_factory=dict)
    samples: int = 0  # read so far, of all channels

    def set_order(self, value: bytes) -> None:
        """MWF_BLE: 0 big, 1 little."""
        if value not in (b"", b"\0", b"\x01"):
            raise IngestError("malformed", "the byte order is not known", "0 or 1", shown(value, 20))
        self.big_endian = value != b"\x01"

    def set_channels(self, value: bytes) -> None:
        """MWF_CHN: a new number forgets what single channels were."""
        self.channels = word_of(value, self) if value else 1
        if not 0 < self.channels <= MAX_CHANNELS:
            raise IngestError(
                "malformed",
                "the number of channels is out of bounds",
                f"1 to {MAX_CHANNELS}",
                f"{self.channels}",
            )
        self.own = {}

    def define(self, name: str, value: bytes, channel: int | None) -> None:
        """One of `PER_CHANNEL`; an empty value goes back to what holds without it."""
        place = self.common if channel is None else self.own.setdefault(min(channel, MAX_CHANNELS), {})
        if not value:
            place.pop(name, None)
        elif name in ("blk", "seq"):
            place[name] = word_of(value, self)
        elif name in ("ivl", "sen"):
            if len(value) < 3:
                raise IngestError("malformed", f"MWF_{name.upper()} is too short", "3 bytes", f"{len(value)}")
            order: Literal["big", "little"] = "big" if self.big_endian else "little"
            mantissa = int.from_bytes(value[2:10], order, signed=True)
            exponent = int.from_bytes(value[1:2], "big", signed=True)
            place[name] = (value[0], mantissa * 10.0**exponent)
        elif name == "dtp":
            if value[0] not in _TYPES:
                raise IngestError("unsupported", "the data type is not read", "MWF_DTP 0 to 8", f"{value[0]}")
            place[name] = value[0]
        elif name == "wfm":
            place[name] = word_of(value[:2], self)
        elif name == "ldn":
            place[name] = (word_of(value[:2], self), decode_text(value[2:]).strip("\0 "))
        else:
            place[name] = (value, self.big_endian)

    def of_channel(self, channel: int) -> dict[str, Any]:
        """All that holds for one channel."""
        return self.common | self.own.get(channel, {})


def word_of(value: bytes, layout: Layout) -> int:
    """A whole number without sign, in the byte order of the file."""
    if len(value) > 4:
        raise IngestError("malformed", "a number is too long", "at most 4 bytes", f"{len(value)}")
    return int.from_bytes(value, "big" if layout.big_endian else "little")


def rate_of(definitions: dict[str, Any]) -> float:
    """Samples per second by MWF_IVL, 1000 without it."""
    unit, value = definitions.get("ivl", (_SECONDS, 0.001))
    if unit not in (_HERTZ, _SECONDS) or not 0 < value < math.inf:
        raise IngestError(
            "malformed", "the sampling interval is none", "Hz or s above 0", f"{value:g}, unit {unit}"
        )
    rate_hz = value if unit == _HERTZ else 1.0 / value
    # 1 / 0.004 must be 250 and nothing beside it.
    whole = round(rate_hz)
    return float(whole) if abs(rate_hz - whole) < 1e-9 * rate_hz else rate_hz


def scaled_row(
    raw: NDArray[Any], definitions: dict[str, Any], lead: str, tolerated: list[str]
) -> NDArray[np.float32]:
    """Millivolts of one channel: (stored + MWF_OFF) × MWF_SEN, NaN for MWF_NUL."""
    if "sen" not in definitions:
        raise IngestError("malformed", f"lead {lead} has no resolution", "MWF_SEN", "none")
    unit, step_v = definitions["sen"]
    if unit != 0:
        raise IngestError("unsupported", f"the unit of lead {lead} is not one of voltage", "0 (V)", f"{unit}")
    dtype = np.dtype(_TYPES[definitions.get("dtp", 0)])
    null, offset = (_number(definitions.get(name), dtype) for name in ("nul", "off"))
    if null is not None:
        raw = np.where(raw == null, np.nan, raw)
    if offset:
        tolerated.append(f"an offset of {offset:g} steps is added to {lead}")
    return scaled(raw, step_v * _MV_PER_V, (offset or 0.0) * step_v * _MV_PER_V, lead)


def _number(value: tuple[bytes, bool] | None, dtype: np.dtype[Any]) -> float | None:
    if value is None or len(value[0]) < dtype.itemsize:
        return None
    number = float(np.frombuffer(value[0], dtype.newbyteorder(">" if value[1] else "<"), 1)[0])
    return number if math.isfinite(number) else None


def decode_frame(body: bytes, layout: Layout, tolerated: dict[str, None]) -> Frame:
    """Split the body of one MWF_WAV into its channels.

    Raises
    ------
    IngestError
        ``malformed``, ``truncated`` or ``too_large``.
    """
    own = [layout.of_channel(channel) for channel in range(layout.channels)]
    types = [
        np.dtype(_TYPES[each.get("dtp", 0)]).newbyteorder(">" if layout.big_endian else "<") for each in own
    ]
    blocks = [each.get("blk", 1) for each in own]
    if min(blocks) < 1:
        raise IngestError("malformed", "a block has no sample", "at least 1", "0")
    sequence_bytes = sum(block * kind.itemsize for block, kind in zip(blocks, types, strict=True))
    lengths = {each["seq"] for each in own if "seq" in each}
    if len(lengths) > 1:
        raise IngestError("unsupported", "the channels differ in sequences", "one number", f"{len(lengths)}")
    there = len(body) // sequence_bytes
    sequences = lengths.pop() if lengths else there
    check_counts(1, sequences * max(blocks), 1.0)
    if sequences > there:
        raise IngestError(
            "truncated", "the waveform is too short", f"{sequences * sequence_bytes} bytes", f"{len(body)}"
        )
    layout.samples += sequences * sum(blocks)
    if layout.samples > MAX_VALUES:
        raise IngestError("too_large", "there are too many samples", f"at most {MAX_VALUES} in all", "more")
    if sequences * sequence_bytes < len(body):
        tolerated["a waveform holds more bytes than it announces"] = None
    flat = np.frombuffer(body, "u1", sequences * sequence_bytes).reshape(sequences, sequence_bytes)
    stops = list(
        itertools.accumulate(block * kind.itemsize for block, kind in zip(blocks, types, strict=True))
    )
    rows = tuple(
        np.ascontiguousarray(flat[:, start:stop]).view(kind).reshape(-1)
        for start, stop, kind in zip([0, *stops[:-1]], stops, types, strict=True)
    )
    definitions = tuple(tuple(sorted(each.items())) for each in own)
    return Frame(layout.common.get("wfm"), definitions, rows)
