"""From median beats and their borders to `Measurements`."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import arrhythmia, beatwise, intervals, limits, quality, reversal
from greenchannel.signal.amplitudes import amplitudes, baseline
from greenchannel.signal.delineation import Waves
from greenchannel.signal.delineator import PRE
from greenchannel.signal.grid import Floats
from greenchannel.signal.measurements import (
    GlobalBeat,
    LeadBeat,
    LeadMeasurement,
    Measurements,
    MedianBeat,
    Rows,
)
from greenchannel.signal.monitor_mode import MonitorEvidence
from greenchannel.signal.recording import Recording
from greenchannel.signal.reversal import Reversal
from greenchannel.signal.strip import Strip

_RATE: Final = limits.ANALYSIS_RATE_HZ
_MS: Final = 1000 / _RATE
_FLAGS: Final = frozenset({"usable", "j_slur", "t_low_last", "p_low_last"})
_FIELDS: Final = LeadMeasurement._fields[1:]

Doubles = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Found:
    """Median beat of one class and its borders."""

    beat_mv: Floats
    waves: Waves


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Known:
    """What does not change from second to second of a running stream, as it was last seen."""

    monitor: MonitorEvidence | None
    reversal: Reversal | None


def assemble(
    recording: Recording,
    strip: Strip,
    reasons: quality.LeadReasons,
    codes: list[str],
    found: Mapping[int, Found],
    *,
    stack_mv: Floats,
    rr_s: float,
    st_reliable: bool,
    monitor: MonitorEvidence | None,
    known: Known | None = None,
) -> Measurements:
    """All measurements of a strip whose dominant beat has borders.

    Parameters
    ----------
    found : the classes that have borders, class 0 among them
    stack_mv : array ``(beats, leads, samples)``, the beats of class 0
    rr_s : median RR interval; NaN where there is none
    known : None where the leads are still to be looked at for a swap
    """
    main, classes, leads = found[0].waves, strip.classes, recording.leads
    beat = found[0].beat_mv - baseline(found[0].beat_mv, main.qrs_on)[:, None]
    t_end = main.qrs_off + 0.2 * _RATE if math.isnan(main.t_off) else main.t_off
    quality.look_at_beats(stack_mv, beat, slice(max(main.qrs_on - 10, 0), int(t_end)), reasons)
    fault = quality.limb_contradiction(strip.samples_mv, strip.valid, reasons)
    if fault:
        reasons.add("einthoven_lead", np.array([name == fault for name in leads]))
    elif fault == "":
        codes = [*codes, "einthoven"]
    if np.count_nonzero(classes.label == 0) < limits.MIN_MEDIAN_BEATS:
        codes = [*codes, "few_beats"]
    values = amplitudes(beat, main.borders, rr_s)
    rhythm = _rhythm(strip, leads, reasons, found, values, _ms(main.qrs_on - main.p_on))
    if rhythm.name == "ventricular_fibrillation":
        # There are no beats: whatever was measured on them is nothing.
        return unmeasured(recording, strip, reasons, codes, st_reliable, monitor, rhythm)
    if rhythm.name in arrhythmia.WITHOUT_P and not math.isnan(main.p_on):
        # What was taken for P are waves of the rhythm itself.
        found = {k: Found(beat_mv=f.beat_mv, waves=f.waves.without_p) for k, f in found.items()}
        main = found[0].waves
        values = amplitudes(beat, main.borders, rr_s)
    reasons.add("baseline_disagree", np.abs(values["baseline_tp_mv"]) > limits.BASELINE_DISAGREE_MV)
    swapped = known.reversal if known is not None else _reversal(leads, beat, main, reasons)
    areas = dict(zip(leads, values["qrs_area_mv_ms"].tolist(), strict=True))
    usable = {name for name, good in zip(leads, reasons.usable.tolist(), strict=True) if good}
    rr = None if math.isnan(rr_s) else rr_s
    qt_ms, pr_ms = (
        _within(_ms(last - first), rr)
        for first, last in ((main.qrs_on, main.t_off), (main.p_on, main.qrs_on))
    )
    corrected = intervals.corrected_qt(qt_ms, rr) if qt_ms is not None and rr else None
    qrs_ms = (main.qrs_off - main.qrs_on) * _MS
    beat.flags.writeable = False
    return Measurements(
        leads=_lead_table(leads, values, reasons),
        heart_rate_bpm=intervals.heart_rate_bpm(classes.r),
        pr_ms=pr_ms,
        qrs_ms=qrs_ms,
        qt_ms=qt_ms,
        qtc_bazett_ms=corrected.bazett_ms if corrected else None,
        qtc_fridericia_ms=corrected.fridericia_ms if corrected else None,
        qtc_framingham_ms=corrected.framingham_ms if corrected else None,
        qtc_hodges_ms=corrected.hodges_ms if corrected else None,
        qtm_ms=intervals.modified_qt(qt_ms, qrs_ms),
        axis_deg=intervals.frontal_axis_deg(areas, usable),
        p_axis_deg=_axis(leads, values["p_area_mv_ms"], usable),
        t_axis_deg=_axis(leads, values["t_area_mv_ms"], usable),
        p_ms=_ms(main.p_off - main.p_on),
        rhythm=rhythm.name,
        rhythm_detail=rhythm,
        r_s=tuple((classes.r / _RATE).tolist()),
        beats=_global_beats(strip, found),
        lead_beats=_lead_beats(leads, strip, found, reasons),
        beat_class=tuple(classes.label.tolist()),
        class_qrs_ms=_class_qrs(found, int(classes.label.max()) + 1),
        pace_spikes_s=tuple((strip.spikes / _RATE).tolist()),
        quality=quality.judge(reasons, codes, st_reliable, swapped),
        monitor=monitor,
        reversal_detail=swapped,
        median=MedianBeat(
            rate_hz=_RATE,
            samples_mv=beat,
            qrs_on_s=main.qrs_on / _RATE,
            qrs_off_s=main.qrs_off / _RATE,
        ),
    )


def _ms(samples: float) -> float | None:
    return None if math.isnan(samples) else samples * _MS


def _within(interval_ms: float | None, rr_s: float | None) -> float | None:
    """An interval, unknown where it is as long as a whole beat: then it belongs to two."""
    return None if interval_ms is None or (rr_s is not None and interval_ms >= rr_s * 1000) else interval_ms


def _axis(leads: tuple[str, ...], areas: Doubles, usable: set[str]) -> float | None:
    known = {name: area for name, area in zip(leads, areas.tolist(), strict=True) if not math.isnan(area)}
    return intervals.frontal_axis_deg(known, usable & known.keys())


def _reversal(
    leads: tuple[str, ...], beat: Floats, main: Waves, reasons: quality.LeadReasons
) -> reversal.Reversal | None:
    p = None if math.isnan(main.p_on) else (main.p_on, main.p_off)
    t_off = None if math.isnan(main.t_off) else main.t_off
    return reversal.find(
        leads, beat, p=p, qrs=(main.qrs_on, main.qrs_off), t_off=t_off, usable=reasons.usable
    )


def _rhythm(
    strip: Strip,
    leads: tuple[str, ...],
    reasons: quality.LeadReasons,
    found: Mapping[int, Found],
    values: Mapping[str, Doubles],
    pr_ms: float | None,
) -> arrhythmia.Rhythm:
    upright = next(
        (name for name in ("II", "I") if name in leads and reasons.usable[leads.index(name)]), None
    )
    witness = values["p_mv"][leads.index(upright)] if upright is not None else np.nan
    main = found[0].waves
    return arrhythmia.measure_rhythm(
        r_s=strip.classes.r / _RATE,
        label=strip.classes.label,
        qrs_ms={k: (f.waves.qrs_off - f.waves.qrs_on) * _MS for k, f in found.items()},
        slow_mv=strip.slow_mv,
        leads=leads,
        usable=reasons.usable,
        duration_s=strip.samples_mv.shape[1] / _RATE,
        pr_ms=np.nan if pr_ms is None else pr_ms,
        p_upright=bool(witness > 0),
        spikes_s=tuple((strip.spikes / _RATE).tolist()),
        onset_s=(PRE - main.qrs_on) / _RATE,
    )


def _lead_table(
    leads: tuple[str, ...], values: Mapping[str, Doubles], reasons: quality.LeadReasons
) -> dict[str, LeadMeasurement]:
    """The record of each lead; a lead without amplitudes has none of them."""
    table = np.array([values[name] for name in _FIELDS]).T.tolist()
    flags = [k for k, name in enumerate(_FIELDS) if name in _FLAGS]
    result = {}
    both = zip(leads, table, reasons.usable.tolist(), reasons.measurable.tolist(), strict=True)
    for name, row, usable, measurable in both:
        if not measurable:
            result[name] = LeadMeasurement(usable=False)
            continue
        known: list[Any] = [None if math.isnan(value) else value for value in row]
        for k in flags:
            known[k] = bool(row[k])
        result[name] = LeadMeasurement(usable, *known)
    return result


def _placed(borders: Doubles, strip: Strip, number: int, table: Doubles) -> None:
    """Write borders of a class's median beat, shape ``(borders,)``, into the rows of its beats, in samples."""
    members = np.flatnonzero(strip.classes.label == number)
    table[members] = strip.classes.r[members, None] + (borders - PRE)


