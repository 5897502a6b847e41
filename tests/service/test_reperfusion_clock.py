"""The reperfusion clock of the service: learned from the clinic's own cases, once for each state of the log."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from greenchannel.events import AnyEvent, CaseClosed, CaseOpened, ClockReading, MilestoneRecorded
from tests.service.viewer_house import House, ecg_file, house

TEN = 10


async def seed(place: House, wire_min: int, site: str = "yinzhao", mode: int = 2) -> None:
    """A case of yesterday that is over."""
    begun = place.desk.clock.now() - timedelta(days=1)

    def build(case_id: str, patient: str) -> list[AnyEvent]:
        times = {"ECG_DX": 0, "SPOKE_OUT": 15, "HUB_DOOR": wire_min - 30, "WIRE": wire_min}
        return [
            CaseOpened(case_id=case_id, site=site, patient=patient, arrival_mode=mode),
            *(
                MilestoneRecorded(
                    milestone=name,
                    time=ClockReading(at=begun + timedelta(minutes=minute), clock="person"),
                    source="quality",
                )
                for name, minute in times.items()
            ),
            CaseClosed(reason="over"),
        ]

    await place.desk.enter_history(site, build)


async def signed(place: House) -> str:
    """A transferred infarction with its signed reading."""
    sent = await place.http.post(
        "/api/v1/ecgs", content=ecg_file(st_mv=0.4), params={"arrival_mode": 2}, headers=place.device()
    )
    doctor = await place.person("cardiologist")
    body = {"text": "STEMI", "tier": "ACT"}
    await place.http.post(f"/api/v1/ecgs/{sent.json()['ecg_id']}/reading", json=body, headers=doctor)
    return str(sent.json()["case_id"])


def test_the_clock_learns_from_the_clinic_and_says_on_how_much_it_rests(tmp_path: Path) -> None:
    """Unknown with two cases; with ten a time, its interval and what the rule says, on the page too."""

    async def story() -> None:
        async with house(tmp_path) as place:
            case_id = await signed(place)
            path, doctor = f"/api/v1/cases/{case_id}", await place.person("cardiologist")

            async def asked(query: str = "") -> dict[str, Any]:
                found = await place.http.get(f"{path}/reperfusion{query}", headers=doctor)
                assert found.status_code == 200, found.text
                return dict(found.json())

            for minute in (80, 100):
                await seed(place, minute)
            few = await asked()
            assert (few["verdict"], few["prediction"]) == ("unknown", None)
            assert [one["id"] for one in few["missing"]] == ["history"]
            for minute in range(82, 98, 2):
                await seed(place, minute)
            found = await asked()
            predicted = found["prediction"]
            assert (found["verdict"], predicted["cases"], predicted["basis"]) == ("pci", TEN, "clinic")
            assert predicted["low_min"] < predicted["median_min"] < predicted["high_min"] <= 120
            assert found["dido"] == {
                "state": "unknown",
                "target_min": 30.0,
                "door_at": None,
                "due_at": None,
                "out_at": None,
                "left_s": None,
            }
            page = (await place.http.get(path, headers=doctor)).json()["reperfusion"]
            assert (page["verdict"], page["prediction"]["cases"]) == ("pci", TEN)
            assert {one["present"] for one in found["contraindications"]} == {None}
            none = await asked("?contraindications=none")
            assert {one["present"] for one in none["contraindications"]} == {False}
            wrong = await place.http.get(f"{path}/reperfusion?contraindications=flu", headers=doctor)
            assert (wrong.status_code, wrong.json()["code"]) == (422, "unknown_contraindication")
            assert wrong.json()["zh"] and "flu" in wrong.json()["got"]
            hidden = await place.http.get(f"{path}/reperfusion", headers=await place.person("other"))
            assert hidden.status_code == 404

    asyncio.run(story())


def test_nothing_is_learned_twice_for_one_state_of_the_log(tmp_path: Path) -> None:
    """A hundred questions learn from ten cases once; an event of another case adds its own, and no more."""

    async def story() -> None:
        async with house(tmp_path) as place:
            case_id = await signed(place)
            for minute in range(80, 100, 2):
                await seed(place, minute)
            clock = place.desk.reperfusion
            await asyncio.sleep(0.05)
            case = place.desk.case(case_id)
            first = clock.of(case)
            courses = clock.courses("yinzhao", 2)
            for _ in range(100):
                clock.of(case)
            assert clock.learned == TEN and clock.courses("yinzhao", 2) is courses
            await seed(place, 110, site="jishi")
            await asyncio.sleep(0.05)
            again = clock.of(case)
            assert clock.learned == TEN + 1
            assert first.prediction is not None and again.prediction is not None
            assert (
                again.prediction.cases == TEN
            )  # of the clinic; the other site's stands in only where it has too few
            assert len(clock.courses(None, 2)) == TEN + 1 and clock.courses("yinzhao", 1) == []

    asyncio.run(story())
