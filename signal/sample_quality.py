"""What the samples alone tell of a lead, before any beat is looked for (SIG-5): missing, off, at the rail, jumping.

Nearly all of it is decided on means over 20 ms, which hold no mains, and on how much they bend (their second
difference), which holds no wander.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limbs, limits
from greenchannel.signal.lead_off import HOP_BLOCKS, flat_leads
from greenchannel.signal.sample_levels import BLOCK_S, mean_of, saturated, steps

_Floats = NDArray[np.float32]
_Bools = NDArray[np.bool_]

MISSING_FRACTION: Final = 0.5  # of the samples: SIG-5 [E]
GAP_FRACTION: Final = (
    0.5  # of the samples of 20 ms: where no more are there, nothing is said of a lead off [E]
)
SILENT_FRACTION: Final = (
    0.1  # of the samples: where no more came, there was no signal rather than a bad line [E]
)
RAIL_FAR_MV: Final = 2.5  # from its usual level: there a lead is at the rail, nearer it is off [E]
OFFSET_MV: Final = 5.0  # a level beyond this is taken off first; no heart reaches it [E]

SECOND_BLOCKS: Final = round(1.0 / BLOCK_S)

# Beats, from the bends of all leads that have peaks at all.
PEAKY: Final = 2.0  # mean square over squared mean of the bends: noise has 1.57 [E]
BEND_CAP: Final = 8.0  # times a lead's mean: a single jump is no more than a beat [E]
BEAT_FRACTION: Final = 0.35  # of the way from the median to the top 2 % [E]
BEAT_CONTRAST: Final = 4.0  # top over median; of 200 real records the least is 7 [E]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleFaults:
    """Each an array ``(leads,)``: True where the lead has that fault. A missing or broken lead has no other."""

    missing: _Bools
    broken: _Bools
    """Samples are missing so often that no heartbeat is whole."""
    flat: _Bools
    saturated: _Bools
    steps: _Bools
    copied: _Bools
    """It shows the trace of another lead, as it is or upside down."""
    swing_mv: _Floats
    """Highest less lowest mean over a second."""


def look(
    samples_mv: _Floats,
    rate_hz: float,
    valid: _Bools | None = None,
    names: tuple[str, ...] | None = None,
) -> SampleFaults:
    """Name the faults that need no beats to be known.

    Parameters
    ----------
    samples_mv : array ``(leads, samples)`` in mV
        At the rate of the recording.
    rate_hz : samples per second
    valid : array ``(leads, samples)``, optional
        Which samples were recorded. None: all of them; those that are not finite or beyond a volt are found here.
    names : tuple of `leads` wire names, optional
        None: no lead is taken for a sum of others.
    """
    leads, n = samples_mv.shape
    per = max(round(BLOCK_S * rate_hz), 1)
    blocks = n // per
    with np.errstate(invalid="ignore", over="ignore"):
        top, bottom = samples_mv.max(axis=1, initial=-np.inf), samples_mv.min(axis=1, initial=np.inf)
        size = top.max(initial=0.0) - bottom.min(initial=0.0)
        if valid is None and not size <= limits.MAX_BODY_MV:  # NaN as well
            valid = np.abs(samples_mv) <= limits.MAX_BODY_MV
    missing = broken = np.zeros(leads, dtype=np.bool_)
    x, gaps = samples_mv, None
    if valid is not None and not valid.all():
        count = np.count_nonzero(valid, axis=1)
        missing = count <= MISSING_FRACTION * n
        x = _bridged(samples_mv, valid)
        there = np.count_nonzero(valid[:, : blocks * per].reshape(leads, blocks, per), axis=2)
        gaps = np.asarray(there < GAP_FRACTION * per, dtype=np.bool_)
        broken = missing & (count > SILENT_FRACTION * n)
        missing &= ~broken
        top, bottom = x.max(axis=1, initial=-np.inf), x.min(axis=1, initial=np.inf)
    none = np.zeros(leads, dtype=np.bool_)
    if blocks < HOP_BLOCKS + 2 or leads == 0:
        return SampleFaults(
            missing=missing, broken=broken, flat=none, saturated=none, steps=none, copied=none,
            swing_mv=np.zeros(leads, dtype=np.float32),
        )  # fmt: skip
    if max(float(top.max()), -float(bottom.min())) > OFFSET_MV:
        # Skin and electrode make a battery: an amplifier that passes its level is not at the rail for that.
        offset = np.median(x[:, ::per], axis=1).astype(np.float32)
        x, top, bottom = x - offset[:, None], top - offset, bottom - offset
    means = _means(x, blocks, per)
    bends = _bends(means)
    beats = _beats(bends)
    flat = flat_leads(top - bottom, means, bends, beats, gaps, names)
    railed = saturated(x, means, (top, bottom), per, rate_hz, valid)
    jumped = steps(x, means, beats, per, rate_hz)
    on = ~(missing | broken)
    # A lead at the rail does not move either, but a lead that is off is not so far away.
    if railed.any():
        far = np.maximum(top, -bottom) - np.abs(np.median(means, axis=1)) > RAIL_FAR_MV
        railed &= ~flat | far
        flat &= ~railed
    return SampleFaults(
        missing=missing, broken=broken, flat=flat & on, saturated=railed & on, steps=jumped & on,
        copied=_copied(means, names) & on, swing_mv=_swing(means),
    )  # fmt: skip


def _means(x: _Floats, blocks: int, per: int) -> _Floats:
    """Means over `per` samples each, ``(leads, blocks)``."""
    if (fast := kernels.of(x)) is not None:
        means: _Floats = fast.samples.means(x, per)
        return means
    flat: _Floats = x[:, : blocks * per].reshape(-1, per) @ mean_of(per)
    return flat.reshape(len(x), blocks)


def _bends(means: _Floats) -> _Floats:
    """Size of the second difference of means, ``(leads, blocks - 2)``."""
    if (fast := kernels.of(means)) is not None:
        bends: _Floats = fast.samples.bends(means)
        return bends
    return np.asarray(np.abs(means[:, 2:] + means[:, :-2] - 2 * means[:, 1:-1]))


def _bridged(samples_mv: _Floats, valid: _Bools) -> _Floats:
    """A copy in which a line bridges every gap; a lead without samples is zero."""
    x, at = np.array(samples_mv, dtype=np.float32), np.arange(samples_mv.shape[1])
    for row in np.flatnonzero(~valid.all(axis=1)):
        there = valid[row]
        x[row] = np.interp(at, at[there], x[row, there]) if there.any() else 0.0
    return x


def _copied(means: _Floats, names: tuple[str, ...] | None) -> _Bools:
    """Leads that show the trace of another one, ``(leads,)``.

    Limb leads have no part in it among themselves: where III is silent, I and II are the same.
    """
    if (fast := kernels.of(means)) is not None and fast.samples.none_copied(means):
        return np.zeros(means.shape[0], dtype=np.bool_)
    moves = means[:, 1:] - means[:, :-1]
    products = moves @ moves.T
    power = products.diagonal()
    both = power[:, None] + power
    same = both - 2 * np.abs(products) < limits.COPY_SHARE * both
    if np.count_nonzero(same) <= power.size:  # each of itself
        return np.zeros(power.size, dtype=np.bool_)
    same &= power > limits.COPY_MIN_MV**2 * moves.shape[1]
    np.fill_diagonal(same, False)
    if names is not None:
        limb = np.array([name in limbs.NAMES for name in names], dtype=np.bool_)
        same &= ~(limb & limb[:, None])
    return np.asarray(same.any(axis=1) | same.any(axis=0), dtype=np.bool_)


def _swing(means: _Floats) -> _Floats:
    """Highest less lowest mean over a second, ``(leads,)``; 0 within less than two."""
    if (fast := kernels.of(means)) is not None:
        swing: _Floats = fast.samples.swing(means)
        return swing
    count = means.shape[1] // SECOND_BLOCKS
    if count < 2:
        return np.zeros(means.shape[0], dtype=np.float32)
    whole = means[:, : count * SECOND_BLOCKS].reshape(-1, SECOND_BLOCKS)
    seconds = (whole @ mean_of(SECOND_BLOCKS)).reshape(-1, count)
    swing = seconds.max(axis=1) - seconds.min(axis=1)
    return swing


def _beats(bends: _Floats) -> _Floats | None:
    """1.0 in blocks with a QRS, 0.0 elsewhere, ``(blocks − 2,)``; None where no beats stand out."""
    if (fast := kernels.of(bends)) is not None:
        found, some = fast.samples.beats(bends)
        return found if some else None
    average = mean_of(bends.shape[1])
    scale = bends @ average + np.float32(1e-7)
    square = np.einsum("ij,ij->i", bends, bends) / bends.shape[1]
    weight = np.minimum(np.maximum(square / (scale * scale) - PEAKY, 0), 1)
    if not weight.sum() > 0.5:
        return None
    activity = weight @ np.minimum(bends / scale[:, None], BEND_CAP)
    order = np.sort(activity)
    middle, high = order[order.size // 2], order[-max(order.size // 50, 1)]
    if not high > BEAT_CONTRAST * middle:
        return None
    loud = activity > middle + BEAT_FRACTION * (high - middle)
    near: _Floats = loud.astype(np.float32)
    near[1:][loud[:-1]] = near[:-1][loud[1:]] = 1
    return near
