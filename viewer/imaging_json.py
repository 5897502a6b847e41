"""The reading of studies on the wire: a line of the worklist, one study, the tables of choices."""

from datetime import datetime
from typing import Any

from greenchannel.alerts.alert_state import AlertPerson
from greenchannel.alerts.channels import LIVE, reason_words
from greenchannel.alerts.imaging import receipts
from greenchannel.alerts.imaging.critical import critical_results, to_roles, told_by, ways
from greenchannel.alerts.imaging.reading import Call, Reading, Signed
from greenchannel.alerts.imaging.templates import ReportTemplate, offered
from greenchannel.clock import rfc3339
from greenchannel.service.callers import Caller
from greenchannel.service.imaging.reading_rows import Row
from greenchannel.service.imaging.reading_words import opened
from greenchannel.service.imaging.records import ImageStudy
from greenchannel.triage.imaging.clocks import rules
from greenchannel.triage.imaging.order import UPPER, explain
from greenchannel.triage.imaging.words import critical_in, described
from greenchannel.viewer.access import may
from greenchannel.viewer.detected_json import detected_json
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.front import Front
from greenchannel.viewer.image_json import study_json
from greenchannel.viewer.image_report_content import ADDENDA, ROLES
from greenchannel.viewer.wire import maybe


def on_case(front: Front, study: ImageStudy, who: Caller, *, named: bool) -> dict[str, Any]:
    """A study as the page of its case has it, with how far its reading is, and the report for who may read it;
    `reading` is null where it is not one that is read."""
    reading = front.desk.image_readings.known(study.study_uid)
    if reading is not None:
        reading = opened(reading, study.text.text_key)
    texts = may(who, "image_report")
    said = None if reading is None else reading_json(reading, front.directory, texts=texts)
    return study_json(study, named=named) | {"reading": said}


def line(row: Row, now: datetime, names: Directory, *, named: bool) -> dict[str, Any]:
    """One line of the worklist; no names of patients, and the words of the request only where `named`."""
    zh, en = explain(row.facts, now)
    return {
        "study": study_json(row.study, named=named),
        "site": None if row.reading.site is None else names.site(row.reading.site),
        "band": "upper" if row.place.band == UPPER else "lower",
        "moved_up": row.place.joined,
        "critical_indications": described(critical_in(row.facts.texts)),
        "setting": row.facts.setting.value,
        "why": {"zh": zh, "en": en} if named else None,
        "detected": [
            detected_json(one)
            for one in row.reading.detected
            if one.status == "enabled"  # what looks in silence is shown to administrators alone
        ],
        "reading": reading_json(row.reading, names, texts=False),
    }


def reading_json(reading: Reading, names: Directory, *, texts: bool) -> dict[str, Any]:
    """How far the reading of a study is. With `texts` what was signed and how it was told."""
    alert, clock = reading.alert, reading.clock
    rule = next((one for one in rules() if one.id == clock.clock), None)
    found: dict[str, Any] = {
        "state": reading.state,
        "stat_by": names.maybe_person(reading.stat_by),
        "stat_reason": reading.stat_reason,
        "claimed_by": names.maybe_person(reading.claimed_by),
        "claimed_at": maybe(reading.claimed_at),
        "clock": {
            "id": clock.clock,
            "zh": clock.clock if rule is None else rule.zh,
            "en": clock.clock if rule is None else rule.en,
            "started_at": rfc3339(clock.started_at),
            "due_at": rfc3339(clock.due_at),
            "arrival_unknown": clock.arrival_unknown,
            "critical": clock.critical,
            "shares": list(clock.shares),
            "step": None if alert is None else alert.step,  # how many shares were escalated
            "exhausted": alert is not None and alert.exhausted and alert.open,
        },
        "critical": [result(code) for code in reading.critical],
        "untold": [
            {
                "report_id": one.report_id,
                "due_at": rfc3339(told_by(one)),
                "overdue": one.report_id in reading.overdue,
            }
            for one in reading.untold
        ],
        "moved": None if not reading.moves else _moved(reading, names),
        "shared_with": [names.site(site) for site in reading.shared_with],
        "signed_at": None if reading.report is None else rfc3339(reading.report.at),
        "signed_by": None if reading.report is None else names.maybe_person(reading.report.person),
        "seen": [
            {"person": names.maybe_person(person), "report_id": report_id, "at": rfc3339(at)}
            for person, report_id, at in reading.seen_by
        ],
    }
    if texts:
        found["rung"] = [] if alert is None else [_rung(reading, one, names) for one in alert.people]
        found["signed"] = [signed_json(one, names) for one in reading.signed]
        found["calls"] = [call_json(one, names) for one in reading.calls]
    return found


