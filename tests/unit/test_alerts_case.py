"""The case folded from its events."""

from itertools import permutations

import pytest

from greenchannel.alerts.case import fold, fold_all
from greenchannel.events import (
    AlertAcknowledged,
    AlertOpened,
    AnyEvent,
    CaseClosed,
    ContextEntered,
    EcgOpened,
    PlanStep,
    ProvisionalReading,
    ReadingSigned,
    StreamStarted,
)
from tests.alerts_log import CASE, Log, read, received, seconds


def provisional(tier: str, until_sample: int, ecg_id: str = "e_1") -> ProvisionalReading:
    return ProvisionalReading(ecg_id=ecg_id, tier=tier, findings=[{"id": tier}], until_sample=until_sample)


def test_a_case_begins_with_its_opening() -> None:
    """Any other first event is refused."""
    log = Log()
    log.ecg()
    with pytest.raises(ValueError, match="expected case_opened"):
        fold(None, log.envelopes[1])
    with pytest.raises(ValueError, match="got none"):
        fold_all([])


def test_the_tier_is_the_highest_of_all_ecgs() -> None:
    """A later ECG without a finding does not lower the case."""
    log = Log()
    log.ecg("e_1")
    log.add(read("e_1", "ACT"))
    log.ecg("e_2")
    case = log.add(read("e_2", "NONE"))
    assert case.tier == "ACT"
    assert case.worst_ecg is not None and case.worst_ecg.ecg_id == "e_1"


def test_a_provisional_tier_counts_until_the_final_one() -> None:
    """Among provisional readings the one that saw most of the stream stands."""
    log = Log()
    log.add(StreamStarted(ecg_id="e_1", stream_id="s", device="d", leads=("I",), rate_hz=500.0))
    case = log.add(provisional("ACT", 5000), provisional("NONE", 2500))
    ecg = case.ecg("e_1")
    assert case.tier == "ACT" and ecg is not None and ecg.live and ecg.provisional
    log.add(received("e_1", way="stream"))
    case = log.add(read("e_1", "URG"), provisional("CRIT", 9000))
    ecg = case.ecg("e_1")
    assert case.tier == "URG" and ecg is not None and not ecg.live and not ecg.provisional


def test_what_the_machine_rang_for_stays_until_a_person_has_settled_it() -> None:
    """A milder final reading lowers the case only after somebody has signed, not by an acknowledgement."""
    log = Log()
    log.add(StreamStarted(ecg_id="e_1", stream_id="s", device="d", leads=("I",), rate_hz=500.0))
    step = PlanStep(after_s=0.0, role="first", people=("chen",), channels=("live",))
    opened = AlertOpened(alert_id="a_1", tier="ACT", ecg_id="e_1", rules=("STE-1",), plan=(step,))
    log.add(provisional("ACT", 2500), opened)
    log.add(received("e_1", way="stream"))
    assert log.add(read("e_1", "NONE")).tier == "ACT"
    assert log.add(AlertAcknowledged(alert_id="a_1", person="chen")).tier == "ACT"
    assert log.add(ReadingSigned(ecg_id="e_1", text="…", tier="NONE"), actor="user:chen").tier == "NONE"


def test_a_signed_reading_never_hides_the_machines_tier() -> None:
    """The doctor's tier stands beside it; the newest signed reading is the valid one."""
    log = Log()
    log.ecg()
    log.add(read("e_1", "ACT"))
    log.add(ReadingSigned(ecg_id="e_1", text="早期复极", tier="FLAG"), actor="user:anna", at_s=60)
    case = log.add(ReadingSigned(ecg_id="e_1", text="心包炎", tier="URG"), actor="user:bo", at_s=90)
    ecg = case.ecg("e_1")
    assert case.tier == "ACT" and case.diagnosed_at == seconds(60)
    assert ecg is not None and ecg.reading is not None
    assert (ecg.reading.tier, ecg.reading.person, len(ecg.readings)) == ("URG", "bo", 2)


def test_the_order_of_an_ecgs_events_does_not_matter() -> None:
    """Whatever comes first, the ECG ends with the same leads, tier, reading and opening."""
    events: list[AnyEvent] = [
        StreamStarted(ecg_id="e_1", stream_id="s", device="d", leads=("I",), rate_hz=250.0),
        received("e_1", way="stream"),
        provisional("URG", 10),
        read("e_1", "ACT"),
        EcgOpened(ecg_id="e_1"),
    ]
    ends = {
        (ecg.tier, ecg.leads, ecg.rate_hz, ecg.way, ecg.stream_id, ecg.live, ecg.state)
        for order in permutations(events)
        if (ecg := Log().add(*order).ecg("e_1")) is not None
    }
    assert ends == {("ACT", ("I", "II"), 500.0, "stream", "s", False, "opened")}


def test_context_grows_and_never_forgets() -> None:
    """None changes nothing; the arrival mode may come later."""
    log = Log(arrival_mode=None)
    log.add(ContextEntered(age_years=61, chest_pain=True))
    case = log.add(ContextEntered(sex="male", arrival_mode=2))
    assert (case.context.age_years, case.context.sex, case.context.chest_pain) == (61, "male", True)
    assert case.arrival_mode == 2


def test_a_closed_case_keeps_its_reason_and_history() -> None:
    """Every event of the case is in its history."""
    log = Log()
    case = log.add(CaseClosed(reason="出院"), at_s=9)
    assert (case.state, case.close_reason, case.closed_at) == ("closed", "出院", seconds(9))
    assert [envelope.seq for envelope in case.history] == [1, 2] and case.case_id == CASE
