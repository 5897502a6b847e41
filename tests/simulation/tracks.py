"""What the events alone say of alerts and ECGs, kept apart from the service's own fold; and what is owed next."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from greenchannel.alerts.channels import LIVE
from greenchannel.alerts.escalation_plan import default_settings
from greenchannel.events import AlertOpened, PlanStep
from tests.simulation.agenda import SECOND

GRACE_MS = 5 * SECOND  # a promise is kept within its time and so much


class Owed(NamedTuple):
    """Something that has to happen by an instant."""

    promise: str  # its name
    what: str  # which one: it is another with the next step
    due_ms: int
    serving: bool = False  # only the service itself can do it
    grace_ms: int = GRACE_MS


@dataclass(slots=True)
class AlertTrack:
    """One alert."""

    alert_id: str
    case_id: str
    tier: str
    plan: tuple[PlanStep, ...]
    began_ms: int  # the present round
    step_ms: int  # when the newest step was rung
    follow_up_s: float | None
    receipt_s: float | None
    repeat_s: tuple[float, ...]
    ecg_ids: set[str]
    round: int = 1
    step: int = 0
    repeats: int = 0
    exhausted: bool = False
    all_rung_ms: int = 0
    answered: bool = False
    held_ms: int = 0
    held_by: str | None = None
    followed: bool = False
    acknowledged: set[str] = field(default_factory=set)
    declined: set[str] = field(default_factory=set)
    heard: set[tuple[str, str]] = field(default_factory=set)
    delivered: set[tuple[str, str]] = field(default_factory=set)
    gone: set[tuple[str, str]] = field(default_factory=set)
    rung_ms: dict[tuple[str, str], int] = field(default_factory=dict)

    @classmethod
    def of(cls, opened: AlertOpened, case_id: str, at_ms: int) -> "AlertTrack":
        """An alert that has just opened."""
        return cls(
            alert_id=opened.alert_id,
            case_id=case_id,
            tier=opened.tier,
            plan=opened.plan,
            began_ms=at_ms,
            step_ms=at_ms,
            follow_up_s=opened.follow_up_s,
            receipt_s=opened.receipt_s,
            repeat_s=opened.repeat_s,
            ecg_ids={opened.ecg_id},
        )

    def rearm(self, round: int, plan: tuple[PlanStep, ...], at_ms: int) -> None:
        """All begins anew."""
        self.round, self.plan, self.began_ms, self.step_ms = round, plan or self.plan, at_ms, at_ms
        self.step = self.repeats = 0
        self.exhausted = self.answered = self.followed = False
        for kept in (self.acknowledged, self.declined, self.heard, self.delivered, self.gone):
            kept.clear()
        self.rung_ms.clear()

    @property
    def at_last_step(self) -> bool:
        """Is nobody left to go on to?"""
        return self.step + 1 >= len(self.plan)

    def owed(self, *, newest: bool, case_open: bool) -> Iterator[Owed]:
        """What has to happen next of this alert."""
        name = f"{self.alert_id} round {self.round}"
        if self.answered:
            if newest and case_open and not self.followed and self.follow_up_s is not None:
                after_s = self.follow_up_s
                if self.held_by not in self.acknowledged and len(self.plan) > 1:  # given, and not taken
                    after_s = min(after_s, self.plan[1].after_s)
                due_ms = self.held_ms + round(after_s * SECOND)
                yield Owed("a_question_follows_an_idle_answer", f"{name} {self.held_ms}", due_ms)
            return
        if self.exhausted:
            after_s = self.repeat_s[min(self.repeats, len(self.repeat_s) - 1)]
            due_ms = self.all_rung_ms + round(after_s * SECOND)
            yield Owed("an_exhausted_alert_rings_on", f"{name} repeat {self.repeats + 1}", due_ms)
        elif not self.at_last_step:
            due_ms = self.began_ms + round(self.plan[self.step + 1].after_s * SECOND)
            yield Owed("each_step_in_its_time", f"{name} step {self.step + 1}", due_ms)
            if self.receipt_s is not None and self.silent():
                due_ms = self.step_ms + round(self.receipt_s * SECOND)
                yield Owed("a_silent_board_is_noticed", f"{name} receipts {self.step}", due_ms)

    def silent(self) -> bool:
        """Whether a board of the newest step has said nothing yet, of which something is hoped."""
        return any(
            ring.channel == LIVE
            and ring.person not in self.declined
            and (ring.person, LIVE) not in self.heard | self.gone
            and self.rung_ms.get((ring.person, LIVE)) == self.step_ms
            for ring in self.plan[self.step].all_rings
        )


@dataclass(slots=True)
class EcgTrack:
    """One ECG."""

    ecg_id: str
    case_id: str
    began_ms: int | None = None  # when it was received, or its stream began
    received_ms: int | None = None
    tier: str | None = None
    read_ms: int = 0  # when the machine said its newest tier
    analysed: bool = False
    signed: bool = False
    overdue: bool = False

    def owed(self, *, case_open: bool) -> Iterator[Owed]:
        """What has to happen next of this ECG."""
        settings = default_settings()
        if self.received_ms is not None and not self.analysed:
            due_ms = self.received_ms + round(settings.analysis_s * SECOND)
            yield Owed("each_ecg_is_read", self.ecg_id, due_ms, serving=True, grace_ms=15 * SECOND)
        wait_s = {tier.value: s for tier, s in settings.waiting_s.items()}.get(self.tier or "")
        if (
            case_open
            and wait_s is not None
            and self.began_ms is not None
            and not (self.signed or self.overdue)
        ):
            due_ms = max(self.began_ms + round(wait_s * SECOND), self.read_ms)
            yield Owed("an_unread_ecg_rings", self.ecg_id, due_ms)
