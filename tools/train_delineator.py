"""Train the weights of `greenchannel.signal.delineator` on LUDB, and say by cross-validation what they are worth.

    python -m tools.train_delineator            five folds by record, then the weights from all records
    python -m tools.train_delineator --only folds    (or weights) half of it

Needs the folder of real recordings and half an hour of one processor at most; nothing but numpy besides. The seed is
fixed: on the same machine with the same numpy the same weights come out.

What the network sees of a beat is computed by the product's own code; `tools/delineator_examples.py` makes the beats.

Of each border the network gives a mixture over places: a weight and an instant each. Learned is the likelihood of the
mark under heavy-tailed kernels together with the error of the mean, which is what is read.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tools.delineator_examples import Examples, Record, make_examples, read_record

from benchmarks.accuracy_marks import read_marks
from benchmarks.accuracy_tally import BORDERS, RecordScore, cv_rows, score_lead_waves
from benchmarks.harness import RESULTS
from greenchannel.signal import delineator
from greenchannel.signal.delineator import COLUMNS, PRE
from tests.require import find_data

Array = NDArray[Any]
SEED, FOLDS, STEPS, BATCH, RATE = 20260302, 5, 7000, 8, 2.5e-3
# Widths of the kernels in ms, as sure as the marks themselves are: P onset, peak, end, T onset, peak, end; QRS.
KERNELS = (np.array([13, 10, 12, 24, 14, 16], dtype=np.float32), np.array([7, 7], dtype=np.float32))
PLACE_MS = (np.float32(32), np.float32(16))
CENTRES_MS = (
    ((16 * np.arange(34) + 7.5 - PRE) * 2).astype(np.float32),
    ((130 + 8 * np.arange(25) + 3.5 - PRE) * 2).astype(np.float32),
)
OF_WAVES, OF_QRS = [0, 1, 2, 5, 6, 7], [3, 4]
SIZES = {"e": 24, "s3": 28, "g": 28, "d2": 12, "f": 20, "fg": 16, "fd": 12}
BEHIND_RECTIFIER = ("s3", "s3p", "g", "gp", "d2g", "d2", "d2s", "o", "h", "fg", "fgg", "fdg", "fd", "fo")


# --- The network, with gradients -------------------------------------------------------------------------------------


class Node:
    """A value on the tape: what it is, what it was made of, and how its gradient goes back."""

    def __init__(
        self, value: Array, parents: tuple["Node", ...] = (), back: Callable[[Array], None] | None = None
    ):
        self.value, self.parents, self.back = value, parents, back
        self.gradient: Array | None = None

    def take(self, gradient: Array) -> None:
        self.gradient = gradient if self.gradient is None else self.gradient + gradient


def run_back(outputs: Iterable[Node]) -> None:
    order: list[Node] = []
    seen: set[int] = set()

    def visit(node: Node) -> None:
        if id(node) not in seen:
            seen.add(id(node))
            for parent in node.parents:
                visit(parent)
            order.append(node)

    for output in outputs:
        visit(output)
    for node in reversed(order):
        if node.back is not None and node.gradient is not None:
            node.back(node.gradient)


def dense(x: Node, w: Node) -> Node:
    flat = x.value.reshape(-1, w.value.shape[0])

    def back(gradient: Array) -> None:
        g = gradient.reshape(-1, w.value.shape[1])
        w.take(flat.T @ g)
        if x.parents:
            x.take((g @ w.value.T).reshape(x.value.shape))

    return Node((flat @ w.value).reshape(*x.value.shape[:-1], -1), (x, w), back)


def add(first: Node, *rest: Node) -> Node:
    for second in rest:
        first = _add(first, second)
    return first


def _add(a: Node, b: Node) -> Node:
    def back(gradient: Array) -> None:
        for node in (a, b):
            shape = (1,) * (gradient.ndim - node.value.ndim) + node.value.shape
            axes = tuple(i for i, n in enumerate(shape) if n == 1 and gradient.shape[i] != 1)
            node.take(gradient.sum(axis=axes, keepdims=True).reshape(node.value.shape) if axes else gradient)

    return Node(a.value + b.value, (a, b), back)


def rectify(x: Node) -> Node:
    positive = x.value > 0
    return Node(x.value * positive, (x,), lambda gradient: x.take(gradient * positive))


def reshape(x: Node, *shape: int) -> Node:
    return Node(x.value.reshape(shape), (x,), lambda gradient: x.take(gradient.reshape(x.value.shape)))


def over_leads(x: Node, mean: Array) -> Node:
    count, leads = x.value.shape[:2]
    value = (mean @ x.value.reshape(count, leads, -1)).reshape(count, 1, *x.value.shape[2:])
    return Node(
        value,
        (x,),
        lambda g: x.take((mean.transpose(0, 2, 1) * g.reshape(count, 1, -1)).reshape(x.value.shape)),
    )


def dropped(x: Node, rng: np.random.Generator, part: float = 0.1) -> Node:
    kept = (rng.random(x.value.shape, dtype=np.float32) > part).astype(np.float32) / np.float32(1 - part)
    return Node(x.value * kept, (x,), lambda gradient: x.take(gradient * kept))


def fresh_weights(rng: np.random.Generator) -> dict[str, Array]:
    s, w = SIZES, {}

    def matrix(name: str, rows: int, columns: int, gain: float) -> None:
        w[name] = (rng.standard_normal((rows, columns)) * gain * np.sqrt(2 / rows)).astype(np.float32)

    def bias(name: str, *shape: int) -> None:
        w[name] = np.zeros(shape, dtype=np.float32)

    matrix("e", 32, s["e"], 0.8), matrix("ep", 32, s["e"], 0.4), bias("eb", 34, s["e"])
    matrix("s3", 2 * s["e"], s["s3"], 1), matrix("s3p", 2 * s["e"], s["s3"], 0.5), bias("s3b", 17, s["s3"])
    matrix("g", 17 * s["s3"], s["g"], 1), matrix("gp", 17 * s["s3"], s["g"], 0.7)
    matrix("gr", 2, s["g"], 0.1), bias("gb", 1, s["g"])
    matrix("d2g", s["g"], 34 * s["d2"], 0.5), matrix("d2", s["s3"], 2 * s["d2"], 0.7)
    matrix("d2s", s["e"], s["d2"], 0.7), bias("d2b", 34, s["d2"])
    matrix("o", s["d2"], 12, 0.3), bias("ob", 34, 12), matrix("h", s["g"], 2, 0.5), bias("hb", 1, 2)
    matrix("f", 48, s["f"], 1), matrix("fp", 48, s["f"], 0.5), bias("fb", 25, s["f"])
    matrix("fg", 25 * s["f"], s["fg"], 1), matrix("fgg", s["g"], s["fg"], 0.3), bias("fgb", 1, s["fg"])
    matrix("fdg", s["fg"], 25 * s["fd"], 0.5), matrix("fd", s["f"], s["fd"], 0.7), bias("fdb", 25, s["fd"])
    matrix("fo", s["fd"], 4, 0.3), bias("fob", 25, 4)
    return w


def network(w: dict[str, Node], x: Array, rr_s: Array, rng: np.random.Generator) -> tuple[Node, Node, Node]:
    """Places of P and T, of QRS, and log-odds of P and T; as `delineator` computes them."""
    wide, fine, mean, _ = delineator._channels(x)
    count, leads = x.shape[:2]

    def first(seen: Array, places: int, sees: int, name: str) -> Node:
        parts = [seen[:, :, 4 * k : 4 * k + sees].reshape(count, leads + 1, -1) for k in range(places)]
        v = np.stack(parts, axis=2)
        own, all_ = dense(Node(v[:, :-1]), w[name]), dense(Node(v[:, -1:]), w[name + "p"])
        return rectify(add(own, _add(all_, w[name + "b"])))

    e = first(wide, 34, 16, "e")
    pairs = reshape(e, count, leads, 17, -1)
    third = rectify(add(dense(pairs, w["s3"]), _add(dense(over_leads(pairs, mean), w["s3p"]), w["s3b"])))
    whole = dropped(reshape(third, count, leads, -1), rng)
    shared = add(
        dense(over_leads(whole, mean), w["gp"]),
        dense(Node(delineator._rate(rr_s, (count,))), w["gr"]),
        w["gb"],
    )
    gist = rectify(_add(dense(whole, w["g"]), shared))
    up = rectify(add(
        reshape(dense(third, w["d2"]), count, leads, 34, -1), reshape(dense(gist, w["d2g"]), count, leads, 34, -1),
        dense(e, w["d2s"]), w["d2b"],
    ))  # fmt: skip
    f = first(fine, 25, 16, "f")
    view = rectify(
        add(dense(dropped(reshape(f, count, leads, -1), rng), w["fg"]), dense(gist, w["fgg"]), w["fgb"])
    )
    near = rectify(add(dense(f, w["fd"]), reshape(dense(view, w["fdg"]), count, leads, 25, -1), w["fdb"]))
    return (
        _add(dense(up, w["o"]), w["ob"]),
        _add(dense(near, w["fo"]), w["fob"]),
        _add(dense(gist, w["h"]), w["hb"]),
    )


def descend(told: Node, marks_ms: Array, which: int, blur: float) -> None:
    """Give `told` the gradient of the marks' likelihood and of the error of the mean."""
    centres, place = CENTRES_MS[which], PLACE_MS[which]
    width = KERNELS[which] * np.float32(blur)
    known = np.isfinite(marks_ms) & (marks_ms > centres[0]) & (marks_ms < centres[-1])
    y = np.where(known, marks_ms, 0)[..., None, :]
    k = y.shape[-1]
    chance = np.exp(told.value[..., :k] - told.value[..., :k].max(axis=-2, keepdims=True))
    chance /= chance.sum(axis=-2, keepdims=True)
    at = centres[:, None] + place * told.value[..., k:]
    mean = (chance * at).sum(axis=-2, keepdims=True)
    z = (y - at) / width
    tail = 1 / (1 + z * z * np.float32(0.25))
    owed = chance * tail * tail
    owed /= owed.sum(axis=-2, keepdims=True) + np.float32(1e-12)
    pull = np.clip((mean - y) / width, -3, 3) / width * np.float32(0.6)
    to_chance = chance - owed + pull * chance * (at - mean)
    to_at = -owed * z * tail / width + pull * chance
    weight = (known / (known.sum() + 1)).astype(np.float32)[..., None, :]
    told.take(np.concatenate([to_chance * weight, to_at * place * weight], axis=-1).astype(np.float32))


