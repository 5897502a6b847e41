"""Metrics at the running service: what was just entered is counted, across a restart, and to each their own sites."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from greenchannel.alerts.case import Case
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.answers import Question
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.record_of import SiteFacts, record_of
from greenchannel.clock import rfc3339
from greenchannel.service import desk as desk_module
from greenchannel.service import quality_book
from greenchannel.service.desk import Desk
from greenchannel.store import quality_rows
from tests.desk_world import World, dicom, person
from tests.service.viewer_house import House, ecg_file, house

FMC2W = "china.fmc2w"


async def infarction(place: House, minutes: int, device_name: str = "ecg-1") -> str:
    """A case with a diagnosis, a first contact and a wire."""
    sent = await place.http.post(
        "/api/v1/ecgs", content=ecg_file(seed=minutes), headers=place.device(device_name)
    )
    case_id = str(sent.json()["case_id"])
    quality, now = await place.person("quality"), place.desk.clock.now()
    first = now - timedelta(minutes=200)
    for milestone, at, more in (
        ("FMC", first, {}),
        ("WIRE", first + timedelta(minutes=minutes), {}),
        ("DX", first, {"code": "STEMI"}),
    ):
        body = {"milestone": milestone, "at": rfc3339(at), "source": "quality", **more}
        headers = quality | {"Idempotency-Key": f"{case_id}-{milestone}"}
        said = await place.http.post(f"/api/v1/cases/{case_id}/milestones", json=body, headers=headers)
        assert said.status_code in (200, 201), said.text
    return case_id


async def ask(place: House, user: str, **more: str) -> dict[str, Any]:
    """One metric, as a person of the house."""
    query = {"metric": FMC2W, **more}
    found = await place.http.get("/api/v1/metrics", params=query, headers=await place.person(user))
    assert found.status_code == 200, found.text
    answered: dict[str, Any] = found.json()
    return answered


def test_what_was_entered_is_counted_at_once_and_opens_its_cases(tmp_path: Path) -> None:
    """By clinic with names, the whole by month; a clinic counts its own; a cath lab asks elsewhere."""

    async def story() -> None:
        async with house(tmp_path) as place:
            first = await infarction(place, 60)
            second = await infarction(place, 130, "ecg-2")
            found = await ask(place, "quality", by="clinic")
            (metric,) = found["metrics"]
            whole = metric["whole"]
            assert (whole["all"]["n"], whole["all"]["mean_min"], whole["all"]["share"]) == (2, 95.0, 0.5)
            assert (whole["cases"]["met"], whole["cases"]["not_met"]) == ([first], [second])
            assert (metric["metric"]["from"], metric["metric"]["to"]) == ("FMC", "WIRE")
            assert [cell["key"] for cell in metric["groups"]] == ["jishi", "yinzhao"]
            assert found["names"]["jishi"] == {"zh": "姬石卫生院", "en": "Jishi Clinic"}
            assert [cell["all"]["n"] for cell in metric["trend"]] in ([2], [1, 1])  # midnight may lie between

            own = await ask(place, "village")
            assert own["cases"] == 1 and own["metrics"][0]["whole"]["cases"]["met"] == [first]
            third = await infarction(place, 70)
            assert (await ask(place, "village"))["metrics"][0]["whole"]["cases"]["met"] == [first, third]

            doctor = await place.http.get("/api/v1/metrics", headers=await place.person("cardiologist"))
            assert (doctor.status_code, doctor.json()["code"]) == (403, "forbidden")
            offered = await place.http.get("/api/v1/metrics/editions", headers=await place.person("boss"))
            assert len(offered.json()["editions"]) == 9

    asyncio.run(story())


def test_a_question_that_cannot_be_answered_says_what_was_expected(tmp_path: Path) -> None:
    """An edition, a grouping or a day that there is not."""

    async def story() -> None:
        async with house(tmp_path) as place:
            quality = await place.person("quality")
            for query, code in (
                ({"standard": "esc"}, "unknown_edition"),
                ({"by": "weather"}, "unknown_grouping"),
                ({"exclusions": "rain"}, "unknown_exclusion"),
                ({"from": "yesterday"}, "bad_instant"),
                ({"to": "2026-03-02T08:00:00"}, "bad_instant"),
                ({"from": "2026-13-01"}, "bad_instant"),
                ({"from": "2026-03-02", "to": "2026-03-01"}, "bad_period"),
            ):
                found = await place.http.get("/api/v1/metrics", params=query, headers=quality)
                assert (found.status_code, found.json()["code"]) == (422, code), query
            day = {"from": "2026-03-02", "to": "2026-03-03T00:00:00+08:00", "exclusions": "none"}
            assert (await ask(place, "quality", **day))["cases"] == 0

    asyncio.run(story())


def test_records_outlive_a_restart_and_are_made_anew_where_they_are_gone(tmp_path: Path) -> None:
    """Stopped before anything was written, or with the tables emptied: the log knows all."""
    world = World(folder=tmp_path)

    async def counted(desk: Desk) -> list[str]:
        question = Question(metrics=("china.fmc2ecg",), by=("clinic",))
        (metric,) = (await asyncio.to_thread(desk.quality.answer, question)).metrics
        assert metric.whole.cases is not None
        records = await asyncio.to_thread(desk.quality.records)
        assert {one.town for one in records} <= {one.town for one in desk.accounts.sites()}
        return sorted(metric.whole.cases.missing + metric.whole.cases.met + metric.whole.cases.not_met)

    async def story() -> None:
        async with world.desk() as desk:
            sent = [
                (
                    await world.send(
                        desk, dicom("baseline_sinus", seed=seed), patient_ref=str(seed), chest_pain="yes"
                    )
                ).case_id
                for seed in (1, 2)
            ]
            assert await counted(desk) == sorted(map(str, sent))
        async with world.desk() as desk:
            assert desk.quality.flush() == 0  # all were written at the stop
            assert await counted(desk) == sorted(map(str, sent))
            await desk.answers.merge(str(sent[0]), person("chen"), str(sent[1]))
            assert await counted(desk) == [str(sent[1])]
            assert [one.case_id for one in desk.quality.records()] == [str(sent[1])]
            assert desk.quality.records(frozenset({"nowhere"})) == []
            quality_rows.clear(desk._engine)
        async with world.desk() as desk:
            assert desk.quality.flush() == 2
            assert await counted(desk) == [str(sent[1])]

    asyncio.run(story())


def test_what_could_not_be_written_is_written_at_the_next_turn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fails costs no record and no answer; made one by one, all are there."""
    monkeypatch.setattr(quality_book, "MADE_AT_ONCE", 1)
    monkeypatch.setattr(desk_module, "WRITE_EVERY_S", 3600.0)
    world = World(folder=tmp_path)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    async def story() -> None:
        async with world.desk() as desk:
            await asyncio.to_thread(desk.quality.flush)
            for seed in (1, 2):
                await world.send(desk, dicom("baseline_sinus", seed=seed), patient_ref=str(seed))
            with monkeypatch.context() as failing:
                failing.setattr(quality_rows, "replace", full)
                with pytest.raises(OSError, match="no space left"):
                    desk.quality.flush()
            assert desk.quality.answer(Question(metrics=("china.d2w",))).cases == 2
            assert desk.quality.flush() == 2
            assert desk.quality.flush() == 0
            assert len(quality_rows.numbers(desk._engine)) == 2

    asyncio.run(story())


