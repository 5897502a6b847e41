"""kill -9 at twenty moments, while a county works: what was confirmed is there, once, and nobody is missed."""

import asyncio
import base64
import random
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from greenchannel.events import (
    AlertAcknowledged,
    AlertEscalated,
    AlertExhausted,
    AlertOpened,
    CaseOpened,
    EcgAnalysed,
    EcgReceived,
    Envelope,
    Event,
    GreenChannelOpened,
    MilestoneRecorded,
    StreamStarted,
    TaskAccepted,
    TaskDone,
)
from greenchannel.store.access import AccessLog
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log
from greenchannel.store.rows import event_type
from tests.county_actors import Board, County, Told
from tests.escalation_files import write_escalation_file
from tests.served import Served, served

T = TypeVar("T")
E = TypeVar("E", bound=Event)

KILLS: Final = 20
SEED: Final = 20260302
LONGEST_LIFE_S: Final = 1.6
KILLED_IN_START: Final = 0.2  # share of the kills that meet a service which is not ready yet
LATE_S: Final = 20.0  # that a step may be: the service may be down, and the machine shared by many

APART_S: Final = 8.0  # of the steps


@dataclass(kw_only=True)
class Outcome:
    """What the story left behind."""

    told: Told
    unanswered: str  # the case that nobody answers
    events: list[Envelope]
    kills: list[datetime] = field(default_factory=list)


def test_nothing_confirmed_is_lost_or_doubled_by_twenty_kills(tmp_path: Path) -> None:
    """Uploads, streams, answers, channels, tasks and times: each is in the log exactly once, and the boards agree."""
    begun = time.monotonic()
    file = write_escalation_file(tmp_path, apart_s=APART_S)
    with served(tmp_path / "county", escalation_file=file, mark_every_s=0.2) as service:
        told, unanswered, kills, heads = asyncio.run(_story(service))
        service.stop()
        engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
        log, access = Log(engine), AccessLog(engine)
        assert log.verify(known=heads).ok, log.verify(known=heads)
        assert access.verify().ok and access.head()[0] > 0
        outcome = Outcome(told=told, unanswered=unanswered, events=log.read(), kills=kills)
        engine.dispose()
        assert service.faults() == []
    assert len(kills) == KILLS

    _check_ecgs(outcome)
    _check_streams(outcome)
    _check_alerts(outcome)
    _check_commands(outcome)
    _check_the_unanswered_alert(outcome)
    _check_what_the_board_showed(outcome)
    print(_summary(outcome, service, time.monotonic() - begun))


# ---------------------------------------------------------------- the story


async def _story(service: Served) -> tuple[Told, str, list[datetime], dict[int, bytes]]:
    async with County(service.base, service.tokens) as county:
        chen = await county.person("chen")
        _, unanswered = await county.upload("ecg-liuzhuang", 1, patient_ref="forgotten", chest_pain="yes")
        board = Board(chen, county.told)
        following = asyncio.create_task(board.follow_always())
        workers = [
            asyncio.create_task(county.work(county.clinic_round, 0, 2)),
            asyncio.create_task(county.work(county.clinic_round, 1, 2)),
            asyncio.create_task(county.work(county.stream_round, 0, 1)),
        ]
        kills, heads = await _kill_again_and_again(service, county)
        county.finish()
        await asyncio.gather(*workers)
        await _until_exhausted(county, unanswered)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await _check_boards(county, board, unanswered)
        await _check_samples(county)
        await _check_files(county)
        return county.told, unanswered, kills, heads


async def _kill_again_and_again(service: Served, county: County) -> tuple[list[datetime], dict[int, bytes]]:
    """Twenty times at random. Returns when, and the head of the log as each life found it."""
    dice = random.Random(SEED)
    kills: list[datetime] = []
    heads: dict[int, bytes] = {}
    while len(kills) < KILLS:
        await asyncio.sleep(dice.uniform(0.0, LONGEST_LIFE_S))
        await _kill(service, kills)
        await asyncio.to_thread(service.begin)
        while dice.random() < KILLED_IN_START and len(kills) < KILLS:
            await asyncio.sleep(dice.uniform(0.0, 0.3))
            await _kill(service, kills)
            await asyncio.to_thread(service.begin)
        await asyncio.to_thread(service.wait_ready)
        seq, head = await asyncio.to_thread(_head, service)
        heads[seq] = head
        county.new_life()
    return kills, heads


