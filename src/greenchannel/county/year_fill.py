"""The thin shell that lets a simulated year happen in a service: by its own commands, on a clock turned by hand.

Nothing is written past the service: what it refuses is counted, and what it does by itself, as ringing the next doctor,
happens at its due time. One thing is spared: each strip is read once, see `year_strips.py`.
"""

import asyncio
import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from greenchannel.alerts.case import Case
from greenchannel.alerts.green_channel import TaskState
from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.told_day import told
from greenchannel.clock import ManualClock, rfc3339
from greenchannel.county.year_acts import Act, acts_of
from greenchannel.county.year_map import HUB, UNITS, ZONE, person
from greenchannel.county.year_plan import Patient, Year
from greenchannel.county.year_settling import unit
from greenchannel.county.year_strips import Strips
from greenchannel.county.year_table import year_table
from greenchannel.ingest.fields import UploadFields
from greenchannel.service.ambulances import Said
from greenchannel.service.callers import Caller
from greenchannel.service.desk import Desk
from greenchannel.service.errors import Conflict, Forbidden, NotFound

DEAD_CLOCK_YEAR: Final = 2000
READING: Final = "模拟阅图,不作诊断 simulated reading, no diagnosis"
OTHERWISE: Final = "模拟:医生另有判断 / simulated: the doctor sees it otherwise"
ADVICE: Final = "模拟建议 simulated advice"
SETS_NOTHING: Final = frozenset({"press", "type", "told", "fact", "position", "bind", "open", "advice_seen"})
"""Acts after which nothing is due that was not before."""
RINGS: Final = frozenset({"ACT", "CRIT"})


@dataclass(kw_only=True)
class Told:
    """What is known of one patient while the year runs: a line of the truth, once nothing more happens."""

    patient: Patient
    acts_left: int
    case_id: str | None = None
    ecg_ids: list[str] = field(default_factory=list)
    unit: str | None = None  # the receiver of its ambulance
    recorded: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def line(self) -> dict[str, Any]:
        """As JSON has it."""
        patient = self.patient
        return {
            "number": patient.number,
            "site": patient.place.site,
            "town": patient.place.town,
            "device": patient.place.machine,
            "mode": patient.mode,
            "kind": patient.kind,
            "path": patient.path,
            "missed": patient.missed,
            "strip": patient.strip,
            "failed_lead": patient.poor,
            "clock": {"kind": patient.place.clock.kind, "talks": patient.place.talks},
            "onset": rfc3339(patient.onset),
            "true": {name: rfc3339(at) for name, at in patient.true.items()},
            "delays": [one.reason for one in patient.happenings],
            "planted": list(patient.planted),
            "case_id": self.case_id,
            "ecg_ids": self.ecg_ids,
            "recorded": self.recorded,
            "facts": self.facts,
            "refused": self.refused,
        }


