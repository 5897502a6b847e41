"""Ambulances on their way: positions are kept for a day, beside the log; what they cross becomes times of the case."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Engine

from greenchannel.alerts import ambulance, ambulance_commands
from greenchannel.alerts.ambulance import Fix, Place, Places, Track
from greenchannel.alerts.case import Case
from greenchannel.alerts.channel_commands import require_open
from greenchannel.alerts.drill import require_real
from greenchannel.alerts.milestones import future_tolerance_s
from greenchannel.clock import Clock
from greenchannel.events import AnyEvent, MilestoneRecorded
from greenchannel.ingest import device_clock
from greenchannel.ingest.device_clock import ClockOffset
from greenchannel.service.book import CaseBook
from greenchannel.service.callers import Caller
from greenchannel.service.casework import Casework
from greenchannel.service.device_times import DeviceTimes
from greenchannel.service.errors import Conflict, NotFound
from greenchannel.store import ambulance_rows
from greenchannel.store.accounts import Accounts, Site
from greenchannel.store.ambulance_rows import Binding, PositionRow
from greenchannel.store.writer import Tx, Writer

NOTED_EVERY: Final = timedelta(hours=6)  # a receiver's clock that has not moved is noted so often  [E]
LEAST_CHANGE_S: Final = 2.0  # [E]
HUB: Final = "hub"


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """One position as it was sent."""

    lat: float
    lon: float
    at: datetime | None  # by the sender's clock; None: now, by ours
    accuracy_m: float | None
    device_clock: datetime | None  # what the sender's clock said as it sent; None: it does not say


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What became of a position."""

    case: Case
    reason: str | None  # why it was not used
    recorded: tuple[str, ...]  # milestones


