"""Where each ECG's bytes are and which analysis belongs to them: what a case's events say, made quick to find."""

import hashlib
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Engine, Select, delete, insert, select, update

from greenchannel.store import schema
from greenchannel.store.engine import reading
from greenchannel.store.errors import AnalysisDamaged
from greenchannel.store.writer import Tx

__all__ = [
    "AnalysisDamaged",
    "EcgRow",
    "add_ecg",
    "case_of",
    "find_same",
    "find_same_bytes_at_site",
    "get_analysis",
    "get_ecg",
    "move_ecg",
    "put_analysis",
    "row_of",
    "set_analysis",
]

_ecgs = schema.ecgs
_analyses = schema.analyses


class EcgRow(msgspec.Struct, frozen=True, kw_only=True):
    """One ECG."""

    ecg_id: str
    case_id: str
    site: str
    patient: str  # pseudonym
    sha256: str  # of the original bytes
    received_at: datetime
    analysis_sha256: str | None  # None: not analysed yet


def find_same(tx: Tx, site: str, patient: str, sha256: str) -> EcgRow | None:
    """The ECG of this patient that has these very bytes."""
    mine = select(_ecgs).where(_ecgs.c.site == site, _ecgs.c.patient == patient, _ecgs.c.sha256 == sha256)
    return _first(tx, mine)


def find_same_bytes_at_site(tx: Tx, site: str, sha256: str) -> EcgRow | None:
    """The first ECG of this site that has these bytes, whoever's it is."""
    return _first(tx, select(_ecgs).where(_ecgs.c.site == site, _ecgs.c.sha256 == sha256))


def case_of(tx: Tx, ecg_id: str) -> str | None:
    """The case an ECG is in as of this transaction; None for an ECG that was never entered."""
    found: str | None = tx.conn.execute(
        select(_ecgs.c.case_id).where(_ecgs.c.ecg_id == ecg_id)
    ).scalar_one_or_none()
    return found


def row_of(tx: Tx, ecg_id: str) -> EcgRow | None:
    """One ECG as of this transaction."""
    return _first(tx, select(_ecgs).where(_ecgs.c.ecg_id == ecg_id))


def add_ecg(
    tx: Tx,
    *,
    ecg_id: str,
    case_id: str,
    site: str,
    patient: str,
    sha256: str,
    received_at: datetime | None = None,
) -> EcgRow:
    """Enter an ECG; received now, where nothing else is said."""
    row = EcgRow(
        ecg_id=ecg_id,
        case_id=case_id,
        site=site,
        patient=patient,
        sha256=sha256,
        received_at=received_at or tx.now,
        analysis_sha256=None,
    )
    tx.conn.execute(insert(_ecgs).values(**msgspec.structs.asdict(row)))
    return row


def get_ecg(engine: Engine, ecg_id: str) -> EcgRow | None:
    """One ECG by its id."""
    with reading(engine) as connection:
        row = connection.execute(select(_ecgs).where(_ecgs.c.ecg_id == ecg_id)).mappings().one_or_none()
    return None if row is None else EcgRow(**row)


def put_analysis(tx: Tx, sha256: str, body: bytes) -> None:
    """Keep an analyze object under the hash of its own bytes; the same again changes nothing.

    Raises
    ------
    ValueError
        `sha256` is not the hash of `body`.
    """
    found = hashlib.sha256(body).hexdigest()
    if found != sha256:
        raise ValueError(f"expected an analysis with SHA-256 {sha256}, got one with {found}")
    there = tx.conn.execute(select(_analyses.c.sha256).where(_analyses.c.sha256 == sha256)).one_or_none()
    if there is None:
        tx.conn.execute(insert(_analyses).values(sha256=sha256, body=body))


def get_analysis(engine: Engine, sha256: str) -> bytes | None:
    """The analyze object kept under this hash.

    Raises
    ------
    AnalysisDamaged
        Its bytes were changed since: the log says by its hash which analysis a decision was made on.
    """
    with reading(engine) as connection:
        query = select(_analyses.c.body).where(_analyses.c.sha256 == sha256)
        body: bytes | None = connection.execute(query).scalar_one_or_none()
    if body is not None and hashlib.sha256(body).hexdigest() != sha256:
        raise AnalysisDamaged(f"expected the analysis with SHA-256 {sha256}, got other bytes under this name")
    return body


def set_analysis(tx: Tx, ecg_id: str, sha256: str) -> None:
    """Say which analysis is the ECG's; raises `LookupError` where there is no such ECG."""
    change = update(_ecgs).where(_ecgs.c.ecg_id == ecg_id).values(analysis_sha256=sha256)
    if tx.conn.execute(change).rowcount == 0:
        raise LookupError(f"expected an ECG that was entered, there is none called {ecg_id!r}")


def move_ecg(tx: Tx, ecg_id: str, case_id: str, patient: str) -> None:
    """Put an ECG into another case, of another patient, after `Blobs.share`; its identity and bytes stay.

    Where the patient it was with has no other ECG of these bytes, that patient's key to them goes: else they would
    outlive the erasure of the one they are of.

    Raises
    ------
    LookupError
        There is no such ECG.
    """
    before = tx.conn.execute(
        select(_ecgs.c.patient, _ecgs.c.sha256).where(_ecgs.c.ecg_id == ecg_id)
    ).one_or_none()
    if before is None:
        raise LookupError(f"expected an ECG that was entered, there is none called {ecg_id!r}")
    tx.conn.execute(update(_ecgs).where(_ecgs.c.ecg_id == ecg_id).values(case_id=case_id, patient=patient))
    prints = schema.ecg_prints
    tx.conn.execute(update(prints).where(prints.c.ecg_id == ecg_id).values(patient=patient))
    same = (_ecgs.c.patient == before.patient, _ecgs.c.sha256 == before.sha256)
    if tx.conn.execute(select(_ecgs.c.ecg_id).where(*same).limit(1)).one_or_none() is None:
        keys = schema.blob_keys
        old = delete(keys).where(keys.c.patient == before.patient, keys.c.sha256 == before.sha256)
        tx.conn.execute(old)


def _first(tx: Tx, query: Select[Any]) -> EcgRow | None:
    row = (
        tx.conn.execute(query.order_by(_ecgs.c.received_at, _ecgs.c.ecg_id).limit(1)).mappings().one_or_none()
    )
    return None if row is None else EcgRow(**row)
