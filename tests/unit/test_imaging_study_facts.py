"""What the worklist knows of a study: from the archive, from its case, from people."""

from typing import Any

from greenchannel.alerts.commands import analysed, record_milestone
from greenchannel.service.imaging.records import StudyText
from greenchannel.service.imaging.study_facts import facts_of, modality_of, wanted_of
from greenchannel.triage.imaging.facts import Setting, StudyFacts
from tests.alerts_log import PLAN, Log, read, reading, seconds
from tests.imaging_log import ImageLog


def facts(**more: Any) -> StudyFacts:
    given: dict[str, Any] = {
        "study_uid": "1.2.3",
        "site": "s_1",
        "modalities": ["CT"],
        "received_at": seconds(600),
        "text": StudyText(reasons=("卒中",), priority="ROUTINE"),
        "case": None,
        "reading": None,
    }
    return facts_of(**(given | more))


def test_without_a_case_it_is_unknown_where_the_patient_is() -> None:
    """And when they came: the clock runs from the receipt and says that the arrival is not known."""
    said = wanted_of(facts(), None)

    assert facts().setting is Setting.UNKNOWN
    assert (said.started_at, said.arrival_unknown) == (seconds(600), True)


def test_the_door_of_the_hospital_is_the_arrival_of_a_stroke() -> None:
    """45 minutes from the door come before 30 from the images, where these came late."""
    log = Log()
    log.extend(
        record_milestone(
            log.case,
            milestone="HUB_DOOR",
            time=reading(-600),
            source="ed",
            key=None,
            note=None,
            now=seconds(0),
        )
    )
    said = wanted_of(facts(case=log.case, received_at=seconds(1200)), "c_1")

    assert (said.clock, said.started_at, said.arrival_unknown) == ("stroke", seconds(-600), False)


def test_an_urgent_ecg_makes_an_emergency_of_the_study() -> None:
    """Whatever the request said."""
    log = Log()
    log.ecg()
    log.extend(analysed(log.case, read("e_1", "ACT"), alert_id="a_1", plan=PLAN))

    assert facts(case=log.case).setting is Setting.EMERGENCY
    assert facts(case=Log().case).setting is Setting.UNKNOWN


def test_what_people_and_detectors_have_said_since_counts() -> None:
    """STAT of a person here; of the detectors the newest word of each."""
    from greenchannel.alerts.imaging import commands
    from greenchannel.events import ImageDetected

    log = ImageLog()
    log.add(commands.mark_stat(log.reading, "ed", "GCS 6"))
    for raised in (True, False):
        log.add([ImageDetected(plugin="head_blood", version="1", status="enabled", raised=raised)])
    said = facts(reading=log.reading)

    assert said.marked_stat
    assert [one.raised for one in said.detected] == [True]  # a later look lowers nothing


def test_a_study_of_several_goes_by_the_one_with_the_shorter_clock() -> None:
    """A CT with its reports is a CT; one that says nothing is unknown."""
    assert modality_of(["SR", "CT"]) == "CT"
    assert modality_of(["DX"]) == "DX"
    assert modality_of([]) is modality_of([""]) is None
