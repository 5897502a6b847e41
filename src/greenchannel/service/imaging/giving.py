"""What gives images to others, as one part of the desk: looks, the DICOM services."""

from sqlalchemy import Engine

from greenchannel.service.desk import Desk
from greenchannel.service.imaging.destinations import destinations_of
from greenchannel.service.imaging.dicom_query import QueryRetrieve
from greenchannel.service.imaging.dicom_worklist import Worklist
from greenchannel.service.imaging.forwarding import Forwarding
from greenchannel.service.imaging.looking import Looking
from greenchannel.service.imaging.orders import ImageOrders
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Writer


class Giving:
    """Runs beside a serving desk; it is found by `giving_of`. Made before the desk starts."""

    def __init__(self, desk: Desk, engine: Engine, writer: Writer, vault: Vault) -> None:
        self.looking = Looking(desk.access, desk.clock)
        self.orders = ImageOrders(
            engine=engine,
            writer=writer,
            clock=desk.clock,
            vault=vault,
            casework=desk.images.casework,
            episodes=desk.intake.episodes,
            zone_of=desk.intake.zone_of,
        )
        worklist = Worklist(self.orders, self.looking)
        QueryRetrieve(desk.images, desk.image_readings, desk.dicom, self.looking, worklist).hook()
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


def giving_of(desk: Desk) -> Giving:
    """The part of a desk that gives images."""
    return next(part for part in desk.parts if isinstance(part, Giving))