async def _kill(service: Served, kills: list[datetime]) -> None:
    kills.append(datetime.now(UTC))
    await asyncio.to_thread(service.kill)


def _head(service: Served) -> tuple[int, bytes]:
    engine = open_engine(f"sqlite:///{service.folder / 'greenchannel.sqlite'}")
    try:
        return Log(engine).head()
    finally:
        engine.dispose()


async def _until_exhausted(county: County, case_id: str) -> None:
    chen = await county.person("chen")
    async with asyncio.timeout(60):
        while not (await chen.call("GET", f"/cases/{case_id}"))["alert"]["exhausted"]:
            await asyncio.sleep(0.05)


# ---------------------------------------------------------------- while it still runs


async def _check_boards(county: County, board: Board, case_id: str) -> None:
    """Who comes back with ``after=SEQ`` has, row for row, what a newcomer has, and what the worklist says."""
    quality, chen = await county.person("quality"), await county.person("chen")
    await board.follow(until_seq=(await chen.call("GET", "/cases"))["seq"])
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    await quality.milestone(case_id, "HUB_DOOR", at, "quality")
    county.told.milestones[case_id, "HUB_DOOR", "quality"] = at
    worklist = await chen.call("GET", "/cases")
    await board.follow(until_seq=worklist["seq"])
    assert board.first == "milestone_recorded", "expected only what was missed"
    newcomer = Board(chen, Told())
    await newcomer.follow(until_seq=worklist["seq"])
    while (later := await chen.call("GET", "/cases"))["seq"] != worklist["seq"]:  # a ring fell due meanwhile
        worklist = later
        await board.follow(until_seq=worklist["seq"])
        newcomer = Board(chen, Told())
        await newcomer.follow(until_seq=worklist["seq"])
    rows = {row["case_id"]: row for row in worklist["cases"]}
    assert len(rows) == len(worklist["cases"])
    assert board.rows == newcomer.rows == rows
    assert sorted(rows.values(), key=lambda row: row["order"]) == worklist["cases"]


async def _check_samples(county: County) -> None:
    """Every acknowledged sample of every stream comes back as it was sent."""
    jishi = await county.device("ecg-jishi")
    for ecg_id, steps in county.told.samples.items():
        got = await jishi.call("GET", f"/ecgs/{ecg_id}/waveform", params={"encoding": "int16"})
        back = np.frombuffer(base64.b64decode(got["samples"]), "<i2").reshape(len(got["leads"]), -1)
        np.testing.assert_array_equal(back, steps)


async def _check_files(county: County) -> None:
    """Every confirmed file comes back byte for byte."""
    for ecg_id in county.told.contents:
        assert await county.comes_back(ecg_id)


# ---------------------------------------------------------------- in the log


def _of(outcome: Outcome, kind: type[E]) -> list[tuple[str | None, E]]:
    """All events of a kind with their cases."""
    return [(one.case_id, one.event) for one in outcome.events if isinstance(one.event, kind)]


def _once(things: Iterable[T]) -> set[T]:
    counted = Counter(things)
    doubled = {thing: times for thing, times in counted.items() if times > 1}
    assert not doubled, f"expected each once, got {doubled}"
    return set(counted)


def _check_ecgs(outcome: Outcome) -> None:
    """One ECG for each content, each read once, each episode one case."""
    received = _of(outcome, EcgReceived)
    uploads = _once((e.sha256, e.ecg_id, case_id) for case_id, e in received if e.way == "upload")
    assert uploads == {(sha256, *ids) for sha256, ids in outcome.told.uploads.items()}
    analysed = _once(e.ecg_id for _, e in _of(outcome, EcgAnalysed))
    assert analysed == _once(e.ecg_id for _, e in received)
    told = (*outcome.told.uploads.values(), *outcome.told.streams.values())
    assert _once(case_id for case_id, _ in _of(outcome, CaseOpened)) == {case_id for _, case_id in told}


