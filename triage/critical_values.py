"""The critical values beside the rhythms (CV): QT, alternans and R on T, potassium, pulmonary embolism, infarction."""

from collections.abc import Iterable
from statistics import median
from typing import Final

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measurements import LeadBeat
from greenchannel.triage.context import Context, falls_to, reaches, shown_whole
from greenchannel.triage.critical_runs import width_of
from greenchannel.triage.finding import Evidence, Tier
from greenchannel.triage.hit import Hit, Hits, Rule
from greenchannel.triage.rule_set import Numbers

_NO_T: Final = ("atrial_flutter", "ventricular_tachycardia", "ventricular_fibrillation", "asystole")
_WITHOUT_P: Final = ("junctional_or_unknown", "unknown", "irregular")
_TACHYARRHYTHMIA: Final = (
    "atrial_fibrillation", "atrial_flutter", "supraventricular_tachycardia", "ventricular_tachycardia",
    "ventricular_fibrillation", "irregular",
)  # fmt: skip
_CHEST: Final = ("V1", "V2", "V3", "V4", "V5", "V6")
_RIGHT: Final = ("V1", "V2", "V3", "V4")


def qtc_ms(ctx: Context) -> tuple[str, float] | None:
    """Fridericia's QTc and its wire name; where QRS is broad, of QT without half of it (MEAS-6)."""
    m = ctx.measurements
    qtc, qt, qtm = m.qtc_fridericia_ms, m.qt_ms, m.qtm_ms
    if qtc is None or m.rhythm in _NO_T:
        return None
    if m.qrs_ms is None or m.qrs_ms < ctx.rules.limits.wide_qrs_from_ms.value:
        return "qtc_fridericia_ms", qtc
    return None if qtm is None or not qt else ("qtmc_ms", qtm * qtc / qt)


