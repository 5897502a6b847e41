"""When things happen: the onsets of beats and of atrial waves, and what fills the time without beats."""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from greenchannel.signal.synthesis_tables import LIMBS, ROWS, Floats

FIRST_ONSET_S: Final = 0.30
# [E], within what textbooks give [K] for each rhythm.
FIBRILLATION_RR: Final = (0.65, 1.35)  # shares of the mean distance
ECTOPIC_EARLY: Final = 0.30  # share of the distance by which an ectopic comes early
ECTOPIC_EVERY: Final = 5
ESCAPE_BPM: Final = 38.0
ESCAPE_SHARE: Final = 0.37  # what is left over when its distance is counted in P waves: never a simple ratio
PAUSE_S: Final = 3.4
VT_BPM: Final = 170.0  # where the asked rate is below VT_FROM_BPM
VT_FROM_BPM: Final = 110.0
VT_SINUS_BPM: Final = 78.0
FLUTTER_BPM: Final = (240.0, 350.0)
FLUTTER_USUAL_BPM: Final = 300.0
FLUTTER_HZ_SHARES: Final = (0.55, 0.30, 0.15)
F_WAVES_HZ: Final = (5.0, 8.0)
VF_HZ: Final = (3.2, 6.5)
VF_MV: Final = 0.30  # RMS of each axis of the vector
SINUS_ARRHYTHMIA: Final = (0.030, 0.012)  # breathing, and at random, at variation 1
BREATHS_HZ: Final = 0.25

F_WAVE_SHARES: Final = (
    1.15,
    0.65,
    0.50,
)  # of the sinusoids, together of RMS 1; one leads, so they never vanish
F_WAVE_MV: Final = {"V1": 0.055, "V2": 0.035, "V3R": 0.040, "V4R": 0.030}  # RMS
F_WAVE_ELSEWHERE_MV: Final = 0.008
F_WAVE_LOW_MV: Final = {"LL": 0.018, "RL": 0.018, "RA": -0.012, "LA": -0.006, "Y": 0.020}