class Filler:
    """Lets one year happen.

    Parameters
    ----------
    desk
        Started by hand, settled, on `clock`.
    write
        Takes each patient's line of the truth.
    """

    def __init__(
        self,
        desk: Desk,
        clock: ManualClock,
        year: Year,
        strips: Strips,
        write: Callable[[dict[str, Any]], None],
    ) -> None:
        self._desk, self._clock, self._year = desk, clock, year
        self._strips, self._write = strips, write
        self._waiting: list[tuple[datetime, str, int, Act]] = []
        self._told: dict[str, Told] = {}
        self._busy: dict[str, datetime] = {}  # receiver → until when it drives
        self._due: datetime | None = None
        self._looked = False
        self.refused: Counter[str] = Counter()
        self.patients = 0

    async def fill(self, until: datetime | None = None, say: Callable[[date], None] | None = None) -> None:
        """The whole year, or up to an instant; what would come later does not happen."""
        ends = self._year.options.ends_at if until is None else until
        day: date | None = None
        for patient in self._year.patients():
            if patient.begins_at >= ends:
                break
            today = patient.begins_at.astimezone(ZONE).date()
            if say is not None and day is not None and today.month != day.month:
                say(day)
            day = today
            await self._pass(patient.begins_at)
            self._come(patient)
        await self._pass(ends)
        if say is not None and day is not None:
            say(day)
        for left in tuple(self._told):
            self._finish(left)

    def _come(self, patient: Patient) -> None:
        acts = acts_of(self._year, patient)
        self._told[patient.number] = Told(patient=patient, acts_left=len(acts))
        self.patients += 1
        for number, act in enumerate(acts):
            heapq.heappush(self._waiting, (act.at, patient.number, number, act))

    async def _pass(self, until: datetime) -> None:
        """Everything up to an instant, in its order."""
        while self._waiting and self._waiting[0][0] <= until:
            at, number, _, act = heapq.heappop(self._waiting)
            await self._turn_to(at)
            told_of = self._told[number]
            await self._do(told_of, act)
            told_of.acts_left -= 1
            if told_of.acts_left == 0:
                self._finish(number)
        await self._turn_to(until)

    def _finish(self, number: str) -> None:
        self._write(self._told.pop(number).line())

    async def _turn_to(self, at: datetime) -> None:
        """Turn the clock on, with what the service does by itself on the way."""
        while (due := self._next_due()) is not None and due <= at:
            self._clock.move_to(max(due, self._clock.now()))
            await self._desk.duty.fire_due()
            self._looked = False
        self._clock.move_to(max(at, self._clock.now()))

    def _next_due(self) -> datetime | None:
        """When something is due next, asked anew only where it may have changed."""
        if not self._looked:
            self._due, self._looked = self._desk.duty.next_due(), True
        return self._due

    # ------------------------------------------------------------ one act

    async def _do(self, told_of: Told, act: Act) -> None:
        if act.what != "ecg" and told_of.case_id is None:
            return
        try:
            await getattr(self, f"_do_{act.what}")(told_of, act)
        except (Refused, Conflict, Forbidden, NotFound) as refusal:
            code = getattr(refusal, "code", type(refusal).__name__)
            self.refused[f"{act.what} {act.name} {code}"] += 1
            told_of.refused.append(f"{act.what} {act.name} {code}")
        self._looked = self._looked and act.what in SETS_NOTHING
        await asyncio.sleep(0)  # what was committed reaches the hub

    def _caller(self, told_of: Told, act: Act) -> Caller:
        site = told_of.patient.place.site
        who = person(act.role, site, act.at)
        sites = frozenset({site}) if act.role == "clinic" else None
        return Caller(kind="user", id=who, name=who, role=act.role, sites=sites)

    def _case(self, told_of: Told) -> Case:
        assert told_of.case_id is not None
        return self._desk.book.cases[told_of.case_id]

    def _note(self, told_of: Told, milestone: str, source: str, at: datetime | None, how: str) -> None:
        """What the log should now say of a milestone by a source; the newest word of it."""
        said = {
            "milestone": milestone,
            "source": source,
            "at": None if at is None else rfc3339(at),
            "how": how,
        }
        known = [one for one in told_of.recorded if (one["milestone"], one["source"]) != (milestone, source)]
        told_of.recorded = [*known, said]

    # ------------------------------------------------------------ machines

    async def _do_ecg(self, told_of: Told, act: Act) -> None:
        patient, place = told_of.patient, told_of.patient.place
        assert act.sent is not None and act.ended is not None
        strip = await asyncio.to_thread(self._strips.strip, patient.strip, patient.strips, act.lead)
        first = told_of.case_id is None
        fields = UploadFields(
            site=place.site,
            device=place.machine,
            patient_ref=f"{self._year.seed}-{patient.number}",
            age_years=strip.age_years,
            sex=strip.sex,
            chest_pain=True,
            onset_at=act.said if first else None,
            acquired_at=self._shows(told_of, act.ended - timedelta(seconds=year_table().strip_s)),
            device_clock=self._shows(told_of, act.sent) if place.talks else None,
            arrival_mode=patient.mode,
        )
        machine = Caller(
            kind="device", id=place.machine, name=place.machine, role="device", sites=frozenset({place.site})
        )
        ecg_id, case_id = await self._desk.intake.receive_known(
            strip.known, fields, machine, upload_started_at=act.sent
        )
        told_of.ecg_ids.append(ecg_id)
        if not first:
            return
        told_of.case_id = case_id
        self._note(told_of, "ECG_RECEIVED", "server", act.at, "service")
        self._note(told_of, "ECG1_ACQ", "device", self._acquired(told_of, act), "device")
        if act.said is not None:
            self._note(told_of, "ONSET", "clinic", act.said, "typed")

    def _error_s(self, told_of: Told, at: datetime) -> float:
        clock = told_of.patient.place.clock
        return clock.error_s((at - self._year.options.begins_at).total_seconds())

    def _shows(self, told_of: Told, at: datetime) -> datetime:
        """What the machine's clock shows."""
        shown = at + timedelta(seconds=self._error_s(told_of, at))
        if told_of.patient.place.clock.kind == "dead":
            return shown.replace(year=DEAD_CLOCK_YEAR, month=1, day=1 + shown.day % 28)
        return shown

    def _acquired(self, told_of: Told, act: Act) -> datetime | None:
        """When the service should say that the first ECG was complete; None: nobody can know."""
        place = told_of.patient.place
        assert act.ended is not None
        if place.clock.kind == "dead":
            return None
        return act.ended if place.talks else min(self._shows(told_of, act.ended), act.at)

    async def _do_bind(self, told_of: Told, act: Act) -> None:
        """A receiver that is free drives for the case; where there is none, none is seen."""
        assert act.said is not None and told_of.case_id is not None
        free = (unit(n) for n in range(UNITS) if self._busy.get(unit(n), act.at) <= act.at)
        told_of.unit = next(free, None)
        if told_of.unit is not None:
            self._busy[told_of.unit] = act.said + timedelta(minutes=20)
            await self._desk.ambulances.bind(told_of.case_id, self._caller(told_of, act), told_of.unit)

    async def _do_position(self, told_of: Told, act: Act) -> None:
        if told_of.unit is None or told_of.case_id is None:
            return
        receiver = Caller(
            kind="device", id=told_of.unit, name=told_of.unit, role="device", sites=frozenset({HUB})
        )
        said = Said(lat=act.lat, lon=act.lon, at=act.at, accuracy_m=8.0, device_clock=act.at)
        taken = await self._desk.ambulances.position(told_of.case_id, receiver, said)
        for milestone in taken.recorded:
            self._note(told_of, milestone, "gps", told_of.patient.true[milestone], "gps")

    # ------------------------------------------------------------ people

    async def _do_ack(self, told_of: Told, act: Act) -> None:
        alert = self._case(told_of).alert
        if alert is not None and alert.open:
            await self._desk.answers.acknowledge(alert.alert_id, self._caller(told_of, act))

    async def _do_open(self, told_of: Told, act: Act) -> None:
        await self._desk.answers.ecg_opened(told_of.ecg_ids[-1], self._caller(told_of, act))

    async def _do_sign(self, told_of: Told, act: Act) -> None:
        """Every ECG that is there gets its reading: one that nobody reads rings on for ever."""
        caller = self._caller(told_of, act)
        for ecg in [self._case(told_of).ecg(one) for one in told_of.ecg_ids]:
            assert ecg is not None
            machine = ecg.final_tier or "NONE"
            tier = act.code or ("FLAG" if machine in RINGS else machine)
            agrees = tier == machine
            await self._desk.answers.sign_reading(
                ecg.ecg_id,
                caller,
                text=READING,
                tier=tier,
                advice=ADVICE if told_of.patient.first == "clinic" else None,
                agrees=agrees,
                reason=None if agrees else OTHERWISE,
            )
        self._note(told_of, "ECG_DX", "server", act.at, "service")

    async def _do_advice_seen(self, told_of: Told, act: Act) -> None:
        await self._desk.answers.advice_seen(told_of.ecg_ids[-1], self._caller(told_of, act))

    async def _do_green(self, told_of: Told, act: Act) -> None:
        case = self._case(told_of)
        if act.note is not None and case.alert is None:  # only where it rang
            return
        await self._desk.answers.open_green_channel(case.case_id, self._caller(told_of, act))
        self._note(told_of, "GREEN_OPEN", "server", act.at, "service")

    async def _do_stand_down(self, told_of: Told, act: Act) -> None:
        case = self._case(told_of)
        if case.channel.state == "open":
            await self._desk.answers.stand_down(case.case_id, self._caller(told_of, act), act.note or "")

    async def _do_task(self, told_of: Told, act: Act) -> None:
        """Through the task where the channel is open and has it, else by the milestone's own button."""
        assert act.code is not None
        task = self._task(told_of, act.name)
        if task is None or self._case(told_of).channel.state != "open":
            await self._do_press(told_of, replace(act, name=act.code, code=None))
            return
        await self._desk.answers.done_task(task.task_id, self._caller(told_of, act))
        self._note(told_of, act.code, task.role, act.at, "task")

    def _task(self, told_of: Told, kind: str) -> TaskState | None:
        return next((one for one in self._case(told_of).tasks if one.kind == kind), None)

    async def _do_press(self, told_of: Told, act: Act) -> None:
        await self._milestone(told_of, act, None)
        said = next(
            (one for one in told_of.recorded if (one["milestone"], one["source"]) == (act.name, act.role)),
            None,
        )
        if said is None:  # else the press only says what it was
            self._note(told_of, act.name, act.role, act.at, "tap")

    async def _do_type(self, told_of: Told, act: Act) -> None:
        await self._milestone(told_of, act, act.said)
        self._note(told_of, act.name, act.role, act.said, "typed")

    async def _do_told(self, told_of: Told, act: Act) -> None:
        assert act.told is not None
        day, _, part = act.told.partition(" ")
        reading = told(date.fromisoformat(day), part or None, ZONE, self._clock.now())
        await self._milestone(told_of, act, reading)
        self._note(told_of, act.name, act.role, reading.at, "told")

    async def _milestone(self, told_of: Told, act: Act, at: Any) -> None:
        assert told_of.case_id is not None
        await self._desk.answers.record_milestone(
            told_of.case_id,
            self._caller(told_of, act),
            milestone=act.name,
            at=at,
            source=act.role,
            key=None,
            note=act.note,
            code=act.code,
            idempotency_key=None,
        )

    async def _do_fact(self, told_of: Told, act: Act) -> None:
        assert told_of.case_id is not None and act.code is not None
        await self._desk.answers.record_fact(
            told_of.case_id,
            self._caller(told_of, act),
            fact=act.name,
            code=act.code,
            source=act.role,
            note=act.note,
        )
        told_of.facts[act.name] = act.code

    async def _do_follow_up(self, told_of: Told, act: Act) -> None:
        found = (one for one in self._case(told_of).followups if one.kind == act.name and one.done_at is None)
        waiting = next(found, None)
        if waiting is not None:
            await self._desk.answers.followup_done(
                waiting.followup_id, self._caller(told_of, act), act.code or ""
            )

    async def _do_feedback(self, told_of: Told, act: Act) -> None:
        if any(one["milestone"] == "OUTCOME" for one in told_of.recorded):
            await self._desk.answers.send_feedback(self._case(told_of).case_id, self._caller(told_of, act))

    async def _do_feedback_seen(self, told_of: Told, act: Act) -> None:
        if any(value.milestone == "FEEDBACK_SENT" for value in self._case(told_of).values):
            await self._desk.answers.feedback_seen(self._case(told_of).case_id, self._caller(told_of, act))

    async def _do_close(self, told_of: Told, act: Act) -> None:
        case = self._case(told_of)
        await self._desk.answers.close_case(case.case_id, self._caller(told_of, act), act.note or "")
