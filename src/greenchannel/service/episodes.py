"""Which case an ECG belongs to: the rule of episodes, and what makes "the same again" one thing."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from greenchannel.alerts.case import Case, Context
from greenchannel.alerts.drill import NOTE
from greenchannel.alerts.milestones import future_tolerance_s
from greenchannel.events import AnyEvent, CaseOpened, ContextEntered
from greenchannel.ingest.device_clock import check_said
from greenchannel.ingest.fields import UploadFields, vital_numbers, vital_words
from greenchannel.service.casework import Casework
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.ids import new_id
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx

EPISODE: Final = timedelta(hours=24)  # after the last event of an open case a new ECG is a new episode


AGE_CONTRADICTS_YEARS: Final = 1.0  # from here on two ages are two statements; less is a birthday


@dataclass(frozen=True, kw_only=True, slots=True)
class FileFacts:
    """What a file says of its patient. It fills what nobody said, and never outweighs what somebody did."""

    age_years: float | None = None
    sex: str | None = None
    name: str | None = None


class Episodes:
    """Finds or opens the case of an arriving ECG, inside the transaction that receives it."""

    def __init__(self, *, vault: Vault, casework: Casework, cases: Mapping[str, Case]) -> None:
        self._vault = vault
        self._casework = casework
        self._cases = cases
        self._opened: dict[str, str] = {}  # case id → patient, until the book knows the case

    def place(
        self,
        tx: Tx,
        *,
        site: str,
        fields: UploadFields,
        actor: str,
        facts: FileFacts | None = None,
        join: str | None = None,
        repeated: str | None = None,
        drill_until: datetime | None = None,
    ) -> tuple[str, str, Case]:
        """Return ``(patient, case_id, case)``, having opened the case and kept the person's data where new.

        A case that was merged stands for the one that it was merged into. `join` is a case of this site that has the
        very recording: it is taken, whatever its state, where the sender names none. `repeated` is the case that has
        the very recording, whether it is joined or not: what comes beside a repeat of its own fills what was unknown
        there, and changes nothing that was known.

        Raises
        ------
        IngestError
            `fields.onset_at` is no time that can be.
        NotFound
            `fields.case_id` names no case of this site.
        Conflict
            The named case is closed, or belongs to another patient.
        """
        if drill_until is not None:
            case = self._open(tx, site, fields, actor, drill_until)
        elif fields.case_id is not None:
            case = self._named(tx, site, fields)
        elif join is not None:
            case = self.of_site(tx, site, join)
        else:
            case = self._episode(tx, site, fields) or self._open(tx, site, fields, actor)
        facts = facts or FileFacts()
        fills_only = repeated == case.case_id
        self._keep_personal(tx, case.patient, fields, facts.name, fills_only=fills_only)
        said = context_of(fields, facts, case.context, now=tx.now)
        context = _unless_noted(case, unknown_of(said, case) if fills_only else said)
        if context != ContextEntered():
            case = self._casework.write(tx, case, case.case_id, [context], actor)
        return case.patient, case.case_id, case

    def _named(self, tx: Tx, site: str, fields: UploadFields) -> Case:
        assert fields.case_id is not None
        case = self.of_site(tx, site, fields.case_id)
        if case.is_drill:
            raise Conflict(
                "drill_case",
                f"case {case.case_id} is a drill: send the ECG without it, and it gets a case of its own",
                "该病例是演练:请不要填写病例号,心电图会另建病例",
            )
        if case.state != "open":
            raise Conflict("case_closed", f"case {case.case_id} is {case.state}", "该病例已关闭")
        if fields.patient_ref is not None and not self.is_of(
            tx, self._vault.patient_for(tx, site, fields.patient_ref), case.case_id
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
        running = [
            case
            for case in self._episodes_of(tx, patient)
            if case.site == site
            and case.state == "open"
            and not case.is_drill
            and tx.now - case.last_event_at <= EPISODE
            and self._vault.has_key(tx.conn, case.patient)  # nothing joins a case whose patient was erased
        ]
        return max(running, key=lambda case: case.last_event_at, default=None)

    def of_site(self, tx: Tx, site: str, case_id: str) -> Case:
        """The case of this id, or the one it was merged into; raises `NotFound` where it is none of the site's."""
        case = self._surviving(tx, case_id)
        if case.site != site:
            raise NotFound("case", case_id)
        return case

    def is_of(self, tx: Tx, patient: str, case_id: str) -> bool:
        """Is this case the patient's, or has a case of the patient been merged into it?"""
        return self._casework.current(tx, case_id).patient == patient or any(
            case.case_id == case_id for case in self._episodes_of(tx, patient)
        )

    def _episodes_of(self, tx: Tx, patient: str) -> Iterator[Case]:
        """The cases of a patient, as of this transaction; of merged ones those that go on."""
        case_ids = {case.case_id for case in self._cases.values() if case.patient == patient}
        for case_id in case_ids | self._not_in_book(patient):
            with contextlib.suppress(NotFound):  # opened by a command that was undone
                yield self._surviving(tx, case_id)

    def _surviving(self, tx: Tx, case_id: str) -> Case:
        case = self._casework.current(tx, case_id)
        passed = {case_id}
        while case.merged_into is not None and case.merged_into not in passed:
            passed.add(case.merged_into)
            case = self._casework.current(tx, case.merged_into)
        return case

    def _not_in_book(self, patient: str) -> set[str]:
        """Cases of the patient opened in the batch that is being written: the book learns of them after it."""
        self._opened = {case_id: who for case_id, who in self._opened.items() if case_id not in self._cases}
        return {case_id for case_id, who in self._opened.items() if who == patient}

    def _open(
        self, tx: Tx, site: str, fields: UploadFields, actor: str, drill_until: datetime | None = None
    ) -> Case:
        patient = self._vault.patient_for(tx, site, fields.patient_ref)
        case_id = new_id("c")
        self._opened[case_id] = patient
        opened: list[AnyEvent] = [
            CaseOpened(
                case_id=case_id,
                site=site,
                patient=patient,
                arrival_mode=fields.arrival_mode,
                note=None if drill_until is None else NOTE,
                drill_until=drill_until,
            )
        ]
        return self._casework.write(tx, None, case_id, opened, actor)

    def _keep_personal(
        self, tx: Tx, patient: str, fields: UploadFields, name_in_file: str | None, *, fills_only: bool
    ) -> None:
        """Seal what tells who somebody is, and all free text: what a person said now, and what was not known yet.

        With `fills_only` alone what was not known yet; a history is added to in any case.
        """
        known = self._vault.personal_in(tx, patient)
        said = [known.get("history"), fields.history, *vital_words(fields.vitals)]
        given = {
            "patient_ref": known.get("patient_ref") or fields.patient_ref,
            "name": fields.name or known.get("name") or name_in_file,
            "phone": fields.phone,
            "id_number": fields.id_number,
            "callback_phone": fields.callback_phone,
            "history": "\n".join(dict.fromkeys(text for text in said if text)),
        }
        if fills_only:
            given = {key: value for key, value in given.items() if key == "history" or not known.get(key)}
        new = {key: value for key, value in given.items() if value and value != known.get(key)}
        if new:
            self._vault.put_personal(tx, patient, new)


