"""The wandering baseline: a cubic spline through the PR segment of the dominant beats, no high-pass.

Any linear high-pass that removes breathing (0.2–0.5 Hz) either bends ST after a tall QRS or, made zero phase, needs
several seconds of future and past that a 10-s strip does not have at its edges. The spline touches the trace only
through levels measured where the heart is silent (SIG-1 to SIG-3).
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal import kernels, limits
from greenchannel.signal.beats import HALF_HZ, Classes
from greenchannel.signal.grid import Floats
from greenchannel.signal.qrs import Ints

QUIET: Final = round(0.012 * HALF_HZ)  # so many quiet samples of a class's mean QRS make its onset

Doubles = NDArray[np.float64]


def knots(classes: Classes, n: int) -> Ints:
    """The sample before each dominant beat at which the level of its PR segment is taken; empty where unknown.

    It need not be the exact onset, only the same phase in each beat: the median beat is levelled anew.
    """
    r = classes.r[classes.label == 0]
    if r.size < classes.r.size / 2:
        r = classes.r
    onset = _onset(classes)
    if onset is None:
        return np.zeros(0, dtype=np.int64)
    ahead = round(limits.BASELINE_FROM_S * limits.ANALYSIS_RATE_HZ)
    at = r - 2 * (classes.shape_r - onset) - ahead
    inside: Ints = at[(at >= 0) & (at + width() <= n)]
    return inside


def width() -> int:
    """Samples that make one level."""
    return round((limits.BASELINE_FROM_S - limits.BASELINE_TO_S) * limits.ANALYSIS_RATE_HZ)


def _onset(classes: Classes) -> int | None:
    """Onset of the dominant QRS in its mean shape: where the spatial velocity has been low for a while."""
    shape = classes.shape
    if shape.size == 0:
        return None
    if (fast := kernels.of(shape)) is not None:
        found: int = fast.strip.onset(shape, classes.shape_r)
        return found if found >= 0 else None
    velocity = shape[:, 2:] - shape[:, :-2]
    speed = np.sqrt(np.einsum("ls,ls->s", velocity, velocity))
    steep = int(speed.argmax())
    quiet = speed < max(
        limits.KNOT_SPEED * float(speed[steep]), 1.5 * float(np.sort(speed[: QUIET * 3])[QUIET])
    )
    # The last stretch of so many quiet samples before the steep part.
    counts = np.cumsum(quiet[: min(steep, classes.shape_r) + 1])
    counts[QUIET:] = counts[QUIET:] - counts[:-QUIET]
    full = np.flatnonzero(counts == QUIET)
    return int(full[-1]) + 1 if full.size else None


def levels(x: Floats, at: Ints) -> Floats:
    """Mean of the samples behind each knot: ``(leads, knots)``."""
    if at.size and (fast := kernels.of(x)) is not None:
        level: Floats = fast.strip.levels(x, at)
        return level
    x, reach = np.ascontiguousarray(x), width()
    lead, step = x.strides
    windows: Floats = np.ndarray(
        (x.shape[0], x.shape[1] - reach + 1, reach), x.dtype, x, 0, (lead, step, step)
    )
    out: Floats = windows[:, at].sum(axis=2)
    out *= np.float32(1 / reach)
    return out


def spline(at: Ints, knots_mv: Floats, n: int) -> Floats:
    """Baseline of every lead through its knots, flat before the first and after the last one.

    Parameters
    ----------
    at : array ``(knots,)``, rising, at least one, in samples
    knots_mv : array ``(leads, knots)``
    n : number of samples

    Returns
    -------
    float32 array ``(leads, n)``
        A cubic spline (not-a-knot ends).
    """
    if (fast := kernels.of(knots_mv)) is not None:
        curve: Floats = fast.strip.spline(at, knots_mv, n)
        return curve
    wander = np.empty((knots_mv.shape[0], n), dtype=np.float32)
    wander[:, : at[0]] = knots_mv[:, :1]
    wander[:, at[-1] :] = knots_mv[:, -1:]
    if at.size == 1:
        return wander
    length = (at[1:] - at[:-1]).astype(np.float64)
    value = knots_mv.astype(np.float64)
    rise = (value[:, 1:] - value[:, :-1]) / length
    bend = _second_derivatives(length, rise)
    # Of each piece: value, slope, half the curvature, a sixth of its rise, by the samples from its start.
    pieces = np.empty((at.size - 1, knots_mv.shape[0], 4))
    pieces[..., 0] = value[:, :-1].T
    pieces[..., 1] = (rise - length / 6 * (2 * bend[:, :-1] + bend[:, 1:])).T
    pieces[..., 2] = bend[:, :-1].T / 2
    pieces[..., 3] = ((bend[:, 1:] - bend[:, :-1]) / (6 * length)).T
    powers = _powers(int(length.max()))
    for part, first, last in zip(pieces @ powers, at.tolist(), at[1:].tolist(), strict=False):
        wander[:, first:last] = part[:, : last - first]
    return wander


def _powers(longest: int) -> Doubles:
    """``t⁰ … t³`` for t from 0 on, ``(4, samples)``."""
    return _TABLE[:, :longest] if longest <= _TABLE.shape[1] else _table(longest)


def _table(size: int) -> Doubles:
    t = np.arange(float(size))
    return np.stack([np.ones_like(t), t, t * t, t * t * t])


_TABLE: Final = _table(1024)


def _second_derivatives(length: Doubles, rise: Doubles) -> Doubles:
    """Second derivative of the spline at its knots, ``(leads, knots)``.

    The third derivative does not jump at the second and the last but one knot; the rest is a tridiagonal system,
    solved by elimination (Thomas), all leads at once.

    Parameters
    ----------
    length : array ``(knots - 1,)``, of the pieces
    rise : array ``(leads, knots - 1)``, slope of each piece's chord
    """
    inner = length.size - 1
    if inner < 1:
        return np.zeros((rise.shape[0], length.size + 1))  # a line
    right = (6 * (rise[:, 1:] - rise[:, :-1])).T
    if inner == 1:  # three knots: a parabola, one curvature
        curvature = right[0] / (3 * (length[0] + length[1]))
        return np.repeat(curvature[:, None], 3, axis=1)
    h = length.tolist()
    first, last = h[0] / h[1], h[-1] / h[-2]
    middle = [2 * (h[k] + h[k + 1]) for k in range(inner)]
    above, below = h[1:-1], h[1:-1]
    middle[0] += h[0] * (1 + first)
    middle[-1] += h[-1] * (1 + last)
    above[0] -= h[0] * first
    below = [*below[:-1], below[-1] - h[-1] * last]
    # For a dozen leads plain numbers are quicker than arrays.
    rows: list[list[float]] = right.tolist()
    for k in range(1, inner):
        share = below[k - 1] / middle[k - 1]
        middle[k] -= share * above[k - 1]
        rows[k] = [a - share * b for a, b in zip(rows[k], rows[k - 1], strict=True)]
    bends = [[a / middle[-1] for a in rows[-1]]]
    for k in range(inner - 2, -1, -1):
        bends.append([(a - above[k] * b) / middle[k] for a, b in zip(rows[k], bends[-1], strict=True)])
    bend = np.empty((length.size + 1, rise.shape[0]))
    bend[inner:0:-1] = bends
    bend[0] = (1 + first) * bend[1] - first * bend[2]
    bend[-1] = (1 + last) * bend[-2] - last * bend[-3]
    return bend.T
