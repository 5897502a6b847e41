"""From a case to its record: which times stand, and what became of its ECGs and alerts.

What a doctor signed, what follow-ups found and what people corrected later all change the record of the case; nothing
else does.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache

import msgspec

from greenchannel.alerts.alert_state import Alert
from greenchannel.alerts.case import Case
from greenchannel.alerts.ecg_state import Ecg, tier_rank
from greenchannel.alerts.facts import facts_of, standing
from greenchannel.alerts.green_channel import person_of
from greenchannel.alerts.milestones import MACHINE_SOURCES, MilestoneValue, earliest_before_case_d
from greenchannel.alerts.quality.record import CaseRecord, RecordAlert, RecordEcg, RecordTime
from greenchannel.alerts.quality.tables import read_value
from greenchannel.alerts.timeline import TRANSFER, standing_values
from greenchannel.events import ClockReading, ImageStudyMoved, ImageStudyReceived

DELAY = "delay"  # the group of facts
HUB = "hub"
DX, DIAGNOSIS, DECIDED = "DX", "DIAGNOSIS", "PCI_DECIDE"


class SiteFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What a record takes from the site where its case began."""

    town: str | None = None
    kind: str | None = None  # "clinic", "hub"


@cache
def _named(name: str) -> frozenset[str]:
    return frozenset(read_value("record", name, tuple[str, ...]))


@cache
def _delay_facts() -> tuple[str, ...]:
    return tuple(spec.id for spec in facts_of(DELAY))


def record_of(case: Case, site: SiteFacts | None = None) -> CaseRecord | None:
    """Return the record of a case; None where it counts nowhere: a drill, a case that was merged into another, or one
    of images alone, which is no patient of the chest pain network until an ECG comes.

    Parameters
    ----------
    site : SiteFacts or None
        None: nothing is known of the site, or it is joined later by `at_site`.
    """
    if case.is_drill or case.state == "merged" or _of_images_alone(case):
        return None
    believed = (value for value in case.values if may_be_true(value, case.opened_at))
    valid = standing_values(believed, case.arrival_mode)
    said = {name: value.code for name, value in standing(case.facts).items()}
    read_first = min(
        ((one.at, one.person) for ecg in case.current_ecgs for one in ecg.readings), default=None
    )
    diagnosis = said.get(DIAGNOSIS) or (valid[DX].code if DX in valid else None)
    record = CaseRecord(
        case_id=case.case_id,
        site=case.site,
        opened_at=case.opened_at,
        state=case.state,
        arrival_mode=case.arrival_mode,
        ambulance=said.get("AMBULANCE_UNIT"),
        doctor=_doctor(case, valid),
        reader=None if read_first is None else read_first[1],
        age_years=case.context.age_years,
        sex=case.context.sex,
        chest_pain=case.context.chest_pain,
        diagnosis=diagnosis,
        times={name: _time(value, case.values) for name, value in valid.items()},
        facts=said,
        reasons=tuple(name for name in _delay_facts() if said.get(name) == "yes"),
        ecgs=_ecgs(case),
        alerts=tuple(_alert(case, alert, valid, diagnosis) for alert in case.alerts),
        way="stream" if any(ecg.way == "stream" for ecg in case.current_ecgs) else "upload",
        seq=case.seq,
    )
    return at_site(record, site)


def at_site(record: CaseRecord, site: SiteFacts | None) -> CaseRecord:
    """The record with what is known of the site where its case began.

    A transferred patient comes from there, unless the case began at the hospital that took the patient in: from where
    it was is then unknown.
    """
    if site is None:
        return record
    referring = record.site if record.arrival_mode == TRANSFER and site.kind != HUB else None
    return msgspec.structs.replace(record, town=site.town, site_kind=site.kind, referring=referring)


def may_be_true(value: MilestoneValue, opened_at: datetime) -> bool:
    """False of a machine's clock that was never set; by it a case would count in a year that nobody looks at, and its
    minutes would be the mean of a month. So what it says is unknown, as long as nobody enters the time."""
    return value.source not in MACHINE_SOURCES or was_set(value.time, opened_at)


def was_set(time: ClockReading, opened_at: datetime) -> bool:
    """False of a clock that was never compared and is further back than an episode can be: it stands where clocks stand
    that were never set."""
    earliest = opened_at - timedelta(days=earliest_before_case_d())
    return time.uncertainty_s is not None or time.at >= earliest


def _doctor(case: Case, valid: dict[str, MilestoneValue]) -> str | None:
    """Who decided for PCI, where a person said so in person; else who opened the green channel."""
    decided = valid.get(DECIDED)
    if decided is not None and decided.actor.startswith("user:") and decided.source != "quality":
        return person_of(decided.actor)
    return case.channel.opened_by


def _time(value: MilestoneValue, values: Iterable[MilestoneValue]) -> RecordTime:
    typed = value.source not in MACHINE_SOURCES
    replaced = value.correction or (
        typed
        and any(
            one.milestone == value.milestone
            and one.key == value.key
            and one.seq < value.seq
            and one.time.at != value.time.at
            for one in values
        )
    )
    return _record_time(
        value.time,
        source=value.source,
        entered=typed,
        corrected=replaced,
        code=value.code,
    )


