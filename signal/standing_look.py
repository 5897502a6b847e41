"""New seconds of running streams held against their readings: what has changed, by name. See `standing`."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from greenchannel.signal.grid import Floats
from greenchannel.signal.qrs import RATE_HZ, highest_around, qrs_band
from greenchannel.signal.standing import (
    BEHIND,
    LEVEL,
    NEAR,
    SAME_S,
    SIZE,
    TAPS,
    Bools,
    Doubles,
    Ints,
    Reference,
    Standing,
    sizes,
    window_energy,
)  # fmt: skip

ST, BEAT_SHAPE, EARLY_BEAT, PAUSE, LEAD, SAMPLES = (
    "st",  # levels of ST or T have moved
    "beat_shape",  # a beat of another shape
    "early_beat",  # sooner than any that the reading saw
    "pause",  # no beat where one was due
    "lead",  # an electrode came off, or a lead got noisy
    "samples",  # some are missing
)
REASONS: Final = (ST, BEAT_SHAPE, EARLY_BEAT, PAUSE, LEAD, SAMPLES)

# Set by how far noise moves such levels and shapes; not fitted on records.
_ALIKE: Final = 0.85  # correlation with the dominant beat, over all leads [E]
_SIZE_RANGE: Final = (0.4, 2.5)  # energy of a beat, of that of the dominant one [E]
_RUN_S: Final = 1.5  # two ectopic beats so near to each other are news, even where single ones are not [E]
_SOONER, _LATER = 0.75, 1.5  # times the shortest and the longest RR of the reading [E]
_MOVED_MV: Final = np.array([0.05, 0.05, 0.08])  # early ST, late ST, T: many beats have moved by so much [E]
_FEW_BEATS: Final = 2.0  # of n beats by 1 + 2 / n times that [E]
_MEMORY: Final = 8  # beats that a mean level remembers [E]
_SMALLER, _NOISIER, _NOISE_MV = 0.35, 2.0, 0.01  # a lead's QRS, its noise, and noise that is none [E]

_HALF: Final = TAPS // 2
_SHIFT: Final = 4  # a beat's likeness is highest so near to its energy's top, in samples
_STEP: Final = round(RATE_HZ)
_FIRST: Final = SIZE - BEHIND - _STEP  # the second of beat middles that is decided


def look(standings: Sequence[Standing], windows_mv: Floats) -> list[tuple[Standing, tuple[str, ...]]]:
    """Hold one new second of each stream against its reading.

    Parameters
    ----------
    standings : of streams with equally many leads, each as the look at the second before left it
    windows_mv : array ``(streams, leads, SIZE)`` at 125 Hz
        `WINDOW_S` up to the end of the new second. NaN: missing.

    Returns
    -------
    For each stream its new state, and what has changed, of `REASONS`. Where something has, the state is of no more use.
    """
    changed: dict[str, Bools] = {reason: np.zeros(len(standings), dtype=np.bool_) for reason in REASONS}
    changed[SAMPLES] = np.asarray(np.isnan(windows_mv).any(axis=(1, 2)))
    x = np.where(changed[SAMPLES][:, None, None], np.float32(0), windows_mv)
    refs = [one.reference for one in standings]
    usable = np.array([ref.usable for ref in refs])
    band = qrs_band(x.reshape(-1, x.shape[2])).reshape(x.shape)
    size, noise = sizes(x, band)
    lost = size < _SMALLER * np.array([ref.size_mv for ref in refs])
    noisy = noise > _NOISIER * np.array([ref.noise_mv for ref in refs]) + _NOISE_MV
    changed[LEAD] = np.asarray(((lost | noisy) & usable).any(axis=1))
    matched, foreign, fraction = _beats(band, refs)
    seen = _Seen(standings)
    seen.rhythm(matched, foreign, changed)
    seen.levels(x, matched, fraction, changed)
    reasons = [tuple(name for name in REASONS if changed[name][i]) for i in range(len(standings))]
    return list(zip(seen.standings(), reasons, strict=True))


def _beats(band: Floats, refs: Sequence[Reference]) -> tuple[Bools, Bools, Doubles]:
    """Middles of beats like the dominant one, of beats unlike it, and how far behind the sample a middle lies.

    Each of shape ``(streams, SIZE)``; middles outside the second that is decided are False.
    """
    streams, _, n = band.shape
    band = band * np.array([ref.weight for ref in refs])[:, :, None]
    energy = window_energy(band)
    own = np.array([ref.energy for ref in refs])
    least = np.array([ref.foreign for ref in refs])
    high = energy > np.minimum(least, _SIZE_RANGE[0] * own)[:, None]
    rows, at = np.nonzero(_tops(energy) & high)
    inside = (at >= _SHIFT) & (at < energy.shape[1] - _SHIFT)
    rows, at = rows[inside], at[inside]
    likeness, shift, fraction = _alignment(band, energy, refs, rows, at)
    at = at + shift
    size = energy[rows, at]
    fits = (likeness > _ALIKE) & (size > _SIZE_RANGE[0] * own[rows]) & (size < _SIZE_RANGE[1] * own[rows])
    middles = at + _HALF
    decided = (middles >= _FIRST) & (middles < _FIRST + _STEP)
    like, unlike = np.zeros((2, streams, n), dtype=np.bool_)
    like[rows[fits & decided], middles[fits & decided]] = True
    other = ~fits & decided & (size > least[rows])
    unlike[rows[other], middles[other]] = True
    fractions = np.zeros((streams, n))
    fractions[rows, middles] = fraction
    return like, unlike, fractions


def _alignment(
    band: Floats, energy: Doubles, refs: Sequence[Reference], rows: Ints, at: Ints
) -> tuple[Doubles, Ints, Doubles]:
    """Best correlation with the dominant beat near the windows that begin at `at`; how far off, by whole and part."""
    shifts = np.arange(-_SHIFT, _SHIFT + 1)
    templates = np.array([ref.template for ref in refs])
    own = np.array([ref.energy for ref in refs])
    pieces = band[
        rows[:, None], :, at[:, None] + np.arange(-_SHIFT, TAPS + _SHIFT)
    ]  # (beats, samples, leads)
    windows = np.lib.stride_tricks.sliding_window_view(
        pieces, TAPS, axis=1
    )  # (beats, shifts, leads, samples)
    product = np.einsum("bklt,blt->bk", windows, templates[rows], optimize=False)
    near = np.maximum(energy[rows[:, None], at[:, None] + shifts], 1e-9)
    likeness = product / np.sqrt(near * own[rows][:, None])
    best = likeness.argmax(axis=1)
    each = np.arange(rows.size)
    inner = np.clip(best, 1, 2 * _SHIFT - 1)
    left, top, right = (likeness[each, inner + k] for k in (-1, 0, 1))
    bend = np.minimum(left - 2 * top + right, -1e-9)
    fraction = np.where(inner == best, np.clip(0.5 * (left - right) / bend, -0.5, 0.5), 0.0)
    return np.asarray(likeness[each, best]), shifts[best], fraction


def _tops(x: Doubles) -> Bools:
    """The highest sample within `NEAR` to either side, the first of equal ones."""
    top: Bools = x == highest_around(x, NEAR)
    top[:, 1:] &= ~top[:, :-1]
    return top


class _Seen:
    """What a look changes in the states of its streams; one round for the first beat of each, one for the second, …"""

    def __init__(self, standings: Sequence[Standing]) -> None:
        self._old = standings
        self._moved = np.array([one.moved_mv for one in standings])
        self._beats = np.array([one.beats for one in standings])
        leads = self._moved.shape[2]
        self._pr = np.array([np.full(leads, np.nan) if one.pr_mv is None else one.pr_mv for one in standings])
        # Instants in seconds from the end of this look's window.
        self._last = np.array([-one.since_beat_s - 1.0 for one in standings])
        self._level_last = self._last.copy()
        self._ectopic_last = np.array([-one.since_ectopic_s - 1.0 for one in standings])

    def rhythm(self, matched: Bools, foreign: Bools, changed: dict[str, Bools]) -> None:
        """Beats of both kinds, one after the other, against the RR intervals of the reading."""
        shortest, longest = np.array([one.reference.rr_s for one in self._old]).T
        ectopic = np.array([one.reference.ectopic for one in self._old])
        last = self._last.copy()
        for rows, at in _rounds(matched | foreign):
            when = (at - matched.shape[1]) / RATE_HZ
            other = foreign[rows, at]
            gap = when - last[rows]
            changed[EARLY_BEAT][rows] |= (gap < _SOONER * shortest[rows]) & (gap > SAME_S) & ~other
            changed[PAUSE][rows] |= gap > _LATER * longest[rows]
            soon = when - self._ectopic_last[rows] < _RUN_S
            changed[BEAT_SHAPE][rows] |= other & (~ectopic[rows] | soon)
            self._ectopic_last[rows] = np.where(other, when, self._ectopic_last[rows])
            last[rows] = when
        changed[PAUSE] |= -BEHIND / RATE_HZ - last > _LATER * longest
        self._last = last

    def levels(self, x: Floats, matched: Bools, fraction: Doubles, changed: dict[str, Bools]) -> None:
        """Levels of ST and T of the beats like the dominant one, less a straight wander from PR to PR."""
        at_all = np.array([one.reference.level_at for one in self._old])
        reference = np.array([one.reference.levels_mv for one in self._old])
        usable = np.array([one.reference.usable for one in self._old])
        for rows, at in _rounds(matched):
            place = at + fraction[rows, at]
            whole = np.floor(place).astype(np.int64)
            levels = _levels(x, rows, whole[:, None] + at_all[rows], place - whole)
            when = (place - x.shape[2]) / RATE_HZ
            slope = (levels[:, 0] - self._pr[rows]) / (when - self._level_last[rows])[:, None]
            slope = np.where(np.isfinite(slope), slope, 0.0)
            behind_s = (at_all[rows, 1:] - at_all[rows, :1]) / RATE_HZ
            moved = levels[:, 1:] - levels[:, :1] - slope[:, None] * behind_s[:, :, None] - reference[rows]
            self._beats[rows] += 1
            count = self._beats[rows]
            share = 1 / np.minimum(count, _MEMORY)
            self._moved[rows] += (moved - self._moved[rows]) * share[:, None, None]
            limit = _MOVED_MV * (1 + _FEW_BEATS / count)[:, None]
            far = (np.abs(self._moved[rows]) > limit[:, :, None]) & usable[rows][:, None]
            changed[ST][rows] |= far.any(axis=(1, 2))
            self._pr[rows], self._level_last[rows] = levels[:, 0], when

    def standings(self) -> list[Standing]:
        """The new states."""
        return [
            replace(
                old,
                moved_mv=self._moved[i],
                beats=int(self._beats[i]),
                since_beat_s=-float(self._last[i]),
                since_ectopic_s=-float(self._ectopic_last[i]),
                pr_mv=self._pr[i],
            )
            for i, old in enumerate(self._old)
        ]


def _levels(x: Floats, rows: Ints, first: Ints, fraction: Doubles) -> Doubles:
    """Means over `LEVEL` samples from `first`, between two samples; ``(beats, levels, leads)``."""
    at = np.clip(first[:, :, None] + np.arange(LEVEL), 0, x.shape[2] - 2)
    here = x[rows[:, None, None], :, at].mean(axis=2, dtype=np.float64)
    next_one = x[rows[:, None, None], :, at + 1].mean(axis=2, dtype=np.float64)
    return np.asarray(here + (next_one - here) * fraction[:, None, None])


def _rounds(at: Bools) -> list[tuple[Ints, Ints]]:
    """The first True of each row, then the second of each row that has one, and so on."""
    rows, places = np.nonzero(at)
    number = np.arange(rows.size) - np.searchsorted(rows, rows, side="left")
    return [(rows[number == k], places[number == k]) for k in range(int(number.max(initial=-1)) + 1)]
