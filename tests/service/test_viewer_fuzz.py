"""Anything sent to any route of the HTTP interface: an answer below 500, errors as problem documents, still alive."""

import asyncio
import json
import os
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.service.viewer_house import House, ecg_file, house

REQUESTS_IN_CI = 150
REQUESTS_IN_SOAK = 6000
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
WORDS: tuple[Any, ...] = (
    None, True, -1, 0, 1e308, 2**70, "", " ", "张三", "\x00", "' or 1=1 --", "../../etc/passwd", "NaN", "x" * 5000,
    "2026-03-02T08:00:00Z", "2026-13-45", "1970-01-01T00:00:00+00:00", "\ud83d\ude00", [], {}, [[[[]]]],
)  # fmt: skip
KEYS = (
    "user", "password", "site", "patient_ref", "case_id", "age", "sex", "milestone", "at", "source", "key", "note",
    "text", "tier", "advice", "reason", "to", "ecg_ids", "into", "after", "state", "from", "standard", "leads",
)  # fmt: skip


class Fuzzer:
    """Draws requests: mostly real routes with wrong ids, bodies, fields and headers."""

    def __init__(self, seed: int, routes: list[tuple[str, str]], ids: list[str]) -> None:
        self.dice = random.Random(seed)
        self.routes, self.ids = routes, ids

    def word(self) -> Any:
        """A value of any kind."""
        return self.dice.choice((*WORDS, *self.ids))

    def path(self, template: str) -> str:
        """A path with each `{id}` filled in by something."""
        parts = []
        for part in template.split("/"):
            filled = str(self.dice.choice([*self.ids, "x", "张", "..", "%00"])) if "{" in part else part
            parts.append(filled)
        return "/".join(parts)

    def body(self) -> bytes:
        """JSON of the wrong shape, a spoilt ECG, or noise."""
        dice = self.dice
        kind = dice.randrange(4)
        if kind == 0:
            return dice.randbytes(dice.randrange(400))
        if kind == 1:
            spoilt = bytearray(ecg_file(seed=2)) if dice.random() < 0.1 else bytearray(b"r 12 500 10\n" * 9)
            for _ in range(5):
                spoilt[dice.randrange(len(spoilt))] = dice.randrange(256)
            return bytes(spoilt[: dice.randrange(1, len(spoilt))])
        fields = {dice.choice(KEYS): self.word() for _ in range(dice.randrange(6))}
        return json.dumps(fields if kind == 2 else self.word()).encode()

    def request(self, credentials: list[dict[str, str]]) -> dict[str, Any]:
        """Arguments of one request."""
        dice = self.dice
        method, template = dice.choice(self.routes)
        if dice.random() < 0.15:
            method = dice.choice(METHODS)
        kinds = ("application/json", "application/octet-stream", "multipart/form-data; boundary=x", "x", "")
        headers = dict(dice.choice(credentials)) | {"Content-Type": dice.choice(kinds)}
        if dice.random() < 0.2:
            headers["Idempotency-Key"] = "k" * dice.randrange(300)
        query = {dice.choice(KEYS): str(self.word()).replace("\x00", "0") for _ in range(dice.randrange(3))}
        return {
            "method": method,
            "url": self.path(template),
            "params": {key: value[:500] for key, value in query.items()},
            "headers": headers,
            "content": self.body() if method in ("POST", "PUT", "PATCH") else None,
        }


async def fuzz(here: House, seed: int, count: int) -> None:
    """Send so many requests; each must be answered, and no answer may be the service's own failure."""
    sent = await here.http.post("/api/v1/ecgs", content=ecg_file(st_mv=0.4), headers=here.device())
    ids = [sent.json()["ecg_id"], sent.json()["case_id"]]
    credentials = [{}, here.device(), await here.person("cardiologist"), await here.person("quality")]
    credentials += [await here.person("boss"), {"Authorization": "Bearer x"}, {"Cookie": "session=x"}]
    documented = (await here.http.get("/openapi.json")).json()["paths"]
    routes = [(method.upper(), path) for path, methods in documented.items() for method in methods]
    assert len(routes) >= 20
    fuzzer = Fuzzer(seed, routes, ids)
    for _ in range(count):
        asked = fuzzer.request(credentials)
        try:
            answer = await here.http.request(**asked)
        except (httpx.InvalidURL, UnicodeEncodeError):
            continue  # the client itself refuses to send it
        finally:
            here.http.cookies.clear()
        told = f"seed {seed}: {asked['method']} {asked['url']} {asked['content']!r}: {answer.text[:300]}"
        assert answer.status_code < 500, told
        if answer.status_code >= 400 and asked["method"] != "HEAD" and asked["url"].startswith("/api/"):
            assert answer.headers["content-type"] == "application/problem+json", told
    assert (await here.http.get("/readyz")).status_code == 200


def run(folder: Path, seed: int, count: int) -> None:
    """One service, so many requests."""

    async def story() -> None:
        async with house(folder) as here:
            await fuzz(here, seed, count)

    asyncio.run(story())


def test_no_request_brings_the_service_down(tmp_path: Path) -> None:
    """A few requests of every kind, the same in each run."""
    run(tmp_path, seed=1, count=REQUESTS_IN_CI)


@pytest.mark.soak
def test_no_request_of_thousands_brings_the_service_down(tmp_path: Path) -> None:
    """Other requests in every run; a failure names its seed."""
    run(tmp_path, seed=int.from_bytes(os.urandom(4)), count=REQUESTS_IN_SOAK)
