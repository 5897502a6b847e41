"""The chain: recordings in, their `Measurements` out. Never an exception, and equal bits for equal input.

One code for one recording and for thousands: what gains from company (the delineator) is stacked, the rest is done for
each, so that a recording is answered the same, to the bit, alone or among others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import delineator, kernels, limits, monitor_mode, quality
from greenchannel.signal.assembly import assemble, unmeasured
from greenchannel.signal.cases import Case, Found, Known
from greenchannel.signal.delineation import waves_of_all
from greenchannel.signal.grid import Bools, Floats
from greenchannel.signal.measurements import Measurements
from greenchannel.signal.median import choose, median_beat
from greenchannel.signal.recording import Recording
from greenchannel.signal.strip import Strip, condition

_RATE: Final = limits.ANALYSIS_RATE_HZ
_AT_ONCE: Final = 32
"""Recordings that go through the chain together; more gain nothing and take memory."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Medians:
    """The median beats of a strip, one for each class that has one."""

    numbers: tuple[int, ...]
    beats_mv: Floats  # (classes, leads, samples)
    stack_mv: Floats  # of class 0: (beats, leads, samples)
    rr_s: float


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Started:
    """A recording half way through the chain."""

    recording: Recording
    reasons: quality.LeadReasons
    codes: list[str]
    monitor: monitor_mode.MonitorEvidence | None
    strip: Strip | None
    medians: _Medians | None
    known: Known | None = None


def measure(recording: Recording) -> Measurements:
    """Measure a recording: quality, beats, rhythm, intervals and the amplitudes of every lead.

    Parameters
    ----------
    recording : any valid recording

    Returns
    -------
    Measurements
        What could not be measured is None; why, the quality messages say.
    """
    return measure_batch((recording,))[0]


def measure_batch(recordings: Sequence[Recording]) -> list[Measurements]:
    """Measure many recordings of any leads, rates and lengths; the same as `measure` of each."""
    done: list[Measurements] = []
    for first in range(0, len(recordings), _AT_ONCE):
        started = [_start(recording) for recording in recordings[first : first + _AT_ONCE]]
        done += _finish(started, _delineated(started))
    return done


def measure_known(
    recording: Recording,
    *,
    on_grid: tuple[Floats, Bools | None] | None = None,
    known: Known | None = None,
) -> Measurements:
    """As `measure`, where a part of the answer is known already, as of a running stream.

    Parameters
    ----------
    recording : any valid recording
    on_grid : what `grid.to_analysis_grid` gives of it
    known : what an earlier look at the same patient, cables and device told; it is not looked for again
    """
    started = (_start(recording, on_grid, known),)
    return _finish(started, _delineated(started))[0]


def _start(
    recording: Recording,
    on_grid: tuple[Floats, Bools | None] | None = None,
    known: Known | None = None,
) -> _Started:
    """Everything up to the median beats."""
    reasons = quality.LeadReasons(recording.leads)
    codes: list[str] = []
    if recording.duration_s < limits.MIN_DURATION_S:
        codes.append("too_short")
    elif recording.rate_hz < limits.MIN_RATE_HZ:
        codes.append("low_rate")
    quality.look_at_samples(recording.samples_mv, recording.rate_hz, reasons)
    if codes:
        return _Started(
            recording=recording, reasons=reasons, codes=codes, monitor=None, strip=None, medians=None
        )
    strip = condition(recording, reasons, on_grid)
    if known is not None:
        monitor = known.monitor
    else:
        monitor = monitor_mode.looks_monitored(recording.samples_mv, recording.rate_hz, reasons.usable)
    medians = _medians(strip, reasons) if strip.classes.r.size else None
    return _Started(
        recording=recording,
        reasons=reasons,
        codes=codes,
        monitor=monitor,
        strip=strip,
        medians=medians,
        known=known,
    )


