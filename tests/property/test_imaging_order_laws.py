"""Laws of the order of studies: nothing starves, and a clinician's STAT stands above any detector."""

from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.triage.imaging.clocks import clock_of
from greenchannel.triage.imaging.facts import Detected, Setting, StudyFacts
from greenchannel.triage.imaging.order import in_order, is_critical, joins_upper_at, place
from greenchannel.triage.imaging.words import table

T0 = datetime(2026, 3, 2, tzinfo=UTC)
MINUTES = st.integers(0, 10_000)
WRITTEN = st.sampled_from([None, "STAT", "HIGH", "ROUTINE", "LOW", "MEDIUM", "asap", "what", "2"])
TEXTS = st.sampled_from(["", "脑出血", "体检", "无外伤", "trauma GCS 7", "follow-up", "卒中"])
DETECTED = st.lists(
    st.builds(
        Detected,
        plugin=st.sampled_from(["head_blood", "pneumothorax", "onnx"]),
        version=st.just("1"),
        status=st.sampled_from(["unvalidated", "silent", "enabled"]),
        raised=st.sampled_from([True, False, None]),
    ),
    max_size=5,
)


@st.composite
def facts(draw: st.DrawFn, name: str = "s") -> StudyFacts:
    received = T0 + timedelta(minutes=draw(MINUTES))
    arrived = draw(st.one_of(st.none(), st.integers(-200, 3_000)))
    return StudyFacts(
        study_uid=f"{name}.{draw(st.integers(0, 9))}",
        received_at=received,
        modality=draw(st.sampled_from([None, "CT", "DX", "MR"])),
        requested_priority=draw(WRITTEN),
        reasons=(draw(TEXTS),),
        setting=draw(st.sampled_from(list(Setting))),
        arrived_at=None if arrived is None else received - timedelta(minutes=arrived),
        detected=tuple(draw(DETECTED)),
    )


def unseen(one: StudyFacts) -> StudyFacts:
    return msgspec.structs.replace(one, detected=())


@given(facts("stat"), facts("seen"), MINUTES)
def test_any_clinician_stat_stands_above_any_detector(
    stat: StudyFacts, seen: StudyFacts, minutes: int
) -> None:
    """What stands above a STAT would stand there without any detector; what a detector raises does not pass it."""
    stat = msgspec.structs.replace(stat, requested_priority="STAT")
    now = max(stat.received_at, seen.received_at) + timedelta(minutes=minutes)
    above = place(seen, now) < place(stat, now)

    assert above == (place(unseen(seen), now) < place(stat, now))
    if not is_critical(seen) and now < joins_upper_at(seen):
        assert not above


@given(facts("one"), facts("other"), MINUTES)
def test_a_detector_only_raises(one: StudyFacts, other: StudyFacts, minutes: int) -> None:
    """With what it says a study never stands lower than without."""
    now = max(one.received_at, other.received_at) + timedelta(minutes=minutes)

    assert place(one, now)[:3] <= place(unseen(one), now)[:3]
    if place(unseen(one), now) < place(other, now):
        assert place(one, now) < place(other, now)


@given(facts("old"), st.lists(facts("new"), max_size=20), MINUTES)
def test_no_study_starves(old: StudyFacts, new: list[StudyFacts], minutes: int) -> None:
    """From a bounded time on a study stands before everything that comes after that time, whatever it is."""
    longest = max(table().joins_after_min.values()) + table().joined.behind_min
    bound = old.received_at + timedelta(minutes=longest)
    later = [
        msgspec.structs.replace(one, received_at=bound + timedelta(minutes=1 + i), arrived_at=None)
        for i, one in enumerate(new)
    ]
    now = bound + timedelta(minutes=len(later) + 1 + minutes)

    assert in_order([*later, old], now)[0] == old


@given(facts("one"), facts("other"), MINUTES, MINUTES)
def test_who_comes_first_changes_only_when_one_joins_the_upper_band(
    one: StudyFacts, other: StudyFacts, minutes: int, more: int
) -> None:
    """Time alone turns no pair around but at the instants that the table says: a list does not dance."""
    now = max(one.received_at, other.received_at) + timedelta(minutes=minutes)
    then = now + timedelta(minutes=more)
    quiet = all(is_critical(x) or not now < joins_upper_at(x) <= then for x in (one, other))

    if quiet:
        assert (place(one, now) < place(other, now)) == (place(one, then) < place(other, then))


@given(facts("s"))
def test_a_clock_runs_out_after_it_began_and_no_later_than_a_day(one: StudyFacts) -> None:
    """Whatever was written, somebody is told within a day of the receipt."""
    clock = clock_of(one)

    assert clock.started_at < clock.due_at <= one.received_at + timedelta(days=1)
    assert clock.started_at <= one.received_at
    assert clock.share_at(1.0) == clock.due_at
