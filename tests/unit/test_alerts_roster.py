"""Who is on duty, and the plan that follows."""

from datetime import datetime

import msgspec
import pytest

from greenchannel.alerts.escalation_plan import default_settings, plan_for
from greenchannel.alerts.roster import Shift, on_duty
from greenchannel.clock import NaiveDatetimeError
from tests.alerts_log import T0, seconds

NIGHT = (seconds(-3600), seconds(3600))


def shift(person: str, role: str, start: datetime = NIGHT[0], end: datetime = NIGHT[1]) -> Shift:
    return Shift(person=person, role=role, start=start, end=end)


FULL = (shift("anna", "first"), shift("bo", "second"), shift("chen", "head"))


def test_a_shift_ends_before_its_end() -> None:
    """At the hour of the change only the next person is on duty; where two overlap, the later shift holds."""
    shifts = (shift("anna", "first", end=T0), shift("bo", "first", start=T0))
    assert on_duty(shifts, T0, "first") == "bo"
    assert on_duty(shifts, seconds(-1), "first") == "anna"
    assert on_duty(shifts[:1], T0, "first") is None
    assert on_duty((*shifts, shift("dan", "first", start=seconds(-60))), seconds(-1), "first") == "dan"
    assert on_duty(shifts, T0, "head") is None
    with pytest.raises(NaiveDatetimeError):
        on_duty(shifts, T0.replace(tzinfo=None), "first")


def test_the_full_plan_is_that_of_the_specification() -> None:
    """0 s the first reader, 60 s the second and the first again, 120 s the head, 180 s everybody (SAFE-4)."""
    plan = plan_for("ACT", FULL, T0)
    assert [(step.after_s, step.people) for step in plan] == [
        (0.0, ("anna",)),
        (60.0, ("bo", "anna")),
        (120.0, ("chen",)),
        (180.0, ("anna", "bo", "chen")),
    ]
    assert {step.channels for step in plan} == {("live",)}


def test_without_a_first_reader_the_next_is_rung_at_once() -> None:
    """Nobody waits for a step with nobody in it."""
    plan = plan_for("CRIT", FULL[1:], T0)
    assert [(step.after_s, step.role) for step in plan] == [
        (0.0, "second"),
        (120.0, "head"),
        (180.0, "everybody"),
    ]
    only_head = plan_for("ACT", FULL[2:], T0)
    assert [(step.after_s, step.people) for step in only_head] == [(0.0, ("chen",)), (180.0, ("chen",))]


def test_with_nobody_on_duty_the_plan_is_exhausted_at_once() -> None:
    """One step, nobody in it, due at the opening."""
    (step,) = plan_for("ACT", (), T0)
    assert (step.after_s, step.people) == (0.0, ())


def test_a_tier_that_does_not_page_has_no_plan() -> None:
    """URG is over-read within minutes, and has a plan for when it was not; the others never ring."""
    assert plan_for("FLAG", FULL, T0) == plan_for("NONE", FULL, T0) == ()
    assert plan_for("URG", FULL, T0) == plan_for("ACT", FULL, T0)


def test_settings_that_would_never_end_are_refused() -> None:
    """The last step is everybody, and times rise."""
    settings = default_settings()
    with pytest.raises(ValueError, match="everybody"):
        msgspec.convert({**msgspec.to_builtins(settings), "step": []}, type(settings))
    with pytest.raises(ValueError, match="rising"):
        steps = [msgspec.structs.replace(step, after_s=5.0) for step in settings.step]
        msgspec.convert({**msgspec.to_builtins(settings), "step": msgspec.to_builtins(steps)}, type(settings))
