"""T wave alternans that the eye can see: every second T higher, in beats of one shape (CV-10)."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LEAST_BEATS: Final = 6  # neighbours of the dominant class [E]
LEVEL_S: Final = 0.012  # before the QRS onset lies the level from which T is measured [E]
_STEP: Final = 4  # from 500 Hz to 125 Hz, whose samples are means of four
_LEVEL: Final = round(LEVEL_S * 500.0)


def t_alternans_mv(
    slow_mv: Floats, r: Ints, label: Ints, usable: Bools, *, qrs_on: float, t_peak: float
) -> float | None:
    """How much every second T differs from its neighbours, in the second best lead; 0 where they do not take turns.

    Each T is compared with the mean of the one before and the one behind it, so that breathing and drift fall out; only
    differences whose sign changes with every beat are alternans.

    Parameters
    ----------
    slow_mv : array ``(leads, samples)`` at 125 Hz, without wander; not changed
    r, label : arrays ``(beats,)``, R in samples at 500 Hz and the class of each beat
    usable : array ``(leads,)``
    qrs_on, t_peak : of the dominant beat, in samples at 500 Hz from R; NaN where unknown

    Returns
    -------
    float or None
        mV; None where T is unknown, or fewer than six beats of the dominant shape follow each other.
    """
    if not math.isfinite(qrs_on + t_peak):
        return None
    first, last = _longest(label.tolist())
    level = (r[first:last] + (round(qrs_on) - _LEVEL)) // _STEP
    top = (r[first:last] + round(t_peak)) // _STEP
    whole = (level >= 0) & (top < slow_mv.shape[1])
    good = np.flatnonzero(usable)
    if np.count_nonzero(whole) < LEAST_BEATS or good.size == 0:
        return None
    if (fast := kernels.of(slow_mv)) is not None:
        size = np.sort(fast.waves.alternation(slow_mv, good, top[whole], level[whole]))
        return float(size[-min(2, size.size)])
    x = slow_mv if good.size == slow_mv.shape[0] else slow_mv[good]
    height = x[:, top[whole]] - x[:, level[whole]]
    apart = height[:, 1:-1] - 0.5 * (height[:, :-2] + height[:, 2:])
    turns = (apart[:, 1:] * apart[:, :-1] < 0.0).all(axis=1)
    if not turns.any():
        return 0.0
    size = np.sort(np.where(turns, np.abs(apart).min(axis=1), 0.0))
    return float(size[-min(2, size.size)])


def _longest(label: list[int]) -> tuple[int, int]:
    """The longest stretch of the dominant class: its first beat and the one behind it."""
    best, start = (0, 0), 0
    for i, kind in enumerate([*label, -1]):
        if kind != 0:
            if i - start > best[1] - best[0]:
                best = (start, i)
            start = i + 1
    return best
