"""Signed webhooks: gateways of short messages and telephones, and programs of the house."""

import time
from datetime import UTC, datetime

import msgspec

from greenchannel.alerts.channels import PHONE
from greenchannel.alerts.delivery import Outcome, Refused
from greenchannel.alerts.messages import Message
from greenchannel.clock import rfc3339
from greenchannel.service.channels.outgoing import Outgoing
from greenchannel.service.channels.signing import sign, wire_id
from greenchannel.store.contacts import Address, Contact

KEYS = {"1": "answered", "2": "declined"}  # what a person may press, or answer by


async def send(
    outgoing: Outgoing, contact: Contact, address: Address, message: Message, key: str, timeout_s: float
) -> Outcome:
    """One request under the delivery's key, which is the same however often it is tried."""
    if address.secret is None:
        return Refused(reason="bad_address")
    sent_s = int(time.time())  # the receiver compares it with its own clock, so it is this machine's
    data: dict[str, object] = {
        "channel": contact.channel,
        "title": message.title,
        "text": message.text,
        "tag": message.tag,
        "urgent": message.urgent,
        "silent": message.silent,
        **message.facts,
    }
    if address.to is not None:
        data["to"] = address.to
    if message.kind == "alert" and contact.channel in (PHONE, "sms"):
        data["keys"] = KEYS
    at = rfc3339(datetime.fromtimestamp(sent_s, UTC))
    body = msgspec.json.encode({"type": message.kind, "timestamp": at, "data": data})
    webhook_id = wire_id(key)
    headers = {
        "content-type": "application/json",
        "user-agent": "greenchannel",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(sent_s),
        "webhook-signature": sign(address.secret, webhook_id, sent_s, body),
    }
    return await outgoing.post(address.url, headers, body, private=not contact.by_person, timeout_s=timeout_s)
