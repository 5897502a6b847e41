"""Cases of the critical values."""

from typing import Final

from greenchannel.triage.finding import Patient, Tier
from tests.rule_cases.critical_strips import (
    AF,
    VT,
    WELL,
    alternans,
    beside_block,
    block,
    early,
    mostly_one,
    pause,
    potassium,
    preexcited,
    qt,
    rate,
    right_heart,
    run_of,
    shapes,
    sign_count,
    silence,
    spikes,
    strip,
    tachycardia,
    tented,
    unfinished,
    waves,
)
from tests.rule_cases.kinds import MAN, Given, Probe, RuleCase
from tests.triage_measurements import measured

INFARCT: Final = {"II": 0.3, "III": 0.3, "aVF": 0.3}

CASES: Final[tuple[RuleCase, ...]] = (
    RuleCase(
        rule="CV-1",
        fires=Given(made=measured(INFARCT)),
        tier=Tier.CRIT,
        misses={
            "nothing elevated": Given(made=measured()),
            "lowered": Given(made=measured(INFARCT, st_reliable=False)),
        },
    ),
    RuleCase(
        rule="CV-2",
        fires=Given(
            made=measured(
                r_s=(),
                qrs_ms=None,
                rhythm={
                    "name": "ventricular_fibrillation",
                    "leakage": 0.5,
                    "dominant_hz": 5.0,
                    "activity_mv": 1.0,
                },
            )
        ),
        tier=Tier.CRIT,
        misses={
            "a QRS is measured": Given(
                made=measured(
                    qrs_ms=92.0,
                    rhythm={"name": "irregular", "leakage": 0.3, "dominant_hz": 5.0, "activity_mv": 1.0},
                )
            ),
            "no waves": waves(leakage=0.9),
            "nothing was looked for": Given(made=measured(rhythm={"name": "sinus"})),
        },
        probes=(
            Probe(number="from_hz", at=lambda v: waves(dominant_hz=v), step=0.5),
            Probe(number="to_hz", at=lambda v: waves(dominant_hz=v), fires_from=False, step=0.5),
            Probe(
                number="leakage_high",
                at=lambda v: waves(leakage=v),
                fires_from=False,
                fires_at=False,
                step=0.01,
            ),
            Probe(
                number="leakage_low",
                at=lambda v: waves(leakage=v, irregularity=0.3),
                fires_from=False,
                fires_at=False,
                step=0.01,
            ),
            Probe(
                number="low_uv",
                at=lambda v: waves(leakage=0.5, activity_mv=v / 1000.0),
                fires_from=False,
                fires_at=False,
            ),
            Probe(number="least_uv", at=lambda v: waves(activity_mv=v / 1000.0)),
            Probe(number="irregularity", at=lambda v: waves(leakage=0.5, irregularity=v), step=0.01),
        ),
    ),
    RuleCase(
        rule="CV-3",
        fires=tachycardia(170.0),
        tier=Tier.CRIT,
        misses={
            "two beats": run_of(2),
            "a block of sinus rhythm": tachycardia(130.0, name="sinus"),
            "a block, once measured narrower": tachycardia(130.0, narrow=1, name="irregular"),
            "slow": run_of(5, bpm=90.0),
            "paced": tachycardia(130.0, name="paced"),
        },
        probes=(
            Probe(number="beats", at=run_of),
            Probe(number="run_bpm", at=lambda v: run_of(5, bpm=v), fires_at=False),
            Probe(number="critical_bpm", at=tachycardia, tier=Tier.CRIT),
            Probe(number="wide_ms", at=lambda v: run_of(5, width=v)),
            Probe(number="wider_ms", at=lambda v: run_of(5, own=140.0, width=140.0 + v)),
            Probe(
                number="narrow_beats", at=lambda v: tachycardia(130.0, wide=10, narrow=int(v), name="unknown")
            ),
            Probe(
                number="fills_share",
                at=lambda v: tachycardia(170.0, wide=round(20 * v), narrow=20 - round(20 * v)),
                step=0.05,
                tier=Tier.CRIT,
            ),
            Probe(
                number="systolic_mmhg",
                at=lambda v: run_of(5, patient=Patient(systolic_mmhg=v)),
                fires_from=False,
                fires_at=False,
                tier=Tier.CRIT,
            ),
        ),
    ),
    RuleCase(
        rule="CV-4",
        fires=shapes(4),
        tier=Tier.CRIT,
        misses={
            "one shape": tachycardia(200.0),
            "bigeminy of a narrow beat": strip((0, 1) * 6, (90.0, 160.0), 120.0, irregularity=0.4),
            "one shape and its disturbances": mostly_one(0.8),
        },
        probes=(
            Probe(number="beats", at=lambda v: shapes(3, beats=int(v))),
            Probe(number="run_bpm", at=lambda v: shapes(3, beats=13, bpm=v), fires_at=False),
            Probe(number="wide_ms", at=lambda v: shapes(3, width=v)),
            Probe(number="wider_ms", at=beside_block),
            Probe(
                number="narrow_beats",
                at=lambda v: strip(
                    (0, 1, 2) * 3 + (3,) * int(v), (160.0, 160.0, 160.0, 90.0), 200.0, name="unknown"
                ),
            ),
            Probe(number="shapes", at=shapes),
            Probe(number="same_share", at=mostly_one, fires_from=False, step=0.1),
            Probe(
                number="irregularity",
                at=lambda v: shapes(2, irregularity=v),
                fires_from=False,
                fires_at=False,
                step=0.02,
            ),
            Probe(number="modulation", at=lambda v: tachycardia(200.0, modulation=v), step=0.01),
        ),
    ),
    RuleCase(
        rule="CV-5",
        fires=rate(210.0, "supraventricular_tachycardia"),
        tier=Tier.CRIT,
        misses={
            "slower": rate(170.0, "supraventricular_tachycardia"),
            "ventricular": rate(210.0, VT),
            "a small child": Given(
                made=rate(210.0, "sinus").made, patient=Patient(age_years=0.1, sex="male")
            ),
        },
        probes=(
            Probe(number="svt_bpm", at=lambda v: rate(v, "supraventricular_tachycardia")),
            Probe(number="atrial_bpm", at=lambda v: rate(v, "atrial_fibrillation")),
        ),
    ),
    RuleCase(
        rule="CV-6",
        fires=preexcited(),
        tier=Tier.CRIT,
        misses={
            "narrow": preexcited(qrs_ms=80.0),
            "one shape": preexcited(kinds=1),
            "sinus": preexcited(name="sinus"),
        },
        probes=(
            Probe(number="rr_s", at=lambda v: preexcited(rr_s=v), fires_from=False, step=0.01),
            Probe(number="irregularity", at=lambda v: preexcited(irregularity=v), step=0.01),
            Probe(number="qrs_ms", at=lambda v: preexcited(qrs_ms=v)),
            Probe(number="shapes", at=lambda v: preexcited(kinds=int(v))),
            Probe(number="delta_ms", at=lambda v: preexcited(kinds=1, delta_ms=v), step=2.0),
            Probe(number="shaped_share", at=lambda v: preexcited(shaped=v), step=0.1),
        ),
    ),
    RuleCase(
        rule="CV-7",
        fires=block(),
        tier=Tier.CRIT,
        misses={
            "50/min": rate(50.0, "sinus"),
            "conducted": block(dissociation=0.0),
            "paced": block(name="paced"),
        },
        probes=(
            Probe(number="rate_bpm", at=lambda v: rate(v, "sinus"), fires_from=False),
            Probe(number="rr_cv", at=lambda v: block(cv=v), fires_from=False, fires_at=False, step=0.005),
            Probe(number="dissociation", at=lambda v: block(dissociation=v), step=0.05),
            Probe(number="atria_per_beat", at=lambda v: block(per_beat=v), step=0.05),
        ),
    ),
    RuleCase(
        rule="CV-8",
        fires=pause(3.4),
        tier=Tier.CRIT,
        misses={
            "short": pause(2.5),
            "without symptoms": pause(3.4, patient=WELL),
            "leads off": pause(3.4, leads=1),
        },
        probes=(
            Probe(number="symptomatic_s", at=pause, step=0.1),
            Probe(number="silent_s", at=lambda v: pause(v, patient=WELL), step=0.1),
            Probe(number="fibrillation_s", at=lambda v: pause(v, "atrial_fibrillation"), step=0.1),
            Probe(number="leads", at=lambda v: pause(3.4, leads=v)),
            Probe(number="live_uv", at=unfinished),
        ),
    ),
    RuleCase(
        rule="CV-9",
        fires=qt(560.0),
        tier=Tier.CRIT,
        misses={
            "usual": qt(440.0),
            "flutter": qt(560.0, name="atrial_flutter"),
            "a broad QRS makes it": qt(560.0, qrs_ms=180.0, qtm_ms=470.0),
        },
        probes=(
            Probe(number="critical_ms", at=qt, tier=Tier.CRIT),
            Probe(number="urgent_ms", at=qt, tier=Tier.URG),
        ),
    ),
    RuleCase(
        rule="CV-10",
        fires=early(),
        tier=Tier.CRIT,
        misses={
            "neither": early(before_ms=-50.0),
            "paced": early(name="paced"),
            "a narrow one": early(width=90.0),
        },
        probes=(
            Probe(number="alternans_uv", at=alternans, fires_at=False),
            Probe(number="premature", at=early, fires_from=False, fires_at=False, step=0.01),
            Probe(number="qrs_ms", at=lambda v: early(width=v)),
            Probe(number="margin_ms", at=lambda v: early(before_ms=v)),
            Probe(number="dominant_share", at=lambda v: early(dominant=v), step=0.1),
        ),
    ),
    RuleCase(
        rule="CV-11",
        fires=qt(480.0, potassium(2.0), AF, 120.0),
        tier=Tier.URG,
        misses={
            "potassium unknown": qt(480.0, MAN, AF, 120.0),
            "sinus": qt(480.0, potassium(2.0), "sinus", 120.0),
            "QT short": qt(420.0, potassium(2.0), AF, 120.0),
        },
        probes=(
            Probe(
                number="potassium_mmol_l",
                at=lambda v: qt(480.0, potassium(v), AF, 120.0),
                fires_from=False,
                step=0.1,
            ),
            Probe(number="qtc_male_ms", at=lambda v: qt(v, potassium(2.0), AF, 120.0)),
            Probe(
                number="qtc_female_ms",
                at=lambda v: qt(v, potassium(2.0, "female"), AF, 120.0),
            ),
            Probe(number="rate_bpm", at=lambda v: qt(480.0, potassium(2.0), AF, v)),
        ),
    ),
    RuleCase(
        rule="CV-12",
        fires=tented(),
        tier=Tier.CRIT,
        misses={
            "tall T alone": tented(qrs_ms=90.0, p=True),
            "one lead": tented(chest_uv=0.0),
            "T of a block": tented(t_qrs=0.4),
            "flutter": tented(name="atrial_flutter"),
            "a usual potassium": tented(p=True, patient=potassium(4.2)),
        },
        probes=(
            Probe(number="limb_uv", at=lambda v: tented(chest_uv=0.0, limb_uv=v)),
            Probe(number="chest_uv", at=lambda v: tented(chest_uv=v)),
            Probe(number="base_ms", at=lambda v: tented(base_ms=v), fires_from=False),
            Probe(number="symmetry", at=lambda v: tented(symmetry=v), step=0.01),
            Probe(number="t_qrs", at=lambda v: tented(t_qrs=v), step=0.01),
            Probe(number="qrs_ms", at=lambda v: tented(qrs_ms=v), tier=Tier.CRIT),
            Probe(
                number="p_bpm",
                at=lambda v: tented(bpm=v),
                fires_from=False,
                fires_at=False,
                tier=Tier.CRIT,
            ),
            Probe(
                number="high_mmol_l",
                at=lambda v: tented(p=True, qrs_ms=90.0, patient=potassium(v)),
                step=0.1,
            ),
            Probe(number="normal_mmol_l", at=lambda v: tented(p=True, patient=potassium(v)), step=0.1),
        ),
    ),
    RuleCase(
        rule="CV-13",
        fires=right_heart(s1_uv=200.0, q3_uv=200.0, t3_uv=100.0),
        tier=Tier.URG,
        misses={
            "one sign": right_heart(s1_uv=200.0, q3_uv=200.0, t3_uv=100.0, bpm=80.0),
            "none of the first two": right_heart(v1_uv=150.0),
        },
        probes=(
            Probe(number="signs", at=sign_count),
            Probe(number="s1_uv", at=lambda v: right_heart(s1_uv=v, q3_uv=200.0, t3_uv=100.0)),
            Probe(number="q3_uv", at=lambda v: right_heart(s1_uv=200.0, q3_uv=v, t3_uv=100.0)),
            Probe(number="t3_uv", at=lambda v: right_heart(s1_uv=200.0, q3_uv=200.0, t3_uv=v)),
            Probe(number="t_uv", at=lambda v: right_heart(t_uv=v)),
            Probe(number="t_leads", at=lambda v: right_heart(t_uv=200.0, leads=v)),
            Probe(number="rate_bpm", at=lambda v: right_heart(t_uv=200.0, bpm=v), fires_at=False),
            Probe(number="v1_uv", at=lambda v: right_heart(t_uv=200.0, bpm=80.0, v1_uv=v)),
        ),
    ),
    RuleCase(
        rule="CV-14",
        fires=silence(),
        tier=Tier.CRIT,
        misses={
            "leads off": silence(leads=0),
            "a pause of three seconds": pause(3.2),
            "spikes with their QRS": spikes(count=0),
            "atrial pacing over a blocked node": spikes(atrial=0.9),
        },
        probes=(
            Probe(number="pause_s", at=silence, step=0.1),
            Probe(number="leads", at=lambda v: silence(leads=v)),
            Probe(number="hum_uv", at=lambda v: silence(hum_uv=v), fires_from=False, fires_at=False),
            Probe(number="live_uv", at=lambda v: silence(level_uv=v)),
            Probe(number="spikes", at=spikes),
            Probe(number="capture_ms", at=lambda v: spikes(after_ms=v), fires_at=False),
            Probe(number="refractory_ms", at=lambda v: spikes(before_ms=v)),
            Probe(
                number="atrial_share",
                at=lambda v: spikes(atrial=v),
                fires_from=False,
                fires_at=False,
                step=0.05,
            ),
        ),
    ),
)
