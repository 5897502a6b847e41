"""The numbers of a simulated year, read once from ``year.toml`` and checked; the fields are explained there."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

How = Literal["tap", "task", "typed", "gps", "service"]


class Reader(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A doctor who reads from afar."""

    id: str
    speed: float


class ModeShare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many come in an arrival mode."""

    mode: int
    share: float


class PathShare(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many get a way of reperfusion."""

    id: str
    share: float


class Kind(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody without STEMI has; the id is the code of DX."""

    id: str
    share: float
    strips: tuple[str, ...]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of care."""

    to: str
    after: tuple[str, ...]
    median_min: float
    sigma: float = 0.0
    off_hours: float = 1.0
    drive: bool = False
    reading: bool = False
    path: str | None = None
    modes: tuple[int, ...] = (1, 2, 3, 4)
    by: str  # a role, "first" for the role of the first contact, or "device", "server"
    how: How


class Happening(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens to some, and lengthens a step."""

    fact: str | None = None
    share: float
    to: str
    minutes: float
    reason: str


class Planted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A delay that is planted, to be found again."""

    id: str
    to: str
    minutes: float
    site: str | None = None
    month: str | None = None


class YearTable(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={
        "readers": "reader",
        "modes": "mode",
        "paths": "path",
        "kinds": "kind",
        "steps": "step",
        "events": "event",
    },
):
    """All of ``year.toml``."""

    patients_a_month: float
    stemi_share: float
    month_d: float
    strip_s: float
    road_kmh: float
    road_factor: float
    night_reading: float
    weekend_reading: float
    tap_delay_min: float
    correction_share: float
    corrected_after_min: float
    quality_after_h: float
    quality_share: float
    quality_error_min: float
    told_onset_share: float
    no_onset_share: float
    close_after_min: float
    missed_share: float
    followed_share: float
    feedback_share: float
    bad_clinic_rejects: float
    rejects: float
    talking_share: float
    fmc_told: float
    no_fmc_clinics: int
    hub_share: float
    hospital_share: float
    hours: tuple[float, ...]
    taps: dict[str, float]
    clocks: dict[str, float]
    readers: tuple[Reader, ...]
    modes: tuple[ModeShare, ...]
    paths: tuple[PathShare, ...]
    kinds: tuple[Kind, ...]
    steps: tuple[Step, ...]
    events: tuple[Happening, ...]
    planted: tuple[Planted, ...]


@cache
def year_table() -> YearTable:
    """The table; raises `msgspec.ValidationError` where it does not fit."""
    text = (files("greenchannel") / "county" / "year.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), YearTable)
