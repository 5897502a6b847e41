"""Cases of the equivalents of the anterior wall, and of the aneurysm that imitates them."""

from typing import Any, Final

from greenchannel.triage.finding import Patient, Tier
from tests.rule_cases.kinds import MAN, Given, Probe, RuleCase
from tests.rule_cases.t_waves import triangle
from tests.triage_measurements import measured

Wave = dict[str, Any]
_KEPT: Final[Wave] = {"q_mv": 0.0, "q_ms": 0.0, "r_mv": 0.5, "s_mv": -1.0}


def _type_a(
    high_uv: float = 100.0,
    low_uv: float = -150.0,
    stj_uv: float = 20.0,
    qrs: Wave | None = None,
    **more: Wave,
) -> Given:
    t = {"t_high_mv": high_uv / 1000, "t_low_mv": low_uv / 1000, "t_low_last": True}
    wave = _KEPT | t | (qrs or {})
    levels = {"V2": stj_uv / 1000, "V3": stj_uv / 1000}
    return Given(made=measured(levels, waves={"V2": wave, "V3": wave} | more))


def _type_b(depth_uv: float = 400.0, skew: float = 1.0) -> Given:
    t_mv = -depth_uv / 1000
    wave = _KEPT | {"t_mv": t_mv, "t_high_mv": 0.0, "t_low_mv": t_mv}
    return Given(
        made=measured(
            {}, waves={"V2": wave, "V3": wave}, median=triangle(skew, leads={"V2": t_mv, "V3": t_mv})
        )
    )


def _embolism(depth_uv: float) -> Given:
    inverted = {"t_mv": -depth_uv / 1000}
    return _type_a(V1=inverted, III=inverted)


WELLENS: Final = RuleCase(
    rule="EQV-WELLENS",
    fires=_type_a(),
    tier=Tier.URG,
    misses={
        "V2 alone": Given(
            made=measured({}, waves={"V2": _KEPT | {"t_high_mv": 0.1, "t_low_mv": -0.2, "t_low_last": True}})
        ),
        "QS": _type_a(qrs={"q_mv": -1.0, "r_mv": 0.0, "s_mv": 0.0}),
        "positive last": _type_a(qrs={"t_low_last": False}),
        "left ventricular hypertrophy": _type_a(aVL={"r_mv": 1.3}),
    },
    probes=(
        Probe(number="first_uv", at=lambda uv: _type_a(high_uv=uv)),
        Probe(number="last_uv", at=lambda uv: _type_a(low_uv=-uv)),
        Probe(number="deep_uv", at=_type_b),
        Probe(number="t_skew", at=lambda skew: _type_b(skew=skew), fires_from=False, step=0.001),
        Probe(number="ste_uv", at=lambda uv: _type_a(stj_uv=uv), fires_from=False, fires_at=False),
        Probe(number="r_uv", at=lambda uv: _type_a(qrs={"r_mv": uv / 1000})),
        Probe(
            number="q_ms",
            at=lambda ms: _type_a(qrs={"q_mv": -0.1, "q_ms": ms}),
            fires_from=False,
            fires_at=False,
        ),
        Probe(number="embolism_t_uv", at=_embolism, fires_from=False, fires_at=False),
    ),
)


def distorted(v2_uv: float = 150.0, *, v3_uv: float = 0.0, **wave: Any) -> Given:
    """V2 elevated behind an R without S and notch."""
    v2 = {"q_mv": 0.0, "r_mv": 0.8, "s_mv": 0.0} | wave
    return Given(made=measured({"V2": v2_uv / 1000, "V3": v3_uv / 1000}, waves={"V2": v2}))


DISTORTED: Final = RuleCase(
    rule="EQV-TQRSD",
    fires=distorted(),
    tier=Tier.URG,
    misses={
        "an S": distorted(s_mv=-0.1),
        "a notch": distorted(jp_mv=0.2),
        "QS": distorted(q_mv=-0.9, r_mv=0.0),
        "QRS not measured": distorted(r_mv=None, s_mv=None, q_mv=None),
    },
    probes=(Probe(number="ste_uv", at=distorted),),
)


def subtle(
    *,
    st60_mm: float = 2.0,
    qtc_ms: float = 420.0,
    qrs_v2_mm: float | None = 15.0,
    r_v4_mm: float = 10.0,
    stj_uv: dict[str, float] | None = None,
    v3: Wave | None = None,
    avl: Wave | None = None,
    **whole: Any,
) -> Given:
    """The inputs of the LAD formulas; V2 just elevated."""
    levels = {"V2": 120.0} | (stj_uv or {})
    waves: dict[str, Wave] = {
        "V2": {"qrs_pp_mv": None if qrs_v2_mm is None else qrs_v2_mm / 10},
        "V3": {"st60_mv": st60_mm / 10} | (v3 or {}),
        "V4": {"r_mv": r_v4_mm / 10},
        "aVL": avl or {},
    }
    known = {"qt_ms": 380.0, "qtc_bazett_ms": qtc_ms} | whole
    return Given(made=measured({lead: uv / 1000 for lead, uv in levels.items()}, waves=waves, **known))


def _lad4(score: float) -> Given:
    """QTc so that the formula gives this."""
    return subtle(qtc_ms=(score - 1.062 * 2 + 0.151 * 15 + 0.268 * 10) / 0.052)


