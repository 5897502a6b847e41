"""The escalation as a table: in which phase an alert is, what comes, what is done, in which phase it is then.

The table is total: each phase has an answer to each trigger. `escalation.py` looks up what to do, `alert_state.py`
folds the events that follow; a test holds the two against each other, row by row. ``docs/alerting.md`` is drawn from
it.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple


class Phase(StrEnum):
    """How far an alert is."""

    NONE = "none"  # nothing is called for
    RINGING = "ringing"  # somebody is called, steps are left
    EXHAUSTED = "exhausted"  # everybody was called, the clinic was told, nobody has answered
    ANSWERED = "answered"  # somebody has it, and nothing has followed yet
    FOLLOWED = "followed"  # somebody has it, and has acted


WAITING: Final = frozenset({Phase.RINGING, Phase.EXHAUSTED})
"""Nobody has answered."""


class Trigger(StrEnum):
    """What comes. "last": no step with somebody is left after it; "nobody": no one is on duty."""

    PAGING_ECG = "paging_ecg"  # an ECG that somebody must look at now, and no alert that covers it
    PAGING_ECG_NOBODY = "paging_ecg_nobody"
    LATER_ECG = "later_ecg"  # of the episode, no louder than what is called for or was answered
    LOUDER_ECG = "louder_ecg"  # pages now, while the alert is about one that could wait
    LOUDER_ECG_NOBODY = "louder_ecg_nobody"
    STEP_DUE = "step_due"
    LAST_STEP_DUE = "last_step_due"
    DECLINED = "declined"  # by a person who was called
    LAST_DECLINED = "last_declined"
    UNREACHED = "unreached"  # no channel of anybody of the step gets through
    LAST_UNREACHED = "last_unreached"
    REPEAT_DUE = "repeat_due"
    ANSWER = "answer"
    HANDED_OVER = "handed_over"
    HANDED_BACK = "handed_back"  # declined by who was given it and has not taken it
    HANDED_BACK_NOBODY = "handed_back_nobody"
    ACTED = "acted"  # a reading is signed, the green channel opened or stood down, the case ended
    FOLLOW_UP_DUE = "follow_up_due"
    FOLLOW_UP_DUE_NOBODY = "follow_up_due_nobody"


class Action(StrEnum):
    """What is written, in this order."""

    OPEN = "open"  # AlertOpened, the plan frozen
    RAISE = "raise"  # AlertRaised
    REARM = "rearm"  # AlertRearmed, a new plan frozen
    RING_FIRST = "ring_first"  # AlertSent for each ring of the first step
    TAKE_STEPS = "take_steps"  # AlertEscalated and its rings, for each step that is due
    RING_ALL_AGAIN = "ring_all_again"  # AlertEscalated as a repeat, and the rings of everybody on duty now
    TELL_CLINIC = "tell_clinic"  # AlertExhausted
    NOTE = "note"  # what the person or the channel said


class Row(NamedTuple):
    """One row of the table."""

    next: Phase
    actions: tuple[Action, ...] = ()


_A = Action
_OPENS: Final = {
    Trigger.PAGING_ECG: Row(Phase.RINGING, (_A.OPEN, _A.RING_FIRST)),
    Trigger.PAGING_ECG_NOBODY: Row(Phase.EXHAUSTED, (_A.OPEN, _A.RING_FIRST, _A.TELL_CLINIC)),
}
_LOUDER: Final = {
    Trigger.LOUDER_ECG: Row(Phase.RINGING, (_A.RAISE, _A.REARM, _A.RING_FIRST)),
    Trigger.LOUDER_ECG_NOBODY: Row(Phase.EXHAUSTED, (_A.RAISE, _A.REARM, _A.RING_FIRST, _A.TELL_CLINIC)),
}

_DECIDED: Final[Mapping[Phase, Mapping[Trigger, Row]]] = {
    Phase.NONE: _OPENS,
    Phase.RINGING: {
        **_LOUDER,
        Trigger.LATER_ECG: Row(Phase.RINGING, (_A.RAISE,)),
        Trigger.STEP_DUE: Row(Phase.RINGING, (_A.TAKE_STEPS,)),
        Trigger.LAST_STEP_DUE: Row(Phase.EXHAUSTED, (_A.TAKE_STEPS, _A.TELL_CLINIC)),
        Trigger.DECLINED: Row(Phase.RINGING, (_A.NOTE, _A.TAKE_STEPS)),
        Trigger.LAST_DECLINED: Row(Phase.EXHAUSTED, (_A.NOTE, _A.TAKE_STEPS, _A.TELL_CLINIC)),
        Trigger.UNREACHED: Row(Phase.RINGING, (_A.NOTE, _A.TAKE_STEPS)),
        Trigger.LAST_UNREACHED: Row(Phase.EXHAUSTED, (_A.NOTE, _A.TAKE_STEPS, _A.TELL_CLINIC)),
        Trigger.ANSWER: Row(Phase.ANSWERED, (_A.NOTE,)),
    },
    Phase.EXHAUSTED: {
        **_LOUDER,
        Trigger.LATER_ECG: Row(Phase.EXHAUSTED, (_A.RAISE,)),
        Trigger.DECLINED: Row(Phase.EXHAUSTED, (_A.NOTE,)),
        Trigger.LAST_DECLINED: Row(Phase.EXHAUSTED, (_A.NOTE,)),
        Trigger.UNREACHED: Row(Phase.EXHAUSTED, (_A.NOTE,)),
        Trigger.LAST_UNREACHED: Row(Phase.EXHAUSTED, (_A.NOTE,)),
        Trigger.REPEAT_DUE: Row(Phase.EXHAUSTED, (_A.RING_ALL_AGAIN,)),
        Trigger.ANSWER: Row(Phase.ANSWERED, (_A.NOTE,)),
    },
    Phase.ANSWERED: {
        **_OPENS,  # a new alert: the tier has risen above what was answered
        Trigger.LATER_ECG: Row(Phase.ANSWERED, (_A.RAISE,)),
        Trigger.UNREACHED: Row(Phase.ANSWERED, (_A.NOTE,)),
        Trigger.LAST_UNREACHED: Row(Phase.ANSWERED, (_A.NOTE,)),
        Trigger.ANSWER: Row(Phase.ANSWERED, (_A.NOTE,)),
        Trigger.HANDED_OVER: Row(Phase.ANSWERED, (_A.NOTE,)),
        Trigger.HANDED_BACK: Row(Phase.RINGING, (_A.REARM, _A.RING_FIRST, _A.NOTE)),
        Trigger.HANDED_BACK_NOBODY: Row(Phase.EXHAUSTED, (_A.REARM, _A.RING_FIRST, _A.NOTE, _A.TELL_CLINIC)),
        Trigger.ACTED: Row(Phase.FOLLOWED),
        Trigger.FOLLOW_UP_DUE: Row(Phase.RINGING, (_A.REARM, _A.RING_FIRST)),
        Trigger.FOLLOW_UP_DUE_NOBODY: Row(Phase.EXHAUSTED, (_A.REARM, _A.RING_FIRST, _A.TELL_CLINIC)),
    },
    Phase.FOLLOWED: {
        **_OPENS,  # a new alert: the tier has risen, or the matter was settled
        Trigger.LATER_ECG: Row(Phase.FOLLOWED, (_A.RAISE,)),
        Trigger.UNREACHED: Row(Phase.FOLLOWED, (_A.NOTE,)),
        Trigger.LAST_UNREACHED: Row(Phase.FOLLOWED, (_A.NOTE,)),
        Trigger.ANSWER: Row(Phase.FOLLOWED, (_A.NOTE,)),
        Trigger.HANDED_OVER: Row(Phase.FOLLOWED, (_A.NOTE,)),
    },
}

TABLE: Final[Mapping[tuple[Phase, Trigger], Row]] = {
    (phase, trigger): _DECIDED[phase].get(trigger, Row(phase)) for phase in Phase for trigger in Trigger
}
"""What is not decided above changes nothing and writes nothing: what comes late or twice does no harm."""


def row(phase: Phase, trigger: Trigger) -> Row:
    """What is done about `trigger` in `phase`."""
    return TABLE[phase, trigger]
