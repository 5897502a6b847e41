"""The story of the demo: the published case's pace, played by simulated clinics and staff over the public interface.

Whatever a visitor does counts; at each human step the story waits for him a while and then lets the staff act.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog

from greenchannel.alerts.case import Case
from greenchannel.county import cast, devices, pictures
from greenchannel.county.client import Client, Refusal
from greenchannel.county.story_clock import StoryClock
from greenchannel.service.hub import Hub

logger = structlog.get_logger(__name__)

MAIN: Final = "extensive_anterior_high_lateral_stemi"
SECOND: Final = "inferior_posterior_rv_stemi"
VISITOR_S: Final = 13.0  # real seconds the story waits for the visitor to answer and to open the channel
STAFF_S: Final = 4.0  # the same for the steps of the other roles
SEEN_BY_VAN: Final = "demo-1603"
REPORT: Final = {
    "findings": "模拟图像:两肺野清晰,心影不大,两侧肋膈角锐利。\nSimulated image: lungs clear, heart not enlarged.",
    "impression": "模拟阅片,不作诊断。 Simulated reading, no diagnosis.",
}
PATIENT: Final = {
    "patient_ref": "demo-1605",
    "age": 61,
    "sex": "male",
    "chest_pain": "yes",
    "arrival_mode": 2,
}


def at(day: date, clock_time: str) -> datetime:
    """A time of day of the story, ``HH:MM`` or ``HH:MM:SS``."""
    return datetime.combine(day, time.fromisoformat(clock_time), ZoneInfo(cast.ZONE))


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One human step: when it happens, what shows that it has, and who does it if the visitor does not."""

    name: str
    at: str
    done: Callable[[Case], bool]
    act: Callable[["Story"], Awaitable[Any]]
    visitor_act: str  # the act by which a visitor does it himself
    wait_s: float = STAFF_S
    travel_s: float = 2.5  # real seconds the clock takes to get there


def _task(kind: str) -> Callable[[Case], bool]:
    return lambda case: any(task.kind == kind and task.done_at is not None for task in case.tasks)


def _do(user: str, kind: str) -> Callable[["Story"], Awaitable[Any]]:
    return lambda story: story.finish_task(user, kind)


STEPS: Final = (
    Step(
        name="acknowledge",
        at="16:05:40",
        done=lambda case: case.alert is not None and case.alert.acknowledged_at is not None,
        act=lambda story: story.acknowledge("chen"),
        visitor_act="acknowledge",
        wait_s=VISITOR_S,
        travel_s=1.0,
    ),
    Step(
        name="green channel",
        at="16:08",
        done=lambda case: case.channel.state == "open",
        act=lambda story: story.open_channel("chen"),
        visitor_act="open_green_channel",
        wait_s=VISITOR_S,
    ),
    Step(
        name="ambulance",
        at="16:08",
        done=_task("dispatch_ambulance"),
        act=_do("dispatch", "dispatch_ambulance"),
        visitor_act="done_task:dispatch_ambulance",
        wait_s=2.0,
    ),
    Step(
        name="hospital door",
        at="16:25",
        done=_task("receive_patient"),
        act=_do("ed", "receive_patient"),
        visitor_act="done_task:receive_patient",
        travel_s=3.0,
    ),
    Step(
        name="cath lab",
        at="16:30",
        done=_task("patient_in_cathlab"),
        act=_do("cath", "patient_in_cathlab"),
        visitor_act="done_task:patient_in_cathlab",
    ),
    Step(
        name="angiography",
        at="16:41",
        done=_task("start_angiography"),
        act=_do("cath", "start_angiography"),
        visitor_act="done_task:start_angiography",
    ),
    Step(
        name="wire",
        at="16:54",
        done=_task("pass_wire"),
        act=_do("cath", "pass_wire"),
        visitor_act="done_task:pass_wire",
    ),
)


