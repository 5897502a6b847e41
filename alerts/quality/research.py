"""Records for research: nothing in them leads back to a patient, a person of the staff, a place or a day.

Times are minutes from the first contact, so neither the date nor the hour is there. A time that was told as a day is
left out: how far its midnight lies from the first contact would betray the hour. So would a device's clock that was
never set, which stands at a day that everybody knows: a record has none of its times.
"""

import hashlib
import hmac
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from functools import cache
from typing import Any, Final

import msgspec

from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.national_form import ways_of
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.tables import read_value

TABLE: Final = "research"
LEAST_KEY_BYTES: Final = 16
_CODE_LETTERS: Final = 12  # 48 bits: two sites of a province do not meet
_QUASI: Final = ("site_code", "year", "age_band", "sex", "arrival_mode")


class ResearchRow(msgspec.Struct, frozen=True, kw_only=True):
    """One case as research sees it; None is unknown, or was made unknown."""

    case_code: str
    site_code: str | None
    year: int | None
    age_band: str | None
    sex: str | None
    arrival_mode: int | None
    diagnosis: str | None
    outcome: str | None
    reperfusion: str | None
    zero: str | None  # the milestone that all minutes count from
    minutes: dict[str, float]  # by milestone; unknown ones are not there
    uncertainty_min: dict[str, float]  # half width, where the clock was compared
    told_as_day: tuple[str, ...]  # known as a day alone, so no minutes
    corrected: tuple[str, ...]
    facts: dict[str, str]
    reasons: tuple[str, ...]
    ecgs: int
    rejected_ecgs: int
    first_tier: str | None
    first_rules: tuple[str, ...]
    alerts: int
    cancelled_alerts: int


class Research(msgspec.Struct, frozen=True, kw_only=True):
    """What leaves, and what was done so that it may."""

    rows: tuple[ResearchRow, ...]  # in the order of their codes, which says nothing of when they came
    made_coarser: dict[str, int]  # rows in which a column was widened or made unknown, by column
    left_out: int  # rows that were too rare whatever was made unknown
    least_in_a_cell: int


@cache
def _names(name: str) -> tuple[str, ...]:
    return read_value(TABLE, name, tuple[str, ...])


@cache
def _number(name: str) -> int:
    return read_value(TABLE, name, int)


@cache
def timed() -> tuple[str, ...]:
    """The milestones that are told as minutes, in the order of care."""
    return tuple(name for name in milestones() if name not in _names("left_out"))


def told_facts() -> tuple[str, ...]:
    """The facts that are told."""
    return _names("facts")


def for_research(records: Iterable[CaseRecord], key: bytes, zone: tzinfo = NATIONAL_ZONE) -> Research:
    """Return records without what could lead back to somebody.

    Parameters
    ----------
    key : bytes
        Of this export, at least 16: the same key gives the same codes, so that exports can be joined by whoever has
        it. Thrown away, no code leads back.
    zone : tzinfo
        Whose calendar the year is of.

    Raises
    ------
    ValueError
        The key is too short.
    """
    if len(key) < LEAST_KEY_BYTES:
        raise ValueError(f"expected a key of at least {LEAST_KEY_BYTES} bytes, got {len(key)}")
    rows = sorted((_row(record, key, zone) for record in records), key=lambda row: row.case_code)
    kept, coarser, left_out = _coarsened(rows)
    return Research(
        rows=tuple(kept),
        made_coarser=coarser,
        left_out=left_out,
        least_in_a_cell=_number("least_in_a_cell"),
    )


def coded(key: bytes, kind: str, name: str) -> str:
    """The code of a case or a site under the key of an export."""
    return hmac.new(key, f"{kind}:{name}".encode(), hashlib.sha256).hexdigest()[:_CODE_LETTERS]


def age_band(years: float | None, width: int) -> str | None:
    """An age as a band such as "60-64"; all over the oldest are one."""
    if years is None:
        return None
    oldest = _number("oldest_years")
    if years >= oldest + 1:
        return f"{oldest + 1}+"
    low = int(years // width) * width
    return f"{low}-{min(low + width - 1, oldest)}"


# ---------------------------------------------------------------- one row


def _row(record: CaseRecord, key: bytes, zone: tzinfo) -> ResearchRow:
    zero = next((name for name in _names("zero") if _is_instant(record, name)), None)
    start = None if zero is None else record.times[zero].at
    known = [name for name in timed() if start is not None and _is_instant(record, name)]
    outcome, first = record.times.get("OUTCOME"), record.ecgs[0] if record.ecgs else None
    ways = ways_of(record)
    facts = {name: record.facts[name] for name in told_facts() if name in record.facts}
    return ResearchRow(
        case_code=coded(key, "case", record.case_id),
        site_code=coded(key, "site", record.site),
        year=record.began_at.astimezone(zone).year,
        age_band=age_band(record.age_years, _number("band_years")),
        sex=record.sex,
        arrival_mode=record.arrival_mode,
        diagnosis=record.diagnosis,
        outcome=None if outcome is None else outcome.code,
        reperfusion=None if ways is None else "+".join(sorted(ways)),
        zero=zero,
        minutes={name: _minutes(start, record.times[name].at) for name in known if start is not None},
        uncertainty_min={
            name: round(width / 60, 2)
            for name in known
            if (width := record.times[name].uncertainty_s) is not None
        },
        told_as_day=tuple(n for n in timed() if n in record.times and record.times[n].told is not None),
        corrected=tuple(n for n in timed() if n in record.times and record.times[n].corrected),
        facts=facts,
        reasons=record.reasons,
        ecgs=len(record.ecgs),
        rejected_ecgs=sum(ecg.acceptable is False for ecg in record.ecgs),
        first_tier=None if first is None else first.tier,
        first_rules=() if first is None else first.rules,
        alerts=len(record.alerts),
        cancelled_alerts=sum(alert.end == "cancelled" for alert in record.alerts),
    )


def _is_instant(record: CaseRecord, name: str) -> bool:
    return name in record.times and record.times[name].told is None


def _minutes(start: datetime, at: datetime) -> float:
    return round((at - start).total_seconds() / 60, 1)


# ---------------------------------------------------------------- so many of a kind, or it is not told


def _coarsened(rows: Sequence[ResearchRow]) -> tuple[list[ResearchRow], dict[str, int], int]:
    """Make columns of rare rows unknown, one after the other, until nobody stands alone."""
    kept, coarser = list(rows), dict.fromkeys(_names("given_up"), 0)
    for column in _names("given_up"):
        for place in _rare(kept):
            changed = _given_up(kept[place], column)
            if changed != kept[place]:
                coarser[column] += 1
                kept[place] = changed
    # A row that leaves may make another rare: until none does.
    while rare := set(_rare(kept)):
        kept = [row for place, row in enumerate(kept) if place not in rare]
    return kept, coarser, len(rows) - len(kept)


def _rare(rows: Sequence[ResearchRow]) -> list[int]:
    cells = [tuple(getattr(row, name) for name in _QUASI) for row in rows]
    counts, least = Counter(cells), _number("least_in_a_cell")
    return [place for place, cell in enumerate(cells) if counts[cell] < least]


def _given_up(row: ResearchRow, column: str) -> ResearchRow:
    change: dict[str, Any] = {column: None}
    if column == "age_wide":
        years = None if row.age_band is None else float(row.age_band.partition("-")[0].rstrip("+"))
        change = {"age_band": age_band(years, _number("wide_band_years"))}
    return msgspec.structs.replace(row, **change)
