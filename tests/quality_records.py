"""Random records of cases: with missing, corrected and told times, clocks that were never compared, and slips."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from greenchannel.alerts.quality.record import CaseRecord, RecordTime

START = datetime(2025, 1, 1, tzinfo=UTC)
SITES = [(f"clinic-{n}", f"town-{n % 4}", "clinic") for n in range(12)] + [("hub", "city", "hub")]
# Milestones in the order of a transferred patient's care, and minutes from one to the next.
TRACK = (
    ("ONSET", 0.0),
    ("SPOKE_DOOR", 90.0),
    ("FMC", 2.0),
    ("ECG1_ACQ", 6.0),
    ("ECG_RECEIVED", 2.0),
    ("ECG_DX", 5.0),
    ("ASPIRIN", 4.0),
    ("P2Y12", 1.0),
    ("SPOKE_OUT", 20.0),
    ("CATH_CALL", 2.0),
    ("HUB_DOOR", 30.0),
    ("ECG_HUB_ACQ", 6.0),
    ("TROP_DRAW", 4.0),
    ("CONSENT_START", 3.0),
    ("CONSENT_SIGN", 8.0),
    ("CATH_READY", 4.0),
    ("TROP_RESULT", 3.0),
    ("WIRE", 25.0),
    ("DEVICE", 2.0),
)
CLOCKS = (None, 0.0, 0.25, 30.0, 60.0, 900.0, 12.345678)
HALF_DAYS = {"0-6": 3, "6-8": 1, "14-17": 1.5}


def records(seed: int, n: int) -> Iterator[CaseRecord]:
    """Return `n` random records of two years, all the same for one seed."""
    rng = random.Random(seed)
    for number in range(n):
        yield one(rng, f"c{number:05d}")


def one(rng: random.Random, case_id: str) -> CaseRecord:
    """One random record."""
    site, town, kind = rng.choice(SITES)
    mode = rng.choice((None, 1, 2, 2, 2, 3, 4))
    opened_at = START + timedelta(minutes=rng.randrange(2 * 365 * 1440), microseconds=rng.randrange(10**6))
    facts = {
        name: rng.choice(("yes", "no"))
        for name, share in (
            ("ARREST", 0.2),
            ("ACCESS", 0.1),
            ("CROSSING", 0.1),
            ("CONSENT_REFUSED", 0.2),
            ("BYPASS_ED", 0.6),
            ("BYPASS_CCU", 0.6),
            ("KILLIP", 0.1),
        )
        if rng.random() < share
    }
    if rng.random() < 0.2:
        facts["REPERFUSION"] = rng.choice(("ppci", "lysis", "none", "lysis_pci"))
    return CaseRecord(
        case_id=case_id,
        site=site,
        town=town,
        site_kind=kind,
        referring=site if mode == 2 and kind != "hub" else None,
        opened_at=opened_at,
        state=rng.choice(("open", "closed")),
        arrival_mode=mode,
        ambulance=rng.choice((None, "120", "own", "other")),
        doctor=rng.choice((None, "lin", "chen", "赵")),
        reader=rng.choice((None, "wu", "he")),
        age_years=rng.choice((None, 34.9, 35.0, 61.0)),
        chest_pain=rng.choice((None, True, True, False)),
        diagnosis=rng.choice((None, "STEMI", "STEMI", "STEMI", "NSTEMI", "unclear")),
        times=times(rng, opened_at),
        facts=facts,
        way=rng.choice(("upload", "stream")),
    )


def times(rng: random.Random, began: datetime) -> dict[str, RecordTime]:
    """Random times along the track; some missing, some on the minute, some told, some before what came before."""
    found = {}
    at = began - timedelta(minutes=90)
    rounded = rng.random() < 0.5
    for name, minutes in TRACK:
        at += timedelta(minutes=minutes * rng.choice((0.0, 0.5, 1.0, 1.0, 2.0, 4.0)))
        shown = at.replace(second=0, microsecond=0) if rounded else at
        if rng.random() < 0.03:  # a slip of the pen
            shown -= timedelta(minutes=rng.choice((5, 60, 1440)))
        if rng.random() < 0.75:
            told = rng.choice(list(HALF_DAYS)) if name == "ONSET" and rng.random() < 0.5 else None
            found[name] = time(rng, shown, told)
    if rng.random() < 0.2:
        begun = began + timedelta(minutes=rng.choice((5, 20, 30, 45)))
        found["LYSIS_START"] = time(rng, begun, None)
        if rng.random() < 0.5:
            found["POSTLYSIS_ANGIO"] = time(rng, begun + timedelta(hours=rng.choice((3, 24, 30))), None)
    return found


def time(rng: random.Random, at: datetime, told: str | None) -> RecordTime:
    """A time with a random clock; with its bounds where it was told as a part of a day."""
    half = timedelta(hours=0 if told is None else HALF_DAYS[told])
    clock = half.total_seconds() if told is not None else rng.choice(CLOCKS)
    return RecordTime(
        at=at,
        earliest=at - half,
        latest=at + half,
        uncertainty_s=clock,
        source=rng.choice(("clinic", "device", "quality")),
        told=None if told is None else f"{at.date().isoformat()} {told}",
        corrected=rng.random() < 0.1,
    )
