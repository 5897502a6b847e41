"""Leads that were computed and not recorded, and the heart vector: XYZ, axes, the spatial QRS-T angle.

The frame is Frank's: X to the left, Y down, Z to the back. A computed lead is always wrapped in `DerivedLeads`, so
that it cannot pass for a recorded one.
"""

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from greenchannel.signal.leads import LIMB, PRECORDIAL, STANDARD_12

Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
Wave = tuple[int, int]
XyzMethod = Literal["kors", "inverse_dower"]
Method = Literal["limb", "easi", "kors", "inverse_dower"]

VECTOR_FROM: Final = (*PRECORDIAL, "I", "II")
"""The eight independent leads, in the order of the columns of `TO_XYZ`."""
TO_XYZ: Final[dict[str, tuple[tuple[float, ...], ...]]] = {
    # SIG-7: Kors JA et al, Eur Heart J 1990;11:1083, regression [S].
    "kors": (
        (-0.13, 0.05, -0.01, 0.14, 0.06, 0.54, 0.38, -0.07),
        (0.06, -0.02, -0.05, 0.06, -0.17, 0.13, -0.07, 0.93),
        (-0.43, -0.06, -0.14, -0.20, -0.11, 0.31, 0.11, -0.23),
    ),
    # SIG-8: Edenbrandt L, Pahlm O, J Electrocardiol 1988;21:361 [S].
    "inverse_dower": (
        (-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010),
        (0.057, -0.019, -0.106, -0.022, 0.041, 0.048, -0.227, 0.887),
        (-0.229, -0.310, -0.246, -0.063, 0.055, 0.108, 0.022, 0.102),
    ),
}
EASI_FROM: Final = ("ES", "AS", "AI")
# SIG-9: Feild DQ et al, J Electrocardiol 2002;35 Suppl:23 [K]. The other limb leads follow from I and II.
EASI: Final[dict[str, tuple[float, float, float]]] = {
    "I": (0.026, -0.174, 0.701),
    "II": (-0.002, 1.098, -0.763),
    "V1": (0.641, -0.391, 0.080),
    "V2": (1.229, -1.050, 1.021),
    "V3": (0.947, -0.539, 0.987),
    "V4": (0.525, 0.004, 0.841),
    "V5": (0.179, 0.278, 0.630),
    "V6": (-0.043, 0.431, 0.213),
}
# Einthoven and Goldberger: each limb lead as so much of I and so much of II; exact.
LIMB_OF_I_II: Final[dict[str, tuple[float, float]]] = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
AXIS_OF_AVF: Final = 2.0 / math.sqrt(3.0)  # MEAS-7: augmented leads are shorter by this
MIN_AREA_MV_S: Final = 1e-4  # a net area below it points nowhere [E]
MIN_VECTOR_MV: Final = 0.02  # likewise a spatial vector [E]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class DerivedLeads:
    """Leads that no electrode recorded. Findings that rest on them are held lower (SIG-9)."""

    leads: tuple[str, ...]
    x_mv: Floats
    """Shape ``(..., leads, samples)``."""
    method: Method
    derived: Literal[True] = field(default=True, init=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class VectorMeasures:
    """Heart vector of one median beat; None is unknown. Areas are integrals over time, in mV·s.

    Frontal axes are 0 to the left and +90 down (MEAS-7), angles between spatial vectors 0…180.
    """

    p_axis_deg: float | None
    qrs_axis_deg: float | None
    t_axis_deg: float | None
    qrst_angle_mean_deg: float | None
    """Between the areas of QRS and of ST-T."""
    qrst_angle_peak_deg: float | None
    """Between the largest vectors of QRS and T."""
    qrs_peak_mv: float | None
    t_peak_mv: float | None
    qrs_area_mv_s: tuple[float, float, float] | None
    st_t_area_mv_s: tuple[float, float, float] | None
    gradient_mv_s: tuple[float, float, float] | None
    """Ventricular gradient: the area from QRS onset to the end of T."""
    gradient_size_mv_s: float | None
    method: XyzMethod | None
    """How XYZ were derived; None: there are none."""


@lru_cache(maxsize=64)
def limb_matrix(present: tuple[str, ...], wanted: tuple[str, ...]) -> Floats | None:
    """Matrix ``(wanted, 2)`` that makes limb leads of the first two of `present`; None where these are not two."""
    two = _first_two(present)
    if len(two) < 2:
        return None
    base = np.array([LIMB_OF_I_II[name] for name in two])
    return np.array([LIMB_OF_I_II[name] for name in wanted]) @ np.linalg.inv(base)


def _first_two(present: tuple[str, ...]) -> tuple[str, ...]:
    """Two limb leads, I and II where they are: any two determine the other four."""
    return tuple(name for name in LIMB if name in present)[:2]


def to_xyz(
    leads: tuple[str, ...], x_mv: Floats, method: XyzMethod = "kors", usable: Bools | None = None
) -> Floats | None:
    """Frank's leads from the standard ones.

    Parameters
    ----------
    leads, x_mv : names of the rows of an array ``(..., leads, samples)``
    method : SIG-7 or SIG-8
    usable : array ``(leads,)``, optional
        A lead that is not usable is missing.

    Returns
    -------
    array ``(..., 3, samples)``; None where V1–V6 or any two limb leads are missing
    """
    matrix = _xyz_matrix(leads, method, _allowed(leads, usable))
    if matrix is None:
        return None
    x = np.asarray(x_mv)
    return np.asarray(matrix.astype(x.dtype, copy=False) @ x)


def _allowed(leads: tuple[str, ...], usable: Bools | None) -> tuple[str, ...]:
    if usable is None:
        return leads
    return tuple(name for name, good in zip(leads, usable.tolist(), strict=False) if good)


@lru_cache(maxsize=64)
def _xyz_matrix(leads: tuple[str, ...], method: str, allowed: tuple[str, ...]) -> Floats | None:
    """Matrix ``(3, leads)``, zero for the leads that have no part."""
    limb = limb_matrix(allowed, ("I", "II"))
    if limb is None or not set(PRECORDIAL) <= set(allowed):
        return None
    table = np.array(TO_XYZ[method])
    matrix = np.zeros((3, len(leads)))
    for column, name in enumerate(PRECORDIAL):
        matrix[:, leads.index(name)] = table[:, column]
    for column, name in enumerate(_first_two(allowed)):
        matrix[:, leads.index(name)] += table[:, 6:] @ limb[:, column]
    return matrix


def derived_leads(
    leads: tuple[str, ...], x_mv: Floats, method: Method, usable: Bools | None = None
) -> DerivedLeads | None:
    """Compute leads from recorded ones, and mark them as computed.

    Parameters
    ----------
    leads, x_mv, usable : as in `to_xyz`
    method
        ``limb``: the limb leads that `leads` does not name, from any two; ``easi``: the standard twelve from ES, AS
        and AI; ``kors``, ``inverse_dower``: X, Y and Z.

    Returns
    -------
    DerivedLeads; None where the leads it needs are missing, or nothing is left to be computed
    """
    x = np.asarray(x_mv)
    allowed = _allowed(leads, usable)
    if method in TO_XYZ:
        xyz = to_xyz(leads, x, "kors" if method == "kors" else "inverse_dower", usable)
        return None if xyz is None else DerivedLeads(leads=("X", "Y", "Z"), x_mv=xyz, method=method)
    sources: tuple[str, ...] = EASI_FROM
    names: tuple[str, ...] = STANDARD_12
    if method == "easi":
        matrix = _easi_matrix() if set(EASI_FROM) <= set(allowed) else None
    else:
        sources, names = _first_two(allowed), tuple(name for name in LIMB if name not in leads)
        matrix = limb_matrix(allowed, names) if names else None
    if matrix is None:
        return None
    rows = [leads.index(name) for name in sources]
    made = matrix.astype(x.dtype, copy=False) @ x[..., rows, :]
    return DerivedLeads(leads=names, x_mv=made, method=method)


@lru_cache(maxsize=1)
def _easi_matrix() -> Floats:
    """Matrix ``(12, 3)``."""
    one, two = np.array(EASI["I"]), np.array(EASI["II"])
    rows = [
        EASI[v] if v in EASI else LIMB_OF_I_II[v][0] * one + LIMB_OF_I_II[v][1] * two for v in STANDARD_12
    ]
    return np.array(rows)


def frontal_axis_deg(one_area: float, avf_area: float) -> float | None:
    """Axis from net areas of I and aVF in mV·s (MEAS-7); None where they point nowhere.

    >>> round(frontal_axis_deg(0.01, 0.01), 1)
    49.1
    """
    if not math.hypot(one_area, avf_area) >= MIN_AREA_MV_S or math.isinf(one_area) or math.isinf(avf_area):
        return None
    return math.degrees(math.atan2(AXIS_OF_AVF * avf_area, one_area))


def measure_vectors(
    *,
    leads: tuple[str, ...],
    beat_mv: Floats,
    rate_hz: float,
    qrs: Wave,
    p: Wave | None = None,
    t: Wave | None = None,
    usable: Bools | None = None,
    method: XyzMethod = "kors",
) -> VectorMeasures:
    """Axes and vectors of a median beat.

    Parameters
    ----------
    leads, beat_mv, rate_hz, usable : as in `to_xyz`; PR baseline at 0
    qrs, p, t : first and last sample of each wave, None where there is none
        ST-T goes from the end of QRS to the end of T; the largest T vector is looked for from T's onset on.
    """
    x = np.asarray(beat_mv, dtype=np.float64)
    if not math.isfinite(float(x.sum())):
        x = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
    limb = limb_matrix(_allowed(leads, usable), ("I", "aVF"))
    frontal = (
        None if limb is None else limb @ x[[leads.index(v) for v in _first_two(_allowed(leads, usable))]]
    )
    axes = [
        None if frontal is None or wave is None else frontal_axis_deg(*_area(frontal, wave, rate_hz).tolist())
        for wave in (p, qrs, t)
    ]
    xyz = to_xyz(leads, x, method, usable)
    made = {} if xyz is None else _spatial(xyz, rate_hz, qrs, t)
    return VectorMeasures(
        p_axis_deg=axes[0],
        qrs_axis_deg=axes[1],
        t_axis_deg=axes[2],
        qrst_angle_mean_deg=_angle(made.get("qrs"), made.get("st_t"), MIN_AREA_MV_S),
        qrst_angle_peak_deg=_angle(made.get("qrs_peak"), made.get("t_peak"), MIN_VECTOR_MV),
        qrs_peak_mv=_size(made.get("qrs_peak")),
        t_peak_mv=_size(made.get("t_peak")),
        qrs_area_mv_s=_triple(made.get("qrs")),
        st_t_area_mv_s=_triple(made.get("st_t")),
        gradient_mv_s=_triple(made.get("gradient")),
        gradient_size_mv_s=_size(made.get("gradient")),
        method=None if xyz is None else method,
    )


def _spatial(xyz: Floats, rate_hz: float, qrs: Wave, t: Wave | None) -> dict[str, Floats]:
    """Areas and largest vectors, shape ``(3,)`` each."""
    made = {"qrs": _area(xyz, qrs, rate_hz), "qrs_peak": _largest(xyz, qrs)}
    if t is not None:
        made["st_t"] = _area(xyz, (qrs[1] + 1, t[1]), rate_hz)
        made["gradient"] = made["qrs"] + made["st_t"]
        made["t_peak"] = _largest(xyz, (max(t[0], qrs[1] + 1), t[1]))
    return made


def _area(x: Floats, wave: Wave, rate_hz: float) -> Floats:
    return np.asarray(x[:, max(wave[0], 0) : max(wave[1] + 1, 0)].sum(axis=1) / rate_hz)


def _largest(xyz: Floats, wave: Wave) -> Floats:
    part = xyz[:, max(wave[0], 0) : max(wave[1] + 1, 0)]
    peak = int(np.einsum("xs,xs->s", part, part).argmax()) if part.shape[1] else 0
    return part[:, peak] if part.shape[1] else np.zeros(3)


def _angle(a: Floats | None, b: Floats | None, least: float) -> float | None:
    """Angle between two vectors in degrees; None where one of them is too short to point anywhere."""
    if a is None or b is None:
        return None
    (x, y, z), (u, v, w) = a.tolist(), b.tolist()
    if not min(math.hypot(x, y, z), math.hypot(u, v, w)) >= least:
        return None
    across = math.hypot(y * w - z * v, z * u - x * w, x * v - y * u)
    return math.degrees(math.atan2(across, x * u + y * v + z * w))


def _size(a: Floats | None) -> float | None:
    return None if a is None else math.sqrt(float(a @ a))


def _triple(a: Floats | None) -> tuple[float, float, float] | None:
    return None if a is None else tuple(a.tolist())
