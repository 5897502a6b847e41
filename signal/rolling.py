"""Rolling readings of a running stream: samples in as they come, the newest ten seconds measured when asked.

The state is a value: `push` and `read` give a new one and leave the old as it was. All in it lies on a grid of whole
seconds counted from the stream's first sample, so that no border of a packet can be seen in a reading. What is done
once for each second is its resampling, with the samples before and behind it; the window's last second alone is
resampled with nothing behind it, whether or not more has come. Which filters the device has, and whether cables are
swapped, is looked at again every few seconds; everything else of a reading is a matter of the window as a whole.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import limits, qrs
from greenchannel.signal.cases import Known
from greenchannel.signal.grid import Bools, Floats, reach, resample
from greenchannel.signal.measure import measure_known
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.recording import Recording
from greenchannel.signal.standing import WINDOW_S as WINDOW_STANDING_S
from greenchannel.signal.standing import Standing, slow, stand_on

FIRST_S: Final = 5  # a shorter strip says too little [E]
WINDOW_S: Final = 10  # as long as the strip of a file [O]
REACH_S: Final = WINDOW_S + 1
"""What a state keeps: the window, and one second before it for the filter."""

KNOWN_S: Final = 5  # filters and cables that were seen for certain are not looked at for so long [E]
SURE: Final = 5.0
"""Logit of the monitor rule from which its answer is kept; of two halves of one strip it differs by less. [E]

On LUDB below number 100: by 0.5 in the median, 4.9 at most.
"""

_RATE: Final = round(limits.ANALYSIS_RATE_HZ)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Second:
    """One whole second of the stream; its arrays are read-only."""

    samples_mv: Floats  # as they came
    whole: bool  # every sample was recorded
    grid_mv: Floats | None = (
        None  # at 500 Hz; None while what follows has not come, and where it is of no use
    )


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Rolling:
    """What is kept of a stream; its size has a bound, however long the stream is."""

    leads: tuple[str, ...]
    rate_hz: float
    came: int
    """Samples of the stream up to now: the index of the next one."""
    first_s: int
    """The stream's second that `seconds` begins with."""
    seconds: tuple[_Second, ...]
    rest_mv: Floats
    """Shape ``(leads, samples)``: what came of the second that is not whole yet."""
    known: Known | None = None
    known_s: int = 0
    """Up to which second the window reached that `known` was seen in."""

    @property
    def until_s(self) -> int:
        """Whole seconds of the stream that have come: where the window of a reading ends."""
        return self.first_s + len(self.seconds)


def start(leads: tuple[str, ...], rate_hz: float, *, at_s: int = 0) -> Rolling:
    """The state of a stream from its second `at_s` on, with no sample yet.

    A state that began later gives the same readings as an older one once it holds `REACH_S` seconds.

    Parameters
    ----------
    leads : wire names
    rate_hz : samples per second, above 0
    at_s : the first sample to be pushed is sample ``edge(at_s, rate_hz)`` of the stream
    """
    rest = np.zeros((len(leads), 0), dtype=np.float32)
    came = edge(at_s, rate_hz)
    return Rolling(leads=leads, rate_hz=rate_hz, came=came, first_s=at_s, seconds=(), rest_mv=rest)


def edge(second: int, rate_hz: float) -> int:
    """First sample of a stream's second."""
    return round(second * rate_hz)


def whole_seconds(samples: int, rate_hz: float) -> int:
    """How many seconds of a stream are complete once it has so many samples."""
    second = int((samples + 0.5) / rate_hz)
    while edge(second, rate_hz) > samples:
        second -= 1
    return second


def push(state: Rolling, samples_mv: NDArray[np.floating]) -> Rolling:
    """The state after more samples; the array is copied.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)``
        The samples that follow those that came. NaN: not recorded.

    Raises
    ------
    ValueError
        Where there are not as many rows as leads.
    """
    with np.errstate(over="ignore"):
        x = np.asarray(samples_mv, dtype=np.float32)
    if x.ndim != 2 or x.shape[0] != len(state.leads):
        raise ValueError(f"expected samples of {len(state.leads)} leads, got an array of shape {x.shape}")
    come = state.came + x.shape[1]
    before, until = state.until_s, whole_seconds(come, state.rate_hz)
    new = np.concatenate([state.rest_mv, x], axis=1)
    origin = state.came - state.rest_mv.shape[1]
    cut = [edge(s, state.rate_hz) - origin for s in range(max(before, until - REACH_S), until + 1)]
    seconds = list(state.seconds)
    for first, stop in pairwise(cut):
        seconds.append(_second(new[:, first:stop]))
    rest = _own(new[:, edge(until, state.rate_hz) - origin :])
    seconds = seconds[-REACH_S:]
    if _resamples(state.rate_hz):
        _complete(seconds, rest, state.rate_hz)
    return replace(state, came=come, first_s=until - len(seconds), seconds=tuple(seconds), rest_mv=rest)


