"""Cases of conduction and of the mimics."""

from typing import Any, Final

import numpy as np

from greenchannel.signal.measurements import MedianBeat
from greenchannel.triage.finding import Patient, Tier
from tests.rule_cases.kinds import MAN, Given, Probe, RuleCase
from tests.triage_measurements import measured

YOUNG: Final = Patient(age_years=25, sex="male")
WOMAN: Final = Patient(age_years=61, sex="female")
FEW: Final = {"q_mv": 0.0, "r_mv": 0.2, "s_mv": -1.0, "t_mv": 0.3, "s2_mv": 0.0, "r2_mv": 0.0}


def given(patient: Patient = MAN, **made: Any) -> Given:
    """A recording of this patient."""
    return Given(made=measured(**made), patient=patient)


def paced(share: float) -> Given:
    """Spikes before this share of the beats."""
    return given(qrs_ms=150.0, rhythm={"name": "paced", "paced_share": share})


def slurred(delta_ms: float) -> MedianBeat:
    """A beat that begins slowly for so long, then rises steeply."""
    samples = np.zeros((12, 400), dtype=np.float32)
    on, slow = 150, round(delta_ms / 2) + 1
    rise = np.concatenate([0.005 * np.arange(1, slow + 1), 0.005 * slow + 0.08 * np.arange(1, 16)])
    samples[:, on + 1 : on + 1 + rise.size] = rise
    samples[:, on + 1 + rise.size : on + 16 + rise.size] = np.linspace(float(rise[-1]), 0.0, 15)
    return MedianBeat(rate_hz=500.0, samples_mv=samples, qrs_on_s=on / 500, qrs_off_s=(on + 70) / 500)


def preexcited(pr_ms: float = 100.0, delta_ms: float = 40.0, qrs_ms: float = 116.0) -> Given:
    """Short PR, slow beginning, widened QRS."""
    return given(pr_ms=pr_ms, qrs_ms=qrs_ms, median=slurred(delta_ms))


def left(
    qrs_ms: float = 150.0, s_over_r: float = 5.0, r_ms: float = 90.0, q_uv: float = 0.0, leads: int = 4,
    notched: bool = False, sex: str = "male",
) -> Given:  # fmt: skip
    """rS in V1, broad R without q in so many left leads."""
    broad = {
        "q_mv": -q_uv / 1000,
        "q_ms": 10.0,
        "r_mv": 1.0,
        "s_mv": 0.0,
        "r_ms": r_ms,
        "r2_mv": 0.4 if notched else 0.0,
        "r2_ms": 0.0,
    }
    waves = dict.fromkeys(("I", "aVL", "V5", "V6")[: int(leads)], broad)
    return given(
        Patient(age_years=61, sex=sex),
        qrs_ms=qrs_ms,
        waves=waves | {"V1": {"q_mv": 0.0, "r_mv": 0.2, "s_mv": -0.2 * s_over_r, "r2_mv": 0.0}},
    )


def right(
    qrs_ms: float = 140.0,
    r2_uv: float = 500.0,
    r_peak_ms: float = 90.0,
    s_ms: float = 60.0,
    depth_uv: float = 90.0,
) -> Given:
    """R′ in V1, broad S in I and V6."""
    left_lead = {"q_mv": 0.0, "r_mv": 1.0, "s_mv": -0.3, "s_ms": s_ms, "s2_ms": 0.0}
    return given(
        qrs_ms=qrs_ms,
        waves={
            "V1": {
                "q_mv": 0.0,
                "r_mv": 0.05,
                "s_mv": -depth_uv / 1000,
                "r2_mv": r2_uv / 1000,
                "r_peak_ms": r_peak_ms,
            },
            "I": left_lead,
            "V6": left_lead,
        },
    )


def large(patient: Patient = MAN, **waves: dict[str, Any]) -> Given:
    """Voltages, each the only large one."""
    return given(patient, waves={lead: FEW | fields for lead, fields in waves.items()})


