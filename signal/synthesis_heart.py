"""One person's heart."""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from greenchannel.signal.synthesis_conduction import CONDUCTIONS
from greenchannel.signal.synthesis_tables import CHEST, ROW, VIEWS, Floats, Vector

PR_S: Final = 0.160
P_S: Final = 0.120
QRS_S: Final = CONDUCTIONS["narrow"].qrs_s
QT_AT_60_S: Final = 0.400

# [E]
LOW_VOLTAGE: Final = 0.32  # shares of QRS and T that are left
TALL_T: Final = (2.8, 0.70)  # gain, and length as a share
T_SKEW: Final = 1.45  # rises slowly, falls fast

# A normal J lies above the baseline in V2 and V3, most in young men (Macfarlane 2001 [K]; the numbers
# by hand [E]): at 25 years, what it loses in a decade, and in women.
J_NORMAL_MALE_MV: Final = 0.11
J_NORMAL_DECADE_MV: Final = 0.012
J_NORMAL_FEMALE_MV: Final = 0.035
# Women: smaller QRS and T, longer QT (Macfarlane 1989, Rautaharju 1992 [K]).
FEMALE: Final = {"qrs": 0.88, "t": 0.80, "qrs_s": -0.006, "qt_s": 0.010}
# Ageing from 40: axis to the left, smaller T, slower PR (Macfarlane 1989 [K]); per decade.
AGEING: Final = {"axis_deg": -6.0, "t": 0.95, "qrs": 0.98, "pr_s": 0.004}

# Spread between persons at variation 1, standard deviations [E], near those of normal values [K].
SPREAD: Final = {
    "axis_deg": 18.0,  # in the frontal plane
    "turn_deg": 14.0,  # about the long axis, seen from above
    "t_turn_deg": 10.0,
    "size": 0.22,
    "t": 0.25,
    "p": 0.20,
    "pr_s": 0.016,
    "p_s": 0.008,
    "qrs_s": 0.007,
    "qt_s": 0.014,
    "skew": 0.15,
    "view": 0.10,  # share of a chest electrode's view: misplaced by about 1–2 cm
}


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Heart:
    """What one person's waves are made of, before rate and conduction."""

    pr_s: float = PR_S
    p_s: float = P_S
    qrs_s: float = QRS_S
    qt_at_60_s: float = QT_AT_60_S
    p_waves: tuple[tuple[float, float, Vector], ...] = (
        # right atrium, to the front; then the left one, to the back: biphasic in V1
        (0.00, 0.72, (0.070, 0.095, -0.055)),
        (0.30, 1.00, (0.090, 0.065, 0.060)),
    )
    t_vector: Vector = (0.27, 0.16, -0.19)
    t_skew: float = T_SKEW
    t_after_j_s: float = 0.060
    t_length: float = 1.0
    qrs_gain: float = 1.0
    p_gain: float = 1.0
    t_gain: float = 1.0
    normal_j_mv: float = 0.0
    axis_deg: float = 0.0
    turn_deg: float = 0.0
    t_turn_deg: float = 0.0
    ectopic: str = "outflow"
    """Key of `CONDUCTIONS` for its ectopic beats."""
    j_wave: bool = False
    pr_depression: bool = False
    views: Floats = field(default_factory=lambda: VIEWS)


PLAIN: Final = Heart(
    p_waves=((0.0, 1.0, (0.07, 0.12, -0.02)),),
    t_vector=(0.26, 0.20, -0.17),
    t_skew=1.0,
    t_after_j_s=0.090,
    ectopic="ectopic",
)
"""The heart of `synthesize`: symmetric waves and no person's traits."""


def person(seed: int, variation: float, age_years: float | None, sex: str | None) -> Heart:
    """The heart of somebody: the standard one at `variation` 0, else drawn from the seed."""
    z = dict(
        zip(
            SPREAD, np.random.default_rng([seed, 1]).standard_normal(len(SPREAD)).clip(-2.5, 2.5), strict=True
        )
    )
    off = {name: variation * spread * float(z[name]) for name, spread in SPREAD.items()}
    decades = max((age_years or 40.0) - 40.0, 0.0) / 10
    female = sex is not None and sex.upper().startswith("F")
    body = FEMALE if female else {"qrs": 1.0, "t": 1.0, "qrs_s": 0.0, "qt_s": 0.0}
    views = VIEWS
    if variation:
        views = VIEWS.copy()
        rows = [ROW[name] for name in CHEST]
        push = np.random.default_rng([seed, 2]).standard_normal((len(rows), 3)).clip(-2.5, 2.5)
        length = np.linalg.norm(views[rows], axis=1, keepdims=True)
        views[rows] += variation * SPREAD["view"] / math.sqrt(3) * length * push
    return Heart(
        pr_s=PR_S + off["pr_s"] + decades * AGEING["pr_s"],
        p_s=P_S + off["p_s"],
        qrs_s=QRS_S + body["qrs_s"] + off["qrs_s"],
        qt_at_60_s=QT_AT_60_S + body["qt_s"] + off["qt_s"],
        t_skew=max(T_SKEW + off["skew"], 1.0),
        qrs_gain=body["qrs"] * AGEING["qrs"] ** decades * math.exp(off["size"]),
        p_gain=math.exp(off["p"]),
        t_gain=body["t"] * AGEING["t"] ** decades * math.exp(off["t"]),
        normal_j_mv=_normal_j(age_years, female) if age_years is not None or sex is not None else 0.0,
        axis_deg=decades * AGEING["axis_deg"] + off["axis_deg"],
        turn_deg=off["turn_deg"],
        t_turn_deg=off["t_turn_deg"],
        views=views,
    )


def _normal_j(age_years: float | None, female: bool) -> float:
    if female:
        return J_NORMAL_FEMALE_MV
    decades = max((40.0 if age_years is None else age_years) - 25.0, 0.0) / 10
    return max(J_NORMAL_MALE_MV - J_NORMAL_DECADE_MV * decades, J_NORMAL_FEMALE_MV)


def turned(axis_deg: float, turn_deg: float) -> Floats:
    """Rotation of the heart: in the frontal plane (positive: down), and seen from above."""
    a, b = math.radians(axis_deg), math.radians(turn_deg)
    frontal = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    level = np.array([[math.cos(b), 0, -math.sin(b)], [0, 1, 0], [math.sin(b), 0, math.cos(b)]])
    both: Floats = level @ frontal
    return both
