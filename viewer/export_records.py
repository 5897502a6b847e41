"""Which records a caller's export holds. A file without a case says that there was none: so what is asked for by a name
that nobody has is refused, and no empty file is given."""

import asyncio
from collections.abc import Sequence

from greenchannel.alerts.facts import fact_codes
from greenchannel.alerts.milestones import codes
from greenchannel.alerts.quality.record import CaseRecord
from greenchannel.service.callers import Caller
from greenchannel.service.errors import NotFound
from greenchannel.viewer.front import Front
from greenchannel.viewer.period import Period
from greenchannel.viewer.problems import Problem
from greenchannel.viewer.words import Word


async def records_of(
    front: Front, who: Caller, span: Period, site: str | None = None
) -> Sequence[CaseRecord]:
    """The records of a period that the caller may see, oldest first; raises `NotFound` for a site that is not there, or
    not theirs."""
    sites = who.sites
    if site is not None:
        if not who.may_see(site) or site not in await known_sites(front):
            raise NotFound("site", site)
        sites = frozenset({site})
    return await asyncio.to_thread(front.desk.quality.records, sites, span.start, span.end)


def check_diagnosis(diagnosis: str | None) -> None:
    """Raise `Problem` 422 for a diagnosis that no case can have."""
    known = {**codes("DX"), **fact_codes("DIAGNOSIS")}
    if diagnosis is not None and diagnosis not in known:
        raise Problem(
            422,
            "there is no such diagnosis",
            code="unknown_code",
            zh=f"没有这种诊断：{diagnosis}",
            expected=f"one of {' '.join(known)}",
            got=diagnosis,
        )


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
