"""Milestones from events, the value that stands, and the intervals."""

from datetime import UTC

import pytest

from greenchannel.alerts.commands import open_green_channel, record_milestone
from greenchannel.alerts.milestones import enterable, milestones, precedences
from greenchannel.alerts.timeline import Entry, Timeline, round_minutes, timeline
from greenchannel.events import (
    AdviceSeen,
    AlertAcknowledged,
    AlertOpened,
    AlertSent,
    ContextEntered,
    EcgOpened,
    MilestoneRecorded,
    ReadingSigned,
    StreamStarted,
    TaskDone,
)
from tests.alerts_log import PLAN, Log, read, reading, seconds


def entry(found: Timeline, milestone: str, key: str | None = None) -> Entry:
    return next(e for e in found.entries if e.spec.id == milestone and e.key == key)


def at_s(found: Timeline, milestone: str, key: str | None = None) -> float | None:
    valid = entry(found, milestone, key).valid
    return None if valid is None else (valid.time.at - seconds(0)).total_seconds()


def recorded(milestone: str, s: float, source: str, **more: object) -> MilestoneRecorded:
    return MilestoneRecorded(milestone=milestone, time=reading(s), source=source, **more)  # type: ignore[arg-type]


def test_the_first_ecg_is_timed_by_its_end() -> None:
    """The file says when it began; of a stream the first strip counts; what was received was completed before."""
    for way, duration_s, received_s, end_s in (
        ("upload", 12.0, 60, 12),
        ("upload", 12.0, 7, 7),
        ("upload", 12.0, -3, 0),
        ("stream", 600.0, 700, 10),
    ):
        log = Log()
        log.ecg(at_s=received_s, way=way, duration_s=duration_s, acquired=reading(0, "device:d"))
        assert at_s(timeline(log.case), "ECG1_ACQ") == end_s


def test_the_log_sets_the_milestones_it_can_see() -> None:
    """Nobody fills in a form for what the server saw happen."""
    log = Log()
    log.ecg("e_1", at_s=30, acquired=reading(5, "device:d"), sent=reading(20, "device:d"))
    log.add(read("e_1"), at_s=31)
    log.add(AlertOpened(alert_id="a", tier="ACT", ecg_id="e_1", rules=(), plan=PLAN))
    log.add(AlertSent(alert_id="a", person="anna", channel="live", step=0), at_s=32)
    log.add(AlertAcknowledged(alert_id="a", person="anna"), at_s=40)
    log.add(EcgOpened(ecg_id="e_1"), at_s=41)
    log.add(ReadingSigned(ecg_id="e_1", text="STEMI", tier="ACT", advice="转院"), at_s=70)
    log.add(AdviceSeen(ecg_id="e_1"), at_s=75)
    log.extend(open_green_channel(log.case, "anna", channel_id="g_1"), at_s=80)
    case = log.add(ContextEntered(onset=reading(-600)))
    found = timeline(case)
    assert [at_s(found, name) for name in ("ONSET", "ECG1_ACQ", "ECG_SENT", "ECG_RECEIVED", "ECG_ALGO")] == [
        -600,
        15,
        20,
        30,
        31,
    ]
    assert (at_s(found, "ALERT_SENT", "anna"), at_s(found, "ALERT_ACK", "anna")) == (32, 40)
    assert [
        at_s(found, name) for name in ("ECG_OPENED", "ECG_DX", "ADVICE_BACK", "ADVICE_SEEN", "GREEN_OPEN")
    ] == [
        41,
        70,
        70,
        75,
        80,
    ]
    assert found.problems == () and found.interval("ECG_RECEIVED_TO_ALERT_ACK").seconds == 10


def test_a_done_task_sets_the_milestone_of_its_kind() -> None:
    """The press is the instant, by the server's clock, with the task's role as the source."""
    log = Log()
    log.extend(open_green_channel(log.case, "anna", channel_id="g_1"))
    task = next(task for task in log.case.tasks if task.kind == "receive_patient")
    log.add(TaskDone(task_id=task.task_id, person="eve"), at_s=900)
    case = log.add(TaskDone(task_id=task.task_id, person="eve"), at_s=901)
    (valid,) = entry(timeline(case), "HUB_DOOR").values
    assert (valid.source, valid.time.at, valid.time.uncertainty_s) == ("ed", seconds(900), None)


