"""The metric engine: records and a question in, numbers out."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from greenchannel.alerts.quality.answers import (
    Cell,
    CellCases,
    MetricAnswer,
    MetricsAnswer,
    Numbers,
    Question,
)
from greenchannel.alerts.quality.columns import Codes, Columns, Ints, us
from greenchannel.alerts.quality.counter import WHOLE, Both, By, Counter
from greenchannel.alerts.quality.groups import GROUPINGS, Grouping
from greenchannel.alerts.quality.kept import Kept
from greenchannel.alerts.quality.metrics import (
    Metric,
    editions,
    exclusions,
    metrics,
    metrics_of,
    wilson_z,
)
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.tabulate import Spread, Table, tabulate
from greenchannel.alerts.quality.verdicts import MINUTE_US, MISSING, Bit, Mask, Status, Verdicts
from greenchannel.alerts.refusal import Refused

MOST_BY: Final = 2  # groupings crossed in one question


def answer(records: Iterable[CaseRecord], question: Question) -> MetricsAnswer:
    """Answer a question about records; raises `Refused` where it names what there is not."""
    return answer_of(Counter(Columns.of(records)), question)


def check(question: Question) -> None:
    """Raise `Refused` where a question names an edition, a metric, a grouping or an exclusion that there is not."""
    named: tuple[tuple[str, str, Sequence[str], Iterable[str]], ...] = (
        ("edition", "标准版本", () if question.edition is None else (question.edition,), editions()),
        ("metric", "指标", question.metrics, metrics()),
        ("grouping", "分组", question.by, GROUPINGS),
        ("exclusion", "剔除条件", question.exclusions or (), exclusions()),
    )
    for en, zh, asked, known in named:
        names = tuple(known)
        for name in asked:
            if name not in names:
                raise Refused(
                    f"unknown_{en}",
                    f"{zh}应为 {'、'.join(names)} 之一，收到 {name}",
                    f"expected one of {', '.join(names)} as the {en}, got {name}",
                    422,
                )
    if len(question.by) > MOST_BY:
        raise Refused(
            "too_many_groupings",
            f"最多按 {MOST_BY} 项分组，收到 {len(question.by)} 项",
            f"expected at most {MOST_BY} groupings, got {len(question.by)}",
            422,
        )


def answer_of(counter: Counter, question: Question, sites: frozenset[str] | None = None) -> MetricsAnswer:
    """Answer a question from what a counter keeps, about the cases of these sites (None: all)."""
    check(question)
    selected = _selected(counter.columns, question, sites)
    asked = [
        row for row in metrics_of(question.edition) if not question.metrics or row.id in question.metrics
    ]
    return MetricsAnswer(
        question=question,
        cases=len(counter.columns) if selected is None else int(selected.sum()),
        metrics=tuple(_metric(counter, metric, question, selected) for metric in asked),
    )


def _selected(columns: Columns, question: Question, sites: frozenset[str] | None) -> Mask | None:
    """The rows that are asked about; None: all."""
    if question.start is None and question.end is None and sites is None:
        return None
    inside = np.ones(len(columns), np.bool_)
    began = columns.number("began")
    if question.start is not None:
        inside &= began >= us(question.start)
    if question.end is not None:
        inside &= began < us(question.end)
    if sites is not None:
        inside &= np.isin(columns.label("site"), columns.words["site"].codes(sites))
    return inside


def _metric(counter: Counter, metric: Metric, question: Question, selected: Mask | None) -> MetricAnswer:
    edition = editions()[metric.edition]
    names = edition.exclusions if question.exclusions is None else question.exclusions
    verdicts = counter.verdicts(metric)
    if selected is not None:
        verdicts = verdicts.take(selected[verdicts.rows])
    some = None if selected is None else Kept.of(verdicts)
    out = counter.left_out(names, verdicts.rows)

    def cells(by: By, *, with_cases: bool) -> tuple[Cell, ...]:
        grouping = counter.groups(by)
        group = grouping.code[verdicts.rows]
        both = counter.table(metric, by, names) if some is None else counter.count(some, by, names)
        cases = _cases(counter.columns, verdicts, out, group) if with_cases else None
        return _cells(metric, both, grouping, edition.statistic, cases)

    (whole,) = cells(WHOLE, with_cases=question.cases) or (_empty(metric, edition.statistic, names),)
    return MetricAnswer(
        metric=metric,
        statistic=edition.statistic,
        whole=whole,
        groups=cells(question.by, with_cases=question.cases) if question.by else (),
        trend=cells(("month",), with_cases=False) if question.trend else (),
    )


def _cells(
    metric: Metric,
    both: Both,
    grouping: Grouping,
    statistic: str,
    cases: Mapping[int, CellCases] | None,
) -> tuple[Cell, ...]:
    found = [
        Cell(
            key=grouping.keys[one],
            all=numbers(metric, both.all, one, statistic),
            kept=numbers(metric, both.kept, one, statistic),
            excluded=int(both.all.status[one].sum() - both.kept.status[one].sum()),
            reasons={name: int(count[one]) for name, count in both.reasons.items()},
            cases=None if cases is None else cases.get(one, CellCases()),
        )
        for one in np.flatnonzero(both.all.status.sum(axis=1)).tolist()
    ]
    return tuple(sorted(found, key=lambda cell: (cell.key is None, cell.key or "")))


def _cases(
    columns: Columns, verdicts: Verdicts, out: Mapping[str, Mask], group: Codes
) -> dict[int, CellCases]:
    """The cases behind each group's numbers, in the order of the rows; every case once but for the reasons."""
    left = np.logical_or.reduce(list(out.values())) if out else np.zeros(len(verdicts.rows), np.bool_)
    missing, negative = np.isin(verdicts.status, MISSING), verdicts.status == Status.NEGATIVE
    counted = ~(left | missing | negative)
    met, maybe = (verdicts.bits & Bit.MET) > 0, (verdicts.bits & Bit.MAYBE) > 0
    judged = verdicts.metric.judged
    masks = {
        "met": counted & met,
        "maybe": counted & maybe & ~met,
        "not_met": counted & ~maybe & judged,
        "known": counted & (not judged),
        "missing": missing & ~left,
        "negative": negative & ~left,
        "could_turn": ((verdicts.bits & Bit.TURN) > 0) & ~left,
    }
    sets = {name: _by_group(columns, verdicts.rows, mask, group) for name, mask in masks.items()}
    reasons = {name: _by_group(columns, verdicts.rows, mask, group) for name, mask in out.items()}
    return {
        one: CellCases(
            **{name: found.get(one, ()) for name, found in sets.items()},
            excluded={name: found.get(one, ()) for name, found in reasons.items()},
        )
        for one in np.unique(group).tolist()
    }


