"""What disturbs a strip, electrode by electrode: limb leads stay consistent however bad it is."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from greenchannel.signal.leads import VECTOR
from greenchannel.signal.synthesis_tables import LIMBS, ROWS, Floats

# A limb lead is the difference of two electrodes, a chest lead one less the mean of three: with these
# shares I, II, III and every chest lead have the size that was asked, though the electrodes are independent.
LIMB_SHARE: Final = math.sqrt(1 / 2)
CHEST_SHARE: Final = math.sqrt(5 / 6)

EMG_BAND_HZ: Final = (20.0, 150.0)  # [K] surface EMG as diagnostic ECG channels pass it
EMG_EDGE_HZ: Final = 8.0  # [E]
BREATH_HZ: Final = (0.15, 0.35)
DRIFT_HZ: Final = 0.05
# Of the peak-to-peak size that was asked: breathing and slow drift, and how electrodes differ [E].
BREATH_SHARE: Final = 0.7
SIZES: Final = (0.6, 1.0)
MOTIONS_PER_S: Final = 0.12  # sudden shifts of each electrode [E]
MOTION_DECAY_S: Final = (0.15, 1.2)
LOOSE_MAINS_MV: Final = 0.6  # what an electrode without skin picks up [E]
LOOSE_DRIFT_MV: Final = 2.5
LOOSE_DRIFT_HZ: Final = (0.11, 0.37)
LIVE_FLOOR_MV: Final = 0.004  # RMS below which no lead on living skin falls [K, amplifier and skin]


@dataclass(frozen=True, kw_only=True, slots=True)
class Disturbances:
    """Sizes in mV, as `simulate` explains them."""

    white_mv: float = 0.0
    emg_mv: float = 0.0
    emg_bursts: bool = False
    wander_mv: float = 0.0
    breath_hz: float | None = None  # None: drawn
    drift_hz: float = DRIFT_HZ
    mains_mv: float = 0.0
    mains_hz: float = 50.0
    motion_mv: float = 0.0
    lead_off: tuple[str, ...] = ()


def share_of(row: str) -> float:
    """How much of the asked size this electrode carries."""
    return 1.0 if row in VECTOR else LIMB_SHARE if row in LIMBS else CHEST_SHARE


def disturb(t: Floats, rate_hz: float, rows: tuple[str, ...], seed: int, asked: Disturbances) -> Floats:
    """Potentials ``(len(rows), samples)`` of the disturbances; a row's do not depend on which others are asked."""
    drawn_hz = float(np.random.default_rng([seed, 5]).uniform(*BREATH_HZ))
    breath_hz = drawn_hz if asked.breath_hz is None else asked.breath_hz
    tones_hz = np.array([breath_hz, asked.drift_hz, asked.mains_hz, *LOOSE_DRIFT_HZ])
    phase, weight = np.zeros((len(rows), tones_hz.size)), np.zeros((len(rows), tones_hz.size))
    total = np.zeros((len(rows), t.size))
    for i, row in enumerate(rows):
        rng = np.random.default_rng([seed, 6, ROWS.index(row)])
        phase[i], weight[i] = (
            rng.uniform(0, 2 * math.pi, tones_hz.size),
            _tones(asked, row, rng.uniform(*SIZES)),
        )
        white, muscle, motion = (np.random.default_rng(key) for key in rng.integers(1 << 62, size=3))
        share = share_of(row)
        if asked.white_mv:
            total[i] += share * asked.white_mv * white.standard_normal(t.size)
        if asked.emg_mv:
            total[i] += share * asked.emg_mv * _muscle(t, rate_hz, muscle, asked.emg_bursts)
        if asked.motion_mv:
            total[i] += share * asked.motion_mv * _motion(t, motion)
    heard = np.flatnonzero(np.any(weight != 0, axis=0))
    if heard.size:
        turns = 2 * math.pi * tones_hz[heard, None] * t
        phase, weight = phase[:, heard], weight[:, heard]
        # sin(a + b) of all rows from one sine and one cosine of each tone
        total += (weight * np.cos(phase)) @ np.sin(turns) + (weight * np.sin(phase)) @ np.cos(turns)
    return total


def _tones(asked: Disturbances, row: str, size: float) -> list[float]:
    """Amplitudes of breathing, drift, hum and the two drifts of an electrode without skin."""
    share, loose = share_of(row), 1.0 if row in asked.lead_off else 0.0
    wander = 0.5 * share * size * asked.wander_mv
    return [
        BREATH_SHARE * wander,
        (1 - BREATH_SHARE) * wander,
        share * size * asked.mains_mv + loose * LOOSE_MAINS_MV,
        loose * LOOSE_DRIFT_MV,
        loose * LOOSE_DRIFT_MV / 3,
    ]


def _muscle(t: Floats, rate_hz: float, rng: np.random.Generator, bursts: bool) -> Floats:
    """Noise of RMS 1 in the band of muscles; in bursts it comes and goes."""
    hz = np.arange(t.size // 2 + 1) * rate_hz / t.size
    top = min(EMG_BAND_HZ[1], 0.45 * rate_hz)
    low, high = np.searchsorted(hz, (EMG_BAND_HZ[0] - EMG_EDGE_HZ / 2, top + EMG_EDGE_HZ / 2))
    band = hz[low:high]
    gain = np.minimum(np.minimum((band - EMG_BAND_HZ[0]), (top - band)) / EMG_EDGE_HZ + 0.5, 1.0)
    spectrum = np.zeros(hz.size, dtype=np.complex128)
    spectrum[low:high] = gain * rng.standard_normal(2 * band.size).view(np.complex128)
    noise = np.fft.irfft(spectrum, t.size)
    if bursts:
        swell = np.sin(2 * math.pi * rng.uniform(0.2, 0.5) * t + rng.uniform(0, 2 * math.pi))
        noise = noise * (0.1 + np.maximum(swell, 0.0))
    rms = math.sqrt(float(np.mean(noise * noise)))
    shaped: Floats = noise / rms if rms > 0 else noise
    return shaped


def _motion(t: Floats, rng: np.random.Generator) -> Floats:
    """Sudden shifts that die away, the largest of size 1 or so."""
    duration = float(t[-1])
    shift = np.zeros(t.size)
    for _ in range(int(rng.poisson(MOTIONS_PER_S * duration))):
        at, decay = rng.uniform(0, duration), rng.uniform(*MOTION_DECAY_S)
        size = rng.uniform(0.5, 1.0) * (1 if rng.uniform() < 0.5 else -1)
        low = int(np.searchsorted(t, at))
        u = t[low:] - at
        shift[low:] += size * (1 - np.exp(-u / 0.02)) * np.exp(-u / decay)
    return shift