def _check_streams(outcome: Outcome) -> None:
    """One start and one strip for each stream; several went on in the middle."""
    started = _once((e.stream_id, e.ecg_id, case_id) for case_id, e in _of(outcome, StreamStarted))
    assert started == {(stream_id, *ids) for stream_id, ids in outcome.told.streams.items()}
    stored = _once(e.ecg_id for _, e in _of(outcome, EcgReceived) if e.way == "stream")
    assert stored == {ecg_id for ecg_id, _ in outcome.told.streams.values()}
    assert outcome.told.streams and outcome.told.resumed


def _check_alerts(outcome: Outcome) -> None:
    """One alert for each episode, each of its steps and its end at most once, each answer once."""
    alerted = _once(case_id for case_id, _ in _of(outcome, AlertOpened))
    assert alerted == _once(case_id for case_id, _ in _of(outcome, CaseOpened))
    _once((e.alert_id, e.step) for _, e in _of(outcome, AlertEscalated))
    _once(e.alert_id for _, e in _of(outcome, AlertExhausted))
    answers = _once((e.alert_id, e.person) for _, e in _of(outcome, AlertAcknowledged))
    assert answers == outcome.told.acknowledged


def _check_commands(outcome: Outcome) -> None:
    """Channels, tasks and reported times: all that was confirmed and nothing else, each once."""
    told = outcome.told
    assert _once(case_id for case_id, _ in _of(outcome, GreenChannelOpened)) == told.channels
    assert _once(e.task_id for _, e in _of(outcome, TaskAccepted)) == told.accepted
    assert _once(e.task_id for _, e in _of(outcome, TaskDone)) == told.done
    times = _of(outcome, MilestoneRecorded)
    in_log = {(case_id, e.milestone, e.source): e.time.at for case_id, e in times}
    wanted = {key: datetime.fromisoformat(at) for key, at in told.milestones.items()}
    assert wanted.items() <= in_log.items()
    assert len(times) == len(in_log)  # no second value of any source, the tasks' own times included


def _check_the_unanswered_alert(outcome: Outcome) -> None:
    """It went up step by step to its end, each step once and in time, though the service was killed in between."""
    mine = [one for one in outcome.events if one.case_id == outcome.unanswered]
    (opened,) = (one for one in mine if isinstance(one.event, AlertOpened))
    steps = [(one.at, one.event.step) for one in mine if isinstance(one.event, AlertEscalated)]
    assert [step for _, step in steps] == [1, 2, 3]
    assert sum(isinstance(one.event, AlertExhausted) for one in mine) == 1
    before = opened.at
    for at, step in steps:
        due_at = opened.at + timedelta(seconds=step * APART_S)
        assert due_at <= at <= due_at + timedelta(seconds=LATE_S)
        assert any(before < killed < at for killed in outcome.kills), "expected a kill before each step"
        before = at


def _check_what_the_board_showed(outcome: Outcome) -> None:
    """Nothing was on a screen that is not in the log under the same number."""
    by_seq = {one.seq: (event_type(one.event), one.case_id) for one in outcome.events}
    assert outcome.told.shown and outcome.told.shown.items() <= by_seq.items()
    assert outcome.told.board_connections > KILLS / 2


def _summary(outcome: Outcome, service: Served, seconds: float) -> str:
    told = outcome.told
    parts = (
        f"{len(outcome.kills)} kills, {service.lives} lives, {len(outcome.events)} events",
        f"{len(told.uploads)} uploads, {len(told.streams)} streams ({told.resumed} times resumed)",
        f"{len(told.acknowledged)} answers, {len(told.done)} tasks, {len(told.milestones)} reported times",
        f"{len(told.shown)} events on the board over {told.board_connections} connections, {seconds:.0f} s",
    )
    return ", ".join(parts)
