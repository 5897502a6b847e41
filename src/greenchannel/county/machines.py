"""From a planned ECG to the bytes that a clinic's machine leaves, and the truth about them."""

import hashlib
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final, cast

import numpy as np

from greenchannel.clock import rfc3339
from greenchannel.county import devices
from greenchannel.county.plan import STREAM, Clinic, DeviceClock, Plan, PlannedEcg
from greenchannel.ingest.parsed import ParsedEcg, Sex
from greenchannel.ingest.writers import WRITERS
from greenchannel.signal.leads import STANDARD_12, STANDARD_18
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis import Truth, simulate
from greenchannel.triage.contiguity import runs
from greenchannel.triage.rule_set import RULES

DEAD_CLOCK_YEAR: Final = 2000
"""Where the clock of a machine with an empty battery begins when it is switched on."""
ELECTRODE_SETS: Final = {12: "standard", 18: "posterior_right"}


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeEcg:
    """One ECG as a machine leaves it."""

    planned: PlannedEcg
    clinic: Clinic
    recording: Recording
    data: bytes
    """The file; of a stream its frames, one after the other."""
    frames: tuple[bytes, ...]
    """Of a stream; empty for a file."""
    recorded_at: datetime
    """When it was recorded in truth, aware."""
    written_at: datetime
    """What the machine's clock said then, aware."""
    truth: dict[str, Any]
    """The line of the truth's file, but for what became of the ECG afterwards."""

    @property
    def file_name(self) -> str:
        """A name as a machine gives it."""
        return f"{self.planned.patient_ref}{WRITERS[self.clinic.way].suffix}"

    @property
    def fields(self) -> dict[str, str]:
        """What the clinic says beside it."""
        pain = {True: "yes", False: "no", None: None}[self.planned.chest_pain]
        said = {
            "patient_ref": self.planned.patient_ref,
            "age": f"{self.planned.heart.age_years:g}",
            "sex": self.planned.heart.sex,
            "chest_pain": pain,
            "electrode_set": self.recording.electrode_set,
        }
        return {name: value for name, value in said.items() if value is not None}


def make_ecg(plan: Plan, planned: PlannedEcg, begun: datetime, zone: tzinfo) -> MadeEcg:
    """Synthesize and write one ECG of a plan; equal arguments give equal bytes.

    Parameters
    ----------
    begun
        The instant at which the plan begins, aware.
    zone
        Of the clinic: files without a zone are written in its local time.
    """
    clinic, heart = plan.clinics[planned.clinic], planned.heart
    made = simulate(
        leads=STANDARD_18 if clinic.leads == 18 else STANDARD_12,
        rate_hz=clinic.rate_hz,
        duration_s=plan.options.duration_s,
        heart_rate_bpm=heart.heart_rate_bpm,
        seed=heart.seed,
        territory=heart.territory,
        stj_mv=heart.stj_mv,
        st_shape=heart.st_shape,
        rhythm=heart.rhythm,
        conduction=heart.conduction,
        age_years=heart.age_years,
        sex=heart.sex,
        variation=1.0,
        white_mv=heart.white_mv,
        emg_mv=heart.emg_mv,
        wander_mv=heart.wander_mv,
        mains_mv=heart.mains_mv,
        electrode_motion_mv=heart.electrode_motion_mv,
        reversal=heart.cables,
        dead_leads=heart.dead_leads,
        lsb_mv=clinic.lsb_mv,
        electrode_set=ELECTRODE_SETS[clinic.leads],
    )
    recorded_at = begun + timedelta(seconds=planned.at_s)
    written_at = clock_says(clinic.clock, recorded_at, planned.at_s)
    frames = tuple(devices.as_frames(made.recording, clinic.lsb_mv)) if clinic.way == STREAM else ()
    data = b"".join(frames) or _file(clinic, planned, made.recording, written_at.astimezone(zone))
    truth = {
        "number": planned.number,
        "site": clinic.site,
        "device": clinic.device,
        "way": clinic.way,
        "patient_ref": planned.patient_ref,
        "chest_pain": planned.chest_pain,
        "heart": asdict(heart),
        "leads": list(made.recording.leads),
        "rate_hz": clinic.rate_hz,
        "lsb_mv": clinic.lsb_mv,
        "clock": {"kind": clinic.clock.kind, "error_s": _clock_error_s(clinic.clock, planned.at_s)},
        "recorded_at": rfc3339(recorded_at),
        "written_at": rfc3339(written_at),
        "stj_mv": {
            lead: round(made.truth.stj_mv[lead], 4) for lead in made.recording.leads if made.truth.stj_mv
        },
        "expected_lead_sets": expected_lead_sets(made.truth, planned),
        "size_bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "samples_sha256": samples_sha256(made.recording, clinic.lsb_mv) if frames else None,
    }
    return MadeEcg(
        planned=planned,
        clinic=clinic,
        recording=made.recording,
        data=data,
        frames=frames,
        recorded_at=recorded_at,
        written_at=written_at,
        truth=truth,
    )


