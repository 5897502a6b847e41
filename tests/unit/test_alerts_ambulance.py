"""Positions of an ambulance become arrivals, departures and an expected time, whatever the receiver does."""

from collections.abc import Iterable
from datetime import timedelta
from itertools import pairwise
from math import cos, radians

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenchannel.alerts import ambulance, ambulance_commands
from greenchannel.alerts.ambulance import Fix, Place, Places, Step, Track, distance_m, expected, step
from greenchannel.alerts.eta import standing
from greenchannel.alerts.refusal import Refused
from greenchannel.alerts.timeline import timeline
from greenchannel.events import AnyEvent, ClockReading, EtaGiven, MilestoneRecorded
from tests.alerts_log import Log, seconds

LAT, LON = 33.4, 115.3
M_PER_DEG = 111_195.0
CLINIC_M, HUB_M = 12_000.0, 0.0  # along the road, which runs east


def place(at_m: float, radius_m: float = 200.0) -> Place:
    return Place(lat=LAT, lon=LON + at_m / (M_PER_DEG * cos(radians(LAT))), radius_m=radius_m)


PLACES = Places(scene=place(CLINIC_M), hub=place(HUB_M), road_km=12.0)


def fix(s: float, at_m: float, *, off_m: float = 0.0, accuracy_m: float | None = 10.0, **more: float) -> Fix:
    where = place(at_m)
    return Fix(
        lat=where.lat + off_m / M_PER_DEG,
        lon=where.lon,
        at=seconds(s),
        raw_at=seconds(s),
        received_at=seconds(more.get("received_s", s)),
        accuracy_m=accuracy_m,
        offset_s=0.0,
        uncertainty_s=0.5,
    )


def drive(*legs: tuple[float, float, float], every_s: float = 10.0) -> list[Fix]:
    """Positions over legs of (seconds, from metres, to metres)."""
    fixes, begun = [], 0.0
    for length_s, a, b in legs:
        for s in np.arange(0.0, length_s, every_s):
            fixes.append(fix(begun + float(s), a + (b - a) * float(s) / length_s))
        begun += length_s
    return fixes


WHOLE = (
    (60, HUB_M, HUB_M),
    (800, HUB_M, CLINIC_M),
    (600, CLINIC_M, CLINIC_M),
    (900, CLINIC_M, HUB_M),
    (120, HUB_M, HUB_M),
)


class Ride:
    """A track and the log of its case."""

    def __init__(self, mode: int | None = 2, places: Places = PLACES) -> None:
        self.log = Log(arrival_mode=mode)
        self.track = Track()
        self.places = places
        self.reasons: list[str | None] = []

    def take(self, fixes: Iterable[Fix]) -> "Ride":
        for one in fixes:
            before = self.track
            found: Step = step(before, one, self.places, future_s=300.0)
            self.track = found.track
            self.reasons.append(found.reason)
            events: list[AnyEvent] = []
            for crossing in found.crossings:
                events += ambulance_commands.crossed(self.log.case, before, crossing, clock="device:gps")
            at_s = max(self.log.now_s, (one.received_at - seconds(0)).total_seconds())
            case = self.log.extend(events, at_s=at_s)
            if found.reason is None:
                eta = expected(self.track, self.places, aboard=ambulance_commands.aboard(case))
                self.log.extend(ambulance_commands.expects(case, eta, clock="device:gps"))
        return self

    @property
    def times(self) -> dict[str, float]:
        """Milestone → seconds; the valid value."""
        entries = timeline(self.log.case).entries
        return {
            one.spec.id: (one.valid.time.at - seconds(0)).total_seconds()
            for one in entries
            if one.valid is not None
        }


