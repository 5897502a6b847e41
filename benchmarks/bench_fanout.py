"""From the writing of an event to its arrival at N boards that are cut off at random: the service's fan-out.

The real service in its own process; all boards in a second one (`fanout_clients`), which measures how late it is
itself; a third, this one, plays devices and people at an even pace. An event's instant is the one that the log gives
it, taken before the commit: the fsync is part of what is measured.
"""

import argparse
import asyncio
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from benchmarks.harness import ROOT, Json, load_1min, save, show
from greenchannel.county import cast, devices
from greenchannel.county.client import Client
from greenchannel.store.engine import open_engine
from greenchannel.store.log import Log

SCENARIO: Final = "extensive_anterior_high_lateral_stemi"
MUST_MS: Final = 250.0
CASES_BEFORE: Final = 30
READER, CLINIC, QUALITY = "chen", "sun", "quality"
SITE: Final = "jishi"
DEVICES: Final = ("ecg-jishi", "ecg-yinzhao")
UPLOAD_EVERY_S: Final = 3.0
MILESTONES: Final = ("HUB_DOOR", "FMC", "CATH_READY", "WIRE", "DX", "SPOKE_OUT", "TRANSFER_DECIDE")
CLINIC_SHARE: Final = 0.2  # of the boards see one site alone
SEED: Final = 20260401


def _password(user: str) -> str:
    return next(one.password for one in cast.USERS if one.user == user)


class Players:
    """Devices and people who make events: uploads that ring, answers, channels, tasks, times that are corrected."""

    def __init__(self, base: str, tokens: list[str]) -> None:
        self._base = base
        self._tokens = tokens
        self._devices: list[Client] = []
        self._dice = random.Random(SEED)
        self._files = itertools.count()
        self._cases: list[str] = []
        self._unanswered: list[str] = []
        self._times = itertools.count()
        self._people: dict[str, Client] = {}
        self._ready: list[bytes] = []

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator["Players"]:
        """Signed in."""
        async with AsyncExitStack() as stack:
            for user in (READER, QUALITY, CLINIC):
                client = await stack.enter_async_context(Client(self._base))
                await client.sign_in(user, _password(user))
                self._people[user] = client
            for token in self._tokens:
                self._devices.append(await stack.enter_async_context(Client(self._base, token=token)))
            yield self

    def cookie(self, user: str) -> str:
        """The session of a person, for a board."""
        return "; ".join(f"{name}={value}" for name, value in self._people[user]._http.cookies.items())

    def make_files(self, count: int) -> None:
        """ECGs, simulated before anything is measured."""
        for _ in range(count):
            number = next(self._files)
            recording = devices.simulated(SCENARIO, seed=30_000 + number)
            self._ready.append(devices.as_dicom(recording, age_years=61.0, sex="male"))

    async def upload(self) -> None:
        """A new patient, whose infarction rings."""
        device = self._devices[len(self._ready) % len(self._devices)]
        answer = await device.send_ecg(self._ready.pop(), patient_ref=f"fan-{len(self._ready)}")
        self._cases.append(answer["case_id"])
        self._unanswered.append(answer["case_id"])

    async def answer(self) -> None:
        """The oldest open alert is answered, and its channel opened."""
        case_id = self._unanswered.pop(0)
        row = await self._people[READER].call("GET", f"/cases/{case_id}")
        await self._people[READER].act(f"/alerts/{row['alert']['alert_id']}/ack")
        await self._people[READER].act(f"/cases/{case_id}/green-channel")

    async def time(self) -> None:
        """One reported time, or its correction."""
        number = next(self._times)
        case_id = self._cases[number % len(self._cases)]
        at = datetime.now(UTC) - timedelta(minutes=self._dice.randint(1, 60), milliseconds=number)
        body = {
            "milestone": MILESTONES[number // len(self._cases) % len(MILESTONES)],
            "at": at.isoformat(timespec="milliseconds"),
            "source": "quality",
            "note": "corrected from the paper record",
        }
        await self._people[QUALITY].call(
            "POST", f"/cases/{case_id}/milestones", json=body, headers={"Idempotency-Key": f"k-{number}"}
        )

    async def play(self, seconds: float, per_s: float) -> tuple[int, float]:
        """Something every ``1 / per_s``; how much was done, and how late the worst was begun (s)."""
        begin, done, late = time.perf_counter(), 0, 0.0
        next_upload = next_answer = UPLOAD_EVERY_S / 2
        running: set[asyncio.Task[None]] = set()
        while (passed := time.perf_counter() - begin) < seconds:
            act: Callable[[], Awaitable[None]] = self.time
            if passed >= next_upload and self._ready:
                act, next_upload = self.upload, next_upload + UPLOAD_EVERY_S
            elif passed >= next_answer + 1 and self._unanswered:
                act, next_answer = self.answer, next_answer + UPLOAD_EVERY_S
            running.add(asyncio.ensure_future(act()))
            running = {task for task in running if not task.done() or task.result() is not None}
            done += 1
            due = begin + done / per_s
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            late = max(late, time.perf_counter() - due)
        await asyncio.gather(*running)
        return done, late

    async def seq(self) -> int:
        """The end of the log."""
        return int((await self._people[READER].call("GET", "/cases"))["seq"])


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _visible(folder: Path) -> dict[str, list[int]]:
    """The numbers of the events that each group of boards may see, from the log itself; the chain is walked along."""
    engine = open_engine(f"sqlite:///{folder / 'greenchannel.sqlite'}")
    try:
        log = Log(engine)
        assert log.verify().ok
        events = [one for one in log.read() if one.case_id is not None]
    finally:
        engine.dispose()
    sites = {one.case_id: one.event.site for one in events if hasattr(one.event, "site") and one.version == 1}
    own = [one.seq for one in events if sites[one.case_id] == SITE]
    return {READER: [one.seq for one in events], CLINIC: own}


def measure(clients: int, seconds: float, per_s: float = 20.0, drops_per_s: float | None = None) -> Json:
    """Start everything, measure, end everything."""
    environ = os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "src")))}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "county"
        words = [sys.executable, "-m", "benchmarks.stream_service", str(folder)]
        service = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT)
        words = [sys.executable, "-m", "benchmarks.fanout_clients"]
        crowd = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ, cwd=ROOT
        )
        try:
            assert service.stdout is not None
            told = json.loads(service.stdout.readline())
            drops = clients / 50 if drops_per_s is None else drops_per_s
            return asyncio.run(_measure(folder, service.pid, told, crowd, clients, seconds, per_s, drops))
        finally:
            for process in (crowd, service):
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                for pipe in (process.stdin, process.stdout):
                    if pipe is not None:
                        pipe.close()


