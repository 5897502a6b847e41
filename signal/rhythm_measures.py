"""The numbers behind a rhythm's name: RR and how irregular they are, pauses, ectopy, pacing, and what moves at all."""

import math
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import atrial

Floats = NDArray[np.floating]
Ints = NDArray[np.int64]
Missing = tuple[tuple[float, float], ...]
"""Stretches in which no lead was recorded: begin and end in seconds, rising."""

# [E]: chosen as those of `arrhythmia`.
DIFFERENCE_S: Final = 0.04
DIFFERENCE_RR: Final = 0.05
PURE_STEPS: Final = 4  # as many differences between neighbours of the dominant class are enough [E]
CELL_S: Final = 0.04  # cell of the Poincaré plot of differences [K Sarkar 2008 uses 25 to 40 ms]
PREMATURE: Final = 0.80  # of the median RR [K]
WIDE_MS: Final = 120.0  # [K]
RUN_BEATS: Final = 3  # CV-3 [K]
ALTERNATING_BEATS: Final = 6  # beats of strict alternation that make bigeminy [E]
PACED_BEFORE_S: Final = (-0.02, 0.12)  # spike to R of a paced ventricle (R lies late in a wide QRS) [E]
PACED_ATRIUM_S: Final = (0.12, 0.35)  # spike to R of a paced atrium [E]
BROADER_MS: Final = 20.0  # an ectopic beat is so much broader than the dominant one [E]
PEAK_HZ: Final = (1.0, 25.0)  # the dominant frequency is looked for here [E]
PEAK_REACH_HZ: Final = 0.5  # what lies so near to it belongs to it
STEEP_PART: Final = 0.98  # of the slopes are smaller than the steep ones [E]
CYCLE: Final = (0.8, 1.25)  # the trace is compared with itself so many cycles later [E]
LEAST_MV: Final = 1e-3  # a trace that moves less has no waves
BLOCK: Final = 125  # samples of one look at activity
_NO_SLOPE: Final = atrial.without_slope(BLOCK)


def intervals(r: Floats, label: Ints) -> dict[str, float]:
    """RR and how irregular they are. Plain numbers: for so few an array costs more."""
    own = [k == 0 for k in label.tolist()]
    m = {"dominant_share": sum(own) / max(len(own), 1)}
    m |= {"rate_bpm": math.nan, "irregularity": math.nan, "irregular_share": math.nan}
    at = r.tolist()
    rr = [b - a for a, b in pairwise(at)]
    if not rr:
        return m
    mean = (at[-1] - at[0]) / len(rr)
    m |= {"rr_mean_s": mean, "rr_min_s": min(rr), "rr_max_s": max(rr), "rate_bpm": 60.0 / mean}
    if len(rr) < 2:
        return m
    step = [b - a for a, b in pairwise(rr)]
    m["sdnn_ms"] = 1000.0 * math.sqrt(sum((v - mean) ** 2 for v in rr) / (len(rr) - 1))
    m["rmssd_ms"] = 1000.0 * math.sqrt(sum(v * v for v in step) / len(step))
    pure = [v for i, v in enumerate(step) if own[i] and own[i + 1] and own[i + 2]]
    step = pure if len(pure) >= PURE_STEPS else step
    large = max(DIFFERENCE_S, DIFFERENCE_RR * mean)
    m["irregularity"] = sum(map(abs, step)) / len(step) / mean
    m["irregular_share"] = sum(abs(v) > large for v in step) / len(step)
    if len(step) >= 3:
        cell = [round(v / CELL_S) for v in step]
        m["poincare_cells"] = len(set(pairwise(cell))) / (len(cell) - 1)
    return m


def stretches(r: Floats, duration_s: float, missing_s: Missing = ()) -> list[tuple[float, float, bool]]:
    """What was recorded between neighbouring beats, the ends of the strip included.

    Returns
    -------
    Begin, end, and whether it may have lasted longer: it touches an end of the strip, or samples that are missing.
    """
    at = [0.0, *r.tolist(), duration_s]
    found = []
    for i, (begin, end) in enumerate(pairwise(at)):
        is_open = i == 0
        for first, last in missing_s:
            if begin < last and first < end:
                found.append((begin, first, True))
                begin, is_open = last, True
        found.append((begin, end, is_open or i == len(at) - 2))
    return found


def pause(r: Floats, duration_s: float, missing_s: Missing = ()) -> dict[str, float]:
    """The longest recorded stretch without a beat; where nothing was recorded, nobody knows of any."""
    longest = max(end - begin for begin, end, _ in stretches(r, duration_s, missing_s))
    is_open = any(o and end - begin == longest for begin, end, o in stretches(r, duration_s, missing_s))
    return {"longest_pause_s": longest, "pause_open": is_open}


def unbroken(r: Floats, label: Ints, missing_s: Missing) -> tuple[Floats, Ints]:
    """The most beats in a row between which nothing is missing."""
    if not missing_s:
        return r, label
    cut = np.searchsorted(r, [0.5 * (first + last) for first, last in missing_s])
    parts = zip(np.split(r, cut), np.split(label, cut), strict=True)
    return max(parts, key=lambda part: part[0].size)


