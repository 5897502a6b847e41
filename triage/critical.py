"""Critical rhythms (CV): answered also on a poor trace, since all they need are beats, or their absence.

Which list of critical values a site follows may move the numbers: see `critical_lists`. The other critical values
stand in `critical_values`.
"""

from typing import Final

from greenchannel.signal.arrhythmia import Rhythm
from greenchannel.signal.delta_wave import initial_slur_ms
from greenchannel.triage import critical_values
from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.critical_runs import TACHYCARDIA, Run, ventricular_run, width_of
from greenchannel.triage.finding import Evidence, Patient, Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.rule_set import Numbers

FIBRILLATION: Final = "ventricular_fibrillation"
_VENTRICULAR: Final = (TACHYCARDIA, FIBRILLATION, "asystole", "paced")
_ATRIAL: Final = ("atrial_fibrillation", "atrial_flutter")
_FIBRILLATING: Final = ("atrial_fibrillation", "irregular", "unknown", TACHYCARDIA)
_THROUGHOUT: Final = ("throughout this recording", "本次记录全程")


def _told(ctx: Context) -> Rhythm | None:
    return ctx.measurements.rhythm_detail


def fibrillation(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Ventricular flutter or fibrillation: the core's word, or waves of it where no QRS could be measured (CV-2).

    The limit of leakage for low amplitude is meant against the QRS before; where no QRS is known and what was taken for
    beats is irregular, it is that limit which holds.
    """
    r = _told(ctx)
    if r is None or r.leakage is None or r.dominant_hz is None or r.activity_mv is None:
        return None
    size_uv = r.activity_mv * 1000.0
    low = size_uv < n.low_uv or reaches(r.irregularity, n.irregularity)
    limit = n.leakage_low if low else n.leakage_high
    waves = (
        ctx.measurements.qrs_ms is None
        and reaches(size_uv, n.least_uv)
        and reaches(r.dominant_hz, n.from_hz)
        and falls_to(r.dominant_hz, n.to_hz)
        and r.leakage < limit
    )
    if r.name != FIBRILLATION and not waves:
        return None
    return Hit(
        tier=Tier.CRIT,
        evidence=(
            shown_whole("CV-2", "dominant_hz", r.dominant_hz, n.from_hz),
            shown_whole("CV-2", "leakage", r.leakage, limit, "<" if waves else "<="),
        )
        if waves
        else (shown_whole("CV-2", "dominant_hz", r.dominant_hz, n.from_hz),),
    )


def polymorphic(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Torsade, polymorphic or bidirectional tachycardia: a fast run of ventricular beats of changing shape (CV-4)."""
    run, r = ventricular_run(ctx.measurements, n), _told(ctx)
    if run is None or r is None or "CV-2" in hits or run.bpm <= n.run_bpm or run.beats < n.beats:
        return None
    shown = shown_whole("CV-4", "wide_run_bpm", run.bpm, n.run_bpm, ">")
    if run.shapes >= n.shapes and falls_to(run.same, n.same_share):
        more = shown_whole("CV-4", "shape_count", run.shapes, n.shapes)
    elif run.alternates and r.irregularity is not None and r.irregularity < n.irregularity:
        more = shown_whole("CV-4", "irregularity", r.irregularity, n.irregularity, "<")
    elif r.name == TACHYCARDIA and r.modulation is not None and reaches(r.modulation, n.modulation):
        more = shown_whole("CV-4", "modulation", r.modulation, n.modulation)
    else:
        return None
    return Hit(tier=Tier.CRIT, evidence=(shown, more))


def tachycardia(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Ventricular tachycardia: critical where it is fast and fills the strip, or the patient is unstable (CV-3)."""
    run = ventricular_run(ctx.measurements, n)
    if run is None or "CV-2" in hits or "CV-4" in hits:
        return None
    if run.beats < n.beats or run.bpm <= n.run_bpm:
        return None
    shown = [
        shown_whole("CV-3", "wide_run_beats", run.beats, n.beats),
        shown_whole("CV-3", "wide_run_bpm", run.bpm, n.run_bpm, ">"),
    ]
    throughout = _fills(run, n)
    if throughout and reaches(run.bpm, n.critical_bpm):
        shown[1] = shown_whole("CV-3", "wide_run_bpm", run.bpm, n.critical_bpm)
        return Hit(tier=Tier.CRIT, evidence=tuple(shown), more=_THROUGHOUT)
    more = _THROUGHOUT if throughout else None
    pressure = _low_pressure(ctx.patient, "CV-3", n.systolic_mmhg)
    unstable = ctx.patient.shock is True or bool(pressure)
    return Hit(tier=Tier.CRIT if unstable else Tier.URG, evidence=(*shown, *pressure), more=more)


def _fills(run: Run, n: Numbers) -> bool:
    return reaches(run.share, n.fills_share)


def _low_pressure(patient: Patient, rule: str, limit_mmhg: float) -> tuple[Evidence, ...]:
    if patient.systolic_mmhg is None or not patient.systolic_mmhg < limit_mmhg:
        return ()
    return (shown_whole(rule, "systolic_mmhg", patient.systolic_mmhg, limit_mmhg, "<"),)


def fast(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Supraventricular tachycardia, atrial fibrillation and flutter included, by the mean rate (CV-5).

    A child's sinus node may be as fast.
    """
    r, bpm = _told(ctx), ctx.measurements.heart_rate_bpm
    if r is None or bpm is None or r.name in _VENTRICULAR or "CV-4" in hits or "CV-3" in hits:
        return None
    if ctx.child and r.name == "sinus":
        return None
    limit = n.atrial_bpm if r.name in _ATRIAL else n.svt_bpm
    if not reaches(bpm, limit):
        return None
    return Hit(
        tier=Tier.CRIT, evidence=(shown_whole("CV-5", "heart_rate_bpm", bpm, limit),), more=_THROUGHOUT
    )


def fibrillation_preexcited(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Atrial fibrillation over an accessory pathway: irregular, wide, of varying shape, and very short RR (CV-6).

    Where all beats take the pathway alike their shape does not vary; then the slow beginning of the QRS shows it.
    """
    m, r = ctx.measurements, _told(ctx)
    if r is None or r.name not in _FIBRILLATING or not falls_to(r.rr_min_s, n.rr_s):
        return None
    assert r.rr_min_s is not None
    wide = {kind for kind in m.beat_class if kind >= 0 and reaches(width_of(m, kind), n.qrs_ms)}
    shaped = sum(kind >= 0 for kind in m.beat_class) / max(len(m.beat_class), 1)
    slur_ms = None if m.median is None else initial_slur_ms(m.median)
    varied = len(wide) >= n.shapes or reaches(slur_ms, n.delta_ms)
    if not reaches(m.qrs_ms, n.qrs_ms) or not varied or not reaches(r.irregularity, n.irregularity):
        return None
    if not reaches(shaped, n.shaped_share):
        return None  # what has no shape at all is no QRS
    seen = (
        shown_whole("CV-6", "shape_count", len(wide), n.shapes)
        if len(wide) >= n.shapes
        else shown_whole("CV-6", "delta_ms", slur_ms or 0.0, n.delta_ms)
    )
    return Hit(
        tier=Tier.CRIT,
        evidence=(
            shown_whole("CV-6", "rr_min_s", r.rr_min_s, n.rr_s, "<="),
            shown_whole("CV-6", "qrs_ms", m.qrs_ms or 0.0, n.qrs_ms),
            seen,
        ),
    )


def slow(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Severe bradycardia, or complete AV block: regular, slower ventricles do not follow the P waves (CV-7)."""
    m, r = ctx.measurements, _told(ctx)
    bpm = m.heart_rate_bpm
    if r is None or bpm is None or "CV-2" in hits:
        return None
    shown: list[Evidence] = []
    if falls_to(bpm, n.rate_bpm):
        shown.append(shown_whole("CV-7", "heart_rate_bpm", bpm, n.rate_bpm, "<="))
    train, more = m.atrial_train, None
    if train is not None and r.sdnn_ms is not None and r.rr_mean_s and r.name != "paced":
        cv = r.sdnn_ms / 1000.0 / r.rr_mean_s
        independent = reaches(train.dissociation, n.dissociation)
        if cv < n.rr_cv and independent and reaches(train.atrial_bpm / bpm, n.atria_per_beat):
            shown.append(shown_whole("CV-7", "dissociation", train.dissociation, n.dissociation))
            shown.append(shown_whole("CV-7", "atrial_bpm", train.atrial_bpm, n.atria_per_beat * bpm))
            shown.append(shown_whole("CV-7", "rr_cv", cv, n.rr_cv, "<"))
            more = ("P waves independent of the QRS: complete AV block", "P波与QRS无关,考虑三度房室传导阻滞")
    return Hit(tier=Tier.CRIT, evidence=tuple(shown), more=more) if shown else None


def asystole(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """No beat for seconds although electrodes are on, or pacing that no QRS answers (CV-14).

    An electrode that is off makes its lead unusable, and without usable leads nothing is said. Nor is it where the
    usual lead hums, as cables do that hang in the air, or is quieter than any skin.
    """
    r, m = _told(ctx), ctx.measurements
    if r is None or "CV-2" in hits or _leads_on(ctx) < n.leads:
        return None
    # Between two beats it is a long RR (CV-8).
    silent = (r.name == "asystole" or (r.beats > 0 and r.pause_open)) and _alive(ctx, n)
    if silent and reaches(r.longest_pause_s, n.pause_s):
        assert r.longest_pause_s is not None
        return Hit(
            tier=Tier.CRIT,
            evidence=(shown_whole("CV-14", "longest_pause_s", r.longest_pause_s, n.pause_s),),
            more=("no QRS although electrodes are on", "电极在位而无QRS波"),
        )
    missed = unanswered(m.pace_spikes_s, m.r_s, n)
    if missed < n.spikes or reaches(r.paced_atrium_share, n.atrial_share):
        return None
    return Hit(
        tier=Tier.CRIT,
        evidence=(shown_whole("CV-14", "unanswered_spikes", missed, n.spikes),),
        words=(
            "Critical value: pacing spikes without QRS, failure to capture",
            "危急值:起搏信号后无QRS波,起搏失夺获",
        ),
    )


def _alive(ctx: Context, n: Numbers) -> bool:
    """Does the silence look like that of a body, where it was measured?"""
    found = ctx.measurements.silence
    if found is None:
        return True
    return not reaches(found.hum_mv * 1000.0, n.hum_uv) and reaches(found.level_mv * 1000.0, n.live_uv)


def _leads_on(ctx: Context) -> int:
    bad = set(ctx.measurements.quality.bad_leads)
    return sum(lead not in bad for lead in ctx.measurements.leads)


def unanswered(spikes_s: tuple[float, ...], r_s: tuple[float, ...], n: Numbers) -> int:
    """Spikes that no QRS follows although none came just before, so that the ventricle could have answered."""
    after, before = n.capture_ms / 1000.0, n.refractory_ms / 1000.0
    missed = [
        at
        for at in spikes_s
        if not any(falls_to(r - at, after) and not falls_to(r - at, -before) for r in r_s)
    ]
    # The strip may end before the answer to the last one.
    cut = bool(missed) and missed[-1] == spikes_s[-1] and bool(r_s)
    return len(missed) - cut


def long_rr(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """A long RR interval; where symptoms are known to be absent a longer one (CV-8)."""
    r = _told(ctx)
    if r is None or not r.beats or r.longest_pause_s is None or {"CV-2", "CV-14"} & hits.keys():
        return None
    well = ctx.patient.symptoms is False and ctx.patient.chest_pain is not True
    limit = n.silent_s if well else n.symptomatic_s
    if r.name == "atrial_fibrillation":
        limit = max(limit, n.fibrillation_s)
    if not reaches(r.longest_pause_s, limit) or _leads_on(ctx) < n.leads:
        return None
    found = ctx.measurements.silence
    if r.pause_open and found is not None and not reaches(found.level_mv * 1000.0, n.live_uv):
        return None  # no beat ends it, and no skin is so quiet: the electrodes have come off
    return Hit(tier=Tier.CRIT, evidence=(shown_whole("CV-8", "longest_pause_s", r.longest_pause_s, limit),))


RULES: Final[dict[str, Rule]] = {
    "CV-2": fibrillation,
    "CV-4": polymorphic,
    "CV-3": tachycardia,
    "CV-5": fast,
    "CV-6": fibrillation_preexcited,
    "CV-7": slow,
    "CV-14": asystole,
    "CV-8": long_rr,
    **critical_values.RULES,
}
"""In the order of evaluation: the more dangerous name silences the lesser one of the same beats."""

CONCLUDING: Final[dict[str, Rule]] = {**critical_values.CONCLUDING}
