"""A record of a case: what stands of its times, and nothing that nobody said."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from greenchannel.alerts.golden import published_case
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality import columns
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.record_of import SiteFacts, record_of
from greenchannel.events import (
    AlertOpened,
    CaseClosed,
    CaseMerged,
    CaseOpened,
    ClockReading,
    FactRecorded,
    FollowUpDone,
    FollowUpPlanned,
    GreenChannelOpened,
    GreenChannelStoodDown,
    ImageStudyReceived,
    MilestoneRecorded,
    ReadingSigned,
    SameRecordingFound,
)
from tests.alerts_log import PLAN, T0, Log, read, reading, seconds

CLINIC = SiteFacts(town="Yinzhao", kind="clinic")


def record(log: Log, site: SiteFacts | None = CLINIC) -> CaseRecord:
    """The record of a log that has one."""
    found = record_of(log.case, site)
    assert found is not None
    return found


def golden() -> CaseRecord:
    """The record of the published case, entered long after its day."""
    log = Log()
    log.envelopes.clear()
    log.extend(
        published_case(date(2025, 11, 3), NATIONAL_ZONE, case_id=log.case_id, site="s_1", patient="p_1"),
        actor="user:zhao",
    )
    return record(log)


def minutes(found: CaseRecord, start: str, end: str) -> float | None:
    first, last = found.at(start), found.at(end)
    return None if first is None or last is None else (last - first).total_seconds() / 60


def test_the_published_case_has_its_two_intervals_and_no_third_invented() -> None:
    """49 and 29 minutes; what the report does not give is not there, and not zero."""
    found = golden()
    assert minutes(found, "FMC", "WIRE") == 49
    assert minutes(found, "HUB_DOOR", "WIRE") == 29
    assert set(found.times) == {
        "FMC", "ECG_SENT", "ECG_RECEIVED", "AMB_DISPATCH", "GREEN_OPEN", "HUB_DOOR", "CATH_ARRIVE",
        "ANGIO_START", "WIRE",
    }  # fmt: skip
    assert minutes(found, "FMC", "ECG1_ACQ") is None and minutes(found, "SPOKE_DOOR", "SPOKE_OUT") is None
    assert (found.diagnosis, found.ambulance, found.doctor, found.reader) == ("STEMI", "own", None, None)
    assert found.times["WIRE"].uncertainty_s == 30.0 and found.times["WIRE"].entered


def test_a_case_that_was_entered_later_counts_when_it_happened() -> None:
    """Its month and hour are those of the first contact."""
    found = golden()
    assert found.opened_at == T0
    assert found.began_at == datetime(2025, 11, 3, 8, 5, tzinfo=UTC)


def test_a_clock_that_was_never_set_says_nothing_of_a_case() -> None:
    """Back at its first day it would move the case to a year that nobody looks at, and be the mean of a month."""
    for years, uncertainty_s, believed in ((20, None, False), (20, 2.0, True), (0.05, None, True)):
        log = Log()
        log.ecg(acquired=reading(-years * 365 * 86400.0, "device:d_1", uncertainty_s=uncertainty_s))
        found = record(log)
        assert ("ECG1_ACQ" in found.times) is believed
        assert found.began_at == found.times["ECG1_ACQ" if believed else "ECG_RECEIVED"].at
        assert found.ecgs[0].acquired is not None  # what the file says stays in the table of ECGs
    log.add(MilestoneRecorded(milestone="ECG1_ACQ", time=reading(5, "person"), source="clinic"))
    assert record(log).times["ECG1_ACQ"].source == "device"


def test_who_was_there_fills_what_a_clock_that_was_never_set_left_open() -> None:
    """A device outweighs a person, but not with a time that cannot be."""
    log = Log()
    log.ecg(acquired=reading(-20 * 365 * 86400.0, "device:d_1"))
    log.add(MilestoneRecorded(milestone="ECG1_ACQ", time=reading(5, "person"), source="clinic"))
    found = record(log)
    assert (found.times["ECG1_ACQ"].source, found.began_at) == ("clinic", seconds(5))


def test_drills_and_merged_cases_have_no_record() -> None:
    """They count nowhere."""
    drill = Log()
    drill.envelopes.clear()
    drill.add(CaseOpened(case_id="c_1", site="s_1", patient="p_1", drill_until=seconds(3600)))
    merged = Log()
    merged.add(CaseMerged(into_case_id="c_2"))
    assert record_of(drill.case, CLINIC) is None
    assert record_of(merged.case, CLINIC) is None


def test_a_case_of_images_alone_counts_once_an_ecg_comes() -> None:
    """A CT of a trauma is no case of the chest pain network; a patient with an ECG, or a time that was given, is."""
    log = Log()
    log.add(ImageStudyReceived(study_uid="1.2", modality="CT"))
    assert record_of(log.case, CLINIC) is None
    log.add(MilestoneRecorded(milestone="FMC", time=ClockReading(at=T0, clock="person"), source="clinic"))
    assert record_of(log.case, CLINIC) is not None


def test_where_a_patient_was_transferred_from() -> None:
    """The clinic where the case began, in arrival mode 2; never the hospital that took the patient in."""
    assert record(Log(2)).referring == "s_1"
    assert record(Log(1)).referring is None
    assert record(Log(2), SiteFacts(kind="hub")).referring is None
    assert record(Log(2), None).referring is None
    assert record(Log(2)).town == "Yinzhao"


def test_a_corrected_time_is_marked_and_so_is_one_that_a_person_put_beside_a_machines() -> None:
    """What the machine said first, and what nobody corrected, is not."""
    log = Log()
    log.ecg(at_s=60, acquired=reading(5, "device:d"))
    for at_s, note in ((300, None), (240, "misread")):
        log.add(
            MilestoneRecorded(
                milestone="FMC", time=reading(at_s), source="clinic", note=note, correction=note is not None
            )
        )
    log.add(MilestoneRecorded(milestone="ECG1_ACQ", time=reading(90), source="quality", note="paper"))
    found = record(log).times
    assert (found["FMC"].at, found["FMC"].corrected, found["FMC"].entered) == (seconds(240), True, True)
    assert (found["ECG1_ACQ"].at, found["ECG1_ACQ"].corrected) == (seconds(15), False)  # the device outweighs
    assert (found["ECG_RECEIVED"].entered, found["ECG_RECEIVED"].corrected) == (False, False)


def test_a_press_is_no_typing() -> None:
    """Its time is the service's own; what a person typed was read from a person's clock."""
    log = Log()
    log.add(MilestoneRecorded(milestone="FMC", time=reading(60, "server"), source="clinic"))
    log.add(MilestoneRecorded(milestone="HUB_DOOR", time=reading(90, "device:gps"), source="gps"))
    log.add(MilestoneRecorded(milestone="WIRE", time=reading(99, "person"), source="cathlab"))
    times = record(log).times
    assert {name: (time.entered, time.pressed) for name, time in times.items()} == {
        "FMC": (True, True),
        "HUB_DOOR": (False, False),
        "WIRE": (True, False),
    }


def test_a_day_that_was_told_has_its_ends() -> None:
    """From the beginning of the part of the day to its end; all else ends where it begins."""
    log = Log()
    told = ClockReading(at=seconds(0), clock="person", uncertainty_s=3600.0, told="2026-03-02 6-8")
    log.add(MilestoneRecorded(milestone="ONSET", time=told, source="clinic"))
    log.add(MilestoneRecorded(milestone="FMC", time=reading(7200, uncertainty_s=60), source="clinic"))
    times = record(log).times
    assert (times["ONSET"].earliest, times["ONSET"].latest) == (seconds(-3600), seconds(3600))
    assert times["FMC"].earliest == times["FMC"].at == times["FMC"].latest


def test_reasons_and_facts_are_what_stands() -> None:
    """A reason that was taken back is none any more."""
    log = Log()
    for fact, code in (("DELAY_LAB", "yes"), ("DELAY_CONSENT", "yes"), ("DELAY_LAB", "no"), ("KILLIP", "II")):
        log.add(FactRecorded(fact=fact, code=code, source="quality"))
    found = record(log)
    assert found.reasons == ("DELAY_CONSENT",)
    assert found.facts == {"DELAY_LAB": "no", "DELAY_CONSENT": "yes", "KILLIP": "II"}


def test_an_ecg_that_repeats_another_counts_once() -> None:
    """In the order they were recorded, not the order they came."""
    log = Log()
    log.ecg("e_1", at_s=100, acquired=reading(90, "device:d"))
    log.ecg("e_2", at_s=110, acquired=reading(10, "device:d"), format="wfdb")
    log.ecg("e_3", at_s=120, acquired=reading(90, "device:d"), format="scp")
    log.add(
        SameRecordingFound(
            ecg_id="e_3",
            of_ecg_id="e_1",
            of_case_id="c_1",
            of_format="dicom",
            same_patient=True,
            overlap_s=10.0,
            shift_s=0.0,
        )
    )
    log.add(read("e_1"), at_s=130)
    log.add(ReadingSigned(ecg_id="e_1", text="STEMI", tier="ACT", agrees=True), actor="user:lin", at_s=200)
    found = record(log)
    assert [ecg.ecg_id for ecg in found.ecgs] == ["e_2", "e_1"]
    one = found.ecgs[1]
    assert (one.read_at, one.reader, one.agrees, one.rules) == (seconds(200), "lin", True, ("STE-1",))
    assert found.reader == "lin" and found.diagnosis is None


def alarm(log: Log) -> None:
    log.ecg("e_1", at_s=30)
    log.add(read("e_1"), at_s=31)
    log.add(AlertOpened(alert_id="a", tier="ACT", ecg_id="e_1", rules=("STE-1",), plan=PLAN))
    log.add(GreenChannelOpened(channel_id="g", tasks=()), actor="user:lin", at_s=60)


def stand_down(log: Log) -> None:
    log.add(GreenChannelStoodDown(channel_id="g", reason="mimic"), actor="user:lin", at_s=90)


def sign(log: Log, tier: str) -> None:
    log.add(ReadingSigned(ecg_id="e_1", text="…", tier=tier), actor="user:lin", at_s=70)


def wire(log: Log) -> None:
    log.add(MilestoneRecorded(milestone="WIRE", time=reading(3000), source="cathlab"), at_s=3000)


def test_how_an_alert_ends() -> None:
    """Treated or read as urgent: confirmed. Stood down, read as milder, or closed without either: cancelled."""
    ends = {}
    for name, acts in {
        "nothing": (),
        "read": (lambda log: sign(log, "ACT"),),
        "read milder": (lambda log: sign(log, "NONE"),),
        "read, then stood down": (lambda log: sign(log, "ACT"), stand_down),
        "stood down, treated after all": (stand_down, wire),
        "closed": (lambda log: log.add(CaseClosed(reason="not acute"), at_s=95),),
    }.items():
        log = Log()
        alarm(log)
        for act in acts:
            act(log)
        ends[name] = record(log).alerts[0].end
    assert ends == {
        "nothing": "open",
        "read": "confirmed",
        "read milder": "cancelled",
        "read, then stood down": "cancelled",
        "stood down, treated after all": "confirmed",
        "closed": "cancelled",
    }


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ((), None),
        (("well",), False),
        (("not_reached",), None),
        (("well", "infarction"), True),
        (("died",), None),
    ],
)
def test_a_cancelled_alert_is_asked_about(results: tuple[str, ...], expected: bool | None) -> None:
    """Nobody asked, or nobody was reached: unknown."""
    log = Log()
    alarm(log)
    stand_down(log)
    for number, result in enumerate(results):
        name = f"f_{number}"
        log.add(
            FollowUpPlanned(
                followup_id=name, kind="cancelled_24h", role="clinic", due_at=seconds(9e4), about="a"
            ),
            FollowUpDone(followup_id=name, person="wu", result=result),
            at_s=9e4,
        )
    assert record(log).alerts[0].occlusion_later is expected
    assert record(log).doctor == "lin"


def test_a_record_goes_through_storage_unchanged() -> None:
    """As JSON and as MessagePack, instants to the microsecond."""
    log = Log()
    alarm(log)
    log.add(
        MilestoneRecorded(
            milestone="FMC",
            time=ClockReading(at=T0 + timedelta(microseconds=1), clock="person", uncertainty_s=1.5),
            source="clinic",
        )
    )
    found = record(log)
    assert msgspec.json.decode(msgspec.json.encode(found), type=CaseRecord) == found
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=CaseRecord) == found


def test_records_by_other_rules_are_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever changes a table of rules need not think of a version."""
    known = columns.layout_name()
    monkeypatch.setattr(columns, "record_rules", lambda: {"begins_with": ["FMC"]})
    other = columns.layout_name()
    monkeypatch.setattr(columns, "reperfusion_rules", tuple)
    assert len({known, other, columns.layout_name()}) == 3
