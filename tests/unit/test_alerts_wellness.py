"""Is the service well? Every sign that is wrong is named in both languages, and silences the heartbeat."""

import pytest

from greenchannel.alerts.wellness import Signs, limits, unwell, why_silent

WELL = Signs(loop_answers=True, duty_silent_s=0.2)


def silent(signs: Signs = WELL, *, ready: bool = True, missed: int = 0, look_age_s: float = 1.0) -> bool:
    return bool(why_silent(unwell(signs), ready=ready, missed=missed, look_age_s=look_age_s))


def test_a_service_that_is_well_beats() -> None:
    """Nothing is wrong, and nothing keeps the heartbeat back."""
    assert unwell(WELL) == ()
    assert not silent()


@pytest.mark.parametrize(
    ("signs", "kind"),
    [
        (Signs(loop_answers=False, duty_silent_s=0.0), "loop"),
        (Signs(loop_answers=True, duty_silent_s=limits().duty_silent_s + 1), "duty"),
        (Signs(loop_answers=True, duty_silent_s=0.0, dead_tasks=("uploads",)), "task"),
        (Signs(loop_answers=True, duty_silent_s=0.0, commits=False), "commits"),
        (Signs(loop_answers=True, duty_silent_s=0.0, database="locked"), "database"),
        (Signs(loop_answers=True, duty_silent_s=0.0, disk="No space left on device"), "disk"),
    ],
)
def test_each_sign_is_named_and_silences(signs: Signs, kind: str) -> None:
    """One fault, one name, in Chinese and English."""
    (found,) = unwell(signs)
    assert (found.kind, silent(signs)) == (kind, True)
    assert found.en.isascii() and not found.zh.isascii()


def test_what_is_overdue_or_not_ready_silences_too() -> None:
    """Also an auditor that looks no more."""
    assert silent(missed=1)
    assert silent(ready=False)
    assert silent(look_age_s=limits().look_old_s + 1)
