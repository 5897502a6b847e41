"""How the ventricles are reached: vectors of the QRS, and what they do to ST and T."""

from dataclasses import dataclass
from typing import Final

from greenchannel.signal.synthesis_tables import Vector


@dataclass(frozen=True, kw_only=True, slots=True)
class Conduction:
    """How the ventricles are reached. Bumps are (start, end, mV), as shares of the QRS."""

    qrs_s: float
    bumps: tuple[tuple[float, float, Vector], ...]
    pr_s: float | None = None
    t_gain: float = 1.0
    t_added: Vector = (0.0, 0.0, 0.0)
    """Secondary change of T."""
    j_vector: Vector = (0.0, 0.0, 0.0)
    """Secondary ST at J."""


_NARROW: Final = (
    (0.00, 0.45, (-0.12, -0.05, -0.30)),  # septum: right and front
    (0.15, 0.80, (1.15, 0.95, 0.10)),  # free walls: left and down
    (0.50, 1.00, (-0.25, -0.15, 0.55)),  # base: back
)
# Directions of activation after Durrer 1970, Surawicz 2009 (AHA Part III) [K]; sizes [E].
CONDUCTIONS: Final[dict[str, Conduction]] = {
    "narrow": Conduction(qrs_s=0.090, bumps=_NARROW),
    "rbbb": Conduction(
        qrs_s=0.140,
        bumps=(
            (0.00, 0.29, (-0.12, -0.05, -0.30)),
            (0.10, 0.51, (1.10, 0.90, 0.15)),
            (0.30, 0.62, (-0.05, -0.10, 0.45)),
            (0.46, 1.00, (-0.58, -0.08, -0.62)),  # the right ventricle, late and slow
        ),
        t_added=(0.06, 0.0, 0.26),
        j_vector=(0.01, 0.0, 0.03),
    ),
    "lbbb": Conduction(
        qrs_s=0.150,
        bumps=(
            (0.00, 0.34, (0.22, 0.08, -0.16)),  # septum from the right: leftward, no q
            (0.10, 0.64, (0.90, 0.45, 0.95)),
            (0.42, 0.98, (0.80, -0.05, 0.85)),  # second shoulder: the notch of I and V6
            (0.62, 1.00, (0.15, -0.10, 0.45)),
        ),
        t_gain=0.2,
        t_added=(-0.30, -0.04, -0.29),
        j_vector=(-0.09, -0.01, -0.13),
    ),
    "lafb": Conduction(
        qrs_s=0.105,
        bumps=(
            (0.00, 0.42, (-0.16, 0.40, -0.22)),  # first down and right: q of I and aVL, r of III
            (0.18, 0.82, (0.88, -0.56, 0.15)),
            (0.48, 1.00, (0.10, -0.44, 0.48)),
        ),
    ),
    "wpw": Conduction(
        qrs_s=0.130,
        pr_s=0.100,
        bumps=(
            (0.00, 0.58, (0.34, -0.10, -0.22)),  # delta: slow, from a right posteroseptal bundle
            (0.30, 0.86, (0.95, 0.70, 0.05)),
            (0.58, 1.00, (-0.15, -0.10, 0.45)),
        ),
        t_added=(-0.20, -0.06, 0.10),
        j_vector=(-0.04, 0.0, 0.02),
    ),
    "paced": Conduction(  # from the apex of the right ventricle: up, back, left
        qrs_s=0.160,
        bumps=(
            (0.00, 0.40, (0.20, -0.30, 0.15)),
            (0.10, 0.72, (0.22, -0.90, 0.75)),
            (0.44, 1.00, (0.12, -0.60, 0.72)),
        ),
        t_gain=0.1,
        t_added=(-0.08, 0.34, -0.28),
        j_vector=(-0.04, 0.10, -0.10),
    ),
    "outflow": Conduction(  # an ectopic from the outflow tract of the right ventricle: down, and left bundle shape
        qrs_s=0.155,
        bumps=(
            (0.00, 0.50, (0.10, 0.30, 0.25)),
            (0.12, 0.84, (0.30, 1.15, 0.85)),
            (0.50, 1.00, (0.10, 0.35, 0.55)),
        ),
        t_gain=0.0,
        t_added=(-0.16, -0.40, -0.34),
        j_vector=(-0.04, -0.10, -0.10),
    ),
    "ectopic": Conduction(  # one plain wave, for `synthesize`
        qrs_s=0.160, bumps=((0.0, 1.0, (-1.3, 1.0, 0.8)),), t_gain=0.0, t_added=(0.4, -0.3, -0.25)
    ),
    "ventricular": Conduction(  # a focus in the left ventricle: right bundle shape, axis to the right and up
        qrs_s=0.170,
        bumps=((0.00, 0.62, (-0.50, -0.75, -0.95)), (0.30, 1.00, (-0.75, -0.55, 0.55))),
        t_gain=0.0,
        t_added=(0.30, 0.40, 0.12),
        j_vector=(0.06, 0.06, 0.0),
    ),
}
