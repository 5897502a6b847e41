"""A study that comes late, or whose clock runs on while nobody looks: it rings once, and the auditor misses nothing."""

import msgspec

from greenchannel.alerts.imaging import commands
from greenchannel.alerts.imaging.audit import audit
from greenchannel.alerts.imaging.clock import People
from greenchannel.events import AlertAcknowledged, AlertEscalated, AlertExhausted, AlertSent
from tests.imaging_log import ImageLog, minutes, wanted
from tests.unit.test_imaging_reading import signed


def test_a_clock_that_has_run_out_before_the_study_came_says_so_at_once() -> None:
    """All steps are over on receipt: one ring of everybody, as the last step, and the clinic; the log says what it is.
    Nothing more until everybody is rung again."""
    log = ImageLog(wanted(started_min=-100, due_min=-55, critical=True))

    sent = [e.event for e in log.envelopes if isinstance(e.event, AlertSent)]
    assert sorted((one.person, one.channel, one.step) for one in sent) == [
        ("head", "live", 3),
        ("rad1", "live", 3),
        ("rad2", "live", 3),
        ("rad2", "phone", 3),
    ]
    (escalated,) = [e.event for e in log.envelopes if isinstance(e.event, AlertEscalated)]
    assert (escalated.step, escalated.passed) == (3, (0, 1, 2))
    assert sum(isinstance(e.event, AlertExhausted) for e in log.envelopes) == 1
    assert log.turn(minutes(9)) == []
    assert {at for at, _ in log.turn(minutes(11))} == {10.0}
    assert audit([log.reading], minutes(11), 15.0) == []


def test_a_study_that_came_after_two_shares_of_its_clock_rings_once_and_then_at_its_end() -> None:
    """Not critical: nobody is rung on receipt, but half and four fifths are over."""
    log = ImageLog(wanted(started_min=-50, due_min=10))

    sent = [e.event for e in log.envelopes if isinstance(e.event, AlertSent)]
    assert sorted((one.person, one.step) for one in sent) == [("rad1", 2), ("rad2", 2)]
    said = log.turn(minutes(15))
    assert {at for at, _ in said} == {10.0}
    assert "clinic" in [who for _, who in said]


def test_nobody_is_there_for_a_study_that_came_late_and_the_clinic_is_told_at_once() -> None:
    """It goes on to the end, as a step without people does."""
    log = ImageLog(wanted(started_min=-40, due_min=20), people=People())

    assert sum(isinstance(e.event, AlertExhausted) for e in log.envelopes) == 1
    assert log.reading.alert is not None and log.reading.alert.step == 3


def test_after_an_outage_what_is_over_rings_once() -> None:
    """The service was away from the receipt until 80 % of the clock: one ring, not one for each share."""
    log = ImageLog()
    log.now = minutes(49)  # all due times so far come now
    said = log.turn(minutes(50))

    assert [who for at, who in said if at == 49.0] == ["rad1/live", "rad2/live"]
    (escalated,) = [e.event for e in log.envelopes if isinstance(e.event, AlertEscalated)]
    assert (escalated.step, escalated.passed) == (2, (1,))


def test_the_auditor_sees_a_share_that_nobody_was_rung_for() -> None:
    """Nothing is missed while due times are kept; where they are lost, it says so after the grace."""
    kept, lost = ImageLog(), ImageLog()
    kept.turn(minutes(49))
    lost.now = minutes(49)

    assert audit([kept.reading], minutes(49), 15.0) == []
    assert [(one.kind, one.step) for one in audit([lost.reading], minutes(49), 15.0)] == [
        ("step", 1),
        ("step", 2),
    ]
    assert audit([lost.reading], minutes(30), 15.0) == []


def test_the_auditor_sees_a_critical_result_that_nobody_was_told_of() -> None:
    """The due time of the call was lost: a quarter of an hour and the grace after the signature."""
    log = ImageLog()
    signed(log, ("free_air",))

    assert audit([log.reading], minutes(15), 15.0) == []
    assert [one.kind for one in audit([log.reading], minutes(16), 15.0)] == ["untold"]
    log.turn(minutes(16))
    assert audit([log.reading], minutes(16), 15.0) == []

    # Said once at 15 minutes, and then the next due time, ten minutes on, was lost as well.
    assert audit([log.reading], minutes(25), 15.0) == []
    (missed,) = audit([log.reading], minutes(26), 15.0)
    assert (missed.kind, missed.due_at) == ("untold", minutes(25))
    log.turn(minutes(26))
    assert audit([log.reading], minutes(26), 15.0) == []


def test_the_auditor_sees_a_provisional_report_that_nobody_was_told_to_confirm() -> None:
    """The due time of a day later was lost, then, said once, the next one; confirmed, there is nothing to see."""
    log = ImageLog()
    signed(log, provisional=True)
    day = 24 * 60

    assert audit([log.reading], minutes(day), 15.0) == []
    assert [one.kind for one in audit([log.reading], minutes(day + 1), 15.0)] == ["unconfirmed"]
    log.turn(minutes(day + 1))
    assert audit([log.reading], minutes(2 * day), 15.0) == []
    (missed,) = audit([log.reading], minutes(2 * day + 2), 15.0)
    assert (missed.kind, missed.due_at) == ("unconfirmed", minutes(2 * day))
    log.now = minutes(2 * day + 2)
    log.add(
        commands.addendum(
            log.reading, "rad2", report_id="r_2", text="同意", reason="confirmation", critical=()
        )
    )
    assert audit([log.reading], minutes(9 * day), 15.0) == []


def test_the_auditor_sees_a_study_that_nobody_is_called_for() -> None:
    """Its alert was never opened, or has ended without a report: past a share of its clock it says so."""
    log, never = ImageLog(), ImageLog()
    assert never.state is not None
    never.state = msgspec.structs.replace(never.state, alerts=())
    log.add([AlertAcknowledged(alert_id="a_1", person="rad1")])

    for one in (log, never):
        assert audit([one.reading], minutes(30), 15.0) == []
        assert [missed.kind for missed in audit([one.reading], minutes(31), 15.0)] == ["uncalled"]
    signed(log)
    assert audit([log.reading], minutes(31), 15.0) == []
