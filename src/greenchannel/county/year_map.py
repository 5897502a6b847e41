"""Where a simulated year happens, as values: towns, sites, machines, ambulances, and who is there at an instant.

All of it is invented. A place is drawn from dice of its own name, so a larger county begins with the smaller one.
"""

import math
import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from greenchannel.alerts.duty_calendar import chinese_calendar
from greenchannel.county.plan import DeviceClock
from greenchannel.county.year_table import year_table

ZONE_NAME: Final = "Asia/Shanghai"
ZONE: Final = ZoneInfo(ZONE_NAME)
HUB: Final = "hub"
HOSPITALS: Final = ("hospital1", "hospital2")
CLINICS_A_TOWN: Final = 7
UNITS: Final = 10
SLOW: Final = 2  # which clinic is slow, counted from 0
M_PER_DEG: Final = 111_195.0
_HUB_AT: Final = (33.4, 115.3)
_STAFF: Final = {
    "cardiologist": 4,
    "ed": 3,
    "cathlab": 3,
    "ccu": 2,
    "dispatch": 3,
    "quality": 1,
}  # people of a role


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One site with its machine."""

    site: str
    zh: str
    en: str
    kind: str  # as the service has it: "clinic", "hub"
    town: str | None
    road_km: float | None  # to the hub; None: it is the hub
    lat: float
    lon: float
    weight: float  # how many patients come, against the other clinics
    rejects: float  # share of ECGs that must be recorded again
    tells_fmc: bool
    machine: str
    clock: DeviceClock
    talks: bool  # the machine says its clock's time as it sends


@dataclass(frozen=True, kw_only=True, slots=True)
class County:
    """All places; the clinics by number, then the hospitals, then the hub."""

    seed: int
    clinics: tuple[Place, ...]
    hospitals: tuple[Place, ...]
    hub: Place

    @property
    def places(self) -> tuple[Place, ...]:
        """Every place."""
        return (*self.clinics, *self.hospitals, self.hub)

    @property
    def slow(self) -> str:
        """The site that is slow on purpose."""
        return self.clinics[min(SLOW, len(self.clinics) - 1)].site


def make_county(seed: int, clinics: int) -> County:
    """The county of a seed; raises `ValueError` for none."""
    if clinics < 1:
        raise ValueError(f"expected 1 clinic or more, got {clinics}")
    hospitals = tuple(
        _place(seed, site, f"模拟第{number}医院", f"Simulated Hospital {number}", None)
        for number, site in enumerate(HOSPITALS, 1)
    )
    return County(
        seed=seed,
        clinics=tuple(_clinic(seed, number) for number in range(clinics)),
        hospitals=hospitals,
        hub=_place(seed, HUB, "模拟县人民医院胸痛中心", "Simulated County Chest Pain Centre", None),
    )


def _clinic(seed: int, number: int) -> Place:
    town = number // CLINICS_A_TOWN + 1
    zh, en = f"模拟{number + 1:03d}卫生院", f"Simulated Clinic {number + 1:03d}"
    return _place(seed, f"c{number + 1:03d}", zh, en, f"模拟{town:02d}镇", number)


def _place(seed: int, site: str, zh: str, en: str, town: str | None, number: int | None = None) -> Place:
    dice, table = random.Random(f"{seed}/place/{site}"), year_table()
    road_km = None if site == HUB else round(dice.uniform(6.0, 45.0), 1)
    straight_m = 1000.0 * (road_km or 0.0) / table.road_factor
    bearing = dice.uniform(0.0, 2 * math.pi)
    lat = _HUB_AT[0] + straight_m * math.cos(bearing) / M_PER_DEG
    lon = _HUB_AT[1] + straight_m * math.sin(bearing) / (M_PER_DEG * math.cos(math.radians(_HUB_AT[0])))
    kind = dice.choices(tuple(table.clocks), tuple(table.clocks.values()))[0]
    if number in (None, SLOW):  # the busy and the planted have clocks that can be corrected
        kind = "good"
    offset_s = {"good": dice.gauss(0.0, 1.0), "off": dice.gauss(0.0, 400.0), "dead": 0.0}[kind]
    talks = dice.random() < table.talking_share
    bad = number is not None and number % 11 == 5
    return Place(
        site=site,
        zh=zh,
        en=en,
        kind="hub" if site == HUB else "clinic",
        town=town,
        road_km=road_km,
        lat=round(lat, 6),
        lon=round(lon, 6),
        weight=3.0 if number == SLOW else dice.lognormvariate(0.0, 0.6),
        rejects=table.bad_clinic_rejects if bad else table.rejects,
        tells_fmc=number is None or not 4 <= number < 4 + table.no_fmc_clinics,
        machine=f"ecg-{site}",
        clock=DeviceClock(kind=kind, offset_s=round(offset_s, 1), drift_ppm=round(dice.gauss(0.0, 5.0), 2)),
        talks=talks or number in (None, SLOW),
    )


# ---------------------------------------------------------------- people


def people() -> dict[str, tuple[str, ...]]:
    """The ids of the people of each role at the hub; clinics have one doctor each, see `person`."""
    staff = {role: tuple(f"{role}{n}" for n in range(1, many + 1)) for role, many in _STAFF.items()}
    return staff | {"reader": tuple(reader.id for reader in year_table().readers)}


def clinic_doctor(site: str) -> str:
    """The one doctor of a clinic."""
    return f"doctor-{site}"


def person(role: str, site: str, at: datetime) -> str:
    """Who does it: a clinic has one doctor, the others take turns by shifts of twelve hours."""
    if role == "clinic":
        return clinic_doctor(site)
    there = people()[role]
    return there[_shift(at) % len(there)]


def _shift(at: datetime) -> int:
    """Shifts since a day long ago: the day's from 8 to 20, and the night's."""
    local = at.astimezone(ZONE) - timedelta(hours=8)
    # The night counts five on, so that nobody has the same half of every day.
    return local.date().toordinal() * 3 + (5 if local.hour >= 12 else 0)


def off_hours(at: datetime) -> bool:
    """Whether it is outside Monday to Friday from 8 to 17, or on a holiday; weekdays of an unknown year are worked."""
    local = at.astimezone(ZONE)
    return not 8 <= local.hour < 17 or not _worked(local.date())


def free_day(at: datetime) -> bool:
    """Whether the local day is a weekend's or a holiday."""
    return not _worked(at.astimezone(ZONE).date())


@cache
def _worked(day: date) -> bool:
    kinds = chinese_calendar().kinds(day)
    return "working" in kinds and (len(kinds) == 1 or day.weekday() < 5)
