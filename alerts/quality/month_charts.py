"""XmR charts: the median of each month against the natural limits of the months before."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

import msgspec
import numpy as np

from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality import charts
from greenchannel.alerts.quality.chart_values import (
    NETWORK,
    Chart,
    Measure,
    Observation,
    Point,
    Signal,
    worded,
)
from greenchannel.alerts.quality.tables import read_value


def month_chart(
    measure: Measure, seen: Sequence[Observation], watch_from: datetime, zone: tzinfo = NATIONAL_ZONE
) -> Chart:
    """Return the chart of the network's monthly medians, baseline months among its points.

    A month with too few known cases has no point. The month in which the watch begins is watched.
    """
    zh, en = measure.names()
    months = _months(seen, zone)
    first = _first_of(watch_from, zone)
    before = [values for month, values in months if month < first]
    chart = Chart(
        id=f"{NETWORK}/{measure.id}/months",
        kind="xmr",
        scope=NETWORK,
        where=None,
        measure=measure.id,
        zh=zh,
        en=en,
        state="too_few",
        baseline=len(before),
        usual=None,
        limit=None,
        points=tuple(
            Point(at=month, case_id=None, value=_median(own), cases=len(own)) for month, own in months
        ),
    )
    if len(before) < charts.least_months():
        return chart
    limits = charts.natural_limits([_median(own) for own in before], charts.xmr_rule())
    watched = [(month, own) for month, own in months if month >= first]
    alarms = charts.xmr([_median(own) for _, own in watched], limits, charts.xmr_rule())
    return msgspec.structs.replace(
        chart,
        state="watched",
        usual=limits.mean,
        low_min=max(limits.low, 0.0),
        high_min=limits.high,
        signals=tuple(_signal(chart, alarm, watched, limits, zone) for alarm in alarms),
    )


def _months(seen: Sequence[Observation], zone: tzinfo) -> list[tuple[datetime, list[Observation]]]:
    found: dict[datetime, list[Observation]] = {}
    for one in seen:
        found.setdefault(_first_of(one.at, zone), []).append(one)
    least = read_value(charts.TABLE, "least_month", int)
    return [(month, found[month]) for month in sorted(found) if len(found[month]) >= least]


def _first_of(at: datetime, zone: tzinfo) -> datetime:
    return at.astimezone(zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _median(own: Sequence[Observation]) -> float:
    return float(np.median([one.value for one in own]))


def _signal(
    chart: Chart,
    alarm: charts.Alarm,
    watched: Sequence[tuple[datetime, list[Observation]]],
    limits: charts.Limits,
    zone: tzinfo,
) -> Signal:
    months = watched[alarm.since : alarm.found + 1]
    own = [one for _, values in months for one in values]
    now = _median(own) if alarm.rule == "run" else _median(months[-1][1])
    since = months[0][0]
    counted = len(months) if alarm.rule == "run" else len(own)
    zh, en = worded(chart, alarm.rule, since.astimezone(zone).strftime("%Y-%m"), counted, limits.mean, now)
    return Signal(
        rule=alarm.rule,
        direction="slower" if alarm.side == "up" else "faster",
        since=since,
        found_at=own[-1].at,
        usual=limits.mean,
        now=now,
        cases=len(own),
        case_ids=tuple(one.case_id for one in own),
        zh=zh,
        en=en,
    )
