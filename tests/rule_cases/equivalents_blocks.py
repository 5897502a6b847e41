"""Cases of infarction within blocks and pacing."""

from typing import Any, Final

from greenchannel.triage.finding import Earlier, Patient, Tier
from tests.rule_cases.kinds import Given, Probe, RuleCase
from tests.triage_measurements import measured

Wave = dict[str, Any]
_DOWN: Final[Wave] = {"q_mv": 0.0, "r_mv": 0.1, "s_mv": -1.6}
_UP: Final[Wave] = {"q_mv": 0.0, "r_mv": 1.2, "r_ms": 110.0, "s_mv": 0.0}
_BLOCK: Final[dict[str, Wave]] = {
    "V1": _DOWN, "V2": _DOWN, "V3": _DOWN, "I": _UP, "aVL": _UP, "V5": _UP, "V6": _UP,
}  # fmt: skip


def left_block(
    levels_uv: dict[str, float], more: dict[str, Wave] | None = None, qrs_ms: float = 150.0
) -> Given:
    """A left bundle branch block with these J levels."""
    levels = {lead: uv / 1000 for lead, uv in levels_uv.items()}
    return Given(made=measured(levels, waves=_BLOCK | (more or {}), qrs_ms=qrs_ms))


_A: Final = left_block({"V6": 120.0})
_B: Final = left_block({"V2": -120.0})
_C: Final = left_block({"V2": 550.0})

SGARBOSSA: Final = RuleCase(
    rule="EQV-SGARB",
    fires=_A,
    tier=Tier.FLAG,
    misses={
        "discordant elevation alone": _C,
        "discordant depression": left_block({"V6": -200.0}),
        "narrow QRS": left_block({"V6": 120.0}, qrs_ms=100.0),
    },
    probes=(
        Probe(number="ste_uv", at=lambda uv: left_block({"V6": uv})),
        Probe(number="depth_uv", at=lambda uv: left_block({"V2": -uv})),
        Probe(number="high_uv", at=lambda uv: left_block({"V2": -120.0, "V3": uv}), said="b, c"),
        Probe(number="points", at=lambda points: _A if points >= 5 else _B if points >= 3 else _C, step=2.0),
    ),
    unprobed={
        "a_points": "a weight: see the tests of the score",
        "b_points": "a weight: see the tests of the score",
        "c_points": "a weight: see the tests of the score",
    },
)

_MODIFIED_MISSES: Final = {
    "the golden negative": left_block({"V2": 390.0}),
    "discordant depression": left_block({"V6": -200.0}),
    "narrow QRS": left_block({"V6": 120.0}, qrs_ms=100.0),
}

MODIFIED: Final = RuleCase(
    rule="EQV-MSC",
    fires=_A,
    tier=Tier.ACT,
    misses=_MODIFIED_MISSES,
    probes=(
        Probe(number="ste_uv", at=lambda uv: left_block({"V6": uv}), tier=Tier.ACT),
        Probe(number="ste_uv", at=lambda uv: left_block({"V4": uv}, {"V4": _DOWN | {"s_mv": -0.3}})),
        Probe(number="depth_uv", at=lambda uv: left_block({"V2": -uv}), tier=Tier.ACT),
        Probe(number="ratio", at=lambda share: left_block({"V2": 1600.0 * share}), step=0.001, tier=Tier.URG),
    ),
)

BARCELONA: Final = RuleCase(
    rule="EQV-BARC",
    fires=left_block({"V4": -120.0}, {"V4": _DOWN}),
    tier=Tier.URG,
    misses={
        "discordant beside a large QRS": left_block({"V2": 300.0, "V6": -200.0}),
        "QRS not measured": left_block({"V4": 120.0}),
    },
    probes=(
        Probe(number="deviation_uv", at=lambda uv: left_block({"V6": uv})),
        Probe(number="deviation_uv", at=lambda uv: left_block({"V4": -uv}, {"V4": _DOWN})),
        Probe(
            number="small_uv",
            at=lambda uv: left_block({"V4": 120.0}, {"V4": _DOWN | {"s_mv": -uv / 1000}}),
            fires_from=False,
        ),
    ),
)

_ILL: Final = Patient(age_years=61, sex="male", chest_pain=True)
_RIGHT: Final[dict[str, Wave]] = {"V1": {"r_mv": 0.8, "r_peak_ms": 90.0}, "I": {"s_ms": 60.0}}
_OLD: Final = Earlier(
    ecg_id="old", same_episode=False, age_days=400.0, tier=Tier.FLAG, stj_mv={}, rules=("MIM-RBBB",)
)


def bifascicular(
    axis_deg: float = -60.0,
    v5_uv: float = 80.0,
    patient: Patient = _ILL,
    earlier: tuple[Earlier, ...] = (),
    waves: dict[str, Wave] = _RIGHT,
) -> Given:
    """A right bundle branch block with this axis."""
    made = measured({"V5": v5_uv / 1000}, waves=waves, qrs_ms=140.0, axis_deg=axis_deg)
    return Given(made=made, patient=patient, earlier=earlier)


HEMIBLOCK: Final = RuleCase(
    rule="EQV-RBLA",
    fires=bifascicular(),
    tier=Tier.URG,
    misses={
        "no symptoms": bifascicular(patient=Patient(age_years=61, sex="male", symptoms=False)),
        "seen before": bifascicular(earlier=(_OLD,)),
        "no right bundle branch block": bifascicular(waves={}),
    },
    probes=(
        Probe(number="axis_from_deg", at=bifascicular, fires_from=False),
        Probe(number="axis_to_deg", at=bifascicular),
        Probe(number="ste_uv", at=lambda uv: bifascicular(v5_uv=uv)),
    ),
)

CASES: Final[tuple[RuleCase, ...]] = (SGARBOSSA, MODIFIED, BARCELONA, HEMIBLOCK)
