"""What was found as a beat and is none: the T wave of a broad beat, and noise or P waves between rare beats.

The detector looks at energy of 6 to 25 Hz. A paced or ectopic QRS has little of it, and its T wave may have as much.
So a broad beat's follower is judged by everything that is known of it together: it comes soon and always at the same
distance, it is weaker, less steep and not larger than the beat before, and of another shape.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limits
from greenchannel.signal.grid import Bools, Floats
from greenchannel.signal.qrs import Ints

Doubles = NDArray[np.float64]

_HALF_HZ: Final = limits.ANALYSIS_RATE_HZ / 2
SPAN: Final = round(limits.QRS_SMOOTH_S * _HALF_HZ) + 1  # samples that a size is taken over
BAND: Final = 6  # the second difference over ±24 ms is largest at 20 Hz
_ROUGH_TIMES: Final = (
    limits.RARE_BEAT_TIMES / 2
)  # noise is that much smaller, slow waves of the beats included
MARGIN: Final = 10  # samples of a window to either side that a shape leaves for its lags


def t_waves(wide: Floats, at: Ints, spikes: Ints) -> Bools:
    """Which beats are the T wave of the broad beat before them, shape ``(beats,)``.

    Parameters
    ----------
    wide : array ``(beats, leads, samples)`` at 250 Hz, each window without its mean, leads in units of their QRS
    at : array ``(beats,)``, rising, their places at 250 Hz
    spikes : array ``(spikes,)``, rising, pacing spikes at 500 Hz
    """
    none = np.zeros(at.size, dtype=np.bool_)
    gap_s = (at[1:] - at[:-1]) / _HALF_HZ
    if at.size < 3 or not (gap_s <= limits.T_OF_BROAD_S).any():
        return none
    steep, area = _steepness(wide), _area(wide)
    broad = steep < limits.BROAD_STEEPNESS * area
    if not broad.any():
        return none
    energy = _energy(wide)
    smoother = energy * np.roll(area, 1) < limits.T_SMOOTHER * np.roll(energy, 1) * area
    weaker = np.full(gap_s.size, limits.T_WEAKER)
    if spikes.size:
        # What follows a beat with a spike, and has none itself, was not made by the pacemaker.
        paced = _after_spike(at, spikes)
        weaker[paced[:-1] & ~paced[1:]] = limits.T_WEAKER_PACED
    soon = broad[:-1] & (gap_s <= limits.T_OF_BROAD_S)
    soon &= (steep[1:] < weaker * steep[:-1]) & (
        energy[1:] < np.maximum(weaker, limits.T_ENERGY) * energy[:-1]
    )
    soon &= (area[1:] < limits.T_NO_LARGER * area[:-1]) & smoother[1:]
    # A tall T wave behind a narrow beat comes sooner than any ectopic beat that is not the end of the rhythm.
    tall = ~broad[:-1] & broad[1:] & (gap_s < limits.EARLY_BEAT_S)
    tall &= (energy[1:] < limits.TALL_T_WEAKER * energy[:-1]) & (steep[1:] < limits.T_WEAKER * steep[:-1])
    soon |= tall
    here = np.flatnonzero(soon) + 1
    if here.size < limits.T_TIMES:
        return none
    distance = gap_s[here - 1]
    here = here[np.abs(distance - np.sort(distance)[distance.size // 2]) <= limits.T_STEADY_S]
    shape = _shape(wide)
    here = here[_likeness(wide[here], shape[here - 1]) < limits.T_UNLIKE]
    if here.size < limits.T_TIMES:
        return none
    found = none.copy()
    found[here] = True
    # The T wave of a beat before the strip, or of one that was missed, has no beat before it, but the same shape.
    t = np.broadcast_to(shape[here].sum(axis=0), shape.shape)
    beat = np.broadcast_to(shape[here - 1].sum(axis=0), shape.shape)
    found |= _likeness(wide, t) > np.maximum(_likeness(wide, beat), limits.T_ALIKE)
    found[here - 1] = False
    return found


def lost_in_noise(wide: Floats, label: Ints, votes: int) -> Bools:
    """Which beats are noise or P waves between rare beats, shape ``(beats,)``: far smaller, and not of one shape.

    Also what was found in mains hum and is gone with it.

    Parameters
    ----------
    wide : as of `t_waves`
    label : array ``(beats,)``, the class of each; -1 where it resembles none
    votes : leads that are no zeros in `wide`
    """
    # Every fourth sample tells whether there is anything to look for.
    rough = wide[:, :, ::4]
    power = np.einsum("bls,bls->b", rough, rough)
    silent: Bools = power < limits.SILENT_BEAT**2 * votes * rough.shape[2]
    if power.min(initial=np.inf) * _ROUGH_TIMES**2 > power.max(initial=0.0):
        return silent
    energy = _energy(wide)
    small: Bools = energy * limits.RARE_BEAT_TIMES < energy.max(initial=0.0)
    if not small.any():
        return silent
    shared = [np.flatnonzero(small & (label == k)) for k in range(int(label.max(initial=-1)) + 1)]
    shared = [members for members in shared if members.size >= limits.MIN_MEDIAN_BEATS]
    if shared:
        # Beats between bursts of interference, unless they are smooth as P waves are and the large ones agree.
        large = label[~small]
        agree = large[0] >= 0 and large.size > 1 and (large == large[0]).all()
        smooth = all(
            (_steepness(wide[members]) < limits.BROAD_STEEPNESS * _area(wide[members])).all()
            for members in shared
        )
        if not (agree and smooth):
            return silent
    small |= silent
    return small


def _after_spike(at: Ints, spikes: Ints) -> Bools:
    """Which beats have a pacing spike where it would make them."""
    first, last = (round(by * _HALF_HZ) for by in limits.SPIKE_BEFORE_S)
    reached = np.searchsorted(spikes // 2, np.stack([at - last, at - first + 1]))
    return np.asarray(reached[1] > reached[0])


def _largest(power: Floats) -> Doubles:
    """Root of the largest mean over `SPAN` samples: ``(beats, samples)`` to ``(beats,)``."""
    sums = np.zeros((power.shape[0], power.shape[1] + 1))
    np.cumsum(power, axis=1, out=sums[:, 1:])
    return np.asarray(np.sqrt(np.maximum((sums[:, SPAN:] - sums[:, :-SPAN]).max(axis=1), 1e-12) / SPAN))


def _energy(wide: Floats) -> Doubles:
    """Size of each beat in the band of the QRS."""
    if (fast := kernels.of(wide)) is not None:
        size: Doubles = fast.beats.energies(wide)
        return size
    smooth = wide[:, :, 1:] + wide[:, :, :-1]
    bend = smooth[:, :, BAND:-BAND] * np.float32(2)
    bend -= smooth[:, :, : -2 * BAND]
    bend -= smooth[:, :, 2 * BAND :]
    return _largest(np.einsum("bls,bls->bs", bend, bend))


def _steepness(wide: Floats) -> Doubles:
    """How fast each beat's vector moves, over 16 ms."""
    if (fast := kernels.of(wide)) is not None:
        size: Doubles = fast.beats.speeds(wide)
        return size
    inner = wide[:, :, 6:-6]
    speed = inner[:, :, 4:] - inner[:, :, :-4]
    return _largest(np.einsum("bls,bls->bs", speed, speed))


