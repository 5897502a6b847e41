"""The way from first contact to the wire in pieces that add up, with nothing invented between them."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from greenchannel.alerts.golden import published_case
from greenchannel.alerts.milestones import milestones
from greenchannel.alerts.order import NATIONAL_ZONE
from greenchannel.alerts.quality.record import CaseRecord, RecordTime
from greenchannel.alerts.quality.record_of import SiteFacts, record_of
from greenchannel.alerts.quality.segments import BEGIN, END, MODES, segments, track, way_of
from tests.alerts_log import Log

T0 = datetime(2025, 11, 3, 8, 5, tzinfo=UTC)


def case(mode: int | None, **minutes: float) -> CaseRecord:
    """A record with these milestones, in minutes after T0."""
    times = {name: told(minute) for name, minute in minutes.items()}
    return CaseRecord(
        case_id="case_1", site="clinic-001", opened_at=T0, state="closed", arrival_mode=mode, times=times
    )


def told(minute: float, wide_min: float = 0.0) -> RecordTime:
    at, half = T0 + timedelta(minutes=minute), timedelta(minutes=wide_min / 2)
    return RecordTime(at=at, earliest=at - half, latest=at + half, uncertainty_s=30.0, source="clinic")


@pytest.mark.parametrize("mode", MODES)
def test_the_track_of_each_mode_leads_from_contact_to_wire_without_a_gap(mode: int) -> None:
    """Each segment begins where the one before it ends, at milestones that the mode has."""
    rows = track(mode)

    assert (rows[0].begin, rows[-1].end) == (BEGIN, END)
    assert [row.begin for row in rows[1:]] == [row.end for row in rows[:-1]]
    assert all(milestones()[name].exists_in(mode) for row in rows for name in (row.begin, row.end))


def test_consent_and_door_in_door_out_are_segments() -> None:
    """Both are always shown, though neither is a part of the sum."""
    assert (segments()["consent"].kind, segments()["dido"].kind) == ("beside", "whole")


def test_the_published_case_is_six_pieces_of_49_minutes() -> None:
    """3, 17, 5, 11 and 13 minutes; what was not reported joins its neighbours, and is no segment of its own."""
    log = Log()
    log.envelopes.clear()
    log.extend(
        published_case(date(2025, 11, 3), NATIONAL_ZONE, case_id=log.case_id, site="s_1", patient="p_1"),
        actor="user:zhao",
    )
    record = record_of(log.case, SiteFacts(kind="clinic"))
    assert record is not None
    way = way_of(record)

    assert [(piece.segments, piece.length_min) for piece in way.pieces] == [
        (("first_ecg", "sending"), 0.0),
        (("reading", "ordering"), 3.0),
        (("coming", "leaving", "transport"), 17.0),
        (("door_to_lab",), 5.0),
        (("preparing",), 11.0),
        (("wiring",), 13.0),
    ]
    assert way.total_min == 49.0
    assert way.missing == ("ECG1_ACQ", "ECG_DX", "AMB_SCENE", "SPOKE_OUT")
    assert way.lengths_min == {
        "door_to_lab": 5.0,
        "preparing": 11.0,
        "wiring": 13.0,
        "door_to_wire": 29.0,
        "fmc_to_wire": 49.0,
    }


def test_an_ambulance_that_did_not_wait_for_the_reading_adds_nothing() -> None:
    """Ordered at 6, read at 20: the order costs no time, and its way counts from the reading on."""
    way = way_of(case(2, FMC=0, ECG1_ACQ=4, ECG_RECEIVED=5, ECG_DX=20, AMB_DISPATCH=6, AMB_SCENE=30))
    ordering, coming = way.pieces[-2:]

    assert (ordering.segments, ordering.length_min, ordering.raw_min, ordering.meanwhile) == (
        ("ordering",),
        0.0,
        -14.0,
        True,
    )
    assert (coming.length_min, coming.raw_min) == (10.0, 24.0)
    assert way.out_of_order == ()


def test_a_time_that_contradicts_all_others_is_left_out_and_named() -> None:
    """The lab entered an hour early is no door-to-lab of nought minutes."""
    way = way_of(
        case(3, FMC=0, ECG1_ACQ=4, ECG_DX=8, PCI_DECIDE=15, CATH_ARRIVE=-20, ANGIO_START=50, WIRE=60)
    )

    assert way.out_of_order == ("CATH_ARRIVE",)
    assert way.pieces[-2].segments == ("to_lab", "preparing")
    assert "preparing" not in way.lengths_min


def test_two_that_contradict_each_other_are_both_left_out() -> None:
    """Nobody knows which of them is wrong."""
    way = way_of(case(4, FMC=0, ECG1_ACQ=4, ECG_DX=8, PCI_DECIDE=12, CATH_ARRIVE=50, ANGIO_START=45, WIRE=60))

    assert way.out_of_order == ("CATH_ARRIVE", "ANGIO_START")
    assert way.total_min == 60.0


def test_clocks_may_slip_by_two_minutes() -> None:
    """An ECG a minute before the contact is one of nought minutes, not one that cannot be."""
    way = way_of(case(3, FMC=0, ECG1_ACQ=-1, ECG_DX=8))

    assert way.out_of_order == ()
    assert [piece.length_min for piece in way.pieces] == [0.0, 8.0]


def test_a_time_told_as_a_part_of_a_day_measures_nothing() -> None:
    """It is no border of a segment, and there is no total from it."""
    record = case(4, ECG1_ACQ=4, ECG_DX=8, WIRE=60)
    way = way_of(msgspec.structs.replace(record, times={**record.times, "FMC": told(0, 120)}))

    assert (way.total_min, way.missing[0]) == (None, "FMC")


def test_without_an_arrival_mode_nobody_can_say_the_way() -> None:
    """What does not depend on it is still measured."""
    way = way_of(case(None, FMC=0, HUB_DOOR=30, WIRE=60, CONSENT_START=31, CONSENT_SIGN=36))

    assert way.pieces == ()
    assert way.lengths_min == {"consent": 5.0, "door_to_wire": 30.0, "fmc_to_wire": 60.0}


def test_a_clock_never_compared_leaves_the_width_unknown() -> None:
    """Half widths add up; one that is not known makes the sum unknown."""
    record = case(3, FMC=0, ECG1_ACQ=4)
    assert way_of(record).pieces[0].half_width_min == 1.0

    loose = RecordTime(at=T0, earliest=T0, latest=T0, uncertainty_s=None, source="clinic")
    record = msgspec.structs.replace(record, times={**record.times, "FMC": loose})
    assert way_of(record).pieces[0].half_width_min is None
