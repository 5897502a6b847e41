"""The plan of a simulated county: repeatable, varied, and refused where it cannot be."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest

from greenchannel.county.machines import clock_says, make_ecg
from greenchannel.county.plan import (
    STREAM,
    WAYS,
    DeviceClock,
    PlanOptions,
    make_plan,
    reaction,
)
from greenchannel.ingest.reader import read_ecg

BEGUN = datetime(2026, 5, 1, 8, 0, tzinfo=UTC)
ZONE = timezone(timedelta(hours=8))
HEAD = 12  # bytes of a frame before its samples
LARGE = PlanOptions(clinics=20, ecgs=1000, span_s=86_400.0)


def test_the_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    """Down to the last heart."""
    assert make_plan(5, LARGE) == make_plan(5, LARGE)
    assert make_plan(5, LARGE).ecgs != make_plan(6, LARGE).ecgs


def test_a_longer_plan_holds_the_shorter_one() -> None:
    """An ECG is drawn from dice of its own."""
    short = make_plan(5, PlanOptions(clinics=20, ecgs=30, span_s=86_400.0))
    long = {ecg.number: ecg for ecg in make_plan(5, LARGE).ecgs}

    assert all(long[ecg.number] == ecg for ecg in short.ecgs)


def test_a_large_plan_holds_everything_that_a_county_has() -> None:
    """All formats and streams, both numbers of leads, all kinds of clocks, wrong cables, noise, infarctions."""
    plan = make_plan(1, LARGE)

    assert {clinic.way for clinic in plan.clinics} == set(WAYS)
    assert {clinic.leads for clinic in plan.clinics} == {12, 18}
    assert {clinic.clock.kind for clinic in plan.clinics} == {"good", "off", "dead"}
    wrong = sum(ecg.heart.cables is not None for ecg in plan.ecgs)
    injured = sum(ecg.heart.territory is not None for ecg in plan.ecgs)
    assert 40 < wrong < 80 and 280 < injured < 420
    assert len({ecg.heart.rhythm for ecg in plan.ecgs}) > 6
    assert any(ecg.heart.emg_mv for ecg in plan.ecgs) and any(ecg.heart.dead_leads for ecg in plan.ecgs)
    assert [ecg.at_s for ecg in plan.ecgs] == sorted(ecg.at_s for ecg in plan.ecgs)


def test_every_format_is_read_back_as_what_was_made() -> None:
    """The file says the leads and the patient; the samples lie within a step of the recording's."""
    plan = make_plan(3, PlanOptions(clinics=len(WAYS), ecgs=len(WAYS), duration_s=3.0))
    seen = set()
    for planned in plan.ecgs:
        ecg = make_ecg(plan, planned, BEGUN, ZONE)
        assert ecg.data == make_ecg(plan, planned, BEGUN, ZONE).data
        seen.add(ecg.clinic.way)
        if ecg.clinic.way == STREAM:
            steps = np.frombuffer(b"".join(frame[HEAD:] for frame in ecg.frames), "<i2")
            sent_mv = steps.reshape(-1, len(ecg.recording.leads)).T * ecg.clinic.lsb_mv
            assert abs(sent_mv - ecg.recording.samples_mv).max() < 1e-6
            continue
        read = read_ecg([(ecg.file_name, ecg.data)])
        assert read.recording.leads == ecg.recording.leads
        assert read.identifiers.get("patient_id") in (ecg.planned.patient_ref, None)
        error_mv = abs(read.recording.samples_mv - ecg.recording.samples_mv).max()
        assert error_mv <= ecg.clinic.lsb_mv
    assert seen == set(WAYS)


def test_the_truth_names_the_leads_of_an_infarction() -> None:
    """By the true levels against the thresholds of age and sex; none where nothing is raised."""
    plan = make_plan(1, PlanOptions(clinics=7, ecgs=120, duration_s=1.0, infarction=1.0, wrong_cables=0.0))
    inferior = [ecg for ecg in plan.ecgs if ecg.heart.territory == "inferior" and ecg.heart.stj_mv > 0.25]
    assert inferior
    for planned in inferior:
        truth = make_ecg(plan, planned, BEGUN, ZONE).truth
        assert {"II", "III", "aVF"} <= {lead for leads in truth["expected_lead_sets"] for lead in leads}
        assert truth["heart"]["territory"] == "inferior" and truth["heart"]["cables"] is None


def test_a_quiet_heart_has_no_expected_leads() -> None:
    """Whatever the noise."""
    plan = make_plan(2, PlanOptions(clinics=3, ecgs=60, duration_s=1.0, infarction=0.0, noisy=1.0))
    quiet = [ecg for ecg in plan.ecgs if ecg.heart.territory is None and ecg.heart.conduction == "narrow"]
    beating = [ecg for ecg in quiet if ecg.heart.rhythm == "sinus"]
    assert beating
    assert all(make_ecg(plan, ecg, BEGUN, ZONE).truth["expected_lead_sets"] == [] for ecg in beating)


def test_a_clock_is_off_and_drifts_and_a_dead_one_begins_in_2000() -> None:
    """Machine minus truth."""
    clock = DeviceClock(kind="off", offset_s=90.0, drift_ppm=50.0)
    later = BEGUN + timedelta(hours=10)

    assert clock.error_s(36_000.0) == pytest.approx(91.8)
    assert clock_says(clock, later, 36_000.0) - later == timedelta(seconds=91.8)
    dead = DeviceClock(kind="dead", offset_s=0.0, drift_ppm=0.0)
    assert clock_says(dead, later, 36_000.0) == datetime(2000, 1, 1, 10, 0, tzinfo=UTC)


def test_doctors_answer_at_once_or_late_or_never() -> None:
    """The n-th alert has the same reaction in every run."""
    reactions = [reaction(9, number) for number in range(1000)]

    kinds = Counter(one.kind for one in reactions)
    assert reactions == [reaction(9, number) for number in range(1000)]
    assert 540 < kinds["prompt"] < 660 and 240 < kinds["late"] < 360 and 60 < kinds["never"] < 140
    assert all((one.after_s is None) == (one.kind == "never") for one in reactions)
    assert min(one.after_s or math.inf for one in reactions if one.kind == "late") >= 300


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"clinics": 0}, "1 clinic"),
        ({"span_s": 0.0}, "span"),
        ({"ways": ("dicom", "fax")}, "got fax"),
        ({"ways": ()}, "got none"),
        ({"noisy": 1.5}, "noisy"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, object], said: str) -> None:
    """The message says what was expected and what came."""
    with pytest.raises(ValueError, match=said):
        PlanOptions(**wrong)  # type: ignore[arg-type]
