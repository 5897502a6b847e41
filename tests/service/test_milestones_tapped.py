"""Milestones at the desk: one tap, an onset of which only the day is known, and a device whose clock is slow."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from greenchannel.alerts.timeline import timeline
from greenchannel.clock import ManualClock
from tests.desk_world import START, World, device
from tests.service.viewer_house import PASSWORD, House, ecg_file, house
from tests.stream_world import frames, hello, strip, until_acked, until_final

SLOW = timedelta(minutes=7)


def test_a_streaming_device_seven_minutes_slow_is_corrected_to_a_second(tmp_path: Path) -> None:
    """It says its clock in the hello, and its start by that clock; the first ECG is timed by ours."""
    world = World(folder=tmp_path)
    recording, steps = strip()

    async def play() -> None:
        async with world.desk() as desk:
            clock = world.clock
            assert isinstance(clock, ManualClock)
            started = clock.now()
            clock.move_to(started + timedelta(seconds=0.4))  # the hello is on its way
            slow = started - SLOW
            opened = hello(recording, device_clock=slow.isoformat(), started_at=slow.isoformat())
            stream = await desk.streams.open(opened, device())
            pieces = frames(steps)
            for number, piece in enumerate(pieces):
                clock.move_to(started + timedelta(seconds=0.4 + 0.2 * (number + 1)))
                stream.receive(piece)
                if number == len(pieces) // 2:
                    await until_acked(stream, 1)
            await until_final(stream)
            case = desk.book.cases[stream.answer["case_id"]]
            entries = {one.spec.id: one.valid for one in timeline(case).entries}
            first, sent = entries["ECG1_ACQ"], entries["ECG_SENT"]
            assert first is not None and sent is not None
            true_end = started + timedelta(seconds=min(10.0, recording.duration_s))
            error_s = (first.time.at - true_end).total_seconds()
            raw_error_s = (first.time.raw - true_end).total_seconds() if first.time.raw else None
            print(
                f"\na device {SLOW.total_seconds():.0f} s slow: first ECG read {raw_error_s:+.1f} s, "
                f"corrected {error_s:+.3f} s, uncertainty ±{first.time.uncertainty_s} s"
            )

            assert abs(error_s) <= 1.0
            assert raw_error_s is not None and abs(raw_error_s + SLOW.total_seconds()) < 1.0
            assert first.time.uncertainty_s is not None and abs(error_s) <= first.time.uncertainty_s
            assert first.time.clock == "device:ecg-yinzhao" and first.time.offset_s is not None
            assert abs(first.time.offset_s + SLOW.total_seconds()) <= 1.0
            assert abs((sent.time.at - started).total_seconds()) <= 1.0

    asyncio.run(play())
    assert world.clock.now() > START


async def case_of(place: House) -> tuple[str, dict[str, str], dict[str, str]]:
    """A transferred patient's case, the clinic's headers and the lab's."""
    place.desk.accounts.add_user("cath", "导管室", "cathlab", PASSWORD)
    sent = await place.http.post(
        "/api/v1/ecgs", content=ecg_file(st_mv=0.4), params={"arrival_mode": 2}, headers=place.device()
    )
    path = f"/api/v1/cases/{sent.json()['case_id']}"
    return path, await place.person("village"), await place.person("cath")


async def forms(place: House, path: str, headers: dict[str, str]) -> dict[str, Any]:
    found = (await place.http.get(f"{path}/forms", headers=headers)).json()
    return {row["id"]: row for row in found["milestones"]}


def test_one_tap_is_the_time_and_a_second_changes_nothing(tmp_path: Path) -> None:
    """By the server's clock, by the role; how late the press was is unknown; what comes next moves on."""

    async def story() -> None:
        async with house(tmp_path) as place:
            path, clinic, lab = await case_of(place)
            rows = await forms(place, path, lab)
            assert {name for name, row in rows.items() if row["next"]} == {"CATH_READY", "CATH_ARRIVE"}
            assert rows["WIRE"]["one_tap"] and not rows["WIRE"]["next"]
            before = place.desk.clock.now()
            body = {"milestone": "CATH_ARRIVE"}
            first = await place.http.post(f"{path}/milestones", json=body, headers=lab)
            again = await place.http.post(f"{path}/milestones", json=body, headers=lab)
            assert (first.status_code, again.status_code) == (201, 200), first.text
            page = (await place.http.get(path, headers=lab)).json()
            row = next(one for one in page["timeline"]["milestones"] if one["id"] == "CATH_ARRIVE")
            assert len(row["values"]) == 1 and row["source"] == "cathlab" and row["clock"] == "server"
            assert (row["offset_s"], row["uncertainty_s"]) == (0.0, None)
            value = place.desk.case(page["case_id"]).values[-1]
            assert before <= value.time.at <= place.desk.clock.now() and value.actor == "user:cath"
            assert {"PUNCT_START"} <= {
                name for name, row in (await forms(place, path, lab)).items() if row["next"]
            }
            key = {"Idempotency-Key": "k-1"}
            for status in (201, 200):
                tapped = await place.http.post(
                    f"{path}/milestones", json={"milestone": "SPOKE_DOOR"}, headers=clinic | key
                )
                assert tapped.status_code == status, tapped.text
            refused = await place.http.post(
                f"{path}/milestones", json={"milestone": "FMC"}, headers=place.device()
            )
            assert (refused.status_code, refused.json()["code"]) == (422, "source_required")
            assert (await place.http.post(f"{path}/milestones", json=body, headers=clinic)).status_code == 403

    asyncio.run(story())


