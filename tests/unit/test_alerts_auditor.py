"""The independent look: what should have happened and did not."""

from greenchannel.alerts.alert_deadlines import on_due
from greenchannel.alerts.auditor import Missed, audit
from greenchannel.alerts.commands import acknowledge, analysed
from greenchannel.events import AlertOpened, CaseClosed
from tests.alerts_log import PLAN, Log, due_times, read, seconds


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


def work(log: Log, until_s: float) -> None:
    """Let all due times come when they are due."""
    done: set[str] = set()
    while True:
        coming = [d for d in due_times(log.envelopes) if d.id not in done]
        waiting = [d for d in coming if d.due_at <= seconds(until_s)]
        if not waiting:
            return
        deadline = min(waiting, key=lambda d: d.due_at)
        done.add(deadline.id)
        at_s = max(log.now_s, (deadline.due_at - seconds(0)).total_seconds())
        log.extend(on_due(log.case, deadline, seconds(at_s)), at_s=at_s)


def test_a_working_escalation_is_silent() -> None:
    """Steps and repeats in time, a question after an answer, or the end of the case leave nothing to say."""
    log, answered, closed = ringing(), ringing(), ringing()
    answered.extend(acknowledge(answered.case, "a_1", "anna"))
    closed.add(CaseClosed(reason="x"), at_s=1)
    for one in (log, answered, closed):
        work(one, 9999)
        assert kinds(one, 9999) == []


def test_a_ring_or_a_question_that_was_left_out_is_found() -> None:
    """Everybody again after exhaustion; nothing followed an answer; an urgent ECG that nobody read."""
    log = ringing()
    work(log, 190)
    assert kinds(log, 9999) == [("repeat", None)]
    answered = ringing()
    answered.extend(acknowledge(answered.case, "a_1", "anna"))
    assert kinds(answered, 314) == [] and kinds(answered, 316) == [("follow_up", None)]
    urgent = Log()
    urgent.ecg()
    urgent.add(read("e_1", "URG"))
    assert kinds(urgent, 614) == [] and kinds(urgent, 616) == [("reading", None)]


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
