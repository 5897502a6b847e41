"""Bugs to be found: each a small change of the product, and what should notice it."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final
from unittest import mock

import msgspec

from greenchannel.alerts import (
    alert_commands,
    alert_deadlines,
    alert_state,
    auditor,
    channel_commands,
    closed_loop,
    commands,
    delivery,
    escalation,
)
from greenchannel.alerts import case as case_fold
from greenchannel.alerts.ecg_state import fold_ecgs
from greenchannel.alerts.escalation_table import Action, Phase
from greenchannel.events import AlertAcknowledged, AlertRearmed, AlertSent
from greenchannel.service.casework import Casework
from greenchannel.service.delivery_results import DeliveryResults
from greenchannel.service.following import Following
from greenchannel.service.outbox import Outbox, alert_facts
from greenchannel.service.receipts import Receipts
from tests.simulation import memory_rows
from tests.simulation.memory_store import MemoryTx

Plant = Callable[[], AbstractContextManager[Any]]


@dataclass(frozen=True, kw_only=True)
class Bug:
    """One bug, and which of the promises it must break."""

    plant: Plant
    breaks: tuple[str, ...]  # one of these is enough
    auditor_says: str | None = None  # what the auditor must have said on the way


def _instead(place: Any, name: str, wrap: Callable[[Any], Any]) -> Plant:
    """Put what `wrap` makes of the real thing in its place."""
    return lambda: mock.patch.object(place, name, wrap(getattr(place, name)))


def _nothing(*args: Any, **more: Any) -> list[Any]:
    return []


def _no_end(*args: Any, **more: Any) -> None:
    return None


# ---------------------------------------------------------------- steps and due times


def _skips(real: Any) -> Any:
    """The step that is due is passed over, the one after it is taken."""

    def take_steps(alert: Any, to_step: int, now: Any = ()) -> Any:
        last = len(alert.plan) - 1
        if to_step == last:
            return real(alert, to_step, now)
        return [event for event in real(alert, to_step + 1, now) if getattr(event, "step", None) != to_step]

    return take_steps


def _forgets_first(real: Any) -> Any:
    return lambda envelope, alert: [
        one for one in real(envelope, alert) if one.kind != alert_deadlines.STEP or one.payload["step"] != 1
    ]


def _hurries(real: Any) -> Any:
    def of_round(envelope: Any, alert: Any) -> Any:
        return [
            msgspec.structs.replace(one, due_at=one.due_at - timedelta(seconds=20))
            if one.kind == alert_deadlines.STEP
            else one
            for one in real(envelope, alert)
        ]

    return of_round


def _takes_again(real: Any) -> Any:
    def take_deadline(self: MemoryTx, id: str, due_by: Any = None) -> Any:
        self.store.taken.pop(id, None)
        return real(self, id, due_by)

    return take_deadline


def _keeps_round(real: Any) -> Any:
    def rearm(alert: Any, plan: Any, **more: Any) -> Any:
        return [
            msgspec.structs.replace(event, round=alert.round) if isinstance(event, AlertRearmed) else event
            for event in real(alert, plan, **more)
        ]

    return rearm


def _counts_twice(real: Any) -> Any:
    def again(alert: Any, plan: Any) -> Any:
        first, *sends = real(alert, plan)
        return [msgspec.structs.replace(first, repeat=first.repeat + 1), *sends]

    return again


def _loses(real: Any) -> Any:
    """The reading of a later ECG of a case is not written."""
    return lambda case, reading, **more: [] if case.alert is not None else real(case, reading, **more)


def _tells_nobody(real: Any) -> Any:
    return lambda decided, doing: real(decided, {**doing, Action.TELL_CLINIC: list})


def _rings_decliners(real: Any) -> Any:
    def steps(alert: Any, to_step: int, declined: Any, now: Any = ()) -> Any:
        people = tuple(msgspec.structs.replace(one, declined_at=None) for one in alert.people)
        return real(msgspec.structs.replace(alert, people=people), to_step, frozenset(), now)

    return steps


# ---------------------------------------------------------------- answers and readings


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    rows = {
        key: to for key, to in alert_state.TRANSITIONS.items() if key != (Phase.RINGING, AlertAcknowledged)
    }
    with mock.patch.object(alert_state, "TRANSITIONS", rows):
        yield


def _mild(real: Any) -> Any:
    return lambda case, **more: [] if more["tier"] == "CRIT" else real(case, **more)


def _always(real: Any) -> Any:
    return lambda case, tier, settings=None: tier in settings.paging_tiers


def _takes_receipt_for_answer(real: Any) -> Any:
    return lambda self, tx, row, status: real(self, tx, row, "answered" if status == "delivered" else status)


def _half(real: Any) -> Any:
    return lambda channel_id, mode: real(channel_id, mode)[:3]


@contextlib.contextmanager
def _believes_its_book() -> Iterator[None]:
    """Decides on the warm copy, and does not look at the version when it writes."""
    real_current, real_append = Casework.current, MemoryTx.append

    def current(self: Casework, tx: Any, case_id: str) -> Any:
        return self.book.cases.get(case_id) or real_current(self, tx, case_id)

    def append(self: MemoryTx, stream: str, events: Any, *, actor: str, expected_version: Any = None) -> Any:
        return real_append(self, stream, events, actor=actor)

    with mock.patch.object(Casework, "current", current), mock.patch.object(MemoryTx, "append", append):
        yield


@contextlib.contextmanager
def _forgetful_fold() -> Iterator[None]:
    """What an event makes of a case hangs on how many came before, of whatever case."""
    real, calls = fold_ecgs, 0

    def forgetful(ecgs: Any, envelope: Any) -> Any:
        nonlocal calls
        calls += 1
        return ecgs if ecgs and calls % 7 == 0 else real(ecgs, envelope)

    with mock.patch.object(case_fold, "fold_ecgs", forgetful):
        yield


def _sees_no_gap(real: Any) -> Any:
    def committed(self: Any, envelopes: Any) -> None:
        self._hub.post(self._book.apply(envelopes))

    return committed


# ---------------------------------------------------------------- deliveries


def _key_without_step(real: Any) -> Any:
    def alert(self: Any, tx: Any, sent: Any, case: Any) -> None:
        facts = alert_facts(case, sent.alert_id) | {"step": sent.step}
        key = f"{sent.alert_id}:{sent.person}:{sent.channel}"
        self.notice(tx, key=key, person=sent.person, channel=sent.channel, kind="alert", facts=facts)

    return alert


def _two_keys(real: Any) -> Any:
    def alert(self: Any, tx: Any, sent: Any, case: Any) -> None:
        real(self, tx, sent, case)
        facts = alert_facts(case, sent.alert_id) | {"step": sent.step}
        key = f"{sent.alert_id}:{tx.now.isoformat()}:{sent.person}:{sent.channel}"
        self.notice(tx, key=key, person=sent.person, channel=sent.channel, kind="alert", facts=facts)

    return alert


@contextlib.contextmanager
def _rows_later() -> Iterator[None]:
    """A ring's row is written with the next command, not with its own."""
    real, waiting = Outbox.on_write, list[Any]()

    def on_write(self: Outbox, tx: Any, envelope: Any, case: Any) -> None:
        for earlier in tuple(waiting):
            if earlier[0].at < tx.now:
                waiting.remove(earlier)
                real(self, tx, *earlier)
        if isinstance(envelope.event, AlertSent):
            waiting.append((envelope, case))
        else:
            real(self, tx, envelope, case)

    with mock.patch.object(Outbox, "on_write", on_write):
        yield


