"""Opening the green channel over HTTP on a loaded service: all tasks in one transaction, from the press to the answer.

The real service in a process of its own, boards that listen, and people and devices that send and look all the while,
from a third process. A channel is opened, opened once more (which must change nothing), stood down, and opened anew.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

import httpx
import numpy as np
import websockets

from benchmarks.harness import ROOT, Json, quantiles, save, show
from greenchannel.ingest.dicom_ecg_write import write_dicom_ecg
from greenchannel.signal.synthesis import synthesize

MUST_P99_MS: Final = 100.0
BOARDS: Final = 20
EVENTS_PER_S: Final = 20.0
LOOKS_PER_S: Final = 2.0
SCENARIO: Final = "extensive_anterior_high_lateral_stemi"
ROLES: Final = {"cardiologist", "cathlab", "ed", "ccu", "dispatch", "clinic"}


@contextlib.contextmanager
def service(folder: Path) -> Iterator[Json]:
    """The service, and how it is reached."""
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.stream_service", str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        try:
            yield dict(json.loads(process.stdout.readline())) | {"pid": process.pid}
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def load(address: str, cookie: str, cases: list[str]) -> Iterator[None]:
    """Boards, events and looks from a process of its own, for the length of a block."""
    told = json.dumps({"address": address, "cookie": cookie, "cases": cases})
    command = [sys.executable, "-m", "benchmarks.bench_green_channel", "--load", told]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()  # everybody is connected
            yield
        finally:
            process.terminate()
            process.wait(30)


def waited_s(pid: int) -> tuple[float, float]:
    """Seconds that a process's threads ran, and that they stood ready and found no core."""
    ran = waited = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            words = (task / "schedstat").read_text(encoding="ascii").split()
            ran, waited = ran + int(words[0]), waited + int(words[1])
    return ran / 1e9, waited / 1e9


async def sign_in(http: httpx.AsyncClient, told: Json) -> str:
    """The session's cookie."""
    answer = await http.post("/api/v1/session", json={"user": told["user"], "password": told["password"]})
    answer.raise_for_status()
    http.cookies.clear()
    return str(answer.headers["set-cookie"].partition(";")[0])


async def seed(http: httpx.AsyncClient, token: str, count: int) -> list[str]:
    """Cases with an infarct ECG each, of other patients."""
    base = synthesize(scenario=SCENARIO, seed=1, noise_mv=0.005)
    draw = np.random.default_rng(1)
    found = []
    for number in range(count):
        noise = draw.normal(0, 0.004, base.samples_mv.shape).astype(np.float32)
        recording = type(base)(samples_mv=base.samples_mv + noise, leads=base.leads, rate_hz=base.rate_hz)
        data = write_dicom_ecg(recording, acquired=None, age_years=61.0, sex="male")
        answer = await http.post(
            "/api/v1/ecgs",
            content=data,
            params={"patient_ref": f"p-{number}", "arrival_mode": 2},
            headers={"Authorization": f"Bearer {token}"},
        )
        answer.raise_for_status()
        found.append(str(answer.json()["case_id"]))
    return found


# ---------------------------------------------------------------- the load


async def _board(address: str, cookie: str, ready: asyncio.Event) -> None:
    url = f"{address.replace('http', 'ws', 1)}api/v1/live"
    headers = {"Cookie": cookie, "Origin": address.rstrip("/")}
    async with websockets.connect(
        url, additional_headers=headers, compression=None, max_size=None, proxy=None
    ) as socket:
        await socket.recv()
        ready.set()
        async for _ in socket:
            continue


async def _every(period_s: float, act: object, http: httpx.AsyncClient, cases: list[str]) -> None:
    number = 0
    while True:
        number += 1
        with contextlib.suppress(httpx.TransportError):
            await act(http, cases[number % len(cases)], number)  # type: ignore[operator]
        await asyncio.sleep(period_s)


async def _event(http: httpx.AsyncClient, case_id: str, number: int) -> None:
    """A person corrects a time: one event, and a row to every board."""
    body = {
        "milestone": "DX",
        "at": datetime.now(UTC).isoformat(),
        "source": "cardiologist",
        "note": f"{number}",
    }
    await http.post(f"/api/v1/cases/{case_id}/milestones", json=body)


async def _look(http: httpx.AsyncClient, case_id: str, number: int) -> None:
    await http.get("/api/v1/cases" if number % 2 else f"/api/v1/cases/{case_id}")


async def keep_busy(told: Json) -> None:
    """Until the process is ended."""
    address, cookie = told["address"], told["cookie"]
    ready = [asyncio.Event() for _ in range(BOARDS)]
    boards = [asyncio.create_task(_board(address, cookie, one)) for one in ready]
    await asyncio.gather(*(one.wait() for one in ready))
    headers = {"Cookie": cookie, "Origin": address.rstrip("/")}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=30.0, trust_env=False) as http:
        print("busy", flush=True)
        await asyncio.gather(
            *boards,
            _every(1 / EVENTS_PER_S, _event, http, told["cases"]),
            _every(1 / LOOKS_PER_S, _look, http, told["cases"]),
        )


# ---------------------------------------------------------------- what is measured


