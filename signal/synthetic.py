"""Our own simulator: a heart vector seen from every lead, with ST levels known to the microvolt.

P, QRS and T are sums of smooth bumps of one vector in the frame X (left), Y (down), Z (back); the
leads see it through Dower's matrix. ST of a scenario is added lead by lead as a plateau that has
reached its level before J. Limb leads are computed from I and II alone, so Einthoven and Goldberger
hold exactly, noise included. Bumps end at finite times: the borders are facts, not conventions.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.filters import Floats
from greenchannel.signal.leads import ALL, STANDARD_12
from greenchannel.signal.recording import Recording

PR_S: Final = 0.160
P_S: Final = 0.120
QRS_S: Final = 0.090
QT_AT_60_S: Final = 0.400

# Dower 1980 [K] for I, II and V1–V6; V7–V9 and V3R–V5R continue it round the chest [E].
_VIEW: Final[dict[str, tuple[float, float, float]]] = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
    "V7": (0.560, 0.070, 0.420),
    "V8": (0.330, 0.065, 0.520),
    "V9": (0.160, 0.060, 0.560),
    "V3R": (-0.620, 0.150, -0.560),
    "V4R": (-0.600, 0.140, -0.380),
    "V5R": (-0.560, 0.130, -0.240),
    "X": (1.0, 0.0, 0.0),
    "Y": (0.0, 1.0, 0.0),
    "Z": (0.0, 0.0, 1.0),
}
_SOURCES: Final = tuple(_VIEW)
_LIMB: Final[dict[str, tuple[float, float]]] = {
    # Einthoven and Goldberger: each limb lead as so much of I and so much of II.
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}

# QRS bumps: start and end as shares of the QRS, vector in mV.
_QRS: Final = (
    (0.00, 0.45, (-0.12, -0.05, -0.30)),
    (0.15, 0.80, (1.15, 0.95, 0.10)),
    (0.50, 1.00, (-0.25, -0.15, 0.55)),
)
_P_VECTOR: Final = (0.07, 0.12, -0.02)
_T_VECTOR: Final = (0.26, 0.20, -0.17)


def limb_table(one: float, two: float) -> dict[str, float]:
    """The six limb leads that belong to values of I and II, in mV."""
    return {name: a * one + b * two for name, (a, b) in _LIMB.items()}


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One kind of patient. ST levels are the truth at J, in mV, for every lead."""

    name: str
    stj_mv: dict[str, float]
    rhythm: str = "sinus"  # "sinus", "fibrillation"
    ectopic_every: int = 0  # each n-th beat is a ventricular ectopic, 0: none
    t_gain: float = 1.0  # size of the T vector
    st_t_gain: float = 0.8  # hump of T that goes with ST, as a share of ST
    electrode_set: str = "standard"


def _scenario(name: str, one: float, two: float, chest: dict[str, float], **rest: object) -> Scenario:
    table = dict.fromkeys(ALL, 0.0) | limb_table(one, two) | chest
    return Scenario(name=name, stj_mv=table, **rest)  # type: ignore[arg-type]  # the rest is Scenario's own


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
        _scenario("atrial_fibrillation", 0.0, 0.0, {}, rhythm="fibrillation"),
        _scenario("ventricular_ectopics", 0.0, 0.0, {}, ectopic_every=5),
    )
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """What a simulated strip was made of, in seconds from its first sample."""

    qrs_on_s: tuple[float, ...]
    ectopic: tuple[bool, ...] = field(default=())


def _bump(u: Floats) -> Floats:
    """Smooth bump over 0…1, height 1, gone outside; steep enough that its ends can be seen."""
    inside = np.clip(u, 0.0, 1.0)
    return np.sin(np.pi * inside) ** 1.5


def _step(u: Floats) -> Floats:
    """Smooth step from 0 at 0 to 1 at 1."""
    v = np.clip(u, 0.0, 1.0)
    return v * v * (3 - 2 * v)


def _beat_times(scenario: Scenario, duration_s: float, rate_bpm: float, rng: np.random.Generator) -> Truth:
    rr = 60.0 / rate_bpm
    onsets, ectopic = [], []
    at, number = -rr + 0.30, 0
    while at < duration_s + rr:
        early = scenario.ectopic_every > 0 and number % scenario.ectopic_every == scenario.ectopic_every - 1
        onsets.append(at - 0.3 * rr if early else at)
        ectopic.append(early)
        at += rr if scenario.rhythm != "fibrillation" else rr * float(rng.uniform(0.65, 1.35))
        number += 1
    return Truth(qrs_on_s=tuple(onsets), ectopic=tuple(ectopic))


