"""The closed loop in numbers: what became of the alerts, who read how fast, what could not be read, what came through.

Every number carries its cases. What nobody has said yet is counted as such and is in no share.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import TypeVar

import msgspec
import numpy as np

from greenchannel.alerts.quality.chart_values import reading_min
from greenchannel.alerts.quality.engine import wilson
from greenchannel.alerts.quality.record import CaseRecord, RecordAlert, RecordEcg
from greenchannel.alerts.quality.segments import minutes, segments, way_of
from greenchannel.alerts.quality.tables import read_value

TABLE = "loop"


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """So many of so many, with a Wilson interval; None of none."""

    count: int
    of: int
    share: float | None
    low: float | None
    high: float | None


class Times(msgspec.Struct, frozen=True, kw_only=True):
    """Minutes in some cases or ECGs."""

    count: int
    missing: int
    median_min: float | None
    lower_quartile_min: float | None
    upper_quartile_min: float | None
    longest_min: float | None


class AlertCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of alerts."""

    group: str | None  # the rule or the clinic; None: all, or unknown
    sent: int
    confirmed: int
    cancelled: int
    open: int
    missed: int  # occlusions among the cancelled
    not_occluded: int
    not_asked: int  # cancelled ones of which nobody has said what it was
    ppv: Share  # confirmed, and occlusions among the cancelled, of those that have ended
    answered: Times  # until somebody acknowledged it
    exhausted: int  # that nobody answered until the last step
    case_ids: tuple[str, ...]
    missed_case_ids: tuple[str, ...]


class ReaderTimes(msgspec.Struct, frozen=True, kw_only=True):
    """How fast one person read, from the receipt of an ECG to the first signed reading."""

    reader: str | None  # None: read by nobody yet, or nobody knows by whom
    read: Times
    agrees: Share  # with the machine, of those where the doctor said so
    case_ids: tuple[str, ...]  # slowest first


class Rejects(msgspec.Struct, frozen=True, kw_only=True):
    """ECGs that could not be read, of those that the machine has looked at."""

    group: str | None
    rejected: Share
    case_ids: tuple[str, ...]


class DeviceClock(msgspec.Struct, frozen=True, kw_only=True):
    """The clock of one device over its ECGs."""

    device: str | None
    ecgs: int
    compared: int  # of which the offset is known
    worst_s: float | None  # the offset furthest from nought, with its sign: positive, the device was ahead
    median_s: float | None
    bad: int  # ECGs recorded while it was too far off
    case_ids: tuple[str, ...]


class Transmission(msgspec.Struct, frozen=True, kw_only=True):
    """What one clinic sent, and what came."""

    group: str | None
    received: Share  # of all that were begun to be sent
    delay: Times  # from sending to receipt, of uploads with both
    late: int
    case_ids: tuple[str, ...]  # with an ECG that never came, or came late


class ClosedLoop(msgspec.Struct, frozen=True, kw_only=True):
    """The closed loop of a period."""

    cases: int
    alerts: AlertCounts
    alerts_by_rule: tuple[AlertCounts, ...]
    alerts_by_clinic: tuple[AlertCounts, ...]
    readers: tuple[ReaderTimes, ...]
    rejects: Rejects
    rejects_by_clinic: tuple[Rejects, ...]
    rejects_by_lead: tuple[Rejects, ...]
    clocks: tuple[DeviceClock, ...]  # worst first; those that were never compared last
    transmission: Transmission
    transmission_by_clinic: tuple[Transmission, ...]
    feedback_sent: Share  # of the cases with an outcome
    feedback_seen: Share  # of those
    consent: Times  # always shown
    dido: Times  # always shown; of transferred patients


@cache
def bad_clock_s() -> float:
    """A clock further off than this is bad."""
    return read_value(TABLE, "bad_clock_s", float)


@cache
def slow_arrival_s() -> float:
    """An ECG that took longer to come than this came late."""
    return read_value(TABLE, "slow_arrival_s", float)


