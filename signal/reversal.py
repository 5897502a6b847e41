"""Swapped electrodes: which pair changed places, and what the leads would have been (LEAD-1 to LEAD-6).

Each swap is undone on trial, and named where the median beat then looks so much more usual that chance is no
explanation (`lead_patterns`). A swap with the right leg cannot be undone, but leaves a flat limb lead (LEAD-3).
The table `reversal.json` is fitted by ``tools/train_reversal.py`` on all persons we have; what it is worth on others
is told by the cross-validation that the tool runs beside it (``benchmarks/results/reversal-cv.json``).
"""

import json
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from greenchannel.signal.electrodes import LIMB_FORM, Floats, Samples, apply, kind_of, mixing, rule_of
from greenchannel.signal.lead_patterns import PARTS, Norm, Plan, norm_of, patterns, plan, t_end, typicality

__all__ = ["Reversal", "apply", "correct", "find"]

Bools = npt.NDArray[np.bool_]

# --- Numbers that decide --------------------------------------------------------------------------------------------
MARGIN: Final = {"LEAD-1": 1.0, "LEAD-2": 1.0, "LEAD-4": 1.0, "LEAD-5": 1.0, "LEAD-6": 1.0}
"""Log odds over "no swap" from which a swap is named, as if every second recording had one.  [E]"""
FEW_MARGIN: Final = 2.5  # and so much more where fewer chest leads than … [E]
ENOUGH_CHEST: Final = 4  # … bear witness [E]
UNLIKE: Final = (
    -32.0
)  # a QRS less usual than this with the swap undone is nobody's: people reach -28, noise -35 [E]
FLAT_MV: Final = 0.10  # LEAD-3: II or III from peak to peak below this … [E]
LIVE_MV: Final = 0.30  # … while the two other bipolar leads are above this [E]
OPPOSITE: Final = -0.5  # LEAD-1: correlation of I and V6 below which the arms are swapped, not the heart [E]

