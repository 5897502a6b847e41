"""Random months of STEMI cases as records: skewed times, distances, clocks, missing times, a planted delay.

A network of 113 clinics in 18 towns of one county. Every number here is a tester's choice, of the size that such
networks report; none is used by the product.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from greenchannel.alerts.quality.segments import segments

FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
CLINICS, TOWNS = 113, 18
MODES = ((2, 0.5), (1, 0.25), (3, 0.2), (4, 0.05))

# Median minutes and the spread of their logarithm.
USUAL: dict[str, tuple[float, float]] = {
    "first_ecg": (5.0, 0.7),
    "sending": (2.0, 0.8),
    "reading": (5.0, 0.8),
    "reading_here": (4.0, 0.7),
    "ordering": (5.0, 0.8),
    "coming": (20.0, 0.25),
    "leaving": (12.0, 0.5),
    "transport": (35.0, 0.2),
    "at_scene": (12.0, 0.5),
    "transport_scene": (18.0, 0.25),
    "door_to_lab": (14.0, 0.6),
    "deciding": (10.0, 0.7),
    "to_lab": (20.0, 0.5),
    "preparing": (10.0, 0.4),
    "wiring": (13.0, 0.4),
    "consent": (6.0, 0.6),
    "activation": (18.0, 0.4),
}
PLANTABLE = tuple(USUAL)
SHAPES = ("shift", "scale", "spread")
SLOWER_OFF_HOURS = {"door_to_lab": 1.35, "to_lab": 1.4, "activation": 1.5, "reading": 1.3, "preparing": 1.1}
NOT_SAID = {
    "FMC": 0.06,
    "ECG1_ACQ": 0.04,
    "ECG_DX": 0.03,
    "AMB_DISPATCH": 0.08,
    "AMB_SCENE": 0.12,
    "SPOKE_DOOR": 0.15,
    "SPOKE_OUT": 0.1,
    "SCENE_LEAVE": 0.1,
    "HUB_DOOR": 0.03,
    "PCI_DECIDE": 0.08,
    "CATH_CALL": 0.08,
    "CATH_READY": 0.12,
    "CATH_ARRIVE": 0.05,
    "ANGIO_START": 0.05,
    "CONSENT_START": 0.15,
    "CONSENT_SIGN": 0.06,
    "WIRE": 0.03,
}
BY_SERVICE = frozenset({"ECG1_ACQ", "ECG_RECEIVED", "ECG_DX", "AMB_SCENE"})
TOLD_AS_A_DAY = 0.01
CLOCK_SD_MIN = 0.7
BAD_CLOCK, BAD_CLOCK_SD_MIN = 0.03, 6.0


class Planted(NamedTuple):
    """What is slower, by how many minutes in its median, in which way: all alike, in proportion, or each otherwise."""

    segment: str
    minutes: float = 10.0
    shape: str = "shift"


def planted_for(seed: int, minutes: float = 10.0) -> Planted:
    """What is slow in a month: a segment that a patient drawn by lot meets; what more meet is drawn more often."""
    rng = np.random.default_rng((seed, 1))
    mode = int(rng.choice([one for one, _ in MODES], p=[share for _, share in MODES]))
    met = [row.id for row in segments().values() if row.id in USUAL and mode in row.modes]
    return Planted(str(rng.choice(met)), minutes, SHAPES[seed % len(SHAPES)])


class County(NamedTuple):
    """Where the clinics are, and how many cases each has."""

    town_of: np.ndarray  # of each clinic
    far: np.ndarray  # factor on driving times, of each town
    share: np.ndarray  # of the cases, of each clinic


def county(rng: Generator) -> County:
    share = 1.0 / np.arange(1, CLINICS + 1) ** 0.6
    return County(
        town_of=rng.integers(0, TOWNS, CLINICS),
        far=np.exp(rng.normal(0.0, 0.45, TOWNS)),
        share=rng.permutation(share / share.sum()),
    )


def month(
    rng: Generator, place: County, start: datetime, cases: int, planted: Planted | None = None
) -> tuple[CaseRecord, ...]:
    """Return `cases` STEMI cases of thirty days from `start`, oldest first."""
    offsets = np.sort(rng.uniform(0.0, 30 * 1440.0, cases))
    return tuple(_case(rng, place, start + timedelta(minutes=float(one)), planted) for one in offsets)


def months(
    seed: int, *, before: int = 12, cases: int = 30, planted: Planted | None = None
) -> tuple[tuple[CaseRecord, ...], tuple[CaseRecord, ...]]:
    """Return the records of the month, with what was planted in it, and those of the months before it."""
    rng = np.random.default_rng(seed)
    place = county(rng)
    earlier: list[CaseRecord] = []
    for n in range(before):
        start = FIRST_DAY + timedelta(days=30 * n)
        earlier += month(rng, place, start, int(rng.poisson(cases)))
    now = month(rng, place, FIRST_DAY + timedelta(days=30 * before), cases, planted)
    return now, tuple(earlier)


def _case(rng: Generator, place: County, fmc: datetime, planted: Planted | None) -> CaseRecord:
    clinic = int(rng.choice(CLINICS, p=place.share))
    town = int(place.town_of[clinic])
    mode = int(rng.choice([one for one, _ in MODES], p=[share for _, share in MODES]))
    local = fmc + timedelta(hours=8)
    off_hours = local.weekday() >= 5 or not 8 <= local.hour < 17

    def lasts(segment: str) -> float:
        return _lasts(rng, segment, planted, off_hours=off_hours, far=float(place.far[town]))

    true = _course(rng, mode, lasts)
    return CaseRecord(
        case_id=f"case_{int(rng.integers(1 << 48)):012x}",
        site=f"clinic-{clinic:03d}" if mode == 2 else "hub",
        town=f"town-{town:02d}" if mode in (1, 2) else None,
        referring=f"clinic-{clinic:03d}" if mode == 2 else None,
        site_kind="clinic" if mode == 2 else "hub",
        opened_at=fmc,
        state="closed",
        arrival_mode=mode,
        doctor=f"doctor-{int(rng.integers(5))}",
        diagnosis="STEMI",
        chest_pain=True,
        times=_told(rng, fmc, true),
    )


def _lasts(rng: Generator, segment: str, planted: Planted | None, *, off_hours: bool, far: float) -> float:
    median, spread = USUAL[segment]
    if segment in {"coming", "transport", "transport_scene"}:
        median *= far
    if off_hours:
        median *= SLOWER_OFF_HOURS.get(segment, 1.0)
    length = median * float(np.exp(rng.normal(0.0, spread)))
    if planted is None or planted.segment != segment:
        return length
    if planted.shape == "scale":
        return length * (1.0 + planted.minutes / median)
    if planted.shape == "spread":
        return length + planted.minutes * float(np.exp(rng.normal(0.0, 0.5)))
    return length + planted.minutes


def _course(rng: Generator, mode: int, lasts: Callable[[str], float]) -> dict[str, float]:
    """True minutes of each milestone from first contact."""
    at = {"FMC": 0.0}
    at["ECG1_ACQ"] = lasts("first_ecg")
    if mode in (1, 2):
        at["ECG_RECEIVED"] = at["ECG1_ACQ"] + lasts("sending")
        at["ECG_DX"] = at["ECG_RECEIVED"] + lasts("reading")
    else:
        at["ECG_DX"] = at["ECG1_ACQ"] + lasts("reading_here")
    at["CATH_CALL"] = at["ECG_DX"] + float(rng.uniform(1.0, 8.0))
    at["CATH_READY"] = at["CATH_CALL"] + lasts("activation")
    if mode == 2:
        at["SPOKE_DOOR"] = -float(rng.uniform(0.0, 4.0))
        at["AMB_DISPATCH"] = at["ECG_DX"] + lasts("ordering")
        at["AMB_SCENE"] = at["AMB_DISPATCH"] + lasts("coming")
        at["SPOKE_OUT"] = at["AMB_SCENE"] + lasts("leaving")
        at["HUB_DOOR"] = at["SPOKE_OUT"] + lasts("transport")
    elif mode == 1:
        at["SCENE_LEAVE"] = at["ECG_DX"] + lasts("at_scene")
        at["HUB_DOOR"] = at["SCENE_LEAVE"] + lasts("transport_scene")
    else:
        at["PCI_DECIDE"] = at["ECG_DX"] + lasts("deciding")
        if mode == 3:
            at["HUB_DOOR"] = -float(rng.uniform(1.0, 6.0))
    before, own = ("HUB_DOOR", "door_to_lab") if mode in (1, 2) else ("PCI_DECIDE", "to_lab")
    talk, in_lab = lasts("consent"), rng.random() < 0.3
    at["CATH_ARRIVE"] = at[before] + lasts(own) + (0.0 if in_lab else talk)
    at["CONSENT_START"] = at["CATH_ARRIVE"] + 1.0 if in_lab else at[before] + 3.0
    at["CONSENT_SIGN"] = at["CONSENT_START"] + talk
    at["ANGIO_START"] = at["CATH_ARRIVE"] + lasts("preparing") + (talk if in_lab else 0.0)
    at["WIRE"] = at["ANGIO_START"] + lasts("wiring")
    return at


def _told(rng: Generator, fmc: datetime, true: dict[str, float]) -> dict[str, RecordTime]:
    """The times as they are in the log: some not said, rounded to the minute, by clocks that are off, told as a day."""
    times = {}
    for name, minute in true.items():
        if rng.random() < NOT_SAID.get(name, 0.0):
            continue
        by_service = name in BY_SERVICE or name == "ECG_RECEIVED"
        off_min = 0.0
        if not by_service:
            off_min = float(rng.normal(0.0, BAD_CLOCK_SD_MIN if rng.random() < BAD_CLOCK else CLOCK_SD_MIN))
        at = fmc + timedelta(minutes=minute + off_min)
        if not by_service:
            at = at.replace(second=0, microsecond=0)
        times[name] = _time(at, by_service=by_service, day=name == "FMC" and rng.random() < TOLD_AS_A_DAY)
    return times


def _time(at: datetime, *, by_service: bool, day: bool) -> RecordTime:
    if day:
        first = at.replace(hour=0, minute=0)
        noon = first + timedelta(hours=12)
        return RecordTime(
            at=noon,
            earliest=first,
            latest=first + timedelta(days=1),
            uncertainty_s=43200.0,
            source="clinic",
            told=first.date().isoformat(),
            entered=True,
        )
    source, uncertainty_s = ("server", 1.0) if by_service else ("clinic", None)
    return RecordTime(
        at=at, earliest=at, latest=at, uncertainty_s=uncertainty_s, source=source, entered=not by_service
    )
