"""Images that are sent on: what waits for which destination, whose turn it is, what became of it.

New objects are found by what is missing here, not by a call from where they came in: so none is forgotten by a process
that died between the two.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import Connection, Select, and_, func, insert, or_, select, update

from greenchannel.store import schema, schema_giving
from greenchannel.store.writer import Tx

_forwards, _studies, _instances = schema_giving.image_forwards, schema.image_studies, schema.image_instances

State = Literal["waiting", "sent", "refused"]
NAMES_ANOTHER: Final = "names_another_patient"
"""Why a study that a person moved is not sent on; of what was sent before: it lies there under another patient."""


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """One object on its way to one destination."""

    destination: str
    sop_uid: str
    study_uid: str
    patient: str
    state: State
    attempts: int  # that have ended
    next_at: datetime
    reason: str | None
    receipt: str | None
    created_at: datetime
    ended_at: datetime | None


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """One that is to be sent now, with what a sender must know of the object."""

    sop_uid: str
    study_uid: str
    attempts: int
    sop_class: str
    transfer_syntax: str


def add_new(
    tx: Tx, destination: str, *, sites: Sequence[str], not_from: str | None, since: datetime | None, most: int
) -> int:
    """Enter objects that have no row for a destination; gives their number.

    Parameters
    ----------
    sites
        Whose; none: all.
    not_from
        The actor that stands for the destination itself: what came from there is not sent back, a report on it is.
    since
        Studies of which nothing has come since then are not looked at; None: all.
    """
    query = _new(destination, sites, not_from, since)
    found = tx.conn.execute(query.order_by(_studies.c.last_at).limit(most)).all()
    if found:
        values = [
            {
                "destination": destination, "sop_uid": row.sop_uid, "study_uid": row.study_uid,
                "patient": row.patient, "state": "waiting", "attempts": 0, "next_at": tx.now, "created_at": tx.now,
            }
            for row in found
        ]  # fmt: skip
        tx.conn.execute(insert(_forwards), values)
    return len(found)


def any_new(
    connection: Connection,
    destination: str,
    *,
    sites: Sequence[str],
    not_from: str | None,
    since: datetime | None,
) -> bool:
    """Would `add_new` find any?"""
    return connection.execute(_new(destination, sites, not_from, since).limit(1)).first() is not None


def _new(
    destination: str, sites: Sequence[str], not_from: str | None, since: datetime | None
) -> Select[tuple[str, str, str]]:
    query = (
        select(_instances.c.sop_uid, _instances.c.study_uid, _instances.c.patient)
        .join(_studies, _studies.c.study_uid == _instances.c.study_uid)
        .outerjoin(
            _forwards,
            and_(_forwards.c.destination == destination, _forwards.c.sop_uid == _instances.c.sop_uid),
        )
        .where(_forwards.c.sop_uid.is_(None))
    )
    if since is not None:
        query = query.where(_studies.c.last_at >= since)
    if sites:
        query = query.where(_studies.c.site.in_(sites))
    if not_from is not None:
        query = query.where(or_(_studies.c.actor != not_from, _instances.c.made_here))
    return query


def due(connection: Connection, destination: str, now: datetime, most: int) -> list[Due]:
    """Up to `most` whose turn it is, those that wait longest first, by study."""
    query = (
        select(
            _forwards.c.sop_uid,
            _forwards.c.study_uid,
            _forwards.c.attempts,
            _instances.c.sop_class,
            _instances.c.transfer_syntax,
        )
        .join(_instances, _instances.c.sop_uid == _forwards.c.sop_uid)
        .where(
            _forwards.c.destination == destination, _forwards.c.state == "waiting", _forwards.c.next_at <= now
        )
        .order_by(_forwards.c.next_at, _forwards.c.study_uid, _instances.c.number)
        .limit(most)
    )
    return [Due(**row) for row in connection.execute(query).mappings()]


def put(tx: Tx, destination: str, sop_uid: str, **values: Any) -> None:
    """Set columns of one row."""
    tx.conn.execute(
        update(_forwards)
        .where(_forwards.c.destination == destination, _forwards.c.sop_uid == sop_uid)
        .values(**values)
    )


def again(tx: Tx, destination: str, study_uid: str | None = None) -> int:
    """Let what was refused, or waits for a later try, be tried at once; gives the number of objects."""
    query = update(_forwards).where(_forwards.c.destination == destination, _forwards.c.state != "sent")
    if study_uid is not None:
        query = query.where(_forwards.c.study_uid == study_uid)
    return tx.conn.execute(query.values(state="waiting", next_at=tx.now, ended_at=None)).rowcount


def moved(tx: Tx, study_uid: str, *, names_another: bool) -> None:
    """A study is another patient's now: what was held for that is looked at anew, and of what had gone before stands
    whether it lies elsewhere under a patient whom it is not of."""
    of_study = _forwards.c.study_uid == study_uid
    held = (of_study, _forwards.c.state == "refused", _forwards.c.reason == NAMES_ANOTHER)
    anew = {"state": "waiting", "next_at": tx.now, "ended_at": None, "reason": None}
    tx.conn.execute(update(_forwards).where(*held).values(**anew))
    gone = update(_forwards).where(of_study, _forwards.c.state == "sent")
    tx.conn.execute(gone.values(reason=NAMES_ANOTHER if names_another else None))


def of_study(connection: Connection, study_uid: str) -> list[Forward]:
    """What became of the objects of a study."""
    query = select(_forwards).where(_forwards.c.study_uid == study_uid)
    query = query.order_by(_forwards.c.destination, _forwards.c.sop_uid)
    return [Forward(**row) for row in connection.execute(query).mappings()]


def summary(connection: Connection) -> list[dict[str, Any]]:
    """By destination and state: how many, since when the oldest, and the newest reason."""
    query = select(
        _forwards.c.destination,
        _forwards.c.state,
        func.count().label("objects"),
        func.min(_forwards.c.created_at, type_=schema.Instant()).label("oldest_at"),
        func.max(_forwards.c.reason).label("reason"),
    ).group_by(_forwards.c.destination, _forwards.c.state)
    return [dict(row) for row in connection.execute(query.order_by("destination", "state")).mappings()]
