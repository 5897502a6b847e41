"""Confidence intervals of the accuracy report. Patients are drawn anew, not beats: beats of one heart are alike."""

import math
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

Interval = tuple[float, float]
Floats = NDArray[np.float64]

_SEED: Final = 20260302
_DRAWS: Final = 1000
_FEW_DRAWS: Final = 300  # where each draw sorts everything
_Z: Final = 1.959964


def wilson(hits: int, n: int) -> Interval | None:
    """95 % interval of a share in percent (Wilson 1927); None for none."""
    if n == 0:
        return None
    share = hits / n
    middle = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
    half = _Z / (1 + _Z * _Z / n) * math.sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    return 100 * max(0.0, middle - half), 100 * min(1.0, middle + half)


def _drawn(records: int, draws: int = _DRAWS) -> NDArray[np.int64]:
    return np.random.default_rng(_SEED).integers(0, records, (draws, records))


def _middle_95(values: Floats) -> Interval:
    low, high = np.percentile(values[np.isfinite(values)], (2.5, 97.5))
    return float(low), float(high)


def share(hits: Sequence[int], n: Sequence[int]) -> tuple[float | None, Interval | None]:
    """A share in percent over records, and the wider of its two intervals: by records drawn anew, and by Wilson.

    Records that are all perfect leave nothing to draw; Wilson alone takes the beats of one heart for independent.

    Parameters
    ----------
    hits, n : counts, one for each record
    """
    good, of = np.asarray(hits, dtype=float), np.asarray(n, dtype=float)
    good, of = good[of > 0], of[of > 0]
    total = int(of.sum())
    if total == 0:
        return None, None
    by_count = wilson(int(good.sum()), total)
    assert by_count is not None
    value = 100 * float(good.sum()) / total
    if good.size < 2:
        return value, by_count
    at = _drawn(good.size)
    low, high = _middle_95(100 * good[at].sum(axis=1) / of[at].sum(axis=1))
    return value, (min(low, by_count[0]), max(high, by_count[1]))


def bias_and_sd(records: Sequence[ArrayLike]) -> tuple[int, float, Interval, float, Interval] | None:
    """Count, mean and standard deviation over all values, each with its interval; None without values.

    Parameters
    ----------
    records : the values of each record
    """
    kept = [np.asarray(values, dtype=float) for values in records if np.size(values)]
    if not kept:
        return None
    count = np.array([v.size for v in kept], dtype=float)
    first, second = np.array([v.sum() for v in kept]), np.array([(v * v).sum() for v in kept])
    at = _drawn(len(kept))
    n = count[at].sum(axis=1)
    mean = first[at].sum(axis=1) / n
    sd = np.sqrt(np.maximum(second[at].sum(axis=1) / n - mean**2, 0.0))
    everything = np.concatenate(kept)
    return (
        everything.size,
        float(everything.mean()),
        _middle_95(mean),
        float(everything.std()),
        _middle_95(sd),
    )


def of_records(
    records: Sequence[ArrayLike], number: Callable[[Floats], float]
) -> tuple[int, float, Interval] | None:
    """Count, one number made of all values (a percentile, say) and its interval; None without values."""
    kept = [np.asarray(values, dtype=float) for values in records if np.size(values)]
    if not kept:
        return None
    drawn = np.array(
        [number(np.concatenate([kept[i] for i in row])) for row in _drawn(len(kept), _FEW_DRAWS)]
    )
    everything = np.concatenate(kept)
    return everything.size, number(everything), _middle_95(drawn)


def p95_of_size(values: Floats) -> float:
    """95th percentile of the absolute values."""
    return float(np.percentile(np.abs(values), 95))
