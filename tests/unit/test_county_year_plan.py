"""A simulated year as values: repeatable, ordered as care is, and with what is planted in it."""

import math
import random
from collections import Counter
from datetime import date, datetime, timedelta
from itertools import islice, pairwise
from statistics import median

import msgspec
import pytest

from greenchannel.alerts.milestones import MilestoneValue, milestones
from greenchannel.alerts.order import check_order
from greenchannel.county.year_acts import acts_of
from greenchannel.county.year_map import HUB, M_PER_DEG, Place, make_county, off_hours, person
from greenchannel.county.year_plan import STEMI, Patient, YearOptions, make_year
from greenchannel.county.year_roads import LEGS, drive
from greenchannel.county.year_table import year_table
from greenchannel.events import ClockReading

OPTIONS = YearOptions(begin=date(2026, 3, 2), months=6.0, clinics=12, scale=0.05, stemi_share=0.3)
YEAR = make_year(3, OPTIONS)
PATIENTS = list(YEAR.patients())
STEMIS = [one for one in PATIENTS if one.kind == STEMI and not one.missed]


def minutes(patient: Patient, start: str, end: str) -> float:
    return (patient.true[end] - patient.true[start]).total_seconds() / 60


def test_the_same_seed_gives_the_same_year_and_a_longer_one_begins_with_it() -> None:
    again = make_year(3, OPTIONS)
    longer = make_year(
        3, YearOptions(begin=date(2026, 3, 2), months=9.0, clinics=12, scale=0.05, stemi_share=0.3)
    )
    early = [one.number for one in PATIENTS if one.begins_at < OPTIONS.begins_at + timedelta(days=30)]

    assert list(again.patients()) == PATIENTS
    assert [acts_of(again, one) for one in PATIENTS[:30]] == [acts_of(YEAR, one) for one in PATIENTS[:30]]
    assert [one.number for one in islice(longer.patients(), len(early))] == early


def test_another_seed_gives_another_year() -> None:
    other = make_year(4, OPTIONS)

    assert next(other.patients()) != PATIENTS[0]


def test_a_larger_county_begins_with_the_smaller_one() -> None:
    small, large = make_county(3, 12), make_county(3, 113)

    assert large.clinics[:12] == small.clinics and len(large.clinics) == 113
    assert (len(large.hospitals), large.hub.site) == (2, HUB)


def test_patients_come_in_order_at_the_planned_rate() -> None:
    table = year_table()
    planned = table.patients_a_month * OPTIONS.months * OPTIONS.scale
    times = [one.begins_at for one in PATIENTS]

    assert all(a <= b for a, b in pairwise(times))
    assert OPTIONS.begins_at <= times[0] and times[-1] < OPTIONS.ends_at
    assert abs(len(PATIENTS) - planned) < 4 * planned**0.5 + 0.02 * planned
    assert abs(len(STEMIS) / len(PATIENTS) - 0.3 * (1 - table.missed_share)) < 0.05


@pytest.mark.parametrize("mode", [1, 2, 3, 4])
def test_true_times_break_no_rule_of_order(mode: int) -> None:
    """As the service checks it, warnings too."""
    some = [one for one in STEMIS if one.mode == mode]
    for patient in some:
        values = {
            name: MilestoneValue(
                milestone=name,
                time=ClockReading(at=at, clock="true", offset_s=0.0, uncertainty_s=0.0),
                source="server",
                actor="service",
                recorded_at=at,
                seq=1,
            )
            for name, at in patient.true.items()
        }
        assert check_order(values, mode, "upload") == ()
    assert some


def test_every_milestone_of_the_table_exists_and_every_role_may_enter_it() -> None:
    for step in year_table().steps:
        spec = milestones()[step.to]
        assert step.how == "service" or step.by == "first" or step.by in spec.enter, step.to
        assert all(spec.exists_in(mode) for mode in step.modes), step.to
    for patient in STEMIS[:80]:
        for act in acts_of(YEAR, patient):
            if act.what in ("press", "type", "told"):
                assert act.role in milestones()[act.name].enter, act


def test_nothing_is_done_before_there_is_a_case() -> None:
    for patient in PATIENTS[:200]:
        acts = acts_of(YEAR, patient)
        assert acts[0].what == "ecg"
        assert all(a.at <= b.at for a, b in pairwise(acts))
        assert all(act.at > acts[0].at for act in acts[1:])


def test_what_is_planted_is_there() -> None:
    """The slow clinic's first ECG comes 10 minutes later, the slow month's cath lab 14."""
    slow = YEAR.county.slow
    here = [minutes(one, "FMC", "ECG1_ACQ") for one in PATIENTS if one.place.site == slow]
    elsewhere = [minutes(one, "FMC", "ECG1_ACQ") for one in PATIENTS if one.place.site != slow]
    pci = [one for one in STEMIS if "CATH_READY" in one.true]
    in_month = [minutes(one, "CATH_CALL", "CATH_READY") for one in pci if "slow_month" in one.planted]
    others = [minutes(one, "CATH_CALL", "CATH_READY") for one in pci if "slow_month" not in one.planted]

    assert 8 < median(here) - median(elsewhere) < 12
    assert len(in_month) >= 5 and 7 < median(in_month) - median(others) < 21
    assert {one.begins_at.strftime("%Y-%m") for one in pci if "slow_month" in one.planted} <= {
        YEAR.slow_month,
        "2026-05",
        "2026-06",
    }