RHYTHMS: Final = (
    "sinus",
    "atrial_fibrillation",
    "atrial_flutter",
    "ventricular_tachycardia",
    "ventricular_fibrillation",
    "asystole",
    "paced",
    "av_block_2_1",
    "av_block_3",
    "ectopics",
    "bigeminy",
    "sinus_pause",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Schedule:
    """Onsets in seconds. `beats` are (onset of the QRS, kind); the kinds are keys of a strip's forms."""

    beats: tuple[tuple[float, str], ...] = ()
    rr_s: float = 1.0
    """The distance of beats that QT goes with."""
    with_p: bool = False
    """A P wave stands before each beat that is not ectopic."""
    lone_p_s: tuple[float, ...] = field(default=())
    """Onsets of P waves that no beat belongs to."""
    flutter_hz: float | None = None


def schedule(
    rhythm: str, rate_bpm: float, duration_s: float, seed: int, variation: float, pr_s: float
) -> Schedule:
    """The plan of a strip; raises `KeyError` for a rhythm that is not known."""
    if rhythm not in RHYTHMS:
        raise KeyError(f"expected a rhythm of {', '.join(RHYTHMS)}, got {rhythm!r}")
    rng = np.random.default_rng(seed)
    rr = 60.0 / rate_bpm
    if rhythm in ("ventricular_fibrillation", "asystole"):
        return Schedule()
    if rhythm == "atrial_fibrillation":
        return Schedule(beats=_regular(rr, duration_s, "normal", FIBRILLATION_RR, rng), rr_s=rr)
    if rhythm == "atrial_flutter":
        return _flutter(rate_bpm, duration_s, variation, rng)
    if rhythm == "ventricular_tachycardia":
        rr = 60.0 / (rate_bpm if rate_bpm >= VT_FROM_BPM else VT_BPM)
        atria = tuple(_at for _at, _ in _regular(60.0 / VT_SINUS_BPM, duration_s, "p", shift_s=0.17))
        return Schedule(beats=_regular(rr, duration_s, "ventricular"), rr_s=rr, lone_p_s=atria)
    if rhythm == "av_block_3":
        escape = rr * (max(round(60.0 / ESCAPE_BPM / rr - ESCAPE_SHARE), 1) + ESCAPE_SHARE)
        atria = tuple(_at for _at, _ in _regular(rr, duration_s, "p", shift_s=0.11))
        return Schedule(beats=_regular(escape, duration_s, "escape"), rr_s=escape, lone_p_s=atria)
    sinus = _sinus(rr, duration_s, rng, variation)
    if rhythm == "av_block_2_1":
        beats = tuple((at, "normal") for at in sinus[1::2])
        return Schedule(beats=beats, rr_s=2 * rr, with_p=True, lone_p_s=tuple(at - pr_s for at in sinus[::2]))
    if rhythm == "sinus_pause":
        middle = duration_s / 2 - PAUSE_S / 2
        last = max((at for at in sinus if at <= middle), default=sinus[0])
        following = last + PAUSE_S - min((at for at in sinus if at > last), default=last)
        sinus = [at if at <= last else at + following for at in sinus]
    every = {"ectopics": ECTOPIC_EVERY, "bigeminy": 2}.get(rhythm, 0)
    kind = "paced" if rhythm == "paced" else "normal"
    beats = tuple(
        (at - ECTOPIC_EARLY * rr, "ectopic") if every and i % every == every - 1 else (at, kind)
        for i, at in enumerate(sinus)
    )
    return Schedule(beats=beats, rr_s=rr, with_p=True)


def _regular(
    rr_s: float,
    duration_s: float,
    kind: str,
    spread: tuple[float, float] | None = None,
    rng: np.random.Generator | None = None,
    shift_s: float = 0.0,
) -> tuple[tuple[float, str], ...]:
    """Onsets from one distance before the strip to one behind it."""
    onsets = []
    at = -rr_s + FIRST_ONSET_S + shift_s
    while at < duration_s + rr_s:
        onsets.append((at, kind))
        at += rr_s * float(rng.uniform(*spread)) if spread and rng else rr_s
    return tuple(onsets)


def _sinus(rr_s: float, duration_s: float, rng: np.random.Generator, variation: float) -> list[float]:
    """Regular at variation 0; else it breathes, and begins anywhere."""
    onsets = [at for at, _ in _regular(rr_s, duration_s, "normal")]
    if not variation:
        return onsets
    wave, noise = (variation * share for share in SINUS_ARRHYTHMIA)
    phase = rng.uniform(0, 2 * math.pi)
    start, at, onsets = rng.uniform(0, rr_s), -rr_s + FIRST_ONSET_S, []
    at -= start
    while at < duration_s + rr_s:
        onsets.append(at)
        share = wave * math.sin(2 * math.pi * BREATHS_HZ * at + phase) + noise * float(rng.standard_normal())
        at += rr_s * max(1 + share, 0.7)
    return onsets


def _flutter(rate_bpm: float, duration_s: float, variation: float, rng: np.random.Generator) -> Schedule:
    """Each n-th wave is conducted; with variation the n changes from beat to beat."""
    ratio = max(round(FLUTTER_USUAL_BPM / rate_bpm), 1)
    atrial_bpm = min(max(ratio * rate_bpm, FLUTTER_BPM[0]), FLUTTER_BPM[1])
    cycle = 60.0 / atrial_bpm
    beats, at = [], FIRST_ONSET_S - ratio * cycle
    while at < duration_s + ratio * cycle:
        beats.append((at, "normal"))
        conducted = ratio
        if variation and ratio > 1 and rng.uniform() < 0.5 * min(variation, 1.0):
            conducted = max(ratio + (1 if rng.uniform() < 0.5 else -1), 2)
        at += conducted * cycle
    return Schedule(beats=tuple(beats), rr_s=ratio * cycle, flutter_hz=1 / cycle)


def fibrillation(t: Floats, seed: int) -> Floats:
    """Fibrillatory waves of 5 to 8 Hz as potentials ``(rows, samples)``, strongest in V1, and some in II, III, aVF."""
    rng = np.random.default_rng([seed, 3])
    hz, phase = rng.uniform(*F_WAVES_HZ, (2, 3, 1)), rng.uniform(0, 2 * math.pi, (2, 3, 1))
    # Their frequency swings, so that no two waves are alike.
    swing = 0.8 * np.sin(2 * math.pi * 0.45 * t + phase[:, :1])
    share = np.array(F_WAVE_SHARES)[:, None]
    waves: Floats = (share * np.sin(2 * math.pi * hz * t + phase + swing)).sum(axis=1)
    near = np.array([0.0 if name in LIMBS else F_WAVE_MV.get(name, F_WAVE_ELSEWHERE_MV) for name in ROWS])
    low = np.array([F_WAVE_LOW_MV.get(name, 0.0) for name in ROWS])
    seen: Floats = np.column_stack((near, low)) @ waves
    return seen


def flutter_vector(t: Floats, hz: float, phase_s: float) -> Floats:
    """Saw-tooth of the atria, shape ``(3, samples)``: sinks slowly and rises fast in II, III, aVF."""
    turn = 2 * math.pi * hz * (t - phase_s)
    saw = sum(share * np.sin((i + 1) * turn) for i, share in enumerate(FLUTTER_HZ_SHARES))
    lag = sum(share * np.sin((i + 1) * (turn - 0.9)) for i, share in enumerate(FLUTTER_HZ_SHARES))
    vector: Floats = np.stack((-0.03 * saw, 0.21 * saw, -0.09 * lag))
    return vector


def chaos_vector(t: Floats, seed: int) -> Floats:
    """Ventricular fibrillation, shape ``(3, samples)``: waves of 3 to 6.5 Hz that come and go."""
    rng = np.random.default_rng([seed, 4])
    count = 7
    hz, phase = rng.uniform(*VF_HZ, (3, count, 1)), rng.uniform(0, 2 * math.pi, (3, count, 1))
    swing = 1.2 * np.sin(2 * math.pi * rng.uniform(0.2, 0.6, (3, count, 1)) * t + phase[::-1])
    waves: Floats = VF_MV * np.sqrt(2 / count) * np.sin(2 * math.pi * hz * t + phase + swing).sum(axis=1)
    return waves
