"""Metrics as the pages read them: the numbers of an edition, by group, and the cases behind each."""

from collections.abc import Sequence
from typing import Final

import msgspec

from greenchannel.alerts.facts import facts
from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.quality.answers import Cell, CellCases, MetricAnswer, Numbers, Question
from greenchannel.alerts.quality.engine import answer
from greenchannel.alerts.quality.metrics import editions, exclusions, metrics, metrics_of
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.clock import rfc3339
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.quality_json import (
    CaseLine,
    Cases,
    Counted,
    Frame,
    GroupRow,
    Groups,
    Metric,
    MonthValue,
    Number,
    Overview,
    Said,
)
from greenchannel.viewer.quality_scope import UNKNOWN, Scope, said

# The six of the first page by their ends, each with what stands for it where an edition has another. [PAGES]
_SIX: Final = (
    (("FMC", "ECG1_ACQ"), ("FMC", "ECG_DX")),
    (("ECG1_ACQ", "ECG_DX"),),
    (("SPOKE_DOOR", "SPOKE_OUT"),),
    (("HUB_DOOR", "WIRE"), ("HUB_DOOR", "DEVICE"), ("ECG_DX", "WIRE")),
    (("FMC", "WIRE"), ("FMC", "DEVICE")),
)
_MOST_FIRST: Final = 6
_SHARE: Final = "@share"  # after the id of a metric: its share in target, as a number of its own
MOST_CASES: Final = 500
SETS: Final = ("counted", "met", "late", "possibly", "uncertain", "missing", "negative", "excluded")


def standards() -> tuple[Said, ...]:
    """All editions."""
    return tuple(Said(id=one.id, zh=one.zh, en=one.en) for one in editions().values())


def overview_of(scope: Scope, frame: Frame) -> Overview:
    """All metrics of the edition; the six of the first page come first."""
    told = answer(scope.records, Question(edition=scope.view.standard, cases=False))
    first = _first(told.metrics)
    chosen = [metric_json(one, first=True) for one in first]
    chosen += [one for one in (_in_target(first),) if one is not None]
    rest = [one for one in told.metrics if one not in first]
    while len(chosen) < _MOST_FIRST and rest:
        chosen.append(metric_json(rest.pop(0), first=True))
    return Overview(frame=frame, metrics=(*chosen, *(metric_json(one) for one in rest)))


def groups_of(scope: Scope, frame: Frame, names: Directory, metric: str) -> Groups:
    """One metric by the grouping of the view, beside the network; the first of the edition where none is named."""
    asked = _metric_of(scope.view.standard, metric)
    question = Question(edition=scope.view.standard, metrics=(asked,), by=(scope.view.by,), cases=False)
    (one,) = answer(scope.records, question).metrics
    # Beside a chosen group stands the network, not the group once more.
    beside = msgspec.structs.replace(question, by=())
    (whole,) = answer(scope.network, beside).metrics if scope.view.group else (one,)
    told = metric_json(whole)
    rows = []
    for cell in one.groups:
        group = said(names, scope.view.by, cell.key or UNKNOWN)
        rows.append(
            GroupRow(
                id=group.id,
                zh=group.zh,
                en=group.en,
                number=number_json(cell.kept),
                missing=cell.kept.missing,
                excluded=cell.excluded,
            )
        )
    return Groups(frame=frame, metric=told, rows=tuple(rows))


def cases_of(scope: Scope, frame: Frame, names: Directory, metric: str, chosen: str) -> Cases:
    """The cases of one set of a metric, the slowest first; without a metric all cases of the view, the newest first."""
    by_id = {one.case_id: one for one in scope.records}
    if not metric:
        newest = scope.records[: -MOST_CASES - 1 : -1]
        lines = [_line(one, names, "counted", None, ()) for one in newest]
        return Cases(frame=frame, metric=None, set="counted", total=len(scope.records), cases=tuple(lines))
    asked = _metric_of(scope.view.standard, metric)
    (one,) = answer(
        scope.records, Question(edition=scope.view.standard, metrics=(asked,), trend=False)
    ).metrics
    ends = one.metric.endpoints
    lines = [
        _line(by_id[case_id], names, name, ends, reasons)
        for case_id, name, reasons in _set(one.whole.cases or CellCases(), chosen)
    ]
    lines.sort(key=lambda line: (-(line.minutes or 0.0), line.opened_at))
    return Cases(
        frame=frame,
        metric=metric_json(one),
        set=chosen,
        total=len(lines),
        cases=tuple(lines[:MOST_CASES]),
    )


def _metric_of(edition: str, asked: str) -> str:
    """A metric of this edition: the one that was asked for, or of another edition's the one with the same ends or
    facts, of the same patients where there are several; the first where there is none. One that no edition has stays,
    and is refused by the engine."""
    own = metrics_of(edition)
    known = metrics().get(asked.removesuffix(_SHARE))
    if known is None:
        return asked or own[0].id
    alike = [one for one in own if (one.endpoints, one.yes) == (known.endpoints, known.yes)]
    same = [one for one in alike if one.population == known.population]
    return next((one.id for one in own if one.id == known.id), (*same, *alike, own[0])[0].id)


def _first(told: Sequence[MetricAnswer]) -> list[MetricAnswer]:
    found: list[MetricAnswer] = []
    for ends in _SIX:
        fits = [one for pair in ends for one in told if one.metric.endpoints == pair and one not in found]
        found += fits[:1]
    return found


