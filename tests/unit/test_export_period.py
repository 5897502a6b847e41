"""From when until when an export goes."""

from datetime import UTC, datetime, timedelta

import pytest

from greenchannel.clock import EARLIEST, LATEST
from greenchannel.viewer.period import Period, month, period, whole_months
from greenchannel.viewer.problems import Problem

MIDNIGHT = datetime(2026, 4, 30, 16, tzinfo=UTC)  # of the 1st of May in the network


def test_the_last_day_belongs_to_it() -> None:
    """From the 1st to the 31st is all of May."""
    may = period("2026-05-01", "2026-05-31")

    assert (may.start, may.end) == (MIDNIGHT, MIDNIGHT + timedelta(days=31))
    assert may == month("2026-05")
    assert may.name == "20260501-20260531"
    assert may.holds(may.end - timedelta(microseconds=1))
    assert not may.holds(may.end)


def test_a_day_alone_is_that_day() -> None:
    """From a day to the same day."""
    assert period("2026-05-01", "2026-05-01").end == MIDNIGHT + timedelta(days=1)


def test_an_instant_ends_it_where_it_is() -> None:
    """The instant itself does not belong to it."""
    assert period("2026-05-01", "2026-05-01T08:00:00+08:00").end == MIDNIGHT + timedelta(hours=8)


def test_what_is_left_out_is_as_far_away_as_can_be() -> None:
    """All there is, from a day on, up to a day."""
    assert period(None, None) == Period(start=EARLIEST, end=LATEST)
    names = [period(*ends).name for ends in ((None, None), ("2026-05-01", None), (None, "2026-05-01"))]
    assert names == ["all", "20260501-", "-20260501"]


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("May", None, "bad_instant"),
        (None, "2026-05-04T08:00:00", "bad_instant"),
        ("2026-05-02", "2026-05-01", "bad_period"),
    ],
)
def test_what_is_no_period_is_refused(start: str | None, end: str | None, code: str) -> None:
    """With what was expected and what came."""
    with pytest.raises(Problem) as refused:
        period(start, end)
    assert (refused.value.status, refused.value.code) == (422, code)
    assert refused.value.got


@pytest.mark.parametrize("text", ["2026", "2026-5", "2026-13", "2026-05-01", "0001-01", "9999-12", ""])
def test_what_is_no_month_is_refused(text: str) -> None:
    """A year of four digits and a month of two, within all that can be."""
    with pytest.raises(Problem) as refused:
        month(text)
    assert refused.value.status == 422


def test_research_is_told_by_whole_months() -> None:
    """A day or an hour that could be chosen would be known of whoever is in the file."""
    for ends in ((None, None), ("2026-05-01", "2026-05-31"), ("2026-05-01", None), (None, "2026-12-31")):
        assert whole_months(period(*ends)) == period(*ends)
    for ends in (
        ("2026-05-02", "2026-05-31"),
        ("2026-05-01", "2026-05-30"),
        ("2026-05-01T00:00:01+08:00", None),
        (None, "2026-05-31T12:00:00+08:00"),
    ):
        with pytest.raises(Problem) as refused:
            whole_months(period(*ends))
        assert (refused.value.status, refused.value.code) == (422, "whole_months")
