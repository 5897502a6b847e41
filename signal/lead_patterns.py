"""How usual a median beat looks, as it is and with each swap of two electrodes undone.

A swap is linear in the potentials, so it can be undone on trial. P, QRS and T are each summed up as a pattern over the
electrodes and over time, of unit size. A pattern is compared with those of people wired correctly: by its shape
(distance from the mean one), and by how well its leads predict each other. The latter is the ridge regression of each
lead on the others of LEAD-5, all at once: the inverse of the leads' second moment holds those regressions.
"""

from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Final

import numpy as np
import numpy.typing as npt

from greenchannel.signal.electrodes import ELECTRODES, LIMB_FORM, SWAPS, Floats, Samples

Singles = npt.NDArray[np.float32]

# --- Numbers that decide: how a beat is summed up -------------------------------------------------------------------
RATE_HZ: Final = 500.0  # MEAS-1: median beats live at 500 Hz [S]
PARTS: Final = {"P": 2, "QRS": 8, "T": 2}  # each phase is averaged over so many parts [E]
MIN_P_S: Final = 0.04  # a shorter P is none [E]
NO_T_S: Final = 0.30  # taken for the end of T behind J where it is unknown [E]
MIN_T_S: Final = 0.12  # at least so much behind J [E]
FLOOR_MV: Final = 0.001  # a phase weaker than this (RMS) is silent [E]
TAIL: Final = 0.3  # distances count as with Student's t: odd beats are odd under every hypothesis [E]


def _basis() -> Floats:
    """Orthonormal coordinates of nine potentials against Wilson's terminal, ``(8, 9)``: two of the limbs, V1–V6."""
    basis = np.zeros((8, 9))
    basis[0, :3] = np.array([-1.0, 1.0, 0.0]) / np.sqrt(2)
    basis[1, :3] = np.array([-1.0, -1.0, 2.0]) / np.sqrt(6)
    basis[2:, 3:] = np.eye(6)
    return basis


def _trials() -> Floats:
    """What each hypothesis makes of the coordinates, shape ``(1 + swaps, 8, 8)``; the first one is "no swap"."""
    maps = []
    for swap in (None, *SWAPS):
        swapped = np.eye(9)
        if swap is not None:
            a, b = (ELECTRODES.index(name) for name in swap)
            swapped[[a, b]] = swapped[[b, a]]
        swapped -= swapped[:3].mean(axis=0)
        maps.append(_BASIS @ swapped @ _BASIS.T)
    return np.array(maps)


_BASIS: Final = _basis()
_TRIALS: Final = _trials()
ALL_PARTS: Final = sum(PARTS.values())
_AT: Final = {"P": slice(0, 2), "QRS": slice(2, 10), "T": slice(10, 12)}
_COUNTS: Final = np.array(list(PARTS.values()))
_BELONGS: Final = np.repeat(np.eye(len(PARTS)), _COUNTS, axis=0)  # (parts, phases)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Plan:
    """What can be asked of these leads."""

    rows: npt.NDArray[np.intp]  # leads of use
    coordinates: Floats  # (present, rows): from leads to coordinates
    present: npt.NDArray[np.intp]  # coordinates that are known
    swaps: tuple[tuple[str, str], ...]  # that can be seen; hypothesis 0 is "none", hypothesis i is swap i - 1
    trials: Floats  # (hypotheses × present, present): the coordinates with the swap undone
    powers: Floats  # (hypotheses, present × present): their sum of squares, as a form in the coordinates


@lru_cache(maxsize=64)
def plan(leads: tuple[str, ...], good: tuple[bool, ...]) -> Plan | None:
    """Which swaps the good leads can tell of; None where there are none."""
    at = {name: i for i, (name, fine) in enumerate(zip(leads, good, strict=True)) if fine}
    limb = [name for name in LIMB_FORM if name in at][:2]
    limb = limb if len(limb) == 2 else []
    chest = [name for name in ELECTRODES[3:] if name in at]
    known = {*chest, *(ELECTRODES[:3] if limb else ())}
    swaps = [swap for swap in SWAPS if known.issuperset(swap)]
    if not swaps:
        return None
    present = [0, 1][: len(limb)] + [ELECTRODES.index(name) - 1 for name in chest]
    coordinates = np.eye(len(present))
    if limb:  # the potentials with mean 0 that two limb leads give, in coordinates
        coordinates[:2, :2] = _BASIS[:2, :3] @ np.linalg.pinv(np.array([LIMB_FORM[name] for name in limb]))
    hypotheses = [0, *(SWAPS.index(swap) + 1 for swap in swaps)]
    trials = _TRIALS[np.ix_(hypotheses, present, present)]
    return Plan(
        rows=np.array([at[name] for name in (*limb, *chest)]),
        coordinates=coordinates,
        present=np.array(present),
        swaps=tuple(swaps),
        trials=trials.reshape(-1, len(present)),
        powers=_form(trials),
    )


def t_end(qrs: tuple[int, int], t_off: float | None) -> int:
    """Sample after T, whether it was found or not."""
    if t_off is None or not isfinite(t_off):
        return qrs[1] + 1 + int(NO_T_S * RATE_HZ)
    return max(int(t_off), qrs[1] + 1 + int(MIN_T_S * RATE_HZ))


