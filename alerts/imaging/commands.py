"""What people do with a study: pure decisions that return events, or raise `Refused` and change nothing."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from greenchannel.alerts.imaging import clock
from greenchannel.alerts.imaging.critical import critical_results, to_roles, ways
from greenchannel.alerts.imaging.reading import Draft, Reading
from greenchannel.alerts.imaging.templates import templates
from greenchannel.alerts.refusal import Refused, no_such
from greenchannel.events import (
    AnyEvent,
    ImageAddendumSigned,
    ImageClaimed,
    ImageCriticalTold,
    ImageMarkedStat,
    ImageReleased,
    ImageReportDrafted,
    ImageReportSigned,
    ImageResultReturned,
    ImageResultSeen,
    ImageShared,
)

BLANK: Final = "___"  # as templates have it
_BLANK: Final = re.compile("[_＿]{2,}|＿")  # also with one stroke deleted, or as an input method writes it
ADDENDUM_REASONS: Final = ("addition", "correction", "confirmation")
_MOST_AHEAD: Final = timedelta(minutes=2)  # a clock that is a little fast


def in_case(reading: Reading, case_id: str | None) -> Reading:
    """The reading, where its study is in this case: what somebody writes or tells of one patient is not said of another
    once the study was moved. None: nobody says which."""
    if case_id is not None and reading.moves and case_id != reading.case_id:
        raise Refused(
            "study_moved",
            "该检查已移至另一病例，请重新打开本页并核对患者",
            f"expected the study in case {case_id}, it was moved to another: open it again, and see whose it is",
            409,
        )
    return reading


def claim(reading: Reading, person: str, *, take_over: bool = False) -> list[AnyEvent]:
    """Take a study to read. Another's is taken over only by who says so; the clock runs on."""
    if reading.report is not None:
        raise _reported(reading)
    if reading.claimed_by == person:
        return []
    if not take_over:
        _check_claim(reading, person)
    return [ImageClaimed(person=person)]


def release(reading: Reading, person: str) -> list[AnyEvent]:
    """Give a study back unread; who does not have it changes nothing."""
    return [ImageReleased(person=person)] if reading.claimed_by == person and reading.report is None else []


def mark_stat(reading: Reading, person: str, reason: str) -> list[AnyEvent]:
    """Say that it must be read first; said already, nothing changes."""
    if reading.report is not None:
        raise _reported(reading)
    if not reason.strip():
        raise Refused("reason_needed", "请说明原因", "expected a reason, got none", 422)
    return [] if reading.stat_by is not None else [ImageMarkedStat(person=person, reason=reason)]


def draft(
    reading: Reading,
    person: str,
    *,
    findings: str,
    impression: str,
    template: str | None,
    critical: Sequence[str] = (),
    provisional: bool = False,
) -> list[AnyEvent]:
    """Keep what is written and ticked so far; blanks may stand."""
    if reading.report is not None:
        raise _reported(reading)
    _check_claim(reading, person)
    _check_critical(critical)
    written = ImageReportDrafted(
        person=person,
        findings=findings,
        impression=impression,
        template=template,
        critical=tuple(dict.fromkeys(critical)),
        provisional=provisional,
    )
    before = reading.draft_of(person)
    return [] if before is not None and _as_kept(before) == written else [written]


def _as_kept(one: Draft) -> ImageReportDrafted:
    return ImageReportDrafted(
        person=one.person,
        findings=one.findings,
        impression=one.impression,
        template=one.template,
        critical=one.critical,
        provisional=one.provisional,
    )


def sign(
    reading: Reading,
    person: str,
    *,
    report_id: str,
    findings: str,
    impression: str,
    critical: Sequence[str],
    provisional: bool,
    template: str | None,
) -> list[AnyEvent]:
    """Sign the report: the clock stops, whoever was rung is let go. Not while another has claimed the study."""
    if reading.report is not None:
        raise _reported(reading)
    _check_claim(reading, person)
    _check_text("findings", "影像所见", findings)
    _check_text("impression", "诊断意见", impression)
    if template is not None and all(one.id != template for one in templates()):
        raise no_such("template", "报告模板", template)
    _check_critical(critical)
    signed = ImageReportSigned(
        report_id=report_id,
        person=person,
        findings=findings.strip(),
        impression=impression.strip(),
        critical=tuple(dict.fromkeys(critical)),
        provisional=provisional,
        template=template,
    )
    return [signed, *clock.answered(reading, person)]