def test_a_whole_drive_gives_every_time_within_the_gap_of_two_positions() -> None:
    """Out of the hub, at the clinic, away from it, through the gate: by the source gps, with its uncertainty."""
    ride = Ride().take(drive(*WHOLE))
    times = ride.times
    # When each border was really crossed, by the speeds of the legs.
    truth = {
        "AMB_DEPART": 60 + 800 * 300 / CLINIC_M,
        "AMB_SCENE": 60 + 800 * (CLINIC_M - 200) / CLINIC_M,
        "SPOKE_OUT": 1460 + 900 * 300 / CLINIC_M,
        "HUB_DOOR": 1460 + 900 * (CLINIC_M - 200) / CLINIC_M,
    }
    assert set(times) == set(truth)
    for value in ride.log.case.values:
        assert value.source == "gps" and value.time.clock == "device:gps"
        assert value.time.uncertainty_s is not None
        error_s = abs((value.time.at - seconds(truth[value.milestone])).total_seconds())
        assert error_s <= value.time.uncertainty_s == 10.5
    assert timeline(ride.log.case).problems == ()


@pytest.mark.parametrize(
    ("mode", "expected_names"),
    [
        (1, {"AMB_DEPART", "AMB_SCENE", "SCENE_LEAVE", "HUB_DOOR"}),
        (2, {"AMB_DEPART", "AMB_SCENE", "SPOKE_OUT", "HUB_DOOR"}),
        (None, {"AMB_DEPART", "AMB_SCENE", "HUB_DOOR"}),
        (3, set()),
        (4, set()),
    ],
)
def test_the_leaving_is_named_by_the_arrival_mode(mode: int | None, expected_names: set[str]) -> None:
    """With the mode unknown it is not known which it is; who walks in has no ambulance."""
    assert set(Ride(mode).take(drive(*WHOLE)).times) == expected_names


def test_a_receiver_that_trembles_at_the_border_crosses_it_once() -> None:
    """Within, between, and just beyond the inner border, for ten minutes."""
    ride = Ride().take(drive((60, 3000, 3000), (700, 3000, CLINIC_M - 190)))
    draw = np.random.default_rng(5)
    trembling = [fix(760 + 10 * k, CLINIC_M - 190 - abs(draw.normal(0, 40))) for k in range(60)]
    ride.take(trembling)

    assert [value.milestone for value in ride.log.case.values] == ["AMB_SCENE"]


def test_who_drives_past_has_not_arrived() -> None:
    """Twenty seconds within the clinic's fence at 70 km/h."""
    ride = Ride().take(drive((600, 0, 11_000), (100, 11_000, 13_000), (300, 13_000, 19_000), every_s=5.0))

    assert set(ride.times) == {"AMB_DEPART"} or ride.times == {}


def test_an_empty_ambulance_at_the_hub_is_no_patient_at_the_door() -> None:
    """It comes home without having been at the clinic; with the clinic's own word that they left, it is one."""
    legs = ((60, 0, 0), (300, 0, 5000), (300, 5000, 0), (60, 0, 0))
    assert set(Ride().take(drive(*legs)).times) == {"AMB_DEPART"}
    told = Ride(places=Places(hub=PLACES.hub))
    told.take(drive(*legs[:2]))
    told.log.add(
        MilestoneRecorded(
            milestone="SPOKE_OUT",
            time=ClockReading(at=seconds(300), clock="person"),
            source="clinic",
        )
    )
    later = [one for one in drive(*legs) if one.at >= seconds(360)]
    assert "HUB_DOOR" in told.take(later).times


def test_what_was_not_seen_is_not_invented() -> None:
    """Switched on at the clinic: no arrival there, but the departure; switched on at the gate: nothing."""
    at_clinic = Ride().take(drive((300, CLINIC_M, CLINIC_M), (900, CLINIC_M, 0), (60, 0, 0)))
    assert set(at_clinic.times) == {"SPOKE_OUT", "HUB_DOOR"}
    assert Ride().take(drive((300, 0, 0))).times == {}


