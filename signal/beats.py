"""Beats of one shape belong together: classes, the dominant one, and its median beat."""

from dataclasses import dataclass

import numpy as np

from greenchannel.signal import limits
from greenchannel.signal.filters import Bools, Floats
from greenchannel.signal.qrs import Ints

_RATE = limits.ANALYSIS_RATE_HZ
_QRS_FROM, _QRS_TO = int(0.09 * _RATE), int(0.13 * _RATE)  # the window of shape around R
_LAG = int(0.02 * _RATE)
PRE = int(0.42 * _RATE)
"""Samples of a median beat before R."""
POST = int(0.66 * _RATE)
"""Samples of a median beat from R on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Classes:
    """Beats sorted by shape; class 0 is the dominant one."""

    r: Ints
    """Aligned positions in samples, rising, shape ``(beats,)``."""
    label: Ints
    """Class of each beat; -1 where it resembles none."""


def windows(x: Floats, centres: Ints, before: int, after: int) -> Floats:
    """Cut ``[centre - before, centre + after)`` around each centre: ``(beats, leads, samples)``; edges repeat."""
    index = np.clip(centres[:, None] + np.arange(-before, after), 0, x.shape[1] - 1)
    return np.ascontiguousarray(x[:, index].transpose(1, 0, 2))


def middle(stack: Floats) -> Floats:
    """Median over the first axis, by sorting: several times faster than `numpy.median` on short stacks."""
    ordered = np.sort(stack, axis=0)
    n = stack.shape[0]
    value: Floats = 0.5 * (ordered[(n - 1) // 2] + ordered[n // 2])
    return value


def classify(shape: Floats, r: Ints, weights: Floats) -> Classes:
    """Group beats by the correlation of their QRS over all leads, and align each with its class.

    Parameters
    ----------
    shape : array ``(leads, samples)`` at 500 Hz, wander and noise taken off
    r : array ``(beats,)``, at least one
    weights : array ``(leads,)``, 0 for leads without a vote
    """
    width = _QRS_FROM + _QRS_TO
    wide = windows(shape * weights[:, None], r, _QRS_FROM + _LAG, _QRS_TO + _LAG)
    centred = wide[:, :, _LAG : _LAG + width]
    label = np.full(r.size, -1, dtype=np.int64)
    aligned = r.copy()
    found: list[Ints] = []
    for number in range(limits.MAX_CLASSES):
        free = np.flatnonzero(label < 0)
        if free.size == 0:
            break
        # The beat most like the median of what is left is the seed; the class's own median replaces it.
        template = centred[free[np.argmax(_match(wide[free], middle(centred[free]))[0])]]
        for _ in range(2):
            fit, lag, ratio = _match(wide[free], template)
            same = (fit >= limits.CLASS_CORRELATION) & (
                np.abs(np.log(ratio)) < np.log(limits.CLASS_ENERGY_RATIO)
            )
            if not same.any():
                break
            moved = windows(shape * weights[:, None], r[free[same]] + lag[same], _QRS_FROM, _QRS_TO)
            template = middle(moved)
        if not same.any():
            break
        members = free[same]
        label[members] = number
        aligned[members] = r[members] + lag[same]
        found.append(members)
    return _dominant_first(aligned, label, found, shape.shape[1])


def _match(wide: Floats, template: Floats) -> tuple[Floats, Ints, Floats]:
    """Best correlation of each beat with the template, the lag there, and the ratio of sizes."""
    width = template.shape[-1]
    # The traces end at 50 Hz: every second sample tells all.
    template = template[..., ::2]
    flat = (template - template.mean(axis=-1, keepdims=True)).ravel()
    size = np.sqrt(flat @ flat) + 1e-12
    best = np.full(wide.shape[0], -2.0)
    best_lag = np.zeros(wide.shape[0], dtype=np.int64)
    ratio = np.ones(wide.shape[0])
    for lag in sorted(range(-_LAG, _LAG + 1), key=abs):
        part = wide[:, :, _LAG + lag : _LAG + lag + width : 2]
        part = (part - part.mean(axis=-1, keepdims=True)).reshape(wide.shape[0], -1)
        norm = np.sqrt(np.einsum("bs,bs->b", part, part)) + 1e-12
        fit = part @ flat / (norm * size)
        better = fit > best + 1e-9
        best[better], best_lag[better], ratio[better] = fit[better], lag, (norm / size)[better]
    return best, best_lag, ratio


def _dominant_first(aligned: Ints, label: Ints, found: list[Ints], n: int) -> Classes:
    """Number classes by how many beats they have; equal ones by how late their beats come (ectopics are early)."""
    before = np.diff(aligned, prepend=aligned[0] - np.median(np.diff(aligned)) if aligned.size > 1 else 0)
    order = sorted(range(len(found)), key=lambda k: (-len(found[k]), -float(before[found[k]].mean())))
    renumbered = label.copy()
    for new, old in enumerate(order):
        renumbered[found[old]] = new
    r, first = np.unique(np.clip(aligned, 0, n - 1), return_index=True)
    return Classes(r=r, label=renumbered[first])


def choose(classes: Classes, number: int, n: int, qt_reach: int, valid: Bools) -> Bools:
    """Which beats may enter a median beat: array ``(beats, leads)``.

    A beat takes part in a lead when it belongs to class `number`, lies whole within the strip and touches
    no missing sample of that lead. The strip's last beat has no baseline knot behind it and stays out while
    three others remain.
    """
    r = classes.r
    member = classes.label == number
    whole = member & (r >= int(0.3 * _RATE)) & (r + qt_reach < n)
    followed = whole & (np.arange(r.size) < r.size - 1)
    for narrower in (followed, whole):
        if narrower.sum() >= limits.MIN_MEDIAN_BEATS:
            member = narrower
            break
    else:
        inside = member & (r >= int(0.12 * _RATE)) & (r + int(0.25 * _RATE) < n)
        member = inside if inside.any() else member
    if valid.all():
        return np.repeat(member[:, None], valid.shape[0], axis=1)
    missing = np.concatenate(
        [np.zeros((valid.shape[0], 1), dtype=np.int64), np.cumsum(~valid, axis=1)], axis=1
    )
    low = np.clip(r - int(0.3 * _RATE), 0, n)
    high = np.clip(r + qt_reach, 0, n)
    clean = (missing[:, high] - missing[:, low]) == 0
    chosen: Bools = member[:, None] & clean.T
    return chosen


def median_beat(x: Floats, classes: Classes, chosen: Bools) -> tuple[Floats, Floats]:
    """Median beat of every lead and the stack it was taken from.

    Returns
    -------
    median_mv : array ``(leads, PRE + POST)``
        0 for a lead without any beat.
    stack_mv : array ``(beats, leads, PRE + POST)``
        The beats of which at least one lead was chosen.
    """
    rows = chosen.any(axis=1)
    stack = windows(x, classes.r[rows], PRE, POST)
    used = chosen[rows]
    if used.all() and stack.shape[0]:
        return middle(stack), stack
    median = np.zeros((x.shape[0], PRE + POST))
    for lead in range(x.shape[0]):
        if used[:, lead].any():
            median[lead] = middle(stack[used[:, lead], lead])
    return median, stack
