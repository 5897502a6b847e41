"""Control charts as the page draws them: those that signal first, then the network's and the readers'."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from greenchannel.alerts.quality.chart_sets import charts_of, false_alarms_expected
from greenchannel.alerts.quality.chart_values import Chart as Counted
from greenchannel.alerts.quality.chart_values import Point
from greenchannel.alerts.quality.chart_values import Signal as Found
from greenchannel.alerts.quality.charts import least_months
from greenchannel.alerts.quality.national_form import by_pci
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.quality_json import Chart, ChartPoint, Charts, Frame, Said, Signal
from greenchannel.viewer.quality_scope import Scope, month_begin, months_before, said
from greenchannel.viewer.words import SHOWN_ZONE

NETWORK: Final = Said(id="network", zh="全网络", en="the network")
MOST_CASES_NAMED: Final = 20
MOST_POINTS: Final = 400  # about what a page can tell apart


def charts_json(scope: Scope, frame: Frame, names: Directory) -> Charts:
    """The charts of a view: all before its first month is the baseline, its months are watched. Where too little lies
    before it, the watch begins as soon as there is a baseline.

    The network's intervals are those of infarctions that were opened by a wire; clinics and readers are charted in what
    they do every day.
    """
    first = watched_from(scope)
    watch_from = month_begin(first)
    end = month_begin(months_before(scope.view.to_month, -1))
    records = [one for one in scope.others if one.began_at < end]
    made = [
        *charts_of(by_pci(records), watch_from=watch_from, scopes=("network",)).charts,
        *charts_of(records, watch_from=watch_from, scopes=("clinic", "reader")).charts,
    ]
    watched = [one for one in made if one.state == "watched" and one.points]
    loud = [one for one in watched if one.signals]
    quiet = [one for one in watched if not one.signals and one.scope != "clinic"]
    points = sum(len(one.points) for one in watched)
    loud.sort(key=lambda one: max(signal.found_at for signal in one.signals), reverse=True)
    return Charts(
        frame=frame,
        charts=tuple(_chart(one, names) for one in (*loud, *quiet)),
        watch_month=first,
        watched=len(watched),
        points=points,
        vain=false_alarms_expected(watched, watch_from=watch_from),
    )


def watched_from(scope: Scope) -> str:
    """The first month that is watched: the first of the view, or a later one that leaves months for a baseline."""
    view = scope.view
    known = [one for one in scope.months if one <= view.to_month]
    if not known:
        return view.from_month
    soonest = known[min(least_months(), 2 * len(known) // 3)]  # where fewer are known, two thirds of them
    return max(view.from_month, soonest)


def _chart(chart: Counted, names: Directory) -> Chart:
    where = _where(chart, names)
    sums = chart.kind != "xmr"
    centre = 0.0 if sums else chart.usual
    points = thinned(chart.points, _positions(chart, chart.points), centre)
    loud = _positions(chart, points)
    return Chart(
        id=chart.id.replace("/", "-"),
        zh=chart.zh,
        en=chart.en,
        kind="cusum" if sums else "xmr",
        unit=("sum" if chart.kind == "share" else "sd") if sums else "min",
        where=where,
        centre=centre,
        lower=(None if chart.kind == "share" or chart.limit is None else -chart.limit)
        if sums
        else chart.low_min,
        upper=chart.limit if sums else chart.high_min,
        usual=chart.usual,
        is_share=chart.kind == "share",
        baseline=chart.baseline,
        points=tuple(
            ChartPoint(at=_at(one.at, sums=sums), value=_height(one), signal=n in loud, case_id=one.case_id)
            for n, one in enumerate(points)
        ),
        signals=tuple(_signal(one, chart, where) for one in reversed(chart.signals)),
    )


def _where(chart: Counted, names: Directory) -> Said:
    if chart.where is None:
        return NETWORK
    return said(names, "reader" if chart.scope == "reader" else "clinic", chart.where)


def _height(point: Point) -> float:
    """Of a CUSUM the larger of its two sums, slower upwards and faster downwards; else the value."""
    if point.up is None or point.down is None:
        return point.value
    return point.up if point.up >= point.down else -point.down


def thinned(points: Sequence[Point], loud: frozenset[int], centre: float | None) -> list[Point]:
    """At most `MOST_POINTS` or a few more of a long chart, from its first to its last.

    Of neighbours the one stays that lies farthest from the middle, and every point at which a signal was found: a page
    that says that something changed shows the change, however long ago it was.
    """
    each = -(-len(points) // MOST_POINTS)
    middle = 0.0 if centre is None else centre
    kept = set(loud)
    for start in range(0, len(points), each or 1):
        near = range(start, min(start + each, len(points)))
        kept.add(max(near, key=lambda n: abs(_height(points[n]) - middle)))
    return [points[n] for n in sorted(kept)]


def _positions(chart: Counted, points: Sequence[Point]) -> frozenset[int]:
    """The points at which a signal was found: the last one not after it."""
    found = set()
    for signal in chart.signals:
        before = [n for n, one in enumerate(points) if one.at <= signal.found_at]
        if before:
            found.add(before[-1])
    return frozenset(found)


def _signal(signal: Found, chart: Counted, where: Said) -> Signal:
    name = chart.where or ""
    return Signal(
        rule=signal.rule,
        at=_at(signal.found_at, sums=True),
        zh=signal.zh.replace(name, where.zh) if name else signal.zh,
        en=signal.en.replace(name, where.en) if name else signal.en,
        case_ids=signal.case_ids[:MOST_CASES_NAMED],
    )


def _at(at: datetime, *, sums: bool) -> str:
    return f"{at.astimezone(SHOWN_ZONE):{'%Y-%m-%d' if sums else '%Y-%m'}}"
