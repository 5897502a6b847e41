"""What people and machines do about one patient, as values: what truly happened becomes what is recorded, or is not."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from greenchannel.alerts.facts import facts
from greenchannel.alerts.green_channel import templates
from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.told_day import day_zones
from greenchannel.county.year_map import HUB, ZONE
from greenchannel.county.year_plan import STEMI, Patient, Year
from greenchannel.county.year_roads import LEGS, drive
from greenchannel.county.year_table import Step, year_table

_TASKS: Final = {row.done_milestone: row for row in templates() if row.done_milestone is not None}
_STEPS: Final = {(step.to, mode): step for step in year_table().steps for mode in step.modes}
_CODED: Final = ("DX", "OUTCOME")  # times that say what it was, too
LATE: Final = "模拟:补录 / simulated: entered later"
WRONG: Final = "模拟:按错,更正 / simulated: pressed late, set right"
NOT_ACUTE: Final = "模拟:非急性心肌梗死 / simulated: no acute infarction"
_KILLIP: Final = (("I", 0.7), ("II", 0.18), ("III", 0.06), ("IV", 0.06))  # [O]


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One thing that somebody does."""

    at: datetime
    what: str
    """``ecg ack open sign green stand_down task press type told fact bind position advice_seen feedback feedback_seen
    follow_up close``"""
    role: str = ""
    name: str = ""  # milestone, kind of task or follow-up, fact
    said: datetime | None = None  # the time that is typed
    told: str | None = None  # a day, or a part of one
    code: str | None = None
    note: str | None = None
    lead: str | None = None  # of an ECG: the one that fails
    sent: datetime | None = None  # of an ECG: when sending began
    ended: datetime | None = None  # of an ECG: when it was complete, in truth
    lat: float = 0.0
    lon: float = 0.0


def acts_of(year: Year, patient: Patient) -> list[Act]:
    """Everything that is done about a patient, by time."""
    dice = random.Random(f"{year.seed}/acts/{patient.number}")
    made = _Acts(year, patient, dice)
    times = list(made.times())
    found = [*made.ecgs(), *made.reading(), *times]
    if patient.kind == STEMI and not patient.missed:
        ended_by = min((act.at for act in times if act.name == "OUTCOME"), default=None)
        found += [*made.care(ended_by), *made.road(), *made.facts()]
    else:
        found += made.no_infarction()
    return sorted(found, key=lambda act: act.at)


