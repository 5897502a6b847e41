"""The registry: every case with its times, facts, ECGs and alerts as tables. Records hold no name and no pseudonym."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from greenchannel.alerts.facts import facts
from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.quality.chart_values import reading_min
from greenchannel.alerts.quality.national_form import choices, minutes_between, way_code, ways_of
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.timeline import IntervalSpec, interval_specs
from greenchannel.viewer.export_form import Names, site_name
from greenchannel.viewer.export_table import Book, Coded, Column, Table, Value
from greenchannel.viewer.words import Word

_CASE: Final = Column(id="case_id", zh="病例号", en="case", about=Word("本系统的病例号", "id of the case"))


def cases_book(records: Sequence[CaseRecord], sites: Names) -> Book:
    """Cases, times, ECGs and alerts; a row of the later three leads back by its case."""
    return Book(
        title=Word("胸痛病例登记表", "Registry of chest-pain cases"),
        tables=(
            cases_table(records, sites),
            times_table(records),
            ecgs_table(records),
            alerts_table(records),
        ),
        notes=(
            (Word("病例数", "cases"), Word(*(str(len(records)),) * 2)),
            (
                Word("时间间隔", "intervals"),
                Word(
                    "仅由两个已知时刻计算；只知日期者不计算",
                    "computed from two known times alone; none from a time that was told as a day",
                ),
            ),
        ),
    )


# ---------------------------------------------------------------- a row a case


def cases_table(records: Sequence[CaseRecord], sites: Names) -> Table:
    """One row a case, in the order they were opened."""
    ordered = sorted(records, key=lambda one: (one.opened_at, one.case_id))
    return Table(
        id="cases",
        name=Word("病例", "Cases"),
        columns=[*_HEAD, *_times(), *_intervals(), *_facts(), *_TAIL],
        rows=[_row(record, sites) for record in ordered],
    )


_HEAD: Final = (
    _CASE,
    Column(id="site", zh="首诊机构", en="first site"),
    Column(id="town", zh="乡镇", en="township"),
    Column(id="referring", zh="转出机构", en="referred by"),
    Column(id="opened_at", zh="建档时间", en="opened at", kind="time"),
    Column(id="state", zh="状态", en="state", about=Word("open 未结案，closed 已结案", "open, closed")),
    Column(
        id="arrival_mode",
        zh="来院方式",
        en="arrival mode",
        about=Word(
            "1 呼叫120，2 转院，3 自行来院，4 院内发病",
            "1 ambulance called, 2 transfer, 3 walked in, 4 onset in hospital",
        ),
    ),
    Column(id="ambulance", zh="出车单位", en="ambulance"),
    Column(id="age_years", zh="年龄", en="age, years", kind="whole"),
    Column(id="sex", zh="性别", en="sex"),
    Column(id="diagnosis", zh="初步诊断", en="diagnosis"),
    Column(id="ways", zh="再灌注措施", en="reperfusion"),
)
_TAIL: Final = (
    Column(id="reasons", zh="延误原因", en="reasons for delay"),
    Column(
        id="told_as_day",
        zh="仅知日期的时间",
        en="told as a day",
        about=Word("该列时间为区间中点", "the time shown is the middle of what was told"),
    ),
    Column(id="corrected", zh="经更正的时间", en="corrected times"),
    Column(id="ecgs", zh="心电图份数", en="ECGs", kind="whole"),
    Column(id="rejected", zh="其中不合格", en="of these not acceptable", kind="whole"),
    Column(id="alerts", zh="预警次数", en="alerts", kind="whole"),
)


def _times() -> list[Column]:
    return [
        Column(
            id=spec.id,
            zh=spec.zh,
            en=spec.en,
            kind="time",
            about=Word(
                f"时间节点；{spec.definition}；[{spec.mark}]", f"milestone: {spec.definition} [{spec.mark}]"
            ),
        )
        for spec in milestones().values()
    ]


def _intervals() -> list[Column]:
    return [
        Column(
            id=f"{spec.id}_min",
            zh=f"{spec.zh}（分）",
            en=f"{spec.en}, min",
            kind="whole",
            about=Word(
                f"{spec.start} 至 {spec.end}，整分钟；{spec.source}",
                f"{spec.start} to {spec.end}; {spec.source}",
            ),
        )
        for spec in interval_specs()
    ]


def _facts() -> list[Column]:
    return [
        Column(id=spec.id, zh=spec.zh, en=spec.en, about=Word(f"[{spec.mark}]", f"[{spec.mark}]"))
        for spec in facts().values()
    ]


def _row(record: CaseRecord, sites: Names) -> list[Value]:
    ways = ways_of(record)
    times = record.times
    return [
        record.case_id,
        site_name(record.site, sites),
        record.town,
        None if record.referring is None else site_name(record.referring, sites),
        record.opened_at,
        STATES.get(record.state, record.state),
        coded("record:arrival_mode", None if record.arrival_mode is None else str(record.arrival_mode)),
        coded("fact:AMBULANCE_UNIT", record.ambulance),
        record.age_years,
        coded("record:sex", record.sex),
        coded("code:DX", record.diagnosis),
        None if ways is None else _ways(ways),
        *(record.at(name) for name in milestones()),
        *(_minutes(record, spec) for spec in interval_specs()),
        *(coded(f"fact:{name}", record.facts.get(name)) for name in facts()),
        _listed(record.reasons),
        ", ".join(name for name, time in times.items() if time.told is not None) or None,
        ", ".join(name for name, time in times.items() if time.corrected) or None,
        len(record.ecgs),
        sum(ecg.acceptable is False for ecg in record.ecgs),
        len(record.alerts),
    ]


def coded(value: str, code: str | None) -> Value:
    """A code with its meaning, as `national_form.choices` has it; None stays None."""
    if code is None:
        return None
    meaning = choices(value).get(code)
    return code if meaning is None else Coded(code, Word(*meaning))


STATES: Final = {
    "open": Coded("open", Word("未结案", "open")),
    "closed": Coded("closed", Word("已结案", "closed")),
}


def _ways(ways: frozenset[str]) -> Coded:
    return Coded("+".join(sorted(ways)), Word(*choices("way")[way_code(ways)]))


def _listed(reasons: Sequence[str]) -> Value:
    if not reasons:
        return None
    named = [facts()[name] for name in reasons]
    words = Word("、".join(one.zh for one in named), "; ".join(one.en for one in named))
    return Coded(", ".join(reasons), words)


def _minutes(record: CaseRecord, spec: IntervalSpec) -> float | None:
    if record.arrival_mode is not None and record.arrival_mode not in spec.modes:
        return None
    return minutes_between(record, spec.start, spec.end)


# ---------------------------------------------------------------- a row a time, an ECG, an alert


def times_table(records: Sequence[CaseRecord]) -> Table:
    """Every known time with its source, its clock's uncertainty and whether it was corrected."""
    names = milestones()
    rows: list[Sequence[Value]] = [
        (
            record.case_id,
            name,
            names[name].zh if name in names else name,
            None if time.told is not None else time.at,
            time.earliest,
            time.latest,
            time.told,
            time.uncertainty_s,
            time.source,
            _said(time.entered),
            _said(time.typed),
            _said(time.corrected),
            time.code,
        )
        for record in records
        for name, time in sorted(record.times.items(), key=lambda item: (item[1].at, item[0]))
    ]
    return Table(
        id="times",
        name=Word("时间", "Times"),
        columns=(
            _CASE,
            Column(id="milestone", zh="时间节点", en="milestone"),
            Column(id="zh", zh="名称", en="name"),
            Column(id="at", zh="时间", en="time", kind="time"),
            Column(id="earliest", zh="不早于", en="not before", kind="time"),
            Column(id="latest", zh="不晚于", en="not after", kind="time"),
            Column(id="told", zh="原述日期/时段", en="as it was told"),
            Column(
                id="uncertainty_s",
                zh="时钟误差±秒",
                en="clock, ± s",
                kind="number",
                about=Word("空：时钟从未校对", "empty: the clock was never compared"),
            ),
            Column(id="source", zh="来源", en="source"),
            Column(id="entered", zh="人工记录", en="entered by a person"),
            Column(
                id="typed",
                zh="手工填写时间",
                en="time typed",
                about=Word("否：按键时刻或设备时间", "no: the instant of a press, or a machine's"),
            ),
            Column(id="corrected", zh="经更正", en="corrected"),
            Column(id="code", zh="附加代码", en="code"),
        ),
        rows=rows,
    )


