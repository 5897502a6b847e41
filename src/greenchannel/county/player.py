"""The thin shell that plays a plan against a service: everybody acts when the plan says so, and the truth is kept."""

import asyncio
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo

import httpx

from greenchannel.clock import rfc3339
from greenchannel.county.client import Client, Refusal
from greenchannel.county.fast_clock import FastClock
from greenchannel.county.machines import MadeEcg, make_ecg
from greenchannel.county.plan import STREAM, Plan, PlannedEcg
from greenchannel.county.settling import ZONE
from greenchannel.county.truth import TruthBook

MOST_AT_ONCE: Final = 8
"""ECGs that are under way at once, of all clinics; a plan faster than its links falls behind its times."""


class Delivery(Protocol):
    """One way from a clinic's machine to the service."""

    async def __call__(self, ecg: MadeEcg) -> dict[str, Any] | None:
        """Bring one ECG; returns the service's answer, None where it is not for the machine to know.

        Raises `Refusal`, or an `OSError`, a `TimeoutError` or a `httpx.TransportError` where patience ended.
        """
        ...


@dataclass(kw_only=True)
class Tally:
    """What became of a plan's ECGs."""

    confirmed: int = 0
    left: int = 0
    """In a folder, for an agent."""
    refused: list[int] = field(default_factory=list)
    given_up: list[int] = field(default_factory=list)


class Player:
    """Plays one plan.

    Parameters
    ----------
    plan
        Who sends what, when.
    clock
        Whose times the plan's seconds are. One that runs a million times as fast waits for nothing.
    delivery
        The way of each clinic, by its site.
    book
        Where the truth is written, a line for each ECG once its fate is known.
    """

    def __init__(
        self, plan: Plan, clock: FastClock, delivery: Callable[[str], Delivery], book: TruthBook
    ) -> None:
        self._plan, self._clock, self._delivery, self._book = plan, clock, delivery, book
        self._zone = ZoneInfo(ZONE)
        self._room = asyncio.Semaphore(MOST_AT_ONCE)
        # A machine brings one ECG after the other.
        self._machines = {clinic.site: asyncio.Lock() for clinic in plan.clinics}
        self.tally = Tally()

    async def play(self) -> Tally:
        """All ECGs of the plan, each at its time."""
        async with asyncio.TaskGroup() as group:
            for planned in self._plan.ecgs:
                await self._clock.sleep_until(planned.at_s + self._plan.options.duration_s)
                await self._room.acquire()
                group.create_task(self._bring(planned))
        return self.tally

    async def _bring(self, planned: PlannedEcg) -> None:
        try:
            ecg = await asyncio.to_thread(make_ecg, self._plan, planned, self._clock.start, self._zone)
            async with self._machines[ecg.clinic.site]:
                await self._deliver(ecg)
        finally:
            self._room.release()

    async def _deliver(self, ecg: MadeEcg) -> None:
        fate: dict[str, Any] = {"sent_at": rfc3339(self._clock.now())}
        try:
            answer = await self._delivery(ecg.clinic.site)(ecg)
        except Refusal as refusal:
            self.tally.refused.append(ecg.planned.number)
            fate["refusal"] = dict(refusal.problem)
        except (OSError, TimeoutError, httpx.TransportError):
            self.tally.given_up.append(ecg.planned.number)
        else:
            if answer is None:
                self.tally.left += 1
            else:
                self.tally.confirmed += 1
                fate |= {"confirmed_at": rfc3339(self._clock.now()), "answer": answer}
        await asyncio.to_thread(self._book.write, ecg.truth, **fate)


# ---------------------------------------------------------------- ways


def by_network(client: Client, clock: FastClock) -> Delivery:
    """A machine with its own line: files by one request each, streams live."""

    async def deliver(ecg: MadeEcg) -> dict[str, Any] | None:
        if ecg.clinic.way == STREAM:
            return await _stream(client, clock, ecg)
        answer: dict[str, Any] = await client.send_ecg(ecg.data, **ecg.fields, device_clock=_says(ecg, clock))
        return answer

    return deliver


def _says(ecg: MadeEcg, clock: FastClock) -> str:
    """What the machine's clock shows while it sends."""
    return rfc3339(ecg.written_at + (clock.now() - ecg.recorded_at))


async def _stream(client: Client, clock: FastClock, ecg: MadeEcg) -> dict[str, Any]:
    hello = {
        "device": ecg.clinic.device,
        "stream_id": ecg.planned.patient_ref,
        "leads": list(ecg.recording.leads),
        "rate_hz": ecg.recording.rate_hz,
        "lsb_mv": ecg.clinic.lsb_mv,
        "started_at": rfc3339(ecg.written_at),
        "device_clock": _says(ecg, clock),
        **ecg.fields,
    }
    pause_s = ecg.recording.duration_s / len(ecg.frames) / clock.speed
    heard = await client.stream(hello, list(ecg.frames), pause_s=pause_s)
    first = next(message for message in heard if "ecg_id" in message)
    return {"ecg_id": first["ecg_id"], "case_id": first["case_id"]}


def into_folder(folder: Path) -> Delivery:
    """A machine that leaves files in a folder which the clinic's agent watches.

    What the clinic knows lies beside the file, as ``NAME.json``; a FHIR file, being JSON itself, comes alone. A
    stream is nothing for a folder: `ValueError`.
    """

    async def deliver(ecg: MadeEcg) -> dict[str, Any] | None:
        if ecg.clinic.way == STREAM:
            raise ValueError(f"expected a clinic that leaves files, got the stream of {ecg.clinic.site}")
        await asyncio.to_thread(_leave, folder, ecg)
        return None

    return deliver


def _leave(folder: Path, ecg: MadeEcg) -> None:
    """Sidecar and file appear at once under their names, each whole: a power cut leaves none or both, or the former."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {ecg.file_name: ecg.data}
    if not ecg.file_name.endswith(".json"):
        said = json.dumps(ecg.fields, ensure_ascii=False).encode()
        files = {f"{ecg.file_name}.json": said} | files
    for name, data in files.items():
        with (folder / f"{name}.part").open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    for name in files:
        (folder / f"{name}.part").replace(folder / name)
