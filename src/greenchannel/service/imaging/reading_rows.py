"""One line of the worklist of studies, and how urgent it is."""

from datetime import UTC, datetime
from typing import Final, NamedTuple

from greenchannel.alerts.imaging import critical
from greenchannel.alerts.imaging.reading import Reading
from greenchannel.service.imaging.records import ImageStudy
from greenchannel.triage.imaging.facts import StudyFacts
from greenchannel.triage.imaging.order import ImagePlace

_NO_MATTER: Final = datetime.min.replace(tzinfo=UTC)


class Row(NamedTuple):
    """One line of the worklist; the reading with its words opened."""

    place: ImagePlace
    reading: Reading
    facts: StudyFacts
    study: ImageStudy


def urgency_of(row: Row) -> tuple[int, datetime, ImagePlace]:
    """Untold critical results, by when they must be told; then what waits; then what is to be confirmed."""
    untold_by = critical.next_due_at(row.reading)
    if untold_by is not None:
        return 0, untold_by, row.place
    return 1 if row.reading.report is None else 2, _NO_MATTER, row.place
