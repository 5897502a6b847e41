"""The boards of the doctors: connections to the service that drop, and say late, twice or never what they show."""

import functools
from typing import TYPE_CHECKING, Final

from greenchannel.alerts import commands
from greenchannel.alerts.channels import LIVE
from greenchannel.events import AlertSent
from greenchannel.service.hub import Change
from tests.simulation.agenda import MINUTE, SECOND
from tests.simulation.house import DOCTORS

if TYPE_CHECKING:
    from tests.simulation.world import World

_DEVICE: Final = {"once": 0.9, "late": 0.04, "twice": 0.04, "never": 0.02}


class Boards:
    """Who has a board open; mirrored: that `/live` brings what was missed."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._open: dict[str, int] = {}  # person → the connection's number
        self._numbers = 0

    # ------------------------------------------------------------ connections

    def come_back(self) -> None:
        """The service listens again."""
        for person in DOCTORS:
            self._connect_in(person, self._world.dice.between(500, 8_000))

    def _connect_in(self, person: str, ms: int) -> None:
        self._world.agenda.after(ms, self._connect, person, self._world.service.life)

    def _connect(self, person: str, life: int) -> None:
        service = self._world.service
        if not service.up or service.life != life or person in self._world.house.disabled:
            return
        self._numbers += 1
        self._open[person] = self._numbers
        for case in service.book.cases.values():
            alert = case.alert
            if alert is None or not alert.open:
                continue
            for entry in alert.people:
                if (
                    (entry.person, entry.channel) == (person, LIVE)
                    and entry.sent_at
                    and not entry.delivered_at
                ):
                    self._show(person, case.case_id, alert.alert_id)

    def cut(self) -> None:
        """All connections are gone."""
        self._open.clear()

    def drop(self, person: str) -> None:
        """One connection breaks, and comes back by itself."""
        self._open.pop(person, None)
        self._connect_in(person, self._world.dice.spread(3 * SECOND, 10 * MINUTE))

    # ------------------------------------------------------------ what they show

    def publish(self, changes: list[Change]) -> None:
        """Events that the service hands out."""
        for envelope, case in changes:
            event = envelope.event
            if not isinstance(event, AlertSent) or event.channel != LIVE or case is None:
                continue
            if event.person in self._open:
                self._show(event.person, case.case_id, event.alert_id)

    def _show(self, person: str, case_id: str, alert_id: str) -> None:
        world = self._world
        number = self._open[person]
        ms = world.dice.between(30, 500)
        match world.dice.weighed(_DEVICE):
            case "once":
                times = [ms]
            case "late":
                times = [ms + world.dice.between(5 * SECOND, 40 * SECOND)]
            case "twice":
                times = [ms, ms + world.dice.between(1, 3 * SECOND)]
            case _:
                times = []
        for at_ms in times:
            world.agenda.after(at_ms, self._say, person, case_id, alert_id, number)
        world.agenda.after(ms, world.staff.hears, person, case_id, alert_id, LIVE)

    def _say(self, person: str, case_id: str, alert_id: str, number: int) -> None:
        if self._open.get(person) != number:
            return
        decide = functools.partial(commands.delivered, alert_id=alert_id, person=person)
        service = self._world.service
        self._world.ask(
            lambda tx: service.change(tx, case_id, decide, f"user:{person}"), lambda result, error: None
        )