def closed_loop(records: Sequence[CaseRecord]) -> ClosedLoop:
    """Count the closed loop of these cases."""
    ecgs = [(record, ecg) for record in records for ecg in record.ecgs]
    alerts = [(record, alert) for record in records for alert in record.alerts]
    ruled = [(rule, pair) for pair in alerts for rule in dict.fromkeys(pair[1].rules)]
    outcome = [record for record in records if "OUTCOME" in record.times]
    sent = [record for record in outcome if "FEEDBACK_SENT" in record.times]
    return ClosedLoop(
        cases=len(records),
        alerts=_alerts(None, alerts),
        alerts_by_rule=tuple(
            _alerts(rule, [pair for name, pair in ruled if name == rule])
            for rule in sorted({name for name, _ in ruled})
        ),
        alerts_by_clinic=_by(alerts, lambda pair: pair[0].site, _alerts),
        readers=_by(ecgs, lambda pair: pair[1].reader, _reader),
        rejects=_rejects(None, ecgs),
        rejects_by_clinic=_by(ecgs, lambda pair: pair[0].site, _rejects),
        rejects_by_lead=_by_lead(ecgs),
        clocks=tuple(sorted(_by(ecgs, lambda pair: pair[1].device, _clock), key=_worst_first)),
        transmission=_transmission(None, ecgs),
        transmission_by_clinic=_by(ecgs, lambda pair: pair[0].site, _transmission),
        feedback_sent=share_of(len(sent), len(outcome)),
        feedback_seen=share_of(sum("FEEDBACK_SEEN" in record.times for record in sent), len(sent)),
        consent=_segment(records, "consent"),
        dido=_segment(records, "dido"),
    )


def share_of(count: int, of: int) -> Share:
    """A share with its Wilson interval (Wilson 1927); of none there is no share."""
    interval = wilson(count, of)
    if interval is None:
        return Share(count=0, of=0, share=None, low=None, high=None)
    return Share(count=count, of=of, share=count / of, low=interval[0], high=interval[1])


def times_of(lengths_min: Iterable[float | None]) -> Times:
    """Sum up minutes; None counts as missing."""
    every = list(lengths_min)
    known = np.array([one for one in every if one is not None], dtype=np.float64)
    if not len(known):
        return Times(
            count=0,
            missing=len(every),
            median_min=None,
            lower_quartile_min=None,
            upper_quartile_min=None,
            longest_min=None,
        )
    lower, middle, upper = (float(one) for one in np.quantile(known, (0.25, 0.5, 0.75)))
    return Times(
        count=len(known),
        missing=len(every) - len(known),
        median_min=middle,
        lower_quartile_min=lower,
        upper_quartile_min=upper,
        longest_min=float(known.max()),
    )


_Ecg = tuple[CaseRecord, RecordEcg]
_Alert = tuple[CaseRecord, RecordAlert]
P = TypeVar("P")
R = TypeVar("R")


def _by(
    pairs: Sequence[P], group_of: Callable[[P], str | None], count: Callable[[str | None, Sequence[P]], R]
) -> tuple[R, ...]:
    """Count each group for itself, in the order of their names, those without one last."""
    groups: dict[str | None, list[P]] = {}
    for pair in pairs:
        groups.setdefault(group_of(pair), []).append(pair)
    names = sorted(groups, key=lambda name: (name is None, name or ""))
    return tuple(count(name, groups[name]) for name in names)


def _ids(records: Iterable[CaseRecord]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(record.case_id for record in records))


def _alerts(group: str | None, pairs: Sequence[_Alert]) -> AlertCounts:
    ends = Counter(alert.end for _, alert in pairs)
    cancelled = [(record, alert) for record, alert in pairs if alert.end == "cancelled"]
    missed = [record for record, alert in cancelled if alert.occlusion_later]
    return AlertCounts(
        group=group,
        sent=len(pairs),
        confirmed=ends["confirmed"],
        cancelled=ends["cancelled"],
        open=ends["open"],
        missed=len(missed),
        not_occluded=sum(alert.occlusion_later is False for _, alert in cancelled),
        not_asked=sum(alert.occlusion_later is None for _, alert in cancelled),
        ppv=share_of(ends["confirmed"] + len(missed), ends["confirmed"] + ends["cancelled"]),
        answered=times_of(
            None if alert.acknowledged_at is None else minutes(alert.opened_at, alert.acknowledged_at)
            for _, alert in pairs
        ),
        exhausted=sum(alert.exhausted_at is not None for _, alert in pairs),
        case_ids=_ids(record for record, _ in pairs),
        missed_case_ids=_ids(missed),
    )


