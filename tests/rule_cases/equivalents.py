"""Cases of the equivalents of ST elevation."""

from typing import Any, Final

from greenchannel.signal.leads import STANDARD_18
from greenchannel.triage.finding import Patient, Tier
from tests.rule_cases.kinds import MAN, Given, Probe, RuleCase
from tests.rule_cases.t_waves import triangle
from tests.triage_measurements import measured

Waves = dict[str, dict[str, Any]]
_ENDS_DOWN: Final = {"t_high_mv": 0.1, "t_low_mv": -0.2, "t_low_last": True}


def _front(v2_uv: float, *, t_uv: float = 300.0, v5_uv: float | None = None, **whole: Any) -> Given:
    """V2 and V3 depressed under an upright T; without `v5_uv` V5 as deep, so that the upright T decides."""
    t = {"t_high_mv": t_uv / 1000, "t_low_mv": v2_uv / 1000, "st_slope_mv": 0.1}
    beside = v2_uv if v5_uv is None else v5_uv
    levels = {"V2": v2_uv / 1000, "V3": v2_uv / 1000, "V5": beside / 1000}
    waves: Waves = {"V2": t | whole.pop("v2", {}), "V3": t | whole.pop("v3", {}), "V1": whole.pop("v1", {})}
    return Given(made=measured(levels, waves=waves, **whole))


def _deepest(v2_uv: float, v5_uv: float = 0.0) -> Given:
    """V2 and V3 depressed, T unknown."""
    return Given(
        made=measured({"V2": v2_uv / 1000, "V3": v2_uv / 1000, "V5": v5_uv / 1000, "V6": v5_uv / 1000})
    )


def _horizontal(v2_uv: float, slope_uv: float = 0.0) -> Given:
    slope = {"st_slope_mv": slope_uv / 1000}
    return _front(v2_uv, v2=slope, v3=slope)


def _some_of_v1_v3(count: float) -> Given:
    leads = ("V1", "V2", "V3")[: int(count)]
    waves: Waves = {lead: {"t_high_mv": 0.3} for lead in leads}
    levels = dict.fromkeys(leads, -0.06) | {"V5": -0.06}
    return Given(made=measured(levels, waves=waves))


def _right_heart(r_mv: float = 0.8, s_mv: float = -0.2, axis_deg: float = 110.0) -> Given:
    v1 = {"r_mv": r_mv, "s_mv": s_mv, "q_mv": 0.0}
    return _front(-60, v1=v1, axis_deg=axis_deg)


POSTERIOR: Final = RuleCase(
    rule="EQV-POST",
    fires=_front(-60),
    tier=Tier.URG,
    misses={
        "T ends inverted": Given(
            made=measured(
                {"V2": -0.06, "V3": -0.06, "V5": -0.06},
                waves={"V2": _ENDS_DOWN, "V3": _ENDS_DOWN},
            )
        ),
        "one lead": _some_of_v1_v3(1),
        "deepest in V5": _deepest(-60, -90),
        "paced": _front(-60, rhythm={"paced_share": 1.0}),
        "V7 to V9 alone": Given(made=measured({"V8": 0.06, "V9": 0.06}, leads=STANDARD_18)),
    },
    probes=(
        Probe(number="depth_uv", at=lambda uv: _front(-uv)),
        Probe(number="depth_uv", at=lambda uv: _deepest(-uv)),
        Probe(number="leads", at=_some_of_v1_v3),
        Probe(number="t_uv", at=lambda uv: _front(-60, t_uv=uv)),
        Probe(number="margin_uv", at=lambda uv: _deepest(-100, -100 + uv)),
        Probe(number="deep_uv", at=lambda uv: _horizontal(-uv), tier=Tier.ACT),
        Probe(number="slope_uv", at=lambda uv: _horizontal(-120, uv), tier=Tier.ACT, fires_from=False),
        Probe(number="slope_uv", at=lambda uv: _horizontal(-120, -uv), tier=Tier.ACT, fires_from=False),
        Probe(number="rate_bpm", at=lambda bpm: _front(-60, heart_rate_bpm=bpm), fires_from=False),
        Probe(number="rvh_r_uv", at=lambda uv: _right_heart(uv / 1000), fires_from=False, fires_at=False),
        Probe(number="rvh_r_over_s", at=lambda r: _right_heart(s_mv=-0.8 / r), fires_from=False, step=0.01),
        Probe(
            number="support_r_over_s",
            at=lambda ratio: _front(-60, v2={"q_mv": 0.0, "r_mv": 0.5 * ratio, "s_mv": -0.5}),
            fires_at=False,
            step=0.01,
            said="supports",
        ),
        Probe(number="support_r_ms", at=lambda ms: _front(-60, v2={"r_ms": ms}), said="supports"),
        Probe(number="rvh_axis_deg", at=lambda deg: _right_heart(axis_deg=deg), fires_from=False),
    ),
)


