"""The alert: who is called, what they answered, what fell due."""

import msgspec

from greenchannel.events.base import Aware, Event


class Ring(msgspec.Struct, frozen=True, kw_only=True):
    """One person on one channel."""

    person: str  # user id
    channel: str  # "live", "webpush", "phone", …


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of an escalation plan, frozen when the alert opens."""

    after_s: float  # from the beginning of the round
    role: str
    people: tuple[str, ...]  # user ids
    channels: tuple[
        str, ...
    ]  # where all of them are rung; of alerts of before each had channels of their own
    rings: tuple[Ring, ...] = ()  # who is rung where

    @property
    def all_rings(self) -> tuple[Ring, ...]:
        """Who is rung where, of plans of any age."""
        return self.rings or tuple(
            Ring(person=person, channel=channel) for person in self.people for channel in self.channels
        )


class AlertOpened(Event, frozen=True, kw_only=True):
    """Somebody must look now."""

    alert_id: str
    tier: str
    ecg_id: str
    rules: tuple[str, ...]
    plan: tuple[PlanStep, ...]
    # Frozen with the plan; None and () in alerts of before there were such times.
    follow_up_s: float | None = None  # after an answer, until something must have followed
    receipt_s: float | None = None  # after a ring, until the board must have said that it has it
    repeat_s: tuple[float, ...] = ()  # after exhaustion, until everybody is rung again


class AlertRaised(Event, frozen=True, kw_only=True):
    """A later ECG of the episode confirms or raises an alert. It rings anew only where it pages and the alert could
    wait: then `AlertRearmed` follows."""

    alert_id: str
    tier: str
    ecg_id: str
    rules: tuple[str, ...]


class AlertSent(Event, frozen=True, kw_only=True):
    """The alert was handed to one channel of one person."""

    alert_id: str
    person: str
    channel: str
    step: int


class AlertDelivered(Event, frozen=True, kw_only=True):
    """The person's device said that it has the alert."""

    alert_id: str
    person: str
    channel: str


class AlertAcknowledged(Event, frozen=True, kw_only=True):
    """A person answered; escalation stops."""

    alert_id: str
    person: str


class AlertDeclined(Event, frozen=True, kw_only=True):
    """A person on the plan cannot take it; the next step is due now."""

    alert_id: str
    person: str
    reason: str | None = None


class AlertHandedOver(Event, frozen=True, kw_only=True):
    """The person who had acknowledged gave it to another."""

    alert_id: str
    person: str
    to_person: str


class AlertEscalated(Event, frozen=True, kw_only=True):
    """A step of the plan fell due with nobody having answered."""

    alert_id: str
    step: int
    repeat: int = 0  # 1, 2, … where everybody is rung once more after the last step
    passed: tuple[int, ...] = ()  # steps that were over as well, and are rung with this one, once


class AlertExhausted(Event, frozen=True, kw_only=True):
    """The last step passed without an answer; the clinic is told to use its fallback."""

    alert_id: str


class AlertSeen(Event, frozen=True, kw_only=True):
    """The person has the alert before their eyes; it is no answer."""

    alert_id: str
    person: str
    channel: str


class AlertUnreachable(Event, frozen=True, kw_only=True):
    """A channel has given up: the person will not hear of this alert there."""

    alert_id: str
    person: str
    channel: str
    reason: str  # a code, such as "no_contact", "refused", "gave_up"


class AlertRearmed(Event, frozen=True, kw_only=True):
    """Somebody answered and nothing followed: the alert waits for an answer again, its plan begins anew."""

    alert_id: str
    round: int  # 2 for the first time
    plan: tuple[PlanStep, ...] = ()  # as the roster is now; none: as before
    reason: str = "nothing_followed"  # or "louder"
    # As the configuration is now; None and (): as before.
    follow_up_s: float | None = None
    receipt_s: float | None = None
    repeat_s: tuple[float, ...] = ()


class ReadingOverdue(Event, frozen=True, kw_only=True):
    """An ECG that waits in the worklist was not read within the time of its tier."""

    ecg_id: str
    due_at: Aware
