"""The report of a month: what was counted, how it went over a year, who did how much, what is missing.

Pure: records in, a value out; how it is drawn and printed is another's. Every number stands with and without
exclusions, with its counts and reasons.
"""

import statistics
from collections import Counter as Tally
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

import msgspec

from greenchannel.alerts.facts import facts
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.answers import Cell, MetricAnswer, Numbers, Question
from greenchannel.alerts.quality.bottlenecks import Ranking, bottlenecks
from greenchannel.alerts.quality.chart_values import reading_min
from greenchannel.alerts.quality.closed_loop_counts import AlertCounts, ClosedLoop, closed_loop
from greenchannel.alerts.quality.columns import Columns
from greenchannel.alerts.quality.counter import Counter
from greenchannel.alerts.quality.engine import answer_of
from greenchannel.alerts.quality.form_checks import gaps
from greenchannel.alerts.quality.metrics import Metric, editions, exclusions
from greenchannel.alerts.quality.national_form import (
    LYSIS,
    PCI,
    by_pci,
    fields,
    filled_share,
    owners,
    ways_of,
)
from greenchannel.alerts.quality.record import STEMI, CaseRecord
from greenchannel.alerts.quality.tables import read_value
from greenchannel.alerts.timeline import TRANSFER

TABLE = "monthly_report"


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is counted, by name."""

    id: str | None
    zh: str
    en: str
    n: int


class MonthPoint(msgspec.Struct, frozen=True, kw_only=True):
    """One month of a trend."""

    month: str  # "2026-05"
    n: int  # known to the instant
    # Minutes by the edition's statistic, or a share; None: nothing to count.
    value: float | None  # without those excluded
    with_all: float | None  # of all cases
    share: float | None  # met, of all who should have had it and are not excluded


class MetricRow(msgspec.Struct, frozen=True, kw_only=True):
    """One metric of the month."""

    id: str
    label: str
    zh: str
    en: str
    endpoints: tuple[str, ...]
    is_share: bool  # it has no minutes: a share alone
    statistic: str  # "mean", "median"
    target_min: float | None
    below: bool  # reached only if shorter than that
    target_share: float | None
    source: str
    mark: str
    all: Numbers
    kept: Numbers
    excluded: int
    reasons: tuple[Named, ...]
    before: float | None  # the value of the month before
    trend: tuple[MonthPoint, ...]  # every month of it, also those without a case

    @property
    def value(self) -> float | None:
        """Minutes by the edition's statistic, or the share, without those excluded, as the pages lead with."""
        return value_of(self.kept, is_share=self.is_share, statistic=self.statistic)


class SiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """One site of the month; None where nothing is known."""

    site: str
    cases: int
    stemi: int
    ecgs: int
    rejected: int  # of the ECGs, those that were not acceptable
    read_median_min: float | None  # received to signed
    metrics: tuple[Numbers | None, ...]  # of `MonthlyReport.of_sites`


class FormShare(msgspec.Struct, frozen=True, kw_only=True):
    """How the national form of the month's STEMI was filled."""

    cases: int
    required: int
    filled: int
    without_typing: int


