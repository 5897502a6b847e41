"""Which channels of which person work: a fold over what tests and alerts have shown."""

from collections.abc import Iterable, Mapping
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

    def since(self, instant: datetime | None) -> "ChannelHealth":
        """What of it was learned from `instant` on: what is older is of an address that was given up since."""
        if instant is None:
            return self

        def kept(mark: datetime | None) -> datetime | None:
            return mark if mark is not None and mark >= instant else None

        failed = kept(self.last_failed_at)
        return ChannelHealth(
            tested_at=kept(self.tested_at),
            last_ok_at=kept(self.last_ok_at),
            last_failed_at=failed,
            last_reason=None if failed is None else self.last_reason,
        )


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

    def of(self, person: str, channel: str, since: datetime | None = None) -> ChannelHealth:
        """What is known of one channel of one person; `since`: when the address there was entered."""
        return self._channels.get((person, channel), ChannelHealth()).since(since)

    def duty(self, person: str) -> Duty | None:
        """How the person began the newest shift; None for who never did."""
        return self._duty.get(person)

    def reach(
        self,
        person: str,
        now: datetime,
        has: Iterable[str],
        since: Mapping[str, datetime] | None = None,
    ) -> Reach:
        """Whether an alert would get through to a person who `has` these channels.

        A channel counts for as long as its table says after it worked, unless it failed since. Where only channels
        work that are not enough alone, as Web Push, the person counts as not reachable. That nothing works is said
        only where every channel that would be enough has failed lately: of one that was never tried nothing is known.

        Parameters
        ----------
        since
            When the address of a channel was entered; what was learned before is of another address.
        """
        specs, entered, named = channels(), since or {}, set(has)
        known = {name: self.of(person, name, entered.get(name)) for name in specs if name in named}
        working = tuple(name for name, health in known.items() if self._vouched(person, name, health, now))
        if any(specs[name].alone for name in working):
            return Reach(reachable=True, working=working, reason=None)
        if working:
            return Reach(reachable=False, working=working, reason="push_alone")
        hopes = [
            health
            for name, health in known.items()
            if specs[name].alone and not _failed_lately(name, health, now) and not _unopened(name, health)
        ]
        if hopes:
            old = any(health.works is not None for health in hopes)
            return Reach(reachable=False, working=(), reason="too_old" if old else "never_tested")
        if any(health.works is False for health in known.values()):
            return Reach(reachable=False, working=(), reason="nothing_works")
        old = any(health.works for health in known.values())
        return Reach(reachable=False, working=(), reason="too_old" if old else "never_tested")

    def _vouched(self, person: str, channel: str, health: ChannelHealth, now: datetime) -> bool:
        if not health.works or health.last_ok_at is None:
            return False
        if channel == LIVE and not self._sounds(person):
            return False
        return now - health.last_ok_at <= timedelta(hours=channels()[channel].fresh_h)

    def _sounds(self, person: str) -> bool:
        duty = self._duty.get(person)
        return duty is not None and duty.sound


def _failed_lately(channel: str, health: ChannelHealth, now: datetime) -> bool:
    """Whether the newest thing known is a failure that still counts, for as long as a good test would."""
    if health.works is not False or health.last_failed_at is None:
        return False
    return now - health.last_failed_at <= timedelta(hours=channels()[channel].fresh_h)


def _unopened(channel: str, health: ChannelHealth) -> bool:
    """A board that nobody has opened: everybody has one, so it is no hope by itself."""
    return channel == LIVE and health.works is None
