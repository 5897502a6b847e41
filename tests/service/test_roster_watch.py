"""An empty or unreachable shift is raised the day before and an hour before, not during."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select
from typer.testing import CliRunner

from greenchannel.alerts.roster_edit import DutyShift
from greenchannel.cli import administration
from greenchannel.cli.main import app
from greenchannel.clock import ManualClock
from greenchannel.events import ShiftInDoubt
from greenchannel.service import roster_changes
from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.service.roster_watch import RosterNotice, look_soon
from greenchannel.store import schema
from greenchannel.store.engine import open_engine, reading, writing
from greenchannel.store.writer import Writer
from tests.desk_world import START, World, device, dicom

BOSS = Caller(kind="user", id="boss", name="boss", role="admin", sites=None)
DAY = timedelta(days=1)
MORNING = datetime(2026, 3, 3, tzinfo=UTC)  # the county's own roster ends here, 15:55 after the start
GAP = datetime(2026, 3, 5, tzinfo=UTC)
ROLES = {"first": "chen", "second": "lin", "head": "zhao"}

Play = Callable[[Desk], Coroutine[object, object, None]]


class House:
    """A county over a folder, with shifts to the end of the week but for twelve hours of the first reader."""

    def __init__(self, folder: Path, *, gap: bool = True) -> None:
        self.world = World(folder=folder)
        self.told: list[RosterNotice] = []
        self.mute: set[str] = set()
        self.world.make()._engine.dispose()
        engine = open_engine(self.world.settings.url())
        spans = {role: [(MORNING, MORNING + 8 * DAY)] for role in ROLES}
        if gap:
            spans["first"] = [(MORNING, GAP), (GAP + DAY / 2, MORNING + 8 * DAY)]
        with writing(engine) as connection:
            for role, person in ROLES.items():
                for number, (start, end) in enumerate(spans[role]):
                    row = {
                        "id": f"{role}{number}",
                        "role": role,
                        "person": person,
                        "starts_at": start,
                        "ends_at": end,
                    }
                    connection.execute(insert(schema.shifts).values(**row))
        engine.dispose()

    @contextlib.asynccontextmanager
    async def desk(self) -> AsyncIterator[Desk]:
        """A started desk that tells us instead of people."""
        desk = self.world.make()
        desk.roster.watch.notify = lambda tx, notice: self.told.append(notice)
        desk.roster.watch.reachable = lambda person, now: person not in self.mute
        await desk.start()
        for task in desk._tasks:  # the clock alone decides when something is due
            task.cancel()
        try:
            yield desk
        finally:
            await desk.stop()

    async def at(self, desk: Desk, instant: datetime) -> list[ShiftInDoubt]:
        """Turn the clock to an instant, fire all that is due on the way; what that added to the log."""
        before = len(doubts(desk))
        clock = self.world.clock
        assert isinstance(clock, ManualClock)
        while clock.now() < instant:
            clock.move_to(min(instant, clock.now() + timedelta(minutes=30)))
            await fire(desk)
        await fire(desk)
        return doubts(desk)[before:]

    def play(self, story: Play) -> None:
        """One life of the desk."""

        async def life() -> None:
            async with self.desk() as desk:
                await story(desk)

        asyncio.run(life())


async def fire(desk: Desk) -> None:
    while await desk.duty.fire_due():
        pass


def doubts(desk: Desk) -> list[ShiftInDoubt]:
    found = [one.event for one in desk.log.read_stream("roster")]
    return [one for one in found if isinstance(one, ShiftInDoubt)]


def waiting(desk: Desk) -> dict[str, datetime]:
    """Checks that are set: id, due time."""
    table = schema.deadlines
    query = select(table.c.id, table.c.due_at).where(table.c.done_at.is_(None), table.c.kind != "roster_plan")
    with reading(desk._engine) as connection:
        return {row.id: row.due_at for row in connection.execute(query) if row.id.startswith("roster_")}


def of(role: str, person: str, start: datetime, end: datetime, site: str | None = None) -> DutyShift:
    return DutyShift(
        id=f"{person}{start:%d%H}{site}", role=role, person=person, start=start, end=end, site=site
    )


def test_an_empty_shift_is_raised_the_day_and_the_hour_before_and_not_during(tmp_path: Path) -> None:
    """Twice, to the second; the head of duty is told each time; and while it lasts there is silence."""
    house = House(tmp_path)

    async def story(desk: Desk) -> None:
        assert doubts(desk) == []
        assert await house.at(desk, GAP - DAY - timedelta(minutes=1)) == []
        (day,) = await house.at(desk, GAP - DAY)
        assert (day.role, day.problem, day.starts, day.ends) == ("first", "empty", GAP, GAP + DAY / 2)
        assert (day.check, day.ahead_s) == ("day_before", 86400.0)
        assert await house.at(desk, GAP - timedelta(hours=2)) == []
        (hour,) = await house.at(desk, GAP - timedelta(minutes=60))
        assert (hour.check, hour.ahead_s, hour.starts) == ("hour_before", 3600.0, GAP)
        assert await house.at(desk, GAP + 2 * DAY) == []

    house.play(story)
    assert [(one.kind, one.people, one.facts["check"]) for one in house.told] == [
        ("roster_in_doubt", ("zhao",), "day_before"),
        ("roster_in_doubt", ("zhao",), "hour_before"),
    ]
    assert "无人值班" in house.told[0].facts["zh"] and "nobody is on duty" in house.told[0].facts["en"]
    assert len({one.key for one in house.told}) == 2


def test_who_lost_the_role_or_the_site_is_in_doubt_at_once_and_not_rung(tmp_path: Path) -> None:
    """The roster still names them, but their answer would be refused: the next in the plan is rung first."""
    house = House(tmp_path, gap=False)

    async def story(desk: Desk) -> None:
        await house.at(desk, MORNING + DAY / 8)
        now = house.world.clock.now()

        def rung() -> list[str]:
            return [one.person for one in desk.watch.shifts(now, "yinzhao") if one.role == "first"]

        assert rung() == ["chen"] and desk.roster.watch.in_doubt == 0
        for change in ({"role": "quality"}, {"role": "reader", "sites": frozenset({"jishi"})}):
            await desk.administration.change_user(BOSS, "chen", **change)
            now += timedelta(minutes=1)
            await house.at(desk, now)
            assert rung() == []
            assert [(one.problem, one.person) for one in (await desk.roster.view()).problems] == [
                ("disabled", "chen")
            ]
        assert [one.person for one in desk.watch.shifts(now, "jishi") if one.role == "first"] == ["chen"]
        await desk.administration.change_user(BOSS, "chen", every_site=True)
        await house.at(desk, now + timedelta(minutes=1))
        assert rung() == ["chen"] and desk.roster.watch.in_doubt == 0

    house.play(story)
    assert [one.kind for one in house.told] == ["roster_in_doubt", "roster_doubt_gone"]
    assert "无权应答" in house.told[0].facts["zh"] and "may not answer" in house.told[0].facts["en"]


def test_a_gap_that_is_filled_is_gone_and_said_to_be(tmp_path: Path) -> None:
    """The list is empty again at once, the head is told, and the check of the hour before finds nothing."""
    house = House(tmp_path)

    async def story(desk: Desk) -> None:
        await house.at(desk, GAP - DAY)
        assert desk.roster.watch.in_doubt == 1 and len((await desk.roster.view()).problems) == 1
        await desk.roster.add(of("first", "lin", GAP, GAP + DAY / 2), BOSS)
        assert [one.gone for one in doubts(desk)] == [False, True]
        assert desk.roster.watch.in_doubt == 0
        view = await desk.roster.view()
        assert view.problems == () and view.doubts == ()
        assert await house.at(desk, GAP + DAY) == []

    house.play(story)
    assert [one.kind for one in house.told] == ["roster_in_doubt", "roster_doubt_gone"]


def test_a_shift_taken_off_within_the_day_is_raised_at_once(tmp_path: Path) -> None:
    """The check of the day before has passed; nobody waits for the next one."""
    house = House(tmp_path, gap=False)

    async def story(desk: Desk) -> None:
        await house.at(desk, GAP)
        assert doubts(desk) == []
        now = desk.clock.now()
        await desk.roster.remove("second0", BOSS)
        (said,) = doubts(desk)
        assert (said.role, said.problem, said.starts, said.check) == ("second", "empty", now, "hour_before")
        assert await house.at(desk, GAP + DAY) == []

    house.play(story)


def test_a_change_after_planning_moves_the_checks_with_the_shift(tmp_path: Path) -> None:
    """Checks of a boundary that is no more are taken back, those of the new one are set."""
    house = House(tmp_path)

    async def story(desk: Desk) -> None:
        await house.at(desk, GAP - DAY - timedelta(hours=2))
        old = f"roster_hour_before:first:{GAP.isoformat()}"
        assert waiting(desk)[old] == GAP - timedelta(hours=1)
        await desk.roster.remove("first0", BOSS)
        await desk.roster.add(of("first", "chen", MORNING, GAP + timedelta(hours=2)), BOSS)
        later = GAP + timedelta(hours=2)
        assert old not in waiting(desk)
        assert waiting(desk)[f"roster_day_before:first:{later.isoformat()}"] == later - DAY
        (said,) = [one for one in await house.at(desk, later - DAY) if not one.gone and one.starts == later]
        assert said.ahead_s == 86400.0

    house.play(story)


def test_nothing_is_lost_or_said_twice_over_a_restart(tmp_path: Path) -> None:
    """Stopped before the check, started after it: said at the start, late and once; a second start says nothing."""
    house = House(tmp_path)
    clock = house.world.clock
    assert isinstance(clock, ManualClock)

    async def before(desk: Desk) -> None:
        await house.at(desk, GAP - DAY - timedelta(hours=1))
        assert doubts(desk) == []

    async def late(desk: Desk) -> None:
        assert [(one.check, one.starts) for one in doubts(desk)] == [("day_before", GAP)]
        assert doubts(desk)[0].ahead_s == 20 * 3600
        assert await house.at(desk, clock.now()) == []

    async def again(desk: Desk) -> None:
        assert len(doubts(desk)) == 1
        assert [one.check for one in await house.at(desk, GAP - timedelta(hours=1))] == ["hour_before"]

    house.play(before)
    clock.move_to(GAP - timedelta(hours=20))
    house.play(late)
    house.play(again)
    assert [one.facts["check"] for one in house.told] == ["day_before", "hour_before"]


def test_a_person_who_is_disabled_or_out_of_reach_is_raised_too(tmp_path: Path) -> None:
    """Who is on duty tomorrow and cannot sign in any more, and whose channels are all dead."""
    house = House(tmp_path, gap=False)

    async def story(desk: Desk) -> None:
        await house.at(desk, MORNING + 2 * DAY - timedelta(hours=30))
        await desk.roster.swap(
            "second0",
            "ed",
            start=MORNING + 2 * DAY,
            end=MORNING + 2 * DAY + timedelta(hours=8),
            reason="congress",
            caller=BOSS,
            any_shift=True,
        )
        desk.accounts.disable_user("ed")
        said = await house.at(desk, MORNING + DAY)
        assert [(one.role, one.problem, one.person) for one in said] == [("second", "disabled", "ed")]
        house.mute.add("zhao")
        said = await house.at(desk, desk.clock.now() + timedelta(hours=12))
        assert [(one.role, one.problem, one.person) for one in said] == [("head", "unreachable", "zhao")]
        house.mute.clear()
        said = await house.at(desk, desk.clock.now() + timedelta(hours=12))
        assert [one.problem for one in said if one.gone] == ["unreachable"]

    house.play(story)


def test_who_is_disabled_by_a_command_while_on_duty_is_raised_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service looks with its next due times; and once more as the account is in use again."""
    house = House(tmp_path, gap=False)
    monkeypatch.setattr(administration, "SystemClock", lambda: house.world.clock)

    async def story(desk: Desk) -> None:
        await house.at(desk, MORNING + DAY)
        for word, gone in (("disable", False), ("enable", True)):
            house.world.pass_time(60)
            words = ["user", word, "lin", "--data", str(tmp_path)]
            done = await asyncio.to_thread(CliRunner().invoke, app, words)
            assert done.exit_code == 0, done.output
            before = len(doubts(desk))
            await fire(desk)
            found = [(one.person, one.problem, one.gone) for one in doubts(desk)[before:]]
            assert ("lin", "disabled", gone) in found, found

    house.play(story)