def _by_group(columns: Columns, rows: Ints, mask: Mask, group: Codes) -> dict[int, tuple[str, ...]]:
    chosen = np.flatnonzero(mask)
    ordered = chosen[np.argsort(group[chosen], kind="stable")]
    keys, starts = np.unique(group[ordered], return_index=True)
    parts = np.split(rows[ordered], starts[1:])
    return {
        key: tuple([columns.ids[row] for row in part.tolist()])
        for key, part in zip(keys.tolist(), parts, strict=False)
    }


def numbers(metric: Metric, table: Table, group: int, statistic: str) -> Numbers:
    """The numbers of one group of a table."""
    status = table.status[group].tolist()
    eligible = sum(status)
    exact, low, high = table.exact, table.low, table.high
    n, bounded = status[Status.EXACT], status[Status.BOUNDED]
    known = n + bounded + status[Status.EARLY]
    met = int(table.met[group]) if metric.judged else None
    most = int(table.maybe[group]) if metric.judged else None
    minutes = metric.kind == "interval"
    clocked = int(table.half_n[group])
    share = None if met is None or eligible == 0 else met / eligible
    value = _value(exact, group, statistic) if minutes else None
    return Numbers(
        eligible=eligible,
        n=n,
        bounded=bounded,
        early=status[Status.EARLY],
        missing=sum(status[one] for one in MISSING),
        missing_start=status[Status.NO_START],
        missing_end=status[Status.NO_END],
        missing_both=status[Status.NEITHER],
        unsaid=status[Status.UNSAID],
        negative=status[Status.NEGATIVE],
        mean_min=exact.mean(group),
        median_min=_known(exact.median[group]),
        q1_min=_known(exact.q1[group]),
        q3_min=_known(exact.q3[group]),
        mean_bounds_min=_pair(low.mean(group), high.mean(group)),
        median_bounds_min=_pair(_known(low.median[group]), _known(high.median[group])),
        met=met,
        met_most=most,
        share=share,
        share_interval=None if met is None else wilson(met, eligible),
        share_most=None if most is None or eligible == 0 else most / eligible,
        share_known=None if met is None or known == 0 else met / known,
        could_turn=int(table.turn[group]),
        no_clock=int(table.no_clock[group]),
        half_width_min=int(table.half_us[group]) / clocked / MINUTE_US if clocked else None,
        half_width_n=clocked,
        reached=_reached(metric, value, share),
    )


def wilson(met: int, n: int) -> tuple[float, float] | None:
    """Wilson's interval of a share, 95 %; None of nobody."""
    if n == 0:
        return None
    z = wilson_z()
    share = met / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    whole = 1 + z * z / n
    # The ends are known: a rounding beside them would leave the share itself outside.
    return (middle - half) / whole if met else 0.0, (middle + half) / whole if met < n else 1.0


def _reached(metric: Metric, value: float | None, share: float | None) -> bool | None:
    """Both where both are wanted; the share alone decides where no statistic is judged."""
    wanted: list[bool | None] = []
    if metric.kind == "interval" and metric.target_min is not None:
        wanted.append(None if value is None else _within(value, metric.target_min, metric.below))
    if metric.target_share is not None:
        wanted.append(None if share is None else share >= metric.target_share)
    if not wanted or None in wanted:
        return None
    return all(wanted)


def _within(value: float, target_min: float, below: bool) -> bool:
    return value < target_min if below else value <= target_min


def _value(spread: Spread, group: int, statistic: str) -> float | None:
    return spread.mean(group) if statistic == "mean" else _known(spread.median[group])


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _pair(low: float | None, high: float | None) -> tuple[float, float] | None:
    return None if low is None or high is None else (low, high)


def _empty(metric: Metric, statistic: str, names: Iterable[str]) -> Cell:
    none = np.zeros(0, np.int64)
    nobody = Verdicts(
        metric=metric,
        rows=none,
        status=none.astype(np.int8),
        bits=none.astype(np.int8),
        us=none,
        low=none,
        high=none,
        half=none,
    )
    zero = numbers(metric, tabulate(Kept.of(nobody), none.astype(np.int32), 1), 0, statistic)
    return Cell(key="network", all=zero, kept=zero, excluded=0, reasons=dict.fromkeys(names, 0))
