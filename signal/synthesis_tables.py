"""What the simulator is made of: electrodes and their views, territories, shapes of ST.

The heart is one vector in the frame X (left), Y (down), Z (back), in mV. An electrode sees it through
a lead vector; leads are differences of electrodes, so Einthoven, Goldberger and Wilson's terminal hold
by construction and exchanged cables behave as they do on a person. Potentials are those against
Wilson's terminal of rightly placed limb electrodes. X, Y, Z are rows of their own, without electrodes.

Marks: [K] as cited, [E] our estimate, chosen so that the trace looks as textbooks draw it.
"""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.leads import ALL, VECTOR

Floats = NDArray[np.float64]
Vector = tuple[float, float, float]

# Dower 1980 [K] for I, II and V1–V6; V7–V9 and V3R–V5R continue it round the chest [E].
_I: Final = (0.632, -0.235, 0.059)
_II: Final = (0.235, 1.066, -0.132)
_CHEST: Final[dict[str, Vector]] = {
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
    "V7": (0.560, 0.070, 0.420),
    "V8": (0.330, 0.065, 0.520),
    "V9": (0.160, 0.060, 0.560),
    "V3R": (-0.620, 0.150, -0.560),
    "V4R": (-0.600, 0.140, -0.380),
    "V5R": (-0.560, 0.130, -0.240),
}
CHEST: Final = tuple(_CHEST)
LIMBS: Final = ("RA", "LA", "LL", "RL")
ELECTRODES: Final = LIMBS + CHEST
ROWS: Final = ELECTRODES + VECTOR
"""What has a potential of its own: the electrodes, then X, Y, Z."""
ROW: Final = {name: i for i, name in enumerate(ROWS)}

# The right leg sees nearly what the left one does [E]: 2 % less, so RA/RL leaves II all but flat.
RIGHT_LEG_SHARE: Final = 0.98


def from_limb_leads(one: float, two: float) -> dict[str, float]:
    """Potentials of the limb electrodes that make these values of I and II."""
    return {
        "RA": -(one + two) / 3,
        "LA": (2 * one - two) / 3,
        "LL": (2 * two - one) / 3,
        "RL": RIGHT_LEG_SHARE * (2 * two - one) / 3,
    }


def _views() -> Floats:
    columns = [from_limb_leads(a, b) for a, b in zip(_I, _II, strict=True)]
    limbs = [[column[name] for column in columns] for name in LIMBS]
    return np.array([*limbs, *_CHEST.values(), *np.eye(3).tolist()])


VIEWS: Final = _views()
"""Lead vectors of `ROWS`, shape ``(rows, 3)``."""


def _lead_matrix() -> Floats:
    plain: dict[str, dict[str, float]] = {
        "I": {"LA": 1, "RA": -1},
        "II": {"LL": 1, "RA": -1},
        "III": {"LL": 1, "LA": -1},
        "aVR": {"RA": 1, "LA": -0.5, "LL": -0.5},
        "aVL": {"LA": 1, "RA": -0.5, "LL": -0.5},
        "aVF": {"LL": 1, "RA": -0.5, "LA": -0.5},
    }
    third = dict.fromkeys(("RA", "LA", "LL"), -1 / 3)
    plain |= {name: {name: 1.0} | third for name in CHEST} | {name: {name: 1.0} for name in VECTOR}
    return np.array([[plain[lead].get(row, 0.0) for row in ROWS] for lead in ALL])


