"""Median beats with T waves of known sides, for rules that ask whether T is symmetric."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measurements import MedianBeat

_RATE_HZ: Final = 500.0
_CREST: Final = 250  # sample
_FALL: Final = 40.0  # samples


def triangle(skew: float, *, leads: Mapping[str, float]) -> MedianBeat:
    """A flat beat with triangular T waves of these heights in mV; their near side is the longer.

    `skew` is what `t_skew` measures: from the middle of the stretch above 90 % to half the height, near over far.
    """
    rise = _FALL * (0.45 * skew - 0.05) / (0.45 - 0.05 * skew)
    at = np.arange(450.0) - _CREST
    shape = np.clip(np.minimum(1.0 + at / rise, 1.0 - at / _FALL), 0.0, None)
    samples = np.zeros((len(STANDARD_12), at.size), dtype=np.float32)
    for lead, height_mv in leads.items():
        samples[STANDARD_12.index(lead)] = height_mv * shape
    return MedianBeat(rate_hz=_RATE_HZ, samples_mv=samples, qrs_on_s=0.2, qrs_off_s=0.3)
