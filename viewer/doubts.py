"""What a row says of whose, and which, recording an ECG is; in words, and only while a person still has to look."""

from typing import Any, Final

from greenchannel.alerts.case import Case, IdentityConflict
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.clock import rfc3339

Json = dict[str, Any]

FORMATS: Final = {
    "dicom": "DICOM",
    "scp_ecg": "SCP-ECG",
    "hl7_aecg": "HL7 aECG",
    "muse_xml": "MUSE XML",
    "philips_xml": "Philips XML",
    "schiller_xml": "Schiller XML",
    "cardiosoft_xml": "CardioSoft XML",
    "edf": "EDF",
    "bdf": "BDF",
    "ishne": "ISHNE",
    "mfer": "MFER",
    "hl7v2": "HL7 v2",
    "fhir": "FHIR",
    "csv": "CSV",
    "wfdb": "WFDB",
}


def format_name(format: str | None) -> tuple[str, str]:
    """How people call a format, in Chinese and English."""
    if format == "stream":
        return "实时采集", "live stream"
    name = FORMATS.get(format or "", format or "?")
    return name, name


def same_as(ecg: Ecg) -> Json | None:
    """Which earlier ECG holds the same samples; None where none does."""
    same = ecg.same_as
    if same is None:
        return None
    zh, en = format_name(same.format)
    return {
        "ecg_id": same.ecg_id,
        "format": same.format,
        "other_patient": not same.same_patient,
        "overlap_s": round(same.overlap_s, 3),
        "zh": f"与先前的心电图（{zh}）是同一份记录",
        "en": f"the same recording as the earlier ECG ({en})",
    }


def conflicts(case: Case) -> list[Json]:
    """The same recording sent for another patient, or images of another person, as long as nobody has looked."""
    return [
        {
            "at": rfc3339(one.at),
            "existing_ecg_id": one.existing_ecg_id,
            "ecg_id": one.ecg_id,
            "study_uid": one.study_uid,
            "differs": list(one.differs),
        }
        for one in case.conflicts
        if case.asks_identity(one.at) and _is_here(case, one.ecg_id) and not _has(case, one)
    ]


def doubts(case: Case) -> list[Json]:
    """ECGs that fit another patient's and none of their own, as long as nobody has looked."""
    return [
        {
            "at": rfc3339(ecg.doubt.at),
            "ecg_id": ecg.ecg_id,
            "like_ecg_id": ecg.doubt.like_ecg_id,
            "own_ecg_id": ecg.doubt.own_ecg_id,
            "like_distance": ecg.doubt.like_distance,
            "own_distance": ecg.doubt.own_distance,
        }
        for ecg in case.current_ecgs
        if ecg.doubt is not None
        and case.asks_identity(ecg.doubt.at)
        and not _is_here(case, ecg.doubt.like_ecg_id, unknown=False)
    ]


def _is_here(case: Case, ecg_id: str | None, *, unknown: bool = True) -> bool:
    """Is an ECG in the case now? `unknown` where no ECG was named."""
    return unknown if ecg_id is None else any(ecg.ecg_id == ecg_id for ecg in case.current_ecgs)


def _has(case: Case, conflict: IdentityConflict) -> bool:
    """Were both put together since?"""
    return conflict.ecg_id is not None and _is_here(case, conflict.existing_ecg_id)
