"""P of a fast beat: the second hump between two QRS, behind that of T.

The learned delineator knows few rhythms beyond 110/min and gives P away to T there. While T and P are two humps of the
vector they can be told apart by the valley between them. Waves of fibrillation and dissociated P waves leave no hump
in a median beat; a single hump is T.
"""

from typing import Final, NamedTuple

import numpy as np

from greenchannel.signal import limits
from greenchannel.signal.grid import Bools, Floats

_RATE: Final = limits.ANALYSIS_RATE_HZ
_SMOOTH: Final = round(0.016 * _RATE)
_APART: Final = round(limits.P_HUMP_APART_S * _RATE)


class Hump(NamedTuple):
    """A P wave, in samples of the median beat."""

    on: int
    peak: int
    off: int


def fast_p(beat_mv: Floats, speak: Bools, witness: int | None, on: int, off: int, rr_s: float) -> Hump | None:
    """The P wave before a QRS, common to all leads; None where no hump is certainly P.

    Parameters
    ----------
    beat_mv : float32 array ``(leads, samples)``
    speak : array ``(leads,)``, usable leads with information of their own
    witness : row of II, where a conducted P is positive; None where there is none
    on, off : the QRS
    rr_s : median RR interval
    """
    begin = max(round(on - rr_s * _RATE) + (off - on) + round(limits.P_BEHIND_J_S * _RATE), 0)
    if witness is None or not speak.any() or on - begin < limits.P_LEAST_S * _RATE:
        return None
    size = _magnitude(beat_mv[speak, begin:on])
    n = size.size  # sample k is the middle of those from begin + k on
    low = max(n - round(limits.P_PEAK_S[1] * _RATE), 0)
    near = np.arange(low, n - round(limits.P_PEAK_S[0] * _RATE))  # some: there is room for T and P
    reach = _APART // 2
    padded = np.pad(size, reach, constant_values=-1.0)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)[near].max(axis=1)
    peaks = near[(size[near] >= around) & (size[near] >= limits.P_LEAST_MV)]
    if peaks.size == 0:
        return None
    peak = int(peaks[-1])
    left = max(peak - round(limits.P_LONGEST_S * _RATE), 0)
    valley = left + int(size[left : peak + 1].argmin())
    height, floor = float(size[peak]), float(size[valley])
    if floor > limits.P_VALLEY * height or valley <= _APART:
        return None
    t = int(size[:valley].argmax())
    if t < _APART // 2 or size[t] < floor + limits.T_HUMP * height:
        return None  # one hump alone is T
    # The valley itself is below the foot, and so is the end, whose size is 0.
    rising = np.flatnonzero(size[valley:peak] < floor + limits.P_FOOT * (height - floor))
    falling = np.flatnonzero(size[peak:] < limits.P_FOOT * 2 * height)
    half = begin + _SMOOTH // 2
    found = Hump(half + valley + int(rising[-1]), half + peak, half + peak + int(falling[0]))
    lead = beat_mv[witness]
    chord = np.interp(found.peak, (found.on, found.off), (lead[found.on], lead[found.off]))
    return found if lead[found.peak] - chord >= limits.MIN_WAVE_MV else None


def _magnitude(rows: Floats) -> Floats:
    """Size of the vector above the level just before the QRS, smoothed over 16 ms: root mean square of the leads."""
    sums = np.cumsum(rows, axis=1, dtype=np.float64)
    smooth = (sums[:, _SMOOTH:] - sums[:, :-_SMOOTH]) / _SMOOTH
    smooth -= smooth[:, -1:]
    made: Floats = np.sqrt(np.einsum("ls,ls->s", smooth, smooth) / rows.shape[0])
    return made
