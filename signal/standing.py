"""Does the last reading of a running stream still stand? Asked of many streams at once, a second of each.

A full reading costs milliseconds; most seconds of most streams bring nothing new. What a reading rests on (the shape of
the dominant beat, the levels of its ST and T, the RR intervals, each lead's size and noise) is kept as a value, and
each new second is held against it (`standing_look`): is every beat where one is due, is it that beat, are its levels
where they were, are the leads as they were? Whatever has changed is named, and a full reading tells what it is.
Nothing here is a finding, and "no change" is never more than the reading that it confirms.

Everything happens at 125 Hz, in arrays over ``(streams, leads, samples)``. A stream's answer does not depend on
its company.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.grid import Floats
from greenchannel.signal.limits import MIN_QRS_MV
from greenchannel.signal.measurements import Measurements, MedianBeat
from greenchannel.signal.qrs import RATE_HZ, halved, qrs_band

WINDOW_S: Final = 2.4
"""What a look takes: the new second and enough before it that no beat falls between two looks."""
SIZE: Final = round(WINDOW_S * RATE_HZ)

# Set by how far noise moves such levels and shapes; not fitted on records.
_FOREIGN: Final = 0.25  # so much of the dominant beat's energy, unlike it, is a beat of another shape [E]
_OF_T: Final = 2.0  # and so many times that of its own T wave [E]
_CLEAR: Final = 0.6  # where that asks for more, beats and T waves are not told apart [E]
_NEXT: Final = 0.75  # of the shortest RR: no next beat comes before [E]

TAPS: Final = 20
"""Samples of a QRS and its surroundings: 160 ms."""
BEHIND: Final = 40
"""A beat is looked at once so many samples behind its middle have come."""
SAME_S: Final = 0.1
"""Two middles nearer to each other are those of one beat, seen by two looks."""
NEAR: Final = 15
"""Two peaks nearer to each other, in samples, are one beat."""
LEVEL: Final = 3
"""Samples in a level."""
_BEFORE_QRS, _ST_FIRST, _ST_LAST, _T = -4, 1, 7, 20  # where levels begin, from the QRS onset and its end
_MOST_REACH: Final = BEHIND - _T - LEVEL - 2  # of the QRS behind its middle

Doubles = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Reference:
    """What a reading rests on. Arrays have one row for each lead."""

    template: Floats  # ``(leads, 20)``: QRS band of the dominant beat, each lead at its weight
    weight: Floats  # 1 / size of each lead's QRS; 0 for one that may not vote
    energy: float  # of the template
    foreign: float  # energy from which something is a beat
    levels_mv: Doubles  # ``(3, leads)``: early ST, late ST, T of the dominant beat against its PR segment
    level_at: Ints  # first sample of PR, early ST, late ST and T, from the middle of the QRS
    usable: Bools
    rr_s: tuple[float, float]  # shortest and longest
    ectopic: bool  # the reading saw beats of other shapes
    size_mv: Floats
    noise_mv: Floats


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Standing:
    """A reading's reference, and what has been seen since. Times are in seconds before the end of the last look."""

    reference: Reference
    moved_mv: Doubles  # ``(3, leads)``: how far levels have moved, the mean of many beats
    beats: int = 0  # how many
    since_beat_s: float = 0.0
    since_ectopic_s: float = np.inf
    pr_mv: Doubles | None = None  # level of the last beat's PR segment, as recorded


def stand_on(measured: Measurements, window_mv: Floats, end_s: float) -> Standing | None:
    """What a reading says to later seconds; None where they cannot be held against it, and must be read.

    Parameters
    ----------
    measured : the reading
    window_mv : array ``(leads, SIZE)`` at 125 Hz
        The last of the samples that were read.
    end_s : instant of the end of that window, in the seconds of `measured`
    """
    median = measured.median
    usable = np.array([lead.usable for lead in measured.leads.values()])
    if median is None or len(measured.r_s) < 4 or not usable.any() or np.isnan(window_mv).any():
        return None
    reference = _reference(measured, median, usable, window_mv)
    if reference is None:
        return None
    still = np.zeros_like(reference.levels_mv)
    decided_s = end_s - BEHIND / RATE_HZ + SAME_S  # later beats belong to the next look
    last_s = max(r for r in measured.r_s if r < decided_s)
    return Standing(reference=reference, moved_mv=still, since_beat_s=end_s - last_s)


