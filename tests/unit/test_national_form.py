"""The national forms, filled from records."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from greenchannel.alerts.facts import facts
from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.quality.form_checks import check, gaps
from greenchannel.alerts.quality.national_form import (
    FieldSpec,
    by_pci,
    choices,
    fields,
    filled_share,
    form_of,
    forms,
    owners,
    part_codes,
    sections,
    ways_of,
)
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.told_day import day_zones
from tests.form_records import DAY, TYPED, time, told, transfer

ALL_FIELDS = [field for form in forms() for field in fields(form)]


# ---------------------------------------------------------------- the table


def test_the_form_asks_for_exactly_the_times_that_the_milestone_table_marks_as_required() -> None:
    """One star, one place: what the timeline shows as required is what the form asks for."""
    asked = [field.milestone for field in fields("cpc_stemi") if field.required and field.milestone]

    assert sorted(asked) == sorted(row.id for row in milestones().values() if row.required)


@pytest.mark.parametrize("field", ALL_FIELDS, ids=lambda one: f"{one.form}-{one.id}")
def test_every_field_names_things_that_exist(field: FieldSpec) -> None:
    """Its milestone, fact, section, owners and codes are in their tables."""
    kind, _, name = field.value.partition(":")

    assert field.section in sections()
    assert {field.owner, *field.owner_by_mode.values()} <= owners().keys()
    assert kind != "fact" or name in facts()
    assert kind not in ("time", "part", "code") or name in milestones()
    assert kind != "minutes" or set(name.split(":")) <= milestones().keys()
    assert field.stands_in is None or field.stands_in in milestones()
    assert field.not_fact is None or field.not_fact in facts()
    assert (field.kind in ("code", "yes_no")) == bool(choices(field.value)) or field.value == "outside"
    assert field.mark in ("S", "O", "D", "E")


def test_no_form_has_a_field_twice() -> None:
    """A field is found by its id."""
    for form in forms():
        ids = [field.id for field in fields(form)]
        assert sorted(set(ids)) == sorted(ids)


def test_each_part_of_a_day_has_a_number() -> None:
    """The form writes the seven parts of a day as 1 to 7."""
    assert list(part_codes()) == list(day_zones())
    assert list(part_codes().values()) == [str(number) for number in range(1, 8)]


# ---------------------------------------------------------------- filling


def test_a_transfer_is_filled_from_its_times() -> None:
    """Known times stand with their source; computed minutes are computed."""
    form = form_of(transfer())

    wire = form.cell("wire_at")
    assert (wire.state, wire.value, wire.source) == ("known", DAY + timedelta(minutes=92), "cathlab")
    assert form.cell("door_to_wire_min").value == 26
    assert form.cell("fmc_to_wire_min").value == 92
    assert form.cell("ecg_before_arrival").value == "yes"
    assert form.cell("call_at").state == "not_asked"
    assert form.cell("ecg_hub_at").state == "not_asked", "the emergency department was bypassed"
    assert form.cell("lysis_started_at").state == "not_asked"


def test_d2b_of_the_single_disease_form_begins_at_the_diagnosis() -> None:
    """The same letters mean another interval there."""
    record = transfer()

    assert form_of(record, "single_disease").cell("d2b_min").value == 83
    assert form_of(record).cell("door_to_wire_min").value == 26


def test_a_consult_by_the_alert_says_that_it_stands_in() -> None:
    """The alert called the cardiologist; the form says so, and a time of its own outranks it."""
    cell = form_of(transfer()).cell("consult_called_at")
    assert (cell.stands_in, cell.source, cell.entered) == ("ALERT_SENT", "server", False)

    record = transfer()
    record.times["CONSULT_CALLED"] = time(DAY, "ed", entered=True)
    assert form_of(record).cell("consult_called_at").stands_in is None


def test_a_part_of_a_day_is_a_number_and_no_hour() -> None:
    """An onset "on the 4th, between 6 and 8" is no time of 7:00."""
    record = transfer()
    record.times["ONSET"] = told(DAY.replace(hour=0), 6, 8, "2026-05-04 6-8")
    form = form_of(record)

    assert (form.cell("onset_at").value, form.cell("onset_at").told) == (None, "2026-05-04 6-8")
    assert form.cell("onset_at").state == "known"
    assert form.cell("onset_part").value == "2"


def test_no_number_is_computed_from_a_day() -> None:
    """Minutes from a time that was told as a day are unknown."""
    record = transfer()
    record.times["HUB_DOOR"] = told(DAY.replace(hour=0), 0, 24, "2026-05-04")

    assert form_of(record).cell("door_to_wire_min").value is None


def test_what_hangs_on_something_nobody_said_is_open() -> None:
    """Without a diagnosis nobody can tell whether the wire is asked for; it is no gap yet."""
    record = transfer(without=("DX", "WIRE", "PROC_END", "CATH_ARRIVE", "PCI_DECIDE"))
    form = form_of(record)

    assert form.cell("wire_at").state == "open"
    assert form.cell("diagnosis").state == "missing"


def test_a_diagnosis_that_is_not_clear_yet_decides_nothing() -> None:
    """It was said that nobody knows."""
    assert form_of(transfer(diagnosis="unclear")).cell("killip").asked is None
    assert form_of(transfer(diagnosis="other")).cell("killip").asked is False


WAYS: list[tuple[dict[str, Any], frozenset[str] | None]] = [
    ({}, frozenset({"pci"})),
    ({"times": {}}, None),
    ({"times": {"LYSIS_START": time(DAY)}}, frozenset({"lysis"})),
    ({"times": {}, "facts": {"NOT_REPERFUSED": "window"}}, frozenset({"none"})),
    ({"facts": {"REPERFUSION": "late_pci"}}, frozenset({"other"})),
    ({"facts": {"REPERFUSION": "lysis_pci"}}, frozenset({"pci", "lysis"})),
]


@pytest.mark.parametrize(("more", "ways"), WAYS)
def test_the_way_is_what_was_said_else_what_was_done(
    more: dict[str, Any], ways: frozenset[str] | None
) -> None:
    """What stands of REPERFUSION decides; without it the times do; without both it is unknown."""
    assert ways_of(transfer(**more)) == ways


def test_a_wire_after_fibrinolysis_is_no_way_of_which_minutes_are_lost() -> None:
    """It waits for hours on purpose: neither delays nor charts count it beside primary PCI."""
    primary, after = transfer(), transfer(facts={"REPERFUSION": "lysis_pci"})
    other = transfer(diagnosis="NSTEMI")
    assert by_pci([primary, after, other]) == (primary,)


@pytest.mark.parametrize("form", ["cpc_stemi", "single_disease"])
def test_a_wire_after_fibrinolysis_is_no_primary_pci_on_the_form(form: str) -> None:
    """Said so, or shown by the times; alone, each is what it is."""
    said = transfer(facts={"REPERFUSION": "lysis_pci"})
    shown = transfer()
    shown.times["LYSIS_START"] = time(DAY)
    for record in (said, shown):
        assert form_of(record, form).cell("reperfusion").value == "lysis_pci"
    assert form_of(transfer(), form).cell("reperfusion").value == "pci"
    assert choices("way")["lysis_pci"] == ("溶栓后PCI（补救或常规）", "PCI after fibrinolysis")


def test_a_corrected_time_is_marked() -> None:
    """The form shows the standing value and that there was another; the case keeps both."""
    record = transfer()
    record.times["WIRE"] = time(DAY + timedelta(minutes=93), "quality", entered=True, corrected=True)

    assert form_of(record).cell("wire_at").corrected


# ---------------------------------------------------------------- how much of it fills itself


def test_the_share_counts_what_nobody_typed() -> None:
    """Of twenty-six required times five are missing and three were typed; the others came by themselves or a press."""
    share = filled_share(transfer())

    assert (share.required, share.filled, share.without_typing) == (26, 21, 18)
    assert share.missing == (
        "hub_doctor_at",
        "troponin_drawn_at",
        "troponin_result_at",
        "anticoagulant_at",
        "outcome_at",
    )
    assert share.share == pytest.approx(18 / 26)
    assert share.undecided == ()


def test_what_was_typed_is_filled_but_not_without_typing() -> None:
    """Quality staff typed the door, and somebody corrected the wire: both are there, neither came by itself."""
    record = transfer()
    record.times["HUB_DOOR"] = time(DAY + timedelta(minutes=66), "quality", entered=True, typed=True)
    record.times["WIRE"] = time(
        DAY + timedelta(minutes=92), "cathlab", entered=True, corrected=True, typed=True
    )
    share = filled_share(record)

    assert (share.filled, share.without_typing) == (21, 16)


def test_an_empty_case_fills_nothing() -> None:
    """What is asked of every case is required of it, too."""
    share = filled_share(CaseRecord(case_id="c", site="s", opened_at=DAY, state="open"), "single_disease")

    assert share.required > 0
    assert share.filled == 0
    assert share.share == 0.0


# ---------------------------------------------------------------- checks


def test_a_missing_answer_names_who_owes_it() -> None:
    """Each gap is somebody's."""
    found = {problem.fields[0]: problem for problem in check(transfer()) if problem.code == "missing"}

    assert found["troponin_drawn_at"].owner == "ed"
    assert found["outcome"].owner == "ccu"
    assert "肌钙蛋白抽血完成时间" in found["troponin_drawn_at"].zh