async def _measure(
    folder: Path,
    pid: int,
    told: Json,
    crowd: "subprocess.Popen[str]",
    clients: int,
    seconds: float,
    per_s: float,
    drops_per_s: float,
) -> Json:
    address = urlsplit(told["address"])
    tokens = [told["tokens"][device] for device in DEVICES]
    async with Players(told["address"].rstrip("/"), tokens).at_work() as players:
        await asyncio.to_thread(players.make_files, CASES_BEFORE + int(seconds / UPLOAD_EVERY_S) + 1)
        for _ in range(CASES_BEFORE):
            await players.upload()
        for _ in range(CASES_BEFORE // 2):
            await players.answer()
        of_clinic = round(clients * CLINIC_SHARE)
        await _say(crowd, {
            "host": address.hostname, "port": address.port, "seed": SEED, "drops_per_s": drops_per_s,
            "clients": {READER: clients - of_clinic, CLINIC: of_clinic},
            "cookies": {user: players.cookie(user) for user in (READER, CLINIC)},
        })  # fmt: skip
        await _hear(crowd)
        first, cpu_s, since = await players.seq(), _cpu_s(pid), time.perf_counter()
        done, late_s = await players.play(seconds, per_s)
        took_s, cpu_s, last = time.perf_counter() - since, _cpu_s(pid) - cpu_s, await players.seq()
        await _say(crowd, {"seq": last, "visible": await asyncio.to_thread(_visible, folder)})
        found: Json = await _hear(crowd)
    facts: Json = {
        "clients": clients,
        "seconds": round(took_s, 1),
        "acts": done,
        "acts_late_ms": round(1000 * late_s, 1),
        "events": last - first,
        "events_per_s": round((last - first) / took_s, 1),
        "service_cpu_percent": round(100 * cpu_s / took_s),
        "load_1min": load_1min(),
    }
    return facts | found


async def _say(crowd: "subprocess.Popen[str]", told: Json) -> None:
    assert crowd.stdin is not None
    crowd.stdin.write(json.dumps(told) + "\n")
    await asyncio.to_thread(crowd.stdin.flush)


async def _hear(crowd: "subprocess.Popen[str]") -> Any:
    assert crowd.stdout is not None
    line = await asyncio.to_thread(crowd.stdout.readline)
    if not line:
        raise RuntimeError("the process of the boards has ended")
    return json.loads(line)


def whole(found: Json) -> bool:
    """Have all boards of equal rights one state, without a gap and with nothing twice?"""
    one_state = all(len(states) == 1 for states in found["states"].values())
    return one_state and found["gaps"] == 0 and found["doubled"] == 0


def run(clients: int = 500, seconds: float = 30.0, per_s: float = 20.0) -> Json:
    """Measure, print, save."""
    found = measure(clients, seconds, per_s)
    late, lag = found["late_ms"], found["own_lag_ms"]
    show(
        "Event committed to received by a board",
        [
            {
                "boards": clients,
                "events/s": found["events_per_s"],
                "received live": found["events_live"],
                "drops": found["drops"],
                "p50 / p99 / max ms": f"{late['p50']} / {late['p99']} / {late['max']}",
                "must": f"p99 <= {MUST_MS:g}",
                "boards' own lag p99 / max ms": f"{lag['p99']} / {lag['max']}",
                "service CPU %": found["service_cpu_percent"],
                "load": found["load_1min"],
            }
        ],
    )
    states = {user: len(states) for user, states in found["states"].items()}
    print(f"\nstates {states}, gaps {found['gaps']}, doubled {found['doubled']}: ", end="")
    print("all boards of equal rights agree" if whole(found) else "THEY DO NOT AGREE")
    save("fanout", found)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--per-s", type=float, default=20.0, help="acts of devices and people")
    given = parser.parse_args()
    run(given.clients, given.seconds, given.per_s)


if __name__ == "__main__":
    main()