def ectopy(r: Floats, label: Ints, width: list[float]) -> dict[str, float]:
    """Early and wide beats, their alternation and the longest run of wide ones."""
    m = {"wide_run_beats": 0.0, "wide_run_bpm": math.nan, "bigeminy": 0.0, "ectopic_share": math.nan}
    if r.size < 3:
        return m
    at = r.tolist()
    rr = [b - a for a, b in pairwise(at)]
    limit = PREMATURE * sorted(rr)[len(rr) // 2]
    foreign = [k != 0 for k in label.tolist()]
    wide = [w >= WIDE_MS for w in width[:-1]]
    other = [f and w >= max(WIDE_MS, width[-1] + BROADER_MS) for f, w in zip(foreign, width, strict=False)]
    stranger = [a or b < limit for a, b in zip(other, [math.inf, *rr], strict=True)]
    m["ectopic_share"] = sum(stranger) / len(stranger)
    # In bigeminy the median RR may be the short one: alternation of shapes tells as well.
    turns = max(_longest([a != b for a, b in pairwise(flags)])[0] for flags in (stranger, foreign))
    m["bigeminy"] = float(turns + 1 >= ALTERNATING_BEATS)
    length, start = _longest(wide)
    if length >= RUN_BEATS:
        m["wide_run_beats"] = length
        m["wide_run_bpm"] = 60.0 * (length - 1) / (at[start + length - 1] - at[start])
    return m


def _longest(flags: list[bool]) -> tuple[int, int]:
    """Length and start of the longest run of True."""
    best, start = (0, 0), 0
    for i, flag in enumerate(flags):
        if not flag:
            start = i + 1
        elif i + 1 - start > best[0]:
            best = (i + 1 - start, start)
    return best


def pacing(r: Floats, spikes_s: tuple[float, ...] | None) -> dict[str, float]:
    if r.size == 0 or spikes_s is None:
        return {}
    windows = {"paced_share": PACED_BEFORE_S, "paced_atrium_share": PACED_ATRIUM_S}
    if not spikes_s:
        return dict.fromkeys(windows, 0.0)
    ahead = r[:, None] - np.asarray(spikes_s, dtype=np.float64)
    return {k: float(((ahead > a) & (ahead <= b)).any(axis=1).mean()) for k, (a, b) in windows.items()}


def mostly_quiet(x: Floats, quiet_mv: float) -> Floats:
    """The quiet leads, where they are most of all; else all of them, shape ``(leads, samples)``.

    Where no heart beats, an electrode that has come off still hums and drifts in its leads: they must not speak for the
    others. A fibrillation is seen in most.
    """
    n = x.shape[1] // BLOCK * BLOCK
    blocks = x[:, :n].reshape(x.shape[0], -1, BLOCK) @ _NO_SLOPE
    quiet = (blocks.max(axis=2) - blocks.min(axis=2)).max(axis=1) < quiet_mv
    return x[quiet] if 2 * np.count_nonzero(quiet) > quiet.size else x


def activity(x: Floats) -> dict[str, float]:
    """What the trace does where no QRS can be relied on: size, frequency, and how alike its waves are."""
    n = x.shape[1] // BLOCK * BLOCK
    blocks = x[:, :n].reshape(x.shape[0], -1, BLOCK) @ _NO_SLOPE
    height = blocks.max(axis=2) - blocks.min(axis=2)
    m = {"activity_mv": float(height.max()), "live_mv": _drift(x[:, :n])}
    lead = int(np.argmax(np.sort(height, axis=1)[:, height.shape[1] // 2]))
    ordered = np.sort(height[lead])
    middle = float(ordered[ordered.size // 2])
    spread = float(ordered[-1 - ordered.size // 10] - ordered[ordered.size // 10])
    m |= {"size": middle, "modulation": spread / max(middle, 1e-6)}
    if middle < LEAST_MV:
        return m
    y = blocks[lead].ravel()
    # Half a period, from mean size over mean slope; what is left of the trace plus itself half a period later [K].
    half = int(math.pi * float(np.abs(y).sum()) / max(float(np.abs(y[1:] - y[:-1]).sum()), 1e-9) + 0.5)
    half = min(half, y.size // 4)
    late, soon = y[half:], y[:-half]
    m["leakage"] = float(np.abs(late + soon).sum() / max(float((np.abs(late) + np.abs(soon)).sum()), 1e-9))
    power = np.abs(np.fft.rfft((x - x.mean(axis=1, keepdims=True)) * atrial.hann(x.shape[1]))) ** 2
    total = power.sum(axis=0)
    step = atrial.SLOW_RATE_HZ / x.shape[1]
    first, last = math.ceil(PEAK_HZ[0] / step), int(PEAK_HZ[1] / step)
    peak = first + int(np.argmax(total[first:last]))
    reach = int(PEAK_REACH_HZ / step)
    near = float(total[max(first, peak - reach) : peak + reach + 1].sum())
    m |= {"dominant_hz": peak * step, "concentration": near / float(total[first:].sum())}
    slope = x[:, 1:] - x[:, :-1]
    speed = np.sort(np.einsum("ls,ls->s", slope, slope)) ** 0.5
    m["smoothness"] = float(speed.mean()) / max(float(speed[int(STEEP_PART * speed.size)]), 1e-9)
    # Autocorrelation of the lead near one period of that frequency.
    y, period = x[lead] - x[lead].mean(), atrial.SLOW_RATE_HZ / (peak * step)
    length = 1 << (2 * y.size - 1).bit_length()
    c = np.fft.irfft(np.abs(np.fft.rfft(y, length)) ** 2, length)
    k = np.arange(int(CYCLE[0] * period), int(CYCLE[1] * period) + 2)
    m["organisation"] = float((c[k] / (1.0 - k / y.size)).max() / max(float(c[0]), 1e-9))
    return m


def _drift(x: Floats) -> float:
    """How far the middle lead moves from second to second: skin drifts and breathes, an open input does not."""
    means = x.reshape(x.shape[0], -1, BLOCK).mean(axis=2)
    return float(np.sort(means.std(axis=1))[x.shape[0] // 2])