def test_the_first_ecg_is_the_first_of_the_standard_set() -> None:
    """A recording with moved electrodes is not it, and a later one never stands in for a first without a time."""
    log = Log()
    log.ecg("e_1", electrode_set="right", acquired=reading(1))
    assert at_s(timeline(log.case), "ECG1_ACQ") is None
    log.ecg("e_2", acquired=reading(9))
    log.ecg("e_3", acquired=reading(4))
    assert at_s(timeline(log.case), "ECG1_ACQ") == 4
    other = Log()
    other.ecg("e_1")
    other.ecg("e_2", acquired=reading(9))
    assert at_s(timeline(other.case), "ECG1_ACQ") is None


def test_a_stream_was_sent_when_it_started() -> None:
    """By the device's clock where it said so."""
    log = Log()
    start = StreamStarted(
        ecg_id="e", stream_id="s", device="d", leads=("I",), rate_hz=500.0, started=reading(3, "device:d")
    )
    assert at_s(timeline(log.add(start)), "ECG_SENT") == 3


def test_the_stronger_source_stands_and_all_values_stay() -> None:
    """The gate's record outweighs the emergency department's, whichever came last."""
    log = Log()
    log.add(recorded("HUB_DOOR", 60, "gps"), recorded("HUB_DOOR", 120, "ed"), recorded("HUB_DOOR", 9, "x"))
    found = entry(timeline(log.case), "HUB_DOOR")
    assert found.valid is not None and found.valid.source == "gps" and len(found.values) == 3


def test_the_newest_correction_of_a_source_stands() -> None:
    """The first value stays beside it."""
    log = Log()
    log.add(recorded("FMC", 60, "clinic"), recorded("FMC", 90, "clinic", note="看错表", correction=True))
    found = entry(timeline(log.case), "FMC")
    assert found.valid is not None and found.valid.time.at == seconds(90)
    assert [value.correction for value in found.values] == [False, True]


def test_doses_repeat_by_key() -> None:
    """Each dose is a row of its own."""
    log = Log()
    log.add(recorded("ASPIRIN", 1, "clinic", key="300 mg"), recorded("ASPIRIN", 2, "clinic", key="100 mg"))
    keys = [e.key for e in timeline(log.case).entries if e.spec.id == "ASPIRIN"]
    assert keys == ["300 mg", "100 mg"]


def test_a_negative_interval_is_kept_and_flagged() -> None:
    """It never becomes 0, and it is not late."""
    log = Log()
    case = log.add(recorded("FMC", 600, "clinic"), recorded("WIRE", 590, "cathlab"))
    found = timeline(case).interval("FMC_TO_WIRE")
    assert (found.seconds, found.negative, found.late_by_min) == (-10, True, None)


def test_lateness_is_judged_on_seconds_and_told_in_the_minutes_that_are_shown() -> None:
    """Exactly 120 is in time, a second more is late by one; what is told is the difference of what is shown."""
    for extra, late in ((0, None), (1, 1), (61, 1), (91, 2), (1801, 30)):
        log = Log()
        case = log.add(recorded("FMC", 0, "clinic"), recorded("WIRE", 7200 + extra, "cathlab"))
        assert timeline(case).interval("FMC_TO_WIRE").late_by_min == late


def test_an_unknown_uncertainty_stays_unknown() -> None:
    """One known half width says nothing of the interval."""
    log = Log()
    log.add(MilestoneRecorded(milestone="FMC", time=reading(0, uncertainty_s=5.0), source="clinic"))
    case = log.add(recorded("WIRE", 60, "cathlab"))
    assert timeline(case).interval("FMC_TO_WIRE").uncertainty_s is None


@pytest.mark.parametrize(
    ("s", "minutes"), [(0, 0), (29, 0), (30, 1), (90, 2), (-29, 0), (-30, -1), (2940, 49)]
)
def test_minutes_are_rounded_halves_away_from_zero(s: float, minutes: int) -> None:
    """So that half a minute never depends on its sign."""
    assert round_minutes(s) == minutes


@pytest.mark.parametrize("mode", [1, 2, 3, 4, None])
def test_every_milestone_of_the_mode_is_there(mode: int | None) -> None:
    """Set or not; a walk-in has no clinic door, onset in hospital no hospital door in its intervals."""
    found = timeline(Log(arrival_mode=mode).case)
    assert {e.spec.id for e in found.entries} == {s.id for s in milestones().values() if s.exists_in(mode)}
    assert ("SPOKE_DOOR" in found.unknown) == (mode in (2, None))
    if mode == 4:
        assert not any("HUB_DOOR" in (i.spec.start, i.spec.end) for i in found.intervals)