class _Acts:
    def __init__(self, year: Year, patient: Patient, dice: random.Random) -> None:
        self._year, self._patient, self._dice = year, patient, dice
        self._true = patient.true
        self._table = year_table()

    def _after(self, since: datetime, median_min: float, sigma: float = 0.5) -> datetime:
        return since + timedelta(minutes=median_min * self._dice.lognormvariate(0.0, sigma))

    # ------------------------------------------------------------ ECG and reading

    def ecgs(self) -> Iterator[Act]:
        """The first ECG; where a lead failed, another one minutes later."""
        true, lead = self._true, self._patient.poor
        first = Act(
            at=true["ECG_RECEIVED"],
            what="ecg",
            lead=lead,
            sent=true["ECG_SENT"],
            ended=true["ECG1_ACQ"],
            said=self._onset(),
        )
        yield first
        if lead is not None:
            later = timedelta(minutes=4)
            assert first.sent is not None and first.ended is not None
            yield replace(
                first,
                at=first.at + later,
                lead=None,
                sent=first.sent + later,
                ended=first.ended + later,
                said=None,
            )

    def _onset(self) -> datetime | None:
        """What is said of the onset beside the ECG; None: nothing, or it is told as a day later."""
        table = self._table
        drawn = self._dice.random()
        if drawn < table.no_onset_share + table.told_onset_share:
            return None
        onset = self._patient.onset.replace(second=0, microsecond=0)
        return onset - timedelta(minutes=onset.minute % 5)

    def reading(self) -> Iterator[Act]:
        """It is answered, opened and signed, and the clinic reads it."""
        true, patient = self._true, self._patient
        yield Act(at=true["ALERT_ACK"], what="ack", role="reader")
        yield Act(at=self._after(true["ALERT_ACK"], 0.2), what="open", role="reader")
        tier = "ACT" if patient.kind == STEMI and not patient.missed else None
        yield Act(at=true["ECG_DX"], what="sign", role="reader", code=tier)
        if patient.first == "clinic" and self._dice.random() < 0.8:
            yield Act(at=self._after(true["ECG_DX"], 1.5), what="advice_seen", role="clinic")

    # ------------------------------------------------------------ times

    def times(self) -> Iterator[Act]:
        """Every true time by the way in which it is recorded, and what of it is forgotten and found again."""
        for name, at in self._true.items():
            step = _STEPS[name, self._patient.mode or 2]
            if step.how == "service":
                continue
            role = self._role(step)
            if step.how == "typed":
                yield from self._typed(name, at, role)
            else:
                yield from self._pressed(step, at, role)
        yield from self._told_onset()

    def _role(self, step: Step) -> str:
        role = self._patient.first if step.by == "first" else step.by
        return role if role in milestones()[step.to].enter else "ed"

    def _known_since(self) -> datetime:
        """From when on there is a case that a time can be said of."""
        return self._true["ECG_RECEIVED"] + timedelta(seconds=20)

    def _typed(self, name: str, at: datetime, role: str) -> Iterator[Act]:
        """Said with its hour, after it was: a case begins with its first ECG."""
        tells = self._patient.place.tells_fmc or self._patient.first != "clinic"
        if tells and self._dice.random() < self._table.fmc_told:
            yield from self._said(name, at, role)
        elif self._patient.kind == STEMI and tells:
            yield from self._found_later(name, at)

    def _said(self, name: str, at: datetime, role: str) -> Iterator[Act]:
        when = self._after(max(at, self._known_since()), 2.0)
        said = at.replace(second=0, microsecond=0)
        yield Act(at=when, what="type", role=role, name=name, said=said)

    def _pressed(self, step: Step, at: datetime, role: str) -> Iterator[Act]:
        table = self._table
        if self._dice.random() >= table.taps[role]:
            yield from self._found_later(step.to, at)
            return
        if at < self._known_since():  # there is no case yet that a press could be for
            yield from self._said(step.to, at, role)
            return
        when = self._after(at, table.tap_delay_min, 0.6)
        code = self._code(step.to) if step.to in _CODED else None
        task = _TASKS.get(step.to)
        if task is not None and task.exists_in(self._patient.mode) and step.how in ("task", "gps"):
            yield Act(at=when, what="task", role=role, name=task.kind, code=step.to)
        if step.how == "tap" or code is not None:
            yield Act(at=when, what="press", role=role, name=step.to, code=code)
        if step.how == "tap" and code is None and self._dice.random() < table.correction_share:
            late = self._after(when, table.corrected_after_min)
            said = at.replace(second=0, microsecond=0)
            yield Act(at=late, what="type", role=role, name=step.to, said=said, note=WRONG)

    def _code(self, milestone: str) -> str:
        if milestone == "DX":
            return self._patient.kind
        return "died" if self._dice.random() < 0.05 else "discharged"

    def _found_later(self, name: str, at: datetime) -> Iterator[Act]:
        """What nobody recorded, quality staff ask for on the next day; not all is remembered, nor exactly."""
        table = self._table
        if not milestones()[name].required or self._dice.random() >= table.quality_share:
            return
        said = at + timedelta(minutes=self._dice.gauss(0.0, table.quality_error_min))
        when = self._after(at + timedelta(hours=table.quality_after_h), 90.0)
        said = said.replace(second=0, microsecond=0)
        yield Act(at=when, what="type", role="quality", name=name, said=said, note=LATE)

    def _told_onset(self) -> Iterator[Act]:
        """An onset of which only the day, or a part of it, is known."""
        if self._patient.kind != STEMI or self._dice.random() >= self._table.told_onset_share:
            return
        local = self._patient.onset.astimezone(ZONE)
        part = next(name for name, (a, b) in day_zones().items() if a <= local.hour < b)
        told = local.date().isoformat() + (f" {part}" if self._dice.random() < 0.7 else "")
        when = self._after(self._known_since(), 40.0)
        role = "clinic" if self._patient.first == "clinic" else "ed"
        yield Act(at=when, what="told", role=role, name="ONSET", told=told, note=LATE)

    # ------------------------------------------------------------ an infarction that is seen

    def care(self, outcome_entered: datetime | None) -> Iterator[Act]:
        """The channel, and the end of the story.

        Without a wire or lysis the outcome alone ends the channel: who closes the case waits for it, or enters it.
        """
        true, dice = self._true, self._dice
        yield Act(at=true["GREEN_OPEN"], what="green", role="cardiologist")
        ends = true["OUTCOME"]
        if dice.random() < self._table.feedback_share:
            sent = self._after(ends, 60.0)
            yield Act(at=sent, what="feedback", role="cardiologist")
            if self._patient.first == "clinic":
                yield Act(at=self._after(sent, 300.0), what="feedback_seen", role="clinic")
        closed = self._after(ends, 600.0)
        if self._patient.path == "none":
            if outcome_entered is None:
                said = ends.replace(second=0, microsecond=0)
                yield Act(at=closed, what="type", role="quality", name="OUTCOME", said=said, note=LATE)
            closed = max(closed, outcome_entered or closed) + timedelta(minutes=1)
        yield Act(at=closed, what="close", role="quality", note="模拟:结束 / simulated: done")

    def road(self) -> Iterator[Act]:
        """The ambulance of a transfer, as it drives."""
        true = self._true
        if self._patient.mode != 2 or self._patient.place.site == HUB:
            return
        ordered = self._after(true["AMB_DISPATCH"], 0.3, 0.2)
        yield Act(at=ordered, what="bind", role="dispatch", said=true["HUB_DOOR"])
        legs = tuple(true[name] for name in LEGS)
        for one in drive(self._dice, self._year.county.hub, self._patient.place, ordered, legs):
            yield Act(at=one.at, what="position", lat=one.lat, lon=one.lon)

    def facts(self) -> Iterator[Act]:
        """What is known of the case beside its times."""
        patient, dice, true = self._patient, self._dice, self._true
        soon = self._after(max(true["HUB_DOCTOR"], self._known_since()), 5.0)
        said: list[tuple[str, str, str]] = [
            ("KILLIP", dice.choices([k for k, _ in _KILLIP], [w for _, w in _KILLIP])[0], "cardiologist")
        ]
        if patient.mode in (1, 2):
            said.append(("AMBULANCE_UNIT", "120" if patient.mode == 1 else "own", "dispatch"))
        if patient.path == "pci":
            said.append(("REPERFUSION", "ppci", "cardiologist"))
            said.append(("BYPASS_CCU", "yes" if dice.random() < 0.8 else "no", "cathlab"))
            if patient.mode in (1, 2):
                said.append(("BYPASS_ED", "yes" if dice.random() < 0.6 else "no", "cathlab"))
            said.append(("TIMI_AFTER", dice.choices("0123", (1, 1, 6, 92))[0], "cathlab"))
        elif patient.path == "lysis":
            said.append(("REPERFUSION", "lysis", "cardiologist"))
        else:
            said.append(("REPERFUSION", "none", "cardiologist"))
            said.append(
                ("NOT_REPERFUSED", dice.choice(("window", "family", "money", "bleeding")), "cardiologist")
            )
        for happened in patient.happenings:
            if happened.fact is not None:
                said.append((happened.fact, "yes", "cardiologist"))
        for fact, code, role in said:
            yield from self._fact(self._after(soon, 3.0), fact, code, role)
        next_day = true["FMC"] + timedelta(hours=self._table.quality_after_h)
        for happened in patient.happenings:
            yield from self._fact(self._after(next_day, 60.0), happened.reason, "yes", "quality")

    @staticmethod
    def _fact(at: datetime, fact: str, code: str, role: str) -> Iterator[Act]:
        if fact in facts():  # else this version does not ask for it
            yield Act(at=at, what="fact", role=role, name=fact, code=code)

    # ------------------------------------------------------------ everybody else

    def no_infarction(self) -> Iterator[Act]:
        """Sent home, or to a ward; where it rang, somebody asks later how the patient is."""
        true, patient, dice = self._true, self._patient, self._dice
        read = true["ECG_DX"]
        if patient.first != "clinic" or patient.mode == 2:
            when = self._after(read, 25.0)
            code = "unclear" if patient.missed else patient.kind
            yield Act(at=when, what="press", role="cardiologist", name="DX", code=code)
        if patient.kind in ("NSTEMI", "UA") and patient.mode in (1, 3):
            drawn = self._after(read, 6.0)
            yield Act(at=drawn, what="press", role="ed", name="TROP_DRAW")
            yield Act(at=self._after(drawn, 17.0, 0.25), what="press", role="ed", name="TROP_RESULT")
        earliest = read + timedelta(minutes=30)
        rang_wrongly = patient.strip in ("mimic", "infarction")
        if rang_wrongly and dice.random() < 0.3:
            opened = self._after(read, 1.5)
            down = self._after(opened, 9.0)
            yield Act(at=opened, what="green", role="cardiologist", note="rang")
            yield Act(at=down, what="stand_down", role="cardiologist", note=NOT_ACUTE)
            earliest = max(earliest, down + timedelta(minutes=1))  # while it is open nobody can close
        closed = self._after(read, self._table.close_after_min)
        yield Act(at=max(closed, earliest), what="close", role="reader", note=NOT_ACUTE)
        yield from self._follow_ups(closed)

    def _follow_ups(self, closed: datetime) -> Iterator[Act]:
        if self._patient.strip == "quiet":  # nothing that could have rung
            return
        first = "infarction" if self._patient.missed else "well"
        for kind, after_h, result in (("cancelled_24h", 25.0, first), ("cancelled_30d", 700.0, first)):
            if self._patient.missed or self._dice.random() < self._table.followed_share:
                when = closed + timedelta(hours=after_h + self._dice.uniform(0.0, 6.0))
                yield Act(at=when, what="follow_up", role="quality", name=kind, code=result)