def _in_seconds(table: Doubles, strip: Strip) -> Doubles:
    """Samples as seconds; what lies outside of the strip is unknown."""
    table[(table < 0) | (table >= strip.samples_mv.shape[1])] = np.nan
    table /= _RATE
    return table


def _global_beats(strip: Strip, found: Mapping[int, Found]) -> Rows[GlobalBeat]:
    """Borders of every beat: those of its class, placed at its R; None for a beat of no class."""
    table = np.full((strip.classes.r.size, 6), np.nan)
    for number, one in found.items():
        w = one.waves
        # QT is a matter of T's tangent in the median lead, so T has no onset here.
        borders = np.array([w.p_on, w.p_off, w.qrs_on, w.qrs_off, w.t_peak, w.t_off])
        _placed(borders, strip, number, table)
    return Rows(GlobalBeat, _in_seconds(table, strip))


def _lead_beats(
    leads: tuple[str, ...], strip: Strip, found: Mapping[int, Found], reasons: quality.LeadReasons
) -> dict[str, Rows[LeadBeat]]:
    """Borders of every beat in every lead: from the lead's own median beat of that class, then from the beat."""
    count = len(leads)
    table = np.full((strip.classes.r.size, count * 8), np.nan)
    height_mv = np.zeros((strip.classes.r.size, count, 2), dtype=np.float32)
    for number, one in found.items():
        own = np.where(reasons.measurable[:, None], one.waves.lead, np.nan)
        _placed(own.ravel(), strip, number, table)
        height_mv[strip.classes.label == number] = beatwise.heights(one.beat_mv, own)
    at = beatwise.refine(strip.samples_mv, strip.valid, table.reshape(-1, count, 8), height_mv)
    table = _in_seconds(at.reshape(table.shape), strip)
    return {name: Rows(LeadBeat, table[:, 8 * i : 8 * i + 8]) for i, name in enumerate(leads)}


