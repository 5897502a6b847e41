"""Going on duty: the board sounds, each channel brings a test message, and what came of it is shown."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from greenchannel.alerts.channel_health import Reach
from greenchannel.alerts.channels import LIVE, channels, reason_words
from greenchannel.alerts.delivery import number
from greenchannel.clock import rfc3339
from greenchannel.events import AnyEvent, ChannelTested, DutyStarted
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.service.delivery_results import duty_stream
from greenchannel.service.errors import Conflict
from greenchannel.service.outbox import Outbox
from greenchannel.store.accounts import Accounts
from greenchannel.store.contacts import Contacts
from greenchannel.store.writer import Tx, Writer

SOUND_OFF = {"code": "no_sound", "zh": "声音未开启", "en": "sound is off"}


class GoingOnDuty:
    """Starts a person's duty, and says who can be reached."""

    def __init__(
        self, *, writer: Writer, book: CaseBook, contacts: Contacts, accounts: Accounts, outbox: Outbox
    ) -> None:
        self._writer = writer
        self._book = book
        self._contacts = contacts
        self._accounts = accounts
        self._outbox = outbox

    async def start(self, caller: Caller, *, sound: bool) -> bool:
        """A person begins a shift; `sound`: the board may sound, and the person heard it.

        Returns whether test messages were sent: who starts again within a minute gets no second ones, but for
        addresses that were entered since.
        """
        return await self._writer.transact(lambda tx: self._start(tx, caller, sound))

    def _start(self, tx: Tx, caller: Caller, sound: bool) -> bool:
        person = caller.id
        last = self._book.channel_health.duty(person)
        again = last is not None and tx.now - last.at < timedelta(seconds=number("test_again_s"))
        named = tuple(n for n in self._contacts.channels_in(tx, [person])[person] if n != LIVE)
        if again and last is not None:
            entered = self._contacts.entered_in(tx, person)
            named = tuple(name for name in named if entered[name].newest_at > last.at)
            if last.sound == sound and not named:
                return False
        started = DutyStarted(
            person=person, role=self._role(person, tx.now), sound=sound, channels=(LIVE, *named)
        )
        board = ChannelTested(person=person, channel=LIVE, ok=sound, reason=None if sound else "no_sound")
        events: list[AnyEvent] = [started, board]
        envelopes = tx.append(duty_stream(person), events, actor=caller.actor)
        for channel in named:
            key = f"duty:{person}:{envelopes[0].version}:{channel}"
            self._outbox.notice(tx, key=key, person=person, channel=channel, kind="test", facts={})
        return bool(named)

    async def test(self, person: str, channel: str) -> bool:
        """Send a test message on one channel of a person; False where one was sent within the last minute.

        What became of it is in `health`. Raises `Conflict` for a channel on which the person has no address.
        """

        def command(tx: Tx) -> bool:
            if channel == LIVE or channel not in self._contacts.channels_in(tx, [person])[person]:
                raise Conflict(
                    "no_address",
                    f"expected a channel on which {person} has an address in use, got {channel}",
                    f"该人员没有可用的“{channel}”地址",
                )
            again_s = number("test_again_s")
            key = f"duty:{person}:asked:{int(tx.now.timestamp() // again_s)}:{channel}"
            return self._outbox.notice(tx, key=key, person=person, channel=channel, kind="test", facts={})

        return await self._writer.transact(command)

    def _role(self, person: str, now: datetime) -> str | None:
        until = now + timedelta(seconds=number("duty_ahead_s"))
        shifts = [shift for shift in self._accounts.shifts_between(now, until) if shift.person == person]
        return shifts[0].role if shifts else None

    def reach(self, person: str, now: datetime) -> Reach:
        """Whether an alert gets through to a person, by what tests and alerts have shown; from any thread."""
        has = self._contacts.channels_of([person])[person]
        return self._book.channel_health.reach(person, now, has, self._since(person))

    def _since(self, person: str) -> dict[str, datetime]:
        """From when on what is known of a channel is of an address that is in use now."""
        return {name: one.oldest_at for name, one in self._contacts.entered(person).items()}

    def reachable(self, person: str, now: datetime) -> bool:
        """As `reach`, in a word."""
        return self.reach(person, now).reachable

    def not_known_lost(self, person: str, now: datetime) -> bool:
        """Whether a shift ahead may rest on this person. Of who has not gone on duty lately nothing is known, which is
        no doubt; that all channels failed, or that only push works, is one."""
        return self.reach(person, now).reason in (None, "never_tested", "too_old")

    async def health(self, person: str, now: datetime) -> dict[str, Any]:
        """Each channel of a person: whether it has an address, when it worked, when and why it failed."""
        has = (await asyncio.to_thread(self._contacts.channels_of, [person]))[person]
        since = await asyncio.to_thread(self._since, person)
        book = self._book.channel_health
        reach, duty = book.reach(person, now, has, since), book.duty(person)
        return {
            "person": person,
            "duty": None
            if duty is None
            else {"at": rfc3339(duty.at), "role": duty.role, "sound": duty.sound},
            "sound": None if duty is None else duty.sound,
            "sound_problem": None if duty is None or duty.sound else SOUND_OFF,
            "reachable": reach.reachable,
            "why": None if reach.reason is None else reason_words(reach.reason),
            "working": list(reach.working),
            "channels": [self._channel(person, name, name in has, since.get(name)) for name in channels()],
        }

    def _channel(self, person: str, name: str, has: bool, since: datetime | None) -> dict[str, Any]:
        spec, health = channels()[name], self._book.channel_health.of(person, name, since)
        return {
            "channel": name,
            "zh": spec.zh,
            "en": spec.en,
            "address": has,
            "public": spec.public,
            "enough_alone": spec.alone,
            "works": health.works,
            "tested_at": _maybe(health.tested_at),
            "last_ok_at": _maybe(health.last_ok_at),
            "last_failed_at": _maybe(health.last_failed_at),
            "last_reason": None if health.last_reason is None else reason_words(health.last_reason),
        }


def _maybe(instant: datetime | None) -> str | None:
    return None if instant is None else rfc3339(instant)