_WORDS: Final = {"RA": "右臂", "LA": "左臂", "LL": "左腿", "RL": "右腿"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reversal:
    """A suspected swap of two electrodes."""

    rule: str  # "LEAD-1" … "LEAD-6"
    swap: tuple[str, str]  # electrodes, e.g. ("RA", "LA"), ("LA", "RL"), ("V1", "V2")
    en: str
    zh: str
    confident: bool  # False where it is worth no more than a flag


def _named(swap: tuple[str, str], confident: bool) -> Reversal:
    a, b = swap
    zh = "、".join(f"{_WORDS[name]} {name}" if name in _WORDS else name for name in swap)
    verb = "seem" if confident else "may be"
    return Reversal(
        rule=rule_of(swap),
        swap=swap,
        en=f"Electrodes {a} and {b} {verb} swapped: check them and record again.",
        zh=f"{'疑' if confident else '可能'}{zh} 电极反接,请核对后重新采集。",
        confident=confident,
    )


def correct(leads: tuple[str, ...], samples_mv: Samples, reversal: Reversal) -> Samples | None:
    """The leads without the swap, shape ``(leads, samples)``; None where it cannot be undone (right leg, LEAD-3)."""
    if "RL" in reversal.swap or mixing(leads, reversal.swap) is None:
        return None
    return apply(leads, samples_mv, reversal.swap)


def find(
    leads: tuple[str, ...],
    beat_mv: Samples,
    *,
    p: tuple[float, float] | None,
    qrs: tuple[int, int],
    t_off: float | None,
    usable: Bools,
) -> Reversal | None:
    """Look for swapped electrodes in a median beat.

    Parameters
    ----------
    leads : names of the rows
    beat_mv : array ``(leads, samples)`` at 500 Hz, 0 at the PR level
    p : onset and offset of P in samples of the beat; None where there is no P
    qrs : onset and offset of QRS in samples
    t_off : end of T in samples; None where unknown
    usable : array ``(leads,)``; the others have no part, but in the look for a flat limb lead

    Returns
    -------
    Reversal or None
        None where no swap is suspected, or where the leads cannot tell.
    """
    x = np.asarray(beat_mv)
    finite = np.isfinite(x.sum(axis=1))
    flat = _flat(leads, x, finite, qrs, t_off)
    if flat is not None:
        return _named(flat, confident=True)
    good = tuple((finite & usable).tolist())
    trained = _trained(leads, good)
    if trained is None:
        return None
    chosen, norm, weights, offset = trained
    means = patterns(x[chosen.rows], p, qrs, t_off)
    if means is None:
        return None
    usual = typicality(means, chosen, norm)
    odds = np.einsum("hpk,hpk->h", usual - usual[0], weights) + offset  # log odds against "no swap"
    best = int(odds.argmax())
    swap = chosen.swaps[best - 1]
    few = FEW_MARGIN if np.count_nonzero(chosen.present > 1) < ENOUGH_CHEST else 0.0
    if best == 0 or not odds[best] >= MARGIN[rule_of(swap)] + few or usual[best, 1, 0] < UNLIKE:
        return None
    if rule_of(swap) not in ("LEAD-1", "LEAD-2"):
        return _named(swap, confident=rule_of(swap) != "LEAD-4")
    mirrored = _on_the_right(leads, x, good, qrs, t_off)
    return None if mirrored else _named(swap, confident=mirrored is False)


def _flat(
    leads: tuple[str, ...], x: Samples, finite: Bools, qrs: tuple[int, int], t_off: float | None
) -> tuple[str, str] | None:
    """The swap with the right leg that a flat II or III tells of (LEAD-3)."""
    rows = [leads.index(name) for name in ("I", "II", "III") if name in leads]
    rows = [i for i in rows if finite[i]]
    part = x[rows, max(qrs[0], 0) : t_end(qrs, t_off)]
    if len(rows) < 2 or part.shape[1] < PARTS["QRS"]:
        return None
    if len(rows) == 2:
        form = np.array([LIMB_FORM[leads[i]] for i in rows])
        part = np.array([LIMB_FORM[name] for name in ("I", "II", "III")]) @ np.linalg.pinv(form) @ part
    one, two, three = (part.max(axis=1) - part.min(axis=1)).tolist()
    if two < FLAT_MV and min(one, three) > LIVE_MV:
        swap = ("RA", "RL")
    elif three < FLAT_MV and min(one, two) > LIVE_MV:
        swap = ("LA", "RL")
    else:
        return None
    # Where the three contradict each other, a lead is dead, not a potential.
    return swap if np.ptp(part[0] - part[1] + part[2]) < FLAT_MV else None


def _on_the_right(
    leads: tuple[str, ...], x: Samples, good: tuple[bool, ...], qrs: tuple[int, int], t_off: float | None
) -> bool | None:
    """Is it the heart that is mirrored, not the arms (LEAD-1)? None where the leads cannot tell.

    Then I is negative as with swapped arms, but R does not grow over the chest, and V6 goes along with I.
    """
    at = {name: i for i, (name, fine) in enumerate(zip(leads, good, strict=True)) if fine}
    first, later = at.get("V1", at.get("V2")), [at[name] for name in ("V3", "V4", "V5") if name in at]
    if first is None or not later or "I" not in at:
        return None
    beat = x[:, qrs[0] : qrs[1] + 1]
    if beat[at["I"]].mean() >= 0 or beat[later].max() > beat[first].max():
        return False
    if "V6" not in at:
        return True
    one, six = x[at["I"], qrs[0] : t_end(qrs, t_off)], x[at["V6"], qrs[0] : t_end(qrs, t_off)]
    one, six = one - one.mean(), six - six.mean()
    return bool(one @ six > OPPOSITE * np.sqrt((one @ one) * (six @ six)))


@cache
def _table() -> dict[str, Any]:
    text = resources.files("greenchannel.signal").joinpath("reversal.json").read_text("utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def _symmetric(lower: list[list[float]]) -> Floats:
    """A symmetric matrix from the rows of its lower triangle."""
    matrix = np.zeros((len(lower), len(lower)))
    for i, row in enumerate(lower):
        matrix[i, : i + 1] = matrix[: i + 1, i] = row
    return matrix


@lru_cache(maxsize=64)
def _trained(leads: tuple[str, ...], good: tuple[bool, ...]) -> tuple[Plan, Norm, Floats, Floats] | None:
    """Plan, norm, weights ``(hypotheses, phases, 2)`` and offsets ``(hypotheses,)``; None as with `plan`."""
    chosen = plan(leads, good)
    if chosen is None:
        return None
    table = _table()
    phases = {
        name: {"mean": np.array(n["mean"])} | {key: _symmetric(n[key]) for key in ("covariance", "moment")}
        for name, n in table["norms"].items()
    }
    kinds = [kind_of(swap) for swap in chosen.swaps]
    weights = np.array([[table["weights"][kind][name] for name in PARTS] for kind in ("arm", *kinds)])
    return (
        chosen,
        norm_of(chosen, phases),
        weights,
        np.array([0.0, *(table["offset"][kind] for kind in kinds)]),
    )
