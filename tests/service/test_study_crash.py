"""The service is killed while it takes a study in: the study is there once and whole when it is back."""

import contextlib
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.image_table import kept_images
from tests.imaging_files import ROOT_UID, ct
from tests.served import Served, served
from tests.service.test_study_uploads import archive
from tests.tus_client import PATH, metadata

SLICES = 90
WITHIN_S = 60.0


def send(service: Served, http: httpx.Client, data: bytes, headers: dict[str, str]) -> str:
    """All of it but the last byte."""
    said = headers | {"Upload-Length": str(len(data)), "Upload-Metadata": metadata(content="images")}
    body = {"Content-Type": "application/offset+octet-stream"}
    created = http.post(PATH, headers=said | body, content=data[:-1])
    assert created.status_code == 201, created.text
    return httpx.URL(created.headers["location"]).path


def _last_byte(service: Served, url: str, data: bytes, headers: dict[str, str]) -> None:
    """Sent to a service that will not live to answer."""
    said = headers | {
        "Upload-Offset": str(len(data) - 1),
        "Content-Type": "application/offset+octet-stream",
    }
    with contextlib.suppress(httpx.TransportError):
        httpx.patch(service.base + url, headers=said, content=data[-1:], timeout=WITHIN_S, trust_env=False)


@pytest.mark.parametrize("after", [1, 45])
def test_a_service_killed_while_it_unpacks_has_taken_the_study_once(tmp_path: Path, after: int) -> None:
    """Killed when it has taken in so many objects, and not all; nobody sends anything again."""
    data = archive({str(number): ct(number, size=64) for number in range(1, SLICES + 1)})
    with served(tmp_path / "county") as service, httpx.Client(base_url=service.base, trust_env=False) as http:
        headers = {
            "Authorization": f"Bearer {service.tokens['ecg-yinzhao']}",
            "Tus-Resumable": "1.0.0",
        }
        url = send(service, http, data, headers)
        last = threading.Thread(target=_last_byte, args=(service, url, data, headers))
        last.start()
        end = time.monotonic() + WITHIN_S
        while len(kept_images(service.folder)) < after and time.monotonic() < end:
            pass
        service.kill()
        last.join()
        taken = kept_images(service.folder)
        assert after <= len(taken) < SLICES, "killed in the middle of it"
        service.start()
        while (became := http.get(url, headers=headers).json())["study"] is None and time.monotonic() < end:
            time.sleep(0.05)
        study = became["study"]
        assert study["new"] + study["duplicate"] == SLICES and study["refused"] == []
        case = http.get(f"/api/v1/cases/{study['case_ids'][0]}", headers=headers).json()
        (image,) = case["images"]
        assert (image["study_uid"], image["instances"], image["complete"]) == (f"{ROOT_UID}.1", SLICES, True)
        kept = kept_images(service.folder)
        assert len(kept) == SLICES and taken.items() <= kept.items()
        assert service.faults() == []
        types = [line["type"] for line in case["history"]]
        assert types.count("image_study_received") == 1