def test_the_table_is_whole() -> None:
    """Every precedence has a list, quality staff may enter all, and a clinic only its own."""
    assert {spec.precedence for spec in milestones().values()} <= set(precedences())
    assert len(enterable("quality")) == len(milestones())
    clinic = {spec.id for spec in enterable("clinic", 2)}
    assert {"FMC", "SPOKE_DOOR", "ASPIRIN"} <= clinic and not clinic & {"WIRE", "ECG_DX", "CATH_READY"}
    assert len(milestones()) == len({spec.zh for spec in milestones().values()})


def test_a_correction_by_command_reaches_the_timeline() -> None:
    """A task's press corrected by its own role stands corrected."""
    log = Log()
    log.extend(open_green_channel(log.case, "anna", channel_id="g_1"))
    task = next(task for task in log.case.tasks if task.kind == "receive_patient")
    log.add(TaskDone(task_id=task.task_id, person="eve"), at_s=900)
    log.extend(
        record_milestone(
            log.case, milestone="HUB_DOOR", time=reading(840), source="ed", note="按晚了", now=log.now
        )
    )
    assert at_s(timeline(log.case), "HUB_DOOR") == 840


def test_the_newest_word_on_the_onset_stands() -> None:
    """What is said of the past is refined by asking again; what the log saw happen is not."""
    log = Log()
    log.add(ContextEntered(onset=reading(-900)))
    case = log.add(ContextEntered(onset=reading(-600)))
    assert at_s(timeline(case), "ONSET") == -600


def test_problems_name_times_in_the_zone_asked_for() -> None:
    """The same contradiction, told in the time of the county and in another."""
    log = Log(arrival_mode=2)
    log.add(recorded("FMC", 600, "clinic"), recorded("ONSET", 900, "clinic"))
    here, utc = timeline(log.case), timeline(log.case, UTC)
    assert here.problems and len(here.problems) == len(utc.problems)
    assert "16:1" in str(here.problems) and "08:1" in str(utc.problems)
    assert here.arrival_mode == utc.arrival_mode == 2


def test_an_interval_with_one_end_is_open_and_keeps_its_target() -> None:
    """No number is invented: the missing end is named, target and segment stay."""
    log = Log(arrival_mode=2)
    log.add(recorded("FMC", 0, "clinic"))
    found = timeline(log.case)
    for interval in found.intervals:
        if interval.missing:
            assert (interval.seconds, interval.minutes, interval.uncertainty_s) == (None, None, None)
            assert (interval.late_by_min, interval.negative) == (None, False)
            assert interval.target_min == interval.spec.target_for(2)
    with pytest.raises(KeyError, match="no such"):
        found.interval("no such")


def test_an_interval_of_no_length_is_not_negative() -> None:
    """Two events at one instant are 0 s apart, in time and not reversed."""
    log = Log(arrival_mode=2)
    log.ecg("e_1", at_s=0, acquired=reading(0, "device:d"))
    log.add(recorded("FMC", 0, "clinic"))
    zero = [interval for interval in timeline(log.case).intervals if interval.seconds == 0]
    assert zero
    assert all((one.minutes, one.negative, one.late_by_min) == (0, False, None) for one in zero)


@pytest.mark.parametrize(("way", "contradicts"), [("upload", True), ("stream", False)])
def test_only_a_stream_may_ring_before_its_last_byte(way: str, contradicts: bool) -> None:
    """The order of an uploaded ECG does not hold for one that came live."""
    log = Log()
    log.add(AlertOpened(alert_id="a", tier="ACT", ecg_id="e_1", rules=(), plan=PLAN), at_s=600)
    log.add(AlertSent(alert_id="a", person="anna", channel="live", step=0))
    case = log.ecg("e_1", at_s=1200, way=way)
    pairs = {(problem.before, problem.after) for problem in timeline(case).problems}
    assert (("ECG_RECEIVED", "ALERT_SENT") in pairs) is contradicts


@pytest.mark.parametrize(("mode", "contradicts"), [(2, True), (1, False), (None, False)])
def test_the_order_is_that_of_the_arrival_mode(mode: int | None, contradicts: bool) -> None:
    """The door of the first hospital comes before the first contact where there is such a door alone."""
    log = Log(arrival_mode=mode)
    log.add(recorded("FMC", 0, "clinic"), recorded("SPOKE_DOOR", 900, "clinic"))
    pairs = {(problem.before, problem.after) for problem in timeline(log.case).problems}
    assert (("SPOKE_DOOR", "FMC") in pairs) is contradicts
