"""Fit the table of the search for swapped electrodes (`signal/reversal.json`) and report how well it does.

    python tools/train_reversal.py FOLDER_OF_RECORDINGS [--write]

The folder has an ``index.csv`` with the columns set, path, format, patient, label. Half of the persons are for
choosing and fitting (LUDB below 100; of the other sets every second person), the report is on the other half. No
recording has a known swap: all are made by `reversal.apply` on median beats.
"""

import argparse
import csv
import json
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from greenchannel.ingest.reader import read_path
from greenchannel.signal import electrodes, lead_patterns, reversal
from greenchannel.signal.electrodes import KINDS, SWAPS, Floats
from greenchannel.signal.lead_patterns import PARTS
from greenchannel.signal.leads import STANDARD_12
from greenchannel.signal.measure import measure

SHRINK = 0.02  # of each covariance towards a multiple of one [E]
FOLDS = 10
TIE = 0.03  # pulls the kinds' weights together [E]
REG = 0.001
LEG_NOISE_MV = 0.01  # the legs differ by so much (RMS, below 40 Hz) in the simulation of LEAD-3 [E]
TABLE = Path(reversal.__file__).with_name("reversal.json")
LEFT_OUT = ("E00015", "JS45546")  # a malformed header; a tachycardia without measurable beats
ADJACENT = tuple(pairwise(electrodes.ELECTRODES[3:]))
# How often each swap stands in the fit: one half is without.
SHARE = {"arm": 0.16, "LA/LL": 0.08, "adjacent": 0.15, "chest": 0.05, "limb-chest": 0.06}
# A label with one of these is not "sinus rhythm and nothing else".
SICK = re.compile(
    "fibrill|flutter|premature|block|pac|wandering|conduction|low qrs|prolonged|hypertrophy|overload|enlargement|"
    "deviation|ventricular|abnormal|nonspecific|t wave|infarct|stemi|scar|ischemia|inver|s t |old "
)
REPORTED: dict[str, tuple[tuple[str, str], ...]] = {
    "RA/LA": (("RA", "LA"),),
    "RA/LL": (("RA", "LL"),),
    "LA/LL": (("LA", "LL"),),
    "RA/RL": (("RA", "RL"),),
    "LA/RL": (("LA", "RL"),),
    **{f"{a}/{b}": ((a, b),) for a, b in ADJACENT},
    "chest, adjacent": ADJACENT,
    "chest, others": tuple(s for s in SWAPS if electrodes.kind_of(s) == "chest"),
    "limb-chest": tuple(s for s in SWAPS if electrodes.kind_of(s) == "limb-chest"),
}
COMMON = ("RA/LA", "RA/LL", "LA/LL", "RA/RL", "LA/RL", "chest, adjacent")


_PLAN = lead_patterns.plan(STANDARD_12, (True,) * 12)
assert _PLAN is not None  # twelve leads can tell of everything
WHOLE = _PLAN


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Beat:
    """A median beat of a person, twelve leads in the usual order."""

    name: str
    person: str
    label: str
    mv: Floats
    p: tuple[float, float] | None
    qrs: tuple[int, int]
    t_off: float | None
    usable: np.ndarray[Any, np.dtype[np.bool_]]

    @property
    def clean(self) -> bool:
        """Sinus rhythm or health, and nothing else, by the source's label."""
        label = self.label.lower()
        return ("sinus" in label or "healthy" in label) and SICK.search(label) is None


def load(folder: Path) -> list[Beat]:
    """The median beats of all persons' recordings."""
    with (folder / "index.csv").open(encoding="utf-8") as file:
        rows = [
            row for row in csv.DictReader(file) if row["format"] == "wfdb" and int(row["n_leads"] or 0) >= 12
        ]
    beats = []
    for row in (row for row in rows if row["record"] not in LEFT_OUT):
        recording = read_path(folder / (row["path"] + ".hea")).recording
        found = measure(recording)
        if found.median is None or set(STANDARD_12) - set(recording.leads):
            print(row["record"], "not measured", file=sys.stderr)
            continue
        at = [recording.leads.index(name) for name in STANDARD_12]
        on, off = (round(s * 500) for s in (found.median.qrs_on_s, found.median.qrs_off_s))
        whole = [b for b in found.beats if b.qrs_on_s is not None]
        p_on = _middle((b.p_on_s or np.nan) - (b.qrs_on_s or 0) for b in whole)
        p_off = _middle((b.p_off_s or np.nan) - (b.qrs_on_s or 0) for b in whole)
        t_off = _middle((b.t_off_s or np.nan) - (b.qrs_on_s or 0) for b in whole)
        beats.append(
            Beat(
                name=f"{row['set']}/{row['record']}",
                person=row["patient"],
                label=row["label"],
                mv=np.asarray(found.median.samples_mv, dtype=np.float64)[at],
                p=None if p_on is None or p_off is None else (on + p_on * 500, on + p_off * 500),
                qrs=(on, off),
                t_off=None if t_off is None else on + t_off * 500,
                usable=np.array([found.leads[name].usable for name in STANDARD_12]),
            )
        )
    return beats


