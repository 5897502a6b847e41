"""A running service for bad input, and how its refusals are looked at."""

import json
import random
import socket
from dataclasses import dataclass
from typing import Any, Final

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from greenchannel.county import cast, devices
from tests.county_actors import STEMI
from tests.served import Served

GIGABYTE: Final = 2**30
MOST_GROWTH_MB: Final = 96.0  # one upload may be 32 MB, and is held twice while it is read
ECG: Final = devices.as_dicom(devices.simulated(STEMI, seed=77), age_years=61.0, sex="male")
NOISE: Final = random.Random(7).randbytes(5000)


@dataclass(kw_only=True)
class Place:
    """The service, who is known to it, and the things that are there."""

    service: Served
    http: httpx.Client
    chen: dict[str, str]
    wang: dict[str, str]  # of the clinic Yinzhao
    off: str  # token of a device that was disabled
    case: str  # at Yinzhao, answered, its green channel open
    ecg: str
    alert: str
    task: str
    other_case: str  # at Jishi
    other_ecg: str

    def device(self, name: str = "ecg-yinzhao") -> dict[str, str]:
        """Headers of a machine."""
        return {"Authorization": f"Bearer {self.service.tokens[name]}"}

    def seq(self) -> int:
        """The newest event, as the service itself says; it is ready, too."""
        answer = self.http.get("/readyz")
        assert answer.status_code == 200, answer.text
        return int(answer.json()["seq"])

    def path(self, template: str) -> str:
        """A path of an entry, with the things that are there."""
        return "/api/v1" + template.format(case=self.case, ecg=self.ecg, alert=self.alert, task=self.task)

    def socket(self, path: str, headers: dict[str, str]) -> ClientConnection:
        """A WebSocket."""
        rest = {name: value for name, value in headers.items() if name != "Origin"}
        origin = Origin(headers["Origin"]) if "Origin" in headers else None
        address = self.service.base.replace("http", "ws", 1) + "/api/v1" + path
        return connect(address, additional_headers=rest, origin=origin, compression=None, proxy=None)


def sign_in(service: Served, http: httpx.Client, user: str) -> dict[str, str]:
    known = next(one for one in cast.USERS if one.user == user)
    answer = http.post("/api/v1/session", json={"user": user, "password": known.password})
    assert answer.status_code == 200, answer.text
    http.cookies.clear()
    return {"Cookie": answer.headers["set-cookie"].partition(";")[0], "Origin": service.base}


def send_one(service: Served, http: httpx.Client, device: str, data: bytes) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {service.tokens[device]}"}
    answer = http.post("/api/v1/ecgs", content=data, headers=headers, params={"patient_ref": "there"})
    assert answer.status_code == 201, answer.text
    sent: dict[str, str] = answer.json()
    return sent


def refused(answer: httpx.Response, *statuses: int, code: str | None = None) -> dict[str, Any]:
    """The answer is a problem document, whole and with one of these statuses; returns it."""
    assert answer.status_code in statuses, f"expected {statuses}, got {answer.status_code}: {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == answer.status_code
    assert all(document[key] for key in ("type", "title", "detail", "code", "zh")), document
    assert "Traceback" not in answer.text and "greenchannel/" not in answer.text
    if code is not None:
        assert document["code"] == code, document
    return document


def head_alone(place: Place, path: str, headers: dict[str, str], *more: str) -> bytes:
    """Send a head without its body; the beginning of the answer."""
    lines = [f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{place.service.port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()] + list(more)
    with socket.create_connection(("127.0.0.1", place.service.port), timeout=20) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = b""
        while b"\r\n\r\n" not in answer or not answer.rstrip().endswith(b"}"):
            piece = raw.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


def closed(device: ClientConnection, code: int, error: str | None = None) -> None:
    """The next messages end in a problem document and a close with this code."""
    problem = None
    with pytest.raises(ConnectionClosed):
        while True:
            problem = json.loads(device.recv(timeout=20)).get("error", problem)
    assert problem is not None and all(
        problem[key] for key in ("type", "title", "status", "detail", "code", "zh")
    )
    if error is not None:
        assert problem["code"] == error, problem
    assert device.protocol.close_code == code, problem
