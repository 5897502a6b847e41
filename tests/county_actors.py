"""A simulated county that works while its service is killed: what each of its people was told, they write down."""

import asyncio
import contextlib
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Self

import httpx
import numpy as np
import websockets
from numpy.typing import NDArray

from greenchannel.county import cast, devices
from greenchannel.county.client import Client
from greenchannel.signal.recording import Recording

STEMI: Final = "extensive_anterior_high_lateral_stemi"
STREAMED: Final = "inferior_posterior_rv_stemi"
STAFF: Final = {
    "cardiologist": "chen",
    "ed": "ed",
    "dispatch": "dispatch",
    "cathlab": "cath",
    "ccu": "ccu",
    "clinic": "wang",
}
ROUNDS: Final = 2  # that each actor may begin in one life of the service
TASKS: Final = 3  # of each case that are accepted and done
PATIENCE_S: Final = 60.0
FRAME_PAUSE_S: Final = 0.03
POLL_S: Final = 0.02


@dataclass(kw_only=True)
class Told:
    """What the service has confirmed. All of it must be in the log, once."""

    uploads: dict[str, tuple[str, str]] = field(default_factory=dict)  # sha256 → ECG, case
    contents: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # ECG → device, bytes
    streams: dict[str, tuple[str, str]] = field(default_factory=dict)  # stream id → ECG, case
    samples: dict[str, NDArray[np.int16]] = field(default_factory=dict)  # streamed ECG → steps
    acknowledged: set[tuple[str, str]] = field(default_factory=set)  # alert, person
    channels: set[str] = field(default_factory=set)  # case
    accepted: set[str] = field(default_factory=set)  # task
    done: set[str] = field(default_factory=set)  # task
    milestones: dict[tuple[str, str, str], str] = field(default_factory=dict)  # case, id, source → instant
    shown: dict[int, tuple[str, str]] = field(default_factory=dict)  # seq → type, case: on the board
    resumed: int = 0  # streams that went on in the middle
    board_connections: int = 0


class Board:
    """A live board: rows are replaced by what comes, as a page does it."""

    def __init__(self, client: Client, told: Told) -> None:
        self._client = client
        self._told = told
        self.seq: int | None = None
        self.rows: dict[str, Any] = {}
        self.first: str | None = None  # the kind of the first message of the newest connection

    async def follow(self, until_seq: int | None = None) -> None:
        """One connection, from where the last one ended: until it is cut, or all up to `until_seq` has come."""
        async with self._client.live(after=self.seq) as messages:
            self._told.board_connections += 1
            self.first = None
            async for message in messages:
                self.first = self.first or message["type"]
                self._take(message)
                whole = message["type"] in ("mark", "snapshot")  # several events may come before one mark
                if whole and until_seq is not None and (self.seq or 0) >= until_seq:
                    return

    async def follow_always(self) -> None:
        """Come back after every cut, until cancelled."""
        while True:
            with contextlib.suppress(OSError, websockets.WebSocketException):
                await self.follow()
            await asyncio.sleep(POLL_S)

    def _take(self, message: dict[str, Any]) -> None:
        seq = int(message["seq"])
        assert self.seq is None or seq >= self.seq, f"expected seq from {self.seq} on, got {seq}"
        if message["type"] == "snapshot":
            self.rows = {row["case_id"]: row for row in message["cases"]}
        elif message["type"] != "mark":
            self.rows[message["case_id"]] = message["row"]
            if message["type"] != "order_changed":
                self._told.shown[seq] = (message["type"], message["case_id"])
        self.seq = seq