def ecgs_table(records: Sequence[CaseRecord]) -> Table:
    """Every ECG from the recording to the first signed reading."""
    rows: list[Sequence[Value]] = [
        (
            record.case_id,
            ecg.ecg_id,
            ecg.way,
            ecg.device,
            None if ecg.acquired is None else ecg.acquired.at,
            ecg.sent_at,
            ecg.received_at,
            ecg.opened_at,
            ecg.read_at,
            _rounded(reading_min(ecg)),
            _said(ecg.acceptable),
            ", ".join(ecg.bad_leads) or None,
            ecg.tier,
            ", ".join(ecg.rules) or None,
            ecg.read_tier,
            _said(ecg.agrees),
            ecg.clock_offset_s,
        )
        for record in records
        for ecg in record.ecgs
    ]
    return Table(
        id="ecgs",
        name=Word("心电图", "ECGs"),
        columns=(
            _CASE,
            Column(id="ecg_id", zh="心电图号", en="ECG"),
            Column(id="way", zh="方式", en="way"),
            Column(id="device", zh="设备", en="device"),
            Column(id="acquired_at", zh="采集时间", en="recorded", kind="time"),
            Column(id="sent_at", zh="发送时间", en="sent", kind="time"),
            Column(id="received_at", zh="接收时间", en="received", kind="time"),
            Column(id="opened_at", zh="首次打开", en="first opened", kind="time"),
            Column(id="read_at", zh="首次签发", en="first signed", kind="time"),
            Column(id="read_min", zh="接收至签发（分）", en="received to signed, min", kind="number"),
            Column(id="acceptable", zh="质量合格", en="acceptable"),
            Column(id="bad_leads", zh="不合格导联", en="bad leads"),
            Column(id="tier", zh="自动分级", en="tier of the machine"),
            Column(id="rules", zh="触发规则", en="rules"),
            Column(id="read_tier", zh="医师分级", en="tier of the doctor"),
            Column(id="agrees", zh="医师同意", en="doctor agrees"),
            Column(id="clock_offset_s", zh="设备时钟偏差（秒）", en="device clock, s off", kind="number"),
        ),
        rows=rows,
    )


