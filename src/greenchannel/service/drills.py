"""Drills: a synthetic ECG through the real way in, a real alert to the people on duty, marked wherever it is shown."""

import asyncio
import secrets
from dataclasses import replace

from greenchannel.alerts import drill, roster
from greenchannel.alerts.case import Case
from greenchannel.alerts.refusal import no_such
from greenchannel.clock import Clock
from greenchannel.ingest.fields import UploadFields
from greenchannel.ingest.wfdb_write import write_wfdb_zip
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.errors import Conflict, Forbidden
from greenchannel.service.intake import Intake
from greenchannel.service.watch import Watch
from greenchannel.signal.synthesis import synthesize
from greenchannel.store.accounts import ADMIN, Accounts
from greenchannel.store.deadlines import Deadline
from greenchannel.store.writer import Tx, Writer

DRILL_END = drill.DRILL_END
HEAD = "head"
_SEEDS = 2**31


class Drills:
    """Starts and ends drills. One at a time for a site: two at once would be noise and teach nothing."""

    def __init__(
        self,
        *,
        casework: Casework,
        writer: Writer,
        intake: Intake,
        watch: Watch,
        accounts: Accounts,
        clock: Clock,
    ) -> None:
        self._casework = casework
        self._writer = writer
        self._intake = intake
        self._watch = watch
        self._accounts = accounts
        self._clock = clock
        self._starting: set[str] = set()  # sites

    async def may_start(self, caller: Caller, site: str | None = None) -> bool:
        """Whether the caller is an administrator, or head of duty now."""
        if caller.kind != "user":
            return False
        return caller.role == ADMIN or await asyncio.to_thread(self._is_head, caller.id, site)

    def _is_head(self, person: str, site: str | None) -> bool:
        now = self._clock.now()
        return roster.on_duty(self._watch.shifts(now, site), now, HEAD) == person

    async def start(
        self, caller: Caller, site: str, running: list[Case], *, scenario: str, minutes: float | None = None
    ) -> str:
        """Send a synthetic ECG as an upload of `site`; gives the case. `running` are the drills under way.

        Raises
        ------
        Forbidden
            The caller is neither an administrator nor head of duty.
        Conflict
            A drill of this site is under way, or the site is closed.
        Refused
            No such scenario, or a length that cannot be.
        """
        await self._require(caller, site)
        if scenario not in drill.scenarios():
            raise no_such("scenario", "演练场景", scenario)
        until = drill.until(self._clock.now(), minutes)
        there = await asyncio.to_thread(self._accounts.site, site)
        if there is None or there.disabled:
            raise Conflict("site_closed", f"expected a site in use, got {site}", "该机构不存在或已停用")
        if site in self._starting or any(case.site == site for case in running):
            raise Conflict(
                "drill_running",
                "expected no drill of this site under way: end that one first",
                "该机构已有演练在进行,请先结束",
            )
        self._starting.add(site)
        try:
            data = await self._intake.in_pool(lambda: _ecg(scenario))
            fields = replace(UploadFields(), site=site, name=drill.WORDS, chest_pain=True)
            now = self._clock.now()
            placed = await self._intake.receive(
                [(None, data)], fields, caller, upload_started_at=now, drill_until=until
            )
        finally:
            self._starting.discard(site)
        return placed.case_id

    async def end(self, caller: Caller, case: Case) -> Case:
        """End a drill by a person; again changes nothing. Raises `Refused` for a real case."""
        await self._require(caller, case.site)
        return await self._casework.change(
            case.case_id, lambda now_case, _: drill.end(now_case, drill.BY_PERSON), caller.actor
        )

    def fire(self, tx: Tx, deadline: Deadline) -> None:
        """Its time is over; in the taking command. Nothing where a person has ended it."""
        case = self._casework.current(tx, deadline.stream.partition(":")[2])
        events = drill.end(case, drill.BY_TIME)
        if events:
            self._casework.write(tx, case, case.case_id, events, "service")

    async def _require(self, caller: Caller, site: str) -> None:
        if not await self.may_start(caller, site):
            raise Forbidden(
                "drill_forbidden",
                "only an administrator or the head of duty may start and end drills",
                "只有管理员或当班主任可以发起和结束演练",
            )


def _ecg(scenario: str) -> bytes:
    """A file of nobody; its noise is new each time, so that it is never the same recording twice."""
    recording = synthesize(
        scenario=scenario, seed=secrets.randbelow(_SEEDS), noise_mv=drill.number("noise_mv")
    )
    return write_wfdb_zip(
        recording, lsb_mv=0.0025, age_years=drill.number("age_years"), sex="male", acquired=None
    )
