"""The page of a role: its own open tasks over all cases, without names unless they are asked for."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.service.viewer_house import PASSWORD, House, ecg_file, house

NAME = "张三丰"


async def opened(place: House, seed: int, device: str = "ecg-1") -> str:
    """A transferred patient whose channel is open."""
    sent = await place.http.post(
        "/api/v1/ecgs",
        content=ecg_file(st_mv=0.4, seed=seed),
        params={"arrival_mode": 2, "name": NAME, "age": 61},
        headers=place.device(device),
    )
    case_id = str(sent.json()["case_id"])
    doctor = await place.person("cardiologist")
    answer = await place.http.post(f"/api/v1/cases/{case_id}/green-channel", headers=doctor)
    assert answer.status_code == 200
    return case_id


def test_a_role_sees_its_own_open_tasks_of_all_cases(tmp_path: Path) -> None:
    """The lab those of both sites, the clinic its own patient's; done and cancelled ones are gone."""

    async def story() -> None:
        async with house(tmp_path) as place:
            for role in ("cathlab", "dispatch", "ccu", "ed"):
                place.desk.accounts.add_user(role, role, role, PASSWORD)
            first, second = await opened(place, 1), await opened(place, 2, "ecg-2")
            people = {
                user: await place.person(user)
                for user in ("cathlab", "dispatch", "ccu", "ed", "village", "cardiologist")
            }

            async def listed(user: str, query: str = "?mine") -> list[dict[str, Any]]:
                found = await place.http.get(f"/api/v1/tasks{query}", headers=people[user])
                assert found.status_code == 200, found.text
                if "names" not in query:
                    assert NAME not in found.text
                return list(found.json()["tasks"])

            lab = await listed("cathlab")
            assert {row["role"] for row in lab} == {"cathlab"} and len(lab) == 8
            assert {row["case"]["case_id"] for row in lab} == {first, second}
            assert [row["case"]["case_id"] for row in await listed("village")] == [first]
            assert {row["kind"] for row in await listed("ed")} == {"receive_patient", "sign_consent"}
            assert len(await listed("dispatch", "")) == 24
            task = next(
                row for row in lab if row["kind"] == "ready_cathlab" and row["case"]["case_id"] == first
            )
            assert task["due_at"] is None and task["age_s"] >= 0 and task["case"]["eta"]["hub"] is None
            assert (task["case"]["age_years"], task["case"]["name"]) == (61, None)
            assert task["case"]["opened_by"]["name"] == "王医生"
            await place.http.post(f"/api/v1/tasks/{task['task_id']}/done", headers=people["cathlab"])
            doctor = people["cardiologist"]
            await place.http.post(f"/api/v1/cases/{second}/stand-down", json={"reason": "no"}, headers=doctor)
            rest = await listed("cathlab")
            assert {row["case"]["case_id"] for row in rest} == {first}
            assert "ready_cathlab" not in {row["kind"] for row in rest} and len(rest) == 3
            for user, status in (("quality", 403), ("boss", 403)):
                headers = await place.person(user)
                assert (await place.http.get("/api/v1/tasks?mine", headers=headers)).status_code == status
            assert (await place.http.get("/api/v1/tasks?mine", headers=place.device())).status_code == 403

    asyncio.run(story())


def test_due_times_follow_from_the_targets_and_the_arrival_is_shown(tmp_path: Path) -> None:
    """The lab within thirty minutes of its call, the patient out thirty minutes after the clinic's door."""

    async def story() -> None:
        async with house(tmp_path) as place:
            for role in ("cathlab", "dispatch"):
                place.desk.accounts.add_user(role, role, role, PASSWORD)
            case_id = await opened(place, 1)
            path = f"/api/v1/cases/{case_id}"
            doctor, clinic = await place.person("cardiologist"), await place.person("village")
            lab, dispatch = await place.person("cathlab"), await place.person("dispatch")
            now = place.desk.clock.now()
            called, door = now - timedelta(minutes=10), now - timedelta(minutes=40)
            for headers, name, at in ((doctor, "CATH_CALL", called), (clinic, "SPOKE_DOOR", door)):
                body = {"milestone": name, "at": at.isoformat()}
                said = await place.http.post(f"{path}/milestones", json=body, headers=headers)
                assert said.status_code == 201, said.text
            eta = {"place": "hub", "at": (now + timedelta(minutes=20)).isoformat()}
            await place.http.post(f"{path}/ambulance/eta", json=eta, headers=dispatch)

            async def of(headers: dict[str, str], kind: str) -> dict[str, Any]:
                rows = (await place.http.get("/api/v1/tasks?mine=1", headers=headers)).json()["tasks"]
                return next(row for row in rows if row["kind"] == kind)

            ready, out = await of(lab, "ready_cathlab"), await of(clinic, "prepare_transfer")
            assert (
                19 * 60 < ready["left_s"] <= 20 * 60 and ready["case"]["eta"]["hub"]["source"] == "dispatch"
            )
            assert -11 * 60 < out["left_s"] <= -10 * 60

    asyncio.run(story())


def test_names_are_shown_where_they_are_asked_for_and_each_look_is_written_down(tmp_path: Path) -> None:
    """By a role that may know them; a listing without names writes nothing."""

    async def story() -> None:
        async with house(tmp_path) as place:
            case_id = await opened(place, 1)
            clinic = await place.person("village")

            async def looks() -> int:
                await asyncio.to_thread(place.desk.access.flush)
                rows = place.desk.access.entries()
                return sum(one.action == "look_identity" and one.case_id == case_id for one in rows)

            await place.http.get("/api/v1/tasks?mine", headers=clinic)
            before = await looks()
            rows = (await place.http.get("/api/v1/tasks?mine&names", headers=clinic)).json()["tasks"]
            assert {row["case"]["name"] for row in rows} == {NAME}
            assert await looks() == before + 1

    asyncio.run(story())