def _medians(strip: Strip, reasons: quality.LeadReasons) -> _Medians | None:
    """Median beat of every class, the dominant one first; None where not even that has one."""
    classes, n = strip.classes, strip.samples_mv.shape[1]
    rr = np.sort(classes.r[1:] - classes.r[:-1]) / _RATE
    rr_s = float(rr[rr.size // 2]) if rr.size else float("nan")
    reach = int(min(0.5, 0.6 * rr_s) * _RATE) if rr.size else int(0.5 * _RATE)
    numbers, beats, stacks, unseen = [], [], [], np.zeros(1, dtype=np.bool_)
    for number in range(int(classes.label.max()) + 1):
        chosen = choose(classes, number, n, reach, strip.valid)
        if not chosen.any():
            continue
        median, stack = median_beat(strip.samples_mv, classes, chosen)
        numbers.append(number)
        beats.append(median)
        stacks.append(stack)
        if number == 0:
            unseen = np.logical_not(chosen.any(axis=0))  # of every lead, or one for all
    if not numbers or numbers[0] != 0:
        return None
    reasons.add("lead_missing", unseen)
    return _Medians(numbers=tuple(numbers), beats_mv=np.array(beats), stack_mv=stacks[0], rr_s=rr_s)


def _delineated(started: Sequence[_Started]) -> list[NDArray[np.float64] | None]:
    """Each lead's own borders, ``(classes, leads, 8)`` for each recording, stacked by the number of leads."""
    found: list[NDArray[np.float64] | None] = [None] * len(started)
    by_leads: dict[int, list[int]] = {}
    for i, one in enumerate(started):
        if one.medians is not None:
            by_leads.setdefault(one.medians.beats_mv.shape[1], []).append(i)
    for members in by_leads.values():
        medians = [m for i in members if (m := started[i].medians) is not None]
        rr_s = [m.rr_s for m in medians for _ in m.numbers]
        beats = medians[0].beats_mv if len(medians) == 1 else np.concatenate([m.beats_mv for m in medians])
        samples = delineator.delineate(beats, rr_s).samples
        first = 0
        for i, m in zip(members, medians, strict=True):
            found[i] = samples[first : first + len(m.numbers)]
            first += len(m.numbers)
    return found


def _finish(started: Sequence[_Started], borders: Sequence[NDArray[np.float64] | None]) -> list[Measurements]:
    """From the borders of each lead to the measurements, recordings of equally many leads together."""
    done: dict[int, Measurements] = {}
    by_leads: dict[int, list[int]] = {}
    for i, one in enumerate(started):
        if one.medians is None:
            done[i] = _without(one)
        else:
            by_leads.setdefault(len(one.recording.leads), []).append(i)
    for members in by_leads.values():
        cases = _cases([started[i] for i in members], [b for i in members if (b := borders[i]) is not None])
        done |= {i: _without(started[i]) for i, case in zip(members, cases, strict=True) if case is None}
        there = [i for i, case in zip(members, cases, strict=True) if case is not None]
        done |= zip(there, assemble([case for case in cases if case is not None]), strict=True)
    return [done[i] for i in range(len(started))]


def _without(one: _Started) -> Measurements:
    """What can be said of a recording without borders."""
    st_reliable, codes = _reliable(one)
    return unmeasured(one.recording, one.strip, one.reasons, codes, st_reliable, one.monitor)


def _reliable(one: _Started) -> tuple[bool, list[str]]:
    """Is its ST reliable, and the codes of the record."""
    recording = one.recording
    slow, monitored = recording.rate_hz < limits.ST_MIN_RATE_HZ, _for_monitoring(recording, one.monitor)
    codes = [*one.codes, *(["low_rate_st"] if slow else []), *(["monitor_mode"] if monitored else [])]
    return not (slow or monitored), codes


def _cases(started: Sequence[_Started], borders: Sequence[NDArray[np.float64]]) -> list[Case | None]:
    """Recordings with the borders of their beats; None where the dominant beat has none."""
    both = [
        (one, one.strip, one.medians) for one in started if one.strip is not None and one.medians is not None
    ]
    found = iter(
        waves_of_all(
            np.concatenate([medians.beats_mv for _, _, medians in both]),
            np.concatenate(borders),
            [one.recording.leads for one, _, medians in both for _ in medians.numbers],
            np.array([one.reasons.usable for one, _, medians in both for _ in medians.numbers]),
            [medians.rr_s for _, _, medians in both for _ in medians.numbers],
        )
    )
    cases: list[Case | None] = []
    for one, strip, medians in both:
        beats = zip(medians.numbers, medians.beats_mv, found, strict=False)  # `found` goes on
        classes = {
            number: Found(beat_mv=beat, waves=waves) for number, beat, waves in beats if waves is not None
        }
        st_reliable, codes = _reliable(one)
        cases.append(
            Case(
                recording=one.recording, strip=strip, reasons=one.reasons, codes=codes, found=classes,
                stack_mv=medians.stack_mv, rr_s=medians.rr_s, st_reliable=st_reliable, monitor=one.monitor,
                known=one.known,
            ) if 0 in classes else None
        )  # fmt: skip
    return cases


def _for_monitoring(recording: Recording, monitor: monitor_mode.MonitorEvidence | None) -> bool:
    """Was it filtered as monitors do (SIG-1), by what the device says or by the samples?"""
    if monitor is not None and monitor.monitored:
        return True
    low_hz, high_hz = recording.low_cut_hz, recording.high_cut_hz
    if high_hz is not None and high_hz <= limits.MONITOR_HIGH_CUT_HZ:
        return True
    if low_hz is None or low_hz < limits.MONITOR_LOW_CUT_HZ:
        return False
    diagnostic = high_hz is not None and high_hz >= limits.DIAGNOSTIC_HIGH_CUT_HZ
    return not diagnostic or low_hz > limits.ZERO_PHASE_LOW_CUT_HZ


kernels.as_told()
