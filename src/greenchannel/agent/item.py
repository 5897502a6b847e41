"""One ECG in the agent's spool, with all that is known of it."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from greenchannel.ingest.agent_answers import Trouble
from greenchannel.ingest.agent_plan import Entry, Stage, Urgency


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the spool. Instants are of this computer's clock where nothing else is said."""

    number: int
    key: str  # content and patient: the same bytes for the same patient are one thing
    sha256: str  # of the file as it was found
    size_bytes: int
    name: str  # of the file, for people
    way: str  # "folder", "mllp" or "dicom"
    found_at: datetime
    fields: dict[str, str] = {}  # that go with the upload, by their names on the wire
    stage: Stage = "found"
    urgency: Urgency = "unknown"
    tier: str | None = None  # by our own reading; None: it could not be read here
    note: str | None = None  # what was odd about it here
    put_aside: bool = False  # refused, and a person has dealt with it otherwise
    amended: bool = False  # more came to be known than the server was told; of a taken ECG it stays so
    failures: int = 0
    due_at: datetime | None = None
    poll_at: datetime | None = None
    trouble: Trouble | None = None  # the newest one; of a refused ECG, why

    upload_url: str | None = None
    metadata: str = ""  # as the upload was or will be created; the same again asks for the same upload
    encoding: str = "identity"
    wire_bytes: int = 0
    wire_sha256: str = ""
    offset: int = 0  # confirmed

    sent_at: datetime | None = None  # the last byte was confirmed
    ecg_id: str | None = None
    case_id: str | None = None
    duplicate: bool = False
    seq: int = 0  # of the case, as of the newest states
    states: dict[str, str | None] = {}  # instants of the server
    advice: str | None = None
    advice_by: str | None = None
    advice_heard: str | None = None  # the advice that somebody here has answered
    record_again: dict[str, Any] | None = None
    server_tier: str | None = None
    diagnosis: str | None = None  # as a doctor signed it
    signed_tier: str | None = None

    @property
    def entry(self) -> Entry:
        """What the plan must know."""
        return Entry(
            number=self.number,
            stage=self.stage,
            urgency=self.urgency,
            failures=self.failures,
            due_at=self.due_at,
            poll_at=self.poll_at,
        )


def key_of(sha256: str, patient_ref: str | None) -> str:
    """The identity of an ECG in the spool: its content, and the patient it was said to be of."""
    return hashlib.sha256(f"{sha256}\0{patient_ref or ''}".encode()).hexdigest()