def alerts_table(records: Sequence[CaseRecord]) -> Table:
    """Every alert and how it ended."""
    rows: list[Sequence[Value]] = [
        (
            record.case_id,
            alert.alert_id,
            alert.tier,
            ", ".join(alert.rules) or None,
            alert.opened_at,
            alert.acknowledged_at,
            _minutes_of(alert.opened_at, alert.acknowledged_at),
            alert.exhausted_at,
            alert.end,
            _said(alert.occlusion_later),
        )
        for record in records
        for alert in record.alerts
    ]
    return Table(
        id="alerts",
        name=Word("预警", "Alerts"),
        columns=(
            _CASE,
            Column(id="alert_id", zh="预警号", en="alert"),
            Column(id="tier", zh="分级", en="tier"),
            Column(id="rules", zh="触发规则", en="rules"),
            Column(id="opened_at", zh="发出时间", en="opened", kind="time"),
            Column(id="acknowledged_at", zh="应答时间", en="answered", kind="time"),
            Column(id="answer_min", zh="发出至应答（分）", en="opened to answered, min", kind="number"),
            Column(id="exhausted_at", zh="逐级呼叫用尽", en="nobody left to ring", kind="time"),
            Column(id="end", zh="结局", en="end"),
            Column(id="occlusion_later", zh="取消后证实闭塞", en="occlusion found later"),
        ),
        rows=rows,
    )


def _rounded(minutes: float | None) -> float | None:
    return None if minutes is None else round(minutes, 2)


def _minutes_of(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds() / 60, 2)


YES: Final = Coded("yes", Word("是", "yes"))
NO: Final = Coded("no", Word("否", "no"))


def _said(value: bool | None) -> Coded | None:
    return None if value is None else (YES if value else NO)
