"""A recording made ready to be measured: 500 Hz, without mains and wander, its beats found and sorted by shape."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from greenchannel.signal import baseline, kernels, limits, mains, pacing, qrs, quality
from greenchannel.signal.beats import Classes, classify
from greenchannel.signal.grid import Bools, Floats, to_analysis_grid
from greenchannel.signal.qrs import Ints
from greenchannel.signal.recording import Recording

_RATE: Final = limits.ANALYSIS_RATE_HZ
_MISSING_S: Final = 0.1  # a QRS may hide in so much [E]
_BEFORE, _BEHIND = int(0.08 * _RATE), int(0.11 * _RATE)  # of a QRS and its surroundings


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Strip:
    """A strip at 500 Hz without mains and wander, and the beats that were found in it."""

    samples_mv: Floats
    """Shape ``(leads, samples)``; level with the PR segment of each dominant beat."""
    slow_mv: Floats
    """The same at 125 Hz."""
    valid: Bools | None
    """Shape ``(leads, samples)``: False where nothing was recorded; None where all was."""
    classes: Classes
    spikes: Ints
    """Pacing spikes, in samples."""

    def missing_s(self, usable: Bools) -> tuple[tuple[float, float], ...]:
        """Stretches in which none of the usable leads was recorded; of all leads, where none is usable."""
        if self.valid is None or self.valid.all():
            return ()
        gone = ~(self.valid[usable] if usable.any() else self.valid).any(axis=0)
        edges = np.flatnonzero(np.diff(gone.astype(np.int8), prepend=0, append=0))
        runs = edges.reshape(-1, 2) / _RATE
        return tuple((float(a), float(b)) for a, b in runs if b - a >= _MISSING_S)


def condition(
    recording: Recording, reasons: quality.LeadReasons, on_grid: tuple[Floats, Bools | None] | None = None
) -> Strip:
    """Filter a strip and find its beats; without a QRS it has none.

    Parameters
    ----------
    recording : at least `limits.MIN_DURATION_S` long
    reasons : what is known of each lead; more is added
    on_grid : what `to_analysis_grid` gives of it, where that is known already
    """
    x, valid = on_grid or to_analysis_grid(recording.samples_mv, recording.rate_hz)
    half, slow = qrs.halves(x)
    coarse, weight = _coarse(slow, valid, reasons.usable)
    quiet = _quiet(coarse * qrs.STEP, x.shape[1])
    cleaned = mains.remove_mains(x, quiet)
    spikes = pacing.spikes(cleaned, reasons.usable, told=_told(recording, x.shape[1]))
    if spikes.size:
        cleaned = pacing.without_spikes(cleaned, spikes)
    if cleaned is not x:
        half, slow = qrs.halves(cleaned)
    if spikes.size:
        coarse, weight = _coarse(slow, valid, reasons.usable)
        quiet = _quiet(coarse * qrs.STEP, x.shape[1])
    quality.look_at_noise(cleaned, quiet, reasons)
    classes = classify(half, coarse * 2, weight, spikes)
    at = baseline.knots(classes, x.shape[1])
    if at.size:
        knots_mv = baseline.levels(cleaned, at)
        quality.look_at_wander(at, knots_mv, slow, reasons)
        wander = baseline.spline(at + baseline.width() // 2, knots_mv, x.shape[1])
        slow = slow - wander[:, qrs.STEP // 2 :: qrs.STEP][:, : slow.shape[1]]
        cleaned = np.subtract(cleaned, wander, out=wander)
    spikes = np.union1d(spikes, classes.spikes) if classes.spikes.size else spikes
    return Strip(samples_mv=cleaned, slow_mv=slow, valid=valid, classes=classes, spikes=spikes)


def _coarse(slow: Floats, valid: Bools | None, usable: Bools) -> tuple[Ints, Floats]:
    """Where the detector puts beats, in its samples at 125 Hz, and what each lead weighs in comparing shapes."""
    if valid is None and (fast := kernels.of(slow)) is not None:
        found, weight = fast.strip.coarse(slow, usable)
        return found, weight
    band = qrs.qrs_band(slow)
    slow_valid = None if valid is None else valid[:, qrs.STEP // 2 :: qrs.STEP][:, : band.shape[1]]
    scale, trust = qrs.lead_weights(band, usable)
    coarse = qrs.detect(qrs.qrs_energy(band, scale, trust, slow_valid))
    return coarse, np.where(trust > 0.1 * trust.max(), 1.0 / scale, 0.0).astype(np.float32)


def _told(recording: Recording, n: int) -> Ints:
    """The pacing pulses that the device itself reported, in samples at 500 Hz."""
    at = np.rint(np.asarray(recording.pace_spikes) * (_RATE / recording.rate_hz)).astype(np.int64)
    return at[(at >= 0) & (at < n)]


def _quiet(r: Ints, n: int) -> Bools:
    """True outside every QRS with its surroundings; in a fast rhythm with less of them, so that something is left."""
    quiet = np.ones(n, dtype=np.bool_)
    before, behind = _BEFORE, _BEHIND
    if r.size > 1:
        middle = float(np.sort(r[1:] - r[:-1])[(r.size - 1) // 2])
        before, behind = min(before, int(0.2 * middle)), min(behind, int(0.3 * middle))
    for at in r.tolist():
        quiet[max(at - before, 0) : max(at + behind, 0)] = False
    return quiet
