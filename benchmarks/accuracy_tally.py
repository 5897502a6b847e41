"""What is counted of each record of LUDB, and the limits it is held against."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.accuracy_data import Case
from benchmarks.accuracy_marks import KINDS, WHOLE, Marks, borders, read_marks
from benchmarks.accuracy_report import Value
from benchmarks.accuracy_scoring import PARTS, Counts, Wave, count_beats, match, score_waves
from benchmarks.accuracy_stats import bias_and_sd, share
from benchmarks.harness import Json
from greenchannel.signal.measurements import Measurements

# Border: SD that must be kept, SD aimed at, in ms.
BORDERS: Final = {
    "p_on": (15, 12), "p_off": (16, 12), "qrs_on": (9, 7), "qrs_off": (11, 8), "t_peak": (14, 10), "t_off": (20, 16),
}  # fmt: skip
MUST_BIAS_MS: Final = 5
WAVES: Final = {"p": ((95.0, 95.0), (98.5, 98.0)), "t": ((98.0, 97.0), (99.5, 99.0))}  # must, aim of Se, PPV
QRS: Final = ((99.7, 99.7), (99.9, 99.9))
# Interval: tolerance of the mean and of the SD, ms (CSE limits of the clinical specification, SIG-4).
INTERVALS: Final = {
    "pr": ("p_on", "qrs_on", 10, 10),
    "qrs": ("qrs_on", "qrs_off", 10, 10),
    "qt": ("qrs_on", "t_off", 25, 30),
}
NAMES: Final = {
    "p_on": "P onset", "p_off": "P end", "qrs_on": "QRS onset", "qrs_off": "QRS end (J)", "t_peak": "T peak",
    "t_off": "T end", "p": "P", "t": "T", "qrs": "QRS",
}  # fmt: skip

LeadWaves = Mapping[str, Mapping[str, Sequence[Wave]]]  # lead → p, qrs, t → waves


@dataclass(kw_only=True)
class RecordScore:
    """What was counted in one record, its leads together."""

    record: int
    label: str = ""
    beats: Counts = field(default_factory=Counts)
    wrong_at_s: list[float] = field(default_factory=list)
    waves: dict[str, Counts] = field(default_factory=lambda: {kind: Counts() for kind in KINDS})
    errors_ms: dict[str, list[float]] = field(
        default_factory=lambda: {f"{kind}_{part}": [] for kind in KINDS for part in PARTS}
    )
    far: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    not_given: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    whole_ms: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in WHOLE})
    intervals_ms: dict[str, float] = field(default_factory=dict)

    @property
    def roughness(self) -> float:
        """Mean over the borders of the RMS error in units of the SD that must be kept; 0 without any."""
        rms = [
            float(np.sqrt(np.mean(np.square(self.errors_ms[name])))) / must
            for name, (must, _) in BORDERS.items()
            if self.errors_ms[name]
        ]
        return float(np.mean(rms)) if rms else 0.0


def lead_waves(m: Measurements) -> LeadWaves:
    """Waves of every lead as the core gives them, beat by beat."""
    return {
        lead: {
            "p": [(b.p_on_s, b.p_peak_s, b.p_off_s) for b in beats],
            "qrs": [(b.qrs_on_s, None, b.qrs_off_s) for b in beats],
            "t": [(b.t_on_s, b.t_peak_s, b.t_off_s) for b in beats],
        }
        for lead, beats in m.lead_beats.items()
    }


def score_lead_waves(score: RecordScore, marks: Marks, ours: LeadWaves) -> None:
    """Add the comparison of every lead's waves; a delineator can be scored by this without `measure`."""
    for lead, of in marks.waves.items():
        first, last = marks.span_s[lead]
        for kind in KINDS:
            # A QRS is matched by its middle: its reading has no peak.
            told = [(on, None, off) for on, _, off in of[kind]] if kind == "qrs" else of[kind]
            one = score_waves(told, ours.get(lead, {}).get(kind, ()), first_s=first, last_s=last)
            score.waves[kind] += one.counts
            score.far[kind] += one.far
            score.not_given[kind] += one.not_given
            for part, errors in one.errors_ms.items():
                score.errors_ms[f"{kind}_{part}"] += errors


