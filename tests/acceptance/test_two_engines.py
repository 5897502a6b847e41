"""Two engine processes keep the due times of one database, and are killed again and again: each step is taken once."""

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import func, select

from greenchannel.alerts.escalation_plan import default_settings
from greenchannel.county.fast_clock import FastClock
from greenchannel.events import (
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    AlertSent,
    AnyEvent,
    CaseOpened,
    Envelope,
    PlanStep,
    case_stream,
)
from greenchannel.service.book import CaseBook
from greenchannel.service.casework import Casework
from greenchannel.store import schema
from greenchannel.store.engine import migrate, open_engine, reading
from greenchannel.store.log import Log
from greenchannel.store.writer import Tx, Writer
from tests.engines import Engines, engines

NAMES: Final = ("engine-1", "engine-2")
SEED: Final = 20260315
SPEED: Final = 60.0
WITHIN_S: Final = 600.0
LONGEST_LIFE_S: Final = 4.0
NO_REPEAT_S: Final = 86400.0
SPREAD_S: Final = 20.0  # real seconds in which all fall due
PEOPLE: Final = ("chen", "lin", "zhao")


def plan(steps: int) -> tuple[PlanStep, ...]:
    """As many steps as that behind the first, evenly, and the last exhausts."""
    apart_s = SPREAD_S * SPEED / (steps + 1)
    return tuple(
        PlanStep(
            after_s=round(step * apart_s, 3),
            role="everybody" if step == steps else "second",
            people=(PEOPLE[step % 3],),
            channels=("live",),
        )
        for step in range(steps + 1)
    )


def fill(folder: Path, clock: FastClock, cases: int, steps: int) -> None:
    """Cases with an alert each, opened now, as the intake opens them."""
    folder.mkdir(parents=True)
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    migrate(engine)
    writer = Writer(engine, clock)
    casework = Casework(writer, CaseBook(), default_settings())
    writer.start()

    def open_one(tx: Tx, number: int) -> None:
        case_id, alert_id, frozen = f"c_{number}", f"a_{number}", plan(steps)
        first = AlertSent(alert_id=alert_id, person=frozen[0].people[0], channel="live", step=0)
        opened = AlertOpened(
            alert_id=alert_id,
            tier="ACT",
            ecg_id=f"e_{number}",
            rules=(),
            plan=frozen,
            repeat_s=(NO_REPEAT_S,),
        )
        events: list[AnyEvent] = [
            CaseOpened(case_id=case_id, site="yinzhao", patient=f"p_{number}"),
            opened,
            first,
        ]
        casework.write(tx, None, case_id, events, "service")

    for number in range(cases):
        writer.transact_sync(lambda tx, number=number: open_one(tx, number))  # type: ignore[misc]
    writer.close()
    engine.dispose()


def waiting(folder: Path) -> int:
    """How many due times nobody has taken."""
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    try:
        with reading(engine) as connection:
            table = schema.deadlines
            query = select(func.count()).where(table.c.done_at.is_(None), table.c.kind == "alert_step")
            return int(connection.execute(query).scalar_one())
    finally:
        engine.dispose()


def read_log(folder: Path, known: dict[int, bytes]) -> list[Envelope]:
    """The whole log, once its chain has been walked along."""
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    try:
        log = Log(engine)
        report = log.verify(known)
        assert report.ok, report
        return log.read()
    finally:
        engine.dispose()


def head(folder: Path) -> tuple[int, bytes]:
    """The end of the log as it stands."""
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    try:
        return Log(engine).head()
    finally:
        engine.dispose()


def play(folder: Path, running: Engines) -> tuple[int, dict[int, bytes]]:
    """Kill one or the other at random until all is taken; how many kills, and the heads that were seen."""
    dice = random.Random(SEED)
    for name in NAMES:
        running.begin(name)
    kills, heads, end = 0, {}, time.monotonic() + WITHIN_S
    while waiting(folder):
        assert time.monotonic() < end, running.log_end()
        time.sleep(dice.uniform(0.2, LONGEST_LIFE_S))
        victim = dice.choice(NAMES)
        running.kill(victim)
        kills += 1
        running.begin(victim)
        seq, link = head(folder)
        heads[seq] = link
    return kills, heads


@pytest.mark.parametrize(
    ("cases", "steps"),
    [
        pytest.param(80, 25, id="two thousand"),
        pytest.param(400, 25, id="ten thousand", marks=pytest.mark.soak),
    ],
)
def test_each_step_is_taken_once_by_two_engines_that_are_killed(
    tmp_path: Path, cases: int, steps: int
) -> None:
    """Every step of every alert is in the log exactly once, and both have taken some."""
    folder, clock = tmp_path / "county", FastClock(datetime(2026, 3, 2, 8, tzinfo=UTC), SPEED)
    begun = time.monotonic()
    fill(folder, clock, cases, steps)
    with engines(folder, clock, audit_every_s=3600) as running:
        kills, heads = play(folder, running)
        for name in NAMES:
            running.wait_ready(name)
            running.stop(name)
        lives, faults = running.lives, running.faults()
    events = read_log(folder, heads)

    wanted = {(f"a_{number}", step) for number in range(cases) for step in range(1, steps + 1)}
    taken = Counter((e.event.alert_id, e.event.step) for e in events if isinstance(e.event, AlertEscalated))
    assert taken == Counter(wanted)
    rung = Counter(
        (e.event.alert_id, e.event.person, e.event.channel, e.event.step)
        for e in events
        if isinstance(e.event, AlertSent)
    )
    assert set(rung.values()) == {1} and len(rung) == cases * (steps + 1)
    assert Counter(e.event.alert_id for e in events if isinstance(e.event, AlertExhausted)) == Counter(
        f"a_{number}" for number in range(cases)
    )
    by_engine = Counter(e.clock for e in events if isinstance(e.event, AlertEscalated))
    assert set(by_engine) == set(NAMES), by_engine
    for number in range(cases):
        versions = [e.version for e in events if e.stream == case_stream(f"c_{number}")]
        assert versions == list(range(1, len(versions) + 1))
    assert _early(events) == []
    assert kills >= 3 and faults == []
    print(
        f"{len(taken)} of {len(wanted)} steps taken once, by {dict(by_engine)}, "
        f"{kills} kills, {lives} lives, {len(events)} events, {time.monotonic() - begun:.0f} s"
    )


def _early(events: list[Envelope]) -> list[Envelope]:
    """The steps that were taken before they were due."""
    opened = {e.event.alert_id: (e.at, e.event.plan) for e in events if isinstance(e.event, AlertOpened)}
    found = []
    for one in events:
        if isinstance(one.event, AlertEscalated):
            at, steps = opened[one.event.alert_id]
            if one.at < at + timedelta(seconds=steps[one.event.step].after_s):
                found.append(one)
    return found