def _in_target(first: Sequence[MetricAnswer]) -> Metric | None:
    """The share in target of the longest way of the first page."""
    judged = [one for one in first if one.metric.kind == "interval" and one.metric.target_min is not None]
    return metric_json(judged[-1], first=True, as_share=True) if judged else None


def metric_json(told: MetricAnswer, *, first: bool = False, as_share: bool = False) -> Metric:
    """One metric; `as_share`: by its share in target, whatever its edition judges it by."""
    metric, kept = told.metric, told.whole.kept
    statistic = told.statistic if metric.kind == "interval" and not as_share else "share"
    start, end = (None if name is None else _milestone(name) for name in (metric.start, metric.end))
    reached = None
    if as_share and metric.target_share is not None and kept.share is not None:
        reached = kept.share >= metric.target_share
    return Metric(
        id=metric.id + (_SHARE if as_share else ""),
        zh=f"{metric.zh}达标率" if as_share else metric.zh,
        en=f"{metric.en}: in target" if as_share else metric.en,
        label=metric.label,
        from_=start,
        to=end,
        statistic=statistic,
        target_min=metric.target_min,
        below=metric.below,
        target_share=metric.target_share,
        source=metric.source,
        mark=metric.mark,
        without=number_json(kept, reached=reached, own=not as_share),
        with_all=number_json(told.whole.all, own=not as_share),
        missing=kept.missing,
        negative=kept.negative,
        excluded=told.whole.excluded,
        reasons=tuple(
            Counted(id=name, zh=exclusions()[name].zh, en=exclusions()[name].en, n=n)
            for name, n in told.whole.reasons.items()
            if n
        ),
        uncertain=kept.could_turn,
        possibly=0 if kept.met is None or kept.met_most is None else kept.met_most - kept.met,
        half_width_min=kept.half_width_min,
        trend=tuple(_month(cell, statistic) for cell in told.trend if cell.key is not None),
        first=first,
    )


def number_json(numbers: Numbers, *, reached: bool | None = None, own: bool = True) -> Number:
    """Numbers as the pages read them; `reached` in place of the edition's own verdict where `own` is False."""
    low, high = numbers.share_interval or (None, None)
    known = numbers.n + numbers.bounded + numbers.early
    return Number(
        n=known,
        mean_min=numbers.mean_min,
        median_min=numbers.median_min,
        q1_min=numbers.q1_min,
        q3_min=numbers.q3_min,
        met=numbers.met,
        late=None if numbers.met_most is None else known - numbers.met_most,
        share=numbers.share,
        share_low=low,
        share_high=high,
        reached=numbers.reached if own else reached,
    )


def _month(cell: Cell, statistic: str) -> MonthValue:
    kept = cell.kept
    value = {"mean": kept.mean_min, "median": kept.median_min, "share": kept.share}[statistic]
    return MonthValue(
        month=cell.key or UNKNOWN, n=kept.n + kept.bounded + kept.early, value=value, share=kept.share
    )


def _milestone(name: str) -> Said:
    spec = milestones()[name]
    return Said(id=name, zh=spec.zh, en=spec.en)


def _set(cases: CellCases, chosen: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """Case, the set it is of by itself, and why it was excluded."""
    reasons: dict[str, list[str]] = {}
    for name, ids in cases.excluded.items():
        for case_id in ids:
            reasons.setdefault(case_id, []).append(name)
    sets = {
        "met": cases.met,
        "late": cases.not_met,
        "possibly": cases.maybe,
        "counted": cases.known,
        "missing": cases.missing,
        "negative": cases.negative,
        "excluded": tuple(reasons),
    }
    own = {case_id: name for name, ids in sets.items() for case_id in ids}
    if chosen == "counted":
        wanted = [*cases.met, *cases.maybe, *cases.not_met, *cases.known]
    else:
        wanted = list(cases.could_turn if chosen == "uncertain" else sets[chosen])
    return [(case_id, own.get(case_id, "counted"), tuple(reasons.get(case_id, ()))) for case_id in wanted]


def _line(
    record: CaseRecord, names: Directory, name: str, ends: tuple[str, ...] | None, excluded: tuple[str, ...]
) -> CaseLine:
    times = [record.times.get(one) for one in ends or ()]
    known = [one for one in times if one is not None]
    minutes = half = None
    if len(times) == 2 and len(known) == 2 and not any(one.told for one in known):
        minutes = (known[1].at - known[0].at).total_seconds() / 60
        if all(one.uncertainty_s is not None for one in known):
            half = sum(one.uncertainty_s or 0.0 for one in known) / 60
    why = [Said(id=one, zh=exclusions()[one].zh, en=exclusions()[one].en) for one in excluded]
    for reason in record.reasons:
        spec = facts().get(reason)
        why.append(
            Said(id=reason, zh=reason, en=reason) if spec is None else Said(id=reason, zh=spec.zh, en=spec.en)
        )
    return CaseLine(
        case_id=record.case_id,
        opened_at=rfc3339(record.opened_at),
        site=said(names, "clinic", record.site),
        arrival_mode=record.arrival_mode,
        minutes=minutes,
        uncertainty_min=half,
        set=name,
        lacks=tuple(_milestone(one) for one, time in zip(ends or (), times, strict=True) if time is None),
        reasons=tuple(why),
        corrected=any(one.corrected for one in known),
    )
