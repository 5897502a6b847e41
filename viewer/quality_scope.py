"""Which cases a quality page is about: a period, a group, on or off hours; and what groups are called."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from greenchannel.alerts.facts import fact_codes
from greenchannel.alerts.quality.hours import came_off_hours
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.clock import rfc3339
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.quality_json import Counted, Frame, Said, View
from greenchannel.viewer.words import SHOWN_ZONE, Word

UNKNOWN: Final = "unknown"
_UNKNOWN_WORDS: Final = Word("未知", "unknown")
DEFAULT_MONTHS: Final = 12
_MONTH: Final = re.compile(r"(19|20)\d{2}-(0[1-9]|1[0-2])")
HOURS: Final = ("all", "on", "off")
_HOURS_OF: Final = {True: "off", False: "on", None: None}
_HOURS_WORDS: Final = {
    "on": Word("工作时间", "on hours"),
    "off": Word("非工作时间与节假日", "off hours and holidays"),
}
_MODES: Final = {
    1: Word("呼叫120或其他出车", "ambulance called"),
    2: Word("转院（含基层医疗机构）", "transfer"),
    3: Word("自行来院", "walked in"),
    4: Word("院内发病", "onset in hospital"),
}


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The view as the address has it; empty: nothing was said."""

    standard: str = ""
    from_month: str = ""
    to_month: str = ""
    by: str = ""
    group: str = ""
    hours: str = ""


class Grouping(NamedTuple):
    """One way to divide cases."""

    zh: str
    en: str
    key: Callable[[CaseRecord], str | None]


def month_of(record: CaseRecord) -> str:
    """The month in which a case began, on the network's wall clock: "2026-05"."""
    return f"{record.began_at.astimezone(SHOWN_ZONE):%Y-%m}"


def _part_of_year(record: CaseRecord, months: int, letter: str) -> str:
    year, month = month_of(record).split("-")
    return f"{year}-{letter}{(int(month) - 1) // months + 1}"


GROUPINGS: Final[dict[str, Grouping]] = {
    "clinic": Grouping("机构", "clinic", lambda one: one.site),
    "town": Grouping("乡镇", "township", lambda one: one.town),
    "referring": Grouping("转出医院", "referring hospital", lambda one: one.referring),
    "ambulance": Grouping("出车单位", "ambulance unit", lambda one: one.ambulance),
    "mode": Grouping(
        "来院方式", "arrival mode", lambda one: None if one.arrival_mode is None else str(one.arrival_mode)
    ),
    "doctor": Grouping("决策医生", "deciding doctor", lambda one: one.doctor),
    "reader": Grouping("阅图医生", "reader", lambda one: one.reader),
    "hours": Grouping("时段", "on and off hours", lambda one: _HOURS_OF[came_off_hours(one)]),
    "month": Grouping("月", "month", month_of),
    "quarter": Grouping("季度", "quarter", lambda one: _part_of_year(one, 3, "Q")),
    "half": Grouping("半年", "half-year", lambda one: _part_of_year(one, 6, "H")),
    "year": Grouping("年", "year", lambda one: month_of(one)[:4]),
}
DEFAULT_BY: Final = "clinic"


def group_of(record: CaseRecord, by: str) -> str:
    """The group of a case; `UNKNOWN` where nobody has said."""
    return GROUPINGS[by].key(record) or UNKNOWN


def group_words(names: Directory, by: str, group: str) -> Word:
    """What a group is called."""
    if group == UNKNOWN:
        return _UNKNOWN_WORDS
    match by:
        case "clinic" | "referring":
            site = names.site(group)
            return Word(site["name_zh"], site["name_en"])
        case "doctor" | "reader":
            name = names.person(group)["name"] or group
            return Word(name, name)
        case "mode":
            return _MODES[int(group)]
        case "hours":
            return _HOURS_WORDS[group]
        case "ambulance":
            code = fact_codes("AMBULANCE_UNIT").get(group)
            return Word(group, group) if code is None else Word(code.zh, code.en)
    return Word(group, group)


def said(names: Directory, by: str, group: str) -> Said:
    """A group with its words."""
    words = group_words(names, by, group)
    return Said(id=group, zh=words.zh, en=words.en)


# ---------------------------------------------------------------- months


def is_month(text: str) -> bool:
    """Whether it is a month as "2026-05"."""
    return _MONTH.fullmatch(text) is not None


def months_before(month: str, count: int) -> str:
    """So many months earlier; later where `count` is negative."""
    whole = int(month[:4]) * 12 + int(month[5:]) - 1 - count
    return f"{whole // 12:04d}-{whole % 12 + 1:02d}"


