"""A year of chest-pain patients as values: a seed in, people and what truly happened to them out.

Nothing here asks the time. Each patient is drawn from dice of its own, each day's number as well, so a longer year
begins with the shorter one of its seed. How it is recorded, and what is not, stands in `year_acts.py`.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from greenchannel.county.year_map import (
    HUB,
    ZONE,
    County,
    Place,
    free_day,
    make_county,
    off_hours,
    person,
)
from greenchannel.county.year_table import Happening, Step, year_table

STEMI: Final = "STEMI"
CLINICS: Final = 113
_OF_ALL: Final = (
    "CALL",
    "AMB_DISPATCH",
    "AMB_DEPART",
    "AMB_SCENE",
    "SPOKE_DOOR",
    "HUB_DOOR",
    "FMC",
    "ECG1_ACQ",
    "ECG_SENT",
    "ECG_RECEIVED",
    "ALERT_ACK",
    "ECG_DX",
)
"""Steps that also a patient goes who has no infarction."""
LAST: Final = timedelta(hours=3)
"""So long before the end nobody comes any more: an alert would be left that rings on."""
_AGAIN_MIN: Final = 4.5  # until an ECG that was no good is there once more  [E]
_QUEUE: Final = 2.5  # an ECG that rings nobody waits so many times as long for its reader  [E]


@dataclass(frozen=True, kw_only=True, slots=True)
class YearOptions:
    """How long, how large."""

    begin: date  # local
    months: float = 12.0
    clinics: int = CLINICS
    scale: float = 1.0  # of the number of patients
    stemi_share: float | None = None  # None: as in the table

    def __post_init__(self) -> None:
        if not (0 < self.months <= 120 and 0 < self.scale <= 100):
            raise ValueError(
                f"expected months up to 120 and a scale up to 100, got {self.months} and {self.scale}"
            )
        if self.stemi_share is not None and not 0 <= self.stemi_share <= 1:
            raise ValueError(f"expected a share from 0 to 1, got {self.stemi_share}")

    @property
    def begins_at(self) -> datetime:
        """The first midnight, local."""
        return datetime.combine(self.begin, time(0), ZONE)

    @property
    def days(self) -> int:
        """How many days it lasts."""
        return max(1, round(self.months * year_table().month_d))

    @property
    def ends_at(self) -> datetime:
        """The midnight after the last day, local."""
        return self.begins_at + timedelta(days=self.days)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """One patient, and what truly happened; instants are aware."""

    number: str  # day and place in it
    place: Place  # where the first ECG is recorded
    mode: int | None  # arrival; None: stays at the clinic
    kind: str  # "STEMI", or a code of DX
    path: str | None  # of reperfusion; None: none is needed
    missed: bool  # an infarction that is taken for none
    strip: str  # of the pool
    strips: int  # variant of it
    poor: str | None  # the lead that fails at first; None: the first ECG is good
    begins_at: datetime  # the first contact, call or door
    onset: datetime
    true: Mapping[str, datetime]  # by milestone
    happenings: tuple[Happening, ...]
    planted: tuple[str, ...]

    @property
    def first(self) -> str:
        """The role of the first contact."""
        return {1: "dispatch", 3: "ed", 4: "ed"}.get(self.mode or 2, "clinic")


@dataclass(frozen=True, kw_only=True, slots=True)
class Year:
    """All of it; patients are drawn as they are asked for."""

    seed: int
    options: YearOptions
    county: County

    def patients(self) -> Iterator[Patient]:
        """Every patient, in the order in which they come."""
        table = year_table()
        a_day = table.patients_a_month / table.month_d * self.options.scale
        for day in range(self.options.days):
            dice = random.Random(f"{self.seed}/day/{day}")
            many = round(max(0.0, dice.gauss(a_day, a_day**0.5)) + dice.uniform(-0.5, 0.5))
            drawn = (self._patient(day, number) for number in range(many))
            here = [one for one in drawn if one.begins_at < self.options.ends_at - LAST]
            yield from sorted(here, key=lambda one: (one.begins_at, one.number))

    # ------------------------------------------------------------ one patient

    def _patient(self, day: int, number: int) -> Patient:
        dice, table = random.Random(f"{self.seed}/patient/{day}/{number}"), year_table()
        hour = dice.choices(range(24), table.hours)[0]
        begins_at = self.options.begins_at + timedelta(days=day, hours=hour, seconds=dice.randrange(3600))
        share = table.stemi_share if self.options.stemi_share is None else self.options.stemi_share
        stemi = dice.random() < share
        place, mode = self._arrives(dice, stemi)
        if stemi:
            kind = STEMI
            strips: tuple[str, ...] = ("infarction",)
            path = dice.choices([one.id for one in table.paths], [one.share for one in table.paths])[0]
        else:
            found = dice.choices(table.kinds, [one.share for one in table.kinds])[0]
            kind, strips, path = found.id, found.strips, None
        missed = stemi and dice.random() < table.missed_share
        poor = dice.choice(("V1", "V2", "V3", "V4", "V6")) if dice.random() < place.rejects else None
        happened = tuple(one for one in table.events if stemi and dice.random() < one.share)
        walk = _Walk(
            dice=dice,
            place=place,
            mode=mode,
            path="missed" if missed else path,
            stemi=stemi and not missed,
            begins_at=begins_at,
            extra_min=self._extra(place, begins_at, happened, poor),
        )
        true = walk.times()
        return Patient(
            number=f"{day:04d}-{number:03d}",
            place=place,
            mode=mode,
            kind=kind,
            path=path,
            missed=missed,
            strip=dice.choice(strips),
            strips=dice.randrange(1 << 16),
            poor=poor,
            begins_at=begins_at,
            onset=begins_at - timedelta(minutes=min(1400.0, dice.lognormvariate(4.7, 0.8))),
            true=true,
            happenings=tuple(one for one in happened if one.to in true),
            planted=tuple(
                one.id
                for one in table.planted
                if one.to in true and self._is_planted(one.site, one.month, place, begins_at)
            ),
        )

    def _arrives(self, dice: random.Random, stemi: bool) -> tuple[Place, int | None]:
        table, county = year_table(), self.county
        clinic = dice.choices(county.clinics, [one.weight for one in county.clinics])[0]
        hospital = dice.choice(county.hospitals)
        spoke = hospital if dice.random() < table.hospital_share else clinic
        if stemi:
            mode = dice.choices([one.mode for one in table.modes], [one.share for one in table.modes])[0]
            return (spoke if mode == 2 else county.hub), mode
        if dice.random() < table.hub_share:
            return county.hub, dice.choices((1, 3, 4), (0.25, 0.7, 0.05))[0]
        return spoke, 2 if dice.random() < 0.2 else None

    def _extra(
        self, place: Place, at: datetime, happened: tuple[Happening, ...], poor: str | None
    ) -> dict[str, float]:
        """By milestone, how many minutes more the step to it takes."""
        extra: dict[str, float] = {}
        for planted in year_table().planted:
            if self._is_planted(planted.site, planted.month, place, at):
                extra[planted.to] = extra.get(planted.to, 0.0) + planted.minutes
        for one in happened:
            extra[one.to] = extra.get(one.to, 0.0) + one.minutes
        if poor is not None:
            extra["ALERT_ACK"] = _AGAIN_MIN
        return extra

    def _is_planted(self, site: str | None, month: str | None, place: Place, at: datetime) -> bool:
        here = site is None or place.site == self.county.slow
        return here and (month is None or self.slow_month == at.astimezone(ZONE).strftime("%Y-%m"))

    @property
    def slow_month(self) -> str:
        """The calendar month that is slow on purpose, as "2026-05": the one in the middle."""
        middle = self.options.begins_at + timedelta(days=self.options.days // 2)
        return middle.strftime("%Y-%m")


def make_year(seed: int, options: YearOptions) -> Year:
    """The year of a seed: equal arguments, equal year."""
    return Year(seed=seed, options=options, county=make_county(seed, options.clinics))


# ---------------------------------------------------------------- what truly happens


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walk:
    """One patient on the way through the steps."""

    dice: random.Random
    place: Place
    mode: int | None
    path: str | None
    stemi: bool
    begins_at: datetime
    extra_min: Mapping[str, float]

    def times(self) -> dict[str, datetime]:
        """When each step truly was; one is drawn for every row of the table, so that none moves the others' dice."""
        true: dict[str, datetime] = {}
        for step in year_table().steps:
            drawn = self.dice.gauss(0.0, 1.0)
            if self._goes(step) and step.to not in true:
                since = max((true[name] for name in step.after if name in true), default=self.begins_at)
                true[step.to] = since + timedelta(minutes=self._minutes(step, drawn, since))
        return true

    def _goes(self, step: Step) -> bool:
        if step.modes != (1, 2, 3, 4) and self.mode not in step.modes:
            return False
        if not self.stemi and step.to not in _OF_ALL:
            return False
        return step.path is None or step.path == self.path

    def _minutes(self, step: Step, drawn: float, since: datetime) -> float:
        table = year_table()
        minutes = step.median_min
        if step.drive:
            minutes = 60.0 * (self.place.road_km or 0.0) / table.road_kmh
        minutes *= 2.718281828 ** ((step.sigma or 0.12) * drawn) if minutes else 1.0
        if off_hours(since):
            minutes *= step.off_hours
        if step.reading:
            minutes *= self._reading(since)
        return minutes + self.extra_min.get(step.to, 0.0)

    def _reading(self, since: datetime) -> float:
        """How many times as long this reader takes at this hour."""
        table = year_table()
        reader = person("reader", HUB, since)
        speed = next(one.speed for one in table.readers if one.id == reader)
        hour = since.astimezone(ZONE).hour
        night = table.night_reading if hour >= 22 or hour < 7 else 1.0
        weekend = table.weekend_reading if free_day(since) else 1.0
        return speed * night * weekend * (1.0 if self.stemi else _QUEUE)
