"""The positions that an ambulance sends on its way to a clinic and back to the hub, as values."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from greenchannel.county.year_map import M_PER_DEG, Place

NEAR_S: Final = 160.0  # so long before and after a gate, positions come often  [E]
OFTEN_S: Final = 20.0
SELDOM_S: Final = 150.0
TREMBLE_M: Final = 8.0  # standard deviation of a receiver  [E]
LEGS: Final = ("AMB_DEPART", "AMB_SCENE", "SPOKE_OUT", "HUB_DOOR")


class Position(NamedTuple):
    """One of them."""

    at: datetime
    lat: float
    lon: float


def drive(
    dice: random.Random, hub: Place, place: Place, ordered_at: datetime, legs: tuple[datetime, ...]
) -> list[Position]:
    """The positions from the order on until a little after the hub's gate.

    Parameters
    ----------
    ordered_at
        When the ambulance was ordered.
    legs
        When it truly departs, is at the clinic, leaves it, and is back: as `LEGS`.
    """
    depart, scene, leave, door = legs
    found = []
    for at in _instants(ordered_at + timedelta(seconds=30), door + timedelta(seconds=NEAR_S), legs):
        if at <= depart or at >= door:
            share = 0.0
        elif at < scene:
            share = (at - depart) / (scene - depart)
        elif at <= leave:
            share = 1.0
        else:
            share = (door - at) / (door - leave)
        lat = hub.lat + share * (place.lat - hub.lat) + dice.gauss(0.0, TREMBLE_M) / M_PER_DEG
        lon = hub.lon + share * (place.lon - hub.lon) + dice.gauss(0.0, TREMBLE_M) / M_PER_DEG
        found.append(Position(at, round(lat, 6), round(lon, 6)))
    return found


def _instants(first: datetime, last: datetime, gates: Iterable[datetime]) -> list[datetime]:
    near = [(gate - timedelta(seconds=NEAR_S), gate + timedelta(seconds=NEAR_S)) for gate in gates]
    often = {
        begin + timedelta(seconds=OFTEN_S * step)
        for begin, end in near
        for step in range(int((end - begin).total_seconds() // OFTEN_S) + 1)
    }
    kept = [at for at in sorted(often | {first}) if first <= at <= last]
    between = [
        before + timedelta(seconds=SELDOM_S * step)
        for before, after in pairwise(kept)
        for step in range(1, int((after - before).total_seconds() // SELDOM_S) + 1)
    ]
    return sorted({*kept, *between})
