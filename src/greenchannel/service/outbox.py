"""The outbox: deliveries are asked for in the transaction of the event that wants them, and called off likewise."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from greenchannel.alerts import delivery
from greenchannel.alerts.case import Case
from greenchannel.alerts.channels import LIVE, PHONE, WEBPUSH, channels
from greenchannel.alerts.delivery import Item
from greenchannel.alerts.messages import reference
from greenchannel.events import (
    AlertAcknowledged,
    AlertDeclined,
    AlertExhausted,
    AlertHandedOver,
    AlertRearmed,
    AlertSent,
    CaseClosed,
    Envelope,
    GreenChannelOpened,
    GreenChannelStoodDown,
)
from greenchannel.store import outbox_rows
from greenchannel.store.contacts import Contacts
from greenchannel.store.outbox_rows import OutboxRow
from greenchannel.store.writer import Tx

CLINIC = "clinic"
ROSTERED: Final = frozenset({"reader", "cardiologist"})  # roles of which the roster says who is there
MOST_KEY: Final = 200


class Outbox:
    """Turns events of cases into rows. All methods run within a command of the writer."""

    def __init__(self, contacts: Contacts) -> None:
        self.contacts = contacts
        self._wakers: list[Callable[[], None]] = []

    def on_row(self, waker: Callable[[], None]) -> None:
        """Have `waker` called, in the writer's thread, where rows were added: a hint, the commit is to come."""
        self._wakers.append(waker)

    def on_write(self, tx: Tx, envelope: Envelope, case: Case) -> None:
        """Ask for what one event of a case wants to be sent; `case` is as it is right after the event."""
        match envelope.event:
            case AlertSent() as sent if sent.channel != LIVE:
                self._alert(tx, sent, case)
            case AlertAcknowledged() as answered:
                self._answered(tx, answered, case)
            case AlertDeclined() as declined:
                self._drop_waiting(tx, declined.alert_id, declined.person)
            case AlertHandedOver() as over if envelope.actor != f"user:{over.to_person}":
                key = f"{over.alert_id}:handed_over:{envelope.version}"
                self._to_all(tx, key, "handed_over", [over.to_person], alert_facts(case, over.alert_id))
            case AlertRearmed() as rearmed:
                self._drop_waiting(tx, rearmed.alert_id)
            case AlertExhausted() as exhausted:
                facts = alert_facts(case, exhausted.alert_id)
                key = f"{exhausted.alert_id}:{facts['round']}:exhausted"
                people = self.contacts.of_role(tx, CLINIC, case.site)
                self._to_all(tx, key, "exhausted", people, facts)
            case GreenChannelOpened() as opened:
                self._drop_of_case(tx, case.case_id, "stood_down")
                people = self._people(tx, case, {task.role for task in opened.tasks})
                facts = _channel_facts(case, opened.channel_id)
                self._to_all(tx, f"{opened.channel_id}:opened", "green_channel", people, facts)
            case CaseClosed() if case.is_drill:
                self._drill_over(tx, case)
            case GreenChannelStoodDown() as down:
                self._drop_of_case(tx, case.case_id, "green_channel")
                facts = _channel_facts(case, down.channel_id)
                self._to_all(
                    tx, f"{down.channel_id}:stood_down", "stood_down", self._of_channel(tx, case), facts
                )
            case _:
                pass

    def notice(
        self, tx: Tx, *, key: str, person: str, channel: str, kind: str, facts: Mapping[str, Any]
    ) -> bool:
        """Ask for any delivery; False where its key is known, or the channel is the board, which needs none.

        Parameters
        ----------
        key : str
            Derived from what it is for: asking again with it changes nothing.
        kind : str
            One of ``delivery.toml``.
        facts : mapping
            No name, phone or identity number. `site` is looked up for the text; `case_id` and `alert_id` join it
            to a case.

        Raises
        ------
        ValueError
            A kind or channel that does not exist.
        """
        if kind not in delivery.kinds():
            raise ValueError(f"expected a kind among {', '.join(delivery.kinds())}, got {kind!r}")
        if channel not in channels():
            raise ValueError(f"expected a channel among {', '.join(channels())}, got {channel!r}")
        if channel == LIVE:
            return False
        if len(key) > MOST_KEY:  # ids of sites and people may be long; the row holds no more
            key = f"{key[: MOST_KEY - 33]}:{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        added = outbox_rows.add(
            tx,
            key=key,
            ref=reference(key),
            kind=kind,
            person=person,
            channel=channel,
            facts=facts,
            case_id=facts.get("case_id"),
            alert_id=facts.get("alert_id"),
        )
        if added:
            for waker in self._wakers:
                waker()
        return added

    def notice_all(
        self, tx: Tx, *, key: str, people: Collection[str], kind: str, facts: Mapping[str, Any]
    ) -> int:
        """`notice` to each of `people` on each channel that they have; the key grows by person and channel. Nobody is
        telephoned for what is not urgent."""
        return self._to_all(tx, key, kind, people, facts)

    def _to_all(self, tx: Tx, key: str, kind: str, people: Collection[str], facts: Mapping[str, Any]) -> int:
        return sum(
            self.notice(
                tx, key=f"{key}:{person}:{channel}", person=person, channel=channel, kind=kind, facts=facts
            )
            for person, named in self.contacts.channels_in(tx, people).items()
            for channel in named
            if channel != PHONE or delivery.kinds()[kind].urgent
        )

    def _alert(self, tx: Tx, sent: AlertSent, case: Case) -> None:
        facts = alert_facts(case, sent.alert_id) | {"step": sent.step}
        alert = case.alert_of(sent.alert_id)
        repeats = 0 if alert is None else alert.repeats  # everybody is rung again under the last step
        step = f"{sent.step}+{repeats}" if repeats else f"{sent.step}"
        key = f"{sent.alert_id}:{facts['round']}:{step}:{sent.person}:{sent.channel}"
        self.notice(tx, key=key, person=sent.person, channel=sent.channel, kind="alert", facts=facts)

    def _people(self, tx: Tx, case: Case, roles: Collection[str]) -> list[str]:
        """All of each role who see the site; of readers and cardiologists those who are on duty, where anybody is.

        The roster is that of who answers alerts: a doctor of the emergency department who stands in it speaks for
        nobody else there.
        """
        on_duty = self.contacts.on_duty(tx, tx.now, case.site)
        chosen: list[str] = []
        for role in sorted(roles):
            people = self.contacts.of_role(tx, role, case.site)
            there = [person for person in people if person in on_duty] if role in ROSTERED else []
            chosen += there or people
        return list(dict.fromkeys(chosen))

    def _of_channel(self, tx: Tx, case: Case) -> list[str]:
        """Whoever was called by the open channel, has a task of it, or is on duty now: a shift may have ended since."""
        tasks = case.channel.tasks
        called = outbox_rows.people_of(tx, case.case_id, "green_channel")
        took = [who for task in tasks for who in (task.accepted_by, task.done_by) if who is not None]
        return list(dict.fromkeys([*called, *took, *self._people(tx, case, {task.role for task in tasks})]))

    def _drill_over(self, tx: Tx, case: Case) -> None:
        """Nothing more of a drill is sent, and who heard of it hears that it is over."""
        told = {
            row.person for alert in case.alerts for row in outbox_rows.of_alert(tx, alert.alert_id, "alert")
        }
        for alert in case.alerts:
            self._drop_waiting(tx, alert.alert_id)
        facts = {"case_id": case.case_id, "site": case.site, "drill": True}
        self._to_all(tx, f"{case.case_id}:drill_over", "drill_over", sorted(told), facts)

    # ------------------------------------------------------------ the end of an alert

    def _answered(self, tx: Tx, answered: AlertAcknowledged, case: Case) -> None:
        """Nothing more of an answered alert is sent, and who may have it hears that it is over."""
        alert = case.alert_of(answered.alert_id)
        for row in outbox_rows.of_alert(tx, answered.alert_id, "alert"):
            after = self._call_off(tx, row)
            answers = alert is not None and alert.has_answered(row.person)
            if not answers or row.channel == WEBPUSH:  # who answered knows; screens are cleared
                self.say_over(tx, row, after)
        for row in outbox_rows.of_alert(
            tx, answered.alert_id, "exhausted"
        ):  # the clinic waits for nobody any more
            after = self._call_off(tx, row)
            if delivery.may_have_arrived(after):
                key = f"{row.key}:over"
                self.notice(
                    tx,
                    key=key,
                    person=row.person,
                    channel=row.channel,
                    kind="exhausted_over",
                    facts=row.facts,
                )

    def _call_off(self, tx: Tx, row: OutboxRow) -> Item:
        before = item_of(row)
        after = delivery.call_off(before, tx.now)
        if after != before:
            put(tx, after, keep_lease=True)
        return after

    def _drop_waiting(self, tx: Tx, alert_id: str, person: str | None = None) -> None:
        """What waits is not wanted any more: the person has declined, or the alert rings anew. One that is being sent
        goes its way."""
        for row in outbox_rows.of_alert(tx, alert_id, "alert"):
            if row.state == delivery.State.WAITING and person in (None, row.person):
                self._call_off(tx, row)

    def _drop_of_case(self, tx: Tx, case_id: str, kind: str) -> None:
        """What waits is true no longer."""
        for row in outbox_rows.waiting_of_case(tx, case_id, kind):
            self._call_off(tx, row)

    def say_over(self, tx: Tx, row: OutboxRow, after: Item) -> None:
        """Ask for the word that an alert was answered, on the channel of one row, where it may have come through."""
        if row.kind != "alert" or not delivery.may_have_arrived(after) or not channels()[row.channel].stop:
            return
        key = f"{row.alert_id}:{row.facts.get('round', 1)}:stop:{row.person}:{row.channel}"
        self.notice(tx, key=key, person=row.person, channel=row.channel, kind="alert_stop", facts=row.facts)


