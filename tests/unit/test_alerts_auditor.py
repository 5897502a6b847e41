"""The independent look: what should have happened and did not."""

from greenchannel.alerts.auditor import Missed, audit
from greenchannel.alerts.commands import acknowledge, analysed
from greenchannel.alerts.escalation import deadlines, on_due
from greenchannel.events import AlertOpened, CaseClosed
from tests.alerts_log import PLAN, Log, read, seconds


def ringing() -> Log:
    log = Log()
    log.ecg()
    log.extend(analysed(log.case, read(), alert_id="a_1", plan=PLAN))
    return log


def kinds(log: Log, s: float) -> list[tuple[str, int | None]]:
    return [(m.kind, m.step) for m in audit([log.case], seconds(s))]


def test_steps_that_did_not_happen_are_found() -> None:
    """After the grace, each with how late it is."""
    log = ringing()
    assert kinds(log, 74) == []
    assert audit([log.case], seconds(80)) == [
        Missed(kind="step", case_id="c_1", due_at=seconds(60), late_s=20.0, alert_id="a_1", step=1)
    ]
    assert kinds(log, 400) == [("step", 1), ("step", 2), ("step", 3), ("exhaustion", 3)]


def test_a_working_escalation_is_silent() -> None:
    """Steps in time, an answer, or the end of the case leave nothing to say."""
    log = ringing()
    for deadline in [d for e in log.envelopes for d in deadlines(e, log.case)]:
        log.extend(on_due(log.case, deadline, deadline.due_at))
    assert kinds(log, 9999) == []
    answered = ringing()
    answered.extend(acknowledge(answered.case, "a_1", "anna"))
    closed = ringing()
    closed.add(CaseClosed(reason="x"), at_s=1)
    assert kinds(answered, 9999) == kinds(closed, 9999) == []


def test_an_alert_that_rang_nobody_is_found() -> None:
    """It was opened with people in its plan, and none was rung."""
    log = Log()
    log.add(AlertOpened(alert_id="a", tier="ACT", ecg_id="e", rules=(), plan=PLAN))
    assert ("ring", 0) in kinds(log, 16)


def test_an_ecg_without_alert_or_reading_is_found() -> None:
    """A paging tier that never rang, and bytes that nothing has read."""
    log = Log()
    log.ecg("e_1")
    log.add(read("e_1", "ACT"))
    log.ecg("e_2")
    assert kinds(log, 20) == [("alert", None)]
    assert kinds(log, 50) == [("alert", None), ("analysis", None)]
