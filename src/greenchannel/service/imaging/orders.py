"""Images are asked for: what is wanted of whom stands in the worklist of the site's machines until it has come.

The patient's number of the site is given with the request: here it is only kept as a hash, and the machine must send
its images under it, or they would open another case.
"""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from pydicom.uid import generate_uid
from sqlalchemy import Engine

from greenchannel.clock import Clock
from greenchannel.events import ImageOrderCancelled, ImageOrdered
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.episodes import Episodes
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.store import order_rows
from greenchannel.store.engine import reading
from greenchannel.store.order_rows import OrderRow
from greenchannel.store.vault import Vault
from greenchannel.store.writer import Tx, Writer

KEPT: Final = timedelta(days=7)  # in the worklist, where nothing comes  [E]

MOST: Final = 200  # of all that a site asked for, in one answer

Priority = Literal["STAT", "HIGH", "ROUTINE"]


class Wish(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed of a request."""

    patient_ref: str
    modality: str
    body_part: str | None = None
    description: str | None = None
    reason: str | None = None
    priority: Priority = "ROUTINE"
    name: str | None = None
    sex: str | None = None
    birth_date: date | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    accession: str
    study_uid: str
    site: str
    case_id: str
    ordered_at: datetime  # in the zone of the site
    wish: Wish
    state: Literal["waiting", "come", "cancelled"] = "waiting"


class ImageOrders:
    """Requests of images. Within a command the case is read anew."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        clock: Clock,
        vault: Vault,
        casework: Casework,
        episodes: Episodes,
        zone_of: Callable[[str], ZoneInfo],
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self._vault = vault
        self._casework = casework
        self._episodes = episodes
        self._zone_of = zone_of

    async def order(self, case_id: str, site: str, caller: Caller, wish: Wish) -> Order:
        """Ask for images of the patient of a case.

        Raises
        ------
        NotFound
            There is no such case of the site.
        Conflict
            ``case_closed``; ``identity_conflict``: the number is of another patient.
        """

        def command(tx: Tx) -> Order:
            case = self._episodes.of_site(tx, site, case_id)
            if case.state != "open":
                raise Conflict("case_closed", f"case {case.case_id} is {case.state}", "该病例已关闭")
            named = self._vault.patient_for(tx, site, wish.patient_ref)
            if not self._episodes.is_of(tx, named, case.case_id):
                raise Conflict(
                    "identity_conflict",
                    f"case {case.case_id} belongs to another patient of this site than the number names",
                    "该病例与所填患者编号不是同一位患者,请核对身份",
                )
            known = self._vault.personal_in(tx, case.patient)
            full = msgspec.structs.replace(wish, name=known.get("name"), sex=case.context.sex)
            accession = f"GC{secrets.token_hex(6).upper()}"
            row = OrderRow(
                accession=accession,
                accession_mac=self._vault.image_mac("accession", accession),
                study_uid=str(generate_uid()),
                site=site,
                case_id=case.case_id,
                patient=case.patient,
                state="ordered",
                ordered_at=tx.now,
                actor=caller.actor,
                sealed=self._vault.seal_text(
                    tx.conn, case.patient, msgspec.to_builtins(full), f"order:{accession}"
                ),
            )
            order_rows.add(tx, row)
            event = ImageOrdered(
                accession=accession,
                study_uid=row.study_uid,
                modality=wish.modality,
                body_part=wish.body_part,
                priority=wish.priority,
            )
            self._casework.write(tx, case, case.case_id, [event], caller.actor)
            return self._order(row, full)

        return await self._writer.transact(command)

    async def cancel(self, accession: str, caller: Caller, note: str | None) -> None:
        """Take a request back; again changes nothing. Raises `NotFound`, also for one of another site."""

        def command(tx: Tx) -> None:
            row = order_rows.find(tx.conn, accession)
            if row is None or not caller.may_see(row.site):
                raise NotFound("request of images", accession)
            if row.state == "cancelled":
                return
            order_rows.cancel(tx, accession)
            case = self._episodes.of_site(tx, row.site, row.case_id)
            event = ImageOrderCancelled(accession=accession, note=note)
            self._casework.write(tx, case, case.case_id, [event], caller.actor)

        await self._writer.transact(command)

    async def waiting(self, site: str) -> list[Order]:
        """What a site waits for, the oldest first."""
        return await asyncio.to_thread(self.waiting_sync, site)

    def waiting_sync(self, site: str) -> list[Order]:
        """As `waiting`, for a thread that may wait."""
        with reading(self._engine) as connection:
            rows: Sequence[OrderRow] = order_rows.waiting(connection, site, self._clock.now() - KEPT)
            opened = self._vault.opener(connection, {row.patient for row in rows})
            texts: list[dict[str, Any]] = [
                opened(row.patient, row.sealed, f"order:{row.accession}") for row in rows
            ]
        return [self._order(row, msgspec.convert(text, Wish)) for row, text in zip(rows, texts, strict=True)]

    async def asked(self, site: str) -> list[Order]:
        """Whatever a site asked for as far back as its machines are told of it, the newest first, with what became of
        it; nothing of a patient who was erased."""

        def found() -> list[Order]:
            with reading(self._engine) as connection:
                rows = order_rows.asked(connection, site, self._clock.now() - KEPT, MOST)
                there = [(row, came) for row, came in rows if self._vault.has_key(connection, row.patient)]
                opened = self._vault.opener(connection, {row.patient for row, _ in there})
                return [
                    self._order(
                        row,
                        msgspec.convert(opened(row.patient, row.sealed, f"order:{row.accession}"), Wish),
                        "cancelled" if row.state == "cancelled" else "come" if came else "waiting",
                    )
                    for row, came in there
                ]

        return await asyncio.to_thread(found)

    def _order(
        self, row: OrderRow, wish: Wish, state: Literal["waiting", "come", "cancelled"] = "waiting"
    ) -> Order:
        return Order(
            state=state,
            accession=row.accession,
            study_uid=row.study_uid,
            site=row.site,
            case_id=row.case_id,
            ordered_at=row.ordered_at.astimezone(self._zone_of(row.site)),
            wish=wish,
        )
