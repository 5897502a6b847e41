"""Ten years of chest-pain cases of a province as events of the log: what the quality benchmark counts.

One in five is an infarction, far more than in life, so that the metrics of infarctions have many cases too.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from greenchannel.events import (
    AlertAcknowledged,
    AlertOpened,
    AnyEvent,
    CaseClosed,
    CaseOpened,
    ClockReading,
    ContextEntered,
    EcgAnalysed,
    EcgOpened,
    EcgReceived,
    FactRecorded,
    GreenChannelOpened,
    MilestoneRecorded,
    PlanStep,
    ReadingSigned,
)

CLINICS: Final = 113
YEARS: Final = 10
START: Final = datetime(2016, 1, 1, tzinfo=UTC)
INFARCTIONS: Final = 0.2
_LEADS: Final = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")
_PLAN: Final = (PlanStep(after_s=0.0, role="first", people=("lin",), channels=("live",)),)

# What people enter of an infarction: milestone, source, and minutes from the one before it.
_TRACK: Final = (
    ("SPOKE_DOOR", "clinic", -12.0),
    ("FMC", "clinic", 3.0),
    ("ASPIRIN", "clinic", 25.0),
    ("P2Y12", "clinic", 1.0),
    ("AMB_DISPATCH", "dispatch", 2.0),
    ("SPOKE_OUT", "clinic", 22.0),
    ("PCI_DECIDE", "cardiologist", 2.0),
    ("CATH_CALL", "cardiologist", 1.0),
    ("CONSENT_START", "cardiologist", 4.0),
    ("CONSENT_SIGN", "cardiologist", 9.0),
    ("CATH_READY", "cathlab", 6.0),
    ("HUB_DOOR", "ed", 16.0),
    ("TROP_DRAW", "ed", 3.0),
    ("CATH_ARRIVE", "cathlab", 6.0),
    ("TROP_RESULT", "ed", 10.0),
    ("WIRE", "cathlab", 15.0),
    ("DEVICE", "cathlab", 2.0),
    ("PROC_END", "cathlab", 25.0),
)

Step = tuple[datetime, str, AnyEvent]  # when, by whom, what


def site(number: int) -> str:
    """The id of a clinic."""
    return f"clinic-{number:03d}"


def cases(n: int, seed: int = 1) -> Iterator[tuple[str, list[Step]]]:
    """`n` cases with their events, oldest case first."""
    rng = random.Random(seed)
    apart = timedelta(days=365.25 * YEARS) / n
    for number in range(n):
        yield f"c_{seed}_{number:06d}", _case(rng, f"c_{seed}_{number:06d}", START + number * apart)


def _case(rng: random.Random, case_id: str, at: datetime) -> list[Step]:
    infarction = rng.random() < INFARCTIONS
    mode = rng.choice((1, 2, 2, 2, 3))
    ecg_id, clinic = f"e_{case_id}", site(rng.randrange(CLINICS))

    def after(minutes: float) -> datetime:
        return at + timedelta(minutes=minutes)

    def reading(instant: datetime, clock: str, uncertainty_s: float | None) -> ClockReading:
        return ClockReading(at=instant, clock=clock, uncertainty_s=uncertainty_s)

    read_min = rng.lognormvariate(1.2, 0.6)
    steps: list[Step] = [
        (at, f"device:{clinic}", CaseOpened(case_id=case_id, site=clinic, patient=f"p_{case_id}", arrival_mode=mode)),
        (at, f"device:{clinic}", ContextEntered(age_years=rng.uniform(30, 90), sex="male", chest_pain=True)),
        (
            at,
            f"device:{clinic}",
            EcgReceived(
                ecg_id=ecg_id, sha256="0" * 64, size_bytes=60_000, way="upload", format="dicom", device=clinic,
                leads=_LEADS, rate_hz=500.0, duration_s=10.0,
                acquired=reading(after(-rng.lognormvariate(0.7, 0.5)), f"device:{clinic}", 2.0),
            ),
        ),
        (
            after(0.02),
            "service",
            EcgAnalysed(
                ecg_id=ecg_id, tier="ACT" if infarction else "NONE", findings=[{"id": "STE-1"}] if infarction else [],
                acceptable=True, bad_leads=(), advice=[], software="0", rules="1", analysis_sha256="0" * 64,
            ),
        ),
        (after(read_min * 0.6), "user:lin", EcgOpened(ecg_id=ecg_id)),
        (after(read_min), "user:lin", ReadingSigned(ecg_id=ecg_id, text="…", tier="ACT" if infarction else "NONE")),
        (
            after(1),
            "user:wu",
            MilestoneRecorded(
                milestone="FMC", time=reading(after(-rng.lognormvariate(1.7, 0.5)), "person", 60.0), source="clinic"
            ),
        ),
    ]  # fmt: skip
    if infarction:
        steps += _infarction(rng, case_id, at, read_min)
    code = "STEMI" if infarction else rng.choice(("NSTEMI", "UA", "other_cardiac", "other"))
    time = reading(after(120), "person", 60.0)
    steps.append(
        (
            after(200),
            "user:chen",
            MilestoneRecorded(milestone="DX", time=time, source="cardiologist", code=code),
        )
    )
    steps.append((after(600), "user:zhao", CaseClosed(reason="archived")))
    return steps


def _infarction(rng: random.Random, case_id: str, at: datetime, read_min: float) -> list[Step]:
    alarm = f"a_{case_id}"
    plan = AlertOpened(alert_id=alarm, tier="ACT", ecg_id=f"e_{case_id}", rules=("STE-1",), plan=_PLAN)
    steps: list[Step] = [
        (at + timedelta(seconds=2), "service", plan),
        (at + timedelta(seconds=40), "user:lin", AlertAcknowledged(alert_id=alarm, person="lin")),
        (
            at + timedelta(minutes=read_min + 1),
            "user:lin",
            GreenChannelOpened(channel_id=f"g_{case_id}", tasks=()),
        ),
    ]
    told = rng.random() < 0.1
    onset = ClockReading(
        at=at - timedelta(minutes=rng.lognormvariate(4.5, 0.7)),
        clock="person",
        uncertainty_s=3600.0 * 3 if told else 300.0,
        told="6-12" if told else None,
    )
    steps.append((at, "user:wu", MilestoneRecorded(milestone="ONSET", time=onset, source="clinic")))
    when = at
    for name, source, minutes in _TRACK:
        when += timedelta(minutes=minutes * rng.lognormvariate(0, 0.35))
        if rng.random() < 0.1 or name == "FMC":
            continue
        time = ClockReading(at=when, clock="person", uncertainty_s=rng.choice((0.0, 60.0, None)))
        steps.append((when, f"user:{source}", MilestoneRecorded(milestone=name, time=time, source=source)))
    for fact, share in (("ARREST", 0.04), ("CROSSING", 0.03), ("CONSENT_REFUSED", 0.05), ("BYPASS_ED", 0.5)):
        if rng.random() < share:
            steps.append((when, "user:chen", FactRecorded(fact=fact, code="yes", source="cardiologist")))
    return steps
