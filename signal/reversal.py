"""Swapped electrodes: which pair changed places, and what the leads would have been (LEAD-1 to LEAD-6).

Each swap is undone on trial, and named where the median beat then looks so much more usual that chance is no
explanation (`lead_patterns`). A swap with the right leg cannot be undone, but leaves a flat limb lead (LEAD-3).
The table `reversal.json` is fitted by ``tools/train_reversal.py`` on all persons we have; what it is worth on others
is told by the cross-validation that the tool runs beside it (``benchmarks/results/reversal-cv.json``).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from greenchannel.signal.electrodes import LIMB_FORM, Floats, Samples, apply, kind_of, mixing, rule_of
from greenchannel.signal.lead_patterns import PARTS, Norm, Plan, norm_of, patterns, plan, t_end, typicality

__all__ = ["Look", "Reversal", "apply", "correct", "find", "find_all"]

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


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Look:
    """What is looked at for swapped electrodes."""

    leads: tuple[str, ...]
    beat_mv: Samples
    """Shape ``(leads, samples)`` at 500 Hz: a median beat, 0 at the PR level."""
    p: tuple[float, float] | None
    """Onset and offset of P in samples of the beat; None where there is no P."""
    qrs: tuple[int, int]
    """Onset and offset of QRS in samples."""
    t_off: float | None
    """End of T in samples; None where unknown."""
    usable: Bools
    """Shape ``(leads,)``; the others have no part, but in the look for a flat limb lead."""


def find(
    leads: tuple[str, ...],
    beat_mv: Samples,
    *,
    p: tuple[float, float] | None,
    qrs: tuple[int, int],
    t_off: float | None,
    usable: Bools,
) -> Reversal | None:
    """Look for swapped electrodes in one median beat; the parameters are those of `Look`."""
    return find_all(
        [Look(leads=leads, beat_mv=np.asarray(beat_mv), p=p, qrs=qrs, t_off=t_off, usable=usable)]
    )[0]


def find_all(looks: Sequence[Look]) -> list[Reversal | None]:
    """Look for swapped electrodes in median beats; each is answered as if it were alone, to the bit.

    Returns
    -------
    list of Reversal or None
        None where no swap is suspected, or where the leads cannot tell.
    """
    told: list[Reversal | None] = [None] * len(looks)
    asked: dict[tuple[tuple[str, ...], tuple[bool, ...]], list[tuple[int, Floats]]] = {}
    for k, look in enumerate(looks):
        finite = np.isfinite(look.beat_mv.sum(axis=1))
        flat = _flat(look, finite)
        if flat is not None:
            told[k] = _named(flat, confident=True)
            continue
        good = tuple((finite & look.usable).tolist())
        trained = _trained(look.leads, good)
        means = (
            None if trained is None else patterns(look.beat_mv[trained[0].rows], look.p, look.qrs, look.t_off)
        )
        if means is not None:
            asked.setdefault((look.leads, good), []).append((k, means))
    for (leads, good), members in asked.items():
        trained = _trained(leads, good)
        assert trained is not None  # or nobody had asked
        usual = typicality(np.array([means for _, means in members]), trained[0], trained[1])
        for (k, _), one in zip(members, usual, strict=True):
            told[k] = _judged(looks[k], good, trained, one)
    return told


def _judged(
    look: Look, good: tuple[bool, ...], trained: tuple[Plan, Norm, Floats, Floats], usual: Floats
) -> Reversal | None:
    """The swap without which a beat looks so much more usual, by `typicality`."""
    chosen, _, weights, offset = trained
    odds = np.einsum("hpk,hpk->h", usual - usual[0], weights) + offset  # log odds against "no swap"
    best = int(odds.argmax())
    swap = chosen.swaps[best - 1]
    few = FEW_MARGIN if np.count_nonzero(chosen.present > 1) < ENOUGH_CHEST else 0.0
    if best == 0 or not odds[best] >= MARGIN[rule_of(swap)] + few or usual[best, 1, 0] < UNLIKE:
        return None
    if rule_of(swap) not in ("LEAD-1", "LEAD-2"):
        return _named(swap, confident=rule_of(swap) != "LEAD-4")
    mirrored = _on_the_right(look, good)
    return None if mirrored else _named(swap, confident=mirrored is False)


def _flat(look: Look, finite: Bools) -> tuple[str, str] | None:
    """The swap with the right leg that a flat II or III tells of (LEAD-3)."""
    leads, qrs = look.leads, look.qrs
    rows = [leads.index(name) for name in ("I", "II", "III") if name in leads]
    rows = [i for i in rows if finite[i]]
    part = look.beat_mv[rows, max(qrs[0], 0) : t_end(qrs, look.t_off)]
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


def _on_the_right(look: Look, good: tuple[bool, ...]) -> bool | None:
    """Is it the heart that is mirrored, not the arms (LEAD-1)? None where the leads cannot tell.

    Then I is negative as with swapped arms, but R does not grow over the chest, and V6 goes along with I.
    """
    x, qrs, t_off = look.beat_mv, look.qrs, look.t_off
    at = {name: i for i, (name, fine) in enumerate(zip(look.leads, good, strict=True)) if fine}
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
