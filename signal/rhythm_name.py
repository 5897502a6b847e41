"""The name of a rhythm from the numbers behind it: the first row of a table that the measures bear out."""

import math
from typing import Final

from greenchannel.signal.rhythm_measures import WIDE_MS

# [E]: chosen on LUDB below 100, a patient-wise half of the CinC and PTB recordings and simulated rhythms. There are few
# recordings of flutter and tachycardia, none of ventricular fibrillation: numbers for these are little tested.
IRREGULAR: Final = 0.10  # mean successive difference over mean RR; atrial fibrillation lies above [E]
IRREGULAR_SHARE: Final = 0.40  # of successive differences that exceed both of the next two numbers [E]
NARROW_MS: Final = 100.0  # below it no rhythm is ventricular, however its trace undulates [E]
RUN_BPM: Final = 100.0  # CV-3 [K]
P_CLEAR: Final = 0.35  # mean correlation of the beats' P windows; a consistent P lies above [E]
P_REGULAR: Final = 0.50  # a sinus rhythm may be irregular with ectopic beats where P is so consistent [E]
P_NONE: Final = 0.15  # no common P at all [E]
PR_S: Final = (0.09, 0.40)  # [K]
SAME_SHARE: Final = 0.9  # of the beats of one class, and …
P_EVERY: Final = 0.8  # … of them with the common P, at one distance: no ventricular tachycardia [E]
PR_WIDE_S: Final = 0.12  # a shorter "PR" of a fast wide rhythm is the foot of its QRS [E]
F_SHARE: Final = 0.28  # … fibrillation has at least this much in V1 [E]
FLUTTER_MATCH: Final = 0.40  # autocorrelation of the loop of several leads outside the QRS [E]
FLUTTER_MATCH_FIXED: Final = 0.60  # and where every RR has the same length [E]
FLUTTER_RATIO: Final = 0.60  # mean cosine of 2π·RR/cycle: RR are whole numbers of cycles [E]
HALF_CYCLE_S: Final = 30.0  # over a rate per minute: half a cycle
FLUTTER_BPM: Final = (230.0, 350.0)  # [K]
PACED_SHARE: Final = 0.5  # of the beats [E]
SVT_BPM: Final = 150.0  # narrow, regular, no P before the beats [E]
JUNCTIONAL_BPM: Final = 130.0  # [E]
VT_BPM: Final = 120.0  # a regular wide rhythm without sinus P from here; below, P may hide [E, K has 100]
DOUBTFUL_SHARE: Final = 0.5  # fewer of the beats in the dominant class: the template is in doubt [E]
VF_BAND_HZ: Final = (2.0, 9.0)  # CV-2
LEAKAGE_HIGH: Final = 0.406  # Kuo & Dillman 1978 [K], CV-2
LEAKAGE_LOW: Final = 0.625  # … where amplitude is low
VF_BROAD_MS: Final = 160.0  # beats that are broader, irregular, one wave beside the other, are none [E]
VF_SMOOTH: Final = 0.30  # mean slope over its 98th percentile: waves without any QRS [E]
VF_FASTEST_HZ: Final = (3.0, 9.0)  # and the waves come this fast [E]
LOW_MV: Final = 0.4  # peak to peak, in place of "half the last QRS", which is not known here [E]
VF_MIN_MV: Final = 0.15  # fine fibrillation is larger [E]
CONCENTRATION: Final = 0.5  # of the power within 0.5 Hz of the peak: one wave repeats [E]
SMOOTH: Final = 0.20  # mean slope over its 98th percentile: no narrow QRS sticks out [E]
ORGANISED: Final = 0.80  # autocorrelation at one cycle; tachycardia above, fibrillation below [E]
LIVE_MV: Final = 0.003  # spread of the means of seconds: no lead on living skin drifts and breathes less [E]
QUIET_MV: Final = 0.10  # asystole: nothing reaches it peak to peak [K Kerber 1997]


def unsure(m: dict[str, float]) -> bool:
    """Is there no dominant beat to rely on?"""
    return m["beats"] < 3 or m["dominant_share"] < DOUBTFUL_SHARE or math.isnan(m["wide"])


def broad_chaos(m: dict[str, float]) -> bool:
    """Is what was taken for beats broad and without any order? Fibrillation may look like that to a detector."""
    return (
        m["wide"] >= VF_BROAD_MS and m["irregularity"] > IRREGULAR and m["irregular_share"] >= IRREGULAR_SHARE
    )