def fit(examples: Examples, seed: int, steps: int = STEPS) -> dict[str, Array]:
    """Adam with a cosine of the rate, a little decay, no other trick."""
    rng = np.random.default_rng(seed)
    weights = fresh_weights(rng)
    first = {name: np.zeros_like(w) for name, w in weights.items()}
    second = {name: np.zeros_like(w) for name, w in weights.items()}
    order = np.zeros(0, dtype=np.int64)
    for step in range(steps):
        if order.size < BATCH:
            order = np.concatenate([order, rng.permutation(len(examples.x))])
        rows, order = np.sort(order[:BATCH]), order[BATCH:]
        x = examples.x[rows].astype(np.float32) * np.float32(rng.choice([-1, 1]))
        nodes = {name: Node(w) for name, w in weights.items()}
        waves, qrs, odds = network(nodes, x, examples.rr_s[rows], rng)
        blur = 1 + 2 * max(0.0, 1 - 4 * step / steps)
        descend(waves, examples.marks_ms[rows][..., OF_WAVES], 0, blur)
        descend(qrs, examples.marks_ms[rows][..., OF_QRS], 1, blur)
        there = examples.there[rows]
        known = np.isfinite(there)
        miss = np.where(known, 1 / (1 + np.exp(-odds.value)) - np.nan_to_num(there), 0)
        odds.take((miss / (known.sum() + 1)).astype(np.float32))
        run_back((waves, qrs, odds))
        size = np.sqrt(sum(float(np.sum(n.gradient**2)) for n in nodes.values() if n.gradient is not None))
        rate = RATE * min(1, (step + 1) / 50) * (0.5 + 0.5 * np.cos(np.pi * step / steps))
        for name, w in weights.items():
            gradient = nodes[name].gradient
            assert gradient is not None
            gradient = gradient * np.float32(min(1, 5 / (size + 1e-9)))
            first[name] += np.float32(0.1) * (gradient - first[name])
            second[name] += np.float32(0.01) * (gradient * gradient - second[name])
            mean = first[name] / np.float32(1 - 0.9 ** (step + 1))
            spread = np.sqrt(second[name] / np.float32(1 - 0.99 ** (step + 1))) + np.float32(1e-8)
            decay = 0.0 if name.endswith("b") else 0.01
            w -= np.float32(rate) * (mean / spread + np.float32(decay) * w)
    return weights