def anterior(share: float = 0.3, leads: int = 3, t_uv: float = 0.0) -> Given:
    """Elevation of V2 and V3 (and V1 as the third) with LVH by aVL; STJ as this share of R + S."""
    s_mv = 0.4 / share - 0.2
    lead = FEW | {"s_mv": -s_mv, "t_mv": -t_uv / 1000 if t_uv else 0.5}
    names = ("V2", "V3", "V1")[: int(leads)]
    return given(
        stj_mv=dict.fromkeys(names, 0.4),
        waves=dict.fromkeys(names, lead)
        | {"aVL": FEW | {"r_mv": 1.2, "s_mv": 0.0}, "V4": FEW | {"s_mv": -0.1}},
    )


def notched(jp_uv: float = 150.0, qrs_ms: float = 90.0, lad4_score: float = 10.0) -> Given:
    """Concave inferior elevation with notches; QT chosen for the score of the LAD formula."""
    qt_ms = (lad4_score - 1.062 * 0.0 + 0.151 * 10.0 + 0.268 * 10.0) / 0.052
    wave = {"jp_mv": jp_uv / 1000, "st_below_chord_mv": 0.05}
    return given(
        stj_mv=dict.fromkeys(("II", "III", "aVF"), 0.2),
        qrs_ms=qrs_ms,
        qtc_bazett_ms=qt_ms,
        qt_ms=qt_ms,
        waves=dict.fromkeys(("II", "III", "aVF"), wave)
        | {"V2": {"qrs_pp_mv": 1.0}, "V3": {"st60_mv": 0.0}, "V4": {"r_mv": 1.0}},
    )


def inflamed(
    ste_uv: float = 120.0, leads: float = 6, depth_uv: float = 0.0, pr_uv: float = 80.0, pr_leads: float = 2,
    st_t: float = 0.1, low: str = "aVL",
) -> Given:  # fmt: skip
    """Concave elevation of so many leads, II over III."""
    high = ("V5", "V4", "aVF", "I", "V3", "V2", "V6")[: int(leads) - 1]
    levels = {"II": 0.2} | dict.fromkeys(high, ste_uv / 1000) | {"V1": -0.1, "III": 0.0}
    waves: dict[str, dict[str, Any]] = {lead: {"st_below_chord_mv": 0.05} for lead in levels}
    for lead in ("II", "V5", "V4")[: int(pr_leads)]:
        waves[lead] = waves[lead] | {"baseline_tp_mv": pr_uv / 1000}
    levels["V6"] = 0.04
    waves["V6"] = {"t_mv": 0.04 / st_t, "st_below_chord_mv": -0.05}
    if depth_uv:
        levels[low] = -depth_uv / 1000
    return given(stj_mv=levels, waves=waves)


def coved(stj_uv: float = 250.0, t_mv: float = -0.3) -> Given:
    """Coved V1 and V2."""
    wave = {"st40_mv": 0.15, "st80_mv": 0.05, "t_mv": t_mv}
    return given(stj_mv={"V1": stj_uv / 1000, "V2": stj_uv / 1000}, waves={"V1": wave, "V2": wave})


def saddle(r2_uv: float = 300.0, base_ms: float = 200.0, depth_uv: float = 500.0) -> Given:
    """R′ in V1 whose falling side is so gentle that the triangle, so deep below its peak, has this base."""
    samples = np.zeros((12, 500), dtype=np.float64)
    # Straight sides: up by 0.05 mV a sample; down so that both together make the base.
    fall = depth_uv / 1000 / (base_ms / 2 - depth_uv / 1000 / 0.05)
    peak = 190
    samples[6, peak - 10 : peak + 1] = 0.3 - 0.05 * np.arange(10, -1, -1)
    samples[6, peak : peak + 60] = 0.3 - fall * np.arange(60)
    beat = MedianBeat(rate_hz=500.0, samples_mv=samples.astype(np.float32), qrs_on_s=0.3, qrs_off_s=0.4)
    return given(median=beat, waves={"V1": {"r2_mv": r2_uv / 1000}})


def doubtful(age_years: float = 40.0, pain: bool | None = False, signs: int = 3) -> Given:
    """An inferior elevation without pain, with nothing reciprocal, in somebody young."""
    waves = {lead: {"st_below_chord_mv": 0.05} for lead in ("II", "III", "aVF")} if signs > 3 else {}
    levels = dict.fromkeys(("II", "III", "aVF"), 0.3) | ({"aVL": -0.1} if signs < 3 else {})
    return given(Patient(age_years=age_years, sex="male", chest_pain=pain), stj_mv=levels, waves=waves)


