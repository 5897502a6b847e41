"""Our own simulator: a heart seen by electrodes, with every level and border known.

A heart vector (P, QRS, T) and an injury current make potentials at the electrodes; leads are
differences of electrodes. So Einthoven, Goldberger and Wilson's terminal hold exactly, noise and exchanged
cables included. Waves end at finite times: the borders are facts, not conventions. All of it is a
continuous function of time, evaluated at the asked rate; equal arguments give equal bits.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from greenchannel.signal.leads import ALL, STANDARD_12
from greenchannel.signal.recording import Recording
from greenchannel.signal.synthesis_heart import (
    LOW_VOLTAGE,
    P_S,
    PLAIN,
    PR_S,
    QRS_S,
    QT_AT_60_S,
    TALL_T,
    person,
)
from greenchannel.signal.synthesis_noise import LIVE_FLOOR_MV, Disturbances
from greenchannel.signal.synthesis_rhythm import RHYTHMS
from greenchannel.signal.synthesis_strip import assemble, disturbed, recording_of
from greenchannel.signal.synthesis_tables import (
    ELECTRODES,
    ROWS,
    SHAPES,
    TERRITORIES,
    Floats,
    from_limb_leads,
)
from greenchannel.signal.synthesis_truth import Beat, Simulated, Truth, truth_of

__all__ = (
    "CONDUCTION_NAMES", "ELECTRODES", "PR_S", "P_S", "QRS_S", "QT_AT_60_S", "RHYTHMS", "SCENARIOS", "SHAPES",
    "TERRITORIES", "Beat", "Scenario", "Simulated", "Truth", "limb_table", "simulate", "synthesize",
)  # fmt: skip

# Breathing and drift of `synthesize`, the same for every seed [E].
CALM_BREATH_HZ: Final = 0.22
CALM_DRIFT_HZ: Final = 0.07
CONDUCTION_NAMES: Final = ("narrow", "rbbb", "lbbb", "lafb", "wpw")

_LIMB: Final[dict[str, tuple[float, float]]] = {
    # Einthoven and Goldberger: each limb lead as so much of I and so much of II.
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}


def limb_table(one: float, two: float) -> dict[str, float]:
    """The six limb leads that belong to values of I and II, in mV."""
    return {name: a * one + b * two for name, (a, b) in _LIMB.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One kind of patient. ST levels are the truth at J, in mV, for every lead."""

    name: str
    stj_mv: dict[str, float]
    rhythm: str = "sinus"
    electrode_set: str = "standard"


def _scenario(name: str, one: float, two: float, chest: dict[str, float], **rest: str) -> Scenario:
    return Scenario(name=name, stj_mv=dict.fromkeys(ALL, 0.0) | limb_table(one, two) | chest, **rest)


SCENARIOS: Final[dict[str, Scenario]] = {
    s.name: s
    for s in (
        _scenario("baseline_sinus", 0.0, 0.0, {}),
        _scenario(
            "extensive_anterior_high_lateral_stemi",
            0.16,
            0.02,
            {"V1": 0.20, "V2": 0.42, "V3": 0.51, "V4": 0.45, "V5": 0.30, "V6": 0.18, "V7": 0.05},
        ),
        _scenario(
            "inferior_posterior_rv_stemi",
            -0.12,
            0.20,
            {"V1": 0.06, "V2": -0.12, "V3": -0.14, "V4": -0.05, "V7": 0.11, "V8": 0.13, "V9": 0.12}
            | {"V3R": 0.12, "V4R": 0.15, "V5R": 0.12},
            electrode_set="posterior_right",
        ),
        _scenario("atrial_fibrillation", 0.0, 0.0, {}, rhythm="atrial_fibrillation"),
        _scenario("ventricular_ectopics", 0.0, 0.0, {}, rhythm="ectopics"),
    )
}