def test_a_diagnosis_is_tapped_and_then_named(tmp_path: Path) -> None:
    """The list of codes comes with the form; naming it later keeps the time of the tap."""

    async def story() -> None:
        async with house(tmp_path) as place:
            path, _, _ = await case_of(place)
            doctor = await place.person("cardiologist")
            rows = await forms(place, path, doctor)
            assert [one["id"] for one in rows["DX"]["codes"]][:2] == ["STEMI", "NSTEMI"]
            assert rows["PCI_DECIDE"]["codes"] == []
            for body in ({"milestone": "DX"}, {"milestone": "DX", "code": "STEMI"}):
                said = await place.http.post(f"{path}/milestones", json=body, headers=doctor)
                assert said.status_code == 201, said.text
            values = [v for v in place.desk.case(path.rpartition("/")[2]).values if v.milestone == "DX"]
            assert len({v.time.at for v in values}) == 1
            assert [(v.code, v.correction) for v in values] == [(None, False), ("STEMI", False)]
            again = await place.http.post(
                f"{path}/milestones", json={"milestone": "DX", "code": "STEMI"}, headers=doctor
            )
            other = await place.http.post(
                f"{path}/milestones", json={"milestone": "DX", "code": "UA"}, headers=doctor
            )
            assert again.status_code == 200
            assert (other.status_code, other.json()["code"]) == (422, "note_required")

    asyncio.run(story())


def test_an_onset_may_be_a_day_and_a_part_of_it(tmp_path: Path) -> None:
    """Stored with its half width, shown as it was told; the same again is nothing new, whatever the hour."""

    async def story() -> None:
        async with house(tmp_path) as place:
            path, clinic, _ = await case_of(place)
            assert (await forms(place, path, clinic))["ONSET"]["day_told"]
            yesterday = (place.desk.clock.now() - timedelta(days=1)).date().isoformat()

            async def say(at: Any, **more: Any) -> Any:
                body = {"milestone": "ONSET", "at": at, "source": "clinic"} | more
                return await place.http.post(f"{path}/milestones", json=body, headers=clinic)

            told = {"date": yesterday, "zone": "6-8"}
            assert [(await say(told)).status_code for _ in range(2)] == [201, 200]
            page = (await place.http.get(path, headers=clinic)).json()
            row = next(one for one in page["timeline"]["milestones"] if one["id"] == "ONSET")
            assert (row["told"], row["uncertainty_s"]) == (f"{yesterday} 6-8", 3600.0)
            assert row["at"].endswith("T23:00:00.000Z")  # seven in the morning in China
            for at, code in (
                ({"date": yesterday, "zone": "6-9"}, "unknown_zone"),
                ({"date": "2026-02-30"}, "bad_date"),
                ({"date": "2999-01-01"}, "future_time"),
            ):
                refused = await say(at)
                assert (refused.status_code, refused.json()["code"]) == (422, code), refused.text
                assert refused.json()["zh"]
            assert (await say({"day": yesterday})).status_code == 422
            assert (await say(1789000000)).status_code == 422
            corrected = await say({"date": yesterday}, note="the family is not sure")
            assert corrected.status_code == 201
            onsets = [v for v in place.desk.case(page["case_id"]).values if v.milestone == "ONSET"]
            assert [(v.time.told, v.correction) for v in onsets] == [
                (f"{yesterday} 6-8", False),
                (yesterday, True),
            ]

    asyncio.run(story())


def test_a_fact_is_said_by_who_may_and_stands_in_the_timeline(tmp_path: Path) -> None:
    """A role that may not is refused; nobody's word is unknown; a correction needs its note."""

    async def story() -> None:
        async with house(tmp_path) as place:
            path, clinic, lab = await case_of(place)

            async def say(headers: dict[str, str], **body: str) -> tuple[int, str | None]:
                answer = await place.http.post(f"{path}/facts", json=body, headers=headers)
                return answer.status_code, answer.json().get("code")

            assert await say(clinic, fact="BYPASS_ED", code="yes") == (403, "forbidden")
            assert await say(lab, fact="BYPASS_ED", code="yes") == (200, None)
            assert await say(lab, fact="BYPASS_ED", code="no") == (422, "note_required")
            assert await say(lab, fact="BYPASS_ED", code="perhaps") == (422, "unknown_code")
            assert (await say(lab, fact="FEVER", code="yes"))[0] == 404
            assert await say(lab, fact="BYPASS_ED", code="no", note="went through the department") == (
                200,
                None,
            )
            forms_of_lab = (await place.http.get(f"{path}/forms", headers=lab)).json()
            assert forms_of_lab["facts"] == ["BYPASS_ED", "BYPASS_CCU", "TIMI_BEFORE", "TIMI_AFTER"]
            page = (await place.http.get(path, headers=lab)).json()
            rows = {row["id"]: row for row in page["timeline"]["facts"]}
            assert (rows["BYPASS_ED"]["code"], rows["KILLIP"]["code"]) == ("no", None)
            assert [value["code"] for value in rows["BYPASS_ED"]["values"]] == ["yes", "no"]
            assert page["history"][-1]["en"].startswith("Fact recorded: emergency department bypassed")

    asyncio.run(story())
