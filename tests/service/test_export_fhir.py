"""A case as a FHIR R4 Bundle over HTTP: whole, readable by others, without a name for whom it is none of, and noted."""

import asyncio
import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from greenchannel.ingest.reader import read_ecg
from greenchannel.viewer.words import SHOWN_ZONE
from tests.service.test_export_http import SECRETS, get, send, tell
from tests.service.viewer_house import House, ecg_file


async def fhir(here: House, case: str, user: str = "cardiologist", status: int = 200, **more: Any) -> Any:
    answer = await get(here, "fhir", user, status, case=case, **more)
    return answer.json()


def of(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["resource"] for one in bundle["entry"] if one["resource"]["resourceType"] == kind]


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["reference"]] if "reference" in value else []
        return own + [found for part in value.values() for found in references(part)]
    return [found for part in value for found in references(part)] if isinstance(value, list) else []


def test_a_case_leaves_with_all_that_is_known_of_it(tmp_path: Path) -> None:
    """Times as exact as they were told, the doctor's words apart from the machine's, and nothing that nobody said."""

    async def story(here: House) -> None:
        case = await send(here)
        doctor = await here.person("cardiologist")
        page = (await here.http.get(f"/api/v1/cases/{case}", headers=doctor)).json()
        (ecg,) = (one["ecg_id"] for one in page["ecgs"])
        for text in ("前壁心肌梗死", "广泛前壁心肌梗死"):
            said = {"text": text, "tier": "ACT", "advice": "阿司匹林300mg"}
            answer = await here.http.post(f"/api/v1/ecgs/{ecg}/reading", json=said, headers=doctor)
            assert answer.status_code in (200, 201), answer.text
        today = here.desk.clock.now().astimezone(SHOWN_ZONE).date().isoformat()
        told = {"milestone": "ONSET", "at": {"date": today}, "source": "clinic"}
        path = f"/api/v1/cases/{case}/milestones"
        village = await here.person("village")
        answer = await here.http.post(path, json=told, headers=village)
        assert answer.status_code in (200, 201), answer.text

        bundle = await fhir(here, case)
        urls = [one["fullUrl"] for one in bundle["entry"]]
        assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
        assert len(set(urls)) == len(urls) and set(references(bundle)) <= set(urls)
        assert bundle["identifier"]["value"] == case
        (patient,) = of(bundle, "Patient")
        assert patient["name"] == [{"text": SECRETS["name"]}] and patient["gender"] == "male"
        assert SECRETS["id_number"] not in json.dumps(bundle)
        reports = [
            (one["status"], one["conclusion"].split("\n")[0]) for one in of(bundle, "DiagnosticReport")
        ]
        assert [status for status, _ in reports] == ["preliminary", "final", "amended"]
        assert "not reviewed" in reports[0][1] and [text for _, text in reports[1:]] == [
            "前壁心肌梗死",
            "广泛前壁心肌梗死",
        ]
        times = {one["code"]["coding"][0]["code"]: one for one in of(bundle, "Observation")}
        assert times["ONSET"]["valueDateTime"] == today
        assert datetime.fromisoformat(times["ECG_RECEIVED"]["valueDateTime"]).utcoffset() is not None
        assert "WIRE" not in times and "note" in times["ECG_DX"]
        again = await fhir(here, case)
        assert [one["fullUrl"] for one in again["entry"]] == urls

    tell(story, tmp_path)


def test_its_samples_are_those_that_came(tmp_path: Path) -> None:
    """Read back by our own reader of FHIR, which refuses what has no unit."""

    async def story(here: House) -> None:
        bundle = await fhir(here, await send(here))
        sampled = [
            one for one in of(bundle, "Observation") if "component" in one and "valueSampledData" in str(one)
        ]
        alone = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": sampled[0]}]}
        read = await asyncio.to_thread(read_ecg, [(None, json.dumps(alone).encode())])
        sent = await asyncio.to_thread(read_ecg, [(None, ecg_file(st_mv=0.4, seed=1))])

        assert len(sampled) == 1 and read.recording.leads == sent.recording.leads
        assert np.array_equal(read.recording.samples_mv, sent.recording.samples_mv)

    tell(story, tmp_path)


def test_who_may_not_know_the_patient_gets_no_name_and_who_may_not_see_the_case_nothing(
    tmp_path: Path,
) -> None:
    """Quality staff say why; every bundle is in the access log."""

    async def story(here: House) -> None:
        case, theirs = await send(here), await send(here, "ecg-2", seed=2)
        unnamed = await fhir(here, case, "quality")
        named = await fhir(here, case, "quality", reason="病例讨论")
        assert "name" not in of(unnamed, "Patient")[0] and "name" in of(named, "Patient")[0]
        assert not [one for one in SECRETS.values() if one in json.dumps(unnamed, ensure_ascii=False)]
        await fhir(here, theirs, "village", 404)
        await fhir(here, case, "boss", 403)
        await get(here, "fhir", status=422)
        device = await here.http.get("/api/v1/export/fhir", params={"case": case}, headers=here.device())
        assert device.status_code == 200 and "name" not in of(device.json(), "Patient")[0]
        here.desk.access.flush()
        noted = Counter(one.action for one in here.desk.access.newest_of("export_") if one.case_id == case)
        assert noted["export_fhir"] == 3

    tell(story, tmp_path)
