"""The order in which studies are read (IMG-1): a key for each study that depends on that study and the instant alone.

Two bands. In the upper stand those that a clinician called STAT or gave a critical indication, by the instant of
their clock. In the lower all others, by their wait with head starts (where the patient is, the requested priority, a
detector). Who has waited out the time of its priority joins the upper band behind those who wait there.

Nothing starves: who joined stands before all that come later, whatever they are. A detector gives a head start in the
lower band and nothing else: no study stands above a STAT that would not stand there without it.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from greenchannel.clock import check_aware
from greenchannel.triage.imaging.clocks import clock_of
from greenchannel.triage.imaging.facts import Setting, StudyFacts
from greenchannel.triage.imaging.words import Priority, critical_in, priority_of, table

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

UPPER: Final = 0
LOWER: Final = 1


class ImagePlace(NamedTuple):
    """Sorts ascending: the smallest is read first."""

    band: int
    queue_us: int  # microseconds since 1970
    study_uid: str
    # What follows only explains and never decides: ids are unique.
    joined: bool  # its time ran out unread, and it moved up


def is_critical(facts: StudyFacts) -> bool:
    """Did a clinician call it STAT, or write a critical indication?"""
    stat = facts.marked_stat or priority_of(facts.requested_priority) is Priority.STAT
    return stat or bool(critical_in(facts.texts))


def place(facts: StudyFacts, now: datetime) -> ImagePlace:
    """Where a study that is not read stands at `now`. Raises `NaiveDatetimeError`."""
    received = check_aware(facts.received_at)
    joins_at = joins_upper_at(facts)
    if is_critical(facts):
        due = clock_of(facts).due_at
        # What arrived long ago is no earlier than its receipt, or a wrong clock of a scanner would jump every queue.
        return ImagePlace(UPPER, _us(max(due, received)), facts.study_uid, False)
    if check_aware(now) >= joins_at:
        behind = timedelta(minutes=table().joined.behind_min)
        return ImagePlace(UPPER, _us(joins_at + behind), facts.study_uid, True)
    ahead = timedelta(minutes=head_start_min(facts))
    return ImagePlace(LOWER, _us(received - ahead), facts.study_uid, False)


def joins_upper_at(facts: StudyFacts) -> datetime:
    """When a study that is not critical has waited out its time; a detector has no say in it."""
    after_min = table().joins_after_min[_priority(facts).value.lower()]
    return check_aware(facts.received_at) + timedelta(minutes=after_min)


def head_start_min(facts: StudyFacts) -> float:
    """The head start in the lower band, in minutes of waiting; detectors count once."""
    starts = table().head_start_min
    detected = starts["detector"] if any(one.counts for one in facts.detected) else 0.0
    return starts[facts.setting.value] + starts[_priority(facts).value.lower()] + detected


def _priority(facts: StudyFacts) -> Priority:
    """Of one that is not STAT; what was not said counts as routine, and an emergency is at least high."""
    said = priority_of(facts.requested_priority) or Priority.ROUTINE
    if facts.setting is Setting.EMERGENCY and said in (Priority.ROUTINE, Priority.LOW):
        return Priority.HIGH
    return Priority.HIGH if said is Priority.STAT else said


def in_order(studies: Sequence[StudyFacts], now: datetime) -> list[StudyFacts]:
    """The studies, the first to be read first."""
    return sorted(studies, key=lambda one: place(one, now))


def explain(facts: StudyFacts, now: datetime) -> tuple[str, str]:
    """Why a study stands where it stands, in Chinese and English."""
    key, zh, en = place(facts, now), list[str](), list[str]()
    if facts.marked_stat or priority_of(facts.requested_priority) is Priority.STAT:
        zh.append("临床标为急诊(STAT)")
        en.append("STAT by the clinician")
    for word in critical_in(facts.texts):
        zh.append(f"申请单提示{word.name_zh}")
        en.append(f"the request says {word.name_en}")
    if key.joined:
        minutes = (joins_upper_at(facts) - facts.received_at) / timedelta(minutes=1)
        zh.append(f"等待已满{minutes:g}分钟，前移")
        en.append(f"unread for {minutes:g} min, moved up")
    zh.append(_SETTING_WORDS[facts.setting][0])
    en.append(_SETTING_WORDS[facts.setting][1])
    if facts.requested_priority is not None and key.band == LOWER:
        zh.append(f"申请优先级 {facts.requested_priority}")
        en.append(f"requested priority {facts.requested_priority}")
    for one in facts.detected:
        if one.counts:
            zh.append(f"算法提示({one.plugin} {one.version})：未经验证，仅用于排序")
            en.append(f"raised by a detector ({one.plugin} {one.version}): not validated, for ordering only")
    return "，".join(zh), ", ".join(en)


_SETTING_WORDS: Final = {
    Setting.EMERGENCY: ("急诊", "emergency department"),
    Setting.INPATIENT: ("住院", "inpatient"),
    Setting.OUTPATIENT: ("门诊", "outpatient"),
    Setting.UNKNOWN: ("来源未知", "where the patient is, is not known"),
}


def _us(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND
