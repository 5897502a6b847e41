"""A long chart as the page draws it: from its first point to its last, with every change that it speaks of."""

from datetime import UTC, datetime, timedelta

from greenchannel.alerts.quality.chart_values import Point
from greenchannel.viewer.quality_charts import MOST_POINTS, thinned

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def points(count: int, peak: int) -> list[Point]:
    """A CUSUM that is flat but for one peak."""
    return [
        Point(
            at=BEGIN + timedelta(hours=n),
            case_id=f"c{n}",
            value=5.0,
            up=10.0 if n == peak else 1.0,
            down=0.0,
        )
        for n in range(count)
    ]


def test_a_short_chart_is_drawn_whole() -> None:
    few = points(MOST_POINTS, 3)

    assert thinned(few, frozenset(), 0.0) == few
    assert thinned([], frozenset(), None) == []


def test_a_change_of_long_ago_and_the_last_weeks_are_both_drawn() -> None:
    """Of 8,000 points a twentieth: the early peak is among them, and so are the beginning and the end."""
    many = points(8000, peak=123)
    drawn = thinned(many, frozenset(), 0.0)

    assert len(drawn) <= MOST_POINTS
    assert many[123] in drawn
    assert drawn[0].at - BEGIN <= timedelta(hours=20) and many[-1].at - drawn[-1].at < timedelta(hours=20)
    assert [one.at for one in drawn] == sorted(one.at for one in drawn)


def test_where_a_signal_was_found_is_drawn_even_beside_a_larger_one() -> None:
    many = points(8000, peak=123)
    drawn = thinned(many, frozenset({125, 4000}), 0.0)

    assert {many[123].case_id, many[125].case_id, many[4000].case_id} <= {one.case_id for one in drawn}
