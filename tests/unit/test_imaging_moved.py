"""A study that was moved to another patient: what was signed, told and seen before is asked for anew."""

from datetime import timedelta
from typing import Any

import pytest

from greenchannel.alerts.imaging import commands
from greenchannel.alerts.imaging.audit import audit
from greenchannel.alerts.imaging.calling import untold_call
from greenchannel.alerts.imaging.critical import critical_results
from greenchannel.alerts.refusal import Refused
from greenchannel.events import ImageStudyMoved
from tests.imaging_log import STUDY, ImageLog, minutes
from tests.unit.test_imaging_reading import signed, told

CODE = next(iter(critical_results()))
MOVED = ImageStudyMoved(study_uid=STUDY, from_case_id="c_1", to_case_id="c_2")
CONFIRM: dict[str, Any] = {"text": "已核对患者", "reason": "confirmation", "critical": ()}


def moved_log() -> ImageLog:
    """Signed with a critical result at 10 minutes, told at 11, moved at 60."""
    log = ImageLog()
    log.turn(minutes(10))
    signed(log, (CODE,))
    log.turn(minutes(12))
    log.add(commands.tell_critical(log.reading, told(), log.now))
    assert log.reading.state == "final"
    assert not log.reading.is_open
    log.turn(minutes(60))
    log.add([MOVED])
    return log


def test_a_result_that_was_told_of_another_patient_is_untold() -> None:
    """The duty runs from the move, is said again and again, and a call from before it is none."""
    log = moved_log()
    assert [one.report_id for one in log.reading.untold] == ["r_1"]
    assert audit([log.reading], log.now, 0.0) == []
    with pytest.raises(Refused, match="told_at"):
        commands.tell_critical(log.reading, told(call_id="k_2"), log.now)
    said = log.turn(minutes(120))
    assert {what for _, what in said} == {"untold"}
    assert min(at for at, _ in said) > 60.0
    name = untold_call(log.reading)
    log.add(commands.tell_critical(log.reading, told(call_id="k_3", told_at=log.now), log.now))
    assert log.reading.untold == ()
    log.add([MOVED])
    assert untold_call(log.reading) != name


def test_who_signed_it_confirms_it_for_the_other_patient_and_is_asked_each_day() -> None:
    log = moved_log()
    assert (log.reading.state, log.reading.case_id) == ("provisional", "c_2")
    assert [one.report_id for one in log.reading.carried] == ["r_1"]
    log.add(commands.tell_critical(log.reading, told(call_id="k_3", told_at=log.now), log.now))
    said = log.turn(minutes(60 + 3 * 24 * 60))
    assert [what for _, what in said].count("unconfirmed") >= 2
    log.add(commands.addendum(log.reading, "rad1", report_id="r_2", **CONFIRM))
    assert (log.reading.state, log.reading.carried, log.reading.is_open) == ("final", (), False)
    assert not commands.returned(log.reading, "CT").addendum
    assert log.turn(minutes(60 + 9 * 24 * 60)) == []


def test_the_auditor_waits_for_the_confirmation_from_the_move_on() -> None:
    """Neither a report of days ago, nor what was said of it before the move, is overdue the moment it is moved; a day
    later it is."""
    for provisional in (False, True):
        log = ImageLog()
        log.turn(minutes(10))
        signed(log, provisional=provisional)
        log.turn(minutes(10 + 40 * 60))
        log.add([MOVED])
        for hours, kinds in ((0, []), (23, []), (25, ["unconfirmed"])):
            now = log.now + timedelta(hours=hours)
            assert [one.kind for one in audit([log.reading], now, 60.0)] == kinds


def test_a_report_of_its_own_provisional_still_needs_another_person() -> None:
    log = ImageLog()
    log.turn(minutes(10))
    signed(log, provisional=True)
    log.add([MOVED])
    with pytest.raises(Refused, match="another person"):
        commands.addendum(log.reading, "rad1", report_id="r_2", **CONFIRM)


def test_seen_and_shared_were_so_for_the_other_patient() -> None:
    log = ImageLog()
    signed(log)
    log.add(commands.seen(log.reading, "clinic1"))
    log.add(commands.share(log.reading, "doc", "s_9", "转诊"))
    log.add([MOVED])
    assert (log.reading.seen_by, log.reading.sites) == ((), ("s_1",))
    assert commands.seen(log.reading, "clinic1") != []
