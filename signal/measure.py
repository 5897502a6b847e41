"""The chain: one `Recording` in, its `Measurements` out. Never an exception, and equal bits for equal input."""

from dataclasses import dataclass

import numpy as np

from greenchannel.signal import beats, delineation, filters, intervals, limits, qrs, quality, repolarisation
from greenchannel.signal.delineation import QrsBorders, Wave
from greenchannel.signal.filters import Bools, Floats
from greenchannel.signal.leads import LIMB
from greenchannel.signal.measurements import (
    GlobalBeat,
    LeadBeat,
    LeadMeasurement,
    Measurements,
    MedianBeat,
    Quality,
)
from greenchannel.signal.qrs import Ints
from greenchannel.signal.recording import Recording

_RATE = limits.ANALYSIS_RATE_HZ


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Conditioned:
    """A strip at 500 Hz without mains and wander, and the beats that were found in it."""

    samples_mv: Floats
    """Shape ``(leads, samples)``; zero at the PR segment of each dominant beat."""
    valid: Bools
    """Shape ``(leads, samples)``: False where nothing was recorded."""
    classes: beats.Classes


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _ClassBeat:
    """Median beat of one class with its borders."""

    median_mv: Floats
    stack_mv: Floats
    chosen: Bools
    qrs: QrsBorders
    t: Wave
    p: Wave


def measure(recording: Recording) -> Measurements:
    """Measure a recording: quality, beats, intervals and the amplitudes of every lead.

    Parameters
    ----------
    recording : any valid recording

    Returns
    -------
    Measurements
        What could not be measured is None; why, the quality messages say.
    """
    reasons = quality.LeadReasons.empty(recording.leads)
    codes: list[str] = []
    if recording.duration_s < limits.MIN_DURATION_S:
        codes.append("too_short")
    elif recording.rate_hz < limits.MIN_RATE_HZ:
        codes.append("low_rate")
    quality.look_at_samples(recording.samples_mv, recording.rate_hz, reasons)
    st_reliable = recording.rate_hz >= limits.ST_MIN_RATE_HZ and not _for_monitoring(recording)
    if not st_reliable:
        codes.append("monitor_mode")
    strip = None if {"too_short", "low_rate"} & set(codes) else condition(recording, reasons)
    if strip is None:
        if not {"too_short", "low_rate"} & set(codes):
            codes.append("no_qrs")
        return _unmeasured(reasons, codes, st_reliable)
    return _measured(recording, strip, reasons, codes, st_reliable)


def _for_monitoring(recording: Recording) -> bool:
    """Does the device say that it filtered as monitors do (SIG-1)? Silence is no reason for distrust."""
    low_hz, high_hz = recording.low_cut_hz, recording.high_cut_hz
    if high_hz is not None and high_hz <= limits.MONITOR_HIGH_CUT_HZ:
        return True
    if low_hz is None or low_hz < limits.MONITOR_LOW_CUT_HZ:
        return False
    diagnostic = high_hz is not None and high_hz >= limits.DIAGNOSTIC_HIGH_CUT_HZ
    return not diagnostic or low_hz > limits.ZERO_PHASE_LOW_CUT_HZ


