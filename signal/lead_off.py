"""Leads that are off: what they show does not know of the beats that the other leads show (SIG-5).

Looked at is how much means over 20 ms bend: nothing, or as much between the beats as in them. So a pause or an asystole
with all electrodes on is no lead off, and a small QRS is none either, for it stands out of its own noise. A broad
rhythm has no quiet between its beats, and so its living leads bend alike everywhere as well; but what they show can be
foretold from the other leads, which nothing can that is not the heart. A lead that is off for 1.4 s is told.
"""

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limbs
from greenchannel.signal.sample_levels import BLOCK_S, mean_of

_Floats = NDArray[np.float32]
_Bools = NDArray[np.bool_]
_Ints = NDArray[np.intp]

WINDOW_S: Final = 1.0  # SIG-5 [E]
HOP_S: Final = 0.2  # so that 1.4 s without electrode hold two whole windows [E]
HOP_BLOCKS: Final = round(HOP_S / BLOCK_S)

MIN_BEAT_BLOCKS: Final = 3  # in a window that is judged [E]
MIN_REST_BLOCKS: Final = 15  # likewise [E]

# Noise has a ratio of 1 and 1.57 peaks in the mean; 99 of 100 real leads have a ratio over 1.5.
OFF_RATIO: Final = 1.4  # mean bend in the beats over that between them, in a window or over the strip [E]
OFF_PEAKY: Final = 2.3  # and no more peaks than this [E]
DEAD_WINDOWS: Final = 2  # 1.2 s in which nothing moves are enough [E]
OFF_WINDOWS: Final = 4  # 1.6 s where there is noise in place of beats [E]
OFF_SHARE: Final = (
    0.7  # and in the beats no more than this share of the bend that the lead's beats have on the whole [E]
)
# What the other leads foretell is the heart.
TOLD_S: Final = 0.1  # looked at is how means over this bend: no mains, no muscle, no drift [E]
TOLD_BLOCKS: Final = round(TOLD_S / BLOCK_S)
TOLD_SHARE: Final = 0.5  # of the bend's power, foretold by a sum of other leads [E]
TOLD_LEADS: Final = 3  # so many others are asked at least [E]
TOLD_RIDGE: Final = 1e-3  # of their mean power: their own noise foretells nothing [E]
TOLD_MIN_MV: Final = 0.01  # a smaller bend is nobody's heart [E]
TOLD_LEARNED: Final = (
    0.4  # share of the strip that must be left to learn from, without what is asked about [E]
)
DEAD_BEND_MV: Final = 0.003  # mean bend of a lead in which nothing moves, in the beats or without any [E]
FLAT_PP_MV: Final = 0.020  # SIG-5 [E]
ACTIVE_BEND_MV: Final = 0.008  # without beats (fibrillation): the leads that are on bend as much [E]
EQUAL_BEND_MV: Final = 1e-5  # equal samples, but for rounding of their means
EQUAL_S: Final = 3.0  # no living lead repeats one value for so long, beats or none [E]


def _over_windows(blocks: _Floats) -> _Floats:
    """Sums over all windows and, last, over the strip, ``(rows, windows)``; a part shorter than a hop is left out."""
    rows, hops = blocks.shape[0], blocks.shape[1] // HOP_BLOCKS
    width = min(round(WINDOW_S / HOP_S), hops)
    parts = blocks[:, : hops * HOP_BLOCKS].reshape(rows * hops, HOP_BLOCKS) @ mean_of(HOP_BLOCKS)
    sums = np.zeros((rows, hops + 1))
    np.cumsum(parts.reshape(rows, hops), axis=1, out=sums[:, 1:])
    out = np.empty((rows, hops - width + 2), dtype=np.float32)
    np.subtract(sums[:, width:], sums[:, : hops + 1 - width], out=out[:, :-1], casting="same_kind")
    out[:, -1] = sums[:, -1]
    out *= np.float32(HOP_BLOCKS)
    return out


@lru_cache(maxsize=16)
def _blocks_of_windows(blocks: int) -> _Floats:
    """Blocks in each window and, last, in the strip."""
    hops = blocks // HOP_BLOCKS
    width = min(round(WINDOW_S / HOP_S), hops)
    length = np.full(hops - width + 2, width * HOP_BLOCKS, dtype=np.float32)
    length[-1] = hops * HOP_BLOCKS
    length.flags.writeable = False
    return length