CASES: Final[tuple[RuleCase, ...]] = (
    RuleCase(
        rule="MIM-PACE",
        fires=paced(0.9),
        tier=Tier.FLAG,
        misses={
            "a paced atrium": given(rhythm={"name": "paced", "paced_share": 0.0, "paced_atrium_share": 1.0})
        },
        probes=(Probe(number="share", at=paced, step=0.01),),
    ),
    RuleCase(
        rule="MIM-WPW",
        fires=preexcited(),
        tier=Tier.URG,
        misses={"no delta wave": preexcited(delta_ms=0.0)},
        probes=(
            Probe(number="pr_ms", at=lambda ms: preexcited(pr_ms=ms), fires_from=False, fires_at=False),
            Probe(number="delta_ms", at=lambda ms: preexcited(delta_ms=ms), step=2.0),
            Probe(number="qrs_ms", at=lambda ms: preexcited(qrs_ms=ms), fires_at=False),
        ),
    ),
    RuleCase(
        rule="MIM-LBBB",
        fires=left(),
        tier=Tier.FLAG,
        misses={"narrow": left(qrs_ms=118.0), "R in V1": left(s_over_r=0.5)},
        probes=(
            Probe(number="s_over_r", at=lambda ratio: left(s_over_r=ratio), fires_at=False, step=0.01),
            Probe(number="r_ms", at=lambda ms: left(r_ms=ms)),
            Probe(number="q_uv", at=lambda uv: left(q_uv=uv), fires_from=False, fires_at=False),
            Probe(number="leads", at=lambda leads: left(leads=int(leads))),
            Probe(number="qrs_ms", at=lambda ms: left(qrs_ms=ms)),
            Probe(number="strict_male_ms", at=lambda ms: left(qrs_ms=ms, notched=True), said="strict"),
            Probe(
                number="strict_female_ms",
                at=lambda ms: left(qrs_ms=ms, notched=True, sex="female"),
                said="strict",
            ),
        ),
    ),
    RuleCase(
        rule="MIM-RBBB",
        fires=right(),
        tier=Tier.FLAG,
        misses={"narrow": right(qrs_ms=118.0)},
        probes=(
            Probe(number="qrs_ms", at=lambda ms: right(qrs_ms=ms)),
            Probe(number="r2_uv", at=lambda uv: right(r2_uv=uv)),
            Probe(
                number="r_over_s",
                at=lambda ratio: right(r2_uv=500.0 * ratio, depth_uv=500.0),
                fires_at=False,
                step=0.01,
            ),
            Probe(number="r_peak_ms", at=lambda ms: right(r_peak_ms=ms)),
            Probe(number="s_ms", at=lambda ms: right(s_ms=ms)),
        ),
    ),
    RuleCase(
        rule="MIM-LVH",
        fires=large(V1={"s_mv": -2.0}, V5={"r_mv": 2.0}),
        tier=Tier.FLAG,
        misses={
            "Sokolow in the young": large(YOUNG, V1={"s_mv": -2.0}, V5={"r_mv": 2.0}),
            "Sokolow at unknown age": large(Patient(sex="male"), V1={"s_mv": -2.0}, V5={"r_mv": 2.0}),
            "a man by a woman's Cornell": large(aVL={"r_mv": 1.0}, V3={"s_mv": -1.5}),
        },
        probes=(
            Probe(number="sokolow_uv", at=lambda uv: large(V1={"s_mv": -1.0}, V5={"r_mv": uv / 1000 - 1.0})),
            Probe(
                number="sokolow_from_years",
                at=lambda years: large(
                    Patient(age_years=years, sex="male"), V1={"s_mv": -2.0}, V5={"r_mv": 2.0}
                ),
            ),
            Probe(number="ravl_uv", at=lambda uv: large(aVL={"r_mv": uv / 1000})),
            Probe(
                number="cornell_male_uv",
                at=lambda uv: large(aVL={"r_mv": 1.0}, V3={"s_mv": 1.0 - uv / 1000}),
                fires_at=False,
            ),
            Probe(
                number="cornell_female_uv",
                at=lambda uv: large(WOMAN, aVL={"r_mv": 1.0}, V3={"s_mv": 1.0 - uv / 1000}),
                fires_at=False,
            ),
            Probe(
                number="peguero_male_uv", at=lambda uv: large(V2={"s_mv": 1.0 - uv / 1000}, V4={"s_mv": -1.0})
            ),
            Probe(
                number="peguero_female_uv",
                at=lambda uv: large(WOMAN, V2={"s_mv": 1.0 - uv / 1000}, V4={"s_mv": -1.0}),
            ),
            Probe(
                number="share",
                at=lambda share: anterior(share=share),
                fires_from=False,
                fires_at=False,
                step=0.001,
                lowers_ste_1=True,
            ),
            Probe(
                number="leads",
                at=lambda leads: anterior(leads=int(leads)),
                fires_from=False,
                fires_at=False,
                lowers_ste_1=True,
            ),
            Probe(
                number="t_uv",
                at=lambda uv: anterior(leads=2, t_uv=uv),
                fires_from=False,
                fires_at=False,
                lowers_ste_1=True,
            ),
        ),
    ),
    RuleCase(
        rule="MIM-ER",
        fires=notched(),
        tier=Tier.FLAG,
        misses={"no notch": given(stj_mv={"II": 0.2, "aVF": 0.2})},
        probes=(
            Probe(number="jp_uv", at=lambda uv: notched(jp_uv=uv)),
            Probe(number="qrs_ms", at=lambda ms: notched(qrs_ms=ms), fires_from=False, fires_at=False),
            Probe(
                number="lad4",
                at=lambda score: notched(lad4_score=score),
                fires_from=False,
                fires_at=False,
                step=0.01,
                lowers_ste_1=True,
            ),
        ),
    ),
    RuleCase(
        rule="MIM-PERI",
        fires=inflamed(st_t=0.5),
        tier=Tier.FLAG,
        misses={
            "III over II": Given(
                made=measured({**dict.fromkeys(("II", "V5", "V4", "aVF", "I", "V3"), 0.12), "III": 0.2})
            ),
            "no PR depression": inflamed(pr_leads=0, st_t=0.5),
        },
        probes=(
            Probe(number="ste_uv", at=lambda uv: inflamed(ste_uv=uv)),
            Probe(number="leads", at=lambda leads: inflamed(leads=leads)),
            Probe(
                number="depth_uv",
                at=lambda uv: inflamed(depth_uv=uv, low="V3"),
                fires_from=False,
                fires_at=False,
            ),
            Probe(number="avl_uv", at=lambda uv: inflamed(depth_uv=uv), fires_from=False, fires_at=False),
            Probe(number="pr_depression_uv", at=lambda uv: inflamed(pr_uv=uv)),
            Probe(number="pr_leads", at=lambda leads: inflamed(pr_leads=leads)),
            Probe(number="st_t_ratio", at=lambda ratio: inflamed(st_t=ratio), step=0.001, said="ST/T in V6"),
        ),
    ),
    RuleCase(
        rule="MIM-BRUG",
        fires=coved(),
        tier=Tier.URG,
        misses={"T upright": coved(t_mv=0.3)},
        probes=(
            Probe(number="stj_uv", at=coved),
            Probe(number="r2_uv", at=lambda uv: saddle(r2_uv=uv)),
            Probe(number="base_ms", at=lambda ms: saddle(base_ms=ms), step=4.0),
            Probe(
                number="depth_uv",
                at=lambda uv: saddle(base_ms=140.0 * 500.0 / uv),
                fires_from=False,
                step=20.0,
            ),
        ),
    ),
    RuleCase(
        rule="MIM-TACHY",
        fires=given(heart_rate_bpm=140.0),
        tier=Tier.FLAG,
        misses={"slower": given(heart_rate_bpm=120.0), "rate unknown": given(heart_rate_bpm=None)},
        probes=(Probe(number="rate_bpm", at=lambda bpm: given(heart_rate_bpm=bpm)),),
    ),
    RuleCase(
        rule="MIM-CLIN",
        fires=doubtful(),
        tier=Tier.FLAG,
        misses={"pain": doubtful(pain=True), "no elevation": given(YOUNG)},
        probes=(
            Probe(
                number="age_years",
                at=lambda years: doubtful(age_years=years),
                fires_from=False,
                fires_at=False,
            ),
            Probe(number="signs", at=lambda signs: doubtful(signs=int(signs))),
        ),
    ),
)
