"""The closed loop in numbers: each has its cases, and what nobody has said is in no share."""

from datetime import UTC, datetime, timedelta

import pytest

from greenchannel.alerts.quality.closed_loop_counts import closed_loop, share_of
from greenchannel.alerts.quality.record import CaseRecord, RecordAlert, RecordEcg, RecordTime

T0 = datetime(2025, 11, 3, 8, 5, tzinfo=UTC)


def after(minute: float) -> datetime:
    return T0 + timedelta(minutes=minute)


def time(minute: float) -> RecordTime:
    at = after(minute)
    return RecordTime(at=at, earliest=at, latest=at, uncertainty_s=0.0, source="clinic")


def case(
    name: str,
    *,
    site: str = "clinic-1",
    ecgs: tuple[RecordEcg, ...] = (),
    alerts: tuple[RecordAlert, ...] = (),
    mode: int | None = 2,
    **minutes: float,
) -> CaseRecord:
    """One case with these milestones."""
    return CaseRecord(
        case_id=name,
        site=site,
        opened_at=T0,
        state="closed",
        arrival_mode=mode,
        ecgs=ecgs,
        alerts=alerts,
        times={milestone: time(minute) for milestone, minute in minutes.items()},
    )


def alert(end: str, *rules: str, later: bool | None = None, answered: float | None = 1.0) -> RecordAlert:
    return RecordAlert(
        alert_id=f"a_{end}",
        tier="ACT",
        rules=rules,
        opened_at=T0,
        acknowledged_at=None if answered is None else after(answered),
        end=end,
        occlusion_later=later,
    )


def ecg(name: str, **more: object) -> RecordEcg:
    return RecordEcg(ecg_id=name, **{"way": "upload", **more})  # type: ignore[arg-type]


def test_an_occlusion_among_the_cancelled_is_found_and_named() -> None:
    """It was a right alert, and it is the one number of this page that nobody may miss."""
    found = closed_loop(
        [
            case("c1", alerts=(alert("confirmed", "STE-1"),)),
            case("c2", alerts=(alert("cancelled", "STE-1", later=True),)),
            case("c3", alerts=(alert("cancelled", "STE-1", later=False),)),
            case("c4", alerts=(alert("cancelled", "HYP-T"),)),
            case("c5", alerts=(alert("open", "STE-1", "HYP-T", answered=None),)),
        ]
    )
    every = found.alerts

    assert (every.sent, every.confirmed, every.cancelled, every.open) == (5, 1, 3, 1)
    assert (every.missed, every.not_occluded, every.not_asked) == (1, 1, 1)
    assert every.missed_case_ids == ("c2",)
    assert (every.ppv.count, every.ppv.of) == (2, 4)
    assert (every.answered.count, every.answered.missing, every.answered.median_min) == (4, 1, 1.0)


def test_an_alert_counts_under_each_of_its_rules_and_once_in_all() -> None:
    """An open one is in no share: it has not ended."""
    found = closed_loop([case("c1", alerts=(alert("open", "STE-1", "HYP-T"),))])

    assert [(one.group, one.sent, one.ppv.share) for one in found.alerts_by_rule] == [
        ("HYP-T", 1, None),
        ("STE-1", 1, None),
    ]
    assert found.alerts.sent == 1


def test_readers_are_timed_from_receipt_to_signature() -> None:
    """What nobody has read is missing, not nought minutes."""
    found = closed_loop(
        [
            case("c1", ecgs=(ecg("e1", received_at=after(0), read_at=after(4), reader="li", agrees=True),)),
            case("c2", ecgs=(ecg("e2", received_at=after(0), read_at=after(8), reader="li", agrees=False),)),
            case("c3", ecgs=(ecg("e3", received_at=after(0)),)),
        ]
    )
    li, nobody = found.readers

    assert (li.reader, li.read.count, li.read.median_min, li.agrees.share) == ("li", 2, 6.0, 0.5)
    assert li.case_ids == ("c2", "c1")
    assert (nobody.reader, nobody.read.count, nobody.read.missing) == (None, 0, 1)


def test_a_stream_that_was_read_while_it_ran_has_no_reading_time() -> None:
    """The last byte came after the signature."""
    found = closed_loop(
        [
            case(
                "c1",
                ecgs=(ecg("e1", way="stream", received_at=after(9), read_at=after(4), reader="li"),),
            )
        ]
    )

    assert (found.readers[0].read.count, found.readers[0].read.missing) == (0, 1)


