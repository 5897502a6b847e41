"""Numbers that leave the service as a file: metrics as tables, the month as a report."""

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from greenchannel.alerts.quality import monthly_report as months
from greenchannel.alerts.quality.answers import Question
from greenchannel.alerts.quality.engine import answer as count
from greenchannel.clock import rfc3339
from greenchannel.service.errors import NotFound
from greenchannel.viewer.access import require
from greenchannel.viewer.export_metrics import metrics_book
from greenchannel.viewer.export_records import known_sites, records_of
from greenchannel.viewer.export_table import csv_bytes, xlsx_bytes
from greenchannel.viewer.front import Here, Who, answer
from greenchannel.viewer.month_pages import month_pdf
from greenchannel.viewer.period import Period, month, period
from greenchannel.viewer.routes_export import CSV, XLSX, Lang, attachment, note
from greenchannel.viewer.routes_metrics import NONE
from greenchannel.viewer.words import Word

router = APIRouter(prefix="/export", tags=["exports"])


@router.get("/metrics", summary="Metrics by group and month as a table")
async def metrics(
    front: Here,
    who: Who,
    standard: Annotated[str | None, Query(max_length=32)] = None,
    format: Literal["csv", "xlsx"] = "csv",
    table: Literal["metrics", "trend", "meanings"] = "metrics",
    from_: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    to: Annotated[str | None, Query(max_length=40)] = None,
    by: Annotated[str | None, Query(max_length=64)] = None,
    exclusions: Annotated[str | None, Query(max_length=128)] = None,
    site: Annotated[str | None, Query(max_length=64)] = None,
    lang: Lang = "zh",
) -> Response:
    """Every number twice, of all cases and without those excluded. `by` names groupings and `exclusions` reasons, with
    commas between them; "none" leaves nobody out. A workbook holds all three tables."""
    require(who, "export")
    span = period(from_, to)
    records = await records_of(front, who, span, site)
    sites = await known_sites(front)
    question = Question(
        edition=standard,
        by=_listed(by),
        exclusions=None if exclusions is None else () if exclusions == NONE else _listed(exclusions),
        cases=False,
    )
    found = await asyncio.to_thread(count, records, question)
    note(
        front,
        who,
        "metrics",
        f"{span.name} {format} standard={standard or 'all'} by={by or '-'} cases={found.cases}",
    )
    name, english = Word(f"质量指标_{span.name}", f"metrics_{span.name}"), lang == "en"
    made_at = front.desk.clock.now()

    def written() -> bytes:
        book = metrics_book(found, sites)
        if format == "xlsx":
            return xlsx_bytes(book, made_at=made_at, english=english)
        return csv_bytes(next(one for one in book.tables if one.id == table), english=english)

    return attachment(await asyncio.to_thread(written), XLSX if format == "xlsx" else CSV, name, format)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(one.strip() for one in (text or "").split(",") if one.strip())


@router.get("/monthly-report", summary="The report of a month, as a PDF or as its numbers")
async def monthly_report(
    front: Here,
    who: Who,
    month_: Annotated[str, Query(alias="month", max_length=7)],
    standard: Annotated[str | None, Query(max_length=32)] = None,
    format: Literal["pdf", "json"] = "pdf",
    site: Annotated[str | None, Query(max_length=64)] = None,
    lang: Lang = "zh",
) -> Response:
    """`month` is one of the network's calendar, such as 2026-05; the eleven before it are in the trends."""
    require(who, "export")
    month(month_)
    sites = await known_sites(front)
    if site is not None and not (site in sites and who.may_see(site)):
        raise NotFound("site", site)  # a report of 0 cases would say something of it
    start, end = months.span_of(month_)
    records = await records_of(front, who, Period(start=start, end=end), site)
    made_at = front.desk.clock.now()
    settings = front.desk.settings
    network = Word(settings.network_zh, settings.network_en)
    counted = who.sites if site is None else frozenset({site})
    if counted is not None:  # nobody may take a clinic's own numbers for the network's
        names = [sites.get(one, Word(one, one)) for one in sorted(counted)]
        zh, en = "、".join(one.zh for one in names), ", ".join(one.en for one in names)
        network = Word(f"{network.zh} · {zh}", f"{network.en} · {en}")
    report = await asyncio.to_thread(months.monthly_report, records, month_, standard)
    note(front, who, "monthly_report", f"{month_} {format} site={site or 'all'} cases={report.cases}")
    if format == "json":
        made: dict[str, Any] = msgspec.to_builtins(report)
        called = {one.site: sites.get(one.site, Word(one.site, one.site)) for one in report.sites}
        return answer(
            {
                "made_at": rfc3339(made_at),
                "network": {"zh": network.zh, "en": network.en},
                **made,
                "site_names": {name: {"zh": word.zh, "en": word.en} for name, word in called.items()},
            }
        )
    data = await asyncio.to_thread(
        lambda: month_pdf(report, sites, network=network, made_at=made_at, english=lang == "en")
    )
    return attachment(data, "application/pdf", Word(f"质量月报_{month_}", f"monthly_{month_}"), "pdf")