def synthesize(
    *,
    leads: tuple[str, ...] = STANDARD_12,
    rate_hz: float = 500.0,
    duration_s: float = 10.0,
    heart_rate_bpm: float = 75.0,
    scenario: str = "baseline_sinus",
    seed: int = 0,
    noise_mv: float = 0.0,
    wander_mv: float = 0.0,
    mains_mv: float = 0.0,
    mains_hz: float = 50.0,
    dead_leads: tuple[str, ...] = (),
) -> Recording:
    """A recording whose every level is known; the same arguments give the same bits.

    Parameters
    ----------
    leads : wire names of the rows
    rate_hz, duration_s, heart_rate_bpm : as named
    scenario : a key of `SCENARIOS`
    seed : of the noise, the phases and an irregular rhythm
    noise_mv : RMS of white noise on every independent lead
    wander_mv : peak-to-peak size of breathing and slow drift
    mains_mv, mains_hz : amplitude and frequency of the mains hum
    dead_leads : rows without an electrode, 0 mV throughout

    Raises
    ------
    KeyError
        Where the scenario is not known.
    """
    told = SCENARIOS[scenario]
    strip = assemble(
        heart=PLAIN, leads=leads, rate_hz=rate_hz, duration_s=duration_s, rate_bpm=heart_rate_bpm, seed=seed,
        pattern=_pattern(told.stj_mv), st=("plateau", 1.0), rhythm=told.rhythm,
    )  # fmt: skip
    noise = Disturbances(
        white_mv=noise_mv, wander_mv=wander_mv, breath_hz=CALM_BREATH_HZ, drift_hz=CALM_DRIFT_HZ, mains_mv=mains_mv,
        mains_hz=mains_hz,
    )  # fmt: skip
    samples = disturbed(strip, noise, seed)
    return recording_of(strip, samples, seed=seed, electrode_set=told.electrode_set, dead_leads=dead_leads)


