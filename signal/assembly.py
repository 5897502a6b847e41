"""From median beats and their borders to `Measurements`.

Recordings of equally many leads are measured together; each is answered as if it were alone, to the bit.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import alternans, arrhythmia, intervals, limits, p_train, quality, reversal
from greenchannel.signal.amplitudes import amplitudes, baseline
from greenchannel.signal.cases import Case, Found
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
from greenchannel.signal.placed import placed
from greenchannel.signal.recording import Recording
from greenchannel.signal.reversal import Reversal
from greenchannel.signal.silence import silence
from greenchannel.signal.strip import Strip

_RATE: Final = limits.ANALYSIS_RATE_HZ
_MS: Final = 1000 / _RATE
_FIELDS: Final = LeadMeasurement._fields[1:]
_FLAGS: Final = tuple(_FIELDS.index(name) for name in ("j_slur", "t_low_last", "p_low_last"))
_NO_BEATS: Final = "ventricular_fibrillation"
_ON_LEVEL: Final = ("stj_mv", "st20_mv", "st40_mv", "st60_mv", "st80_mv", "st_area_mv_ms", "jp_mv")
_AREAS: Final = tuple(_FIELDS.index(f"{wave}_area_mv_ms") for wave in ("qrs", "p", "t"))

Doubles = NDArray[np.float64]


def assemble(cases: Sequence[Case]) -> list[Measurements]:
    """All measurements of recordings of equally many leads."""
    if not cases:
        return []
    cases = list(cases)
    beats = np.array([case.found[0].beat_mv for case in cases])
    beats -= baseline(beats, [case.main.qrs_on for case in cases])[..., None]
    codes = [_looked_at(case, beat) for case, beat in zip(cases, beats, strict=True)]
    values = _amplitudes(cases, beats)
    rhythms = [_rhythm(case, p_mv) for case, p_mv in zip(cases, values["p_mv"], strict=True)]
    wrong = [
        k
        for k, rhythm in enumerate(rhythms)
        if arrhythmia.without_p(rhythm) and not math.isnan(cases[k].main.p_on)
    ]
    if wrong:
        for k in wrong:
            cases[k] = cases[k].without_p
        for name, anew in _amplitudes([cases[k] for k in wrong], beats[wrong]).items():
            values[name][wrong] = anew
    nowhere = [k for k, case in enumerate(cases) if not case.main.level_known]
    for name in _ON_LEVEL if nowhere else ():
        values[name][nowhere] = np.nan
    disagrees = np.abs(values["baseline_tp_mv"]) > limits.BASELINE_DISAGREE_MV
    for case, rhythm, disagree in zip(cases, rhythms, disagrees, strict=True):
        if rhythm.name != _NO_BEATS:
            case.reasons.add("baseline_disagree", disagree)
    table = np.array([values[name] for name in _FIELDS]).transpose(1, 2, 0)
    swapped = _reversals(cases, beats)
    return [_assembled(*one) for one in zip(cases, beats, codes, table, rhythms, swapped, strict=True)]


def _looked_at(case: Case, beat: Floats) -> list[str]:
    """The codes of the record, after a look at its beats and its limb leads."""
    main, codes, leads = case.main, case.codes, case.recording.leads
    t_end = main.qrs_off + 0.2 * _RATE if math.isnan(main.t_off) else main.t_off
    quality.look_at_beats(case.stack_mv, beat, slice(max(main.qrs_on - 10, 0), int(t_end)), case.reasons)
    fault = quality.limb_contradiction(case.strip.samples_mv, case.strip.valid, case.reasons)
    if fault:
        case.reasons.add("einthoven_lead", np.array([name == fault for name in leads]))
    elif fault == "":
        codes = [*codes, "einthoven"]
    if np.count_nonzero(case.strip.classes.label == 0) < limits.MIN_MEDIAN_BEATS:
        codes = [*codes, "few_beats"]
    if not main.level_sure:
        codes = [*codes, "baseline_uncertain"]
    return codes


def _amplitudes(cases: Sequence[Case], beats: Floats) -> dict[str, Doubles]:
    return amplitudes(beats, [case.main.borders for case in cases], [case.rr_s for case in cases])


def _assembled(
    case: Case,
    beat: Floats,
    codes: list[str],
    table: Doubles,
    rhythm: arrhythmia.Rhythm,
    swapped: Reversal | None,
) -> Measurements:
    """The measurements of one recording from the numbers of its leads, ``(leads, fields)``."""
    main, classes, leads, reasons = case.main, case.strip.classes, case.recording.leads, case.reasons
    if rhythm.name == _NO_BEATS:
        # There are no beats: whatever was measured on them is nothing.
        return unmeasured(case.recording, case.strip, reasons, codes, case.st_reliable, case.monitor, rhythm)
    rows = table.tolist()
    usable = {name for name, good in zip(leads, reasons.usable.tolist(), strict=True) if good}
    axis_deg, p_axis_deg, t_axis_deg = (
        _axis({name: row[field] for name, row in zip(leads, rows, strict=True)}, usable) for field in _AREAS
    )
    rr = None if math.isnan(case.rr_s) else case.rr_s
    qt_ms, pr_ms = (
        _within(_ms(last - first), rr)
        for first, last in ((main.qrs_on, main.t_off), (main.p_on, main.qrs_on))
    )
    corrected = intervals.corrected_qt(qt_ms, rr) if qt_ms is not None and rr else None
    qrs_ms = (main.qrs_off - main.qrs_on) * _MS
    beats, lead_beats = placed(case)
    median_mv = beat.copy()  # its own: one kept beat shall not keep those of others
    median_mv.flags.writeable = False
    return Measurements(
        leads=_lead_table(leads, rows, reasons),
        heart_rate_bpm=intervals.heart_rate_bpm(classes.r),
        pr_ms=pr_ms,
        qrs_ms=qrs_ms,
        qt_ms=qt_ms,
        qtc_bazett_ms=corrected.bazett_ms if corrected else None,
        qtc_fridericia_ms=corrected.fridericia_ms if corrected else None,
        qtc_framingham_ms=corrected.framingham_ms if corrected else None,
        qtc_hodges_ms=corrected.hodges_ms if corrected else None,
        qtm_ms=intervals.modified_qt(qt_ms, qrs_ms),
        axis_deg=axis_deg,
        p_axis_deg=p_axis_deg,
        t_axis_deg=t_axis_deg,
        p_ms=_ms(main.p_off - main.p_on),
        rhythm=rhythm.name,
        rhythm_detail=rhythm,
        r_s=tuple((classes.r / _RATE).tolist()),
        beats=beats,
        lead_beats=lead_beats,
        beat_class=tuple(classes.label.tolist()),
        class_qrs_ms=_class_qrs(case.found, int(classes.label.max()) + 1),
        pace_spikes_s=tuple((case.strip.spikes / _RATE).tolist()),
        quality=quality.judge(reasons, codes, case.st_reliable, swapped),
        monitor=case.monitor,
        reversal_detail=swapped,
        silence=silence(
            case.recording.samples_mv,
            case.recording.rate_hz,
            tuple((classes.r / _RATE).tolist()),
            reasons.usable,
            rhythm,
            case.strip.missing_s(reasons.usable),
        ),
        atrial_train=p_train.seek(
            case.strip.samples_mv,
            classes.r,
            classes.label,
            {k: f.beat_mv for k, f in case.found.items()},
            reasons.usable,
            r_at=PRE,
            rhythm=rhythm,
            pr_ms=pr_ms,
        ),
        t_alternans_mv=alternans.t_alternans_mv(
            case.strip.slow_mv,
            classes.r,
            classes.label,
            reasons.usable,
            qrs_on=main.qrs_on - PRE,
            t_peak=main.t_peak - PRE,
        ),
        median=MedianBeat(
            rate_hz=_RATE,
            samples_mv=median_mv,
            qrs_on_s=main.qrs_on / _RATE,
            qrs_off_s=main.qrs_off / _RATE,
        ),
    )


def _ms(samples: float) -> float | None:
    return None if math.isnan(samples) else samples * _MS


def _within(interval_ms: float | None, rr_s: float | None) -> float | None:
    """An interval, unknown where it is as long as a whole beat: then it belongs to two."""
    return None if interval_ms is None or (rr_s is not None and interval_ms >= rr_s * 1000) else interval_ms


def _axis(areas: Mapping[str, float], usable: set[str]) -> float | None:
    known = {name for name in usable if not math.isnan(areas[name])}
    return intervals.frontal_axis_deg(areas, known)


def _reversals(cases: Sequence[Case], beats: Floats) -> list[Reversal | None]:
    """The suspected swap of each; what is known already is not looked for again."""
    asked = [k for k, case in enumerate(cases) if case.known is None]
    looks = [_look(cases[k], beats[k]) for k in asked]
    found = dict(zip(asked, reversal.find_all(looks), strict=True))
    return [found[k] if case.known is None else case.known.reversal for k, case in enumerate(cases)]


def _look(case: Case, beat: Floats) -> reversal.Look:
    main = case.main
    return reversal.Look(
        leads=case.recording.leads,
        beat_mv=beat,
        p=None if math.isnan(main.p_on) else (main.p_on, main.p_off),
        qrs=(main.qrs_on, main.qrs_off),
        t_off=None if math.isnan(main.t_off) else main.t_off,
        usable=case.reasons.usable,
    )


def _rhythm(case: Case, p_mv: Doubles) -> arrhythmia.Rhythm:
    """The rhythm; `p_mv` is P of each lead ``(leads,)``."""
    leads, usable, strip, main = case.recording.leads, case.reasons.usable, case.strip, case.main
    upright = next((name for name in ("II", "I") if name in leads and usable[leads.index(name)]), None)
    witness = p_mv[leads.index(upright)] if upright is not None else np.nan
    pr_ms = _ms(main.qrs_on - main.p_on)
    return arrhythmia.measure_rhythm(
        r_s=strip.classes.r / _RATE,
        label=strip.classes.label,
        qrs_ms={k: (f.waves.qrs_off - f.waves.qrs_on) * _MS for k, f in case.found.items()},
        slow_mv=strip.slow_mv,
        leads=leads,
        # In fibrillation no lead's beats resemble each other: where none is left, all that have a signal count.
        usable=usable if usable.any() else case.reasons.measurable,
        duration_s=strip.samples_mv.shape[1] / _RATE,
        pr_ms=np.nan if pr_ms is None else pr_ms,
        p_upright=bool(witness > 0),
        spikes_s=tuple((strip.spikes / _RATE).tolist()),
        onset_s=(PRE - main.qrs_on) / _RATE,
        missing_s=strip.missing_s(usable),
    )


def _lead_table(
    leads: tuple[str, ...], rows: Sequence[Sequence[float]], reasons: quality.LeadReasons
) -> dict[str, LeadMeasurement]:
    """The record of each lead from its numbers; a lead without amplitudes has none of them."""
    result = {}
    both = zip(leads, rows, reasons.usable.tolist(), reasons.measurable.tolist(), strict=True)
    for name, row, usable, measurable in both:
        if not measurable:
            result[name] = LeadMeasurement(usable=False)
            continue
        known: list[Any] = [None if math.isnan(value) else value for value in row]
        for k in _FLAGS:
            known[k] = bool(row[k])
        result[name] = LeadMeasurement(usable, *known)
    return result


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
            missing_s=strip.missing_s(reasons.usable),
        )
    chaos = rhythm is not None and rhythm.name == _NO_BEATS
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
        beat_class=() if strip is None else tuple(strip.classes.label.tolist()),
        pace_spikes_s=() if strip is None else tuple((strip.spikes / _RATE).tolist()),
        silence=silence(
            recording.samples_mv,
            recording.rate_hz,
            tuple((r / _RATE).tolist()),
            reasons.usable,
            rhythm,
            () if strip is None else strip.missing_s(reasons.usable),
        ),
    )