def condition(recording: Recording, reasons: quality.LeadReasons) -> Conditioned | None:
    """Filter a strip and find its beats; None where there is no QRS.

    Parameters
    ----------
    recording : at least `limits.MIN_DURATION_S` long
    reasons : what is known of each lead; more is added
    """
    x, valid = filters.to_analysis_grid(recording.samples_mv, recording.rate_hz)
    spectrum = filters.Spectrum(x)
    usable = reasons.usable
    coarse = qrs.detect(spectrum, valid, usable)
    quiet = _quiet(coarse, x.shape[1])
    cleaned = filters.remove_mains(x, quiet)
    quality.look_at_flatness(cleaned, valid, coarse, reasons)
    if coarse.size == 0:
        return None
    if cleaned is not x:
        spectrum = filters.Spectrum(cleaned)
    quality.look_at_noise(cleaned, spectrum.above(limits.HF_EDGE_HZ), quiet, reasons)
    shape = spectrum.band(limits.ALIGN_BAND_HZ)
    scale, weight = qrs.lead_weights(shape, usable)
    weight = np.where(weight > 0.1 * weight.max(), 1.0 / scale, 0.0)
    r = qrs.refine(coarse, shape, weight)
    classes = beats.classify(shape, r, weight)
    knots = _knots(cleaned, classes, usable & (weight > 0), independent(recording.leads, usable))
    if knots.size:
        ahead = round(limits.BASELINE_FROM_S * _RATE)
        behind = round(limits.BASELINE_TO_S * _RATE)
        levels = cleaned[:, knots[:, None] + np.arange(-ahead, -behind)].mean(axis=2)
        baseline = filters.spline_baseline(knots - (ahead + behind) // 2, levels, x.shape[1])
        quality.look_at_wander(baseline, reasons)
        cleaned = cleaned - baseline
    return Conditioned(samples_mv=cleaned, valid=valid, classes=classes)


def independent(leads: tuple[str, ...], usable: Bools) -> Bools:
    """Leads with information of their own, shape ``(leads,)``: any two limb leads, of which the others are sums."""
    own = [name for name, good in zip(leads, usable, strict=True) if good and name in LIMB]
    return np.array([name not in LIMB or name in sorted(own, key=LIMB.index)[:2] for name in leads])


def _quiet(r: Ints, n: int) -> Bools:
    """True outside every QRS with its surroundings."""
    marks = np.zeros(n + 1, dtype=np.int64)
    np.add.at(marks, np.clip(r - int(0.08 * _RATE), 0, n), 1)
    np.add.at(marks, np.clip(r + int(0.11 * _RATE), 0, n), -1)
    quiet: Bools = np.cumsum(marks[:-1]) == 0
    return quiet


def _knots(x: Floats, classes: beats.Classes, usable: Bools, independent: Bools) -> Ints:
    """QRS onsets of the dominant beats from slopes alone, which wander does not reach; empty where unknown."""
    r = classes.r[classes.label == 0]
    before, after = int(0.26 * _RATE), int(0.2 * _RATE)
    slope = beats.middle(delineation.slope_mv_s(beats.windows(x, r, before, after)))
    borders = delineation.qrs_borders(slope, before, usable, independent)
    if borders is None:
        return np.zeros(0, dtype=np.int64)
    if r.size < classes.r.size / 2:
        r = classes.r
    knots = r + (borders.on - before)
    inside: Ints = knots[knots >= round(limits.BASELINE_FROM_S * _RATE)]
    return inside


def _class_beat(
    strip: Conditioned, leads: tuple[str, ...], number: int, rr_s: float, usable: Bools
) -> _ClassBeat | None:
    """Median beat of one class and its borders; None where no QRS stands out."""
    reach = int(min(0.5, 0.6 * rr_s) * _RATE)
    chosen = beats.choose(strip.classes, number, strip.samples_mv.shape[1], reach, strip.valid)
    if not chosen.any():
        return None
    median, stack = beats.median_beat(strip.samples_mv, strip.classes, chosen)
    slope = delineation.slope_mv_s(median)
    readable = usable & chosen.any(axis=0)
    borders = delineation.qrs_borders(slope, beats.PRE, readable, independent(leads, readable))
    if borders is None:
        return None
    median -= repolarisation.baseline(median, borders.on)[:, None]
    t = delineation.t_wave(median, borders, rr_s, usable)
    p = delineation.p_wave(median, stack, borders, t.off, rr_s, usable)
    return _ClassBeat(median_mv=median, stack_mv=stack, chosen=chosen, qrs=borders, t=t, p=p)


def _measured(
    recording: Recording,
    strip: Conditioned,
    reasons: quality.LeadReasons,
    codes: list[str],
    st_reliable: bool,
) -> Measurements:
    classes, leads = strip.classes, recording.leads
    rr = intervals.rr_intervals_s(classes.r)
    rr_s = float(np.median(rr)) if rr.size else 1.0
    main = _class_beat(strip, leads, 0, rr_s, reasons.usable)
    if main is None:
        return _unmeasured(reasons, [*codes, "no_borders"], st_reliable, classes.r)
    reasons.add("lead_missing", np.logical_not(main.chosen.any(axis=0)))
    t_end = main.t.off if main.t.present else main.qrs.off + 0.2 * _RATE
    quality.look_at_beats(main.stack_mv, main.median_mv, slice(main.qrs.on - 10, int(t_end)), reasons)
    fault = quality.limb_contradiction(strip.samples_mv, strip.valid, reasons)
    if fault:
        reasons.add("einthoven_lead", np.array([name == fault for name in leads]))
    elif fault == "":
        codes.append("einthoven")
    if (classes.label == 0).sum() < limits.MIN_MEDIAN_BEATS:
        codes.append("few_beats")
    usable, measurable = reasons.usable, reasons.measurable
    amplitudes = repolarisation.lead_measurements(
        leads, main.median_mv, main.qrs, main.p, main.t, rr_s, usable, measurable
    )
    disagree = [
        m.baseline_tp_mv is not None and abs(m.baseline_tp_mv) > limits.BASELINE_DISAGREE_MV
        for m in amplitudes.values()
    ]
    reasons.add("baseline_disagree", np.array(disagree))
    found = [
        main,
        *(_class_beat(strip, leads, k, rr_s, usable) for k in range(1, int(classes.label.max()) + 1)),
    ]
    return _assemble(recording, strip, found, amplitudes, rr, quality.judge(reasons, codes, st_reliable))


def _assemble(
    recording: Recording,
    strip: Conditioned,
    found: list[_ClassBeat | None],
    amplitudes: dict[str, LeadMeasurement],
    rr: Floats,
    verdict: Quality,
) -> Measurements:
    main = found[0]
    assert main is not None  # the caller has measured on it
    classes = strip.classes
    rr_s = float(np.median(rr)) if rr.size else None
    readable = {name for name, m in amplitudes.items() if m.usable}
    qt_ms = (main.t.off - main.qrs.on) * 1000 / _RATE if main.t.present else None
    corrected = intervals.corrected_qt(qt_ms, rr_s) if qt_ms is not None and rr_s else None
    witness = next((amplitudes[n].p_mv for n in ("II", "I") if n in readable), None)
    share = float((classes.label == 0).mean())
    return Measurements(
        leads=amplitudes,
        heart_rate_bpm=intervals.heart_rate_bpm(classes.r),
        pr_ms=(main.qrs.on - main.p.on) * 1000 / _RATE if main.p.present else None,
        qrs_ms=(main.qrs.off - main.qrs.on) * 1000 / _RATE,
        qt_ms=qt_ms,
        qtc_bazett_ms=corrected.bazett_ms if corrected else None,
        qtc_fridericia_ms=corrected.fridericia_ms if corrected else None,
        qtc_framingham_ms=corrected.framingham_ms if corrected else None,
        qtc_hodges_ms=corrected.hodges_ms if corrected else None,
        axis_deg=intervals.frontal_axis_deg(recording.leads, main.median_mv, main.qrs, readable),
        rhythm=intervals.rhythm(rr, main.p, witness is not None and witness > 0, main.qrs.on, share),
        r_s=tuple((classes.r / _RATE).tolist()),
        beats=_global_beats(classes, found, strip.samples_mv.shape[1]),
        lead_beats=_lead_beats(recording.leads, strip, found, amplitudes),
        quality=verdict,
        median=MedianBeat(
            rate_hz=_RATE,
            samples_mv=tuple(tuple(row) for row in main.median_mv.tolist()),
            qrs_on_s=main.qrs.on / _RATE,
            qrs_off_s=main.qrs.off / _RATE,
        ),
    )


def _placed(borders: Floats, r: Ints, n: int) -> list[list[float | None]]:
    """Borders of a median beat, shape ``(borders,)``, moved to each beat: seconds, None outside the strip."""
    at = r[:, None] + (borders[None] - beats.PRE)
    inside = np.isfinite(at) & (at >= 0) & (at < n)
    seconds = np.where(inside, at / _RATE, 0.0).tolist()
    return [
        [value if ok else None for value, ok in zip(row, oks, strict=True)]
        for row, oks in zip(seconds, inside.tolist(), strict=True)
    ]


def _global_beats(classes: beats.Classes, found: list[_ClassBeat | None], n: int) -> tuple[GlobalBeat, ...]:
    """Borders of every beat: those of its class, placed at its R; None for a beat of no class."""
    tables = {}
    for k, c in enumerate(found):
        if c is not None:
            # QT is a matter of T's tangent in the median lead, so T has no onset here.
            tables[k] = _placed(
                np.array([c.p.on, c.p.off, c.qrs.on, c.qrs.off, c.t.peak, c.t.off]), classes.r, n
            )
    nothing = [None] * 6
    rows = [tables[k][i] if k in tables else nothing for i, k in enumerate(classes.label.tolist())]
    return tuple(
        GlobalBeat(p_on_s=a, p_off_s=b, qrs_on_s=c, qrs_off_s=d, t_peak_s=e, t_off_s=f)
        for a, b, c, d, e, f in rows
    )


def _lead_beats(
    leads: tuple[str, ...],
    strip: Conditioned,
    found: list[_ClassBeat | None],
    amplitudes: dict[str, LeadMeasurement],
) -> dict[str, tuple[LeadBeat, ...]]:
    """Borders of every beat in every lead, from the lead's own median beat of that class."""
    result = {}
    nothing = [None] * 8
    n = strip.samples_mv.shape[1]
    for i, name in enumerate(leads):
        tables = {}
        for k, c in enumerate(found):
            if c is None or amplitudes[name].stj_mv is None:
                continue
            own = [c.p.lead_on, c.p.lead_peak, c.p.lead_off, c.qrs.lead_on, c.qrs.lead_off]
            own += [c.t.lead_on, c.t.lead_peak, c.t.lead_off]
            tables[k] = _placed(np.array([border[i] for border in own]), strip.classes.r, n)
        rows = [tables[k][j] if k in tables else nothing for j, k in enumerate(strip.classes.label.tolist())]
        result[name] = tuple(
            LeadBeat(
                p_on_s=a, p_peak_s=b, p_off_s=c, qrs_on_s=d, qrs_off_s=e, t_on_s=f, t_peak_s=g, t_off_s=h
            )
            for a, b, c, d, e, f, g, h in rows
        )
    return result


def _unmeasured(
    reasons: quality.LeadReasons, codes: list[str], st_reliable: bool, r: Ints | None = None
) -> Measurements:
    """What is said of a recording that cannot be measured: why, and the rate where beats `r` were found at all."""
    r = np.zeros(0, dtype=np.int64) if r is None else r
    absent = GlobalBeat(p_on_s=None, p_off_s=None, qrs_on_s=None, qrs_off_s=None, t_peak_s=None, t_off_s=None)
    return Measurements(
        leads={name: LeadMeasurement(usable=False) for name in reasons.leads},
        heart_rate_bpm=intervals.heart_rate_bpm(r),
        pr_ms=None,
        qrs_ms=None,
        qt_ms=None,
        qtc_bazett_ms=None,
        qtc_fridericia_ms=None,
        qtc_framingham_ms=None,
        qtc_hodges_ms=None,
        axis_deg=None,
        rhythm="unknown",
        r_s=tuple((r / _RATE).tolist()),
        beats=(absent,) * r.size,
        lead_beats={name: () for name in reasons.leads},
        quality=quality.judge(reasons, codes, st_reliable),
        median=None,
    )