def alert_facts(case: Case, alert_id: str) -> dict[str, Any]:
    """What may be said of an alert: where, how loud, in which round."""
    alert = case.alert_of(alert_id)
    return {
        "case_id": case.case_id,
        "alert_id": alert_id,
        "site": case.site,
        "tier": None if alert is None else alert.tier,
        "round": 1 if alert is None else alert.round,
        **_drill(case),
    }


def _channel_facts(case: Case, channel_id: str) -> dict[str, Any]:
    return {"case_id": case.case_id, "channel_id": channel_id, "site": case.site, **_drill(case)}


def _drill(case: Case) -> dict[str, Any]:
    """Beside the facts of a drill, so that its texts begin with the word."""
    return {"drill": True} if case.is_drill else {}


def item_of(row: OutboxRow) -> Item:
    """A row as the pure core knows it."""
    return Item(
        key=row.key,
        kind=row.kind,
        person=row.person,
        channel=row.channel,
        next_at=row.next_at,
        state=delivery.State(row.state),
        attempts=row.attempts,
        fence=row.fence,
        called_off=row.called_off,
        reason=row.reason,
        ended_at=row.ended_at,
    )


def put(tx: Tx, item: Item, *, keep_lease: bool = False) -> None:
    """Write an item back; one that is being sent is leased from now on, or keeps the lease that it has."""
    sending = item.state is delivery.State.SENDING
    outbox_rows.put(
        tx,
        item.key,
        state=item.state,
        attempts=item.attempts,
        fence=item.fence,
        called_off=item.called_off,
        reason=item.reason,
        next_at=item.next_at,
        ended_at=item.ended_at,
        lease_s=delivery.number("lease_s") if sending else None,
        keep_lease=keep_lease,
    )
