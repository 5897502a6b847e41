"""What gives images to others, as one part of the desk: numbers for searches, looks, the DICOM services."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Engine

from greenchannel.service.desk import Desk
from greenchannel.service.imaging.destinations import destinations_of
from greenchannel.service.imaging.dicom_query import QueryRetrieve
from greenchannel.service.imaging.forwarding import Forwarding
from greenchannel.service.imaging.looking import Looking
from greenchannel.store import image_counts
from greenchannel.store.writer import Writer


class Giving:
    """Runs beside a serving desk; it is found by `giving_of`. Made before the desk starts."""

    def __init__(self, desk: Desk, engine: Engine, writer: Writer) -> None:
        self._engine = engine
        self.looking = Looking(desk.access, desk.clock)
        QueryRetrieve(desk.images, desk.dicom, self.looking).hook()
        settings = desk.settings
        self.forwarding = Forwarding(
            destinations_of(settings.image_forward_file),
            title=settings.dicom_title,
            images=desk.images,
            engine=engine,
            writer=writer,
            clock=desk.clock,
        )

    async def start(self) -> None:
        """Begin to send on."""
        await self.forwarding.start()

    async def stop(self) -> None:
        """End."""
        await self.forwarding.stop()

    async def series_counts(self, study_uids: Sequence[str]) -> dict[str, int]:
        """The number of series of studies."""
        return await asyncio.to_thread(image_counts.series_counts, self._engine, study_uids)


def giving_of(desk: Desk) -> Giving:
    """The part of a desk that gives images."""
    return next(part for part in desk.parts if isinstance(part, Giving))
