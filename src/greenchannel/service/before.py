"""What is known of a patient beside the recording that is read: earlier ECGs, leads recorded with moved electrodes."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.signal.leads import POSTERIOR, RIGHT
from greenchannel.triage.comparison import earlier_of
from greenchannel.triage.electrode_sets import JOIN_WITHIN_MIN, Beside, beside
from greenchannel.triage.finding import Earlier, Patient

Load = Callable[[str], Mapping[str, Any] | None]
"""The analyze object under a hash; None where there is none."""

MOST_OF_EPISODE: Final = 20
"""Of an episode's earlier recordings the latest are compared; more than a reader would lay side by side."""

_SYSTOLIC: Final = ("systolic_mmhg", "systolic", "sbp", "sbp_mmhg")
_POTASSIUM: Final = ("potassium_mmol_l", "potassium")
_FLAGS: Final = ("shock", "earlier_infarction", "troponin_raised", "digoxin", "symptoms")
"""Vital signs that are yes (1) or no (0)."""
_MOVED: Final = frozenset({*POSTERIOR, *RIGHT})
_DAY: Final = timedelta(days=1)


def patient_of(case: Case, now: datetime) -> Patient:
    """What the rules may know of a case's patient."""
    context, vitals = case.context, case.context.vitals or {}
    onset = None if context.onset is None else context.onset.at
    return Patient(
        age_years=context.age_years,
        sex=context.sex,
        chest_pain=context.chest_pain,
        systolic_mmhg=_number(vitals, _SYSTOLIC),
        potassium_mmol_l=_number(vitals, _POTASSIUM),
        **{name: _flag(vitals.get(name)) for name in _FLAGS},
        onset_h=None if onset is None or onset > now else (now - onset).total_seconds() / 3600.0,
    )


def _number(vitals: Mapping[str, Any], names: Iterable[str]) -> float | None:
    return next((float(vitals[name]) for name in names if isinstance(vitals.get(name), int | float)), None)


def _flag(value: object) -> bool | None:
    return value != 0 if isinstance(value, int | float) else None


def earlier_ecgs(case: Case, ecg_id: str, cases: Collection[Case], load: Load) -> tuple[Earlier, ...]:
    """Earlier recordings of the patient with the standard electrodes, the latest first.

    Parameters
    ----------
    case : of the recording that is read
    ecg_id : of that recording
    cases : any cases; those of other patients are passed over
    load : the stored analyses
    """
    own = case.ecg(ecg_id)
    at = None if own is None else instant_of(own)
    if own is None or at is None or set_of(own) != "standard":
        return ()
    ecgs = {one.ecg_id: one for other in cases if other.patient == case.patient for one in other.current_ecgs}
    mine = recording_of(own, ecgs)
    before = [
        (instant, one, other.case_id == case.case_id)
        for other in cases
        if other.patient == case.patient
        for one in other.current_ecgs
        if recording_of(one, ecgs) != mine and set_of(one) == "standard"
        if (instant := instant_of(one)) and instant < at
    ]
    before.sort(key=lambda item: item[0], reverse=True)
    # The latest of this episode, and always the last of another one: what is chronic or new is told by that.
    chosen = [item for item in before if item[2]][:MOST_OF_EPISODE] + [
        item for item in before if not item[2]
    ][:1]
    found = []
    for instant, one, same_episode in chosen:
        analysis = None if one.analysis_sha256 is None else load(one.analysis_sha256)
        if analysis is not None:
            age_days = (at - instant) / _DAY
            found.append(
                earlier_of(analysis, ecg_id=one.ecg_id, same_episode=same_episode, age_days=age_days)
            )
    return tuple(found)


def other_leads(case: Case, ecg_id: str, leads: tuple[str, ...], load: Load) -> dict[str, Beside]:
    """Chest leads that recordings of this episode with other electrodes have, the nearest in time first.

    Whether a file names V7 itself or its form said that the cables were moved is the same here.
    """
    own = case.ecg(ecg_id)
    at = None if own is None else instant_of(own)
    if own is None or at is None:
        return {}
    ecgs = {one.ecg_id: one for one in case.current_ecgs}
    near = [
        (abs(instant - at), one)
        for one in case.current_ecgs
        if recording_of(one, ecgs) != recording_of(own, ecgs)
        and (set_of(one) != set_of(own) or _MOVED & set(one.leads))
        and (instant := instant_of(one)) is not None
        and abs(instant - at) <= timedelta(minutes=JOIN_WITHIN_MIN)
    ]
    near.sort(key=lambda item: item[0])
    loaded = {one.ecg_id: load(one.analysis_sha256) for _, one in near if one.analysis_sha256 is not None}
    return beside(leads, {ecg: analysis for ecg, analysis in loaded.items() if analysis is not None})


class Past(NamedTuple):
    """One recording of a patient, with its case and when it was made."""

    at: datetime
    ecg: Ecg
    case: Case


def past_ecgs(case: Case, ecg_id: str, cases: Iterable[Case]) -> tuple[Past, ...]:
    """Recordings of the patient made before one of this case, the latest first, with whatever electrodes.

    Parameters
    ----------
    case : of the recording
    ecg_id : of that recording
    cases : those that the asker may know of; other patients are passed over
    """
    own = case.ecg(ecg_id)
    at = None if own is None else instant_of(own)
    if own is None or at is None:
        return ()
    known = recordings_of(case.patient, cases)
    ecgs = {past.ecg.ecg_id: past.ecg for past in known}
    mine = recording_of(own, ecgs)
    before = [past for past in known if past.at < at and recording_of(past.ecg, ecgs) != mine]
    return tuple(sorted(before, key=lambda past: (past.at, past.ecg.ecg_id), reverse=True))


def recordings_of(patient: str, cases: Iterable[Case]) -> tuple[Past, ...]:
    """Every recording of a patient (a pseudonym) whose time is known; one of a merged case stands in the other."""
    found: dict[str, Past] = {}
    for case in cases:
        if case.patient != patient:
            continue
        for ecg in case.current_ecgs:
            at = instant_of(ecg)
            if at is not None and (ecg.ecg_id not in found or case.state != "merged"):
                found[ecg.ecg_id] = Past(at, ecg, case)
    return tuple(found.values())


def recording_of(ecg: Ecg, ecgs: Mapping[str, Ecg]) -> str:
    """Equal for ECGs that are one recording in several formats: compared with itself nothing is ever new."""
    first, passed = ecg.ecg_id, set[str]()
    while first not in passed and first in ecgs:
        passed.add(first)
        same = ecgs[first].same_as
        first = first if same is None else same.ecg_id
    return first


def set_of(ecg: Ecg) -> str:
    """Where its electrodes were: one of `ELECTRODE_SETS`."""
    return ecg.electrode_set or "standard"


def instant_of(ecg: Ecg) -> datetime | None:
    """When it was recorded, by a clock that is known; otherwise when it came."""
    acquired = ecg.acquired
    return ecg.received_at if acquired is None else acquired.at