class Ambulances:
    """Tracks by case and sender. They are folded from the rows again after a restart, so nothing hangs on memory."""

    def __init__(
        self,
        *,
        engine: Engine,
        writer: Writer,
        casework: Casework,
        book: CaseBook,
        accounts: Accounts,
        clock: Clock,
        times: DeviceTimes,
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._casework = casework
        self._book = book
        self._accounts = accounts
        self._clock = clock
        self._times = times
        self._settings = ambulance.default_settings()
        self._tracks: dict[tuple[str, str], Track] = {}

    # ------------------------------------------------------------ which receiver

    async def bind(self, case_id: str, caller: Caller, device: str) -> Case:
        """A receiver drives for this case from now on, and for no other; it may then send positions of it."""
        known = await asyncio.to_thread(self._accounts.device, device)
        if known is None or known.disabled:
            raise NotFound("device", device)

        def command(tx: Tx) -> Case:
            case = self._casework.current(tx, case_id)
            require_open(case)
            require_real(case)
            known = ambulance_rows.binding_in(tx.conn, device)
            if known is None or known.case_id != case_id:  # said twice, it drives since the first
                binding = Binding(device=device, case_id=case_id, bound_at=tx.now, bound_by=caller.actor)
                ambulance_rows.bind(tx, binding)
            return case

        return await self._writer.transact(command)

    async def check_bound(self, case_id: str, caller: Caller) -> None:
        """Raise `NotFound` where a device drives for another case, or for none: it may not know of this one."""
        binding = await asyncio.to_thread(ambulance_rows.binding_of, self._engine, caller.id)
        if binding is None or binding.case_id != case_id:
            raise NotFound("case", case_id)

    # ------------------------------------------------------------ positions

    async def position(self, case_id: str, caller: Caller, said: Said) -> Taken:
        """Take one position: keep it, and write what it crosses and when the ambulance is expected, in one commit."""
        received_at = self._clock.now()
        offset, measured = self._offset(caller, said, received_at)
        fix = self._fix(said, caller, offset, received_at)
        places = await asyncio.to_thread(self._places_of, case_id)
        key = case_id, caller.actor

        def command(tx: Tx) -> Taken:
            case = self._casework.current(tx, case_id)
            require_open(case)
            if measured is not None:
                self._times.write(tx, caller.id, measured)
            since = self._since(tx, case, caller)
            if ambulance_rows.known(tx, case_id, caller.actor, fix.raw_at):
                return Taken(case=case, reason="duplicate", recorded=())
            before = self._track(tx, key, places)
            found = ambulance.step(before, fix, places, future_s=future_tolerance_s(), since=since)
            ambulance_rows.add(tx, _row(case_id, caller.actor, fix, found.reason))
            self._tracks[key] = found.track
            if found.reason is not None:
                return Taken(case=case, reason=found.reason, recorded=())
            clock = _clock_of(caller)
            events: list[AnyEvent] = []
            for crossing in found.crossings:
                events += ambulance_commands.crossed(case, before, crossing, clock=clock)
            if events:
                case = self._casework.write(tx, case, case_id, events, caller.actor)
            aboard = ambulance_commands.aboard(case)
            eta = ambulance.expected(found.track, places, aboard=aboard)
            told = ambulance_commands.expects(case, eta, clock=clock)
            if told:
                case = self._casework.write(tx, case, case_id, told, "service")
            recorded = tuple(event.milestone for event in events if isinstance(event, MilestoneRecorded))
            return Taken(case=case, reason=None, recorded=recorded)

        try:
            return await self._writer.transact(command)
        except BaseException:
            self._tracks.pop(key, None)  # it may be ahead of what is on disk
            raise

    @staticmethod
    def _since(tx: Tx, case: Case, caller: Caller) -> datetime:
        """When the sender began to drive for the case: a receiver as it was bound, a person's phone with the case."""
        if caller.kind != "device":
            return case.opened_at
        binding = ambulance_rows.binding_in(tx.conn, caller.id)
        if binding is None or binding.case_id != case.case_id:
            raise NotFound("case", case.case_id)
        return binding.bound_at

    def _track(self, tx: Tx, key: tuple[str, str], places: Places) -> Track:
        known = self._tracks.get(key)
        if known is not None:
            return known
        rows = ambulance_rows.of_case(tx.conn, *key)
        own = (
            row for row in rows if row.unused != "early"
        )  # the others were judged by a binding that may be gone
        return ambulance.replay(map(_fix_of, own), places, future_s=future_tolerance_s())

    def _offset(
        self, caller: Caller, said: Said, received_at: datetime
    ) -> tuple[ClockOffset | None, ClockOffset | None]:
        """What is known of the sender's clock, and a contact that is worth writing down."""
        if caller.kind != "device":
            return None, None
        if said.device_clock is None:
            return self._times.offset_of(caller.id), None
        measured = device_clock.estimate_offset(said.device_clock, received_at=received_at)
        history = self._book.clock_histories.get(caller.id)
        last = None if history is None else history.last_contact
        news = (
            last is None
            or abs(last.offset_s - measured.offset_s) > LEAST_CHANGE_S
            or measured.measured_at - last.measured_at >= NOTED_EVERY
        )
        return self._times.offset_with(caller.id, measured), measured if news else None

    @staticmethod
    def _fix(said: Said, caller: Caller, offset: ClockOffset | None, received_at: datetime) -> Fix:
        raw_at = said.at or received_at
        corrected = device_clock.correct(raw_at, offset if said.at is not None else None, clock="")
        return Fix(
            lat=said.lat,
            lon=said.lon,
            at=corrected.at,
            received_at=received_at,
            raw_at=raw_at,
            accuracy_m=said.accuracy_m,
            offset_s=0.0 if said.at is None else corrected.offset_s,
            uncertainty_s=0.0 if said.at is None else corrected.uncertainty_s,
        )

    def _places_of(self, case_id: str) -> Places:
        case = self._book.cases.get(case_id)
        sites = self._accounts.sites()
        scene = next((one for one in sites if case is not None and one.id == case.site), None)
        hubs = (one for one in sites if one.kind == HUB and not one.disabled and one.lat is not None)
        hub = next(hubs, None)
        if scene is not None and hub is not None and scene.id == hub.id:
            scene = None
        return Places(
            scene=self._place(scene),
            hub=self._place(hub),
            road_km=None if scene is None else scene.distance_km,
        )

    def _place(self, site: Site | None) -> Place | None:
        if site is None or site.lat is None or site.lon is None:
            return None
        return Place(lat=site.lat, lon=site.lon, radius_m=site.radius_m or self._settings.radius_m)

    # ------------------------------------------------------------ what people say

    async def eta(self, case_id: str, caller: Caller, place: str, at: datetime | None) -> Case:
        """A person says when it will be there; None takes it back, and the positions' word stands again."""
        if caller.kind != "user":
            raise Conflict("person_required", "a person says an arrival by hand", "预计到达时间须由人员填写")
        source = "dispatch" if caller.role == "dispatch" else "person"
        return await self._casework.change(
            case_id,
            lambda case, now: ambulance_commands.say_eta(case, place, at, source=source, now=now),
            caller.actor,
        )

    # ------------------------------------------------------------ looking, forgetting

    async def newest(self, case_id: str) -> tuple[list[PositionRow], list[Binding]]:
        """The positions that came last, and the receivers that drive for the case."""
        most = self._settings.most_positions_listed
        rows = await asyncio.to_thread(ambulance_rows.newest, self._engine, case_id, most)
        return rows, await asyncio.to_thread(ambulance_rows.bindings, self._engine, case_id)

    async def sweep(self) -> int:
        """Forget what is older than it may be; gives how many positions."""
        before = self._clock.now() - timedelta(hours=self._settings.positions_kept_h)
        cases = self._book.cases
        ended = [key for key in self._tracks if key[0] not in cases or cases[key[0]].state != "open"]
        for key in ended:
            self._tracks.pop(key, None)
        return await self._writer.transact(lambda tx: ambulance_rows.forget_before(tx, before))


def _clock_of(caller: Caller) -> str:
    return f"device:{caller.id}" if caller.kind == "device" else "server"


def _row(case_id: str, source: str, fix: Fix, unused: str | None) -> PositionRow:
    return PositionRow(
        case_id=case_id,
        source=source,
        raw_at=fix.raw_at,
        at=fix.at,
        received_at=fix.received_at,
        lat=fix.lat,
        lon=fix.lon,
        accuracy_m=fix.accuracy_m,
        offset_s=fix.offset_s,
        uncertainty_s=fix.uncertainty_s,
        unused=unused,
    )


def _fix_of(row: PositionRow) -> Fix:
    return Fix(
        lat=row.lat,
        lon=row.lon,
        at=row.at,
        received_at=row.received_at,
        raw_at=row.raw_at,
        accuracy_m=row.accuracy_m,
        offset_s=row.offset_s,
        uncertainty_s=row.uncertainty_s,
    )
