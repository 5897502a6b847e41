"""Earlier ECGs of a patient over HTTP, and the comparison with one of them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import simulate
from tests.service.viewer_house import House, house

Story = Callable[[House], Awaitable[None]]


def tell(story: Story, folder: Path) -> None:
    async def run() -> None:
        async with house(folder) as here:
            await story(here)

    asyncio.run(run())


def file_of(recording: Recording) -> bytes:
    return write_wfdb_zip(recording, lsb_mv=0.0025, age_years=61.0, sex="male", acquired=None)


QUIET = file_of(simulate(seed=3).recording)
INFERIOR = file_of(simulate(seed=4, territory="inferior", stj_mv=0.3).recording)


async def send(here: House, data: bytes, device: str = "ecg-1", **query: str) -> dict[str, Any]:
    answer = await here.http.post("/api/v1/ecgs", content=data, params=query, headers=here.device(device))
    assert answer.status_code == 201, answer.text
    sent: dict[str, Any] = answer.json()
    return sent


async def get(here: House, path: str, headers: dict[str, str]) -> Any:
    return await here.http.get(f"/api/v1/ecgs/{path}", headers=headers)


def test_the_earlier_ecg_is_listed_and_compared_lead_by_lead(tmp_path: Path) -> None:
    """Inferior elevation half an hour after a quiet one: by how much, in which leads, in words, with both beats."""

    async def story(here: House) -> None:
        first, second = [await send(here, data, patient_ref="p1") for data in (QUIET, INFERIOR)]
        doctor = await here.person("cardiologist")
        listed = (await get(here, f"{second['ecg_id']}/previous", doctor)).json()
        assert [one["ecg_id"] for one in listed["previous"]] == [first["ecg_id"]]
        one = listed["previous"][0]
        assert (one["same_case"], one["same_placement"], one["reading"]) == (True, True, None)
        assert one["at_source"] == "received" and one["at"] < listed["at"]
        assert (await get(here, f"{first['ecg_id']}/previous", doctor)).json()["previous"] == []

        found = (await get(here, f"{second['ecg_id']}/serial?with={first['ecg_id']}", doctor)).json()
        assert found["compared"] and found["earlier"]["ecg_id"] == first["ecg_id"]
        change = found["leads"]["III"]["values"]["stj_mv"]
        assert change["change"] == pytest.approx(change["later"] - change["earlier"], abs=2e-4)
        assert change["change"] > 0.2 and "stj_mv" in found["leads"]["III"]["exceeds"]
        words = [line["zh"] for line in found["differences"] if line["lead"] == "III"]
        assert any(word.startswith("III J点ST段 +0.") and "→" in word for word in words), words
        # The beats that come along show what the numbers say.
        beats, at = found["beats"], {}
        for name in ("earlier", "later"):
            row, j = beats[name]["samples_mv"]["III"], round(beats[name]["qrs_off_s"] * 500) + 20
            at[name] = float(np.mean(row[j - 3 : j + 4]))
        assert at["later"] - at["earlier"] == pytest.approx(change["change"], abs=0.08)
        assert len(found["r_s"]["later"]) >= 8

        turned = (await get(here, f"{first['ecg_id']}/serial?with={second['ecg_id']}", doctor)).json()
        assert turned["leads"] == found["leads"] and turned["later"]["ecg_id"] == second["ecg_id"]

    tell(story, tmp_path)


def test_another_patient_and_another_site_are_never_laid_beside(tmp_path: Path) -> None:
    """404 as if there were none, for the list and for the comparison; and no ECG is compared with itself."""

    async def story(here: House) -> None:
        ours = await send(here, QUIET, patient_ref="p1")
        theirs = await send(here, INFERIOR, patient_ref="p2")
        doctor, other = await here.person("cardiologist"), await here.person("other")
        assert (await get(here, f"{theirs['ecg_id']}/previous", doctor)).json()["previous"] == []
        for path, who in (
            (f"{theirs['ecg_id']}/serial?with={ours['ecg_id']}", doctor),
            (f"{ours['ecg_id']}/serial?with={ours['ecg_id']}", doctor),
            (f"{ours['ecg_id']}/serial?with=e_none", doctor),
            (f"{ours['ecg_id']}/previous", other),
            (f"{ours['ecg_id']}/serial?with={theirs['ecg_id']}", other),
        ):
            answer = await get(here, path, who)
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
        boss = await here.person("boss")
        assert (await get(here, f"{ours['ecg_id']}/serial?with=x", boss)).status_code == 403
        assert (await get(here, f"{ours['ecg_id']}/previous", {})).status_code == 401

    tell(story, tmp_path)


def test_moved_electrodes_are_listed_and_not_compared(tmp_path: Path) -> None:
    """The list says so, and the comparison says why."""

    async def story(here: House) -> None:
        first = await send(here, QUIET, patient_ref="p1")
        second = await send(here, INFERIOR, patient_ref="p1", electrode_set="posterior")
        doctor = await here.person("cardiologist")
        listed = (await get(here, f"{second['ecg_id']}/previous", doctor)).json()["previous"]
        assert [(one["ecg_id"], one["same_placement"]) for one in listed] == [(first["ecg_id"], False)]
        found = (await get(here, f"{second['ecg_id']}/serial?with={first['ecg_id']}", doctor)).json()
        assert (found["compared"], found["reason"]["code"]) == (False, "electrode_sets_differ")
        assert "电极" in found["reason"]["zh"] and found["differences"] == []

    tell(story, tmp_path)


def test_every_look_is_noted(tmp_path: Path) -> None:
    """Who asked for earlier ECGs or for a comparison stands in the access log, with the case."""

    async def story(here: House) -> None:
        first, second = [await send(here, data, patient_ref="p1") for data in (QUIET, INFERIOR)]
        doctor = await here.person("cardiologist")
        await get(here, f"{second['ecg_id']}/previous", doctor)
        await get(here, f"{second['ecg_id']}/serial?with={first['ecg_id']}", doctor)
        await asyncio.to_thread(here.desk.access.flush)
        looks = [
            (one.action, one.detail or "") for one in here.desk.access.entries(case_id=second["case_id"])
        ]
        assert ("look_previous", second["ecg_id"]) in looks
        assert any(action == "look_serial" and first["ecg_id"] in detail for action, detail in looks)

    tell(story, tmp_path)
