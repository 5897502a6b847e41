"""Beats, waves and borders against the cardiologists of LUDB, between their first and their last mark."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.accuracy_data import DEVELOPMENT_BELOW, cases, version
from benchmarks.accuracy_marks import KINDS, WHOLE
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_tally import (
    BORDERS,
    INTERVALS,
    MUST_BIAS_MS,
    NAMES,
    QRS,
    WAVES,
    RecordScore,
    border_values,
    count_values,
    cv_rows,
    score_cases,
    score_lead_waves,
)
from benchmarks.harness import RESULTS, Json

__all__ = ["BORDERS", "RecordScore", "cross_validated", "cv_rows", "score_lead_waves", "topic"]

CV_FILE: Final = RESULTS / "delineator-cv.json"

_CHOSEN: Final = "LUDB < 100; model weights: all of LUDB"


def _rows(scores: Sequence[RecordScore], part: str, data: str, claimed: bool) -> list[Row]:
    """Rows of training records; limits stay with what is not `claimed` by the cross-validation."""
    rows: list[Row] = []
    in_sample = f"in-sample, {part}"

    def add(what: str, n: str, values: tuple[Value, ...], reported: str = in_sample) -> None:
        told = f"{len(scores)} records, {n}"
        rows.append(Row(what=what, n=told, values=values, data=data, chosen=_CHOSEN, reported=reported))

    n, counted = count_values(scores, "beats", *QRS)
    add("QRS found, ±150 ms", f"{n} beats", counted, part)
    for kind, limits in ({"qrs": QRS} | WAVES).items():
        n, counted = count_values(scores, kind, *(() if claimed else limits))
        add(f"{NAMES[kind]} found, each lead", f"{n} waves", counted)
    for name, (must, aim) in BORDERS.items():
        limits_ms = (None, None) if claimed else (must, aim, MUST_BIAS_MS)
        n, values = border_values([score.errors_ms[name] for score in scores], *limits_ms)
        add(f"{NAMES[name]}, each lead", f"{n} marks", values)
    return rows


def _more_rows(scores: Sequence[RecordScore], part: str, data: str) -> list[Row]:
    """Intervals of the record against the limits that the clinical specification quotes."""
    rows = []
    for name, (*_, mean, sd) in INTERVALS.items():
        errors = [[score.intervals_ms[name]] for score in scores if name in score.intervals_ms]
        n, values = border_values(errors, sd, None, mean)
        told = "PR" if name == "pr" else name.upper()
        rows.append(Row(what=f"{told} of the record (CSE limits)", n=f"{n} records", values=values, data=data,
                        chosen=_CHOSEN, reported=f"in-sample, {part}"))  # fmt: skip
    return rows


PARTS_OF_LUDB: Final[Mapping[str, Callable[[int], bool]]] = {
    "all records": lambda record: True,
    "below 100 (development)": lambda record: record < DEVELOPMENT_BELOW,
    "above 100": lambda record: record > DEVELOPMENT_BELOW,
}


def topic(folder: Path, step: int = 1) -> Topic:
    """LUDB: rows of all records and of both halves, rows of the cross-validation, and the worst records."""
    data = version(folder, "ludb")
    scores = score_cases(cases(folder, ("ludb",), step))
    made = Topic(name="ludb", title="Beats, waves and borders (LUDB)", intro=_INTRO)
    made.rows, note = cross_validated(data)
    made.intro += note
    claimed = bool(made.rows)
    for part, inside in PARTS_OF_LUDB.items():
        some = [score for score in scores if inside(score.record)]
        made.rows += _rows(some, part, data, claimed) + _more_rows(some, part, data)
    made.tables = [
        Table(title="Beats missed or extra", rows=_wrong_beats(scores)),
        Table(
            title="Worst ten records by borders (RMS error over the SD that must be kept)",
            rows=_worst_borders(scores),
        ),
        Table(title="Worst ten records by P and T missed or extra", rows=_worst_waves(scores)),
        Table(title="Borders of matched waves that are in no mean", rows=_left_out(scores)),
        Table(title="Borders over all leads, ours minus the second-outermost mark", rows=_whole(scores)),
    ]
    made.raw = {
        "unmeasured": [score.record for score in scores if not any(c.hits for c in score.waves.values())]
    }
    return made


_INTRO: Final = """
Reference: the marks of LUDB's cardiologists, lead by lead, between the first and the last mark of each lead (of the
record, for beats). A wave is found where a marked one lies within 150 ms of it, each used once; bias and SD are ours
minus the mark over all leads and beats. Intervals of confidence draw records anew, since beats of one heart are
alike; for shares the wider of that and Wilson's. **The delineator is a small trained model whose weights saw all of
these records**: the rows called *in-sample* are on training records and optimistic, also those above 100, which only
the limits outside of the model never saw. The claim, held against the limits, is the *cross-validation*; what it does
not cover keeps its limits in-sample: intervals of the record, and beats, in whose finding nothing is trained.
"""


def cross_validated(data: str, path: Path = CV_FILE) -> tuple[list[Row], str]:
    """Rows of the delineator's cross-validation by record, and a sentence where there is none to show."""
    try:
        told: Json = json.loads(path.read_text(encoding="utf-8"))
        rows = [_cv_row(row, data) for row in told["rows"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = "there is none yet" if isinstance(error, OSError) else f"not readable: {error!r}"
        return [], f"\nCross-validation ({path.name}): {why}.\n"
    return rows, f"\nCross-validation: {told.get('what', 'five folds by record')}.\n"


def _cv_row(row: Mapping[str, Any], data: str) -> Row:
    """One row of the file: ``{"id": "p_on", "n", "records", "bias_ms", "sd_ms"}`` or ``{"id": "p", …, "se_percent",
    "ppv_percent"}``, with ``…_ci95`` where drawn.
    """
    name = row["id"]

    def value(told: str, key: str, unit: str, must: float | None, aim: float | None, at_most: bool) -> Value:
        ci = row.get(f"{key}_ci95")
        return Value(name=told, value=row.get(key), ci95=None if ci is None else (ci[0], ci[1]), unit=unit, must=must,
                     aim=aim, at_most=at_most, digits=1 if at_most else 2)  # fmt: skip

    if name in BORDERS:
        must, aim = BORDERS[name]
        values = (
            value("bias", "bias_ms", "ms", MUST_BIAS_MS, None, True),
            value("SD", "sd_ms", "ms", must, aim, True),
        )
    else:
        lowest, wanted = QRS if name == "qrs" else WAVES[name]
        values = (
            value("Se", "se_percent", "%", lowest[0], wanted[0], False),
            value("PPV", "ppv_percent", "%", lowest[1], wanted[1], False),
        )
    what = f"{NAMES[name]}, each lead" if name in BORDERS else f"{NAMES[name]} found, each lead"
    return Row(what=what, n=f"{row.get('records', '?')} records, {row['n']} marks", values=values, data=data,
               chosen="LUDB, the other folds", reported="cross-validation")  # fmt: skip


def _wrong_beats(scores: Sequence[RecordScore]) -> list[Json]:
    return [
        {
            "record": score.record,
            "missed": score.beats.missed,
            "extra": score.beats.extra,
            "at s": ", ".join(f"{at:.2f}" for at in score.wrong_at_s),
            "label": score.label,
        }
        for score in scores
        if score.wrong_at_s
    ]


def _worst_borders(scores: Sequence[RecordScore]) -> list[Json]:
    worst = sorted(scores, key=lambda score: -score.roughness)[:10]
    rows = []
    for score in worst:
        row: Json = {"record": score.record, "RMS/must": f"{score.roughness:.2f}"}
        for name in BORDERS:
            errors = score.errors_ms[name]
            row[f"{NAMES[name]} ms"] = f"{np.mean(errors):.0f} ± {np.std(errors):.0f}" if errors else "–"
        rows.append({**row, "label": score.label})
    return rows


def _worst_waves(scores: Sequence[RecordScore]) -> list[Json]:
    def wrong(score: RecordScore) -> int:
        return sum(score.waves[kind].missed + score.waves[kind].extra for kind in WAVES)

    return [
        {
            "record": score.record,
            **{
                f"{NAMES[kind]} {side}": getattr(score.waves[kind], side)
                for kind in WAVES
                for side in ("marked", "missed", "extra")
            },
            "label": score.label,
        }
        for score in sorted(scores, key=lambda score: -wrong(score))[:10]
    ]


def _left_out(scores: Sequence[RecordScore]) -> list[Json]:
    return [
        {
            "wave": NAMES[kind],
            "matched": sum(score.waves[kind].hits for score in scores),
            "borders beyond 150 ms": sum(score.far[kind] for score in scores),
            "borders not given": sum(score.not_given[kind] for score in scores),
        }
        for kind in KINDS
    ]


def _whole(scores: Sequence[RecordScore]) -> list[Json]:
    rows: list[Json] = []
    for name in WHOLE:
        for part, inside in PARTS_OF_LUDB.items():
            n, values = border_values(
                [score.whole_ms[name] for score in scores if inside(score.record)], None, None
            )
            told = "; ".join(value.text() for value in values)
            rows.append({"border": NAMES[name], "part": part, "beats": n, "bias, SD (95 % CI)": told})
    return rows
