"""The sites, machines and people of a planned county, entered into a service's data folder; their keys as a file."""

import json
import os
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from greenchannel.county.plan import Plan
from greenchannel.store.accounts import Accounts

HUB: Final = "sim-hub"
DOCTORS: Final = (("sim-first", "first"), ("sim-second", "second"), ("sim-head", "head"))
ZONE: Final = "Asia/Shanghai"
DUTY: Final = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Keys:
    """How the county's machines and people show who they are."""

    tokens: dict[str, str]
    """By device."""
    passwords: dict[str, str]
    """By doctor, in the order of the roster."""


def settle(accounts: Accounts, plan: Plan, now: datetime) -> Keys:
    """Enter everybody; the doctors are on duty from `now` on.

    Raises `AlreadyExists` where the folder has a simulated county already.
    """
    accounts.add_site(HUB, "模拟县医院", "Simulated County Hospital", "hub", phone="0000-120", timezone=ZONE)
    passwords = {}
    for doctor, role in DOCTORS:
        passwords[doctor] = secrets.token_urlsafe(18)
        accounts.add_user(doctor, f"模拟医生 {doctor}", "cardiologist", passwords[doctor])
        accounts.add_shift(f"duty-{doctor}", role, doctor, now, now + DUTY)
    tokens = {}
    for clinic in plan.clinics:
        accounts.add_site(
            clinic.site,
            f"模拟卫生室 {clinic.site}",
            f"Simulated Clinic {clinic.site}",
            "clinic",
            timezone=ZONE,
        )
        tokens[clinic.device] = accounts.add_device(clinic.device, clinic.site, f"simulated, {clinic.way}")[1]
    return Keys(tokens=tokens, passwords=passwords)


def write_keys(keys: Keys, path: Path) -> None:
    """Keep the keys in a file that its owner alone can read; raises `FileExistsError` where there is one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
        json.dump(asdict(keys), out, indent=1)


def read_keys(path: Path) -> Keys:
    """The keys from a file; raises `ValueError` where it is none."""
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Keys(tokens=dict(known["tokens"]), passwords=dict(known["passwords"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"expected the keys of a simulated county in {path}, got: {error!r}") from error
