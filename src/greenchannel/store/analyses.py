"""Are the analyses that the log names still what they were? Each event of a reading has the hash of its analysis."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, select

from greenchannel.store import schema
from greenchannel.store.engine import reading

PAGE: Final = 200  # analyses held in memory at once; each has some ten kilobytes
READ: Final = "ecg_analysed"  # the type of the log's rows that name one


class _Named(msgspec.Struct, frozen=True):
    ecg_id: str
    analysis_sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class BadAnalysis:
    """An analysis that is not as the log has it."""

    seq: int  # of the event that names it
    ecg_id: str
    reason: str


def verify_analyses(engine: Engine) -> tuple[int, list[BadAnalysis]]:
    """Look at every analysis that an unbroken log names.

    Returns how many events name one, and the analyses that are missing or have other bytes.
    """
    count, bad = 0, []
    with reading(engine) as connection:
        for seq, named, body in _named(connection):
            count += 1
            if body is None:
                bad.append(BadAnalysis(seq=seq, ecg_id=named.ecg_id, reason="its analysis is not there"))
            elif hashlib.sha256(body).hexdigest() != named.analysis_sha256:
                bad.append(BadAnalysis(seq=seq, ecg_id=named.ecg_id, reason="its analysis has other bytes"))
    return count, bad


def _named(connection: Connection) -> Iterator[tuple[int, _Named, bytes | None]]:
    log, table = schema.log, schema.analyses
    last = 0
    while True:
        query = select(log.c.seq, log.c.body).where(log.c.type == READ, log.c.seq > last)
        rows = [
            (row.seq, msgspec.json.decode(row.body, type=_Named))
            for row in connection.execute(query.order_by(log.c.seq).limit(PAGE))
        ]
        if not rows:
            return
        hashes = {named.analysis_sha256 for _, named in rows}
        found = {
            row.sha256: row.body
            for row in connection.execute(
                select(table.c.sha256, table.c.body).where(table.c.sha256.in_(hashes))
            )
        }
        for seq, named in rows:
            yield seq, named, found.get(named.analysis_sha256)
        last = rows[-1][0]
