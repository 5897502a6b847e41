"""Where the beats of an SCP-ECG strip are (section 4), and the reference beat that was taken away from them."""

import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.ingest.errors import IngestError

_HEAD: Final = struct.Struct("<HHH")
_ZONE: Final = struct.Struct("<HIII")
_AREA: Final = struct.Struct("<II")

# Beyond what any device writes: a resting strip of ten minutes at 300/min has 3,000 beats.  [O]
_MAX_BEATS: Final = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class Beats:
    """Section 4; samples are numbered as in section 3."""

    length_ms: int
    """Of the reference beat."""
    fiducial: int
    """Sample of the reference beat, counted from 1, that lies upon the fiducial of each beat."""
    zones: tuple[tuple[int, int, int, int], ...]
    """Type, first sample, fiducial, last sample of each beat; beats of type 0 had the reference beat taken away."""
    areas: tuple[tuple[int, int], ...]
    """First and last sample of each protected area."""


def read_beats(body: bytes, longest: int) -> Beats:
    """Read section 4 of a strip with `longest` samples.

    Raises
    ------
    IngestError
        ``malformed`` or ``too_large``.
    """
    length_ms, fiducial, count = _HEAD.unpack_from(body.ljust(_HEAD.size, b"\0"))
    if count > _MAX_BEATS:
        raise IngestError("too_large", "there are too many beats", f"at most {_MAX_BEATS}", str(count))
    middle = _HEAD.size + count * _ZONE.size
    end = middle + count * _AREA.size
    if len(body) < middle:
        raise IngestError("malformed", "the QRS locations are cut off", f"{middle} bytes", f"{len(body)}")
    zones = tuple(_ZONE.iter_unpack(body[_HEAD.size : middle]))
    # Beats do not overlap; twice the strip leaves room for what small devices do, and bounds the work.
    if sum(max(last - first + 1, 0) for kind, first, _, last in zones if kind == 0) > 2 * longest:
        raise IngestError("malformed", "the beats overlap", f"{longest} samples", "more")
    # Version 1.0 has no areas of its own.
    areas = tuple(_AREA.iter_unpack(body[middle:end])) if len(body) >= end else ()
    return Beats(
        length_ms=length_ms,
        fiducial=fiducial,
        zones=zones,
        areas=areas or tuple((first, last) for _, first, _, last in zones),
    )


def add_beats(nv: NDArray[np.float64], start: int, beat: NDArray[np.float64], beats: Beats) -> None:
    """Put the reference beat back, in place, into a lead whose first sample has the number `start`."""
    for kind, first, fiducial, last in beats.zones:
        shift = fiducial - beats.fiducial + 1  # the number of the sample upon which the beat's first one lies
        low, high = max(first, start, shift), min(last, start + len(nv) - 1, shift + len(beat) - 1)
        if kind == 0 and low <= high:
            nv[low - start : high - start + 1] += beat[low - shift : high - shift + 1]
