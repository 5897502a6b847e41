"""Median beats drawn by a formula, for tests that know every border and level."""

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.delineator import POST, PRE

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
SAMPLES = PRE + POST


def bump(middle: float, width: float) -> Floats:
    """A raised cosine around a sample, 0 outside `width` samples; shape ``(540,)``."""
    part = np.clip((np.arange(SAMPLES) - middle) / width, -0.5, 0.5)
    wave: Floats = 0.5 + 0.5 * np.cos(2 * np.pi * part)
    return wave


def drawn(seed: int = 0, *, leads: int = 12, broad: float = 1.0, noise_mv: float = 0.004) -> Singles:
    """P, QRS, ST and T of random sizes and signs in each lead, ``(leads, 540)`` in mV.

    P runs from sample 120 to 170, a QRS of width 1 from 186 to 233, T from 285 to 385.
    """
    rng = np.random.default_rng(seed)

    def size(low_mv: float, high_mv: float) -> Floats:
        return np.asarray(rng.uniform(low_mv, high_mv, (leads, 1)) * rng.choice([-1, 1], (leads, 1)))

    q, r, s = (bump(PRE + at * broad, 22 * broad) for at in (-13, 0, 12))
    x = size(0.05, 0.4) * q + size(0.4, 1.6) * r + size(0.1, 0.9) * s
    x += size(0.05, 0.2) * bump(145, 50) + size(0.1, 0.6) * bump(335, 100)
    lifted = np.clip((np.arange(SAMPLES) - PRE - 22 * broad) / 8, 0, 1) * np.clip(
        (360 - np.arange(SAMPLES)) / 60, 0, 1
    )
    x += size(0.0, 0.3) * lifted
    made: Singles = (x + noise_mv * rng.standard_normal(x.shape)).astype(np.float32)
    return made


def own_borders(seed: int = 0, leads: int = 12, spread: float = 2.0) -> Floats:
    """The borders that belong to `drawn`, each lead's moved by up to `spread` samples; ``(leads, 8)``."""
    rng = np.random.default_rng(seed)
    at = np.array([120.0, 145, 170, 187, 232, 285, 335, 385])
    return at + rng.uniform(-spread, spread, (leads, 8))
