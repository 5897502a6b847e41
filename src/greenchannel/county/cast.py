"""The people, clinics and devices of the simulated county. All of it is invented but the published case's pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from greenchannel.store.accounts import Accounts

ZONE: Final = "Asia/Shanghai"


@dataclass(frozen=True, kw_only=True, slots=True)
class DemoUser:
    """A person a visitor may sign in as. The password protects nothing and is shown on the page."""

    user: str
    name_zh: str
    name_en: str
    role: str
    sites: tuple[str, ...] | None = None

    @property
    def password(self) -> str:
        return f"demo-{self.user}"

    @property
    def name(self) -> str:
        return f"{self.name_zh} {self.name_en}"


SITES: Final = (
    # id, Chinese, English, kind, km to the hub, phone
    ("hub", "县人民医院胸痛中心", "County Hospital Chest Pain Centre", "hub", 0.0, "0000-120"),
    ("yinzhao", "阴赵卫生院", "Yinzhao Clinic", "clinic", 38.0, "0000-1001"),
    ("jishi", "姬石卫生院", "Jishi Clinic", "clinic", 12.0, "0000-1002"),
    ("liuzhuang", "刘庄村卫生室", "Liuzhuang Village Clinic", "clinic", 27.0, "0000-1003"),
)

USERS: Final = (
    DemoUser(user="chen", name_zh="陈医生", name_en="Dr Chen", role="cardiologist"),
    DemoUser(user="lin", name_zh="林医生", name_en="Dr Lin", role="reader"),
    DemoUser(user="zhao", name_zh="赵主任", name_en="Prof Zhao", role="cardiologist"),
    DemoUser(user="wang", name_zh="王村医", name_en="Village doctor Wang", role="clinic", sites=("yinzhao",)),
    DemoUser(user="sun", name_zh="孙医生", name_en="Village doctor Sun", role="clinic", sites=("jishi",)),
    DemoUser(user="dispatch", name_zh="120调度", name_en="Dispatch 120", role="dispatch"),
    DemoUser(user="ed", name_zh="急诊护士", name_en="ED nurse", role="ed"),
    DemoUser(user="cath", name_zh="导管室护士", name_en="Cath-lab nurse", role="cathlab"),
    DemoUser(user="ccu", name_zh="CCU护士", name_en="CCU nurse", role="ccu"),
    DemoUser(user="quality", name_zh="质控员", name_en="Quality officer", role="quality"),
)
ADMIN: Final = DemoUser(user="admin", name_zh="管理员", name_en="Administrator", role="admin")
"""Of the demo alone: the simulated counties have no administrator, so that what becomes of that is seen."""
RADIOLOGIST: Final = DemoUser(user="rad", name_zh="周医生", name_en="Dr Zhou", role="radiologist")
"""Of the demo alone: the simulated counties send no images."""

DEVICES: Final = (
    ("ecg-yinzhao", "yinzhao", "12-lead ECG, Yinzhao"),
    ("ecg-jishi", "jishi", "18-lead ECG, Jishi"),
    ("ecg-liuzhuang", "liuzhuang", "12-lead ECG, Liuzhuang"),
)

ROSTER: Final = (
    # shift, roster role, person
    ("day", "first", "chen"),
    ("day", "second", "lin"),
    ("day", "head", "zhao"),
    ("night", "first", "lin"),
    ("night", "second", "chen"),
    ("night", "head", "zhao"),
)
DAY_BEGINS_H: Final = 8
SHIFT: Final = timedelta(hours=12)


def settle(accounts: Accounts, start: datetime, people: tuple[DemoUser, ...] = USERS) -> dict[str, str]:
    """Write sites, people, shifts and devices into an empty county; returns each device's token."""
    for site, name_zh, name_en, kind, distance_km, phone in SITES:
        accounts.add_site(site, name_zh, name_en, kind, distance_km=distance_km, phone=phone, timezone=ZONE)
    for person in people:
        sites = None if person.sites is None else frozenset(person.sites)
        accounts.add_user(person.user, person.name, person.role, person.password, sites)
    morning = start.astimezone(ZoneInfo(ZONE)).replace(hour=DAY_BEGINS_H, minute=0, second=0, microsecond=0)
    if start < morning:
        morning -= 2 * SHIFT
    for shift, role, user in ROSTER:
        begins = morning if shift == "day" else morning + SHIFT
        accounts.add_shift(f"demo-{shift}-{role}", role, user, begins, begins + SHIFT)
    return {device: accounts.add_device(device, site, name)[1] for device, site, name in DEVICES}
