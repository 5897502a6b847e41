"""Facts of a case: what was said last stands, what was said first is kept, nobody's silence is an answer."""

import pytest

from greenchannel.alerts import facts
from greenchannel.alerts.episode_commands import merge
from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.tables import read_table
from greenchannel.alerts.timeline import timeline
from greenchannel.events import ClockReading, MilestoneRecorded
from tests.alerts_log import Log, seconds


def say(log: Log, fact: str, code: str, note: str | None = None, by: str = "chen") -> None:
    """One statement, as the command decides it."""
    events = facts.record_fact(log.case.facts, fact=fact, code=code, source="cardiologist", note=note)
    log.add(*events, actor=f"user:{by}")


def test_nobody_spoke_and_it_is_unknown() -> None:
    """Every fact stands in the timeline, without a code."""
    entries = timeline(Log().case).facts
    assert [entry.spec.id for entry in entries] == list(facts.facts())
    assert all(entry.valid is None and entry.values == () for entry in entries)


def test_a_correction_needs_a_note_and_keeps_what_was_said() -> None:
    """The same again writes nothing; another code without a note is refused."""
    log = Log()
    say(log, "KILLIP", "I")
    before = len(log.envelopes)
    say(log, "KILLIP", "I", by="lin")
    assert len(log.envelopes) == before
    with pytest.raises(Refused) as refused:
        say(log, "KILLIP", "III")
    assert refused.value.code == "note_required"
    say(log, "KILLIP", "III", "lung sounds heard later")
    (entry,) = (one for one in timeline(log.case).facts if one.spec.id == "KILLIP")
    assert entry.valid is not None and entry.valid.code == "III" and entry.valid.correction
    assert [(value.code, value.actor) for value in entry.values] == [("I", "user:chen"), ("III", "user:chen")]


@pytest.mark.parametrize(
    ("fact", "code", "expected"), [("KILLIP", "5", "unknown_code"), ("FEVER", "yes", "no_such_fact")]
)
def test_what_the_table_does_not_know_is_refused(fact: str, code: str, expected: str) -> None:
    """With what may be said instead."""
    with pytest.raises(Refused) as refused:
        facts.record_fact((), fact=fact, code=code, source="ed")
    assert refused.value.code == expected


def test_an_arrival_in_a_bypassed_department_is_named_in_the_timeline() -> None:
    """Only once somebody said that it was bypassed."""
    log = Log()
    for minute, name in ((25, "HUB_DOOR"), (26, "ED_ARRIVE"), (30, "CATH_ARRIVE")):
        log.now_s = 60.0 * minute
        time = ClockReading(at=seconds(60 * minute), clock="server", offset_s=0.0)
        log.add(MilestoneRecorded(milestone=name, time=time, source="ed"))
    assert timeline(log.case).problems == ()
    say(log, "BYPASS_ED", "yes")
    (problem,) = timeline(log.case).problems
    assert (problem.level, problem.before, problem.after) == ("error", "ED_ARRIVE", "CATH_ARRIVE")
    assert "绕行急诊" in problem.zh and "16:26:00" in problem.zh and "offset +0 s" in problem.en


def test_a_merge_brings_what_the_other_case_does_not_know() -> None:
    """With who said it when; what is known there stays."""
    log, other = Log(), Log(case_id="c_2")
    say(log, "KILLIP", "II", by="lin")
    say(log, "BYPASS_ED", "yes")
    say(other, "BYPASS_ED", "no")
    _, carried = merge(log.case, other.case)
    other.add(*carried, actor="user:zhao")
    stands = facts.standing(other.case.facts)
    assert {name: value.code for name, value in stands.items()} == {"KILLIP": "II", "BYPASS_ED": "no"}
    assert stands["KILLIP"].actor == "user:lin"
    assert stands["KILLIP"].recorded_at == facts.standing(log.case.facts)["KILLIP"].recorded_at


def test_every_fact_can_be_said_and_every_code_belongs_to_a_fact() -> None:
    """One of two codes at least, each with a text in both languages."""
    for name, spec in facts.facts().items():
        codes = facts.fact_codes(name)
        assert len(codes) >= 2, name
        assert all(code.fact == name and code.zh and code.en for code in codes.values()), name
        assert "quality" in spec.enter, name
    listed = {row.fact for row in read_table("facts", "code", facts.FactCode)}
    assert listed == {name for name, spec in facts.facts().items() if not spec.yes_no}


def test_several_reasons_of_a_delay_hold_at_once() -> None:
    """Each is a fact of its own, so the second does not take the place of the first."""
    log = Log()
    for name in ("DELAY_CONSENT", "DELAY_LAB"):
        say(log, name, "yes")
    stands = facts.standing(log.case.facts)
    said = [spec.id for spec in facts.facts_of("delay") if spec.id in stands]
    assert said == ["DELAY_CONSENT", "DELAY_LAB"]
