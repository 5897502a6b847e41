"""What gives images to others, as one part of the desk: numbers for searches, forwarding, the DICOM services."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import Engine

from greenchannel.service.desk import Desk
from greenchannel.store import image_counts


class Giving:
    """Runs beside a serving desk; it is found by `giving_of`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def start(self) -> None:
        """Begin."""

    async def stop(self) -> None:
        """End."""

    async def series_counts(self, study_uids: Sequence[str]) -> dict[str, int]:
        """The number of series of studies."""
        return await asyncio.to_thread(image_counts.series_counts, self._engine, study_uids)


def giving_of(desk: Desk) -> Giving:
    """The part of a desk that gives images."""
    return next(part for part in desk.parts if isinstance(part, Giving))
