"""Images of a case: that they came, how many, and what was not taken. UIDs are numbers of machines, not of patients."""

from greenchannel.events.base import ClockReading, Event


class ImageStudyReceived(Event, frozen=True, kw_only=True):
    """The first object of a study is durable; more may follow."""

    study_uid: str
    modality: str | None  # of the first object; None: it does not say
    body_part: str | None = None
    priority: str | None = None  # as the sender has it: STAT, HIGH, ROUTINE, …
    way: str = "upload"  # "stow", "dicom", "upload"
    study: ClockReading | None = None  # when it was made, by the machine; None: unknown


class ImageStudySettled(Event, frozen=True, kw_only=True):
    """The sender has finished, or nothing more has come for a while. Written anew where more came afterwards."""

    study_uid: str
    series: int
    instances: int
    modalities: tuple[str, ...] = ()
    expected: int | None = None  # how many there should be; None: nobody has said
    expected_by: str | None = None  # "sender", "header"; "numbers": they leave gaps, so at least so many
    quiet: bool = False  # True: nobody said that it is all, it only became quiet


class ImageRefused(Event, frozen=True, kw_only=True):
    """An object that says it is of this study was not taken; its bytes are in quarantine, a person must look."""

    study_uid: str
    sha256: str
    reason: str  # "other_patient", "other_bytes": another object under the identifier of one that is here


class ImagePatientDoubted(Event, frozen=True, kw_only=True):
    """An object names another person than what is known under its own number of a patient; it is taken, a person must
    look."""

    study_uid: str
    sha256: str
    differs: tuple[str, ...]  # of "name", "sex", "birth_date", "age_years"


class ImageStudyMoved(Event, frozen=True, kw_only=True):
    """A person found that a study is of another patient or episode than it was filed to. Written on the case that it
    leaves, on the one that it comes to, and on the stream of its reading."""

    study_uid: str
    from_case_id: str
    to_case_id: str


class ImageOrdered(Event, frozen=True, kw_only=True):
    """Somebody asks for images; they stand in the worklist of the site's machines until they have come."""

    accession: str
    study_uid: str  # under which the study will come, where the machine keeps to it
    modality: str
    body_part: str | None = None
    priority: str = "ROUTINE"  # STAT, HIGH, ROUTINE


class ImageOrderCancelled(Event, frozen=True, kw_only=True):
    """They are not wanted any more."""

    accession: str
    note: str | None = None