def read(state: Rolling) -> tuple[Measurements | None, Rolling]:
    """Measure the newest window: `WINDOW_S` whole seconds, or what there is from `FIRST_S` on.

    At 500 Hz it is measured as a recording of just these samples, to the bit; at other rates its samples differ within
    the filter's reach of its beginning, where the window's past is known and a recording's is not. Evidence of filters
    and of swapped leads may be that of a window up to `KNOWN_S` older.

    Returns
    -------
    measurements
        Instants in seconds from the window's begin. None: it is too short, or holds no sample at all.
    state
        For the next `push`; `state` itself stays valid.
    """
    window = state.seconds[-WINDOW_S:]
    if len(window) < FIRST_S:
        return None, state
    samples_mv = np.concatenate([one.samples_mv for one in window], axis=1)
    if samples_mv.size == 0 or not (window[-1].whole or np.isfinite(samples_mv).any()):
        return None, state
    recording = Recording(samples_mv=samples_mv, leads=state.leads, rate_hz=state.rate_hz)
    known = state.known if state.until_s - state.known_s < KNOWN_S else None
    measured = measure_known(recording, on_grid=_on_grid(state, window), known=known)
    if known is None:
        known = _sure(measured) if len(window) == WINDOW_S else None
        state = replace(state, known=known, known_s=state.until_s)
    return measured, state


def standing(state: Rolling, measured: Measurements) -> Standing | None:
    """What a reading of this state says to later seconds; None where they must be read themselves."""
    if state.rate_hz < qrs.RATE_HZ:
        return None
    newest = np.concatenate([one.samples_mv for one in state.seconds[-FIRST_S:]], axis=1)
    last = newest[:, newest.shape[1] - round(WINDOW_STANDING_S * state.rate_hz) :]
    seconds = min(len(state.seconds), WINDOW_S)
    return stand_on(measured, slow(last, state.rate_hz), float(seconds))


def _sure(measured: Measurements) -> Known | None:
    """What need not be looked at again at once; None where the samples left a doubt."""
    margin = None if measured.monitor is None else measured.monitor.margin
    if measured.median is None or margin is None or abs(margin) < SURE:
        return None
    return Known(monitor=measured.monitor, reversal=measured.reversal_detail)


# ---------------------------------------------------------------- the grid of 500 Hz


def _resamples(rate_hz: float) -> bool:
    """Are whole seconds resampled one by one? Not where they do not begin with a sample."""
    return rate_hz != _RATE and rate_hz.is_integer()


def _on_grid(state: Rolling, window: tuple[_Second, ...]) -> tuple[Floats, Bools | None] | None:
    """The window at 500 Hz; None where it must be made anew: at 500 Hz, and where samples are missing."""
    if not _resamples(state.rate_hz) or not all(one.whole for one in window):
        return None
    parts = [one.grid_mv for one in window[:-1] if one.grid_mv is not None]
    if len(parts) < len(window) - 1:
        return None
    parts.append(_resampled(window[-2].samples_mv, window[-1].samples_mv, None, state.rate_hz))
    x = np.concatenate(parts, axis=1)
    x -= x[:, :: limits.OFFSET_STRIDE].mean(axis=1, dtype=np.float64, keepdims=True).astype(np.float32)
    return x, None


def _complete(seconds: list[_Second], rest: Floats, rate_hz: float) -> None:
    """Resample every second of the next window whose surroundings have come."""
    needed = reach(rate_hz, _RATE)
    for k in range(max(len(seconds) - WINDOW_S, 0), len(seconds)):
        one = seconds[k]
        behind = seconds[k + 1].samples_mv if k + 1 < len(seconds) else rest
        if one.grid_mv is not None or not one.whole or behind.shape[1] < needed:
            continue
        ahead = seconds[k - 1].samples_mv if k else None
        seconds[k] = replace(one, grid_mv=_resampled(ahead, one.samples_mv, behind, rate_hz))


def _resampled(ahead: Floats | None, x: Floats, behind: Floats | None, rate_hz: float) -> Floats:
    """One second at 500 Hz, continued by its own reflection where its neighbours are missing or have gaps."""
    needed = reach(rate_hz, _RATE)
    offset = x[:, :1]  # an electrode's offset would cost digits
    before = None if ahead is None else _beside(ahead[:, -needed:], needed, offset)
    after = None if behind is None else _beside(behind[:, :needed], needed, offset)
    return _own(resample(x - offset, rate_hz, _RATE, before=before, behind=after) + offset)


def _beside(x: Floats, needed: int, offset: Floats) -> Floats | None:
    return x - offset if x.shape[1] == needed and _recorded(x) else None


# ---------------------------------------------------------------- seconds


def _second(x: Floats) -> _Second:
    return _Second(samples_mv=_own(x), whole=_recorded(x))


def _recorded(x: Floats) -> bool:
    """Was every sample recorded, from a body?"""
    return bool((np.abs(x) <= limits.MAX_BODY_MV).all())


def _own(x: Floats) -> Floats:
    """A read-only copy."""
    y = np.array(x, dtype=np.float32, order="C")
    y.flags.writeable = False
    return y
