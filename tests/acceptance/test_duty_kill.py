"""kill -9 at twenty moments of random histories of alerts: whoever was not answered goes on in time, and once."""

import asyncio
import contextlib
import random
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from greenchannel.county.client import Client, Refusal
from greenchannel.events import (
    AlertAcknowledged,
    AlertDeclined,
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertRearmed,
    AlertSent,
    Envelope,
)
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from tests.county_actors import Board, County, Told
from tests.escalation_files import write_escalation_file
from tests.served import Served, served

KILLS: Final = 20
SEED: Final = 20260327
WITHIN: Final = timedelta(seconds=5)  # of its due time, or of the restart
MOST_ALERTS: Final = 40
STAFF: Final = ("chen", "lin", "zhao")
DEVICES: Final = ("ecg-yinzhao", "ecg-jishi", "ecg-liuzhuang")
APART_S: Final = 2.0  # of the steps


@dataclass(kw_only=True)
class Lives:
    """When the service was begun, ready and killed, one life after the other."""

    begun: list[datetime] = field(default_factory=list)
    ready: list[datetime | None] = field(default_factory=list)  # None: killed before
    killed: list[datetime] = field(default_factory=list)


class Screen(Board):
    """One person's page: each ring of this person is shown once, however often it comes."""

    def __init__(self, client: Client, user: str) -> None:
        super().__init__(client, Told())
        self.user = user
        self.came: Counter[tuple[str, str, str]] = Counter()  # alert, person, channel

    @property
    def shown(self) -> list[tuple[str, str, str]]:
        """What stands on the screen."""
        return list(self.came)

    def _take(self, message: dict[str, Any]) -> None:
        super()._take(message)
        rows = message.get("cases") or ([message["row"]] if "row" in message else [])
        for row in rows:
            alert = row["alert"]
            for entry in alert["people"] if alert else ():
                if entry["person"] == self.user and entry["sent_at"]:
                    self.came[alert["alert_id"], self.user, entry["channel"]] += 1


@dataclass(kw_only=True)
class History:
    """A random one: who came, who answered, who declined, and what was confirmed to them."""

    county: County
    dice: random.Random
    people: dict[str, Client]
    cases: list[str] = field(default_factory=list)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    declined: set[tuple[str, str]] = field(default_factory=set)

    async def patients(self) -> None:
        """One after the other, each with an infarction of its own."""
        for number in range(MOST_ALERTS):
            device = self.dice.choice(DEVICES)
            _, case_id = await self.county.upload(
                device, 50_000 + number, patient_ref=f"d-{number}", chest_pain="yes"
            )
            self.cases.append(case_id)
            await asyncio.sleep(self.dice.uniform(0.2, 3.0))

    async def answers(self, user: str) -> None:
        """Looks at some alert now and then; answers, declines, or does nothing."""
        while True:
            await asyncio.sleep(self.dice.uniform(0.2, 2.0))
            if not self.cases:
                continue
            row = await self.people[user].call("GET", f"/cases/{self.dice.choice(self.cases[-8:])}")
            alert, what = row["alert"], self.dice.choice(("ack", "decline", "nothing", "nothing"))
            if alert is None or alert["state"] != "open" or what == "nothing":
                continue
            with contextlib.suppress(Refusal):  # one who was not rung cannot decline
                await self.people[user].act(f"/alerts/{alert['alert_id']}/{what}")
                (self.acknowledged if what == "ack" else self.declined).add((alert["alert_id"], user))


async def story(service: Served) -> tuple[History, list[Screen], Lives]:
    """Everybody works while the service is killed; afterwards nobody answers any more."""
    lives = Lives(begun=[datetime.now(UTC)], ready=[datetime.now(UTC)])
    async with County(service.base, service.tokens) as county:
        people = {user: await county.person(user) for user in STAFF}
        history = History(county=county, dice=random.Random(SEED), people=people)
        screens = [Screen(people[user], user) for user in STAFF]
        following = [asyncio.create_task(screen.follow_always()) for screen in screens]
        coming = asyncio.create_task(history.patients())
        answering = [asyncio.create_task(history.answers(user)) for user in STAFF]
        await kill_again_and_again(service, lives)
        for task in (coming, *answering):
            task.cancel()
        await asyncio.gather(coming, *answering, return_exceptions=True)
        await until_nothing_is_due(history)
        seq = (await people["chen"].call("GET", "/cases"))["seq"]
        async with asyncio.timeout(60):
            while any((screen.seq or 0) < seq for screen in screens):
                await asyncio.sleep(0.05)
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        return history, screens, lives


async def kill_again_and_again(service: Served, lives: Lives) -> None:
    """Lives of many lengths, some too short to become ready, some long enough to be held to the bound."""
    dice = random.Random(SEED)
    while len(lives.killed) < KILLS:
        await asyncio.sleep(dice.uniform(5.5, 7.5) if dice.random() < 0.3 else dice.uniform(0.0, 2.5))
        lives.killed.append(datetime.now(UTC))
        await asyncio.to_thread(service.kill)
        while True:
            lives.begun.append(datetime.now(UTC))
            await asyncio.to_thread(service.begin)
            if dice.random() > 0.15 or len(lives.killed) >= KILLS:
                break
            await asyncio.sleep(dice.uniform(0.0, 0.5))
            lives.ready.append(None)
            lives.killed.append(datetime.now(UTC))
            await asyncio.to_thread(service.kill)
        await asyncio.to_thread(service.wait_ready)
        lives.ready.append(datetime.now(UTC))


