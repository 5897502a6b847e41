"""Drills: nothing of one is shown without its mark, it hides nothing real, counts nowhere, and ends by itself."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from greenchannel.alerts import drill
from greenchannel.alerts.closed_loop import open_of
from greenchannel.alerts.messages import compose
from greenchannel.alerts.refusal import Refused
from greenchannel.events import AlertOpened, CaseClosed, FollowUpPlanned
from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, Forbidden
from greenchannel.store import outbox_rows
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.ecg_paper import draw
from greenchannel.viewer.wire import case_row
from tests.delivery_world import Ward, play
from tests.desk_world import START, World, dicom, person, run
from tests.service.viewer_house import House, ecg_file, house

ADMIN = Caller(kind="user", id="admin", name="管理员", role="admin", sites=None)
STEMI = "extensive_anterior_high_lateral_stemi"


async def started(desk: Desk, caller: Caller = ADMIN, site: str = "yinzhao", **given: Any) -> str:
    running = drill.running(desk.book.cases.values(), desk.clock.now())
    return await desk.drills.start(caller, site, running, scenario=STEMI, **given)


async def fire(desk: Desk) -> None:
    while await desk.duty.fire_due():
        pass


def events(desk: Desk, case_id: str, kind: type[Any]) -> list[Any]:
    return [one.event for one in desk.book.cases[case_id].history if isinstance(one.event, kind)]


def test_a_drill_rings_who_is_on_duty_through_the_real_way_in(tmp_path: Path) -> None:
    """Its ECG is read, its alert opens and escalates as that of a patient."""

    async def story(world: World, desk: Desk) -> None:
        case_id = await started(desk)
        case = desk.book.cases[case_id]
        assert case.is_drill and case.tier == "ACT"
        assert next(step.people for step in events(desk, case_id, AlertOpened)[0].plan)
        assert case.alert is not None and case.alert.step == 0
        world.pass_time(61)
        await fire(desk)
        escalated = desk.book.cases[case_id].alert
        assert escalated is not None and escalated.step == 1

    run(tmp_path, story)


def test_who_may_start_one(tmp_path: Path) -> None:
    """An administrator, and the head of duty while on duty; nobody else."""

    async def story(world: World, desk: Desk) -> None:
        for user in ("chen", "wang", "quality", "ed"):
            with pytest.raises(Forbidden):
                await started(desk, person(user))
        case_id = await started(desk, person("zhao"))
        with pytest.raises(Forbidden):
            await desk.drills.end(person("chen"), desk.book.cases[case_id])
        with pytest.raises(Conflict, match="under way"):
            await started(desk)
        await started(desk, site="jishi")
        for minutes in (1.0, 1000.0):
            with pytest.raises(Refused, match="minutes"):
                await started(desk, site="liuzhuang", minutes=minutes)

    run(tmp_path, story)


def test_it_ends_by_itself_after_a_restart_too(tmp_path: Path) -> None:
    """The end is a due row: unanswered, with an open channel, and with the service away when the time came."""
    world = World(folder=tmp_path)

    async def before() -> str:
        async with world.desk() as desk:
            case_id = await started(desk, minutes=10)
            await desk.answers.open_green_channel(case_id, person("chen"))
            return case_id

    async def after(case_id: str) -> None:
        async with world.desk() as desk:
            await fire(desk)
            assert desk.book.cases[case_id].state == "open"
            world.pass_time(600)
            await fire(desk)
            case = desk.book.cases[case_id]
            assert (case.state, case.channel.state) == ("closed", "stood_down")
            assert [one.reason for one in events(desk, case_id, CaseClosed)] == [drill.BY_TIME]
            world.pass_time(3600)
            await fire(desk)
            assert desk.book.cases[case_id].state == "closed"

    case_id = asyncio.run(before())
    world.pass_time(1)
    asyncio.run(after(case_id))


def test_a_person_ends_it_and_nobody_is_rung_any_more(tmp_path: Path) -> None:
    """Though nobody had answered; a real case does not end like this."""

    async def story(world: World, desk: Desk) -> None:
        case_id = await started(desk)
        real = str((await world.send(desk, dicom())).case_id)
        with pytest.raises(Refused, match="real case"):
            await desk.drills.end(ADMIN, desk.book.cases[real])
        await desk.drills.end(ADMIN, desk.book.cases[case_id])
        await desk.drills.end(ADMIN, desk.book.cases[case_id])
        world.pass_time(3600)
        await fire(desk)
        alert, other = desk.book.cases[case_id].alert, desk.book.cases[real].alert
        assert alert is not None and (alert.step, alert.exhausted) == (0, False)
        assert other is not None and other.exhausted

    run(tmp_path, story)


def test_it_counts_nowhere(tmp_path: Path) -> None:
    """No follow-up of its upload, of its stood-down channel or of its closing; and the real one beside it has them."""

    async def story(world: World, desk: Desk) -> None:
        case_id = await started(desk)
        real = str((await world.send(desk, dicom())).case_id)
        for one in (case_id, real):
            await desk.answers.open_green_channel(one, person("chen"))
            await desk.answers.stand_down(one, person("chen"), "no infarction")
        await desk.drills.end(ADMIN, desk.book.cases[case_id])
        world.pass_time(3 * 86400)
        await fire(desk)
        now = world.clock.now()
        assert events(desk, case_id, FollowUpPlanned) == [] and open_of(desk.book.cases[case_id], now) == []
        assert events(desk, real, FollowUpPlanned) != []

    run(tmp_path, story)


def test_a_real_ecg_of_the_same_site_rings_as_always_and_stands_above(tmp_path: Path) -> None:
    """It gets a case and an alert of its own, cannot be sent into the drill, merged with it or split out of it."""

    async def story(world: World, desk: Desk) -> None:
        case_id = await started(desk)
        world.pass_time(30)
        real = str((await world.send(desk, dicom())).case_id)
        assert real != case_id
        alert = desk.book.cases[real].alert
        assert alert is not None and alert.open and not desk.book.cases[real].is_drill
        names, now = Directory(desk.accounts), world.clock.now()
        await names.refresh()
        rows = [case_row(desk.book.cases[one], names, now) for one in (case_id, real)]
        assert rows[1]["order"] < rows[0]["order"]
        for attempt in (
            lambda: world.send(desk, dicom(seed=9), case_id=case_id),
            lambda: desk.answers.merge(real, person("chen"), case_id),
            lambda: desk.answers.merge(case_id, person("chen"), real),
            lambda: desk.ambulances.bind(case_id, person("dispatch"), "ecg-jishi"),
        ):
            with pytest.raises((Refused, Conflict)) as refused:
                await attempt()
            assert getattr(refused.value, "code", None) == "drill_case"
        urgent = str((await world.send(desk, dicom("baseline_sinus", seed=3))).case_id)
        assert case_row(desk.book.cases[urgent], names, now)["order"] < rows[0]["order"]

    run(tmp_path, story)


def test_every_message_of_a_drill_begins_with_the_word(tmp_path: Path) -> None:
    """Whatever kind it is of, on every channel: ringing, handed over, exhausted, channel, answered, over."""

    async def story(ward: Ward) -> None:
        desk, world = ward.desk, ward.world
        for user in ("chen", "lin", "zhao", "wang", "cath", "ed", "ccu", "dispatch"):
            for channel in ("sms", "phone"):
                ward.webhook(user, channel, "http://127.0.0.1:9/x", to="13800001234")
        case_id = await started(desk)
        alert = desk.book.cases[case_id].alert
        assert alert is not None
        world.pass_time(400)
        await fire(desk)
        await desk.answers.acknowledge(alert.alert_id, person("chen"))
        await desk.answers.hand_over(alert.alert_id, person("chen"), "lin")
        await desk.answers.open_green_channel(case_id, person("chen"))
        await desk.answers.stand_down(case_id, person("chen"), "演练")
        await desk.drills.end(ADMIN, desk.book.cases[case_id])
        keys = ward.rows(case_id=case_id)
        rows = await desk._writer.transact(lambda tx: [outbox_rows.get(tx, key) for key in keys])
        kinds = {row.kind for row in rows if row is not None}
        assert {"alert", "exhausted", "handed_over", "green_channel", "stood_down", "drill_over"} <= kinds
        for row in rows:
            assert row is not None
            for public in (True, False):
                message = compose(
                    row.kind, row.key, row.facts, site_zh="阴赵卫生院", site_en="Yinzhao", public=public
                )
                assert message.title.startswith("演练 DRILL"), row.kind
                assert message.text.startswith("演练 DRILL"), row.kind
                assert message.facts.get("drill", False) is not public

    play(tmp_path, story)


def _says_drill(found: Any) -> bool:
    text = json.dumps(found, ensure_ascii=False)
    return "演练" in text and "DRILL" in text


def test_nothing_of_a_drill_leaves_the_interface_without_its_mark(tmp_path: Path) -> None:
    """The worklist, the case, its ECG, the tasks, the line, the list of drills: each object that names it says it."""

    async def play_it() -> None:
        async with house(tmp_path) as h:
            boss, doctor, clinic = (
                await h.person("boss"),
                await h.person("cardiologist"),
                await h.person("village"),
            )
            made = await h.http.post("/api/v1/drills", headers=boss, json={"site": "yinzhao"})
            assert made.status_code == 201, made.text
            row = made.json()["case"]
            case_id, ecg_id = row["case_id"], row["ecg_id"]
            await h.http.post(f"/api/v1/cases/{case_id}/green-channel", headers=doctor)
            real = (await h.http.post("/api/v1/ecgs", content=ecg_file(st_mv=0.4), headers=h.device())).json()
            for who in (boss, doctor, clinic):
                listed = (await h.http.get("/api/v1/cases", headers=who)).json()["cases"]
                assert [one["case_id"] for one in listed] == [real["case_id"], case_id]
                for one in listed:
                    assert (one["drill"] is not None) == (one["case_id"] == case_id)
                    assert _marked(one) == (one["case_id"] == case_id)
                page = (await h.http.get(f"/api/v1/cases/{case_id}", headers=who)).json()
                assert _says_drill(page)
            ecg = (await h.http.get(f"/api/v1/ecgs/{ecg_id}", headers=doctor)).json()
            assert ecg["drill"] is not None and ecg["analysis"]["drill"] is True
            tasks = (await h.http.get("/api/v1/tasks?mine=0&names=1", headers=doctor)).json()["tasks"]
            assert tasks and all(_marked(one["case"]) for one in tasks)
            assert {one["case"]["name"] for one in tasks} == {"演练 DRILL"}
            assert (await h.http.get("/api/v1/followups", headers=doctor)).json().get(
                "followups", []
            ) is not None
            running = (await h.http.get("/api/v1/drills", headers=clinic)).json()
            assert not running["may_start"] and running["sites"] == []
            assert [one["case_id"] for one in running["drills"]] == [case_id]
            assert running["drills"][0]["site"]["name_zh"].startswith("【演练】")
            other = (await h.http.get("/api/v1/drills", headers=await h.person("other"))).json()
            assert other["drills"] == []
            assert (await h.http.post(f"/api/v1/drills/{case_id}/end", headers=doctor)).status_code == 403
            ended = await h.http.post(f"/api/v1/drills/{case_id}/end", headers=boss)
            over = ended.json()["case"]
            assert over["state"] == "closed" and _marked(over)
            assert over["alert"]["state"] in (
                "ended",
                "acknowledged",
            )  # whether it rang before the channel opened
            assert (
                await h.http.post(f"/api/v1/drills/{real['case_id']}/end", headers=boss)
            ).status_code == 409
            done = (await h.http.get("/api/v1/admin/changes", headers=boss)).json()["changes"]
            assert [one["what"] for one in done] == ["drill_end", "drill_start"]
            await _paper(h, ecg_id)

    asyncio.run(play_it())


def _marked(row: dict[str, Any]) -> bool:
    words = (row["headline_zh"], row["site"]["name_zh"]), (row["headline_en"], row["site"]["name_en"])
    return all(one.startswith("【演练】") for one in words[0]) and all(
        one.startswith("[DRILL]") for one in words[1]
    )


async def _paper(h: House, ecg_id: str) -> None:
    """The sheet has the word above and across, and a hatched frame; that of a real ECG has none of it."""
    analysis = await h.desk.analysis(ecg_id)
    recording = await h.desk.recording(ecg_id)
    assert analysis is not None
    for marked in (True, False):
        sheet = draw(recording, analysis if marked else {**analysis, "drill": False})
        texts = [text.get_text() for text in sheet.axes[0].texts]
        assert (drill.ON_PAPER in texts, drill.WORDS in texts) == (marked, marked)
        assert any(patch.get_hatch() for patch in sheet.axes[0].patches) == marked


def test_the_instant_of_its_end_is_frozen_with_its_opening(tmp_path: Path) -> None:
    """Twenty minutes where nothing is said; the row says when."""

    async def story(world: World, desk: Desk) -> None:
        case = desk.book.cases[await started(desk)]
        assert case.drill_until == START + timedelta(minutes=drill.number("default_min"))

    run(tmp_path, story)