def test_a_time_that_comes_too_early_names_both_with_their_clocks() -> None:
    """The wire before the door cannot be; the text says both times, their sources and how well they are known."""
    record = transfer()
    record.times["WIRE"] = time(DAY + timedelta(minutes=60), "cathlab", entered=True, uncertainty_s=None)
    found = [one for one in check(record) if one.code == "order" and "hub_door_at" in one.fields]

    assert [one.fields for one in found] == [("hub_door_at", "wire_at")]
    assert "05-04 17:06:00（gps，±1秒）" in found[0].zh
    assert "clock never compared" in found[0].en


def test_times_a_day_apart_are_asked_about() -> None:
    """Four days from the door to the wire are a slip of the pen more often than care."""
    record = transfer()
    record.times["WIRE"] = time(DAY + timedelta(days=4), "cathlab", entered=True)
    record.times["PROC_END"] = time(DAY + timedelta(days=4, hours=1), "cathlab", entered=True)

    assert ("hub_door_at", "wire_at") in [one.fields for one in check(record) if one.code == "apart"]


def test_an_impossible_age_is_refused() -> None:
    """Expected and got are both in the text."""
    (problem,) = [one for one in check(transfer(age_years=161.0)) if one.code == "range"]

    assert problem.en == "expected age, years from 0 to 120, got 161"


