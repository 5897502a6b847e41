"""The order of studies that wait to be read, and their clocks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from greenchannel.triage.imaging.clocks import clock_of, escalate_at, rules
from greenchannel.triage.imaging.facts import Detected, Setting, StudyFacts
from greenchannel.triage.imaging.order import explain, in_order, is_critical
from greenchannel.triage.imaging.words import Priority, critical_in, priority_of, table

T0 = datetime(2026, 3, 2, 8, tzinfo=UTC)


def study(uid: str, *, after_min: float = 0, **more: Any) -> StudyFacts:
    return StudyFacts(study_uid=uid, received_at=T0 + timedelta(minutes=after_min), **more)


def uids(*studies: StudyFacts, at_min: float = 60) -> list[str]:
    return [one.study_uid for one in in_order(studies, T0 + timedelta(minutes=at_min))]


def test_stat_comes_before_emergency_before_inpatient_before_routine() -> None:
    """IMG-1, with the study that waits longest the least urgent one."""
    order = uids(
        study("routine", setting=Setting.OUTPATIENT),
        study("inpatient", after_min=1, setting=Setting.INPATIENT),
        study("emergency", after_min=2, setting=Setting.EMERGENCY),
        study("stat", after_min=3, requested_priority="STAT"),
    )

    assert order == ["stat", "emergency", "inpatient", "routine"]


def test_a_critical_indication_of_the_request_stands_with_stat() -> None:
    """A clinician who writes 主动脉夹层 without ticking STAT means it."""
    order = uids(
        study("emergency", setting=Setting.EMERGENCY),
        study("words", after_min=3, reasons=("胸背痛，主动脉夹层待排",)),
    )

    assert order == ["words", "emergency"]


def test_what_every_detector_says_together_stays_below_stat() -> None:
    """Any clinician STAT outranks any detector."""
    seen = tuple(Detected(plugin=f"p{n}", version="1", status="enabled", raised=True) for n in range(20))
    order = uids(
        study("seen", setting=Setting.EMERGENCY, requested_priority="HIGH", detected=seen),
        study("stat", after_min=59, requested_priority="STAT"),
    )

    assert order == ["stat", "seen"]


@pytest.mark.parametrize(
    ("status", "raised", "moves"),
    [
        ("enabled", True, True),
        ("enabled", False, False),
        ("enabled", None, False),
        ("silent", True, False),
        ("unvalidated", True, False),
    ],
)
def test_only_an_enabled_detector_that_raises_moves_a_study(
    status: str, raised: bool | None, moves: bool
) -> None:
    """A silent run, a failure and a detector that saw nothing leave the queue as it is."""
    seen = (Detected(plugin="head_blood", version="1", status=status, raised=raised),)
    order = uids(study("first"), study("second", after_min=1, detected=seen))

    assert order == (["second", "first"] if moves else ["first", "second"])


@pytest.mark.parametrize(
    ("written", "priority"),
    [
        ("STAT", "STAT"),
        (" stat ", "STAT"),
        ("asap", "STAT"),
        ("A", "STAT"),
        ("HIGH", "HIGH"),
        ("1", "HIGH"),
        ("urgent", "HIGH"),
        ("MEDIUM", "ROUTINE"),
        ("0", "ROUTINE"),
        ("routine", "ROUTINE"),
        ("LOW", "LOW"),
        ("2", "LOW"),
        ("急诊", "STAT"),
    ],
)
def test_a_priority_is_understood_in_the_spellings_of_dicom_hl7_and_fhir(written: str, priority: str) -> None:
    """IMG-2."""
    assert priority_of(written) is Priority(priority)


@pytest.mark.parametrize("written", [None, "", "3", "soon"])
def test_a_priority_that_no_table_knows_is_unknown(written: str | None) -> None:
    """Never guessed."""
    assert priority_of(written) is None


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("突发头痛，脑出血？", ["cerebral_haemorrhage"]),
        ("?aortic dissection, chest pain", ["aortic_dissection"]),
        ("肺栓塞待排", ["pulmonary_embolism"]),
        ("右侧张力性气胸", ["tension_pneumothorax"]),
        ("急性卒中，左侧偏瘫", ["stroke"]),
        ("车祸外伤 GCS 13", ["trauma", "gcs"]),
        ("GCS评分：8", ["gcs"]),
        ("GCS 15, headache", []),
        ("FAST positive", ["fast"]),
        ("fasting glucose, fast heart rate", []),
        ("无外伤史，咳嗽", []),
        ("否认外伤", []),
        ("no trauma, cough", []),
        ("rule out stroke", ["stroke"]),
        ("strokes of paint", []),
        ("体检", []),
        ("GCS:E2V2M4", ["gcs"]),
        ("E3 VT M5", ["gcs"]),
        ("GCS：E4V5M6", []),
        ("GCS<8", ["gcs"]),
        ("A型夹层", ["aortic_dissection"]),
        ("夹层待排", ["aortic_dissection"]),
        ("aortic-dissection", ["aortic_dissection"]),
        ("aortic  dissection", ["aortic_dissection"]),
        ("意识不清2小时", ["gcs"]),
        ("急性脑梗", ["stroke"]),
        ("偏瘫失语", ["stroke"]),
        ("张力气胸", ["tension_pneumothorax"]),
        ("脑 出 血", ["cerebral_haemorrhage"]),
        ("ICH", ["cerebral_haemorrhage"]),
        ("SAH?", ["cerebral_haemorrhage"]),
        ("r/o PE", ["pulmonary_embolism"]),
        ("?PE", ["pulmonary_embolism"]),
        ("PE: normal, cough", []),
        ("FAST（+）", ["fast"]),
        ("FAST", ["fast"]),
        ("FAST negative", []),
        ("HEAD FAST", []),
        ("T2 FAST SPIN ECHO", []),
        ("T2_FAST_SE", []),
        ("否认头部外伤", []),
        ("无头部外伤史", []),
        ("否认手术、外伤史", []),
        ("no history of trauma", []),
        ("no recent head injury", []),
        ("脑出血术后3月", []),
        ("3年前脑出血", []),
        ("陈旧性脑梗", []),
        ("stroke 3 months ago", []),
        ("脑出血术后3天", ["cerebral_haemorrhage"]),
        ("脑出血术后3月，再出血？", ["cerebral_haemorrhage"]),
        ("四肢无力，外伤2小时", ["trauma"]),
        ("无力外伤", ["trauma"]),
        ("无明显诱因昏迷", ["gcs"]),
        ("否认手术史，车祸外伤史1小时", ["trauma"]),
        ("no fever, stroke?", ["stroke"]),
        ("外伤史3小时", ["trauma"]),
        ("外伤后3月5日入院", ["trauma"]),
        ("无外伤，脑出血待排", ["cerebral_haemorrhage"]),
    ],
)
def test_critical_indications_are_read_in_chinese_and_english(text: str, ids: list[str]) -> None:
    """IMG-1; a denial takes a word back, a suspicion does not."""
    assert [word.id for word in critical_in([text])] == ids


def test_the_clock_that_runs_out_first_holds() -> None:
    """A stroke that is a head injury as well: 45 minutes from the arrival come before 60 from the receipt."""
    one = study("s", modality="CT", reasons=("卒中？外伤",), arrived_at=T0 - timedelta(minutes=20))
    clock = clock_of(one)

    assert (clock.rule.id, clock.due_at, clock.arrival_unknown) == (
        "stroke",
        T0 + timedelta(minutes=25),
        False,
    )


def test_an_unknown_arrival_is_not_invented() -> None:
    """The clock runs from the receipt then, and says so."""
    clock = clock_of(study("s", modality="MR", reasons=("stroke",)))
    future = clock_of(study("s", modality="MR", reasons=("stroke",), arrived_at=T0 + timedelta(hours=2)))

    assert clock.arrival_unknown and future.arrival_unknown
    assert clock.started_at == future.started_at == T0


def test_a_head_injury_ct_is_due_within_the_hour_of_nice() -> None:
    """The row itself; the general 30 minutes of a critical indication hold before it."""
    nice = next(rule for rule in rules() if rule.id == "head_injury_ct")
    clock = clock_of(study("s", modality="CT", reasons=("颅脑外伤",)))

    assert nice.minutes == 60
    assert clock.due_at <= T0 + timedelta(minutes=60)


def test_each_clock_has_a_source_and_a_mark() -> None:
    """And none is longer than the next day."""
    assert all(rule.source and rule.mark in {"S", "K", "E"} for rule in rules())
    assert max(rule.minutes for rule in rules()) <= 1440
    assert escalate_at() == (0.5, 0.8, 1.0)


def test_the_place_is_explained_in_both_languages_with_the_banner() -> None:
    """Whoever asks why sees that a detector is not validated."""
    seen = (Detected(plugin="head_blood", version="1", status="enabled", raised=True),)
    zh, en = explain(study("s", reasons=("卒中",), detected=seen), T0)

    assert "未经验证，仅用于排序" in zh and "卒中" in zh
    assert "not validated" in en and "stroke" in en


def test_no_word_of_the_table_is_lost_on_the_way() -> None:
    """Each spelling of each indication makes a study critical."""
    for word in table().keyword:
        for said in (*word.zh, *word.en, *word.cased):
            assert is_critical(study("s", reasons=(said,))), said
