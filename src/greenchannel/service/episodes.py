"""Which case an ECG belongs to: the rule of episodes, and what makes "the same again" one thing."""

import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from greenchannel.alerts.case import Case
from greenchannel.events import AnyEvent, CaseOpened, ClockReading, ContextEntered
from greenchannel.ingest.fields import UploadFields
from greenchannel.service.casework import Casework
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.ids import new_id
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx

EPISODE: Final = timedelta(hours=24)  # after the last event of an open case a new ECG is a new episode


class Episodes:
    """Finds or opens the case of an arriving ECG, inside the transaction that receives it."""

    def __init__(self, *, vault: Vault, casework: Casework, cases: Mapping[str, Case]) -> None:
        self._vault = vault
        self._casework = casework
        self._cases = cases
        self._opened: dict[str, str] = {}  # case id → patient, until the book knows the case

    def place(self, tx: Tx, *, site: str, fields: UploadFields, actor: str) -> tuple[str, str, Case]:
        """Return ``(patient, case_id, case)``, having opened the case and kept the person's data where new.

        Raises
        ------
        NotFound
            `fields.case_id` names no case of this site.
        Conflict
            The named case is closed, or belongs to another patient.
        """
        if fields.case_id is not None:
            case = self._named(tx, site, fields)
        else:
            case = self._episode(tx, site, fields) or self._open(tx, site, fields, actor)
        self._keep_personal(tx, case.patient, fields)
        context = context_of(fields)
        if context is not None:
            case = self._casework.write(tx, case, case.case_id, [context], actor)
        return case.patient, case.case_id, case

    def _named(self, tx: Tx, site: str, fields: UploadFields) -> Case:
        assert fields.case_id is not None
        case = self._casework.current(tx, fields.case_id)
        if case.site != site:
            raise NotFound("case", fields.case_id)
        if case.state != "open":
            raise Conflict("case_closed", f"case {case.case_id} is {case.state}", "该病例已关闭")
        if (
            fields.patient_ref is not None
            and self._vault.patient_for(tx, site, fields.patient_ref) != case.patient
        ):
            raise Conflict(
                "identity_conflict",
                f"case {case.case_id} belongs to another patient of this site than the one named",
                "该病例属于另一位患者,请核对身份",
            )
        return case

    def _episode(self, tx: Tx, site: str, fields: UploadFields) -> Case | None:
        if fields.patient_ref is None:
            return None
        patient = self._vault.patient_for(tx, site, fields.patient_ref)
        case_ids = {case.case_id for case in self._cases.values() if case.patient == patient}
        case_ids |= self._not_in_book(patient)
        running = []
        for case_id in case_ids:
            with contextlib.suppress(NotFound):  # opened by a command that was undone
                case = self._casework.current(tx, case_id)
                if case.state == "open" and tx.now - case.last_event_at <= EPISODE:
                    running.append(case)
        return max(running, key=lambda case: case.last_event_at, default=None)

    def _not_in_book(self, patient: str) -> set[str]:
        """Cases of the patient opened in the batch that is being written: the book learns of them after it."""
        self._opened = {case_id: who for case_id, who in self._opened.items() if case_id not in self._cases}
        return {case_id for case_id, who in self._opened.items() if who == patient}

    def _open(self, tx: Tx, site: str, fields: UploadFields, actor: str) -> Case:
        patient = self._vault.patient_for(tx, site, fields.patient_ref)
        case_id = new_id("c")
        self._opened[case_id] = patient
        opened: list[AnyEvent] = [
            CaseOpened(case_id=case_id, site=site, patient=patient, arrival_mode=fields.arrival_mode)
        ]
        return self._casework.write(tx, None, case_id, opened, actor)

    def _keep_personal(self, tx: Tx, patient: str, fields: UploadFields) -> None:
        given = {
            "patient_ref": fields.patient_ref,
            "name": fields.name,
            "phone": fields.phone,
            "id_number": fields.id_number,
            "callback_phone": fields.callback_phone,
        }
        personal = {key: value for key, value in given.items() if value}
        if personal:
            self._vault.put_personal(tx, patient, personal)


def context_of(fields: UploadFields) -> ContextEntered | None:
    """What the fields say of the patient's state; None where they say nothing."""
    onset = None
    if fields.onset_at is not None:
        onset = ClockReading(at=fields.onset_at, clock="person", uncertainty_s=None)
    context = ContextEntered(
        age_years=fields.age_years,
        sex=fields.sex,
        chest_pain=fields.chest_pain,
        onset=onset,
        vitals=fields.vitals,
        history=fields.history,
        arrival_mode=fields.arrival_mode,
    )
    return None if context == ContextEntered() else context