def save(weights: dict[str, Array], path: Path) -> None:
    """Write the weights as `delineator` reads them: instants in samples, halved behind each rectifier."""
    told = {name: w * np.float32(0.5) if name in BEHIND_RECTIFIER else w for name, w in weights.items()}
    for name, k, samples in (("o", 6, 16), ("ob", 6, 16), ("fo", 2, 8), ("fob", 2, 8)):
        told[name] = told[name].T.copy()
        told[name][k:] *= np.float32(samples)
    flat = np.concatenate([w.ravel() for w in told.values()]).astype(np.float16)
    np.savez(
        path, weights=flat, names=np.array(list(told)), shapes=np.array([w.shape for w in told.values()])
    )


# --- What it is worth ------------------------------------------------------------------------------------------------


def score(record: Record) -> RecordScore:
    """The record as read with the weights now in `delineator`: borders of the median beat of its class at each R."""
    at = np.full(record.marks.shape, np.nan)
    for number, beat in record.medians.items():
        samples = delineator.delineate(beat, record.rr_s).samples
        mine = record.label == number
        at[mine] = samples - PRE + record.r[mine, None, None]
    told = {}
    for lead, name in enumerate(record.leads):
        rows = [[None if np.isnan(v) else v / 500 for v in row] for row in at[:, lead].tolist()]
        told[name] = {
            "p": [(a[0], a[1], a[2]) for a in rows],
            "qrs": [(a[3], None, a[4]) for a in rows],
            "t": [(a[5], a[6], a[7]) for a in rows],
        }
    found = RecordScore(record=record.number)
    score_lead_waves(found, read_marks(record.path), told)
    return found


