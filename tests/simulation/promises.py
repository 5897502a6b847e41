"""What the service promises, held against what it does: after each commit, when something was due, when processes die.

Each promise has a name; `PROMISES` lists them all. What is due is reckoned from the events alone (`tracks.py`).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from greenchannel.alerts.case import Case
from greenchannel.alerts.delivery import Item
from greenchannel.alerts.refusal import Refused
from greenchannel.events import Envelope
from greenchannel.service.book import CaseBook
from greenchannel.service.errors import ServiceError
from greenchannel.store.errors import CommitFailed
from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation.agenda import SECOND
from tests.simulation.tracks import GRACE_MS, AlertTrack, EcgTrack, Owed
from tests.simulation.watching import Watching

if TYPE_CHECKING:
    from tests.simulation.process import Process
    from tests.simulation.world import World

PROMISES: Final = {
    # of alerts
    "each_ecg_that_pages_has_an_alert": "an ECG of a paging tier is part of an alert from the same commit on",
    "each_step_in_its_time": "an open alert is answered, or its next step taken, within its time and 5 s",
    "steps_once_in_order": "each step of a round is taken once, after the one before",
    "no_step_early": "a step comes before its time only where somebody declined or cannot be reached",
    "repeats_once_in_order": "everybody is rung again after exhaustion, each time once",
    "rounds_in_order": "rounds are counted, one by one",
    "nobody_rung_after_an_answer": "no ring, step or end of the plan after an answer in the round",
    "nobody_rung_who_declined": "no step rings who has declined in the round",
    "one_alert_waits_at_most": "a case has one open alert at most",
    "an_exhausted_alert_rings_on": "where everybody was called, everybody is called again in time",
    "the_clinic_is_told": "with the last step the clinic is told, and sent word, in the same commit",
    "a_question_follows_an_idle_answer": "an answer that nothing followed is asked again in time",
    "an_unread_ecg_rings": "an ECG that waited too long in the worklist is said to, in time",
    "each_ecg_is_read": "what was received is read, whatever is killed",
    "a_silent_board_is_noticed": "a board that does not say it has the ring is given up in time",
    "an_answer_is_a_persons_act": "nobody is written down as having answered who did nothing of the kind",
    # of changes
    "each_change_once": "what people and devices say is written once, however often it is sent",
    "each_due_time_taken_once": "a due time is taken by one command alone",
    "six_tasks_or_none": "a green channel opens with all tasks of its arrival mode, and is stood down with all",
    "each_role_hears_of_the_channel": "with its opening, and with its end, each role is sent word, in the same commit",
    "a_cancelled_alert_is_looked_at_again": "a stand-down plans its follow-ups, in the same commit",
    "the_fold_agrees": "the folded case says of its alerts what the events say",
    "folded_one_by_one_as_all": "a case folded as it grew is the case folded at once",
    "books_agree": "each process that lives ends on the book of the log",
    "uploads_are_answered_or_overdue": "a day later each upload has an answer, or is on the list",
    "no_command_fails": "no decision ends in an error but for a refusal",
    # of deliveries
    "one_key_for_each_ring": "each ring but the board's own has one new row of the outbox, in the same commit",
    "nothing_sent_after_the_answer": "with an answer all that waits is called off, in the same commit",
    "delivered_or_given_up": "each ring came to its receiver, or the case knows that it did not, or it was called off",
    "shown_once": "no ring is shown twice by a receiver that keeps keys",
    "those_rung_hear_the_end": "who has a message on a channel that takes it back hears that it is over",
    "newest_attempt_speaks": "an attempt that another has taken over changes nothing",
    "a_lease_is_kept": "an attempt is not taken over from a process that lives and renews",
    # of the auditor
    "the_auditor_is_silent": "it says nothing while nothing is overdue",
    "the_auditor_speaks": "it says all that is overdue",
}


@dataclass
class Kill:
    """A process was killed while alerts that must be acted on were open."""

    where: str
    alerts: tuple[str, ...]
    waits: set[str] = field(default_factory=set)  # which are still to be judged
    kept: bool = True


class Promises:
    """The judge. It sees all that is committed, and no state of any process."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.book = CaseBook()
        self.alerts: dict[str, AlertTrack] = {}
        self.ecgs: dict[str, EcgTrack] = {}
        self.alerts_of: dict[str, list[AlertTrack]] = {}  # case → oldest first
        self.ecgs_of: dict[str, list[EcgTrack]] = {}
        self.answered: dict[tuple[str, int], set[str]] = {}  # alert and round → by whom
        self.declined: set[tuple[str, int, str]] = set()  # alert, round, person
        self.unreachable: set[tuple[str, int, str, str]] = set()  # alert, round, person, channel
        self.sent: Counter[tuple[str, int, int, str, str]] = Counter()  # alert, round, step, person, channel
        self.violations: list[tuple[str, str]] = []
        self.spoke: Counter[str] = Counter()  # what the auditor said that no outage explains
        self.kills: list[Kill] = []  # with an open ACT alert
        self.all_kills = 0
        self._unjudged: list[Kill] = []
        self._owed: dict[str, dict[tuple[str, str], Owed]] = {}  # case → what is owed
        self._owners: dict[tuple[str, int], tuple[Process, int]] = {}  # key and fence → process and its life
        self._watching = Watching(self)

    def broken(self, promise: str, what: str) -> None:
        """A promise is not kept."""
        assert promise in PROMISES, promise
        self.world.history.note(f"BROKEN {promise}: {what}")
        self.violations.append((promise, what))

    # ------------------------------------------------------------ what is committed

    def committed(self, events: Sequence[Envelope], asked: Sequence[OutboxRow]) -> None:
        """A commit has been made."""
        self.book.apply(events)
        cases = dict.fromkeys(one.case_id for one in events if one.case_id is not None)
        for envelope in events:
            self._watching.event(envelope)
        self._watching.commit(events, asked)
        for case_id in cases:
            self._owe(self.book.cases[case_id])
        if self.world.store.twice:
            self.broken("each_due_time_taken_once", ", ".join(self.world.store.twice))
            self.world.store.twice.clear()

    def ended(self, error: BaseException | None) -> None:
        """A command ended, perhaps with an error."""
        if error is not None and not isinstance(error, Refused | ServiceError | CommitFailed):
            self.broken("no_command_fails", repr(error))

    def folded_book(self) -> CaseBook:
        """What a start makes of the log: all cases, as they were folded here event by event."""
        copy = CaseBook()
        copy.seq = self.book.seq
        copy.cases = dict(self.book.cases)
        copy._case_of = dict(self.book._case_of)
        copy.streams = dict(self.book.streams)
        return copy

    def unread(self) -> list[tuple[str, str]]:
        """ECGs that were received and not read, and their cases."""
        return [
            (one.ecg_id, one.case_id)
            for one in self.ecgs.values()
            if one.received_ms is not None and not one.analysed
        ]

    # ------------------------------------------------------------ what is owed

    def _owe(self, case: Case) -> None:
        """What has to happen next in a case; what is new is looked at when its time is over."""
        is_open, found = case.state == "open", dict[tuple[str, str], Owed]()
        alerts = self.alerts_of.get(case.case_id, [])
        for alert in alerts:
            for one in alert.owed(newest=alert is alerts[-1], case_open=is_open):
                found[one.promise, one.what] = one
        for ecg in self.ecgs_of.get(case.case_id, ()):
            for one in ecg.owed(case_open=is_open):
                found[one.promise, one.what] = one
        before = self._owed.get(case.case_id, {})
        self._owed[case.case_id] = found
        for key, one in found.items():
            if before.get(key) != one:
                self.world.agenda.at(one.due_ms + one.grace_ms, self._judge, case.case_id, one)

    def owed(self, case_id: str) -> dict[tuple[str, str], Owed]:
        """What is owed in a case now."""
        return self._owed.get(case_id, {})

    def _judge(self, case_id: str, one: Owed) -> None:
        if self.owed(case_id).get((one.promise, one.what)) != one:
            return
        left_ms = self._left_ms(one)
        if left_ms > 0:
            self.world.agenda.after(left_ms, self._judge, case_id, one)
        else:
            late_ms = self.world.agenda.now_ms - one.due_ms
            self.broken(one.promise, f"{case_id}: {one.what}, {late_ms} ms after its time")

    def _left_ms(self, one: Owed) -> int:
        """How much of its time is left, counted while somebody could act; where nobody can, look again soon."""
        left_ms = one.grace_ms - self.world.able.since_ms(one.due_ms, serving=one.serving)
        if left_ms > 0 and not self.world.able.now:
            return max(left_ms, SECOND)
        return left_ms

    # ------------------------------------------------------------ kills

    def killed(self, where: str) -> None:
        """A process was killed just now."""
        self.all_kills += 1
        waiting = tuple(
            one.alert_id for one in self.alerts.values() if one.tier == "ACT" and not one.answered
        )
        if waiting:
            kill = Kill(where=where, alerts=waiting)
            self.kills.append(kill)
            self._unjudged.append(kill)

    def started(self) -> None:
        """A process is up again: each alert that was open when one was killed is due at its time, or now."""
        now_ms = self.world.agenda.now_ms
        for kill in self._unjudged:
            for alert_id in kill.alerts:
                one = self._next_ring(alert_id)
                if one is not None:
                    kill.waits.add(alert_id)
                    at_ms = max(one.due_ms, now_ms) + GRACE_MS
                    self.world.agenda.at(at_ms, self._judge_kill, kill, alert_id, one)
        self._unjudged.clear()

    def _next_ring(self, alert_id: str) -> Owed | None:
        """The step or repeat that an alert is owed; None where it was answered."""
        alert = self.alerts[alert_id]
        return None if alert.answered else next(alert.owed(newest=True, case_open=True), None)

    def _judge_kill(self, kill: Kill, alert_id: str, one: Owed) -> None:
        if self._next_ring(alert_id) == one:
            left_ms = self._left_ms(one)
            if left_ms > 0:
                self.world.agenda.after(left_ms, self._judge_kill, kill, alert_id, one)
                return
            kill.kept = False
        kill.waits.discard(alert_id)

    # ------------------------------------------------------------ deliveries

    def took(self, process: "Process", row: OutboxRow, item: Item) -> None:
        """A process has begun an attempt."""
        world = self.world
        owner, life = self._owners.get((row.key, item.fence - 1), (None, 0))
        self._owners[row.key, item.fence] = process, process.life
        if row.state != "sending" or owner is None or owner.life != life:
            return
        lately_ms = world.agenda.now_ms - 12 * SECOND
        troubled_ms = max(
            world.weather.flaky_until_ms, world.weather.slow_until_ms
        )  # a renewal may fail, too
        steady = troubled_ms < lately_ms and world.able.since_ms(lately_ms) == 12 * SECOND
        held = owner.deliveries._under_way.get(row.key) == item.fence - 1
        if held and steady and owner.frozen_until_ms < lately_ms:
            self.broken("a_lease_is_kept", f"{row.key} taken from {owner.name} by {process.name}")