class MonthlyReport(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    month: str
    edition: str
    edition_zh: str
    edition_en: str
    edition_source: str
    cases: int
    stemi: int
    pci: int  # of the STEMI
    lysis: int
    transferred: int
    unsaid_diagnosis: int  # cases of which nobody has said what it was
    still_open: int
    headline: tuple[str, ...]  # ids of metrics
    metrics: tuple[MetricRow, ...]
    sites: tuple[SiteRow, ...]  # the busiest first
    of_sites: tuple[str, ...]  # ids of the metrics of `SiteRow.metrics`
    more_sites: int  # that the table leaves out
    least_for_a_rate: int  # cases under which a site's rate says nothing
    ranking: Ranking  # where the STEMI with PCI lost time, against the months before
    loop: ClosedLoop
    alerts_by_rule: tuple[AlertCounts, ...]  # the most frequent first
    delays: tuple[Named, ...]  # reasons for delay, the most frequent first
    form: FormShare
    owners: tuple[Named, ...]  # gaps of the national form by who owes them
    fields: tuple[Named, ...]  # what is missing most often

    def metric(self, metric_id: str) -> MetricRow:
        """The metric of this id; raise `KeyError` where the edition has none."""
        for row in self.metrics:
            if row.id == metric_id:
                return row
        raise KeyError(metric_id)


# ---------------------------------------------------------------- months


def month_start(month: str, zone: tzinfo = NATIONAL_ZONE) -> datetime:
    """The first instant of a month such as "2026-05"; raise `ValueError` for what is none."""
    return datetime.combine(date.fromisoformat(f"{month}-01"), time(), zone)


def months_back(month: str, count: int) -> list[str]:
    """So many months, the given one the last."""
    found, day = [month], date.fromisoformat(f"{month}-01")
    while len(found) < count:
        day = (day - timedelta(days=1)).replace(day=1)
        found.append(f"{day:%Y-%m}")
    return found[::-1]


def span_of(month: str, zone: tzinfo = NATIONAL_ZONE) -> tuple[datetime, datetime]:
    """From when and before when cases must have begun that the report of a month needs."""
    first = months_back(month, _number("months"))[0]
    return month_start(first, zone), month_start(_next(month), zone)


def _next(month: str) -> str:
    day = date.fromisoformat(f"{month}-01") + timedelta(days=32)
    return f"{day:%Y-%m}"


# ---------------------------------------------------------------- the report


def monthly_report(
    records: Sequence[CaseRecord], month: str, edition: str | None = None, zone: tzinfo = NATIONAL_ZONE
) -> MonthlyReport:
    """Return the report of a month such as "2026-05".

    Parameters
    ----------
    records : of the whole of `span_of(month)`; what lies outside is not counted
    edition : one of the table of editions; None: the usual one

    Raises
    ------
    Refused
        There is no such edition.
    ValueError
        The month is none.
    """
    edition = edition or read_value(TABLE, "edition", str)
    start, end = month_start(month, zone), month_start(_next(month), zone)
    first, _ = span_of(month, zone)
    of_month = [one for one in records if start <= one.began_at < end]
    asked = Question(edition=edition, start=start, end=end, cases=False, trend=False)
    counter = Counter(Columns.of(records))
    now = answer_of(counter, asked).metrics
    year = answer_of(counter, msgspec.structs.replace(asked, start=first, trend=True)).metrics
    trends = {one.metric.id: one for one in year}
    rows = tuple(_metric(one, trends[one.metric.id], month) for one in now)
    stemi = [one for one in of_month if one.diagnosis == STEMI]
    earlier = [one for one in records if first <= one.began_at < start]
    loop = closed_loop(of_month)
    of_sites = _by_endpoints("of_sites", rows)
    sites, more = _sites(counter, of_month, asked, of_sites)
    spec = editions()[edition]
    return MonthlyReport(
        month=month,
        edition=edition,
        edition_zh=spec.zh,
        edition_en=spec.en,
        edition_source=spec.source,
        cases=len(of_month),
        stemi=len(stemi),
        pci=sum(PCI in (ways_of(one) or ()) for one in stemi),
        lysis=sum(LYSIS in (ways_of(one) or ()) for one in stemi),
        transferred=sum(one.arrival_mode == TRANSFER for one in stemi),
        unsaid_diagnosis=sum(one.diagnosis is None for one in of_month),
        still_open=sum(one.state == "open" for one in of_month),
        headline=_headline(rows),
        metrics=rows,
        sites=sites,
        of_sites=of_sites,
        more_sites=more,
        least_for_a_rate=_number("least_for_a_rate"),
        ranking=bottlenecks(by_pci(stemi), by_pci(earlier)),
        loop=loop,
        alerts_by_rule=tuple(sorted(loop.alerts_by_rule, key=lambda row: -row.sent)[: _number("most_rules")]),
        delays=_delays(of_month),
        form=_form(stemi),
        **_gaps(stemi),
    )


def value_of(numbers: Numbers, *, is_share: bool, statistic: str) -> float | None:
    """Minutes by the statistic, or the share."""
    if is_share:
        return numbers.share
    return numbers.mean_min if statistic == "mean" else numbers.median_min


def _number(name: str) -> int:
    return read_value(TABLE, name, int)


def _metric(now: MetricAnswer, year: MetricAnswer, month: str) -> MetricRow:
    metric: Metric = now.metric
    is_share = metric.kind != "interval"
    cells = {cell.key: cell for cell in year.trend}
    names = months_back(month, _number("months"))
    trend = tuple(_point(name, cells.get(name), is_share, now.statistic) for name in names)
    return MetricRow(
        id=metric.id,
        label=metric.label,
        zh=metric.zh,
        en=metric.en,
        endpoints=metric.endpoints,
        is_share=is_share,
        statistic=now.statistic,
        target_min=metric.target_min,
        below=metric.below,
        target_share=metric.target_share,
        source=metric.source,
        mark=metric.mark,
        all=now.whole.all,
        kept=now.whole.kept,
        excluded=now.whole.excluded,
        reasons=tuple(
            Named(id=name, zh=exclusions()[name].zh, en=exclusions()[name].en, n=count)
            for name, count in now.whole.reasons.items()
        ),
        before=trend[-2].value if len(trend) > 1 else None,
        trend=trend,
    )


def _point(month: str, cell: Cell | None, is_share: bool, statistic: str) -> MonthPoint:
    if cell is None:
        return MonthPoint(month=month, n=0, value=None, with_all=None, share=None)
    return MonthPoint(
        month=month,
        n=cell.kept.eligible if is_share else cell.kept.n,
        value=value_of(cell.kept, is_share=is_share, statistic=statistic),
        with_all=value_of(cell.all, is_share=is_share, statistic=statistic),
        share=cell.kept.share,
    )


def _by_endpoints(name: str, rows: Sequence[MetricRow]) -> tuple[str, ...]:
    wanted = read_value(TABLE, name, tuple[tuple[str, ...], ...])
    found = (next((row.id for row in rows if row.endpoints == ends), None) for ends in wanted)
    return tuple(one for one in found if one is not None)


def _headline(rows: Sequence[MetricRow]) -> tuple[str, ...]:
    """Those that the table wants, then as many others as there is room."""
    chosen = _by_endpoints("headline", rows)
    more = (row.id for row in rows if row.id not in chosen)
    return (*chosen, *more)[: _number("most_headline")]


# ---------------------------------------------------------------- sites


def _sites(
    counter: Counter, of_month: Sequence[CaseRecord], asked: Question, of_sites: tuple[str, ...]
) -> tuple[tuple[SiteRow, ...], int]:
    by_site: dict[str, list[CaseRecord]] = {}
    for record in of_month:
        by_site.setdefault(record.site, []).append(record)
    cells: list[dict[str | None, Cell]] = []
    if of_sites:
        question = msgspec.structs.replace(asked, metrics=of_sites, by=("clinic",))
        found = {one.metric.id: one.groups for one in answer_of(counter, question).metrics}
        cells = [{cell.key: cell for cell in found[name]} for name in of_sites]
    ordered = sorted(by_site, key=lambda site: (-len(by_site[site]), site))
    most = _number("most_sites")
    return tuple(_site(site, by_site[site], cells) for site in ordered[:most]), max(0, len(ordered) - most)


def _site(site: str, records: Sequence[CaseRecord], cells: Sequence[Mapping[str | None, Cell]]) -> SiteRow:
    ecgs = [ecg for record in records for ecg in record.ecgs]
    waits = [wait for ecg in ecgs if (wait := reading_min(ecg)) is not None]
    return SiteRow(
        site=site,
        cases=len(records),
        stemi=sum(one.diagnosis == STEMI for one in records),
        ecgs=len(ecgs),
        rejected=sum(ecg.acceptable is False for ecg in ecgs),
        read_median_min=statistics.median(waits) if waits else None,
        metrics=tuple(by_key[site].kept if site in by_key else None for by_key in cells),
    )


# ---------------------------------------------------------------- reasons, gaps


def _delays(records: Iterable[CaseRecord]) -> tuple[Named, ...]:
    counts = Tally(reason for record in records for reason in record.reasons)
    return tuple(
        Named(id=name, zh=facts()[name].zh, en=facts()[name].en, n=n) for name, n in counts.most_common()
    )


def _form(stemi: Sequence[CaseRecord]) -> FormShare:
    shares = [filled_share(one) for one in stemi]
    return FormShare(
        cases=len(stemi),
        required=sum(one.required for one in shares),
        filled=sum(one.filled for one in shares),
        without_typing=sum(one.without_typing for one in shares),
    )


def _gaps(stemi: Sequence[CaseRecord]) -> dict[str, Any]:
    by_owner = gaps(stemi)
    names = {field.id: field for field in fields("cpc_stemi")}
    counts = Tally(gap.field for found in by_owner.values() for gap in found)
    return {
        "owners": tuple(
            Named(id=owner, zh=owners()[owner].zh, en=owners()[owner].en, n=len(found))
            for owner, found in by_owner.items()
        ),
        "fields": tuple(
            Named(id=name, zh=names[name].zh, en=names[name].en, n=n)
            for name, n in counts.most_common(_number("most_fields"))
        ),
    }
