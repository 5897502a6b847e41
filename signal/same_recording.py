"""Is this the very recording that came before, in another format? Two steps, both on samples alone.

A `Print` is small: where the trace is steep, and how large each lead is there. It does not depend on the order of the
leads, on which limb leads were derived, on an offset, on rate or unit. Prints that agree make a candidate; only
`same_samples`, which lays the two recordings on each other sample by sample, says that they are one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from greenchannel.signal import limits
from greenchannel.signal.grid import to_analysis_grid
from greenchannel.signal.leads import CHEST_CHAIN, LIMB, PRECORDIAL
from greenchannel.signal.recording import Recording
from greenchannel.signal.same_samples import overlap_of, quantisation_mv, residual_mv, without_above

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

INDEPENDENT: Final = ("I", "II", *PRECORDIAL)
"""The leads that are compared: of the limb leads two tell all six."""

_CHEST: Final = frozenset(CHEST_CHAIN)
_RATE: Final = limits.ANALYSIS_RATE_HZ
_MOST_S: Final = 360.0  # of a longer recording its beginning [E]
_APART: Final = round(0.3 * _RATE)  # one landmark in so many samples to either side [E]
_SMOOTH: Final = round(0.04 * _RATE)  # of the steepness [E]
_AROUND: Final = round(0.06 * _RATE)  # where a lead's size is taken [E]
_MOST_LANDMARKS: Final = 1200
_BIN: Final = round(0.01 * _RATE)  # how exactly landmarks must agree [E]

AGREEING: Final = 0.5  # share of the shorter print's landmarks that must be found again [E]
FEWEST: Final = 4  # landmarks that agree, at least [E]
SIZE_SHARE: Final = 0.12  # sizes of one landmark differ by no more than this share … [E]
SIZE_MV: Final = 0.03  # … and so much [E]
SHORTEST_S: Final = 4.0  # less than this in common says nothing [E]
COVERED: Final = 0.9  # of the shorter recording lies within the other [E]
BY_STEPS: Final = 0.75  # of the root of both steps squared: what rounding leaves is 0.41 of it [E]
BY_RATE: Final = 0.03  # share of a lead's own size that another rate may add [E]
HELD: Final = 0.3  # share of the lower rate up to which two rates hold the same [E]
FLOOR_MV: Final = 0.0005  # what arithmetic leaves [E]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Print:
    """What is kept of a recording to find it again."""

    at: Ints
    """Landmarks in samples of 500 Hz, ascending, shape ``(landmarks,)``."""
    size_mv: Floats
    """Peak to peak around each landmark, shape ``(landmarks, 8)`` by `INDEPENDENT`; NaN: no such lead."""

    def to_bytes(self) -> bytes:
        """The typical size of each lead, then the landmarks, then their sizes; little-endian, in steps of 2 µV."""
        known = (
            np.isfinite(self.size_mv).all(axis=0) if self.at.size else np.zeros(len(INDEPENDENT), dtype=bool)
        )
        typical = np.where(known, np.median(self.size_mv, axis=0) if self.at.size else 0.0, np.nan)
        return _steps(typical) + self.at.astype("<u4").tobytes() + _steps(self.size_mv)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Print":
        """What `to_bytes` gave; raises `ValueError` for a length that it does not give."""
        row = 4 + _HEAD
        if len(data) < _HEAD or (len(data) - _HEAD) % row:
            raise ValueError(
                f"expected {_HEAD} bytes and a whole number of rows of {row}, got {len(data)} bytes"
            )
        n = (len(data) - _HEAD) // row
        at = np.frombuffer(data, "<u4", n, _HEAD).astype(np.int64)
        size = np.frombuffer(data, "<u2", n * len(INDEPENDENT), _HEAD + 4 * n)
        return cls(at=at, size_mv=_from_steps(size.reshape(n, -1)))


_HEAD: Final = 2 * len(INDEPENDENT)
_NO_LEAD: Final = 65535


def _steps(size_mv: Floats) -> bytes:
    there = np.isfinite(size_mv)
    steps = np.where(there, np.clip(np.rint(np.nan_to_num(size_mv) * 500.0), 0, _NO_LEAD - 1), _NO_LEAD)
    return steps.astype("<u2").tobytes()


def _from_steps(steps: NDArray[np.uint16]) -> Floats:
    return np.where(steps == _NO_LEAD, np.nan, steps / 500.0)


def independent(recording: Recording) -> dict[str, NDArray[np.float32]]:
    """The leads of `INDEPENDENT` that a recording has, or that its other limb leads give."""
    have = {name: recording.lead(name) for name in (*INDEPENDENT, "III") if name in recording.leads}
    if "III" in have:
        if "I" not in have and "II" in have:
            have["I"] = have["II"] - have["III"]
        if "II" not in have and "I" in have:
            have["II"] = have["I"] + have["III"]
    return {name: have[name] for name in INDEPENDENT if name in have}


def print_of(recording: Recording) -> Print:
    """The print of a recording; without a landmark where no lead of `INDEPENDENT` moves."""
    leads = independent(recording)
    nothing = Print(at=np.zeros(0, dtype=np.int64), size_mv=np.zeros((0, len(INDEPENDENT))))
    if not leads:
        return nothing
    most = round(_MOST_S * recording.rate_hz)
    x, _ = to_analysis_grid(np.stack([row[:most] for row in leads.values()]), recording.rate_hz)
    if x.shape[1] <= 2 * _AROUND:
        return nothing
    steep = np.abs(np.diff(x.astype(np.float64), axis=1)).sum(axis=0)
    energy = np.convolve(steep, np.ones(_SMOOTH), "same")
    at = _landmarks(energy)
    span = np.clip(at[:, None] + np.arange(-_AROUND, _AROUND + 1), 0, x.shape[1] - 1)
    around = x[:, span]
    size = np.full((at.size, len(INDEPENDENT)), np.nan)
    rows = [INDEPENDENT.index(name) for name in leads]
    size[:, rows] = (around.max(axis=2) - around.min(axis=2)).T
    return Print(at=at, size_mv=size)


def _landmarks(energy: Floats) -> Ints:
    """The highest place among its neighbours, where it stands out: one to a beat, and what else is steep."""
    highest = maximum_filter1d(energy, 2 * _APART + 1, mode="constant", cval=-1.0)
    typical = float(np.median(energy))
    at = np.flatnonzero((energy == highest) & (energy > 2.0 * typical))
    return at[:_MOST_LANDMARKS]


def candidates(one: Print, others: Sequence[bytes]) -> list[int]:
    """Which of other prints, as bytes, agree so well that the samples are worth comparing.

    All are looked at at once by the size of their leads, and those that are left one by one.
    """
    if not others or one.at.size < FEWEST:
        return []
    heads = np.frombuffer(b"".join(data[:_HEAD] for data in others), "<u2").reshape(len(others), -1)
    theirs = _from_steps(heads)
    mine = np.median(one.size_mv, axis=0)
    apart = np.abs(theirs - mine)
    close = ~(apart > 2.0 * (SIZE_MV + SIZE_SHARE * np.fmax(theirs, mine)))  # unknown is no reason against
    left = np.flatnonzero(close.all(axis=1) & np.isfinite(apart).any(axis=1))
    return [k for k in left.tolist() if may_be_same(one, Print.from_bytes(others[k]))]


def may_be_same(one: Print, other: Print) -> bool:
    """Do two prints agree so well that their samples are worth comparing?"""
    short, long = (one, other) if one.at.size <= other.at.size else (other, one)
    if short.at.size < FEWEST:
        return False
    common = np.isfinite(short.size_mv[0]) & np.isfinite(long.size_mv[0])
    if not common.any():
        return False
    bins = np.floor_divide(long.at[:, None] - short.at[None], _BIN)
    bins -= bins.min()
    counts = np.bincount(bins.ravel())
    k = int(np.argmax(counts + np.append(counts[1:], 0)))  # an offset may lie on the border of two
    rows, columns = np.nonzero((bins == k) | (bins == k + 1))
    alike = _alike(long.size_mv[rows][:, common], short.size_mv[columns][:, common])
    return np.unique(columns[alike]).size >= max(FEWEST, AGREEING * short.at.size)


def _alike(a: Floats, b: Floats) -> NDArray[np.bool_]:
    far = np.abs(a - b) > SIZE_MV + SIZE_SHARE * np.maximum(a, b)
    close: NDArray[np.bool_] = np.logical_not(far.any(axis=1))
    return close


@dataclass(frozen=True, kw_only=True, slots=True)
class Same:
    """How two recordings are one."""

    shift_s: float
    """Where the second recording's first sample lies on the first one's time axis."""
    overlap_s: float
    leads: tuple[str, ...]
    worst_mv: float
    """The largest root mean square of the difference in a lead, offset and shift taken off."""
    new_leads: tuple[str, ...]
    """Leads of the second recording that the first has not, nor gives by its limb leads."""


def same_samples(one: Recording, other: Recording) -> Same | None:
    """How two recordings are the same samples, or None where they are not.

    Leads may be in another order, derived, offset by a constant, rounded to another step, at another rate; either
    may be a piece of the other. What remains of the difference must be what rounding leaves: of every lead that both
    have, over the whole of what they share and over each second of it. Where both have chest leads, one at least must
    be in both: the limb leads alone do not tell a file of other chest leads from a copy.
    """
    mine, theirs = independent(one), independent(other)
    names = tuple(name for name in INDEPENDENT if name in mine and name in theirs)
    if not names or (_has_chest(one.leads) and _has_chest(other.leads) and not _has_chest(names)):
        return None
    a, b = (np.stack([leads[name] for name in names]) for leads in (mine, theirs))
    (x, valid_x), (y, valid_y) = to_analysis_grid(a, one.rate_hz), to_analysis_grid(b, other.rate_hz)
    found = overlap_of(x, y, _there(x, valid_x), _there(y, valid_y))
    if found is None:
        return None
    shift, first, second, there = found
    overlap_s = float(there.sum(axis=1).min()) / _RATE  # a gap of one of them is nothing in common
    shorter_s = min(x.shape[1], y.shape[1]) / _RATE
    if overlap_s < SHORTEST_S or overlap_s < COVERED * shorter_s:
        return None
    allowed = FLOOR_MV + BY_STEPS * np.hypot(quantisation_mv(a), quantisation_mv(b))
    if one.rate_hz != other.rate_hz or shift != round(shift):
        # What the lower rate could not hold, or another filter took away, is no difference.
        first, second = (
            without_above(part, HELD * min(one.rate_hz, other.rate_hz)) for part in (first, second)
        )
        allowed = allowed + BY_RATE * first.std(axis=1)
    whole, worst_second = residual_mv(first, second, there)
    if (whole > allowed).any() or (worst_second > 2.0 * allowed).any():
        return None
    held = {*one.leads, *(LIMB if {"I", "II"} <= mine.keys() else ())}
    return Same(
        shift_s=shift / _RATE,
        overlap_s=overlap_s,
        leads=names,
        worst_mv=float(whole.max()),
        new_leads=tuple(name for name in other.leads if name not in held),
    )


def _has_chest(leads: Iterable[str]) -> bool:
    return not _CHEST.isdisjoint(leads)


def _there(x: NDArray[np.float32], valid: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
    return np.ones(x.shape, dtype=bool) if valid is None else valid
