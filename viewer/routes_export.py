"""What leaves the service as a file: the national form, the registry, records for research. Every export is noted."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final, Literal
from urllib.parse import quote

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.alerts.quality.national_form import CPC_STEMI, forms
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.research import for_research
from greenchannel.alerts.timeline import timeline
from greenchannel.alerts.timeline_json import milestone_json
from greenchannel.service.callers import Caller
from greenchannel.viewer import export_cases, export_form, export_research
from greenchannel.viewer.access import require
from greenchannel.viewer.export_records import check_diagnosis, known_sites, one_record, records_of
from greenchannel.viewer.export_table import Book, csv_bytes, xlsx_bytes
from greenchannel.viewer.front import Front, Here, Who, answer_beside
from greenchannel.viewer.period import Period, period, whole_months
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.words import Word

router = APIRouter(prefix="/export", tags=["exports"])

MOST_IN_A_WORKBOOK: Final = 5_000  # cases: so many take some seconds to write, and the machine has other work
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV: Final = "text/csv; charset=utf-8"

Day = Annotated[str | None, Query(max_length=40)]
SiteId = Annotated[str | None, Query(max_length=64)]
Diagnosis = Annotated[str | None, Query(max_length=32)]
Lang = Literal["zh", "en"]


def attachment(data: bytes, media_type: str, name: Word, ending: str) -> Response:
    """A file with a name in letters that every system has, and its Chinese one beside it."""
    chinese = quote(f"{name.zh}.{ending}")
    return Response(
        data,
        media_type=media_type,
        headers={
            "Content-Disposition": f"attachment; filename=\"{name.en}.{ending}\"; filename*=UTF-8''{chinese}",
            "Cache-Control": "no-store",
        },
    )


def note(front: Front, who: Caller, what: str, detail: str, case_id: str | None = None) -> None:
    """Every export goes to the access log: who took what of how many cases."""
    front.desk.access.note(who.actor, f"export_{what}", case_id, detail, front.desk.clock.now())


async def _chosen(
    front: Front, who: Caller, span: Period, site: str | None, diagnosis: str | None
) -> Sequence[CaseRecord]:
    check_diagnosis(diagnosis)
    found = await records_of(front, who, span, site)
    return [one for one in found if diagnosis in (None, one.diagnosis)]


def _few_enough(records: Sequence[CaseRecord]) -> None:
    if len(records) > MOST_IN_A_WORKBOOK:
        raise Problem(
            413,
            "too many cases for one file of this kind",
            code="too_many_cases",
            zh=f"病例过多，单个文件最多 {MOST_IN_A_WORKBOOK} 例，请缩短时间范围或改用 CSV",
            expected=f"at most {MOST_IN_A_WORKBOOK} cases, or format=csv",
            got=str(len(records)),
        )


async def _book(front: Front, book: Callable[[], Book], english: bool) -> bytes:
    made_at = front.desk.clock.now()
    return await asyncio.to_thread(lambda: xlsx_bytes(book(), made_at=made_at, english=english))


def _detail(span: Period, kind: str, site: str | None, count: int) -> str:
    return f"{span.name} {kind} site={site or 'all'} cases={count}"


# ---------------------------------------------------------------- the national form


@router.get("/national-form", summary="The national form, filled from the log")
async def national_form(
    front: Here,
    who: Who,
    form: Annotated[str, Query(max_length=32)] = CPC_STEMI,
    format: Literal["csv", "xlsx", "json", "xml"] = "csv",
    from_: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    to: Day = None,
    site: SiteId = None,
    diagnosis: Diagnosis = None,
    case: Annotated[str | None, Query(max_length=64)] = None,
    lang: Lang = "zh",
) -> Response:
    """Of one `case`, or of all that began in the period; `diagnosis=STEMI` leaves out the others. A field that is
    asked for and not known is empty, in the workbook marked, and in JSON and XML has its state. JSON of one case
    holds every value that was given for a time, the corrected ones too."""
    require(who, "export")
    spec = forms().get(form)
    if spec is None:
        raise Problem(
            422,
            "there is no such form",
            code="unknown_form",
            zh="没有这种表单",
            expected=f"one of {' '.join(forms())}",
            got=form,
        )
    span = period(from_, to)
    if case is not None:
        records: Sequence[CaseRecord] = [await one_record(front, case, who)]
    else:
        records = await _chosen(front, who, span, site, diagnosis)
    sites = await known_sites(front)
    note(front, who, "national_form", f"{form} {_detail(span, format, site, len(records))}", case)
    name = Word(f"{spec.zh}_{case or span.name}", f"{form}_{case or span.name}")
    english = lang == "en"
    if format == "csv":
        data = await asyncio.to_thread(
            lambda: csv_bytes(export_form.form_table(form, records, sites), english=english)
        )
        return attachment(data, CSV, name, "csv")
    _few_enough(records)
    if format == "xlsx":
        made = await _book(front, lambda: export_form.form_book(form, records, sites), english)
        return attachment(made, XLSX, name, "xlsx")
    if format == "xml":
        now = front.desk.clock.now()
        data = await asyncio.to_thread(export_form.form_xml, form, records, now)
        return attachment(data, "application/xml", name, "xml")
    if case is not None:
        return await answer_beside(export_form.form_json, records[0], form, _said(front, case, who))
    return await answer_beside(_forms, records, form)


def _forms(records: Sequence[CaseRecord], form: str) -> dict[str, Any]:
    """Written one by one: whoever waits for the interpreter waits for one form, not for thousands."""
    found = [msgspec.Raw(msgspec.json.encode(export_form.form_json(one, form))) for one in records]
    return {"form": form, "total": len(found), "cases": found}


def _said(front: Front, case_id: str, who: Caller) -> dict[str, list[Any]]:
    """Every value that was given, by milestone."""
    found: dict[str, list[Any]] = {}
    for entry in timeline(front.case(case_id, who)).entries:
        made = milestone_json(entry, front.directory.actor_name)
        found.setdefault(entry.spec.id, []).extend(made["values"])
    return found


# ---------------------------------------------------------------- the registry


@router.get("/cases", summary="The registry: cases, times, ECGs and alerts")
async def cases(
    front: Here,
    who: Who,
    format: Literal["csv", "xlsx"] = "csv",
    table: Literal["cases", "times", "ecgs", "alerts"] = "cases",
    from_: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    to: Day = None,
    site: SiteId = None,
    diagnosis: Diagnosis = None,
    lang: Lang = "zh",
) -> Response:
    """A workbook holds all four tables, a CSV the one that is asked for. No name of a patient is in any of them."""
    require(who, "export")
    span = period(from_, to)
    records = await _chosen(front, who, span, site, diagnosis)
    sites = await known_sites(front)
    note(front, who, "cases", _detail(span, f"{format} {table}", site, len(records)))
    name = Word(f"胸痛病例登记表_{span.name}", f"{table}_{span.name}")
    english = lang == "en"
    if format == "xlsx":
        _few_enough(records)
        made = await _book(front, lambda: export_cases.cases_book(records, sites), english)
        return attachment(made, XLSX, name, "xlsx")

    def written() -> bytes:
        made = {
            "cases": lambda: export_cases.cases_table(records, sites),
            "times": lambda: export_cases.times_table(records),
            "ecgs": lambda: export_cases.ecgs_table(records),
            "alerts": lambda: export_cases.alerts_table(records),
        }[table]()
        return csv_bytes(made, english=english)

    return attachment(await asyncio.to_thread(written), CSV, name, "csv")


# ---------------------------------------------------------------- research


@router.get("/research", summary="De-identified records with their dictionary")
async def research(
    front: Here,
    who: Who,
    format: Literal["zip", "csv", "xlsx", "json"] = "zip",
    from_: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    to: Day = None,
    diagnosis: Diagnosis = None,
) -> Response:
    """Minutes from the first contact in place of times, codes of this export in place of ids, and no combination of
    site, year, age, sex and arrival mode that belongs to fewer than five patients. The key of the codes is made for
    this answer and thrown away. By whole months: a period of days would tell the day."""
    require(who, "export_research")
    span = whole_months(period(from_, to))
    records = await _chosen(front, who, span, None, diagnosis)
    _few_enough(records)
    made_at = front.desk.clock.now()
    found = await asyncio.to_thread(for_research, records, secrets.token_bytes(32))
    note(front, who, "research", f"{span.name} {format} cases={len(found.rows)} left_out={found.left_out}")
    name = Word("去标识化研究数据", "research")
    if format == "json":
        return await answer_beside(export_research.research_json, found)
    if format == "zip":
        data = await asyncio.to_thread(export_research.research_zip, found, made_at)
        return attachment(data, "application/zip", name, "zip")
    if format == "xlsx":
        made = await _book(front, lambda: export_research.research_book(found), False)
        return attachment(made, XLSX, name, "xlsx")
    data = await asyncio.to_thread(
        lambda: csv_bytes(export_research.research_book(found).tables[0], ids=True)
    )
    return attachment(data, CSV, name, "csv")
