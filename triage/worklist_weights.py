"""What is known of a patient as points in the worklist (`worklist.toml`)."""

from collections.abc import Callable
from importlib.resources import files
from typing import Final

import msgspec

from greenchannel.triage.finding import Patient


class Weight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing that may be known, and what it counts."""

    when: str  # a key of `_HOLDS`
    points: int
    en: str
    zh: str
    limit: float = 0.0

    @property
    def words(self) -> tuple[str, str]:
        """English, Chinese, with the limit in place."""
        return self.en.format(limit=f"{self.limit:g}"), self.zh.format(limit=f"{self.limit:g}")


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    point_s: float
    weight: tuple[Weight, ...]


def _aged(patient: Patient, sex: str, from_years: float) -> bool:
    return patient.sex == sex and patient.age_years is not None and patient.age_years >= from_years


_HOLDS: Final[dict[str, Callable[[Patient, float], bool]]] = {
    "shock": lambda p, _: p.shock is True,
    "low_pressure": lambda p, limit: p.systolic_mmhg is not None and p.systolic_mmhg < limit,
    "chest_pain": lambda p, _: p.chest_pain is True,
    "pain_unknown": lambda p, _: p.chest_pain is None,
    "no_pain": lambda p, _: p.chest_pain is False,
    "recent_onset": lambda p, limit: p.onset_h is not None and p.onset_h <= limit,
    "troponin": lambda p, _: p.troponin_raised is True,
    "earlier_infarction": lambda p, _: p.earlier_infarction is True,
    "age_man": lambda p, limit: _aged(p, "male", limit),
    "age_woman": lambda p, limit: _aged(p, "female", limit),
}

_TABLE: Final = msgspec.toml.decode(
    (files("greenchannel") / "triage/worklist.toml").read_text(encoding="utf-8"), type=_File
)
WEIGHTS: Final = _TABLE.weight
POINT_S: Final = _TABLE.point_s
"""What a point counts as, in seconds of waiting."""


def held(patient: Patient) -> tuple[Weight, ...]:
    """Everything that is known to hold, in the order of the table."""
    return tuple(weight for weight in WEIGHTS if _HOLDS[weight.when](patient, weight.limit))


def points(patient: Patient) -> int:
    """The sum of what holds."""
    return sum(weight.points for weight in held(patient))
