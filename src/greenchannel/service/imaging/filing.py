"""How one object finds its study, its case and its patient: the command that enters it, in the writer's thread."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.alerts.milestones import future_tolerance_s
from greenchannel.events import (
    ClockReading,
    ImagePatientDoubted,
    ImageRefused,
    ImageStudyMoved,
    ImageStudyReceived,
)
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.imaging.instance import ImageInstance
from greenchannel.service.casework import Casework
from greenchannel.service.episodes import Episodes, FileFacts
from greenchannel.service.errors import Conflict
from greenchannel.service.imaging import records
from greenchannel.service.imaging.person import Person, differences, person_of
from greenchannel.service.imaging.records import Received, StudyText
from greenchannel.store import image_rows
from greenchannel.store.blobs import Blobs, StagedBlob
from greenchannel.store.image_rows import InstanceRow, SeriesRow, StudyRow
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx

_MOST_ALIKE: Final = 1000  # studies under way at once  [E]


@dataclass(frozen=True, kw_only=True, slots=True)
class Coming:
    """An object whose bytes are on disk, before it has a place."""

    facts: ImageInstance
    staged: StagedBlob
    actor: str
    way: str
    site: str
    zone: ZoneInfo
    case_id: str | None


class Filing:
    """Enters objects. What it raises or returns as a `Conflict` leaves the object outside."""

    def __init__(self, *, vault: Vault, blobs: Blobs, casework: Casework, episodes: Episodes) -> None:
        self._vault = vault
        self._blobs = blobs
        self._casework = casework
        self._episodes = episodes
        self._alike: dict[str, int] = {}  # study → what was last compared with it, as a hash, and was alike

    def file(self, tx: Tx, coming: Coming) -> Received | Conflict:
        """Enter one object; a conflict is returned, since what it writes must be kept.

        Raises
        ------
        NotFound, Conflict
            The named case is none of the site's, is closed, or belongs to another patient.
        """
        one = coming.facts
        study = image_rows.study_of(tx.conn, one.study_uid)
        if study is not None:
            refused = self._not_of(tx, study, coming)
            if refused is not None:
                return refused
        known = image_rows.instance_of(tx.conn, one.sop_uid)
        if known is not None:
            return self._again(tx, known, coming)
        if study is None:
            study = self._open(tx, coming)
        else:
            self._learn(tx, study, coming)
        self._blobs.link(tx, coming.staged, study.patient)
        self.add(tx, study, one, coming.staged)
        return self._received(study.case_id, coming, "new")

    @staticmethod
    def _received(case_id: str, coming: Coming, state: str) -> Received:
        one = coming.facts
        return Received(
            study_uid=one.study_uid,
            series_uid=one.series_uid,
            sop_uid=one.sop_uid,
            sop_class=one.sop_class,
            case_id=case_id,
            sha256=coming.staged.sha256,
            state="new" if state == "new" else "duplicate" if state == "duplicate" else "conflict",
        )

    # ------------------------------------------------------------ whose it is

    def _not_of(self, tx: Tx, study: StudyRow, coming: Coming) -> Conflict | None:
        """Why an object cannot be of the study that it names."""
        one = coming.facts
        if study.site != coming.site:
            return Conflict(
                "study_of_other_site",
                "a study of this identifier came from another site; a person must decide whose it is",
                "同一检查号已由另一机构上传,请人工核对",
            )
        mac = None if one.patient_id is None else self._vault.image_mac("patient", one.patient_id)
        number_fits = mac is None or self._may_be(tx, study, coming, mac)
        # Under the same number a name may have been mended meanwhile: that is asked, and keeps no image away.
        is_numbered = mac is not None and (mac == study.number_mac or mac == self._number_in_file(tx, study))
        if not number_fits or (not is_numbered and self._differs(tx, study, coming)):
            self._refuse(tx, study, coming, "other_patient")
            return Conflict(
                "identity_conflict",
                "this study is of another patient of this site; a person must decide whose the object is",
                "该检查属于本机构另一位患者,请人工核对身份",
            )
        if coming.case_id is not None and self._is_elsewhere(tx, study, coming.case_id):
            return Conflict(
                "study_in_other_case",
                f"this study is already in case {study.case_id}, not in case {coming.case_id}",
                f"该检查已归入病例 {study.case_id},而不是病例 {coming.case_id},请人工核对",
            )
        return None

    def _is_elsewhere(self, tx: Tx, study: StudyRow, case_id: str) -> bool:
        """Is a study not in the case that its sender names? Where a person moved it out of that one, the sender does
        not know, and what still comes follows it."""
        named = self._episodes.of_site(tx, study.site, case_id)
        if named.case_id == self._episodes.of_site(tx, study.site, study.case_id).case_id:
            return False
        return not any(
            isinstance(one.event, ImageStudyMoved)
            and (one.event.study_uid, one.event.from_case_id) == (study.study_uid, named.case_id)
            for one in named.history
        )

    def _may_be(self, tx: Tx, study: StudyRow, coming: Coming, mac: bytes) -> bool:
        """Can the patient of this number be that of the study?"""
        if mac == study.number_mac:
            return True
        in_file = self._number_in_file(tx, study)
        if study.number_mac is not None or in_file is not None:
            return mac == in_file
        # None of its objects had a number so far. The case may know whose it is; else the first number is the study's.
        case = self._episodes.of_site(tx, study.site, study.case_id)
        if not any(self._vault.is_numbered(tx.conn, one) for one in (case.patient, study.patient)):
            return True
        patient = self._vault.patient_for(tx, study.site, coming.facts.patient_id)
        return self._episodes.is_of(tx, patient, case.case_id)

    def _number_in_file(self, tx: Tx, study: StudyRow) -> bytes | None:
        """The number, hashed, that the files of a study have that a person moved to another patient; else None."""
        in_file = self._text(tx, study).in_file
        if in_file is None or in_file.patient_id is None:
            return None
        return self._vault.image_mac("patient", in_file.patient_id)

    def _differs(self, tx: Tx, study: StudyRow, coming: Coming) -> tuple[str, ...]:
        """In what an object cannot be of the person whom the study names."""
        if self._is_as_before(study, coming):
            return ()
        text = self._text(tx, study)
        return differences(person_of(coming.facts), person_of(text.in_file or text))

    def _is_as_before(self, study: StudyRow, coming: Coming) -> bool:
        """Does an object say of its patient what the one before said? Then nothing of the study needs to be opened."""
        return self._alike.get(study.study_uid) == hash((study.sealed, person_of(coming.facts)))

    def _text(self, tx: Tx, study: StudyRow) -> StudyText:
        opened = self._vault.opener(tx.conn)(study.patient, study.sealed, study.study_uid)
        return msgspec.convert(opened, StudyText)

    def _learn(self, tx: Tx, study: StudyRow, coming: Coming) -> None:
        """One more object of a study: who it is, is filled in where it was unknown, and asked where it differs."""
        one = coming.facts
        numbers = study.number_mac is None and one.patient_id is not None
        if not numbers and self._is_as_before(study, coming):
            return
        if differs := self._differs(tx, study, coming):
            self._doubt(tx, study, coming, differs)
            return
        known, sealed = self._text(tx, study), study.sealed
        if known.in_file is not None:  # a person has said whose it is: no file says it any more
            return
        if numbers or _tells_more(person_of(one), person_of(known)):
            text = records.study_text(one) | {
                k: value for k, value in msgspec.to_builtins(known).items() if value
            }
            sealed = self._vault.seal_text(tx.conn, study.patient, text, study.study_uid)
            more = {"number_mac": self._vault.image_mac("patient", one.patient_id or "")} if numbers else {}
            image_rows.change_study(tx, study.study_uid, sealed=sealed, **more)
            self._name(tx, study.patient, one)
            case = self._episodes.of_site(tx, study.site, study.case_id)
            self._doubt(tx, study, coming, self._differs_from_case(tx, case, study, coming))
        self._alike[study.study_uid] = hash((sealed, person_of(one)))
        if len(self._alike) > _MOST_ALIKE:
            del self._alike[next(iter(self._alike))]

    def _differs_from_case(self, tx: Tx, case: Case, study: StudyRow, coming: Coming) -> tuple[str, ...]:
        """In what an object cannot be of the person whom its case, or another study of it, names."""
        said, context = person_of(coming.facts), case.context
        name = self._vault.personal_in(tx, case.patient).get("name")
        found = set(differences(said, Person(name=name, sex=context.sex, age_years=context.age_years)))
        # What files say differently is unknown in the case.
        found |= {each for each in context.disputed if getattr(said, each, None) is not None}
        for other in image_rows.studies_of_cases(tx.conn, [case.case_id]):
            if other.study_uid != study.study_uid and self._vault.has_key(tx.conn, other.patient):
                found |= set(differences(said, person_of(self._text(tx, other))))
        return tuple(each for each in Person.__struct_fields__ if each in found)

    def _doubt(self, tx: Tx, study: StudyRow, coming: Coming, differs: tuple[str, ...]) -> None:
        """Ask on the case whose the images are; once for each study and what differs."""
        case = self._episodes.of_site(tx, study.site, study.case_id)
        said = {
            each
            for envelope in case.history
            if isinstance(envelope.event, ImagePatientDoubted) and envelope.event.study_uid == study.study_uid
            for each in envelope.event.differs
        }
        if not set(differs) <= said:
            event = ImagePatientDoubted(
                study_uid=study.study_uid, sha256=coming.staged.sha256, differs=differs
            )
            self._casework.write(tx, case, case.case_id, [event], coming.actor)

    def _name(self, tx: Tx, patient: str, one: ImageInstance) -> None:
        mac = self._vault.image_mac
        words = [] if one.patient_name is None else image_rows.beginnings(one.patient_name)
        numbers = [] if one.patient_id is None else image_rows.number_beginnings(one.patient_id)
        macs = [*(mac("name", word) for word in words), *(mac("number", part) for part in numbers)]
        image_rows.add_names(tx, patient, macs)

    def _again(self, tx: Tx, known: InstanceRow, coming: Coming) -> Received:
        """An identifier that is here: the same thing again, or another under its name."""
        study = image_rows.study_of(tx.conn, known.study_uid)
        assert study is not None
        same = (known.study_uid, known.content_sha256) == (
            coming.facts.study_uid,
            coming.facts.content_sha256,
        )
        if same:
            if known.sha256 == coming.staged.sha256:
                self._blobs.link(tx, coming.staged, known.patient)  # mends a file that was lost
            return self._received(study.case_id, coming, "duplicate")
        self._refuse(tx, study, coming, "other_bytes")
        return self._received(study.case_id, coming, "conflict")

    def _refuse(self, tx: Tx, study: StudyRow, coming: Coming, reason: str) -> None:
        """Show it on the case; once for each study and reason, or a sender that tries again would fill the log."""
        case = self._episodes.of_site(tx, study.site, study.case_id)
        said = {
            (envelope.event.study_uid, envelope.event.reason)
            for envelope in case.history
            if isinstance(envelope.event, ImageRefused)
        }
        if (study.study_uid, reason) not in said:
            event = ImageRefused(study_uid=study.study_uid, sha256=coming.staged.sha256, reason=reason)
            self._casework.write(tx, case, case.case_id, [event], coming.actor)

    # ------------------------------------------------------------ new

    def _open(self, tx: Tx, coming: Coming) -> StudyRow:
        one = coming.facts
        fields = UploadFields(site=coming.site, case_id=coming.case_id, patient_ref=one.patient_id)
        facts = FileFacts(age_years=one.age_years, sex=one.sex, name=one.patient_name)
        patient, case_id, case = self._episodes.place(
            tx, site=coming.site, fields=fields, actor=coming.actor, facts=facts
        )
        study_at = _study_at(one, coming.zone, tx.now)
        mac = self._vault.image_mac
        row = StudyRow(
            study_uid=one.study_uid,
            site=coming.site,
            case_id=case_id,
            patient=patient,
            study_date=None if one.study_date is None else f"{one.study_date:%Y%m%d}",
            study_time=None if one.study_time is None else f"{one.study_time:%H%M%S.%f}",
            study_at=None if study_at is None else study_at.at,
            modalities=one.modality or "",
            number_mac=None if one.patient_id is None else mac("patient", one.patient_id),
            accession_mac=None if one.accession is None else mac("accession", one.accession),
            instances=0,
            expected=one.study_instances,
            expected_by=None if one.study_instances is None else "header",
            state="receiving",
            received_at=tx.now,
            last_at=tx.now,
            actor=coming.actor,
            sealed=self._vault.seal_text(tx.conn, patient, records.study_text(one), one.study_uid),
        )
        image_rows.add_study(tx, row)
        self._name(tx, patient, one)
        event = ImageStudyReceived(
            study_uid=one.study_uid,
            modality=one.modality,
            body_part=one.body_part,
            priority=one.priority,
            way=coming.way,
            study=study_at,
        )
        case = self._casework.write(tx, case, case_id, [event], coming.actor)
        self._doubt(tx, row, coming, self._differs_from_case(tx, case, row, coming))
        return row

    def add(
        self, tx: Tx, study: StudyRow, one: ImageInstance, staged: StagedBlob, *, made_here: bool = False
    ) -> None:
        """Enter an object whose study and bytes are there; `made_here`: it did not come, and is no image."""
        if not image_rows.has_series(tx, one.study_uid, one.series_uid):
            self._add_series(tx, study, one)
        image_rows.add_instance(
            tx,
            InstanceRow(
                sop_uid=one.sop_uid,
                study_uid=one.study_uid,
                series_uid=one.series_uid,
                patient=study.patient,
                sha256=staged.sha256,
                content_sha256=one.content_sha256,
                size_bytes=staged.size_bytes,
                number=one.instance_number,
                sop_class=one.sop_class,
                transfer_syntax=one.transfer_syntax,
                received_at=tx.now,
                facts=records.facts_of(one),
                made_here=made_here,
            ),
        )

    def _add_series(self, tx: Tx, study: StudyRow, one: ImageInstance) -> None:
        text = self._vault.seal_text(tx.conn, study.patient, records.series_text(one), one.series_uid)
        row = SeriesRow(
            study_uid=one.study_uid,
            series_uid=one.series_uid,
            patient=study.patient,
            modality=one.modality,
            number=one.series_number,
            body_part=one.body_part,
            instances=0,
            received_at=tx.now,
            sealed=text,
        )
        image_rows.add_series(tx, row)
        if one.modality and one.modality not in study.modalities.split("\\"):
            modalities = "\\".join(filter(None, (study.modalities, one.modality)))
            image_rows.change_study(tx, study.study_uid, modalities=modalities)


def _tells_more(said: Person, known: Person) -> bool:
    return any(
        getattr(known, name) is None and getattr(said, name) is not None for name in Person.__struct_fields__
    )


def _study_at(one: ImageInstance, zone: ZoneInfo, now: datetime) -> ClockReading | None:
    """When the study was made; None where the file does not say, or names a time to come."""
    if one.study_date is None or one.study_time is None or not 1900 < one.study_date.year < 2199:
        return None
    at = one.study_at or datetime.combine(one.study_date, one.study_time, zone)
    if at > now + timedelta(seconds=future_tolerance_s()):
        return None
    return ClockReading(at=at, clock="device", zone_assumed=one.study_at is None)