def _without_fence(real: Any) -> Any:
    return lambda item, fence, outcome, now: real(item, item.fence, outcome, now)


def _early(real: Any) -> Any:
    return lambda kind, case, due_at, now, **more: real(
        kind, case, due_at - timedelta(minutes=5), now, **more
    )


_of = partial(_instead, alert_deadlines)

BUGS: Final[dict[str, Bug]] = {
    "a step is skipped": Bug(plant=_of("take_steps", _skips), breaks=("steps_once_in_order",)),
    "a due time is not set": Bug(
        plant=_of("_of_round", _forgets_first), breaks=("each_step_in_its_time",), auditor_says="step"
    ),
    "steps come early": Bug(plant=_of("_of_round", _hurries), breaks=("no_step_early",)),
    "a due time is taken twice": Bug(
        plant=_instead(MemoryTx, "take_deadline", _takes_again), breaks=("each_due_time_taken_once",)
    ),
    "an answer is ignored": Bug(plant=_deaf, breaks=("the_fold_agrees", "nobody_rung_after_an_answer")),
    "the question is forgotten": Bug(
        plant=_of("_nothing_followed", lambda real: _nothing),
        breaks=("a_question_follows_an_idle_answer",),
        auditor_says="follow_up",
    ),
    "a round is not counted": Bug(plant=_of("rearm", _keeps_round), breaks=("rounds_in_order",)),
    "a decline rings the same person": Bug(
        plant=_instead(escalation, "_steps", _rings_decliners), breaks=("nobody_rung_who_declined",)
    ),
    "the clinic is not told": Bug(
        plant=_instead(escalation, "_act", _tells_nobody),
        breaks=("the_clinic_is_told",),
        auditor_says="exhaustion",
    ),
    "no repeat is set": Bug(
        plant=_of("_of_repeat", lambda real: _nothing),
        breaks=("an_exhausted_alert_rings_on",),
        auditor_says="repeat",
    ),
    "a repeat is counted twice": Bug(
        plant=_of("ring_all_again", _counts_twice), breaks=("repeats_once_in_order",)
    ),
    "a reading is lost": Bug(
        plant=_instead(commands, "analysed", _loses), breaks=("each_ecg_is_read",), auditor_says="analysis"
    ),
    "the worklist never rings": Bug(
        plant=_of("_of_reading", lambda real: _nothing),
        breaks=("an_unread_ecg_rings",),
        auditor_says="reading",
    ),
    "silent boards are believed": Bug(
        plant=_of("_no_receipt", lambda real: _nothing), breaks=("a_silent_board_is_noticed",)
    ),
    "a second alert while one waits": Bug(
        plant=_instead(escalation, "should_alert", _always), breaks=("one_alert_waits_at_most",)
    ),
    "a critical value does not ring": Bug(
        plant=_instead(alert_commands, "call", _mild),
        breaks=("each_ecg_that_pages_has_an_alert",),
        auditor_says="alert",
    ),
    "an answer is written twice": Bug(
        plant=_instead(alert_state.Alert, "has_answered", lambda real: lambda self, person: False),
        breaks=("each_change_once",),
    ),
    "a receipt is taken for an answer": Bug(
        plant=_instead(Receipts, "_apply", _takes_receipt_for_answer), breaks=("an_answer_is_a_persons_act",)
    ),
    "a stale book decides": Bug(
        plant=_believes_its_book,
        breaks=(
            "each_change_once",
            "nobody_rung_after_an_answer",
            "steps_once_in_order",
            "six_tasks_or_none",
        ),
    ),
    "half a green channel": Bug(
        plant=_instead(channel_commands, "tasks_of", _half), breaks=("six_tasks_or_none",)
    ),
    "roles hear nothing of the channel": Bug(
        plant=_instead(Outbox, "_people", lambda real: _nothing), breaks=("each_role_hears_of_the_channel",)
    ),
    "a stand-down ends it all": Bug(
        plant=_instead(closed_loop, "_plan", lambda real: _nothing),
        breaks=("a_cancelled_alert_is_looked_at_again",),
    ),
    "unanswered uploads are not listed": Bug(
        plant=_instead(closed_loop, "on_due", lambda real: _nothing),
        breaks=("uploads_are_answered_or_overdue",),
    ),
    "a fold that is not pure": Bug(
        plant=_forgetful_fold, breaks=("folded_one_by_one_as_all", "no_command_fails", "books_agree")
    ),
    "a book with a gap": Bug(plant=_instead(Following, "committed", _sees_no_gap), breaks=("books_agree",)),
    "a key without its step": Bug(
        plant=_instead(Outbox, "_alert", _key_without_step), breaks=("one_key_for_each_ring",)
    ),
    "two keys for one ring": Bug(
        plant=_instead(Outbox, "_alert", _two_keys), breaks=("one_key_for_each_ring", "shown_once")
    ),
    "a row that is not in the commit": Bug(plant=_rows_later, breaks=("one_key_for_each_ring",)),
    "a lease without a fence": Bug(
        plant=_instead(delivery, "finish", _without_fence), breaks=("newest_attempt_speaks",)
    ),
    "a lease that is not renewed": Bug(
        plant=_instead(memory_rows, "renew", lambda real: _no_end), breaks=("a_lease_is_kept",)
    ),
    "an answer calls nothing off": Bug(
        plant=_instead(Outbox, "_answered", lambda real: _no_end), breaks=("nothing_sent_after_the_answer",)
    ),
    "the end is not said": Bug(
        plant=_instead(Outbox, "say_over", lambda real: _no_end), breaks=("those_rung_hear_the_end",)
    ),
    "giving up is not told": Bug(
        plant=_instead(DeliveryResults, "unreachable", lambda real: _no_end),
        breaks=("delivered_or_given_up",),
    ),
    "the auditor is blind": Bug(
        plant=_instead(auditor, "audit_alert", lambda real: _nothing), breaks=("the_auditor_speaks",)
    ),
    "the auditor cries wolf": Bug(
        plant=_instead(auditor, "_missed", _early), breaks=("the_auditor_is_silent",)
    ),
}