def _class_qrs(found: Mapping[int, Found], count: int) -> tuple[float | None, ...]:
    return tuple(
        (found[k].waves.qrs_off - found[k].waves.qrs_on) * _MS if k in found else None for k in range(count)
    )


def unmeasured(
    recording: Recording,
    strip: Strip | None,
    reasons: quality.LeadReasons,
    codes: list[str],
    st_reliable: bool,
    monitor: MonitorEvidence | None,
    rhythm: arrhythmia.Rhythm | None = None,
) -> Measurements:
    """What is said of a recording that cannot be measured: why, and the rate and rhythm where there is one."""
    r = np.zeros(0, dtype=np.int64)
    if strip is not None:
        r = strip.classes.r
        codes = [*codes, "no_borders" if r.size else "no_qrs"]
        rhythm = rhythm or arrhythmia.measure_rhythm(
            r_s=r / _RATE,
            label=strip.classes.label,
            qrs_ms={},
            slow_mv=strip.slow_mv,
            leads=recording.leads,
            usable=reasons.usable,
            duration_s=recording.duration_s,
            spikes_s=tuple((strip.spikes / _RATE).tolist()),
        )
    chaos = rhythm is not None and rhythm.name == "ventricular_fibrillation"
    return Measurements(
        leads={name: LeadMeasurement(usable=False) for name in reasons.leads},
        heart_rate_bpm=None if chaos else intervals.heart_rate_bpm(r),
        pr_ms=None,
        qrs_ms=None,
        qt_ms=None,
        qtc_bazett_ms=None,
        qtc_fridericia_ms=None,
        qtc_framingham_ms=None,
        qtc_hodges_ms=None,
        axis_deg=None,
        rhythm="unknown" if rhythm is None else rhythm.name,
        rhythm_detail=rhythm,
        r_s=tuple((r / _RATE).tolist()),
        beats=Rows(GlobalBeat, np.full((r.size, 6), np.nan)),
        lead_beats={name: Rows(LeadBeat, np.full((r.size, 8), np.nan)) for name in reasons.leads},
        quality=quality.judge(reasons, codes, st_reliable),
        median=None,
        monitor=monitor,
    )
