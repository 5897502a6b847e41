"""What a rule says: the finding, its evidence and its tier; and what rules may know of a patient."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

BLANK: Final = "___"
"""What a person must fill in; a text that still has it cannot be signed."""


class Tier(StrEnum):
    """Urgency, from the highest to none. REC asks for a new recording and is added to whatever else is shown."""

    ACT = "ACT"  # propose opening the chest-pain green channel
    CRIT = "CRIT"  # critical value
    URG = "URG"  # over-read within 10 minutes
    FLAG = "FLAG"  # said in the report
    REC = "REC"  # record again
    NONE = "NONE"  # no rule fired; never "normal"

    @property
    def rank(self) -> int:
        """0 for the most urgent."""
        return list(Tier).index(self)


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """One measured value against the threshold of one rule."""

    lead: str | None  # None: of the whole recording
    quantity: str  # the measurement's wire name, unit in the key: stj_mv
    value: float
    threshold: float
    rule: str
    relation: str = ">="  # how the value stands to the threshold: ">=", "<=", ">" or "<"
    trace: str | None = None
    """None: this recording. ``corrected``: its electrodes put right. An id: the ECG that the lead comes from."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that fired, with what it rests on."""

    id: str  # the rule's id in the clinical specification: STE-1
    tier: Tier
    en: str
    zh: str
    territories: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    downgraded_by: tuple[str, ...] = ()
    restored_by: tuple[str, ...] = ()
    culprit: tuple[str, str] | None = (
        None  # possible vessel with its steps, English and Chinese: to read, never to decide
    )


class Patient(msgspec.Struct, frozen=True, kw_only=True):
    """What the rules may know of a patient. None: unknown, evaluated for every possibility."""

    age_years: float | None = None
    sex: str | None = None  # "male" or "female"
    chest_pain: bool | None = None
    symptoms: bool | None = None  # syncope, breathlessness, palpitation or pain
    systolic_mmhg: float | None = None
    shock: bool | None = None
    earlier_infarction: bool | None = None
    troponin_raised: bool | None = None
    potassium_mmol_l: float | None = None
    digoxin: bool | None = None
    onset_h: float | None = None  # hours since the pain began


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier recording of the same patient, as far as rules compare with it."""

    ecg_id: str
    same_episode: bool
    age_days: float  # how long before the present one
    tier: Tier
    stj_mv: Mapping[str, float]  # of its usable leads
    rules: tuple[str, ...] = ()  # ids that fired
    version: str = ""  # of the rules it was read by; empty where nobody knows
