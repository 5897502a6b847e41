"""What became of an upload, as its row keeps it: the answer of `POST /ecgs`, or the refusal."""

from typing import Final

import msgspec

from greenchannel.ingest.errors import IngestError
from greenchannel.service.arrival import UploadAnswer
from greenchannel.service.errors import Conflict, Forbidden, NotFound, ServiceError


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why the bytes were not taken in."""

    kind: str
    code: str
    en: str
    zh: str | None = None
    expected: str | None = None
    got: str | None = None

    def error(self) -> Exception:
        """The refusal as it was raised."""
        if self.kind == "IngestError":
            return IngestError(self.code, self.en, self.expected, self.got)
        error = ServiceError.__new__(_KINDS.get(self.kind, ServiceError))
        ServiceError.__init__(error, self.code, self.en, self.zh or self.en)
        return error


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Which ECG it is."""

    ecg_id: str
    case_id: str
    sha256: str
    state: str  # at the commit; it may have been read since
    duplicate: bool
    same_as: str | None = None  # the earlier ECG that has the same samples in other bytes
    dropped: tuple[str, ...] = ()  # names of the fields that could not be kept, or not whole


class StudyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the objects of an archive."""

    study_uids: tuple[str, ...]
    case_ids: tuple[str, ...]
    new: int
    duplicate: int
    refused: tuple[tuple[str, str], ...] = ()  # number of the member in the archive, and why
    passed_over: int = 0  # members that are no DICOM objects


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """One of the three."""

    answer: Answer | None = None
    refusal: Refusal | None = None
    study: StudyAnswer | None = None


_KINDS: Final[dict[str, type[ServiceError]]] = {
    kind.__name__: kind for kind in (NotFound, Forbidden, Conflict)
}


def outcome_of(answer: UploadAnswer) -> Outcome:
    """The answer of the intake."""
    return Outcome(
        answer=Answer(
            ecg_id=answer.ecg_id,
            case_id=answer.case_id,
            sha256=answer.sha256,
            state=answer.state,
            duplicate=answer.duplicate,
            same_as=answer.same_as,
            dropped=answer.dropped,
        )
    )


def refusal_of(error: Exception) -> Refusal:
    """What the intake raised, to be kept."""
    if isinstance(error, IngestError):
        return Refusal(
            kind="IngestError", code=error.code, en=error.message, expected=error.expected, got=error.got
        )
    if isinstance(error, ServiceError):
        return Refusal(kind=type(error).__name__, code=error.code, en=error.en, zh=error.zh)
    return Refusal(
        kind="Conflict",
        code="patient_erased",
        en="the patient of this case was erased",
        zh="该患者的资料已被删除",
    )