def _heart(scenario: Scenario, truth: Truth, t: Floats, rr_s: float) -> tuple[Floats, Floats, Floats]:
    """The vector ``(3, samples)``, the shape that multiplies ST, and the hump of T that goes with it."""
    vector = np.zeros((3, t.size))
    st, hump = np.zeros(t.size), np.zeros(t.size)
    qt = QT_AT_60_S * min(max(rr_s, 0.4), 1.5) ** (1 / 3)
    for on, ectopic in zip(truth.qrs_on_s, truth.ectopic, strict=True):
        low, high = np.searchsorted(t, [on - 0.3, on + qt + 0.1])
        u = t[low:high] - on
        if ectopic:
            vector[:, low:high] += np.outer((-1.3, 1.0, 0.8), _bump(u / 0.16))
            vector[:, low:high] -= np.outer((-0.4, 0.3, 0.25), _bump((u - 0.18) / (qt - 0.16)))
            continue
        if scenario.rhythm == "sinus":
            vector[:, low:high] += np.outer(_P_VECTOR, _bump((u + PR_S) / P_S))
        for first, last, size in _QRS:
            vector[:, low:high] += np.outer(size, _bump((u / QRS_S - first) / (last - first)))
        t_start = QRS_S + 0.09
        wave = _bump((u - t_start) / (qt - t_start))
        vector[:, low:high] += scenario.t_gain * np.outer(_T_VECTOR, wave)
        # ST has its level 8 ms before J and keeps it for 100 ms after.
        plateau = _step((u - 0.45 * QRS_S) / (0.55 * QRS_S - 0.008)) * (
            1 - _step((u - QRS_S - 0.1) / (qt - QRS_S - 0.1))
        )
        st[low:high] += plateau
        hump[low:high] += wave * _step((u - QRS_S - 0.085) / 0.06)
    return vector, st, hump


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
    rng = np.random.default_rng(seed)
    n = max(round(duration_s * rate_hz), 1)
    t = np.arange(n) / rate_hz
    truth = _beat_times(told, duration_s, heart_rate_bpm, rng)
    vector, st, hump = _heart(told, truth, t, 60.0 / heart_rate_bpm)
    levels = np.array([told.stj_mv[name] for name in _SOURCES])
    sources = np.array([_VIEW[name] for name in _SOURCES]) @ vector
    sources += levels[:, None] * (st + told.st_t_gain * hump)
    if told.rhythm == "fibrillation":
        sources += _fibrillation(t, rng)
    sources += _disturbances(t, rng, noise_mv, wander_mv, mains_mv, mains_hz)
    rows = {name: sources[i] for i, name in enumerate(_SOURCES)}
    one, two = rows["I"], rows["II"]
    rows |= {name: a * one + b * two for name, (a, b) in _LIMB.items()}
    samples = np.array(
        [np.zeros(n) if name in dead_leads else rows[name] for name in leads], dtype=np.float32
    )
    return Recording(samples_mv=samples, leads=leads, rate_hz=rate_hz, electrode_set=told.electrode_set)


def _fibrillation(t: Floats, rng: np.random.Generator) -> Floats:
    """Fibrillatory waves of 5 to 8 Hz, strongest in V1, about 0.05 mV."""
    waves = np.zeros(t.size)
    for hz in rng.uniform(5.0, 8.0, 6):
        waves += np.sin(2 * np.pi * hz * t + rng.uniform(0, 2 * np.pi))
    size = np.array([0.05 if name == "V1" else 0.02 for name in _SOURCES])
    return np.outer(size, waves / np.sqrt(3.0))


def _disturbances(
    t: Floats, rng: np.random.Generator, noise_mv: float, wander_mv: float, mains_mv: float, mains_hz: float
) -> Floats:
    """Noise, wander and mains of every independent lead, with phases of their own."""
    count = len(_SOURCES)
    phase: NDArray[np.float64] = rng.uniform(0, 2 * np.pi, (3, count, 1))
    size = rng.uniform(0.6, 1.0, (count, 1))
    total = rng.standard_normal((count, t.size)) * noise_mv
    breath = 0.7 * np.sin(2 * np.pi * 0.22 * t + phase[0]) + 0.3 * np.sin(2 * np.pi * 0.07 * t + phase[1])
    total += 0.5 * wander_mv * size * breath
    total += mains_mv * size * np.sin(2 * np.pi * mains_hz * t + phase[2])
    return total
