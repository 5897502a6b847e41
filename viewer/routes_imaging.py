"""Reading studies: the worklist, claiming, the report and its addenda, critical results said back."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from greenchannel.alerts.imaging.reading import Reading
from greenchannel.alerts.refusal import Refused
from greenchannel.clock import rfc3339
from greenchannel.events import ImageCriticalTold
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.service.ids import new_id
from greenchannel.viewer import imaging_json
from greenchannel.viewer.access import may, may_name, require
from greenchannel.viewer.front import Front, Here, Who, answer
from greenchannel.viewer.instants import Instant
from greenchannel.viewer.routes_cases import PRINTABLE, Given, Nothing, Reason

MOST_LINES = 500
"""Of the worklist in one answer."""

router = APIRouter(prefix="/imaging", tags=["imaging"])

Uid = Annotated[str, Path(max_length=64, pattern=r"^[0-9.]+$")]
Long = Annotated[str, Field(max_length=20_000, pattern=PRINTABLE)]
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=PRINTABLE)]


class Claim(Given):
    """`take_over`: also from whoever has it."""

    take_over: bool = False


class DraftBody(Given):
    """What is written so far; blanks may stand."""

    findings: Long = ""
    impression: Long = ""
    template: Code | None = None
    critical: list[Code] = Field(default_factory=list, max_length=20)
    provisional: bool = False


class OfCase(Given):
    """`case_id`: that of the patient whom the writer saw; 409 `study_moved` where the study was moved meanwhile."""

    case_id: Code | None = None


class ReportBody(OfCase):
    """A report to be signed. `provisional`: written in the time of the clock, to be confirmed by an addendum."""

    findings: Long
    impression: Long
    critical: list[Code] = Field(default_factory=list, max_length=20)
    provisional: bool = False
    template: Code | None = None


class AddendumBody(OfCase):
    """What is added to a signed report; `reason`: addition, correction, confirmation."""

    text: Long
    reason: Code = "addition"
    critical: list[Code] = Field(default_factory=list, max_length=20)


class CriticalBody(OfCase):
    """A call about a critical result. It closes the duty where somebody was reached, has said it back, and right."""

    report_ids: list[Code] = Field(default_factory=list, max_length=50)  # none: the only one that is untold
    to_role: Code
    to_person: Code | None = None
    way: Code = "phone"
    told_at: Instant | None = None  # none: now
    reached: bool
    read_back: Annotated[str, Field(max_length=2_000, pattern=PRINTABLE)] | None = None
    read_back_right: bool = False
    note: Annotated[str, Field(max_length=500, pattern=PRINTABLE)] | None = None
    call_id: Code | None = None  # the same again changes nothing


class Share(OfCase, Reason):
    """With whom, and why."""

    site: Code


def reading_of(front: Front, study_uid: str, who: Caller) -> Reading:
    """A reading that the caller may know of; raises `NotFound` as if there were none."""
    reading = front.desk.image_readings.reading(study_uid)
    if not front.desk.image_readings.may_see(study_uid, who):
        raise NotFound("study", study_uid)
    return reading


@router.get("/worklist", summary="Studies in the order in which they are read")
async def worklist(front: Here, who: Who, state: Literal["open", "reported"] = "open") -> Response:
    """Of the caller's sites, without names. `open`: what waits for a report, a confirmation or a call, the first to be
    read first; `reported`: newest first. `now` is the service's clock, by which the clocks of the studies run."""
    require(who, "image_worklist")
    await front.directory.refresh()
    now = front.desk.clock.now()
    rows = await front.desk.image_readings.worklist(who, now, reported=state == "reported")
    named = may(who, "identity")
    shown = rows[:MOST_LINES]
    lines = [imaging_json.line(row, now, front.directory, named=named) for row in shown]
    if named and lines:  # with the words of the requests
        detail = f"{state}: {len(lines)} of {len(rows)}"
        front.desk.access.note(who.actor, "look_image_worklist", None, detail, now)
    return answer({"now": rfc3339(now), "total": len(rows), "studies": lines})


@router.get("/studies/{study_uid}", summary="One study: its place, its reading, the report")
async def study(study_uid: Uid, front: Here, who: Who, reason: str | None = None) -> Response:
    """With the report's texts, what its form offers to who may sign, and the draft of the asking person alone."""
    require(who, "image_report")
    reading = reading_of(front, study_uid, who)
    return answer(await _page(front, reading, who, reason))


@router.post("/studies/{study_uid}/claim", summary="Take a study to read")
async def claim(study_uid: Uid, front: Here, who: Who, body: Claim | None = None) -> Response:
    """409 `claimed` where another reads it; with `take_over` it is taken all the same. The clock runs on."""
    require(who, "image_read")
    reading_of(front, study_uid, who)
    take_over = body is not None and body.take_over
    reading = await front.desk.image_readings.claim(study_uid, who, take_over=take_over)
    return answer(await _page(front, reading, who))


