"""The algebra of the limb leads (Einthoven 1912, Goldberger 1942): three potentials, of which two differences are free.

I, II and III are differences of RA, LA and LL; aVR, aVL and aVF are one of them against the mean of the other two. So
any two of the six give the other four, and four relations between them hold whatever the heart does.
"""

import math
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

_Value = TypeVar("_Value", float, NDArray[np.float64])

POTENTIALS: Final[dict[str, tuple[float, float, float]]] = {
    # Each lead as a sum of the potentials of RA, LA and LL.
    "I": (-1.0, 1.0, 0.0),
    "II": (-1.0, 0.0, 1.0),
    "III": (0.0, -1.0, 1.0),
    "aVR": (1.0, -0.5, -0.5),
    "aVL": (-0.5, 1.0, -0.5),
    "aVF": (-0.5, -0.5, 1.0),
}
NAMES: Final = tuple(POTENTIALS)
OF_I_II: Final[dict[str, tuple[float, float]]] = {
    # With RA taken for zero I is the potential of LA, and II that of LL.
    name: (left_arm, left_leg)
    for name, (_, left_arm, left_leg) in POTENTIALS.items()
}
RELATIONS: Final[NDArray[np.float32]] = np.array(
    # Each row is zero on I, II, III, aVR, aVL, aVF: I + III − II; aVR, aVL and aVF less what I, II and III make them.
    [[1, -1, 1, 0, 0, 0], [0.5, 0.5, 0, 1, 0, 0], [-0.5, 0, 0.5, 0, 1, 0], [0, -0.5, -0.5, 0, 0, 1]],
    dtype=np.float32,
)
AVF_TO_I: Final = 2 / math.sqrt(3)
"""What makes aVF as long as I: an augmented lead sees the equilateral triangle √3/2 as large (MEAS-7)."""


def from_i_ii(one: _Value, two: _Value) -> dict[str, _Value]:
    """The six limb leads that belong to values of I and II, numbers or arrays of one shape, in their unit.

    >>> from_i_ii(1.0, 3.0)
    {'I': 1.0, 'II': 3.0, 'III': 2.0, 'aVR': -2.0, 'aVL': -0.5, 'aVF': 2.5}
    """
    return {name: a * one + b * two for name, (a, b) in OF_I_II.items()}


def axis_deg(one: float, avf: float) -> float:
    """The direction in the frontal plane of what I and aVF see, −180 to 180 degrees: 0 is left, 90 is down.

    >>> round(axis_deg(1.0, 1.0), 1)
    49.1
    """
    return math.degrees(math.atan2(AVF_TO_I * avf, one))
