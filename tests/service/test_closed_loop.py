"""The closed loop at the desk: due times are kept across a restart, and the clinic's look is proven."""

import asyncio
from pathlib import Path

from greenchannel.service.desk import Desk
from tests.desk_world import World, dicom, person
from tests.service.viewer_house import House, ecg_file, house

DAY_S = 86400.0


async def fire(desk: Desk) -> None:
    while await desk.duty.fire_due():
        pass


def test_follow_ups_outlive_a_restart_and_are_said_once(tmp_path: Path) -> None:
    """Stood down, stopped, started two days later: one is overdue, said once; the month is still to come."""
    world = World(folder=tmp_path)

    async def before() -> str:
        async with world.desk() as desk:
            case_id = str((await world.send(desk, dicom())).case_id)
            await desk.answers.open_green_channel(case_id, person("chen"))
            await desk.answers.stand_down(case_id, person("chen"), "no infarction")
            return case_id

    async def after(case_id: str) -> None:
        async with world.desk() as desk:
            world.pass_time(2 * DAY_S)
            await fire(desk)
            await fire(desk)
            names = [type(one.event).__name__ for one in desk.book.cases[case_id].history]
            followups = {one.kind: one for one in desk.book.cases[case_id].followups}
            # The upload itself was never answered: it is on the list beside the cancelled alert.
            assert names.count("FollowUpOverdue") == 2
            assert {kind: one.overdue_at is not None for kind, one in followups.items()} == {
                "cancelled_24h": True,
                "cancelled_30d": False,
                "feedback": True,
            }
            await desk.answers.followup_done(followups["cancelled_24h"].followup_id, person("wang"), "well")
            world.pass_time(29 * DAY_S)
            await fire(desk)
            done = desk.book.cases[case_id].followups
            assert [one.overdue(world.clock.now()) for one in done] == [False, True, True]

    asyncio.run(after(asyncio.run(before())))


def test_every_upload_is_answered_or_on_the_list(tmp_path: Path) -> None:
    """Three ECGs of three tiers; the one that was signed is answered, the others are overdue after a day."""
    world = World(folder=tmp_path)

    async def play() -> None:
        async with world.desk() as desk:
            sent = [
                await world.send(desk, dicom(scenario, seed=seed), patient_ref=str(seed))
                for seed, scenario in enumerate(
                    ("baseline_sinus", "extensive_anterior_high_lateral_stemi"), 1
                )
            ]
            signed = await world.send(desk, dicom("baseline_sinus", seed=3), patient_ref="3")
            await desk.answers.sign_reading(
                signed.ecg_id, person("lin"), text="sinus", tier="NONE", advice=None
            )
            world.pass_time(DAY_S + 1)
            await fire(desk)
            overdue = {
                case.case_id: [one.about for one in case.followups] for case in desk.book.cases.values()
            }
            assert overdue == {
                sent[0].case_id: [sent[0].ecg_id],
                sent[1].case_id: [sent[1].ecg_id],
                signed.case_id: [],
            }

    asyncio.run(play())


async def settled(place: House) -> tuple[str, str]:
    """A case whose advice was given, and its ECG."""
    sent = await place.http.post(
        "/api/v1/ecgs", content=ecg_file(st_mv=0.4), params={"arrival_mode": 2}, headers=place.device()
    )
    case_id, ecg_id = sent.json()["case_id"], sent.json()["ecg_id"]
    doctor = await place.person("cardiologist")
    body = {"text": "STEMI", "tier": "ACT", "advice": "转院"}
    signed = await place.http.post(f"/api/v1/ecgs/{ecg_id}/reading", json=body, headers=doctor)
    assert signed.status_code == 200, signed.text
    return case_id, ecg_id


def test_the_advice_shows_who_read_it_and_when(tmp_path: Path) -> None:
    """Each advice its own look: a later one is unread until the clinic has read that one."""

    async def story() -> None:
        async with house(tmp_path) as place:
            case_id, ecg_id = await settled(place)
            doctor, clinic = await place.person("cardiologist"), await place.person("village")
            await place.http.post(f"/api/v1/ecgs/{ecg_id}/advice-seen", headers=clinic)
            path = f"/api/v1/cases/{case_id}"
            page = (await place.http.get(path, headers=doctor)).json()
            (advice,) = page["advice"]
            assert advice["seen_by"] == {"person": "village", "name": "李医生"}
            assert page["ecgs"][0]["advice_seen_at"] == advice["seen_at"] is not None
            assert page["ecgs"][0]["advice_seen_by"]["person"] == "village"
            body = {"text": "STEMI", "tier": "ACT", "advice": "溶栓清单"}
            await place.http.post(f"/api/v1/ecgs/{ecg_id}/reading", json=body, headers=doctor)
            page = (await place.http.get(path, headers=doctor)).json()
            assert [one["seen_at"] is not None for one in page["advice"]] == [True, False]
            assert page["ecgs"][0]["advice_seen_at"] is None
            first, second = (one["seq"] for one in page["readings"])
            seen = f"/api/v1/ecgs/{ecg_id}/advice-seen"
            late = await place.http.post(seen, json={"of": first}, headers=clinic)
            assert (late.status_code, late.json()["code"]) == (409, "advice_changed")
            answer = await place.http.post(seen, json={"of": second}, headers=clinic)
            assert answer.status_code == 204

    asyncio.run(story())