async def until_nothing_is_due(history: History) -> None:
    """Every alert is answered or at the end of its plan."""
    chen = history.people["chen"]
    async with asyncio.timeout(90):
        while True:
            alerts = [row["alert"] for row in (await chen.call("GET", "/cases"))["cases"]]
            if all(alert is None or alert["state"] != "open" or alert["exhausted"] for alert in alerts):
                return
            await asyncio.sleep(0.1)


# ---------------------------------------------------------------- what the log says


def with_rounds(events: Iterable[Envelope]) -> list[tuple[int, Envelope]]:
    """Each event with the round that its alert is in; an alert that comes back begins a new one."""
    rounds: dict[str, int] = {}
    found = []
    for one in events:
        alert_id = getattr(one.event, "alert_id", None)
        if isinstance(one.event, AlertRearmed):
            rounds[one.event.alert_id] = one.event.round
        found.append((rounds.get(alert_id, 1) if alert_id is not None else 0, one))
    return found


def doubled(events: list[Envelope]) -> dict[object, int]:
    """State changes and deliveries that are in the log more than once."""
    keys: Counter[object] = Counter()
    for number, one in with_rounds(events):
        match one.event:
            case AlertOpened():
                keys["opened", one.case_id] += 1
            case AlertEscalated(alert_id=alert_id, step=step):
                keys["step", alert_id, number, step] += 1
            case AlertExhausted(alert_id=alert_id):
                keys["exhausted", alert_id, number] += 1
            case AlertAcknowledged(alert_id=alert_id, person=person):
                keys["acknowledged", alert_id, number, person] += 1
            case AlertDeclined(alert_id=alert_id, person=person):
                keys["declined", alert_id, number, person] += 1
            case AlertSent(alert_id=alert_id, person=person, channel=channel, step=step):
                keys["sent", alert_id, number, step, person, channel] += 1
            case _:
                pass
    return {key: count for key, count in keys.items() if count > 1}


def lateness(events: list[Envelope], lives: Lives) -> list[tuple[timedelta, timedelta, str, int]]:
    """Of every step that fell due with nobody having answered: how late it was taken, against its due time or the
    readiness, and against its due time or the beginning, of the first life that had the time for it."""
    answered: dict[str, datetime] = {}
    taken: dict[tuple[str, int], datetime] = {}
    for one in events:
        if isinstance(one.event, AlertAcknowledged):
            answered.setdefault(one.event.alert_id, one.at)
        elif isinstance(one.event, AlertEscalated):
            taken.setdefault((one.event.alert_id, one.event.step), one.at)
    found = []
    for one in events:
        if not isinstance(one.event, AlertOpened):
            continue
        for step, planned in enumerate(one.event.plan[1:], start=1):
            alert_id, due_at = one.event.alert_id, one.at + timedelta(seconds=planned.after_s)
            done_at = min(
                taken.get((alert_id, step), datetime.max.replace(tzinfo=UTC)),
                answered.get(alert_id, datetime.max.replace(tzinfo=UTC)),
            )
            ready_at, begun_at = bound(due_at, done_at, lives)
            found.append((done_at - max(due_at, ready_at), done_at - max(due_at, begun_at), alert_id, step))
    return found


def bound(due_at: datetime, done_at: datetime, lives: Lives) -> tuple[datetime, datetime]:
    """Readiness and beginning of the life that must have done it: the first with the time, or the one that did."""
    ends = [*lives.killed, datetime.max.replace(tzinfo=UTC)]
    first = bisect_left(ends, due_at)
    for ready_at, begun_at, end in zip(lives.ready[first:], lives.begun[first:], ends[first:], strict=True):
        if ready_at is not None and (max(due_at, ready_at) + WITHIN <= end or done_at <= end):
            return ready_at, begun_at
    raise AssertionError("the last life has no end")


def test_twenty_kills_lose_no_step_and_double_none(tmp_path: Path) -> None:
    """Every open alert is answered or escalated within its due time, or the restart, and five seconds; each once."""
    file, begun = write_escalation_file(tmp_path, apart_s=APART_S), time.monotonic()
    with served(tmp_path / "county", escalation_file=file, mark_every_s=0.2) as service:
        history, screens, lives = asyncio.run(story(service))
        service.stop()
        assert service.faults() == []
    engine = open_engine(f"sqlite:///{tmp_path / 'county' / 'greenchannel.sqlite'}")
    log = Log(engine)
    assert log.verify().ok
    events = log.read()
    engine.dispose()

    assert doubled(events) == {}
    late = lateness(events, lives)
    over = [one for one in late if one[0] > WITHIN]
    assert over == []
    said = {(e.event.alert_id, e.event.person) for e in events if isinstance(e.event, AlertAcknowledged)}
    assert said >= history.acknowledged
    said = {(e.event.alert_id, e.event.person) for e in events if isinstance(e.event, AlertDeclined)}
    assert said <= history.declined  # a decline after somebody's answer is taken and not written
    sent = {
        (e.event.alert_id, e.event.person, e.event.channel) for e in events if isinstance(e.event, AlertSent)
    }
    shown = Counter(key for screen in screens for key in screen.shown)
    assert shown == Counter(sent), "expected every delivery on its person's screen, once"
    waited = sum(step in (1, 2, 3) for *_, step in late)
    print(
        f"{len(lives.killed)} kills, {len({one[2] for one in late})} alerts, {waited} of {waited} steps answered or "
        f"taken in time: at most {max(one[0] for one in late).total_seconds():.2f} s behind due time or readiness, "
        f"{max(one[1] for one in late).total_seconds():.2f} s behind due time or the beginning of the process; "
        f"{len(sent)} deliveries shown once, {len(history.acknowledged)} answers, {len(history.declined)} declines, "
        f"{len(events)} events, {time.monotonic() - begun:.0f} s"
    )
