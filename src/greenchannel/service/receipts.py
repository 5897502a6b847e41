"""Receipts: what a gateway says of a message later, signed as our own webhooks are; and what a browser says."""

import asyncio
import hashlib
import time
from collections.abc import Callable
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Engine

from greenchannel.alerts import commands, delivery
from greenchannel.alerts.channels import PHONE, WEBPUSH
from greenchannel.alerts.delivery import number
from greenchannel.service.callers import Caller
from greenchannel.service.channels.signing import key_of, signed_right
from greenchannel.service.delivery_results import DeliveryResults
from greenchannel.service.errors import Conflict, NotFound, ServiceError
from greenchannel.service.outbox import Outbox, item_of, put
from greenchannel.store import outbox_rows
from greenchannel.store.contacts import Contact, Contacts
from greenchannel.store.outbox_rows import OutboxRow
from greenchannel.store.writer import Tx, Writer

_SCOPE: Final = (
    "receipts"  # of webhook ids, with the address that used one: gateways number their own messages
)
_MOST_ID: Final = 200


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gateway says."""

    key: str  # the `webhook-id` of the message that it is about
    status: Literal["sent", "delivered", "answered", "declined", "failed"]
    keypress: str | None = None  # what the person pressed, or wrote back


class Unsigned(ServiceError):
    """Not signed by whom the message was sent to, or not now. One answer to all that is wrong: it is no oracle."""

    def __init__(self) -> None:
        super().__init__("bad_signature", "expected a receipt signed by the receiver", "回执签名无效")


class BadReceipt(ServiceError):
    """Signed, and yet not to be understood."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__("bad_receipt", f"expected {en}", f"应为{zh}")


class Receipts:
    """Takes receipts in, each once."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        contacts: Contacts,
        outbox: Outbox,
        results: DeliveryResults,
        now_s: Callable[
            [], float
        ] = time.time,  # gateways sign by the time of day, whatever clock a story has
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._contacts = contacts
        self._outbox = outbox
        self._results = results
        self._now_s = now_s

    async def take(self, webhook_id: str, timestamp: str, signatures: str, body: bytes) -> None:
        """One receipt of a gateway; the same one again changes nothing.

        Raises
        ------
        Unsigned
            Not signed with the secret of the address that the message went to, or more than five minutes off.
        BadReceipt
            It is signed, but its body is not of the form, or an answer lacks the key that was pressed.
        Conflict
            Another receipt had this id.
        """
        if not 0 < len(webhook_id) <= _MOST_ID or not timestamp.isascii() or not timestamp.isdigit():
            raise Unsigned
        if len(timestamp) > 12 or abs(self._now_s() - int(timestamp)) > number("receipt_window_s"):
            raise Unsigned
        row, contact = await asyncio.to_thread(self._signed, webhook_id, int(timestamp), signatures, body)
        try:
            receipt = msgspec.json.decode(body, type=Receipt)
        except msgspec.MsgspecError as error:
            raise BadReceipt(
                f"a receipt of the form key, status, keypress: {error}", "含 key、status、keypress 的回执"
            ) from None
        if receipt.status == "answered" and row.channel == PHONE and receipt.keypress != "1":
            raise BadReceipt(
                'keypress "1" with an answer by telephone: a mailbox picks up, too',
                "电话应答须有按键 1（语音信箱也会接听）",
            )
        if receipt.status == "declined" and receipt.keypress == "1":
            raise BadReceipt(
                'another keypress than "1" with a refusal: 1 says yes', "拒绝时的按键不能为 1（1 表示接受）"
            )
        digest, scope = hashlib.sha256(body).digest(), f"{_SCOPE}:{contact.id}"
        await self._writer.transact(lambda tx: self._once(tx, scope, webhook_id, digest, row.key, receipt))

    def _signed(
        self, webhook_id: str, timestamp_s: int, signatures: str, body: bytes
    ) -> tuple[OutboxRow, Contact]:
        try:
            said: Any = msgspec.json.decode(body)
            wire = said["key"]
            row = outbox_rows.find(self._engine, key=key_of(wire)) if isinstance(wire, str) else None
        except (msgspec.MsgspecError, TypeError, KeyError, UnicodeError):
            raise Unsigned from None
        if row is None:
            raise Unsigned
        for contact, address in self._contacts.addresses(row.person, row.channel):
            if address.secret and signed_right(address.secret, webhook_id, timestamp_s, body, signatures):
                return row, contact
        raise Unsigned

    def _once(self, tx: Tx, scope: str, webhook_id: str, digest: bytes, key: str, receipt: Receipt) -> None:
        known = tx.recall(scope, webhook_id)
        if known is not None:
            if known[0] != digest:
                raise Conflict(
                    "receipt_reused", "another receipt had this webhook-id", "该 webhook-id 已用于另一回执"
                )
            return
        tx.remember(scope, webhook_id, digest, b"")
        row = outbox_rows.get(tx, key)
        if row is not None:
            self._apply(tx, row, receipt.status)

    def _apply(self, tx: Tx, row: OutboxRow, status: str) -> None:
        outbox_rows.note_receipt(tx, row.key, status)
        before = item_of(row)
        failed = status == "failed"
        after = delivery.bounced(before, "failed", tx.now) if failed else delivery.arrived(before, tx.now)
        if after != before:
            put(tx, after)
            if row.called_off:  # the attempt that is under way will find it ended, and say nothing more
                self._outbox.say_over(tx, row, after)
            self._results.ended(tx, row, after)
        if row.kind != "alert":
            return
        person, channel, actor = row.person, row.channel, f"user:{row.person}"
        match status:
            case "delivered":
                self._results.delivered(tx, row)
            case "answered":
                # That it was seen there says in the log by which way the answer came.
                self._results.on_case(
                    tx, row, lambda case, alert: commands.seen(case, alert, person, channel), actor
                )
                self._results.on_case(
                    tx,
                    row,
                    lambda case, alert: commands.acknowledge(case, alert, person),
                    actor,
                    as_loud=True,
                )
            case "declined":
                self._results.on_case(
                    tx, row, lambda case, alert: commands.decline(case, alert, person), actor
                )
            case _:
                pass

    async def by_browser(self, caller: Caller, ref: str, status: Literal["delivered", "seen"]) -> None:
        """A browser's worker has shown a message, or the person has opened it; raises `NotFound` for another's."""
        row = await asyncio.to_thread(outbox_rows.find, self._engine, ref=ref)
        if row is None or row.person != caller.id or row.channel != WEBPUSH:
            raise NotFound("message", ref)
        await self._writer.transact(lambda tx: self._shown(tx, row, status, caller.actor))

    def _shown(self, tx: Tx, row: OutboxRow, status: str, actor: str) -> None:
        outbox_rows.note_receipt(tx, row.key, status)
        if row.kind != "alert":
            return
        if status == "delivered":
            self._results.delivered(tx, row)
        else:
            self._results.on_case(
                tx, row, lambda case, alert: commands.seen(case, alert, row.person, row.channel), actor
            )
