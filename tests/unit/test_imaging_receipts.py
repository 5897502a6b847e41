"""A ring on the board is delivered where an open page has taken it, and else the log says that none did."""

from typing import Any

from greenchannel.alerts.imaging import receipts
from greenchannel.alerts.imaging.clock import People
from greenchannel.events import AlertDelivered, AlertEscalated, AlertUnreachable
from tests.imaging_log import ImageLog, minutes, wanted

BOARDS = People(radiologists=("rad1", "rad2"), head="head")


def said(log: ImageLog, kind: type[Any]) -> list[Any]:
    return [(envelope.at, envelope.event) for envelope in log.envelopes if isinstance(envelope.event, kind)]


def unheard(log: ImageLog) -> list[tuple[float, str, str]]:
    return [
        ((at - minutes(0)).total_seconds(), one.person, one.reason) for at, one in said(log, AlertUnreachable)
    ]


def test_a_critical_study_goes_on_at_once_where_no_page_is_open() -> None:
    """The radiologists, then the head of duty, too; the clinic knows after a minute, not half an hour."""
    log = ImageLog(wanted(due_min=30, critical=True), people=BOARDS, pages=False)
    rung = log.turn(minutes(2))

    assert unheard(log)[:2] == [(20.0, "rad1", "no_page"), (20.0, "rad2", "no_page")]
    assert [one.step for _, one in said(log, AlertEscalated)] == [1, 2, 3]
    assert ("head/live" in [who for _, who in rung], rung[-1]) == (True, (1.0, "clinic"))
    assert unheard(log)[-1][0] == 80.0  # of the last step as well, behind which nobody stands


def test_one_open_page_keeps_the_steps_of_a_critical_study_where_they_are() -> None:
    """The log says of the other that none of theirs was open."""
    log = ImageLog(wanted(due_min=30, critical=True), people=BOARDS, pages=False)
    alert_id = log.reading.alerts[0].alert_id
    log.add(receipts.on_page(log.reading, alert_id, "rad1", looked=False))
    log.turn(minutes(14))

    assert unheard(log) == [(20.0, "rad2", "no_page")]
    assert said(log, AlertEscalated) == []
    assert receipts.owes_receipt(log.reading, "rad1") is None
    assert receipts.owes_receipt(log.reading, "rad2") == alert_id


def test_a_telephone_is_still_to_be_hoped_for() -> None:
    """Who is rung elsewhere, too, may hear it there."""
    people = People(radiologists=("rad1",), head="head", channels={"rad1": ("live", "sms")})
    log = ImageLog(wanted(due_min=30, critical=True), people=people, pages=False)
    log.turn(minutes(14))

    assert unheard(log) == [(20.0, "rad1", "no_page")]
    assert said(log, AlertEscalated) == []


def test_a_study_that_can_wait_keeps_its_shares_and_the_log_says_that_no_page_was_open() -> None:
    """Nobody is telephoned for a closed page."""
    log = ImageLog(wanted(due_min=60), people=BOARDS, pages=False)
    log.turn(minutes(31))

    assert unheard(log) == [(1820.0, "rad1", "no_page"), (1820.0, "rad2", "no_page")]
    assert [one.step for _, one in said(log, AlertEscalated)] == [1]


def test_each_ring_wants_a_word_of_its_own() -> None:
    """A page that was open at half of the time is none at the end of it."""
    log = ImageLog(wanted(due_min=60), people=BOARDS, pages=False)
    log.turn(minutes(30))
    alert_id = log.reading.alerts[0].alert_id
    for _ in range(2):
        log.add(receipts.on_page(log.reading, alert_id, "rad1", looked=True))
    log.turn(minutes(49))
    log.add(receipts.on_page(log.reading, alert_id, "rad2", looked=False))

    assert [one.person for _, one in said(log, AlertDelivered)] == ["rad1", "rad2"]
    assert unheard(log) == [
        (1820.0, "rad2", "no_page"),
        (2900.0, "rad1", "no_page"),
        (2900.0, "rad2", "no_page"),
    ]


def test_who_was_not_rung_has_nothing_delivered() -> None:
    """Nor for an alert that there is not."""
    log = ImageLog(wanted(critical=True), people=BOARDS, pages=False)

    assert receipts.on_page(log.reading, log.reading.alerts[0].alert_id, "clinic1", looked=True) == []
    assert receipts.on_page(log.reading, "ia_none", "rad1", looked=True) == []