LEADS: Final = _lead_matrix()
"""Each lead of `leads.ALL` as a sum of `ROWS`, shape ``(leads, rows)``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Territory:
    """Where muscle is injured: the vector seen from afar, and what electrodes above it see besides.

    A dipole cannot rise in three neighbouring chest leads alone; `near` is the share of the current
    that the electrodes over the injured wall see because they are close to it.
    """

    leading: str
    """The lead in which `stj_mv` is meant; the pattern is scaled so that it is 1 there."""

    vector: Vector
    near: dict[str, float] = field(default_factory=dict)

    def pattern(self) -> Floats:
        """ST of `ROWS` where the leading lead has 1 mV."""
        raw = VIEWS @ np.array(self.vector)
        for name, share in self.near.items():
            raw[ROW[name]] += share
        unit: Floats = raw / (LEADS[ALL.index(self.leading)] @ raw)
        return unit


# Injury vectors point at the injured wall (Janse 1986; Wagner 2009 [K] for the directions); sizes and
# `near` are [E], set so that the leads named for each territory rise and the opposite ones sink.
# fmt: off
TERRITORIES: Final[dict[str, Territory]] = {
    "septal": Territory(
        leading="V2", vector=(-0.12, -0.02, -0.28),
        near={"V1": 0.16, "V2": 0.24, "V4": 0.10, "V5": 0.07, "V6": 0.10, "V7": 0.09,
              "V8": 0.09, "V9": 0.08, "V3R": -0.15, "V4R": -0.13, "V5R": -0.10},
    ),
    "anteroseptal": Territory(
        leading="V2", vector=(0.06, -0.03, -0.42),
        near={"V1": 0.02, "V3": -0.06, "V5": -0.06, "V8": 0.08, "V9": 0.11, "V3R": -0.12,
              "V4R": -0.08, "V5R": -0.05},
    ),
    "anterior": Territory(
        leading="V4", vector=(0.10, 0.00, -0.16),
        near={"V1": -0.10, "V2": -0.10, "V3": 0.32, "V4": 0.40, "V5": 0.20},
    ),
    "extensive_anterior": Territory(
        leading="V3", vector=(0.32, -0.06, -0.34),
        near={"V1": 0.08, "V2": 0.12, "V5": 0.06, "V6": 0.12},
    ),
    "anterolateral": Territory(
        leading="V5", vector=(0.40, -0.06, -0.02),
        near={"V1": 0.10, "V3": -0.06, "V4": 0.02, "V6": 0.06, "V7": -0.15, "V8": -0.08,
              "V9": -0.03, "V3R": 0.11, "V4R": 0.11, "V5R": 0.09},
    ),
    "high_lateral": Territory(
        leading="aVL", vector=(0.30, -0.25, 0.00),
        near={"V1": 0.09, "V3": -0.16, "V4": -0.26, "V5": -0.23, "V6": -0.15, "V7": -0.10,
              "V8": -0.06, "V9": -0.02, "V3R": 0.10, "V4R": 0.09, "V5R": 0.08},
    ),
    "lateral": Territory(
        leading="V6", vector=(0.36, -0.16, 0.22),
        near={"V1": 0.22, "V2": 0.15, "V4": -0.24, "V5": -0.04, "V6": 0.08, "V7": -0.22,
              "V8": -0.18, "V9": -0.15, "V3R": 0.18, "V4R": 0.15, "V5R": 0.13},
    ),
    "inferior": Territory(
        leading="III", vector=(-0.10, 0.26, 0.03),
        near={"V1": -0.06, "V2": -0.05, "V4": 0.05, "V5": 0.08, "V6": 0.06, "V3R": -0.07,
              "V4R": -0.07, "V5R": -0.07},
    ),
    "inferolateral": Territory(
        leading="II", vector=(0.10, 0.24, 0.10),
        near={"V4": -0.06, "V5": 0.08, "V6": 0.12, "V7": -0.07, "V8": -0.07, "V9": -0.07},
    ),
    "inferoposterior": Territory(
        leading="III", vector=(-0.06, 0.24, 0.16),
        near={"V4": 0.05, "V7": 0.06, "V8": 0.05, "V9": 0.04},
    ),
    "posterior": Territory(
        leading="V8", vector=(0.02, 0.02, 0.22),
        near={"V2": 0.08, "V3": 0.06, "V6": -0.02, "V7": 0.03, "V8": 0.04},
    ),
    "right_ventricular": Territory(
        leading="V4R", vector=(-0.16, 0.06, -0.06),
        near={"V1": 0.02, "V2": -0.06, "V3": 0.05, "V4": 0.12, "V5": 0.12, "V6": 0.10,
              "V3R": 0.12, "V4R": 0.14, "V5R": 0.12},
    ),
    "inferior_right_ventricular": Territory(
        leading="III", vector=(-0.18, 0.28, 0.01),
        near={"V2": -0.05, "V3": 0.02, "V4": 0.10, "V5": 0.12, "V6": 0.10, "V3R": 0.05,
              "V4R": 0.06, "V5R": 0.04},
    ),
    "inferoposterior_right_ventricular": Territory(
        leading="III", vector=(-0.17, 0.30, 0.05),
        near={"V4": 0.10, "V5": 0.10, "V6": 0.08, "V7": 0.12, "V8": 0.11, "V9": 0.10,
              "V4R": 0.06, "V5R": 0.05},
    ),
    # No single wall: depression nearly everywhere with aVR up; pericarditis is its mirror.
    "diffuse_subendocardial": Territory(
        leading="aVR", vector=(-0.25, -0.14, 0.04),
        near={"V1": -0.02, "V3R": -0.08, "V4R": -0.08, "V5R": -0.09},
    ),
    "pericarditis": Territory(
        leading="II", vector=(0.17, 0.15, -0.05),
        near={"V1": 0.02},
    ),
    "early_repolarisation": Territory(
        leading="V4", vector=(0.14, 0.09, -0.09),
    ),
}
# fmt: on


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """The course of ST after J, as shares of its level there.

    ``level = (1 + side · (grow · v**power + dome · arch)) · fall + side · hump``: v is the time from J in units of
    100 ms, ending gently at the top of T; side is the sign of the level at J where the shape is `signed`.
    """

    grow: float = 0.0
    power: float = 1.0
    dome: float = 0.0
    """Height of an arch from J to the end of T, highest before the middle."""
    hold_s: float | None = 0.1
    """How long after J the level begins to return; None: at the top of T."""
    hump: float = 0.8
    """Hump of T that goes with ST."""
    signed: bool = True
    """Meant in the leading lead: what climbs rises there also where ST is depressed."""


SHAPES: Final[dict[str, Shape]] = {  # [E]
    "plateau": Shape(signed=False),
    "climbing": Shape(grow=0.6, hold_s=None, hump=0.5),
    "concave": Shape(grow=0.25, power=2.0, hold_s=None, hump=0.5),
    "domed": Shape(dome=1.0, hold_s=None, hump=-0.4),
    "downsloping": Shape(grow=-0.6, hump=-1.5),
}