def flat_leads(
    size_mv: _Floats,
    means: _Floats,
    bends: _Floats,
    beats: _Floats | None,
    gaps: _Bools | None,
    names: tuple[str, ...] | None,
) -> _Bools:
    """Leads that are off for a second or more, ``(leads,)``.

    Parameters
    ----------
    size_mv : array ``(leads,)``, from peak to peak
    means : array ``(leads, blocks)``, over 20 ms each
    bends : array ``(leads, blocks - 2)``, sizes of their second differences
    beats : array ``(blocks - 2,)``, 1 in a QRS; None where no beats are known
    gaps : array ``(leads, blocks)``, where nothing was recorded; None where all was
    names : of the leads, where they are known
    """
    if beats is not None and (fast := kernels.of(bends)) is not None and fast.samples.all_on(bends, beats):
        return np.zeros(bends.shape[0], dtype=np.bool_)
    length = _blocks_of_windows(bends.shape[1])
    whole = None if gaps is None else _over_windows(gaps[:, 1:-1].astype(np.float32)) == 0
    if beats is None:
        return _flat_without_beats(size_mv, _over_windows(bends), length, whole)
    leads = bends.shape[0]
    sums = _over_windows(np.concatenate([bends, bends * beats, beats[None]]))
    total, within, inside = sums[:leads], sums[leads:-1], sums[-1]
    outside, between = length - inside, total - within
    judged = (inside >= MIN_BEAT_BLOCKS) & (outside >= MIN_REST_BLOCKS)
    # Means are compared without dividing: no window need hold both kinds of blocks.
    in_beats, elsewhere, tiny = within * outside, between * inside, DEAD_BEND_MV * inside * outside
    maybe = (in_beats < OFF_RATIO * elsewhere + tiny) & judged
    flat = _repeats(total, length, whole)
    if not maybe.any():
        return flat
    noise = _over_windows(bends * bends) * length < OFF_PEAKY * total * total
    noise &= in_beats < OFF_RATIO * elsewhere
    still = np.maximum(in_beats, elsewhere) < tiny
    off = (noise | still) & judged
    off &= ~off.all(axis=0) | (leads == 1)  # where no lead shows it, there was no beat
    if whole is not None:
        off[:, :-1] &= whole[:, :-1]
    # A broad ectopic beat and its T wave bend alike, but more than a lead without electrode does.
    usual = within[:, -1:] / np.maximum(inside[-1], 1)
    off[:, :-1] &= within[:, :-1] < OFF_SHARE * usual * inside[:-1]
    named = _named(off, still)
    if named.any() and means.shape[1] > 4 * TOLD_BLOCKS:
        contrast = in_beats[:, -1] / np.maximum(elsewhere[:, -1], 1e-9)
        off &= ~_foretold(means, off, named, contrast, names)
        named = _named(off, still)
    return np.asarray(flat | named, dtype=np.bool_)


def _named(off: _Bools, still: _Bools) -> _Bools:
    """Leads that are off over the strip (the last column), or for so many windows as chance does not give."""
    dead = (off & still)[:, :-1]
    # One ectopic beat may be invisible in one lead, and alone in every window of its pause.
    long = _lasts(dead, DEAD_WINDOWS) | _lasts(off[:, :-1], OFF_WINDOWS)
    return np.asarray(off[:, -1] | long, dtype=np.bool_)


