"""Duty is the last thing that may stop: what fails is tried again and keeps nothing else from its turn."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from greenchannel.alerts.auditor import audit
from greenchannel.alerts.escalation_plan import settings_of
from greenchannel.events import AlertEscalated, AlertExhausted, AlertOpened
from greenchannel.service.duty import BATCH
from greenchannel.settings import Settings
from greenchannel.store import deadlines
from greenchannel.store.writer import Tx
from tests.desk_world import World, dicom

QUIET = Settings(
    data_dir=Path("unset"), reading_process=False, duty_poll_s=1e6
)  # duty looks when it is told to


def test_a_due_time_that_fails_keeps_no_alert_from_its_next_step(tmp_path: Path) -> None:
    """One that nobody can act on is due first; the unanswered alert still goes to the second reader."""
    world = World(folder=tmp_path, settings=QUIET)

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
            assert await desk.duty.fire_due() >= 2
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


def test_a_site_that_pages_for_more_is_heeded_everywhere(tmp_path: Path) -> None:
    """With `NONE` among the paging tiers such an ECG rings, and the auditor knows."""
    text = (Path(__file__).parents[2] / "alerts" / "escalation.toml").read_text(encoding="utf-8")
    wide = text.replace(json.dumps(["ACT", "CRIT"]), '["ACT", "CRIT", "NONE"]')
    assert wide != text
    world = World(folder=tmp_path, escalation=settings_of(wide.encode()))

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom("baseline_sinus"))
            case = desk.case(answer.case_id)
            assert case.alert is not None and (case.tier, case.alert.tier) == ("NONE", "NONE")
            late = audit(desk.cases(), desk.clock.now() + timedelta(hours=1), desk.watch.settings)
            assert {one.kind for one in late} >= {"step", "exhaustion"}

    asyncio.run(play())


def test_due_times_that_fail_keep_none_from_its_turn(tmp_path: Path) -> None:
    """A hundred of cases that are not there, and of a kind that nobody knows: the good one behind them is taken."""
    world = World(folder=tmp_path, settings=QUIET)

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom())

            def spoil(tx: Tx) -> None:
                for number in range(BATCH + 20):
                    tx.set_deadline(
                        f"spoilt-{number}",
                        due_at=tx.now - timedelta(hours=1),
                        kind="alert_step" if number % 2 else "unheard_of",
                        stream=f"case:gone-{number}",
                        payload=b'{"alert_id": "a", "step": 1}',
                    )

            await desk._writer.transact(spoil)
            world.pass_time(61)
            for _ in range(3):
                await desk.duty.fire_due()
            case = desk.case(answer.case_id)
            assert case.alert is not None and case.alert.step >= 1

    asyncio.run(play())


def test_an_alert_of_before_rings_on_after_an_upgrade(tmp_path: Path) -> None:
    """It was opened without repeats and questions; the next start gives it a round that has them."""
    world = World(folder=tmp_path, settings=QUIET)

    async def play() -> None:
        async with world.desk() as desk:
            sent = await world.send(desk, dicom("baseline_sinus"))
            plan = desk.watch.plan("ACT", world.clock.now(), "yinzhao")
            old = AlertOpened(alert_id="a_old", tier="ACT", ecg_id=sent.ecg_id, rules=(), plan=plan)
            await desk._casework.change(sent.case_id, lambda case, now: [old], "service")
        for rounds in (2, 2):  # a second start finds nothing to mend
            async with world.desk() as desk:
                alert = desk.case(sent.case_id).alert
                assert alert is not None and alert.open and alert.round == rounds
                assert alert.repeat_s == desk.watch.settings.repeat_s and alert.follow_up_s is not None

    asyncio.run(play())


def test_who_waits_for_an_answer_comes_before_what_was_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reading that hangs at the start keeps no step from its time."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            answer = await world.send(desk, dicom())
        world.pass_time(61)
        desk, never = world.make(), asyncio.Event()
        monkeypatch.setattr(desk.intake, "read_what_was_left", never.wait)
        starting = asyncio.create_task(desk.start())
        async with asyncio.timeout(20):
            while (
                (case := desk.book.cases.get(answer.case_id)) is None
                or case.alert is None
                or case.alert.step < 1
            ):
                await asyncio.sleep(0.01)
        assert not desk.ready
        starting.cancel()
        await asyncio.gather(starting, return_exceptions=True)
        await desk.stop()

    asyncio.run(play())


def test_who_is_disabled_is_on_no_plan(tmp_path: Path) -> None:
    """Whatever the roster says."""
    world = World(folder=tmp_path, settings=QUIET)

    async def play() -> None:
        async with world.desk() as desk:
            before = desk.watch.plan("ACT", world.clock.now(), "yinzhao")
            first = before[0].people[0]
            desk.accounts.disable_user(first)
            after = desk.watch.plan("ACT", world.clock.now(), "yinzhao")
            assert all(first not in step.people for step in after) and after[0].people

    asyncio.run(play())