def long_qt(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """A QTc that threatens torsade (CV-9)."""
    found = qtc_ms(ctx)
    if found is None or not reaches(found[1], n.urgent_ms):
        return None
    critical = reaches(found[1], n.critical_ms)
    limit = n.critical_ms if critical else n.urgent_ms
    return Hit(tier=Tier.CRIT if critical else Tier.URG, evidence=(shown_whole("CV-9", *found, limit),))


def alternans_or_r_on_t(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Every second T differs, or a ventricular beat begins on the T before it (CV-10)."""
    shown: list[Evidence] = []
    alternans = ctx.measurements.t_alternans_mv
    if alternans is not None and alternans * 1000.0 > n.alternans_uv:
        shown.append(shown_whole("CV-10", "t_alternans_mv", alternans, n.alternans_uv / 1000.0, ">"))
    early_ms = _r_on_t_ms(ctx, n)
    if early_ms is not None:
        shown.append(shown_whole("CV-10", "r_on_t_ms", early_ms, n.margin_ms))
    if not shown:
        return None
    words = ("R on T", "RonT") if early_ms is not None else ("T wave alternans", "T波电交替")
    return Hit(tier=Tier.CRIT, evidence=tuple(shown), more=words)


def _r_on_t_ms(ctx: Context, n: Numbers) -> float | None:
    """By how much the earliest premature ventricular beat begins before the end of T; None where none does so."""
    m = ctx.measurements
    if (
        m.rhythm in (*_NO_T, "paced")
        or len(m.beats) != len(m.r_s)
        or len(m.beat_class) != len(m.r_s)
        or len(m.r_s) < 4
    ):
        return None
    if m.beat_class.count(0) < n.dominant_share * len(m.r_s):
        return None  # without a beat that is the rule none is premature
    rr = [b - a for a, b in zip(m.r_s, m.r_s[1:], strict=False)]
    limit, best = n.premature * median(rr), None
    for i, kind in enumerate(m.beat_class[1:], 1):
        if (
            kind < 1
            or m.beat_class[i - 1] != 0
            or reaches(rr[i - 1], limit)
            or not reaches(width_of(m, kind), n.qrs_ms)
        ):
            continue
        start_s, end_s = m.beats[i].qrs_on_s, m.beats[i - 1].t_off_s
        if start_s is None or end_s is None:
            continue
        early_ms = (end_s - start_s) * 1000.0
        best = early_ms if best is None else max(best, early_ms)
    return best if best is not None and reaches(best, n.margin_ms) else None


def low_potassium(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """A low potassium in the laboratory, a long QT (or QU) and a fast arrhythmia (CV-11)."""
    found, potassium, bpm = qtc_ms(ctx), ctx.patient.potassium_mmol_l, ctx.measurements.heart_rate_bpm
    if potassium is None or not potassium <= n.potassium_mmol_l or found is None:
        return None
    long_ms = n.qtc_male_ms if ctx.patient.sex == "male" else n.qtc_female_ms
    named = ctx.measurements.rhythm in _TACHYARRHYTHMIA and reaches(bpm, n.rate_bpm)
    if not reaches(found[1], long_ms) or not (named or {"CV-3", "CV-4"} & hits.keys()):
        return None
    return Hit(
        tier=Tier.URG,
        evidence=(
            shown_whole("CV-11", "potassium_mmol_l", potassium, n.potassium_mmol_l, "<="),
            shown_whole("CV-11", *found, long_ms),
            *(
                ()
                if bpm is None
                else (shown_whole("CV-11", "heart_rate_bpm", bpm, n.rate_bpm),)
                if named
                else ()
            ),
        ),
    )


def high_potassium(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Tall, narrow, symmetric T with a broad QRS and without P (CV-12).

    Both signs, of the QRS and of P, make it critical; one is urgent, as is T alone with a high potassium. A potassium
    known to be normal leaves only the full picture, as urgent.
    """
    among = [lead for lead in STANDARD_12 if lead in ctx.leads]
    tented = [lead for lead in among if lead != "aVR" and _tented(ctx, lead, n)]
    leads = [lead for run in ctx.contiguous(tented, among) for lead in run.leads] if tented else []
    if not leads or ctx.measurements.rhythm in _NO_T:
        return None
    m, potassium = ctx.measurements, ctx.patient.potassium_mmol_l
    broad = reaches(m.qrs_ms, n.qrs_ms)
    # At a fast rate P may hide in T.
    slow = m.heart_rate_bpm is not None and m.heart_rate_bpm < n.p_bpm
    no_p = m.pr_ms is None and m.rhythm in _WITHOUT_P and slow
    high = reaches(potassium, n.high_mmol_l)
    normal = potassium is not None and potassium < n.normal_mmol_l
    signs = broad + no_p + high
    if not signs or (normal and not (broad and no_p)):
        return None
    critical = signs > 1 and not normal
    shown = [ctx.shown("CV-12", lead, "t_mv", _tall_uv(lead, n)) for lead in dict.fromkeys(leads)]
    shown += [shown_whole("CV-12", "qrs_ms", m.qrs_ms or 0.0, n.qrs_ms)] if broad else []
    shown += [shown_whole("CV-12", "potassium_mmol_l", potassium or 0.0, n.high_mmol_l)] if high else []
    more = ("no P wave", "P波消失") if no_p else None
    return Hit(tier=Tier.CRIT if critical else Tier.URG, evidence=tuple(shown), more=more)


def _tall_uv(lead: str, n: Numbers) -> float:
    return n.chest_uv if lead in _CHEST else n.limb_uv


def _tented(ctx: Context, lead: str, n: Numbers) -> bool:
    """A tall T whose sides are alike and whose base is short, in the beats of the dominant shape."""
    t_uv = ctx.uv(lead, "t_mv")
    if not reaches(t_uv, _tall_uv(lead, n)):
        return False
    m, qrs_uv = ctx.measurements, ctx.uv(lead, "qrs_pp_mv")
    if reaches(m.qrs_ms, n.qrs_ms) and (not qrs_uv or not reaches((t_uv or 0.0) / qrs_uv, n.t_qrs)):
        return False  # a broad QRS makes a T of its own, smaller than itself
    beats = [one for one, kind in zip(m.lead_beats.get(lead, ()), m.beat_class, strict=False) if kind == 0]
    rise, fall = _sides_ms(beats)
    if rise is None or fall is None:
        return False
    return falls_to(rise + fall, n.base_ms) and reaches(min(rise, fall) / max(rise, fall), n.symmetry)


def _sides_ms(beats: Iterable[LeadBeat]) -> tuple[float | None, float | None]:
    """The usual time from the onset of T to its peak and from there to its end."""
    sides = [
        (one.t_peak_s - one.t_on_s, one.t_off_s - one.t_peak_s)
        for one in beats
        if one.t_on_s is not None and one.t_peak_s is not None and one.t_off_s is not None
    ]
    sides = [(a, b) for a, b in sides if a > 0.0 and b > 0.0]
    if not sides:
        return None, None
    return 1000.0 * median(a for a, _ in sides), 1000.0 * median(b for _, b in sides)


def embolism(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Signs of acute strain of the right heart (CV-13); one of S1Q3T3 and inverted T must be among them.

    A right bundle branch block counts where an earlier recording shows that it is new.
    """
    s1q3t3, inverted = _s1q3t3(ctx, n), _inverted(ctx, n)
    if "CV-3" in hits or not (s1q3t3 or inverted):
        return None
    signs = [one for one in (s1q3t3, inverted, _rate(ctx, n), _elevated(ctx, n)) if one]
    count = len(signs) + _new_block(ctx)
    if count < n.signs:
        return None
    evidence = tuple(one for sign in signs for one in sign)
    return Hit(tier=Tier.URG, evidence=(shown_whole("CV-13", "sign_count", count, n.signs), *evidence))


Signs = tuple[Evidence, ...]


def _s1q3t3(ctx: Context, n: Numbers) -> Signs:
    t3 = ctx.uv("III", "t_mv")
    deep = falls_to(ctx.uv("I", "s_mv"), -n.s1_uv) and falls_to(ctx.uv("III", "q_mv"), -n.q3_uv)
    if not deep or t3 is None or not falls_to(t3, -n.t3_uv):
        return ()
    return (
        ctx.shown("CV-13", "I", "s_mv", -n.s1_uv, "<="),
        ctx.shown("CV-13", "III", "q_mv", -n.q3_uv, "<="),
        ctx.shown("CV-13", "III", "t_mv", -n.t3_uv, "<="),
    )


def _inverted(ctx: Context, n: Numbers) -> Signs:
    right = [lead for lead in _RIGHT if falls_to(ctx.uv(lead, "t_mv"), -n.t_uv)]
    if len(right) < n.t_leads or not falls_to(ctx.uv("III", "t_mv"), -n.t_uv):
        return ()
    return tuple(ctx.shown("CV-13", lead, "t_mv", -n.t_uv, "<=") for lead in (*right, "III"))


def _rate(ctx: Context, n: Numbers) -> Signs:
    bpm = ctx.measurements.heart_rate_bpm
    return (shown_whole("CV-13", "heart_rate_bpm", bpm, n.rate_bpm, ">"),) if bpm and bpm > n.rate_bpm else ()


def _elevated(ctx: Context, n: Numbers) -> Signs:
    return (ctx.shown("CV-13", "V1", "stj_mv", n.v1_uv),) if reaches(ctx.uv("V1"), n.v1_uv) else ()


def _new_block(ctx: Context) -> bool:
    return ctx.conduction.name == "rbbb" and ctx.newly("MIM-RBBB")


RULES: Final[dict[str, Rule]] = {
    "CV-9": long_qt,
    "CV-10": alternans_or_r_on_t,
    "CV-11": low_potassium,
    "CV-12": high_potassium,
    "CV-13": embolism,
}


def infarction(ctx: Context, n: Numbers, hits: Hits) -> Hit | None:
    """Beside every proposal that nothing lowered: an acute infarction is a critical value, too (CV-1)."""
    proposed = [
        hit
        for rule_id, hit in hits.items()
        if hit.tier is Tier.ACT and ctx.rules.rules[rule_id].section in ("st_elevation", "equivalent")
    ]
    if not proposed:
        return None
    return Hit(
        tier=Tier.CRIT,
        evidence=tuple(dict.fromkeys(one for hit in proposed for one in hit.evidence)),
        territories=tuple(dict.fromkeys(slug for hit in proposed for slug in hit.territories)),
    )


CONCLUDING: Final[dict[str, Rule]] = {"CV-1": infarction}
