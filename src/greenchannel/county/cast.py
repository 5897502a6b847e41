"""The people, clinics and devices of the simulated county. All of it is invented but the published case's pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

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

DEVICES: Final = (
    ("ecg-yinzhao", "yinzhao", "12-lead ECG, Yinzhao"),
    ("ecg-jishi", "jishi", "18-lead ECG, Jishi"),
    ("ecg-liuzhuang", "liuzhuang", "12-lead ECG, Liuzhuang"),
)

ROSTER: Final = (("first", "chen"), ("second", "lin"), ("head", "zhao"))


def settle(accounts: Accounts, start: datetime) -> dict[str, str]:
    """Write sites, people, shifts and devices into an empty county; returns each device's token."""
    for site, name_zh, name_en, kind, distance_km, phone in SITES:
        accounts.add_site(site, name_zh, name_en, kind, distance_km=distance_km, phone=phone, timezone=ZONE)
    for person in USERS:
        sites = None if person.sites is None else frozenset(person.sites)
        accounts.add_user(person.user, person.name, person.role, person.password, sites)
    begins, ends = start - timedelta(hours=8), start + timedelta(hours=16)
    for role, user in ROSTER:
        accounts.add_shift(f"demo-{role}", role, user, begins, ends)
    return {device: accounts.add_device(device, site, name)[1] for device, site, name in DEVICES}
