"""Which images are there that a search asks for: a page of them, found by their keys and then read whole.

The keys of a page are found first, over what the search goes by alone; only the rows of the page are read whole, each
with its patient's key and what is counted of it. A statement is built once for each form of a search and kept.
"""

import functools
from collections.abc import Collection, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, bindparam, func, intersect, literal_column, select, union_all

from greenchannel.store import schema
from greenchannel.store.image_rows import InstanceRow, SeriesRow, StudyRow

_studies, _series, _instances = schema.image_studies, schema.image_series, schema.image_instances
_names, _keys = schema.image_names, schema.patient_keys
_ALL: Final = 2**31


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What a search asks for; None asks for nothing. Sequences: any of them."""

    study_uids: tuple[str, ...] | None = None
    series_uids: tuple[str, ...] | None = None
    sop_uids: tuple[str, ...] | None = None
    case_ids: tuple[str, ...] | None = None
    patients: tuple[str, ...] | None = None  # pseudonyms
    number_mac: bytes | None = None
    accession_mac: bytes | None = None
    name_macs: tuple[bytes, ...] = ()  # all of them
    dates: tuple[str | None, str | None] | None = None  # YYYYMMDD, both included
    times: tuple[str | None, str | None] | None = None  # HHMMSS, both included
    modalities: tuple[str, ...] | None = None
    body_parts: tuple[str, ...] | None = None
    sop_classes: tuple[str, ...] | None = None
    series_number: int | None = None
    instance_number: int | None = None


class Found(NamedTuple):
    """One result, with the levels above its own."""

    study: StudyRow
    series: SeriesRow | None
    instance: InstanceRow | None
    wrapped_key: bytes | None  # of the patient; None: erased
    series_count: int | None  # of a study, where studies are searched


def search(
    connection: Connection,
    level: str,
    wanted: Wanted,
    *,
    limit: int,
    offset: int,
    sites: Collection[str] | None,
    shared: Collection[str] = (),
) -> list[Found]:
    """Results of one level ("study", "series", "instance"), newest study first.

    `sites`: whose studies may be found, None: all; `shared`: studies that may be found beside them.
    """
    values = _values(wanted)
    if sites is not None:
        values["sites"] = sorted(sites)
        if shared:
            values["shared"] = sorted(shared)
    names = len(wanted.name_macs)
    query = _statement(level, frozenset(values), names)
    values |= {f"name_{number}": mac for number, mac in enumerate(wanted.name_macs)}
    rows = connection.execute(query, values | {"most": limit, "beyond": offset})
    return [_found(level, row) for row in rows]


def _values(wanted: Wanted) -> dict[str, Any]:
    """What is asked for by the name of its parameter; what is not asked for is not in it."""
    found = {
        name: getattr(wanted, name)
        for name in (*_LISTS, *_NUMBERS, "number_mac", "accession_mac")
        if getattr(wanted, name) is not None
    }
    for name, span in (("date", wanted.dates), ("time", wanted.times)):
        if span is not None:
            ends = zip((f"{name}_from", f"{name}_to"), span, strict=True)
            found |= {end: value for end, value in ends if value is not None}
    return found


_LISTS: Final[dict[str, Any]] = {
    "study_uids": _studies.c.study_uid,
    "case_ids": _studies.c.case_id,
    "patients": _studies.c.patient,
    "series_uids": _series.c.series_uid,
    "modalities": _series.c.modality,
    "body_parts": _series.c.body_part,
    "sop_uids": _instances.c.sop_uid,
    "sop_classes": _instances.c.sop_class,
}
_NUMBERS: Final[dict[str, Any]] = {
    "series_number": _series.c.number,
    "instance_number": _instances.c.number,
}
_FEW: Final = frozenset({"study_uids", "case_ids", "patients", "number_mac", "accession_mac"})
_TABLES: Final[dict[str, tuple[Any, ...]]] = {
    "study": (_studies,),
    "series": (_studies, _series),
    "instance": (_studies, _series, _instances),
}
_ORDER: Final[dict[str, tuple[Any, ...]]] = {
    "study": (_studies.c.received_at, _studies.c.study_uid),
    "series": (_series.c.number, _series.c.series_uid),
    "instance": (_instances.c.number, _instances.c.sop_uid),
}


@functools.lru_cache(maxsize=512)
def _statement(level: str, given: frozenset[str], names: int) -> Select[Any]:
    """The statement of a form of search: which parameters it has, and how many names."""
    conditions = _conditions(level, given, names)
    if "sites" not in given:
        keys: Any = _keys_of(level, conditions)
    else:
        own = _own_sites(given, names)
        keys = _keys_of(level, [*conditions, own])
        if "shared" in given:
            # Apart: one condition for both would keep either index from being walked in the order of the page.
            others = _studies.c.study_uid.in_(bindparam("shared", expanding=True))
            keys = union_all(keys, _keys_of(level, [*conditions, others, ~own]))
    found = keys.subquery()
    page = _ordered(select(found), found.c).limit(bindparam("most")).offset(bindparam("beyond")).subquery()
    columns = [column for table in _TABLES[level] for column in table.c]
    counted: Any = literal_column("NULL")
    if level == "study":
        counted = select(func.count()).where(_series.c.study_uid == _studies.c.study_uid).scalar_subquery()
    query = select(*columns, _keys.c.wrapped_key, counted).select_from(page)
    query = query.join(_studies, _studies.c.study_uid == page.c.study_uid)
    if level != "study":
        same = (_series.c.study_uid == page.c.study_uid) & (_series.c.series_uid == page.c.series_uid)
        query = query.join(_series, same)
    if level == "instance":
        query = query.join(_instances, _instances.c.sop_uid == page.c.sop_uid)
    query = query.outerjoin(_keys, _keys.c.patient == _studies.c.patient)
    return _ordered(query, page.c)


def _keys_of(level: str, conditions: Sequence[Any]) -> Select[Any]:
    """By what a page is found again and put in order, of all that fits."""
    labels = [
        column.label(name)
        for at, names in zip(_TABLES, _KEYS, strict=True)
        for column, name in zip(_ORDER[at], names, strict=True)
    ]
    query = select(*labels[: 2 * len(_TABLES[level])]).select_from(_studies)
    if level != "study":
        query = query.join(_series, _series.c.study_uid == _studies.c.study_uid)
    if level == "instance":
        on = (_instances.c.study_uid == _series.c.study_uid) & (
            _instances.c.series_uid == _series.c.series_uid
        )
        query = query.join(_instances, on)
    return query.where(*conditions)


_KEYS: Final = (
    ("received_at", "study_uid"),
    ("series_number", "series_uid"),
    ("instance_number", "sop_uid"),
)


def _ordered(query: Select[Any], columns: Any) -> Select[Any]:
    names = [name for pair in _KEYS for name in pair if name in columns]
    return query.order_by(columns.received_at.desc(), *(columns[name] for name in names[1:]))


def _own_sites(given: frozenset[str], names: int) -> Any:
    narrow = bool(names) or bool(given & _FEW)
    # Where anything else finds a few rows, the index of the site must not be walked in its stead.
    site: Any = func.coalesce(_studies.c.site, "") if narrow else _studies.c.site
    return site.in_(bindparam("sites", expanding=True))


def _conditions(level: str, given: frozenset[str], names: int) -> list[Any]:
    found: list[Any] = []
    for name in ("number_mac", "accession_mac"):
        if name in given:
            found.append(_studies.c[name] == bindparam(name))
    if names:
        found.append(_studies.c.patient.in_(_named(names)))
    found += _between(_studies.c.study_date, "date", given)
    found += _between(func.substr(_studies.c.study_time, 1, 6), "time", given)
    of: dict[str, list[Any]] = {"image_studies": found, "image_series": [], "image_instances": []}
    for name, column in _LISTS.items():
        if name in given:
            of[column.table.name].append(column.in_(bindparam(name, expanding=True)))
    for name, column in _NUMBERS.items():
        if name in given:
            of[column.table.name].append(column == bindparam(name))
    series, instance = of["image_series"], of["image_instances"]
    if series and level == "study":
        there: Select[Any] = select(literal_column("1")).where(
            _series.c.study_uid == _studies.c.study_uid, *series
        )
        found.append(there.correlate(_studies).exists())
    else:
        found += series
    if instance and level != "instance":
        above = [_instances.c.study_uid == _studies.c.study_uid]
        if level == "series":
            above.append(_instances.c.series_uid == _series.c.series_uid)
        found.append(
            select(literal_column("1")).where(*above, *instance).correlate(_studies, _series).exists()
        )
    else:
        found += instance
    return found


def _named(names: int) -> Select[Any]:
    """The patients who have all of these names.

    SQLite walks the lists side by side, each in the order of its index, where their common part is asked for in order;
    it keeps to an order below another statement only where that has a bound.
    """
    lists = [
        select(_names.c.patient).where(_names.c.mac == bindparam(f"name_{number}")) for number in range(names)
    ]
    if names == 1:
        return lists[0]
    found = intersect(*lists).order_by("patient").limit(_ALL).subquery()
    return select(found.c.patient)


def _between(column: Any, name: str, given: frozenset[str]) -> list[Any]:
    """Between both ends, as far as they are given; what has no value is between none."""
    found: list[Any] = []
    if f"{name}_from" in given:
        found.append(column >= bindparam(f"{name}_from"))
    if f"{name}_to" in given:
        found.append(column <= bindparam(f"{name}_to"))
    return found


# ---------------------------------------------------------------- rows

_KINDS: Final[dict[str, tuple[tuple[Any, tuple[str, ...]], ...]]] = {
    level: tuple(
        (kind, tuple(column.name for column in table.c))
        for kind, table in zip((StudyRow, SeriesRow, InstanceRow), tables, strict=False)
    )
    for level, tables in _TABLES.items()
}


def _found(level: str, row: Any) -> Found:
    made: list[Any] = []
    at = 0
    for kind, names in _KINDS[level]:
        made.append(kind(**dict(zip(names, row[at : at + len(names)], strict=True))))
        at += len(names)
    study, series, instance = (*made, None, None)[:3]
    return Found(study, series, instance, row[at], row[at + 1])