def halves(beats: list[Beat]) -> tuple[list[Beat], list[Beat]]:
    """The beats to choose and fit on, and those held back; no person is in both."""
    others = sorted({beat.person for beat in beats if not beat.person.startswith("ludb-")})
    first = {person for i, person in enumerate(others) if i % 2 == 0}
    first |= {beat.person for beat in beats if beat.person.startswith("ludb-") and int(beat.person[5:]) < 100}
    return [b for b in beats if b.person in first], [b for b in beats if b.person not in first]


def _middle(values: Iterable[float]) -> float | None:
    """The median of what is known; None where that is less than half."""
    all_ = np.array(list(values))
    known = all_[np.isfinite(all_)]
    return float(np.median(known)) if known.size and 2 * known.size >= all_.size else None


def fit_norms(beats: list[Beat]) -> dict[str, dict[str, Floats]]:
    """Mean, covariance and second moment of each phase over the beats that have it."""
    means = [lead_patterns.patterns(beat.mv[WHOLE.rows], beat.p, beat.qrs, beat.t_off) for beat in beats]
    whole = [lead_patterns.scaled(each, WHOLE)[0][0].astype(float) for each in means if each is not None]
    y = np.array(whole).reshape(len(whole), 8, -1)
    norms = {}
    for (name, parts), end in zip(PARTS.items(), np.cumsum(list(PARTS.values())), strict=True):
        phase = y[:, :, end - parts : end]
        phase = phase[phase.any(axis=(1, 2))]
        flat = phase.reshape(len(phase), -1)
        moment = np.einsum("nij,nkj->ik", phase, phase) / len(phase) / parts
        norms[name] = {
            "mean": flat.mean(axis=0),
            "covariance": _shrunk(np.cov(flat.T)),
            "moment": _shrunk(moment),
        }
    return norms


def _shrunk(matrix: Floats) -> Floats:
    n = len(matrix)
    shrunk: Floats = (1 - SHRINK) * matrix + SHRINK * np.trace(matrix) / n * np.eye(n)
    return shrunk


def scores(beat: Beat, norm: lead_patterns.Norm) -> Floats:
    """Typicality after each real swap under each hypothesis, ``(1 + swaps, 1 + swaps, phases × 2)``."""
    result = []
    for swap in (None, *SWAPS):
        mv = beat.mv if swap is None else reversal.apply(STANDARD_12, beat.mv, swap)
        means = lead_patterns.patterns(mv[WHOLE.rows], beat.p, beat.qrs, beat.t_off)
        assert means is not None  # the beats have been measured
        result.append(lead_patterns.typicality(means, WHOLE, norm).reshape(1 + len(SWAPS), -1))
    return np.array(result)


def fit_weights(x: Floats) -> tuple[Floats, dict[str, float]]:
    """Weights ``(kinds, features)`` and offsets, by conditional logistic regression.

    Parameters
    ----------
    x : array ``(beats, real swaps, hypotheses, features)`` of scores of beats that the norms have not seen
    """
    x = x - x[:, :, :1]
    kind = np.array([0, *(KINDS.index(electrodes.kind_of(swap)) for swap in SWAPS)])
    group = [electrodes.kind_of(swap) for swap in SWAPS]
    member = np.array([[0, *(g == name for g in group)] for name in KINDS], dtype=float)
    share = np.array([0.5, *(SHARE[g] / group.count(g) for g in group)])
    k, f = len(KINDS), x.shape[3]
    true = np.arange(x.shape[1])

    def loss(theta: Floats) -> tuple[float, Floats]:
        w, b = theta[: k * f].reshape(k, f), theta[k * f :] @ member
        u = np.einsum("nijf,jf->nij", x, w[kind]) + b
        u -= u.max(axis=2, keepdims=True)
        prob = np.exp(u)
        prob /= prob.sum(axis=2, keepdims=True)
        apart = w - w.mean(axis=0)
        value = -(np.log(np.maximum(prob[:, true, true], 1e-300)) @ share).mean()
        value += REG * (w**2).sum() / k + TIE * (apart**2).sum()
        prob[:, true, true] -= 1
        prob *= share[:, None] / len(x)
        by_hypothesis = np.einsum("nij,nijf->jf", prob, x)
        slope = np.array([by_hypothesis[kind == i].sum(axis=0) for i in range(k)])
        slope += 2 * REG * w / k + 2 * TIE * apart
        return float(value), np.concatenate([slope.ravel(), member @ prob.sum(axis=(0, 1))])

    start = np.concatenate([np.full(k * f, 0.3), np.full(len(KINDS), -1.0)])
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 500})
    print(f"loss {best.fun:.4f}")
    return best.x[: k * f].reshape(k, f), dict(zip(KINDS, best.x[k * f :].tolist(), strict=True))


