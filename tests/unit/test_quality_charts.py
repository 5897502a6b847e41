"""Control charts: when they speak, what they say, and how seldom they are wrong."""

from datetime import datetime
from functools import cache

import numpy as np
import pytest

from greenchannel.alerts.quality import charts
from greenchannel.alerts.quality.case_charts import Scale, usual_share
from greenchannel.alerts.quality.chart_sets import ChartSet, charts_of, false_alarms_expected
from greenchannel.alerts.quality.chart_values import Chart, Observation, measures
from greenchannel.alerts.quality.segments import segments
from tests.quality_county import WATCH_FROM, Change, chest_pain
from tests.quality_months import FIRST_DAY, months

CUSUM = charts.CusumRule(reference_sd=0.5, limit_sd=4.0, least_baseline=10)
XMR = charts.XmrRule(limit_sd=3.0, run=5, range_constant=1.128)


def test_a_cusum_adds_what_exceeds_half_the_shift_and_names_where_it_began() -> None:
    """Nought, nought, then 2 SD: 1.5 each, beyond 4 with the third; it began with the first of them."""
    path = charts.cusum([0.0, 0.0, 2.0, 2.0, 2.0], CUSUM)

    assert path.up == (0.0, 0.0, 1.5, 3.0, 4.5)
    assert path.alarms == (charts.Alarm("up", 2, 4, "cusum"),)


def test_a_cusum_sees_both_directions_and_begins_anew() -> None:
    """After an alarm nothing of it is left."""
    path = charts.cusum([-3.0, -3.0, 0.0, 3.0, 3.0], CUSUM)

    assert [(one.side, one.found) for one in path.alarms] == [("down", 1), ("up", 4)]
    assert path.down[2] == 0.0


def test_one_wrong_time_is_no_signal() -> None:
    """A case of twelve hours counts as three and a half SD, below the limit of every scope."""
    step = charts.standardised(charts.log_minutes(720.0), charts.log_minutes(5.0), 0.6)

    assert step == charts.clip_sd()
    assert all(charts.cusum([step], charts.cusum_rule(scope)).alarms == () for scope in ("network", "clinic"))


def test_a_share_falls_with_each_no_and_rises_with_each_yes() -> None:
    """By the log likelihood ratio of odds 2.5 times as high."""
    yes, no = charts.share_steps(0.1, charts.share_rule())

    assert yes == pytest.approx(np.log((0.25 / 1.15) / 0.1))
    assert no == pytest.approx(np.log((1 - 0.25 / 1.15) / 0.9))
    assert charts.share_cusum([True] * 9, 0.1, charts.share_rule()).alarms[0].found == 7


def test_natural_limits_are_those_of_the_moving_range() -> None:
    """10, 12, 10, 12: ranges of 2, so SD 1.77 and three of them on each side of 11."""
    limits = charts.natural_limits([10, 12, 10, 12], XMR)

    assert limits.mean == 11.0
    assert limits.high == pytest.approx(11 + 3 * 2 / 1.128)


def test_an_xmr_tells_a_point_beyond_and_a_run_once() -> None:
    """The fifth month above the mean completes a run; the sixth adds nothing."""
    limits = charts.Limits(10.0, 4.0, 16.0, 2.0)

    assert charts.xmr([11, 11, 11, 11, 11, 11], limits, XMR) == (charts.Alarm("up", 0, 4, "run"),)
    assert charts.xmr([9, 17, 9], limits, XMR) == (charts.Alarm("up", 1, 1, "beyond"),)
    assert charts.xmr([11, 11, 10, 11, 11, 11], limits, XMR) == ()


def test_limits_of_one_value_are_refused() -> None:
    """There is no range of one."""
    with pytest.raises(ValueError, match="at least two values of a baseline, got 1"):
        charts.natural_limits([5.0], XMR)


def test_every_measure_has_a_name_and_every_scope_a_rule() -> None:
    """The table is whole."""
    for row in measures():
        assert all(row.names()), row.id
        assert row.segment is None or row.segment in segments()
        assert all(charts.cusum_rule(scope).limit_sd > 0 for scope in row.scopes)


def test_what_is_usual_differs_by_the_kind_of_case() -> None:
    """Who comes from far takes longer, and no chart says that the ambulances are slow."""
    before = [
        Observation(FIRST_DAY, f"c{n}", 20.0 if n % 2 else 60.0, (2, "near" if n % 2 else "far"))
        for n in range(200)
    ]
    scale = Scale.of(before)

    assert abs(scale.over(Observation(FIRST_DAY, "x", 60.0, (2, "far")))) < 0.05
    assert scale.over(Observation(FIRST_DAY, "x", 60.0, (2, "near"))) > 0.9


