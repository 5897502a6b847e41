"""CUSUM charts case by case: log-minutes above what is usual for such cases, or a share of yes and no."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import NamedTuple

import msgspec
import numpy as np

from greenchannel.alerts.quality import charts
from greenchannel.alerts.quality.chart_values import (
    REJECTED,
    Chart,
    Measure,
    Observation,
    Point,
    Signal,
    worded,
)
from greenchannel.alerts.quality.tables import read_value


def case_chart(
    measure: Measure,
    scope: str,
    where: str | None,
    own: Sequence[Observation],
    watch_from: datetime,
    zone: tzinfo,
    everybody: Sequence[Observation] = (),
) -> Chart:
    """Return the CUSUM of one measure in one place; `everybody` is the network's baseline, for shares."""
    zh, en = measure.names()
    share = measure.id == REJECTED
    before = [one for one in own if one.at < watch_from][-read_value(charts.TABLE, "most_baseline", int) :]
    chart = Chart(
        id="/".join(part for part in (scope, where, measure.id) if part is not None),
        kind="share" if share else "cusum",
        scope=scope,
        where=where,
        measure=measure.id,
        zh=zh,
        en=en,
        state="too_few",
        baseline=len(before),
        usual=None,
        limit=charts.share_rule().limit if share else charts.cusum_rule(scope).limit_sd,
    )
    least = charts.share_rule().least_baseline if share else charts.cusum_rule(scope).least_baseline
    if len(before) < least:
        return chart
    watched = [one for one in own if one.at >= watch_from]
    if share:
        usual = usual_share(before, everybody)
        path = charts.share_cusum([one.value > 0 for one in watched], usual, charts.share_rule())
        over = [0.0] * len(watched)
    else:
        scale = Scale.of(before)
        usual = charts.of_log(scale.centre)
        over = [scale.over(one) for one in watched]
        steps = [charts.standardised(value, 0.0, scale.sd) for value in over]
        path = charts.cusum(steps, charts.cusum_rule(scope))
    return msgspec.structs.replace(
        chart,
        state="watched",
        usual=usual,
        points=tuple(
            Point(at=one.at, case_id=one.case_id, value=one.value, up=up, down=down)
            for one, up, down in zip(watched, path.up, path.down, strict=True)
        ),
        signals=tuple(_signal(chart, alarm, watched, over, usual, zone) for alarm in path.alarms),
    )


class Scale(NamedTuple):
    """What is usual in a baseline, on log-minutes: by kind of case, with the spread of what is left."""

    levels: Mapping[tuple[object, ...], float]
    centre: float
    shift: float  # mean of what is left in the baseline: levels are drawn together, means are not
    sd: float

    @classmethod
    def of(cls, before: Sequence[Observation]) -> "Scale":
        """Levels are means, drawn towards the wider kind where there are few cases."""
        weight = read_value(charts.TABLE, "stratum_weight", float)
        logs = [charts.log_minutes(one.value) for one in before]
        levels: dict[tuple[object, ...], float] = {(): sum(logs) / len(logs)}
        for depth in range(1, max(len(one.stratum) for one in before) + 1):
            groups: dict[tuple[object, ...], list[float]] = {}
            for one, value in zip(before, logs, strict=True):
                groups.setdefault(one.stratum[:depth], []).append(value)
            for key, values in groups.items():
                above = levels[key[:-1]]
                levels[key] = (sum(values) + weight * above) / (len(values) + weight)
        left = np.array(
            [value - _level(one.stratum, levels) for one, value in zip(before, logs, strict=True)]
        )
        freedom = max(len(before) - len(levels) / 2.0, 1.0)  # a level of few cases costs part of a degree
        shift = float(left.mean())
        sd = max(float(np.sqrt(((left - shift) ** 2).sum() / freedom)), 1e-3)
        return cls(levels, levels[()], shift, sd)

    def over(self, one: Observation) -> float:
        """How far above its usual a value is, in log-minutes."""
        return charts.log_minutes(one.value) - _level(one.stratum, self.levels) - self.shift


def _level(stratum: tuple[object, ...], levels: Mapping[tuple[object, ...], float]) -> float:
    while stratum not in levels:
        stratum = stratum[:-1]
    return levels[stratum]


def usual_share(before: Sequence[Observation], everybody: Sequence[Observation]) -> float:
    """A place's share of yes, drawn towards that of everybody; never 0 or 1, which no chart could be drawn on."""
    weight = charts.share_rule().prior_events
    others = everybody or before
    network = (sum(one.value for one in others) + 0.5) / (len(others) + 1.0)
    return (sum(one.value for one in before) + weight * network) / (len(before) + weight)


def _signal(
    chart: Chart,
    alarm: charts.Alarm,
    watched: Sequence[Observation],
    over: Sequence[float],
    usual: float,
    zone: tzinfo,
) -> Signal:
    cases = watched[alarm.since : alarm.found + 1]
    if chart.kind == "share":
        direction, now = "more", sum(one.value for one in cases) / len(cases)
    else:
        direction = "slower" if alarm.side == "up" else "faster"
        change = sum(over[alarm.since : alarm.found + 1]) / len(cases)
        now = charts.of_log(charts.log_minutes(usual) + change)  # of cases like the baseline's
    since = cases[0].at
    zh, en = worded(chart, direction, since.astimezone(zone).date().isoformat(), len(cases), usual, now)
    return Signal(
        rule=alarm.rule,
        direction=direction,
        since=since,
        found_at=cases[-1].at,
        usual=usual,
        now=now,
        cases=len(cases),
        case_ids=tuple(one.case_id for one in cases),
        zh=zh,
        en=en,
    )
