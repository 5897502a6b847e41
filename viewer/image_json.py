"""Images as a case page and a worklist have them."""

from typing import Any

from greenchannel.clock import rfc3339
from greenchannel.service.imaging.records import ImageStudy
from greenchannel.viewer.wire import maybe


def study_json(study: ImageStudy, *, named: bool) -> dict[str, Any]:
    """One study. Free text of the sender only where `named`: it may tell who the patient is.

    `complete` is null where nobody has said how many objects there should be; `expected_by` "numbers" means at least
    so many, by the gaps between their numbers.
    """
    text = study.text
    return {
        "study_uid": study.study_uid,
        "case_id": study.case_id,
        "modalities": list(study.modalities),
        "body_part": text.body_part,
        "description": text.description if named else None,
        "reasons": list(text.reasons) if named else [],
        "priority": text.priority,
        "charset_assumed": None if text.charset == "?" else text.charset,
        "charset_doubtful": text.charset == "?",
        "names_other": text.in_file is not None,  # it was moved here: its files name somebody else, or nobody
        "study_at": maybe(study.study_at),
        "study_date": study.study_date,
        "received_at": rfc3339(study.received_at),
        "last_at": rfc3339(study.last_at),
        "settled": study.settled,
        "instances": study.instances,
        "expected": study.expected,
        "expected_by": study.expected_by,
        "complete": {"complete": True, "partial": False, "unknown": None}[study.completeness],
    }
