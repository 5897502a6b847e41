"""The promises that are judged when the day is over, and at each look of the auditor."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from greenchannel.alerts import closed_loop
from greenchannel.alerts.auditor import audit
from greenchannel.alerts.case import Case
from greenchannel.alerts.channels import WEBPUSH, channels
from greenchannel.alerts.escalation_plan import default_settings
from greenchannel.events import case_stream
from greenchannel.store.outbox_rows import OutboxRow
from tests.simulation.agenda import SECOND, instant, ms_of
from tests.simulation.in_memory import fold_anew
from tests.simulation.tracks import Owed

if TYPE_CHECKING:
    from tests.simulation.world import World

_FOLDED_ANEW: Final = 0.3  # the share of cases that are folded once more from their beginning
# What the auditor calls what is owed. Of a step, and of the end of the plan, either is right.
_CALLED: Final = {
    "each_step_in_its_time": ("step", "exhaustion"),
    "an_exhausted_alert_rings_on": ("repeat",),
    "a_question_follows_an_idle_answer": ("follow_up",),
    "an_unread_ecg_rings": ("reading",),
    "each_ecg_is_read": ("analysis",),
}


# ---------------------------------------------------------------- the auditor


def auditor_looks(world: "World") -> None:
    """One look by the real auditor's core, held against what is owed; and at the books of those who live."""
    _books(world)
    promises, now_ms = world.promises, world.agenda.now_ms
    unsettled = [
        case
        for case in promises.book.cases.values()
        if case.state == "open" or (case.alert is not None and case.alert.open)
    ]
    grace_ms = round(default_settings().grace_s * SECOND)
    said = {(one.case_id, one.kind): one for one in audit(unsettled, instant(now_ms), default_settings())}
    for case in unsettled:
        late = {
            kind
            for one in promises.owed(case.case_id).values()
            if now_ms - one.due_ms > grace_ms and _audited(world, one)
            for kind in _CALLED[one.promise][:1]
        }
        for kind in sorted(late):
            if (case.case_id, kind) not in said:
                promises.broken("the_auditor_speaks", f"{case.case_id}: {kind}")
    for (case_id, kind), one in said.items():
        owed = promises.owed(case_id).values()
        explained = [o for o in owed if kind in _CALLED.get(o.promise, ()) and now_ms - o.due_ms > grace_ms]
        if not explained:
            promises.broken("the_auditor_is_silent", f"{case_id}: {kind}, {one.late_s} s late")
        if not explained or all(
            world.able.since_ms(o.due_ms, serving=o.serving) > o.grace_ms for o in explained
        ):
            promises.spoke[kind] += 1


def _audited(world: "World", one: Owed) -> bool:
    """A stream that still runs, and a board that is silent, are none of the auditor's."""
    if one.promise not in _CALLED:
        return False
    ecg = world.promises.ecgs.get(one.what)
    return ecg is None or ecg.received_ms is not None


# ---------------------------------------------------------------- the end of the day


def reckon(world: "World") -> None:
    """All that must be so when everything has come to its end."""
    auditor_looks(world)
    _cases(world)
    for row in world.store.outbox.values():
        _delivery(world, row)
    for ring, times in world.network.shown.items():
        if times > world.promises.sent[ring]:
            world.promises.broken(
                "shown_once", f"{ring}: {times} times, rung {world.promises.sent[ring]} times"
            )


def _cases(world: "World") -> None:
    promises = world.promises
    for case in promises.book.cases.values():
        anew = world.dice.chance(_FOLDED_ANEW)
        if anew and fold_anew(world.store.streams[case_stream(case.case_id)]) != case:
            promises.broken("folded_one_by_one_as_all", case.case_id)
        _uploads(world, case)
    behind = [one.name for one in world.processes if one.up and one.book.seq != promises.book.seq]
    if behind:
        promises.broken("books_agree", f"{behind} do not know the end of the log")


def _books(world: "World") -> None:
    """Who knows of all events has the cases that follow from them."""
    promises = world.promises
    for process in world.processes:
        same_end = process.up and process.book.seq == promises.book.seq
        if same_end and process.book.cases != promises.book.cases:
            promises.broken("books_agree", process.name)


def _uploads(world: "World", case: Case) -> None:
    listed = {one.about for one in case.followups}
    for ecg in closed_loop.unanswered(case):
        assert ecg.received_at is not None
        due_ms = ms_of(ecg.received_at) + 24 * 3600 * SECOND
        if ecg.ecg_id not in listed and due_ms + 5 * SECOND < world.agenda.now_ms:
            world.promises.broken("uploads_are_answered_or_overdue", ecg.ecg_id)


def _delivery(world: "World", row: OutboxRow) -> None:
    promises, network = world.promises, world.network
    if row.ended_at is None:
        promises.broken("delivered_or_given_up", f"{row.key} has not ended")
    if row.kind != "alert":
        return
    alert_id, round = row.alert_id or "", int(row.facts["round"])
    moved_on = promises.alerts[alert_id].round > round
    answered = promises.answered.get((alert_id, round))
    ring = alert_id, round, row.person, row.channel
    match row.state:
        case "sent":
            good = row.key in network.came or row.key in network.swallowed
        case "given_up":
            good = ring in promises.unreachable or moved_on
        case _:
            good = answered is not None or moved_on or (alert_id, round, row.person) in promises.declined
    if not good:
        promises.broken("delivered_or_given_up", f"{row.key} is {row.state}")
    has_it = row.state == "sent" and row.key in network.came and channels()[row.channel].stop
    wanted = answered is not None and (row.person not in answered or row.channel == WEBPUSH)
    end = f"{alert_id}:{round}:stop:{row.person}:{row.channel}"
    if has_it and wanted and end not in world.store.outbox:
        promises.broken("those_rung_hear_the_end", row.key)


def names(violations: Iterable[tuple[str, str]]) -> list[str]:
    """Which promises were broken, the first first."""
    return list(dict.fromkeys(name for name, _ in violations))
