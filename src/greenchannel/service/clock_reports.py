"""The weekly report of device clocks: a due time like any other, and its making."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from greenchannel.clock import Clock, rfc3339
from greenchannel.events import ClockReportMade
from greenchannel.ingest.clock_history import ClockHistory
from greenchannel.ingest.clock_report import Device, report, week_bounds, week_of
from greenchannel.service.agent_clocks import AGENT
from greenchannel.service.book import CaseBook
from greenchannel.store.accounts import Accounts
from greenchannel.store.deadlines import Deadline
from greenchannel.store.writer import Tx, Writer

CLOCK_REPORT: Final = "clock_report"  # kind of its due times
ZONE: Final = ZoneInfo("Asia/Shanghai")  # weeks are those of the network
AFTER_MIDNIGHT: Final = timedelta(hours=6)  # on Monday, before people begin
_STREAM: Final = "system"


class ClockReports:
    """Makes the report of each week once, and gives the week that runs as it stands."""

    def __init__(self, *, writer: Writer, book: CaseBook, accounts: Accounts, clock: Clock) -> None:
        self._writer = writer
        self._book = book
        self._accounts = accounts
        self._clock = clock

    async def plan(self) -> None:
        """Set the due time of the week that runs; one that is set, or was taken, stays as it is."""
        await self._writer.transact(lambda tx: self._set(tx, week_of(tx.now, ZONE)))

    @staticmethod
    def _set(tx: Tx, week: str) -> None:
        due_at = week_bounds(week, ZONE)[1] + AFTER_MIDNIGHT
        payload = msgspec.json.encode({"week": week})
        tx.set_deadline(
            f"{CLOCK_REPORT}:{week}", due_at=due_at, kind=CLOCK_REPORT, stream=_STREAM, payload=payload
        )

    def fire(self, tx: Tx, deadline: Deadline) -> None:
        """Write down the report of the week that is over, and set the due time of the next; in the taking command."""
        week = msgspec.json.decode(deadline.payload)["week"]
        starts, ends = week_bounds(week, ZONE)
        rows = self._rows(self._book.clock_histories, starts, ends, tx.now)
        made = ClockReportMade(week=week, starts=starts, ends=ends, devices=rows)
        tx.append(_STREAM, [made], actor="service")
        self._set(tx, max(week_of(tx.now, ZONE), week_of(ends, ZONE)))

    def _rows(
        self, histories: Mapping[str, ClockHistory], starts: datetime, ends: datetime, now: datetime
    ) -> list[dict[str, Any]]:
        return report(devices_of(self._accounts, histories), histories, starts=starts, ends=ends, now=now)

    def of_week(self, week: str | None) -> dict[str, Any] | None:
        """The report of a week as it was made; of the week that runs, as it stands. None where there is none.

        Raises
        ------
        ValueError
            `week` is no ISO week.
        """
        now = self._clock.now()
        wanted = week or week_of(now, ZONE)
        starts, ends = week_bounds(wanted, ZONE)
        made = self._book.clock_reports.get(wanted)
        if made is not None:
            return as_json(wanted, starts, ends, made.devices, final=True)
        if not starts <= now < ends + timedelta(days=1):
            return None
        rows = self._rows(dict(self._book.clock_histories), starts, ends, now)
        return as_json(wanted, starts, ends, rows, final=False)

    @property
    def weeks(self) -> list[str]:
        """The weeks that have a report, the newest first."""
        return sorted(self._book.clock_reports, reverse=True)


def devices_of(accounts: Accounts, histories: Mapping[str, ClockHistory]) -> list[Device]:
    """Every device that may send, and the clinics' computers whose agents have told their own clocks."""
    devices = [
        Device(id=one.id, site=one.site, name=one.name) for one in accounts.devices() if not one.disabled
    ]
    computers = [
        Device(id=AGENT + one.id, site=one.site, name=f"{one.name} · 诊室电脑 clinic's computer")
        for one in devices
        if AGENT + one.id in histories
    ]
    return devices + computers


def as_json(
    week: str, starts: datetime, ends: datetime, rows: list[dict[str, Any]], *, final: bool
) -> dict[str, Any]:
    """A report as the interface and the command line give it."""
    bad = sum(row["level"] not in ("ok", "never_compared") for row in rows)
    return {
        "week": week,
        "from": rfc3339(starts),
        "to": rfc3339(ends),
        "final": final,
        "bad": bad,
        "devices": rows,
    }