def context_of(fields: UploadFields, facts: FileFacts, known: Context, *, now: datetime) -> ContextEntered:
    """What the sender says of the patient's state, and what the file says where nobody did.

    Raises
    ------
    IngestError
        ``bad_field``: `fields.onset_at` is no time that can be.
    """
    onset = None
    if fields.onset_at is not None:
        onset = check_said("onset_at", fields.onset_at, now=now, ahead_s=future_tolerance_s())
    given: dict[str, Any] = {"age_years": fields.age_years, "sex": fields.sex}
    from_file, disputed = [], []
    for name, entered in list(given.items()):
        in_file, stands = getattr(facts, name), getattr(known, name)
        if entered is not None or in_file is None or name in known.disputed:
            continue
        if stands is None:
            given[name] = in_file
            from_file.append(name)
        elif name in known.from_file and _differs(name, in_file, stands):
            disputed.append(name)
    age_years = known.age_years if fields.age_years is None else fields.age_years
    return ContextEntered(
        age_years=given["age_years"],
        sex=given["sex"],
        chest_pain=fields.chest_pain,
        onset=onset,
        vitals=vital_numbers(fields.vitals) or None,
        history_given=True if fields.history or vital_words(fields.vitals) else None,
        arrival_mode=fields.arrival_mode,
        note=_notes(
            _contradiction(facts, age_years, fields.sex or known.sex, disputed), _dropped(fields.dropped)
        ),
        from_file=tuple(from_file),
        disputed=tuple(disputed),
    )