def _winter(
    stj_uv: float = -150.0,
    slope_uv: float = 80.0,
    t_mv: float = 0.7,
    pp_mv: float = 1.0,
    skew: float = 1.0,
    **whole: Any,
) -> Given:
    wave = {"st_slope_mv": slope_uv / 1000, "t_mv": t_mv, "qrs_pp_mv": pp_mv}
    beat = triangle(skew, leads={"V3": t_mv, "V4": t_mv})
    levels = {"V3": stj_uv / 1000, "V4": stj_uv / 1000}
    return Given(made=measured(levels, waves={"V3": wave, "V4": wave}, median=beat, **whole))


_RIGHT_BLOCK: Final[Waves] = {"V1": {"r_mv": 0.8, "r_peak_ms": 90.0}, "I": {"s_ms": 60.0}}
_ST_UP: Final = {"st_slope_mv": 0.08, "t_mv": 0.7, "qrs_pp_mv": 1.0}

DE_WINTER: Final = RuleCase(
    rule="EQV-DEWINTER",
    fires=_winter(),
    tier=Tier.ACT,
    misses={
        "paced": _winter(rhythm={"paced_share": 1.0}),
        "V2 and V3 behind a right bundle branch block": Given(
            made=measured(
                {"V2": -0.15, "V3": -0.15},
                waves=_RIGHT_BLOCK | {"V2": _ST_UP, "V3": _ST_UP},
                median=triangle(1.0, leads={"V2": 0.7, "V3": 0.7}),
                qrs_ms=140.0,
            )
        ),
    },
    probes=(
        Probe(number="depth_uv", at=lambda uv: _winter(stj_uv=-uv)),
        Probe(number="slope_uv", at=lambda uv: _winter(slope_uv=uv), fires_at=False),
        Probe(number="t_uv", at=lambda uv: _winter(t_mv=uv / 1000, pp_mv=0.6)),
        Probe(number="t_over_qrs", at=lambda share: _winter(pp_mv=0.7 / share), step=0.001),
        Probe(number="t_skew", at=lambda skew: _winter(skew=skew), fires_from=False, step=0.001),
    ),
)


def _hyperacute(
    j_mv: float = 0.5, t_mv: float = 1.2, pp_mv: float = 1.2, patient: Patient = MAN, **whole: Any
) -> Given:
    waves: Waves = {"V3": {"t_mv": t_mv, "qrs_pp_mv": pp_mv}}
    return Given(made=measured({"V3": j_mv}, waves=waves, **whole), patient=patient)


HYPERACUTE: Final = RuleCase(
    rule="EQV-HATW",
    fires=_hyperacute(),
    tier=Tier.URG,
    misses={
        "young": _hyperacute(patient=Patient(age_years=30, sex="male")),
        "T inverted": _hyperacute(t_mv=-1.2),
    },
    probes=(
        Probe(number="qrs_ms", at=lambda ms: _hyperacute(qrs_ms=ms), fires_from=False, fires_at=False),
        Probe(
            number="age_years",
            at=lambda years: _hyperacute(patient=Patient(age_years=years, sex="male")),
            fires_at=False,
        ),
        Probe(number="j_uv", at=lambda uv: _hyperacute(j_mv=uv / 1000, t_mv=1.0, pp_mv=1.0), fires_at=False),
        Probe(
            number="j_over_t",
            at=lambda share: _hyperacute(t_mv=0.5 / share, pp_mv=1.0),
            fires_at=False,
            step=0.001,
        ),
        Probe(
            number="t_over_qrs", at=lambda share: _hyperacute(pp_mv=1.2 / share), fires_at=False, step=0.001
        ),
    ),
)

_WIDESPREAD: Final = ("I", "II", "V3", "V4", "V5", "V6", "aVF", "aVL")


def _left_main(
    avr_uv: float = 150.0, depth_uv: float = 120.0, count: float = 6, patient: Patient = MAN, **whole: Any
) -> Given:
    levels = dict.fromkeys(_WIDESPREAD[: int(count)], -depth_uv / 1000)
    return Given(made=measured(levels | {"aVR": avr_uv / 1000}, **whole), patient=patient)


