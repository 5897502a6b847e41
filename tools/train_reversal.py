"""Fit the table of the search for swapped electrodes (`signal/reversal.json`), and say by cross-validation what it is
worth.

    python -m tools.train_reversal FOLDER_OF_RECORDINGS [--write]

The folder has an ``index.csv`` with the columns set, path, format, patient, label. Two folds by person: a table fitted
on half A is asked about half B, and the other way round; with ``--write`` the pooled figures become
``benchmarks/results/reversal-cv.json``, and the shipped table is fitted on all persons. So the shipped table has seen
every recording of the folder, and only the cross-validation can claim anything. Methods and constants (those here and
in `reversal`, `lead_patterns`) were chosen on half A: the fold reported on B is free of that, the other one is not.
"""

import argparse
import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from scipy.optimize import minimize
from tools.reversal_examples import Beat, halves, load, named

from benchmarks.accuracy_stats import share
from benchmarks.harness import RESULTS
from greenchannel.signal import electrodes, lead_patterns, reversal
from greenchannel.signal.electrodes import KINDS, SWAPS, Floats
from greenchannel.signal.lead_patterns import PARTS
from greenchannel.signal.leads import STANDARD_12

SHRINK = 0.01  # of each covariance towards a multiple of one [E]
DOUBTED = ("cinc-12lead/E00003",)
"""Not learned from, but asked about, and counted as falsely named: R, S and T stand in the order V4, V6, V5,
and a table that has never seen the person gives the swap log odds of 15. Nobody knows how it was wired."""
FOLDS = 10  # of the fit: the weights are fitted on scores by norms that have not seen the person
TIE = 0.01  # pulls the kinds' weights together [E]
REG = 0.001
DRAWS = 1000  # of persons, for the interval of the mean of the six
TABLE = Path(reversal.__file__).with_name("reversal.json")
REPORT = RESULTS / "reversal-cv.json"
ADJACENT = tuple(pairwise(electrodes.ELECTRODES[3:]))
# How often each swap stands in the fit: one half is without.
SHARE = {"arm": 0.16, "LA/LL": 0.05, "adjacent": 0.15, "chest": 0.05, "limb-chest": 0.06}
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
FALSE = ("false on clean", "false on all")
WHAT = (
    "two folds by person: a table fitted on one half of the persons is asked about the other half, both ways, pooled; "
    "methods and constants were chosen on half A"
)

Rows = list[dict[str, Any]]
Counts = dict[str, dict[str, list[int]]]  # row → person → found, named right, of

_PLAN = lead_patterns.plan(STANDARD_12, (True,) * 12)
assert _PLAN is not None  # twelve leads can tell of everything
WHOLE = _PLAN


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
    """A whole table. Weights are fitted on beats of persons that the norms have not seen."""
    persons = np.random.default_rng(0).permutation(sorted({beat.person for beat in beats})).tolist()
    fold = {person: i % FOLDS for i, person in enumerate(persons)}
    unseen = []
    for i in range(FOLDS):
        norm = lead_patterns.norm_of(WHOLE, fit_norms([beat for beat in beats if fold[beat.person] != i]))
        unseen += [scores(beat, norm) for beat in beats if fold[beat.person] == i]
    weights, offset = fit_weights(np.array(unseen))
    return {"norms": fit_norms(beats), "weights": weights, "offset": offset}


def as_text(table: dict[str, Any]) -> str:
    """The table as JSON, readable and with four digits."""

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
    return "{\n" + ",\n".join(parts) + "\n}\n"


def tally(beats: Sequence[Beat], text: str, falsely: list[str]) -> Counts:
    """What is found of every swap, and where there is none, with the table `text`; names go to `falsely`."""
    counts: Counts = {name: {} for name in (*REPORTED, *FALSE)}

    def add(name: str, beat: Beat, swap: tuple[str, str] | None, found: reversal.Reversal | None) -> None:
        count = counts[name].setdefault(beat.person, [0, 0, 0])
        count[0] += found is not None
        count[1] += found is not None and found.swap == swap
        count[2] += 1

    table = json.loads(text)
    reversal._trained.cache_clear()
    with patch.object(reversal, "_table", lambda: table):
        for beat in beats:
            for name, swaps in REPORTED.items():
                for swap in swaps:
                    add(name, beat, swap, named(beat, swap))
            found = named(beat, None)
            for name in FALSE[not beat.clean :]:
                add(name, beat, None, found)
            if found is not None:
                falsely.append(f"{beat.name} {'/'.join(found.swap)}{' (clean)' if beat.clean else ''}")
    reversal._trained.cache_clear()
    return counts


