"""The reperfusion clock of one case: what it has reached, what it learned from, what the rule says, what is missing."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from greenchannel.alerts.case import Case
from greenchannel.alerts.eta import standing
from greenchannel.alerts.reperfusion import Course
from greenchannel.alerts.reperfusion_case import View, course_of, reason_words, verdict_words, view
from greenchannel.events import ClockReading, ContextEntered, EtaGiven, MilestoneRecorded
from tests.alerts_log import Log, seconds

NINE = [
    Course(minutes={"ECG_DX": 0.0, "SPOKE_OUT": 20.0, "HUB_DOOR": 60.0 + t, "WIRE": 90.0 + t})
    for t in range(9)
]
SLOW = [
    Course(minutes={"ECG_DX": 0.0, "SPOKE_OUT": 90.0, "HUB_DOOR": 150.0 + t, "WIRE": 180.0 + t})
    for t in range(9)
]


def log_of(times_min: Mapping[str, float], mode: int | None = 2) -> Log:
    log = Log(arrival_mode=mode)
    for name, minute in times_min.items():
        time = ClockReading(at=seconds(60 * minute), clock="person")
        log.add(MilestoneRecorded(milestone=name, time=time, source="quality"), at_s=60 * minute)
    return log


def at(case: Case, minute: float, cases: list[Course] = NINE, asked: frozenset[str] | None = None) -> View:
    return view(case, seconds(60 * minute), clinic=cases, network=[], contraindicated=asked)


def eta(log: Log, minute: float, source: str, said_min: float, *, withdrawn: bool = False) -> None:
    time = ClockReading(at=seconds(60 * minute), clock="person")
    log.add(EtaGiven(place="hub", at=time, source=source, withdrawn=withdrawn), at_s=60 * said_min)


def test_a_case_that_is_over_tells_its_course() -> None:
    """Minutes from the diagnosis, and by how much the ETA at leaving was wrong; without either end nothing."""
    log = log_of({"ECG_DX": 10, "SPOKE_OUT": 30})
    eta(log, 50, "gps", 12)  # before it left: not the word that counts
    eta(log, 60, "gps", 25)
    eta(log, 70, "gps", 40)
    for name, minute in {"HUB_DOOR": 68, "CATH_ARRIVE": 72, "ANGIO_START": 80, "WIRE": 95}.items():
        time = ClockReading(at=seconds(60 * minute), clock="person")
        log.add(MilestoneRecorded(milestone=name, time=time, source="quality"), at_s=60 * minute)
    course = course_of(log.case)

    assert course is not None and course.eta_error_min == pytest.approx(8.0)
    assert course.minutes == pytest.approx(
        {"ECG_DX": 0, "SPOKE_OUT": 20, "HUB_DOOR": 58, "CATH_ARRIVE": 62, "ANGIO_START": 70, "WIRE": 85}
    )
    assert course_of(log_of({"ECG_DX": 10}).case) is None
    assert course_of(log_of({"WIRE": 10}).case) is None
    assert course_of(log_of({"ECG_DX": 20, "WIRE": 10}).case) is None
    assert course_of(log_of({"ECG_DX": 1, "WIRE": 10}, mode=None).case) is None


def test_the_clock_counts_from_the_diagnosis_and_adds_the_time_from_first_contact() -> None:
    """Diagnosis at minute 10, first contact at 2: eight minutes more."""
    found = at(log_of({"FMC": 2, "ECG_DX": 10}).case, 11)

    assert found.prediction is not None and found.answer is not None
    assert (found.prediction.median_min, found.prediction.cases, found.prediction.basis) == (94, 9, "clinic")
    assert found.fmc_to_dx_min == 8
    assert (found.answer.verdict, found.answer.missing) == ("pci", ())


@pytest.mark.parametrize(
    ("times", "mode", "cases", "missing"),
    [
        ({}, 2, NINE, ("diagnosis",)),
        ({"ECG_DX": 0}, None, NINE, ("arrival_mode",)),
        ({}, None, NINE, ("diagnosis", "arrival_mode")),
        ({"ECG_DX": 0}, 2, NINE[:8], ("history",)),
        ({"ECG_DX": 0}, 2, SLOW, ("onset", "shock", "contraindications")),
    ],
)
def test_unknown_stays_unknown_and_names_what_is_missing(
    times: dict[str, float], mode: int | None, cases: list[Course], missing: tuple[str, ...]
) -> None:
    """No zero, no guess; each has words in both languages."""
    answer = at(log_of(times, mode).case, 1, cases).answer
    assert answer is not None
    assert (answer.verdict, answer.missing) == ("unknown", missing)
    assert all(reason_words()[name].zh and reason_words()[name].en for name in missing)


def test_beyond_the_limit_the_checklist_is_asked_for() -> None:
    """With the onset, no shock, and no contraindication; what speaks against it leaves it to the doctor."""
    log = log_of({"ONSET": -60, "ECG_DX": 0})
    log.add(ContextEntered(vitals={"shock": 0}))
    asked = at(log.case, 1, SLOW, frozenset()).answer
    against = at(log.case, 1, SLOW, frozenset({"puncture"})).answer
    log.add(ContextEntered(vitals={"shock": 1}))
    shocked = at(log.case, 1, SLOW, frozenset()).answer

    assert asked is not None and asked.verdict == "lysis_checklist"
    assert against is not None and (against.verdict, against.against_lysis) == (
        "doctor_decides",
        ("puncture",),
    )
    assert shocked is not None and (shocked.verdict, shocked.against_lysis) == ("doctor_decides", ("shock",))


def test_an_onset_that_is_known_to_the_part_of_the_day_may_leave_it_open() -> None:
    """Eleven hours ago give or take two: within twelve hours or not, nobody knows."""
    log = log_of({"ECG_DX": 0})
    log.add(ContextEntered(vitals={"shock": 0}))
    wide = ClockReading(at=seconds(-11 * 3600), clock="person", uncertainty_s=7200.0)
    log.add(MilestoneRecorded(milestone="ONSET", time=wide, source="clinic"))
    answer = at(log.case, 1, SLOW, frozenset()).answer

    assert answer is not None and (answer.verdict, answer.missing) == ("unknown", ("onset",))


def test_a_given_eta_replaces_the_road() -> None:
    """A person's word stands before the positions', until it is withdrawn; after the door neither counts."""
    log = log_of({"ECG_DX": 0, "SPOKE_OUT": 20})
    before = at(log.case, 25).prediction
    eta(log, 40, "gps", 25)
    by_gps = at(log.case, 26)
    eta(log, 80, "person", 27)
    eta(log, 41, "gps", 28)
    by_person = at(log.case, 29)
    eta(log, 80, "person", 30, withdrawn=True)
    again = at(log.case, 31)

    assert before is not None and before.stage == "SPOKE_OUT"
    assert by_gps.eta_at == seconds(60 * 40) and again.eta_at == seconds(60 * 41)
    assert by_person.eta_at == seconds(60 * 80)
    for found, door in ((by_gps, 40), (by_person, 80), (again, 41)):
        assert found.prediction is not None and found.prediction.stage == "ETA"
        assert found.prediction.median_min == door + 30
    assert standing(log.case.etas, "scene") is None
    log.add(
        MilestoneRecorded(
            milestone="HUB_DOOR", time=ClockReading(at=seconds(60 * 42), clock="p"), source="ed"
        )
    )
    assert at(log.case, 43).eta_at is None


@pytest.mark.parametrize(("name", "state"), [("WIRE", "wire_crossed"), ("LYSIS_START", "lysis_begun")])
def test_once_it_has_begun_nothing_is_foretold(name: str, state: str) -> None:
    """Neither a time nor a verdict."""
    found = at(log_of({"ECG_DX": 0, name: 40}).case, 41)
    assert (found.state, found.prediction, found.answer) == (state, None, None)


def test_door_in_door_out_counts_down_to_the_target_of_the_table() -> None:
    """Thirty minutes from the clinic's door; late, then done; unknown without the door; only for a transfer."""
    running, late = (at(log_of({"SPOKE_DOOR": 0}).case, minute).dido for minute in (10, 35))
    done = at(log_of({"SPOKE_DOOR": 0, "SPOKE_OUT": 25}).case, 40).dido
    unknown = at(log_of({}).case, 40).dido

    assert running is not None and late is not None and done is not None and unknown is not None
    assert (running.state, running.left_s, running.target_min) == ("running", 1200.0, 30)
    assert running.due_at == seconds(0) + timedelta(minutes=30)
    assert (late.state, late.left_s) == ("late", -300.0)
    assert (done.state, done.left_s) == ("done", None)
    assert (unknown.state, unknown.due_at, unknown.left_s) == ("unknown", None, None)
    assert [at(log_of({"SPOKE_DOOR": 0}, mode).case, 1).dido for mode in (1, 3, 4, None)] == [None] * 4


def test_every_verdict_has_words_that_leave_it_to_the_doctor() -> None:
    """In both languages; the machine orders nothing."""
    words = verdict_words()
    assert set(words) == {"pci", "lysis_checklist", "doctor_decides", "unknown", "over"}
    for verdict in ("pci", "lysis_checklist", "doctor_decides"):
        assert "医师" in words[verdict].zh and "doctor" in words[verdict].en