def test_a_clinic_without_a_reject_has_a_share_to_compare_with() -> None:
    """Drawn towards the network's; never nought, or the first reject would be infinitely unlikely."""
    none = [Observation(FIRST_DAY, "c", 0.0, ())] * 50
    network = [*none, *[Observation(FIRST_DAY, "c", 1.0, ())] * 10]

    assert 0.0 < usual_share(none, network) < 10 / 60


@cache
def county(what: str, clinic: int, factor: float) -> ChartSet:
    change = Change(what, clinic, factor) if what else None
    return charts_of(
        chest_pain(3, clinics=6, a_month=25.0, change=change),
        watch_from=WATCH_FROM,
        scopes=("clinic", "reader"),
    )


def chart(found: ChartSet, name: str) -> Chart:
    return next(one for one in found.charts if one.id == name)


@pytest.mark.parametrize(
    ("what", "factor", "measure", "direction"),
    [
        ("first_ecg", 2.0, "first_ecg", "slower"),
        ("first_ecg", 0.5, "first_ecg", "faster"),
        ("reading", 2.0, "reading_time", "slower"),
        ("rejected", 6.0, "rejected", "more"),
    ],
)
def test_a_change_in_one_clinic_is_found_there(
    what: str, factor: float, measure: str, direction: str
) -> None:
    """About the day of the change, with how much, and in words that name the clinic."""
    found = county(what, 2, factor)
    signal = chart(found, f"clinic/clinic-002/{measure}").signals[0]
    days = (signal.since - datetime.fromisoformat("2025-04-05T00:00:00+00:00")).days

    assert signal.direction == direction
    assert -45 < days < 30  # a few chance rejects before it may be counted to it
    assert signal.since <= signal.found_at
    assert len(signal.case_ids) == signal.cases
    assert "clinic-002" in signal.zh and "clinic-002" in signal.en
    if what == "first_ecg":
        assert signal.now / signal.usual == pytest.approx(factor, rel=0.35)


def test_signals_of_all_charts_are_told_newest_first() -> None:
    """One list, for a committee that asks what is new."""
    told = [signal.found_at for _, signal in county("first_ecg", 2, 2.0).signals]

    assert told == sorted(told, reverse=True)
    assert told


def test_too_few_cases_are_no_chart() -> None:
    """A clinic that sees one patient a month is not judged on eight."""
    found = charts_of(chest_pain(4, clinics=2, a_month=1.0), watch_from=WATCH_FROM, scopes=("clinic",))

    assert {one.state for one in found.charts} == {"too_few"}
    assert all(one.signals == () and one.points == () for one in found.charts)


def test_the_network_has_a_chart_of_cases_and_one_of_months() -> None:
    """STEMI intervals are rare in a clinic; the network sees enough."""
    now, before = months(6, before=14)
    watch = before[-31].opened_at
    found = charts_of((*before, *now), watch_from=watch, scopes=("network",))
    kinds = {one.kind for one in found.charts if one.measure == "fmc_to_wire"}

    assert kinds == {"cusum", "xmr"}
    assert {one.scope for one in found.charts} == {"network"}
    monthly = chart(found, "network/fmc_to_wire/months")
    assert monthly.state == "watched" and monthly.baseline >= 12
    assert len(monthly.points) > monthly.baseline


def test_the_false_alarms_of_what_is_shown_are_known_beforehand() -> None:
    """Each kind of chart has its simulated run length; a chart that is not drawn cannot be wrong."""
    shown = county("", 0, 1.0).charts
    one = next(chart for chart in shown if chart.id == "clinic/clinic-002/rejected")

    assert false_alarms_expected([one], watch_from=WATCH_FROM) == pytest.approx(len(one.points) / 8100)
    assert 0.1 < false_alarms_expected(shown, watch_from=WATCH_FROM) < 1.5
    quiet = charts_of(chest_pain(4, clinics=2, a_month=1.0), watch_from=WATCH_FROM, scopes=("clinic",))
    assert false_alarms_expected(quiet.charts, watch_from=WATCH_FROM) == 0.0


def test_every_kind_of_chart_has_a_published_run_length() -> None:
    """Nothing is shown of which nobody knows how often it is wrong."""
    now, before = months(6, before=14)
    network = charts_of((*before, *now), watch_from=before[-31].opened_at, scopes=("network",))
    shown = (*network.charts, *county("", 0, 1.0).charts)

    assert false_alarms_expected(shown, watch_from=WATCH_FROM) > 0
    assert {one.kind for one in shown} == {"cusum", "share", "xmr"}
