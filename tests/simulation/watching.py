"""The promises that each event, and each commit, must keep."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from greenchannel.alerts import closed_loop
from greenchannel.alerts.channels import LIVE
from greenchannel.alerts.ecg_state import tier_rank
from greenchannel.alerts.escalation_plan import default_settings
from greenchannel.alerts.green_channel import templates
from greenchannel.events import (
    AlertAcknowledged,
    AlertDeclined,
    AlertDelivered,
    AlertEscalated,
    AlertExhausted,
    AlertHandedOver,
    AlertOpened,
    AlertRaised,
    AlertRearmed,
    AlertSeen,
    AlertSent,
    AlertUnreachable,
    CaseClosed,
    EcgAnalysed,
    EcgReceived,
    Envelope,
    GreenChannelOpened,
    GreenChannelStoodDown,
    ProvisionalReading,
    ReadingOverdue,
    ReadingSigned,
    StreamStarted,
)
from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation.agenda import ms_of
from tests.simulation.tracks import AlertTrack, EcgTrack

if TYPE_CHECKING:
    from tests.simulation.promises import Promises

_PAGES: Final = frozenset(tier.value for tier in default_settings().paging_tiers)


class Watching:
    """Takes the events into the tracks, and says which promise they break."""

    def __init__(self, promises: "Promises") -> None:
        self._promises = promises
        self._broken = promises.broken
        self._world = promises.world
        self._once: set[tuple[str, ...]] = set()
        self._open_channels: set[str] = set()
        self._of: dict[type[Any], Callable[[Any, AlertTrack, int], None]] = {
            AlertRaised: self._raised,
            AlertRearmed: self._rearmed,
            AlertSent: self._sent,
            AlertDelivered: self._delivered,
            AlertSeen: self._seen,
            AlertUnreachable: self._unreachable,
            AlertAcknowledged: self._acknowledged,
            AlertDeclined: self._declined,
            AlertHandedOver: self._handed_over,
            AlertEscalated: self._escalated,
            AlertExhausted: self._exhausted,
        }

    def event(self, envelope: Envelope) -> None:
        """One event of a case."""
        event, at_ms, case_id = envelope.event, ms_of(envelope.at), envelope.case_id
        if case_id is None:
            return
        handler = self._of.get(type(event))
        if handler is not None:
            alert_id: Any = getattr(event, "alert_id", None)
            handler(event, self._promises.alerts[alert_id], at_ms)
        elif isinstance(event, AlertOpened):
            self._opened(event, case_id, at_ms)
        elif isinstance(
            event, StreamStarted | EcgReceived | EcgAnalysed | ProvisionalReading | ReadingOverdue
        ):
            self._ecg(event, case_id, at_ms)
        elif isinstance(event, ReadingSigned | GreenChannelOpened | GreenChannelStoodDown | CaseClosed):
            self._act(event, case_id)

    def _first_time(self, *what: str) -> None:
        if what in self._once:
            self._broken("each_change_once", " ".join(what))
        self._once.add(what)

    # ------------------------------------------------------------ alerts

    def _opened(self, event: AlertOpened, case_id: str, at_ms: int) -> None:
        self._first_time("opened", event.alert_id)
        others = self._promises.alerts_of.setdefault(case_id, [])
        if any(not one.answered for one in others):
            self._broken("one_alert_waits_at_most", f"{event.alert_id} in {case_id}")
        alert = AlertTrack.of(event, case_id, at_ms)
        others.append(alert)
        self._promises.alerts[event.alert_id] = alert
        if event.tier == "ACT":
            self._world.misfortune.act_alert_opened()

    def _raised(self, event: AlertRaised, alert: AlertTrack, at_ms: int) -> None:
        alert.ecg_ids.add(event.ecg_id)
        alert.tier = min(alert.tier, event.tier, key=tier_rank)

    def _rearmed(self, event: AlertRearmed, alert: AlertTrack, at_ms: int) -> None:
        if event.round != alert.round + 1:
            self._broken("rounds_in_order", f"{alert.alert_id}: {event.round} after {alert.round}")
        alert.rearm(event.round, event.plan, at_ms)

    def _sent(self, event: AlertSent, alert: AlertTrack, at_ms: int) -> None:
        ring = event.person, event.channel
        if alert.answered:
            self._broken("nobody_rung_after_an_answer", f"{alert.alert_id}: {event.person}")
        if event.person in alert.declined and not alert.repeats:
            self._broken("nobody_rung_who_declined", f"{alert.alert_id}: {event.person}")
        self._promises.sent[alert.alert_id, alert.round, event.step, *ring] += 1
        alert.gone.discard(ring)
        alert.declined.discard(event.person)  # who is rung again may decline again
        alert.rung_ms[ring] = at_ms

    def _delivered(self, event: AlertDelivered, alert: AlertTrack, at_ms: int) -> None:
        ring = event.person, event.channel
        if ring in alert.delivered:
            self._broken("each_change_once", f"{alert.alert_id} delivered twice to {ring}")
        alert.delivered.add(ring)
        alert.heard.add(ring)

    def _seen(self, event: AlertSeen, alert: AlertTrack, at_ms: int) -> None:
        alert.heard.add((event.person, event.channel))

    def _unreachable(self, event: AlertUnreachable, alert: AlertTrack, at_ms: int) -> None:
        alert.gone.add((event.person, event.channel))
        self._promises.unreachable.add((alert.alert_id, alert.round, event.person, event.channel))

    def _acknowledged(self, event: AlertAcknowledged, alert: AlertTrack, at_ms: int) -> None:
        if event.person in alert.acknowledged:
            self._broken("each_change_once", f"{alert.alert_id} answered twice by {event.person}")
        if (alert.case_id, event.person) not in self._world.staff.meant:
            self._broken("an_answer_is_a_persons_act", f"{alert.alert_id}: {event.person}")
        alert.acknowledged.add(event.person)
        self._promises.answered.setdefault((alert.alert_id, alert.round), set()).add(event.person)
        if not alert.answered:
            alert.answered, alert.held_ms, alert.held_by = True, at_ms, event.person

    def _declined(self, event: AlertDeclined, alert: AlertTrack, at_ms: int) -> None:
        if event.person in alert.declined:
            self._broken("each_change_once", f"{alert.alert_id} declined twice by {event.person}")
        alert.declined.add(event.person)
        self._promises.declined.add((alert.alert_id, alert.round, event.person))

    def _handed_over(self, event: AlertHandedOver, alert: AlertTrack, at_ms: int) -> None:
        alert.held_ms, alert.held_by = at_ms, event.to_person

    def _escalated(self, event: AlertEscalated, alert: AlertTrack, at_ms: int) -> None:
        name = f"{alert.alert_id} round {alert.round}"
        if alert.answered:
            self._broken("nobody_rung_after_an_answer", f"{name}: step {event.step}")
        if event.repeat:
            if not alert.exhausted or event.repeat != alert.repeats + 1:
                self._broken("repeats_once_in_order", f"{name}: {event.repeat} after {alert.repeats}")
            alert.repeats, alert.all_rung_ms = event.repeat, at_ms
            return
        if event.step != alert.step + 1 or alert.at_last_step:
            self._broken("steps_once_in_order", f"{name}: {event.step} after {alert.step}")
        else:
            due_ms = alert.began_ms + round(alert.plan[event.step].after_s * 1000)
            if at_ms < due_ms and not (alert.declined or alert.gone):
                self._broken("no_step_early", f"{name}: {event.step}")
        alert.step, alert.step_ms = event.step, at_ms

    def _exhausted(self, event: AlertExhausted, alert: AlertTrack, at_ms: int) -> None:
        if alert.answered or alert.exhausted:
            self._broken("nobody_rung_after_an_answer", f"{alert.alert_id}: exhausted")
        alert.exhausted, alert.all_rung_ms = True, at_ms
        self._world.staff.clinic_told(alert.case_id, alert.alert_id)

    # ------------------------------------------------------------ ECGs and acts

    def _ecg(self, event: Any, case_id: str, at_ms: int) -> None:
        ecg = self._promises.ecgs.get(event.ecg_id)
        if ecg is None:
            ecg = self._promises.ecgs[event.ecg_id] = EcgTrack(event.ecg_id, case_id)
            self._promises.ecgs_of.setdefault(case_id, []).append(ecg)
        match event:
            case StreamStarted():
                self._first_time("stream", event.stream_id)
                ecg.began_ms = at_ms
            case EcgReceived():
                self._first_time("received", event.sha256)
                ecg.began_ms = ecg.received_ms = at_ms
                self._world.agenda.after(20_000, self._world.clinics.read_again, event.ecg_id, case_id)
            case EcgAnalysed():
                self._first_time("analysed", event.ecg_id)
                ecg.analysed, ecg.tier, ecg.read_ms = True, event.tier, at_ms
            case ProvisionalReading():
                ecg.tier, ecg.read_ms = event.tier, at_ms
            case ReadingOverdue():
                self._first_time("overdue", event.ecg_id)
                ecg.overdue = True

    def _act(self, event: Any, case_id: str) -> None:
        for alert in self._promises.alerts_of.get(case_id, ()):
            about = not isinstance(event, ReadingSigned) or event.ecg_id in alert.ecg_ids
            alert.followed |= alert.answered and about
        match event:
            case ReadingSigned():
                self._promises.ecgs[event.ecg_id].signed = True
            case GreenChannelOpened():
                self._first_time("channel", event.channel_id)
                if case_id in self._open_channels:
                    self._broken("each_change_once", f"{case_id} opened twice")
                self._open_channels.add(case_id)
                mode = self._promises.book.cases[case_id].arrival_mode
                wanted = sorted(row.kind for row in templates() if row.exists_in(mode))
                if sorted(task.kind for task in event.tasks) != wanted or len(wanted) < 6:
                    self._broken("six_tasks_or_none", f"{case_id}: {len(event.tasks)}")
            case GreenChannelStoodDown():
                self._open_channels.discard(case_id)
                tasks = self._promises.book.cases[case_id].tasks
                if any(one.done_at is None and one.cancelled_at is None for one in tasks):
                    self._broken("six_tasks_or_none", f"{case_id} stood down in part")

    # ------------------------------------------------------------ a commit as a whole

    def commit(self, events: Sequence[Envelope], asked: Sequence[OutboxRow]) -> None:
        """All that must be so with the commit that makes it so."""
        rung: list[tuple[str, str, str]] = []
        touched: dict[str, AlertTrack] = {}
        for envelope in events:
            event = envelope.event
            if isinstance(event, AlertSent) and event.channel != LIVE:
                rung.append((event.alert_id, event.person, event.channel))
            elif isinstance(event, AlertAcknowledged):
                self._called_off(event.alert_id)
            elif isinstance(event, EcgAnalysed | ProvisionalReading) and event.tier in _PAGES:
                self._pages(envelope.case_id or "", event.ecg_id, event.tier)
            elif isinstance(event, AlertExhausted):
                if not any(row.kind == "exhausted" and row.alert_id == event.alert_id for row in asked):
                    self._broken("the_clinic_is_told", f"{event.alert_id}: no word is sent")
            elif isinstance(event, GreenChannelOpened | GreenChannelStoodDown):
                self._channel(event, envelope.case_id or "", asked)
            alert = self._promises.alerts.get(getattr(event, "alert_id", ""))
            if alert is not None:
                touched[alert.alert_id] = alert
        rows = [(row.alert_id or "", row.person, row.channel) for row in asked if row.kind == "alert"]
        if rows != rung and Counter(rows) != Counter(rung):
            self._broken("one_key_for_each_ring", f"rung {rung}, rows {rows}")
        for alert in touched.values():
            if not alert.answered and alert.at_last_step and not alert.exhausted:
                self._broken("the_clinic_is_told", alert.alert_id)
            folded = self._promises.book.cases[alert.case_id].alert_of(alert.alert_id)
            if folded is None or (folded.open, folded.round) != (not alert.answered, alert.round):
                self._broken("the_fold_agrees", alert.alert_id)

    def _channel(
        self, event: GreenChannelOpened | GreenChannelStoodDown, case_id: str, asked: Sequence[OutboxRow]
    ) -> None:
        case = self._promises.book.cases[case_id]
        opened = isinstance(event, GreenChannelOpened)
        kind = "green_channel" if opened else "stood_down"
        told = {
            self._world.house.role_of[row.person]
            for row in asked
            if row.kind == kind and row.facts["channel_id"] == event.channel_id
        }
        # Of the doctors not everybody has a channel beside the board.
        if not {task.role for task in case.tasks} <= told | {"cardiologist"}:
            self._broken("each_role_hears_of_the_channel", f"{event.channel_id}: {sorted(told)}")
        about = {event.channel_id} | {one.alert_id for one in case.alerts}
        planned = Counter(one.kind for one in case.followups if one.about in about)
        if not opened and not set(closed_loop.cancelled_kinds()) <= set(planned):
            self._broken("a_cancelled_alert_is_looked_at_again", event.channel_id)

    def _called_off(self, alert_id: str) -> None:
        store, alert = self._world.store, self._promises.alerts[alert_id]
        if not alert.answered:  # it rings anew, in the same commit
            return
        for key in store.of_alert.get(alert_id, ()):
            row = store.outbox[key]
            waits = row.state == "waiting" or (row.state == "sending" and not row.called_off)
            if row.kind == "alert" and waits:
                self._broken("nothing_sent_after_the_answer", key)

    def _pages(self, case_id: str, ecg_id: str, tier: str) -> None:
        covered = any(
            ecg_id in alert.ecg_ids and tier_rank(alert.tier) <= tier_rank(tier)
            for alert in self._promises.alerts_of.get(case_id, ())
        )
        if not covered:
            self._broken("each_ecg_that_pages_has_an_alert", f"{ecg_id} {tier}")
