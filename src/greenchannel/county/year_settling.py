"""The sites, machines, people and shifts of a simulated year, entered into an empty service."""

from datetime import timedelta
from typing import Final

from greenchannel.county.cast import DemoUser
from greenchannel.county.year_map import HUB, UNITS, ZONE_NAME, County, clinic_doctor, people, person
from greenchannel.county.year_plan import YearOptions
from greenchannel.store.accounts import Accounts

SHIFT: Final = timedelta(hours=12)
FIRST_SHIFT_H: Final = 8
DUTY_AFTER: Final = timedelta(days=14)  # the roster goes on behind the year's end
ON_DUTY: Final = (("first", "reader"), ("second", "cardiologist"), ("head", "cardiologist"))
CLINICS_THAT_SIGN_IN: Final = 3  # a password takes a moment to make  [E]
FENCE_M: Final = 200.0


def accounts_of(county: County) -> tuple[DemoUser, ...]:
    """Who may sign in: the hub's people, the doctors of a few clinics, quality staff and an administrator."""
    words = {
        "reader": ("远程阅图医生", "Reader"),
        "cardiologist": ("心内科医生", "Cardiologist"),
        "ed": ("急诊护士", "ED nurse"),
        "cathlab": ("导管室护士", "Cath-lab nurse"),
        "ccu": ("CCU护士", "CCU nurse"),
        "dispatch": ("120调度", "Dispatch 120"),
        "quality": ("质控员", "Quality officer"),
    }
    found = [
        DemoUser(
            user=one,
            name_zh=f"模拟{words[role][0]}{one[-1]}",
            name_en=f"{words[role][1]} {one[-1]}",
            role=role,
        )
        for role, ids in people().items()
        for one in ids
    ]
    for place in county.clinics[:CLINICS_THAT_SIGN_IN]:
        doctor = clinic_doctor(place.site)
        found.append(
            DemoUser(
                user=doctor,
                name_zh=f"{place.zh}医生",
                name_en=f"Doctor of {place.en}",
                role="clinic",
                sites=(place.site,),
            )
        )
    found.append(DemoUser(user="admin", name_zh="管理员", name_en="Administrator", role="admin"))
    return tuple(found)


def settle_year(accounts: Accounts, county: County, options: YearOptions) -> None:
    """Enter everybody, with shifts for the whole year; raises `AlreadyExists` where somebody is there."""
    for place in county.places:
        accounts.add_site(
            place.site,
            place.zh,
            place.en,
            place.kind,
            distance_km=place.road_km,
            phone="0000-120",
            timezone=ZONE_NAME,
            lat=place.lat,
            lon=place.lon,
            radius_m=FENCE_M,
            town=place.town,
        )
        accounts.add_device(place.machine, place.site, f"12-lead ECG, {place.en}")
    for number in range(UNITS):
        accounts.add_device(unit(number), HUB, f"GPS of ambulance {number + 1}")
    for one in accounts_of(county):
        accounts.add_user(
            one.user, one.name, one.role, one.password, None if one.sites is None else frozenset(one.sites)
        )
    _roster(accounts, options)


def unit(number: int) -> str:
    """The receiver of an ambulance."""
    return f"gps-{number + 1}"


def _roster(accounts: Accounts, options: YearOptions) -> None:
    begins = options.begins_at - SHIFT + timedelta(hours=FIRST_SHIFT_H)
    number = 0
    while begins < options.ends_at + DUTY_AFTER:
        for role, whose in ON_DUTY:
            # The head of the night is who has the day after: two people, one of whom sleeps.
            who = person(whose, HUB, begins if role != "head" else begins + SHIFT)
            accounts.add_shift(f"year-{number}-{role}", role, who, begins, begins + SHIFT)
        begins, number = begins + SHIFT, number + 1