def _reader(reader: str | None, pairs: Sequence[_Ecg]) -> ReaderTimes:
    lengths = [(reading_min(ecg), record) for record, ecg in pairs]
    said = [ecg.agrees for _, ecg in pairs if ecg.agrees is not None]
    slowest = sorted(
        ((length, record.case_id) for length, record in lengths if length is not None),
        key=lambda one: (-one[0], one[1]),
    )
    return ReaderTimes(
        reader=reader,
        read=times_of(length for length, _ in lengths),
        agrees=share_of(sum(said), len(said)),
        case_ids=tuple(dict.fromkeys(case_id for _, case_id in slowest)),
    )


def _rejects(group: str | None, pairs: Sequence[_Ecg]) -> Rejects:
    looked_at = [(record, ecg) for record, ecg in pairs if ecg.acceptable is not None]
    poor = [record for record, ecg in looked_at if not ecg.acceptable]
    return Rejects(group=group, rejected=share_of(len(poor), len(looked_at)), case_ids=_ids(poor))


def _by_lead(pairs: Sequence[_Ecg]) -> tuple[Rejects, ...]:
    """Each lead's bad traces, of all ECGs that the machine has looked at; most first."""
    looked_at = [(record, ecg) for record, ecg in pairs if ecg.acceptable is not None]
    bad: dict[str, list[CaseRecord]] = {}
    for record, ecg in looked_at:
        for lead in dict.fromkeys(ecg.bad_leads):
            bad.setdefault(lead, []).append(record)
    found = [
        Rejects(group=lead, rejected=share_of(len(records), len(looked_at)), case_ids=_ids(records))
        for lead, records in bad.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.rejected.count, one.group or "")))


def _clock(device: str | None, pairs: Sequence[_Ecg]) -> DeviceClock:
    compared = [(ecg.clock_offset_s, record) for record, ecg in pairs if ecg.clock_offset_s is not None]
    bad = [record for offset, record in compared if abs(offset) > bad_clock_s()]
    offsets = [offset for offset, _ in compared]
    return DeviceClock(
        device=device,
        ecgs=len(pairs),
        compared=len(compared),
        worst_s=max(offsets, key=abs) if offsets else None,
        median_s=float(np.median(offsets)) if offsets else None,
        bad=len(bad),
        case_ids=_ids(bad),
    )


def _worst_first(clock: DeviceClock) -> tuple[bool, float, str]:
    return clock.worst_s is None, -abs(clock.worst_s or 0.0), clock.device or ""


def _transmission(group: str | None, pairs: Sequence[_Ecg]) -> Transmission:
    came = [(record, ecg) for record, ecg in pairs if ecg.received_at is not None]
    delays = [(_delay_min(ecg), record) for record, ecg in came]
    late = [record for delay, record in delays if delay is not None and delay * 60.0 > slow_arrival_s()]
    lost = [record for record, ecg in pairs if ecg.received_at is None]
    return Transmission(
        group=group,
        received=share_of(len(came), len(pairs)),
        delay=times_of(delay for delay, _ in delays),
        late=len(late),
        case_ids=_ids([*lost, *late]),
    )


def _delay_min(ecg: RecordEcg) -> float | None:
    """From sending to receipt. A live stream has none: its recording takes as long as it takes. Nor has what came
    before it was sent: that is a clock that is ahead, and nobody knows how long it took."""
    if ecg.way == "stream" or ecg.sent_at is None or ecg.received_at is None:
        return None
    delay_min = minutes(ecg.sent_at, ecg.received_at)
    return None if delay_min < 0.0 else delay_min


def _segment(records: Sequence[CaseRecord], name: str) -> Times:
    """A segment's minutes in the cases that have it; a case of unknown arrival mode has it where it is measured."""
    spec = segments()[name]
    found = [(record.arrival_mode, way_of(record).lengths_min.get(name)) for record in records]
    return times_of(length for mode, length in found if length is not None or mode in spec.modes)
