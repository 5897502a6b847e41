"""Whether a filled form can be true, and whose answers are still missing."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache

import msgspec

from greenchannel.alerts.milestones import MilestoneValue, milestones
from greenchannel.alerts.order import NATIONAL_ZONE, check_order
from greenchannel.alerts.quality.national_form import (
    CPC_STEMI,
    NONE,
    TABLE,
    Cell,
    Form,
    choices,
    form_of,
    owners,
    ways_of,
)
from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from greenchannel.alerts.quality.tables import read_table, read_value
from greenchannel.events import ClockReading


class FormProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something on a form that cannot be true, or that is missing where the rest of the form asks for it."""

    code: str  # "missing", "order", "apart", "range", "unknown_code", "contradiction"
    level: str  # "error": the platform refuses it; "warning": a person should look
    fields: tuple[str, ...]
    owner: str
    zh: str
    en: str


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that somebody owes."""

    case_id: str
    site: str
    opened_at: datetime
    form: str
    field: str
    zh: str
    en: str
    milestone: str | None  # the time to enter, where it is one
    owner: str


class _Apart(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    rename={"start": "from", "end": "to"},
):
    start: str
    end: str
    most_h: float


@cache
def _apart() -> tuple[_Apart, ...]:
    return read_table(TABLE, "apart", _Apart)


def check(record: CaseRecord, form: str = CPC_STEMI, zone: tzinfo = NATIONAL_ZONE) -> tuple[FormProblem, ...]:
    """Return what the platform would refuse and what a person should look at; `zone` is that of the texts."""
    filled = form_of(record, form)
    return (
        *(_missing(cell) for cell in filled.missing),
        *_order(record, filled, zone),
        *_far_apart(record, filled, zone),
        *_values(filled),
        *_contradictions(record, filled),
    )


def gaps(records: Iterable[CaseRecord], form: str = CPC_STEMI) -> dict[str, list[Gap]]:
    """Return what is asked for and not there, by who owes it, oldest case first; every owner is in it."""
    found: dict[str, list[Gap]] = {owner: [] for owner in owners()}
    for record in sorted(records, key=lambda one: (one.opened_at, one.case_id)):
        for cell in form_of(record, form).missing:
            found[cell.owner].append(
                Gap(
                    case_id=record.case_id,
                    site=record.site,
                    opened_at=record.opened_at,
                    form=form,
                    field=cell.spec.id,
                    zh=cell.spec.zh,
                    en=cell.spec.en,
                    milestone=cell.spec.milestone or _said_with(cell),
                    owner=cell.owner,
                )
            )
    return found


def _said_with(cell: Cell) -> str | None:
    kind, _, name = cell.spec.value.partition(":")
    return name if kind == "code" else None


def _missing(cell: Cell) -> FormProblem:
    who = owners()[cell.owner]
    return FormProblem(
        code="missing",
        level="error",
        fields=(cell.spec.id,),
        owner=cell.owner,
        zh=f"缺少必填项“{cell.spec.zh}”（{who.zh}）",
        en=f"{cell.spec.en} is required and missing ({who.en})",
    )


# ---------------------------------------------------------------- times


def _order(record: CaseRecord, filled: Form, zone: tzinfo) -> Iterable[FormProblem]:
    values = {name: _as_value(name, time) for name, time in record.times.items() if name in milestones()}
    for problem in check_order(values, record.arrival_mode, record.way, zone, record.facts):
        first, second = (_said(name, record.times[name], zone) for name in (problem.before, problem.after))
        yield FormProblem(
            code="order",
            level=problem.level,
            fields=_fields(filled, problem.before, problem.after),
            owner=_owner(filled, problem.after, problem.before),
            zh=f"顺序有误：{first[0]}，{second[0]}",
            en=f"not in order: {first[1]}; {second[1]}",
        )


def _far_apart(record: CaseRecord, filled: Form, zone: tzinfo) -> Iterable[FormProblem]:
    for row in _apart():
        first, last = record.times.get(row.start), record.times.get(row.end)
        if first is None or last is None or last.earliest - first.latest <= timedelta(hours=row.most_h):
            continue
        said = _said(row.start, first, zone), _said(row.end, last, zone)
        yield FormProblem(
            code="apart",
            level="warning",
            fields=_fields(filled, row.start, row.end),
            owner=_owner(filled, row.end, row.start),
            zh=f"相隔超过{row.most_h:g}小时：{said[0][0]}，{said[1][0]}",
            en=f"more than {row.most_h:g} h apart: {said[0][1]}; {said[1][1]}",
        )


def _as_value(name: str, time: RecordTime) -> MilestoneValue:
    """What the partial order compares; the record keeps no more of a time than it needs."""
    half_s = (time.latest - time.earliest).total_seconds() / 2
    return MilestoneValue(
        milestone=name,
        time=ClockReading(
            at=time.at,
            clock=time.source,
            uncertainty_s=half_s if time.told is not None else time.uncertainty_s,
            told=time.told,
        ),
        source=time.source,
        actor="",
        recorded_at=time.at,
        seq=0,
    )


def _said(name: str, time: RecordTime, zone: tzinfo) -> tuple[str, str]:
    """A milestone with its time, its source and how well its clock is known, in Chinese and English."""
    spec = milestones()[name]
    at = time.told or f"{time.at.astimezone(zone):%m-%d %H:%M:%S}"
    width = time.uncertainty_s
    zh = "时钟误差未知" if width is None else f"±{width:.0f}秒"
    en = "clock never compared" if width is None else f"±{width:.0f} s"
    return f"“{spec.zh}”{at}（{time.source}，{zh}）", f"{spec.en} {at} ({time.source}, {en})"


def _fields(filled: Form, *names: str) -> tuple[str, ...]:
    return tuple(cell.spec.id for name in names for cell in filled.cells if cell.spec.milestone == name)


def _owner(filled: Form, *names: str) -> str:
    """Who should look: whoever owes the first of these times that the form has."""
    for name in names:
        for cell in filled.cells:
            if cell.spec.milestone == name:
                return cell.owner
    return "quality"


# ---------------------------------------------------------------- answers


def _values(filled: Form) -> Iterable[FormProblem]:
    for cell in filled.cells:
        spec, value = cell.spec, cell.value
        if spec.range is not None and isinstance(value, float | int):
            low, high = spec.range
            if not low <= value <= high:
                yield FormProblem(
                    code="range",
                    level="error",
                    fields=(spec.id,),
                    owner=cell.owner,
                    zh=f"“{spec.zh}”应在{low:g}–{high:g}之间，收到 {value:g}",
                    en=f"expected {spec.en} from {low:g} to {high:g}, got {value:g}",
                )
        known = choices(spec.value)
        if known and isinstance(value, str) and value not in known:
            names = ", ".join(known)
            yield FormProblem(
                code="unknown_code",
                level="error",
                fields=(spec.id,),
                owner=cell.owner,
                zh=f"“{spec.zh}”应为 {names} 之一，收到 {value}",
                en=f"expected one of {names} for {spec.en}, got {value}",
            )


def _contradictions(record: CaseRecord, filled: Form) -> Iterable[FormProblem]:
    """What was said against what was done."""
    ways = ways_of(record)
    for milestone, zh, en in _done_names(record.times):
        if ways == frozenset({NONE}):
            yield FormProblem(
                code="contradiction",
                level="error",
                fields=("reperfusion", *_fields(filled, milestone)),
                owner="cardiologist",
                zh=f"“再灌注措施”为“未行”，但有“{zh}”",
                en=f"reperfusion is said to be none, but there is a time of {en}",
            )
        if record.diagnosis is not None and record.diagnosis not in _treated_so():
            yield FormProblem(
                code="contradiction",
                level="warning",
                fields=("diagnosis", *_fields(filled, milestone)),
                owner="cardiologist",
                zh=f"“初步诊断”不是心肌梗死，但有“{zh}”",
                en=f"the diagnosis is no infarction, but there is a time of {en}",
            )


@cache
def _treated_so() -> frozenset[str]:
    return frozenset(read_value(TABLE, "reperfused_for", tuple[str, ...]))


def _done_names(times: Mapping[str, RecordTime]) -> Iterable[tuple[str, str, str]]:
    for name in ("WIRE", "LYSIS_START"):
        if name in times:
            spec = milestones()[name]
            yield name, spec.zh, spec.en