def simulate(
    *,
    leads: tuple[str, ...] = STANDARD_12,
    rate_hz: float = 500.0,
    duration_s: float = 10.0,
    heart_rate_bpm: float = 75.0,
    seed: int = 0,
    territory: str | None = None,
    stj_mv: float = 0.0,
    st_shape: str = "plateau",
    rhythm: str = "sinus",
    conduction: str = "narrow",
    age_years: float | None = None,
    sex: str | None = None,
    variation: float = 0.0,
    low_voltage: bool = False,
    tall_t: bool = False,
    inverted_t: bool = False,
    missing_p: bool = False,
    j_wave: bool = False,
    pr_depression: bool = False,
    emg_mv: float = 0.0,
    emg_bursts: bool = False,
    white_mv: float = 0.0,
    wander_mv: float = 0.0,
    mains_mv: float = 0.0,
    mains_hz: float = 50.0,
    electrode_motion_mv: float = 0.0,
    reversal: str | None = None,
    dead_leads: tuple[str, ...] = (),
    saturated_leads: tuple[str, ...] = (),
    lead_off: tuple[str, ...] = (),
    lsb_mv: float = 0.0,
    report_spikes: bool = False,
    electrode_set: str = "standard",
) -> Simulated:
    """A strip of a person with this heart, rhythm and injury, and the truth about it.

    Parameters
    ----------
    leads, rate_hz, duration_s : rows by wire name, samples a second (100 to 2000), length
    heart_rate_bpm : of the sinus node, also where not all beats are conducted (2:1 block, complete block
        with its escape at 38); of the ventricles in fibrillation and pacing; in flutter the rate that the
        nearest ratio to 300/min gives; in ventricular tachycardia the tachycardia's, 170 where it is below 110
    seed : of everything drawn: person, rhythm, noise
    territory : key of `TERRITORIES`; None: no injury
    stj_mv : what the injury adds at J in the territory's leading lead, negative for depression. It is the
        whole level there unless conduction, `pr_depression` or `j_wave` add to it; the truth is the sum
    st_shape : key of `SHAPES`, meant in the leading lead: ``downsloping`` sinks after J there
    rhythm, conduction : of `RHYTHMS` and `CONDUCTION_NAMES`; paced beats have their own conduction
    age_years, sex : modest effects on amplitudes, axis, T, QT and, without a territory, the normal height of
        J; sex is ``"F…"`` or ``"M…"``
    variation : 0 for the standard heart, 1 for the spread between persons (axis, sizes, lengths, T, places of the
        chest electrodes, sinus arrhythmia)
    low_voltage, tall_t, inverted_t, missing_p, j_wave, pr_depression : traits
    emg_mv, white_mv : RMS of muscle noise (20–150 Hz, in bursts if asked) and of white noise in each lead
    wander_mv : peak-to-peak size of breathing (0.15–0.35 Hz) and drift
    mains_mv, mains_hz : amplitude and frequency of the hum
    electrode_motion_mv : size of sudden shifts of electrodes that die away
    reversal : two cables exchanged, such as ``"RA/LA"``, ``"RA/RL"``, ``"V1/V2"``
    dead_leads : rows that are 0 mV throughout
    saturated_leads : rows driven to the rail of the amplifier for much of the time
    lead_off : electrodes without skin, by name: all leads that need them pick up hum and drift
    lsb_mv : smallest step of the device, 0 for none
    report_spikes : write pacing spikes into `Recording.pace_spikes`

    Raises
    ------
    KeyError
        Where a name is not known; the message has those that are.
    """
    _check(territory, TERRITORIES, "a territory")
    _check(st_shape, SHAPES, "an ST shape")
    _check(conduction, CONDUCTION_NAMES, "a conduction")
    for electrode in lead_off:
        _check(electrode, ELECTRODES, "an electrode")
    injured = None if territory is None else TERRITORIES[territory]
    heart = person(seed, variation, age_years, sex)
    heart = replace(
        heart,
        qrs_gain=heart.qrs_gain * (LOW_VOLTAGE if low_voltage else 1.0),
        t_gain=heart.t_gain
        * (LOW_VOLTAGE if low_voltage else 1.0)
        * (TALL_T[0] if tall_t else 1.0)
        * (-1.0 if inverted_t else 1.0),
        t_length=TALL_T[1] if tall_t else 1.0,
        t_skew=1.0 if tall_t or inverted_t else heart.t_skew,
        normal_j_mv=0.0 if injured else heart.normal_j_mv,
        j_wave=j_wave,
        pr_depression=pr_depression,
    )
    strip = assemble(
        heart=heart, leads=leads, rate_hz=rate_hz, duration_s=duration_s, rate_bpm=heart_rate_bpm, seed=seed,
        pattern=np.zeros(len(ROWS)) if injured is None else injured.pattern() * stj_mv,
        st=(st_shape, 1.0 if stj_mv >= 0 else -1.0) if injured is not None and stj_mv else None,
        rhythm=rhythm, conduction=conduction, variation=variation, missing_p=missing_p, reversal=reversal,
    )  # fmt: skip
    floor_mv = LIVE_FLOOR_MV if rhythm == "asystole" else 0.0
    noise = Disturbances(
        white_mv=max(white_mv, floor_mv), emg_mv=emg_mv, emg_bursts=emg_bursts, wander_mv=wander_mv, mains_mv=mains_mv,
        mains_hz=mains_hz, motion_mv=electrode_motion_mv, lead_off=lead_off,
    )  # fmt: skip
    samples = disturbed(strip, noise, seed)
    if lsb_mv > 0:
        samples = np.rint(samples / lsb_mv) * lsb_mv
    recording = recording_of(
        strip,
        samples,
        seed=seed,
        electrode_set=electrode_set,
        dead_leads=dead_leads,
        saturated_leads=saturated_leads,
    )
    if report_spikes:
        recording = replace(recording, pace_spikes=tuple(round(at * rate_hz) for at in strip.spikes_s))
    truth = truth_of(strip, rhythm=rhythm, conduction=conduction, territory=territory, reversal=reversal)
    return Simulated(recording=recording, truth=truth)


def _check(name: str | None, known: Iterable[str], what: str) -> None:
    if name is not None and name not in known:
        raise KeyError(f"expected {what} of {', '.join(known)}, got {name!r}")


def _pattern(stj_mv: dict[str, float]) -> Floats:
    """Potentials of `ROWS` that make these levels of I, II and the chest leads."""
    limbs = from_limb_leads(stj_mv["I"], stj_mv["II"])
    return np.array([limbs[row] if row in limbs else stj_mv[row] for row in ROWS])
