"""All ways out together: a person's addresses on one channel, one message, one outcome."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import msgspec

from greenchannel.alerts.channels import WEBPUSH, channels, outgoing
from greenchannel.alerts.delivery import Accepted, Failed, Outcome, Refused
from greenchannel.alerts.messages import Message
from greenchannel.service.channels import by_apprise, quiet, web_push, webhook
from greenchannel.service.channels.addresses import WEBHOOK
from greenchannel.service.channels.outgoing import Outgoing
from greenchannel.service.channels.own_threads import OwnThreads
from greenchannel.service.channels.web_push import VapidKey
from greenchannel.store.contacts import Address, Contact


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one attempt."""

    outcome: Outcome
    gone: tuple[str, ...] = ()  # contacts whose address is no more, to be forgotten


class Senders:
    """Owns connections, threads and the key of Web Push. `send` raises nothing but cancellation."""

    def __init__(self, *, key_file: Path, vapid_subject: str, localhost: bool) -> None:
        quiet.hush()
        self.vapid = VapidKey(key_file, vapid_subject)
        self._web = Outgoing(loopback=localhost)
        self._threads = {
            name: OwnThreads(2 * channels()[name].at_once, f"greenchannel-{name}") for name in outgoing()
        }

    async def send(
        self, channel: str, to: Sequence[tuple[Contact, Address]], message: Message, key: str
    ) -> Sent:
        """Bring a message to a person's addresses on one channel; one that takes it is enough."""
        if not to:
            return Sent(outcome=Refused(reason="no_contact"))
        outcomes = await asyncio.gather(
            *(self._one(channel, contact, address, message, key) for contact, address in to)
        )
        gone = tuple(
            contact.id
            for (contact, _), outcome in zip(to, outcomes, strict=True)
            if channel == WEBPUSH and outcome == Refused(reason="gone")
        )
        return Sent(outcome=best(outcomes), gone=gone)

    async def _one(
        self, channel: str, contact: Contact, address: Address, message: Message, key: str
    ) -> Outcome:
        timeout_s = channels()[channel].timeout_s
        if contact.form == WEBPUSH:
            return await web_push.send(self._web, self.vapid, contact, address, message, timeout_s)
        if contact.form == WEBHOOK:
            return await webhook.send(self._web, contact, address, message, key, timeout_s)
        return await by_apprise.send(self._threads[channel], address, message, timeout_s)

    async def close(self) -> None:
        """End all connections; threads that hang are left."""
        await self._web.close()


def best(outcomes: Sequence[Outcome]) -> Outcome:
    """One outcome of several addresses: taken by one is taken; else it is worth trying while one may still work."""
    for kind in (Accepted, Failed):
        for outcome in outcomes:
            if isinstance(outcome, kind):
                return outcome
    return outcomes[0]
