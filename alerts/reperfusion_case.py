"""The reperfusion clock of one case: what it has reached, what earlier cases say of the rest, and what the rule says.

Pure: a case, the courses of earlier cases and a `now` in, a view out. What is not known stays unknown and is named.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache

import msgspec

from greenchannel.alerts.case import Case
from greenchannel.alerts.eta import HUB, standing
from greenchannel.alerts.milestones import MilestoneValue, milestones
from greenchannel.alerts.reperfusion import (
    DOOR,
    DX,
    WIRE,
    Answer,
    Course,
    Prediction,
    Question,
    decide,
    predict,
    stages,
)
from greenchannel.alerts.tables import read_table
from greenchannel.alerts.timeline import interval_specs, valid_value
from greenchannel.events import ClockReading

FMC, ONSET, LYSIS = "FMC", "ONSET", "LYSIS_START"
LEFT = ("SPOKE_OUT", "SCENE_LEAVE")  # from then on the ambulance's word counts
DIDO = "DIDO"
MODES = (1, 2, 3, 4)


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verdict, or what is missing or speaks against lysis, as people read it."""

    id: str
    zh: str
    en: str


@cache
def verdict_words() -> dict[str, Words]:
    """What the rule says, by verdict."""
    return {row.id: row for row in read_table("reperfusion", "verdict", Words)}


@cache
def reason_words() -> dict[str, Words]:
    """What may be missing or speak against lysis, beside the contraindications, by id."""
    return {row.id: row for row in read_table("reperfusion", "reason", Words)}


