"""The roster is looked at ahead: due times for the looks, what each finds, who is told.

A look is a due time like any other. It reads the roster as it is in its own transaction, compares it with what was said
before, and writes what is new; so a look that comes twice, late or after a restart says nothing twice.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec
import structlog
from sqlalchemy import Connection

from greenchannel.alerts.roster_edit import DutyShift, of_site
from greenchannel.alerts.roster_problems import (
    DAY_BEFORE,
    HOUR_BEFORE,
    Doubt,
    Problem,
    Reachable,
    checks,
    event_of,
    fold,
    judge,
    look_from,
    problems,
    watch_settings,
)
from greenchannel.clock import rfc3339
from greenchannel.store import roster_rows
from greenchannel.store.accounts import MAY_BE_ON_DUTY, SHIFT_ROLES, Shift, User
from greenchannel.store.deadlines import Deadline
from greenchannel.store.writer import Tx

logger = structlog.get_logger(__name__)

STREAM: Final = "roster"  # of the log
ROSTER_DAY_BEFORE: Final = "roster_day_before"  # kinds of due times
ROSTER_HOUR_BEFORE: Final = "roster_hour_before"
ROSTER_PLAN: Final = "roster_plan"
_KINDS: Final = {DAY_BEFORE: ROSTER_DAY_BEFORE, HOUR_BEFORE: ROSTER_HOUR_BEFORE}
_HEAD: Final = "head"
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


class RosterNotice(msgspec.Struct, frozen=True, kw_only=True):
    """What the head of duty and the administrators are told, without a word of any patient."""

    key: str  # the same notice has the same key
    kind: str  # "roster_in_doubt", "roster_doubt_gone"
    people: tuple[str, ...]
    facts: dict[str, Any]  # of `problem_json`, with a sentence in `zh` and `en`


Notify = Callable[[Tx, RosterNotice], None]


def tell_nobody(tx: Tx, notice: RosterNotice) -> None:
    """Where there is no delivery: the log of the process has it."""
    logger.warning(notice.kind, people=notice.people, **notice.facts)


def everybody(person: str, now: datetime) -> bool:
    """Reachable, as far as anybody knows."""
    return True


def look_soon(tx: Tx) -> None:
    """Have the service set its looks anew and look as soon as it runs: for commands beside it, which tell nobody."""
    tx.set_deadline(
        f"{ROSTER_PLAN}:changed:{rfc3339(tx.now)}",
        due_at=tx.now,
        kind=ROSTER_PLAN,
        stream=STREAM,
        payload=b"{}",
    )


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What is in doubt as of an instant: by the roster as it is, beside what was said of it."""

    problems: tuple[Problem, ...]
    doubts: tuple[Doubt, ...]  # said, and not gone by the log


