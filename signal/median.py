"""The median beat: which beats may enter it, and the beat in their middle.

The middle is Huber's location (Ann Math Stat 1964;35:73): no beat can pull further than a bounded step, as with the
median, but muscle noise falls as with the mean, by a third more than with the median, and no sorting is needed.
"""

from typing import Final

import numpy as np

from greenchannel.signal import kernels, limits
from greenchannel.signal.beats import Classes, windows
from greenchannel.signal.delineator import POST, PRE
from greenchannel.signal.grid import Bools, Floats

_RATE: Final = limits.ANALYSIS_RATE_HZ
GROUPS: Final = 3
STEPS: Final = 2


def choose(classes: Classes, number: int, n: int, qt_reach: int, valid: Bools | None) -> Bools:
    """Which beats may enter a median beat: array ``(beats, leads)``, or ``(beats, 1)`` where all leads agree.

    A beat takes part in a lead when it belongs to class `number`, lies whole within the strip and touches
    no missing sample of that lead. The strip's last beat has no baseline knot behind it and stays out while
    three others remain.
    """
    r = classes.r
    member = classes.label == number
    whole = member & (r >= int(0.3 * _RATE)) & (r + qt_reach < n)
    followed = whole.copy()
    followed[-1:] = False
    for narrower in (followed, whole):
        if np.count_nonzero(narrower) >= limits.MIN_MEDIAN_BEATS:
            member = narrower
            break
    else:
        inside = member & (r >= int(0.12 * _RATE)) & (r + int(0.25 * _RATE) < n)
        member = inside if inside.any() else member
    if np.count_nonzero(member) > limits.MOST_MEDIAN_BEATS:
        # Of a long recording as many as make noise small, spread over all of it.
        there = np.flatnonzero(member)
        member = np.zeros_like(member)
        member[there[np.linspace(0, there.size - 1, limits.MOST_MEDIAN_BEATS).astype(int)]] = True
    if valid is None:
        alike: Bools = member[:, None]
        return alike
    missing = np.concatenate(
        [np.zeros((valid.shape[0], 1), dtype=np.int64), np.cumsum(~valid, axis=1)], axis=1
    )
    low = np.clip(r - int(0.3 * _RATE), 0, n)
    high = np.clip(r + qt_reach, 0, n)
    clean: Bools = (missing[:, high] - missing[:, low]) == 0
    chosen: Bools = member[:, None] & clean.T
    return chosen


def median_beat(x: Floats, classes: Classes, chosen: Bools) -> tuple[Floats, Floats]:
    """Median beat of every lead and the stack it was taken from.

    Returns
    -------
    median_mv : float32 array ``(leads, PRE + POST)``
        0 for a lead without any beat.
    stack_mv : float32 array ``(beats, leads, PRE + POST)``
        The beats of which at least one lead was chosen.
    """
    rows = chosen.any(axis=1)
    stack = windows(x, classes.r[rows], PRE, POST)
    used = chosen[rows]
    if used.all():
        return middle(stack), stack
    median = np.zeros(stack.shape[1:], dtype=np.float32)
    for lead in range(x.shape[0]):
        if used[:, lead].any():
            median[lead] = middle(stack[used[:, lead], lead : lead + 1])[0]
    return median, stack


def middle(stack: Floats) -> Floats:
    """The beat in the middle of a stack ``(beats, leads, samples)``, by Huber's location.

    It starts from the median of three means, which one bad beat cannot move, and steps towards the mean of what lies
    within twice the usual distance of each lead.
    """
    count = stack.shape[0]
    if count <= 2:
        return np.asarray(stack.mean(axis=0), dtype=np.float32)
    if (fast := kernels.of(stack)) is not None:
        found: Floats = fast.beats.middle(stack)
        return found
    a, b, c = (stack[k::GROUPS].sum(axis=0) * np.float32(1 / len(stack[k::GROUPS])) for k in range(GROUPS))
    centre: Floats = np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))
    away = stack - centre
    # Every fourth sample tells how far beats lie from their middle.
    far = np.abs(away[..., ::4]).sum(axis=(0, 2)) * np.float32(
        limits.HUBER_BOUND * 4 / (count * stack.shape[2])
    )
    far += np.float32(1e-6)
    bound = np.repeat(
        far[:, None], stack.shape[2], axis=1
    )  # whole rows: far quicker than one number for each
    least = -bound
    share = np.float32(1 / count)
    for step in range(STEPS):
        if step:
            np.subtract(stack, centre, out=away)
        np.minimum(away, bound, out=away)
        np.maximum(away, least, out=away)
        centre += away.sum(axis=0) * share
    return centre
