"""Which channels of which person work: a fold over what tests and alerts have shown."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from greenchannel.alerts.channels import LIVE, channels
from greenchannel.events import AlertDelivered, AlertUnreachable, ChannelTested, DutyStarted, Envelope


class ChannelHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One channel of one person. None: never."""

    tested_at: datetime | None = None
    last_ok_at: datetime | None = None
    last_failed_at: datetime | None = None
    last_reason: str | None = None  # of the newest failure, a code

    @property
    def works(self) -> bool | None:
        """Whether the newest thing known is good; None where nothing is known."""
        if self.last_ok_at is None:
            return None if self.last_failed_at is None else False
        return self.last_failed_at is None or self.last_failed_at < self.last_ok_at


class Duty(msgspec.Struct, frozen=True, kw_only=True):
    """How a person began the newest shift."""

    at: datetime
    role: str | None
    sound: bool
    version: int  # of the event in its stream


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an alert gets through to a person."""

    reachable: bool
    working: tuple[str, ...]  # channels that worked lately
    reason: str | None  # a code, where it is not reachable


class HealthBook:
    """The health of all channels as of the newest event; filled by `apply`."""

    def __init__(self) -> None:
        self._channels: dict[tuple[str, str], ChannelHealth] = {}
        self._duty: dict[str, Duty] = {}

    def apply(self, envelope: Envelope) -> None:
        """Take in one event; most say nothing of channels."""
        event, at = envelope.event, envelope.at
        match event:
            case DutyStarted():
                self._duty[event.person] = Duty(
                    at=at, role=event.role, sound=event.sound, version=envelope.version
                )
            case ChannelTested(ok=True):
                self._note(event.person, event.channel, tested_at=at, last_ok_at=at)
            case ChannelTested():
                self._note(
                    event.person, event.channel, tested_at=at, last_failed_at=at, last_reason=event.reason
                )
            case AlertDelivered():
                self._note(event.person, event.channel, last_ok_at=at)
            case AlertUnreachable():
                self._note(event.person, event.channel, last_failed_at=at, last_reason=event.reason)
            case _:
                pass

    def _note(self, person: str, channel: str, **marks: datetime | str | None) -> None:
        before = self._channels.get((person, channel), ChannelHealth())
        self._channels[person, channel] = msgspec.structs.replace(before, **marks)

    def of(self, person: str, channel: str) -> ChannelHealth:
        """What is known of one channel of one person."""
        return self._channels.get((person, channel), ChannelHealth())

    def duty(self, person: str) -> Duty | None:
        """How the person began the newest shift; None for who never did."""
        return self._duty.get(person)

    def reach(self, person: str, now: datetime, has: Iterable[str]) -> Reach:
        """Whether an alert would get through to a person who `has` these channels.

        A channel counts for as long as its table says after it worked, unless it failed since. Where only channels
        work that are not enough alone, as Web Push, the person counts as not reachable.
        """
        specs = channels()
        known = [name for name in specs if name in set(has)]
        working = tuple(name for name in known if self._vouched(person, name, now))
        if any(specs[name].alone for name in working):
            return Reach(reachable=True, working=working, reason=None)
        if working:
            return Reach(reachable=False, working=working, reason="push_alone")
        if any(self.of(person, name).last_ok_at is not None for name in known):
            stale = any(self.of(person, name).works for name in known)
            return Reach(reachable=False, working=(), reason="too_old" if stale else "nothing_works")
        tested = any(self.of(person, name).last_failed_at is not None for name in known)
        return Reach(reachable=False, working=(), reason="nothing_works" if tested else "never_tested")

    def _vouched(self, person: str, channel: str, now: datetime) -> bool:
        health = self.of(person, channel)
        if not health.works or health.last_ok_at is None:
            return False
        if channel == LIVE and not self._sounds(person):
            return False
        return now - health.last_ok_at <= timedelta(hours=channels()[channel].fresh_h)

    def _sounds(self, person: str) -> bool:
        duty = self._duty.get(person)
        return duty is not None and duty.sound