class RosterWatch:
    """Sets the looks and does them. Its methods run within a command, or on a connection that reads."""

    def __init__(
        self,
        *,
        roles: Sequence[str] = SHIFT_ROLES,
        notify: Notify = tell_nobody,
        reachable: Reachable = everybody,
    ) -> None:
        """`roles` are those that the escalation needs."""
        self._roles = tuple(role for role in roles if role in SHIFT_ROLES)
        self.notify = notify
        self.reachable = reachable
        self.in_doubt = 0  # how much the newest look found; the metrics show it

    # ------------------------------------------------------------ due times

    def plan(self, tx: Tx) -> None:
        """Set the looks of the time ahead, take back those that the roster has no boundary for any more, and look.

        To be called at the start and in every command that changes the roster. What is already due is not set: the look
        that is done here comes before it.
        """
        wanted = {
            _check_id(_KINDS[check.kind], check.role, check.boundary): check
            for check in checks(self._shifts(tx.conn, tx.now, watch_settings().horizon), self._roles, tx.now)
        }
        for waiting in roster_rows.waiting_checks(tx.conn, tuple(_KINDS.values()), tx.now):
            if waiting not in wanted:
                tx.cancel_deadline(waiting)
        for id, check in wanted.items():
            payload = msgspec.json.encode({"role": check.role, "boundary": check.boundary})
            tx.set_deadline(id, due_at=check.due_at, kind=_KINDS[check.kind], stream=STREAM, payload=payload)
        self._plan_next(tx)
        self.look(tx)

    @staticmethod
    def _plan_next(tx: Tx) -> None:
        every = watch_settings().plan_every
        due_at = _EPOCH + every * ((tx.now - _EPOCH) // every + 1)
        tx.set_deadline(
            f"{ROSTER_PLAN}:{rfc3339(due_at)}", due_at=due_at, kind=ROSTER_PLAN, stream=STREAM, payload=b"{}"
        )

    def fire(self, tx: Tx, deadline: Deadline) -> None:
        """Do what is due, in the command that took it."""
        if deadline.kind == ROSTER_PLAN:
            self.plan(tx)
        else:
            self.look(tx)

    @property
    def handlers(self) -> dict[str, Callable[[Tx, Deadline], None]]:
        """For the duty, by kind of due time."""
        return dict.fromkeys((ROSTER_PLAN, *_KINDS.values()), self.fire)

    # ------------------------------------------------------------ looks

    def look(self, tx: Tx) -> None:
        """Say what is in doubt and was not said, and what was said and is gone."""
        view = self.view(tx.conn, tx.now)
        verdict = judge(view.problems, view.doubts, tx.now)
        self.in_doubt = _soon(view.problems, tx.now)
        events = [event_of(problem, check, tx.now) for problem, check in verdict.new]
        events += [event_of(doubt.problem, None, tx.now, gone=True) for doubt in verdict.gone]
        if not events:
            return
        tx.append(STREAM, events, actor="service")
        people = self._whom(tx.conn, tx.now)
        for problem, check in verdict.new:
            key = f"roster_in_doubt:{check}:{_name(problem)}"
            facts = problem_json(problem) | {"check": check} | sentence(problem)
            self.notify(tx, RosterNotice(key=key, kind="roster_in_doubt", people=people, facts=facts))
        for doubt in verdict.gone:
            key = f"roster_doubt_gone:{_name(doubt.problem)}:{rfc3339(tx.now)}"
            facts = problem_json(doubt.problem) | sentence(doubt.problem, gone=True)
            self.notify(tx, RosterNotice(key=key, kind="roster_doubt_gone", people=people, facts=facts))

    def view(self, connection: Connection, now: datetime) -> View:
        """What is in doubt now, from the rows and the log of one transaction."""
        doubts = fold(roster_rows.doubts(connection, STREAM), now)
        start, end = look_from(doubts, now), now + watch_settings().horizon
        return View(problems=tuple(self.found(connection, start, end, now)), doubts=tuple(doubts))

    def found(self, connection: Connection, start: datetime, end: datetime, now: datetime) -> list[Problem]:
        """Everything in doubt between two instants by the roster as it is, whatever was said."""
        people, clinics = roster_rows.people(connection), roster_rows.clinics(connection)
        shifts = [duty_shift(row) for row in roster_rows.between(connection, start, end)]
        absent = {
            one.person
            for one in shifts
            if not answers(people.get(one.person), clinics if one.site is None else (one.site,))
        }
        return problems(
            shifts,
            self._roles,
            clinics,
            start,
            end,
            disabled=absent,
            reachable=self.reachable,
            now=now,
        )

    def refresh(self, connection: Connection, now: datetime) -> None:
        """Count anew what is in doubt: the roster may have been changed by another process."""
        found = self.found(connection, now, now + watch_settings().day_before, now)
        self.in_doubt = len(found)

    @staticmethod
    def _shifts(connection: Connection, now: datetime, ahead: timedelta) -> list[DutyShift]:
        return [
            duty_shift(row)
            for row in roster_rows.between(connection, now, now + ahead + timedelta(seconds=1))
        ]

    def _whom(self, connection: Connection, now: datetime) -> tuple[str, ...]:
        """The network's head of duty of now, then the administrators; people who are disabled are told nothing."""
        people = roster_rows.people(connection)
        shifts = of_site(self._shifts(connection, now, timedelta(0)), None, now)
        heads = [one.person for one in shifts if one.role == _HEAD and one.start <= now < one.end]
        admins = [id for id, one in sorted(people.items()) if one.role == "admin"]
        told = dict.fromkeys((*heads, *admins))
        return tuple(id for id in told if id in people and not people[id].disabled)


def answers(person: User | None, sites: Collection[str]) -> bool:
    """Whether alerts of all these sites may ring a person: who is disabled, has another role since the shift was
    entered, or does not see a site could not answer."""
    return (
        person is not None
        and not person.disabled
        and person.role in MAY_BE_ON_DUTY
        and (person.sites is None or person.sites.issuperset(sites))
    )


def duty_shift(row: Shift) -> DutyShift:
    """A row of the roster as the cores take it."""
    return DutyShift(
        id=row.id,
        role=row.role,
        person=row.person,
        start=row.starts_at,
        end=row.ends_at,
        site=row.site,
        uid=row.uid,
        occurrence=row.occurrence,
        instead_of=row.instead_of,
        replaced_by=row.replaced_by,
    )


def row_of(shift: DutyShift) -> Shift:
    """A shift as a row of the roster."""
    return Shift(
        id=shift.id,
        role=shift.role,
        person=shift.person,
        starts_at=shift.start,
        ends_at=shift.end,
        site=shift.site,
        uid=shift.uid,
        occurrence=shift.occurrence,
        instead_of=shift.instead_of,
        replaced_by=shift.replaced_by,
    )


def problem_json(problem: Problem) -> dict[str, Any]:
    """A problem as the interface says it."""
    return {
        "role": problem.role,
        "site": problem.site,
        "problem": problem.problem,
        "person": problem.person,
        "from": rfc3339(problem.start),
        "to": rfc3339(problem.end),
    }


_WORDS: Final = {
    "empty": ("无人值班", "nobody is on duty"),
    "disabled": (
        "值班人账号已停用或无权应答",
        "the person on duty is disabled or may not answer alerts",
    ),
    "unreachable": ("值班人联系不上", "the person on duty cannot be reached"),
}


def sentence(problem: Problem, *, gone: bool = False) -> dict[str, str]:
    """What is wrong, or no longer wrong, in both languages; people go by their ids."""
    zh, en = _WORDS.get(problem.problem, (problem.problem, problem.problem))
    place = problem.site or ""
    who = f" {problem.person}" if problem.person else ""
    span = f"{rfc3339(problem.start)} – {rfc3339(problem.end)}"
    over_zh, over_en = ("已解决：", "no longer so: ") if gone else ("", "")
    return {
        "zh": f"{over_zh}{place}{'：' if place else ''}{problem.role}{who} {zh}，{span}",
        "en": f"{over_en}{place}{': ' if place else ''}{problem.role}{who}: {en}, {span}",
    }


def _soon(found: Sequence[Problem], now: datetime) -> int:
    """How many of the problems begin within a day."""
    return sum(one.end > now and one.start <= now + watch_settings().day_before for one in found)


def _check_id(kind: str, role: str, boundary: datetime) -> str:
    return f"{kind}:{role}:{boundary.astimezone(UTC).isoformat()}"


def _name(problem: Problem) -> str:
    parts = (problem.role, problem.site or "*", problem.problem, problem.person or "*")
    return ":".join((*parts, problem.start.astimezone(UTC).isoformat()))