def _rung(reading: Reading, one: AlertPerson, names: Directory) -> dict[str, Any]:
    """A person who was called for the report, where, and whether the last ring came through; null: not known."""
    board = one.channel == LIVE
    arrived = receipts.is_heard(reading, one) if board else one.delivered_at is not None
    failed = None if arrived else one.unreachable_reason
    return {
        "person": names.maybe_person(one.person),
        "channel": one.channel,
        "rung_at": maybe(one.rung_at),
        "arrived": True if arrived else None if failed is None else False,
        "reason": None if failed is None else reason_words(failed),
    }


def _moved(reading: Reading, names: Directory) -> dict[str, Any]:
    """When the study came from another case, and what was signed there and is not confirmed here."""
    move = reading.moves[-1]
    return {
        "at": rfc3339(move.at),
        "by": names.actor_name(move.actor),
        "from_case_id": move.from_case_id,
        "carried": [one.report_id for one in reading.carried],
    }


def signed_json(one: Signed, names: Directory) -> dict[str, Any]:
    """A report or an addendum as it was signed."""
    word = None if one.addendum is None else ADDENDA.get(one.addendum)
    return {
        "report_id": one.report_id,
        "person": names.maybe_person(one.person),
        "at": rfc3339(one.at),
        "findings": one.findings,
        "impression": one.impression,
        "critical": [result(code) for code in one.critical],
        "provisional": one.provisional,
        "addendum": one.addendum,
        "addendum_name": None if word is None else {"zh": word.zh, "en": word.en},
        "template": one.template,
        "moved_at": maybe(one.moved_at),  # signed before the study was moved to this case
    }


def call_json(call: Call, names: Directory) -> dict[str, Any]:
    """One call about a critical result."""
    said = call.said
    return {
        "call_id": call.call_id,
        "person": names.maybe_person(said.person),
        "report_ids": list(said.report_ids),
        "to_role": said.to_role,
        "to_person": names.maybe_person(said.to_person),
        "way": said.way,
        "told_at": rfc3339(said.told_at),
        "reached": said.reached,
        "read_back": said.read_back,
        "read_back_right": said.read_back_right,
        "closed": call.closed,
        "note": said.note,
        "noted_at": rfc3339(call.at),
    }


def draft_json(reading: Reading, person: str) -> dict[str, Any] | None:
    """What the asking person has written and not signed; another's draft is nobody's."""
    draft = reading.draft_of(person)
    if draft is None:
        return None
    return {
        "at": rfc3339(draft.at),
        "findings": draft.findings,
        "impression": draft.impression,
        "template": draft.template,
        "critical": list(draft.critical),
        "provisional": draft.provisional,
    }


def choices(row: Row) -> dict[str, Any]:
    """What the form of a report offers for this study."""
    return {
        "templates": [
            _template(one) for one in offered(row.facts.modality, row.facts.body_part, row.facts.description)
        ],
        "critical_results": [result(code) for code in critical_results()],
        "ways": list(ways()),
        "to_roles": [{"id": role, "zh": ROLES[role].zh, "en": ROLES[role].en} for role in to_roles()],
        "addendum_reasons": [{"id": name, "zh": word.zh, "en": word.en} for name, word in ADDENDA.items()],
    }


def _template(one: ReportTemplate) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": {"zh": one.name_zh, "en": one.name_en},
        "findings": {"zh": one.findings_zh, "en": one.findings_en},
        "impression": {"zh": one.impression_zh, "en": one.impression_en},
        "critical": list(one.critical),
        "mark": one.mark,
    }


def result(code: str) -> dict[str, str]:
    """A critical result in words."""
    row = critical_results().get(code)
    return {"id": code, "zh": code if row is None else row.zh, "en": code if row is None else row.en}
