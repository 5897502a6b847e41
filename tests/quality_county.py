"""Two years of chest pain in a county as records: what its charts are made of, in control, or with a change planted.

Clinics differ in how many they see, how fast they are and how often they send what cannot be read; readers differ in
how fast they read, at night all are slower. Within each, nothing changes but by chance.
"""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from greenchannel.alerts.quality.record import CaseRecord, RecordEcg, RecordTime

FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
WATCH_FROM = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 730
MOST_WAIT = timedelta(hours=4)


class Change(NamedTuple):
    """From a day on, one clinic's FMC-to-ECG or reading takes so many times as long, or its rejects have such odds."""

    what: str  # "first_ecg", "reading", "rejected"
    clinic: int
    factor: float
    from_day: int = 460


def chest_pain(
    seed: int, *, clinics: int = 113, a_month: float = 20.0, readers: int = 6, change: Change | None = None
) -> tuple[CaseRecord, ...]:
    """Return two years of cases of these clinics, oldest first; `a_month` is the mean of a clinic."""
    rng = np.random.default_rng(seed)
    weight = rng.gamma(2.0, 0.5, clinics)
    pace = np.exp(rng.normal(np.log(6.0), 0.3, clinics))
    poor = rng.beta(2.0, 25.0, clinics)
    reads = np.exp(rng.normal(np.log(5.0), 0.25, readers))
    found: list[CaseRecord] = []
    for clinic in range(clinics):
        count = int(rng.poisson(weight[clinic] * a_month * DAYS / 30.4))
        for minute in rng.uniform(0, DAYS * 1440.0, count):
            at = FIRST_DAY + timedelta(minutes=float(minute))
            here = change if change is not None and change.clinic == clinic else None
            if here is not None and minute < here.from_day * 1440.0:
                here = None
            reader = int(rng.integers(readers))
            found.append(
                _case(
                    rng,
                    at,
                    clinic,
                    reader,
                    float(pace[clinic]),
                    float(poor[clinic]),
                    float(reads[reader]),
                    here,
                )
            )
    return tuple(sorted(found, key=lambda one: one.opened_at))


def _case(
    rng: Generator,
    at: datetime,
    clinic: int,
    reader: int,
    pace: float,
    poor: float,
    reads: float,
    change: Change | None,
) -> CaseRecord:
    what, factor = (change.what, change.factor) if change is not None else ("", 1.0)
    night = not 0 <= (at + timedelta(hours=8)).hour - 8 < 9
    to_ecg = pace * float(np.exp(rng.normal(0.0, 0.6))) * (factor if what == "first_ecg" else 1.0)
    reading = reads * float(np.exp(rng.normal(0.0, 0.7))) * (1.5 if night else 1.0)
    reading *= factor if what == "reading" else 1.0
    odds = poor / (1 - poor) * (factor if what == "rejected" else 1.0)
    fmc = (at + timedelta(minutes=float(rng.normal(0.0, 0.7)))).replace(second=0, microsecond=0)
    acquired = at + timedelta(minutes=to_ecg)
    received = acquired + timedelta(minutes=float(np.exp(rng.normal(0.0, 0.8))))
    name = f"case_{int(rng.integers(1 << 48)):012x}"
    times = {"ECG1_ACQ": _time(acquired, "device", 1.0), "ECG_RECEIVED": _time(received, "server", 0.0)}
    if rng.random() > 0.08:
        times["FMC"] = _time(fmc, "clinic", None)
    return CaseRecord(
        case_id=name,
        site=f"clinic-{clinic:03d}",
        opened_at=received,
        state="closed",
        arrival_mode=2,
        reader=f"reader-{reader}",
        times=times,
        ecgs=(
            RecordEcg(
                ecg_id=f"e_{name}",
                way="upload",
                device=f"device-{clinic:03d}",
                received_at=received,
                read_at=received + min(timedelta(minutes=reading), MOST_WAIT),
                reader=f"reader-{reader}",
                acceptable=bool(rng.random() > odds / (1 + odds)),
            ),
        ),
    )


def _time(at: datetime, source: str, uncertainty_s: float | None) -> RecordTime:
    return RecordTime(at=at, earliest=at, latest=at, uncertainty_s=uncertainty_s, source=source)
