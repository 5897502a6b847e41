"""What people answer: to alerts, to tasks, to ECGs and cases; one method each, each one decision on one case."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from greenchannel.alerts import alert_commands, commands, facts, outcome_card
from greenchannel.alerts.case import Case
from greenchannel.events import AnyEvent, ClockReading
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.corrections import Corrections
from greenchannel.service.errors import Conflict, Forbidden, NotFound
from greenchannel.service.ids import new_id
from greenchannel.service.watch import Watch
from greenchannel.store.accounts import MAY_BE_ON_DUTY, Accounts
from greenchannel.store.writer import Tx, Writer


class Answers:
    """The acts of people. Each returns the case as it is after the act, and raises `NotFound` for what is not there."""

    def __init__(
        self,
        *,
        book: CaseBook,
        casework: Casework,
        writer: Writer,
        accounts: Accounts,
        corrections: Corrections,
        watch: Watch,
    ) -> None:
        self._book = book
        self._casework = casework
        self._writer = writer
        self._accounts = accounts
        self._corrections = corrections
        self._watch = watch
        self.before_act: Callable[[str, str], None] | None = None
        """Told of each act of a person before its time is taken: (act, case id). The demo's story clock listens."""

    def _case(self, case_id: str) -> Case:
        case = self._book.cases.get(case_id)
        if case is None:
            raise NotFound("case", case_id)
        return case

    def _case_id(self, what: str, thing_id: str) -> str:
        case_id = self._book.case_id_of(thing_id)
        if case_id is None:
            raise NotFound(what, thing_id)
        return case_id

    def _act(self, act: str, case_id: str) -> None:
        if self.before_act is not None:
            self.before_act(act, case_id)

    async def _on_alert(
        self, act: str, alert_id: str, caller: Caller, decide: Callable[[Case], Sequence[Any]]
    ) -> Case:
        case_id = self._case_id("alert", alert_id)
        self._act(act, case_id)
        return await self._casework.change(case_id, lambda case, now: decide(case), caller.actor)

    async def acknowledge(self, alert_id: str, caller: Caller) -> Case:
        """A person answers the alert."""
        return await self._on_alert(
            "acknowledge", alert_id, caller, lambda case: commands.acknowledge(case, alert_id, caller.id)
        )

    async def claim(self, alert_id: str, caller: Caller) -> Case:
        """A person takes over an alert, answered or not."""
        return await self._on_alert(
            "claim", alert_id, caller, lambda case: commands.claim(case, alert_id, caller.id)
        )

    async def delivered(self, alert_id: str, caller: Caller) -> Case:
        """The person's board has the alert on its screen."""
        return await self._on_alert(
            "delivered", alert_id, caller, lambda case: commands.delivered(case, alert_id, caller.id, "live")
        )

    async def seen(self, alert_id: str, caller: Caller) -> Case:
        """The person has the case of the alert on the screen."""
        return await self._on_alert(
            "seen", alert_id, caller, lambda case: commands.seen(case, alert_id, caller.id, "live")
        )

    async def decline(self, alert_id: str, caller: Caller, reason: str | None) -> Case:
        """A person cannot take it; the next step comes at once, or it rings anew where it was given to them."""
        case_id = self._case_id("alert", alert_id)
        self._act("decline", case_id)

        def decide(case: Case, now: datetime) -> list[AnyEvent]:
            tier = alert_commands.find_alert(case, alert_id).tier
            plan, settings = self._watch.plan(tier, now, case.site), self._watch.settings
            return commands.decline(case, alert_id, caller.id, reason, plan=plan, settings=settings)

        return await self._casework.change(case_id, decide, caller.actor)

    async def hand_over(self, alert_id: str, caller: Caller, to: str) -> Case:
        """The one who answered gives it to another."""
        person = await asyncio.to_thread(self._accounts.user, to)
        if person is None or person.disabled:
            raise NotFound("person", to)
        site = self._case(self._case_id("alert", alert_id)).site
        if person.role not in MAY_BE_ON_DUTY or (person.sites is not None and site not in person.sites):
            raise Conflict(
                "cannot_hold",
                f"{to} may not answer alerts of this site; expected one of {', '.join(MAY_BE_ON_DUTY)} who sees it",
                f"{person.name} 无权接手该机构的警报",
            )
        return await self._on_alert(
            "hand_over", alert_id, caller, lambda case: commands.hand_over(case, alert_id, caller.id, to)
        )

    async def open_green_channel(self, case_id: str, caller: Caller) -> Case:
        """A person opens the chest-pain green channel; opening again changes nothing.

        Raises `Forbidden` for a device: a machine proposes, it never opens.
        """
        if caller.kind != "user":
            raise Forbidden(
                "person_required",
                f"a person opens the green channel, got the {caller.kind} {caller.id}",
                "绿色通道只能由人员开通，设备不能开通",
            )
        self._act("open_green_channel", self._case(case_id).case_id)
        channel_id = new_id("g")
        return await self._casework.change(
            case_id,
            lambda case, now: commands.open_green_channel(case, caller.id, channel_id=channel_id),
            caller.actor,
        )

    async def stand_down(self, case_id: str, caller: Caller, reason: str) -> Case:
        """A person cancels the green channel."""
        self._act("stand_down", self._case(case_id).case_id)
        return await self._casework.change(
            case_id, lambda case, now: commands.stand_down(case, reason), caller.actor
        )

    async def accept_task(self, task_id: str, caller: Caller) -> Case:
        """A role takes its task."""
        case_id = self._case_id("task", task_id)
        self._act("accept_task", case_id)
        return await self._casework.change(
            case_id,
            lambda case, now: commands.accept_task(case, task_id, caller.id, role=caller.role),
            caller.actor,
        )

    async def done_task(self, task_id: str, caller: Caller) -> Case:
        """A role has finished its task."""
        case_id = self._case_id("task", task_id)
        task = next((task for task in self._case(case_id).tasks if task.task_id == task_id), None)
        self._act(f"done_task:{task.kind}" if task else "done_task", case_id)
        return await self._casework.change(
            case_id,
            lambda case, now: commands.done_task(case, task_id, caller.id, role=caller.role),
            caller.actor,
        )

    async def record_fact(
        self, case_id: str, caller: Caller, *, fact: str, code: str, source: str, note: str | None
    ) -> Case:
        """Say something of a case that is no time; what stands already writes nothing."""
        self._act(f"fact:{fact}", self._case(case_id).case_id)

        def decide(case: Case, now: datetime) -> list[AnyEvent]:
            commands.require_unmerged(case)
            return facts.record_fact(case.facts, fact=fact, code=code, source=source, note=note)

        return await self._casework.change(case_id, decide, caller.actor)

    async def record_milestone(
        self,
        case_id: str,
        caller: Caller,
        *,
        milestone: str,
        at: datetime | ClockReading | None,
        source: str,
        key: str | None,
        note: str | None,
        code: str | None = None,
        idempotency_key: str | None,
    ) -> tuple[Case, bool]:
        """Enter a time. Returns the case and whether anything was new; the same key again changes nothing.

        With `at` None it is the instant of the press, by the server's clock, and how late the press was is unknown; a
        second press changes nothing. A `ClockReading` is taken as it is.
        """
        self._act(f"milestone:{milestone}", self._case(case_id).case_id)
        said = ClockReading(at=at, clock="person") if isinstance(at, datetime) else at
        stated = (
            at.told or at if isinstance(at, ClockReading) else at
        )  # what a repeat says again, whatever the hour
        request = msgspec.json.encode(
            [case_id, milestone, stated, source, key, note, *([code] if code else [])]
        )
        scope = f"{caller.actor} milestones {case_id}"

        def command(tx: Tx) -> tuple[Case, bool]:
            case = self._casework.current(tx, case_id)
            digest = hashlib.sha256(request).digest()
            if idempotency_key is not None:
                known = tx.recall(scope, idempotency_key)
                if known is not None:
                    if known[0] != digest:
                        raise Conflict(
                            "idempotency_key_reused",
                            "this Idempotency-Key came before with another request",
                            "该幂等键已用于另一请求",
                        )
                    return case, False
                tx.remember(scope, idempotency_key, digest, b"{}")
            time = said or ClockReading(at=tx.now, clock="server", offset_s=0.0)
            before = commands.said_by(case, milestone, source, key) if said is None else None
            if before is not None:
                if code in (None, before.code):
                    return case, False
                time = before.time  # the press says what it was; when stands already
            events = commands.record_milestone(
                case,
                milestone=milestone,
                time=time,
                source=source,
                key=key,
                note=note,
                code=code,
                now=tx.now,
            )
            if not events:
                return case, False
            return self._casework.write(tx, case, case_id, events, caller.actor), True

        return await self._writer.transact(command)

    async def sign_reading(
        self,
        ecg_id: str,
        caller: Caller,
        *,
        text: str,
        tier: str,
        advice: str | None,
        agrees: bool | None = None,
        reason: str | None = None,
        after: int | None = None,
        withdraws: bool = False,
    ) -> Case:
        """A doctor signs a reading; a later one amends it. `after`, `withdraws`: see `commands.sign_reading`."""
        case_id = self._case_id("ECG", ecg_id)
        self._act("sign_reading", case_id)
        return await self._casework.change(
            case_id,
            lambda case, now: commands.sign_reading(
                case,
                ecg_id,
                caller.id,
                text=text,
                tier=tier,
                advice=advice,
                agrees=agrees,
                reason=reason,
                after=after,
                withdraws=withdraws,
            ),
            caller.actor,
        )

    async def ecg_opened(self, ecg_id: str, caller: Caller) -> Case:
        """A person has the trace on the screen; the first time counts."""
        case_id = self._case_id("ECG", ecg_id)
        return await self._casework.change(
            case_id, lambda case, now: commands.open_ecg(case, ecg_id), caller.actor
        )

    async def advice_seen(self, ecg_id: str, caller: Caller, *, of: int | None = None) -> Case:
        """The clinic has read the advice. `of`: see `commands.advice_seen`."""
        case_id = self._case_id("ECG", ecg_id)
        return await self._casework.change(
            case_id, lambda case, now: commands.advice_seen(case, ecg_id, of=of), caller.actor
        )

    async def followup_done(self, followup_id: str, caller: Caller, result: str) -> Case:
        """A person says what came of a follow-up."""
        case_id = self._case_id("follow-up", followup_id)
        self._act("followup_done", case_id)
        return await self._casework.change(
            case_id,
            lambda case, now: commands.followup_done(
                case, followup_id, caller.id, role=caller.role, result=result, now=now
            ),
            caller.actor,
        )

    async def send_feedback(self, case_id: str, caller: Caller) -> Case:
        """What became of the patient goes to the clinic."""
        self._act("send_feedback", self._case(case_id).case_id)
        return await self._casework.change(
            case_id,
            lambda case, now: outcome_card.send_feedback(case, role=caller.role, now=now),
            caller.actor,
        )

    async def feedback_seen(self, case_id: str, caller: Caller) -> Case:
        """The clinic has read what became of the patient."""
        self._act("feedback_seen", self._case(case_id).case_id)
        return await self._casework.change(
            case_id,
            lambda case, now: outcome_card.feedback_seen(case, role=caller.role, now=now),
            caller.actor,
        )

    async def close_case(self, case_id: str, caller: Caller, reason: str) -> Case:
        """Nothing more is expected of this case."""
        return await self._casework.change(
            case_id, lambda case, now: commands.close_case(case, reason), caller.actor
        )

    async def merge(self, case_id: str, caller: Caller, into: str) -> Case:
        """This case is the same episode as another; both are kept, the other goes on."""
        self._case(case_id)
        self._case(into)
        return await self._corrections.merge(case_id, caller, into)

    async def split(
        self,
        case_id: str,
        caller: Caller,
        ecg_ids: Sequence[str],
        into: str | None = None,
        study_uids: Sequence[str] = (),
    ) -> Case:
        """These ECGs and studies belong to another patient or episode; they go to a new case or `into` one. Returns the
        old one."""
        self._case(case_id)
        return await self._corrections.split(case_id, caller, ecg_ids, into, study_uids)

    async def identity_checked(self, case_id: str, caller: Caller, note: str) -> Case:
        """A person looked whose the ECGs of this case are."""
        return await self._casework.change(
            case_id, lambda case, now: commands.identity_checked(case, note), caller.actor
        )

    async def erase_patient(self, case_id: str, caller: Caller, reason: str) -> None:
        """Make name and originals of this case's patient unreadable for ever; the log keeps that it was done."""
        self._case(case_id)
        merged = {case.case_id: case.merged_into for case in self._book.cases.values() if case.merged_into}
        whole = [case_id]
        for one in whole:  # grows while it is walked: what was merged into what was merged
            whole += [other for other, into in merged.items() if into == one and other not in whole]
        await self._corrections.erase_patient(whole, caller, reason)