def test_who_comes_back_for_the_papers_has_left_when_it_leaves_for_good() -> None:
    """Both departures are kept, the later one stands, marked; the arrival stays the first."""
    legs = (
        (60, 10_000, 10_000),
        (120, 10_000, CLINIC_M),
        (300, CLINIC_M, CLINIC_M),
        (60, CLINIC_M, CLINIC_M - 1000),
        (60, CLINIC_M - 1000, CLINIC_M),
        (120, CLINIC_M, CLINIC_M),
        (900, CLINIC_M, 0),
        (60, 0, 0),
    )
    ride = Ride().take(drive(*legs))
    left = [value for value in ride.log.case.values if value.milestone == "SPOKE_OUT"]

    assert [value.correction for value in left] == [False, True]
    assert ride.times["SPOKE_OUT"] == (left[1].time.at - seconds(0)).total_seconds() > 700
    assert sum(value.milestone == "AMB_SCENE" for value in ride.log.case.values) == 1


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (fix(100, 9000, accuracy_m=2000.0), "inaccurate"),
        (fix(100, 40_000), "jump"),
        (fix(1000, 1100, received_s=100), "future"),
        (fix(90, 1000), "late"),
        (fix(95, 1000), "duplicate"),
        (fix(100, 1000, received_s=100 + 7 * 3600), "old"),
        (fix(96, 1000, received_s=3000), "early"),
    ],
)
def test_a_bad_position_is_told_apart_and_changes_nothing(bad: Fix, reason: str) -> None:
    """The track before and after is the same."""
    track = Track()
    for one in (fix(80, 850), fix(95, 1000)):
        track = step(track, one, PLACES, future_s=300.0).track
    since = seconds(1000) if reason == "early" else None
    found = step(track, bad, PLACES, future_s=300.0, since=since)

    assert (found.reason, found.crossings) == (reason, ())
    strays = found.track.strays if reason == "jump" else ()
    assert found.track == msgspec.structs.replace(track, strays=strays)


def test_one_wild_position_within_the_hub_is_no_arrival() -> None:
    """Ten kilometres away and back within twenty seconds; the true arrival comes later."""
    clean = drive(*WHOLE)
    k = next(i for i, one in enumerate(clean) if one.at >= seconds(1700))
    wild = [*clean[:k], fix((clean[k].at - seconds(0)).total_seconds() - 5, HUB_M), *clean[k:]]
    ride = Ride().take(wild)

    assert ride.reasons.count("jump") == 1
    assert ride.times == Ride().take(clean).times


def test_several_positions_that_agree_outweigh_a_wild_first_one() -> None:
    """The receiver woke up on another continent; from the third position on it is believed."""
    ride = Ride().take([fix(0, 900_000), *drive(*WHOLE)[1:]])
    assert ride.reasons[:4] == [None, "jump", "jump", None]
    assert set(ride.times) == {"AMB_DEPART", "AMB_SCENE", "SPOKE_OUT", "HUB_DOOR"}


NOISE = st.lists(
    st.tuples(st.sampled_from(["drop", "twice", "swap", "wild", "coarse", "none"]), st.integers(0, 247)),
    max_size=25,
)


@given(NOISE)
def test_whatever_the_receiver_does_the_times_are_in_order_and_each_arrival_is_one(
    noise: list[tuple[str, int]],
) -> None:
    """Positions lost, doubled, swapped, wild and coarse: no time twice, none before the one it follows."""
    fixes = drive(*WHOLE)
    for kind, k in noise:
        k %= len(fixes)
        at_s = (fixes[k].at - seconds(0)).total_seconds()
        if kind == "drop" and len(fixes) > 2:
            del fixes[k]
        elif kind == "twice":
            fixes.insert(k, fixes[k])
        elif kind == "swap" and k:
            fixes[k - 1], fixes[k] = fixes[k], fixes[k - 1]
        elif kind == "wild":
            fixes[k] = fix(at_s, HUB_M, off_m=80_000)
        elif kind == "coarse":
            fixes[k] = fix(at_s, HUB_M, accuracy_m=3000.0)
    ride = Ride().take(fixes)
    names = [value.milestone for value in ride.log.case.values]
    times = ride.times
    order = [times[name] for name in ("AMB_DEPART", "AMB_SCENE", "SPOKE_OUT", "HUB_DOOR") if name in times]

    assert order == sorted(order)
    for name in ("AMB_DEPART", "AMB_SCENE", "HUB_DOOR"):
        assert names.count(name) <= 1
    assert names.count("HUB_DOOR") == 0 or "SPOKE_OUT" in names