def split(records: list[Record]) -> list[list[Record]]:
    """Folds of whole records, those without P spread evenly."""
    order = np.random.default_rng(SEED).permutation(len(records)).tolist()
    order.sort(key=lambda i: not records[i].without_p)
    return [[records[i] for i in order[k::FOLDS]] for k in range(FOLDS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--only", choices=("folds", "weights"), help="half of the work")
    only = parser.parse_args().only
    np.seterr(all="ignore")
    shipped = Path(delineator.__file__).with_suffix(".npz")
    began = time.monotonic()
    headers = sorted((find_data() / "ludb" / "data").glob("*.hea"), key=lambda path: int(path.stem))
    records = [read_record(path) for path in headers]
    examples = make_examples(records, np.random.default_rng(SEED))
    if only != "weights":
        cross_validate(records, examples)
    if only != "folds":
        save(fit(examples, SEED), shipped)
        print(f"{shipped}: {shipped.stat().st_size} bytes")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)


def cross_validate(records: list[Record], examples: Examples) -> None:
    """Read every record by weights that never saw it, and write down how well."""
    scores: list[RecordScore] = []
    for k, held in enumerate(split(records)):
        mine = ~np.isin(examples.record, [r.number for r in held])
        rest = Examples(*(part[mine] for part in vars(examples).values()))
        path = RESULTS / "delineator-fold.npz"
        save(fit(rest, SEED + k), path)
        delineator._W = delineator._load(path)  # type: ignore[misc]
        path.unlink()
        scores += [score(record) for record in held]
        print(f"fold {k + 1} of {FOLDS}", file=sys.stderr)
    rows = cv_rows(scores)
    what = (
        f"{FOLDS} folds by record over the {len(records)} records of LUDB; each read by weights that never saw it, "
        "borders of the median beat of each class placed at every R"
    )
    told = {
        "what": what,
        "columns": list(COLUMNS),
        "seed": SEED,
        "steps": STEPS,
        "rows": rows,
        "worst": worst(scores),
    }
    (RESULTS / "delineator-cv.json").write_text(
        json.dumps(told, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )
    for row in rows:
        print(
            {key: round(v, 2) if isinstance(v, float) else v for key, v in row.items() if "ci95" not in key}
        )


def worst(scores: list[RecordScore]) -> dict[str, list[dict[str, float]]]:
    """Of each border the records that weigh most in its SD."""
    found: dict[str, list[dict[str, float]]] = {}
    for name in BORDERS:
        errors = {score.record: np.array(score.errors_ms[name]) for score in scores if score.errors_ms[name]}
        total = sum(float(np.sum(e**2)) for e in errors.values())
        rows = [
            {"record": k, "share": round(float(np.sum(e**2)) / total, 3), "mean_ms": round(float(e.mean()), 1),
             "sd_ms": round(float(e.std()), 1)}
            for k, e in errors.items()
        ]  # fmt: skip
        found[name] = sorted(rows, key=lambda row: -row["share"])[:8]
    return found


if __name__ == "__main__":
    main()