def patterns(
    x: Samples, p: tuple[float, float] | None, qrs: tuple[int, int], t_off: float | None
) -> Floats | None:
    """Means over the parts of P, QRS and T, shape ``(rows, parts)``; P is 0 where there is none.

    None where the borders make no sense.
    """
    on, off = qrs[0], qrs[1] + 1
    end = min(t_end(qrs, t_off), x.shape[1])
    if on < 0 or off - on < PARTS["QRS"] or end - off < PARTS["T"]:
        return None
    cuts = [on + (off - on) * k // PARTS["QRS"] for k in range(PARTS["QRS"])] + [off, (off + end) // 2, end]
    a, b = (int(p[0]), min(int(p[1]), on - 1)) if p is not None and isfinite(p[0] + p[1]) else (0, 0)
    with_p = a >= 0 and b - a > MIN_P_S * RATE_HZ
    if with_p:
        cuts = [a, (a + b) // 2, b, *cuts]
    averages = np.add.reduceat(x[:, :end], cuts[:-1], axis=1) / np.diff(cuts)
    means = np.zeros((x.shape[0], ALL_PARTS))
    means[:, _AT["QRS"].start :] = averages[:, 3 * with_p :]
    if with_p:  # against the chord of its ends: a P on a slope is no upright P
        means[:, _AT["P"]] = averages[:, : PARTS["P"]] - 0.5 * (x[:, a] + x[:, b])[:, None]
    return means


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Norm:
    """How beats look where nothing is swapped, for the coordinates of a `Plan`."""

    mean: Singles  # (present × parts,)
    precision: Singles  # inverse covariances of P, QRS, T over present × parts
    phases: Singles  # (present × parts, phases): which belongs to which
    misfits: Floats  # (phases, hypotheses, present × present)
    """What the ridge regressions leave of each lead, whitened and squared, as a form in the coordinates."""


def norm_of(chosen: Plan, phases: dict[str, dict[str, Floats]]) -> Norm:
    """The norm for these leads.

    Parameters
    ----------
    phases : for each phase ``mean`` ``(8 × parts,)``, its ``covariance``, and ``moment`` ``(8, 8)`` of the leads
    """
    size = chosen.present.size
    mean, precision = np.zeros((size, ALL_PARTS)), np.zeros((size, ALL_PARTS, size, ALL_PARTS))
    misfits = []
    for name, at in _AT.items():
        parts = PARTS[name]
        flat = (chosen.present[:, None] * parts + np.arange(parts)).ravel()
        mean[:, at] = phases[name]["mean"][flat].reshape(size, parts)
        inverse = np.linalg.inv(phases[name]["covariance"][np.ix_(flat, flat)])
        precision[:, at, :, at] = inverse.reshape(size, parts, size, parts)
        moment = phases[name]["moment"][np.ix_(chosen.present, chosen.present)]
        root = np.linalg.cholesky(np.linalg.inv(moment)).T
        misfits.append(_form(root @ chosen.trials.reshape(-1, size, size)))
    return Norm(
        mean=mean.ravel().astype(np.float32),
        precision=precision.reshape(size * ALL_PARTS, -1).astype(np.float32),
        phases=np.tile(_BELONGS, (size, 1)).astype(np.float32),
        misfits=np.array(misfits),
    )


def _form(maps: Floats) -> Floats:
    """Sums of squares after linear maps ``(n, rows, size)``, as forms ``(n, size × size)`` in the coordinates."""
    form: Floats = (maps.transpose(0, 2, 1) @ maps).reshape(len(maps), -1)
    return form


def scaled(means: Floats, chosen: Plan) -> tuple[Singles, Floats, Floats]:
    """The parts under each hypothesis, each phase with RMS 1.

    Parameters
    ----------
    means : array ``(..., rows, parts)``, of `patterns`

    Returns
    -------
    array ``(..., hypotheses, present × parts)``
    array ``(..., hypotheses, phases)``
        The RMS there was.
    array ``(..., present × present, phases)``
        Products of the coordinates, summed over each phase.
    """
    c = chosen.coordinates @ means
    beats, present = c.shape[:-2], c.shape[-2]
    products = (c[..., :, None, :] * c[..., None, :, :]).reshape(*beats, -1, ALL_PARTS) @ _BELONGS
    power = chosen.powers @ products / (_COUNTS * present)
    rms = np.sqrt(np.maximum(power, FLOOR_MV**2))
    y = (chosen.trials @ c).reshape(*beats, -1, present, ALL_PARTS) / (rms @ _BELONGS.T)[..., None, :]
    return y.reshape(*rms.shape[:-1], -1).astype(np.float32), rms, products


def typicality(means: Floats, chosen: Plan, norm: Norm) -> Floats:
    """How usual beats look under each hypothesis, ``(..., hypotheses, phases, 2)``.

    By the shape of each phase against the mean one, and by how well its leads predict each other.

    Parameters
    ----------
    means : array ``(..., rows, parts)``, of `patterns`; each beat is answered as if it were alone, to the bit
    """
    y, rms, products = scaled(means, chosen)
    v = y - norm.mean
    apart = ((v @ norm.precision) * v) @ norm.phases
    result = np.empty((*rms.shape, 2))
    result[..., 0] = 1.0 + apart / (_COUNTS * (chosen.present.size * TAIL))
    left = (norm.misfits @ np.swapaxes(products, -1, -2)[..., None])[..., 0]
    result[..., 1] = FLOOR_MV + np.swapaxes(left, -1, -2) / rms**2
    result = -10.0 * np.log(result)
    return result
