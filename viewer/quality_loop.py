"""The closed loop as the page reads it: counts, and tables of rates by rule, clinic, reader, lead and device."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from greenchannel.alerts.quality.closed_loop_counts import (
    AlertCounts,
    ClosedLoop,
    DeviceClock,
    ReaderTimes,
    Rejects,
    Share,
    Times,
    Transmission,
    closed_loop,
)
from greenchannel.alerts.quality.record import CaseRecord, RecordAlert
from greenchannel.viewer.directory import Directory
from greenchannel.viewer.quality_json import Frame, Loop, Rate, Said, Table, Tally
from greenchannel.viewer.quality_scope import UNKNOWN, Scope, said

MOST_CASES_NAMED: Final = 20  # of a row of a table
MOST_CASES_COUNTED: Final = 500  # of a count
_COUNTS: Final = (
    ("sent", "报警发出", "alerts sent"),
    ("confirmed", "已证实", "confirmed"),
    ("cancelled", "已取消", "cancelled"),
    ("open", "未了结", "still open"),
    ("missed", "取消后证实为闭塞", "occlusions among the cancelled"),
    ("not_asked", "取消后无人随访", "cancelled, nobody has asked yet"),
    ("exhausted", "呼叫到最后一级时仍无人应答", "nobody had answered by the last step"),
)

_IS: Final[dict[str, Callable[[RecordAlert], bool]]] = {
    "sent": lambda one: True,
    "confirmed": lambda one: one.end == "confirmed",
    "cancelled": lambda one: one.end == "cancelled",
    "open": lambda one: one.end == "open",
    "missed": lambda one: one.end == "cancelled" and one.occlusion_later is True,
    "not_asked": lambda one: one.end == "cancelled" and one.occlusion_later is None,
    "exhausted": lambda one: one.exhausted_at is not None,
}


def loop_of(scope: Scope, frame: Frame, names: Directory) -> Loop:
    """All counts of a view."""
    told = closed_loop(scope.records)
    counts = tuple(_tally(told.alerts, scope.records, name, zh, en) for name, zh, en in _COUNTS)
    return Loop(frame=frame, counts=counts, tables=tuple(_tables(told, names)))


def _tables(told: ClosedLoop, names: Directory) -> Iterable[Table]:
    yield _table("whole", "总的", "On the whole", _whole(told))
    rules = [
        _ppv(one, Said(id=_id(one.group), zh=_id(one.group), en=_id(one.group)))
        for one in told.alerts_by_rule
    ]
    yield _table("ppv_by_rule", "报警阳性预测值:按规则", "Alerts that were right, by rule", rules)
    clinics = [_ppv(one, _site(names, one.group)) for one in told.alerts_by_clinic]
    yield _table(
        "ppv_by_site", "报警阳性预测值:按机构", "Alerts that were right, by clinic", _many_first(clinics)
    )
    yield _table(
        "readers", "阅图时间(收到至签发)", "Reading time, receipt to signature", _readers(told.readers, names)
    )
    rejects = [_reject(one, _site(names, one.group)) for one in told.rejects_by_clinic]
    yield _table(
        "rejects_by_site", "不合格心电图:按机构", "ECGs not acceptable, by clinic", _worst_first(rejects)
    )
    leads = [
        _reject(one, Said(id=_id(one.group), zh=_id(one.group), en=_id(one.group)))
        for one in told.rejects_by_lead
    ]
    yield _table("rejects_by_lead", "不合格导联", "Leads not usable", leads)
    clocks = [_clock(one) for one in told.clocks if one.bad > 0]
    yield _table("clocks", "时钟不准的设备", "Devices with a bad clock", clocks)
    sent = [_transmitted(one, _site(names, one.group)) for one in told.transmission_by_clinic]
    yield _table("transmission", "传输成功:按机构", "Transmissions that came, by clinic", _least_first(sent))


def _tally(alerts: AlertCounts, records: Sequence[CaseRecord], name: str, zh: str, en: str) -> Tally:
    """One count with its cases: those that have an alert of this kind."""
    is_one = _IS[name]
    found = [record.case_id for record in records if any(is_one(one) for one in record.alerts)]
    return Tally(
        id=name,
        zh=zh,
        en=en,
        n=getattr(alerts, name),
        case_ids=tuple(found[:MOST_CASES_COUNTED]),
        more=max(0, len(found) - MOST_CASES_COUNTED),
    )


def _whole(told: ClosedLoop) -> list[Rate]:
    return [
        _ppv(told.alerts, Said(id="ppv", zh="报警阳性预测值", en="alerts that were right")),
        _timed(Said(id="answered", zh="报警至应答", en="alert to answer"), told.alerts.answered),
        _reject(told.rejects, Said(id="rejects", zh="不合格心电图", en="ECGs not acceptable")),
        _transmitted(told.transmission, Said(id="came", zh="传输成功", en="transmissions that came")),
        _rate(
            Said(id="feedback_sent", zh="转归已反馈基层", en="outcome told to the clinic"), told.feedback_sent
        ),
        _rate(
            Said(id="feedback_seen", zh="基层已读反馈", en="of these read at the clinic"), told.feedback_seen
        ),
        _timed(Said(id="consent", zh="知情同意用时", en="consent talk to signature"), told.consent),
        _timed(Said(id="dido", zh="转出医院停留(DIDO)", en="door in to door out"), told.dido),
    ]


def _table(name: str, zh: str, en: str, rows: Sequence[Rate]) -> Table:
    return Table(id=name, zh=zh, en=en, rows=tuple(rows))


def _id(group: str | None) -> str:
    return group or UNKNOWN


def _site(names: Directory, group: str | None) -> Said:
    return said(names, "clinic", _id(group))


def _rate(words: Said, share: Share, case_ids: Sequence[str] = ()) -> Rate:
    return Rate(
        id=words.id,
        zh=words.zh,
        en=words.en,
        n=share.count,
        of=share.of,
        share=share.share,
        low=share.low,
        high=share.high,
        case_ids=tuple(case_ids[:MOST_CASES_NAMED]),
        more=max(0, len(case_ids) - MOST_CASES_NAMED),
    )


def _timed(words: Said, times: Times, case_ids: Sequence[str] = ()) -> Rate:
    return Rate(
        id=words.id,
        zh=words.zh,
        en=words.en,
        n=times.count,
        of=times.count + times.missing,
        share=None,
        low=None,
        high=None,
        median_min=times.median_min,
        q3_min=times.upper_quartile_min,
        case_ids=tuple(case_ids[:MOST_CASES_NAMED]),
        more=max(0, len(case_ids) - MOST_CASES_NAMED),
    )


def _ppv(one: AlertCounts, words: Said) -> Rate:
    return _rate(words, one.ppv, one.missed_case_ids or one.case_ids)


def _readers(readers: Sequence[ReaderTimes], names: Directory) -> list[Rate]:
    rows = [
        _timed(said(names, "reader", _id(one.reader)), one.read, one.case_ids)
        for one in readers
        if one.read.count
    ]
    return sorted(rows, key=lambda one: -(one.median_min or 0.0))


def _reject(one: Rejects, words: Said) -> Rate:
    return _rate(words, one.rejected, one.case_ids)


def _clock(one: DeviceClock) -> Rate:
    name = _id(one.device)
    off = "" if one.worst_s is None else f" ({one.worst_s / 60:+.1f} min)"
    return Rate(
        id=name,
        zh=name + off,
        en=name + off,
        n=one.bad,
        of=one.compared,
        share=one.bad / one.compared if one.compared else None,
        low=None,
        high=None,
        case_ids=one.case_ids[:MOST_CASES_NAMED],
        more=max(0, len(one.case_ids) - MOST_CASES_NAMED),
    )


def _transmitted(one: Transmission, words: Said) -> Rate:
    return _rate(words, one.received, one.case_ids)


def _many_first(rows: Sequence[Rate]) -> list[Rate]:
    return sorted(rows, key=lambda one: -one.of)


def _worst_first(rows: Sequence[Rate]) -> list[Rate]:
    return sorted(rows, key=lambda one: (one.share is None, -(one.share or 0.0), -one.of))


def _least_first(rows: Sequence[Rate]) -> list[Rate]:
    return sorted(rows, key=lambda one: (one.share is None, one.share or 0.0, -one.of))