class Countdown(msgspec.Struct, frozen=True, kw_only=True):
    """Door in, door out: how long the patient may still be at the clinic."""

    state: str  # "unknown", "running", "late", "done"
    target_min: float
    door_at: datetime | None = None
    due_at: datetime | None = None
    out_at: datetime | None = None
    left_s: float | None = None  # until the target; negative beyond it; None once the patient has left


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of one case at an instant."""

    state: str  # "running", "wire_crossed", "lysis_begun"
    dx_at: datetime | None
    prediction: Prediction | None  # None: not known, or over
    fmc_to_dx_min: float | None  # what is added for the time from first contact
    answer: Answer | None  # None: nothing is asked any more
    eta_at: datetime | None
    dido: Countdown | None  # None: the arrival mode has none


# ---------------------------------------------------------------- what a case has reached


def times_of(case: Case, names: Sequence[str]) -> dict[str, ClockReading]:
    """The valid time of each of these milestones that is known; of one that repeats, the earliest."""
    wanted = frozenset(names)
    given: dict[str, dict[str | None, list[MilestoneValue]]] = {}
    for value in case.values:
        if value.milestone in wanted:
            given.setdefault(value.milestone, {}).setdefault(value.key, []).append(value)
    known: dict[str, ClockReading] = {}
    for name, by_key in given.items():
        valid = [valid_value(milestones()[name], values) for values in by_key.values()]
        known[name] = min((one.time for one in valid if one is not None), key=lambda time: time.at)
    return known


def course_of(case: Case) -> Course | None:
    """A case that is over, as the clock learns from it; None where it does not tell the time from diagnosis to wire."""
    if case.arrival_mode not in MODES or not any(value.milestone == WIRE for value in case.values):
        return None
    known = times_of(case, (*stages(case.arrival_mode), *LEFT))
    if DX not in known or WIRE not in known or known[WIRE].at <= known[DX].at:
        return None
    return Course(minutes=_minutes(known, case.arrival_mode), eta_error_min=_eta_error(case, known))


def _minutes(known: Mapping[str, ClockReading], mode: int) -> dict[str, float]:
    begun = known[DX].at
    return {name: (known[name].at - begun) / timedelta(minutes=1) for name in stages(mode) if name in known}


def _eta_error(case: Case, known: Mapping[str, ClockReading]) -> float | None:
    """By how much the door was later than what was foretold as the patient was driven off, or else at first."""
    if DOOR not in known or not case.etas:
        return None
    left = next((known[name].at for name in LEFT if name in known), None)
    at = max(left, min(eta.given_at for eta in case.etas)) if left is not None else case.etas[0].given_at
    told = standing(case.etas, HUB, at)
    if told is None:
        told = next((eta for eta in case.etas if eta.place == HUB and not eta.withdrawn), None)
    return None if told is None else (known[DOOR].at - told.time.at) / timedelta(minutes=1)


# ---------------------------------------------------------------- the clock


def view(
    case: Case,
    now: datetime,
    *,
    clinic: Sequence[Course],
    network: Sequence[Course],
    contraindicated: frozenset[str] | None = None,
) -> View:
    """Return the clock of a case.

    Parameters
    ----------
    clinic, network
        Courses of cases that are over and came the same way, of its own site and of all.
    contraindicated
        Ids that a doctor found present; empty: all were asked, none is; None: nobody has said.
    """
    mode = case.arrival_mode if case.arrival_mode in MODES else None
    names = (FMC, DX, WIRE, LYSIS, ONSET, *(stages(mode) if mode is not None else ()))
    known = times_of(case, (*names, "SPOKE_DOOR", "SPOKE_OUT"))
    dx = known.get(DX)
    eta = standing(case.etas, HUB) if DOOR not in known else None
    state = "wire_crossed" if WIRE in known else "lysis_begun" if LYSIS in known else "running"
    predicted = None
    if dx is not None and mode is not None and state == "running":
        predicted = predict(
            mode=mode,
            so_far=Course(minutes=_minutes(known, mode)),
            now_min=(now - dx.at) / timedelta(minutes=1),
            clinic=clinic,
            network=network,
            eta_min=None if eta is None else (eta.time.at - dx.at) / timedelta(minutes=1),
        )
    question = Question(
        prediction=predicted,
        onset_h=_onset_h(known.get(ONSET), now),
        shock=_shock(case),
        contraindicated=contraindicated,
    )
    return View(
        state=state,
        dx_at=None if dx is None else dx.at,
        prediction=predicted,
        fmc_to_dx_min=(dx.at - known[FMC].at) / timedelta(minutes=1)
        if dx is not None and FMC in known
        else None,
        answer=_named(decide(question), dx is not None, mode is not None) if state == "running" else None,
        eta_at=None if eta is None else eta.time.at,
        dido=_dido(case, known, now),
    )


def _named(answer: Answer, diagnosed: bool, mode_known: bool) -> Answer:
    """The answer with what a prediction would need in place of the word that there is none."""
    if "prediction" not in answer.missing:
        return answer
    why = [name for name, there in (("diagnosis", diagnosed), ("arrival_mode", mode_known)) if not there]
    return msgspec.structs.replace(answer, missing=tuple(why or ["history"]))


def _onset_h(onset: ClockReading | None, now: datetime) -> tuple[float, float] | None:
    if onset is None:
        return None
    hours, half = (now - onset.at) / timedelta(hours=1), (onset.uncertainty_s or 0.0) / 3600.0
    return None if hours + half < 0 else (max(0.0, hours - half), hours + half)


def _shock(case: Case) -> bool | None:
    said = (case.context.vitals or {}).get("shock")
    return said != 0 if isinstance(said, int | float) else None


def _dido(case: Case, known: Mapping[str, ClockReading], now: datetime) -> Countdown | None:
    spec = next(row for row in interval_specs() if row.id == DIDO)
    target = spec.target_for(case.arrival_mode)
    if case.arrival_mode not in spec.modes or target is None:
        return None
    door, out = known.get(spec.start), known.get(spec.end)
    if door is None:
        return Countdown(state="unknown", target_min=target, out_at=None if out is None else out.at)
    due_at = door.at + timedelta(minutes=target)
    if out is not None:
        return Countdown(state="done", target_min=target, door_at=door.at, due_at=due_at, out_at=out.at)
    left_s = (due_at - now).total_seconds()
    return Countdown(
        state="running" if left_s >= 0 else "late",
        target_min=target,
        door_at=door.at,
        due_at=due_at,
        left_s=left_s,
    )