def _record_time(
    time: ClockReading,
    *,
    source: str,
    entered: bool = False,
    corrected: bool = False,
    code: str | None = None,
) -> RecordTime:
    half = timedelta(seconds=time.uncertainty_s or 0.0) if time.told is not None else timedelta()
    return RecordTime(
        at=time.at,
        earliest=time.at - half,
        latest=time.at + half,
        uncertainty_s=time.uncertainty_s,
        source=source,
        told=time.told,
        entered=entered,
        corrected=corrected,
        typed=time.clock in _named("typed_clocks"),
        code=code,
    )


def _of_images_alone(case: Case) -> bool:
    """Did images open the case, and nothing of chest pain come after?"""
    opened_by_images = any(
        isinstance(one.event, ImageStudyReceived | ImageStudyMoved) for one in case.history[:3]
    )
    return opened_by_images and not (case.ecgs or case.alerts or case.values or case.channel.opened_at)


def _ecgs(case: Case) -> tuple[RecordEcg, ...]:
    """In the order they were recorded; where that is unknown, in the order they came."""
    there = [ecg for ecg in case.distinct_ecgs if ecg.ended_empty_at is None or ecg.received_at is not None]
    return tuple(_ecg(ecg) for ecg in sorted(there, key=lambda ecg: (_recorded_at(case, ecg), ecg.ecg_id)))


def _recorded_at(case: Case, ecg: Ecg) -> datetime:
    acquired = None if ecg.acquired is None else ecg.acquired.at
    return acquired or ecg.received_at or ecg.stream_started_at or case.last_event_at


def _ecg(ecg: Ecg) -> RecordEcg:
    signed = ecg.readings[0] if ecg.readings else None
    clocks = [time.offset_s for time in (ecg.acquired, ecg.sent) if time is not None]
    return RecordEcg(
        ecg_id=ecg.ecg_id,
        way=ecg.way or "upload",
        format=ecg.format,
        device=ecg.device,
        acquired=None if ecg.acquired is None else _record_time(ecg.acquired, source="device"),
        sent_at=_sent_at(ecg),
        received_at=ecg.received_at,
        opened_at=ecg.opened_at,
        read_at=signed.at if signed is not None else ecg.read_before_at,
        reader=None if signed is None else signed.person,
        acceptable=ecg.acceptable,
        bad_leads=ecg.bad_leads,
        tier=ecg.tier,
        rules=_rules(ecg),
        read_tier=None if ecg.reading is None else ecg.reading.tier,
        agrees=None if ecg.reading is None else ecg.reading.agrees,
        clock_offset_s=next((offset for offset in clocks if offset is not None), None),
    )


def _sent_at(ecg: Ecg) -> datetime | None:
    return ecg.sent.at if ecg.sent is not None else ecg.stream_started_at


def _rules(ecg: Ecg) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(finding["id"]) for finding in ecg.findings if "id" in finding))


def _alert(case: Case, alert: Alert, valid: dict[str, MilestoneValue], diagnosis: str | None) -> RecordAlert:
    end = _end(case, alert, valid)
    return RecordAlert(
        alert_id=alert.alert_id,
        tier=alert.tier,
        rules=alert.rules,
        opened_at=alert.opened_at,
        acknowledged_at=alert.acknowledged_at,
        acknowledged_by=alert.acknowledged_by,
        exhausted_at=alert.exhausted_at,
        end=end,
        occlusion_later=_occlusion_later(case, alert, diagnosis) if end == "cancelled" else None,
    )


def _end(case: Case, alert: Alert, valid: dict[str, MilestoneValue]) -> str:
    """How an alert ended: "confirmed" by a treatment or by a reading as urgent as it is, "cancelled", or "open".

    A green channel that was stood down outweighs a reading before it, and is outweighed by a treatment.
    """
    if any(name in valid for name in _named("treated")):
        return "confirmed"
    stood_down_at = case.channel.stood_down_at
    signed = max(
        (ecg.readings[-1] for ecg in case.ecgs if ecg.ecg_id in alert.ecg_ids and ecg.readings),
        key=lambda reading: reading.seq,
        default=None,
    )
    stood_down = stood_down_at is not None and stood_down_at >= alert.opened_at
    if stood_down and stood_down_at is not None and (signed is None or signed.at <= stood_down_at):
        return "cancelled"
    if signed is not None:
        return "confirmed" if tier_rank(signed.tier) <= tier_rank(alert.tier) else "cancelled"
    return "cancelled" if case.state == "closed" else "open"


def _occlusion_later(case: Case, alert: Alert, diagnosis: str | None) -> bool | None:
    found = {one.result for one in case.followups if one.about == alert.alert_id and one.done_at is not None}
    if found & _named("occlusion_yes") or diagnosis in _named("occlusion_diagnoses"):
        return True
    return False if found & _named("occlusion_no") else None