class County:
    """The people and machines at one address."""

    def __init__(self, base: str, tokens: dict[str, str]) -> None:
        self.told = Told()
        self._base = base
        self._tokens = tokens
        self._stack = contextlib.AsyncExitStack()
        self._people: dict[str, Client] = {}
        self._machines: dict[str, Client] = {}
        self._permits: list[asyncio.Semaphore] = []
        self._signing_in = asyncio.Lock()
        self._over = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._stack.aclose()

    async def device(self, name: str) -> Client:
        """A machine with its token."""
        if name not in self._machines:
            client = Client(self._base, token=self._tokens[name], patience_s=PATIENCE_S)
            self._machines[name] = await self._stack.enter_async_context(client)
        return self._machines[name]

    async def person(self, user: str) -> Client:
        """Somebody who has signed in; nobody gets one who still does."""
        async with self._signing_in:
            if user not in self._people:
                client = await self._stack.enter_async_context(Client(self._base, patience_s=PATIENCE_S))
                known = next(one for one in cast.USERS if one.user == user)
                await client.sign_in(known.user, known.password)
                self._people[user] = client
            return self._people[user]

    # ------------------------------------------------------------ rounds

    async def work(self, one_round: Callable[[int], Awaitable[None]], first: int, step: int) -> None:
        """Rounds `first`, `first + step`, …, as long as the story goes on."""
        permits = asyncio.Semaphore(ROUNDS)
        self._permits.append(permits)
        number = first
        while True:
            await permits.acquire()
            if self._over:
                return
            await one_round(number)
            number += step

    def new_life(self) -> None:
        """The service is back: everybody may begin some more."""
        for permits in self._permits:
            for _ in range(ROUNDS):
                permits.release()

    def finish(self) -> None:
        """Begin nothing more."""
        self._over = True
        self.new_life()

    # ------------------------------------------------------------ what they do

    async def upload(self, device: str, seed: int, **fields: Any) -> tuple[str, str]:
        """Send one new infarction, twice; returns ECG and case."""
        data = devices.as_dicom(devices.simulated(STEMI, seed=seed), age_years=61.0, sex="male")
        client = await self.device(device)
        answers = [await client.send_ecg(data, **fields) for _ in range(2)]
        ids = {(answer["ecg_id"], answer["case_id"]) for answer in answers}
        assert len(ids) == 1 and answers[1]["duplicate"], answers
        ecg_id, case_id = ids.pop()
        sha256 = answers[0]["sha256"]
        assert sha256 == hashlib.sha256(data).hexdigest()
        self.told.uploads[sha256] = (ecg_id, case_id)
        self.told.contents[ecg_id] = (device, data)
        return ecg_id, case_id

    async def clinic_round(self, number: int) -> None:
        """A patient with two ECGs, whom everybody does something for."""
        wang, chen = await self.person("wang"), await self.person("chen")
        fields = {"patient_ref": f"kill-{number}", "arrival_mode": 2, "chest_pain": "yes"}
        _, case_id = await self.upload("ecg-yinzhao", 10_000 + 2 * number, **fields)
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        await wang.milestone(case_id, "FMC", at, "clinic")
        self.told.milestones[case_id, "FMC", "clinic"] = at

        row = await self._alerted(chen, case_id)
        alert_id = row["alert"]["alert_id"]
        await chen.act(f"/alerts/{alert_id}/ack")
        self.told.acknowledged.add((alert_id, "chen"))
        row = (await chen.act(f"/cases/{case_id}/green-channel"))["case"]
        self.told.channels.add(case_id)
        _, same_case = await self.upload("ecg-yinzhao", 10_001 + 2 * number, **fields)
        assert same_case == case_id
        for task in row["tasks"][number % 2 :][:TASKS]:
            who = await self.person(STAFF[task["role"]])
            await who.act(f"/tasks/{task['task_id']}/accept")
            self.told.accepted.add(task["task_id"])
            await who.act(f"/tasks/{task['task_id']}/done")
            self.told.done.add(task["task_id"])

    async def _alerted(self, client: Client, case_id: str) -> dict[str, Any]:
        """The case once its alert rings."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                row: dict[str, Any] = await client.call("GET", f"/cases/{case_id}")
                if row["alert"] is not None:
                    return row
                await asyncio.sleep(POLL_S)

    async def stream_round(self, number: int) -> None:
        """Ten seconds of eighteen leads, live, over as many connections as it takes."""
        recording = devices.simulated(STREAMED, seed=20_000 + number, leads=18)
        jishi = await self.device("ecg-jishi")
        heard = await jishi.stream(
            hello(recording, f"kill-{number}"), devices.as_frames(recording), pause_s=FRAME_PAUSE_S
        )
        ids = {(message["ecg_id"], message["case_id"]) for message in heard if "ecg_id" in message}
        assert len(ids) == 1, f"expected one ECG for one stream, got {ids}"
        promised = 0
        for message in heard:
            if "resume_from" in message:
                assert message["resume_from"] >= promised, "acknowledged samples were asked for again"
                self.told.resumed += message["resume_from"] > 0
            promised = max(promised, message.get("acked", 0), message.get("resume_from", 0))
        assert promised == recording.samples_mv.shape[1]
        ecg_id, case_id = ids.pop()
        self.told.streams[f"kill-{number}"] = (ecg_id, case_id)
        self.told.samples[ecg_id] = steps_of(recording)

    async def comes_back(self, ecg_id: str) -> bool:
        """Does the machine that sent an ECG get the very bytes back?"""
        device, data = self.told.contents[ecg_id]
        headers = {"Authorization": f"Bearer {self._tokens[device]}"}
        async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
            answer = await http.get(f"{self._base}/api/v1/ecgs/{ecg_id}/file")
        return answer.content == data


def steps_of(recording: Recording) -> NDArray[np.int16]:
    """The recording in whole steps, shape ``(leads, samples)``, as the machine sends it."""
    return np.round(recording.samples_mv.astype(np.float64) / devices.LSB_MV).astype(np.int16)


def hello(recording: Recording, stream_id: str) -> dict[str, Any]:
    """How a live machine begins."""
    return {
        "device": "ecg-jishi",
        "stream_id": stream_id,
        "leads": list(recording.leads),
        "rate_hz": recording.rate_hz,
        "lsb_mv": devices.LSB_MV,
        "patient_ref": f"live-{stream_id}",
        "age": 67,
        "sex": "female",
        "chest_pain": True,
        "electrode_set": recording.electrode_set,
    }
