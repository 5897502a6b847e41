"""`greenchannel export`: what the pages export, from the data folder alone, beside the running service or without one.

The kind of file is said by the ending of its name. Every export is noted in the access log.
"""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer

from greenchannel.cli.data_folder import DEFAULT_DATA, DataOption, open_data

if TYPE_CHECKING:
    from greenchannel.alerts.case import Case
    from greenchannel.alerts.quality.record import CaseRecord
    from greenchannel.viewer.export_table import Book, Table
    from greenchannel.viewer.period import Period
    from greenchannel.viewer.words import Word

app = typer.Typer(add_completion=False)
export = typer.Typer(no_args_is_help=True, add_completion=False)
app.add_typer(
    export, name="export", help="Forms, registry, metrics, reports and research records as files. 导出"
)

OPERATOR: Final = "service:cli"  # who it was, in the access log: somebody with a shell on the machine
_PAGE: Final = 10_000

Out = Annotated[Path, typer.Option("--out", help="The file; its ending says the kind")]
From = Annotated[str | None, typer.Option("--from", help="First day, such as 2026-05-01")]
To = Annotated[str | None, typer.Option("--to", help="Last day; it belongs to the period")]
SiteOption = Annotated[str | None, typer.Option("--site", help="One site alone")]
DiagnosisOption = Annotated[
    str | None, typer.Option("--diagnosis", help="One diagnosis alone, such as STEMI")
]
English = Annotated[bool, typer.Option("--english", help="Heads in English")]
Standard = Annotated[str | None, typer.Option("--standard", help="An edition, such as china or esc_2023")]


@app.callback()
def _group() -> None:
    """Keep this module's commands under their own names."""


@dataclass(frozen=True, kw_only=True)
class _Folder:
    """What an export reads."""

    cases: Mapping[str, "Case"]
    records: Sequence["CaseRecord"]  # oldest first
    sites: Mapping[str, "Word"]
    network: "Word"
    now: datetime
    note: Callable[[str, str], None]

    def chosen(
        self, span: "Period", site: str | None = None, diagnosis: str | None = None
    ) -> list["CaseRecord"]:
        from greenchannel.viewer.export_records import check_diagnosis

        check_diagnosis(diagnosis)
        if site is not None and site not in self.sites:
            raise typer.BadParameter(f"--site: expected a site that is there, got {site!r}")
        return [
            one
            for one in self.records
            if span.holds(one.began_at) and site in (None, one.site) and diagnosis in (None, one.diagnosis)
        ]


@contextlib.contextmanager
def _opened(data: Path) -> Iterator[_Folder]:
    """The cases of a data folder; what an export refuses ends the command with a sentence."""
    from greenchannel.alerts.quality.record_of import SiteFacts, record_of
    from greenchannel.alerts.refusal import Refused
    from greenchannel.clock import SystemClock
    from greenchannel.service.book import CaseBook
    from greenchannel.store.access import AccessLog
    from greenchannel.store.accounts import Accounts
    from greenchannel.store.log import Log
    from greenchannel.viewer.problems import Problem
    from greenchannel.viewer.words import Word

    settings, engine = open_data(data)
    try:
        log, book, access = Log(engine), CaseBook(), AccessLog(engine)
        while page := log.read(book.seq, _PAGE):
            book.apply(page)
        sites = {site.id: site for site in Accounts(engine).sites()}
        facts = {site.id: SiteFacts(town=site.town, kind=site.kind) for site in sites.values()}
        made = (record_of(case, facts.get(case.site)) for case in book.cases.values())
        records = sorted(
            (one for one in made if one is not None), key=lambda one: (one.began_at, one.case_id)
        )
        now = SystemClock().now()

        def note(what: str, detail: str) -> None:
            access.note(OPERATOR, f"export_{what}", None, detail, now)
            access.flush()

        yield _Folder(
            cases=book.cases,
            records=records,
            sites={one.id: Word(one.name_zh, one.name_en) for one in sites.values()},
            network=Word(settings.network_zh, settings.network_en),
            now=now,
            note=note,
        )
    except Problem as problem:
        typer.echo(f"{problem.zh}: expected {problem.expected}, got {problem.got}", err=True)
        raise typer.Exit(2) from None
    except Refused as refused:
        typer.echo(f"{refused.zh} {refused.en}", err=True)
        raise typer.Exit(2) from None
    finally:
        engine.dispose()


