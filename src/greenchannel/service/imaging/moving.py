"""Studies that a person moves to the case they are of: rows, keys, what is said of the patient, and the log, in one
commit.

The files stay as they came, with whatever patient they name. What the archive says of the study follows the patient it
was moved to; whom the files name is kept beside it (`StudyText.in_file`), for objects of the study that come later.
"""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.alerts.imaging import moving
from greenchannel.events import ImageStudyMoved
from greenchannel.service.casework import Casework
from greenchannel.service.errors import NotFound
from greenchannel.service.imaging.person import Person, differences, person_of
from greenchannel.service.imaging.records import InFile, StudyText
from greenchannel.service.imaging.renaming import names_another
from greenchannel.store import forward_rows, image_rows
from greenchannel.store.blobs import BlobMissing, Blobs
from greenchannel.store.errors import PatientKeyMissing
from greenchannel.store.image_rows import StudyRow
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx

_OF_PERSON = InFile.__struct_fields__


class StudyMoves:
    """`moved` is told of each study, after its rows: (transaction, what happened, the case it came to, the actor)."""

    def __init__(
        self,
        vault: Vault,
        blobs: Blobs,
        casework: Casework,
        moved: Callable[[Tx, ImageStudyMoved, Case, str], None],
    ) -> None:
        self._vault = vault
        self._blobs = blobs
        self._casework = casework
        self._moved = moved

    def move(
        self,
        tx: Tx,
        case: Case,
        study_uids: Sequence[str],
        into: Case | None,
        new_case_id: str,
        actor: str,
    ) -> None:
        """Move studies of `case` into another one, or a new one of this id; raises `NotFound`, `Refused`."""
        rows = [self._row(tx, case, uid) for uid in dict.fromkeys(study_uids)]
        patient = self._vault.patient_for(tx, case.site, None) if into is None else into.patient
        ours, theirs = moving.move(
            case, [row.study_uid for row in rows], new_case_id=new_case_id, patient=patient, into=into
        )
        to_id = new_case_id if into is None else into.case_id
        for row in rows:
            self._give(tx, row, case, into, to_id, patient)
        for before in {row.patient for row in rows} - {patient}:
            self._name_anew(tx, before)
        self._name_anew(tx, patient)
        case = self._casework.write(tx, case, case.case_id, ours, actor)
        other = self._casework.write(tx, into, to_id, theirs, actor)
        for said in ours:
            if isinstance(said, ImageStudyMoved):
                self._moved(tx, said, other, actor)

    def _row(self, tx: Tx, case: Case, study_uid: str) -> StudyRow:
        row = image_rows.study_of(tx.conn, study_uid)
        if row is None or self._surviving(tx, row.case_id) != case.case_id:
            raise NotFound("study of this case", study_uid)
        return row

    def _surviving(self, tx: Tx, case_id: str) -> str:
        case = self._casework.current(tx, case_id)
        while case.merged_into is not None:
            case = self._casework.current(tx, case.merged_into)
        return case.case_id

    def _give(self, tx: Tx, row: StudyRow, case: Case, into: Case | None, to_id: str, patient: str) -> None:
        uid, opened = row.study_uid, self._vault.opener(tx.conn)
        image_rows.withdraw_made_here(tx, uid)
        for one in image_rows.instances_of(tx.conn, uid):
            if one.patient != patient:
                with contextlib.suppress(BlobMissing):  # lost before: a copy that is sent again mends it
                    self._blobs.share(tx, one.sha256, one.patient, patient)
        text = msgspec.convert(opened(row.patient, row.sealed, uid), StudyText)
        text = self._of_other(tx, text, case, into, patient)
        series = {
            one.series_uid: self._vault.seal_text(
                tx.conn, patient, opened(one.patient, one.sealed, one.series_uid), one.series_uid
            )
            for one in image_rows.series_of(tx.conn, uid)
        }
        number = text.patient_id
        image_rows.give(
            tx,
            uid,
            patient,
            series,
            case_id=to_id,
            number_mac=None if number is None else self._vault.image_mac("patient", number),
            sealed=self._vault.seal_text(tx.conn, patient, msgspec.to_builtins(text), uid),
        )
        forward_rows.moved(tx, uid, names_another=names_another(text))
        if into is None and text.patient_name is not None:
            self._vault.put_personal(tx, patient, {"name": text.patient_name})

    def _of_other(self, tx: Tx, text: StudyText, case: Case, into: Case | None, patient: str) -> StudyText:
        """What is said of a study whose patient is another one. Whom its files name stands only where that is plainly
        not whom it was filed to, and never against what is known of the other patient."""
        in_file = text.in_file or InFile(**{name: getattr(text, name) for name in _OF_PERSON})
        said: dict[str, Any] = dict.fromkeys(_OF_PERSON)
        if differences(person_of(in_file), self._known(tx, case, case.patient)):
            said |= {name: getattr(in_file, name) for name in _OF_PERSON if name != "patient_id"}
        if into is not None:
            known = self._known(tx, into, patient)
            if differences(person_of(in_file), known):
                said = dict.fromkeys(_OF_PERSON)
            personal = self._vault.personal_in(tx, patient)
            here = {
                "patient_id": personal.get("patient_ref"),
                "patient_name": known.name,
                "sex": known.sex,
                "age_years": known.age_years,
            }
            said |= {name: value for name, value in here.items() if value is not None}
        return msgspec.structs.replace(text, in_file=in_file, **said)

    def _known(self, tx: Tx, case: Case, patient: str) -> Person:
        context = case.context
        try:
            name = self._vault.personal_in(tx, patient).get("name")
        except PatientKeyMissing:
            name = None
        return Person(name=name, sex=context.sex, age_years=context.age_years)

    def _name_anew(self, tx: Tx, patient: str) -> None:
        """By which names and numbers a patient's studies are found: those of what is the patient's now."""
        image_rows.forget_names(tx, patient)
        opened = self._vault.opener(tx.conn)
        for uid in image_rows.studies_of_patient(tx.conn, patient):
            row = image_rows.study_of(tx.conn, uid)
            text = {} if row is None else opened(patient, row.sealed, uid)
            name, number = text.get("patient_name"), text.get("patient_id")
            mac = self._vault.image_mac
            words = [] if name is None else image_rows.beginnings(name)
            numbers = [] if number is None else image_rows.number_beginnings(number)
            macs = [*(mac("name", word) for word in words), *(mac("number", part) for part in numbers)]
            image_rows.add_names(tx, patient, macs)
