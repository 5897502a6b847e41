"""What may be done to the times and the life of a case: pure decisions, a case in and events out."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from greenchannel.alerts.alert_commands import require_unmerged
from greenchannel.alerts.case import Case
from greenchannel.alerts.channel_commands import require_open
from greenchannel.alerts.ecg_state import Ecg
from greenchannel.alerts.milestones import (
    MilestoneValue,
    codes,
    earliest_before_case_d,
    future_tolerance_s,
    milestones,
    treated_before_ecg_h,
)
from greenchannel.alerts.refusal import Refused, no_such
from greenchannel.alerts.timeline import valid_value
from greenchannel.events import (
    AnyEvent,
    CaseClosed,
    ClockReading,
    MilestoneRecorded,
)


def record_milestone(
    case: Case,
    *,
    milestone: str,
    time: ClockReading,
    source: str,
    key: str | None = None,
    note: str | None = None,
    code: str | None = None,
    now: datetime,
) -> list[AnyEvent]:
    """One value of one milestone.

    Another source adds a second value. The same source again is a correction: it needs a note and keeps the first;
    where it says the same instant and the same code, nothing is written. A closed case still takes times, a merged one
    does not.
    """
    spec = milestones().get(milestone)
    note = note.strip() or None if note is not None else None
    if spec is None:
        raise no_such("milestone", "时间节点", milestone)
    require_unmerged(case)
    if not source.strip():
        raise Refused("source_required", "须说明时间来源", "expected the source of the time, got none", 422)
    if key is not None and spec.key is None:
        raise Refused(
            "key_not_used",
            f"“{spec.zh}”只发生一次，不能带编号",
            f"expected no key for {milestone}, got {key}",
            422,
        )
    _check_code(milestone, spec.zh, code)
    if time.told is not None and not spec.day_told:
        raise Refused(
            "time_needed",
            f"“{spec.zh}”须填写具体时刻，收到 {time.told}",
            f"expected an instant for {milestone}, got the day {time.told}",
            422,
        )
    _check_time(time, case.opened_at, now)
    before = [v for v in case.values if (v.milestone, v.key, v.source) == (milestone, key, source)]
    valid = valid_value(spec, before)
    same = valid is not None and (
        valid.time.at == time.at or (time.told is not None and valid.time.told == time.told)
    )
    if valid is not None and same and code in (None, valid.code):
        return []
    completes = valid is not None and same and valid.code is None  # what it was, beside when: no correction
    if valid is not None and not completes and note is None:
        raise Refused(
            "note_required",
            f"更正“{spec.zh}”须说明原因",
            f"expected a note with the correction of {milestone} by {source}, got none",
            422,
        )
    correction = valid is not None and not completes
    return [
        MilestoneRecorded(
            milestone=milestone,
            time=time,
            source=source,
            key=key,
            note=note,
            correction=correction,
            code=code,
        )
    ]


def said_by(case: Case, milestone: str, source: str, key: str | None = None) -> MilestoneValue | None:
    """The time that stands of those that one source has said of a milestone, by any event; None where it has not."""
    said = [v for v in case.values if (v.milestone, v.source, v.key) == (milestone, source, key)]
    spec = milestones().get(milestone)
    return None if spec is None else valid_value(spec, said)


def _check_code(milestone: str, zh: str, code: str | None) -> None:
    if code is None or code in (known := codes(milestone)):
        return
    if not known:
        raise Refused(
            "code_not_used",
            f"“{zh}”没有编码，收到 {code}",
            f"expected no code for {milestone}, got {code}",
            422,
        )
    names = ", ".join(known)
    raise Refused(
        "unknown_code",
        f"“{zh}”的编码应为 {names} 之一，收到 {code}",
        f"expected one of {names} for {milestone}, got {code}",
        422,
    )


def _check_time(time: ClockReading, opened_at: datetime, now: datetime) -> None:
    for instant in (time.at, time.raw):
        if instant is not None and instant.utcoffset() is None:
            raise Refused(
                "naive_time",
                f"时间须带时区，收到 {instant.isoformat()}",
                f"expected a time with a zone, got {instant.isoformat()}",
                422,
            )
    if time.at > now + timedelta(seconds=future_tolerance_s()):
        raise Refused(
            "future_time",
            f"时间不能晚于现在，收到 {time.at.isoformat()}",
            f"expected a time no later than {now.isoformat()}, got {time.at.isoformat()}",
            422,
        )
    earliest = opened_at - timedelta(days=earliest_before_case_d())
    if time.at < earliest:
        raise Refused(
            "too_early",
            f"时间不可能早于 {earliest.date().isoformat()}，收到 {time.at.isoformat()}",
            f"expected a time of this episode, not before {earliest.isoformat()}, got {time.at.isoformat()}",
            422,
        )


# ---------------------------------------------------------------- the life of a case


ENDS_CHANNEL = (
    "WIRE",
    "PROC_END",
    "LYSIS_START",
    "CABG_START",
    "OUTCOME",
)  # what the channel was opened for has come


def close_case(case: Case, reason: str) -> list[AnyEvent]:
    """Nothing more is expected of the case; refused while an alert waits for its answer, or an ECG to be read."""
    if not reason.strip():
        raise Refused("reason_required", "结束病例须说明原因", "expected a reason, got none", 422)
    if case.state == "closed":
        return []
    require_open(case)
    require_answered(case)
    require_read(case.ecgs)
    if case.channel.state == "open" and not any(_ends_channel(case, value) for value in case.values):
        raise Refused(
            "channel_open",
            "绿色通道仍开通：请先取消，或记录本次发病的导丝通过、溶栓、手术或转归",
            f"expected a channel stood down, or one of {', '.join(ENDS_CHANNEL)} of this episode, "
            "got an open green channel",
            409,
        )
    return [CaseClosed(reason=reason.strip())]


def _ends_channel(case: Case, value: MilestoneValue) -> bool:
    """Whether a time says that what the channel was opened for has come: a wire of the day before does not."""
    if value.milestone not in ENDS_CHANNEL:
        return False
    known = (one for ecg in case.current_ecgs for one in (_taken_at(ecg), ecg.received_at) if one is not None)
    first = min(known, default=case.opened_at)
    return value.time.at >= first - timedelta(hours=treated_before_ecg_h())


def _taken_at(ecg: Ecg) -> datetime | None:
    return None if ecg.acquired is None else ecg.acquired.at


def require_answered(case: Case) -> None:
    """Raise `Refused` while an alert of the case waits for its answer."""
    if case.alert is not None and case.alert.open:
        raise Refused(
            "alert_open",
            "请先应答预警",
            "expected a case whose alert was answered, got one that still rings",
            409,
        )


def require_read(ecgs: Iterable[Ecg]) -> None:
    """Raise `Refused` where one of these ECGs still runs, or was received and read by nobody.

    What it shows would ring in a case that nobody looks at any more, or in the wrong one.
    """
    awaited = [ecg for ecg in ecgs if ecg.awaited]
    running = [ecg.ecg_id for ecg in awaited if ecg.live]
    if running:
        raise Refused(
            "ecg_live",
            "心电图仍在传输，请等待传输和分析完成",
            f"expected received ECGs, got running streams: {running}",
            409,
        )
    if awaited:
        raise Refused(
            "ecg_unread",
            "心电图尚未分析，请稍候再试",
            f"expected ECGs that were read, got unread ones: {[ecg.ecg_id for ecg in awaited]}",
            409,
        )
