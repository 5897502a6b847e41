"""Where the time goes, where it is lost and why that changed: the cores of `alerts/quality` as the page reads them."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from greenchannel.alerts.quality.bottlenecks import Bottleneck, bottlenecks
from greenchannel.alerts.quality.national_form import by_pci
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.slow_groups import GroupExcess, slow_groups
from greenchannel.alerts.quality.waterfall import Against, Row, best_months, compare, waterfall
from greenchannel.alerts.quality.why_slower import Part as Why
from greenchannel.alerts.quality.why_slower import compare_periods
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.quality_json import Change, Counted, Frame, Part, Said, Segment, Waterfall
from greenchannel.viewer.quality_scope import Scope, between, said

MOST_CASES_NAMED: Final = 20
_EXPLAINED: Final = 3  # of the segments that lose most are looked into
_EXPLAINED_BY: Final = ("site", "hours", "mode")
_MOST_GROUPS: Final = 3
_BY: Final = {"site": "clinic"}  # what a grouping of the cores is called on the pages
_GROUP: Final = {"on_hours": "on", "off_hours": "off"}


def delays_of(
    scope: Scope, frame: Frame, names: Directory, *, mode: int | None, against: tuple[str, str] | None
) -> Waterfall:
    """The way of one arrival mode against the best three months, and the ranking of what all modes lose.

    Parameters
    ----------
    mode
        None: the one with most cases.
    against
        First and last month of an earlier period, whose median is compared.
    """
    now, history = by_pci(scope.records), by_pci(scope.others)
    modes = Counter(one.arrival_mode for one in now if one.arrival_mode is not None)
    shown = mode or (modes.most_common(1)[0][0] if modes else 2)
    told = waterfall(now, mode=shown)
    best = best_months(history)
    ranked = None if best is None else bottlenecks(now, best[2])
    there: dict[str, Against] = {}
    if best is not None:
        alike = [one for one in best[2] if one.arrival_mode == shown]
        own = [one for one in now if one.arrival_mode == shown]
        there = {one.segment: one for one in compare(own, alike, against="best_months").rows}
    order = sorted(
        (one for one in (() if ranked is None else ranked.rows) if one.rank is not None),
        key=lambda one: one.rank or 0,
    )
    explained = {
        one.segment: _explained(one, now, () if best is None else best[2], names)
        for one in order[:_EXPLAINED]
    }
    segments = {row.segment: _segment(row, there.get(row.segment)) for row in told.rows if _shown(row)}
    return Waterfall(
        frame=frame,
        n=told.total.cases,
        mode=shown,
        modes=tuple(_counted(names, str(one), n) for one, n in sorted(modes.items())),
        whole_min=told.total.median_min,
        best="" if best is None else f"{best[0]}–{best[1]}",
        best_n=0 if best is None else len(best[2]),
        segments=tuple(segments.values()),
        ranking=tuple(_ranked(one, explained.get(one.segment, ())) for one in order),
        chance=None if ranked is None else ranked.probability_none,
        change=None if against is None else _change(scope, against),
    )


def _counted(names: Directory, mode: str, n: int) -> Counted:
    words = said(names, "mode", mode)
    return Counted(id=mode, zh=words.zh, en=words.en, n=n)


def _shown(row: Row) -> bool:
    """The whole way is no segment of itself."""
    return row.segment != "fmc_to_wire"


def _segment(row: Row, there: Against | None) -> Segment:
    return Segment(
        id=row.segment,
        zh=row.zh,
        en=row.en,
        n=row.spread.cases,
        missing=row.spread.missing,
        median_min=row.spread.median_min,
        low_min=row.spread.low_min,
        high_min=row.spread.high_min,
        share=row.share,
        best_min=None if there is None else there.there.median_min,
        excess_min=None if there is None else there.difference_min,
        excess_low_min=None if there is None else there.low_min,
        excess_high_min=None if there is None else there.high_min,
        first_probability=None,
        case_ids=row.longest[:MOST_CASES_NAMED],
        on_the_way=row.kind == "track",
    )


def _ranked(lost: Bottleneck, explained: tuple[Said, ...]) -> Segment:
    return Segment(
        id=lost.segment,
        zh=lost.zh,
        en=lost.en,
        n=lost.cases,
        missing=lost.missing,
        median_min=lost.median_min,
        low_min=None,
        high_min=None,
        share=None,
        best_min=lost.usual_min,
        excess_min=lost.excess_min,
        excess_low_min=lost.low_min,
        excess_high_min=lost.high_min,
        first_probability=lost.probability_first,
        slow_probability=lost.probability_slow,
        explained=explained,
        case_ids=lost.case_ids[:MOST_CASES_NAMED],
        on_the_way=lost.kind == "track",
    )


def _explained(
    lost: Bottleneck, now: Sequence[CaseRecord], before: Sequence[CaseRecord], names: Directory
) -> tuple[Said, ...]:
    """The groups that are surely slower than the others."""
    groups = slow_groups(lost.segment, now, before, by=_EXPLAINED_BY)
    slow = [one for one in groups if one.low_min is not None and one.low_min > 0]
    return tuple(_group_words(one, names) for one in slow[:_MOST_GROUPS])


def _group_words(group: GroupExcess, names: Directory) -> Said:
    words = said(names, _BY.get(group.by, group.by), _GROUP.get(group.group, group.group))
    extra = f" (+{group.excess_min:.0f}, n={group.cases})"
    return Said(id=words.id, zh=words.zh + extra, en=words.en + extra)


def _change(scope: Scope, against: tuple[str, str]) -> Change:
    before = by_pci(between(scope.others, *against))
    found = compare_periods(before, by_pci(scope.records))
    return Change(
        from_month=against[0],
        to_month=against[1],
        n_before=found.cases_before,
        n_now=found.cases_now,
        before_min=found.median_before_min,
        now_min=found.median_now_min,
        change_min=found.change_min,
        low_min=found.low_min,
        high_min=found.high_min,
        rest_min=found.rest_min,
        parts=tuple(_part(one) for one in (*found.parts, *found.beside)),
    )


def _part(part: Why) -> Part:
    return Part(
        id=part.name,
        zh=part.zh,
        en=part.en,
        kind=part.kind,
        change_min=part.change_min,
        low_min=part.low_min,
        high_min=part.high_min,
        n_before=part.cases_before,
        n_now=part.cases_now,
    )