def _differs(name: str, one: Any, other: Any) -> bool:
    return bool(abs(one - other) >= AGE_CONTRADICTS_YEARS if name == "age_years" else one != other)


def unknown_of(said: ContextEntered, case: Case) -> ContextEntered:
    """Of what was said of a patient that which the case did not know: each vital sign by itself."""
    known = case.context
    left: dict[str, Any] = {
        name: None
        for name in ("age_years", "sex", "chest_pain", "onset", "history_given")
        if getattr(known, name) is not None
    }
    if said.vitals is not None and known.vitals:
        more = {name: value for name, value in said.vitals.items() if name not in known.vitals}
        left["vitals"] = {**known.vitals, **more} if more else None
    if case.arrival_mode is not None:
        left["arrival_mode"] = None
    return msgspec.structs.replace(said, **left)


def _contradiction(
    facts: FileFacts, age_years: float | None, sex: str | None, disputed: Sequence[str]
) -> str | None:
    """What the file says otherwise than what stands: of a person it stays, of another file neither is taken."""
    zh, en = [], []
    years = facts.age_years
    if years is not None and age_years is not None and _differs("age_years", years, age_years):
        if "age_years" in disputed:
            zh.append(f"同一病例的文件中年龄不同({age_years:g}岁、{years:g}岁),按年龄未知判读,请核对患者")
            en.append(
                f"files of this case say age {age_years:g} and {years:g}: read as unknown, check the patient"
            )
        else:
            zh.append(f"文件中年龄为{years:g}岁,保留已填写的{age_years:g}岁")
            en.append(f"the file says age {years:g}, {age_years:g} was given and stays")
    if facts.sex is not None and sex is not None and facts.sex != sex:
        words = {"male": "男", "female": "女"}
        if "sex" in disputed:
            zh.append("同一病例的文件中性别不同,按性别未知判读,请核对患者")
            en.append("files of this case say different sexes: read as unknown, check the patient")
        else:
            zh.append(f"文件中性别为{words[facts.sex]},保留已填写的{words[sex]}")
            en.append(f"the file says {facts.sex}, {sex} was given and stays")
    return f"{';'.join(zh)} / {'; '.join(en)}" if zh else None


_FIELDS_ZH: Final = {
    "age": "年龄", "sex": "性别", "chest_pain": "胸痛", "onset_at": "发病时间", "patient_ref": "病人编号",
    "name": "姓名", "phone": "病人电话", "callback_phone": "回拨电话", "id_number": "证件号", "history": "病史",
    "vitals": "生命体征", "electrode_set": "电极位置", "arrival_mode": "到院方式", "acquired_at": "记录时间",
    "sent_at": "发送时间",
}  # fmt: skip


def _dropped(names: Sequence[str] | None) -> str | None:
    """What came beside the ECG and could not be kept, so that nobody takes it for never said."""
    names = [name for name in names or () if name.split(".")[0] in _FIELDS_ZH]
    if not names:
        return None
    zh = "、".join(_FIELDS_ZH.get(name) or f"生命体征 {name.split('.')[1]}" for name in names)
    en = ", ".join(names)
    return f"随心电图填写的{zh}读不出或不完整,请电话核对 / sent with the ECG and not read in full, please ask: {en}"


def _notes(*notes: str | None) -> str | None:
    """Several notes in both languages as one."""
    said = [note.split(" / ", 1) for note in notes if note]
    return " / ".join((";".join(zh for zh, _ in said), "; ".join(en for _, en in said))) if said else None


def _unless_noted(case: Case, context: ContextEntered) -> ContextEntered:
    """What was said, without a note that the case has already."""
    noted = {e.event.note for e in case.history if isinstance(e.event, ContextEntered)}
    return msgspec.structs.replace(context, note=None) if context.note in noted else context
