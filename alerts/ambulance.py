"""The ambulance on its way: positions become crossings of fences, times of the case, and an expected arrival.

Pure: a track and one position in, a track and what it crossed out; nothing of a position enters the log. Receivers lie:
a position may come late, twice, out of order, may jump, and may know itself that it is worth nothing. It is then kept
apart with the reason, and the track goes on as if it had not come. A fence has two borders, so that a receiver that
trembles at the gate does not drive in and out; a crossing counts once several positions agree, and the first times it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from typing import Any, Literal

import msgspec

from greenchannel.alerts.tables import read_value

EARTH_M = 6_371_000.0
SCENE, HUB = "scene", "hub"
MODES_WITH_AMBULANCE = (1, 2)

Fence = Literal["scene", "hub"]
Side = Literal["in", "out"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values of ``ambulance.toml``; explained there."""

    radius_m: float
    leave_factor: float
    confirm_fixes: int
    scene_dwell_s: float
    least_accuracy_m: float
    most_speed_mps: float
    jump_slack_m: float
    rejoin_fixes: int
    before_binding_s: float
    late_s: float
    speed_window_s: float
    least_window_s: float
    usual_speed_mps: float
    usual_weight_s: float
    road_factor: float
    eta_half_width_share: float
    eta_half_width_s: float
    eta_past_s: float
    eta_ahead_s: float
    eta_change_s: float
    positions_kept_h: float
    most_positions_listed: int


@cache
def default_settings() -> Settings:
    """The values of ``ambulance.toml``."""
    fields = Settings.__struct_fields__
    kinds: dict[str, Any] = {"confirm_fixes": int, "rejoin_fixes": int, "most_positions_listed": int}
    values: dict[str, Any] = {name: read_value("ambulance", name, kinds.get(name, float)) for name in fields}
    return Settings(**values)


class Fix(msgspec.Struct, frozen=True, kw_only=True):
    """One position, WGS 84."""

    lat: float
    lon: float
    at: datetime  # corrected where the receiver's clock is known
    received_at: datetime
    raw_at: datetime
    accuracy_m: float | None = None  # as the receiver says; None: it says nothing
    offset_s: float | None = None  # of the receiver's clock
    uncertainty_s: float | None = None  # of `at`; None: unknown


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A site with its fence."""

    lat: float
    lon: float
    radius_m: float


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case's ambulance goes; None: nobody has said where that is."""

    scene: Place | None = None
    hub: Place | None = None
    road_km: float | None = None  # from the scene to the hub


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """A crossing that is not confirmed yet."""

    side: Side
    first: Fix
    before: Fix | None  # the last position on the other side
    count: int = 1


class FenceState(msgspec.Struct, frozen=True, kw_only=True):
    """On which side of a fence the ambulance is; None: not known."""

    side: Side | None = None
    pending: Pending | None = None


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one ambulance from its positions so far."""

    recent: tuple[Fix, ...] = ()  # used ones of the speed window, oldest first; the last is where it is
    strays: tuple[Fix, ...] = ()  # jumps in a row that agree with each other
    scene: FenceState = FenceState()
    hub: FenceState = FenceState()
    been_at_scene: bool = False
    left_scene: bool = False

    @property
    def last(self) -> Fix | None:
        """Where it is."""
        return self.recent[-1] if self.recent else None


class Crossing(msgspec.Struct, frozen=True, kw_only=True):
    """A fence that was crossed."""

    fence: Fence
    side: Side  # on which it is now
    fix: Fix  # the first position there
    uncertainty_s: float | None  # half width: since the last position on the other side, and of the clock


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What one position did."""

    track: Track
    reason: (
        str | None
    )  # why it was not used: "inaccurate", "future", "old", "early", "late", "duplicate", "jump"
    crossings: tuple[Crossing, ...] = ()


# ---------------------------------------------------------------- one position


