"""When the ambulance is expected, as it was said from time to time: a fold, and which word stands."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from greenchannel.events import ClockReading, Envelope, EtaGiven

GPS = "gps"
SCENE, HUB = "scene", "hub"


class Eta(msgspec.Struct, frozen=True, kw_only=True):
    """One word on when it will be at a place."""

    place: str  # "scene" or "hub"
    time: ClockReading
    source: str  # "gps", "dispatch", "person"
    actor: str
    given_at: datetime
    withdrawn: bool  # what people said of this place is taken back


def fold_etas(etas: tuple[Eta, ...], envelope: Envelope) -> tuple[Eta, ...]:
    """Return all that was said of the arrival after one event, oldest first."""
    event = envelope.event
    if not isinstance(event, EtaGiven):
        return etas
    said = Eta(
        place=event.place,
        time=event.at,
        source=event.source,
        actor=envelope.actor,
        given_at=envelope.at,
        withdrawn=event.withdrawn,
    )
    return (*etas, said)


def standing(etas: Sequence[Eta], place: str, at: datetime | None = None) -> Eta | None:
    """Return what stands for a place, now or as of `at`; None where nothing was said.

    What a person said stands before what was computed from positions, until it is withdrawn.
    """
    said = [eta for eta in etas if eta.place == place and (at is None or eta.given_at <= at)]
    people = [eta for eta in said if eta.source != GPS]
    if people and not people[-1].withdrawn:
        return people[-1]
    return next((eta for eta in reversed(said) if eta.source == GPS), None)
