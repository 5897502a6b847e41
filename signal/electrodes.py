"""Electrodes: leads as sums of their potentials, and what a swap of two makes of the leads."""

from functools import lru_cache
from itertools import combinations
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from greenchannel.signal.leads import VECTOR

Floats = npt.NDArray[np.float64]
Samples = npt.NDArray[np.floating[Any]]

ELECTRODES: Final = ("RA", "LA", "LL", "V1", "V2", "V3", "V4", "V5", "V6")
LIMBS: Final = ("RA", "LA", "LL", "RL")
SWAPS: Final = tuple(combinations(ELECTRODES, 2))
"""Every swap that can be undone."""
KINDS: Final = ("arm", "LA/LL", "adjacent", "chest", "limb-chest")
"""Kinds of swap that are told apart with different certainty."""
LIMB_FORM: Final = {
    # Each limb lead as a sum of the potentials of RA, LA, LL.
    "I": (-1.0, 1.0, 0.0),
    "II": (-1.0, 0.0, 1.0),
    "III": (0.0, -1.0, 1.0),
    "aVR": (1.0, -0.5, -0.5),
    "aVL": (-0.5, 1.0, -0.5),
    "aVF": (-0.5, -0.5, 1.0),
}


def rule_of(swap: tuple[str, str]) -> str:
    """The rule that a swap of two electrodes falls under."""
    if "RL" in swap:
        return "LEAD-3"
    limb = [name for name in swap if name in LIMBS]
    if len(limb) == 2:
        return {("RA", "LA"): "LEAD-1", ("RA", "LL"): "LEAD-2", ("LA", "LL"): "LEAD-4"}[(limb[0], limb[1])]
    return "LEAD-6" if limb else "LEAD-5"


def kind_of(swap: tuple[str, str]) -> str:
    """Which of `KINDS` a swap is."""
    if ELECTRODES.index(swap[1]) - ELECTRODES.index(swap[0]) == 1 and rule_of(swap) == "LEAD-5":
        return "adjacent"
    return {"LEAD-4": "LA/LL", "LEAD-5": "chest", "LEAD-6": "limb-chest"}.get(rule_of(swap), "arm")


@lru_cache(maxsize=256)
def mixing(leads: tuple[str, ...], swap: tuple[str, str]) -> tuple[tuple[tuple[int, float], ...], ...] | None:
    """Each lead after a swap as a sum of leads before it: ``(row, factor)``; None where one of them is missing."""
    electrodes = ["RA", "LA", "LL", *(name for name in leads if name not in LIMB_FORM)]
    place = {name: i for i, name in enumerate(electrodes)}
    legs = tuple("LL" if name == "RL" else name for name in swap)  # both legs are at one potential
    if any(name not in place for name in legs):
        return None
    form = np.zeros((len(leads), len(electrodes)))  # leads as sums of potentials
    for i, name in enumerate(leads):
        if name not in VECTOR:
            form[i, :3] = LIMB_FORM.get(name, (-1 / 3,) * 3)  # a chest lead is against Wilson's terminal
        if name not in LIMB_FORM:
            form[i, place[name]] = 1.0
    seen = list(range(len(electrodes)))  # the cable reads the potential of this electrode
    for cable, at in ((swap[0], legs[1]), (swap[1], legs[0])):
        if cable != "RL":
            seen[place[cable]] = place[at]
    wanted = np.zeros_like(form)
    np.add.at(wanted.T, np.array(seen), form.T)
    base = [i for i, name in enumerate(leads) if name in LIMB_FORM][:2]
    base += [i for i, name in enumerate(leads) if name not in LIMB_FORM]
    rows: list[tuple[tuple[int, float], ...]] = []
    for row in wanted:
        same = [
            (i, s) for s in (1.0, -1.0) for i in range(len(leads)) if np.allclose(row, s * form[i], atol=1e-9)
        ]
        factors = np.linalg.lstsq(form[base].T, row, rcond=None)[0]
        if same:  # a lead under another name, bit for bit
            rows.append((same[0],))
        elif np.allclose(factors @ form[base], row, atol=1e-9):
            rows.append(
                tuple((base[j], round(f, 12)) for j, f in enumerate(factors.tolist()) if abs(f) > 1e-9)
            )
        else:
            return None
    return tuple(rows)


def apply(leads: tuple[str, ...], samples_mv: Samples, swap: tuple[str, str]) -> Samples:
    """The leads as they would have been recorded with two electrodes swapped, Wilson's terminal included.

    Parameters
    ----------
    leads : names of the rows
    samples_mv : array ``(leads, samples)`` in mV; a NaN spreads only to leads that need the sample
    swap : two of RA, LA, LL, RL and the chest electrodes; both legs are taken for equal in potential

    Returns
    -------
    array ``(leads, samples)``, new, of the type given

    Raises
    ------
    ValueError
        Where a lead is missing that the swap needs.

    Notes
    -----
    Krasteva, Jekova, Schmid: Simulating Arbitrary Electrode Reversals in Standard 12-Lead ECG. Sensors 2019;19:2920.
    """
    rows = mixing(leads, swap)
    if rows is None:
        raise ValueError(f"expected the leads that a swap of {swap[0]} and {swap[1]} needs, got {leads}")
    out = np.zeros_like(samples_mv)
    for i, row in enumerate(rows):
        for j, factor in row:
            out[i] += samples_mv.dtype.type(factor) * samples_mv[j]
    return out