def train(beats: list[Beat]) -> dict[str, Any]:
    """The whole table. Weights are fitted on beats of persons that the norms have not seen."""
    persons = np.random.default_rng(0).permutation(sorted({beat.person for beat in beats})).tolist()
    fold = {person: i % FOLDS for i, person in enumerate(persons)}
    unseen = []
    for i in range(FOLDS):
        norm = lead_patterns.norm_of(WHOLE, fit_norms([beat for beat in beats if fold[beat.person] != i]))
        unseen += [scores(beat, norm) for beat in beats if fold[beat.person] == i]
    weights, offset = fit_weights(np.array(unseen))
    return {"norms": fit_norms(beats), "weights": weights, "offset": offset}


def write(table: dict[str, Any]) -> None:
    """Write the table, readable and with four digits."""

    def short(values: Floats) -> str:
        return json.dumps([float(f"{value:.4g}") for value in values])

    def triangle(matrix: Floats) -> str:
        return "[\n" + ",\n".join(short(row[: i + 1]) for i, row in enumerate(matrix)) + "\n]"

    weights = [
        f'"{kind}": {{'
        + ", ".join(f'"{name}": {short(w)}' for name, w in zip(PARTS, each, strict=True))
        + "}"
        for kind, each in zip(KINDS, table["weights"].reshape(len(KINDS), -1, 2), strict=True)
    ]
    norms = [
        f'"{name}": {{\n"mean": {short(n["mean"])},\n"covariance": {triangle(n["covariance"])},\n'
        f'"moment": {triangle(n["moment"])}\n}}'
        for name, n in table["norms"].items()
    ]
    parts = [
        '"about": "Written by tools/train_reversal.py. Rows: two coordinates of the limbs, V1-V6; by parts."',
        '"offset": ' + json.dumps({name: round(value, 3) for name, value in table["offset"].items()}),
        '"weights": {\n' + ",\n".join(weights) + "\n}",
        '"norms": {\n' + ",\n".join(norms) + "\n}",
    ]
    TABLE.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
    reversal._table.cache_clear()
    reversal._trained.cache_clear()


def named(beat: Beat, swap: tuple[str, str] | None) -> reversal.Reversal | None:
    """What `reversal.find` says of the beat with a swap made."""
    mv = beat.mv if swap is None else reversal.apply(STANDARD_12, beat.mv, swap)
    if swap is not None and "RL" in swap:
        smooth = np.array([0.1, 0.2, 0.4, 0.5, 0.4, 0.2, 0.1])
        noise = np.convolve(
            np.random.default_rng(len(beat.name)).normal(size=mv.shape[1]), smooth, mode="same"
        )
        # The electrode of the arm now reads the right leg, which differs from the left one by the noise.
        mv = mv + np.outer(_LEG[swap[0]], LEG_NOISE_MV * noise)
    return reversal.find(STANDARD_12, mv, p=beat.p, qrs=beat.qrs, t_off=beat.t_off, usable=beat.usable)


_LEG = {
    name: np.array([*(form[i] for form in electrodes.LIMB_FORM.values()), *(-1 / 3,) * 6])
    for i, name in enumerate(("RA", "LA"))
}


def report(beats: list[Beat], title: str) -> None:
    """Print how many swaps are found, how many are named right, and what is found where there is none."""
    print(f"{title}: {len(beats)} recordings, {len({beat.person for beat in beats})} persons")
    shares = {}
    for name, swaps in REPORTED.items():
        found = [(named(beat, swap), swap) for beat in beats for swap in swaps]
        shares[name] = np.mean([f is not None for f, _ in found])
        right = np.mean([f is not None and f.swap == swap for f, swap in found])
        print(f"  {name:16} found {shares[name]:6.1%}  named right {right:6.1%}")
    print(f"  mean of the six common ones {np.mean([shares[name] for name in COMMON]):.1%}")
    for kind, chosen in (("clean", [b for b in beats if b.clean]), ("all", beats)):
        false = [(b, f) for b in chosen if (f := named(b, None)) is not None]
        print(f"  false on {kind}: {len(false)} of {len(chosen)}", *(f"{b.name} {f.swap}" for b, f in false))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="write the table anew")
    given = parser.parse_args()
    beats = load(given.folder)
    develop, held_back = halves(beats)
    if given.write:
        write(train([beat for beat in develop if beat.usable.all()]))
    report(develop, "fitted on")
    report(held_back, "held back")


if __name__ == "__main__":
    main()
