"""What the order and the clock of a study may look at: stated by people and by the file, never by pixels."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Setting(StrEnum):
    """Where the patient is; unknown counts as routine, and is said to be unknown."""

    EMERGENCY = "emergency"
    INPATIENT = "inpatient"
    OUTPATIENT = "outpatient"
    UNKNOWN = "unknown"


class Detected(msgspec.Struct, frozen=True, kw_only=True):
    """What a detector said of a study; only what is enabled at the site may move it."""

    plugin: str
    version: str
    status: str  # "unvalidated", "silent", "enabled"
    raised: bool | None  # None: not analysed
    reason: str | None = None  # why not, or why raised

    @property
    def counts(self) -> bool:
        """Does it move the study? A failure, or a detector that found nothing, changes nothing."""
        return self.status == "enabled" and self.raised is True


class StudyFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One study as the worklist knows it. Unknown is None or empty."""

    study_uid: str
    received_at: datetime  # aware; the first image
    site: str | None = None
    modality: str | None = None  # of DICOM: "CT", "DX", "CR", …
    body_part: str | None = None
    description: str | None = None
    requested_priority: str | None = None  # as written: DICOM, HL7 or FHIR
    reasons: tuple[str, ...] = ()  # texts of the request
    setting: Setting = Setting.UNKNOWN
    marked_stat: bool = False  # a person said so here, whatever the file says
    arrived_at: datetime | None = None  # aware; of the patient
    age_years: float | None = None
    detected: tuple[Detected, ...] = ()

    @property
    def texts(self) -> tuple[str, ...]:
        """What people wrote about why it was made."""
        return tuple(text for text in (*self.reasons, self.description) if text)
