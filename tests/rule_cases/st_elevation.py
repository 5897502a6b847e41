"""Cases of quality, ST elevation, depression, Q waves and serial changes."""

from typing import Any, Final

from greenchannel.triage.finding import Earlier, Patient, Tier
from tests.rule_cases.kinds import Given, Probe, RuleCase
from tests.triage_measurements import measured

INFERIOR: Final = {"II": 0.3, "III": 0.3, "aVF": 0.3}


def earlier(stj_mv: dict[str, float], **more: Any) -> Earlier:
    """An earlier recording with 0 mV where nothing is said; of this episode and not read as acute."""
    levels = dict.fromkeys(("I", "II", "III", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"), 0.0) | stj_mv
    told: dict[str, Any] = {
        "ecg_id": "a",
        "same_episode": True,
        "age_days": 0.01,
        "tier": Tier.NONE,
        "rules": (),
    }
    return Earlier(stj_mv=levels, **(told | more))


def given(stj_mv: dict[str, float] | None = None, before: Earlier | None = None, **more: Any) -> Given:
    """A recording, and one before it."""
    return Given(made=measured(stj_mv, **more), earlier=() if before is None else (before,))


OLD: Final = {"same_episode": False, "age_days": 30.0, "tier": Tier.FLAG}


def chronic(age_days: float, offset_uv: float = 0.0) -> Given:
    """An elevation as high as in an ECG of another episode."""
    before = {lead: level + offset_uv / 1000 for lead, level in INFERIOR.items()}
    return given(INFERIOR, earlier(before, **(OLD | {"age_days": age_days})))


def depressed(depth_uv: float, slope_uv: float = 0.0, before: Earlier | None = None) -> Given:
    """Depression of V5 and V6."""
    waves = {lead: {"st_slope_mv": slope_uv / 1000} for lead in ("V5", "V6")}
    return given(dict.fromkeys(("V5", "V6"), -depth_uv / 1000), before, waves=waves)


def inverted(t_uv: float, r_over_s: float = 3.0) -> Given:
    """Inverted T in V5 and V6."""
    lead = {"t_mv": -t_uv / 1000, "r_mv": 0.3 * r_over_s, "s_mv": -0.3}
    return given(waves={"V5": lead, "V6": lead})


def q_of(*leads: str, **fields: float) -> Given:
    """A Q in these leads, an R behind it."""
    return given(waves=dict.fromkeys(leads, {"q_mv": -0.2, "q_ms": 40.0, "r_mv": 0.5, "s_mv": 0.0} | fields))


def posterior_r(r_ms: float = 45.0, r_over_s: float = 1.5) -> Given:
    """A broad R in V1 with an upright T."""
    return given(waves={"V1": {"q_mv": 0.0, "r_mv": 0.2 * r_over_s, "s_mv": -0.2, "r_ms": r_ms, "t_mv": 0.3}})


CASES: Final[tuple[RuleCase, ...]] = (
    RuleCase(
        rule="LEAD",
        finding="LEAD-1",
        fires=given(reversal="LEAD-1"),
        tier=Tier.REC,
        misses={"no swap": given(), "the weak sign": given(reversal="LEAD-4")},
    ),
    RuleCase(rule="SIG-5", fires=given(acceptable=False), tier=Tier.REC, misses={"good quality": given()}),
    RuleCase(
        rule="STE-1",
        fires=given(INFERIOR),
        tier=Tier.ACT,
        misses={"1 µV below": given({"II": 0.099, "III": 0.099}), "one lead": given({"II": 0.3})},
    ),
    RuleCase(
        rule="STE-RV",
        fires=given(INFERIOR | {"V4R": 0.05}),
        tier=Tier.ACT,
        misses={
            "1 µV below": given(INFERIOR | {"V4R": 0.049}),
            "not inferior": given({"V2": 0.4, "V3": 0.4, "V4R": 0.1}),
        },
    ),
    RuleCase(
        rule="STE-SERIAL",
        fires=given({"II": 0.09, "aVF": 0.09}, earlier({"II": -0.02, "aVF": -0.02})),
        tier=Tier.URG,
        misses={
            "another episode": given({"II": 0.09, "aVF": 0.09}, earlier({"II": -0.02, "aVF": -0.02}, **OLD)),
            "leads apart": given({"II": 0.09, "V6": 0.09}, earlier({"II": -0.02, "V6": -0.02})),
            "back to the baseline": given({}, earlier({"II": 0.3, "aVF": 0.3})),
        },
        probes=(
            Probe(
                number="change_uv",
                at=lambda uv: given(
                    dict.fromkeys(("II", "aVF"), uv / 1000 - 0.05), earlier({"II": -0.05, "aVF": -0.05})
                ),
            ),
            Probe(
                number="depth_uv",
                at=lambda uv: given(
                    dict.fromkeys(("II", "aVF"), -uv / 1000), earlier({"II": 0.08, "aVF": 0.08})
                ),
            ),
        ),
        unprobed=dict.fromkeys(
            ("repeat_min", "repeat_max_min", "soon_min"), "words of the prompt, tested there"
        ),
    ),
    RuleCase(
        rule="STE-RESOLVED",
        fires=given({}, earlier(INFERIOR, tier=Tier.ACT, rules=("STE-1",))),
        tier=Tier.URG,
        misses={
            "still there": given(INFERIOR, earlier(INFERIOR, tier=Tier.ACT, rules=("STE-1",))),
            "another episode": given({}, earlier(INFERIOR, **(OLD | {"tier": Tier.ACT}), rules=("STE-1",))),
            "never there": given({}, earlier({})),
        },
        probes=(
            Probe(
                number="change_uv",
                at=lambda uv: given(
                    {"II": 0.09, "aVF": 0.09},
                    earlier(dict.fromkeys(("II", "aVF"), 0.09 + uv / 1000), tier=Tier.ACT, rules=("STE-1",)),
                ),
            ),
        ),
    ),
    RuleCase(
        rule="STE-CHRONIC",
        fires=chronic(30.0),
        tier=Tier.FLAG,
        misses={
            "this episode": given(INFERIOR, earlier(INFERIOR)),
            "read as acute": given(INFERIOR, earlier(INFERIOR, **(OLD | {"tier": Tier.URG}))),
            "one lead higher": given(INFERIOR | {"III": 0.36}, earlier(INFERIOR, **OLD)),
        },
        probes=(
            Probe(number="least_days", at=chronic, step=0.1),
            Probe(number="same_uv", at=lambda uv: chronic(30.0, uv), fires_from=False),
            Probe(number="same_uv", at=lambda uv: chronic(30.0, -uv), fires_from=False, lowers_ste_1=True),
        ),
    ),
    RuleCase(
        rule="STE-3",
        fires=depressed(80.0),
        tier=Tier.URG,
        misses={
            "one lead": given({"V5": -0.2}, waves={"V5": {"st_slope_mv": 0.0}}),
            "leads apart": given(
                {"V4": -0.2, "V6": -0.2}, waves={"V4": {"st_slope_mv": 0.0}, "V6": {"st_slope_mv": 0.0}}
            ),
            "slope unknown": given({"V5": -0.2, "V6": -0.2}),
        },
        probes=(
            Probe(number="depth_uv", at=depressed),
            Probe(number="upsloping_uv", at=lambda uv: depressed(80.0, uv), fires_from=False),
            Probe(number="t_uv", at=inverted, fires_at=False),
            Probe(number="r_over_s", at=lambda ratio: inverted(200.0, ratio), fires_at=False, step=0.01),
            Probe(
                number="same_uv",
                at=lambda uv: depressed(
                    80.0, 0.0, earlier(dict.fromkeys(("V5", "V6"), -(80.0 + uv) / 1000), **OLD)
                ),
                fires_from=False,
                tier=Tier.FLAG,
            ),
            Probe(
                number="least_days",
                at=lambda days: depressed(
                    80.0, 0.0, earlier(dict.fromkeys(("V5", "V6"), -0.08), **(OLD | {"age_days": days}))
                ),
                step=0.1,
                tier=Tier.FLAG,
            ),
        ),
    ),
    RuleCase(
        rule="STE-Q",
        fires=q_of("II", "aVF"),
        tier=Tier.FLAG,
        misses={
            "one lead": q_of("II"),
            "a child": Given(made=q_of("II", "aVF").made, patient=Patient(age_years=9)),
            "T negative": given(
                waves={"V1": {"q_mv": 0.0, "r_mv": 0.4, "s_mv": -0.2, "r_ms": 45.0, "t_mv": -0.3}}
            ),
        },
        probes=(
            Probe(number="v2_v3_ms", at=lambda ms: q_of("V2", q_ms=ms, q_mv=-0.06)),
            Probe(number="elsewhere_ms", at=lambda ms: q_of("II", "aVF", q_ms=ms)),
            Probe(number="elsewhere_uv", at=lambda uv: q_of("II", "aVF", q_mv=-uv / 1000)),
            Probe(number="r_ms", at=lambda ms: posterior_r(r_ms=ms)),
            Probe(number="r_over_s", at=lambda ratio: posterior_r(r_over_s=ratio), step=0.01),
        ),
    ),
)
