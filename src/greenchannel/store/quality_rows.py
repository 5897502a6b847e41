"""The read model of quality: one record a case, as the log stood at one sequence number.

Nothing here is the truth of anything: it is written from the log, and thrown away where it was written another way.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, Select, delete, insert, select

from greenchannel.store import schema
from greenchannel.store.engine import reading, writing

_records, _numbers, _head = schema.quality_records, schema.quality_numbers, schema.quality_head
AT_ONCE: Final = 100  # rows of one transaction: whoever else writes gets a turn between
_MOST_NAMED: Final = 500  # sites in one query


class QualityRow(msgspec.Struct, frozen=True, kw_only=True):
    """The record of one case; `body` None: it counts nowhere, and its rows go."""

    case_id: str
    site: str
    began_at: datetime
    body: bytes | None
    numbers: bytes = b""
    labels: bytes = b""


def head(engine: Engine, layout: str) -> int:
    """Which event is the newest that is in; 0 where nothing is, or where it is written another way."""
    with reading(engine) as connection:
        row = connection.execute(select(_head.c.seq, _head.c.layout)).one_or_none()
    return row.seq if row is not None and row.layout == layout else 0


def numbers(engine: Engine) -> Sequence[tuple[str, bytes, bytes]]:
    """Case, numbers and labels of all records."""
    query = select(_numbers.c.case_id, _numbers.c.numbers, _numbers.c.labels)
    with reading(engine) as connection:
        cursor = connection.execute(query).cursor
        assert cursor is not None
        found: Sequence[tuple[str, bytes, bytes]] = (
            cursor.fetchall()
        )  # as the driver has them: there are many
    return found


def bodies(
    engine: Engine,
    sites: frozenset[str] | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
) -> list[bytes]:
    """Records of cases of these sites (None: all) that began from `start` on and before `end`, oldest first."""
    query = select(_records.c.body)
    if start is not None:
        query = query.where(_records.c.began_at >= start)
    if end is not None:
        query = query.where(_records.c.began_at < end)
    query = query.order_by(_records.c.began_at, _records.c.case_id)
    if sites is None or len(sites) <= _MOST_NAMED:
        return _bodies(engine, query if sites is None else query.where(_records.c.site.in_(sorted(sites))))
    with reading(engine) as connection:
        rows = connection.execute(query.add_columns(_records.c.site)).all()
    return [row.body for row in rows if row.site in sites]


def _bodies(engine: Engine, query: Select[tuple[bytes]]) -> list[bytes]:
    with reading(engine) as connection:
        return [row.body for row in connection.execute(query)]


def replace(engine: Engine, rows: Iterable[QualityRow], seq: int | None, layout: str) -> None:
    """Write rows in place of those of the same cases, then that everything up to `seq` is in (None: not yet).

    A crash between leaves an older head: what is in already is written once more.
    """
    listed = list(rows)
    for first in range(0, len(listed), AT_ONCE):
        with writing(engine) as connection:
            _replace(connection, listed[first : first + AT_ONCE])
    if seq is None:
        return
    with writing(engine) as connection:
        connection.execute(delete(_head))
        connection.execute(insert(_head).values(id=1, seq=seq, layout=layout))


def clear(engine: Engine) -> None:
    """Throw all away."""
    with writing(engine) as connection:
        for table in (_head, _numbers, _records):
            connection.execute(delete(table))


def _replace(connection: Connection, rows: Sequence[QualityRow]) -> None:
    ids = [row.case_id for row in rows]
    for table in (_records, _numbers):
        connection.execute(delete(table).where(table.c.case_id.in_(ids)))
    kept = [row for row in rows if row.body is not None]
    if not kept:
        return
    connection.execute(
        insert(_records),
        [{name: getattr(row, name) for name in ("case_id", "site", "began_at", "body")} for row in kept],
    )
    connection.execute(
        insert(_numbers),
        [{name: getattr(row, name) for name in ("case_id", "numbers", "labels")} for row in kept],
    )