LAD4: Final = RuleCase(
    rule="EQV-LAD4",
    fires=subtle(),
    tier=Tier.URG,
    misses={
        "the golden negative": subtle(st60_mm=2.5, qtc_ms=390, qrs_v2_mm=25, r_v4_mm=20),
        "left ventricular hypertrophy": subtle(avl={"r_mv": 1.3}),
        "wide QRS": subtle(qrs_ms=130.0),
        "distorted QRS": subtle(stj_uv={"V3": 120.0}, v3={"q_mv": 0.0, "r_mv": 0.8, "s_mv": 0.0}),
        "QS in V3": subtle(v3={"q_mv": -1.0, "r_mv": 0.0, "s_mv": 0.0}),
        "T ends inverted": subtle(v3={"t_low_mv": -0.15}),
    },
    probes=(
        Probe(number="score", at=_lad4, step=0.001),
        Probe(number="act_score", at=_lad4, step=0.001, tier=Tier.ACT),
        Probe(
            number="uncorrected_bpm",
            at=lambda bpm: subtle(qt_ms=430.0, qtc_ms=300.0, heart_rate_bpm=bpm),
            fires_from=False,
            fires_at=False,
        ),
        Probe(number="ste_uv", at=lambda uv: subtle(stj_uv={"V2": uv})),
        Probe(number="high_uv", at=lambda uv: subtle(stj_uv={"V1": uv}), fires_from=False, fires_at=False),
        Probe(number="depth_uv", at=lambda uv: subtle(stj_uv={"aVF": -uv}), fires_from=False, fires_at=False),
        Probe(
            number="convex_uv",
            at=lambda uv: subtle(v3={"st_below_chord_mv": -uv / 1000}),
            fires_from=False,
            fires_at=False,
        ),
        Probe(number="t_uv", at=lambda uv: subtle(v3={"t_mv": -uv / 1000}), fires_from=False, fires_at=False),
    ),
)

LAD3: Final = RuleCase(
    rule="EQV-LAD3",
    fires=subtle(),
    tier=Tier.URG,
    misses={
        "the golden negative": subtle(st60_mm=2, qtc_ms=400, qrs_v2_mm=12, r_v4_mm=8),
        "the gate": subtle(stj_uv={"aVF": -60.0}),
    },
    probes=(
        Probe(
            number="score",
            at=lambda score: subtle(qtc_ms=(score - 1.196 * 2 + 0.326 * 10) / 0.059, qrs_v2_mm=None),
            step=0.001,
        ),
    ),
)

SIMPLE: Final = RuleCase(
    rule="EQV-SIMPLE",
    fires=subtle(qrs_v2_mm=10.0),
    tier=Tier.FLAG,
    misses={"tall QRS": subtle(qrs_v2_mm=20.0), "the gate": subtle(qrs_v2_mm=10.0, stj_uv={"V5": -60.0})},
    probes=(
        Probe(
            number="score",
            at=lambda score: subtle(qrs_v2_mm=score - 10 + 380 / 40 + 2),
            fires_from=False,
            fires_at=False,
            step=0.001,
        ),
    ),
)

_QS: Final[Wave] = {"q_mv": -1.2, "r_mv": 0.0, "s_mv": 0.0, "qrs_pp_mv": 1.2}
_RS: Final[Wave] = {"q_mv": 0.0, "r_mv": 0.3, "s_mv": -0.9, "qrs_pp_mv": 1.2}
_SCAR_LEADS: Final = ("V1", "V2", "V3", "V4")


def scarred(
    t_over_qrs: float = 0.1,
    *,
    v2_t_over_qrs: float | None = None,
    count: float = 4,
    patient: Patient = MAN,
    **more_mv: float,
) -> Given:
    """V1 to V4 elevated, the first `count` of them QS, T so much of QRS."""
    waves = {
        lead: (_QS if number < count else _RS) | {"t_mv": t_over_qrs * 1.2}
        for number, lead in enumerate(_SCAR_LEADS)
    }
    if v2_t_over_qrs is not None:
        waves["V2"] |= {"t_mv": v2_t_over_qrs * 1.2}
    return Given(made=measured(dict.fromkeys(_SCAR_LEADS, 0.25) | more_mv, waves=waves), patient=patient)


def _hours(onset_h: float) -> Given:
    return scarred(patient=Patient(age_years=61, sex="male", onset_h=onset_h))


ANEURYSM: Final = RuleCase(
    rule="EQV-LVA",
    fires=scarred(),
    tier=Tier.FLAG,
    misses={
        "acute": scarred(0.5),
        "no elevation": Given(made=measured({}, waves=dict.fromkeys(_SCAR_LEADS, _QS | {"t_mv": 0.1}))),
        "T of one lead unknown": Given(
            made=measured(
                dict.fromkeys(_SCAR_LEADS, 0.25),
                waves=dict.fromkeys(_SCAR_LEADS[:3], _QS | {"t_mv": 0.1}) | {"V4": _QS},
            )
        ),
    },
    probes=(
        Probe(number="leads", at=lambda count: scarred(count=count)),
        Probe(number="sum_ratio", at=scarred, fires_from=False, step=0.001),
        Probe(
            number="any_ratio",
            at=lambda share: scarred(0.0, v2_t_over_qrs=share),
            fires_from=False,
            fires_at=False,
            step=0.001,
        ),
        Probe(number="onset_h", at=_hours, fires_from=False),
        Probe(number="sum_ratio", at=scarred, fires_from=False, step=0.001, lowers_ste_1=True),
    ),
)

CASES: Final[tuple[RuleCase, ...]] = (WELLENS, DISTORTED, LAD4, LAD3, SIMPLE, ANEURYSM)