def test_no_reperfusion_and_a_wire_contradict_each_other() -> None:
    """What was said and what was done must agree before the platform gets either."""
    record = transfer(facts={"REPERFUSION": "none"})

    assert [one.level for one in check(record) if one.code == "contradiction"] == ["error"]


def test_a_complete_form_has_no_problem() -> None:
    """Nothing is found where nothing is wrong."""
    record = transfer()
    record.facts["DIAGNOSIS"] = "STEMI"
    for name in TYPED:
        record.times[name] = msgspec.structs.replace(record.times[name], typed=False)
    for name, minute in (("HUB_DOCTOR", 67), ("TROP_DRAW", 69), ("TROP_RESULT", 84), ("ANTICOAG", 14)):
        record.times[name] = time(DAY + timedelta(minutes=minute), "ed", entered=True)
    record.times["OUTCOME"] = time(DAY + timedelta(days=6), "ccu", entered=True, code="discharged")

    assert check(record) == ()
    assert filled_share(record).share == 1.0


def test_gaps_are_listed_by_owner_oldest_case_first() -> None:
    """Every owner has a list, an empty one too."""
    later, earlier = transfer("c-2", fmc=DAY + timedelta(days=1)), transfer("c-1")
    found = gaps([later, earlier])

    assert list(found) == list(owners())
    assert [(gap.case_id, gap.field) for gap in found["ccu"]] == [
        ("c-1", "discharge_diagnosis"),
        ("c-1", "outcome"),
        ("c-1", "outcome_at"),
        ("c-2", "discharge_diagnosis"),
        ("c-2", "outcome"),
        ("c-2", "outcome_at"),
    ]
    assert found["cathlab"] == []