class Press:
    """One kept connection, with nothing between it and the socket: a client library would be measured with it."""

    def __init__(self, address: str, cookie: str) -> None:
        self._address = address.rstrip("/")
        self._host, _, port = self._address.removeprefix("http://").partition(":")
        self._port = int(port)
        self._cookie = cookie

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port, limit=1 << 22)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def __call__(self, path: str, body: Json) -> tuple[float, Json]:
        """Milliseconds from the press to the last byte of the answer, and the case in it."""
        took_ms, answer = await self.ask("POST", path, json.dumps(body).encode())
        return took_ms, dict(json.loads(answer)["case"])

    async def ask(self, method: str, path: str, content: bytes = b"") -> tuple[float, bytes]:
        """Milliseconds of one request, and the answer's body."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nOrigin: {self._address}\r\n"
            f"Cookie: {self._cookie}\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        begin = time.perf_counter()
        self._writer.write(head.encode() + content)
        lines = (await self._reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
        length = next(int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length"))
        answer = await self._reader.readexactly(length)
        took_ms = (time.perf_counter() - begin) * 1000
        if b" 200 " not in lines[0]:
            raise RuntimeError(f"expected 200, got {lines[0]!r}: {answer[:300]!r}")
        return took_ms, answer


async def openings(press: Press, cases: list[str], rounds: int) -> Json:
    """Milliseconds of each opening and of each repeat, with what they changed."""
    first_ms: list[float] = []
    again_ms: list[float] = []
    nothing_ms: list[float] = []  # what the machine and the queue in front of the service add to anything
    tasks: set[int] = set()
    changed = 0
    for _ in range(rounds):
        for case_id in cases:
            path = f"/api/v1/cases/{case_id}"
            took_ms, opened = await press(f"{path}/green-channel", {})
            repeat_ms, same = await press(f"{path}/green-channel", {})
            nothing_ms.append((await press.ask("GET", "/healthz"))[0])
            first_ms.append(took_ms)
            again_ms.append(repeat_ms)
            roles = {task["role"] for task in opened["tasks"]}
            given = {task["given_at"] for task in opened["tasks"]}
            assert roles == ROLES and given == {opened["green_channel"]["opened_at"]}, (roles, given)
            tasks.add(len(opened["tasks"]))
            changed += (same["seq"], same["tasks"]) != (opened["seq"], opened["tasks"])
            await press(f"{path}/stand-down", {"reason": "benchmark"})
    return {
        "first_ms": first_ms,
        "again_ms": again_ms,
        "nothing_ms": nothing_ms,
        "tasks": sorted(tasks),
        "changed": changed,
    }


async def _measure(told: Json, cases: int, rounds: int) -> Json:
    address = str(told["address"])
    async with httpx.AsyncClient(base_url=address, timeout=30.0, trust_env=False) as http:
        cookie = await sign_in(http, told)
        ids = await seed(http, str(told["token"]), 2 * cases)
    async with Press(address, cookie) as press:
        await openings(press, ids[:1], 1)
        quiet = await openings(press, ids[:cases], 1)
        with load(address, cookie, ids[cases:]):
            before, since = waited_s(told["pid"]), time.perf_counter()
            busy = await openings(press, ids[:cases], rounds)
            after, took_s = waited_s(told["pid"]), time.perf_counter() - since
    cores = {"took_s": took_s, "ran_s": after[0] - before[0], "no_core_s": after[1] - before[1]}
    return {"quiet": quiet, "loaded": busy, "cores": {k: round(v, 2) for k, v in cores.items()}}


def run(cases: int = 40, rounds: int = 5) -> Json:
    """Measure, print, save."""
    with tempfile.TemporaryDirectory() as folder, service(Path(folder) / "data") as told:
        found = asyncio.run(_measure(told, cases, rounds))
    rows = []
    for name in ("quiet", "loaded"):
        for what, key in (
            ("open: all tasks in one transaction", "first_ms"),
            ("the same call again", "again_ms"),
            ("GET /healthz, in the same minutes", "nothing_ms"),
        ):
            q = quantiles(found[name][key])
            rows.append(
                {"service": name, "call": what, **{k: q[k] for k in ("n", "p50", "p95", "p99", "max")}}
            )
    show(
        f"Opening the green channel over HTTP, ms; loaded: {BOARDS} boards, {EVENTS_PER_S:g} events and "
        f"{LOOKS_PER_S:g} looks a second; must p99 <= {MUST_P99_MS:g}",
        rows,
    )
    changed = sum(found[name]["changed"] for name in ("quiet", "loaded"))
    repeats = sum(len(found[name]["again_ms"]) for name in ("quiet", "loaded"))
    cores = found["cores"]
    print(
        f"under load the service ran {cores['ran_s']} s of {cores['took_s']} s, and stood {cores['no_core_s']} s "
        "ready without a core, which the load, this program and whatever else ran had"
    )
    print(f"tasks at one opening: {found['loaded']['tasks']}, of six roles")
    print(f"repeats that changed anything: {changed} of {repeats}")
    results: Json = {
        "must_p99_ms": MUST_P99_MS,
        "rows": rows,
        "cores": cores,
        "tasks": found["loaded"]["tasks"],
        "repeats": repeats,
        "repeats_that_changed": changed,
    }
    save("green_channel", results)
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--load", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.load is not None:
        asyncio.run(keep_busy(json.loads(given.load)))
    else:
        run(given.cases, given.rounds)


if __name__ == "__main__":
    main()
