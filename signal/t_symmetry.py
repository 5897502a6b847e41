"""How even the two sides of a T wave are: a usual T climbs slowly and falls fast, an ischaemic one does both alike."""

from typing import Final

import numpy as np

from greenchannel.signal.measurements import MedianBeat

_FROM_S: Final = 0.060  # behind the QRS no T has its crest sooner (as `LeadMeasurement.t_high_mv`) [E]
_BEYOND_S: Final = (
    0.060  # T of one lead ends no later than this behind QT, which is that of the median lead [E]
)
_CREST: Final = (
    0.9  # the crest lies midway where T reaches this share of its height: a flat top has no one peak [E]
)
_SIDE: Final = 0.5  # its sides are where it reaches this share [E]


def t_skew(median: MedianBeat, row: int, *, upright: bool, qt_ms: float | None) -> float | None:
    """The longer side of T over the shorter one, from the crest to half of its height: 1 is symmetric.

    Parameters
    ----------
    median : the dominant beat, mV, its baseline at 0
    row : of the lead
    upright : is T positive there? An inverted one is measured upside down
    qt_ms : where to stop looking; None: at the end of the beat

    Returns
    -------
    float or None
        1 or more; None where T does not come down to half its height on both sides.
    """
    on, off = round(median.qrs_on_s * median.rate_hz), round(median.qrs_off_s * median.rate_hz)
    first = off + round(_FROM_S * median.rate_hz)
    last = median.samples_mv.shape[1]
    if qt_ms is not None:
        last = min(last, on + round((qt_ms / 1000.0 + _BEYOND_S) * median.rate_hz))
    if first + 3 > last:
        return None
    y = median.samples_mv[row].astype(np.float64)
    if not upright:
        y = -y
    peak = first + int(y[first:last].argmax())
    height = float(y[peak])
    if not height > 0.0:
        return None
    # From J on: the near side of an ischaemic T may begin where ST does.
    near = [_crossing(y[off : peak + 1][::-1], share * height) for share in (_CREST, _SIDE)]
    far = [_crossing(y[peak:], share * height) for share in (_CREST, _SIDE)]
    if near[0] is None or near[1] is None or far[0] is None or far[1] is None:
        return None
    crest = (far[0] - near[0]) / 2.0  # behind the highest sample
    sides = (near[1] + crest, far[1] - crest)
    return max(sides) / min(sides)


def _crossing(y: np.ndarray[tuple[int], np.dtype[np.float64]], level: float) -> float | None:
    """How many samples from the first one until the level is passed downwards; between samples a straight line."""
    below = np.flatnonzero(y < level)
    if below.size == 0:
        return None
    at = int(below[0])
    return at - float((level - y[at]) / (y[at - 1] - y[at]))
