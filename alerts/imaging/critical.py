"""Critical results: the table of what must be told, by when, how, and to whom."""

from datetime import datetime, timedelta
from functools import cache

import msgspec

from greenchannel.alerts.imaging.reading import Reading, Signed
from greenchannel.alerts.tables import read_document, read_table, read_value

_FILE = "imaging/critical"


class CriticalResult(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row of ``critical.toml``."""

    id: str
    zh: str
    en: str
    mark: str


@cache
def critical_results() -> dict[str, CriticalResult]:
    """All results by id, in the order in which they are offered."""
    return {row.id: row for row in read_table(_FILE, "result", CriticalResult)}


def ways() -> tuple[str, ...]:
    """How a result may be told."""
    return tuple(read_document(_FILE)["ways"])


def to_roles() -> tuple[str, ...]:
    """To whom."""
    return tuple(read_document(_FILE)["to_roles"])


def told_by(signed: Signed) -> datetime:
    """By when a signed text with critical results must have been told and said back; anew where its study was moved."""
    return signed.due_from + timedelta(minutes=read_value(_FILE, "told_within_min", float))


def again_s() -> float:
    """After what time it is said once more that it was not."""
    return read_value(_FILE, "again_min", float) * 60


def next_due_at(reading: Reading) -> datetime | None:
    """When it will be said that a critical result is untold; None where none is."""
    return min((told_by(one) for one in reading.untold), default=None)