def distance_m(a: Fix | Place, b: Fix | Place) -> float:
    """The great circle between two positions, in metres."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    half = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def step(
    track: Track,
    fix: Fix,
    places: Places,
    *,
    future_s: float,
    since: datetime | None = None,
    settings: Settings | None = None,
) -> Step:
    """Return the track after one more position.

    Parameters
    ----------
    future_s
        How far ahead of its receipt a position's time may lie.
    since
        When the sender began to drive for the case; a position from well before that is of another drive.
    """
    settings = settings or default_settings()
    reason = _unusable(track, fix, future_s, since, settings)
    if reason is not None:
        return Step(track=track, reason=reason)
    if track.last is not None and _jumps(track.last, fix, settings):
        strays = (*track.strays, fix)
        if track.strays and _jumps(track.strays[-1], fix, settings):
            strays = (fix,)
        if len(strays) < settings.rejoin_fixes:
            return Step(track=msgspec.structs.replace(track, strays=strays), reason="jump")
        track = _moved_to(track, strays[:-1])
    before, track = track.last, _take(track, fix, settings)
    crossings: list[Crossing] = []
    fences: tuple[tuple[Fence, Place | None], ...] = (("scene", places.scene), ("hub", places.hub))
    for name, place in fences:
        if place is not None:
            state, crossed = _fence(name, getattr(track, name), place, fix, before, settings)
            track = msgspec.structs.replace(track, **{name: state})
            crossings += [] if crossed is None else [crossed]
    been = track.been_at_scene or track.scene.side == "in"
    left = track.left_scene if track.scene.side is None else been and track.scene.side == "out"
    gone = max((one.fix.at for one in crossings if one.side == "out"), default=None)
    recent = track.recent if gone is None else tuple(one for one in track.recent if one.at >= gone)
    return Step(
        track=msgspec.structs.replace(track, been_at_scene=been, left_scene=left, recent=recent),
        reason=None,
        crossings=tuple(crossings),
    )


def _unusable(
    track: Track, fix: Fix, future_s: float, since: datetime | None, settings: Settings
) -> str | None:
    last = track.last
    if fix.accuracy_m is not None and fix.accuracy_m > settings.least_accuracy_m:
        return "inaccurate"
    if fix.at > fix.received_at + timedelta(seconds=future_s):
        return "future"
    if fix.at < fix.received_at - timedelta(seconds=settings.late_s):
        return "old"
    if since is not None and _latest(fix) < since - timedelta(seconds=settings.before_binding_s):
        return "early"
    if last is not None and fix.at <= last.at:
        same = (fix.at, fix.lat, fix.lon) == (last.at, last.lat, last.lon)
        return "duplicate" if same else "late"
    return None


def _latest(fix: Fix) -> datetime:
    """The latest that a position can be of, its clock being as wrong as it may."""
    return fix.at + timedelta(seconds=fix.uncertainty_s or 0.0)


def _jumps(a: Fix, b: Fix, settings: Settings) -> bool:
    """Whether nothing on wheels gets from one to the other in the time between."""
    seconds = max(0.0, (b.at - a.at).total_seconds())
    slack_m = settings.jump_slack_m + (a.accuracy_m or 0.0) + (b.accuracy_m or 0.0)
    return distance_m(a, b) > settings.most_speed_mps * seconds + slack_m


def _moved_to(track: Track, strays: tuple[Fix, ...]) -> Track:
    """The track where several positions agree that it is elsewhere: what was, was wrong; sides are found anew."""
    return msgspec.structs.replace(
        track,
        recent=strays,
        strays=(),
        scene=FenceState(),
        hub=FenceState(),
    )


def _take(track: Track, fix: Fix, settings: Settings) -> Track:
    since = fix.at - timedelta(seconds=settings.speed_window_s)
    kept = tuple(one for one in track.recent if one.at >= since)
    return msgspec.structs.replace(track, recent=(*(kept or track.recent[-1:]), fix), strays=())


def _fence(
    name: Fence, state: FenceState, place: Place, fix: Fix, before: Fix | None, settings: Settings
) -> tuple[FenceState, Crossing | None]:
    """The side of one fence after a position; between its two borders, and where a position is too coarse, it stays."""
    away_m = distance_m(place, fix)
    if fix.accuracy_m is not None and fix.accuracy_m > place.radius_m:
        return state, None
    side: Side | None = None
    if away_m <= place.radius_m:
        side = "in"
    elif away_m > place.radius_m * settings.leave_factor:
        side = "out"
    if state.side is None:  # how it came here was not seen
        return FenceState(side=side), None
    pending = state.pending
    if side == state.side:
        return FenceState(side=state.side), None
    if side is None:  # between the borders: it neither confirms nor takes back
        return state, None
    if pending is None:
        return msgspec.structs.replace(state, pending=Pending(side=side, first=fix, before=before)), None
    pending = msgspec.structs.replace(pending, count=pending.count + 1)
    stayed_s = (fix.at - pending.first.at).total_seconds()
    wanted_s = settings.scene_dwell_s if name == SCENE and pending.side == "in" else 0.0
    if pending.count < settings.confirm_fixes or stayed_s < wanted_s:
        return msgspec.structs.replace(state, pending=pending), None
    crossing = Crossing(fence=name, side=pending.side, fix=pending.first, uncertainty_s=_uncertainty(pending))
    return FenceState(side=pending.side), crossing


def _uncertainty(pending: Pending) -> float | None:
    """Half width of a crossing: it may have been any time since the position before, by a clock with a width."""
    if pending.first.uncertainty_s is None or pending.before is None:
        return None
    return pending.first.uncertainty_s + (pending.first.at - pending.before.at).total_seconds()


# ---------------------------------------------------------------- what it means for the case


def milestone_of(crossing: Crossing, before: Track, arrival_mode: int | None, *, aboard: bool) -> str | None:
    """Return the milestone that a crossing records; None where it records none.

    Parameters
    ----------
    before
        The track before the crossing.
    aboard
        Whether the case says that the patient has left the clinic; the track may have seen it too.
    """
    if arrival_mode not in (None, *MODES_WITH_AMBULANCE):
        return None
    match crossing.fence, crossing.side:
        case "hub", "out":
            return None if before.been_at_scene or aboard else "AMB_DEPART"
        case "hub", "in":
            return "HUB_DOOR" if before.left_scene or aboard else None
        case "scene", "in":
            return "AMB_SCENE"
        case _:
            return {1: "SCENE_LEAVE", 2: "SPOKE_OUT"}.get(arrival_mode or 0)


# ---------------------------------------------------------------- when it will be there


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """When the ambulance is likely to be at a place."""

    place: Fence
    at: datetime
    half_width_s: float


def expected(
    track: Track, places: Places, *, aboard: bool, settings: Settings | None = None
) -> Expected | None:
    """Return when it will be at the place it goes to; None where that cannot be said.

    Before the patient is aboard that is the scene, after it the hub. The speed is that of the last minutes, drawn
    towards a usual one the less was driven: who stands at a crossing will not stand there for ever.
    """
    settings = settings or default_settings()
    aboard = aboard or track.left_scene
    name: Fence = "hub" if aboard else "scene"
    target, last = (places.hub if aboard else places.scene), track.last
    state = track.hub if aboard else track.scene
    if target is None or last is None or state.side == "in" or (not aboard and track.been_at_scene):
        return None
    driven_s = (last.at - track.recent[0].at).total_seconds()
    if driven_s < settings.least_window_s:
        return None
    driven_m = sum(distance_m(a, b) for a, b in pairwise(track.recent))
    speed = (driven_m + settings.usual_speed_mps * settings.usual_weight_s) / (
        driven_s + settings.usual_weight_s
    )
    left_m = max(0.0, distance_m(last, target) - target.radius_m) * _road_factor(places, settings)
    left_s = left_m / speed
    return Expected(
        place=name,
        at=last.at + timedelta(seconds=left_s),
        half_width_s=settings.eta_half_width_s + settings.eta_half_width_share * left_s,
    )


def _road_factor(places: Places, settings: Settings) -> float:
    """Road over straight line between the two sites, where both are known and it can be true."""
    if places.scene is None or places.hub is None or places.road_km is None:
        return settings.road_factor
    straight_m = distance_m(places.scene, places.hub)
    if straight_m < 1.0:
        return settings.road_factor
    factor = places.road_km * 1000.0 / straight_m
    return factor if 1.0 <= factor <= 3.0 else settings.road_factor


def replay(
    fixes: Iterable[Fix], places: Places, *, future_s: float, settings: Settings | None = None
) -> Track:
    """The track of positions that came before, in the order in which they came."""
    track = Track()
    for fix in fixes:
        track = step(track, fix, places, future_s=future_s, settings=settings).track
    return track