def _foretold(
    means: _Floats, off: _Bools, named: _Bools, contrast: _Floats, names: tuple[str, ...] | None
) -> _Bools:
    """Where the other leads foretell what the suspected ones show, array ``(leads, windows)`` as `off`.

    Parameters
    ----------
    means : array ``(leads, blocks)``
    off : array ``(leads, windows)``, where each lead is suspected
    named : array ``(leads,)``, the leads that are asked about
    contrast : array ``(leads,)``, how far each lead's beats stand out
    names : of the leads, where they are known
    """
    told = np.zeros_like(off)
    count = TOLD_BLOCKS
    sums = np.cumsum(means, axis=1, dtype=np.float64)
    bent = np.zeros((means.shape[0], means.shape[1] - 2))
    level = (sums[:, count:] - sums[:, :-count]) / count
    reach = (3 * count) // 2 - 1
    bent[:, reach : reach + level.shape[1] - 2 * count] = (
        level[:, 2 * count :] - 2 * level[:, count:-count] + level[:, : -2 * count]
    )
    length = _blocks_of_windows(bent.shape[1])
    starts, width = np.arange(off.shape[1] - 1) * HOP_BLOCKS, int(length[0])
    for lead in np.flatnonzero(named).tolist():
        rows = _witnesses(lead, named, contrast, names)
        if rows.size == 0:
            continue
        suspected = np.zeros(bent.shape[1], dtype=np.bool_)
        for start in starts[off[lead, :-1]].tolist():
            suspected[start : start + width] = True
        clear = (
            ~suspected if np.count_nonzero(~suspected) > TOLD_LEARNED * suspected.size else suspected | True
        )
        known, asked = bent[np.ix_(rows, clear)], bent[lead, clear]
        gram = known @ known.T
        gram[np.diag_indices(rows.size)] += TOLD_RIDGE * np.trace(gram) / rows.size + 1e-12
        rest = bent[lead] - np.linalg.solve(gram, known @ asked) @ bent[rows]
        both = _over_windows(np.stack([rest * rest, bent[lead] ** 2]).astype(np.float32))
        told[lead] = (both[0] < (1 - TOLD_SHARE) * both[1]) & (both[1] > TOLD_MIN_MV**2 * length)
    return told


def _witnesses(lead: int, named: _Bools, contrast: _Floats, names: tuple[str, ...] | None) -> _Ints:
    """The leads that are asked what `lead` shows: those that are on, the surest first where they are few.

    An electrode off spoils all leads that it feeds, and these foretell each other: limb leads are asked only where two
    of I, II and III are on.
    """
    order = np.lexsort((-contrast, named))
    order = order[order != lead]
    if names is not None:
        fine = [i for i, name in enumerate(names) if not named[i] and name in limbs.NAMES[:3]]
        if len(fine) < 2:
            order = order[[names[i] not in limbs.NAMES for i in order.tolist()]]
    return np.asarray(order[: max(int(np.count_nonzero(~named[order])), TOLD_LEADS)], dtype=np.intp)


def _lasts(off: _Bools, windows: int) -> _Bools:
    """Leads that are off for so many windows one after the other; for all of them, where there are fewer."""
    windows = min(windows, off.shape[1])
    if windows == 0:
        return np.zeros(off.shape[0], dtype=np.bool_)
    run = off[:, : off.shape[1] - windows + 1].copy()
    for k in range(1, windows):
        run &= off[:, k : k + run.shape[1]]
    return np.asarray(run.any(axis=1))


def _repeats(total: _Floats, length: _Floats, whole: _Bools | None) -> _Bools:
    """Leads with one value for so long that no electrode can be behind it."""
    equal = (total < EQUAL_BEND_MV * length)[:, :-1]
    if whole is not None:
        equal &= whole[:, :-1]
    if not equal.any():
        return np.zeros(equal.shape[0], dtype=np.bool_)
    needed = min(round((EQUAL_S - WINDOW_S) / HOP_S) + 1, equal.shape[1])
    counts = np.cumsum(np.pad(equal, ((0, 0), (1, 0))), axis=1)
    return np.asarray((counts[:, needed:] - counts[:, :-needed] == needed).any(axis=1), dtype=np.bool_)


def _flat_without_beats(size_mv: _Floats, total: _Floats, length: _Floats, whole: _Bools | None) -> _Bools:
    """As `flat_leads`, where no beats are seen: off is what never moves, or is still while most other leads quiver."""
    flat = (size_mv < FLAT_PP_MV) | _repeats(total, length, whole)
    mean_bend = (total / length)[:, :-1]
    still = (mean_bend < DEAD_BEND_MV) & (np.median(mean_bend, axis=0) > ACTIVE_BEND_MV)
    if whole is not None:
        still &= whole[:, :-1]
    return np.asarray(flat | still.any(axis=1), dtype=np.bool_)