def _reference(
    measured: Measurements, median: MedianBeat, usable: Bools, window_mv: Floats
) -> Reference | None:
    slow = halved(halved(median.samples_mv))
    on, off = median.qrs_on_s * RATE_HZ, median.qrs_off_s * RATE_HZ
    middle = round((on + off) / 2)
    at = np.array(
        [round(on) + _BEFORE_QRS, *(round(off) + by for by in (_ST_FIRST, _ST_LAST, _T))], dtype=np.int64
    )
    last = int(at[-1]) + LEVEL
    if at[0] < 0 or last > slow.shape[1] or middle < TAPS // 2 or round(off) - middle > _MOST_REACH:
        return None
    band = qrs_band(slow)
    own = band[:, middle - TAPS // 2 : middle + TAPS // 2]
    size = np.abs(own).max(axis=1)
    weight = np.where(usable & (size >= MIN_QRS_MV), 1 / np.maximum(size, MIN_QRS_MV), 0).astype(np.float32)
    template = np.ascontiguousarray(own * weight[:, None])
    energy = float((template.astype(np.float64) ** 2).sum())
    rr_s = np.diff(np.array(measured.r_s))
    rest = window_energy((band * weight[:, None])[None])[0]
    t_last = middle + int(_NEXT * rr_s.min() * RATE_HZ) - TAPS
    t_energy = rest[middle + NEAR : t_last].max(initial=0.0)  # of its T wave, before the next beat
    foreign = max(_FOREIGN * energy, _OF_T * float(t_energy))
    if energy == 0 or foreign > _CLEAR * energy:
        return None
    levels = slow[:, at[:, None] + np.arange(LEVEL)].mean(axis=2, dtype=np.float64).T
    size_mv, noise_mv = sizes(window_mv[None], qrs_band(window_mv)[None])
    return Reference(
        template=template,
        weight=weight,
        energy=energy,
        foreign=foreign,
        levels_mv=levels[1:] - levels[0],
        level_at=at - middle,
        usable=usable,
        rr_s=(float(rr_s.min()), float(rr_s.max())),
        ectopic=any(number != 0 for number in measured.beat_class),
        size_mv=size_mv[0],
        noise_mv=noise_mv[0],
    )


def slow(samples_mv: Floats, rate_hz: float) -> Floats:
    """Samples at 125 Hz, each the mean of 8 ms.

    Parameters
    ----------
    samples_mv : array ``(…, samples)``
        `WINDOW_S` of them.
    rate_hz : at least `RATE_HZ`
    """
    blocks = rate_hz / RATE_HZ
    if blocks.is_integer() and samples_mv.shape[-1] == SIZE * blocks:
        parts = samples_mv.reshape(*samples_mv.shape[:-1], SIZE, int(blocks))
        return np.asarray(parts.mean(axis=-1, dtype=np.float32))
    sums = np.cumsum(samples_mv, axis=-1, dtype=np.float64)
    sums = np.concatenate([np.zeros((*sums.shape[:-1], 1)), sums], axis=-1)
    edges = np.arange(SIZE + 1) * (samples_mv.shape[-1] / SIZE)
    whole = np.minimum(edges.astype(np.int64), samples_mv.shape[-1] - 1)
    at_edges = sums[..., whole] + (sums[..., whole + 1] - sums[..., whole]) * (edges - whole)
    return np.asarray(np.diff(at_edges, axis=-1) / (samples_mv.shape[-1] / SIZE), dtype=np.float32)


def sizes(x: Floats, band: Floats) -> tuple[Floats, Floats]:
    """Of samples ``(streams, leads, samples)`` and their QRS band: its largest size, and how much each lead bends."""
    bend = x[..., 2:] - 2 * x[..., 1:-1] + x[..., :-2]
    return np.abs(band).max(axis=2), np.abs(bend).mean(axis=2)


def window_energy(band: Floats) -> Doubles:
    """Energy over all leads of the `TAPS` samples from each sample on; ``(streams, samples − 19)``."""
    sums = np.cumsum((band.astype(np.float64) ** 2).sum(axis=1), axis=1)
    sums = np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
    return np.asarray(sums[:, TAPS:] - sums[:, :-TAPS])
