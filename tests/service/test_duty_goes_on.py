"""Duty is the last thing that may stop: what fails is tried again and keeps nothing else from its turn."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from greenchannel.alerts.auditor import audit
from greenchannel.alerts.escalation_plan import settings_of
from greenchannel.events import AlertEscalated, AlertExhausted
from greenchannel.store import deadlines
from greenchannel.store.writer import Tx
from tests.desk_world import World, dicom


def test_a_due_time_that_fails_keeps_no_alert_from_its_next_step(tmp_path: Path) -> None:
    """One that nobody can act on is due first; the unanswered alert still goes to the second reader."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom())
            broken_at = world.clock.now() - timedelta(seconds=1)

            def set_broken(tx: Tx) -> None:
                tx.set_deadline(
                    "a-0", due_at=broken_at, kind="alert_step", stream="case:c_gone", payload=b"{"
                )

            await desk._writer.transact(set_broken)
            world.pass_time(61)
            for _ in range(2):
                assert await desk.duty.fire_due() >= 1
            steps = [
                e.event.step
                for e in await desk.history(answer.case_id)
                if isinstance(e.event, AlertEscalated)
            ]
            assert steps == [1]
            assert desk.ready

    asyncio.run(play())


def test_duty_outlives_a_database_that_is_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The look-up fails, the service stays, and the next look-up finds what is due."""
    world = World(folder=tmp_path)
    real, failures = deadlines.due, [0]

    def away(*given: object) -> object:
        failures[0] += 1
        if failures[0] < 3:
            raise OperationalError("select", None, Exception("database is locked"))
        return real(*given)  # type: ignore[arg-type]

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom())
            monkeypatch.setattr(deadlines, "due", away)
            world.pass_time(500)
            async with asyncio.timeout(20):
                while not any(
                    isinstance(e.event, AlertExhausted) for e in await desk.history(answer.case_id)
                ):
                    await asyncio.sleep(0.01)
            assert failures[0] >= 3 and desk.ready

    asyncio.run(play())


def test_a_site_that_pages_for_less_is_heeded_everywhere(tmp_path: Path) -> None:
    """With `ACT` left out of the paging tiers an infarction rings nobody, and the auditor misses nothing."""
    text = (Path(__file__).parents[2] / "alerts" / "escalation.toml").read_text(encoding="utf-8")
    quiet = text.replace(json.dumps(["ACT", "CRIT"]), '["CRIT"]')
    assert quiet != text
    world = World(folder=tmp_path, escalation=settings_of(quiet.encode()))

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom())
            case = desk.case(answer.case_id)
            assert (case.tier, case.alert) == ("ACT", None)
            assert audit(desk.cases(), desk.clock.now() + timedelta(hours=1), desk.watch.settings) == []

    asyncio.run(play())
