"""Where a case stands, what counts as answered, and what a board shows."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from greenchannel.events import (
    AlertAcknowledged,
    AlertOpened,
    AlertRaised,
    CaseClosed,
    CaseOpened,
    ClockReading,
    MilestoneRecorded,
    ProvisionalReading,
    ReadingSigned,
    StreamStarted,
)
from greenchannel.viewer.places import (
    BOARD_KEEPS,
    UNREAD_OUTCOME_KEEPS,
    changes_at,
    is_answered,
    on_board,
    order_of,
)
from greenchannel.viewer.wire import case_row
from tests.viewer_book import START, Book, names

MINUTE = timedelta(minutes=1)


def rang(alert_id: str, ecg_id: str, tier: str = "ACT") -> AlertOpened:
    return AlertOpened(alert_id=alert_id, tier=tier, ecg_id=ecg_id, rules=("STE-1",), plan=())


def signed(ecg_id: str, tier: str = "ACT") -> ReadingSigned:
    return ReadingSigned(ecg_id=ecg_id, text="读过", tier=tier, advice=None)


def at_once(milestone: str, at: datetime) -> MilestoneRecorded:
    return MilestoneRecorded(milestone=milestone, time=ClockReading(at=at, clock="server"), source="server")


def test_an_unread_ecg_stands_among_the_urgent_ones() -> None:
    """It may be an infarction; the row says what it waits for, and its clock runs."""
    book = Book()
    book.add("c_new", CaseOpened(case_id="c_new", site="s", patient="p"))
    unread = book.receive("c_new", "e_new")
    quiet, flagged, urgent = (book.open(f"c_{tier}", tier) for tier in ("NONE", "FLAG", "URG"))

    assert order_of(unread, START) < order_of(flagged, START) < order_of(quiet, START)
    assert order_of(unread, START)[:2] == order_of(urgent, START)[:2]
    assert order_of(unread, START + 11 * MINUTE) < order_of(unread, START)
    row = case_row(unread, names(), START)
    assert row["tier"] is None
    assert row["order_zh"].startswith("等待自动分析,未应答")
    assert row["order_en"].startswith("waiting for the automatic analysis, not answered")


def test_an_unread_ecg_beside_a_milder_one_is_not_hidden_by_it() -> None:
    """The second ECG of an old quiet case moves it up at once, and its own wait counts from when it came."""
    book = Book()
    book.open("c_1", "NONE")
    hours_later = START + timedelta(hours=5)
    case = book.receive("c_1", "e_2", hours_later)
    row = case_row(case, names(), hours_later)

    assert order_of(case, hours_later)[:3] == (0, 2, 0)
    assert row["headline_zh"] == "等待自动分析（另一份心电图：没有规则触发）"
    assert changes_at(case) == hours_later + 10 * MINUTE
    read = book.read("c_1", "e_2", "NONE", hours_later)
    assert case_row(read, names(), hours_later)["headline_zh"] == "没有规则触发"


def test_what_a_person_has_read_waits_for_no_machine() -> None:
    """A signature stands for a reading; a case without any ECG is not called unread."""
    book = Book()
    empty = book.add("c_1", CaseOpened(case_id="c_1", site="s", patient="p"))[1]
    assert order_of(empty, START)[1] == 5 and case_row(empty, names(), START)["headline_en"] == "no ECG yet"
    book.receive("c_1", "e_1")
    assert order_of(book.add("c_1", signed("e_1"))[1], START)[1] == 5


def test_an_old_signature_answers_no_later_ecg_and_no_open_alert() -> None:
    """Each ECG that gives the tier wants its own look."""
    book = Book()
    book.open("c_1", "ACT")
    book.add("c_1", rang("a_1", "e_c_1"))
    answered = book.add("c_1", AlertAcknowledged(alert_id="a_1", person="chen"), START + MINUTE)[1]
    assert is_answered(answered)
    assert is_answered(book.add("c_1", signed("e_c_1"), START + 2 * MINUTE)[1])

    book.receive("c_1", "e_2", START + 5 * MINUTE)
    newer = book.read("c_1", "e_2", "ACT", START + 6 * MINUTE)
    assert not is_answered(newer)
    joined = book.add(
        "c_1", AlertRaised(alert_id="a_1", tier="ACT", ecg_id="e_2", rules=()), START + 6 * MINUTE
    )
    assert not is_answered(joined[1])  # who answered before it came has not seen it
    called = book.add("c_1", rang("a_2", "e_2"), START + 7 * MINUTE)[1]
    assert not is_answered(called) and not case_row(called, names(), START)["order"][2]
    assert not is_answered(book.add("c_1", signed("e_2"), START + 8 * MINUTE)[1])  # it still rings
    assert is_answered(
        book.add("c_1", AlertAcknowledged(alert_id="a_2", person="chen"), START + 9 * MINUTE)[1]
    )


def test_who_answered_a_provisional_reading_has_answered_the_stream() -> None:
    """The final reading of the same ECG asks again only where it is more urgent."""
    book = Book()
    book.add("c_1", CaseOpened(case_id="c_1", site="s", patient="p"))
    book.add("c_1", StreamStarted(
        stream_id="s_1", ecg_id="e_1", device="d", leads=("II", "V2", "V3"), rate_hz=500.0,
        started=None,
    ))  # fmt: skip
    book.add("c_1", ProvisionalReading(ecg_id="e_1", tier="URG", findings=[], until_sample=5000))
    book.add("c_1", rang("a_1", "e_1", "URG"))
    book.add("c_1", AlertAcknowledged(alert_id="a_1", person="chen"), START + MINUTE)
    book.receive("c_1", "e_1", START + 2 * MINUTE)
    assert is_answered(book.read("c_1", "e_1", "URG", START + 2 * MINUTE))

    book.receive("c_1", "e_2", START + 3 * MINUTE)
    assert not is_answered(book.read("c_1", "e_2", "ACT", START + 3 * MINUTE))


def test_a_case_that_rings_stays_among_the_open_ones_whatever_its_state() -> None:
    """Closed while an alert is open: it stands where it stood, and its clock runs on."""
    book = Book()
    book.open("c_1", "URG")
    book.open("c_2", "ACT")
    open_case = book.add("c_1", rang("a_1", "e_c_1", "URG"))[1]
    ringing = book.add("c_1", CaseClosed(reason="by mistake"))[1]
    over = book.add("c_2", CaseClosed(reason="over"))[1]

    assert ringing.case_id == "c_1" and order_of(ringing, START) == order_of(open_case, START)
    assert order_of(ringing, START) < order_of(over, START)
    assert order_of(ringing, START + 11 * MINUTE) < order_of(ringing, START)
    assert on_board(ringing, START + 10 * BOARD_KEEPS)


def test_a_case_that_is_over_stands_still_and_leaves_the_board_after_a_day() -> None:
    """Its place does not depend on the hour; one more event brings it back for another day."""
    book = Book()
    book.open("c_1", "NONE")
    over = book.add("c_1", CaseClosed(reason="over"))[1]
    gone_at = START + BOARD_KEEPS

    assert order_of(over, START) == order_of(over, START + timedelta(days=30))
    assert changes_at(over) == gone_at
    assert on_board(over, gone_at - MINUTE) and not on_board(over, gone_at)
    again = book.add("c_1", signed("e_c_1", "NONE"), START + timedelta(days=3))[1]
    assert on_board(again, START + timedelta(days=3, hours=23))


def test_an_outcome_that_the_clinic_has_not_read_keeps_its_case_a_month() -> None:
    """A clinic that was shut for a week finds it; once read, it leaves a day later."""
    book = Book()
    book.open("c_1", "ACT")
    book.add("c_1", CaseClosed(reason="over"))
    sent_at, read_at = START + timedelta(days=2), START + timedelta(days=9)
    sent = book.add("c_1", at_once("FEEDBACK_SENT", sent_at), sent_at)[1]
    read = book.add("c_1", at_once("FEEDBACK_SEEN", read_at), read_at)[1]

    assert on_board(sent, sent_at + timedelta(days=29)) and not on_board(sent, sent_at + UNREAD_OUTCOME_KEEPS)
    assert changes_at(sent) == sent_at + UNREAD_OUTCOME_KEEPS
    assert changes_at(read) == read_at + BOARD_KEEPS and not on_board(read, read_at + BOARD_KEEPS)


@given(
    tier=st.sampled_from(["ACT", "CRIT", "URG", "FLAG", "REC", "NONE", None]),
    closed=st.booleans(),
    ringing=st.booleans(),
    minutes=st.lists(st.integers(0, 3 * 24 * 60), min_size=2, max_size=2),
)
def test_time_alone_changes_a_place_only_at_the_instant_that_is_told(
    tier: str | None, closed: bool, ringing: bool, minutes: list[int]
) -> None:
    """So a heap of these instants replaces looking at every case."""
    book = Book()
    if tier is None:
        book.add("c", CaseOpened(case_id="c", site="s", patient="p"))
        book.receive("c", "e_c")
    else:
        book.open("c", tier)
    if ringing:
        book.add("c", rang("a", "e_c", tier or "URG"))
    if closed:
        book.add("c", CaseClosed(reason="over"))
    case = book.cases["c"]
    earlier, later = (START + minute * MINUTE for minute in sorted(minutes))
    told = changes_at(case)

    if told is None or not earlier < told <= later:
        assert order_of(case, earlier) == order_of(case, later)
        assert on_board(case, earlier) == on_board(case, later)
    else:
        assert order_of(case, earlier) != order_of(case, later) or not on_board(case, later)


def test_an_urgent_row_says_when_it_will_ring_until_somebody_has_read_it() -> None:
    """Ten minutes after its arrival by the standard table; nothing where it pages at once, is mild, or was read."""
    book = Book()
    rows = {
        tier: case_row(book.open(f"c_{tier}", tier), names(), START)
        for tier in ("ACT", "URG", "FLAG", "NONE")
    }

    assert rows["URG"]["rings_at"] == "2026-05-01T16:15:00.000Z"
    assert [rows[tier]["rings_at"] for tier in ("ACT", "FLAG", "NONE")] == [None, None, None]
    read = book.add("c_URG", signed("e_c_URG", "URG"))[1]
    assert case_row(read, names(), START)["rings_at"] is None