def test_rejects_are_of_those_that_the_machine_has_looked_at() -> None:
    """By clinic, and by lead of all of them."""
    found = closed_loop(
        [
            case("c1", ecgs=(ecg("e1", acceptable=False, bad_leads=("V1", "V2")),)),
            case("c2", ecgs=(ecg("e2", acceptable=True),)),
            case("c3", site="clinic-2", ecgs=(ecg("e3", acceptable=False, bad_leads=("V1",)), ecg("e4"))),
        ]
    )

    assert (found.rejects.rejected.count, found.rejects.rejected.of) == (2, 3)
    assert [(one.group, one.rejected.count, one.rejected.of) for one in found.rejects_by_clinic] == [
        ("clinic-1", 1, 2),
        ("clinic-2", 1, 1),
    ]
    assert [(one.group, one.rejected.count, one.case_ids) for one in found.rejects_by_lead] == [
        ("V1", 2, ("c1", "c3")),
        ("V2", 1, ("c1",)),
    ]


def test_the_worst_clock_comes_first_and_one_never_compared_last() -> None:
    """A device that was never compared is no good clock."""
    found = closed_loop(
        [
            case("c1", ecgs=(ecg("e1", device="a", clock_offset_s=5.0), ecg("e2", device="b"))),
            case("c2", ecgs=(ecg("e3", device="c", clock_offset_s=-600.0),)),
        ]
    )

    assert [(one.device, one.worst_s, one.bad) for one in found.clocks] == [
        ("c", -600.0, 1),
        ("a", 5.0, 0),
        ("b", None, 0),
    ]
    assert found.clocks[0].case_ids == ("c2",)


def test_what_was_begun_and_never_came_is_counted_as_sent() -> None:
    """Received of all that were begun; how long those took that came."""
    found = closed_loop(
        [
            case("c1", ecgs=(ecg("e1", sent_at=after(0), received_at=after(0.5)),)),
            case("c2", ecgs=(ecg("e2", sent_at=after(0), received_at=after(3)),)),
            case("c3", ecgs=(ecg("e3", sent_at=after(0)),)),
        ]
    ).transmission

    assert (found.received.count, found.received.of, found.late) == (2, 3, 1)
    assert (found.delay.count, found.delay.longest_min) == (2, 3.0)
    assert found.case_ids == ("c3", "c2")


def test_what_came_before_it_was_sent_has_no_delay() -> None:
    """A sender's clock that is ahead: nobody knows how long it took, and nought would be an invention."""
    found = closed_loop([case("c1", ecgs=(ecg("e1", sent_at=after(2), received_at=after(0)),))]).transmission

    assert (found.received.count, found.delay.count, found.delay.median_min, found.late) == (1, 0, None, 0)


def test_feedback_is_of_the_cases_with_an_outcome() -> None:
    """Nobody can report what has not happened yet."""
    found = closed_loop(
        [
            case("c1", OUTCOME=60, FEEDBACK_SENT=70, FEEDBACK_SEEN=80),
            case("c2", OUTCOME=60, FEEDBACK_SENT=70),
            case("c3", OUTCOME=60),
            case("c4"),
        ]
    )

    assert (found.feedback_sent.count, found.feedback_sent.of) == (2, 3)
    assert (found.feedback_seen.count, found.feedback_seen.of) == (1, 2)


def test_consent_and_door_in_door_out_are_there_though_nobody_gave_them() -> None:
    """A case that must have had them and does not say so is missing; who walked in had no door to leave."""
    found = closed_loop([case("c1", SPOKE_DOOR=0, SPOKE_OUT=40), case("c2"), case("c3", mode=3)])

    assert (found.dido.count, found.dido.missing, found.dido.median_min) == (1, 1, 40.0)
    assert (found.consent.count, found.consent.missing) == (0, 3)


def test_nothing_counted_is_no_share_of_nought() -> None:
    """An empty period has counts of nought and shares of None."""
    found = closed_loop([])

    assert (found.alerts.ppv.share, found.transmission.received.share, found.dido.median_min) == (None,) * 3


def test_wilson_intervals_are_those_of_the_textbook() -> None:
    """7 of 10: 39.7 to 89.2 %; the ends of nought and all stay within nought and one."""
    share = share_of(7, 10)

    assert [share.low, share.high] == pytest.approx([0.3968, 0.8922], abs=5e-4)
    assert share_of(0, 5).low == 0.0
    assert share_of(5, 5).high == 1.0
