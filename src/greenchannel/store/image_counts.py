"""How many series studies have, counted for a page of search results at once."""

from collections.abc import Sequence

from sqlalchemy import Engine, func, select

from greenchannel.store import schema
from greenchannel.store.engine import reading

_series = schema.image_series


def series_counts(engine: Engine, study_uids: Sequence[str]) -> dict[str, int]:
    """The number of series by study; a study without any is not in it."""
    query = (
        select(_series.c.study_uid, func.count())
        .where(_series.c.study_uid.in_(study_uids))
        .group_by(_series.c.study_uid)
    )
    with reading(engine) as connection:
        return {str(study): int(count) for study, count in connection.execute(query)}