def _ending(out: Path, *known: str) -> str:
    """The kind of file that is wanted; ends the command where it cannot be made."""
    ending = out.suffix.lower().lstrip(".")
    if ending not in known:
        names = ", ".join(f".{one}" for one in known)
        raise typer.BadParameter(f"--out: expected a file that ends in {names}, got {out.name!r}")
    return ending


def _write(out: Path, data: bytes, count: int) -> None:
    out.write_bytes(data)
    typer.echo(f"{out}: {count} cases, {len(data)} bytes")


def _json(content: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(content), indent=1)


def _tables(ending: str, book: "Book", table: "Table", now: datetime, english: bool) -> bytes:
    from greenchannel.viewer.export_table import csv_bytes, xlsx_bytes

    if ending == "xlsx":
        return xlsx_bytes(book, made_at=now, english=english)
    return csv_bytes(table, english=english)


# ---------------------------------------------------------------- the commands


@export.command("form")
def form(
    out: Out,
    form: Annotated[str, typer.Option(help="cpc_stemi or single_disease")] = "cpc_stemi",
    from_: From = None,
    to: To = None,
    site: SiteOption = None,
    diagnosis: DiagnosisOption = None,
    english: English = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """The national form, filled from the log: .csv, .xlsx, .json or .xml."""
    from greenchannel.alerts.quality.national_form import forms
    from greenchannel.viewer import export_form
    from greenchannel.viewer.period import period

    ending = _ending(out, "csv", "xlsx", "json", "xml")
    if form not in forms():
        raise typer.BadParameter(f"--form: expected one of {', '.join(forms())}, got {form!r}")
    with _opened(data) as folder:
        records = folder.chosen(period(from_, to), site, diagnosis)
        if ending == "json":
            made = _json({"form": form, "cases": [export_form.form_json(one, form) for one in records]})
        elif ending == "xml":
            made = export_form.form_xml(form, records, folder.now)
        else:
            book = export_form.form_book(form, records, folder.sites)
            made = _tables(ending, book, book.tables[0], folder.now, english)
        folder.note("national_form", f"{form} {ending} cases={len(records)}")
        _write(out, made, len(records))


@export.command("cases")
def cases(
    out: Out,
    table: Annotated[str, typer.Option(help="cases, times, ecgs or alerts; a workbook holds all")] = "cases",
    from_: From = None,
    to: To = None,
    site: SiteOption = None,
    diagnosis: DiagnosisOption = None,
    english: English = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """The registry: .csv or .xlsx."""
    from greenchannel.viewer.export_cases import cases_book
    from greenchannel.viewer.period import period

    ending = _ending(out, "csv", "xlsx")
    with _opened(data) as folder:
        records = folder.chosen(period(from_, to), site, diagnosis)
        book = cases_book(records, folder.sites)
        known = {one.id: one for one in book.tables}
        if table not in known:
            raise typer.BadParameter(f"--table: expected one of {', '.join(known)}, got {table!r}")
        folder.note("cases", f"{ending} {table} cases={len(records)}")
        _write(out, _tables(ending, book, known[table], folder.now, english), len(records))


@export.command("metrics")
def metrics(
    out: Out,
    standard: Standard = None,
    by: Annotated[str | None, typer.Option(help="Groupings, such as clinic or month,hours")] = None,
    from_: From = None,
    to: To = None,
    site: SiteOption = None,
    english: English = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """Metrics by edition and group, with and without exclusions: .csv or .xlsx."""
    from greenchannel.alerts.quality.answers import Question
    from greenchannel.alerts.quality.engine import answer
    from greenchannel.viewer.export_metrics import metrics_book
    from greenchannel.viewer.period import period

    ending = _ending(out, "csv", "xlsx")
    with _opened(data) as folder:
        records = folder.chosen(period(from_, to), site)
        groups = tuple(one.strip() for one in (by or "").split(",") if one.strip())
        book = metrics_book(answer(records, Question(edition=standard, by=groups, cases=False)), folder.sites)
        folder.note("metrics", f"{ending} standard={standard or 'all'} by={by or '-'} cases={len(records)}")
        _write(out, _tables(ending, book, book.tables[0], folder.now, english), len(records))


@export.command("report")
def report(
    out: Out,
    month: Annotated[str, typer.Option(help="Such as 2026-05")],
    standard: Standard = None,
    site: SiteOption = None,
    english: English = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """The report of a month: .pdf or .json."""
    from greenchannel.alerts.quality.monthly_report import monthly_report, span_of
    from greenchannel.viewer import period
    from greenchannel.viewer.month_pages import month_pdf

    ending = _ending(out, "pdf", "json")
    with _opened(data) as folder:
        period.month(month)
        start, end = span_of(month)
        records = folder.chosen(period.Period(start=start, end=end), site)
        found = monthly_report(records, month, standard)
        if ending == "json":
            made = _json(found)
        else:
            made = month_pdf(found, folder.sites, network=folder.network, made_at=folder.now, english=english)
        folder.note("monthly_report", f"{month} {ending} cases={found.cases}")
        _write(out, made, found.cases)


@export.command("research")
def research(
    out: Out,
    from_: From = None,
    to: To = None,
    diagnosis: DiagnosisOption = None,
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", help="At least 16 bytes; without it a key is made and thrown away"),
    ] = None,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """De-identified records of whole months with their dictionary: .zip, .csv, .xlsx or .json."""
    import secrets

    from greenchannel.alerts.quality.research import for_research
    from greenchannel.viewer import export_research
    from greenchannel.viewer.export_table import csv_bytes, xlsx_bytes
    from greenchannel.viewer.period import period, whole_months

    ending = _ending(out, "zip", "csv", "xlsx", "json")
    key = secrets.token_bytes(32) if key_file is None else key_file.read_bytes()
    with _opened(data) as folder:
        try:
            found = for_research(folder.chosen(whole_months(period(from_, to)), None, diagnosis), key)
        except ValueError as error:
            raise typer.BadParameter(f"--key-file: {error}") from None
        book = export_research.research_book(found)
        match ending:
            case "zip":
                made = export_research.research_zip(found, folder.now)
            case "json":
                made = _json(export_research.research_json(found))
            case "xlsx":
                made = xlsx_bytes(book, made_at=folder.now)
            case _:
                made = csv_bytes(book.tables[0], ids=True)
        folder.note("research", f"{ending} cases={len(found.rows)} left_out={found.left_out}")
        _write(out, made, len(found.rows))
        if found.left_out:
            typer.echo(f"{found.left_out} left out as too rare 因过于罕见未导出", err=True)


@export.command("timeline")
def timeline(
    case_id: Annotated[str, typer.Argument(help="The case")], out: Out, data: DataOption = DEFAULT_DATA
) -> None:
    """Every time of one case with all its values, sources and corrections: .json."""
    from greenchannel.alerts.timeline import timeline as times_of
    from greenchannel.alerts.timeline_json import to_json

    _ending(out, "json")
    with _opened(data) as folder:
        case = folder.cases.get(case_id)
        if case is None:
            typer.echo(f"expected the id of a case, there is none of {case_id} 没有这个病例", err=True)
            raise typer.Exit(2)
        folder.note("timeline", case_id)
        _write(out, _json({"case_id": case_id, **to_json(times_of(case), lambda _: None)}), 1)
