"""The charts that are shown together: the network's intervals, and each clinic and reader in what is frequent there.

Everything before the watch begins is the baseline; from then on each case is charted as it comes. A case is compared
with what is usual for cases like it (arrival mode, distance, hours), so that a change in who comes is no signal.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from functools import cache

import msgspec

from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality import charts
from greenchannel.alerts.quality.case_charts import case_chart
from greenchannel.alerts.quality.chart_values import (
    NETWORK,
    Chart,
    Observation,
    Signal,
    Where,
    measures,
    observations,
)
from greenchannel.alerts.quality.month_charts import month_chart
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.tables import read_table


class ChartSet(msgspec.Struct, frozen=True, kw_only=True):
    """All charts that are shown together, and all their signals, newest first."""

    watch_from: datetime
    charts: tuple[Chart, ...]
    signals: tuple[tuple[str, Signal], ...]  # with the chart's id


class Quiet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``[[quiet]]``: how many points a chart of this kind sees in control for one alarm in vain."""

    kind: str
    scope: str
    points: float


@cache
def _quiet() -> dict[tuple[str, str], float]:
    return {(row.kind, row.scope): row.points for row in read_table(charts.TABLE, "quiet", Quiet)}


def false_alarms_expected(shown: Iterable[Chart], *, watch_from: datetime) -> float:
    """How many signals these charts together would give by chance alone, over what they have watched.

    The points of a month chart that lie in its baseline are not watched.
    """
    return sum(
        sum(point.at >= watch_from for point in chart.points) / _quiet()[chart.kind, chart.scope]
        for chart in shown
        if chart.state == "watched"
    )


def charts_of(
    records: Sequence[CaseRecord],
    *,
    watch_from: datetime,
    scopes: Iterable[str] = ("network", "clinic", "reader"),
    zone: tzinfo = NATIONAL_ZONE,
) -> ChartSet:
    """Return the charts of these records, with everything before `watch_from` as the baseline.

    Parameters
    ----------
    records
        All chest-pain cases that are asked about: the network's intervals are charted over those with a known time
        at both ends, so a caller passes STEMI cases for STEMI intervals.
    """
    wanted = frozenset(scopes)
    made: list[Chart] = []
    shown = [row for row in measures() if wanted & {*row.scopes}]
    found = observations(records, shown)
    for measure in shown:
        seen = found[measure.id]
        for scope in (one for one in measure.scopes if one in wanted):
            groups = _grouped(seen, scope)
            everybody = [one for _, one in seen if one.at < watch_from]
            for where, own in sorted(groups.items(), key=lambda item: item[0] or ""):
                made.append(case_chart(measure, scope, where, own, watch_from, zone, everybody))
            if scope == NETWORK:
                made.append(month_chart(measure, [one for _, one in seen], watch_from, zone))
    signals = [(chart.id, signal) for chart in made for signal in chart.signals]
    signals.sort(key=lambda one: (one[1].found_at, one[0]), reverse=True)
    return ChartSet(watch_from=watch_from, charts=tuple(made), signals=tuple(signals))


def _grouped(seen: Sequence[tuple[Where, Observation]], scope: str) -> dict[str | None, list[Observation]]:
    groups: dict[str | None, list[Observation]] = {}
    for where, one in seen:
        key = None if scope == NETWORK else where[scope]
        if scope == NETWORK or key is not None:
            groups.setdefault(key, []).append(one)
    return groups