def test_a_change_by_another_process_is_looked_at_by_the_running_service(tmp_path: Path) -> None:
    """A command beside the service tells nobody itself: it has the service look."""
    house = House(tmp_path, gap=False)

    async def story(desk: Desk) -> None:
        await house.at(desk, GAP)
        engine = open_engine(house.world.settings.url())
        writer = Writer(engine, house.world.clock)
        writer.start()
        done = await writer.transact(
            lambda tx: roster_changes.remove_shift(tx, look_soon, shift_id="head0", actor="cli:boss")
        )
        writer.close()
        engine.dispose()
        assert [one.id for one in done.removed] == ["head0"] and doubts(desk) == []
        await fire(desk)
        assert [(one.role, one.problem) for one in doubts(desk)] == [("head", "empty")]

    house.play(story)
    assert [one.people for one in house.told] == [()]  # no head any more, and the county has no administrator


def test_a_role_that_stays_empty_is_not_said_at_every_look(tmp_path: Path) -> None:
    """Looks come every few hours; it is said once the hour before, then anew when the span that was told is over."""
    house = House(tmp_path, gap=False)

    async def story(desk: Desk) -> None:
        await desk.roster.remove("second0", BOSS)
        assert [one.starts for one in doubts(desk)] == [MORNING]
        said = await house.at(desk, MORNING + DAY)
        assert [(one.check, one.starts) for one in said] == [("hour_before", MORNING)]
        assert [one.role for one in await house.at(desk, MORNING + 4 * DAY)] == ["second"]

    house.play(story)