def test_everything_occurs() -> None:
    """Ways of recording, happenings, poor ECGs, clocks of every kind, a clinic that never gives the first contact."""
    acts = Counter(act.what for one in PATIENTS for act in acts_of(YEAR, one))
    typed = [act for one in PATIENTS for act in acts_of(YEAR, one) if act.what == "type"]
    county = make_county(3, 113)

    assert set(acts) == {
        "ecg", "ack", "open", "sign", "advice_seen", "green", "stand_down", "task", "press", "type", "told", "fact",
        "bind", "position", "feedback", "feedback_seen", "follow_up", "close",
    }  # fmt: skip
    assert any(act.role == "quality" for act in typed) and any(act.note and act.role == "ed" for act in typed)
    assert any(one.missed for one in PATIENTS) and any(one.poor for one in PATIENTS)
    assert {one.clock.kind for one in county.clinics} == {"good", "off", "dead"}
    assert {one.talks for one in county.clinics} == {True, False}
    assert sum(not one.tells_fmc for one in county.clinics) == year_table().no_fmc_clinics


def test_an_ambulance_never_flies_and_is_where_it_should_be() -> None:
    """Its positions from the hub to the clinic and back: in order, at a speed that a road allows."""
    patient = next(one for one in STEMIS if one.mode == 2)
    legs = tuple(patient.true[name] for name in LEGS)
    hub, place = YEAR.county.hub, patient.place
    found = drive(random.Random(1), hub, place, patient.true["AMB_DISPATCH"], legs)
    at_scene = [one for one in found if legs[1] <= one.at <= legs[2]]

    def off_m(lat: float, lon: float, there: Place) -> float:
        return M_PER_DEG * math.hypot(lat - there.lat, (lon - there.lon) * math.cos(math.radians(lat)))

    assert all(a.at < b.at for a, b in pairwise(found))
    for a, b in pairwise(found):
        moved_m = M_PER_DEG * math.hypot(a.lat - b.lat, (a.lon - b.lon) * math.cos(math.radians(a.lat)))
        assert moved_m < 30.0 * (b.at - a.at).total_seconds() + 60.0
    assert len(at_scene) >= 5 and all(off_m(one.lat, one.lon, place) < 60.0 for one in at_scene)
    assert off_m(found[0].lat, found[0].lon, hub) < 60.0 and off_m(found[-1].lat, found[-1].lon, hub) < 60.0


def test_people_take_turns_and_a_clinic_has_one_doctor() -> None:
    shifts = {person("reader", HUB, OPTIONS.begins_at + timedelta(hours=12 * n + 9)) for n in range(14)}

    assert len(shifts) == len(year_table().readers)
    assert person("clinic", "c001", OPTIONS.begins_at) == "doctor-c001"


def test_off_hours_know_chinese_holidays() -> None:
    noon = YearOptions(begin=date(2026, 2, 17)).begins_at + timedelta(
        hours=12
    )  # New Year's day of the lunar calendar

    assert off_hours(noon) and noon.weekday() < 5
    assert not off_hours(noon + timedelta(days=14))
    assert off_hours(noon + timedelta(days=14, hours=6))


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"months": 0.0}, "months"),
        ({"scale": 0.0}, "scale"),
        ({"stemi_share": 1.5}, "share"),
        ({"months": 200.0}, "120"),
    ],
)
def test_options_that_cannot_be_are_named(given: dict[str, float], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        YearOptions(begin=date(2026, 3, 2), **given)  # type: ignore[arg-type]


def test_nobody_closes_a_case_whose_channel_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """However late the stand-down comes: here each lasts an hour, and everything else a minute."""

    def waits(self: object, since: datetime, median_min: float, sigma: float = 0.5) -> datetime:
        return since + timedelta(minutes=60 if median_min == 9.0 else 1)

    monkeypatch.setattr("greenchannel.county.year_acts._Acts._after", waits)
    opened = 0
    for patient in PATIENTS:
        at = {act.what: act.at for act in acts_of(YEAR, patient)}
        if "stand_down" in at:
            opened += 1
            assert at["green"] < at["stand_down"] < at["close"], patient.number

    assert opened > 5


@pytest.mark.parametrize("asked_for_later", [0.0, 1.0])
def test_who_closes_without_reperfusion_has_the_outcome(
    monkeypatch: pytest.MonkeyPatch, asked_for_later: float
) -> None:
    """The outcome alone ends such a channel: it is waited for where it is entered late, else entered first."""
    forgetful = msgspec.structs.replace(
        year_table(), taps=dict.fromkeys(year_table().taps, 0.0), quality_share=asked_for_later
    )
    monkeypatch.setattr("greenchannel.county.year_acts.year_table", lambda: forgetful)
    without = [one for one in STEMIS if one.path == "none"]
    for patient in without:
        acts = acts_of(YEAR, patient)
        (closed,) = (act.at for act in acts if act.what == "close")
        assert [act for act in acts if act.name == "OUTCOME" and act.at < closed], patient.number

    assert len(without) > 5
