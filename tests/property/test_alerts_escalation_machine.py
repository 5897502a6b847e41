"""The escalation driven through anything: people, deadlines and time in every order."""

from collections.abc import Callable

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from greenchannel.alerts.alert_deadlines import Deadline, deadlines, on_due
from greenchannel.alerts.auditor import audit
from greenchannel.alerts.case import Case, fold, fold_all
from greenchannel.alerts.commands import (
    Refused,
    acknowledge,
    analysed,
    claim,
    decline,
    delivered,
    hand_over,
    open_green_channel,
    seen,
    sign_reading,
    unreachable,
)
from greenchannel.alerts.escalation_plan import plan_for
from greenchannel.alerts.roster import Shift
from greenchannel.events import (
    AlertAcknowledged,
    AlertEscalated,
    AlertExhausted,
    AlertRearmed,
    AlertSent,
    AnyEvent,
)
from tests.alerts_log import Log, read, seconds

Deed = Callable[[Case, str, str], list[AnyEvent]]
DEEDS: dict[str, Deed] = {
    "ack": acknowledge,
    "decline": decline,
    "claim": claim,
    "delivered": delivered,
    "seen": seen,
    "unreachable": lambda case, alert_id, person: unreachable(case, alert_id, person, "live", "gave_up"),
    "hand over": lambda case, alert_id, person: hand_over(case, alert_id, person, "bo"),
    "open": lambda case, _, person: open_green_channel(case, person, channel_id="g"),
    "sign": lambda case, _, person: sign_reading(case, case.ecgs[0].ecg_id, person, text="x", tier="ACT"),
}
PEOPLE = ("anna", "bo", "chen")
ROLES = ("first", "second", "head")


class Escalation(RuleBasedStateMachine):
    """One case that rings, a roster with any gaps, deadlines that come late, twice and out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.log = Log()
        self.pending: list[Deadline] = []
        self.ecgs = 0

    def append(self, events: list[AnyEvent]) -> None:
        before = len(self.log.envelopes)
        self.log.extend(events)
        for envelope in self.log.envelopes[before:]:
            self.pending += deadlines(envelope, self.log.case)

    def on_due(self, deadline: Deadline) -> list[AnyEvent]:
        return on_due(
            self.log.case,
            deadline,
            self.log.now,
            plan_of=lambda _: self.plan,
            new_alert_id=f"a_{deadline.id}",
        )

    @initialize(roles=st.lists(st.sampled_from(ROLES), unique=True))
    def ring(self, roles: list[str]) -> None:
        shifts = [
            Shift(person=person, role=role, start=seconds(-60), end=seconds(9999))
            for person, role in zip(PEOPLE, ROLES, strict=True)
            if role in roles
        ]
        self.plan = plan_for("ACT", shifts, self.log.now)
        self.new_ecg("ACT")

    @rule(tier=st.sampled_from(["ACT", "CRIT", "URG", "NONE"]))
    def new_ecg(self, tier: str) -> None:
        self.ecgs += 1
        ecg_id = f"e_{self.ecgs}"
        self.log.ecg(ecg_id)
        self.append(analysed(self.log.case, read(ecg_id, tier), alert_id=f"a_{self.ecgs}", plan=self.plan))

    @rule(s=st.floats(0, 100))
    def time_passes(self, s: float) -> None:
        self.log.now_s += s

    @precondition(lambda self: self.pending)
    @rule(data=st.data())
    def a_deadline_comes(self, data: st.DataObject) -> None:
        deadline = data.draw(st.sampled_from(self.pending))
        events = self.on_due(deadline)
        assert not events or deadline.due_at <= self.log.now
        self.append(events)
        assert self.on_due(deadline) == []

    @rule(person=st.sampled_from((*PEOPLE, "eve")), what=st.sampled_from(sorted(DEEDS)), data=st.data())
    def somebody_acts(self, person: str, what: str, data: st.DataObject) -> None:
        case = self.log.case
        assert case.alert is not None
        alert_id = data.draw(st.sampled_from([alert.alert_id for alert in case.alerts]))
        try:
            self.append(DEEDS[what](case, alert_id, person))
        except Refused as refused:
            assert refused.code in {"not_rung", "not_held", "held", "alert_open"}

    def rounds(self, alert_id: str) -> list[list[AnyEvent]]:
        """The events of an alert, a list for each of its rounds."""
        parts: list[list[AnyEvent]] = [[]]
        for event in (envelope.event for envelope in self.log.envelopes):
            if getattr(event, "alert_id", None) != alert_id:
                continue
            if isinstance(event, AlertRearmed):
                parts.append([])
            parts[-1].append(event)
        return parts

    @invariant()
    def nobody_is_rung_after_an_answer(self) -> None:
        for alert in self.log.case.alerts:
            for part in self.rounds(alert.alert_id):
                kinds = [type(event) for event in part]
                answered = kinds.index(AlertAcknowledged) if AlertAcknowledged in kinds else len(kinds)
                assert not {AlertSent, AlertEscalated, AlertExhausted} & set(kinds[answered:])

    @invariant()
    def each_step_is_taken_once_and_in_order(self) -> None:
        for alert in self.log.case.alerts:
            parts = self.rounds(alert.alert_id)
            assert len(parts) == alert.round
            for part in parts:
                steps = [e.step for e in part if isinstance(e, AlertEscalated) and not e.repeat]
                assert steps == list(range(1, len(steps) + 1))
                repeats = [e.repeat for e in part if isinstance(e, AlertEscalated) and e.repeat]
                assert repeats == list(range(1, len(repeats) + 1))
                told = [part.index(e) for e in part if isinstance(e, AlertExhausted)]
                assert len(told) <= 1 and (not repeats or told)
                before = part[: told[0]] if told else part
                rung = [(e.person, e.channel, e.step) for e in before if isinstance(e, AlertSent)]
                assert len(rung) == len(set(rung))
            assert any(isinstance(e, AlertExhausted) for e in parts[-1]) == alert.exhausted

    @invariant()
    def one_alert_at_most_waits(self) -> None:
        assert sum(alert.open for alert in self.log.case.alerts) <= 1

    @invariant()
    def replay_gives_the_same_case(self) -> None:
        case = None
        for envelope in self.log.envelopes:
            case = fold(case, envelope)
        assert case == fold_all(self.log.envelopes)

    def teardown(self) -> None:
        """Whatever happened: where due times come when they are due, the auditor has nothing to say for two hours, and
        an unanswered alert has told the clinic."""
        if not self.log.case.alerts:
            return
        until, done = self.log.now_s + 2 * 3600.0, set[str]()
        while True:
            waiting = [d for d in self.pending if d.id not in done and d.due_at <= seconds(until)]
            if not waiting:
                break
            deadline = min(waiting, key=lambda d: d.due_at)
            done.add(deadline.id)
            self.log.now_s = max(self.log.now_s, (deadline.due_at - seconds(0)).total_seconds())
            self.append(self.on_due(deadline))
        self.log.now_s = until
        assert all(alert.exhausted for alert in self.log.case.alerts if alert.open)
        assert [m for m in audit([self.log.case], self.log.now) if m.kind != "analysis"] == []


TestEscalation = Escalation.TestCase