def _shapeless(m: dict[str, float]) -> bool:
    """Is there no shape that comes back, no order and no narrow QRS, but one fast wave beside the other?"""
    fast = VF_FASTEST_HZ[0] <= m.get("dominant_hz", math.nan) <= VF_FASTEST_HZ[1]
    waves = m.get("leakage", math.nan) < LEAKAGE_LOW and m.get("size", math.nan) >= VF_MIN_MV
    disorder = m["irregularity"] > IRREGULAR and m["irregular_share"] >= IRREGULAR_SHARE
    return unsure(m) and disorder and fast and waves and m.get("smoothness", math.nan) >= VF_SMOOTH


def name(m: dict[str, float], p_upright: bool) -> str:
    """The first rhythm of the table that the measures bear out, one of `arrhythmia.NAMES`.

    Parameters
    ----------
    m : the measures, those of `rhythm_measures` and `atrial`; what is not there is unknown
    p_upright : P is positive in II
    """

    def at(key: str) -> float:
        return m.get(key, math.nan)  # NaN meets no threshold

    size, hz = at("size"), at("dominant_hz")
    if m["beats"] == 0 and at("activity_mv") < QUIET_MV:
        return "asystole" if at("live_mv") >= LIVE_MV else "unknown"
    chaotic = at("leakage") < (LEAKAGE_LOW if size < LOW_MV else LEAKAGE_HIGH) and size >= VF_MIN_MV
    if unsure(m) and chaotic and VF_BAND_HZ[0] <= hz <= VF_BAND_HZ[1]:
        alike = at("organisation") >= ORGANISED and at("concentration") >= CONCENTRATION
        return "ventricular_tachycardia" if alike else "ventricular_fibrillation"
    if max(at("paced_share"), at("paced_atrium_share")) >= PACED_SHARE:
        return "paced"
    if broad_chaos(m) and at("leakage") < LEAKAGE_LOW and VF_FASTEST_HZ[0] <= hz <= VF_FASTEST_HZ[1]:
        return "ventricular_fibrillation"
    if _shapeless(m):
        return "ventricular_fibrillation"
    if m["beats"] < 3:
        return "unknown"
    rate, wide, coherent = at("rate_bpm"), at("wide") >= WIDE_MS, at("p_coherence")
    irregular = at("irregularity") > IRREGULAR and at("irregular_share") >= IRREGULAR_SHARE
    upright = PR_S[0] <= at("pr") <= PR_S[1] and p_upright
    conducted = upright and not coherent < P_CLEAR
    one_wave = at("concentration") >= CONCENTRATION and at("smoothness") >= SMOOTH
    one_wave = one_wave and not at("wide") < NARROW_MS and (not irregular or at("organisation") >= ORGANISED)
    broad = wide and not irregular and not (conducted and at("pr") >= PR_WIDE_S)
    every = m["dominant_share"] >= SAME_SHARE and at("p_share") >= P_EVERY and at("pr") >= PR_WIDE_S
    if ((one_wave and rate >= RUN_BPM) or (broad and rate >= VT_BPM)) and not (conducted and every):
        return "ventricular_tachycardia"
    # RR of one and the same length are a multiple of something soon: then the waves must be the more alike.
    varied = at("rr_max_s") - at("rr_min_s") > HALF_CYCLE_S / at("flutter_bpm")
    alike = at("flutter_match") >= (FLUTTER_MATCH if varied else FLUTTER_MATCH_FIXED)
    if (
        alike
        and at("flutter_ratio") >= FLUTTER_RATIO
        and FLUTTER_BPM[0] <= at("flutter_bpm") <= FLUTTER_BPM[1]
    ):
        return "atrial_flutter"
    weak = coherent < P_CLEAR and not upright and at("fibrillatory_share") >= F_SHARE
    if irregular and (coherent < P_NONE or weak):
        return "atrial_fibrillation"
    if conducted and (not irregular or coherent >= P_REGULAR):
        return "sinus"
    if irregular:
        return "irregular"
    if wide or m["dominant_share"] < DOUBTFUL_SHARE:
        return "unknown"
    if rate >= SVT_BPM:
        return "supraventricular_tachycardia"
    return "junctional_or_unknown" if rate <= JUNCTIONAL_BPM else "unknown"
