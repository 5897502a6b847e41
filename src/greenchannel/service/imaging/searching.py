"""A search of the archive, from its words to opened results. Runs in a thread that may wait."""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine

from greenchannel.ingest.errors import IngestError
from greenchannel.service.imaging import records
from greenchannel.service.imaging.query import like_of, wanted_of
from greenchannel.service.imaging.records import Hit, SeriesText, StudyText
from greenchannel.store import image_search
from greenchannel.store.engine import reading
from greenchannel.store.image_search import Found, Wanted
from greenchannel.store.vault import Vault

OPENED_AT_ONCE: Final = 500
MOST_OPENED: Final = 10_000  # studies, to compare a value with wildcards  [E]

_STUDY: Final = msgspec.json.Decoder(StudyText)
_SERIES: Final = msgspec.json.Decoder(SeriesText)


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched for, and by whom."""

    level: str  # "study", "series", "instance"
    filters: Mapping[str, str]  # see `query`
    limit: int = 100
    offset: int = 0
    sites: frozenset[str] | None = None  # whose studies the caller may see; None: all
    shared: Collection[str] = ()  # studies that the caller may see beside them
    patient: str | None = None  # a pseudonym: only what is that patient's


def search(engine: Engine, vault: Vault, asked: Search) -> list[Hit]:
    """Results, newest study first.

    Raises
    ------
    IngestError
        ``bad_field``: a filter that cannot be read, or one with wildcards that leaves too much to compare.
    """
    wanted = wanted_of(asked.filters, vault.image_mac)
    if asked.patient is not None:
        wanted = msgspec.structs.replace(wanted, patients=(asked.patient,))
    fits = like_of(asked.filters)
    with reading(engine) as connection:
        opener = _Opener(vault)
        if fits is None:
            rows = _rows(connection, asked, wanted, asked.limit, asked.offset)
            return [opener.hit(row) for row in rows if row.wrapped_key is not None]  # erased meanwhile
        found: list[Hit] = []
        beyond = asked.offset
        for row in _all_rows(connection, asked, wanted):
            if row.wrapped_key is None or not fits(opener.study_text(row)):
                continue
            if beyond:
                beyond -= 1
            elif len(found) < asked.limit:
                found.append(opener.hit(row))
            else:
                break
        return found


def _rows(connection: Connection, asked: Search, wanted: Wanted, limit: int, offset: int) -> list[Found]:
    return image_search.search(
        connection, asked.level, wanted, limit=limit, offset=offset, sites=asked.sites, shared=asked.shared
    )


def _all_rows(connection: Connection, asked: Search, wanted: Wanted) -> Iterator[Found]:
    for offset in range(0, MOST_OPENED, OPENED_AT_ONCE):
        rows = _rows(connection, asked, wanted, OPENED_AT_ONCE, offset)
        yield from rows
        if len(rows) < OPENED_AT_ONCE:
            return
    raise IngestError(
        "bad_field",
        "a value with wildcards leaves too much to compare",
        "more of its beginning, or a day as well",
        f"more than {MOST_OPENED} results",
    )


class _Opener:
    """Opens the rows of one search; what belongs to several of them once."""

    def __init__(self, vault: Vault) -> None:
        self._opened = vault.text_opener()
        self._studies: dict[str, records.ImageStudy] = {}

    def study_text(self, row: Found) -> StudyText:
        return self._study(row).text

    def _study(self, row: Found) -> records.ImageStudy:
        study, wrapped = row.study, row.wrapped_key
        assert wrapped is not None
        found = self._studies.get(study.study_uid)
        if found is None:
            text = _STUDY.decode(self._opened(study.patient, wrapped, study.sealed, study.study_uid))
            found = self._studies[study.study_uid] = records.study_with(study, text)
        return found

    def hit(self, row: Found) -> Hit:
        """One result."""
        series, wrapped = row.series, row.wrapped_key
        assert wrapped is not None
        opened = None
        if series is not None:
            text = _SERIES.decode(self._opened(series.patient, wrapped, series.sealed, series.series_uid))
            opened = records.series_with(series, text)
        return Hit(
            study=self._study(row),
            series=opened,
            instance=None if row.instance is None else records.instance_of(row.instance),
            series_count=row.series_count,
        )
