"""The desk with its outbox: alerts that ring on any channel, attempts made one by one, a clock turned by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from greenchannel.events import AlertSent, AnyEvent
from greenchannel.service.channels import addresses
from greenchannel.service.desk import Desk
from greenchannel.settings import Settings
from greenchannel.store import schema
from greenchannel.store.contacts import Contact
from greenchannel.store.engine import reading
from tests.desk_world import World, dicom

PATIENT: dict[str, Any] = {
    "name": "张桂兰",
    "phone": "13800001234",
    "id_number": "410000195001011234",
    "patient_ref": "P-77",
}
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY="


@dataclass(kw_only=True)
class Ward:
    """A desk whose lanes do not run: a test makes each attempt."""

    world: World
    desk: Desk

    async def alert(self) -> tuple[str, str]:
        """An infarction comes in; gives the ids of its case and its alert."""
        answer = await self.world.send(self.desk, dicom(), **PATIENT)
        for _ in range(1000):  # the reading is the desk's own work
            case = self.desk.book.cases[answer.case_id]
            if case.alert is not None:
                return case.case_id, case.alert.alert_id
            await asyncio.sleep(0.01)
        raise TimeoutError("no alert")

    async def write(self, case_id: str, *events: AnyEvent) -> None:
        """Append events to a case as the service does."""
        await self.desk._casework.change(case_id, lambda case, now: list(events), "service")

    async def ring(self, case_id: str, alert_id: str, person: str, channel: str, step: int = 0) -> str:
        """Ring a person on a channel; gives the key of the delivery."""
        await self.write(case_id, AlertSent(alert_id=alert_id, person=person, channel=channel, step=step))
        return f"{alert_id}:1:{step}:{person}:{channel}"

    def webhook(self, person: str, channel: str, url: str, **more: Any) -> Contact:
        """Enter a webhook as an administrator."""
        form, address = addresses.checked(
            channel, url, by_person=False, localhost=True, secret=SECRET, **more
        )
        now: datetime = self.world.clock.now()
        return self.desk.contacts.set(person, channel, form, address, now=now, by_person=False)

    def rows(self, **where: Any) -> dict[str, Any]:
        """Rows of the outbox by key."""
        table = schema.outbox
        query = select(table).where(*(table.c[name] == value for name, value in where.items()))
        with reading(self.desk._engine) as connection:
            return {row.key: row for row in connection.execute(query.order_by(table.c.key))}

    def events(self, case_id: str, kind: type[Any]) -> list[Any]:
        """The events of one kind of a case, oldest first."""
        found = self.desk.log.read_stream(f"case:{case_id}")
        return [one.event for one in found if isinstance(one.event, kind)]

    async def deliver(self, passes: int = 10) -> None:
        """Make attempts until nothing is due."""
        for _ in range(passes):
            if not await self.desk.delivery.deliver_due():
                return


async def _idle() -> None:
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def ward(world: World, *, lanes: bool = False) -> AsyncIterator[Ward]:
    """A started desk; with `lanes`, its outbox runs by itself."""
    desk = world.make()
    if not lanes:
        setattr(desk.delivery, "run", _idle)  # noqa: B010 - the checker forbids the plain way
    await desk.start()
    try:
        yield Ward(world=world, desk=desk)
    finally:
        await desk.stop()


def play(
    folder: Path, story: Callable[[Ward], Coroutine[Any, Any, None]], *, lanes: bool = False, **settings: Any
) -> World:
    """Play a story on a fresh desk."""
    world = World(folder=folder, settings=replace(SETTINGS, **settings))

    async def whole() -> None:
        async with ward(world, lanes=lanes) as made:
            await story(made)

    asyncio.run(whole())
    return world


SETTINGS = Settings(
    data_dir=Path("unset"), reading_process=False, contacts_localhost=True, delivery_poll_s=0.05
)