def test_a_failed_look_takes_the_change_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, event and checks are one commit: what fails last undoes the first."""
    house = House(tmp_path)

    async def story(desk: Desk) -> None:
        head, checks_set = desk.log.head(), waiting(desk)

        def fails(tx: object) -> None:
            raise OSError("the disk is gone")

        monkeypatch.setattr(desk.roster.watch, "look", fails)
        with pytest.raises(OSError, match="disk is gone"):
            await desk.roster.remove("first0", BOSS)
        assert desk.accounts.shift("first0") is not None
        assert desk.log.head() == head and waiting(desk) == checks_set

    house.play(story)


def test_an_alert_rings_the_sites_own_reader_for_its_cases_alone(tmp_path: Path) -> None:
    """A shift of a site wins over the network's, in its role, for its cases."""
    house = House(tmp_path, gap=False)

    async def story(desk: Desk) -> None:
        await desk.roster.add(of("first", "ed", START - DAY, START + DAY, site="yinzhao"), BOSS)
        rung = {}
        for site in ("yinzhao", "jishi"):
            answer = await house.world.send(desk, dicom(seed=len(site)), device(site))
            alert = desk.case(answer.case_id).alert
            assert alert is not None
            rung[site] = [step.people for step in alert.plan][:2]
        assert rung == {"yinzhao": [("ed",), ("lin", "ed")], "jishi": [("chen",), ("lin", "chen")]}

    house.play(story)
