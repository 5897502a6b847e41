"""Under which identifier an ECG came that is a DICOM object: it stands in its bytes, and is written down once read."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from sqlalchemy import Connection, and_, insert, or_, select

from greenchannel.store import schema, schema_giving
from greenchannel.store.ecg_rows import EcgRow
from greenchannel.store.writer import Tx

_ecgs, _keys, _objects = schema.ecgs, schema.patient_keys, schema_giving.ecg_objects


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """What the bytes of an ECG say; both None: it is no DICOM object."""

    ecg_id: str
    sop_uid: str | None
    sop_class: str | None


def found(connection: Connection, site: str, sop_uid: str) -> list[tuple[EcgRow, str]]:
    """The ECGs of a site that came under an identifier, newest first, each with its SOP class."""
    query = select(_ecgs, _objects.c.sop_class).join(_objects, _objects.c.ecg_id == _ecgs.c.ecg_id)
    query = query.where(_objects.c.sop_uid == sop_uid, _ecgs.c.site == site)
    rows = connection.execute(query.order_by(_ecgs.c.received_at.desc())).mappings()
    fields = EcgRow.__struct_fields__
    return [(EcgRow(**{name: row[name] for name in fields}), row["sop_class"]) for row in rows]


def unread(connection: Connection, site: str, after: tuple[datetime, str] | None, most: int) -> list[EcgRow]:
    """Up to `most` ECGs of a site of which that is not known, newest first; `after`: behind this instant and id. Those
    of erased patients are not among them."""
    query = (
        select(_ecgs)
        .join(_keys, _keys.c.patient == _ecgs.c.patient)
        .outerjoin(_objects, _objects.c.ecg_id == _ecgs.c.ecg_id)
        .where(_ecgs.c.site == site, _objects.c.ecg_id.is_(None))
    )
    if after is not None:
        at, ecg_id = after
        same = and_(_ecgs.c.received_at == at, _ecgs.c.ecg_id < ecg_id)
        query = query.where(or_(_ecgs.c.received_at < at, same))
    query = query.order_by(_ecgs.c.received_at.desc(), _ecgs.c.ecg_id.desc()).limit(most)
    return [EcgRow(**row) for row in connection.execute(query).mappings()]


def put(tx: Tx, rows: Sequence[Named]) -> None:
    """Write down what was read; nothing of whom was erased meanwhile, and nothing twice."""
    ids = [row.ecg_id for row in rows]
    there = (
        select(_ecgs.c.ecg_id).join(_keys, _keys.c.patient == _ecgs.c.patient).where(_ecgs.c.ecg_id.in_(ids))
    )
    known = select(_objects.c.ecg_id).where(_objects.c.ecg_id.in_(ids))
    wanted = set(tx.conn.execute(there).scalars()) - set(tx.conn.execute(known).scalars())
    values = [msgspec.structs.asdict(row) for row in rows if row.ecg_id in wanted]
    if values:
        tx.conn.execute(insert(_objects), values)
