"""What is charted: one value of each case or ECG, and the chart that is made of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple

import msgspec

from greenchannel.alerts.quality import charts
from greenchannel.alerts.quality.hours import came_off_hours
from greenchannel.alerts.quality.record import CaseRecord, RecordEcg
from greenchannel.alerts.quality.segments import minutes, segments, way_of
from greenchannel.alerts.quality.tables import read_table, read_value

NETWORK = "network"
READING, REJECTED = "reading_time", "rejected"


class Measure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``[[measure]]``: what is charted, and in which scopes."""

    id: str
    scopes: tuple[str, ...]
    segment: str | None = None
    zh: str = ""
    en: str = ""

    def names(self) -> tuple[str, str]:
        """What it is called, in Chinese and English; a segment has its names in its own table."""
        if self.segment is None:
            return self.zh, self.en
        return segments()[self.segment].zh, segments()[self.segment].en


class Observation(NamedTuple):
    """One value of one case or ECG."""

    at: datetime
    case_id: str
    value: float  # minutes; 0 and 1 of a yes and no
    stratum: tuple[object, ...]  # what its usual value differs by


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a chart found, and what it says in words."""

    rule: str  # "cusum", "beyond", "run"
    direction: str  # "slower", "faster", "more"
    since: datetime  # the first case that counts for it: the estimate of when the change began
    found_at: datetime
    usual: float  # minutes, or a share
    now: float
    cases: int
    case_ids: tuple[str, ...]
    zh: str
    en: str


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One case, or one month."""

    at: datetime
    case_id: str | None  # None: a month
    value: float  # minutes, or 0 and 1
    cases: int = 1
    up: float | None = None  # sums of the CUSUM, in its units; the limit is the chart's
    down: float | None = None


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """One chart."""

    id: str  # "clinic/clinic-017/first_ecg"
    kind: str  # "cusum", "share", "xmr"
    scope: str  # "network", "clinic", "reader"
    where: str | None  # the clinic or the reader; None: the network
    measure: str
    zh: str
    en: str
    state: str  # "watched", "too_few": not enough cases before the watch
    baseline: int  # cases, or months
    usual: float | None  # minutes, or a share
    limit: float | None  # of the sums of a CUSUM
    low_min: float | None = None  # natural limits of an XmR
    high_min: float | None = None
    points: tuple[Point, ...] = ()
    signals: tuple[Signal, ...] = ()


@cache
def measures() -> tuple[Measure, ...]:
    """What is watched."""
    return read_table(charts.TABLE, "measure", Measure)


@cache
def words() -> Mapping[str, Mapping[str, str]]:
    """What a signal says, by its kind and language."""
    return read_value(charts.TABLE, "words", dict[str, dict[str, str]])


Where = Mapping[str, str | None]


def observations(
    records: Iterable[CaseRecord], wanted: Iterable[Measure]
) -> dict[str, list[tuple[Where, Observation]]]:
    """Return every value of each measure by its id, oldest first, with the clinic and the reader that it belongs to."""
    rows = tuple(wanted)
    found: dict[str, list[tuple[Where, Observation]]] = {row.id: [] for row in rows}
    for record in records:
        off = came_off_hours(record)
        lengths = way_of(record).lengths_min
        place = {"clinic": record.site, "reader": record.reader}
        like = {"town": record.town, "site": record.site, "off_hours": off}
        for row in rows:
            if row.segment is None:
                found[row.id] += _of_ecgs(record, row.id, off)
            elif row.segment in lengths:
                depends = segments()[row.segment].depends_on
                stratum = (record.arrival_mode, *(like[name] for name in depends))
                one = Observation(record.began_at, record.case_id, lengths[row.segment], stratum)
                found[row.id].append((place, one))
    for values in found.values():
        values.sort(key=lambda one: (one[1].at, one[1].case_id))
    return found


def _of_ecgs(record: CaseRecord, measure: str, off: bool | None) -> Iterable[tuple[Where, Observation]]:
    for ecg in record.ecgs:
        value = _of_ecg(ecg, measure)
        if value is not None and ecg.received_at is not None:
            stratum = (off,) if measure == READING else ()
            one = Observation(ecg.received_at, record.case_id, value, stratum)
            yield {"clinic": record.site, "reader": ecg.reader}, one


def reading_min(ecg: RecordEcg) -> float | None:
    """Minutes from an ECG's receipt to its first signed reading; None where one is not known.

    Of a live stream the last byte may come after the reading: nobody waited, and there is nothing to measure.
    """
    if ecg.received_at is None or ecg.read_at is None or ecg.read_at < ecg.received_at:
        return None
    return minutes(ecg.received_at, ecg.read_at)


def _of_ecg(ecg: RecordEcg, measure: str) -> float | None:
    if measure == READING:
        return reading_min(ecg)
    return None if ecg.acceptable is None else float(not ecg.acceptable)


def worded(chart: Chart, kind: str, since: str, cases: int, usual: float, now: float) -> tuple[str, str]:
    """What a signal says, in Chinese and English."""
    form = "{:.0%}" if chart.kind == "share" else "{:.1f}" if max(usual, now) < 10 else "{:.0f}"
    change = f"{(now - usual) / usual:+.0%}" if usual > 0 else ""
    zh, en = (
        words()[kind][language].format(
            where=chart.where or words()[NETWORK][language],
            what=what,
            since=since,
            n=cases,
            usual=form.format(usual),
            now=form.format(now),
            change=change,
        )
        for language, what in (("zh", chart.zh), ("en", chart.en))
    )
    return zh, en
