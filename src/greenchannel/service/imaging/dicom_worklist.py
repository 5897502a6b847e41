"""The modality worklist (PS3.4 K): a machine of a site asks by C-FIND what it is to do, and for whom."""

import fnmatch
import re
from collections.abc import Iterator
from typing import Any, Final

from pydicom.dataset import Dataset

from greenchannel.service.imaging.looking import Looking
from greenchannel.service.imaging.orders import ImageOrders, Order

_SEX: Final = {"male": "M", "female": "F"}
_WHOLE: Final = ("AccessionNumber", "PatientID", "RequestedProcedureID", "StudyInstanceUID")


class Worklist:
    """Answers C-FIND of the worklist; in a thread of the association."""

    def __init__(self, orders: ImageOrders, looking: Looking) -> None:
        self._orders = orders
        self._looking = looking

    def find(self, asked: Dataset, *, site: str, title: str, actor: str) -> Iterator[Dataset]:
        """The steps that match; `title` is that of the machine that asks: all are for it."""
        found = 0
        try:
            for order in self._orders.waiting_sync(site):
                step = step_of(order, title)
                if matches(asked, step):
                    found += 1
                    yield answer(asked, step)
        finally:  # what was told before it was broken off was seen
            self._looking.searched(actor, ["Modality Worklist"], found)


def step_of(order: Order, title: str) -> Dataset:
    """A request as a scheduled step."""
    wish, step, whole = order.wish, Dataset(), Dataset()
    said = wish.description or " ".join(one for one in (wish.modality, wish.body_part) if one)
    step.ScheduledStationAETitle = title
    step.ScheduledProcedureStepStartDate = f"{order.ordered_at:%Y%m%d}"
    step.ScheduledProcedureStepStartTime = f"{order.ordered_at:%H%M%S}"
    step.Modality = wish.modality
    step.ScheduledPerformingPhysicianName = None
    step.ScheduledProcedureStepDescription = said[:64]
    step.ScheduledProcedureStepID = order.accession
    step.ScheduledProcedureStepStatus = "SCHEDULED"
    whole.AccessionNumber = whole.RequestedProcedureID = order.accession
    whole.StudyInstanceUID = order.study_uid
    whole.PatientName = wish.name
    whole.PatientID = wish.patient_ref
    whole.PatientBirthDate = None if wish.birth_date is None else f"{wish.birth_date:%Y%m%d}"
    whole.PatientSex = _SEX.get(wish.sex or "")
    whole.RequestedProcedureDescription = said[:64]
    whole.RequestedProcedurePriority = wish.priority
    whole.ReasonForTheRequestedProcedure = None if wish.reason is None else wish.reason[:64]
    whole.ReferringPhysicianName = None
    whole.ScheduledProcedureStepSequence = [step]
    return whole


def matches(asked: Dataset, step: Dataset) -> bool:
    """Does a step match what is asked for? Empty keys, and keys that are not known here, match all."""
    for keyword in _WHOLE:
        wanted = str(asked.get(keyword, "") or "").strip()
        if wanted and not fnmatch.fnmatchcase(str(step.get(keyword, "") or ""), wanted):
            return False
    name = str(asked.get("PatientName", "") or "").strip()
    if name and not fnmatch.fnmatchcase(str(step.PatientName or "").casefold(), name.casefold()):
        return False
    parts = asked.get("ScheduledProcedureStepSequence") or []
    own = step.ScheduledProcedureStepSequence[0]
    return all(_step_matches(part, own) for part in parts)


def _step_matches(asked: Dataset, own: Dataset) -> bool:
    for keyword in ("Modality", "ScheduledStationAETitle", "ScheduledProcedureStepID"):
        wanted = str(asked.get(keyword, "") or "").strip()
        if wanted and not fnmatch.fnmatchcase(str(own.get(keyword, "")), wanted):
            return False
    span = str(asked.get("ScheduledProcedureStepStartDate", "") or "").strip()
    match = re.fullmatch(r"(\d{8})?(-)?(\d{8})?", span)
    if not span or span == "*" or match is None:
        return True
    first, last = match[1] or "", match[3] or ("99999999" if match[2] else match[1])
    return bool(first <= own.ScheduledProcedureStepStartDate <= last)


def answer(asked: Dataset, step: Dataset) -> Dataset:
    """What was asked for of a step, and what every machine needs of it."""
    found = Dataset()
    found.SpecificCharacterSet = "ISO_IR 192"
    for element in asked:
        if element.keyword and element.keyword not in step and element.VR != "SQ":
            found.add_new(element.tag, element.VR, None)
    for element in step:
        found.add(element)
    return found


def asked_by(event: Any) -> bool:
    """Is a C-FIND one of the worklist?"""
    from pynetdicom.sop_class import ModalityWorklistInformationFind  # type: ignore[attr-defined]

    return bool(event.context.abstract_syntax == ModalityWorklistInformationFind)
