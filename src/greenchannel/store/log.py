"""Reading the log, from any thread, beside the writer."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select

from greenchannel.events import Envelope
from greenchannel.store import rows, schema, walking
from greenchannel.store.chain import Link, VerifyReport, verify_chain
from greenchannel.store.engine import reading

__all__ = ["Log", "VerifyReport"]


class Log:
    """The log as readers see it: what is committed, in one order, without gaps."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self, after: int = 0, limit: int | None = None) -> list[Envelope]:
        """Up to `limit` events with a sequence number above `after`, in order."""
        query = rows.ENVELOPES.where(schema.log.c.seq > after).order_by(schema.log.c.seq).limit(limit)
        with reading(self._engine) as connection:
            return rows.to_envelopes(connection.execute(query))

    def read_kinds(
        self, kinds: Collection[str], *, before: datetime, after: int = 0, limit: int | None = None
    ) -> list[Envelope]:
        """As `read`, only events of these names that were appended before an instant."""
        query = (
            rows.ENVELOPES.where(
                schema.log.c.seq > after, schema.log.c.type.in_(kinds), schema.log.c.at < before
            )
            .order_by(schema.log.c.seq)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return rows.to_envelopes(connection.execute(query))

    def read_stream(self, stream: str, after: int = 0) -> list[Envelope]:
        """The events of one stream with a version above `after`, in order."""
        with reading(self._engine) as connection:
            return rows.read_stream(connection, stream, after)

    def head(self) -> tuple[int, bytes]:
        """Sequence number and hash of the newest event; ``(0, 32 zero bytes)`` while there is none."""
        with reading(self._engine) as connection:
            row = connection.execute(select(schema.log_head.c.seq, schema.log_head.c.hash)).one()
        return row.seq, row.hash

    def verify(self, known: Mapping[int, bytes] | None = None) -> VerifyReport:
        """Walk along the whole chain as it stands now.

        Parameters
        ----------
        known : mapping of int to bytes, optional
            Sequence numbers and hashes from earlier calls of `head` that were kept elsewhere. Without them a chain
            that was computed anew from some row on, head row and all, cannot be told from a true one.
        """
        with reading(self._engine) as connection:
            head = connection.execute(select(schema.log_head.c.seq, schema.log_head.c.hash)).one_or_none()
            return verify_chain(_links(connection), None if head is None else (head.seq, head.hash), known)


def _links(connection: Connection) -> Iterator[Link]:
    return walking.links(connection, rows.LINKS, schema.log.c.seq, _link)


def _link(row: Any) -> Link:
    seq, *facts, body, link_hash = row
    return Link(seq=seq, facts=facts, body=body, hash=link_hash)