def test_the_outcome_reaches_the_clinic_and_its_look_comes_back(tmp_path: Path) -> None:
    """Refused before there is one; then sent by a doctor, read by the clinic, each with who and when."""

    async def story() -> None:
        async with house(tmp_path) as place:
            case_id, _ = await settled(place)
            path = f"/api/v1/cases/{case_id}"
            doctor, clinic = await place.person("cardiologist"), await place.person("village")
            other = await place.person("other")
            early = await place.http.post(f"{path}/feedback", json={}, headers=doctor)
            assert (early.status_code, early.json()["code"]) == (409, "no_outcome") and early.json()["zh"]
            now = place.desk.clock.now().isoformat()
            for milestone, code in (("DX", "STEMI"), ("OUTCOME", "discharged")):
                body = {"milestone": milestone, "at": now, "source": "cardiologist", "code": code}
                said = await place.http.post(f"{path}/milestones", json=body, headers=doctor)
                assert said.status_code == 201, said.text
            for _ in range(2):
                assert (await place.http.post(f"{path}/feedback", headers=doctor)).status_code == 200
            assert (await place.http.post(f"{path}/feedback-seen", headers=doctor)).status_code == 403
            for _ in range(2):
                assert (await place.http.post(f"{path}/feedback-seen", headers=clinic)).status_code == 200
            card = (await place.http.get(f"{path}/outcome", headers=clinic)).json()
            hidden = await place.http.get(f"{path}/outcome", headers=other)

            assert card["state"] == "seen" and hidden.status_code == 404
            assert (card["outcome"]["zh"], card["diagnosis"]["code"]) == ("出院", "STEMI")
            assert card["sent"]["name"] == "王医生" and card["seen"]["name"] == "李医生"
            wire = next(row for row in card["milestones"] if row["id"] == "WIRE")
            assert wire["at"] is None and wire["known"] is False
            values = place.desk.case(case_id).values
            assert [v.milestone for v in values].count("FEEDBACK_SENT") == 1
            assert [v.milestone for v in values].count("FEEDBACK_SEEN") == 1
            assert (await place.http.get(path, headers=doctor)).json()["outcome"]["state"] == "seen"

    asyncio.run(story())


def test_the_list_of_follow_ups_is_seen_by_site_and_holds_no_name(tmp_path: Path) -> None:
    """By lateness, role and site; a clinic sees its own; what came of one is said once."""

    async def story() -> None:
        async with house(tmp_path) as place:
            sent = await place.http.post(
                "/api/v1/ecgs",
                content=ecg_file(st_mv=0.4),
                params={"name": "张三丰", "phone": "13800001111"},
                headers=place.device(),
            )
            case_id = sent.json()["case_id"]
            doctor, clinic = await place.person("cardiologist"), await place.person("village")
            path = f"/api/v1/cases/{case_id}"
            await place.http.post(f"{path}/green-channel", headers=doctor)
            await place.http.post(f"{path}/stand-down", json={"reason": "心包炎"}, headers=doctor)

            async def listed(headers: dict[str, str], query: str = "") -> list[str]:
                found = await place.http.get(f"/api/v1/followups{query}", headers=headers)
                assert found.status_code == 200, found.text
                assert "张三丰" not in found.text and "13800001111" not in found.text
                return [row["kind"] for row in found.json()["followups"]]

            everything = ["feedback", "cancelled_24h", "cancelled_30d"]
            assert await listed(doctor) == everything
            assert await listed(clinic, "?role=clinic") == ["cancelled_24h", "cancelled_30d"]
            assert await listed(await place.person("other")) == []
            assert await listed(doctor, "?overdue") == [] == await listed(doctor, "?overdue=true")
            assert await listed(doctor, "?overdue=false&site=yinzhao") == everything
            bad = await place.http.get("/api/v1/followups?overdue=perhaps", headers=doctor)
            assert bad.status_code == 422
            rows = (await place.http.get("/api/v1/followups", headers=clinic)).json()["followups"]
            one = next(row for row in rows if row["kind"] == "cancelled_24h")
            done = f"/api/v1/followups/{one['followup_id']}/done"
            wrong = await place.http.post(done, json={"result": "fine"}, headers=clinic)
            assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_result")
            early = await place.http.post(done, json={"result": one["results"][0]["id"]}, headers=clinic)
            assert (early.status_code, early.json()["code"]) == (409, "followup_early")
            assert one["earliest_at"] < one["due_at"] and one["earliest_at"] in early.json()["detail"]
            right = {"result": "died"}
            for _ in range(2):
                assert (await place.http.post(done, json=right, headers=clinic)).status_code == 200
            page = (await place.http.get(path, headers=doctor)).json()
            kept = next(row for row in page["followups"] if row["kind"] == "cancelled_24h")
            assert kept["done_by"]["name"] == "李医生" and kept["result"]["zh"] == "死亡"
            assert "cancelled_24h" not in await listed(doctor)

    asyncio.run(story())