def test_a_case_without_a_record_is_never_left_out_in_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Questions and writing fail until its record can be made; then all are counted and written."""
    monkeypatch.setattr(desk_module, "WRITE_EVERY_S", 3600.0)
    world = World(folder=tmp_path)
    made = record_of

    async def story() -> None:
        async with world.desk() as desk:
            await asyncio.to_thread(desk.quality.flush)
            sent = [
                await world.send(desk, dicom("baseline_sinus", seed=seed), patient_ref=str(seed))
                for seed in (1, 2, 3)
            ]

            def odd(case: Case, site: SiteFacts | None) -> CaseRecord | None:
                if case.case_id == sent[1].case_id:
                    raise ValueError("no record can be made")
                return made(case, site)

            with monkeypatch.context() as failing:
                failing.setattr(quality_book, "record_of", odd)
                for ask_for in (lambda: desk.quality.answer(Question()), desk.quality.flush) * 2:
                    with pytest.raises(ValueError, match="no record"):
                        ask_for()
                await desk.quality.write_last()  # holds up no stop
            assert desk.quality.answer(Question(metrics=("china.d2w",))).cases == 3
            assert desk.quality.flush() == 3

    asyncio.run(story())


def test_the_last_day_belongs_to_it_as_in_exports(tmp_path: Path) -> None:
    """From the day of the first contact to the same day."""

    async def story() -> None:
        async with house(tmp_path) as place:
            await infarction(place, 60)
            (record,) = await asyncio.to_thread(place.desk.quality.records)
            day = record.began_at.astimezone(NATIONAL_ZONE).date()
            before = str(day - timedelta(days=1))
            for query, count in (
                ({"from": str(day), "to": str(day)}, 1),
                ({"to": before}, 0),
                ({"from": before}, 1),
                ({"from": str(day), "to": rfc3339(record.began_at)}, 0),
            ):
                assert (await ask(place, "quality", **query))["cases"] == count, query

    asyncio.run(story())
