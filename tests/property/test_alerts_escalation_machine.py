"""The escalation driven through anything: people, deadlines and time in every order."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from greenchannel.alerts.auditor import audit
from greenchannel.alerts.case import fold, fold_all
from greenchannel.alerts.commands import Refused, acknowledge, analysed, decline, open_green_channel
from greenchannel.alerts.escalation import Deadline, deadlines, on_due
from greenchannel.alerts.roster import Shift, plan_for
from greenchannel.events import AlertAcknowledged, AlertEscalated, AlertExhausted, AlertSent, AnyEvent
from tests.alerts_log import Log, read, seconds

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

    @initialize(roles=st.lists(st.sampled_from(ROLES), unique=True))
    def ring(self, roles: list[str]) -> None:
        shifts = [
            Shift(person=person, role=role, start=seconds(-60), end=seconds(9999))
            for person, role in zip(PEOPLE, ROLES, strict=True)
            if role in roles
        ]
        self.plan = plan_for("ACT", shifts, self.log.now)
        self.new_ecg("ACT")

    @rule(tier=st.sampled_from(["ACT", "CRIT", "NONE"]))
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
        events = on_due(self.log.case, deadline, self.log.now)
        assert not events or deadline.due_at <= self.log.now
        self.append(events)
        assert on_due(self.log.case, deadline, self.log.now) == []

    @rule(person=st.sampled_from((*PEOPLE, "eve")), what=st.sampled_from(["ack", "decline", "open"]))
    def somebody_acts(self, person: str, what: str) -> None:
        case = self.log.case
        assert case.alert is not None
        alert_id = case.alert.alert_id
        try:
            if what == "ack":
                self.append(acknowledge(case, alert_id, person))
            elif what == "decline":
                self.append(decline(case, alert_id, person))
            else:
                self.append(open_green_channel(case, person, channel_id="g"))
        except Refused as refused:
            assert refused.code == "not_rung"

    @invariant()
    def nobody_is_rung_after_an_answer(self) -> None:
        answered = set()
        for event in (envelope.event for envelope in self.log.envelopes):
            if isinstance(event, AlertAcknowledged):
                answered.add(event.alert_id)
            if isinstance(event, AlertSent | AlertEscalated | AlertExhausted):
                assert event.alert_id not in answered

    @invariant()
    def each_step_is_taken_once_and_in_order(self) -> None:
        events = [envelope.event for envelope in self.log.envelopes]
        for alert in self.log.case.alerts:
            steps = [e.step for e in events if isinstance(e, AlertEscalated) and e.alert_id == alert.alert_id]
            assert steps == list(range(1, len(steps) + 1))
            told = [e for e in events if isinstance(e, AlertExhausted) and e.alert_id == alert.alert_id]
            assert len(told) == int(alert.exhausted)
            rung = [
                (e.person, e.step)
                for e in events
                if isinstance(e, AlertSent) and e.alert_id == alert.alert_id
            ]
            assert len(rung) == len(set(rung))

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
        """Whatever happened: once all deadlines have come, an unanswered alert has told the clinic."""
        if not self.pending and not self.log.case.alerts:
            return
        if self.pending:
            end = max(deadline.due_at for deadline in self.pending) + timedelta(seconds=1)
            self.log.now_s = max(self.log.now_s, (end - seconds(0)).total_seconds())
        for deadline in list(self.pending):
            self.append(on_due(self.log.case, deadline, self.log.now))
        assert all(alert.exhausted for alert in self.log.case.alerts if alert.open)
        assert [
            m for m in audit([self.log.case], self.log.now + timedelta(hours=1)) if m.kind != "analysis"
        ] == []


TestEscalation = Escalation.TestCase
