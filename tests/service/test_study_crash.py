"""The service is killed while it takes a study in: the study is there once and whole when it is back."""

import contextlib
import random
import time
from pathlib import Path

import httpx
import pytest

from tests.imaging_files import ROOT_UID, ct
from tests.served import Served, served
from tests.service.test_study_uploads import archive
from tests.tus_client import PATH, metadata

SLICES = 40
WITHIN_S = 60.0


def send(service: Served, http: httpx.Client, data: bytes, headers: dict[str, str]) -> str:
    """All of it but the last byte."""
    said = headers | {"Upload-Length": str(len(data)), "Upload-Metadata": metadata(content="images")}
    body = {"Content-Type": "application/offset+octet-stream"}
    created = http.post(PATH, headers=said | body, content=data[:-1])
    assert created.status_code == 201, created.text
    return httpx.URL(created.headers["location"]).path


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_service_has_taken_the_study_once(tmp_path: Path, seed: int) -> None:
    """Whatever had been taken in before; nobody sends anything again."""
    data = archive({str(number): ct(number, size=64) for number in range(1, SLICES + 1)})
    wait_s = random.Random(seed).uniform(0.05, 0.6)
    with served(tmp_path / "county") as service, httpx.Client(base_url=service.base, trust_env=False) as http:
        headers = {
            "Authorization": f"Bearer {service.tokens['ecg-yinzhao']}",
            "Tus-Resumable": "1.0.0",
        }
        url = send(service, http, data, headers)
        with httpx.Client(base_url=service.base, trust_env=False, timeout=wait_s) as hasty:
            last = headers | {
                "Upload-Offset": str(len(data) - 1),
                "Content-Type": "application/offset+octet-stream",
            }
            with contextlib.suppress(httpx.TimeoutException):
                hasty.patch(url, headers=last, content=data[-1:])
        service.kill()
        service.start()
        end = time.monotonic() + WITHIN_S
        while (became := http.get(url, headers=headers).json())["study"] is None and time.monotonic() < end:
            if became["state"] == "receiving":  # the last byte had not come
                http.patch(
                    url,
                    headers=last | {"Upload-Offset": str(became["offset"])},
                    content=data[became["offset"] :],
                )
            time.sleep(0.05)
        study = became["study"]
        assert study["new"] + study["duplicate"] == SLICES and study["refused"] == []
        case = http.get(f"/api/v1/cases/{study['case_ids'][0]}", headers=headers).json()
        (image,) = case["images"]
        assert (image["study_uid"], image["instances"], image["complete"]) == (f"{ROOT_UID}.1", SLICES, True)
        types = [line["type"] for line in case["history"]]
        assert types.count("image_study_received") == 1