def score_record(record: int, label: str, m: Measurements, marks: Marks) -> RecordScore:
    """All of one record."""
    score = RecordScore(record=record, label=label)
    score.beats, score.wrong_at_s = count_beats(
        marks.sure_s, m.r_s, first_s=marks.first_s, last_s=marks.last_s, unsure=marks.unsure_s
    )
    score_lead_waves(score, marks, lead_waves(m))
    marked = [borders(marks, at) for at in marks.sure_s]
    for i, j in match(marks.sure_s, m.r_s):
        for name, at in marked[i].items():
            told = getattr(m.beats[j], f"{name}_s")
            if told is not None:
                score.whole_ms[name].append((told - at) * 1000)
    for name, (first, last, *_) in INTERVALS.items():
        spans = [(beat[last] - beat[first]) * 1000 for beat in marked if first in beat and last in beat]
        told_ms = getattr(m, f"{name}_ms")
        if spans and told_ms is not None:
            score.intervals_ms[name] = told_ms - float(np.median(spans))
    return score


def score_cases(found: Sequence[Case]) -> list[RecordScore]:
    """Every record of LUDB."""
    return [
        score_record(int(case.record), case.label, case.measured, read_marks(case.path)) for case in found
    ]


def count_values(scores: Sequence[RecordScore], kind: str, must: tuple[float, float] | None = None,
                 aim: tuple[float, float] | None = None) -> tuple[int, tuple[Value, Value]]:  # fmt: skip
    """How many are marked, and Se and PPV; `kind` is ``beats`` or a wave."""
    counts = [score.beats if kind == "beats" else score.waves[kind] for score in scores]
    hits = [count.hits for count in counts]
    se, se_ci = share(hits, [count.marked for count in counts])
    ppv, ppv_ci = share(hits, [count.told for count in counts])
    limits = [(must[k] if must else None, aim[k] if aim else None) for k in (0, 1)]
    return sum(count.marked for count in counts), (
        Value(name="Se", value=se, ci95=se_ci, unit="%", must=limits[0][0], aim=limits[0][1], digits=2),
        Value(name="PPV", value=ppv, ci95=ppv_ci, unit="%", must=limits[1][0], aim=limits[1][1], digits=2),
    )


def border_values(
    errors: Sequence[Sequence[float]], must_sd: float | None, aim_sd: float | None, bias: float | None = None
) -> tuple[int, tuple[Value, ...]]:
    """How many borders, and their bias and SD in ms, over records."""
    found = bias_and_sd(errors)
    if found is None:
        return 0, (Value(name="bias", value=None, must=bias, at_most=True),)
    n, mean, mean_ci, sd, sd_ci = found
    return n, (
        Value(name="bias", value=mean, ci95=mean_ci, unit="ms", must=bias, at_most=True),
        Value(name="SD", value=sd, ci95=sd_ci, unit="ms", must=must_sd, aim=aim_sd, at_most=True),
    )


def cv_rows(scores: Sequence[RecordScore]) -> list[Json]:
    """What the cross-validation saves as ``rows``, of records that were each read by a model that never saw them."""
    rows: list[Json] = []
    for name in BORDERS:
        found = bias_and_sd([score.errors_ms[name] for score in scores])
        if found is not None:
            n, mean, mean_ci, sd, sd_ci = found
            rows.append({"id": name, "records": len(scores), "n": n, "bias_ms": mean, "bias_ms_ci95": mean_ci,
                         "sd_ms": sd, "sd_ms_ci95": sd_ci})  # fmt: skip
    for kind in KINDS:
        n, (se, ppv) = count_values(scores, kind)
        rows.append({"id": kind, "records": len(scores), "n": n, "se_percent": se.value, "se_percent_ci95": se.ci95,
                     "ppv_percent": ppv.value, "ppv_percent_ci95": ppv.ci95})  # fmt: skip
    return rows
