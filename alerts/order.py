"""Whether the times of a case can be true: the partial order of its milestones, by arrival mode."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from functools import cache
from itertools import pairwise
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from greenchannel.alerts.facts import fact_codes
from greenchannel.alerts.facts import facts as fact_table
from greenchannel.alerts.milestones import MilestoneValue, milestones
from greenchannel.alerts.tables import read_table

NATIONAL_ZONE = ZoneInfo("Asia/Shanghai")  # one zone for the whole country


class OrderRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``order.toml``; the fields are explained there."""

    chain: tuple[str, ...]
    level: Literal["error", "warning"] = "error"
    modes: tuple[int, ...] | None = None
    way: Literal["upload", "stream"] | None = None
    slack_min: float = 0.0
    equal: bool = False
    fact: str | None = None
    code: str | None = None
    never_between: bool = False

    def holds(self, arrival_mode: int | None, way: str, facts: Mapping[str, str]) -> bool:
        """Does this rule hold for a case of this arrival mode, kind of ECG and facts?"""
        if self.way not in (None, way) or (self.modes is not None and arrival_mode not in self.modes):
            return False
        return self.fact is None or facts.get(self.fact) == self.code


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Two times of a case that cannot both be true, or rarely are."""

    level: str  # "error" or "warning"
    before: str  # the milestone that should come first
    after: str
    zh: str
    en: str


@cache
def rules() -> tuple[OrderRule, ...]:
    """All rules of the partial order."""
    return read_table("order", "rule", OrderRule)


def check_order(
    values: Mapping[str, MilestoneValue],
    arrival_mode: int | None,
    way: str = "upload",
    zone: tzinfo = NATIONAL_ZONE,
    facts: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Problem, ...]:
    """Return what contradicts the order of care.

    Parameters
    ----------
    values : Mapping[str, MilestoneValue]
        The valid value of each known milestone; a milestone without one is left out.
    arrival_mode : int or None
        National code 1-4. With None only the rules of all modes hold.
    way : str
        "upload", or "stream" where any ECG of the case came live: a stream rings before its last byte.
    zone : tzinfo
        The zone in which the texts name times.
    facts : Mapping[str, str]
        What stands of each known fact of the case, as its code.
    """
    problems: dict[tuple[str, str], Problem] = {}
    for rule in rules():
        if not rule.holds(arrival_mode, way, facts):
            continue
        known = [values[name] for name in rule.chain if name in values]
        if rule.never_between:
            if len(known) == len(rule.chain) and (problem := _between(rule, known, zone)) is not None:
                problems.setdefault((problem.before, problem.after), problem)
            continue
        for before, after in pairwise(known):
            if (problem := _compare(rule, before, after, zone)) is not None:
                problems.setdefault((problem.before, problem.after), problem)
    return tuple(problems.values())


def _minute(instant: datetime) -> datetime:
    return instant.replace(second=0, microsecond=0)


def _earliest(value: MilestoneValue) -> datetime:
    """A time as it stands; of one that was told as a part of a day, the beginning of that part."""
    return value.time.at - _half(value)


def _latest(value: MilestoneValue) -> datetime:
    return value.time.at + _half(value)


def _half(value: MilestoneValue) -> timedelta:
    return timedelta(seconds=value.time.uncertainty_s or 0.0) if value.time.told is not None else timedelta()


def _compare(rule: OrderRule, before: MilestoneValue, after: MilestoneValue, zone: tzinfo) -> Problem | None:
    first, second = _minute(_earliest(before)), _minute(_latest(after))
    if first == second or (first < second and not rule.equal):
        return None
    late_min = abs((first - second).total_seconds()) / 60
    level = "warning" if late_min <= rule.slack_min else rule.level
    names = milestones()
    a, b = names[before.milestone], names[after.milestone]
    a_said, b_said = _said(before, zone), _said(after, zone)
    if rule.equal:
        zh = f"“{a.zh}”（{a_said[0]}）与“{b.zh}”（{b_said[0]}）应为同一时间"
        en = f"{a.en} ({a_said[1]}) and {b.en} ({b_said[1]}) should be one time"
    else:
        zh = f"“{a.zh}”（{a_said[0]}）晚于“{b.zh}”（{b_said[0]}）"
        en = f"{a.en} ({a_said[1]}) is later than {b.en} ({b_said[1]})"
    return Problem(level=level, before=a.id, after=b.id, zh=zh, en=en)


def _between(rule: OrderRule, known: Sequence[MilestoneValue], zone: tzinfo) -> Problem | None:
    first, middle, last = known
    if not _minute(_earliest(first)) <= _minute(middle.time.at) <= _minute(_latest(last)):
        return None
    assert rule.fact is not None and rule.code is not None
    names, spec = milestones(), fact_table()[rule.fact]
    code = fact_codes(rule.fact)[rule.code]
    (a_zh, a_en), (b_zh, b_en), (c_zh, c_en) = (
        (f"“{names[one.milestone].zh}”（{zh}）", f"{names[one.milestone].en} ({en})")
        for one, (zh, en) in ((one, _said(one, zone)) for one in (first, middle, last))
    )
    return Problem(
        level=rule.level,
        before=middle.milestone,
        after=last.milestone,
        zh=f"“{spec.zh}”为“{code.zh}”，但{b_zh}在{a_zh}与{c_zh}之间",
        en=f"{spec.en} is said to be {code.en}, but {b_en} lies between {a_en} and {c_en}",
    )


def _said(value: MilestoneValue, zone: tzinfo) -> tuple[str, str]:
    """A time with its source, its clock and the clock's offset, in Chinese and English."""
    time = value.time
    at = f"{time.at.astimezone(zone):%H:%M:%S}" if time.told is None else time.told
    if time.offset_s is None:
        zh, en = "偏差未知", "offset unknown"
    else:
        zh, en = f"偏差{time.offset_s:+.0f}秒", f"offset {time.offset_s:+.0f} s"
    return (
        f"{at}，来源{value.source}，时钟{time.clock}，{zh}",
        f"{at}, source {value.source}, clock {time.clock}, {en}",
    )