def addendum(
    reading: Reading, person: str, *, report_id: str, text: str, reason: str, critical: Sequence[str]
) -> list[AnyEvent]:
    """Add to a signed report, which stays as it is."""
    if reading.report is None:
        raise Refused("no_report", "尚无已签发报告", "expected a signed report, got none", 409)
    if reason not in ADDENDUM_REASONS:
        raise no_such("reason", "补充原因", reason)
    if reason == "confirmation" and reading.needs_another and person == reading.report.person:
        raise Refused(
            "own_report",
            "初步报告须由另一位医师确认",
            "expected another person than who wrote the provisional report to confirm it",
            409,
        )
    _check_text("text", "补充内容", text)
    _check_critical(critical)
    added = ImageAddendumSigned(
        report_id=report_id,
        person=person,
        text=text.strip(),
        reason=reason,
        critical=tuple(dict.fromkeys(critical)),
    )
    return [added]


def tell_critical(reading: Reading, said: ImageCriticalTold, now: datetime) -> list[AnyEvent]:
    """Write down that a critical result was told, or that it was tried. It is told once the other side has said it
    back, and right; until then the duty stays. The same call again changes nothing."""
    if any(call.call_id == said.call_id for call in reading.calls):
        return []
    if not reading.critical:
        raise Refused(
            "nothing_critical", "报告中没有危急值", "expected a report with a critical result, got none", 409
        )
    known = {one.report_id: one for one in reading.signed if one.critical}
    strangers = [name for name in said.report_ids if name not in known]
    if strangers or not said.report_ids:
        raise no_such("report", "含危急值的报告", ", ".join(strangers) or "none")
    if said.way not in ways():
        raise no_such("way", "通知方式", said.way)
    if said.to_role not in to_roles():
        raise no_such("role", "接收角色", said.to_role)
    # Nobody can have told what was not signed yet: of an addendum as little as of the report before it.
    if said.told_at > now + _MOST_AHEAD or said.told_at < max(
        known[name].due_from for name in said.report_ids
    ):
        raise Refused(
            "told_at",
            "通知时间应在签发之后、此刻之前",
            "expected told_at between the signature and now, got another time",
            422,
        )
    if said.to_person == said.person:
        raise Refused(
            "told_oneself",
            "不能通知自己，请填写实际接听人",
            "expected another person than the caller, got the caller",
            422,
        )
    if said.read_back_right and not (said.reached and _says_something(said.read_back)):
        raise Refused(
            "read_back_needed",
            "请记录对方复述的内容",
            "expected what the other side said back, got none",
            422,
        )
    return [said]


def seen(reading: Reading, person: str) -> list[AnyEvent]:
    """The clinic has the newest result before its eyes; the first look at each is kept."""
    if not reading.signed:
        raise Refused("no_report", "尚无已签发报告", "expected a signed report, got none", 409)
    newest = reading.signed[-1].report_id
    if any((who, name) == (person, newest) for who, name, _ in reading.seen_by):
        return []
    return [ImageResultSeen(person=person, report_id=newest)]


def share(reading: Reading, person: str, site: str, reason: str) -> list[AnyEvent]:
    """Let another member use study and result; again changes nothing."""
    if not reason.strip():
        raise Refused("reason_needed", "请说明原因", "expected a reason, got none", 422)
    return [] if site in reading.sites else [ImageShared(person=person, site=site, reason=reason)]


def returned(reading: Reading, modality: str | None) -> ImageResultReturned:
    """What the case is told of the newest signed text; the first for a case that the study was moved to is no addendum
    there."""
    newest = reading.signed[-1]
    here = len(reading.signed) - (reading.moves[-1].signed if reading.moves else 0)
    return ImageResultReturned(
        study_uid=reading.study_uid,
        report_id=newest.report_id,
        critical=bool(newest.critical),
        addendum=newest.addendum is not None and here > 1,
        provisional=newest.provisional or bool(reading.carried),
        modality=modality,
    )


def _check_claim(reading: Reading, person: str) -> None:
    if reading.claimed_by not in (None, person):
        raise Refused(
            "claimed",
            f"该检查正由 {reading.claimed_by} 阅片；如需接手请确认",
            f"expected a study that nobody else reads, {reading.claimed_by} has it; claim it with take_over",
            409,
        )


def _reported(reading: Reading) -> Refused:
    who = "" if reading.report is None else reading.report.person
    return Refused(
        "already_reported",
        f"{who} 已签发报告，只能追加补充报告",
        f"expected a study without a report, {who} has signed one; an addendum can be added",
        409,
    )


def _says_something(read_back: str | None) -> bool:
    """A mark, or a lone "yes" in Chinese, is nothing that was said back."""
    return sum(one.isalnum() for one in read_back or "") > 1


def _check_text(name: str, zh: str, text: str) -> None:
    if not text.strip():
        raise Refused("text_needed", f"请填写{zh}", f"expected {name}, got nothing", 422)
    if _BLANK.search(text):
        raise Refused(
            "blank_left",
            f"{zh}中还有未填的空白",
            f"expected {name} without {BLANK}, got one that has it",
            422,
        )


def _check_critical(codes: Sequence[str]) -> None:
    for code in codes:
        if code not in critical_results():
            raise no_such("critical_result", "危急值", code)
