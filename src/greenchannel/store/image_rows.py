"""Which images there are: studies, their series, their objects; where the bytes are, and how they are found again.

What names a patient stands in `sealed`, under the patient's key; a search goes by keyed hashes of it. Erasing a patient
(`Vault.erase`) takes all of these rows.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.dialects import sqlite

from greenchannel.store import schema, schema_giving
from greenchannel.store.writer import Tx

_studies, _series, _instances = schema.image_studies, schema.image_series, schema.image_instances
_names = schema.image_names
MOST_LETTERS: Final = 8  # of a word of a name, by which it is found  [E]
MOST_WORDS: Final = 8  # of a name  [E]
NUMBER_LETTERS: Final = (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16)  # beginnings by which a number is found  [E]


class StudyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One study; `sealed` is opened by the archive."""

    study_uid: str
    site: str
    case_id: str
    patient: str  # pseudonym
    study_date: str | None  # YYYYMMDD
    study_time: str | None  # HHMMSS.ffffff
    study_at: datetime | None
    modalities: str  # joined by a backslash
    number_mac: bytes | None
    accession_mac: bytes | None
    instances: int
    expected: int | None
    expected_by: str | None
    state: str
    received_at: datetime
    last_at: datetime
    actor: str
    sealed: bytes
    made_here: int = 0  # objects of our own, which `instances` does not count


class SeriesRow(msgspec.Struct, frozen=True, kw_only=True):
    """One series of a study."""

    study_uid: str
    series_uid: str
    patient: str
    modality: str | None
    number: int | None
    body_part: str | None
    instances: int
    received_at: datetime
    sealed: bytes


class InstanceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One object."""

    sop_uid: str
    study_uid: str
    series_uid: str
    patient: str
    sha256: str
    content_sha256: str
    size_bytes: int
    number: int | None
    sop_class: str
    transfer_syntax: str
    received_at: datetime
    facts: bytes
    made_here: bool = False


# ---------------------------------------------------------------- within a command

# For each object that comes: made once, since to build a statement takes longer than to carry it out.
_OF_STUDY: Final = _studies.c.study_uid == bindparam("study")
_OF_SERIES: Final = (_series.c.study_uid == bindparam("study"), _series.c.series_uid == bindparam("series"))
_STUDY: Final = select(_studies).where(_OF_STUDY)
_INSTANCE: Final = select(_instances).where(_instances.c.sop_uid == bindparam("sop"))
_SERIES_THERE: Final = select(_series.c.series_uid).where(*_OF_SERIES)
_ADD: Final = insert(_instances)
_COUNT_IN_SERIES: Final = update(_series).where(*_OF_SERIES).values(instances=_series.c.instances + 1)
_NOW: Final = bindparam("now", type_=schema.Instant())
_COUNT_IN_STUDY: Final = (
    update(_studies)
    .where(_OF_STUDY)
    .values(instances=_studies.c.instances + 1, last_at=_NOW, state="receiving")
)
_COUNT_MADE_HERE: Final = (
    update(_studies).where(_OF_STUDY).values(made_here=_studies.c.made_here + 1, last_at=_NOW)
)


def study_of(connection: Connection, study_uid: str) -> StudyRow | None:
    """One study."""
    row = connection.execute(_STUDY, {"study": study_uid}).mappings().first()
    return None if row is None else StudyRow(**row)


def instance_of(connection: Connection, sop_uid: str) -> InstanceRow | None:
    """One object."""
    row = connection.execute(_INSTANCE, {"sop": sop_uid}).mappings().first()
    return None if row is None else InstanceRow(**row)


def add_study(tx: Tx, row: StudyRow) -> None:
    """Enter a study, without objects yet."""
    tx.conn.execute(insert(_studies).values(**msgspec.structs.asdict(row)))


def has_series(tx: Tx, study_uid: str, series_uid: str) -> bool:
    """Is this series of the study there?"""
    return tx.conn.execute(_SERIES_THERE, {"study": study_uid, "series": series_uid}).first() is not None


def add_series(tx: Tx, row: SeriesRow) -> None:
    """Enter a series that is not there."""
    tx.conn.execute(insert(_series).values(**msgspec.structs.asdict(row)))


def add_instance(tx: Tx, row: InstanceRow) -> None:
    """Enter an object, and count it in its series and its study, which receives again; one made here apart."""
    tx.conn.execute(_ADD, msgspec.structs.asdict(row))
    tx.conn.execute(_COUNT_IN_SERIES, {"study": row.study_uid, "series": row.series_uid})
    count = _COUNT_MADE_HERE if row.made_here else _COUNT_IN_STUDY
    tx.conn.execute(count, {"study": row.study_uid, "now": tx.now})


def change_study(tx: Tx, study_uid: str, **values: Any) -> None:
    """Set columns of a study."""
    tx.conn.execute(update(_studies).where(_studies.c.study_uid == study_uid).values(**values))


def withdraw_made_here(tx: Tx, study_uid: str) -> None:
    """Take the reports that lie in a study out of it, before it is another patient's: they name the one before. What is
    confirmed for the other is filed anew."""
    ours = (_instances.c.study_uid == study_uid, _instances.c.made_here)
    found = tx.conn.execute(
        select(
            _instances.c.sop_uid, _instances.c.series_uid, _instances.c.patient, _instances.c.sha256
        ).where(*ours)
    ).all()
    forwards, keys = schema_giving.image_forwards, schema.blob_keys
    for row in found:
        tx.conn.execute(delete(_instances).where(_instances.c.sop_uid == row.sop_uid))
        tx.conn.execute(delete(forwards).where(forwards.c.sop_uid == row.sop_uid))
        tx.conn.execute(delete(keys).where(keys.c.patient == row.patient, keys.c.sha256 == row.sha256))
        series = (_series.c.study_uid == study_uid, _series.c.series_uid == row.series_uid)
        tx.conn.execute(delete(_series).where(*series))
    if found:
        left = list(dict.fromkeys(one.modality for one in series_of(tx.conn, study_uid) if one.modality))
        change_study(tx, study_uid, made_here=0, modalities="\\".join(left))


def give(tx: Tx, study_uid: str, patient: str, sealed_series: Mapping[str, bytes], **values: Any) -> None:
    """Give a study, its series (with their texts as sealed for that patient) and its objects to another patient, with
    columns of the study. After `Blobs.share`: the key that the patient before had to bytes of no other object goes."""
    of_study = _instances.c.study_uid == study_uid
    before = tx.conn.execute(select(_instances.c.patient, _instances.c.sha256).where(of_study)).all()
    change_study(tx, study_uid, patient=patient, **values)
    for series_uid, sealed in sealed_series.items():
        one = (_series.c.study_uid == study_uid, _series.c.series_uid == series_uid)
        tx.conn.execute(update(_series).where(*one).values(patient=patient, sealed=sealed))
    tx.conn.execute(update(_instances).where(of_study).values(patient=patient))
    forwards, keys = schema_giving.image_forwards, schema.blob_keys
    tx.conn.execute(update(forwards).where(forwards.c.study_uid == study_uid).values(patient=patient))
    for row in set(before):
        if row.patient == patient:
            continue
        still = select(_instances.c.sop_uid).where(
            _instances.c.patient == row.patient, _instances.c.sha256 == row.sha256
        )
        if tx.conn.execute(still.limit(1)).first() is None:
            tx.conn.execute(delete(keys).where(keys.c.patient == row.patient, keys.c.sha256 == row.sha256))


def forget_names(tx: Tx, patient: str) -> None:
    """Let a patient be found by no name, until `add_names`."""
    tx.conn.execute(delete(_names).where(_names.c.patient == patient))


def add_names(tx: Tx, patient: str, macs: Iterable[bytes]) -> None:
    """Let a patient be found by these; those that are there stay."""
    values = [{"mac": mac, "patient": patient} for mac in macs]
    if not values:
        return
    if tx.conn.dialect.name == "sqlite":
        tx.conn.execute(sqlite.insert(_names).on_conflict_do_nothing(), values)
        return
    known = set(tx.conn.execute(select(_names.c.mac).where(_names.c.patient == patient)).scalars())
    for value in values:
        if value["mac"] not in known:
            tx.conn.execute(insert(_names).values(**value))


# ---------------------------------------------------------------- looking


def series_of(connection: Connection, study_uid: str) -> list[SeriesRow]:
    """The series of a study, by number."""
    query = select(_series).where(_series.c.study_uid == study_uid)
    rows = [SeriesRow(**row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (row.number is None, row.number or 0, row.series_uid))


def instances_of(connection: Connection, study_uid: str, series_uid: str | None = None) -> list[InstanceRow]:
    """The objects of a study or of one of its series, by number."""
    query = select(_instances).where(_instances.c.study_uid == study_uid)
    if series_uid is not None:
        query = query.where(_instances.c.series_uid == series_uid)
    rows = [InstanceRow(**row) for row in connection.execute(query).mappings()]
    return sorted(rows, key=lambda row: (row.series_uid, row.number is None, row.number or 0, row.sop_uid))


def studies_of_cases(connection: Connection, case_ids: Sequence[str]) -> list[StudyRow]:
    """The studies of some cases, newest first."""
    query = select(_studies).where(_studies.c.case_id.in_(case_ids)).order_by(_studies.c.received_at.desc())
    return [StudyRow(**row) for row in connection.execute(query).mappings()]


def studies_of_patient(connection: Connection, patient: str) -> list[str]:
    """The UIDs of a patient's studies."""
    query = select(_studies.c.study_uid).where(_studies.c.patient == patient).order_by(_studies.c.study_uid)
    return list(connection.execute(query).scalars())


def quiet_since(connection: Connection, instant: datetime, most: int) -> list[str]:
    """Studies of which nothing has come since, and that nobody has said to be whole."""
    query = select(_studies.c.study_uid).where(_studies.c.state == "receiving", _studies.c.last_at <= instant)
    return list(connection.execute(query.order_by(_studies.c.last_at).limit(most)).scalars())


# ---------------------------------------------------------------- names and numbers


def words_of(name: str) -> list[str]:
    """The words of a name in lower case, whatever stands between them; of all its ways of writing."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return list(dict.fromkeys(re.findall(r"[^\W_]+", text)))[:MOST_WORDS]


def beginnings(name: str) -> list[str]:
    """The beginnings of the words of a name, and each word whole: all that a search by it may give."""
    found = [
        word[:length] for word in words_of(name) for length in range(1, min(len(word), MOST_LETTERS) + 1)
    ]
    return list(dict.fromkeys(found))


def number_beginnings(number: str) -> list[str]:
    """The beginnings of a patient's number by which a search for a part of it may go."""
    return [number[:length] for length in NUMBER_LETTERS if length <= len(number)]


def longest_beginning(part: str) -> str | None:
    """The longest of `part`'s beginnings that numbers are found by; None where it is empty."""
    return max(number_beginnings(part), key=len, default=None)