def _shape(wide: Floats) -> Floats:
    """The middle of each window, without its mean."""
    inner = wide[:, :, MARGIN:-MARGIN]
    shape: Floats = inner - (inner.sum(axis=2) * np.float32(1 / inner.shape[2]))[:, :, None]
    return shape


def _area(wide: Floats) -> Doubles:
    """Size of each beat, slow waves included."""
    if (fast := kernels.of(wide)) is not None:
        size: Doubles = fast.beats.areas(wide)
        return size
    shape = _shape(wide)
    return np.asarray(np.sqrt(np.einsum("bls,bls->b", shape, shape) / shape.shape[2] + 1e-12))


def _likeness(wide: Floats, shape: Floats) -> Doubles:
    """Correlation of each window with its own shape ``(beats, leads, samples)``, at the best lag."""
    best = np.full(wide.shape[0], -1.0)
    size = shape.shape[2]
    own = np.sqrt(np.einsum("bls,bls->b", shape, shape)) + 1e-12
    for lag in range(0, 2 * MARGIN + 1, 2):
        part = wide[:, :, lag : lag + size]
        part = part - (part.sum(axis=2) * np.float32(1 / size))[:, :, None]
        norm = np.sqrt(np.einsum("bls,bls->b", part, part)) + 1e-12
        np.maximum(best, np.einsum("bls,bls->b", part, shape) / (own * norm), out=best)
    return best