def rows_of(counts: Counts) -> Rows:
    """Shares in percent with intervals over persons, and the mean of the six common swaps."""
    rows: Rows = []
    for name, persons in counts.items():
        found, right, of = (list(column) for column in zip(*persons.values(), strict=True))
        row: dict[str, Any] = {"id": name, "persons": len(of), "n": sum(of), "found": sum(found)}
        row["found_percent"], row["found_percent_ci95"] = share(found, of)
        if name not in FALSE:
            row["right"] = sum(right)
            row["right_percent"], row["right_percent_ci95"] = share(right, of)
        rows.append(row)
    people = sorted(counts[COMMON[0]])
    of_six = np.array([[counts[name][person] for person in people] for name in COMMON], dtype=float)
    drawn = np.random.default_rng(0).integers(0, len(people), (DRAWS, len(people)))

    def mean(sums: Floats) -> Floats:
        shares: Floats = 100 * (sums[..., 0] / sums[..., 2]).mean(axis=0)
        return shares

    six: dict[str, Any] = {
        "id": "mean of the six common",
        "persons": len(people),
        "n": int(of_six[..., 2].sum()),
    }
    six["found_percent"] = float(mean(of_six.sum(axis=1)))
    six["found_percent_ci95"] = np.percentile(mean(of_six[:, drawn].sum(axis=2)), (2.5, 97.5)).tolist()
    return [*rows, six]


def cross_validate(beats: list[Beat]) -> dict[str, Any]:
    """Both folds, and all their persons pooled."""
    a, b = halves(beats)
    pooled: Counts = {name: {} for name in (*REPORTED, *FALSE)}
    folds, falsely = [], []
    for fitted, other, names in ((a, b, "AB"), (b, a, "BA")):
        seen = [beat for beat in fitted if _teaches(beat)]
        wrong: list[str] = []
        counts = tally(other, as_text(train(seen)), wrong)
        for name, persons in counts.items():
            pooled[name] |= persons
        falsely += wrong
        sizes = {"fitted_on": _size(names[0], seen), "reported_on": _size(names[1], other)}
        folds.append({**sizes, "rows": rows_of(counts), "falsely": wrong})
        show(f"fitted on {names[0]}, asked about {names[1]}", rows_of(counts), wrong)
    rows = rows_of(pooled)
    show("pooled", rows, falsely)
    shipped = _size("A and B", [beat for beat in beats if _teaches(beat)])
    return {
        "what": WHAT,
        "shipped_table_fitted_on": shipped,
        "rows": rows,
        "falsely": falsely,
        "folds": folds,
    }


def _teaches(beat: Beat) -> bool:
    return bool(beat.usable.all()) and beat.name not in DOUBTED


def _size(half: str, beats: Sequence[Beat]) -> dict[str, Any]:
    return {"half": half, "recordings": len(beats), "persons": len({beat.person for beat in beats})}


def show(title: str, rows: Rows, falsely: Sequence[str]) -> None:
    """Print the shares."""
    print(title)
    for row in rows:
        right = f"  named right {row['right_percent']:5.1f} %" if "right" in row else ""
        print(f"  {row['id']:22} n {row['n']:5}  found {row['found_percent']:5.1f} %{right}")
    print("  falsely:", *falsely, sep="\n    ")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="write the figures and the table anew")
    given = parser.parse_args()
    beats = load(given.folder)
    report = cross_validate(beats)
    if given.write:
        TABLE.write_text(as_text(train([beat for beat in beats if _teaches(beat)])), encoding="utf-8")
        REPORT.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
