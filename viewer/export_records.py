"""Which records a caller's export holds."""

import asyncio
from collections.abc import Sequence

from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.alerts.quality.record_of import record_of
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.viewer.front import Front
from greenchannel.viewer.period import Period
from greenchannel.viewer.words import Word


async def records_of(
    front: Front, who: Caller, span: Period, site: str | None = None
) -> Sequence[CaseRecord]:
    """The records of a period that the caller may see, oldest first; a site that is not theirs has none."""
    cases = [case for case in front.desk.cases() if who.may_see(case.site) and site in (None, case.site)]

    def found() -> list[CaseRecord]:
        made = (record_of(case) for case in cases)
        chosen = (one for one in made if one is not None and span.holds(one.began_at))
        return sorted(chosen, key=lambda one: (one.began_at, one.case_id))

    return await asyncio.to_thread(found)


def one_record(front: Front, case_id: str, who: Caller) -> CaseRecord:
    """The record of a case that the caller may see; raises `NotFound`, also for what counts nowhere."""
    record = record_of(front.case(case_id, who))
    if record is None:
        raise NotFound("record of the case", case_id)
    return record


async def known_sites(front: Front) -> dict[str, Word]:
    """What sites are called."""
    await front.directory.refresh()
    return front.directory.site_names()
