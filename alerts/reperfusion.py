"""The reperfusion clock: when the wire is likely to cross, and what the written rule says of it.

The prediction is no model: it is what happened to earlier patients from the same point on, and its interval is cut
from them by rank, so that about as many cases end within it as it says, whatever their times are like (provided that
the clinic works as it did). The rule is that of ``reperfusion.toml``. Nothing is proposed beyond it, a doctor decides.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Literal

import msgspec

from greenchannel.alerts.tables import read_table, read_value

DX, DOOR, WIRE = "ECG_DX", "HUB_DOOR", "WIRE"

Verdict = Literal["pci", "lysis_checklist", "doctor_decides", "unknown"]


class Way(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Milestones from the diagnosis to the wire, in order, for one arrival mode."""

    mode: int
    stages: tuple[str, ...]


class Contraindication(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question of the checklist."""

    id: str
    zh: str
    en: str


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """When the milestones of one case came, in minutes from its diagnosis; those that are not known are not there."""

    minutes: Mapping[str, float]
    eta_error_min: float | None = (
        None  # how much later than was foretold the door was reached; None: nothing was
    )


class Prediction(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes from the diagnosis to the wire, as earlier cases have it."""

    median_min: float
    low_min: float
    high_min: float
    cases: int  # on which it rests
    stage: str  # the milestone from which it counts
    basis: Literal["clinic", "network"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values of ``reperfusion.toml``."""

    pci_within_min: float
    lysis_onset_h: float
    interval_share: float
    least_cases: int


@cache
def default_settings() -> Settings:
    """The values of ``reperfusion.toml``."""
    return Settings(
        pci_within_min=read_value("reperfusion", "pci_within_min", float),
        lysis_onset_h=read_value("reperfusion", "lysis_onset_h", float),
        interval_share=read_value("reperfusion", "interval_share", float),
        least_cases=read_value("reperfusion", "least_cases", int),
    )


@cache
def contraindications() -> tuple[Contraindication, ...]:
    """The questions of the checklist, in the order in which they are asked."""
    return read_table("reperfusion", "contraindication", Contraindication)


@cache
def stages(mode: int) -> tuple[str, ...]:
    """The way of an arrival mode; raises `KeyError` for a mode that there is not."""
    return {way.mode: way.stages for way in read_table("reperfusion", "way", Way)}[mode]


# ---------------------------------------------------------------- when


def predict(
    *,
    mode: int,
    so_far: Course,
    now_min: float,
    clinic: Sequence[Course],
    network: Sequence[Course] = (),
    eta_min: float | None = None,
    settings: Settings | None = None,
) -> Prediction | None:
    """Return when the wire is likely to cross; None where too little is known to say.

    Parameters
    ----------
    mode
        National code of the arrival mode.
    so_far, now_min
        What has been reached, and the present, in minutes from the diagnosis.
    clinic, network
        Cases that are over and came the same way: those of the clinic, and of all clinics, which stand in where the
        clinic has too few.
    eta_min
        When the ambulance says that it will be at the door, in minutes from the diagnosis.

    Notes
    -----
    Each earlier case says how long it took from the stage that this one has reached, if it had not gone on sooner
    than this one has been waiting there. With an ETA each says how long it took from the door, and by how much its own
    ETA was wrong; where no ETA was kept, this one is taken as it is. The ends of the interval are ranks among those
    times: of n + 1 equally likely places for the new one, the share that is asked for lies between them.
    """
    settings = settings or default_settings()
    way = stages(mode)
    reached = [stage for stage in way if stage in so_far.minutes]
    if DX not in reached or WIRE in reached:
        return None
    stage = reached[-1]
    to_come = way[way.index(stage) + 1 :]
    by_eta = eta_min is not None and DOOR in to_come
    for basis, cases in (("clinic", clinic), ("network", network)):
        if by_eta:
            assert eta_min is not None
            ends = _from_door(cases, max(eta_min, now_min), now_min, settings.least_cases)
        else:
            ends = _from_stage(cases, stage, to_come, so_far.minutes[stage], now_min)
        ends = sorted(end for end in ends if end > now_min)
        if len(ends) >= settings.least_cases:
            out = (1.0 - settings.interval_share) / 2
            return Prediction(
                median_min=_at_rank(ends, 0.5),
                low_min=_at_rank(ends, out),
                high_min=_at_rank(ends, 1.0 - out),
                cases=len(ends),
                stage="ETA" if by_eta else stage,
                basis="clinic" if basis == "clinic" else "network",
            )
    return None


def _from_stage(
    cases: Sequence[Course], stage: str, to_come: Sequence[str], begun_min: float, now_min: float
) -> list[float]:
    """When the wire would cross after a stage that was reached, were it as in each case that waited there as long."""
    ends = []
    for case in cases:
        if stage in case.minutes and WIRE in case.minutes:
            here = case.minutes[stage]
            went_on = min(case.minutes[later] for later in to_come if later in case.minutes)
            if went_on - here > now_min - begun_min:
                ends.append(begun_min + case.minutes[WIRE] - here)
    return ends


def _from_door(cases: Sequence[Course], door_min: float, now_min: float, least: int) -> list[float]:
    """When the wire would cross after a door that was foretold, were it as in each of the cases."""
    known = [case for case in cases if DOOR in case.minutes and WIRE in case.minutes]
    told = [case for case in known if case.eta_error_min is not None]
    return [
        max(door_min + (case.eta_error_min or 0.0), now_min) + case.minutes[WIRE] - case.minutes[DOOR]
        for case in (told if len(told) >= least else known)
    ]


def _at_rank(ordered: Sequence[float], share: float) -> float:
    """The time before which a new case lies with this chance: of n + 1 places among n times, all are equally likely.

    Between two times it is as far as the rank is; beyond the first and the last there is nothing to go by.
    """
    rank = min(max(share * (len(ordered) + 1), 1.0), float(len(ordered)))
    below = int(rank)
    above = min(below + 1, len(ordered))
    return ordered[below - 1] + (rank - below) * (ordered[above - 1] - ordered[below - 1])


# ---------------------------------------------------------------- the rule


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule asks; None: nobody has said."""

    prediction: Prediction | None
    onset_h: (
        tuple[float, float] | None
    )  # since the onset, the least and the most: a day's zone alone is a span
    shock: bool | None
    contraindicated: frozenset[str] | None  # ids that are present; empty: all were asked, none is


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule says, and why; shown as the rule's word, never as an order."""

    verdict: Verdict
    missing: tuple[str, ...] = ()  # inputs without which the rule says nothing
    against_lysis: tuple[str, ...] = ()  # "onset", "shock" and ids of contraindications
    straddles: bool = False  # the interval has the limit within it


def decide(question: Question, settings: Settings | None = None) -> Answer:
    """Apply the rule: predicted within the limit, PCI; beyond it, the checklist, if nothing speaks against lysis.

    An interval that straddles the limit leaves it to the doctor, and both ways are shown; so does what the rule has no
    word for, a patient who would be late and may not have lysis. What is not known makes the answer unknown.
    """
    settings = settings or default_settings()
    limit = settings.pci_within_min
    predicted = question.prediction
    if predicted is None:
        return Answer(verdict="unknown", missing=("prediction",))
    straddles = predicted.low_min <= limit < predicted.high_min
    if predicted.median_min <= limit and not straddles:
        return Answer(verdict="pci")
    against, missing = _against_lysis(question, settings)
    if straddles or (against and not missing):
        return Answer(verdict="doctor_decides", against_lysis=against, straddles=straddles, missing=missing)
    if missing:
        return Answer(verdict="unknown", missing=missing, against_lysis=against)
    return Answer(verdict="lysis_checklist")


def _against_lysis(question: Question, settings: Settings) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What speaks against lysis, and what nobody has said."""
    against: list[str] = []
    missing: list[str] = []
    onset = question.onset_h
    if onset is None or onset[0] <= settings.lysis_onset_h < onset[1]:
        missing.append("onset")
    elif onset[0] > settings.lysis_onset_h:
        against.append("onset")
    if question.shock is None:
        missing.append("shock")
    elif question.shock:
        against.append("shock")
    if question.contraindicated is None:
        missing.append("contraindications")
    else:
        known = [one.id for one in contraindications()]
        strange = question.contraindicated - set(known)
        if strange:
            raise ValueError(f"expected contraindications of {known}, got {sorted(strange)}")
        against += [name for name in known if name in question.contraindicated]
    return tuple(against), tuple(missing)