class Story:
    """Directs one run. Devices and staff use the address like anybody else; only the clock and the hub are inside."""

    def __init__(
        self,
        *,
        address: str,
        tokens: dict[str, str],
        clock: StoryClock,
        hub: Hub,
        day: date,
        speed: float,
        data: Path | None,
    ) -> None:
        self._address = address
        self._tokens = tokens
        self._clock = clock
        self._hub = hub
        self._day = day
        self._speed = speed
        self._data = data
        self._people: dict[str, Client] = {}
        self._stack = contextlib.AsyncExitStack()
        self._changed = asyncio.Event()
        self._next = 0
        self.case_id: str | None = None

    # ------------------------------------------------------------ the run

    async def play(self) -> str:
        """From the quiet afternoon to the wire; returns the case's id."""
        unsubscribe = self._hub.subscribe(lambda _: self._changed.set())
        try:
            async with self._stack:
                await self._quiet_afternoon()
                await self._golden_case()
                for number, step in enumerate(STEPS):
                    self._next = number
                    await self._human_step(step)
                    if step.name == "ambulance":
                        await self._second_infarction()
                self._next = len(STEPS)
        finally:
            unsubscribe()
        assert self.case_id is not None
        return self.case_id

    def before_act(self, act: str, case_id: str) -> None:
        """A person is about to act: where it is the step that the story is coming to, its time is now."""
        if case_id != self.case_id:
            return
        for step in STEPS[self._next : self._next + 2]:
            if step.visitor_act == act:
                self._clock.jump_to(at(self._day, step.at))

    async def _human_step(self, step: Step) -> None:
        if self._done(step):
            return
        await self._travel(step.at, step.travel_s)
        if not await self._wait_for(step, step.wait_s / self._speed):
            with contextlib.suppress(Refusal):  # the visitor was quicker by a hair
                await step.act(self)
        await self._wait_for(step, 10.0)

    def _done(self, step: Step) -> bool:
        case = self._hub.cases.get(self.case_id or "")
        return case is not None and step.done(case)

    async def _wait_for(self, step: Step, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not self._done(step):
                    self._changed.clear()
                    await self._changed.wait()
        return self._done(step)

    async def _travel(self, to: str, seconds: float) -> None:
        self._clock.run_to(at(self._day, to), seconds / self._speed)
        await asyncio.sleep(seconds / self._speed)

    # ------------------------------------------------------------ scenes

    async def _quiet_afternoon(self) -> None:
        """What a county sends on a usual day: nothing of it rings."""
        liuzhuang = await self._device("ecg-liuzhuang")
        normals, infarction = devices.real_ecgs(self._data)
        quiet = devices.as_dicom(devices.simulated("baseline_sinus", seed=5), age_years=45.0, sex="female")
        sendings: list[tuple[str, bytes, dict[str, Any]]] = [
            ("16:03:10", devices.pydicom_ecg(), {}),
            ("16:03:50", quiet, {"patient_ref": SEEN_BY_VAN, "age": 45, "sex": "female"}),
        ]
        for minute, real in zip(("16:04:10", "16:04:25"), normals, strict=False):
            sendings.append((minute, real.data, {"patient_ref": real.name, "chest_pain": "no", **real.facts}))
        if infarction is not None:
            sendings.append(
                ("16:04:45", infarction.data, {"patient_ref": infarction.name, **infarction.facts})
            )
        for minute, data, fields in sendings:
            await self._travel(minute, 1.5)
            await liuzhuang.send_ecg(data, **fields)
            if fields.get("patient_ref") == SEEN_BY_VAN:
                await self._images(liuzhuang)

    async def _images(self, van: Client) -> None:
        """Of the same patient: a chest X-ray, which is read at once, and a head CT, which waits for a visitor."""
        taken = self._clock.now().astimezone(ZoneInfo(cast.ZONE))
        chest = await van.send_images(pictures.chest_x_ray(SEEN_BY_VAN, taken))
        await van.send_images(pictures.head_ct(SEEN_BY_VAN, taken))
        radiologist = await self._person(cast.RADIOLOGIST.user)
        with contextlib.suppress(Refusal):  # a visitor has it already
            await radiologist.act(f"/imaging/studies/{chest}/claim")
            await radiologist.act(f"/imaging/studies/{chest}/report", **REPORT)

    async def _golden_case(self) -> None:
        """16:05: the township clinic uploads; the village doctor says when he was first with the patient."""
        await self._travel("16:05", 2.5)
        ecg = devices.as_dicom(devices.simulated(MAIN, seed=1605), age_years=61.0, sex="male")
        yinzhao = await self._device("ecg-yinzhao")
        answer = await yinzhao.send_ecg(ecg, **PATIENT)
        self.case_id = answer["case_id"]
        doctor = await self._person("wang")
        await doctor.milestone(answer["case_id"], "FMC", at(self._day, "16:05").isoformat(), "clinic")

    async def _second_infarction(self) -> None:
        """16:10: an 18-lead infarction streams in; its first reader is busy, the second one answers."""
        await self._travel("16:10", 1.5)
        recording = devices.simulated(SECOND, seed=1610, leads=18)
        frames = devices.as_frames(recording)
        jishi = await self._device("ecg-jishi")
        hello = {
            "device": "ecg-jishi",
            "stream_id": "demo-1610",
            "leads": list(recording.leads),
            "rate_hz": recording.rate_hz,
            "lsb_mv": devices.LSB_MV,
            "started_at": at(self._day, "16:10").isoformat(),
            "device_clock": self._clock.now().isoformat(),
            "patient_ref": "demo-1610",
            "age": 67,
            "sex": "female",
            "chest_pain": True,
            "arrival_mode": 2,
            "electrode_set": recording.electrode_set,
        }
        heard = await jishi.stream(hello, frames, pause_s=0.06 / self._speed)
        await self._travel("16:11:20", 3.0)
        case = self._hub.cases.get(heard[0]["case_id"])
        if case is not None and case.alert is not None and case.alert.acknowledged_at is None:
            with contextlib.suppress(Refusal):
                await (await self._person("lin")).act(f"/alerts/{case.alert.alert_id}/ack")

    # ------------------------------------------------------------ staff

    async def _device(self, name: str) -> Client:
        return await self._stack.enter_async_context(Client(self._address, token=self._tokens[name]))

    async def _person(self, user: str) -> Client:
        if user not in self._people:
            known = next(one for one in (*cast.USERS, cast.RADIOLOGIST) if one.user == user)
            client = await self._stack.enter_async_context(Client(self._address))
            await client.sign_in(known.user, known.password)
            self._people[user] = client
        return self._people[user]

    def _case(self) -> Case:
        return self._hub.cases[self.case_id or ""]

    async def acknowledge(self, user: str) -> None:
        """Answer the alert."""
        alert = self._case().alert
        if alert is not None:
            await (await self._person(user)).act(f"/alerts/{alert.alert_id}/ack")

    async def open_channel(self, user: str) -> None:
        """Open the green channel."""
        await (await self._person(user)).act(f"/cases/{self.case_id}/green-channel")

    async def finish_task(self, user: str, kind: str) -> None:
        """Take a task and finish it."""
        task = next(task for task in self._case().tasks if task.kind == kind)
        client = await self._person(user)
        if task.accepted_at is None:
            await client.act(f"/tasks/{task.task_id}/accept")
        await client.act(f"/tasks/{task.task_id}/done")