LEFT_MAIN: Final = RuleCase(
    rule="EQV-AVR",
    fires=_left_main(),
    tier=Tier.URG,
    misses={
        "five leads": _left_main(count=5),
        "pre-excited or paced": _left_main(rhythm={"paced_share": 1.0}),
    },
    probes=(
        Probe(number="ste_uv", at=lambda uv: _left_main(avr_uv=uv)),
        Probe(number="depth_uv", at=lambda uv: _left_main(depth_uv=uv)),
        Probe(number="leads", at=lambda count: _left_main(count=count)),
        Probe(
            number="systolic_mmhg",
            at=lambda mmhg: _left_main(patient=Patient(age_years=61, sex="male", systolic_mmhg=mmhg)),
            tier=Tier.ACT,
            fires_from=False,
            fires_at=False,
        ),
    ),
)


def _aslanger(v4_t_uv: float = 200.0, **levels_uv: float) -> Given:
    levels = {"III": 120.0, "V4": -60.0, "V1": 20.0} | levels_uv
    return Given(
        made=measured(
            {lead: uv / 1000 for lead, uv in levels.items()}, waves={"V4": {"t_high_mv": v4_t_uv / 1000}}
        )
    )


ASLANGER: Final = RuleCase(
    rule="EQV-ASLANGER",
    fires=_aslanger(),
    tier=Tier.URG,
    misses={
        "V2 over V1": _aslanger(V2=30.0),
        "aVF elevated": _aslanger(aVF=110.0),
        "no depression": _aslanger(V4=0.0),
    },
    probes=(
        Probe(number="ste_uv", at=lambda uv: _aslanger(III=uv)),
        Probe(number="ste_uv", at=lambda uv: _aslanger(II=uv), fires_from=False, fires_at=False),
        Probe(number="depth_uv", at=lambda uv: _aslanger(V4=-uv)),
        Probe(number="depth_uv", at=lambda uv: _aslanger(V2=-uv), fires_from=False, fires_at=False),
        Probe(number="t_uv", at=lambda uv: _aslanger(v4_t_uv=uv)),
    ),
)


def _flag(**levels_uv: float) -> Given:
    levels = {"aVL": 120.0, "I": 70.0, "V2": 120.0, "III": -70.0} | levels_uv
    return Given(made=measured({lead: uv / 1000 for lead, uv in levels.items()}))


SOUTH_AFRICAN: Final = RuleCase(
    rule="EQV-SAFLAG",
    fires=_flag(),
    tier=Tier.URG,
    misses={"III level": _flag(III=0.0), "V2 level": _flag(V2=0.0)},
    probes=(
        Probe(number="avl_uv", at=lambda uv: _flag(aVL=uv)),
        Probe(number="i_uv", at=lambda uv: _flag(I=uv)),
        Probe(number="v2_uv", at=lambda uv: _flag(V2=uv)),
        Probe(number="iii_uv", at=lambda uv: _flag(III=-uv)),
        Probe(number="deep_uv", at=lambda uv: _flag(III=-uv), tier=Tier.ACT),
    ),
)


def _swirl(
    v1_uv: float = 120.0, avr_uv: float = 70.0, depth_uv: float = 70.0, more: Waves | None = None
) -> Given:
    levels = {"V1": v1_uv, "aVR": avr_uv, "V5": -depth_uv, "V6": -depth_uv}
    return Given(made=measured({lead: uv / 1000 for lead, uv in levels.items()}, waves=more))


SWIRL: Final = RuleCase(
    rule="EQV-SWIRL",
    fires=_swirl(),
    tier=Tier.URG,
    misses={
        "left ventricular hypertrophy": _swirl(more={"aVL": {"r_mv": 1.3, "s_mv": 0.0}}),
        "EQV-AVR": Given(
            made=measured({"aVR": 0.15, "V1": 0.15} | dict.fromkeys(_WIDESPREAD[:6], -0.12)),
        ),
    },
    probes=(
        Probe(number="v1_uv", at=lambda uv: _swirl(v1_uv=uv)),
        Probe(number="avr_uv", at=lambda uv: _swirl(avr_uv=uv)),
        Probe(number="depth_uv", at=lambda uv: _swirl(depth_uv=uv)),
    ),
)

CASES: Final[tuple[RuleCase, ...]] = (
    POSTERIOR,
    DE_WINTER,
    HYPERACUTE,
    LEFT_MAIN,
    ASLANGER,
    SOUTH_AFRICAN,
    SWIRL,
)
