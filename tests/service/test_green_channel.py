"""The green channel at the desk: proposed by the machine, opened by a person, all tasks at once, stood down for all."""

import asyncio
import json
from pathlib import Path

import pytest
import websockets

from greenchannel.alerts import commands
from greenchannel.events import GreenChannelProposed
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Forbidden
from tests.desk_world import World, device, dicom, person, run
from tests.service.viewer_house import PASSWORD, house

ROLES = {"cardiologist", "cathlab", "ed", "ccu", "dispatch", "clinic"}


def test_the_proposal_is_written_with_the_alert(tmp_path: Path) -> None:
    """In the same commit and at the same instant, by the service; nobody has a task yet."""

    async def story(world: World, desk: Desk) -> None:
        case = desk.case((await world.send(desk, dicom(), arrival_mode=2)).case_id)
        (proposed,) = [one for one in case.history if isinstance(one.event, GreenChannelProposed)]

        assert case.alert is not None and proposed.at == case.alert.opened_at
        assert proposed.actor == "service"
        assert (case.channel.state, case.tasks) == ("closed", ())
        again = desk.case((await world.send(desk, dicom(seed=2), case_id=case.case_id)).case_id)
        assert sum(isinstance(one.event, GreenChannelProposed) for one in again.history) == 1

    run(tmp_path, story)


def test_a_machine_never_opens(tmp_path: Path) -> None:
    """A device with its token is refused, whatever the ECG says, and nothing is written."""

    async def story(world: World, desk: Desk) -> None:
        case_id = (await world.send(desk, dicom())).case_id
        seq = desk.book.seq
        with pytest.raises(Forbidden) as refused:
            await desk.answers.open_green_channel(case_id, device())
        assert refused.value.code == "person_required"
        assert desk.book.seq == seq and desk.case(case_id).channel.state == "closed"

    run(tmp_path, story)


def test_opening_gives_every_role_its_task_in_one_transaction(tmp_path: Path) -> None:
    """Six roles at one instant, stamped with who; the same call again adds no event; each is done by its own role."""

    async def story(world: World, desk: Desk) -> None:
        case_id = (await world.send(desk, dicom(), arrival_mode=2)).case_id
        chen = person("chen")
        case = await desk.answers.open_green_channel(case_id, chen)
        seq = desk.book.seq
        again = await desk.answers.open_green_channel(case_id, chen)

        assert {task.role for task in case.tasks} == ROLES
        assert {task.given_at for task in case.tasks} == {case.channel.opened_at}
        assert case.channel.opened_by == "chen"
        assert (desk.book.seq, again.version) == (seq, case.version)
        users = {"cathlab": "cath", "clinic": "wang", "cardiologist": "chen"}
        for task in case.tasks:
            other = person("ed" if task.role != "ed" else "cath")
            if task.kind != "sign_consent":
                with pytest.raises(commands.Refused) as refused:
                    await desk.answers.accept_task(task.task_id, other)
                assert refused.value.code == "wrong_role"
            mine = person(users.get(task.role, task.role))
            await desk.answers.accept_task(task.task_id, mine)
            await desk.answers.done_task(task.task_id, mine)
        assert {task.state for task in desk.case(case_id).tasks} == {"done"}

    run(tmp_path, story)


def test_a_failure_half_way_gives_out_nothing(tmp_path: Path) -> None:
    """All tasks or none: where the commit fails, neither the log nor the board has any of it."""

    async def story(world: World, desk: Desk) -> None:
        case_id = (await world.send(desk, dicom())).case_id
        seq, write = desk.book.seq, desk._casework.write

        def failing(*given: object) -> object:
            write(*given)  # type: ignore[arg-type]
            raise OSError("the disk is gone")

        desk._casework.write = failing  # type: ignore[method-assign, assignment]
        with pytest.raises(OSError, match="gone"):
            await desk.answers.open_green_channel(case_id, person("chen"))
        desk._casework.write = write  # type: ignore[method-assign]

        assert desk.log.head()[0] == seq and desk.case(case_id).tasks == ()

    run(tmp_path, story)


def test_a_stand_down_reaches_everybody_who_had_a_task(tmp_path: Path) -> None:
    """Boards of the lab, the department, dispatch and the clinic get the event with its reason and cancelled tasks."""

    async def story() -> None:
        async with house(tmp_path) as place:
            for role in ("cathlab", "ed", "ccu", "dispatch"):
                place.desk.accounts.add_user(role, role, role, PASSWORD)
            sent = await place.http.post(
                "/api/v1/ecgs", content=dicom(), params={"arrival_mode": 2}, headers=place.device()
            )
            path = f"/api/v1/cases/{sent.json()['case_id']}"
            doctor = await place.person("cardiologist")
            refused = await place.http.post(f"{path}/green-channel", json={}, headers=place.device())
            assert refused.status_code == 403
            opened = await place.http.post(f"{path}/green-channel", json={}, headers=doctor)
            assert opened.json()["case"]["green_channel"]["proposed"]["stands"] is False
            heard = {}
            sockets = {}
            for user in ("cathlab", "ed", "ccu", "dispatch", "village"):
                headers = await place.person(user)
                sockets[user] = await websockets.connect(
                    place.ws("live"),
                    additional_headers={"Cookie": headers["Cookie"]},
                    origin=headers["Origin"],  # type: ignore[arg-type]
                )
            await place.http.post(f"{path}/stand-down", json={"reason": "心包炎"}, headers=doctor)
            for user, socket in sockets.items():
                async with asyncio.timeout(10):
                    while True:
                        message = json.loads(await socket.recv())
                        if message["type"] == "green_channel_stood_down":
                            heard[user] = message
                            break
                await socket.close()

            for message in heard.values():
                assert message["data"]["reason"] == "心包炎"
                tasks = message["row"]["tasks"]
                assert {task["role"] for task in tasks} == ROLES
                assert {task["state"] for task in tasks} == {"cancelled"}
                assert message["row"]["green_channel"]["stood_down_by"]["person"] == "cardiologist"
            assert len(heard) == 5

    asyncio.run(story())


def test_the_steps_of_a_site_are_shown_with_the_task(tmp_path: Path) -> None:
    """Before it is opened too, with source and mark, in both languages."""
    file = tmp_path / "tasks.toml"
    file.write_text(
        '[[task]]\nkind = "sign_consent"\n[[task.step]]\nid = "talk"\nzh = "谈话"\nen = "Talk"\n'
        'source = "protocol"\nmark = "O"\n',
        encoding="utf-8",
    )

    async def story() -> None:
        async with house(tmp_path / "data", tasks_file=file) as place:
            sent = await place.http.post("/api/v1/ecgs", content=dicom(), headers=place.device())
            path = f"/api/v1/cases/{sent.json()['case_id']}"
            doctor = await place.person("cardiologist")
            page = (await place.http.get(path, headers=doctor)).json()
            proposed = page["green_channel"]["proposed"]
            opened = (await place.http.post(f"{path}/green-channel", json={}, headers=doctor)).json()["case"]
            step = {
                "id": "talk",
                "zh": "谈话",
                "en": "Talk",
                "milestone": None,
                "source": "protocol",
                "mark": "O",
            }

            assert (proposed["stands"], proposed["rules"] != []) == (True, True)
            for tasks in (proposed["tasks"], opened["tasks"]):
                steps = {task["kind"]: task["steps"] for task in tasks}
                assert steps["sign_consent"] == [step] and steps["decide_pci"] == []

    asyncio.run(story())
