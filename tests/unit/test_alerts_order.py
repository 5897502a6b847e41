"""The partial order of the milestones."""

from collections.abc import Mapping

import pytest

from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.order import Problem, rules
from greenchannel.alerts.timeline import timeline
from greenchannel.events import ClockReading, MilestoneRecorded, StreamStarted
from tests.alerts_log import Log, seconds


def problems(mode: int | None, times_min: Mapping[str, float], live: bool = False) -> tuple[Problem, ...]:
    log = Log(arrival_mode=mode)
    if live:
        log.add(StreamStarted(ecg_id="e", stream_id="s", device="d", leads=("I",), rate_hz=500.0))
    for name, minute in times_min.items():
        time = ClockReading(at=seconds(60 * minute), clock="person", offset_s=12.0)
        log.add(MilestoneRecorded(milestone=name, time=time, source="quality"))
    return tuple(p for p in timeline(log.case).problems if {p.before, p.after} <= set(times_min))


@pytest.mark.parametrize(
    ("mode", "before", "after"),
    [
        (2, "ONSET", "FMC"),
        (None, "HUB_DOOR", "CATH_ARRIVE"),
        (1, "CALL", "AMB_DISPATCH"),
        (1, "AMB_SCENE", "FMC"),
        (2, "SPOKE_DOOR", "FMC"),
        (2, "SPOKE_OUT", "HUB_DOOR"),
        (3, "HUB_DOOR", "FMC"),
        (2, "CATH_ARRIVE", "ANGIO_START"),
        (2, "ECG_RECEIVED", "ALERT_SENT"),
        # Nothing between them is known.
        (2, "FMC", "WIRE"),
        (None, "CATH_ARRIVE", "WIRE"),
        (3, "HUB_DOOR", "WIRE"),
        (4, "FMC", "LYSIS_START"),
        (1, "ONSET", "WIRE"),
        (4, "ONSET", "CATH_CALL"),
        (2, "ONSET", "HUB_DOOR"),
    ],
)
def test_what_must_come_first_may_not_come_later(mode: int | None, before: str, after: str) -> None:
    """Reversed it is an error, in order or in the same minute it is not."""
    (found,) = problems(mode, {before: 10, after: 5})
    assert (found.level, found.before, found.after) == ("error", before, after)
    assert problems(mode, {before: 5, after: 10}) == ()
    assert problems(mode, {before: 5.9, after: 5.1}) == ()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("ECG_DX", "PCI_DECIDE"),
        ("PCI_DECIDE", "CATH_CALL"),
        ("CONSENT_SIGN", "PUNCT_START"),
        ("ECG_DX", "LYSIS_SCREEN"),
    ],
)
def test_where_practice_differs_it_is_a_warning(before: str, after: str) -> None:
    """A team may activate before the decision is written down."""
    (found,) = problems(2, {before: 10, after: 5})
    assert found.level == "warning"


def test_an_ecg_shortly_before_first_contact_is_a_warning() -> None:
    """Up to two minutes; beyond that it is an error."""
    assert [p.level for p in problems(2, {"FMC": 10, "ECG1_ACQ": 8})] == ["warning"]
    assert [p.level for p in problems(2, {"FMC": 10, "ECG1_ACQ": 7})] == ["error"]


@pytest.mark.parametrize("name", ["CONSULT_DONE", "DX", "CATH_CALL", "CATH_READY", "CONSENT_SIGN"])
def test_a_remote_consult_may_precede_the_door(name: str) -> None:
    """In a transfer nothing ties it to the hospital's door."""
    assert problems(2, {name: 5, "HUB_DOOR": 20}) == ()
    assert problems(2, {name: 25, "HUB_DOOR": 20}) == ()


def test_the_rules_depend_on_the_arrival_mode() -> None:
    """A transferred patient has first contact before the door, a walk-in after it."""
    assert problems(2, {"FMC": 5, "HUB_DOOR": 20}) == ()
    assert [p.level for p in problems(3, {"FMC": 5, "HUB_DOOR": 20})] == ["error"]
    assert problems(None, {"FMC": 5, "HUB_DOOR": 20}) == ()


def test_a_live_stream_may_ring_before_its_last_byte() -> None:
    """For uploads that would be an error."""
    assert problems(2, {"ALERT_SENT": 5, "ECG_RECEIVED": 10}, live=True) == ()
    assert len(problems(2, {"ALERT_SENT": 5, "ECG_RECEIVED": 10})) == 1


def test_a_walk_ins_first_ecg_is_the_hospitals_first() -> None:
    """Two different minutes for the one recording are a contradiction, either way round."""
    for a, b in ((5, 6), (6, 5)):
        (found,) = problems(3, {"ECG1_ACQ": a, "ECG_HUB_ACQ": b})
        assert "one time" in found.en


def test_unknown_times_between_do_not_hide_an_error() -> None:
    """Without puncture times the lab still comes before angiography."""
    assert len(problems(2, {"CATH_ARRIVE": 10, "ANGIO_END": 5})) == 1


def test_a_problem_names_both_times_sources_and_offsets() -> None:
    """In both languages, in the zone of the country."""
    (found,) = problems(2, {"HUB_DOOR": 10, "CATH_ARRIVE": 5})
    for text in (found.zh, found.en):
        assert (
            "16:10:00" in text
            and "16:05:00" in text
            and text.count("quality") == 2
            and text.count("+12") == 2
        )


def test_every_name_in_the_rules_is_a_milestone() -> None:
    """And no chain has fewer than two."""
    assert all(len(rule.chain) > 1 and set(rule.chain) <= set(milestones()) for rule in rules())
