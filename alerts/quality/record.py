"""One case as quality staff count it: what stands of its times, and what became of its ECGs and its alerts.

A record is a value made from one case and from nothing else, and holds no name and no pseudonym. Everything that is
counted, charted, exported or reported is counted from records; who wants the corrections and their reasons opens the
case. What is not known is None, or is not there.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import msgspec

from greenchannel.alerts.quality.tables import read_document, read_value

RECORDS_VERSION = 4
"""Raised whenever a record of the same events would come out differently: stored ones are then made anew."""
STEMI = "STEMI"
"""The code of the diagnosis that intervals are about, of DX and of the discharge alike."""


@cache
def begins_with() -> tuple[str, ...]:
    """The milestones by the first known of which a case counts in a month and an hour."""
    return read_value("record", "begins_with", tuple[str, ...])


def record_rules() -> Mapping[str, Any]:
    """All of ``record.toml``: records that were made by other rules are made anew."""
    return read_document("record")


class RecordTime(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The time that stands for one milestone."""

    at: datetime  # the middle, where only a day or a part of one was told
    earliest: datetime  # as `at`, unless a day or a part of one was told
    latest: datetime
    uncertainty_s: float | None  # half width, of a day told too; None: the clock was never compared
    source: str
    told: str | None = None  # the day, or the part of it, as it was told
    entered: bool = False  # a person typed or tapped it; otherwise the service knew it
    corrected: bool = False  # it stands in place of an earlier value
    typed: bool = False  # a person typed when it was; otherwise it is the instant of a press, or a machine's
    code: str | None = None  # what was said beside the time

    @property
    def pressed(self) -> bool:
        """Whether a person pressed it as it happened: the time is that of the service's clock."""
        return self.entered and not self.typed


class RecordEcg(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One ECG of the case, repeats and ECGs that were split off left out."""

    ecg_id: str
    way: str  # "upload" or "stream"
    format: str | None = None
    device: str | None = None
    acquired: RecordTime | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    opened_at: datetime | None = None
    read_at: datetime | None = None  # the first signed reading
    reader: str | None = None
    acceptable: bool | None = None  # None: the machine has not read it
    bad_leads: tuple[str, ...] = ()
    tier: str | None = None  # of the machine
    rules: tuple[str, ...] = ()  # that fired
    read_tier: str | None = None  # of the newest signed reading
    agrees: bool | None = None  # the doctor with the machine; None: not said
    clock_offset_s: float | None = None  # of the device that recorded it; None: never compared


class RecordAlert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One alert of the case."""

    alert_id: str
    tier: str
    rules: tuple[str, ...]
    opened_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    exhausted_at: datetime | None = None
    end: str = "open"  # "open", "confirmed" (treated, or a doctor's reading of tier ACT), "cancelled"
    occlusion_later: bool | None = None  # of a cancelled one; None: nobody has asked yet


class CaseRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One case."""

    case_id: str
    site: str  # where the case began
    town: str | None = None
    site_kind: str | None = None
    referring: str | None = None  # the hospital or clinic that the patient was transferred from
    opened_at: datetime
    state: str  # "open", "closed"; merged cases and drills have no record
    arrival_mode: int | None = None
    ambulance: str | None = None  # the unit; None: none, or unknown
    doctor: str | None = None  # who decided: named at PCI_DECIDE, else who opened the channel
    reader: str | None = None  # who signed the first reading
    age_years: float | None = None
    sex: str | None = None
    chest_pain: bool | None = None
    diagnosis: str | None = None  # at discharge, else the code of DX; None: nobody has said
    times: dict[str, RecordTime] = {}  # by milestone; of one that repeats, the earliest
    facts: dict[str, str] = {}  # by fact, what stands
    reasons: tuple[str, ...] = ()  # why care was late, codes of DELAY_REASON
    ecgs: tuple[RecordEcg, ...] = ()  # in the order they were recorded
    alerts: tuple[RecordAlert, ...] = ()  # oldest first
    way: str = "upload"  # "stream" where any ECG of it was one
    seq: int = 0  # the last event that it holds

    @property
    def began_at(self) -> datetime:
        """The instant by whose month and hour the case counts: its first contact as far as anybody knows."""
        known = (self.times.get(name) for name in begins_with())
        return next((time.at for time in known if time is not None), self.opened_at)

    def at(self, milestone: str) -> datetime | None:
        """When a milestone was; None where nobody has said."""
        time = self.times.get(milestone)
        return None if time is None else time.at