def clock_says(clock: DeviceClock, instant: datetime, at_s: float) -> datetime:
    """What a machine's clock shows at an instant of the plan."""
    shown = instant + timedelta(seconds=clock.error_s(at_s))
    if clock.kind == "dead":
        first = datetime(DEAD_CLOCK_YEAR, 1, 1, tzinfo=instant.tzinfo)
        return first + timedelta(seconds=at_s + clock.error_s(at_s))
    return shown


def _clock_error_s(clock: DeviceClock, at_s: float) -> float | None:
    """None for a dead clock: its times are nonsense, not wrong by so many seconds."""
    return None if clock.kind == "dead" else round(clock.error_s(at_s), 3)


def expected_lead_sets(truth: Truth, planned: PlannedEcg) -> list[list[str]]:
    """Neighbouring leads whose true level at J reaches the threshold of this patient's age and sex (STE-1, STE-2).

    By the levels that the strip shows, exchanged cables and all. What the rules then make of them, as lowering a
    mimic, is no part of the truth. Leads without an electrode are unreadable. Empty where nothing beats.
    """
    profile = next(
        (
            one
            for one in RULES.profiles
            if one.sex == planned.heart.sex
            and one.age_from_years <= planned.heart.age_years
            and (one.age_below_years is None or planned.heart.age_years < one.age_below_years)
        ),
        None,
    )
    if profile is None or not truth.stj_mv:
        return []
    readable = [
        lead for lead in truth.leads if lead in profile.threshold_uv and lead not in planned.heart.dead_leads
    ]
    qualifying = {lead: truth.stj_mv[lead] * 1000 >= profile.threshold_uv[lead] for lead in readable}
    limits = RULES.limits
    found = runs(
        qualifying, at_least=int(limits.contiguous_leads.value), bridge=int(limits.bridged_leads.value)
    )
    return [list(run.leads) for run in found]


def _file(clinic: Clinic, planned: PlannedEcg, recording: Recording, written: datetime) -> bytes:
    """The file of the clinic's format. Only FHIR demands a zone; the machines of the others write local time."""
    with_zone = clinic.way == "fhir"
    ecg = ParsedEcg(
        recording=recording,
        format=clinic.way,
        age_years=planned.heart.age_years,
        sex=cast(Sex, planned.heart.sex),
        acquired=written if with_zone else written.replace(tzinfo=None, microsecond=0),
        acquired_has_zone=with_zone,
        identifiers={"patient_id": planned.patient_ref},
    )
    return WRITERS[clinic.way].write(ecg, clinic.lsb_mv)


def samples_sha256(recording: Recording, lsb_mv: float) -> str:
    """Of a stream's samples in whole steps, little-endian, lead by lead: as the service gives them back."""
    steps = np.round(recording.samples_mv.astype(np.float64) / lsb_mv).astype("<i2")
    return hashlib.sha256(steps.tobytes()).hexdigest()
