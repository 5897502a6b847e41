"""Which records a caller's export holds."""

import asyncio
from collections.abc import Sequence

from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.viewer.front import Front
from greenchannel.viewer.period import Period
from greenchannel.viewer.words import Word


async def records_of(
    front: Front, who: Caller, span: Period, site: str | None = None
) -> Sequence[CaseRecord]:
    """The records of a period that the caller may see, oldest first; a site that is not theirs has none."""
    sites = who.sites
    if site is not None:
        sites = frozenset({site}) if who.may_see(site) else frozenset()
    return await asyncio.to_thread(front.desk.quality.records, sites, span.start, span.end)


async def one_record(front: Front, case_id: str, who: Caller) -> CaseRecord:
    """The record of a case that the caller may see; raises `NotFound`, also for what counts nowhere."""
    front.case(case_id, who)
    record = await asyncio.to_thread(front.desk.quality.record, case_id)
    if record is None:
        raise NotFound("record of the case", case_id)
    return record


async def known_sites(front: Front) -> dict[str, Word]:
    """What sites are called."""
    await front.directory.refresh()
    return front.directory.site_names()
