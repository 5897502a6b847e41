"""One run of a simulated county from the command line: links, clinics and doctors around a plan."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from greenchannel.county.client import Client
from greenchannel.county.fast_clock import FastClock
from greenchannel.county.links import LinkProfile
from greenchannel.county.plan import Plan
from greenchannel.county.player import Delivery, Player, Tally, by_network, into_folder
from greenchannel.county.relay import Relay
from greenchannel.county.settling import Keys
from greenchannel.county.staff import Doctors
from greenchannel.county.truth import TruthBook


class FarEnd(NamedTuple):
    """Where the service listens."""

    host: str
    port: int


def far_end(url: str) -> FarEnd:
    """Host and port of an ``http://`` address; raises `ValueError` for anything else: a relay cannot look into TLS."""
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"expected an address such as http://127.0.0.1:8765, got {url!r}")
    return FarEnd(parts.hostname, parts.port or 80)


@dataclass(kw_only=True)
class CountyRun:
    """What the command line asked for; either `server` with `keys`, or `folders`."""

    plan: Plan
    server: str | None
    keys: Keys | None
    folders: Path | None
    profile: LinkProfile
    speed: float
    staff: bool
    patience_s: float
    begun: datetime | None = None
    """When the plan begins; None: so that it ends now, or begins now where it is no faster than a clock."""
    links: Counter[str] = field(default_factory=Counter)
    doctors: Doctors | None = None

    async def play(self, truth: Path) -> Tally:
        """The whole plan. Raises `ValueError` for an address or keys that do not fit, `OSError` for the file."""
        clock = FastClock(self.begun or self._begin(datetime.now(UTC)), self.speed)
        async with contextlib.AsyncExitStack() as stack:
            if self.server is None:
                assert self.folders is not None
                ways = {clinic.site: into_folder(self.folders / clinic.site) for clinic in self.plan.clinics}
            else:
                ways = await self._lines(stack, self.server, clock)
            with TruthBook(truth) as book:
                return await Player(self.plan, clock, ways.__getitem__, book).play()

    def _begin(self, now: datetime) -> datetime:
        """When the plan begins, so that a faster one catches up with `now` at its end: no ECG comes from the future."""
        return now - timedelta(seconds=max(0.0, self.plan.options.span_s * (1 - 1 / self.speed)))

    async def _lines(
        self, stack: contextlib.AsyncExitStack, server: str, clock: FastClock
    ) -> dict[str, Delivery]:
        assert self.keys is not None
        missing = [one.device for one in self.plan.clinics if one.device not in self.keys.tokens]
        if missing:
            raise ValueError(f"expected keys of every machine of the plan, none of {' '.join(missing)}")
        there = far_end(server)
        ways = {}
        for clinic in self.plan.clinics:
            relay = Relay(*there, self.profile.faster(self.speed), seed=self.plan.seed * 1000 + clinic.number)
            stack.callback(self.links.update, relay.counts)
            near = await stack.enter_async_context(relay.open())
            client = Client(near, token=self.keys.tokens[clinic.device], patience_s=self.patience_s)
            ways[clinic.site] = by_network(await stack.enter_async_context(client), clock)
        if self.staff and self.keys.passwords:
            await self._begin_duty(stack, server, clock)
        return ways

    async def _begin_duty(self, stack: contextlib.AsyncExitStack, server: str, clock: FastClock) -> None:
        assert self.keys is not None
        client = await stack.enter_async_context(Client(server, patience_s=self.patience_s))
        name, password = next(iter(self.keys.passwords.items()))
        await client.sign_in(name, password)
        self.doctors = Doctors(client, clock, self.plan.seed)
        group = await stack.enter_async_context(asyncio.TaskGroup())
        duty = group.create_task(self.doctors.work())
        stack.callback(duty.cancel)

    def summary(self, tally: Tally) -> str:
        """What became of it, in a few words."""
        fates = (
            f"{tally.confirmed} confirmed",
            f"{tally.left} left in folders",
            f"{len(tally.refused)} refused",
            f"{len(tally.given_up)} given up",
        )
        lines = [f"{len(self.plan.ecgs)} ECGs of {len(self.plan.clinics)} clinics: {', '.join(fates)}"]
        if self.links:
            lines.append("links: " + ", ".join(f"{name} {n}" for name, n in sorted(self.links.items())))
        if self.doctors is not None:
            kinds = ", ".join(f"{kind} {n}" for kind, n in sorted(self.doctors.kinds.items()))
            lines.append(f"doctors: {len(self.doctors.answered)} alerts answered ({kinds or 'none seen'})")
        return "\n".join(lines)


async def serve_link(
    there: FarEnd, profile: LinkProfile, seed: int, host: str, port: int, say: Callable[[str], None]
) -> None:
    """A relay until cancelled; says its address first and its counts last."""
    relay = Relay(*there, profile, seed=seed)
    async with relay.open(host, port) as near:
        say(f"{near} leads to http://{there.host}:{there.port}")
        try:
            await asyncio.Event().wait()
        finally:
            say(", ".join(f"{name} {n}" for name, n in sorted(relay.counts.items())))
