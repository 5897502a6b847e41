"""Beats of two long recordings against their reference annotations: MIT-BIH 100 and QT Database sel100."""

from pathlib import Path
from typing import Final

import numpy as np
import wfdb

from benchmarks.accuracy_data import cases, version
from benchmarks.accuracy_report import Row, Table, Topic, Value
from benchmarks.accuracy_scoring import count_beats
from benchmarks.accuracy_stats import wilson

RECORDS: Final = {"100": "MIT-BIH 100, 30 min", "sel100": "QTDB sel100, 15 min"}
LIMITS: Final = (99.9, 100.0)  # must, aim of Se and of PPV
_BEATS: Final = frozenset("NLRBAaJSVrFejnE/fQ?")  # what PhysioNet's codes call a beat


def topic(folder: Path, step: int = 1) -> Topic:
    """Each record read whole and once; `step` changes nothing, a part of a record is another test."""
    made = Topic(name="beats", title="Beats of long recordings", intro=_INTRO)
    data = version(folder, "wfdb-annotated")
    wrong = []
    for case in cases(folder, ("wfdb-annotated",)):
        if case.record not in RECORDS:
            continue
        recording = case.recording
        told = wfdb.rdann(str(case.path.with_suffix("")), "atr")
        at = np.asarray(told.sample, dtype=float) / recording.rate_hz
        marks = [s for s, symbol in zip(at.tolist(), told.symbol, strict=True) if symbol in _BEATS]
        counts, at_s = count_beats(marks, case.measured.r_s, first_s=0.0, last_s=recording.duration_s)
        wrong += [
            {"record": case.record, "at s": f"{one:.2f}", "what": "missed" if one in marks else "extra"}
            for one in at_s
        ]
        values = tuple(
            Value(name=name, value=100 * counts.hits / of if of else None, ci95=wilson(counts.hits, of), unit="%",
                  must=LIMITS[0], aim=LIMITS[1], digits=2)
            for name, of in (("Se", counts.marked), ("PPV", counts.told))
        )  # fmt: skip
        made.rows.append(
            Row(what=RECORDS[case.record], n=f"1 record, {counts.marked} beats", values=values, data=data,
                chosen="LUDB < 100", reported="the whole record")
        )  # fmt: skip
    made.tables = [Table(title="Beats missed or extra", rows=wrong)]
    return made


_INTRO: Final = """
Two leads, every beat of the reference annotation within 150 ms, each used once, from the first sample to the last.
Both records are the same tape of one person: this shows that long recordings are read whole, not that all hearts
are.
"""
