"""The roster as the running service asks and changes it."""

import asyncio
import functools
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from greenchannel.alerts.roster_edit import DutyShift
from greenchannel.alerts.roster_ical_write import write_calendar
from greenchannel.clock import Clock
from greenchannel.service import roster_changes
from greenchannel.service.callers import Caller
from greenchannel.service.errors import Forbidden
from greenchannel.service.roster_changes import Changed, OnlyTried, Then
from greenchannel.service.roster_watch import RosterWatch, View, duty_shift
from greenchannel.store import roster_rows
from greenchannel.store.engine import reading
from greenchannel.store.writer import Tx, Writer


class RosterDesk:
    """Adds, removes, swaps and imports shifts; one command each. What it refuses leaves no trace."""

    def __init__(self, *, engine: Engine, writer: Writer, clock: Clock, watch: RosterWatch) -> None:
        self._engine = engine
        self._writer = writer
        self._clock = clock
        self.watch = watch

    async def start(self) -> None:
        """Set the looks ahead as of now, and look."""
        await self._writer.transact(self.watch.plan)

    # ------------------------------------------------------------ changes

    async def add(self, shift: DutyShift, caller: Caller) -> Changed:
        """Put a person on duty; see `roster_changes.add_shift`."""
        return await self._change(
            functools.partial(roster_changes.add_shift, shift=shift, actor=caller.actor)
        )

    async def remove(self, shift_id: str, caller: Caller) -> Changed:
        """Take a shift off the roster; see `roster_changes.remove_shift`."""
        return await self._change(
            functools.partial(roster_changes.remove_shift, shift_id=shift_id, actor=caller.actor)
        )

    async def swap(
        self,
        shift_id: str,
        to: str,
        *,
        start: datetime | None,
        end: datetime | None,
        reason: str,
        caller: Caller,
        any_shift: bool,
    ) -> Changed:
        """Give a shift or a part of it away; only one's own unless `any_shift`. See `roster_changes.swap_shift`."""

        def command(tx: Tx, then: Then) -> Changed:
            row = roster_changes.in_force(tx.conn, shift_id)
            if not any_shift and (caller.kind != "user" or row.person != caller.id):
                raise Forbidden("not_your_shift", "one may give away one's own shifts", "只能转让自己的班次")
            return roster_changes.swap_shift(
                tx, then, shift_id=shift_id, to=to, start=start, end=end, reason=reason, actor=caller.actor
            )

        return await self._change(command)

    async def take(
        self, data: bytes, caller: Caller, *, site: str | None = None, dry_run: bool = False
    ) -> Changed:
        """Take a calendar file in; with `dry_run` say what that would do.

        Raises
        ------
        ImportRefused
            Something of it is wrong; then nothing is taken.
        NotFound
            There is no such site.
        """

        def read_file() -> Changed:
            with reading(self._engine) as connection:
                read = roster_changes.read_file(connection, data, site=site, now=self._clock.now())
            command = functools.partial(
                roster_changes.import_calendar,
                then=self.watch.plan,
                read=read,
                actor=caller.actor,
                dry_run=dry_run,
            )
            try:
                return self._writer.transact_sync(command)
            except OnlyTried as tried:
                return tried.changed

        return await asyncio.to_thread(read_file)  # reading a large file takes a second

    async def _change(self, command: Callable[[Tx, Then], Changed]) -> Changed:
        return await self._writer.transact(lambda tx: command(tx, self.watch.plan))

    # ------------------------------------------------------------ questions

    async def calendar(self, start: datetime, end: datetime) -> bytes:
        """The shifts with any part in a span as an iCalendar file."""

        def write() -> bytes:
            with reading(self._engine) as connection:
                people = roster_rows.people(connection)
                shifts = [duty_shift(row) for row in roster_rows.between(connection, start, end)]
            return write_calendar(shifts, {id: one.name for id, one in people.items()}, self._clock.now())

        return await asyncio.to_thread(write)

    async def between(self, start: datetime, end: datetime) -> list[DutyShift]:
        """Shifts in force with any part in a span, by their beginning."""

        def read() -> list[DutyShift]:
            with reading(self._engine) as connection:
                return [duty_shift(row) for row in roster_rows.between(connection, start, end)]

        return await asyncio.to_thread(read)

    async def view(self) -> View:
        """What is in doubt now, and what was said of it."""

        def look() -> View:
            with reading(self._engine) as connection:
                return self.watch.view(connection, self._clock.now())

        return await asyncio.to_thread(look)

    async def refresh(self) -> None:
        """Count anew what is in doubt: another process may have changed the roster."""

        def count() -> None:
            with reading(self._engine) as connection:
                self.watch.refresh(connection, self._clock.now())

        await asyncio.to_thread(count)

    # ------------------------------------------------------------ calendar programs

    async def give_feed_token(self, caller: Caller) -> str:
        """A token for a person's calendar program; the one before is worth nothing any more."""
        return await self._writer.transact(lambda tx: roster_rows.give_feed_token(tx.conn, caller.id, tx.now))

    async def end_feed(self, caller: Caller) -> None:
        """A person's calendar program gets nothing any more."""
        await self._writer.transact(lambda tx: roster_rows.end_feed(tx.conn, caller.id))

    async def feed_owner(self, token: str) -> str | None:
        """Whose token it is, where it is one."""

        def find() -> str | None:
            with reading(self._engine) as connection:
                return roster_rows.feed_owner(connection, token)

        return await asyncio.to_thread(find)