@router.post("/studies/{study_uid}/release", summary="Give a study back unread")
async def release(study_uid: Uid, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """Of who does not have it nothing changes."""
    require(who, "image_read")
    reading_of(front, study_uid, who)
    return answer(await _page(front, await front.desk.image_readings.release(study_uid, who), who))


@router.post("/studies/{study_uid}/stat", summary="Say that a study must be read first")
async def stat(study_uid: Uid, body: Reason, front: Here, who: Who) -> Response:
    """By any clinician who sees it; its clock becomes that of a critical study."""
    require(who, "image_stat")
    reading_of(front, study_uid, who)
    return answer(
        await _page(front, await front.desk.image_readings.mark_stat(study_uid, who, body.reason), who)
    )


@router.post("/studies/{study_uid}/draft", summary="Keep what is written so far")
async def draft(study_uid: Uid, body: DraftBody, front: Here, who: Who) -> Response:
    """For its writer alone; no result. 409 `claimed` where another has the study."""
    require(who, "image_read")
    reading_of(front, study_uid, who)
    reading = await front.desk.image_readings.draft(
        study_uid,
        who,
        findings=body.findings,
        impression=body.impression,
        template=body.template,
        critical=body.critical,
        provisional=body.provisional,
    )
    return answer(await _page(front, reading, who))


@router.post("/studies/{study_uid}/report", summary="Sign the report of a study")
async def report(study_uid: Uid, body: ReportBody, front: Here, who: Who) -> Response:
    """Stops the clock; the case and its clinic have it at once. A second one is refused: see the addendum.
    409 `claimed` where another has the study."""
    require(who, "image_read")
    reading_of(front, study_uid, who)
    reading = await front.desk.image_readings.sign(
        study_uid,
        who,
        findings=body.findings,
        impression=body.impression,
        critical=body.critical,
        provisional=body.provisional,
        template=body.template,
        of_case=body.case_id,
    )
    return answer(await _page(front, reading, who), 201)


@router.post("/studies/{study_uid}/addendum", summary="Add to a signed report")
async def addendum(study_uid: Uid, body: AddendumBody, front: Here, who: Who) -> Response:
    """The report stays as it was signed. 409 `own_report` where its writer confirms what they wrote provisionally."""
    require(who, "image_read")
    reading_of(front, study_uid, who)
    reading = await front.desk.image_readings.addendum(
        study_uid,
        who,
        text=body.text,
        reason=body.reason,
        critical=body.critical,
        of_case=body.case_id,
    )
    return answer(await _page(front, reading, who), 201)


@router.post("/studies/{study_uid}/critical", summary="A critical result was told, or it was tried")
async def critical(study_uid: Uid, body: CriticalBody, front: Here, who: Who) -> Response:
    """Told is what another who can act has said back in words, and right. Until then it is said again and again."""
    require(who, "image_read")
    reading = reading_of(front, study_uid, who)
    untold = tuple(one.report_id for one in reading.untold)
    if not body.report_ids and len(untold) > 1:  # one may have been signed while the call was made
        raise Refused(
            "report_ids_needed",
            "请说明告知的是哪一份报告",
            f"expected report_ids, which of {len(untold)} critical texts was told, got none",
            422,
        )
    report_ids = tuple(body.report_ids) or untold
    if not report_ids and reading.critical:
        raise Conflict(
            "already_told", "expected a critical result that is untold, got none", "危急值已告知并复述"
        )
    await front.directory.refresh()
    if body.to_person is not None and front.directory.person(body.to_person)["name"] is None:
        raise NotFound("person", body.to_person)
    said = ImageCriticalTold(
        call_id=body.call_id or new_id("ik"),
        person=who.id,
        report_ids=report_ids,
        to_role=body.to_role,
        to_person=body.to_person,
        way=body.way,
        told_at=body.told_at or front.desk.clock.now(),
        reached=body.reached,
        read_back=body.read_back,
        read_back_right=body.read_back_right,
        note=body.note,
    )
    reading = await front.desk.image_readings.tell_critical(study_uid, who, said, body.case_id)
    return answer(await _page(front, reading, who), 201)


@router.post("/studies/{study_uid}/seen", summary="The clinic has the result before its eyes")
async def seen(study_uid: Uid, front: Here, who: Who, body: Nothing | None = None) -> Response:
    """The first look at each report and addendum is kept."""
    require(who, "image_seen")
    reading_of(front, study_uid, who)
    return answer(await _page(front, await front.desk.image_readings.seen(study_uid, who), who))


@router.post("/studies/{study_uid}/share", summary="Let another member use the study and its result")
async def share(study_uid: Uid, body: Share, front: Here, who: Who) -> Response:
    """So that nobody is examined twice. By those who care for the patient at a site that has it; noted with why."""
    require(who, "image_share")
    reading = reading_of(front, study_uid, who)
    await front.directory.refresh()
    if body.site not in front.directory.site_names():
        raise NotFound("site", body.site)
    front.look(who, "share_image", reading.case_id or study_uid, f"{study_uid} {body.site}")
    page = await front.desk.image_readings.share(study_uid, who, body.site, body.reason, body.case_id)
    return answer(await _page(front, page, who))


async def _page(front: Front, reading: Reading, who: Caller, reason: str | None = None) -> dict[str, Any]:
    await front.directory.refresh()
    now = front.desk.clock.now()
    row = await front.desk.image_readings.row(reading, now)
    reading = row.reading
    # Every answer has the texts, whatever was asked for.
    front.look(who, "look_image_report", reading.case_id or reading.study_uid, reading.study_uid)
    page = imaging_json.line(row, now, front.directory, named=may_name(who, reason))
    page["reading"] = imaging_json.reading_json(reading, front.directory, texts=True)
    writes = may(who, "image_read")
    return page | {
        "now": rfc3339(now),
        "case_id": reading.case_id,
        "draft": imaging_json.draft_json(reading, who.id) if writes else None,
        "choices": imaging_json.choices(row) if writes else None,
    }
