"""What positions and people say of the ambulance, as events of its case: pure decisions."""

from datetime import datetime, timedelta

from greenchannel.alerts.ambulance import (
    Crossing,
    Expected,
    Settings,
    Track,
    default_settings,
    milestone_of,
)
from greenchannel.alerts.case import Case
from greenchannel.alerts.channel_commands import require_open
from greenchannel.alerts.eta import GPS, HUB, SCENE, standing
from greenchannel.alerts.refusal import Refused
from greenchannel.events import AnyEvent, ClockReading, EtaGiven, MilestoneRecorded

LEFT_AGAIN = "再次离开 / left once more"
_ABOARD = ("SPOKE_OUT", "SCENE_LEAVE")
_ENDS = {SCENE: ("AMB_SCENE", *_ABOARD, "HUB_DOOR"), HUB: ("HUB_DOOR",)}  # what makes an expectation idle


def aboard(case: Case) -> bool:
    """Whether the case says, by whatever source, that the patient has been driven off."""
    return any(value.milestone in _ABOARD for value in case.values)


def crossed(case: Case, before: Track, crossing: Crossing, *, clock: str) -> list[AnyEvent]:
    """The time that a crossing records, by the source `gps`.

    Arrivals count once, a departure each time until the hub is reached: who comes back for the papers has left when
    it leaves for good. `clock` is the name of the receiver's.
    """
    name = milestone_of(crossing, before, case.arrival_mode, aboard=aboard(case))
    if name is None:
        return []
    known = [value for value in case.values if value.milestone == name and value.source == GPS]
    if known and (name not in _ABOARD or any(value.milestone == "HUB_DOOR" for value in case.values)):
        return []
    fix = crossing.fix
    time = ClockReading(
        at=fix.at,
        clock=clock,
        raw=None if fix.raw_at == fix.at else fix.raw_at,
        offset_s=fix.offset_s,
        uncertainty_s=crossing.uncertainty_s,
    )
    note = LEFT_AGAIN if known else None
    return [MilestoneRecorded(milestone=name, time=time, source=GPS, note=note, correction=note is not None)]


def expects(
    case: Case, found: Expected | None, *, clock: str, settings: Settings | None = None
) -> list[AnyEvent]:
    """The expected arrival by positions, where it is news; what a person said stands before it all the same."""
    settings = settings or default_settings()
    if found is None or arrived(case, found.place):
        return []
    told = next((eta for eta in reversed(case.etas) if (eta.place, eta.source) == (found.place, GPS)), None)
    if told is not None and abs((found.at - told.time.at).total_seconds()) <= settings.eta_change_s:
        return []
    time = ClockReading(at=found.at, clock=clock, uncertainty_s=found.half_width_s)
    return [EtaGiven(place=found.place, at=time, source=GPS)]


def arrived(case: Case, place: str) -> bool:
    """Whether nothing is expected at a place any more."""
    return any(value.milestone in _ENDS[place] for value in case.values)


def say_eta(
    case: Case,
    place: str,
    at: datetime | None,
    *,
    source: str,
    now: datetime,
    settings: Settings | None = None,
) -> list[AnyEvent]:
    """A person says when it will be at a place, or (None) takes back what people said; the same again gives nothing."""
    require_open(case)
    if place not in _ENDS:
        raise Refused(
            "unknown_place",
            f"地点应为 scene 或 hub，收到 {place}",
            f"expected scene or hub, got {place}",
            422,
        )
    stands = standing(case.etas, place)
    said = stands if stands is not None and stands.source != GPS else None
    if at is None:
        if said is None:
            return []
        return [EtaGiven(place=place, at=said.time, source=source, withdrawn=True)]
    settings = settings or default_settings()
    earliest = now - timedelta(seconds=settings.eta_past_s)
    latest = now + timedelta(seconds=settings.eta_ahead_s)
    if not earliest <= at <= latest:
        raise Refused(
            "bad_eta",
            f"预计到达时间应在未来{settings.eta_ahead_s / 3600:.0f}小时内，收到 {at.isoformat()}",
            f"expected a time from {earliest.isoformat()} to {latest.isoformat()}, got {at.isoformat()}",
            422,
        )
    if said is not None and said.time.at == at:
        return []
    return [EtaGiven(place=place, at=ClockReading(at=at, clock="person"), source=source)]