def month_begin(month: str) -> datetime:
    """The first instant of a month on the network's wall clock."""
    return datetime(int(month[:4]), int(month[5:]), 1, tzinfo=SHOWN_ZONE)


def between(records: Sequence[CaseRecord], first: str, last: str) -> tuple[CaseRecord, ...]:
    """The cases that began in these months, both included."""
    start, end = month_begin(first), month_begin(months_before(last, -1))
    return tuple(one for one in records if start <= one.began_at < end)


def span_of(first: str, last: str) -> tuple[str, str] | None:
    """An earlier period to compare with; None where none is named. Raises `Problem` 422."""
    if not first and not last:
        return None
    for name, text in (("against_from", first), ("against_to", last)):
        if not is_month(text):
            raise _wrong(name, "a month such as 2026-05", text)
    if first > last:
        raise _wrong("against_from", f"a month not after {last}", first)
    return first, last


# ---------------------------------------------------------------- the view


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """A view and its cases."""

    view: View
    records: tuple[CaseRecord, ...]  # of the view
    network: tuple[CaseRecord, ...]  # of the same months and hours, of all groups
    others: tuple[
        CaseRecord, ...
    ]  # of the same group and hours, of all months: what a period is compared with
    months: tuple[str, ...]
    groups: tuple[tuple[str, int], ...]  # of the period, with their numbers of cases


def view_of(asked: Asked, standards: Sequence[str], newest: str) -> View:
    """What was asked with what stands where nothing was said; raise `Problem` 422 where it cannot be.

    Parameters
    ----------
    standards
        The editions that there are; the first stands where none was asked for.
    newest
        The last month with a case.
    """
    _one_of("standard", asked.standard, standards)
    _one_of("by", asked.by, tuple(GROUPINGS))
    _one_of("hours", asked.hours, HOURS)
    for name, text in (("from", asked.from_month), ("to", asked.to_month)):
        if text and not is_month(text):
            raise _wrong(name, "a month such as 2026-05", text)
    last = asked.to_month or newest
    first = asked.from_month or months_before(last, DEFAULT_MONTHS - 1)
    if first > last:
        raise _wrong("from", f"a month not after {last}", first)
    return View(
        standard=asked.standard or standards[0],
        from_month=first,
        to_month=last,
        by=asked.by or DEFAULT_BY,
        group=asked.group,
        hours=asked.hours or "all",
    )


def scope_of(asked: Asked, records: Sequence[CaseRecord], standards: Sequence[str], now: datetime) -> Scope:
    """The cases of a view, out of all that the caller may see."""
    months = tuple(sorted({month_of(one) for one in records}))
    view = view_of(asked, standards, months[-1] if months else f"{now.astimezone(SHOWN_ZONE):%Y-%m}")
    period = between(records, view.from_month, view.to_month)
    groups = Counter(group_of(one, view.by) for one in period)
    others = tuple(one for one in records if _is_in(one, view))
    everywhere = msgspec.structs.replace(view, group="")
    return Scope(
        view=view,
        records=between(others, view.from_month, view.to_month),
        network=tuple(one for one in period if _is_in(one, everywhere)),
        others=others,
        months=months,
        groups=tuple(groups.most_common()),
    )


def _is_in(record: CaseRecord, view: View) -> bool:
    if view.group and group_of(record, view.by) != view.group:
        return False
    return view.hours == "all" or came_off_hours(record) is (view.hours == "off")


def frame_of(scope: Scope, standards: Sequence[Said], names: Directory, now: datetime) -> Frame:
    """What every page has around it."""
    by = scope.view.by
    groups = [(said(names, by, group), n) for group, n in scope.groups]
    return Frame(
        view=scope.view,
        standards=tuple(standards),
        groupings=tuple(Said(id=name, zh=one.zh, en=one.en) for name, one in GROUPINGS.items()),
        groups=tuple(Counted(id=one.id, zh=one.zh, en=one.en, n=n) for one, n in groups),
        months=scope.months,
        cases=len(scope.records),
        at=rfc3339(now),
    )


def _one_of(name: str, text: str, known: Sequence[str]) -> None:
    if text and text not in known:
        raise _wrong(name, f"one of {', '.join(known)}", text)


def _wrong(name: str, expected: str, got: str) -> Problem:
    return Problem(
        422,
        f"{name} is not what it can be",
        code="invalid",
        zh=f"参数 {name} 不正确",
        expected=expected,
        got=got[:100],
    )