# ---------------------------------------------------------------- when it will be there


def test_the_expected_arrival_is_written_down_only_where_it_is_news() -> None:
    """To the clinic first, to the hub once the patient is aboard; a change of a minute or less is not told."""
    ride = Ride().take(drive(*WHOLE))
    told = [one.event for one in ride.log.envelopes if isinstance(one.event, EtaGiven)]
    places = [one.place for one in told]

    assert places == sorted(places, reverse=True) and set(places) == {"scene", "hub"}
    for a, b in pairwise(told):
        assert a.place != b.place or abs((b.at.at - a.at.at).total_seconds()) > 60
    assert all(one.source == "gps" and one.at.uncertainty_s is not None for one in told)
    assert len(told) < 20  # of 248 positions


def test_the_arrival_lies_within_what_was_told_of_it() -> None:
    """Two hundred simulated drives, ten to sixty kilometres, with stops, jams and winding roads: 80 % at least."""
    draw = np.random.default_rng(11)
    hits = total = 0
    widths = []
    for _ in range(200):
        road_m = draw.uniform(10_000, 60_000)
        straight_m = road_m / draw.uniform(1.1, 1.6)
        usual = 13.0 * draw.lognormal(0, 0.2)
        at_m, s, fixes = straight_m, 0.0, []
        while at_m > 0:
            speed = 0.0 if draw.random() < 0.03 else usual * draw.lognormal(0, 0.35)
            for _ in range(6):
                fixes.append(fix(s, at_m))
                at_m -= speed * 10 * straight_m / road_m
                s += 10
                if at_m <= 0:
                    break
        places = Places(hub=place(0.0), scene=place(straight_m), road_km=road_m / 1000)
        track = Track()
        for one in fixes:
            track = step(track, one, places, future_s=300.0).track
            found = expected(track, places, aboard=True)
            if found is None or (one.at - seconds(0)).total_seconds() % 120:
                continue
            late_s = (seconds(s) - found.at).total_seconds()
            hits += abs(late_s) <= found.half_width_s
            widths.append(found.half_width_s)
            total += 1
    share = hits / total
    print(f"\nETA: {total} told, {100 * share:.1f} % within, median half width {np.median(widths):.0f} s")

    assert 0.80 <= share <= 0.99 and total > 1000


def test_a_person_says_when_it_will_be_there_until_it_is_taken_back() -> None:
    """A time that cannot be is refused in words; the same again gives nothing; nothing said, nothing to take back."""
    log = Log()

    def say(place_name: str, s: float | None, source: str = "person") -> list[AnyEvent]:
        at = None if s is None else seconds(s)
        return ambulance_commands.say_eta(log.case, place_name, at, source=source, now=log.now)

    assert say("hub", None) == []
    now_s = (log.now - seconds(0)).total_seconds()
    for place_name, s, code in (
        ("moon", 60, "unknown_place"),
        ("hub", 13 * 3600, "bad_eta"),
        ("hub", now_s - 3600, "bad_eta"),
    ):
        with pytest.raises(Refused) as refused:
            say(place_name, s)
        assert refused.value.code == code and refused.value.zh
    log.extend(say("hub", 1800, "dispatch"))
    assert say("hub", 1800) == []
    log.extend(say("hub", 2400))
    stands = standing(log.case.etas, "hub")
    assert stands is not None and (stands.source, stands.time.at) == ("person", seconds(2400))
    log.extend(say("hub", None))
    assert standing(log.case.etas, "hub") is None and say("hub", None) == []


def test_the_settings_are_those_of_the_table() -> None:
    """And a kilometre is a kilometre."""
    assert ambulance.default_settings().confirm_fixes == 2
    assert distance_m(place(0), place(1000)) == pytest.approx(1000, rel=1e-3)
    assert (seconds(0) + timedelta(seconds=1)) > seconds(0)
